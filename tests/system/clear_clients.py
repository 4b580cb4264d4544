"""
FTP clients without TLS, in the interface of ftp_clients.py: tnftp, inetutils' ftp and BusyBox, which know none, and
curl, lftp and ftplib, which are told to use none. Each puts, gets and, if it can, lists a file.

run(way, path, name, back) uploads `path` as `name` and downloads that to `back`. It returns the verbs that the client
says it has sent, and the list of names, or None if the client cannot list.
"""
import ftplib
import os
import re

import ftp_clients
import interop_table
import servers


class Clear:
    """package: the name in servers.PACKAGES of a Debian package that is unpacked, as those of servers are."""

    package = None
    sent = r"^---> ([A-Z]+)"

    def needs(self):
        """Why this machine cannot run it, or None."""
        return servers.fetched(self.package)[2] if self.package else None

    def version(self):
        return interop_table.package(self.package)

    def unpacked(self):
        """The path of the program, and its environment."""
        folder, libpath = servers.fetch(self.package)
        paths = [os.path.join(folder, bin, self.program) for bin in ("usr/bin", "bin")]
        return next(path for path in paths if os.path.exists(path)), dict(os.environ, LD_LIBRARY_PATH=libpath, LC_ALL="C")

    def call(self, *argv, text=""):
        """Returns the verbs and all output."""
        path, env = self.unpacked() if self.package else (self.program, None)
        said = ftp_clients.call([path, *argv], text, env)
        return re.findall(self.sent, said, re.M), said


class Curl(Clear):
    name, program = "curl", "curl"
    modes = ["EPSV", "PASV", "EPRT", "PORT"]
    sent = r"^> ([A-Z]+)"
    ways = {"EPSV": [], "PASV": ["--disable-epsv"], "EPRT": ["-P", "-"], "PORT": ["-P", "-", "--disable-eprt"]}

    @staticmethod
    def version():
        return f"curl {ftp_clients.output('curl', '--version').split()[1]}"

    def run(self, way, path, name, back):
        url = f"ftp://{way.host}:{way.address[1]}/{way.where}"
        base = ["-sSv", "--max-time", str(way.timeout), "-u", f"{way.user}:{way.password}", *self.ways[way.mode]]
        put, _ = self.call(*base, "-T", path, url + name)
        got, said = self.call(*base, "-o", back, url + name, "--next", *base, "-l", url)
        return put + got, said


class Lftp(Clear):
    name, program = "lftp", "lftp"
    modes = ["PASV", "EPSV", "PORT"]  # EPRT only over IPv6

    @staticmethod
    def version():
        return f"lftp {ftp_clients.output('lftp', '--version').split()[3]}"

    def run(self, way, path, name, back):
        yes = {True: "yes", False: "no"}
        return self.call("--norc", "-c", "; ".join([
            "set ftp:ssl-allow no", "set cmd:fail-exit yes", "set net:max-retries 1", f"set net:timeout {way.timeout}", "debug 5",
            f"set ftp:passive-mode {yes[way.passive]}", f"set ftp:prefer-epsv {yes[way.mode == 'EPSV']}",
            f"open -u '{way.user}','{way.password}' ftp://{way.host}:{way.address[1]}",
            f"put {path} -o {way.where}{name}", f"get {way.where}{name} -o {back}", f"cls {way.where}"]))


class Ftplib(Clear):
    name = "ftplib"
    modes = ["EPSV", "PASV", "EPRT", "PORT"]

    @staticmethod
    def version():
        return ftp_clients.Ftplib.version().removesuffix(" (OpenSSL)")

    def run(self, way, path, name, back):
        ftp = ftp_clients.Ftplib.Ftp(timeout=way.timeout)
        try:
            ftp.connect_to(way)
            ftp.login(way.user, way.password, secure=False)
            ftp.set_pasv(way.passive)
            with open(path, "rb") as f:
                ftp.storbinary("STOR " + way.where + name, f)
            with open(back, "wb") as f:
                ftp.retrbinary("RETR " + way.where + name, f.write)
            names = ftp.nlst(way.where.rstrip("/"))
            ftp.quit()
        except ftplib.all_errors as fault:
            raise ftp_clients.Failed(f"ftplib: {type(fault).__name__}: {fault}; it sent {ftp.verbs}")
        finally:
            ftp.close()
        return [verb for verb, _ in ftp.verbs], "\n".join(names)


class Typed(Clear):
    """A client that is typed to. It ends with status 0 whatever happened, so only the files count."""

    options = ["-n", "-v", "-d"]

    def run(self, way, path, name, back):
        return self.call(*self.options, *self.ways[way.mode][0], way.address[0], str(way.address[1]), text="\n".join([
            f'user "{way.user}" "{way.password}"', *self.ways[way.mode][1], "binary", f"put {path} {way.where}{name}",
            f"get {way.where}{name} {back}", f"nlist {way.where}".rstrip(), "quit", ""]))


class Tnftp(Typed):
    name, package, program = "tnftp", "tnftp", "tnftp"
    modes = ["EPSV", "PASV", "EPRT", "PORT"]
    ways = {"EPSV": ((), ["passive on"]), "PASV": ((), ["passive on", "epsv4 off"]),
            "EPRT": ((), ["passive off"]), "PORT": ((), ["passive off", "epsv4 off"])}


class Inetutils(Typed):
    name, package, program = "inetutils-ftp", "inetutils-ftp", "inetutils-ftp"
    modes = ["PORT", "PASV", "EPRT", "EPSV"]
    ways = {"PORT": (["-A"], []), "PASV": (["-p"], []), "EPRT": (["-A"], ["epsv4"]), "EPSV": (["-p"], ["epsv4"])}


class Busybox(Clear):
    """ftpput and ftpget: passive mode, and no list."""
    name, package, program = "busybox", "busybox", "busybox"
    modes = ["EPSV"]
    sent = r"cmd ([A-Z]+)"

    def run(self, way, path, name, back):
        base = ["-v", "-u", way.user, "-p", way.password, "-P", str(way.address[1]), way.address[0]]
        put, _ = self.call("ftpput", *base, way.where + name, path)
        got, _ = self.call("ftpget", *base, back, way.where + name)
        return put + got, None


ALL = {client.name: client for client in (Curl(), Lftp(), Ftplib(), Tnftp(), Inetutils(), Busybox())}

"""
A common interface to curl, lftp and Python's ftplib: upload and download files in a given way.
script_clients.py has more clients.

run(way, uploads, downloads) returns the verbs that the client reports, or None if it reports none.
uploads: [(local path, remote name)], downloads: [(remote name, local path)].
needs() says why this machine cannot run a client, or returns None.
"""
import ftplib
import functools
import platform
import re
import socket
import ssl
import subprocess
from dataclasses import dataclass

TIMEOUT = 120


class Failed(Exception):
    pass


@functools.cache
def output(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.strip()


@dataclass
class Way:
    listener: str    # explicit | implicit
    mode: str        # PASV | EPSV | PORT | EPRT
    level: str       # C | P
    address: tuple   # host and port of the listener
    user: str
    password: str
    ca: str
    where: str = ""  # folder on the server, empty or ending in /
    ccc: bool = False  # send CCC after login
    timeout: int = TIMEOUT

    @property
    def passive(self):
        return self.mode in ("PASV", "EPSV")

    @property
    def host(self):
        return f"[{self.address[0]}]" if ":" in self.address[0] else self.address[0]


def call(argv, text="", env=None):
    """text: what it reads on its standard input."""
    try:
        done = subprocess.run(argv, input=text, env=env, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{argv[0]} did not end; it said:\n{(late.stderr or b'').decode(errors='replace')[-3000:]}")
    if done.returncode:
        raise Failed(f"{argv[0]} ended with {done.returncode}; it said:\n{done.stdout}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


class Client:
    listeners, levels = ["explicit", "implicit"], "CP"
    largest = "mib64"  # the largest file that test_interop transfers
    leaks = staticmethod(lambda way: False)
    keeps_tls = staticmethod(lambda: False)

    def needs(self):
        return None

    def supports(self, listener, mode, level):
        return listener in self.listeners and mode in self.modes and level in self.levels


class Curl(Client):
    name = "curl"
    modes = ["PASV", "EPSV", "PORT", "EPRT"]

    @staticmethod
    def leaks(way):
        """With PROT P, curl 7.87.0 to 7.88.1 sends the data of active transfers in the clear (curl issue 10666)."""
        return way.level == "P" and not way.passive and (7, 87) <= Curl.number() < (8, 0)

    @staticmethod
    def keeps_tls():
        """After CCC, curl 8.1.0 to 8.16.0 sends its next command under TLS, to every server (curl pull request 18596)."""
        return (8, 1) <= Curl.number() < (8, 17)

    @staticmethod
    def number():
        """The release, as (8, 14)."""
        return tuple(int(n) for n in output("curl", "--version").split()[1].split(".")[:2])

    @staticmethod
    def version():
        return f"curl {output('curl', '--version').split()[1]} (OpenSSL)"

    def run(self, way, uploads, downloads):
        scheme = {"explicit": "ftp", "implicit": "ftps"}[way.listener]
        url = f"{scheme}://{way.host}:{way.address[1]}/{way.where}"
        base = ["curl", "-sSv", "--max-time", str(TIMEOUT), "--cacert", way.ca, "-u", f"{way.user}:{way.password}",
                "--ssl-reqd" if way.level == "P" else "--ftp-ssl-control", *(["--ftp-ssl-ccc"] if way.ccc else []),
                *{"PASV": ["--disable-epsv"], "EPSV": [], "PORT": ["-P", "-", "--disable-eprt"], "EPRT": ["-P", "-"]}[way.mode]]
        said = ""
        if uploads:
            said += call(base + [word for path, name in uploads for word in ("-T", path, url + name)])
        if downloads:
            said += call(base + [word for name, path in downloads for word in ("-o", path, url + name)])
        return re.findall(r"^> (\S+)(?: ([CP])\b)?", said, re.M)


class Lftp(Client):
    name = "lftp"
    modes = ["PASV", "EPSV", "PORT"]  # lftp uses EPRT only over IPv6, and announces the address :: there

    @staticmethod
    def version():
        return f"lftp {output('lftp', '--version').split()[3]} (GnuTLS)"

    def run(self, way, uploads, downloads):
        scheme = {"explicit": "ftp", "implicit": "ftps"}[way.listener]
        yes = {True: "yes", False: "no"}
        script = [f"set ssl:ca-file {way.ca}", "set ftp:ssl-force yes", "set cmd:fail-exit yes", "set xfer:clobber yes",
                  f"set ftp:ssl-protect-data {yes[way.level == 'P']}", f"set ftp:ssl-protect-list {yes[way.level == 'P']}",
                  f"set ftp:passive-mode {yes[way.passive]}", f"set ftp:prefer-epsv {yes[way.mode == 'EPSV']}",
                  f"set ftp:ssl-use-ccc {yes[way.ccc]}",
                  "set net:max-retries 1", f"set net:timeout {TIMEOUT}", "set net:reconnect-interval-base 1", "debug 5",
                  f"open -u '{way.user}','{way.password}' {scheme}://{way.host}:{way.address[1]}"]
        script += [f"put {path} -o {way.where}{name}" for path, name in uploads]
        script += [f"get {way.where}{name} -o {path}" for name, path in downloads]
        said = call(["lftp", "--norc", "-c", "; ".join(script)])
        return re.findall(r"^---> (\S+)(?: ([CP])\b)?", said, re.M)


class Ftplib(Client):
    name = "ftplib"
    modes = ["PASV", "EPSV", "PORT", "EPRT"]  # this class adds EPSV and EPRT over IPv4, and implicit TLS

    @staticmethod
    def version():
        return f"ftplib of Python {platform.python_version()} (OpenSSL)"

    class Ftp(ftplib.FTP_TLS):
        way = None
        verbs = None

        def connect_to(self, way):
            self.way, self.verbs, self.host = way, [], way.address[0]
            raw = socket.create_connection(way.address, timeout=TIMEOUT)
            self.af = raw.family
            self.sock = self.context.wrap_socket(raw, server_hostname=self.host) if way.listener == "implicit" else raw
            self.file = self.sock.makefile("r", encoding=self.encoding)
            self.welcome = self.getresp()

        def putcmd(self, line):
            self.verbs.append((line.split()[0], line[5:6] if line.startswith("PROT ") else ""))
            super().putcmd(line)

        def makepasv(self):
            if self.way.mode == "PASV":
                return ftplib.parse227(self.sendcmd("PASV"))
            return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())

        def makeport(self):
            listener = socket.create_server((self.sock.getsockname()[0], 0), family=self.af, backlog=1)
            listener.settimeout(TIMEOUT)
            host, port = listener.getsockname()[:2]
            self.sendport(host, port) if self.way.mode == "PORT" else self.sendeprt(host, port)
            return listener

    def run(self, way, uploads, downloads):
        context = ssl.create_default_context(cafile=way.ca)
        ftp = self.Ftp(context=context, timeout=TIMEOUT)
        try:
            ftp.connect_to(way)
            ftp.login(way.user, way.password)
            if way.level == "P":
                ftp.prot_p()
            else:
                ftp.sendcmd("PBSZ 0")
                ftp.prot_c()
            if way.ccc:
                ftp.ccc()
            ftp.set_pasv(way.passive)
            for path, name in uploads:
                with open(path, "rb") as f:
                    ftp.storbinary("STOR " + way.where + name, f, blocksize=65536)
            for name, path in downloads:
                with open(path, "wb") as f:
                    ftp.retrbinary("RETR " + way.where + name, f.write, blocksize=65536)
            ftp.quit()
        except ftplib.all_errors as fault:
            raise Failed(f"ftplib: {type(fault).__name__}: {fault}; it sent {ftp.verbs}")
        finally:
            ftp.close()
        return ftp.verbs


ALL = {client.name: client for client in (Curl(), Lftp(), Ftplib())}

"""
Clients whose data connections resume the TLS session of the control connection: curl, lftp, ftplib, those of
script_clients.py, and more.

play(way, version, steps) does the steps, [(put | get, remote name, local path)], in one session of that TLS version.
"""
import ftplib
import functools
import glob
import json
import os
import re
import shutil
import ssl
import subprocess

import ftp_clients
import net
import script_clients
from ftp_clients import Failed, call, output


class Curl(ftp_clients.Curl):
    def play(self, way, version, steps):
        url = f"{'ftps' if way.listener == 'implicit' else 'ftp'}://{way.host}:{way.address[1]}/{way.where}"
        words = []
        for verb, remote, local in steps:
            words += ["--next", "-sSv", "--fail-early", "--max-time", str(way.timeout), "--cacert", way.ca, "--ssl-reqd",
                      "-u", f"{way.user}:{way.password}", "-T" if verb == "put" else "-o", local, url + remote]
        return call(["curl", *words[1:]])


class Lftp(ftp_clients.Lftp):
    def play(self, way, version, steps):
        script = [f"set ssl:ca-file {way.ca}", "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes", "set cmd:fail-exit yes",
                  "set xfer:clobber yes", "set net:max-retries 1", f"set net:timeout {way.timeout}", "debug 5",
                  f"open -u '{way.user}','{way.password}' "
                  f"{'ftps' if way.listener == 'implicit' else 'ftp'}://{way.host}:{way.address[1]}"]
        script += [f"put {local} -o {way.where}{remote}" if verb == "put" else f"get {way.where}{remote} -o {local}"
                   for verb, remote, local in steps]
        return call(["lftp", "--norc", "-c", "; ".join(script)])


class PlainFtplib(ftp_clients.Ftplib):
    """Its user sees that the data connection broke, and not the reply."""
    name, shows_replies = "ftplib as it is", False

    def play(self, way, version, steps):
        ftp = self.Ftp(context=ssl.create_default_context(cafile=way.ca), timeout=way.timeout)
        try:
            ftp.connect_to(way)
            ftp.login(way.user, way.password)
            ftp.prot_p()
            for verb, remote, local in steps:
                with open(local, "rb" if verb == "put" else "wb") as f:
                    if verb == "put":
                        ftp.storbinary("STOR " + way.where + remote, f)
                    else:
                        ftp.retrbinary("RETR " + way.where + remote, f.write)
            ftp.quit()
        except ftplib.all_errors as fault:
            raise Failed(f"ftplib: {type(fault).__name__}: {fault}; it sent {ftp.verbs}")
        finally:
            ftp.close()


class Ftplib(PlainFtplib):
    """With the usual subclass: a data connection gets the newest session of the control connection."""
    name = "ftplib"

    class Ftp(ftp_clients.Ftplib.Ftp):
        def ntransfercmd(self, command, rest=None):
            sock, size = ftplib.FTP.ntransfercmd(self, command, rest)
            return self.context.wrap_socket(sock, server_hostname=self.host, session=self.sock.session), size


class Scripted:
    """play() of script_clients.py, which lets the client and attlsd agree on the version."""

    def play(self, way, version, steps):
        return super().play(way, steps)


class Php(Scripted, script_clients.Php):
    pass


class Ruby(Scripted, script_clients.Ruby):
    pass


class BasicFtp(Scripted, script_clients.BasicFtp):
    pass


class Aioftp(Scripted, script_clients.Aioftp):
    shows_replies = True


class PlainPerl(script_clients.Scripted):
    """Since release 3.15, Net::FTP looks for the session where it has kept it."""
    name, program, script = "Net::FTP of Perl as it is", "perl", "play.pl"
    modes, more, shows_replies = ["PASV"], [], True

    @staticmethod
    def resumes():
        return float(output("perl", "-MNet::FTP", "-e", "print $Net::FTP::VERSION") or 0) >= 3.15

    def needs(self):
        done = subprocess.run(["perl", "-MIO::Socket::SSL", "-e1"], stdin=subprocess.DEVNULL, capture_output=True)
        return None if done.returncode == 0 else "Net::FTP needs the Debian package libio-socket-ssl-perl"

    def version(self):
        return "Net::FTP of Perl " + output("perl", "-e", "print substr($^V, 1)")

    def play(self, way, version, steps):
        return call([*self.command(), json.dumps(self.job(way, steps)), *self.more])


class Perl(PlainPerl):
    """With one name for all sessions."""
    name, more = "Net::FTP of Perl", ["resume"]


class Words(ftp_clients.Client):
    """Clients that get the steps as words."""
    levels, modes = "P", ["PASV"]

    @staticmethod
    def words(way, steps):
        return [word for verb, remote, local in steps for word in (verb, way.where + remote, local)]


class Erlang(Words):
    name, script = "ftp of Erlang", "play.escript"

    def needs(self):
        found = shutil.which("escript") and output("erl", "-noshell", "-eval", "io:format(code:which(ftp)), halt().")
        return None if found and "ftp.beam" in found else "it needs the Debian package erlang-ftp"

    def version(self):
        return "ftp of Erlang/OTP " + output("erl", "-noshell", "-eval", "io:format(erlang:system_info(otp_release)), halt().")

    def play(self, way, version, steps):
        return call(["escript", os.path.join(script_clients.FOLDER, self.script), way.listener, version, way.address[0],
                     str(way.address[1]), way.user, way.password, way.ca, *self.words(way, steps)])


class Java(Words):
    name, jar = "Commons Net", "/usr/share/java/commons-net.jar"

    def needs(self):
        if not os.path.exists(self.jar):
            return "Commons Net needs the Debian package libcommons-net-java"
        return None if shutil.which("javac") else "Commons Net needs a JDK, such as the Debian package default-jdk-headless"

    def version(self):
        jars = glob.glob("/usr/share/java/commons-net-[0-9]*.jar")
        return f"Commons Net {jars[0][len('/usr/share/java/commons-net-'):-len('.jar')] if jars else ''} of Java " \
            + output("javac", "--version").split()[-1]

    def play(self, way, version, steps):
        return call(["java", "-cp", f"{self.jar}:{self.compiled()}", "-Djavax.net.ssl.trustStore=" + self.store(way.ca),
                     "-Djavax.net.ssl.trustStorePassword=changeit", "--add-opens", "java.base/sun.security.ssl=ALL-UNNAMED",
                     "--add-opens", "java.base/sun.security.util=ALL-UNNAMED",
                     "Play", way.listener, way.address[0], str(way.address[1]), way.user, way.password, *self.words(way, steps)])

    @functools.cache
    def compiled(self):
        folder = os.path.join(net.BUILD, "play-java")
        subprocess.run(["javac", "-cp", self.jar, "-d", folder, os.path.join(script_clients.FOLDER, "Play.java")], check=True,
                       capture_output=True)
        return folder

    @staticmethod
    def store(ca):
        path = ca + ".p12"
        if not os.path.exists(path):
            subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-keystore", path,
                            "-storetype", "PKCS12", "-storepass", "changeit"], check=True, capture_output=True)
        return path


class Wget(ftp_clients.Client):
    """Downloads only. A pattern in the URL makes it take several files in one session."""
    name, levels, modes, options = "wget", "P", ["PASV"], []

    def needs(self):
        return None if "+ssl" in output("wget", "--version") else "wget needs the Debian package wget"

    def version(self):
        return f"wget {output('wget', '--version').split()[2]} (GnuTLS)"

    def fetch(self, way, pattern, folder):
        return call(["wget", "-nv", "--tries=1", f"--timeout={way.timeout}", "--ca-certificate=" + way.ca, "--user=" + way.user,
                     "--password=" + way.password, "-P", folder, *(["--ftps-implicit"] if way.listener == "implicit" else []),
                     *self.options, f"ftps://{way.host}:{way.address[1]}/{way.where}{pattern}"])


class PfsWget(Wget):
    """Without the compatibility mode of GnuTLS, which leaves out the extended master secret."""
    name, options = "wget --secure-protocol=PFS", ["--secure-protocol=PFS"]


class Rclone(ftp_clients.Client):
    """Copies from one folder of the server to another, with a control connection for each direction and for more."""
    name, levels, modes = "rclone", "P", ["PASV"]

    def needs(self):
        return None if shutil.which("rclone") else "rclone needs the Debian package rclone"

    def version(self):
        return "rclone " + output("rclone", "version").split()[1].lstrip("v")

    @staticmethod
    def has_master_secret():
        """Go has the extended master secret since 1.21."""
        return (1, 21) <= tuple(int(n) for n in re.search(r"go(\d+)\.(\d+)", output("rclone", "version")).groups())

    def copy(self, way, source, target):
        tls = "--ftp-tls" if way.listener == "implicit" else "--ftp-explicit-tls"
        return call(["env", "SSL_CERT_FILE=" + way.ca, "rclone", "copy", "--config", os.devnull, "--ftp-host", way.host,
                     "--ftp-port", str(way.address[1]), "--ftp-user", way.user,
                     "--ftp-pass", output("rclone", "obscure", way.password), tls, "--retries=1", "--low-level-retries=1", "--ignore-times", "--transfers=1", "--checkers=1",
                     "--no-update-modtime", f":ftp:{way.where}{source}", f":ftp:{way.where}{target}"])


MIXED = [Curl(), Lftp(), Ftplib(), Php(), Ruby(), BasicFtp(), Java(), Perl(), Erlang()]
PLAIN = [PlainFtplib(), Aioftp()]
(MIXED if PlainPerl.resumes() else PLAIN).append(PlainPerl())
OTHERS = [Wget(), PfsWget(), Rclone()]
ALL = {client.name: client for client in [*MIXED, *PLAIN, *OTHERS]}

"""
Clients that a script drives, in the interface of ftp_clients.py: PHP, Ruby, aioftp and basic-ftp.

The scripts are in clients/. Each gets one job as JSON and does its steps in one session:
put and get transfer a file, abort and close start a download and stop it after `bytes` bytes.
"""
import importlib.util
import json
import os
import re
import shutil
import sys

import ftp_clients
import npm
import servers

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
BASIC_FTP = "6.2.6"


class Scripted(ftp_clients.Client):
    """`verbs` finds the verbs in the output; None if the client does not report them."""
    levels = "P"
    verbs = None
    largest = "mib4"

    def needs(self):
        """Why this machine cannot run it, or None."""
        return None if shutil.which(self.program) else f"{self.name} needs the program {self.program}"

    def command(self):
        return [self.program, os.path.join(FOLDER, self.script)]

    def job(self, way, steps, **more):
        return {"listener": way.listener, "mode": way.mode, "level": way.level, "host": way.address[0], "port": way.address[1],
                "user": way.user, "password": way.password, "ca": way.ca, "timeout": way.timeout,
                "steps": [(verb, way.where + remote, local) for verb, remote, local in steps], **more}

    def play(self, way, steps, **more):
        return ftp_clients.call([*self.command(), json.dumps(self.job(way, steps, **more))])

    def run(self, way, uploads, downloads):
        said = self.play(way, [*(("put", name, path) for path, name in uploads),
                               *(("get", name, path) for name, path in downloads)])
        return re.findall(self.verbs, said, re.M) if self.verbs else None


class Php(Scripted):
    """ftp_ssl_connect: AUTH TLS and always PROT P. It does not verify the certificate."""
    name, program, script = "PHP", "php", "play.php"
    listeners, modes = ["explicit"], ["PASV", "PORT"]

    def version(self):
        return "PHP " + ftp_clients.output("php", "-r", "echo PHP_VERSION;")


class Ruby(Scripted):
    """Net::FTP: AUTH TLS, and PROT before USER."""
    name, program, script = "Ruby", "ruby", "play.rb"
    listeners, modes, levels = ["explicit"], ["PASV", "PORT"], "CP"
    verbs = r"^put: (\S+)(?: ([CP])\b)?"

    def version(self):
        return "Net::FTP of Ruby " + ftp_clients.output("ruby", "-e", "print RUBY_VERSION")


class Aioftp(Scripted):
    """The client of aioftp 0.21 has implicit TLS only, and sends no PROT."""
    name, program, script = "aioftp", sys.executable, "play_aioftp.py"
    listeners, modes = ["implicit"], ["PASV", "EPSV"]
    verbs = r"^> ([A-Z]+)(?: ([CP])\b)?"

    def needs(self):
        return None if importlib.util.find_spec("aioftp") else "aioftp needs the Debian package python3-aioftp"

    def version(self):
        import aioftp
        return "aioftp " + aioftp.__version__


class BasicFtp(Scripted):
    name, program, script = "basic-ftp", "node", "play.js"
    modes = ["PASV", "EPSV"]
    verbs = r"^> (\S+)(?: ([CP])\b)?"

    def needs(self):
        try:
            npm.package("basic-ftp", BASIC_FTP)
        except servers.Unavailable as reason:
            return str(reason)

    def job(self, way, steps, **more):
        return super().job(way, steps, library=npm.package("basic-ftp", BASIC_FTP), **more)

    def version(self):
        return f"basic-ftp {BASIC_FTP} of npm"


ALL = {**ftp_clients.ALL, **{client.name: client for client in (Php(), Ruby(), Aioftp(), BasicFtp())}}

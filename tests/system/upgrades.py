"""What tests of upgrades share: an attlsd whose program can be replaced, and a service manager's end of sd_notify(3)."""
import json
import os
import shutil
import socket
import struct
import subprocess

import gateway as gateways
import net

NEXT = os.path.join(net.BUILD, "tests", "upgrade", "attlsd")


def install(source, folder):
    """Put a program in the place of another, as a package does: a new file, renamed."""
    path = os.path.join(folder, "attlsd")
    shutil.copy(source, path + ".new")
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)
    return path


class Upgradable(gateways.Gateway):
    """An attlsd whose program is in a folder of its own, where a test can replace it."""

    def __init__(self, folder, tree, programs, preexec=None, argv=()):
        self.programs = programs
        real, net.ATTLSD = net.ATTLSD, install(net.ATTLSD, programs)
        shutil.copy(os.path.join(net.BUILD, "attlsd-http"), programs)
        try:
            super().__init__(folder, tree, preexec, argv)
        finally:
            net.ATTLSD = real
        self.socket = os.path.join(folder, "control")

    def ctl(self, *words):
        return subprocess.run([net.ATTLSCTL, *words, "--socket", self.socket], capture_output=True, text=True, timeout=90)

    def status(self):
        done = self.ctl("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def upgrade(self, source):
        install(source, self.programs)
        done = self.ctl("upgrade")
        assert done.returncode == 0, (done.stdout, done.stderr, self.log)
        return done.stdout


class Systemd:
    """The manager's end of sd_notify(3): it follows MAINPID, listens to the main process only, and answers barriers."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(net.DEADLINE)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.main, self.path, self.said, self.refused = None, path, [], []

    def announce(self):
        net.die_with_parent()
        os.environ["NOTIFY_SOCKET"] = self.path

    def wait_for(self, text):
        while True:
            data, extra, _, _ = self.socket.recvmsg(4096, 1024)
            sender = next(struct.unpack("3i", value[:12])[0] for _, kind, value in extra if kind == socket.SCM_CREDENTIALS)
            for _, kind, value in extra:
                if kind == socket.SCM_RIGHTS:
                    os.close(struct.unpack("i", value[:4])[0])
            self.main = self.main or sender
            (self.said if sender == self.main else self.refused).append(data.decode())
            for line in data.decode().split("\n"):
                if line.startswith("MAINPID=") and sender == self.main:
                    self.main = int(line[8:])
            if text in data.decode():
                return data.decode()

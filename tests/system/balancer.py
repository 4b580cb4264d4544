"""Debian's HAProxy: in front of the gateway, where it sends PROXY headers, and behind it, where it reads them."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import net
import servers

CONFIG = """
global
    log 127.0.0.1:{log} local0
    maxconn 100
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:{front}
    default_backend gateway
backend gateway
    {option}
    server gateway {gateway} {send}
backend pace
    server pace 127.0.0.1:{pace} check inter 100ms send-proxy check-send-proxy
frontend behind
    bind 127.0.0.1:{behind} accept-proxy
    log global
    log-format "behind %ci:%cp authority=%[fc_pp_authority]"
    default_backend ftp
backend ftp
    server ftp {server}
"""


class Haproxy:
    def __init__(self, server):
        self.program, self.libpath = servers.fetch("haproxy")
        self.server = server
        self.front, self.behind = (("127.0.0.1", net.free_port()) for _ in range(2))
        self.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log.bind(("127.0.0.1", 0))
        self.log.settimeout(net.DEADLINE)
        self.pace = net.listen()
        self.base = tempfile.mkdtemp(prefix="attlsd-haproxy-")
        self.process = None

    def start(self, gateway, send, option=""):
        path = os.path.join(self.base, "haproxy.cfg")
        with open(path, "w") as f:
            f.write(CONFIG.format(log=self.log.getsockname()[1], front=self.front[1], behind=self.behind[1], send=send,
                                  option=option, pace=self.pace.getsockname()[1],
                                  gateway="%s:%d" % gateway, server="%s:%d" % self.server))
        self.output = open(os.path.join(self.base, "output"), "w+")
        self.process = subprocess.Popen(
            [os.path.join(self.program, "usr/sbin/haproxy"), "-db", "-f", path], env={**os.environ, "LD_LIBRARY_PATH": self.libpath},
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=net.die_with_parent)
        net.until(self.listens, "haproxy listens")

    def listens(self):
        if self.process.poll() is not None:
            self.output.seek(0)
            raise AssertionError("haproxy ended: " + self.output.read())
        try:
            net.dial(self.behind).close()
            return True
        except OSError:
            return False

    def heard(self, text):
        """Wait for a log line that contains this text."""
        while True:
            line = self.log.recv(8192).decode("latin-1")
            if text in line:
                return line

    def checked(self, times):
        """Wait until haproxy has checked a server that it checks as often as the gateway."""
        for _ in range(times):
            self.pace.accept()[0].close()

    def stop(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.output.close()
        self.log.close()
        self.pace.close()
        shutil.rmtree(self.base, ignore_errors=True)

"""Programs that answer login_check, one for each test: what they are asked, and what they say."""
import json
import os
import socket
import subprocess
import sys
import threading

import net

CONTRIB = os.path.join(os.path.dirname(__file__), "..", "..", "contrib", "login-check")


class Answerer:
    """Listens at `path`. answer(question) gives the packets to send; it may wait."""

    def __init__(self, path, answer, backlog=64, kind=socket.SOCK_SEQPACKET):
        self.answer, self.asked, self.sockets = answer, [], []
        self.changed = threading.Condition()
        self.sock = socket.socket(socket.AF_UNIX, kind)
        self.sock.bind(path)
        self.sock.listen(backlog)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                one, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(one,), daemon=True).start()

    def one(self, sock):
        packet = sock.recv(65536)
        if not packet:
            sock.close()
            return
        question = json.loads(packet)
        with self.changed:
            self.asked.append(question)
            self.changed.notify_all()
        try:
            for said in self.answer(question):
                sock.send(said)
        except OSError:
            pass
        if self.answer is not never:
            sock.close()
        else:
            self.sockets.append(sock)

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= count, net.DEADLINE), self.asked

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def never(_):
    return []


def says(*packets):
    return lambda question: packets


def start(name, *argv):
    """One of contrib/login-check, with a socket of its own: the last argument."""
    process = subprocess.Popen([os.path.join(CONTRIB, name), *argv], stderr=subprocess.PIPE, text=True)
    net.until(lambda: os.path.exists(argv[-1]) or process.poll() is not None, "it listens")
    assert process.poll() is None, process.stderr.read()
    return process

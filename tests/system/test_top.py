"""attlsctl top in a real terminal: pexpect is the keyboard, pyte the screen."""
import os
import re
import signal
import subprocess
import threading
import time

import pexpect
import pyte
import pytest

import client as clients
import net
from test_operator import ctl, operated, path, sessions  # noqa: F401
from test_sessions_shown import half_sent


class Terminal:
    """`attlsctl top` on a screen of this size."""

    def __init__(self, path, *argv, columns=80, lines=24, before=(), **env):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        command = [*before, net.ATTLSCTL, "top", "--socket", path, *argv]
        self.process = pexpect.spawn(command[0], command[1:], dimensions=(lines, columns), timeout=net.DEADLINE,
                                     env={**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8", **env})

    def read(self):
        try:
            data = self.process.read_nonblocking(65536, timeout=0.05)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.raw += data
        self.stream.feed(data)

    def text(self):
        self.read()
        return "\n".join(self.screen.display)

    def until(self, condition, what):
        net.until(lambda: condition(self.text()), what + "\n" + "\n".join(self.screen.display))

    def shows(self, *words):
        self.until(lambda text: all(word in text for word in words), f"{words} on the screen")

    def press(self, keys):
        self.process.send(keys)

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self.process.setwinsize(lines, columns)

    def ends(self):
        self.process.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.close(force=True)


def login(gateway, user):
    return clients.Client(gateway.explicit).auth().login(user)


def test_transfers_have_bars(launch, make_backend, path):
    content = b"x" * 200000
    backend = make_backend(RETR=half_sent(content, "150 Opening BINARY mode data connection for big (200000 bytes)."))
    backend.go = threading.Event()
    gateway = launch(backend, daemon={"control_socket": path})
    with clients.explicit(gateway, "P") as c, clients.Client(gateway.explicit):
        c.expect("TYPE I", 200)
        data = c.open("RETR big")
        got = data.recv()
        while len(got) < 100000:
            got += data.recv()
        with Terminal(path) as utf8, Terminal(path, LC_ALL="C", NO_COLOR="1") as ascii_:
            utf8.shows("2 of ", "50%", "████░░░░", "RETR big", "P/C")
            ascii_.shows("50%", "####....", "RETR big")
            coloured = re.compile(rb"\x1b\[([0-9]+;)*3[0-7]m")
            assert ascii_.raw.isascii() and not coloured.search(ascii_.raw) and coloured.search(utf8.raw)
            for terminal in utf8, ascii_:
                terminal.press("t")
                terminal.shows("transfers only", "shown: 1, 1 transfers")
                terminal.press("\r")
                terminal.shows("transfer     RETR big", "client data  P, PASV, told 127.0.0.1:", "TLSv1.3")
                terminal.press("q")
                assert terminal.ends() == 0
        backend.go.set()
        data.read_all()


def test_a_session_is_ended_after_a_question(operated, path):
    with login(operated, "anna") as anna, login(operated, "bert") as bert:
        with Terminal(path) as top:
            top.shows("anna", "bert")
            top.press("/")
            top.press("ber")
            top.until(lambda text: "anna" not in text and "search: ber" in text, "only bert is there")
            top.press("\r")
            top.shows("with: ber")
            top.press("e")
            top.shows("of bert from 127.0.0.1:", "? y/n")
            top.press("n")
            top.until(lambda text: "? y/n" not in text, "the question is gone")
            assert bert.cmd("NOOP").code == 200
            top.press("e")
            top.shows("? y/n")
            top.press("y")
            top.shows("is ending")
            assert bert.reply().code == 421
            top.until(lambda text: "shown: 0" in text, "bert is gone")
            assert anna.cmd("NOOP").code == 200
            top.press("q")
            assert top.ends() == 0


def test_the_trace_of_a_session(operated, path):
    with login(operated, "anna") as anna, login(operated, "bert") as bert:
        with Terminal(path) as top:
            top.shows("anna", "bert")
            top.press("/bert\r")
            top.shows("with: bert", "shown: 1")
            for back in "q", "\x1b[A", "\x03":  # an arrow is several bytes, Ctrl-C one
                since = operated.mark()
                top.press("w")
                top.shows("any key goes back")
                operated.trace_begins(path, since)
                assert anna.cmd("NOOP anna").code == bert.cmd("NOOP bert").code == 200
                top.until(lambda text: re.search(r"#\d{5} C> NOOP bert\n?", text), "the command")
                assert "NOOP anna" not in top.text()
                top.press(back)
                top.shows("shown: 1", "q quit")
            since = operated.mark()
            top.press("w")
            operated.trace_begins(path, since)
            assert bert.cmd("QUIT").code == 221
            top.shows("session-end", "The trace has ended; any key goes back")
            top.press(" ")
            top.shows("shown: 0", "with: bert")
            top.press("w")  # there is none
            top.press("q")
            assert top.ends() == 0


def test_a_worker_that_hangs_does_not_stop_the_keys(launch, backend, path):
    gateway = launch(backend, daemon={"workers": 1, "control_socket": path})
    worker, = gateway.workers()
    with login(gateway, "anna"):
        with Terminal(path) as top:
            top.shows("anna")
            os.kill(worker, signal.SIGSTOP)
            try:
                top.shows(f"worker {worker} does not answer: its sessions (1) are missing")
                began = time.monotonic()
                top.press("q")
                assert top.ends() == 0 and time.monotonic() - began < 2
            finally:
                os.kill(worker, signal.SIGCONT)


def test_a_monitor_that_hangs_does_not_stop_the_keys(launch, backend, path):
    gateway = launch(backend, daemon={"workers": 1, "control_socket": path})
    with Terminal(path) as top:
        top.shows("sorted by rate")
        os.kill(gateway.pid, signal.SIGSTOP)
        try:
            top.shows("attlsd does not answer: it is still starting, or its monitor hangs")
            began = time.monotonic()
            top.press("q")
            assert top.ends() == 0 and time.monotonic() - began < 2
        finally:
            os.kill(gateway.pid, signal.SIGCONT)


def test_names_cannot_drive_the_terminal(operated, path):
    with login(operated, "eve\x1b[2J\xc3\xa9") as c:
        c.send(b"CWD \x1b]0;owned\x07\x1b[31m\xff\xff\r\n")
        c.reply()
        with Terminal(path, columns=200) as top:
            top.shows("eve\\x1b[2J", "CWD \\x1b]0;owned")
            top.press("\r")
            top.shows("user         eve\\x1b[2J", "command      CWD \\x1b]0;owned\\x07")
            assert b"]0;owned\x07" not in top.raw and top.screen.title != "owned"


def test_sizes_of_the_terminal(operated, path):
    with login(operated, "anna"):
        with Terminal(path) as top:
            top.shows("anna", "COMMAND")
            for columns, lines in ((120, 40), (72, 8), (200, 10)):
                top.resize(columns, lines)
                top.until(lambda text, lines=lines: "q quit" in text.splitlines()[lines - 1] and "anna" in text, f"{columns}x{lines}")
            top.resize(60, 5)
            top.shows("needs 72 columns")
            top.resize(80, 24)
            top.shows("anna", "COMMAND")


def test_attlsd_that_is_started_again_is_found_again(launch, backend, path):
    first = launch(backend, daemon={"control_socket": path})
    with login(first, "anna"):
        with Terminal(path) as top:
            top.shows("anna")
            first.stop()
            top.until(lambda text: "no such socket" in text, "the fault is on the screen")
            launch(backend, daemon={"control_socket": path})
            top.until(lambda text: "sorted by rate" in text and "shown: 0" in text, "the new one is shown")


@pytest.mark.parametrize("name", ["dumb", "no-such-terminal", ""])
def test_a_terminal_that_cannot(operated, path, name):
    with Terminal(path, TERM=name) as top:
        top.until(lambda text: "attlsctl sessions --watch works everywhere" in text.replace("\n", ""), "the message is there")
        assert top.ends() == 1


def test_no_terminal(operated, path):
    done = subprocess.run([net.ATTLSCTL, "top", "--socket", path], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1 and "needs a terminal" in done.stderr


def test_a_server_that_is_down(launch, make_backend, path):
    """One of several servers: clients notice nothing, but the operator does."""
    dead, good = f"127.0.0.1:{net.free_port()}", make_backend()
    gateway = launch(backends={"legacy": {"address": None, "addresses": [dead, "%s:%d" % good.address], "health": {"fall": 1}}},
                     daemon={"control_socket": path})
    with Terminal(path) as top:
        top.shows("sorted by rate")
        assert "servers down" not in top.text()
        top.press("q")
        assert top.ends() == 0
    with login(gateway, "anna"):
        gateway.event("backend-down", address=dead)
        with Terminal(path) as top:
            top.shows("anna", f"sorted by rate; servers down: 1 of 2 ({dead})")
            top.press("q")
            assert top.ends() == 0

"""The timers of ftp_actions, each with a short value and seen to fire."""
import socket
import threading
import time

import pytest

import client as clients
import net

CLEAR = {"secure_dataconn": "clear"}


def elapsed(action):
    start = time.monotonic()
    result = action()
    return result, time.monotonic() - start


def silent(go):
    return lambda session, arg: go.wait(net.DEADLINE)


@pytest.fixture
def go():
    """Lets the scripted servers of a test end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("tls", [False, True])
def test_inactive_counts_before_the_login(launch, backend, tls):
    gateway = launch(backend, ftp={"inactive": "1s"})
    with clients.Client(gateway.explicit) as c:
        if tls:
            c.auth()
        c.expect("NOOP", 200)
        reply, took = elapsed(c.reply)
        assert reply.code == 421 and "Idle" in reply and 0.8 < took < 5, (reply, took)
        gateway.event("session-end", reason="inactive")


@pytest.mark.parametrize("logged_in", [True, False])
def test_inacttime(launch, make_backend, go, logged_in):
    """The server owes an answer, after the login and during it."""
    backend = make_backend(**({"MDTM": silent(go)} if logged_in else {"PASS": silent(go)}))
    gateway = launch(backend, ftp={"inacttime": "1s"})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.login() if logged_in else c.expect("USER u", 331)
        c.send("MDTM x\r\n" if logged_in else "PASS x\r\n")
        reply, took = elapsed(c.reply)
        assert reply.code == 421 and "does not answer" in reply and 0.8 < took < 5, (reply, took)
        gateway.event("session-end", reason="server-silent")


def test_inacttime_leaves_idle_sessions_and_transfers_alone(launch, make_backend, go):
    gateway = launch(make_backend(), ftp={"inacttime": "1s", **CLEAR})
    with clients.explicit(gateway, "C") as c:
        data = c.open("STOR slow")
        for _ in range(3):
            data.send(b"x")
            net.quiet(c.sock, 0.5)
        data.close()
        assert c.reply().code == 226
        net.quiet(c.sock, 1.5)
        c.expect("NOOP", 200)


@pytest.mark.parametrize("change", [{"ftp": {"myopentime": "1s"}}, {"backends": {"legacy": {"connect_timeout": "1s"}}}])
def test_myopentime_and_connect_timeout(launch, change):
    """The server's queue is full, so its SYN-ACK never comes."""
    with net.listen(backlog=0) as full:
        address = full.getsockname()
        held = []
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(address)
            held.append(s)
        gateway = launch(address, **change)
        with clients.Client(gateway.explicit, greet=False) as c:
            reply, took = elapsed(c.reply)
            assert reply.code == 421 and 0.8 < took < 5, (reply, took)
        gateway.event("server-down")
        for s in held:
            s.close()


def test_datatimeout(launch, make_backend):
    """The server has agreed, and the client never dials the port."""
    gateway = launch(make_backend(EPRT="500 no", PORT="500 no"), ftp={"datatimeout": "1s", **CLEAR})
    with clients.explicit(gateway, "C") as c:
        c.pasv()
        c.expect("STOR x", 150)
        reply, took = elapsed(c.reply)
        assert reply.code == 425 and 0.8 < took < 5, (reply, took)
        gateway.event("transfer", result="no-client-connection")


def test_datacttime(launch, make_backend, go):
    """A transfer that moves slowly goes on; one that stands still ends."""
    gateway = launch(make_backend(), ftp={"datacttime": "1s", **CLEAR})
    with clients.explicit(gateway, "C") as c:
        data = c.open("STOR x")
        for _ in range(5):  # 2 s in all
            data.send(b"x")
            net.quiet(c.sock, 0.4)
        reply, took = elapsed(c.reply)
        assert reply.code == 426 and 0.4 < took < 4, (reply, took)
        gateway.event("transfer", result="stalled")


def test_dconntime(launch, make_backend):
    """All is sent, and the client acknowledges nothing: its window is full."""
    backend = make_backend()
    backend.files["some"] = bytes(100_000)
    gateway = launch(backend, ftp={"dconntime": "1s", **CLEAR})
    with clients.explicit(gateway, "C") as c:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.connect(c.pasv())
        c.expect("RETR some", 150)
        reply, took = elapsed(c.reply)
        assert reply.code == 426 and 0.8 < took < 5, (reply, took)
        gateway.event("transfer", result="stalled")
        sock.close()


def test_cconntime(launch, backend):
    """The session is over and the client keeps its end open: at first its bytes are taken, later they are refused."""
    gateway = launch(backend, ftp={"cconntime": "1s"})
    with clients.Client(gateway.explicit) as c:
        c.expect("QUIT", 221)
        assert c.recv() == b""

        def until_refused():
            end = time.monotonic() + net.DEADLINE
            while time.monotonic() < end:
                try:
                    c.sock.sendall(b"x")
                except OSError:
                    return True
                time.sleep(0.05)
            return False
        refused, took = elapsed(until_refused)
        assert refused and 0.7 < took < 1.9, took


def test_dswaittimereply(launch, make_backend):
    """Between two attempts the client hears that the wait goes on."""
    seen = []

    def busy(session, name):
        seen.append(time.monotonic())
        session.reply("450 File in use." if len(seen) == 1 else "550 No such file.")
    gateway = launch(make_backend(RETR=busy), ftp={"dswaittime": 1, "dswaitinterval": "3s", "dswaittimereply": "1s", **CLEAR})
    with clients.explicit(gateway, "C") as c:
        c.pasv()
        lines = c.cmd("RETR x").splitlines()
        assert c.reply().code == 550
    waits = [line for line in lines if "next attempt" in line]
    assert waits == ["125-Seconds until the next attempt: 2", "125-Seconds until the next attempt: 1"], lines
    assert len(seen) == 2 and seen[1] - seen[0] > 2.8

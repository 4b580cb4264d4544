"""
One client that costs a worker much work: the others get their turns in between. The tests look at the order of
replies and at how sessions end, not at the clock; `make bench` measures the latency under each attack.
"""
import contextlib
import os
import signal

import pytest

import client as clients
import net

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


# 64. Empty and refused lines before the login.
# Guard: machine_count_strikes() in ftp-alg/state.c.
@pytest.mark.parametrize("line", [b"\r\n", b"RETR x\r\n", b"ADAT x\r\n", b"PASS x\r\n", b"X" * 3000 + b"\r\n"])
def test_64_refused_lines_before_the_login(launch, backend, line):
    gateway = launch(backend)
    with clients.Client(gateway.explicit) as c:
        c.send(line * 30)
        said = c.ended().decode().splitlines()
    assert len(said) == 11 and said[-1] == "421 Too many errors; closing.", said
    gateway.event("session-end", reason="refused-lines")


# 65. Thousands of lines at once that the gateway answers by itself: another session's command is answered in between.
# Guard: control_run() in gateway/worker/control.c takes so many lines and then gives others their turn.
def test_65_many_lines_at_once(launch, make_backend):
    order = []

    def on_noop(session, argument):
        order.append(argument)
        session.reply("200 Yes")
    gateway = launch(make_backend(NOOP=on_noop), ftp=CLEAR)
    with clients.Client(gateway.explicit) as flood, clients.Client(gateway.explicit) as other:
        for c in flood, other:
            c.login()
        (worker,) = gateway.workers()
        os.kill(worker, signal.SIGSTOP)
        flood.send(b"PBSZ 0\r\n" * 4000 + b"NOOP flood\r\n")
        other.send(b"NOOP other\r\n")
        os.kill(worker, signal.SIGCONT)
        assert other.reply().code == 200
        assert [flood.reply().code for _ in range(4001)] == [503] * 4000 + [200]
    assert order == ["other", "flood"]


# 66. A ClientHello in records of one byte.
# Guard: count_shake_record() in gateway/net/stream-tls.c; the reads in a turn are counted by
# tests/unit/net/stream_tls_test.c.
@pytest.mark.parametrize("where", ["control", "data"])
def test_66_tiny_records_in_a_handshake(launch, backend, where):
    gateway = launch(backend)
    piece = [bytes([22, 3, 1, 0, 1, byte]) for byte in (1, 0, 255, 255)]
    raw = b"".join(piece) + piece[-1] * 3000
    if where == "control":
        with clients.Client(gateway.implicit, greet=False) as c:
            with contextlib.suppress(OSError):
                c.sock.sendall(raw)
            net.end_of(c.sock)
        gateway.event("tls-failed", reason="too many records in the handshake")
        gateway.event("session-end", reason="handshake-failed")
        return
    with clients.explicit(gateway, "P") as c:
        with net.dial(c.epsv()) as data:
            with contextlib.suppress(OSError):
                data.sendall(raw)
            gateway.event("data-tls-failed", reason="too many records in the handshake")
            assert c.cmd("RETR hello.txt").code == 522
        c.expect("NOOP", 200)


# 67. Application data in records of one byte, uploaded: all of it arrives.
# (How much one step may take is in tests/unit/net/stream_tls_test.c.)
def test_67_tiny_records_in_an_upload(launch, backend):
    gateway = launch(backend)
    body = bytes(range(256)) * 40
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR tiny", "EPSV")
        data.send(b"x" * (1 << 17))  # after this much the gateway reads in bulk
        raw = b""
        for n in range(len(body)):
            data.ssl.write(body[n:n + 1])
            raw += data.outbound.read()
        data.sock.sendall(raw)
        data.notify()
        data.close()
        assert c.reply().code == 226
    assert backend.stored["tiny"][0] == b"x" * (1 << 17) + body


# 191. A stranger that is slow with its handshake, of an implicit listener or after AUTH has renewed the connection: the
# server has greeted in time, so nobody is told that it is down.
# Guard: on_server_timer() in gateway/worker/session.c.
@pytest.mark.parametrize("renewed", [False, True])
def test_191_slow_handshake_blames_no_server(launch, backend, renewed):
    gateway = launch(backend, ftp=CLEAR, tls={"handshake_timeout": "2s"},
                     backends={"legacy": {"address": "%s:%d" % backend.address, "server_greeting_timeout": "1s"}})
    with clients.Client(gateway.explicit if renewed else gateway.implicit, greet=renewed) as c:
        if renewed:
            assert c.cmd("USER stranger").code == 331
            assert c.cmd("AUTH TLS").code == 234
        backend.session(int(renewed))
        net.end_of(c.sock)
    gateway.event("session-end", reason="handshake-timeout" if renewed else "no-tls-begun")
    assert not gateway.seen("server-down")

"""
A part of an upload never gets to the server as a whole file: where attlsd knows that something is missing, the server's data
connection is reset. A server that compares nothing stores whatever came before FIN.

mutants.py switches each guard off.
"""
import contextlib
import os
import signal

import pytest

import client as clients
import net

HALF = b"only the first part" * 1000
CLEAR = {"secure_dataconn": "clear"}


def has_command(session):
    """Has a line arrived that the server has not read?"""
    return not net.quiet(session.sock, 0)


def begin(gateway, backend, level="C", way="PASV"):
    """A client in the middle of an upload, of which the server has the first half."""
    c = clients.explicit(gateway, level)
    data = c.open("STOR up", way)
    data.send(HALF)
    (leg,) = net.until(lambda: backend.session().data, "the data connection")
    return c, data, leg


def abort(c, backend):
    """The client sends ABOR, which the server has, but has not read."""
    c.send("ABOR\r\n")
    net.until(lambda: has_command(backend.session()), "ABOR arrives")


@contextlib.contextmanager
def stopped(gateway):
    """The worker finds everything that happens here in the kernel when it wakes up."""
    (worker,) = gateway.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


# 74. Guard: `doubt` in gateway/net/relay.c.
@pytest.mark.parametrize("way", ["PASV", "PORT"])
@pytest.mark.parametrize("end", ["notify", "fin"])
@pytest.mark.parametrize("level", "CP")
def test_74_the_client_ends_its_data_in_order_after_abor(launch, backend, level, end, way):
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend, level, way)
    with c:
        abort(c, backend)
        data.close(notify=end == "notify")
        assert backend.upload("up")[1] == "reset", "the server has stored an aborted upload as a whole file"
        assert [c.reply().code, c.reply().code] == [426, 226]
        assert gateway.event("transfer").keys["result"] == "aborted"
        assert c.put("up", HALF).code == 226 and backend.upload("up") == (HALF, "fin")


def test_74_abor_without_a_byte(launch, backend):
    gateway = launch(backend, ftp=CLEAR)
    with clients.explicit(gateway, "C") as c:
        data = c.open("STOR up")
        net.until(lambda: backend.session().data, "the data connection")
        abort(c, backend)
        data.close()
        assert backend.upload("up") == (b"", "reset")
        assert [c.reply().code, c.reply().code] == [426, 226]


def test_74_abor_and_the_end_come_at_once(launch, backend):
    """The worker finds both in the kernel: which came first is not known, so the file is not known to be whole."""
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend)
    with c, stopped(gateway):
        c.send("ABOR\r\n")
        data.close()
    assert backend.upload("up")[1] == "reset"


def refusing(session, name):
    """Refuse ABOR in the middle of the upload."""
    session.reply("150 Send it")
    data = session.open_data()
    net.until(lambda: has_command(session), "ABOR arrives")
    assert session.sock.recv(100) == b"ABOR\r\n"
    session.reply("502 ABOR?")
    how, content = net.end_of(data)
    session.backend.store(name, content, how)
    session.reply("226 Stored")


# 75. Not more than that is reset: an upload that goes on, or that is whole already, stays whole.
@pytest.mark.parametrize("level", "CP")
def test_75_the_server_refuses_abor(launch, make_backend, level):
    backend = make_backend(STOR=refusing)
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend, level)
    with c:
        c.expect("ABOR", 502)
        data.close()
        assert backend.upload("up") == (HALF, "fin")
        assert c.reply().code == 226
        assert gateway.event("transfer").keys["result"] == "ok"


@pytest.mark.parametrize("level", "CP")
def test_75_abor_after_the_end(launch, make_backend, level):
    def stor(session, name):
        session.reply("150 Send it")
        how, content = net.end_of(session.open_data())
        session.backend.store(name, content, how)
        net.until(lambda: has_command(session), "ABOR arrives")
        session.reply("226 Stored")
    backend = make_backend(STOR=stor)
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend, level)
    with c:
        data.close()
        assert backend.upload("up") == (HALF, "fin")
        c.send("ABOR\r\n")
        assert [c.reply().code, c.reply().code] == [226, 226]
        assert gateway.event("transfer").keys["result"] == "ok"


# 76. Guard: end_transfer() in ftp-alg/side-reply.c.
@pytest.mark.parametrize("level", "CP")
def test_76_the_gateway_gives_up_before_the_150(launch, make_backend, level):
    """A 200 may have been the transfer's only reply, so the client's next command waits a moment, and ends the transfer."""
    def stor(session, name):
        session.reply("200 Working on it")
        how, content = net.end_of(session.open_data())
        session.backend.store(name, content, how)
        session.reply("150 Send it")
        session.reply("226 Stored")
    backend = make_backend(STOR=stor)
    gateway = launch(backend, ftp=CLEAR, backends={"legacy": {"side_reply_timeout": "300ms"}})
    with clients.explicit(gateway, level) as c:
        data = net.dial(c.pasv())
        c.expect("STOR up", 200)
        data = c.wrap(data)
        data.send(HALF)
        c.send("PWD\r\n")
        assert backend.upload("up") == (b"", "reset"), "the server has stored an empty file"
        assert [c.reply().code, c.reply().code, c.reply().code] == [150, 426, 257]
        data.sock.close()

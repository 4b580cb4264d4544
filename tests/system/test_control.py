"""The control connection: lines and replies stay whole and in order, to the end of the session."""
import contextlib
import ssl
import threading
import time

import pytest

import client as clients
import net


@pytest.mark.parametrize("bad", [b"\x00", b"\r"], ids=["nul", "cr"])
def test_a_bad_line_stays_bad_while_it_waits(launch, make_backend, bad):
    """attlsd removes Telnet codes from a line only once, however often the machine looks at the line."""
    go = threading.Event()

    def slow(session, _):
        go.wait(net.DEADLINE)
        session.reply('257 "/"')
    backend = make_backend(PWD=slow)
    gateway = launch(backend)
    c = clients.explicit(gateway)
    c.send(b"PWD\r\n")
    backend.saw("PWD")
    c.send(b"\xff\xff\xfb" + bad + b"DELE x\r\n")
    time.sleep(0.2)
    go.set()
    assert c.reply().code == 257
    assert c.reply().code == 501
    c.expect("NOOP", 200)
    assert "DELE" not in backend.verbs()
    c.close()


def test_what_came_before_the_end_is_still_carried_out(gateway, backend):
    """A client sends its last commands and closes the connection in the same segment."""
    c = clients.explicit(gateway)
    c.tls.ssl.write(b"DELE old\r\nQUIT\r\n")
    with contextlib.suppress(ssl.SSLError):
        c.tls.ssl.unwrap()
    c.tls.flush()
    gateway.event("session-end")
    assert "DELE old" in backend.everything()
    c.close()


def test_no_reply_gets_between_the_lines_of_another(launch, make_backend):
    """The client sends a denied command while the reply to STAT, during a transfer, is incomplete."""
    go = threading.Event()

    def download(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        assert session.sock.recv(100) == b"STAT\r\n"
        session.send("211-Status:\r\n")
        go.wait(net.DEADLINE)
        session.send(" busy\r\n211 End\r\n")
        data.close()
        session.reply("226 Done")
    gateway = launch(make_backend(RETR=download), ftp={"secure_dataconn": "clear", "commands_denied": ["NOOP"]})
    c = clients.explicit(gateway, "C")
    data = c.open("RETR x")
    c.send("STAT\r\n")
    while b"211-" not in c.buffer:
        c.buffer += c.recv()
    c.send("NOOP\r\n")
    time.sleep(0.2)
    go.set()
    assert c.reply() == "211-Status:\n busy\n211 End"
    assert sorted([c.reply().code, c.reply().code]) == [226, 502]
    data.close()
    c.close()


def test_a_client_that_is_gone_ends_a_session_whose_server_is_silent(launch, make_backend):
    """The last command waits for one that the server never answers, but the client has gone."""
    backend = make_backend(PWD=lambda session, _: None)
    gateway = launch(backend)
    c = clients.explicit(gateway)
    c.send("PWD\r\nNOOP\r\n")
    backend.saw("PWD")
    net.reset(c.sock)
    gateway.event("session-end", deadline=5)
    c = clients.explicit(gateway)
    c.send("PWD\r\nNOOP\r\n")
    backend.wait(lambda: backend.verbs(1)[-1:] == ["PWD"], "the second PWD")
    c.tls.notify()
    time.sleep(0.2)
    net.reset(c.sock)  # after the orderly end
    gateway.event("session-end", count=2, deadline=5)


def test_a_listing_of_any_size(launch, make_backend):
    """A reply of 3 MiB, to a client that reads slowly: every byte arrives, and the worker keeps none of them."""
    lines = [b"213-Status of folder:"] + [b" -rw-r--r-- 1 u g %12d Jan  1 00:00 %s" % (n, b"\xe4" * 80) for n in range(24000)]
    whole = b"\r\n".join(lines + [b"213 End"]) + b"\r\n"
    gateway = launch(make_backend(STAT=whole))
    with clients.explicit(gateway) as c:
        pid = gateway.workers()[0]
        before = net.memory(pid)
        c.send(b"STAT folder\r\n")
        got = b""
        while len(got) < len(whole):
            piece = c.tls.recv()
            assert piece, f"the end after {len(got)} bytes"
            got += piece
            assert net.sanitized() or net.memory(pid) < before + 1024, "the reply is kept"
        assert got == whole
        c.expect("NOOP", 200)


@pytest.mark.parametrize("how", ["server", "drain"])
def test_no_end_of_a_session_looks_like_the_end_of_a_reply(launch, make_backend, how):
    """Half a listing: the client gets no 421 inside it and no close_notify, whoever ends the session."""
    def listing(session, _):
        session.send("213-Status of folder:\r\n one\r\n")
        go.wait(net.DEADLINE)
        return "close"
    go = threading.Event()
    gateway = launch(make_backend(STAT=listing))
    with clients.explicit(gateway) as c:
        c.send(b"STAT folder\r\n")
        got = b""
        while not got.endswith(b" one\r\n"):
            got += c.tls.recv()
        if how == "server":
            go.set()
        else:
            gateway.process.terminate()
        assert c.ended() == b"" and c.tls.end == "fin"
    go.set()
    if how == "drain":
        assert gateway.ended() == 0


def test_a_reply_that_another_code_ends(launch, make_backend):
    """The wait for the reply's end has a limit, and the log has the line that caused it. A line of text that only looks like an end ends nothing."""
    gateway = launch(make_backend(STAT="213-Status\r\n200 names\r\n213 End", HELP="214-Help\r\n200 End"))
    with clients.explicit(gateway) as c:
        c.expect("STAT x", 213)
        c.send("HELP\r\n")
        got = b""
        while not got.endswith(b"200 End\r\n"):
            got += c.tls.recv()
        c.tls.sock.settimeout(30)
        assert c.ended() == b"" and c.tls.end == "fin"
    assert gateway.event("stray-reply", action="close").keys["text"] == "200 End"
    gateway.event("session-end", reason="reply-unfinished")

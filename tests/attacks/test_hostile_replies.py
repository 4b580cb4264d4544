"""Replies of a hostile server: unsolicited, senseless, or a 227 inside another reply."""
import os
import signal
import ssl

import pytest

import client as clients
import net


@pytest.mark.parametrize("text", ["227 no numbers", "227 (1,2,3)", "229 (|||99999|)", "229 ()", "229 (|x|10.0.0.1|5000|)",
                                  "200 fine", "150 wait", "331 what"])
def test_a_passive_reply_that_makes_no_sense(launch, make_backend, text):
    backend = make_backend(files={"x": b"x"}, EPSV=text, PASV=text)
    gateway = launch(backend, backends={"legacy": {"data": "passive"}})
    with clients.explicit(gateway, "P") as c:
        c.send("PASV\r\n")
        if text.startswith("150"):
            return  # the gateway rightly waits for the final reply; the session ends with the test
        try:
            assert c.reply().code in (421, 425)
        except clients.Closed:
            pass


@pytest.mark.parametrize("extra", ["227 Entering Passive Mode (127,0,0,1,200,10)", "229 Entering Extended Passive Mode (|||51210|)"])
@pytest.mark.parametrize("stray", ["drop", "close"])
def test_an_unsolicited_port_ends_the_session(launch, make_backend, extra, stray):
    backend = make_backend(NOOP="200 ok\r\n" + extra)
    gateway = launch(backend, backends={"legacy": {"stray_replies": stray}})
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)
        c.assert_ends(421)


@pytest.mark.parametrize("extra", ["234 AUTH ok", "230 Logged in", "200 hi", "550 no"])
def test_an_unsolicited_reply_ends_the_session_if_policy_says_so(launch, make_backend, extra):
    backend = make_backend(NOOP="200 ok\r\n" + extra)
    gateway = launch(backend, backends={"legacy": {"stray_replies": "close"}})
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)
        c.assert_ends(421)


@pytest.mark.parametrize("extra", ["234 AUTH ok", "230 Logged in", "200 hi", "550 no", "226 Done", "150 Here it comes"])
def test_an_unsolicited_reply_answers_nothing(launch, make_backend, extra):
    """After the login it is dropped: neither this command nor the next one gets it."""
    backend = make_backend(files={"x": b"x"}, NOOP="200 ok\r\n" + extra)
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        c.send("NOOP\r\nSIZE nothing\r\nPWD\r\n")
        assert c.reply() == "200 ok"
        assert c.reply() == "550 No such file"
        assert c.reply().code == 257
        assert c.get("x") == b"x"
    assert gateway.event("stray-reply").keys["text"] == extra


@pytest.mark.parametrize("extra", ["234 Go ahead", "230 Logged in", "227 Entering Passive Mode (127,0,0,1,200,10)"])
def test_an_unsolicited_reply_after_the_greeting(launch, make_backend, extra):
    """The gateway never takes it as the reply to the client's AUTH or login."""
    backend = make_backend(greeting="220 hi\r\n" + extra)
    gateway = launch(backend)
    try:
        with clients.Client(gateway.explicit) as c:
            c.send("AUTH TLS\r\n")
            c.start_tls() if c.reply().code == 234 else None
            c.login()
            raise AssertionError("the session went on")
    except (clients.Closed, ssl.SSLError, ConnectionError, AssertionError) as fault:
        assert "went on" not in str(fault)


@pytest.mark.parametrize("said, code", [("PASS hunter2", 421), ("230 in\r\n500 'PASS hunter2' again?", 230),
                                        ("230 in\r\n(hunter2)", 230)])
def test_the_log_does_not_repeat_a_password(launch, make_backend, said, code):
    """Servers that echo what they get are common on terminal lines."""
    backend = make_backend(PASS=said)
    gateway = launch(backend)
    with clients.Client(gateway.explicit).auth() as c:
        c.expect("USER user", 331)
        c.expect("PASS hunter2", code)
    gateway.event("stray-reply")
    assert "hunter2" not in gateway.log


def test_the_log_does_not_repeat_a_password_sent_without_its_verb(launch, make_backend):
    backend = make_backend(HUNTER2="500 What?\r\nhunter2?")
    gateway = launch(backend, ftp={"unknown_commands": "pass"})
    with clients.explicit(gateway) as c:
        c.expect("hunter2", 500)
    gateway.event("stray-reply")
    assert "hunter2" not in gateway.log


def test_227_inside_other_replies_opens_nothing(launch, make_backend):
    text = "Entering Passive Mode (127,0,0,1,200,10)"
    backend = make_backend(CWD="250-227 " + text + "\r\n227 " + text + "\r\n250 done", PWD="257 227 " + text)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        assert c.cmd("CWD x").splitlines()[1] == "227 " + text
        c.expect("PWD", 257)
        c.expect("RETR x", 425)


def failing_at_once(session, _):
    """All of this reaches a worker that is stopped: the 150 and the failure in one piece, the data and their end."""
    session.backend.wait(lambda: "go" in session.backend.files, "the test's leave to fail")
    data = session.open_data()
    data.sendall(b"half of a file")
    data.close()
    session.reply("150 Here it comes\r\n451 The second part is odd")
    session.backend.store("failed", b"", "failed")


# 229. The failure comes with the 150, so it is in the session's memory when the data end in order.
# Guard: last_look() looks there.
@pytest.mark.parametrize("level", ["P", "C"])
def test_229_a_failure_that_comes_with_the_150_counts(launch, make_backend, level):
    backend = make_backend(RETR=failing_at_once)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"workers": 1})
    (worker,) = gateway.workers()
    with clients.explicit(gateway, level) as c:
        sock = net.dial(c.pasv())
        c.send("RETR x\r\n")
        data = c.wrap(sock)  # the handshake is over before the 150
        backend.wait(lambda: "RETR x" in backend.sessions[-1].lines, "RETR")
        os.kill(worker, signal.SIGSTOP)
        backend.note(lambda: backend.files.update({"go": b""}))
        backend.upload("failed")
        os.kill(worker, signal.SIGCONT)
        data.read_all()
        assert level == "C" or data.end != "clean", "the client took a cut file for a whole one"
        assert [c.reply().code, c.reply().code] == [150, 451]
    assert gateway.event("transfer").keys["result"] == "server-reset"

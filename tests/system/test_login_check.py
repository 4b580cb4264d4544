"""FTCHKPWD: a local socket decides who may log in, after USER and before the server gets the password."""
import contextlib
import hashlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

import client as clients
import gateway as gateways
import login_check
import net
from login_check import Answerer, never, says

DENIED = "530 Login denied."


@pytest.fixture
def path(folder):
    own = os.path.join(folder, "check")
    os.mkdir(own, 0o755)
    return os.path.join(own, "socket")


@pytest.fixture
def answerer(path):
    made = []

    def make(answer, **kw):
        made.append(Answerer(path, answer, **kw))
        return made[-1]
    yield make
    for one in made:
        with contextlib.suppress(OSError):
            one.close()


def passwords(backend):
    return [line for line in backend.everything() if line.startswith("PASS")]


def latin(text):
    """As the tests' client, which sends and gets bytes as Latin-1, sees UTF-8."""
    return text.encode().decode("latin-1")


def login(c, user="anna", password="geheim"):
    c.expect("USER " + latin(user), 331)
    return c.cmd("PASS " + password)


def test_who_may_come_in(launch, backend, answerer, path):
    """One question for each login, with what is known; no password in it. A refused one never reaches the server."""
    asked = answerer(lambda question: [b"allow" if question["user"] == "anna" else b"deny"])
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c).code == 230
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c, "berta") == DENIED
        assert login(c).code == 230, "the same client as another user"
        c.send("QUIT\r\n")
        gateway.event("session-end", count=2)
    first, second, third = asked.asked
    session = first.pop("session")
    assert str(session) == gateway.seen("session-start")[0].keys["session"]
    assert first.pop("cipher").startswith("TLS_")
    assert first == {"user": "anna", "client": "127.0.0.1", "listener": "explicit", "rule": "everyone", "backend": "legacy",
                     "tls": "TLSv1.3"}
    assert (second["user"], third["user"]) == ("berta", "anna")
    assert passwords(backend) == ["PASS geheim"] * 2 and "geheim" not in json.dumps(asked.asked)
    (event,) = gateway.seen("login-failed")
    assert event.keys["by"] == "login-check" and event.keys["key"] == "login_check" and event.keys["user"] == "berta"
    with open(gateway.path, encoding="utf-8") as policy:
        assert "login_check" in policy.readlines()[int(event.keys["line"]) - 1]
    (event,) = gateway.seen("login-check")
    assert (event.level, event.keys["answer"], event.keys["user"]) == ("info", "deny", "berta") and "text" not in event.keys


@pytest.mark.parametrize("said,shown", [
    (b"deny", "530-The login check does not permit this login."),
    (b"deny Not on Sundays\n", "530-Not on Sundays"),
    (b"deny a\r\n230 Logged in\r\n", "530-a??230 Logged in?"),
    (b"deny \x1b[2J\x00\xff\xc2\x85", "530-?[2J???"),
    (b"deny " + b"x" * 500, "530-" + "x" * 127),
    ("deny Grüße \u2028 \u202e".encode(), "530-Grüße ? ?"),
], ids=["none", "text", "lines", "controls", "long", "unicode"])
def test_the_text_of_a_denial(launch, backend, answerer, path, said, shown):
    """One line, without anything that a client could take for another reply; only with ACCESSERRORMSGS."""
    answerer(says(said))
    quiet, loud = (launch(backend, ftp={"login_check": path, "accesserrormsgs": shows}) for shows in ("false", "true"))
    with clients.Client(quiet.explicit) as c:
        c.auth()
        assert login(c) == DENIED and c.cmd("NOOP").code == 200
    with clients.Client(loud.explicit) as c:
        c.auth()
        assert login(c).split("\n") == [latin(shown), DENIED] and c.cmd("NOOP").code == 200
    assert not passwords(backend)


@pytest.mark.parametrize("said", [b"", b"\n", b"Allow", b"allow ", b"allow\n\n", b"allowed", b"deny\tx", b"allow" + b"\0" * 600,
                                  b"{\"allow\":true}", b"ALLOW", b"allow\r\n"])
def test_what_is_no_answer_denies(launch, backend, answerer, path, said):
    answerer(says(said))
    gateway = launch(backend, ftp={"login_check": path, "accesserrormsgs": "true"})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c).splitlines() == ["530-The login cannot be checked now, try again later.", DENIED]
    event = gateway.event("login-check")
    assert event.level == "warning" and event.keys["answer"] == "none"
    assert event.keys["reason"] in ("no-such-answer", "closed") and event.keys["key"] == "login_check"
    assert gateway.event("login-failed").keys["by"] == "login-unchecked"
    assert not passwords(backend)


def test_only_the_first_answer_counts(launch, backend, answerer, path):
    answerer(says(b"deny", b"allow", b"allow"))
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c) == DENIED and login(c) == DENIED
    assert not passwords(backend)


@pytest.mark.parametrize("what,reason", [("nothing", "no-socket"), ("deaf", "nobody-listens"), ("stream", "not-seqpacket"),
                                         ("open", "folder-exposed"), ("mode", "no-permission")])
def test_a_socket_that_cannot_answer(launch, backend, answerer, path, what, reason):
    """The login is refused, the log says why, and attlsctl check has said it before."""
    if what == "mode" and os.geteuid() == 0:
        os.chown(os.path.dirname(path), 65534, 65534)
    one = None if what == "nothing" else answerer(says(b"allow"), kind=socket.SOCK_STREAM if what == "stream" else socket.SOCK_SEQPACKET)
    if what == "deaf":
        one.close()
    if what == "open":
        os.chmod(os.path.dirname(path), 0o777)
    if what == "mode":
        os.chmod(path, 0)
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c) == DENIED
    assert gateway.event("login-check").keys["reason"] == reason
    assert not passwords(backend)
    status, said = gateways.check(gateway.path)
    assert status == 0 and "warning: nobody can log in with \"login_check\" as it is" in said, said


def test_a_socket_that_comes_later(launch, backend, answerer, path):
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c) == DENIED
        answerer(says(b"allow"))
        assert login(c).code == 230, "in the same session, and it is not delayed: nobody has guessed a password"


def test_a_server_that_wants_no_password(launch, make_backend, answerer, path):
    """Its 230 to USER waits for the answer. Refused, the server's connection is a new one: there the user was in."""
    asked = answerer(lambda question: [b"allow" if question["user"] == "anna" else b"deny"])
    backend = make_backend(USER="230 Come in")
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert c.cmd("USER berta") == DENIED
        assert c.cmd("PWD").code == 530 and c.cmd("USER anna") == "230 Come in"
        assert c.cmd("PWD").code == 257
    assert [one["user"] for one in asked.asked] == ["berta", "anna"]
    assert backend.verbs(0) == ["USER"] and backend.verbs(1)[:2] == ["USER", "PWD"]


def test_a_server_that_greets_with_230(launch, make_backend, answerer, path):
    """Nobody could be asked about its user: the client has to name one."""
    asked = answerer(says(b"allow"))
    backend = make_backend(greeting="230 You are in")
    gateway = launch(backend, ftp={"login_check": path, "secure_ftp": "allowed", "secure_ctrlconn": "clear"})
    with clients.Client(gateway.explicit, greet=False) as c:
        assert c.reply() == "220 You are in" and c.cmd("PWD").code == 530
        assert login(c).code == 230 and c.cmd("PWD").code == 257
    (question,) = asked.asked
    assert "tls" not in question and "cipher" not in question


def test_many_at_once_do_not_wait_for_each_other(launch, backend, answerer, path):
    """Fifty logins whose answers all wait for the last question."""
    everybody = threading.Barrier(50)

    def answer(question):
        everybody.wait(net.DEADLINE)
        return [b"allow"]
    answerer(answer)
    gateway = launch(backend, ftp={"login_check": path, "login_delay": 0}, daemon={"limits": {"sessions_per_source": 100, "unauthenticated_per_source": 100}})
    with contextlib.ExitStack() as stack:
        those = [stack.enter_context(clients.Client(gateway.explicit)) for _ in range(50)]
        for c in those:
            c.auth()
            c.expect("USER anna", 331)
            c.send("PASS geheim\r\n")
        assert {c.reply().code for c in those} == {230}


def test_a_client_that_leaves_before_the_answer(launch, backend, answerer, path):
    """Its question is over; nobody gets the answer, and the next session's is its own."""
    go = threading.Event()

    def answer(question):
        go.wait(net.DEADLINE)
        return [b"allow" if question["user"] == "anna" else b"deny"]
    asked = answerer(answer)
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.expect("USER anna", 331)
        c.send("PASS geheim\r\n")
        asked.wait(1)
    gateway.event("session-end")
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.expect("USER berta", 331)
        c.send("PASS geheim\r\n")
        asked.wait(2)
        go.set()
        assert c.reply() == DENIED
    assert not passwords(backend)


def test_a_slow_answer(launch, backend, answerer, path):
    """The time-out denies; meanwhile other sessions go on, and the session takes no command out of turn."""
    answerer(never)
    gateway = launch(backend, ftp={"login_check": path, "login_delay": 0})
    with clients.Client(gateway.explicit) as c, clients.Client(gateway.explicit) as other:
        c.auth()
        c.expect("USER anna", 331)
        began = time.monotonic()
        c.send("PASS geheim\r\nNOOP\r\n")
        other.auth()
        other.expect("NOOP", 200)
        assert time.monotonic() - began < 5
        assert c.reply() == DENIED and c.reply().code == 200
        assert 9 < time.monotonic() - began < 15
    assert gateway.event("login-check").keys["reason"] == "time-out"
    assert not passwords(backend)


def test_a_full_queue(launch, backend, answerer, path):
    """More logins than the socket queues: they wait for their turn, and all are answered."""
    asked = answerer(says(b"allow"), backlog=0)
    gateway = launch(backend, ftp={"login_check": path, "login_delay": 0}, daemon={"limits": {"sessions_per_source": 100, "unauthenticated_per_source": 100}})
    with contextlib.ExitStack() as stack:
        those = [stack.enter_context(clients.Client(gateway.explicit)) for _ in range(30)]
        for c in those:
            c.auth()
            c.expect("USER anna", 331)
        for c in those:
            c.send("PASS geheim\r\n")
        assert {c.reply().code for c in those} == {230}
    asked.wait(30)


@pytest.mark.parametrize("user,askable", [("anna@example.org", True), ("Müller", True), ("a b", True), ("x" * 255, True),
                                          ("x" * 256, False), ("a\x01b", False), ("a\u202eb", False)])
def test_names(launch, backend, answerer, path, user, askable):
    """The whole name is asked about, or nobody is: part of a name may be another user's."""
    asked = answerer(says(b"allow"))
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c, user).code == (230 if askable else 530)
    assert [one["user"] for one in asked.asked] == ([user] if askable else [])
    if not askable:
        assert gateway.event("login-check").keys["reason"] == "user-not-askable"


def test_a_reload_asks_another_socket(launch, backend, answerer, path):
    answerer(says(b"deny"))
    other = Answerer(path + "2", says(b"allow"))
    gateway = launch(backend, ftp={"login_check": path})
    with open(gateway.path, encoding="utf-8") as file:
        tree = file.read().replace(path, path + "2")
    with clients.Client(gateway.explicit) as old:
        old.auth()
        gateway.reload(tree)
        assert login(old) == DENIED, "a session keeps its policy"
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert login(c).code == 230
    other.close()


def test_the_list_of_contrib(launch, backend, folder, path):
    rules = os.path.join(folder, "logins")
    with open(rules, "w", encoding="utf-8") as file:
        file.write("# user network hours\nanna 127.0.0.0/8,::1\nberta 192.0.2.0/24 0-24\ncarl 127.0.0.1 0-0\n")
    process = login_check.start("login-check", rules, path)
    try:
        gateway = launch(backend, ftp={"login_check": path, "accesserrormsgs": "true"})
        with clients.Client(gateway.explicit) as c:
            c.auth()
            assert login(c, "berta").splitlines()[0] == "530-Not from this address at this time"
            assert login(c, "carl").code == 530 and login(c).code == 230
        assert gateways.check(gateway.path) == (0, "")
        os.remove(rules)
        with clients.Client(gateway.explicit) as c:
            c.auth()
            assert login(c).code == 530, "without its file it lets nobody in"
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs /etc/pam.d")
def test_pam_of_contrib(launch, backend, folder, path):
    service = "attlsd-test-%d" % os.getpid()
    access = os.path.join(folder, "access.conf")
    with open(access, "w", encoding="utf-8") as file:
        file.write("+:root:127.0.0.1\n-:ALL:ALL\n")
    with open("/etc/pam.d/" + service, "w", encoding="utf-8") as file:
        file.write(f"account required pam_access.so accessfile={access}\naccount required pam_unix.so\n")
    process = login_check.start("login-check-pam", service, path)
    try:
        gateway = launch(backend, ftp={"login_check": path, "accesserrormsgs": "true"})
        with clients.Client(gateway.explicit) as c:
            c.auth()
            assert login(c, "nobody").splitlines()[0] == "530-Permission denied"
            assert login(c, "no-such-user").code == 530 and login(c, "root").code == 230
    finally:
        process.kill()
        process.wait()
        os.remove("/etc/pam.d/" + service)

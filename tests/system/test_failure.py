"""Failures: a proper reply if one is possible, one clear log line, no leak."""
import contextlib
import hashlib
import os
import signal
import threading
import time

import pytest

import client as clients
import net


def test_a_backend_that_is_down(launch):
    port = net.free_port()
    gateway = launch(("127.0.0.1", port))
    with clients.Client(gateway.explicit) as c:
        assert c.greeting.code == 421
        assert c.ended() == b""
    gateway.event("server-down", address=f"127.0.0.1:{port}", error="Connection refused")
    with clients.Client(gateway.implicit, implicit=True) as c:
        assert c.greeting.code == 421
        assert c.ended() == b"" and c.tls.end == "clean"
    gateway.event("session-end", count=2)


def test_a_backend_that_comes_back(launch, make_backend):
    backend = make_backend(files={"x": b"x"})
    gateway = launch(backend)
    address = backend.address
    backend.close()
    with clients.Client(gateway.explicit) as c:
        assert c.greeting.code == 421
    again = net.socket.socket()
    again.setsockopt(net.socket.SOL_SOCKET, net.socket.SO_REUSEADDR, 1)
    again.bind(address)
    again.listen()
    with again, clients.Client(gateway.explicit, greet=False) as c:
        server, _ = again.accept()
        server.sendall(b"220 back\r\n")
        assert c.reply() == "220 back"
        server.close()


def test_a_backend_that_refuses_with_421(launch, make_backend):
    gateway = launch(make_backend(greeting="421 Too many users"))
    with clients.Client(gateway.explicit) as c:
        assert c.greeting == "421 Too many users"
        assert c.ended() == b""


def test_a_greeting_of_many_lines_and_120(launch, make_backend):
    gateway = launch(make_backend(greeting="120 soon\r\n220-Welcome\r\n   to a\r\n550 strange\r\n220 server"))
    with clients.Client(gateway.explicit, greet=False) as c:
        codes = [c.reply().code, c.reply().code]
        assert codes[-1] == 220
        c.auth().login()


@pytest.mark.parametrize("greeting", [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\0\r\n", b"999 what\r\n", b"631 enc\r\n", b"22\r\n", b"A" * 200000],
    ids=["http", "nul", "999", "631", "22", "no end"])
def test_a_backend_that_speaks_something_else(launch, make_backend, greeting):
    gateway = launch(make_backend(greeting=lambda session: session.send(greeting)), backends={"legacy": {"stray_replies": "close"}})
    with clients.Client(gateway.explicit, greet=False) as c:
        said = c.ended()
        assert said.startswith(b"421") and said.count(b"\r\n") == 1, said
    with clients.Client(gateway.implicit, implicit=True, greet=False) as c:
        assert c.ended().startswith(b"421")


def test_a_server_that_is_slow_to_greet(launch, make_backend):
    def greet(session):
        time.sleep(1.5)
        session.reply("220 at last")
    backend = make_backend(greeting=greet)
    with clients.Client(launch(backend).explicit) as c:
        assert c.greeting == "220 at last"
        c.auth().login()
    gateway = launch(backend, backends={"legacy": {"server_greeting_timeout": "1s"}})
    with clients.Client(gateway.explicit) as c:
        assert c.greeting.code == 421
    gateway.event("server-down", error="no greeting in time")


@pytest.mark.parametrize("flood", [b"x" * 1000 + b"\r\n", b"x" * 1000, b"\r" * 1000], ids=["lines", "one line", "CR"])
def test_a_flood_of_reply_lines_is_bounded(launch, make_backend, flood):
    """A reply without an end, to a client that does not read: it fills no memory."""
    def send(session, _):
        session.sock.settimeout(0.5)  # then nobody takes any more
        with contextlib.suppress(OSError):
            session.send(b"214-\r\n")
            while True:
                session.send(flood)
        stuck.set()
    stuck = threading.Event()
    gateway = launch(make_backend(HELP=send))
    with clients.explicit(gateway) as c:
        pid = gateway.workers()[0]
        before = net.memory(pid)
        c.send("HELP\r\n")
        assert stuck.wait(net.DEADLINE)
        assert net.sanitized() or net.memory(pid) < before + 1024
        c.tls.abort()
    gateway.event("session-end")


def test_a_backend_that_closes_at_once(launch, make_backend):
    gateway = launch(make_backend(greeting=lambda session: "close"))
    with clients.Client(gateway.explicit) as c:
        assert c.greeting.code == 421


def test_a_backend_that_closes_later(launch, make_backend):
    gateway = launch(make_backend(PWD=lambda session, _: "close", SYST=lambda session, _: net.reset(session.sock)))
    for line in "PWD", "SYST":
        with clients.explicit(gateway) as c:
            c.expect(line, 421)
            assert c.ended() == b"" and c.tls.end == "clean"


def test_a_silent_backend_holds_nobody_else(launch, make_backend):
    silent = make_backend(greeting=None)
    good = make_backend(files={"x": b"x"})
    gateway = launch(good, backends={"silent": {"address": "%s:%d" % silent.address}},
                     listeners={"other": {"address": "127.0.0.1:0"}},
                     rules={"everyone": {"match": {"listener": ["explicit", "implicit"]}},
                            "silent": {"match": {"listener": ["other"]}, "tls": "server", "ftp": "standard", "backend": "silent"}})
    with clients.Client(gateway.address["other"], greet=False) as stuck:
        silent.session()
        with clients.explicit(gateway, "P") as c:
            assert c.get("x") == b"x"
        assert net.quiet(stuck.sock, 0.1)
    silent.wait(lambda: silent.sessions[0].end, "the end of a session whose client left")


def test_an_idle_session_ends_with_421(launch, backend):
    gateway = launch(backend, ftp={"inactive": "1s"})
    with clients.explicit(gateway) as c:
        assert c.reply().code == 421
        assert c.ended() == b"" and c.tls.end == "clean"


def test_a_transfer_is_not_idle(launch, make_backend):
    backend = make_backend()
    gateway = launch(backend, ftp={"inactive": "1s"})
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR slow")
        data.send(b"a")
        assert net.quiet(c.sock, 1.6), "421 in the middle of a transfer"
        data.send(b"b")
        data.close()
        assert c.reply().code == 226
        assert backend.upload("slow") == (b"ab", "fin")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x00\x05hello", b"\x00" * 50, b"GET / HTTP/1.1\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28"])
def test_a_handshake_that_fails(gateway, backend, sent):
    since = gateway.mark()
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
        c.send(sent)
        c.ended()
    with clients.Client(gateway.implicit, greet=False) as c:
        c.send(sent)
        c.ended()
    gateway.event("session-end", since, count=2)
    with clients.explicit(gateway, "C") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_a_handshake_that_never_ends(launch, backend):
    gateway = launch(backend, tls={"handshake_timeout": "1s"})
    hello = clients.Tls(None, handshake=False).hello()
    with clients.Client(gateway.explicit) as silent, clients.Client(gateway.explicit) as half, \
            clients.Client(gateway.implicit, greet=False) as implicit:
        silent.expect("AUTH TLS", 234)
        half.expect("AUTH TLS", 234)
        half.send(hello[:100])
        for c in silent, half, implicit:
            c.ended()
    gateway.event("session-end", count=3)


@pytest.mark.parametrize("command", ["RETR hello.txt", "STOR x"])
def test_a_data_handshake_that_fails(gateway, backend, command):
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.pasv())
        c.expect(command, 150)
        sock.sendall(b"this is no ClientHello\r\n")
        net.end_of(sock)
        assert c.reply().code == 522
        assert c.get("hello.txt") == backend.files["hello.txt"]
    if command.startswith("STOR"):
        assert backend.upload("x") == (b"", "reset")


def test_a_data_handshake_that_never_ends(launch, backend):
    gateway = launch(backend, tls={"handshake_timeout": "1s"})
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.pasv())
        c.expect("RETR hello.txt", 150)
        assert c.reply().code == 522
        sock.close()
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_a_port_where_nobody_listens(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        with net.listen() as gone:
            c.port(gone)
        codes = []
        c.send("RETR hello.txt\r\n")
        codes.append(c.reply().code)
        if codes[0] in (125, 150):
            codes.append(c.reply().code)
        assert codes[-1] == 425, codes
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_a_backend_data_port_where_nobody_listens(launch, make_backend):
    port = net.free_port()

    def epsv(session, _):
        session.reply(f"229 Entering Extended Passive Mode (|||{port}|)")

    def retr(session, _):
        session.reply("150 any moment")
        session.reply("425 nobody came")
    gateway = launch(make_backend(EPSV=epsv, RETR=retr))
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.pasv())
        reply = c.cmd("RETR x")
        if reply.code in (125, 150):
            reply = c.reply()
        assert reply.code == 425
        sock.close()
        c.expect("NOOP", 200)


def test_too_many_sessions(launch, backend):
    gateway = launch(backend, daemon={"limits": {"sessions": 2}})
    with clients.explicit(gateway) as one, clients.explicit(gateway):
        with clients.Client(gateway.explicit) as third:
            assert third.greeting.code == 421
            assert third.ended() == b""
        with net.dial(gateway.implicit) as fourth:
            assert net.end_of(fourth)[1][:3] in (b"", b"421")
        one.expect("QUIT", 221)
        one.ended()
        gateway.event("session-end")
        with clients.explicit(gateway) as third:
            third.expect("NOOP", 200)


def test_a_client_may_reconnect_at_once_after_a_session_ends(launch, backend):
    gateway = launch(backend, daemon={"limits": {"sessions_per_source": 1}})
    for _ in range(60):
        with clients.explicit(gateway) as c:
            c.expect("QUIT", 221)
            c.ended()


@pytest.mark.parametrize("limit", ["sessions_per_source", "unauthenticated_per_source"])
def test_too_many_sessions_of_one_source(launch, backend, limit):
    gateway = launch(backend, daemon={"limits": {limit: 2}})
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(clients.Client(gateway.explicit))
        with clients.Client(gateway.explicit) as third:
            assert third.greeting.code == 421
            assert third.ended() == b""
        with clients.Client(gateway.explicit, source=("127.0.0.2", 0)) as elsewhere:
            assert elsewhere.greeting.code == 220


def test_those_that_logged_in_do_not_count_as_unauthenticated(launch, backend):
    gateway = launch(backend, daemon={"limits": {"unauthenticated_per_source": 1}})
    with clients.explicit(gateway) as one:
        one.expect("NOOP", 200)
        with net.until(lambda: clients.welcome(gateway), "room for the next"):
            pass


def test_no_rule_is_a_refusal(launch, backend):
    gateway = launch(backend, rules={"everyone": {"match": {"remote_addr": ["192.0.2.0/24"]}}})
    with clients.Client(gateway.explicit, greet=False) as c:
        assert c.ended()[:3] in (b"", b"421")
    assert not backend.sessions


def test_rules_choose_by_priority_then_name(launch, make_backend):
    low, high = make_backend(greeting="220 low"), make_backend(greeting="220 high")
    gateway = launch(low, backends={"high": {"address": "%s:%d" % high.address}},
                     rules={"everyone": {"priority": 100},
                            "second": {"priority": 500, "tls": "server", "ftp": "standard", "backend": "high",
                                       "match": {"remote_addr": ["127.0.0.2/32"]}}})
    with clients.Client(gateway.explicit) as c:
        assert c.greeting == "220 low"
    with clients.Client(gateway.explicit, source=("127.0.0.2", 0)) as c:
        assert c.greeting == "220 high"


def test_a_killed_worker_takes_only_its_own_sessions(launch, make_backend):
    backend = make_backend(files={"x": b"x"})
    gateway = launch(backend, daemon={"workers": 2})
    content = os.urandom(3 << 20)
    two = [clients.explicit(gateway, "P") for _ in range(2)]
    uploads = [c.open(f"STOR up{number}") for number, c in enumerate(two)]
    for data in uploads:
        data.send(content[:1 << 20])
    victim, *others = gateway.workers()
    os.kill(victim, signal.SIGKILL)
    gateway.event("worker-died")
    dead = net.select.select([c.sock for c in two], [], [], net.DEADLINE)[0]
    assert len(dead) == 1, "two sessions ought to live in two workers"
    lost = 0 if two[0].sock is dead[0] else 1
    live = 1 - lost
    with contextlib.suppress(clients.Closed, ConnectionError):
        reply = two[lost].reply()
        assert reply.code == 421, reply
    # a killed worker cannot reset a connection; still, the backend must not store a truncated file as complete
    uploads[live].send(content[1 << 20:])
    uploads[live].close()
    assert two[live].reply().code == 226
    got, how = backend.upload(f"up{live}")
    assert how == "fin" and hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
    net.until(lambda: len(gateway.workers()) == 2 and victim not in gateway.workers(), "a new worker")
    fresh = [clients.explicit(gateway, "P") for _ in range(4)]
    for c in fresh:
        assert c.get("x") == b"x"
    for c in [*two, *fresh]:
        c.close()


def test_every_worker_killed_and_the_service_goes_on(launch, backend):
    gateway = launch(backend, daemon={"workers": 2})
    for _ in range(2):
        old = gateway.workers()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        net.until(lambda: len(gateway.workers()) == 2 and not set(old) & set(gateway.workers()), "new workers")
        with net.until(lambda: clients.welcome(gateway), "a new worker that serves") as c:
            c.auth().login().prot("P")
            assert c.get("big") == backend.files["big"]


def ugly(kind, gateway):
    """Run one session that ends badly."""
    if kind == "connect":
        return net.dial(gateway.explicit).close()
    if kind == "connect, reset":
        return net.reset(net.dial(gateway.implicit))
    c = clients.Client(gateway.explicit)
    if kind == "greeting":
        return c.close()
    c.expect("AUTH TLS", 234)
    if kind == "garbage hello":
        c.send(b"\x16\x03\x01garbage" * 10)
        return net.reset(c.sock)
    if kind == "half hello":
        c.send(clients.Tls(c.sock, handshake=False).hello()[:50])
        return c.close()
    c.start_tls()
    if kind == "no login":
        return c.close()
    c.login().prot("P")
    if kind == "reset":
        return c.tls.abort()
    if kind == "pasv, gone":
        c.pasv()
        return net.reset(c.sock)
    if kind == "pasv, dialled, gone":
        with net.dial(c.pasv()):
            return c.close()
    if kind == "port, gone":
        with net.listen() as listener:
            c.port(listener)
            return net.reset(c.sock)
    if kind == "data hello only":
        with net.dial(c.pasv()) as sock:
            c.expect("RETR big", 150)
            sock.sendall(clients.Tls(sock, handshake=False).hello())
            return net.reset(c.sock)
    data = c.open("STOR x" if "upload" in kind else "RETR big")
    if kind == "upload, control reset":
        data.send(b"x" * 1000)
        net.reset(c.sock)
        return data.sock.close()
    if kind == "upload, both reset":
        data.send(b"x" * 1000)
        data.abort()
        return net.reset(c.sock)
    if kind == "download, data reset":
        data.abort()
        return c.close()
    if kind == "download, control fin":
        c.close()
        return data.sock.close()
    raise AssertionError(kind)


UGLY = ["connect", "connect, reset", "greeting", "garbage hello", "half hello", "no login", "reset", "pasv, gone",
        "pasv, dialled, gone", "port, gone", "data hello only", "upload, control reset", "upload, both reset",
        "download, data reset", "download, control fin"]


def test_two_hundred_ugly_sessions_leak_no_descriptor(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"limits": {"unauthenticated_per_source": 200}})
    with clients.explicit(gateway, "P") as c:
        c.get("big")
        c.expect("QUIT", 221)
        c.ended()
    gateway.event("session-end")
    pids = [gateway.pid, *gateway.workers()]
    before = {pid: net.descriptors(pid) for pid in pids}
    ends = [lambda kind=kind: ugly(kind, gateway) for _ in range(14) for kind in UGLY]

    def run(part):
        for end in part:
            end()
    threads = [threading.Thread(target=run, args=(ends[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    for pid in pids:
        net.until(lambda: net.descriptors(pid) <= before[pid], f"process {pid} closes all but {before[pid]} descriptors")
    assert [gateway.pid, *gateway.workers()] == pids, "a worker died"
    with clients.explicit(gateway, "P") as c:
        assert c.get("big") == backend.files["big"]


def test_every_end_of_a_session_is_one_log_line(launch, backend):
    gateway = launch(backend)
    for kind in "greeting", "no login", "reset":
        ugly(kind, gateway)
    gateway.event("session-end", count=3)
    assert len(gateway.seen("session-start")) == len(gateway.seen("session-end")) == 3
    assert all(event.keys.get("reason") for event in gateway.seen("session-end"))


def test_refusals_do_not_fill_the_log(gateway):
    with clients.Client(gateway.explicit) as c:
        c.auth().login()  # before the login, the tenth refusal would end the session
        c.send(b"XYZZY\r\n" * 25)
        assert {c.reply().code for _ in range(25)} == {500}
        number = gateway.event("session-start").keys["session"]
    assert gateway.event("refused-more", session=number).keys["count"] == "15"
    assert len(gateway.seen("refused-command", session=number)) == 10
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("PASV").code == 534
        number = gateway.event("session-start", count=2).keys["session"]
    gateway.event("session-end", session=number)
    assert len(gateway.seen("refused-command", session=number)) == 1 and not gateway.seen("refused-more", session=number)


def test_a_refusal_names_its_command_but_no_word_that_may_be_a_secret(gateway):
    with clients.Client(gateway.explicit) as c:
        for line in "pasv", "hunter2", "USER tester":
            assert c.cmd(line).code // 100 == 5
    gateway.event("refused-command", count=3)
    assert [event.keys["command"] for event in gateway.seen("refused-command")] == ["PASV", "", "USER"]
    assert "hunter2" not in gateway.log


def test_silence_at_an_implicit_listener_has_a_name(launch, backend):
    """A client that waits for a greeting; one that connects and closes is a health check."""
    gateway = launch(backend, tls={"handshake_timeout": "1s"})
    with net.dial(gateway.implicit):
        gateway.event("session-end", reason="no-tls-begun")

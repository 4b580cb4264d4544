"""Backends with several servers: which one a session gets, and what happens when servers fail."""
import contextlib
import json
import os
import socket
import subprocess
import threading
import time

import pytest

import client as clients
import net
import test_http as http
import upgrades
from test_metrics import samples


def text(address):
    return "%s:%d" % address


@pytest.fixture
def cluster(launch):
    """cluster(servers, key=value) starts a gateway in front of them; a server is a Backend or an address."""
    def start(servers, workers=1, ftp=None, control="none", **keys):
        addresses = [text(getattr(server, "address", server)) for server in servers]
        return launch(backends={"legacy": {"address": None, "addresses": addresses, **keys}}, daemon={"workers": workers, "control_socket": control},
                      ftp=ftp or {})
    return start


@contextlib.contextmanager
def black_hole():
    """An address that drops what comes: its queue is full, so the kernel ignores further connection attempts."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(net.listen(backlog=0))
        for _ in range(2):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(server.getsockname())
        yield server.getsockname()


@contextlib.contextmanager
def hanging():
    """It accepts, and never says anything."""
    with net.listen() as server:
        kept, stop = [], threading.Event()

        def accept():
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    kept.append(server.accept()[0])
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()
        stop.set()
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for sock in kept:
            sock.close()


def login(gateway, **how):
    return clients.Client(gateway.explicit, **how).auth().login().prot("P")


def test_the_first_serves_while_it_lives(cluster, make_backend):
    one, two = make_backend(files={"x": b"one"}), make_backend(files={"x": b"two"})
    gateway = cluster([one, two])
    for _ in range(3):
        with login(gateway) as c:
            assert c.get("x") == b"one"
    assert not two.sessions


@pytest.mark.parametrize("kind", ["refused", "black hole", "hanging"])
def test_a_dead_server_costs_one_client_one_wait(cluster, make_backend, kind):
    good = make_backend(files={"x": b"good"})
    with contextlib.ExitStack() as stack:
        dead = {"refused": lambda: ("127.0.0.1", net.free_port()), "black hole": lambda: stack.enter_context(black_hole()),
                "hanging": lambda: stack.enter_context(hanging())}[kind]()
        gateway = cluster([dead, good], connect_timeout="1s", server_greeting_timeout="2s")
        began = time.monotonic()
        with login(gateway) as c:
            first = time.monotonic() - began
            assert c.greeting == "220 Legacy FTP server"
            assert c.get("x") == b"good"
        assert first < (0.9 if kind == "refused" else 2.5), first
        cause = {"refused": "refused", "black hole": "connect-timeout", "hanging": "no-greeting"}[kind]
        gateway.event("server-failed", backend="legacy", address=text(dead), cause=cause)
        for _ in range(5):
            began = time.monotonic()
            login(gateway).close()
            assert time.monotonic() - began < 0.9
        assert len(gateway.seen("server-failed")) == 1
        assert not gateway.seen("server-down")


GREETINGS = {
    "421": ("421 Too many users", "turned-away"),
    "421 in lines": ("421-Too many\r\n421 users", "turned-away"),
    "530": ("530 Not you", "turned-away"),
    "closes": (lambda session: "close", "closed"),
    "resets": (lambda session: net.reset(session.sock) or "close", "closed"),
    "garbage without end": (lambda session: session.send(b"\0\1\2\n" * 20000), "not-ftp"),
    "half a line": (lambda session: session.send(b"220") or "close", "closed"),
}


@pytest.mark.parametrize("kind", GREETINGS)
def test_a_server_that_lies(cluster, make_backend, kind):
    greeting, cause = GREETINGS[kind]
    liar, good = make_backend(greeting=greeting), make_backend(files={"x": b"good"})
    gateway = cluster([liar, good])
    with login(gateway) as c:
        assert c.greeting == "220 Legacy FTP server"
        assert c.get("x") == b"good"
    gateway.event("server-failed", address=text(liar.address), cause=cause)
    gateway.event("server-chosen", address=text(good.address))
    with clients.Client(gateway.implicit, implicit=True) as c:
        assert c.greeting == "220 Legacy FTP server"


def test_after_the_greeting_never(cluster, make_backend):
    """A session stays with its server to the end, also in REIN, and whatever becomes of the server."""
    one = make_backend(USER=lambda session, name: "close")
    two = make_backend()
    gateway = cluster([one, two])
    with clients.Client(gateway.explicit).auth() as c:
        assert c.greeting == "220 Legacy FTP server"
        assert c.cmd("USER u").code == 421
    assert not two.sessions


def test_rein_stays(cluster, make_backend):
    one, two = make_backend(), make_backend()
    gateway = cluster([one, two], balance="round_robin")
    with clients.Client(gateway.implicit, implicit=True).login() as c:
        for _ in range(3):
            assert c.cmd("REIN").code == 220
            c.login()
    assert not two.sessions


def test_all_have_failed(cluster, make_backend):
    """The client hears it once; and when one of them lives again, the next client is served at once."""
    ports = [net.free_port(), net.free_port()]
    gateway = cluster([("127.0.0.1", port) for port in ports])
    for _ in range(3):
        with clients.Client(gateway.explicit) as c:
            assert c.greeting.code == 421
            assert c.ended() == b""
    assert gateway.event("server-down", backend="legacy").keys["error"] == "Connection refused"
    make_backend(port=ports[1])
    login(gateway).close()


def test_the_last_ones_own_words(cluster, make_backend):
    gateway = cluster([make_backend(greeting="421 one is full"), make_backend(greeting="421 two is full")])
    with clients.Client(gateway.explicit) as c:
        assert c.greeting == "421 two is full"


@pytest.mark.parametrize("dead", [False, True])
def test_the_last_one_has_much_to_say_before_its_greeting(cluster, make_backend, dead):
    """That counts as a fault of the server, but there is no other one, and it greets after all."""
    def greet(session):
        for _ in range(100):
            session.reply("ld.so: object 'libold.so' from LD_PRELOAD cannot be preloaded: ignored.")
        session.reply("220 hello")
    chatty = make_backend(greeting=greet, files={"x": b"chatty"})
    gateway = cluster([("127.0.0.1", net.free_port()), chatty] if dead else [chatty], stray_replies="drop")
    for _ in range(2):
        with login(gateway) as c:
            assert c.get("x") == b"chatty"
    gateway.event("server-failed" if dead else "session-end")
    assert not gateway.seen("worker-killed") and not gateway.seen("worker-died")


@pytest.mark.parametrize("balance", ["round_robin", "least_sessions"])
def test_forty_sessions_are_spread(cluster, make_backend, balance):
    """Over all workers: the monitor gives the turns."""
    servers = [make_backend() for _ in range(4)]
    gateway = cluster(servers, workers=4, balance=balance)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(login(gateway))
        assert [len(server.sessions) for server in servers] == [10, 10, 10, 10]
        gateway.event("server-chosen", count=40)


def test_least_sessions_counts_ends(cluster, make_backend):
    one, two = make_backend(), make_backend()
    gateway = cluster([one, two], balance="least_sessions", workers=2)
    stays = [login(gateway) for _ in range(4)]
    for c in stays[::2]:  # those of the first server
        c.cmd("QUIT")
        c.close()
    gateway.event("session-end", count=2)
    stays += [login(gateway) for _ in range(2)]
    assert [len(one.sessions), len(two.sessions)] == [4, 2]
    for c in stays:
        c.close()


def test_a_source_stays_with_its_server(cluster, make_backend):
    servers = [make_backend() for _ in range(3)]
    gateway = cluster(servers, workers=2, balance="source")

    def server_of(source):
        before = [len(server.sessions) for server in servers]
        clients.Client(gateway.explicit, source=(source, 0)).close()
        after = [len(server.sessions) for server in servers]
        return [a - b for a, b in zip(after, before)].index(1)
    sources = ["127.0.5.%d" % n for n in range(1, 25)]
    before = {source: server_of(source) for source in sources}
    assert set(before.values()) == {0, 1, 2}
    assert before == {source: server_of(source) for source in sources}
    servers[1].close()
    after = {}
    for source in sources:
        with clients.Client(gateway.explicit, source=(source, 0)) as c:
            chosen = gateway.event("server-chosen", client=text(c.sock.getsockname()))
            after[source] = chosen.keys["address"]
    moved = {source for source in sources if after[source] != text(servers[before[source]].address)}
    assert moved == {source for source in sources if before[source] == 1}


def test_down_and_up_in_the_log(cluster, make_backend):
    port = net.free_port()
    good = make_backend()
    gateway = cluster([("127.0.0.1", port), good], health={"interval": "1s", "fall": 2, "rise": 2})

    def again(name, **keys):
        while not gateway.seen(name, **keys):
            login(gateway).close()
    again("backend-down", backend="legacy", address=f"127.0.0.1:{port}", cause="refused")
    back = make_backend(port=port)
    again("backend-up", backend="legacy", address=f"127.0.0.1:{port}")
    before = back.everything().count("USER user")  # checks are sessions, too
    login(gateway).close()
    assert back.everything().count("USER user") == before + 1


def control(gateway, command, *words, status=0):
    done = subprocess.run([net.ATTLSCTL, command, "-f", gateway.path, *words], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stderr if status else done.stdout


def ctl(gateway, *words, status=0):
    return control(gateway, "backend", *words, status=status)


def states(gateway):
    return {server["address"]: server["state"] for server in json.loads(ctl(gateway, "--json"))}


def test_a_disabled_server_gets_no_new_sessions(cluster, make_backend, folder):
    one, two = make_backend(files={"x": b"one"}), make_backend(files={"x": b"two"})
    gateway = cluster([one, two], workers=2, control=os.path.join(folder, "control"))
    address = text(one.address)
    with login(gateway) as stays:
        assert "the 1 that it has go on" in ctl(gateway, "legacy", "disable", address)
        gateway.event("operator", order=f"backend disable legacy {address}", uid=os.geteuid())
        gateway.event("backend-disabled", backend="legacy", address=address, sessions=1)
        assert states(gateway) == {address: "disabled", text(two.address): "up"}
        assert stays.get("x") == b"one"
        for _ in range(4):
            with login(gateway) as c:
                assert c.get("x") == b"two"
        gateway.reload()
        assert states(gateway)[address] == "disabled"
        assert stays.get("x") == b"one"
    ctl(gateway, "legacy", "disable", text(two.address))
    with clients.Client(gateway.explicit) as c:  # nothing is served by what an operator has disabled
        assert c.greeting.code == 421
    gateway.event("server-down", error="no server is enabled")
    ctl(gateway, "legacy", "enable", address)
    gateway.event("backend-enabled", address=address)
    with login(gateway) as c:
        assert c.get("x") == b"one"
    assert "has no \"192.0.2.1:21\"" in ctl(gateway, "legacy", "disable", "192.0.2.1:21", status=1)
    assert "no backend \"other\"" in ctl(gateway, "other", status=1)
    for wrong in (["legacy", "stop"], ["legacy", "disable"], ["legacy", "list", "more"]):
        ctl(gateway, *wrong, status=2)


def test_a_backend_with_one_server_has_no_list(launch, backend, folder):
    """An empty table would be no answer."""
    gateway = launch(backend, daemon={"control_socket": os.path.join(folder, "control")})
    assert ctl(gateway).startswith('no backend has "addresses", so there is nothing to choose from; attlsctl doctor')
    assert json.loads(ctl(gateway, "--json")) == []


def test_the_list_shows_what_happened(cluster, make_backend, folder):
    dead, good = net.free_port(), make_backend()
    gateway = cluster([("127.0.0.1", dead), good], control=os.path.join(folder, "control"))
    with login(gateway):
        one, two = json.loads(ctl(gateway, "legacy", "--json"))
        assert (one["state"], one["cause"], one["sessions"], one["chosen"]) == ("doubtful", "refused", 0, 1)
        assert (two["state"], two["sessions"], two["chosen"]) == ("up", 1, 1) and "cause" not in two
        table = ctl(gateway, "legacy", "list").splitlines()
        assert table[1].split()[:3] == ["legacy", f"127.0.0.1:{dead}", "doubtful"] and table[1].endswith("refused")
        assert json.loads(control(gateway, "status", "--json"))["backend_servers"] == [one, two]
        assert "\n".join(table) in control(gateway, "status")
        assert json.loads(control(gateway, "events", "--json"))  # its answer has them as well


def test_a_disabled_server_survives_an_upgrade(upgradable, make_backend):
    one, two = make_backend(), make_backend()
    addresses = [text(one.address), text(two.address)]
    gateway = upgradable(one, backends={"legacy": {"address": None, "addresses": addresses}})
    assert gateway.ctl("backend", "legacy", "disable", addresses[0]).returncode == 0
    gateway.upgrade(upgrades.NEXT)
    listed = json.loads(gateway.ctl("backend", "--json").stdout)
    assert [server["state"] for server in listed] == ["disabled", "up"]
    login(gateway).close()
    assert not one.sessions


def gauges(gateway, address):
    seen = {name[len("attlsd_backend_server_"):]: value for (name, labels), value in samples(gateway).items()
            if ("server", address) in labels and ("backend", "legacy") in labels and not name.endswith("_total")}
    return seen.get("up"), seen.get("disabled"), seen.get("sessions")


def test_servers_are_counted(cluster, make_backend, folder):
    """What is known of each server, until the policy names it no more; what was counted stays."""
    port, good = net.free_port(), make_backend()
    dead = f"127.0.0.1:{port}"
    gateway = cluster([("127.0.0.1", port), good], control=os.path.join(folder, "control"), health={"interval": "1s", "fall": 2, "rise": 2})
    assert gauges(gateway, dead) == gauges(gateway, text(good.address)) == (1, 0, 0)
    with login(gateway):
        assert (gauges(gateway, dead), gauges(gateway, text(good.address))) == ((1, 0, 0), (1, 0, 1))
    while not gateway.seen("backend-down"):
        login(gateway).close()
    assert gauges(gateway, dead)[:2] == (0, 0)
    ctl(gateway, "legacy", "disable", dead)
    assert gauges(gateway, dead)[:2] == (0, 1)
    seen = samples(gateway)
    failed = seen.sum("backend_server_failures_total", server=dead)
    gateway.event("server-failed", count=int(failed))
    assert failed == seen.sum("backend_server_failures_total", server=dead, cause="refused") == len(gateway.seen("server-failed")) >= 2
    gateway.event("server-chosen", count=int(seen.sum("backend_server_chosen_total") - failed))
    assert seen.sum("backend_server_chosen_total") == len(gateway.seen("server-chosen")) + failed
    assert seen.sum("backend_server_failures_total", server=text(good.address)) == 0
    with open(gateway.path) as f:
        tree = json.load(f)
    tree["backends"]["legacy"]["addresses"].pop(0)
    gateway.write(tree)
    gateway.reload()
    assert gauges(gateway, dead) == (None, None, None) and gauges(gateway, text(good.address))[:2] == (1, 0)
    assert samples(gateway).sum("backend_server_failures_total", server=dead) == failed


def test_overview_has_the_servers(launch, make_backend, folder):
    dead, good = f"127.0.0.1:{net.free_port()}", make_backend()
    gateway = launch(backends={"legacy": {"address": None, "addresses": [dead, text(good.address)]}},
                     daemon={"workers": 2, "control_socket": os.path.join(folder, "control"), "http": "127.0.0.1:0"})
    with login(gateway):
        status, _, body = http.get(gateway, "/overview")
    one, two = json.loads(body)["backend_servers"]
    assert status == 200 and abs(one.pop("since") - time.time()) < 60 and abs(two.pop("since") - time.time()) < 60
    assert one == {"backend": "legacy", "address": dead, "state": "doubtful", "cause": "refused", "sessions": 0, "chosen": 1}
    assert two == {"backend": "legacy", "address": text(good.address), "state": "up", "cause": None, "sessions": 1, "chosen": 1}

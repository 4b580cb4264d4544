"""Health checks of load balancers and of monitoring: they cost no log line, no connection to the server and nobody's place."""
import contextlib
import os
import signal
import subprocess

import pytest

import balancer
import client as clients
import net
import servers
from proxy_header import LOCAL, v1, v2

BALANCER = "127.0.0.1"
CLIENT, HERE = ("198.51.100.9", 40000), ("127.0.0.1", 21)
UNKNOWN = b"PROXY UNKNOWN\r\n"
OWN = {"v2": LOCAL, "v2-with-addresses": v2(CLIENT, HERE, command=0x20), "v1": UNKNOWN, "v1-with-more": b"PROXY UNKNOWN ::1 ::1 1 2\r\n"}
PROBES_MAX = 32
GREETING = "220 FTP server ready."


def behind_a_balancer(**change):
    return {name: {"proxy_protocol": [BALANCER], **change} for name in ("explicit", "implicit")}


@pytest.fixture
def balanced(launch, backend):
    return launch(backend, listeners=behind_a_balancer())


def probe(gateway, header=LOCAL, **more):
    return clients.Client(gateway.explicit, header=header, **more)


def a_session(gateway, since=0):
    """A client's; afterwards the log has all lines of the checks before it."""
    gateway.event("session-start", since)
    gateway.event("session-end", since)
    return gateway.events[since:]


# --- a balancer's own connection: PROXY LOCAL or UNKNOWN ---

@pytest.mark.parametrize("header", OWN.values(), ids=OWN)
def test_a_check_reads_a_greeting_and_leaves_no_trace(balanced, backend, header):
    since = balanced.mark()
    for _ in range(5):
        with probe(balanced, header) as c:
            assert c.greeting == GREETING
    with probe(balanced, header) as c:
        c.expect("QUIT", 221)
        assert c.ended() == b""
    assert not backend.sessions
    with probe(balanced, v1(CLIENT, HERE)) as c:
        assert c.greeting == "220 Legacy FTP server"
        c.expect("QUIT", 221)
    names = [event.name for event in a_session(balanced, since)]
    assert names == ["proxy", "session-start", "session-end"], names
    assert len(backend.sessions) == 1


def test_at_debug_a_check_has_its_lines(launch, backend):
    gateway = launch(backend, listeners=behind_a_balancer(), daemon={"log": {"level": "debug"}})
    probe(gateway).close()
    assert gateway.event("session-end").level == "debug"
    assert gateway.seen("proxy", header="local")[0].level == "debug"


@pytest.mark.parametrize("zos", [False, True])
def test_a_check_of_the_implicit_port(launch, backend, zos):
    gateway = launch(backend, listeners=behind_a_balancer(), ftp={"secureimplicitzos": zos})
    net_only = net.dial(gateway.implicit)
    net_only.sendall(LOCAL)
    if zos:
        c = clients.Client(gateway.implicit, header=LOCAL)
        assert c.greeting == GREETING
        c.start_tls()
    else:
        c = clients.Client(gateway.implicit, implicit=True, header=LOCAL)
        assert c.greeting == GREETING
    net_only.close()
    assert not backend.sessions
    with c:
        c.protected = True
        assert not gateway.seen("session-start")
        c.login()
        assert backend.session()
    gateway.event("session-start")


def test_a_check_of_an_auto_port(launch, backend):
    listeners = behind_a_balancer()
    listeners["implicit"]["tls"] = "auto"
    gateway = launch(backend, listeners=listeners, ftp={"secureimplicitzos": True})
    with clients.Client(gateway.implicit, header=LOCAL, implicit=True) as c:
        assert c.greeting == GREETING
    with clients.Client(gateway.implicit, header=LOCAL) as c:
        assert c.greeting == GREETING
    assert not backend.sessions and not gateway.seen("session-start")


def test_one_that_logs_in_is_a_session_like_any_other(launch, backend):
    gateway = launch(backend, listeners=behind_a_balancer(), ftp={"secure_dataconn": "clear"},
                     daemon={"limits": {"sessions_per_source": 1}})
    with probe(gateway) as c, probe(gateway) as other:
        assert not backend.sessions
        c.auth().login().prot("C")
        assert c.get("hello.txt") == b"hello, world\r\n"
        assert gateway.event("session-start").keys["client"] == "127.0.0.1:%d" % c.sock.getsockname()[1]
        assert other.auth().cmd("USER u") == "421 The FTP server is not available, try again later."
        assert gateway.event("refused").keys["reason"] == "sessions_per_source"
    assert gateway.event("session-end", user="user")


def test_checks_have_a_limit_of_their_own(launch, backend):
    """Full of clients, attlsd still passes the check; full of checks, it still takes clients."""
    gateway = launch(backend, listeners=behind_a_balancer(), daemon={"limits": {"sessions": 2}})
    with contextlib.ExitStack() as stack:
        for n in range(2):
            stack.enter_context(probe(gateway, v1((f"198.51.100.{n}", 1), HERE)))
        for _ in range(PROBES_MAX):
            assert stack.enter_context(probe(gateway)).greeting == GREETING
        with probe(gateway, greet=False) as c:
            assert c.reply() == "421 Too many connections, try again later."
        assert gateway.event("refused").keys["reason"] == "probes"
        with probe(gateway, v1(CLIENT, HERE), greet=False) as c:
            assert c.reply().code == 421
        assert gateway.event("refused", count=2).keys["reason"] == "sessions"
    gateway.event("session-end", count=2, reason="client-closed")

    def free():
        with probe(gateway, greet=False) as c:
            return c.reply().code == 220
    net.until(free, "the places of checks are free again")


def test_a_check_without_a_header(balanced):
    since = balanced.mark()
    for end in (lambda s: s.close(), net.reset):
        end(net.dial(balanced.explicit))
    probe(balanced, v1(CLIENT, HERE)).close()
    assert [event.name for event in a_session(balanced, since)] == ["proxy", "session-start", "session-end"]


# --- connect and close, without a balancer's header ---

def come_and_go(address, ends, how):
    for end in ends:
        sock = net.dial(address)
        if how == "fin":
            sock.close()
        else:
            net.reset(sock)


@pytest.mark.parametrize("end", ["fin", "reset"])
@pytest.mark.parametrize("listener", ["explicit", "implicit"])
def test_one_that_has_left_costs_nothing(launch, backend, listener, end):
    """The monitor stands still meanwhile, so that the order is certain."""
    gateway = launch(backend, daemon={"limits": {"sessions_per_source": 3}})
    since = gateway.mark()
    os.kill(gateway.pid, signal.SIGSTOP)
    come_and_go(getattr(gateway, listener), range(10), end)
    os.kill(gateway.pid, signal.SIGCONT)
    with clients.Client(gateway.explicit):
        pass
    assert [event.name for event in a_session(gateway, since)] == ["session-start", "session-end"]
    assert len(backend.sessions) == 1


def test_one_that_leaves_on_the_way_to_the_worker_is_not_dialled_for(launch, backend, folder):
    path = os.path.join(folder, "ctl")
    gateway = launch(backend, daemon={"control_socket": path})
    (worker,) = gateway.workers()
    since = gateway.mark()

    def sessions():
        done = subprocess.run([net.ATTLSCTL, "status", "--socket", path], capture_output=True, text=True, timeout=net.DEADLINE)
        return "3 sessions" in done.stdout
    os.kill(worker, signal.SIGSTOP)
    socks = [net.dial(gateway.explicit) for _ in range(3)]
    net.until(sessions, "the worker has them")
    for sock in socks:
        sock.close()
    os.kill(worker, signal.SIGCONT)
    with clients.Client(gateway.explicit):
        pass
    assert [event.name for event in a_session(gateway, since) if event.name.startswith("session")] == ["session-start", "session-end"]
    assert len(backend.sessions) == 1


@pytest.mark.parametrize("listener", ["explicit", "implicit"])
def test_one_that_is_slow_to_leave_is_dialled_for_once(launch, backend, listener):
    gateway = launch(backend)
    (worker,) = gateway.workers()
    with net.dial(getattr(gateway, listener)):
        backend.wait(lambda: backend.sessions, "the server is dialled for one that is not known")
    gateway.event("session-end")
    before = net.descriptors(worker)
    for _ in range(20):
        with net.dial(getattr(gateway, listener)):
            net.until(lambda: net.descriptors(worker) > before, "the worker has it")
        net.until(lambda: net.descriptors(worker) <= before, "it has gone")
    with clients.Client(gateway.explicit) as c: # a client at the same address is served all the same
        assert c.greeting == "220 Legacy FTP server"
    assert len(backend.sessions) - 2 < 10, "on a busy host, some need longer than attlsd waits"


def test_commands_before_the_end_are_still_carried_out(launch, backend):
    gateway = launch(backend)
    os.kill(gateway.pid, signal.SIGSTOP)
    with net.dial(gateway.explicit) as sock:
        sock.sendall(b"FEAT\r\nQUIT\r\n")
        sock.shutdown(1)
        os.kill(gateway.pid, signal.SIGCONT)
        assert b"AUTH TLS" in net.end_of(sock)[1]


# --- a real load balancer ---

CHECKS = {
    "connect": ("check inter 100ms", ""),
    "header": ("check inter 100ms send-proxy-v2 check-send-proxy", ""),
    "header-v1": ("check inter 100ms send-proxy check-send-proxy", ""),
    "greeting": ("check inter 100ms send-proxy-v2 check-send-proxy", "option tcp-check\n    tcp-check expect string 220"),
    "dialogue": ("check inter 100ms send-proxy-v2 check-send-proxy",
                 "option tcp-check\n    tcp-check expect rstring ^220\n    tcp-check send QUIT\\r\\n\n    tcp-check expect rstring ^221"),
}


@pytest.mark.parametrize("check", CHECKS)
def test_haproxy_checks(launch, make_backend, check):
    send, option = CHECKS[check]
    backend = make_backend()
    proxied = "send-proxy" in send
    gateway = launch(backend, listeners=behind_a_balancer() if proxied else {}, daemon={"log": {"level": "debug"}})
    try:
        haproxy = balancer.Haproxy(("127.0.0.1", 9))
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    since = gateway.mark()
    try:
        haproxy.start(gateway.explicit, send, option)
        if proxied:
            # on a busy machine, a check may be over before attlsd looks at it
            net.until(lambda: len(gateway.seen("session-end") + gateway.seen("probe")) >= 8, "8 checks are over")
        else:
            haproxy.checked(8)
        assert not backend.sessions
        assert not [event for event in gateway.events[since:] if event.level != "debug"], gateway.log
        with clients.Client(haproxy.front) as c:
            assert c.greeting == "220 Legacy FTP server"
    finally:
        haproxy.stop()

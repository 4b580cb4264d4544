"""Health checks of servers: what each kind finds, that they disturb nobody, and failover of servers under TLS."""
import contextlib
import os
import signal
import time

import pytest

import client as clients
import net
import outbound
import servers
import tls_servers
from test_backends import black_hole, cluster, hanging, login, text  # noqa: F401: fixtures and helpers

OFTEN = {"interval": "1s", "fall": 2, "rise": 2, "timeout": "1s"}

def down(gateway, address, cause):
    gateway.event("backend-down", address=text(address), cause=cause)


def password_file(folder, words, mode=0o600):
    path = os.path.join(folder, "password")
    with open(path, "w") as file:
        file.write(words + "\n")
    os.chmod(path, mode)
    return path


LIARS = {
    "421": ({"greeting": "421 Too many users"}, "turned-away"),
    "greets, then closes": ({"greeting": lambda session: session.reply("220 Hello") or "close"}, "closed"),
    "closes": ({"greeting": lambda session: "close"}, "closed"),
    "garbage": ({"greeting": lambda session: session.send(b"\0\1\2\n" * 40000) or "close"}, "not-ftp"),
    "slow": ({"greeting": None}, "no-greeting"),
    "deaf": ({"QUIT": lambda session, _: None}, "no-reply"),
}


@pytest.mark.parametrize("kind", LIARS)
def test_a_lying_server_is_found_without_a_client(cluster, make_backend, kind):
    script, cause = LIARS[kind]
    liar, good = make_backend(**script), make_backend(files={"x": b"good"})
    gateway = cluster([liar, good], workers=2, health={**OFTEN, "check": "greeting"})
    down(gateway, liar.address, cause)
    with login(gateway) as c:
        assert c.get("x") == b"good"
    assert not gateway.seen("server-failed")  # no client has paid for it
    assert not gateway.seen("backend-down", address=text(good.address))


@pytest.mark.parametrize("kind", ["refused", "black hole", "hanging"])
def test_a_dead_server_is_found_without_a_client(cluster, make_backend, kind):
    good = make_backend()
    with contextlib.ExitStack() as stack:
        dead = {"refused": lambda: ("127.0.0.1", net.free_port()), "black hole": lambda: stack.enter_context(black_hole()),
                "hanging": lambda: stack.enter_context(hanging())}[kind]()
        gateway = cluster([dead, good], workers=2, health={**OFTEN, "check": "greeting"})
        down(gateway, dead, {"refused": "refused", "black hole": "connect-timeout", "hanging": "no-greeting"}[kind])
        began = time.monotonic()
        login(gateway).close()
        assert time.monotonic() - began < 0.9
        assert not gateway.seen("server-failed")


def test_real_servers_pass_every_check(launch, real_server, certificates, folder):
    """vsftpd and pyftpdlib, in the clear and under TLS, beside a dead one; none of their own is taken for dead."""
    dead = ("127.0.0.1", net.free_port())
    one, two = real_server("vsftpd"), real_server("pyftpdlib")
    checks = {"connect": {}, "greeting": {}, "login": {"user": two.user, "password_file": password_file(folder, two.password)}}
    backends = {name: {"addresses": [text(dead), text((two.host, two.port)), *([text((one.host, one.port))] if name != "login" else [])],
                       "health": {**OFTEN, "timeout": "5s", "check": name, **keys}} for name, keys in checks.items()}
    gateway = launch(backends={"legacy": {"address": None, "addresses": [text((two.host, two.port))]}, **backends}, daemon={"workers": 2})
    for name in checks:
        gateway.event("backend-down", backend=name, address=text(dead), cause="refused")
    assert len(gateway.seen("backend-down")) == len(checks)
    assert {event.keys["address"] for event in gateway.seen("check-failed")} == {text(dead)}


@pytest.mark.parametrize("start", ["explicit", "implicit"])
@pytest.mark.parametrize("name", ["vsftpd", "pyftpdlib"])
def test_tls_of_the_server_is_checked(launch, certificates, make_backend, name, start):
    """auth: with the server's own certificate it is up; a server whose certificate names another host is down."""
    if start == "implicit" and name not in tls_servers.IMPLICIT:
        pytest.skip("it has no implicit TLS")
    try:
        server = tls_servers.TlsServer(name, certificates.rsa, outbound.HOST, start == "implicit")
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        address = (server.host, server.port)
        tree = outbound.policy(certificates, address, backend={"address": None, "addresses": [text(address)],
                                                              "secure_mechanism": "implicit" if start == "implicit" else "tls",
                                                              "health": {**OFTEN, "timeout": "5s", "check": "auth"}})
        tree["backends"]["wrong"] = {**tree["backends"]["partner"], "hostname": "other.example"}
        tree["daemon"]["workers"] = 2
        gateway = launch(tree=tree)
        gateway.event("backend-down", backend="wrong", cause="tls-failed")
        assert not gateway.seen("check-failed", backend="partner")
        assert not gateway.seen("backend-down", backend="partner")
    finally:
        server.stop()


def test_a_server_without_tls_fails_auth(launch, certificates, make_backend):
    """AUTH is refused: no password is sent in the clear, whatever the check is."""
    plain = make_backend()
    tree = outbound.policy(certificates, plain.address, backend={"address": None, "addresses": [text(plain.address)], "health": {**OFTEN, "check": "auth"}})
    gateway = launch(tree=tree)
    gateway.event("backend-down", backend="partner", cause="auth-refused")
    assert set(plain.everything()) == {"AUTH TLS"}


def test_a_session_goes_on_to_the_next_server_if_tls_fails(launch, certificates):
    """Failover under TLS: a server with another one's certificate is not trusted, and the next one is."""
    started = []
    try:
        for certificate in certificates.other, certificates.rsa:
            started.append(tls_servers.TlsServer("pyftpdlib", certificate, outbound.HOST))
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        wrong, right = started
        addresses = [text((server.host, server.port)) for server in started]
        tree = outbound.policy(certificates, (right.host, right.port), backend={"address": None, "addresses": addresses})
        gateway = launch(tree=tree)
        right.put("x", b"right")
        with contextlib.closing(outbound.connect(gateway.address["clear"], right.user, right.password)) as ftp:
            assert outbound.get(ftp, "x") == b"right"
        gateway.event("server-tls-failed", address=addresses[0])
        gateway.event("server-failed", address=addresses[0], cause="tls-failed")
        gateway.event("server-chosen", address=addresses[1])
    finally:
        for server in started:
            server.stop()


@pytest.mark.parametrize("script,cause", [({"PASS": "530 Not good for you"}, "login-refused"), ({"PASS": "421 Not good for you"}, "turned-away"),
                                          ({"PASS": "Not good for you"}, "not-ftp"), ({"QUIT": "421 Not good for you"}, "turned-away"),
                                          ({"QUIT": "Not good for you"}, "not-ftp")])
def test_a_login_that_fails(cluster, make_backend, folder, script, cause):
    path = password_file(folder, "good")
    good = make_backend()
    locked = make_backend(**script)
    gateway = cluster([locked, good], workers=2, health={**OFTEN, "check": "login", "user": "probe", "password_file": path})
    down(gateway, locked.address, cause)
    assert good.verbs(0) == ["USER", "PASS", "QUIT"]
    assert good.session(0).lines[1] == "PASS good"
    assert "for you" not in gateway.log  # a server's words about a password are not logged


def test_what_greets_and_closes_stays_down_whatever_sessions_see(cluster, make_backend):
    """A greeting is enough for a session's report; a check knows better, and it decides."""
    liar = make_backend(greeting=lambda session: session.reply("220 Hello") or "close")
    gateway = cluster([liar], health={**OFTEN, "check": "greeting"})
    down(gateway, liar.address, "closed")
    for _ in range(3):
        with clients.Client(gateway.explicit) as c:
            assert c.greeting == "220 Hello"
    gateway.event("server-chosen", count=3)
    assert not gateway.seen("backend-up")


def test_a_check_is_no_session(cluster, make_backend, folder):
    """In no list, no limit and no session's log; the server hears QUIT, and with the PROXY protocol LOCAL."""
    server = make_backend(proxied=True)
    gateway = cluster([server], proxy_protocol="v2", health={**OFTEN, "check": "greeting"})
    server.wait(lambda: len(server.sessions) >= 3 and server.sessions[2].lines, "three checks")
    assert server.verbs(0) == ["QUIT"]
    assert not gateway.seen("session-start") and not gateway.seen("session-end")


def test_up_again(cluster, make_backend):
    port = net.free_port()
    gateway = cluster([("127.0.0.1", port)], workers=2, health={**OFTEN, "check": "greeting"})
    down(gateway, ("127.0.0.1", port), "refused")
    make_backend(port=port)
    gateway.event("backend-up", address=f"127.0.0.1:{port}")


def test_a_reload_and_a_dead_worker_change_nothing(cluster, make_backend):
    """The checks go on with the workers that there are."""
    port = net.free_port()
    good = make_backend()
    gateway = cluster([("127.0.0.1", port), good], workers=2, health={**OFTEN, "check": "greeting"})
    down(gateway, ("127.0.0.1", port), "refused")
    old = gateway.workers()
    assert gateway.reload()
    net.until(lambda: len(gateway.workers()) == 2 and not set(old) & set(gateway.workers()), "new workers alone")
    before = len(good.sessions)
    good.wait(lambda: len(good.sessions) >= before + 2, "checks by the new workers")
    os.kill(gateway.workers()[0], signal.SIGKILL)
    gateway.event("worker-died")
    before = len(good.sessions)
    good.wait(lambda: len(good.sessions) >= before + 2, "checks after a worker has died")
    assert not gateway.seen("backend-up")
    make_backend(port=port)
    gateway.event("backend-up", address=f"127.0.0.1:{port}")


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_password_file_that_others_can_read(launch, folder, mode):
    health = {"check": "login", "user": "probe", "password_file": password_file(folder, "secret", mode)}
    gateway = launch(backends={"legacy": {"address": None, "addresses": ["127.0.0.1:9"], "health": health}}, wait=False)
    assert gateway.ended() == 78
    assert f"its mode {mode:03o} gives other users access" in gateway.log

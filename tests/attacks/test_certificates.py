"""
Attacks with client certificates: chains that cost time and memory, and names that look like another's.

The comment above each test names the guard that it depends on. mutants.py builds the daemon with that guard
switched off and runs the test, which must then fail.
"""
import contextlib
import ssl

import pytest

import client as clients
import der
import net

VERSIONS = ["1.2", "1.3"]


@pytest.fixture
def house(folder):
    """The authority that the policy trusts."""
    return der.Authority(folder, "house")


def start(launch, backend, house, kind="required", ring=None, **change):
    tls = {"handshake_role": "server_with_client_auth", "client_auth_type": kind}
    return launch(backend, keyrings={"ftpd": {"trust": house.pem, **(ring or {})}}, tls=tls, **change)


def person(house, label, chain=()):
    return house.issue(label, der.name(("O", "Partner"), ("CN", label)), chain)


def gets_in(gateway, own, **kw):
    """In TLS 1.3 the client learns only after the handshake that it was refused."""
    with clients.Client(gateway.explicit, ctx=clients.context(own=own, **kw)) as c:
        with contextlib.suppress(ssl.SSLError, clients.Closed, ConnectionError):
            c.auth()
            return c.cmd("NOOP").code in (200, 530)
    return False


def refused(gateway, own, why, **kw):
    since = gateway.mark()
    assert not gets_in(gateway, own, **kw)
    assert why in gateway.event("tls-failed", since).keys["reason"]


# Guard: SSL_CTX_set_max_cert_list() in gateway/tls/tlsctx.c. Without it OpenSSL decodes 100 KiB of certificates in
# one step, which stops every other session of the worker for a fifth of a second.
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["required", "passthru"])
def test_81_a_long_chain_is_refused_before_it_is_read(launch, backend, house, kind, version):
    gateway = start(launch, backend, house, kind)
    long = person(house, "long", der.junk(40000, house.key.public))
    refused(gateway, long, "chain has more bytes than max_client_chain", versions=version)
    assert gets_in(gateway, person(house, "short"), versions=version)


# The same guard: a data connection takes no longer chain than the control connection.
def test_81_on_a_data_connection_too(launch, backend, house):
    gateway = start(launch, backend, house)
    with clients.explicit(gateway, "P", ctx=clients.context(own=person(house, "short"))) as c:
        data = net.dial(c.pasv())
        c.send("RETR hello.txt\r\n")
        with contextlib.suppress(ssl.SSLError, OSError):
            clients.Tls(data, clients.context(own=person(house, "long", der.junk(40000, house.key.public)))).read_all()
        assert "max_client_chain" in gateway.event("data-tls-failed").keys["reason"]


def test_81_the_policy_may_allow_more(launch, backend, house):
    gateway = start(launch, backend, house, ring={"max_client_chain": 102400})
    refused(gateway, person(house, "long", der.junk(40000, house.key.public)), "has sent a chain of")
    big = house.make(der.name(("CN", "big")), house.key.public, extensions=[der.extension("1.2.3.4", b"x" * 30000)])
    assert gets_in(gateway, person(house, "long", [big]))


# Guard: is_absurd() in gateway/tls/trust.c.
@pytest.mark.parametrize("kind", ["required", "passthru"])
def test_82_a_chain_of_many_certificates(launch, backend, house, kind):
    gateway = start(launch, backend, house, kind)
    refused(gateway, person(house, "many", der.junk(10000, house.key.public)), "has sent a chain of")


# Guard: is_absurd() in gateway/tls/trust.c.
@pytest.mark.parametrize("kind", ["required", "passthru"])
def test_83_a_giant_key(launch, backend, house, kind):
    gateway = start(launch, backend, house, kind)
    public = giant_key(16384)
    refused(gateway, person(house, "giant", [house.make(der.name(("CN", "giant")), public)]), "a key of 16384 bits")


def giant_key(bits):
    """The public half of an RSA key whose private half nobody needs."""
    n = der.number((1 << (bits - 1)) | 1)
    return der.seq(der.seq(der.oid("1.2.840.113549.1.1.1"), der.tlv(5)), der.tlv(3, b"\0", der.seq(n, der.number(65537))))


def heavy(house):
    """A client with a chain of 14 KiB."""
    big = house.make(der.name(("CN", "big")), house.key.public, extensions=[der.extension("1.2.3.4", b"x" * 13000)])
    return person(house, "heavy", [big])


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))


# Guard: tlsctx_sessions_forget() in gateway/tls/tlsctx-sessions.c, called by session_end(). Without it, each session of
# TLS 1.2 without a ticket leaves its chain in the server's cache for an hour.
def test_84_sessions_that_ended_keep_no_chain(launch, backend, house):
    gateway = start(launch, backend, house, "passthru", daemon={"limits": {"unauthenticated_per_source": 1000}})
    ctx = clients.context(own=heavy(house), versions="1.2",
                          tickets=False)
    (worker,) = gateway.workers()

    def rounds(n):
        for _ in range(n):
            with clients.Client(gateway.explicit, ctx=ctx) as c:
                c.auth().cmd("QUIT")
                c.tls.notify()
        gateway.event("session-end", count=len(gateway.seen("session-start")))
    rounds(40)
    before = resident_kib(worker)
    rounds(120)
    assert resident_kib(worker) - before < 1500, "a chain stays for each session"


# Guard: tlsctx_sessions_keep() in gateway/tls/tlsctx-sessions.c. Without it, each data connection that resumes nothing
# leaves its chain in the cache until the control session ends.
def test_85_nor_do_data_connections_pile_them_up(launch, backend, house):
    gateway = start(launch, backend, house, "passthru")
    ctx = clients.context(own=heavy(house), versions="1.2",
                          tickets=False)
    (worker,) = gateway.workers()
    with clients.explicit(gateway, "P", ctx=ctx) as c:
        for _ in range(40):
            c.get("hello.txt", session=None)
        before = resident_kib(worker)
        for _ in range(120):
            c.get("hello.txt", session=None)
        assert resident_kib(worker) - before < 1500, "a chain stays for each data connection"
        assert c.open("RETR hello.txt").reused  # the control connection's own session is still there

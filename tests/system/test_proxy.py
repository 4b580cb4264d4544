"""The PROXY protocol: headers from a load balancer, and headers to the server."""
import time

import pytest

import balancer
import client as clients
import gateway as gateways
import net
import proxy_header
import servers
from proxy_header import LOCAL, v1, v2

CLEAR = {"secure_dataconn": "clear"}
HERE = ("127.0.0.1", 21)
CLIENT = ("198.51.100.9", 40000)
BALANCER = "127.0.0.1"


def proxied(**change):
    """Both listeners behind a load balancer at 127.0.0.1."""
    return {name: {"proxy_protocol": [BALANCER, "10.0.0.0/8"], **change} for name in ("explicit", "implicit")}


def through(gateway, header, **kw):
    return clients.Client(gateway.explicit, header=header, **kw)


@pytest.fixture
def balanced(launch, backend):
    return launch(backend, ftp=CLEAR, listeners=proxied())


# --- headers from a load balancer ---

@pytest.mark.parametrize("make", [v1, v2])
@pytest.mark.parametrize("source,here", [(CLIENT, HERE), (("2001:db8::9", 40000), ("2001:db8::1", 21))])
def test_a_session_is_the_clients(balanced, make, source, here):
    with through(balanced, make(source, here)) as c:
        c.auth().login()
        event = balanced.event("session-start")
        host = f"[{source[0]}]" if ":" in source[0] else source[0]
        assert event.keys["client"] == f"{host}:{source[1]}"
        assert balanced.event("proxy").keys["header"] == "client"


@pytest.mark.parametrize("make", [v1, v2])
def test_it_comes_before_implicit_tls(balanced, make):
    with clients.Client(balanced.implicit, implicit=True, header=make(CLIENT, HERE)) as c:
        c.login()
    assert balanced.event("session-start").keys["client"] == "198.51.100.9:40000"


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n", v2(CLIENT, HERE, command=0x20)])
def test_local_and_unknown_keep_the_addresses(balanced, header):
    with through(balanced, header) as c:
        c.auth().login().prot("C")
        assert c.pasv()[0] == "127.0.0.1"
        assert c.get("hello.txt") == b"hello, world\r\n"
    assert balanced.event("session-start").keys["client"].startswith("127.0.0.1:")


def test_byte_by_byte_and_with_a_command_behind_it(balanced):
    with through(balanced, b"", greet=False) as c:
        for byte in v1(CLIENT, HERE):
            c.sock.sendall(bytes([byte]))
        assert c.reply().code == 220
    with through(balanced, v2(CLIENT, HERE) + b"FEAT\r\n") as c:
        assert c.greeting.code == 220
        assert "AUTH TLS" in c.reply()
    with through(balanced, v1(CLIENT, HERE) + b"LIST\r\n") as c:
        assert c.reply().code == 534  # the policy requires TLS, so this is the reply to a command


@pytest.mark.parametrize("first,reason", [
    (b"USER x\r\n", "no header"),
    (b"\x16\x03\x01\x02\x00\x01\x00", "no header"),
    (b"PROXY TCP4 198.51.100.9\r\n", "a malformed version 1 line"),
    (b"PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\n", "a malformed version 1 line"),
    (b"PROXY " + b"x" * 120, "a version 1 line that is too long"),
    (proxy_header.SIGNATURE + b"\x21\x11\xff\xff", "a version 2 header that is too long"),
    (proxy_header.SIGNATURE + b"\x21\x31\0\0", "a malformed version 2 header"),
    (proxy_header.SIGNATURE + b"\x11", "an unknown version or command"),
    (v2(CLIENT, HERE, tlvs=b"\x04\xff\xff"), "a malformed version 2 header")])
@pytest.mark.parametrize("listener", ["explicit", "implicit"])
def test_anything_but_a_header_ends_the_connection(balanced, listener, first, reason):
    with net.dial(getattr(balanced, listener)) as sock:
        sock.sendall(first)
        assert net.end_of(sock)[1] == b""
    assert balanced.event("proxy-failed", reason=reason).keys["listener"] == listener
    balanced.event("session-end", reason="proxy-header")


def test_no_header_in_time(launch, backend):
    gateway = launch(backend, ftp=CLEAR, listeners=proxied(), tls={"handshake_timeout": "1s"})
    with net.dial(gateway.explicit) as nothing, net.dial(gateway.implicit) as half:
        half.sendall(v1(CLIENT, HERE)[:-1])
        assert net.end_of(nothing)[1] == b"" and net.end_of(half)[1] == b""
    gateway.event("proxy-failed", count=2, reason="no complete header in time")


def test_a_client_that_hangs_up_inside_its_header(balanced):
    with net.dial(balanced.explicit) as sock:
        sock.sendall(v1(CLIENT, HERE)[:9])
    balanced.event("proxy-failed", reason="closed before its header")


def test_an_untrusted_peer_is_refused(balanced):
    with net.dial(balanced.explicit, ("127.0.0.2", 0)) as sock:
        try:
            sock.sendall(v1(CLIENT, HERE))
        except ConnectionError:
            pass
        assert net.end_of(sock)[1] == b""
    assert balanced.event("refused").keys["reason"] == "not-a-trusted-proxy"
    assert not balanced.seen("session-start")


def test_rules_are_for_the_client(launch, backend):
    gateway = launch(backend, ftp=CLEAR, listeners=proxied(), rules={"everyone": {
        "match": {"remote_addr": "198.51.100.0/24", "local_addr": "192.0.2.1"}}})
    with through(gateway, v1(CLIENT, ("192.0.2.1", 21))) as c:
        assert c.greeting.code == 220
    with through(gateway, v1(("203.0.113.1", 1), ("192.0.2.1", 21)), greet=False) as c:
        assert c.reply() == "421 No policy rule allows this connection."
    with through(gateway, v1(CLIENT, ("192.0.2.2", 21)), greet=False) as c:
        assert c.reply().code == 421


def test_limits_count_the_client(launch, backend):
    gateway = launch(backend, ftp=CLEAR, listeners=proxied(), daemon={"limits": {"sessions_per_source": 2}})
    held = [through(gateway, v1(CLIENT, HERE)) for _ in range(2)]
    with through(gateway, v1(CLIENT, HERE), greet=False) as c:
        assert c.reply() == "421 Too many connections, try again later."
        assert c.ended() == b""
    event = gateway.event("refused")
    assert event.keys["reason"] == "sessions_per_source" and event.keys["client"].startswith("198.51.100.9:")
    others = [through(gateway, v1((f"198.51.100.{n}", 1), HERE)) for n in range(20, 30)]
    held.pop().close()
    gateway.event("session-end", reason="client-closed")
    net.until(lambda: admitted(gateway), "the place is free again")
    for c in held + others:
        c.close()


def admitted(gateway):
    with through(gateway, v1(CLIENT, HERE), greet=False) as c:
        return c.reply().code == 220


def test_failed_logins_are_the_clients(launch, make_backend):
    gateway = launch(make_backend(PASS="530 no"), listeners=proxied(), ftp={**CLEAR, "login_delay": "100ms"})

    def waits(source):
        with through(gateway, v1((source, 1), HERE)) as c:
            c.auth()
            start = time.monotonic()
            c.cmd("USER u")
            assert c.cmd("PASS x").code == 530
            return time.monotonic() - start
    assert waits("198.51.100.9") < 0.09
    assert waits("198.51.100.9") >= 0.04  # of the 0.1 s since the failure, the handshake took some
    assert waits("198.51.100.9") >= 0.12
    assert waits("198.51.100.10") < 0.12


def is_turned_away(address, source):
    try:
        with net.dial(address, (source, 0)) as sock:
            return net.end_of(sock) == ("reset", b"")
    except ConnectionResetError:
        return True


def test_data_from_the_balancer_only_where_policy_says_so(launch, backend):
    for allowed in (False, True):
        gateway = launch(backend, ftp=CLEAR, listeners=proxied(proxy_data=allowed))
        with through(gateway, v1(CLIENT, HERE)) as c:
            c.auth().login().prot("C")
            told = c.pasv()
            assert told[0] == "127.0.0.1"
            assert is_turned_away(told, "127.0.0.2")
            if not allowed:
                assert is_turned_away(told, BALANCER)
                gateway.event("data-peer-refused", count=2)
                continue
            data = net.dial(told)
            c.expect("RETR hello.txt", 150)
            assert net.end_of(data) == ("fin", b"hello, world\r\n")


def test_data_of_the_true_client(balanced):
    """The client 127.0.0.2 opens data connections itself; the PROXY header names an address that this host does not have."""
    with through(balanced, v1(("127.0.0.2", 40000), ("192.0.2.1", 21))) as c:
        c.auth().login().prot("C")
        host, port = c.pasv()
        assert host == "192.0.2.1"
        data = net.dial(("127.0.0.1", port), ("127.0.0.2", 0))
        c.expect("RETR hello.txt", 150)
        assert net.end_of(data) == ("fin", b"hello, world\r\n")
        assert c.reply().code == 226
        with net.listen("127.0.0.2") as listener:
            c.port(listener)
            c.expect("RETR hello.txt", 150)
            data, peer = listener.accept()
            assert peer[0] == "127.0.0.1"
            assert net.end_of(data) == ("fin", b"hello, world\r\n")


def test_drain_does_not_wait_for_headers(balanced):
    with net.dial(balanced.explicit) as sock:
        sock.sendall(b"PROXY")
        net.until(lambda: balanced.workers(), "worker")
        balanced.stop()
        assert net.end_of(sock)[1] == b""


def test_the_language_of_listeners(certificates, folder):
    def check(listener, fault):
        with open(folder + "/policy.yaml", "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), listeners={"explicit": listener})))
        status, said = gateways.check(folder + "/policy.yaml")
        assert status == 1 and fault in said, said
    check({"proxy_data": True}, 'has no effect without "proxy_protocol"')
    check({"proxy_protocol": ["1.2.3.4"], "transparent": True}, "cannot be transparent")
    check({"proxy_protocol": []}, "is an empty list")


# --- headers to the server ---

def towards(version, **change):
    return {"legacy": {"proxy_protocol": version, **change}}


def test_v1_to_the_server(launch, make_backend):
    backend = make_backend(files={"x": b"x"}, proxied=True)
    gateway = launch(backend, ftp=CLEAR, backends=towards("v1"))
    with clients.explicit(gateway, "C") as c:
        assert c.greeting == "220 Legacy FTP server"
        assert backend.session().header == {"version": 1, "source": c.sock.getsockname(),
                                            "destination": gateway.explicit}
        assert c.get("x") == b"x"


def test_from_the_balancer_to_the_server(launch, make_backend):
    backend = make_backend(proxied=True)
    gateway = launch(backend, listeners=proxied(), backends=towards("v1"))
    with through(gateway, v2(("2001:db8::9", 40000), ("2001:db8::1", 21))):
        assert backend.session().header == {"version": 1, "source": ("2001:db8::9", 40000),
                                            "destination": ("2001:db8::1", 21)}


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["explicit", "implicit", "zos"])
def test_v2_tells_of_tls(launch, make_backend, mode, tls):
    backend = make_backend(files={"x": b"x" * 100000}, proxied=True)
    gateway = launch(backend, ftp={**CLEAR, "secureimplicitzos": mode == "zos"}, backends=towards("v2"))
    ctx = clients.context(versions=tls, alpn=["ftp"])
    if mode == "implicit":
        c = clients.Client(gateway.implicit, implicit=True, ctx=ctx, name="ftp.example")
        assert c.greeting == "220 Legacy FTP server"
    elif mode == "zos":
        c = clients.Client(gateway.implicit, ctx=ctx)
        assert c.greeting == "220 FTP server ready."
        c.start_tls(name="ftp.example").protected = True
    else:
        c = clients.Client(gateway.explicit, ctx=ctx)
        assert c.greeting == "220 FTP server ready."
        feat = c.cmd("FEAT")
        assert "AUTH TLS" in feat and "MDTM" not in feat
        assert not backend.sessions
        c.auth(name="ftp.example")
        assert "MDTM" in c.cmd("FEAT")
    with c:
        c.login()
        if mode == "explicit":
            c.prot("P")
        header = backend.session().header
        assert header["version"] == 2 and header["command"] == 0x21
        assert header["source"] == c.sock.getsockname() and header["destination"] == c.address
        assert header["authority"] == b"ftp.example" and header["alpn"] == b"ftp"
        assert header["ssl"]["client"] == 1 and header["ssl"]["verify"] == 1
        assert header["ssl"]["version"] == b"TLSv" + tls.encode()
        assert header["ssl"]["cipher"].decode() == c.tls.ssl.cipher()[0]
        assert c.get("x") == backend.files["x"]
    assert len(backend.sessions) == 1


def test_v2_tells_of_the_certificate(launch, make_backend, certificates):
    backend = make_backend(proxied=True)
    gateway = launch(backend, backends=towards("v2"), tls={"handshake_role": "server_with_client_auth"},
                     keyrings={"ftpd": {"trust": certificates.ca.pem}})
    ctx = clients.context()
    user = certificates.ecdsa
    ctx.load_cert_chain(user["chain"], user["key"])
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth().login()
        said = backend.session().header["ssl"]
        assert said["client"] == 7 and said["verify"] == 0
        subject = gateway.event("client-certificate").keys["subject"]
        assert "CN=" + said["cn"].decode() in subject


def test_v2_in_the_clear_says_nothing_of_tls(launch, make_backend):
    backend = make_backend(files={"x": b"x"}, proxied=True)
    gateway = launch(backend, ftp={**CLEAR, "secure_ftp": "allowed", "secure_ctrlconn": "clear"}, backends=towards("v2"))
    with clients.Client(gateway.explicit) as c:
        c.login()
        assert "ssl" not in backend.session().header
        assert c.get("x") == b"x"
        c.auth().login()
        assert backend.session(1).header["ssl"]["client"] == 1
        assert c.prot("C").get("x") == b"x"
        c.expect("REIN", 220)
    assert len(backend.sessions) == 2
    backend.wait(lambda: backend.sessions[0].end, "the end of the first connection")


def test_nothing_is_dialled_for_who_says_nothing(launch, make_backend):
    backend = make_backend(proxied=True)
    gateway = launch(backend, backends=towards("v2"))
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
    with clients.Client(gateway.explicit) as c:
        c.auth().expect("PBSZ 0", 200)
        c.expect("QUIT", 221)
        assert c.ended() == b""
    gateway.event("session-end", count=2)
    assert not backend.sessions


def test_a_server_that_is_not_there(launch, make_backend):
    gateway = launch(("127.0.0.1", net.free_port()), backends=towards("v2"))
    with clients.Client(gateway.explicit) as c:
        assert c.auth().cmd("USER u") == "421 The FTP server is not available, try again later."
    gateway.event("server-down")


def test_commands_that_come_together(launch, make_backend):
    backend = make_backend(proxied=True)
    gateway = launch(backend, backends=towards("v2"))
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.send("USER u\r\nPASS p\r\nPWD\r\nQUIT\r\n")
        assert [c.reply().code for _ in range(4)] == [331, 230, 257, 221]
    assert backend.verbs() == ["USER", "PASS", "PWD", "QUIT"]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("data", ["passive", "active"])
def test_data_connections_to_the_server(launch, make_backend, version, data):
    backend = make_backend(files={"x": b"x" * 300000}, proxied=True, proxied_data=True)
    gateway = launch(backend, ftp=CLEAR, backends=towards(version, proxy_data=True, data=data))
    with clients.explicit(gateway, "P") as c:
        for _ in range(3):
            assert c.get("x") == backend.files["x"]
        assert c.put("up", b"y" * 100000).code == 226
        assert backend.upload("up") == (b"y" * 100000, "fin")
        session = backend.session()
        assert len(session.data_headers) == (4 if data == "passive" else 0)
        assert all(header == session.header for header in session.data_headers)


def test_data_connections_have_no_header_by_default(launch, make_backend):
    backend = make_backend(files={"x": b"x"}, proxied=True)
    gateway = launch(backend, ftp=CLEAR, backends=towards("v2"))
    with clients.explicit(gateway, "C") as c:
        assert c.get("x") == b"x"
        c.put("up", b"yy")
        assert backend.upload("up") == (b"yy", "fin")


# --- with a real load balancer ---

@pytest.fixture
def haproxy(real_server):
    ftp = real_server("pyftpdlib")
    try:
        made = balancer.Haproxy((ftp.host, ftp.port))
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    made.ftp = ftp
    yield made
    made.stop()


@pytest.mark.parametrize("listener", ["explicit", "implicit"])
@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_between_two_of_haproxy(launch, haproxy, listener, send, version):
    gateway = launch(haproxy.behind, ftp=CLEAR, listeners=proxied(), backends=towards(version))
    haproxy.start(getattr(gateway, listener), send)
    ftp = haproxy.ftp
    content = b"through all of them\r\n" * 10000
    ftp.put("balanced", content)
    if listener == "explicit":
        c = clients.Client(haproxy.front).auth(name="ftp.example")
    else:
        c = clients.Client(haproxy.front, implicit=True, name="ftp.example")
    with c:
        own = "%s:%d" % c.sock.getsockname()
        c.login(ftp.user, ftp.password)
        if listener == "explicit":
            c.prot("P")
        assert c.get(ftp.where + "balanced") == content
        assert c.get(ftp.where + "balanced", "EPSV") == content
        c.expect("QUIT", 221)
    assert gateway.event("session-start").keys["client"] == own
    said = haproxy.heard("behind " + own)
    assert "authority=" + ("ftp.example" if version == "v2" else "-") in said

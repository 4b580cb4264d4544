"""
TLS toward real servers: clients in the clear, and re-encryption. No command and no byte of a file leaves in the clear.
Writes its tables to outbound.md in the build folder; refresh-interop.sh copies them to docs/INTEROP.md.
"""
import itertools
import os

import pytest

import clear_clients
import client
import gateway as gateways
import net
import outbound
import outbound_table
import servers
import tap
import tls_servers

VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
CELLS = [(name, start) for name in [*tls_servers.NAMES, "attlsd"] for start in ("explicit", "implicit")
         if start == "explicit" or name in [*tls_servers.IMPLICIT, "attlsd"]]


class Attlsd:
    """attlsd itself as the partner: its data connections must resume their control connection's session."""

    def __init__(self, launch, certificates, inner, start, ftp=None):
        self.gateway = launch(tree=gateways.policy(certificates, (inner.host, inner.port),
                                                   ftp={"secure_session_reuse": "required", **(ftp or {})},
                                                   listeners={"explicit": {"address": f"{outbound.HOST}:0"},
                                                              "implicit": {"address": f"{outbound.HOST}:0"}}))
        self.host, self.port = self.gateway.address[start]
        self.user, self.password, self.where, self.files = inner.user, inner.password, inner.where, inner.files

    def commands(self):
        return None


@pytest.fixture(scope="module")
def tls_server(certificates):
    running = {}

    def get(name, start, **how):
        key = name, start, str(how)
        if key not in running:
            try:
                running[key] = tls_servers.TlsServer(name, certificates.rsa, outbound.HOST, start == "implicit", **how)
            except servers.Unavailable as reason:
                running[key] = reason
        if isinstance(running[key], servers.Unavailable):
            pytest.skip(str(running[key]))
        return running[key]
    yield get
    for server in running.values():
        if isinstance(server, servers.Server):
            server.stop()


@pytest.fixture
def partner(tls_server, real_server, launch, certificates):
    """partner(NAME, START): a server that speaks TLS, on an address of its own."""
    def get(name, start, **how):
        if name != "attlsd":
            return tls_server(name, start, **how)
        return Attlsd(launch, certificates, real_server("pyftpdlib"), start, **how)
    return get


@pytest.fixture
def wire():
    """A tap on the servers' address; payloads: what has gone over it, after the test's sessions."""
    if not net.IS_ROOT:
        pytest.skip("a tap on the loopback interface needs root")
    yield (it := tap.Tap(outbound.HOST))
    if not it.over:
        it.stop()


@pytest.fixture(scope="module")
def table():
    results = outbound_table.Table(CELLS)
    yield results
    results.write(os.path.join(net.BUILD, "outbound.md"))


def assert_nothing_clear(payloads, *secrets):
    everything = b"\n".join(payloads)
    assert b"\x17\x03\x03" in everything, "the tap has seen no TLS"
    for secret in (b"USER ", b"PASS ", b"STOR ", b"RETR ", outbound.MARKER, *secrets):
        assert secret not in everything, f"{secret} in the clear"


def assert_files(server, files):
    for name, data in files.items():
        with open(os.path.join(server.files, name), "rb") as f:
            assert f.read() == data, f"{name} differs on the server"


def reuse_of(name):
    """Sessions are required to resume, but of Pure-FTPd, which resumes none in TLS 1.3."""
    return lambda version: "allowed" if name == "pure-ftpd" and version == "1.3" else "required"


def mechanism(start):
    return {"secure_mechanism": "implicit"} if start == "implicit" else {}


def test_the_tap_sees_a_session_in_the_clear(launch, certificates, make_backend, wire):
    backend = make_backend(host=outbound.HOST, files={"file": outbound.content(1)})
    gateway = launch(tree=outbound.policy(certificates, backend.address, backend={"tls": None, "hostname": None}))
    ftp = outbound.connect(gateway.address["clear"], "user", "secret")
    outbound.get(ftp, "file")
    ftp.quit()
    everything = b"".join(wire.stop())
    assert b"USER user" in everything and b"PASS secret" in everything and outbound.MARKER in everything


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name, start", CELLS)
def test_real_servers(name, start, version, partner, launch, certificates, folder, wire):
    """Every client in the clear, in the way that it prefers; with TLS 1.2, ftplib alone."""
    server = partner(name, start)
    reuse = reuse_of(name)(version)
    gateway = launch(tree=outbound.policy(certificates, (server.host, server.port), tls={"versions": ["tls" + version]},
                                          backend={"secure_session_reuse": reuse, **mechanism(start)}))
    account = gateway.address["clear"], server.user, server.password, server.where, folder
    assert_files(server, outbound.with_ftplib(*account))
    for each in clear_clients.ALL.values():
        if version == "1.3" and not each.needs():
            assert_files(server, outbound.with_client(each, each.modes[0], *account))
    up = gateway.event("server-tls", version=VERSIONS[version], hostname="localhost", level="P")
    assert up.keys["issuer"] == "CN=attlsd test CA"
    if reuse == "required":
        assert not gateway.seen("data-server-tls", resumed="no")
    assert gateway.seen("transfer", server_prot="P", prot="C") and not gateway.seen("transfer", server_prot="C")
    assert_nothing_clear(wire.stop())


@pytest.mark.parametrize("name", clear_clients.ALL)
def test_clients(name, partner, launch, certificates, folder, table):
    """Each client in the clear, in every way that it has."""
    each = clear_clients.ALL[name]
    if each.needs():
        pytest.skip(each.needs())
    server = partner("vsftpd", "explicit")
    gateway = launch(tree=outbound.policy(certificates, (server.host, server.port), backend={"secure_session_reuse": "required"}))
    for mode in each.modes:
        table.note(name, mode, result="FAILED")
        assert_files(server, outbound.with_client(each, mode, gateway.address["clear"], server.user, server.password, server.where, folder))
        table.note(name, mode, result="ok")


def play(leg, address, server, data):
    """A session with an upload and a download."""
    name = server.where + "way"
    if leg == "clear":
        ftp = outbound.connect(address, server.user, server.password)
        outbound.put(ftp, name, data)
        assert outbound.get(ftp, name) == data
        ftp.quit()
        return
    with client.Client(address).auth() as c:
        c.login(server.user, server.password).prot("P")
        assert c.put(name, data).code == 226
        assert c.get(name) == data
        c.expect("QUIT", 221)


def seen(gateway, since, leg, version):
    """What the log says of the session since then."""
    gateway.event("session-end", since)
    assert len(gateway.seen("transfer", since, result="ok", server_prot="P", prot={"clear": "C", "TLS": "P"}[leg])) == 2
    legs = gateway.seen("data-server-tls", since, version=VERSIONS[version])
    assert len(legs) == 2
    return "resumed" if all(each.keys["resumed"] == "yes" for each in legs) else "ok"


@pytest.mark.parametrize("name, start", CELLS)
def test_ways(name, start, partner, launch, certificates, wire, table):
    """
    Clients in the clear and under TLS, whose AUTH, PBSZ and PROT are the gateway's, and each way to a data connection with
    the server: what the server and the wire have seen.
    """
    server = partner(name, start)
    gateway = launch(tree=outbound.ways(certificates, (server.host, server.port), VERSIONS, reuse_of(name), **mechanism(start)))
    for number, (leg, version, mode) in enumerate(itertools.product(outbound_table.LEGS, VERSIONS, outbound.MODES)):
        table.note(name, start, leg, version, mode, result="FAILED")
        since, opened, said = gateway.mark(), len(wire.opened), len(server.commands() or [])
        data = outbound.content(number, 20_000)
        play(leg, gateway.address[f"{leg}-{version}-{mode}"], server, data)
        result = seen(gateway, since, leg, version)
        assert_files(server, {"way": data})
        net.until(lambda: len(wire.opened) >= opened + 3, "the tap sees three connections")
        active = mode in ("EPRT", "PORT")
        assert wire.opened[opened:] == [False, active, active]
        if server.commands() is not None:
            assert {verb for verb in server.commands()[said:] if verb in outbound.MODES} == {mode}
        table.note(name, start, leg, version, mode, result=result)
    assert_nothing_clear(wire.stop())


@pytest.mark.parametrize("level", ["rfc4217", "cccnonotify"])
@pytest.mark.parametrize("name", ["attlsd", "proftpd"])
def test_ccc_after_login(name, level, partner, launch, certificates, folder, wire):
    """After the login firewalls see the ports; the login and the files stay protected."""
    change = {"ftp": {"secure_ctrlconn": "clear", "tlsrfclevel": level}} if name == "attlsd" else {}
    if name == "attlsd":
        server = partner(name, "explicit", **change)
    else:
        server = partner(name, "explicit", required="auth+data")
    gateway = launch(tree=outbound.policy(certificates, (server.host, server.port),
                                          backend={"ccc": "after_login", "secure_ctrlconn": "clear", "tlsrfclevel": level,
                                                   "secure_session_reuse": "required"}))
    files = outbound.with_ftplib(gateway.address["clear"], server.user, server.password, server.where, folder)
    assert_files(server, files)
    assert gateway.event("server-tls-cleared")
    everything = b"\n".join(wire.stop())
    assert b"EPSV" in everything and b"USER " not in everything and b"PASS " not in everything
    assert outbound.MARKER not in everything


@pytest.mark.skipif(net.sanitized(), reason="the sanitizer needs what the signer's filter forbids")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("isolated", [False, True], ids=["in the worker", "in the signer"])
def test_client_certificate(version, isolated, launch, certificates, partners, folder):
    """The gateway shows the certificate of its key ring, and its key may be in the signer: it signs only as a client."""
    chain, key = partners.ca.issue(f"gateway-{version}-{isolated}")
    os.chmod(key, 0o644)
    try:
        server = tls_servers.TlsServer("vsftpd", certificates.rsa, outbound.HOST,
                                       options=f"require_cert=YES\nvalidate_cert=YES\nca_certs_file={partners.ca.pem}\n")
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        ring = {"certificates": [{"chain": chain, "key": key}]}
        tree = outbound.policy(certificates, (server.host, server.port), tls={"versions": ["tls" + version]},
                               backend={"secure_session_reuse": "required"}, daemon={"key_isolation": isolated},
                               keyrings={"partners": ring})
        gateway = launch(tree=tree)
        files = outbound.with_ftplib(gateway.address["clear"], server.user, server.password, server.where, folder)
        assert_files(server, files)
        assert gateway.event("server-tls", version=VERSIONS[version])
        # without it the server lets nobody in
        other = launch(tree=gateways.merge(tree, {"keyrings": {"partners": {"certificates": None}}}))
        client.Client(other.address["clear"], greet=False).assert_ends(220, 421)
        assert "alert" in other.event("server-tls-failed").keys["reason"]
    finally:
        server.stop()

"""TLS toward real servers: clients in the clear, and re-encryption. No command and no byte of a file leaves in the clear."""
import os
import shutil

import pytest

import client
import gateway as gateways
import net
import outbound
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


def assert_nothing_clear(payloads, *secrets):
    everything = b"\n".join(payloads)
    assert b"\x17\x03\x03" in everything, "the tap has seen no TLS"
    for secret in (b"USER ", b"PASS ", b"STOR ", b"RETR ", outbound.MARKER, *secrets):
        assert secret not in everything, f"{secret} in the clear"


def assert_files(server, files):
    for name, data in files.items():
        with open(os.path.join(server.files, name), "rb") as f:
            assert f.read() == data, f"{name} differs on the server"


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
    """Sessions are required to resume, but of Pure-FTPd, which resumes none in TLS 1.3."""
    server = partner(name, start)
    reuse = "allowed" if name == "pure-ftpd" and version == "1.3" else "required"
    gateway = launch(tree=outbound.policy(certificates, (server.host, server.port), tls={"versions": ["tls" + version]},
                                          backend={"secure_session_reuse": reuse, **mechanism(start)}))
    for run in outbound.CLIENTS:
        files = run(gateway.address["clear"], server.user, server.password, server.where, folder)
        assert_files(server, files)
    up = gateway.event("server-tls", version=VERSIONS[version], hostname="localhost", level="P")
    assert up.keys["issuer"] == "CN=attlsd test CA"
    if reuse == "required":
        assert not gateway.seen("data-server-tls", resumed="no")
    assert gateway.seen("transfer", server_prot="P", prot="C") and not gateway.seen("transfer", server_prot="C")
    assert_nothing_clear(wire.stop())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name, start", [cell for cell in CELLS if cell[1] == "explicit"])
def test_re_encryption(name, start, version, partner, launch, certificates, wire):
    """Both legs under TLS; the client's AUTH, PBSZ and PROT are the gateway's, not the server's."""
    server = partner(name, start)
    gateway = launch(tree=outbound.policy(certificates, (server.host, server.port), tls={"versions": ["tls" + version]}))
    with client.Client(gateway.explicit).auth() as c:
        c.login(server.user, server.password)
        c.prot("P")
        for number in range(3):
            c.put(server.where + "both", outbound.content(number))
            assert c.get(server.where + "both") == outbound.content(number)
        c.expect("QUIT", 221)
    assert gateway.event("transfer", count=6, prot="P", server_prot="P")
    assert_files(server, {"both": outbound.content(2)})
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

"""Client certificates: which clients each ClientAuthType accepts; a resumed session never bypasses the check."""
import os
import shutil
import ssl
import subprocess

import pytest

import certs
import client as clients
import gateway as gateways
import net

TYPES = ["passthru", "full", "required", "safcheck"]
VERSIONS = ["1.2", "1.3"]
USERS = {"U1": {"certificates": [{"subject": "CN=user1,O=Partner"}]}}

# type -> certificate -> None if accepted, else the reason in the log
ANY = {"none": None, "good": None, "other CA": None, "expired": None}
CHECKED = {"none": None, "good": None, "other CA": "certificate verify failed: unable to get local issuer certificate",
           "expired": "certificate verify failed: certificate has expired"}
NEEDED = {**CHECKED, "none": "peer did not return a certificate"}
WANT = {"passthru": ANY, "full": CHECKED, "required": NEEDED, "safcheck": NEEDED}


def auth(kind, **more):
    return {"handshake_role": "server_with_client_auth", "client_auth_type": kind, **more}


def start(launch, backend, certificates, kind, trust, crl=None, **change):
    ring = {"certificates": [certificates.ecdsa, certificates.rsa]}
    if trust:
        ring["trust"] = trust
    if crl:
        ring["crl"] = crl
    if kind == "safcheck":
        change.setdefault("users", USERS)
    change.setdefault("tls", auth(kind))
    return launch(backend, keyrings={"ftpd": ring}, **change)


def gets_in(address, ctx, implicit=False, session=None):
    """True, or False if the handshake fails. In TLS 1.3, a client learns that only after the handshake."""
    with clients.Client(address, greet=not implicit, ctx=ctx) as c:
        try:
            if implicit:
                c.tls = clients.Tls(c.sock, ctx, session=session)
                assert c.reply().code == 220
            else:
                c.auth(session=session)
            assert c.cmd("NOOP").code in (200, 530)
            return True
        except (ssl.SSLError, clients.Closed, ConnectionError):
            return False


def expect(gateway, want, ctx, listener="explicit"):
    since = gateway.mark()
    assert gets_in(gateway.address[listener], ctx, listener == "implicit") == (want is None)
    if want is None:
        gateway.event("tls", since)
    else:
        assert want in gateway.event("tls-failed", since).keys["reason"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", TYPES)
def test_types(launch, backend, certificates, partners, kind, version):
    gateway = start(launch, backend, certificates, kind, partners.ca.pem)
    for cert, want in WANT[kind].items():
        for listener in "explicit", "implicit":
            expect(gateway, want, clients.context(versions=version, own=partners.cert[cert]), listener)


@pytest.mark.parametrize("version", VERSIONS)
def test_passthru_needs_no_trust(launch, backend, certificates, partners, version):
    gateway = start(launch, backend, certificates, "passthru", None)
    for cert in ANY:
        expect(gateway, None, clients.context(versions=version, own=partners.cert[cert]))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_certificate_is_no_client_certificate(launch, backend, certificates, partners, folder, version):
    """extendedKeyUsage matters: a certificate for a server is not accepted from a client."""
    ca = certs.ClientAuthority(folder, "house")
    with open(ca.base + ".cnf") as f:
        config = f.read()
    with open(ca.base + ".cnf", "w") as f:
        f.write(config.replace("clientAuth", "serverAuth"))
    gateway = start(launch, backend, certificates, "required", ca.pem)
    expect(gateway, "certificate purpose",
           clients.context(versions=version, own=ca.issue("web")))


def test_whole_sessions_with_data(launch, backend, certificates, partners):
    gateway = start(launch, backend, certificates, "required", partners.ca.pem)
    for version in VERSIONS:
        for mode in "PASV", "EPSV", "PORT":
            with clients.explicit(gateway, "P", ctx=clients.context(versions=version, own=partners.cert["good"])) as c:
                assert c.get("big", mode) == backend.files["big"]
                assert c.put("up", b"x" * 100000, mode).code == 226


def rehashed(partners, folder):
    path = os.path.join(folder, "authorities")
    os.mkdir(path)
    shutil.copy(partners.ca.pem, path)
    subprocess.run(["openssl", "rehash", path], check=True)
    return path


def client_authorities(gateway):
    """The CA names, one per line. The command sets their format, which differs between releases of OpenSSL."""
    out = subprocess.run(["openssl", "s_client", "-nameopt", "RFC2253", "-connect", "%s:%d" % gateway.implicit],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20).stdout
    return out.partition("Acceptable client certificate CA names\n")[2].partition("Requested Signature")[0]


def test_trust_in_a_folder(launch, backend, certificates, partners, folder):
    path = rehashed(partners, folder)
    gateway = start(launch, backend, certificates, "required", path)
    shutil.rmtree(path)  # attlsd has read all files together with the policy
    for cert, want in NEEDED.items():
        expect(gateway, want, clients.context(own=partners.cert[cert]))
    assert "CN=partners," in client_authorities(gateway)


def test_trust_of_the_system(launch, backend, certificates, partners, folder, monkeypatch):
    """The virtual key ring is OpenSSL's default store; the client gets no list of CA names."""
    monkeypatch.setenv("SSL_CERT_DIR", rehashed(partners, folder))
    monkeypatch.setenv("SSL_CERT_FILE", os.path.join(folder, "none"))
    gateway = start(launch, backend, certificates, "required", "*AUTH*/*")
    for cert, want in NEEDED.items():
        expect(gateway, want, clients.context(own=partners.cert[cert]))
    assert client_authorities(gateway) == ""


def test_several_authorities_in_a_file(launch, backend, certificates, partners, folder):
    both = certs.join(os.path.join(folder, "both.pem"), partners.strangers.pem, partners.ca.pem)
    gateway = start(launch, backend, certificates, "required", both)
    for cert, want in {**NEEDED, "other CA": None}.items():
        expect(gateway, want, clients.context(own=partners.cert[cert]))
    assert "CN=partners," in client_authorities(gateway) and "CN=strangers," in client_authorities(gateway)


def test_the_list_of_authorities_is_not_for_passthru(launch, backend, certificates, partners):
    gateway = start(launch, backend, certificates, "passthru", partners.ca.pem)
    assert client_authorities(gateway) == ""


def test_an_intermediate_alone_is_no_trust(launch, backend, certificates, folder):
    root = certs.ClientAuthority(folder, "root")
    sub = certs.ClientAuthority(folder, "sub", root)
    own = sub.issue("user1")
    gateway = start(launch, backend, certificates, "required", sub.pem)
    expect(gateway, "certificate verify failed: unable to get issuer certificate", clients.context(own=own))


def broken(partners, folder):
    """Files that cannot be used as trust, and their error messages."""
    def write(name, content):
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(content)
        return path
    with open(partners.ca.pem) as f:
        good = f.read()
    empty = os.path.join(folder, "folder")
    os.mkdir(empty)
    return {
        os.path.join(folder, "missing.pem"): "No such file",
        write("empty.pem", ""): "no certificate in",
        write("text.pem", "hello\n"): "no certificate in",
        write("key.pem", open(partners.ca.key).read()): "no certificate in",
        write("cut.pem", good[:len(good) // 2]): "no certificate in",
        write("second.pem", good + good[:len(good) // 2]): "a certificate is broken in",
        empty: "openssl rehash",
    }


def test_trust_that_cannot_be_used(certificates, partners, folder):
    for path, want in broken(partners, folder).items():
        tree = gateways.policy(certificates, ("127.0.0.1", 9), tls=auth("required"), keyrings={"ftpd": {"trust": path}})
        policy = os.path.join(folder, "policy.yaml")
        with open(policy, "w") as f:
            f.write(gateways.as_yaml(tree))
        status, said = gateways.check(policy)
        line = 1 + gateways.as_yaml(tree).split("\n").index('   "trust": "%s"' % path)
        assert status != 0 and want in said, said
        assert f"policy.yaml:{line}:" in said, said


@pytest.mark.parametrize("tickets", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", TYPES)
def test_control_resumes_nothing_data_does(launch, backend, certificates, partners, kind, version, tickets):
    gateway = start(launch, backend, certificates, kind, partners.ca.pem)
    ctx = clients.context(versions=version, own=partners.cert["good"], tickets=tickets)
    with clients.explicit(gateway, "P", ctx=ctx, name="localhost") as c:
        for _ in range(2):
            data = c.open("RETR hello.txt", name="localhost")
            assert data.reused or not (tickets or version == "1.2")
            assert data.read_all() == backend.files["hello.txt"]
            data.close()
            assert c.reply().code == 226
        kept = c.control_session
        with clients.Client(gateway.explicit, ctx=ctx) as second:
            address = "%s:%d" % second.sock.getsockname()
            second.auth(session=kept, name="localhost")
            assert not second.tls.reused
            second.login().prot("P")
            assert second.get("hello.txt", session=kept) == backend.files["hello.txt"]  # not its own session: a full handshake
        assert gateway.event("tls", client=address).keys["resumed"] == "no"
    with clients.Client(gateway.explicit, ctx=ctx) as third:  # nor after the first connection has ended
        third.auth(session=kept, name="localhost")
        assert not third.tls.reused


@pytest.mark.parametrize("version", VERSIONS)
def test_without_client_auth_control_resumes(gateway, version):
    """The converse: the client in the test above would be able to resume."""
    ctx = clients.context(versions=version)
    with clients.explicit(gateway, ctx=ctx, name="localhost") as c:
        c.expect("NOOP", 200)
        kept = c.tls.session
    with clients.Client(gateway.explicit, ctx=ctx) as second:
        assert second.auth(session=kept, name="localhost").tls.reused


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_data_connection_is_the_same_client(launch, backend, certificates, partners, version):
    """Another user's certificate on the data connection, in a full handshake: 522, even if the certificate is valid."""
    gateway = start(launch, backend, certificates, "required", partners.ca.pem)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version, own=partners.cert["good"])) as c:
        assert c.get("hello.txt", ctx=clients.context(versions=version, own=partners.cert["good"]), session=None)
        sock = clients.net.dial(c.pasv())
        c.send("RETR hello.txt\r\n")
        try:
            clients.Tls(sock, clients.context(versions=version, own=partners.cert["second"])).read_all()
        except (ssl.SSLError, OSError):
            pass
        replies = [c.reply()]
        if replies[0].code < 200:
            replies.append(c.reply())
        assert replies[-1].code in (425, 426, 522), replies
        assert c.get("hello.txt") == backend.files["hello.txt"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_data_connection_without_a_certificate(launch, backend, certificates, partners, version):
    gateway = start(launch, backend, certificates, "required", partners.ca.pem)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version, own=partners.cert["good"])) as c:
        sock = clients.net.dial(c.pasv())
        c.send("RETR hello.txt\r\n")
        got = b""
        try:
            got = clients.Tls(sock, clients.context(versions=version)).read_all()
        except (ssl.SSLError, OSError):
            pass
        assert got == b""
        replies = [c.reply()]
        if replies[0].code < 200:
            replies.append(c.reply())
        assert replies[-1].code in (425, 426, 522), replies
        assert gateway.event("data-tls-failed").keys["reason"] == "peer did not return a certificate"


def test_safcheck_wants_users(certificates, partners, folder):
    tree = gateways.policy(certificates, ("127.0.0.1", 9), tls=auth("safcheck"),
                           keyrings={"ftpd": {"trust": partners.ca.pem}})
    path = os.path.join(folder, "policy.yaml")
    for users, good in (None, False), (USERS, True), ({"U": {"certificates": [{"subject": "user1"}]}}, False):
        with open(path, "w") as f:
            f.write(gateways.as_yaml({**tree, **({"users": users} if users else {})}))
        status, said = gateways.check(path)
        assert (status == 0) == good, said
        assert good or ("safcheck" in said if users is None else "RFC 2253" in said)

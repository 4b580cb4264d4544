"""
Servers that are not who policy wants, or not what they seem: the client hears 421, the log names server, name and
cause, and no USER, no PASS and no byte of a file has left in the clear.
"""
import os
import ssl

import pytest

import bad_server
import certs
import client
import outbound

PIN = "the server's certificate matches none of the pins"
VERIFY = "certificate verify failed: "


@pytest.fixture(scope="module")
def partner_ca(tmp_path_factory):
    """A CA of servers: one for localhost, one for another name, one that has expired, one that is revoked."""
    folder = tmp_path_factory.mktemp("servers")
    ca = certs.ClientAuthority(folder, "servers")
    other = certs.ClientAuthority(folder, "others")
    made = {"right": ca.issue_server("right", ["localhost"]), "other name": ca.issue_server("name", ["other.example"]),
            "expired": ca.issue_server("expired", ["localhost"], certs.PAST), "revoked": ca.issue_server("revoked", ["localhost"]),
            "unknown": other.issue_server("unknown", ["localhost"]), "rsa": ca.issue_server("rsa", ["localhost"], key="rsa:2048")}
    itself = os.path.join(folder, "itself")
    certs.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=itself",
                  "-addext", "subjectAltName=DNS:localhost", "-keyout", itself + ".key", "-out", itself + ".pem")
    made["itself"] = {"chain": itself + ".pem", "key": itself + ".key"}
    ca.revoke("revoked")
    for path in os.listdir(folder):
        os.chmod(os.path.join(folder, path), 0o644)
    os.chmod(folder, 0o755)
    os.chmod(os.path.dirname(folder), 0o755)
    return {"ca": ca.pem, "crl": ca.crl("servers.crl"), **made}


@pytest.fixture
def bad(partner_ca):
    made = []

    def make(certificate="right", **how):
        made.append(bad_server.BadServer(partner_ca[certificate], outbound.HOST, **how))
        return made[-1]
    yield make
    for server in made:
        server.close()


@pytest.fixture
def through(launch, certificates, partner_ca):
    """through(server, ...): a gateway whose partner is that server."""
    def start(server, tls=None, backend=None, keyring=None, **change):
        return launch(tree=outbound.policy(certificates, server.address, trust=partner_ca["ca"], tls=tls, backend=backend,
                                           keyrings={"partners": keyring or {}}, **change))
    return start


# what is wrong, certificate, how the server behaves, policy's changes, the event that says so, and its reason
REFUSED = [
    ("another name", "other name", {}, {}, "server-tls-failed", VERIFY + "hostname mismatch"),
    ("an unknown CA", "unknown", {}, {}, "server-tls-failed", VERIFY + "unable to get local issuer certificate"),
    ("expired", "expired", {}, {}, "server-tls-failed", VERIFY + "certificate has expired"),
    ("revoked", "revoked", {}, {"crl": True}, "server-tls-failed", VERIFY + "certificate revoked"),
    ("self-signed", "itself", {}, {}, "server-tls-failed", VERIFY + "self-signed certificate"),
    ("a small key", "rsa", {}, {"tls": {"peer_min_rsa_key_size": 2049}}, "server-tls-failed",
     "the server's certificate has a key of 2048 bits; peer_min_rsa_key_size is 2049"),
    ("a small curve", "right", {}, {"tls": {"peer_min_ecc_key_size": 384}}, "server-tls-failed",
     "the server's certificate has a key of 256 bits; peer_min_ecc_key_size is 384"),
    ("another pin", "right", {}, {"tls": {"pins": ["00" * 32]}}, "server-tls-failed", PIN),
    ("TLS 1.1 only", "right", {"versions": ssl.TLSVersion.TLSv1_1}, {}, "server-tls-failed", "protocol version"),
    ("no AUTH", "right", {"auth": "500 what"}, {}, "server-refused-command", "500 what"),
    ("AUTH needs a certificate", "right", {"auth": "334 more"}, {}, "server-refused-command", "334 more"),
    ("clear bytes after 234", "right", {"clear": True, "after_auth": b""}, {"tls": {"handshake_timeout": "1s"}},
     "server-tls-failed", "handshake_timeout"),
    ("a reply with 234", "right", {"after_auth": b"220 injected\r\n"}, {}, "server-tls-failed", "bytes in the clear before the handshake"),
    ("half a line with 234", "right", {"after_auth": b"2"}, {}, "server-tls-failed", "bytes in the clear before the handshake"),
    ("implicit: another name", "other name", {"implicit": True}, {"backend": {"secure_mechanism": "implicit"}}, "server-tls-failed",
     VERIFY + "hostname mismatch"),
    ("implicit: it speaks clear", "right", {}, {"backend": {"secure_mechanism": "implicit"}}, "server-tls-failed", "wrong version number"),
]


@pytest.mark.parametrize("certificate, how, change, event, reason", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(certificate, how, change, event, reason, bad, through, partner_ca):
    server = bad(certificate, **how)
    change = dict(change)
    keyring = {"crl": partner_ca["crl"]} if change.pop("crl", False) else {}
    gateway = through(server, keyring=keyring, **change)
    # commands that are sent at once must wait for TLS as well
    with client.Client(gateway.address["clear"], greet=False) as c:
        c.send(b"USER secret-user\r\nPASS secret-word\r\nSTOR file\r\n")
        c.assert_ends(421)
    line = gateway.event(event)
    assert reason in line.keys["reason" if event == "server-tls-failed" else "reply"]
    if event == "server-tls-failed":
        assert (line.keys["hostname"], line.keys["backend"]) == ("localhost", "partner")
        assert line.keys["address"] == "%s:%d" % server.address
    gateway.event("session-end")
    clear = server.in_clear
    assert not any(word in clear for word in (b"USER", b"PASS", b"STOR", b"secret")), clear
    assert "USER" not in server.verbs and "PASS" not in server.verbs


def test_the_right_server(bad, through, partner_ca):
    """The same server without a fault lets the user in: what is refused above is refused for its fault."""
    server = bad(files={"file": outbound.content(1)})
    gateway = through(server, keyring={"crl": partner_ca["crl"]})
    ftp = outbound.connect(gateway.address["clear"], "secret-user", "secret-word")
    assert outbound.get(ftp, "file") == outbound.content(1)
    outbound.put(ftp, "new", outbound.content(2))
    ftp.quit()
    assert server.stored == {"new": outbound.content(2)}
    assert server.in_clear == b"AUTH TLS\r\n"


def test_a_key_of_the_least_size(bad, through):
    server = bad("rsa")
    gateway = through(server, tls={"peer_min_rsa_key_size": 2048, "peer_min_ecc_key_size": 521})
    outbound.connect(gateway.address["clear"], "user", "word").quit()


def test_the_log_names_the_certificate(bad, through):
    """An administrator who trusts a self-signed certificate finds its pin in the log."""
    server = bad("itself")
    gateway = through(server)
    client.Client(gateway.address["clear"], greet=False).assert_ends(421)
    pin = gateway.event("server-tls-failed").keys["sha256"]
    gateway = through(server, keyring={"trust": None}, tls={"pins": [pin]})
    ftp = outbound.connect(gateway.address["clear"], "user", "word")
    assert gateway.event("server-tls").keys["sha256"] == pin
    ftp.quit()


def test_a_download_without_close_notify_is_cut(bad, through):
    server = bad(cut=True, files={"file": outbound.content(1)})
    gateway = through(server)
    with client.Client(gateway.address["clear"]) as c:
        c.login()
        data = c.open("RETR file", mode="EPSV")
        while data.recv():
            pass
        assert data.end == "reset"
        assert c.reply().code in (426, 451)
    assert gateway.event("transfer").keys["result"] == "server-tls-truncated"


def test_a_cut_upload_is_never_stored_whole(bad, through):
    """The client's reset becomes the server's, and never close_notify. The TLS session can still be resumed."""
    server = bad()
    gateway = through(server, backend={"secure_session_reuse": "required"})
    with client.Client(gateway.address["clear"]) as c:
        c.login()
        data = c.open("STOR file", mode="EPSV")
        data.send(outbound.content(1))
        data.abort()
        assert c.reply().code == 426
        assert gateway.event("transfer").keys["result"] == "client-reset"
        assert server.stored == {} and server.failed is not None
        c.put("next", outbound.content(2), mode="EPSV")
    assert server.stored == {"next": outbound.content(2)}


def test_prot_p_refused(bad, through):
    """Policy wants private data, so nothing is transferred; where it does not, the data are in the clear, as policy says."""
    server = bad(prot="534 no", files={"file": outbound.content(1)})
    gateway = through(server)
    with client.Client(gateway.address["clear"]) as c:
        c.login()
        assert c.cmd("EPSV").code >= 500
    assert server.verbs[-1] != "EPSV"

"""Handshakes on the control connection: how they start, which versions and certificates, ALPN."""
import socket
import ssl
import time

import pytest

import client as clients
import net


@pytest.mark.parametrize("mechanism,protected", [
    ("TLS", False), ("tls", False), ("TLS-C", False), ("SSL", True), ("TLS-P", True)])
def test_auth_mechanisms_and_their_first_level(gateway, backend, mechanism, protected):
    with clients.Client(gateway.explicit) as c:
        c.auth(mechanism).login()
        assert c.protected == protected
        assert c.get("hello.txt") == backend.files["hello.txt"]
        assert "AUTH" not in backend.verbs()


def test_implicit_starts_private(gateway, backend):
    with clients.implicit(gateway) as c:
        assert c.greeting.code == 220
        assert c.get("big") == backend.files["big"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("listener", ["explicit", "implicit"])
def test_versions(gateway, backend, version, listener):
    ctx = clients.context(versions=version)
    c = clients.Client(gateway.address[listener], implicit=listener == "implicit", ctx=ctx)
    with c:
        if listener == "explicit":
            c.auth()
        assert c.tls.ssl.version() == "TLSv" + version
        c.login().prot("P")
        assert c.get("big") == backend.files["big"]
        assert c.put("up", backend.files["big"]).code == 226


@pytest.mark.parametrize("allowed,refused", [("tls1.2", "1.3"), ("tls1.3", "1.2")])
def test_policy_chooses_versions(launch, backend, allowed, refused):
    gateway = launch(backend, tls={"versions": [allowed]})
    with clients.Client(gateway.explicit, ctx=clients.context(versions=refused)) as c, pytest.raises(ssl.SSLError):
        c.auth()
    with clients.Client(gateway.explicit, ctx=clients.context(versions=allowed[3:])) as c:
        c.auth().login()


def test_policy_chooses_ciphers(launch, backend):
    gateway = launch(backend, tls={"ciphers": ["ECDHE-ECDSA-AES256-GCM-SHA384"],
                                   "ciphersuites": ["TLS_CHACHA20_POLY1305_SHA256"]})
    for version, cipher in [("1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"), ("1.3", "TLS_CHACHA20_POLY1305_SHA256")]:
        with clients.Client(gateway.explicit, ctx=clients.context(versions=version)) as c:
            assert c.auth().tls.ssl.cipher()[0] == cipher


def test_old_versions_are_refused(gateway):
    ctx = clients.context()
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    ctx.minimum_version = ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    with clients.Client(gateway.explicit, ctx=ctx) as c, pytest.raises(ssl.SSLError):
        c.auth()


@pytest.mark.parametrize("auth,which", [("ECDSA", "ecdsa"), ("RSA", "rsa")])
def test_the_client_gets_the_kind_of_certificate_it_can_use(gateway, certificates, auth, which):
    ctx = clients.context(certificates, "1.2", ciphers=f"ECDHE-{auth}-AES128-GCM-SHA256")
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth(name="localhost")
        with open(getattr(certificates, which)["chain"]) as f:
            assert c.tls.ssl.getpeercert(True) == ssl.PEM_cert_to_DER_cert(f.read())


@pytest.mark.parametrize("name,which", [("localhost", "ecdsa"), ("other.example", "other"), (None, "ecdsa"),
                                        ("OTHER.example", "other"), ("unknown.example", "ecdsa")])
def test_sni_chooses_the_certificate(launch, backend, certificates, name, which):
    ring = {"certificates": [certificates.ecdsa, certificates.rsa, certificates.other]}
    gateway = launch(backend, keyrings={"ftpd": ring})
    with clients.Client(gateway.explicit) as c:
        c.auth(name=name)
        with open(getattr(certificates, which)["chain"]) as f:
            assert c.tls.ssl.getpeercert(True) == ssl.PEM_cert_to_DER_cert(f.read())
    with clients.Client(gateway.implicit, implicit=True, name=name) as c:
        with open(getattr(certificates, which)["chain"]) as f:
            assert c.tls.ssl.getpeercert(True) == ssl.PEM_cert_to_DER_cert(f.read())


ALPN_GOOD = [(["ftp"], "ftp"), (["h2", "ftp"], "ftp"), (None, None)]
ALPN_BAD = [["h2"], ["h2", "http/1.1"], ["x\x03ftp"], ["ftps"], ["FTP"], ["x-filezilla-ftp"], ["ftp-data"]]


@pytest.mark.parametrize("offer,chosen", ALPN_GOOD)
@pytest.mark.parametrize("listener", ["explicit", "implicit"])
def test_alpn_ftp_or_none_is_welcome(gateway, offer, chosen, listener):
    with clients.Client(gateway.address[listener], implicit=listener == "implicit", ctx=clients.context(alpn=offer)) as c:
        if listener == "explicit":
            c.auth()
        assert c.tls.ssl.selected_alpn_protocol() == chosen
        c.login()


@pytest.mark.parametrize("offer", ALPN_BAD)
def test_alpn_without_ftp_is_another_protocol(gateway, backend, offer):
    """ALPACA: a ClientHello for a web server gets a fatal alert."""
    for version in "1.2", "1.3":
        with clients.Client(gateway.explicit, ctx=clients.context(versions=version, alpn=offer)) as c:
            with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
                c.auth()
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            clients.Client(gateway.implicit, implicit=True, ctx=clients.context(versions=version, alpn=offer))


@pytest.mark.parametrize("offer,chosen", [(["ftp-data"], "ftp-data"), (["ftp"], "ftp"), (["h2", "ftp-data"], "ftp-data"),
                                          (["ftp", "ftp-data"], "ftp-data")])
def test_alpn_on_data(gateway, backend, offer, chosen):
    with clients.explicit(gateway, "P") as c:
        data = c.open("RETR hello.txt", ctx=clients.context(alpn=offer), session=None)
        assert data.ssl.selected_alpn_protocol() == chosen
        assert data.read_all() == backend.files["hello.txt"]
        data.close()
        assert c.reply().code == 226


def test_alpn_of_another_protocol_on_data(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        with pytest.raises(ssl.SSLError):
            c.open("RETR hello.txt", ctx=clients.context(alpn=["h2"]), session=None)
        assert c.reply().code == 522
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_the_hello_may_come_byte_by_byte(gateway):
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
        tls = clients.Tls(c.sock, handshake=False)
        for byte in tls.hello():
            c.sock.sendall(bytes([byte]))
        c.tls = tls.handshake()
        c.login()


def test_commands_may_come_byte_by_byte_and_many_in_one_record(gateway):
    with clients.explicit(gateway) as c:
        for byte in b"NOOP\r\n":
            c.send(bytes([byte]))
        assert c.reply().code == 200
        c.send("NOOP\r\nPWD\r\nSYST\r\nNOOP\r\n")
        assert [c.reply().code for _ in range(4)] == [200, 257, 215, 200]


def test_feat_says_what_the_gateway_can(gateway, backend):
    with clients.Client(gateway.explicit) as c:
        for _ in range(2):
            lines = c.expect("FEAT", 211).splitlines()
            assert " AUTH TLS" in lines and " PBSZ" in lines and " PROT" in lines
            assert " SIZE" in lines and " UTF8" in lines and " REST STREAM" in lines
            assert lines[0].startswith("211-") and lines[-1].startswith("211 ")
            assert all(line.startswith(" ") and not line.startswith("  ") for line in lines[1:-1])
            assert len(lines) == len(set(lines)), "a feature twice"
            if not c.tls:
                c.auth()


def test_feat_of_a_server_that_has_none(launch, make_backend):
    gateway = launch(make_backend(FEAT="502 What?"))
    with clients.Client(gateway.explicit) as c:
        assert " AUTH TLS" in c.expect("FEAT", 211).splitlines()
    gateway = launch(make_backend(FEAT="211 No features"))
    with clients.Client(gateway.explicit) as c:
        lines = c.expect("FEAT", 211).splitlines()
        assert " AUTH TLS" in lines and len(lines) > 2


def test_feat_hides_what_the_server_says_about_security(launch, make_backend):
    gateway = launch(make_backend(FEAT="211-Features:\r\n AUTH SSL\r\n ADAT\r\n SSCN\r\n CPSV\r\n MDTM\r\n211 End"))
    with clients.Client(gateway.explicit) as c:
        lines = c.expect("FEAT", 211).splitlines()
        assert " MDTM" in lines
        assert not {" AUTH SSL", " ADAT", " SSCN", " CPSV"} & set(lines)


def test_without_auth_tls_in_extensions_no_tls_is_offered(launch, backend):
    gateway = launch(backend, ftp={"extensions": [], "secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("AUTH TLS").code in (502, 534)
        assert " AUTH TLS" not in c.expect("FEAT", 211).splitlines()
        c.login()
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_auth_after_login_starts_a_new_login(launch, backend):
    gateway = launch(backend, ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with clients.Client(gateway.explicit) as c:
        c.login()
        c.auth()
        c.expect("PWD", 530)
        c.login().expect("PWD", 257)


def test_server_talks_only_tls_after_auth(gateway):
    """After the handshake, no reply leaves the gateway outside TLS."""
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
        seen = []
        recv = c.sock.recv

        class Tap:
            def recv(self, size):
                seen.append(recv(size))
                return seen[-1]

            def __getattr__(self, name):
                return getattr(c.sock, name)
        c.tls = clients.Tls(Tap(), c.ctx)
        c.login().expect("STAT", 502, 211, 530)
        c.expect("ABOR", 226, 225)
        c.expect("QUIT", 221)
        c.ended()
        for marker in b"331 ", b"230 ", b"221 ", b"226 ":
            assert marker not in b"".join(seen)
        assert c.tls.end == "clean", "no close_notify at the end of a session"


def test_the_first_command_behind_a_handshake_is_not_held_back(gateway):
    """
    With Nagle's algorithm, a client sends its first command only after an acknowledgement of its Finished. The tickets
    acknowledge it at once.
    """
    def seconds():
        with socket.create_connection(gateway.explicit, timeout=net.DEADLINE) as sock:
            sock.recv(1000)
            sock.sendall(b"AUTH TLS\r\n")
            sock.recv(1000)
            with clients.context(versions="1.3").wrap_socket(sock) as tls:
                start = time.monotonic()
                tls.sendall(b"PBSZ 0\r\n")
                assert tls.recv(1000).startswith(b"200")
                return time.monotonic() - start
    assert min(seconds() for _ in range(5)) < 0.03

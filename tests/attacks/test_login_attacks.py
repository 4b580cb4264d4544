"""Attacks on logins: names that hide whose levels count, answers that log nobody in, and identities that are over. The
numbers continue those of test_server_map_attacks.py; mutants.py switches the guards off."""
import os
import re

import pytest

import audit
import backend as backends
import certs
import client as clients
import gateway as gateways
from login_check import Answerer, says

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "login_delay": "0s"}


class Telnet(backends.Session):
    """Reads lines as Telnet has it: 0xFF and the byte after it are no text."""

    def command(self, line):
        return super().command(re.sub("\xff.", "", line))


# 551. per_user is stricter for admin, and the server reads another name as admin.
# Guard: ftp_per_user_takes() in ftp-alg/per-user.c.
def test_551_no_other_name_is_the_users(launch, make_backend, monkeypatch):
    monkeypatch.setattr(backends, "Session", Telnet)
    backend = make_backend()
    gateway = launch(backend, ftp={**CLEAR, "per_user": [{"users": ["admin"], "secure_ftp": "required"}]})
    for name in (b"adm\xffxin", b"admin\x01", b" admin", b"admin ", b'ad"min', b"-x admin"):
        with clients.Client(gateway.explicit) as c:
            c.send(b"USER " + name + b"\r\n")
            assert c.reply().code == 501, name
            assert c.cmd("PASS secret").code == 503, name
    assert backend.everything() == []
    assert gateway.event("refused-command", command="USER").keys["key"] == "per_user"


# 552. A late answer of the server to another command comes where the answer to USER is awaited.
# Guard: ftp_reply_is_login() in ftp-alg/reply.h.
@pytest.mark.parametrize("code", [200, 213, 226, 250])
def test_552_a_late_answer_logs_nobody_in(launch, make_backend, code):
    backend = make_backend(USER=f"{code} late", DELE="250 deleted")
    gateway = launch(backend, ftp={**CLEAR, "accesserrormsgs": True, "access": [{"path": "/secret", "users": ["bob"]}]})
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("USER bob").code == 530
        assert c.cmd("DELE /secret/x").code == 530
    assert backend.verbs() == ["USER"]
    gateway.event("login-failed", user="bob")
    assert not gateway.seen("login")


@pytest.fixture
def asked(folder):
    """asked(): the path of a login_check that allows everybody, and its questions."""
    made = []

    def start():
        own = os.path.join(folder, "check")
        os.mkdir(own, 0o755)
        made.append(Answerer(os.path.join(own, "socket"), says(b"allow")))
        return os.path.join(own, "socket"), made[-1].asked
    yield start
    for one in made:
        one.close()


# 553. The TLS session of a certificate is over (REIN, CCC), and somebody else logs in in the clear.
# Guard: session_identity() in gateway/worker/session-identity.c.
@pytest.mark.parametrize("way", ["REIN", "CCC"])
def test_553_a_certificate_goes_with_its_tls_session(launch, make_backend, asked, certificates, partners, folder, way):
    path, questions = asked()
    ring = {"certificates": [certificates.ecdsa, certificates.rsa], "trust": partners.ca.pem}
    trail = os.path.join(folder, "audit.log")
    gateway = launch(make_backend(), keyrings={"ftpd": ring}, ftp={**CLEAR, "tlsrfclevel": "rfc4217", "login_check": path},
                     tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"}, daemon={"audit": trail})
    with clients.Client(gateway.explicit, ctx=clients.context(own=partners.cert["good"])).auth() as c:
        c.login("first")
        c.expect(way, 220 if way == "REIN" else 200)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        c.login("second")
        c.expect("QUIT", 221)
    gateway.event("session-end")
    first, second = questions
    assert "sha256" in first and first["user"] == "first"
    assert "sha256" not in second and second["user"] == "second"
    first, second = gateway.seen("login")
    assert "subject" in first.keys and "subject" not in second.keys and "sha256" not in second.keys
    first, second = audit.named(audit.read(trail), "login")
    assert "certificate_subject" in first and "certificate_subject" not in second


# 554. Each of two authorities can make a certificate of admin, and only some users or paths ask for one.
# Guard: asks_for_owner() in gateway/tls/identity-users.c.
@pytest.mark.parametrize("ftp", [{"per_user": [{"users": ["admin"], "secure_ftp": "required", "secure_login": "verify_user"}]},
                                 {"access": [{"path": "/secret", "users": [], "certificates": ["admin"]}]}], ids=["per_user", "access"])
def test_554_no_authority_speaks_for_another(folder, certificates, partners, ftp):
    both = certs.join(os.path.join(folder, "both.pem"), partners.strangers.pem, partners.ca.pem)
    for issuer, fault in (None, 'add "issuer" or "sha256"'), ("CN=partners,O=attlsd test", None):
        entry = {"subject": "CN=user1,O=Partner", **({"issuer": issuer} if issuer else {})}
        tree = gateways.policy(certificates, ("127.0.0.1", 9), ftp={**CLEAR, **ftp}, keyrings={"ftpd": {"trust": both}},
                               users={"admin": {"certificates": [entry]}}, tls={"handshake_role": "server_with_client_auth"})
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as out:
            out.write(gateways.as_yaml(tree))
        status, said = gateways.check(path)
        assert (status == 0) == (fault is None) and (fault or "") in said, said

"""session_summary: one event a session says how it was protected and what it did, in the log and in the audit trail."""
import hashlib
import os
import ssl

import pytest

import audit
import client as clients
import outbound
import test_client_auth

SHARED = {"schema", "boot", "pid", "seq", "time", "event", "session", "client_address", "client_port", "rule", "user"}
WORDS = {True: "yes", False: "no"}
ON = {"session_summary": True, "secure_ctrlconn": "clear", "secure_dataconn": "clear", "commands_denied": ["SITE"]}


@pytest.fixture
def trail(folder):
    os.mkdir(os.path.join(folder, "audit"))
    return os.path.join(folder, "audit", "audit.log")


def summary(gateway, trail):
    """The event in the log, and the one in the trail: both say the same."""
    gateway.event("session-end")
    line = gateway.event("session-summary").keys
    (event,) = audit.named(audit.read(trail), "session-summary", session=int(line["session"]))
    for key in set(event) - SHARED:
        assert line.pop(key) == (WORDS[event[key]] if isinstance(event[key], bool) else str(event[key])), key
    assert set(line) == {"session", "client", "rule", "user"}, line
    return {key: value for key, value in event.items() if key not in SHARED - {"user"}}


def test_what_an_auditor_wants(launch, make_backend, certificates, partners, trail):
    """Versions, ciphers, groups, resumption, certificate, name, transfers, refusals: of a session with two PROT levels."""
    backend = make_backend(files={"a": b"x" * 700, "b": b""}, DELE="250 Gone")
    gateway = test_client_auth.start(launch, backend, certificates, "required", partners.ca.pem, ftp=ON, daemon={"audit": trail})
    own = partners.cert["good"]
    with clients.Client(gateway.explicit, ctx=clients.context(versions="1.3", own=own)).auth(name="ftp.example.com").login() as c:
        c.prot("P")
        control = c.tls.ssl.cipher()[0]
        assert c.get("a") == b"x" * 700 and c.get("b") == b""
        assert c.put("up", b"y" * 33).code == 226
        c.prot("C")
        assert c.get("a") == b"x" * 700
        c.cmd("DELE a")
        c.expect("SITE HELP", 502, 504, 550, 500, 501, 534, 553)
        c.expect("QUIT", 221)
    event = summary(gateway, trail)
    assert event.pop("ms") >= 0 and event.pop("certificate_serial") and event.pop("certificate_until") == "2050-01-01"
    assert event.pop("control_groups") == event.pop("data_groups") != ""
    assert event.pop("data_resumed") in (0, 3) and event.pop("bytes_down") == 1400
    with open(own[0]) as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    assert event == {
        "user": "user", "reason": "quit", "tls": "explicit", "cleared": False, "control_versions": "TLSv1.3", "control_ciphers": control,
        "control_handshakes": 1, "control_resumed": 0, "sni": "ftp.example.com", "data_versions": "TLSv1.3", "data_ciphers": control,
        "data_handshakes": 3, "logins": 1, "uploads": 1, "downloads": 3, "transfers_clear": 1, "results": "ok:4", "bytes_up": 33, "changes": 1, "refusals": 1,
        "certificate_sha256": hashlib.sha256(der).hexdigest(), "certificate_verified": True, "certificate_subject": "CN=user1,O=Partner",
        "certificate_issuer": event["certificate_issuer"]}


def test_the_leg_to_the_server(launch, make_backend, certificates, trail):
    """A client in the clear, and a server that demands TLS: attlsd itself, with a legacy server behind it."""
    partner = launch(make_backend(files={"a": b"x" * 10}), ftp={"secure_session_reuse": "required"})
    gateway = launch(tree=outbound.policy(certificates, partner.explicit, ftp_actions={"clear": {"session_summary": True}},
                                          daemon={"audit": trail}))
    with clients.Client(gateway.address["clear"]).login() as c:
        assert c.get("a") == b"x" * 10
        c.expect("QUIT", 221)
    event = summary(gateway, trail)
    assert (event["tls"], event["transfers_clear"], event["results"]) == ("none", 1, "ok:1")
    assert (event["server_control_handshakes"], event["server_control_resumed"]) == (1, 0)
    assert (event["server_data_handshakes"], event["server_data_resumed"]) == (1, 1)
    assert event["server_data_versions"] == event["server_control_versions"] == "TLSv1.3"
    assert not [key for key in event if key.startswith(("control_", "data_", "certificate_"))]


def test_several_handshakes_and_failures(launch, make_backend, trail):
    """AUTH after REIN in another version, CCC, and a cut upload: lists and counts, no second line."""
    gateway = launch(make_backend(files={"a": b"x"}), ftp=ON, daemon={"audit": trail})
    with clients.Client(gateway.explicit, ctx=clients.context(versions="1.3")).auth() as c:
        c.expect("REIN", 220)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        c.ctx = clients.context(versions="1.2")
        c.auth().login().prot("P")
        data = c.open("STOR cut")
        data.send(b"part")
        data.close(notify=False)
        assert c.reply().code == 426
        c.expect("CCC", 200)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        c.expect("QUIT", 221)
    event = summary(gateway, trail)
    assert event["cleared"] and event["control_versions"] == "TLSv1.3,TLSv1.2" and event["control_handshakes"] == 2
    assert len(event["control_ciphers"].split(",")) == 2 and event["data_versions"] == "TLSv1.2"
    assert (event["uploads"], event["uploads_failed"], event["results"]) == (1, 1, "tls-truncated:1")
    assert len(gateway.seen("session-summary")) == 1


def test_without_tls_and_with_hostile_names(launch, make_backend, trail):
    """A name cannot forge a field, and a session in the clear says so."""
    gateway = launch(make_backend(PASS="530 no"), ftp={**ON, "secure_ftp": "allowed"}, daemon={"audit": trail})
    with clients.Client(gateway.explicit) as c:
        c.cmd('USER x" reason=forged tls=explicit')
        c.cmd("PASS geheim")
        c.expect("QUIT", 221)
    event = summary(gateway, trail)
    assert event.pop("ms") >= 0
    assert event == {"reason": "quit", "tls": "none", "cleared": False, "logins_failed": 1}
    assert "geheim" not in gateway.log


def test_off(launch, make_backend, trail):
    gateway = launch(make_backend(files={"a": b"x"}), daemon={"audit": trail})
    with clients.explicit(gateway, "P") as c:
        c.get("a")
        c.expect("QUIT", 221)
    gateway.event("session-end")
    assert not gateway.seen("session-summary") and not audit.named(audit.read(trail), "session-summary")

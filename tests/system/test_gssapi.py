"""AUTH GSSAPI (RFC 2228) with a real KDC: the exchange of tokens, protected commands and data, users."""
import base64
import json
import os
import re
import shutil
import socket
import subprocess

import pytest

import audit
import client as clients
import kerberos
import login_check
import net

ALICE = "alice@" + kerberos.REALM
BIG = os.urandom(300000)


@pytest.fixture
def start(launch, kdc, make_backend):
    """start(ftp={...}) starts a gateway that offers AUTH GSSAPI, in front of a scripted server."""
    def go(ftp=None, backend=None, daemon=None, **change):
        backend = backend or make_backend(files={"hello.txt": b"hello, world\r\n", "empty": b"", "big": BIG})
        gateway = launch(backend, ftp={"extensions": ["auth_tls", "auth_gssapi"], **(ftp or {})},
                         daemon={"keytab": kdc.keytab, **(daemon or {})}, **change)
        gateway.backend = backend
        return gateway
    return go


def enter(gateway, kdc, verb="ENC", login="user", **more):
    """A client that has logged in with a password, under protection."""
    return kerberos.Client(gateway.explicit, kdc, **more).login_gssapi(verb).login(login)


def test_a_session(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        assert c.expect("PWD", 257)
        c.protect("P")
        assert c.get("hello.txt") == b"hello, world\r\n"
        assert c.get("empty") == b""
        assert c.get("big", "EPSV") == BIG
        assert c.put("up", BIG, "PORT").code == 226
        assert gateway.backend.upload("up") == (BIG, "fin")
        assert c.put("none", b"x", "EPRT").code == 226
        c.expect("QUIT", 221)
    assert c.codes[:3] == [0, 0, 0] and set(c.codes[3:]) == {632}, "the greeting, 334 and 235 came in the clear"
    assert gateway.event("gssapi").keys["principal"] == ALICE
    gateway.event("session-end")
    assert {e.keys["prot"] for e in gateway.seen("transfer")} == {"P"}


def test_login_check_hears_of_the_principal(start, kdc, folder):
    path = os.path.join(folder, "login.sock")
    answerer = login_check.Answerer(path, login_check.says(b"allow"))
    try:
        gateway = start({"login_check": path})
        with enter(gateway, kdc) as c:
            c.expect("PWD", 257)
    finally:
        answerer.close()
    (question,) = answerer.asked
    assert question["principal"] == ALICE and question["user"] == "user"
    assert not {"subject", "sha256", "tls", "cipher"} & set(question)


@pytest.mark.parametrize("verb", kerberos.CODES)
def test_a_reply_is_protected_as_its_command(start, kdc, verb):
    gateway = start({"secure_ctrlconn": "safe"})
    with enter(gateway, kdc) as c:
        c.verb, since = verb, len(c.codes)
        c.expect("FEAT", 211)
        c.expect("PWD", 257)
        c.expect("NOSUCH", 500)
        assert set(c.codes[since:]) == {kerberos.CODES[verb]}


@pytest.mark.parametrize("mode", ["PASV", "EPSV", "PORT", "EPRT"])
@pytest.mark.parametrize("level,prot", [("S", "S"), ("E", "P"), ("P", "P"), ("C", "C")])
def test_levels_of_data(start, kdc, level, prot, mode):
    gateway = start({"secure_dataconn": "clear"})
    with enter(gateway, kdc) as c:
        c.protect(level)
        assert c.get("hello.txt", mode) == b"hello, world\r\n"
        assert c.put("up", b"y" * 5000, mode).code == 226
    assert gateway.backend.upload("up") == (b"y" * 5000, "fin")
    gateway.event("transfer", count=2, prot=prot, result="ok")


@pytest.mark.parametrize("size,got", [(512, 512), (16384, 4096), (4294967295, 4096)])
def test_no_token_is_longer_than_pbsz(start, kdc, size, got):
    gateway = start({"secure_pbsz": 4096})
    with enter(gateway, kdc) as c:
        c.protect("P", size)
        assert c.size == got
        assert c.get("big") == BIG, "read_blocks() looks at each length"
        assert c.put("up", BIG).code == 226
    assert gateway.backend.upload("up") == (BIG, "fin")


def test_a_long_command(start, kdc):
    """The limit is for what the server gets, not for the base 64 around it."""
    gateway = start()
    with enter(gateway, kdc) as c:
        assert c.expect("CWD " + "x" * 500, 502)
        assert "CWD " + "x" * 500 in gateway.backend.session().lines
        c.expect("CWD " + "x" * 507, 500)
        c.expect("CWD " + "x" * 6000, 501)
        c.expect("PWD", 257)


@pytest.mark.parametrize("end", ["\r\n", "\n", "", "\0", "\r\n\0"])
def test_the_end_of_a_command_is_optional(start, kdc, end):
    """MIT's client sends a NUL, Heimdal's nothing."""
    gateway = start()
    with enter(gateway, kdc) as c:
        c.send("PWD" + end)
        assert c.reply().code == 257


@pytest.mark.parametrize("inner", ["PWD\r\nDELE x", "PWD\nDELE x", "PWD\rDELE x", "PWD\0DELE x", "PWD\r\n\r\n"])
def test_a_token_holds_one_command(start, kdc, inner):
    gateway = start()
    with enter(gateway, kdc) as c:
        c.send(inner)
        assert c.reply().code == 501
        c.expect("NOOP", 200)
    assert not any("DELE" in line for line in gateway.backend.session().lines)


def flags(*names):
    import gssapi
    return [gssapi.RequirementFlag[name] for name in names]


@pytest.mark.parametrize("names", [("mutual_authentication", "replay_detection"),
                                   ("mutual_authentication", "out_of_sequence_detection")])
def test_flags_of_real_clients(start, kdc, names):
    """MIT's client asks for detection of replays only, Heimdal's and yafc for the sequence only."""
    gateway = start()
    with enter(gateway, kdc, flags=flags(*names)) as c:
        c.protect("P")
        assert c.get("big") == BIG and c.put("up", BIG).code == 226


@pytest.mark.parametrize("names,why", [
    (("replay_detection", "out_of_sequence_detection"), "mutual authentication"),
    (("mutual_authentication",), "detection of replays"),
    (("mutual_authentication", "replay_detection", "dce_style"), "DCE")])
def test_a_weak_context_is_refused(start, kdc, names, why):
    gateway = start()
    with kerberos.Client(gateway.explicit, kdc, flags=flags(*names)) as c:
        c.expect("AUTH GSSAPI", 334)
        reply = c.cmd("ADAT " + c.token())
        if reply.code == 335:
            reply = c.cmd("ADAT " + c.token(base64.b64decode(reply.partition("ADAT=")[2])))
        assert reply.code == 535, reply
        assert why in gateway.event("gssapi-failed").keys["reason"]


@pytest.mark.parametrize("argument,code", ids=range(7), argvalues=[("", 501), ("?", 501), ("YWJj\0", 501), ("YWJj", 535), ("A" * 65536, 535),
                                           ("A" * 65540, 500), ("A" * 70000, 500)])
def test_hostile_tokens(start, kdc, argument, code):
    gateway = start()
    with kerberos.Client(gateway.explicit, kdc) as c:
        c.expect("AUTH GSSAPI", 334)
        c.send(("ADAT " + argument).encode() + b"\r\n")
        reply = c.reply()
        assert reply.code == code and ("at most 49152 bytes" in reply) == (code == 500)
        if code != 500:
            c.expect("ADAT YWJj", 503, 535)
            c.expect("AUTH GSSAPI", 334)
        c.login_gssapi().login()


def test_every_bit_of_a_token_counts(start, kdc):
    """One flipped bit in a ticket: 535, whatever the library makes of it."""
    gateway = start()
    with kerberos.Client(gateway.explicit, kdc) as c:
        token = base64.b64decode(c.token())
    for at in range(0, len(token), 7):
        with clients.Client(gateway.explicit) as c:
            bad = bytes([*token[:at], token[at] ^ 1 << at % 8, *token[at + 1:]])
            c.expect("AUTH GSSAPI", 334)
            reply = c.cmd("ADAT " + base64.b64encode(bad).decode())
            # a few bits are of no consequence (a version, the case of a name), and the context is of no use to anybody
            assert reply.code in (535, 235), reply
    assert not gateway.seen("gssapi") and not gateway.seen("acceptor-died")


def test_tickets_for_others_are_refused(start, kdc):
    gateway = start()
    with kerberos.Client(gateway.explicit, kdc, service="other@localhost") as c:
        c.expect("AUTH GSSAPI", 334)
        c.expect("ADAT " + c.token(), 535)
        c.expect("USER user", 530)


# --- users ---
@pytest.fixture
def secret(folder):
    path = os.path.join(folder, "secret")
    with open(path, "w") as f:
        f.write("stored\n")
    return path


def users(secret):
    return {"user": {"principals": [ALICE, "alice/admin@" + kerberos.REALM], "password_file": secret},
            "bob": {"principals": ["bob@" + kerberos.REALM]}}


@pytest.mark.parametrize("style,code", [("rfc", 232), ("zos", 230)])
def test_a_ticket_for_the_password(start, kdc, secret, style, code):
    gateway = start({"secure_password_kerberos": "optional", "reply_style": style}, users=users(secret))
    with kerberos.Client(gateway.explicit, kdc).login_gssapi() as c:
        c.expect("USER USER", code)
        c.expect("PWD", 257)
    assert gateway.backend.session().lines[:2] == ["USER user", "PASS stored"], "policy's spelling"
    assert gateway.event("gssapi").keys["user"] == "user"
    assert gateway.event("login").keys["principal"] == ALICE


@pytest.mark.parametrize("who,user", [("bob", "user"), ("nobody", "user"), ("alice", "bob"), ("bob", "bob")])
def test_another_user_needs_the_password(start, kdc, secret, who, user):
    """The last row is a user without a stored password."""
    gateway = start({"secure_password_kerberos": "optional"}, users=users(secret))
    with kerberos.Client(gateway.explicit, kdc, user=who).login_gssapi() as c:
        c.expect("USER " + user, 331)
        c.expect("PASS x", 230)


@pytest.mark.parametrize("who,user,code", [("alice", "user", 331), ("alice", "bob", 530), ("bob", "user", 530),
                                           ("nobody", "user", 530)])
def test_verify_user(start, kdc, secret, who, user, code):
    gateway = start({"extensions": ["auth_gssapi"], "secure_login": "verify_user"}, users=users(secret))
    with kerberos.Client(gateway.explicit, kdc, user=who).login_gssapi() as c:
        c.expect("USER " + user, code)
    if code == 530:
        assert gateway.event("login-failed").keys["by"] == "kerberos"


# --- levels of the control connection ---
def test_private_refuses_mic(start, kdc):
    gateway = start()
    with kerberos.Client(gateway.explicit, kdc).login_gssapi("MIC") as c:
        c.expect("USER user", 533)
        c.verb = "ENC"
        c.login()


def test_safe_refuses_a_password_in_mic(start, kdc):
    gateway = start({"secure_ctrlconn": "safe"})
    with kerberos.Client(gateway.explicit, kdc).login_gssapi("MIC") as c:
        c.expect("USER user", 331)
        c.expect("PASS secret", 533)
        c.verb = "ENC"
        c.expect("PASS secret", 230)
    assert "PASS secret" not in gateway.log


def test_ccc(start, kdc):
    gateway = start({"secure_ctrlconn": "clear"})
    with enter(gateway, kdc) as c:
        c.protect("P")
        c.expect("CCC", 200)
        assert c.codes[-1] == 632
        c.verb = None
        c.expect("PWD", 257)
        assert c.codes[-1] == 0
        assert c.get("hello.txt", "EPSV") == b"hello, world\r\n", "data keep their level"
        c.verb = "MIC"
        c.expect("PWD", 257)
        assert c.codes[-1] == 631


def test_ccc_that_policy_refuses(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        c.expect("CCC", 534)
        c.expect("PWD", 257)


def test_rein(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        c.expect("REIN", 220)
        assert c.codes[-1] == 632
        c.verb = None
        c.expect("USER user", 530)
    with enter(gateway, kdc) as c:
        c.expect("PWD", 257)


def test_tls_and_kerberos_beside_each_other(start, kdc):
    gateway = start()
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
        c.expect("AUTH GSSAPI", 503)
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH GSSAPI", 334)
        c.auth().login()


def test_feat(start, kdc):
    gateway = start({"extensions": ["auth_gssapi"]})
    with clients.Client(gateway.explicit) as c:
        lines = c.expect("FEAT", 211).split("\n")
        assert " AUTH GSSAPI" in lines and " PBSZ" in lines and " PROT" in lines and " AUTH TLS" not in lines
        c.expect("AUTH TLS", 504)


def test_off(launch, backend):
    gateway = launch(backend)
    with clients.Client(gateway.explicit) as c:
        assert "GSSAPI" not in c.expect("FEAT", 211)
        c.expect("AUTH GSSAPI", 504)
        c.expect("ADAT YWJj", 503)
    assert not any(net.name(pid) == "attlsd-gssapi" for keeper in gateway.keepers() for pid in net.children(keeper))


# --- what operators see ---
def test_operators_see_the_principal(start, kdc, folder):
    trail = os.path.join(folder, "trail")
    socket_path = os.path.join(folder, "control.sock")
    gateway = start(daemon={"audit": trail, "control_socket": socket_path})
    with enter(gateway, kdc) as c:
        c.protect("P")
        done = subprocess.run([net.ATTLSCTL, "sessions", "--socket", socket_path, "--json"], capture_output=True, text=True)
        (session,) = json.loads(done.stdout)["sessions"]
        assert session["tls"] == "gssapi", session
        assert session["principal"] == ALICE
        metrics = subprocess.run([net.ATTLSCTL, "metrics", "--socket", socket_path], capture_output=True, text=True).stdout
        assert 'attlsd_gssapi_contexts_total{result="ok"} 1' in metrics
    gateway.event("session-end")
    events = audit.read(trail) if hasattr(audit, "read") else [json.loads(line) for line in open(trail)]
    (event,) = [event for event in events if event["event"] == "gssapi"]
    assert event["principal"] == ALICE


def test_nothing_secret_is_logged(start, kdc):
    gateway = start(daemon={"log": {"level": "debug"}})
    with enter(gateway, kdc, login="user") as c:
        c.expect("PWD", 257)
    gateway.event("session-end")
    assert "pass" not in gateway.log.replace("passive", "").replace("PASSIVE", "") or "PASS pass" not in gateway.log
    assert "ADAT=" not in gateway.log


def test_the_keytab_is_checked(kdc, launch, backend, folder, certificates):
    import gateway as gateways
    for content, why in ((None, "not found"), (b"garbage", "keytab"), (b"\x05\x02", "it has no keys")):
        path = os.path.join(folder, "bad.keytab")
        if content is not None:
            with open(path, "wb") as f:
                f.write(content)
        tree = gateways.policy(certificates, ("127.0.0.1", 9), ftp={"extensions": ["auth_gssapi"]}, daemon={"keytab": path})
        policy = os.path.join(folder, "policy.yaml")
        with open(policy, "w") as f:
            f.write(gateways.as_yaml(tree))
        status, said = gateways.check(policy)
        assert status == 1 and "cannot use the keytab" in said and why in said, said


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_keytab_that_others_can_read(kdc, folder, certificates, mode):
    import gateway as gateways
    path, policy = os.path.join(folder, "copy.keytab"), os.path.join(folder, "policy.yaml")
    shutil.copy(kdc.keytab, path)
    os.chmod(path, mode)
    with open(policy, "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), ftp={"extensions": ["auth_gssapi"]}, daemon={"keytab": path})))
    status, said = gateways.check(policy)
    assert status == 0 and ("is not secret: its mode 644" in said) == (mode == 0o644), said


@pytest.mark.skipif(os.geteuid() != 0, reason="keys are isolated if attlsd is started as root")
def test_the_keytab_is_in_processes_of_its_own(start, kdc):
    gateway = start()
    (keeper,) = gateway.keepers()
    (holder,) = [pid for pid in net.children(keeper) if net.name(pid) == "attlsd-gssapi"]
    (acceptor,) = net.children(holder)
    assert net.name(acceptor) == "attlsd-acceptor"
    with open(f"/proc/{acceptor}/status") as f:
        status = f.read()
    assert re.search(r"^Seccomp:\s+2$", status, re.M) or net.sanitized()
    with enter(gateway, kdc) as c:
        os.kill(acceptor, 9)
        gateway.event("acceptor-died")
        c.expect("PWD", 257)
    with enter(gateway, kdc) as c:
        c.expect("PWD", 257)


def test_without_isolation(start, kdc):
    gateway = start(daemon={"key_isolation": False})
    with enter(gateway, kdc) as c:
        c.protect("P")
        assert c.get("big") == BIG


def test_a_new_keytab_needs_a_reload(start, kdc, folder):
    path = os.path.join(folder, "changing.keytab")
    kdc.admin(f"ktadd -norandkey -k {path} host/localhost")
    gateway = start(daemon={"keytab": path})
    with kerberos.Client(gateway.explicit, kdc) as c:
        c.expect("AUTH GSSAPI", 334)
        c.expect("ADAT " + c.token(), 535)
    kdc.admin(f"ktadd -norandkey -k {path} ftp/localhost")
    assert gateway.reload()
    with enter(gateway, kdc) as c:
        c.expect("PWD", 257)


# --- servers and clients that are not ours ---
@pytest.mark.parametrize("name", ["vsftpd", "pyftpdlib"])
def test_real_servers(start, kdc, real_server, name):
    server = real_server(name)
    gateway = start(backend=(server.host, server.port))
    with kerberos.Client(gateway.explicit, kdc).login_gssapi() as c:
        c.login(server.user, server.password)
        c.protect("P")
        path = server.where + "/kerberos"
        c.expect("TYPE I", 200)
        assert c.put(path, BIG).code == 226
        with open(os.path.join(server.files, "kerberos"), "rb") as f:
            assert f.read() == BIG
        assert c.get(path, "EPSV") == BIG
        c.expect("DELE " + path, 250)

"""Levels: which command gets which reply under which policy (RFC 2228, 4217 and the z/OS reply codes)."""
import pytest

import client as clients

CLEAR, TLS, LOGIN, IMPLICIT = "in the clear", "under TLS", "logged in under TLS", "implicit"

# policy, state at the start, [(command, code), ...]
TABLE = {
    "required: login in the clear": ({}, CLEAR, [
        ("USER user", 530), ("PASS secret", 534), ("PWD", 534), ("CWD x", 534), ("RETR x", 534), ("LIST", 534),
        ("PASV", 534), ("STAT", 534), ("SITE HELP", 534), ("ACCT x", 534)]),
    "required: unknown in the clear": ({}, CLEAR, [("XYZZY", 534)]),
    "required: harmless in the clear": ({}, CLEAR, [
        ("NOOP", 200), ("SYST", 215), ("FEAT", 211), ("HELP", 502), ("OPTS UTF8 ON", 502), ("CLNT x", 502), ("QUIT", 221)]),
    "AUTH": ({}, CLEAR, [("AUTH", 501), ("AUTH KERBEROS", 504), ("AUTH TLSX", 504), ("PBSZ 0", 503), ("PROT P", 503),
                         ("ADAT x", 503), ("CCC", 533)]),
    "AUTH again": ({}, TLS, [("AUTH TLS", 503), ("AUTH SSL", 503)]),
    "AUTH on implicit": ({}, IMPLICIT, [("AUTH TLS", 503), ("PBSZ 0", 200), ("PROT P", 200)]),
    "PBSZ and PROT": ({"secure_dataconn": "clear"}, TLS, [
        ("PROT P", 503), ("PBSZ", 501), ("PBSZ x", 501), ("PBSZ 99999999999", 501), ("PBSZ 0", 200), ("PROT X", 504),
        ("PROT", 504), ("PROT PP", 504), ("PROT S", 536), ("PROT E", 536), ("PROT P", 200), ("PROT C", 200),
        ("prot p", 200), ("PBSZ 4096", 200)]),
    "PBSZ and PROT before login": ({}, TLS, [("PBSZ 0", 200), ("PROT P", 200), ("USER user", 331)]),
    "private": ({"secure_dataconn": "private"}, LOGIN, [
        ("PBSZ 0", 200), ("PROT C", 534), ("PASV", 227), ("RETR hello.txt", 521), ("LIST", 521), ("STOR x", 521),
        ("PROT P", 200)]),
    "private, z/OS": ({"secure_dataconn": "private", "reply_style": "zos"}, LOGIN, [
        ("PBSZ 0", 200), ("PROT C", 536), ("PASV", 227), ("RETR hello.txt", 425), ("MLSD", 425), ("PROT P", 200)]),
    "safe": ({"secure_dataconn": "safe"}, LOGIN, [
        ("PBSZ 0", 200), ("PROT C", 534), ("PASV", 227), ("NLST", 521), ("PROT P", 200)]),
    "never": ({"secure_dataconn": "never"}, LOGIN, [
        ("PBSZ 0", 200), ("PROT P", 534), ("PROT S", 536), ("PROT C", 200)]),
    "never, z/OS": ({"secure_dataconn": "never", "reply_style": "zos"}, LOGIN, [("PBSZ 0", 200), ("PROT P", 536)]),
    "CCC not under TLS": ({"secure_ctrlconn": "clear"}, CLEAR, [("CCC", 533)]),
    "CCC before login": ({"secure_ctrlconn": "clear"}, TLS, [("CCC", 534)]),
    "CCC on implicit": ({"secure_ctrlconn": "clear"}, IMPLICIT, [("CCC", 534)]),
    "CCC under private": ({"secure_ctrlconn": "private"}, LOGIN, [("CCC", 534)]),
    "CCC under safe": ({"secure_ctrlconn": "safe"}, LOGIN, [("CCC", 534)]),
    "CCC at level draft": ({"secure_ctrlconn": "clear", "tlsrfclevel": "draft"}, LOGIN, [("CCC", 500)]),
    "order of login": ({}, TLS, [("PASS x", 503), ("PWD", 530), ("LIST", 530), ("PASV", 530), ("XYZZY", 530)]),
    "PORT rejected by policy": ({"portcommand": "reject"}, LOGIN, [
        ("PORT 127,0,0,1,200,10", 504), ("EPRT |1|127.0.0.1|51210|", 504), ("PASV", 227)]),
    "EPSV ALL": ({}, LOGIN, [
        ("EPSV ALL", 200), ("PASV", 503), ("PORT 127,0,0,1,200,10", 503), ("EPRT |1|127.0.0.1|51210|", 503), ("EPSV", 229)]),
    "EPSV arguments": ({}, LOGIN, [("EPSV 1", 229), ("EPSV 2", 522), ("EPSV 3", 522), ("EPSV x", 501)]),
    "EPRT of the other family": ({}, LOGIN, [("EPRT |2|::1|51210|", 522), ("EPRT |3|x|51210|", 522)]),
    "no data connection agreed on": ({"secure_dataconn": "clear"}, LOGIN, [("LIST", 425)]),
    "not translatable": ({}, LOGIN, [
        ("LPRT 4,4,127,0,0,1,2,200,10", 502), ("LPSV", 502), ("CPSV", 502), ("SSCN", 502), ("MODE E", 504)]),
    "protected envelopes": ({}, LOGIN, [("MIC x", 537), ("CONF x", 537), ("ENC x", 537)]),
}


@pytest.mark.parametrize("name", TABLE)
def test_reply_codes(launch, backend, name):
    ftp, start, dialogue = TABLE[name]
    gateway = launch(backend, ftp=ftp)
    with clients.Client(gateway.implicit if start == IMPLICIT else gateway.explicit, implicit=start == IMPLICIT) as c:
        if start in (TLS, LOGIN):
            c.auth()
        if start in (LOGIN, IMPLICIT):
            c.login()
        got = [(line, c.cmd(line).code) for line, _ in dialogue]
        assert got == dialogue
        arrived = {line.split(" ")[0] for line in backend.everything()}
        assert not arrived & {"AUTH", "PBSZ", "PROT", "CCC", "ADAT", "MIC", "CONF", "ENC", "LPRT", "LPSV", "CPSV", "SSCN"}
        if start == CLEAR and "secure_ftp" not in ftp:
            assert not arrived & {"USER", "PASS", "ACCT", "RETR", "LIST", "PASV", "SITE", "XYZZY"}


def test_zos_data_refusal_has_two_lines(launch, backend):
    gateway = launch(backend, ftp={"reply_style": "zos"})
    with clients.explicit(gateway) as c:
        c.pasv()
        lines = c.expect("RETR hello.txt", 425).splitlines()
        assert len(lines) == 2 and lines[0].startswith("425-") and lines[1].startswith("425 ")


def test_allowed_lets_a_client_stay_in_the_clear(launch, backend):
    gateway = launch(backend, ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with clients.Client(gateway.explicit) as c:
        c.login()
        assert c.get("big") == backend.files["big"]
        assert c.put("up", b"in the clear").code == 226


@pytest.mark.parametrize("dataconn,levels", [("clear", "CP"), ("private", "P"), ("safe", "P"), ("never", "C")])
def test_every_level_that_is_allowed_transfers(launch, backend, dataconn, levels):
    gateway = launch(backend, ftp={"secure_dataconn": dataconn})
    for level in levels:
        with clients.explicit(gateway, level) as c:
            assert c.get("big") == backend.files["big"]
            assert c.put("up" + level, b"content").code == 226
            assert backend.upload("up" + level) == (b"content", "fin")


def test_prot_may_come_between_pasv_and_the_transfer(gateway, backend):
    with clients.explicit(gateway) as c:
        address = c.pasv()
        c.prot("P")
        sock = clients.net.dial(address)
        c.expect("RETR hello.txt", 150)
        assert c.wrap(sock).read_all() == backend.files["hello.txt"]
        sock.close()
        assert c.reply().code == 226


def test_rein_ends_tls_and_login(gateway):
    with clients.explicit(gateway, "P") as c:
        c.expect("REIN", 220)
        assert c.tls.recv() == b"" and c.tls.end == "clean", "no close_notify after 220"
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        c.expect("USER user", 530)
        c.auth().login().expect("PWD", 257)
        c.expect("PROT P", 503)

"""What an attacker sends, on either side: refused or the session closed, never guessed, never passed on."""
import random
import socket

import pytest

import client as clients
import net

SMUGGLED = "USER smuggled"


@pytest.mark.parametrize("behind", [b"USER smuggled\r\n", b"U", b"\r\n", b"\x16\x03\x01\x02\x00"])
def test_bytes_behind_auth_in_its_segment(gateway, backend, behind):
    with clients.Client(gateway.explicit) as c:
        c.send(b"AUTH TLS\r\n" + behind)
        said = c.ended()
        assert said == b"" or said.startswith((b"234", b"421", b"503")), said
        assert said.count(b"\r\n") <= 1
    assert SMUGGLED not in backend.everything()
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)


def test_bytes_behind_auth_in_a_later_segment(gateway, backend):
    with clients.Client(gateway.explicit) as c:
        c.send(b"AUTH TLS\r\n")
        c.send(b"USER smuggled\r\n")
        c.assert_ends(234, 421, 503)
    assert SMUGGLED not in backend.everything()


def test_bytes_between_234_and_the_hello(gateway, backend):
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
        c.send(b"USER smuggled\r\n")
        try:
            c.sock.sendall(clients.Tls(c.sock, handshake=False).hello())
        except ConnectionError:
            pass
        said = c.ended()
        assert b"331" not in said
    assert SMUGGLED not in backend.everything()


def test_auth_and_hello_split_anywhere(gateway):
    """The good case that must not be taken for the bad one."""
    for cut in range(1, 10):
        with clients.Client(gateway.explicit) as c:
            c.send(b"AUTH TLS\r\n"[:cut])
            c.send(b"AUTH TLS\r\n"[cut:])
            assert c.reply().code == 234
            c.start_tls().login()


@pytest.mark.parametrize("line,code", [
    (b"NOOP\0x\r\n", 501), (b"NO\0OP\r\n", 501), (b"NOOP\rUSER smuggled\r\n", 501), (b"NOOP\r\0\r\n", 501),
    (b"\r\r\n", 501), (b"CWD a\rb\r\n", 501), (b"XXXX " + b"a" * 5000 + b"\r\n", 500), (b"a" * 100000 + b"\r\n", 500),
    (b"\r\n", 500)])
def test_a_malformed_line_is_refused_and_the_next_is_good(gateway, backend, line, code):
    with clients.explicit(gateway) as c:
        before = len(backend.everything())
        c.send(line)
        assert c.reply().code == code
        assert len(backend.everything()) == before, "a refused line reached the backend"
        c.expect("NOOP", 200)


@pytest.mark.parametrize("line", [b"NOOP\nUSER smuggled\r\n", b"\nNOOP\r\n", b"CWD a\nDELE b\r\n"])
def test_a_bare_lf_ends_the_session(gateway, backend, line):
    with clients.explicit(gateway) as c:
        before = len(backend.everything())
        c.send(line)
        c.assert_ends(500)
        assert len(backend.everything()) == before


def test_an_endless_line_costs_nothing(gateway):
    with clients.Client(gateway.explicit) as c:
        try:
            for _ in range(64):
                c.send(b"A" * 65536)
            c.send(b"\r\n")
            assert c.reply().code == 500
            c.expect("NOOP", 200)
        except (ConnectionError, clients.Closed):
            pass  # ending the session is right, too


def test_telnet_codes_are_taken_out(gateway, backend):
    with clients.explicit(gateway) as c:
        raw = b"\xff\xf4\xff\xf2NO\xff\xfb\x01OP\r\n"
        for byte in raw:
            c.send(bytes([byte]))
        assert c.reply().code == 200
        c.send(raw)
        assert c.reply().code == 200
        c.send(b"\xff\xfaabc\xff\xf0NOOP\r\n")
        assert c.reply().code == 200
        c.send(b"CWD \xff\xff\r\n")
        c.reply()
        c.send(b"\xff" * 65536 + b"\r\n")
        try:
            c.reply()
            c.expect("NOOP", 200)
        except clients.Closed:
            pass


@pytest.mark.parametrize("line,codes", [
    ("PORT 127,0,0,2,200,10", (504,)), ("PORT 10,1,2,3,200,10", (504,)), ("PORT 0,0,0,0,200,10", (504,)),
    ("PORT 127,0,0,1,0,21", (504,)), ("PORT 127,0,0,1,3,255", (504,)), ("PORT 127,0,0,1,0,0", (501, 504)),
    ("EPRT |1|127.0.0.2|51210|", (504,)), ("EPRT |1|127.0.0.1|1023|", (504,)), ("EPRT |1|127.0.0.1|0|", (501, 504)),
    ("EPRT |2|::ffff:10.0.0.1|51210|", (501, 504, 522)), ("EPRT |2|::1|51210|", (522,)), ("EPRT |1|::1|51210|", (501,)),
    ("EPRT |1|127.0.0.1|65536|", (501,)), ("PORT 127,0,0,1,256,1", (501,)), ("PORT 127,0,0,1,1,2,3", (501,)),
    ("PORT 127,0,0,1,1", (501,)), ("PORT", (501,)), ("EPRT", (501,)), ("PORT 127,0,0,1,200,-1", (501,)),
    ("EPRT |1|127.0.0.1|51210", (501,)), ("EPRT 127.0.0.1 51210", (501,))])
def test_bounce(gateway, backend, line, codes):
    with clients.explicit(gateway, "C") as c:
        c.expect(line, *codes)
        c.expect("RETR hello.txt", 425)
        assert not {"PORT", "EPRT", "PASV", "EPSV", "RETR"} & set(backend.verbs())
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_policy_can_allow_foreign_addresses_and_low_ports_only_when_told(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "portcommandipaddr": "unrestricted"})
    with clients.explicit(gateway, "C") as c, net.listen("127.0.0.2") as elsewhere:
        c.port(elsewhere)
        c.expect("RETR hello.txt", 150)
        sock, _ = elsewhere.accept()
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226
        c.expect("PORT 127,0,0,2,0,80", 504)


def pasv(host, port=None, text="227 Entering Passive Mode (%s,%d,%d)"):
    def answer(session, _):
        real = session.passive() if port is None else port
        session.reply(text % (host, real >> 8, real & 255))
    return answer


@pytest.mark.parametrize("host", ["10,1,2,3", "127,0,0,2", "0,0,0,0", "203,0,113,7"])
def test_a_227_with_a_foreign_address_dials_the_backend(launch, make_backend, host):
    backend = make_backend(files={"x": b"from the backend"}, EPSV="502 no", PASV=pasv(host))
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        assert c.get("x") == b"from the backend"
        assert c.put("up", b"to the backend").code == 226
        assert all(peer[0] == "127.0.0.1" for peer in backend.session().dialled)


@pytest.mark.parametrize("port", [0, 1, 22, 1023])
@pytest.mark.parametrize("verb", ["PASV", "EPSV"])
def test_a_low_port_of_the_backend_is_not_dialled(launch, make_backend, port, verb):
    script = {"PASV": pasv("127,0,0,1", port), "EPSV": "502 no" if verb == "PASV" else
              f"229 Entering Extended Passive Mode (|||{port}|)"}
    backend = make_backend(files={"x": b"x"}, **script)
    gateway = launch(backend, backends={"legacy": {"data": "passive"}})
    with clients.explicit(gateway, "P") as c:
        reply = c.cmd("PASV")
        if reply.code == 227:
            reply = c.cmd("RETR x")
        assert reply.code in (425, 421), reply
    assert "RETR" not in backend.verbs()


@pytest.mark.parametrize("text", ["227 no numbers", "227 (1,2,3)", "229 (|||99999|)", "229 ()", "229 (||10.0.0.1|5000|)",
                                  "200 fine", "150 wait", "331 what"])
def test_a_passive_reply_that_makes_no_sense(launch, make_backend, text):
    backend = make_backend(files={"x": b"x"}, EPSV=text, PASV=text)
    gateway = launch(backend, backends={"legacy": {"data": "passive"}})
    with clients.explicit(gateway, "P") as c:
        c.send("PASV\r\n")
        if text.startswith("150"):
            return  # it waits for the final reply, which is right; the session ends with the test
        try:
            assert c.reply().code in (421, 425)
        except clients.Closed:
            pass


@pytest.mark.parametrize("extra", [
    "227 Entering Passive Mode (127,0,0,1,200,10)", "229 Entering Extended Passive Mode (|||51210|)", "234 AUTH ok",
    "230 Logged in", "200 hi", "550 no"])
def test_an_unsolicited_reply_ends_the_session(launch, make_backend, extra):
    backend = make_backend(NOOP="200 ok\r\n" + extra)
    gateway = launch(backend)
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)
        c.assert_ends(421)


@pytest.mark.parametrize("extra", ["234 Go ahead", "230 Logged in", "227 Entering Passive Mode (127,0,0,1,200,10)"])
def test_an_unsolicited_reply_behind_the_greeting(launch, make_backend, extra):
    """Never taken as the answer to the client's AUTH or login."""
    backend = make_backend(greeting="220 hi\r\n" + extra)
    gateway = launch(backend)
    try:
        with clients.Client(gateway.explicit) as c:
            c.send("AUTH TLS\r\n")
            c.start_tls() if c.reply().code == 234 else None
            c.login()
            raise AssertionError("the session went on")
    except (clients.Closed, clients.ssl.SSLError, ConnectionError, AssertionError) as fault:
        assert "went on" not in str(fault)


def test_227_inside_other_replies_opens_nothing(launch, make_backend):
    text = "Entering Passive Mode (127,0,0,1,200,10)"
    backend = make_backend(CWD="250-227 " + text + "\r\n227 " + text + "\r\n250 done", PWD="257 227 " + text)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        assert c.cmd("CWD x").splitlines()[1] == "227 " + text
        c.expect("PWD", 257)
        c.expect("RETR x", 425)


@pytest.mark.parametrize("request_", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
                                      b"OPTIONS * HTTP/1.0\r\n\r\n", b"EHLO example.com\r\n"])
@pytest.mark.parametrize("where", ["clear", "tls", "implicit"])
def test_other_protocols_end_the_session(gateway, backend, request_, where):
    """Web browsers and mail clients that were led here (ALPACA, NAT slipstreaming)."""
    with clients.Client(gateway.implicit if where == "implicit" else gateway.explicit, implicit=where == "implicit") as c:
        if where == "tls":
            c.auth().login()
        before = len(backend.everything())
        c.send(request_ + b"PORT 127,0,0,1,200,10\r\nUSER smuggled\r\n")
        c.assert_ends(500, 421)
        assert len(backend.everything()) == before


def test_passwords_and_control_characters_stay_out_of_the_log(launch, backend):
    gateway = launch(backend, daemon={"log": {"level": "debug"}})
    with clients.Client(gateway.explicit) as c:
        c.cmd("PASS cleartext-secret")
        c.auth().cmd("USER mallory\x1b[2J\x07\x80")
        c.cmd("PASS hidden-secret phrase/with/more")
        c.cmd("ACCT account-secret")
        c.cmd("PASS\thidden-secret2")
        c.cmd("pass hidden-secret3")
        c.expect("QUIT", 221)
        c.ended()
    gateway.stop()
    assert "secret" not in gateway.log
    assert not any(ord(ch) < 32 and ch != "\n" or ord(ch) == 127 for ch in gateway.log), "a control character in the log"


def test_a_client_that_speaks_tls_to_the_explicit_port(gateway):
    with clients.Client(gateway.explicit) as c:
        c.sock.sendall(clients.Tls(c.sock, handshake=False).hello())
        c.sock.shutdown(socket.SHUT_WR)
        c.ended()
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)


def test_a_client_that_speaks_clear_to_the_implicit_port(gateway, backend):
    with clients.Client(gateway.implicit, greet=False) as c:
        c.send(b"USER smuggled\r\nPASS x\r\n")
        said = c.ended()
        assert not said[:1].isdigit(), said
    assert SMUGGLED not in backend.everything()


def test_random_bytes_never_hurt(gateway):
    chance = random.Random(4217)
    verbs = [b"AUTH TLS", b"PBSZ 0", b"PROT P", b"PASV", b"EPSV", b"PORT 127,0,0,1,200,10", b"LIST", b"ABOR", b"CCC", b"REIN",
             b"STAT", b"FEAT", b"USER u", b"PASS p", b"RETR hello.txt", b"STOR x", b"QUIT", b"\xff\xf4\xff\xf2", b"\r", b"\n"]
    workers = gateway.workers()
    for _ in range(100):
        with clients.Client(gateway.explicit) as c:
            if chance.random() < 0.6:
                c.auth().login()
            raw = b"".join(chance.choice(verbs) + (b"\r\n" if chance.random() < 0.9 else chance.randbytes(3))
                           for _ in range(chance.randrange(20)))
            try:
                c.send(raw)
            except OSError:
                pass
            if chance.random() < 0.5:
                net.reset(c.sock)
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)
    assert gateway.workers() == workers, "a worker died"

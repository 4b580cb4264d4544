"""What somebody on the network can do to a session under AUTH GSSAPI: add, leave out, repeat, swap and cut messages."""
import base64
import os
import struct

import pytest

import client as clients
import kerberos
import net

CONTENT = os.urandom(3000)


@pytest.fixture
def start(launch, kdc, make_backend):
    def go(ftp=None, **change):
        backend = make_backend(files={"hello.txt": b"hello, world\r\n"})
        gateway = launch(backend, ftp={"extensions": ["auth_tls", "auth_gssapi"], **(ftp or {})},
                         daemon={"keytab": kdc.keytab}, **change)
        gateway.backend = backend
        return gateway
    return go


def enter(gateway, kdc, **more):
    return kerberos.Client(gateway.explicit, kdc, **more).login_gssapi().login()


def lines(gateway):
    """All that the server got, in all sessions."""
    return [line for session in gateway.backend.sessions for line in session.lines]


# --- 1: commands in the clear ---
def test_360_commands_before_the_exchange_do_not_survive(start, kdc):
    """Somebody logs the client's connection in, and moves it to another folder, before the client protects it."""
    gateway = start({"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with kerberos.Client(gateway.explicit, kdc) as c:
        c.login("evil", "evil")
        c.expect("PWD", 257)
        c.login_gssapi()
        c.expect("PWD", 530)
        c.login()
        c.expect("PWD", 257)
    assert [session.lines for session in gateway.backend.sessions] == [
        ["USER evil", "PASS evil", "PWD"], ["USER user", "PASS pass", "PWD"]], "the server has another connection"


def test_361_a_command_behind_the_last_token(start, kdc):
    gateway = start()
    with kerberos.Client(gateway.explicit, kdc) as c:
        c.expect("AUTH GSSAPI", 334)
        c.send(f"ADAT {c.token()}\r\nUSER evil\r\n".encode())
        c.assert_ends()
    assert gateway.event("session-end").keys["reason"] == "plaintext-after-adat"
    assert "USER evil" not in lines(gateway)


# where policy wants encrypted commands, its own rule refuses these as well
@pytest.mark.parametrize("ftp", [None, {"secure_ftp": "allowed", "secure_ctrlconn": "clear"}])
def test_362_commands_in_the_clear(start, kdc, ftp):
    """They get 533 in the clear, so that the client does not take it for the answer to its next command."""
    gateway = start(ftp)
    with enter(gateway, kdc) as c:
        for command in b"DELE hello.txt\r\n", b"QUIT\r\n", b"AUTH TLS\r\n", b"REIN\r\n", b"CCC\r\n", b"\xff\xf4\xff\xf2ABOR\r\n":
            c.send(command)
            assert c.reply().code == 533 and c.codes[-1] == 0
        c.expect("PWD", 257)
    assert not any(line.startswith(("DELE", "QUIT")) for line in lines(gateway))


# --- 2: tokens ---
def test_a_command_is_repeated(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        line = c.envelope("DELE hello.txt\r\n").encode()
        c.send(line)
        c.reply()
        c.send(line)
        c.assert_ends(535)
        assert lines(gateway).count("DELE hello.txt") == 1
    gateway.event("session-end", reason="out-of-sequence")


def test_commands_are_swapped(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        first, second = c.envelope("CWD a\r\n"), c.envelope("DELE b\r\n")
        c.send((second + first).encode())
        c.assert_ends(535)
    assert not any(line.startswith(("CWD", "DELE")) for line in lines(gateway))


@pytest.mark.parametrize("name", ["replay_detection", "out_of_sequence_detection"])
def test_363_a_command_is_left_out(start, kdc, name):
    import gssapi
    flags = [gssapi.RequirementFlag.mutual_authentication, gssapi.RequirementFlag[name]]
    gateway = start()
    with enter(gateway, kdc, flags=flags) as c:
        c.envelope("CWD a\r\n")
        c.send("DELE b\r\n")
        c.assert_ends(535)
    assert not any(line.startswith("DELE") for line in lines(gateway))


def test_a_token_is_changed(start, kdc):
    """Each bit counts: 535, and the session goes on with the client's own command."""
    gateway = start()
    with enter(gateway, kdc) as c:
        token = base64.b64decode(c.envelope("DELE x\r\n").split()[1])
        answers = []
        for at in [*range(0, 8), *range(16, len(token), 11)][:9]:
            bad = bytes([*token[:at], token[at] ^ 1, *token[at + 1:]])
            c.send(b"ENC " + base64.b64encode(bad) + b"\r\n")
            answers.append(c.reply().code)
        assert set(answers) == {535}, answers
        c.send(b"ENC " + base64.b64encode(token) + b"\r\n")
        assert c.reply().code == 502, "the token itself is still the next one"
    assert lines(gateway).count("DELE x") == 1


def test_364_encryption_cannot_be_taken_off(start, kdc):
    """A message that is only signed does not pass as an encrypted one."""
    gateway = start()
    with enter(gateway, kdc) as c:
        token = c.seal(b"PWD\r\n", encrypt=False)
        c.send(b"ENC " + base64.b64encode(token) + b"\r\n")
        assert c.reply().code == 535


def test_365_a_whole_session_is_repeated(start, kdc):
    """Without a replay cache, a copy of ADAT gets 235; but nothing that comes after it is of use."""
    gateway = start()
    sent = []
    with kerberos.Client(gateway.explicit, kdc) as c:
        plain = c.sock.sendall

        class Tap:
            def __getattr__(self, name):
                return getattr(c_sock, name)

            def sendall(self, data):
                sent.append(data)
                plain(data)
        c_sock, c.sock = c.sock, Tap()
        c.login_gssapi().login()
        c.expect("DELE x", 502)
    with clients.Client(gateway.explicit) as c:
        copying = "%s:%d" % c.sock.getsockname()
        for piece in sent:
            c.send(piece)
            answer = c.reply()
        assert answer.code == 535
    gateway.event("session-end", client=copying)
    assert lines(gateway).count("DELE x") == 1 and not gateway.seen("gssapi", client=copying), "nobody is named for a copy"


def test_366_our_own_tokens_come_back(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        c.send("PWD\r\n")
        raw = clients.Client.recv(c)
        c.raw = raw
        assert c.reply().code == 257
        c.send(b"ENC " + raw[4:])
        assert c.reply().code == 535


# --- 3: data ---
def upload(c, make):
    """Send what make() returns as the data of STOR; returns the reply. Tokens have to be made in their order."""
    sock = c.open("STOR up").sock
    try:
        sock.sendall(make())
        sock.shutdown(1)
    except OSError:
        pass
    net.end_of(sock)
    sock.close()
    return c.reply()


def test_367_an_upload_is_cut_at_each_place(start, kdc):
    """The table of truncations: wherever the connection ends before the last byte of the empty token, nothing is whole."""
    gateway = start()
    with enter(gateway, kdc) as c:
        size = len(c.protect("P").blocks(b"0123456789"))
    for at in range(size):
        with enter(gateway, kdc) as c:
            c.protect("P")
            reply = upload(c, lambda: c.blocks(b"0123456789")[:at])
            assert reply.code == 426, (at, reply)
        content, how = gateway.backend.upload("up")
        assert how == "reset", f"cut at {at} of {size}: the server stored {content!r} as whole"
        gateway.backend.stored.clear()
    gateway.event("transfer", count=size, result="gssapi-truncated")
    assert len(gateway.seen("transfer", result="gssapi-truncated")) == size
    with enter(gateway, kdc) as c:
        c.protect("P")
        assert upload(c, lambda: c.blocks(b"0123456789")).code == 226
    assert gateway.backend.upload("up") == (b"0123456789", "fin")


def blocks_of(raw):
    found = []
    while raw:
        (length,) = struct.unpack(">I", raw[:4])
        found.append(raw[:4 + length])
        raw = raw[4 + length:]
    return found


ATTACKS = {
    "left out": lambda b: [b[0], *b[2:]],
    "repeated": lambda b: [b[0], b[0], *b[1:]],
    "swapped": lambda b: [b[1], b[0], *b[2:]],
    "only the end": lambda b: b[-1:],
    "an end without protection": lambda b: [*b[:-1], b"\0\0\0\0"],
    "a block that is too long": lambda b: [b[0], struct.pack(">I", 1025) + b"x" * 1025, *b[1:]],
    "a huge block": lambda b: [b[0], b"\xff\xff\xff\xff", *b[1:]],
    "a changed block": lambda b: [b[0], b[1][:-1] + bytes([b[1][-1] ^ 1]), *b[2:]],
    "something else": lambda b: [b[0], struct.pack(">I", 20) + b"x" * 20, *b[1:]],
    "in the clear": lambda b: [CONTENT],
}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("flag", ["replay_detection", "out_of_sequence_detection"])
def test_368_blocks(start, kdc, name, flag):
    import gssapi
    gateway = start()
    flags = [gssapi.RequirementFlag.mutual_authentication, gssapi.RequirementFlag[flag]]
    with enter(gateway, kdc, flags=flags) as c:
        c.protect("P", 1024)
        reply = upload(c, lambda: b"".join(ATTACKS[name](blocks_of(c.blocks(CONTENT)))))
        assert reply.code in (535, 426), reply
        assert gateway.backend.upload("up")[1] == "reset"
        c.send("DELE x\r\n")
        c.assert_ends(535)
    assert "DELE x" not in lines(gateway)
    gateway.event("transfer", result="gssapi-failed")


def test_369_safe_blocks_are_not_private(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        c.protect("P", 1024)

        def signed():
            token = c.seal(b"", encrypt=False)
            return struct.pack(">I", len(token)) + token
        assert upload(c, signed).code == 535


def test_370_a_block_becomes_a_command(start, kdc):
    """The client uploads a file with this content: somebody withholds its block and sends it as a command."""
    gateway = start()
    with enter(gateway, kdc) as c:
        c.protect("P")
        sock = c.open("STOR up").sock
        block = c.blocks(b"DELE hello.txt\r\n", end=False)
        c.send(b"ENC " + base64.b64encode(block[4:]) + b"\r\n")
        c.assert_ends(426, 535)
        sock.close()
    assert not any(line.startswith("DELE") for line in lines(gateway))


def test_371_the_last_block_becomes_a_command_later(start, kdc):
    gateway = start()
    with enter(gateway, kdc) as c:
        c.protect("P")
        block = []
        sock = c.open("STOR up").sock
        block = c.blocks(b"DELE hello.txt\r\n", end=False)
        sock.close()
        assert c.reply().code == 426
        c.send(b"ENC " + base64.b64encode(block[4:]) + b"\r\n")
        c.assert_ends(535)
    assert not any(line.startswith("DELE") for line in lines(gateway))


def test_a_command_becomes_a_block(start, kdc):
    """The token of a command, put into the data as well: it counts in one place, whichever comes first."""
    gateway = start()
    with enter(gateway, kdc) as c:
        c.protect("P")
        sock = c.open("STOR up").sock
        line = c.envelope("NOOP\r\n")
        token = base64.b64decode(line.split()[1])
        sock.sendall(struct.pack(">I", len(token)) + token)
        c.sock.sendall(line.encode())
        net.end_of(sock)
        sock.close()
    assert gateway.backend.upload("up")[1] == "reset"


def test_noop_during_an_upload(start, kdc):
    """No attack: the commands that make sense during a transfer have their place in the sequence."""
    gateway = start()
    with enter(gateway, kdc) as c:
        c.protect("P")
        sock = c.open("STOR up").sock
        c.send("NOOP\r\n")
        sock.sendall(c.blocks(CONTENT))
        net.end_of(sock)
        sock.close()
        assert {c.reply().code, c.reply().code} == {226, 200}
        c.expect("PWD", 257)
    assert gateway.backend.upload("up") == (CONTENT, "fin")


# --- 4: downloads that are not whole ---
HALF = b"half of a file"


def download_that(how):
    """A server whose data ends in order, whatever it says of it. It says so when the test lets it."""
    def retr(session, name):
        session.reply("150 Here it comes")
        data = session.open_data()
        data.sendall(HALF)
        if how.startswith("reply, end"):
            session.reply("451 The disk is gone")
        clients.shutdown_write(data)
        if "waits for our end" in how:
            session.backend.store("end", b"", net.end_of(data)[0])
        else:
            session.backend.wait(lambda: "leave" in session.backend.files, "the test's leave to speak")
        data.close()
        if how == "end, nothing":
            return "close"
        if not how.startswith("reply, end"):
            session.reply("451 The disk is gone" if "451" in how else "226 Transfer complete")
        return None
    return retr


def leave(gateway):
    gateway.backend.note(lambda: gateway.backend.files.update({"leave": b""}))


@pytest.mark.parametrize("level", "SEP")
@pytest.mark.parametrize("how,code", [("end, 451", 451), ("reply, end", 451), ("end, nothing", 421)])
def test_372_a_download_that_fails_has_no_end(start, kdc, how, code, level):
    """Data that ends in order, and a failure before it, after it, or never told: what has come arrives, without the end."""
    gateway = start({"secure_dataconn": "clear"})
    gateway.backend.script["RETR"] = download_that(how)
    with enter(gateway, kdc) as c:
        c.protect(level)
        data = c.open("RETR x")
        leave(gateway)
        assert HALF.startswith(data.read_all())
        assert data.end != "clean", "the client took a cut file for a whole one"
        assert c.reply().code == code
        if code == 451:
            c.expect("PWD", 257)
    assert gateway.event("transfer").keys["result"] != "ok"


def test_373_the_end_of_a_download_waits_for_the_reply(start, kdc):
    gateway = start()
    gateway.backend.script["RETR"] = download_that("end, 226")
    with enter(gateway, kdc) as c:
        c.protect("P")
        sock = c.open("RETR x").sock
        first = sock.recv(65536)
        assert c.read_blocks(first) == (HALF, False)
        assert net.quiet(sock), "an end before the server's reply"
        leave(gateway)
        how, rest = net.end_of(sock)
        assert how == "fin" and c.read_blocks(rest) == (b"", True)
        assert c.reply().code == 226
    assert gateway.event("transfer").keys["result"] == "ok"


def test_374_a_server_may_wait_for_our_end(start, kdc):
    """Some speak of success only when the other side has closed its data connection, too."""
    gateway = start()
    gateway.backend.script["RETR"] = download_that("end, 226, waits for our end")
    with enter(gateway, kdc) as c:
        c.protect("P")
        data = c.open("RETR x")
        assert data.read_all() == HALF and data.end == "clean"
        assert c.reply().code == 226
    assert gateway.backend.stored["end"][1] == "fin"


def test_a_server_without_150(start, kdc):
    """226 alone is agreement and success."""
    gateway = start()

    def retr(session, name):
        data = session.open_data()
        data.sendall(HALF)
        data.close()
        session.reply("226 There it was")
    gateway.backend.script["RETR"] = retr
    with enter(gateway, kdc) as c:
        c.protect("P")
        sock = net.dial(c.pasv())
        c.send("RETR x\r\n")
        data = c.wrap(sock)
        assert data.read_all() == HALF and data.end == "clean"
        assert c.reply().code == 226


# Guard: ftp_security_transfer() in ftp-alg/security.c.
def test_376_a_level_from_before_user(start, kdc):
    """PROT S is good enough until USER names somebody whose files must be encrypted."""
    gateway = start({"secure_dataconn": "safe", "per_user": [{"users": ["bob"], "secure_dataconn": "private"}]})
    with kerberos.Client(gateway.explicit, kdc).login_gssapi() as c:
        c.protect("S")
        c.login("bob")
        c.pasv()
        assert c.cmd("RETR hello.txt").code == 534
        c.protect("P")
        assert c.get("hello.txt") == b"hello, world\r\n"
    assert sum(line.startswith("RETR") for line in lines(gateway)) == 1


# --- 5: floods ---
def test_375_many_exchanges(start, kdc):
    """A ticket that is refused counts like a wrong password (login_attempts)."""
    gateway = start()
    with clients.Client(gateway.explicit) as c:
        for _ in range(2):
            c.expect("AUTH GSSAPI", 334)
            c.expect("ADAT YWJj", 535)
        c.expect("AUTH GSSAPI", 334)
        c.send(b"ADAT YWJj\r\n")
        c.assert_ends(535, 421)

"""Malformed command lines: refused or the session ends; nothing of them reaches the server."""
import random

import pytest

import client as clients
import net


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
            pass  # ending the session is also right


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

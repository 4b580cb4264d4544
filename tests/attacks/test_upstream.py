"""Whoever is on the wire to a server that policy wants under TLS: no line of his counts, and he gets no name, password or file."""
import contextlib
import re
import socket
import ssl

import pytest

import client as clients
import net
import tls_server

SECRETS = b"user hidden-name\r\npass hidden-word\r\n"
CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


class Wire:
    """One session: a client in the clear that does not wait, and whoever plays the server."""

    def __init__(self, launch, certificates, sends=SECRETS, action=None, ftp=None, **backend):
        self.heard = bytearray()
        self.ctx = tls_server.context((certificates.ecdsa["chain"], certificates.ecdsa["key"]))
        self.listener = net.listen()
        self.gateway = launch(
            self.listener.getsockname(), ftp={**CLEAR, **(ftp or {})},
            keyrings={"outer": {"trust": certificates.ca.pem}},
            tls_actions={"outer": {"handshake_role": "client", "keyring": "outer", **(action or {})}},
            backends={"legacy": {"tls": "outer", **backend}},
            listeners={"explicit": {"tls": "none"}, "implicit": None}, rules={"everyone": {"tls": None}})
        self.client = clients.Client(self.gateway.explicit, greet=False)
        self.client.send(sends)
        self.server, _ = self.listener.accept()
        self.server.settimeout(net.DEADLINE)
        self.tls, self.buffer = None, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self.client.sock, self.server, self.listener:
            sock.close()

    def say(self, text):
        self.tls.send(text) if self.tls else self.server.sendall(text)

    def hear(self, line):
        while b"\n" not in self.buffer:
            data = self.tls.recv() if self.tls else self.server.recv(65536)
            assert data, f"the end instead of {line!r}"
            self.heard += b"" if self.tls else data
            self.buffer += data
        got, self.buffer = self.buffer.split(b"\n", 1)
        assert got + b"\n" == line, got

    def handshake(self):
        self.tls = tls_server.ServerTls(self.server, self.ctx, self.heard)

    def up(self):
        """As far as the server's TLS, its login and the gateway's own commands go."""
        self.say(b"220 ready\r\n")
        self.hear(b"AUTH TLS\r\n")
        self.say(b"234 go\r\n")
        self.handshake()
        return self

    def end(self):
        """Everything that came to the server, and what the client was told."""
        said = self.client.ended()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := self.server.recv(65536):
                self.heard += data
        return bytes(self.heard), said


def assert_nothing_left(heard):
    assert not re.search(rb"(?i)hidden|user|pass|stor|retr", heard), heard


@pytest.mark.parametrize("text", [b"220 Welcome\r\n", b"230 You are in\r\n331 Go\r\n", b"2", b"\r\n"])
def test_300_bytes_after_the_reply_to_auth(launch, certificates, text):
    with Wire(launch, certificates) as wire:
        wire.say(b"220 ready\r\n")
        wire.hear(b"AUTH TLS\r\n")
        wire.say(b"234 go\r\n" + text)
        heard, said = wire.end()
        assert_nothing_left(heard)
        assert said == b"421 The FTP server sent bytes in the clear before TLS; closing.\r\n"


@pytest.mark.parametrize("reply", [b"500 no\r\n", b"200 fine\r\n", b"230 You are in\r\n", b"220 ready\r\n"])
def test_301_no_way_back_to_the_clear(launch, certificates, reply):
    """The session ends at once, whatever the server would say to USER and PASS."""
    with Wire(launch, certificates) as wire:
        wire.say(b"220 ready\r\n")
        wire.hear(b"AUTH TLS\r\n")
        wire.say(reply)
        heard, said = wire.end()
        assert heard == b"AUTH TLS\r\n"
        assert said == b"421 The FTP server offers no TLS, which policy requires; closing.\r\n"


@pytest.mark.parametrize("text", [b"220-evil\r\n220 evil\r\n", b"230 evil\r\n", b"421 evil\r\n", b"530 evil\r\n"])
def test_302_the_client_sees_no_line_of_an_unknown_server(launch, certificates, text):
    with Wire(launch, certificates) as wire:
        wire.say(text)
        wire.server.shutdown(socket.SHUT_WR)
        heard, said = wire.end()
        assert b"evil" not in said
        assert_nothing_left(heard)


def test_303_a_login_in_the_greeting_is_not_believed(launch, certificates):
    """The client's PWD would be taken for a command of the user that the wire has logged in."""
    with Wire(launch, certificates, sends=b"PWD\r\n") as wire:
        wire.say(b"230 You are in\r\n")
        wire.hear(b"AUTH TLS\r\n")
        wire.say(b"234 go\r\n")
        wire.handshake()
        assert wire.client.reply().code == 220
        assert wire.client.reply().code == 530


def test_304_after_ccc_no_other_password(launch, certificates):
    with Wire(launch, certificates, sends=b"USER a\r\nPASS b\r\n" + SECRETS, secure_ctrlconn="clear",
              secure_dataconn="never", ccc="after_login", tlsrfclevel="cccnonotify") as wire:
        wire.up()
        wire.hear(b"USER a\r\n")
        wire.say(b"331 go\r\n")
        wire.hear(b"PASS b\r\n")
        wire.say(b"230 in\r\n")
        wire.hear(b"CCC\r\n")
        wire.say(b"200 clear\r\n")
        wire.buffer, wire.tls = wire.tls.rest(), None
        wire.hear(b"NOOP\r\n")
        wire.say(b"200 noop\r\n")
        wire.client.send(b"QUIT\r\n")
        wire.hear(b"QUIT\r\n")
        wire.say(b"221 bye\r\n")
        heard, said = wire.end()
        assert said.count(b"503 ") == 1 and said.count(b"202 ") == 1, said
        assert b"hidden" not in heard and not wire.buffer


def test_305_no_file_under_a_level_that_policy_does_not_accept(launch, certificates):
    with Wire(launch, certificates, sends=b"USER a\r\nPASV\r\nSTOR x\r\nQUIT\r\n") as wire:
        wire.up()
        wire.hear(b"USER a\r\n")
        wire.say(b"230 in\r\n")
        wire.hear(b"PBSZ 0\r\n")
        wire.say(b"200 0\r\n")
        wire.hear(b"PROT P\r\n")
        wire.say(b"534 no\r\n")
        wire.hear(b"QUIT\r\n")
        wire.say(b"221 bye\r\n")
        assert b"\n521 " in wire.client.ended()


def test_306_a_second_reply_to_auth_under_tls(launch, certificates):
    """A server that repeats what came in the clear under TLS answers no command with it."""
    with Wire(launch, certificates, sends=b"") as wire:
        wire.up()
        assert wire.client.reply().code == 220
        wire.say(b"331 go\r\n")
        assert wire.client.ended().startswith(b"421 ")

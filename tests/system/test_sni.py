"""ServerHandshakeSNI: the names that a client may or must request."""
import ssl

import pytest

import client as clients
import net
from client import context

LONG = "a" * 63 + "." + "b" * 63
# requested name -> accepted with off, optional, required
ASKED = {None: (True, True, False), "localhost": (True, True, True), "LOCALHOST": (True, True, True),
         "other.example": (True, True, True), "unknown.example": (True, False, False), "xlocalhost": (True, False, False),
         "localhost.example": (True, False, False), LONG: (True, False, False)}
POLICIES = ["off", "optional", "required"]


@pytest.fixture(params=POLICIES)
def choice(request, launch, backend, certificates):
    gateway = launch(backend, tls={"server_handshake_sni": request.param},
                     keyrings={"ftpd": {"certificates": [certificates.ecdsa, certificates.rsa, certificates.other]}})
    return gateway, POLICIES.index(request.param)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_control(choice, version):
    gateway, column = choice
    for name, wants in ASKED.items():
        for listener in "explicit", "implicit":
            since = gateway.mark()
            try:
                with clients.Client(gateway.address[listener], implicit=listener == "implicit", name=name,
                                    ctx=context(versions=version)) as c:
                    if listener == "explicit":
                        c.auth(name=name)
                    c.login()
                    got = True
            except ssl.SSLError as error:
                assert "UNRECOGNIZED_NAME" in str(error).upper(), error
                got = False
                asks = "a host name that no certificate has" if name else "no host name"
                assert gateway.event("tls-failed", since).keys["reason"] == "the client asks for " + asks
            assert got == wants[column], name


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_data(choice, backend, version):
    gateway, column = choice
    ctx = context(versions=version)
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth(name="localhost").login().prot("P")
        for name, wants in ASKED.items():
            if wants[column]:
                data = c.open("RETR hello.txt", session=None, name=name)
                assert data.read_all() == backend.files["hello.txt"]
                data.close()
                assert c.reply().code == 226
                continue
            sock = net.dial(c.pasv())
            c.send("RETR hello.txt\r\n")
            with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
                clients.Tls(sock, ctx, name=name).read_all()
            reply = c.reply()
            assert (c.reply() if reply.code < 200 else reply).code in (425, 426, 522)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumption_does_not_open_a_way_round(launch, backend, version):
    """The TLS session began with a valid name, but only the name in the current handshake counts."""
    gateway = launch(backend, tls={"server_handshake_sni": "optional"})
    ctx = context(versions=version)
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth(name="localhost").login().expect("NOOP", 200)
        with clients.Client(gateway.explicit, ctx=ctx) as second:
            second.expect("AUTH TLS", 234)
            hello = clients.Tls(second.sock, ctx, session=c.tls.session, name="localhost", handshake=False).hello()
            assert hello.count(b"localhost") == 1
            # TLS 1.3 binds the ticket to the ClientHello; the error must still be about the name
            second.sock.sendall(hello.replace(b"localhost", b"lokalhost"))
            record = second.sock.recv(100)
            assert record[0] == 21 and record[-2:] == bytes([2, 112]), record


BAD = {"empty list": b"\0\0", "empty name": b"\0\x03\0\0\0", "NUL": b"\0\x0c\0\0\x09local\0ost", "cut": b"\0\x0c\0\0\x08localhost",
       "two names": b"\0\x18\0\0\x09localhost\0\0\x09localhost", "another type": b"\0\x0c\x01\0\x09localhost", "one byte": b"\0",
       "nothing": b""}


@pytest.mark.parametrize("policy", POLICIES)
def test_malformed_names(launch, backend, policy):
    """The client controls every byte of the extension: a bad one gets an alert, and the daemon survives."""
    gateway = launch(backend, tls={"server_handshake_sni": policy})
    with clients.Client(gateway.explicit) as c:
        hello = clients.Tls(c.sock, context(versions="1.2"), name="localhost", handshake=False).hello()
    good = b"\0\0\0\x0e\0\x0c\0\0\x09localhost"
    assert hello.count(good) == 1
    for name, bad in BAD.items():
        shorter = hello.replace(good, b"\0\0" + len(bad).to_bytes(2, "big") + bad)
        change = len(shorter) - len(hello)
        shorter = bytearray(shorter)
        for at, size in ((3, 2), (6, 3)):  # lengths of the record and of the handshake message
            shorter[at:at + size] = (int.from_bytes(hello[at:at + size], "big") + change).to_bytes(size, "big")
        at = 9 + 2 + 32  # version, random, then three lists with their lengths
        at += 1 + shorter[at]
        at += 2 + int.from_bytes(shorter[at:at + 2], "big")
        at += 1 + shorter[at]
        shorter[at:at + 2] = (int.from_bytes(shorter[at:at + 2], "big") + change).to_bytes(2, "big")
        with clients.Client(gateway.explicit) as c:
            c.expect("AUTH TLS", 234)
            c.sock.sendall(shorter)
            record = c.sock.recv(100)
            if policy == "off" and name == "empty name":
                continue  # OpenSSL treats it as no name, and so does attlsd with off
            assert record[0] == 21 and record[5] == 2, (name, record)
    with clients.Client(gateway.explicit) as c:
        c.auth(name="localhost").login()

"""Clients that speak HTTP, SMTP, or TLS on the wrong port."""
import socket

import pytest

import client as clients

SMUGGLED = "USER smuggled"


@pytest.mark.parametrize("request_", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
                                      b"OPTIONS * HTTP/1.0\r\n\r\n", b"EHLO example.com\r\n"])
@pytest.mark.parametrize("where", ["clear", "tls", "implicit"])
def test_other_protocols_end_the_session(gateway, backend, request_, where):
    """Web browsers and mail clients that an attacker redirected here (ALPACA, NAT slipstreaming)."""
    with clients.Client(gateway.implicit if where == "implicit" else gateway.explicit, implicit=where == "implicit") as c:
        if where == "tls":
            c.auth().login()
        before = len(backend.everything())
        c.send(request_ + b"PORT 127,0,0,1,200,10\r\nUSER smuggled\r\n")
        c.assert_ends(500, 421)
        assert len(backend.everything()) == before


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

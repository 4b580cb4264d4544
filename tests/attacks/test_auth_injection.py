"""Bytes around AUTH TLS never become commands inside TLS."""
import pytest

import client as clients

SMUGGLED = "USER smuggled"


@pytest.mark.parametrize("after", [b"USER smuggled\r\n", b"U", b"\r\n", b"\x16\x03\x01\x02\x00"])
def test_bytes_after_auth_in_its_segment(gateway, backend, after):
    with clients.Client(gateway.explicit) as c:
        c.send(b"AUTH TLS\r\n" + after)
        said = c.ended()
        assert said == b"" or said.startswith((b"234", b"421", b"503")), said
        assert said.count(b"\r\n") <= 1
    assert SMUGGLED not in backend.everything()
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)


def test_bytes_after_auth_in_a_later_segment(gateway, backend):
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
    """The legitimate case, which must not count as an attack."""
    for cut in range(1, 10):
        with clients.Client(gateway.explicit) as c:
            c.send(b"AUTH TLS\r\n"[:cut])
            c.send(b"AUTH TLS\r\n"[cut:])
            assert c.reply().code == 234
            c.start_tls().login()

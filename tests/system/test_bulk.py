"""Large files arrive byte for byte when the receiver is slow: what the kernel does not take is kept, in the right order."""
import os
import socket

import pytest

import client as clients

SIZE = 6 << 20


def slowly(data):
    """Read through a small window, a little at a time, so that the gateway is stopped again and again."""
    data.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
    got = bytearray()
    while piece := data.recv():
        got += piece
    return bytes(got)


@pytest.mark.parametrize("level", ["C", "P"])
def test_a_slow_client_gets_every_byte(launch, make_backend, level):
    content = os.urandom(SIZE)
    gateway = launch(make_backend(files={"big": content}), ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        data = c.open("RETR big")
        assert slowly(data) == content
        data.close()
        assert c.reply().code == 226


@pytest.mark.parametrize("level", ["C", "P"])
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 262144, SIZE])
def test_an_upload_and_a_download_of_each_size(launch, make_backend, level, size):
    """Around the sizes at which the relay changes its way of moving bytes."""
    content = os.urandom(size)
    backend = make_backend(files={"there": content})
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        assert c.get("there") == content
        assert c.put("here", content).code == 226
        assert backend.upload("here") == (content, "fin")

"""Large files arrive byte for byte even if the receiver is slow: attlsd queues what the kernel does not accept, in order."""
import os
import socket
import threading

import pytest

import client as clients
import net

SIZE = 6 << 20


def slowly(data):
    """Read in small steps through a small window, so that the gateway has to stop again and again."""
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
    """Sizes around the thresholds at which the relay changes how it moves bytes."""
    content = os.urandom(size)
    backend = make_backend(files={"there": content})
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        assert c.get("there") == content
        assert c.put("here", content).code == 226
        assert backend.upload("here") == (content, "fin")


@pytest.mark.parametrize("level", ["C", "P"])
def test_a_sender_that_pauses_is_not_delayed(launch, make_backend, level):
    """While bytes arrive fast, the kernel coalesces them; a few bytes before a pause must still arrive, in both directions."""
    many, few = os.urandom(48 << 20), b"a few before the pause"
    there = [threading.Event(), threading.Event()]

    def up(session, _):
        session.reply("150 Send it")
        data = session.open_data()
        for name, content in ("many", many), ("few", few):
            session.backend.store(name, net.exactly(data, len(content)), "open")
        session.backend.store("rest", *reversed(net.end_of(data)))
        data.close()
        session.reply("226 Got it")

    def down(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        for content, arrived in zip((many, few), there):
            data.sendall(content)
            assert arrived.wait(net.DEADLINE)
        data.close()
        session.reply("226 Sent it")

    backend = make_backend(STOR=up, RETR=down)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        data = c.open("STOR x")
        for name, content in ("many", many), ("few", few):
            data.send(content)
            assert backend.upload(name) == (content, "open")
        data.close()
        assert c.reply().code == 226
        assert backend.upload("rest") == (b"", "fin")

        data = c.open("RETR x")
        for content, arrived in zip((many, few), there):
            got = bytearray()
            while len(got) < len(content):
                piece = data.recv()
                assert piece, f"the download ended after {len(got)} bytes"
                got += piece
            assert got == content
            arrived.set()
        assert data.read_all() == b""
        data.close()
        assert c.reply().code == 226

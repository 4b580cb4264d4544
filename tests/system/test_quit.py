"""QUIT after an upload is carried out, even if the client closes at once. Without QUIT, the upload is aborted."""
import hashlib
import socket
import time

import pytest

import client as clients
import net

CONTENT = bytes(range(256)) * 8000  # more than a small window takes


def upload_and_go(gateway, name, content=CONTENT, words=b"QUIT\r\n", reset=False, level="P", notify=True):
    """A client that closes both connections as soon as its last byte is out."""
    c = clients.explicit(gateway, level)
    data = c.open("STOR " + name)
    data.send(content)
    data.close(notify) if level == "P" else data.close()
    c.send(words)
    if reset:
        time.sleep(0.1)  # a reset may overtake what was sent
        net.reset(c.sock)
    else:
        c.tls.notify()
        c.sock.close()


def slow_store(pause):
    """A server that reads in small pieces and sends its last reply late."""
    def store(session, name):
        session.reply("150 Send it")
        data = session.open_data()
        content, how = bytearray(), "fin"
        try:
            while True:
                piece = data.recv(65536)
                if not piece:
                    break
                content += piece
                time.sleep(pause)
        except ConnectionResetError:
            how = "reset"
        data.close()
        time.sleep(0.3)
        session.backend.store(name, bytes(content), how)
        session.reply("226 Stored")
    return store


def small_window(session, _):
    """Small socket buffers, so that unread bytes stay with the gateway and the client."""
    port = session.passive()
    session.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    session.reply(f"229 Entering Extended Passive Mode (|||{port}|)")


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
@pytest.mark.parametrize("level", ["P", "C"])
def test_a_slow_server_gets_six_of_six_whole(launch, make_backend, level, reset):
    backend = make_backend(STOR=slow_store(0.01), EPSV=small_window)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    for n in range(6):
        upload_and_go(gateway, f"up{n}", level=level, reset=reset)
    for n in range(6):
        content, how = backend.upload(f"up{n}")
        assert (how, len(content)) == ("fin", len(CONTENT)) and content == CONTENT
        backend.saw("QUIT", n)
        assert backend.verbs(n)[-2:] == ["STOR", "QUIT"]
    gateway.event("transfer", count=6, result="ok")


@pytest.mark.parametrize("name", ["pyftpdlib", "vsftpd", "pure-ftpd", "proftpd"])
def test_a_real_server_gets_six_of_six_whole(launch, real_server, name):
    server = real_server(name)
    gateway = launch((server.host, server.port), ftp={"secure_session_reuse": "none"})
    for n in range(6):
        c = clients.Client(gateway.explicit).auth().login(server.user, server.password).prot("P")
        c.expect("TYPE I", 200)
        data = c.open(f"STOR {server.where}quit{n}")
        data.send(CONTENT)
        data.close()
        c.send("QUIT\r\n")
        c.tls.notify()
        c.sock.close()
    gateway.event("session-end", count=6)
    gateway.event("transfer", count=6, result="ok")
    c = clients.Client(gateway.explicit).auth().login(server.user, server.password).prot("P")
    c.expect("TYPE I", 200)
    for n in range(6):
        assert hashlib.sha256(c.get(f"{server.where}quit{n}")).digest() == hashlib.sha256(CONTENT).digest()
    c.close()


def test_a_close_without_quit_aborts_the_upload(launch, make_backend):
    backend = make_backend(STOR=slow_store(0.05), EPSV=small_window)
    gateway = launch(backend)
    for words in (b"", b"NOOP\r\n", b"QUI"):
        upload_and_go(gateway, "up" + words.decode().strip(), content=CONTENT * 4, words=words)
    for name in ("up", "upNOOP", "upQUI"):
        assert backend.upload(name)[1] == "reset"


def test_quit_makes_no_cut_upload_whole(launch, make_backend):
    backend = make_backend(STOR=slow_store(0.001), EPSV=small_window)
    gateway = launch(backend)
    upload_and_go(gateway, "up", content=CONTENT[:100000], notify=False)
    assert backend.upload("up")[1] == "reset"
    gateway.event("transfer", result="tls-truncated")

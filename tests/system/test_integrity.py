"""A truncated transfer never passes as complete, in either direction."""
import contextlib
import os
import socket
import ssl
import time

import pytest

import client as clients
import gnutls
import net

HALF = b"only the first part" * 1000


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("content", [HALF, b""], ids=["data", "empty"])
@pytest.mark.parametrize("end", ["fin", "half-close", "reset"])
@pytest.mark.parametrize("mode", ["PASV", "PORT"])
def test_a_cut_upload_resets_the_backend_and_is_no_success(launch, backend, end, content, version, mode):
    gateway = launch(backend)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        data = c.open("STOR cut", mode)
        if content:
            data.send(content)
        if end == "reset":
            data.abort()
        elif end == "fin":
            data.close(notify=False)
        else:
            data.sock.shutdown(socket.SHUT_WR)
        got, how = backend.upload("cut")
        assert how == "reset", "the backend took a cut file for a whole one"
        reply = c.reply()
        assert reply.code == 426, f"{reply} although the upload was cut (the backend said 226)"
        data.sock.close()
        assert c.put("whole", content).code == 226
        assert backend.upload("whole") == (content, "fin")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_java_says_that_it_was_cancelled_and_then_that_all_is_well(gateway, backend, version):
    """JDK 11 and later send the warning user_canceled before close_notify at each orderly close of TLS 1.3."""
    content = bytes(range(256)) * 1000
    with clients.explicit(gateway, "P") as c:
        data = gnutls.connect(c, "STOR up", version)
        data.send(content)
        data.warn()
        data.finish()
        assert c.reply().code == 226
        data.close()
    assert backend.upload("up") == (content, "fin")


def test_a_cut_upload_in_the_clear_by_rst(gateway, backend):
    with clients.explicit(gateway, "C") as c:
        data = c.open("STOR cut")
        data.send(HALF)
        data.abort()
        assert backend.upload("cut")[1] == "reset"
        assert c.reply().code == 426
        assert c.put("whole", HALF).code == 226


def test_close_notify_ends_an_upload_and_is_answered(gateway, backend):
    """Python's ftplib waits for the gateway's close_notify before it closes the connection."""
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR whole")
        data.send(HALF)
        data.notify()
        assert data.recv() == b"" and data.end == "clean"
        data.sock.close()
        assert c.reply().code == 226
        assert backend.upload("whole") == (HALF, "fin")


def cut_download(session, _):
    """150, half of the file, RST, and 226 anyway."""
    session.reply("150 Here it comes")
    data = session.open_data()
    data.sendall(HALF)
    session.backend.wait(lambda: getattr(session.backend, "go", False), "the test's leave to reset")
    net.reset(data)
    session.reply("226 All is well")


@pytest.mark.parametrize("level", ["C", "P"])
@pytest.mark.parametrize("data", ["passive", "active"])
def test_a_reset_backend_never_ends_a_download_cleanly(launch, make_backend, level, data):
    backend = make_backend(RETR=cut_download)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, backends={"legacy": {"data": data}})
    with clients.explicit(gateway, level) as c:
        data = c.open("RETR cut")
        got = b""
        while len(got) < len(HALF):
            piece = data.recv()
            assert piece
            got += piece
        backend.note(lambda: setattr(backend, "go", True))
        data.read_all()
        assert data.end != "clean", "the client took a cut file for a whole one"
        if level == "C":
            assert data.end == "reset"
        assert c.reply().code in (426, 451)
        c.expect("NOOP", 200)


def test_226_only_when_the_client_has_the_data(launch, make_backend):
    """The backend has sent 226 while the gateway still holds data for a slow client."""
    said = []

    def retr(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        session.reply("226 Said too early")
        data.sendall(backend.files["huge"])
        data.close()
        session.backend.note(lambda: said.append(True))
    backend = make_backend(files={"huge": bytes(range(256)) * (8 << 12)}, RETR=retr)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    for level in "P", "C":
        with clients.explicit(gateway, level) as c:
            data = c.open("RETR huge")
            assert net.quiet(c.sock, 0.5), "226 before the data"
            assert data.read_all() == backend.files["huge"] and data.end == "clean"
            data.close()
            assert c.reply().code == 226


def test_a_late_226_is_waited_for(launch, make_backend):
    def stor(session, name):
        session.upload(name, done="250-Checking\r\n250 Stored as asked")
    backend = make_backend(STOR=stor)
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        assert c.put("x", HALF) == "250-Checking\n250 Stored as asked"


def test_a_refusal_after_the_data_reaches_the_client(launch, make_backend):
    def stor(session, name):
        session.upload(name, done="552 Disk full")
    gateway = launch(make_backend(STOR=stor))
    with clients.explicit(gateway, "P") as c:
        assert c.put("x", HALF).code == 552
        c.expect("NOOP", 200)


def test_an_error_of_the_backend_in_mid_download(launch, make_backend):
    """Data, FIN, then 451: the client gets the 451, whatever data it has."""
    def retr(session, _):
        session.download(HALF, done="451 Read error")
    gateway = launch(make_backend(RETR=retr))
    with clients.explicit(gateway, "P") as c:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            data = c.open("RETR x")
            assert HALF.startswith(data.read_all())
            data.close()
        assert c.reply().code == 451
        c.expect("NOOP", 200)


def endless(session, _):
    """Send data until the client leaves or the next command (ABOR) arrives."""
    session.reply("150 Here it comes")
    data = session.open_data()
    how = "fin"
    try:
        while net.quiet(session.sock, 0):
            if net.select.select([], [data], [], 0.01)[1]:
                data.send(bytes(65536))
    except OSError:
        how = "reset"
    session.backend.store("endless", b"", how)
    data.close()
    session.reply("426 Aborted")


@pytest.mark.parametrize("level", ["C", "P"])
@pytest.mark.parametrize("how", ["reset", "fin", "notify"])
def test_a_client_that_leaves_a_download(launch, make_backend, level, how):
    backend = make_backend(RETR=endless, files={"x": b"x"})
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        data = c.open("RETR endless")
        assert data.recv()
        data.abort() if how == "reset" else data.close(notify=how == "notify")
        assert backend.upload("endless")[1] == "reset"
        assert c.reply().code in (426, 451)
        c.expect("NOOP", 200)
        assert c.put("after", b"fine").code == 226


@pytest.mark.parametrize("level", ["C", "P"])
def test_abor_ends_a_download(launch, make_backend, level):
    backend = make_backend(RETR=endless)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        data = c.open("RETR endless")
        assert data.recv()
        c.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        data.read_all()
        assert data.end != "clean"
        codes = [c.reply().code]
        if codes[0] not in (225, 226):
            codes.append(c.reply().code)
        assert codes[-1] in (225, 226) and codes[0] in (426, 226, 225), codes
        c.expect("NOOP", 200)
        assert c.put("after", b"fine").code == 226


def test_the_control_connection_lost_in_mid_upload_resets_the_backend(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR cut")
        data.send(HALF)
        c.tls.abort()
        assert backend.upload("cut")[1] == "reset"
        with contextlib.suppress(OSError):
            data.sock.close()


def test_the_backends_control_connection_lost_in_mid_download(launch, make_backend):
    def retr(session, _):
        session.reply("150 Here it comes")
        session.open_data().sendall(HALF)
        return "close"
    gateway = launch(make_backend(RETR=retr))
    with clients.explicit(gateway, "P") as c:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            c.open("RETR x").read_all()
        reply = c.reply()
        assert reply.code in (421, 426, 451), reply
        c.ended()


@pytest.mark.parametrize("level", ["C", "P"])
def test_a_reset_behind_a_half_close_is_seen_at_once(launch, make_backend, level):
    """The kernel has all data; the client has closed its sending side, reads nothing, and resets the connection."""
    backend = make_backend(RETR=lambda session, _: session.download(b"x" * 300000))
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    c = clients.explicit(gateway, level)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(net.DEADLINE)
    sock.connect(c.pasv())
    c.expect("RETR x", 150)
    data = c.wrap(sock)
    if level == "P":
        data.notify()
    else:
        clients.shutdown_write(sock)
    time.sleep(0.5)
    net.reset(sock)
    assert c.reply().code == 426
    c.close()


def test_a_server_may_accept_late_what_the_client_has_spoilt(launch, make_backend):
    """A server whose connection is reset before accept() might never send a reply, and the client would wait for ever."""
    seen = []

    def late(session, name):
        session.reply("150 soon")
        gateway.event("transfer")
        with net.dial(gateway.explicit):
            gateway.event("session-start", count=2)  # the worker has finished everything that it does at once
        try:
            data = session.open_data()
            seen.append(data.getpeername())
            seen.append(data.recv(1))
        except OSError as error:
            seen.append(error)
        session.reply("426 nothing came")

    backend = make_backend(STOR=late)
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.epsv())
        c.expect("STOR x", 150)
        sock.sendall(b"this is no TLS at all")
        assert c.reply().code == 522
        sock.close()
    assert isinstance(seen[0], tuple), f"the server found {seen[0]!r}"
    assert isinstance(seen[1], ConnectionResetError), f"the server took {seen[1]!r} for an upload"


def failing(session, name):
    """Half of a file, then the failure or nothing on the control connection, then the end of the data."""
    session.reply("150 Here it comes")
    data = session.open_data()
    data.sendall(HALF)
    session.backend.wait(lambda: name in session.backend.files, "the test's leave to fail")
    if name == "dies":
        session.sock.shutdown(socket.SHUT_RDWR)
    else:
        session.reply("451 The second part is odd")
    data.close()
    session.backend.store(name, b"", "failed")


@pytest.mark.parametrize("name", ["fails", "dies"])
def test_a_failed_download_is_cut_although_its_end_comes_with_the_failure(launch, make_backend, name):
    backend = make_backend(RETR=failing)
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        data = c.open("RETR " + name)
        assert data.recv()
        with net.stopped(*gateway.workers()):
            backend.note(lambda: backend.files.update({name: b""}))
            backend.upload(name)
        data.read_all()
        assert data.end != "clean", "the client took a cut file for a whole one"
        assert c.reply().code == (451 if name == "fails" else 421)


def test_a_client_that_dies_during_a_clear_upload_leaves_no_whole_file(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        data = c.open("STOR half")
        data.send(HALF)
        with net.stopped(*gateway.workers()):
            data.sock.close()
            c.sock.close()
        assert backend.upload("half")[1] == "reset", "the backend took a cut file for a whole one"

"""
An upload whose data connection policy refuses changes no file: the server never receives the command. Clients that begin TLS
only after a 150 get one from attlsd.
"""
import os
import ssl
import sys

import pytest

import client as clients
import ftp_clients
import net
import script_clients
import servers

sys.path.append(os.path.join(net.ROOT, "tests", "differential"))

import more_servers  # noqa: E402

OLD, NEW = b"the old file", os.urandom(150_000)
REQUIRED = {"secure_session_reuse": "required"}


def refused(c, command, mode, data=b""):
    """Send the command without a TLS session for the data connection; the reply after the 150."""
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        tls = c.open(command, mode, session=None)
        tls.send(data)
        assert tls.recv() and False
    reply = c.reply()
    return reply


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["PASV", "EPSV", "PORT", "EPRT"])
@pytest.mark.parametrize("command", ["STOR file", "APPE file"])
def test_refused(launch, backend, command, mode, version):
    gateway = launch(backend, ftp=REQUIRED)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        assert refused(c, command, mode).code == 522
        assert command not in backend.everything() and backend.stored == {}
        assert gateway.event("transfer", command=command).keys["result"] == "session-not-reused"
        assert c.put("file", NEW, mode).code == 226
        assert backend.stored["file"] == (NEW, "fin")


@pytest.mark.parametrize("mode", ["PASV", "PORT"])
def test_one_150(launch, make_backend, mode):
    """The server's own 150 is not shown, whatever its form, and a 125 neither."""
    def upload(session, name):
        session.send("125-Data connection open\r\n")
        session.upload(name)
    backend = make_backend(STOR=lambda session, name: (session.reply("125-one\r\n125 two"), session.backend.store(
        name, net.end_of(session.open_data())[1], "fin"), session.reply("226 done")) and None)
    gateway = launch(backend, ftp=REQUIRED)
    with clients.explicit(gateway, "P") as c:
        assert c.put("file", NEW, mode).code == 226
        assert c.expect("PWD", 257)
    assert backend.stored["file"][0] == NEW


def test_server_refuses(launch, make_backend):
    """After attlsd's 150 the server's refusal is the transfer's last reply; the data connection ends in order."""
    backend = make_backend(STOR="553 No such folder")
    gateway = launch(backend, ftp=REQUIRED)
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR file")
        data.send(b"a few bytes")
        assert data.read_all() == b"" and data.end == "clean"
        data.close()
        assert c.reply().code == 553
        c.expect("PWD", 257)


def test_server_refuses_what_it_has_accepted(launch, make_backend):
    """A server that opens the file all the same, or a 4yz that answered something else, must not make an empty file of it."""
    def stor(session, name):
        data = session.open_data()
        session.reply("450 Not now")
        how, content = net.end_of(data)
        session.backend.store(name, content, how)
    backend = make_backend(STOR=stor)
    gateway = launch(backend, ftp=REQUIRED)
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR file")
        assert data.read_all() == b"" and data.end == "clean"
        data.close()
        assert c.reply().code == 450
        assert backend.upload("file") == (b"", "reset")


def test_restart_and_unique_names(launch, make_backend):
    """REST reaches the server before STOR. STOU goes on at once, since its 150 names the file."""
    backend = make_backend(REST="350 ok", STOU=lambda session, _: session.upload("unique"))
    gateway = launch(backend, ftp=REQUIRED)
    with clients.explicit(gateway, "P") as c:
        c.pasv()
        c.expect("REST 100", 350)
        assert c.put("file", NEW).code == 226
        assert backend.session().lines[-2:] == ["REST 100", "STOR file"] or "REST 100" in backend.everything()
        data = c.open("STOU")
        data.send(NEW)
        data.close()
        assert c.reply().code == 226


WAITS = {**REQUIRED, "dswaittime": 1, "dswaitinterval": "1s"}


def test_file_in_use(launch, make_backend):
    """With DSWAITTIME, the server does not get the command before the data connection has passed, either."""
    answers = ["450 The file is in use", "450 The file is in use"]

    def stor(session, name):
        if answers:
            session.reply(answers.pop())
        else:
            session.upload(name)
    backend = make_backend(STOR=stor)
    gateway = launch(backend, ftp=WAITS)
    with clients.explicit(gateway, "P") as c:
        assert refused(c, "STOR file", "PASV").code == 522
        assert len(answers) == 2 and "STOR file" not in backend.everything()
        data = c.open("STOR file")
        data.send(NEW)
        data.notify()
        backend.wait(lambda: not answers, "the second attempt")
        gateway.assert_idle("a client with its data waits", 0.4)
        assert c.reply().code == 226
        data.sock.close()
    assert backend.stored["file"] == (NEW, "fin") and backend.everything().count("STOR file") == 3


REAL = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "inetutils"]


@pytest.mark.parametrize("name", REAL)
def test_real_servers(real_server, launch, name):
    """A refused upload leaves the old file, and the next one that passes is whole."""
    try:
        server = more_servers.Server(name) if name == "inetutils" else real_server(name)
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        path = server.put("old", OLD)
        gateway = launch((server.host, server.port), ftp=REQUIRED)
        with clients.Client(gateway.explicit) as c:
            c.auth().login(server.user, server.password)
            c.prot("P")
            c.expect("TYPE I", 200)
            for command in f"STOR {server.where}old", f"APPE {server.where}old":
                assert refused(c, command, "PASV", NEW).code == 522
            with open(path, "rb") as f:
                assert f.read() == OLD, f"a refused upload has changed the file; log:\n{gateway.log}"
            assert c.put(server.where + "old", NEW).code == 226
        with open(path, "rb") as f:
            assert f.read() == NEW
    finally:
        if name == "inetutils":
            server.stop()


def test_client_never_connects(launch, backend):
    gateway = launch(backend, ftp=REQUIRED, tls={"handshake_timeout": "1s"})
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.pasv())
        c.expect("STOR file", 150)
        assert c.reply().code == 522  # no ClientHello in time
        sock.close()
    assert "STOR file" not in backend.everything()


def curl(way, path, name):
    ftp_clients.call(["curl", "-sS", "--ftp-ssl-control" if way.level == "C" else "--ssl-reqd", "--no-sessionid", "--cacert", way.ca,
                      "-u", f"{way.user}:{way.password}", "-T", path, f"ftp://{way.address[0]}:{way.address[1]}/{way.where}{name}"])


@pytest.mark.parametrize("name", ["curl-without-sessions", "ftplib", "PHP", "Ruby", "lftp", "curl"])
@pytest.mark.parametrize("mode", ["PASV", "PORT"])
def test_real_clients(real_server, launch, folder, certificates, name, mode):
    """Each upload replaces the old file by the whole new one, or leaves it alone."""
    player = None if name == "curl-without-sessions" else script_clients.ALL[name]
    if player and (player.needs() if hasattr(player, "needs") else None):
        pytest.skip(player.needs())
    server = real_server("vsftpd")
    gateway = launch((server.host, server.port), ftp=REQUIRED)
    way = ftp_clients.Way("explicit", mode, "P", gateway.explicit, server.user, server.password, certificates.ca.pem, server.where)
    local = os.path.join(folder, "new")
    with open(local, "wb") as f:
        f.write(NEW)
    for number in range(3):
        paths = [server.put(f"file{number}-{n}", OLD) for n in range(2)]
        for path in paths:
            os.chmod(path, 0o666)
        try:
            if player:
                player.run(way, [(local, os.path.basename(path)) for path in paths], [])
            else:
                curl(way, local, os.path.basename(paths[0]))
        except ftp_clients.Failed:
            pass
        gateway.event("session-end", count=number + 1)
        for path in paths:
            with open(path, "rb") as f:
                assert f.read() in (OLD, NEW), f"a refused upload has changed the file; log:\n{gateway.log}"
    if name in ("curl-without-sessions", "ftplib"):
        assert not gateway.seen("transfer", result="ok")

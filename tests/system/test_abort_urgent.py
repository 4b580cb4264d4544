"""ABOR out of band for descendants of BSD's ftpd (RFC 959 4.1.3), and ABOR without a transfer."""
import fcntl
import os
import socket
import struct
import sys
import time

import pytest

import client as clients
import net

sys.path.append(os.path.join(net.ROOT, "tests", "differential"))

import more_servers  # noqa: E402
import servers  # noqa: E402

BSD, OTHER = "220 host FTP server (GNU inetutils 2.4) ready.\r\n", "220 host FTP daemon ready.\r\n"
SIOCATMARK = 0x8905
BYTES = b"\xff\xf4\xff\xf2ABOR"


@pytest.mark.parametrize("greeting,key,urgent", [(BSD, None, True), (OTHER, None, False), (OTHER, "urgent", True),
                                                 (BSD, "plain", False)])
def test_signal(launch, make_backend, greeting, key, urgent):
    """The server gets IAC IP IAC DM before ABOR, with the mark of urgent data before DM."""
    found = []

    def retr(session, _):
        session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        session.reply("150 Here it comes")
        data = session.open_data()
        data.sendall(b"some of it")
        received, marks = b"", []
        while b"ABOR\r\n" not in received:
            session.sock.recv(1, socket.MSG_PEEK)
            if struct.unpack("i", fcntl.ioctl(session.sock, SIOCATMARK, b"\0" * 4))[0]:
                marks.append(len(received))
            received += session.sock.recv(1)
        found.append((received, marks))
        net.reset(data)
        session.reply("426 aborted")
        session.reply("226 closed")
    backend = make_backend(greeting=lambda session: session.send(greeting), RETR=retr)
    gateway = launch(backend, backends={"legacy": {"abort": key}} if key else {})
    with clients.explicit(gateway, "P") as c:
        data = c.open("RETR file")
        assert data.recv(4)
        c.send("ABOR\r\n")
        assert c.reply().code == 426
        assert c.reply().code == 226
        c.expect("PWD", 257)
    (received, marks), = found
    assert received == (BYTES if urgent else b"ABOR") + b"\r\n"
    assert (3 in marks) == urgent, marks


def test_inetutils(launch):
    """The real server notices ABOR in the middle of a download."""
    try:
        server = more_servers.Server("inetutils")
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        os.truncate(server.put("big", b""), 48 << 20)
        gateway = launch((server.host, server.port), backends={"legacy": {"side_reply_timeout": "10s"}})
        with clients.Client(gateway.explicit) as c:
            c.auth().login(server.user, server.password)
            c.prot("P")
            data = c.open("RETR big")
            assert data.recv(1000)
            begin = time.monotonic()
            c.send("ABOR\r\n")
            assert [c.reply().code, c.reply().code] == [426, 226]
            assert time.monotonic() - begin < 5 and not gateway.seen("no-answer")
            c.expect("PWD", 257)
    finally:
        server.stop()


@pytest.mark.parametrize("mode", ["PASV", "EPSV"])
def test_without_a_transfer(gateway, mode):
    """It ends the data connection that was planned: no port stays open."""
    with clients.explicit(gateway, "P") as c:
        address = c.pasv() if mode == "PASV" else c.epsv()
        c.expect("ABOR", 225, 226)
        with pytest.raises(ConnectionRefusedError):
            net.dial(address)
        c.expect("RETR hello.txt", 425)
        assert c.get("hello.txt", mode)


@pytest.mark.parametrize("before,urgent", [(b"\xff\xf4\xff", b"\xf2"), (b"\xff\xf4", b"\xff"), (b"", b"")])
@pytest.mark.parametrize("tls", [False, True])
def test_clients_signal(launch, make_backend, before, urgent, tls):
    """Clients send the signal in the clear with urgent data (lftp, BSD's ftp), and inside TLS as bytes."""
    gateway = launch(make_backend(), ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with clients.Client(gateway.explicit) as c:
        if tls:
            c.auth()
        c.login()
        rest = BYTES[len(before + urgent):] if urgent else b"ABOR"
        if urgent and not tls:
            c.sock.sendall(before)
            c.sock.send(urgent, socket.MSG_OOB)
            c.send(rest + b"\r\n")
        else:
            c.send(before + urgent + rest + b"\r\n")
        assert c.reply().code in (225, 226)
        c.expect("PWD", 257)

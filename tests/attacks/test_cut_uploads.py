"""
A part of an upload never gets to the server as a whole file: where attlsd knows that something is missing, the server's data
connection is reset. A server that compares nothing stores whatever came before FIN.

mutants.py switches each guard off.
"""
import os
import socket
import struct
import subprocess

import pytest

import block_mode
import client as clients
import net

HALF = b"only the first part" * 1000
CLEAR = {"secure_dataconn": "clear"}


def has_command(session):
    """Has a line arrived that the server has not read?"""
    return not net.quiet(session.sock, 0)


def begin(gateway, backend, level="C", way="PASV"):
    """A client in the middle of an upload, of which the server has the first half."""
    c = clients.explicit(gateway, level)
    data = c.open("STOR up", way)
    data.send(HALF)
    (leg,) = net.until(lambda: backend.session().data, "the data connection")
    return c, data, leg


def abort(c, backend):
    """The client sends ABOR, which the server has, but has not read."""
    c.send("ABOR\r\n")
    net.until(lambda: has_command(backend.session()), "ABOR arrives")


# 74. Guard: `doubt` in gateway/net/relay.c.
@pytest.mark.parametrize("way", ["PASV", "PORT"])
@pytest.mark.parametrize("end", ["notify", "fin"])
@pytest.mark.parametrize("level", "CP")
def test_74_the_client_ends_its_data_in_order_after_abor(launch, backend, level, end, way):
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend, level, way)
    with c:
        abort(c, backend)
        data.close(notify=end == "notify")
        assert backend.upload("up")[1] == "reset", "the server has stored an aborted upload as a whole file"
        assert [c.reply().code, c.reply().code] == [426, 226]
        assert gateway.event("transfer").keys["result"] == "aborted"
        assert c.put("up", HALF).code == 226 and backend.upload("up") == (HALF, "fin")


def test_74_abor_without_a_byte(launch, backend):
    gateway = launch(backend, ftp=CLEAR)
    with clients.explicit(gateway, "C") as c:
        data = c.open("STOR up")
        net.until(lambda: backend.session().data, "the data connection")
        abort(c, backend)
        data.close()
        assert backend.upload("up") == (b"", "reset")
        assert [c.reply().code, c.reply().code] == [426, 226]


@pytest.mark.parametrize("before", ["", "NOOP\r\n" * 40, "PWD\r\n"], ids=["", "NOOP", "PWD"])
def test_74_abor_and_the_end_come_at_once(launch, backend, before):
    """The worker finds both in the kernel: which came first is not known, so the file is not known to be whole."""
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend)
    with c, net.stopped(*gateway.workers()):
        c.send(before + "ABOR\r\n")
        data.close()
    assert backend.upload("up")[1] == "reset"


def refusing(session, name):
    """Refuse ABOR in the middle of the upload."""
    session.reply("150 Send it")
    data = session.open_data()
    net.until(lambda: has_command(session), "ABOR arrives")
    assert session.sock.recv(100) == b"ABOR\r\n"
    session.reply("502 ABOR?")
    how, content = net.end_of(data)
    session.backend.store(name, content, how)
    session.reply("226 Stored")


# 75. Not more than that is reset: an upload that goes on, or that is whole already, stays whole.
@pytest.mark.parametrize("level", "CP")
def test_75_the_server_refuses_abor(launch, make_backend, level):
    backend = make_backend(STOR=refusing)
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend, level)
    with c:
        c.expect("ABOR", 502)
        data.close()
        assert backend.upload("up") == (HALF, "fin")
        assert c.reply().code == 226
        assert gateway.event("transfer").keys["result"] == "ok"


@pytest.mark.parametrize("level", "CP")
def test_75_abor_after_the_end(launch, make_backend, level):
    def stor(session, name):
        session.reply("150 Send it")
        how, content = net.end_of(session.open_data())
        session.backend.store(name, content, how)
        net.until(lambda: has_command(session), "ABOR arrives")
        session.reply("226 Stored")
    backend = make_backend(STOR=stor)
    gateway = launch(backend, ftp=CLEAR)
    c, data, _ = begin(gateway, backend, level)
    with c:
        data.close()
        assert backend.upload("up") == (HALF, "fin")
        c.send("ABOR\r\n")
        assert [c.reply().code, c.reply().code] == [226, 226]
        assert gateway.event("transfer").keys["result"] == "ok"


# 76. Guard: end_transfer() in ftp-alg/side-reply.c.
@pytest.mark.parametrize("level", "CP")
def test_76_the_gateway_gives_up_before_the_150(launch, make_backend, level):
    """A 200 may have been the transfer's only reply, so the client's next command waits a moment, and ends the transfer."""
    def stor(session, name):
        session.reply("200 Working on it")
        how, content = net.end_of(session.open_data())
        session.backend.store(name, content, how)
        session.reply("150 Send it")
        session.reply("226 Stored")
    backend = make_backend(STOR=stor)
    gateway = launch(backend, ftp=CLEAR, backends={"legacy": {"side_reply_timeout": "300ms"}})
    with clients.explicit(gateway, level) as c:
        data = net.dial(c.pasv())
        c.expect("STOR up", 200)
        data = c.wrap(data)
        data.send(HALF)
        c.send("PWD\r\n")
        assert backend.upload("up") == (b"", "reset"), "the server has stored an empty file"
        assert [c.reply().code, c.reply().code, c.reply().code] == [150, 426, 257]
        data.sock.close()


# What the client sends of its second file before STOR, and after it. The first block is larger than what comes of it.
FILE = [b"record %d" % n for n in range(5)]
PART = block_mode.block(block_mode.EOR, b"x" * 60000)[:5000]
WHOLE = block_mode.blocks(FILE) + block_mode.block(block_mode.EOF)
EARLY = {"nothing": (b"", PART), "a part of a header": (PART[:2], PART[2:]), "a part of a block": (PART[:1000], PART[1000:]),
         "all that comes": (PART, b""), "another file": (WHOLE + PART[:10], PART[10:])}


def done(c):
    """A transfer's last reply, after the marks of the server."""
    reply = c.reply()
    while reply.code == 110:
        reply = c.reply()
    assert reply.code == 250, reply


def came(backend):
    """How many bytes have come over the server's data connection? The server reads only what belongs to a file."""
    info = backend.session().data[0].getsockopt(socket.IPPROTO_TCP, 11, 248)  # TCP_INFO
    return struct.unpack_from("Q", info, 128)[0]  # tcpi_bytes_received


# 77. Guard: relay_follow() in gateway/net/relay.h, and what fills `ahead`.
@pytest.mark.parametrize("level", "CP")
@pytest.mark.parametrize("refused", [False, True], ids=["", "refused"])
@pytest.mark.parametrize("early", EARLY)
def test_77_a_file_begins_before_its_command(launch, make_backend, early, refused, level):
    """MODE B: the client does not wait with its next file, which it then does not send to the end."""
    server = block_mode.Server()
    backend = make_backend(**server.script(), APPE="550 no")
    gateway = launch(backend, ftp=CLEAR)
    before, after = EARLY[early]
    with clients.explicit(gateway, level) as c:
        c.expect("MODE B", 200)
        user = block_mode.User(c)
        user.open("STOR one", "PASV")
        user.data.send(WHOLE + (b"" if refused else before))
        done(c)
        if refused:
            c.expect("APPE no", 550)
            user.data.send(before)
        net.until(lambda: came(backend) >= len(WHOLE + before), "the early bytes arrive")
        if early == "another file":
            user.open("STOR two")
            done(c)
            assert server.stored["two"] == FILE
        user.open("STOR cut")
        user.data.send(after)
        net.until(lambda: came(backend) >= len(WHOLE + before + after), "the rest arrives")
        user.data.close()
        while c.reply().code == 110:
            pass
        assert isinstance(backend.wait(lambda: server.stored.get("cut"), "the end"), ConnectionError)
        assert server.stored["one"] == FILE
        gateway.event("transfer", result="unfinished")


@pytest.mark.parametrize("level", "CP")
def test_77_a_client_that_does_not_wait(launch, make_backend, level):
    """Commands and files come all at once, and nothing is missing."""
    server = block_mode.Server()
    backend = make_backend(**server.script())
    gateway = launch(backend, ftp=CLEAR)
    with clients.explicit(gateway, level) as c:
        c.expect("MODE B", 200)
        user = block_mode.User(c)
        user.open("STOR 1", "PASV")
        user.data.send(WHOLE * 3 + block_mode.blocks(FILE))
        c.send("STOR 2\r\nSTOR 3\r\nSTOR 4\r\n")
        done(c)
        for number in "2", "3", "4":
            assert c.reply().code == 125
            if number == "4":
                user.data.send(block_mode.block(block_mode.EOF))
            done(c)
        assert server.stored == {number: FILE for number in "1234"} and len(backend.session().data) == 1
        assert {event.keys["result"] for event in gateway.seen("transfer")} == {"ok"}


# 78. Guard: client_gone_early() in gateway/worker/client-gone.c.
@pytest.mark.parametrize("words, end", [("", "reset"), ("NOOP", "reset"), ("PWD", "reset"), ("QUIT", "fin"), ("NOOP\r\nQUIT", "fin")])
@pytest.mark.parametrize("content", [HALF, b""], ids=["data", "empty"])
def test_78_the_client_closes_before_its_stor_is_the_next(launch, make_backend, content, words, end):
    """Its commands are carried out. But without QUIT, nothing says that the file is whole: its kernel may have ended both connections."""
    def slow(session, _):
        backend.wait(lambda: gone, "the client's end")
        session.reply("200 ok")
    gone = []
    backend = make_backend(TYPE=slow)
    gateway = launch(backend, ftp=CLEAR)
    with clients.explicit(gateway, "C") as c:
        data = net.dial(c.pasv())
        c.send("TYPE I\r\nSTOR up\r\n" + (words + "\r\n" if words else ""))
        data.sendall(content)
        data.close()
        c.sock.shutdown(socket.SHUT_WR)
        backend.saw("TYPE I")
        with clients.explicit(gateway):  # the worker has seen what came before this
            backend.note(lambda: gone.append(True))
        stored, how = backend.upload("up")
        assert how == end and content.startswith(stored) and (end == "reset" or stored == content)
        assert gateway.event("transfer").keys["result"] == ("ok" if end == "fin" else "aborted")


def order(gateway, *words):
    subprocess.run([net.ATTLSCTL, words[0], "-f", gateway.path, *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   timeout=net.DEADLINE, check=True)


def says(line):
    return lambda gateway, session, c, data, leg: session.reply(line)


def closes(gateway, session, c, data, leg):
    c.sock.shutdown(socket.SHUT_RDWR)


def server_closes(gateway, session, c, data, leg):
    session.sock.shutdown(socket.SHUT_RDWR)


def operator(gateway, session, c, data, leg):
    order(gateway, "end", gateway.event("session-start").keys["session"])


def drain(gateway, session, c, data, leg):
    order(gateway, "drain", "--deadline", "1s")


# What befalls an upload of which the server has a part.
FATES = {
    "the client resets its data": lambda gateway, session, c, data, leg: data.abort(),
    "the client closes its control connection": closes,
    "the client resets it": lambda gateway, session, c, data, leg: net.reset(c.sock),
    "no byte moves": lambda gateway, session, c, data, leg: None,  # datacttime
    "nobody answers ABOR": lambda gateway, session, c, data, leg: c.send("ABOR\r\n"),  # side_reply_timeout
    "421": says("421 Service not available"), "a part of 421": says("421-Service"), "425": says("425 No"), "426": says("426 Aborted"),
    "451": says("451 Local error"), "550": says("550 No more"), "552": says("552 Disk full"),
    "a port that nobody asked for": says("227 Entering Passive Mode (127,0,0,1,200,200)"),
    "the server closes its control connection": server_closes,
    "the server sends data": lambda gateway, session, c, data, leg: leg.send(b"x"),
    "the operator ends the session": operator,
    "the deadline of a drain": drain,
}


# 79. Guards: data_end_legs() and data_conn_close() in gateway/worker, which reset the server's leg of what is not whole.
@pytest.mark.parametrize("level", "CP")
@pytest.mark.parametrize("fate", FATES)
def test_79_every_other_end(launch, make_backend, folder, fate, level):
    backend = make_backend()
    timers = {"legacy": {"side_reply_timeout": "500ms"}} if fate == "nobody answers ABOR" else {}
    gateway = launch(backend, ftp={**CLEAR, **({"datacttime": "1s"} if fate == "no byte moves" else {})}, backends=timers,
                     daemon={"control_socket": os.path.join(folder, "control")})
    c, data, leg = begin(gateway, backend, level)
    with c:
        FATES[fate](gateway, backend.session(), c, data, leg)
        if fate == "a part of 421":
            server_closes(gateway, backend.session(), c, data, leg)
        content, how = backend.upload("up")
        assert how == "reset" and HALF.startswith(content)
        result = gateway.event("transfer").keys["result"]
        assert result in ("aborted", "client-reset", "server-reset", "stalled"), result
        data.sock.close()
    if fate == "the deadline of a drain":
        assert gateway.process.wait(net.DEADLINE) == 0

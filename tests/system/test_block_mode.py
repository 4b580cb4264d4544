"""MODE B and C, STRU R: a z/OS-like server and client, restart markers, and a data connection that outlives its file."""
import os

import pytest

import block_mode
import client as clients
import net
import outbound
from test_metrics import samples

FILES = {"a": [b"record %d" % n for n in range(7)], "b": [b"", b"x" * 60000, os.urandom(65535), b"last"], "empty": []}
CLEAR = {"secure_dataconn": "clear"}


@pytest.fixture
def zos(launch, make_backend):
    """zos(levels=..., **server): the server, a gateway in front of it, and its backend."""
    def start(ftp=None, both=False, certificates=None, daemon=None, **how):
        server = block_mode.Server(files=FILES, **how)
        backend = make_backend(**server.script())
        gateway = launch(backend, ftp={**CLEAR, **(ftp or {})}, daemon=daemon or {})
        if both:
            gateway = launch(tree=outbound.policy(certificates, gateway.explicit))
        return server, gateway, backend
    return start


def login(gateway, level="P", mode="B", listener="explicit", **kw):
    c = clients.Client(gateway.address[listener], **kw)
    c = c.auth().login().prot(level) if level else c.login()
    c.expect("STRU R", 200)
    c.expect("MODE " + mode, 200)
    return c


@pytest.mark.parametrize("way", ["PASV", "EPSV", "PORT", "EPRT"])
@pytest.mark.parametrize("level", ["P", "C"])
def test_one_data_connection_for_several_files(zos, level, way):
    """Downloads, an upload with markers, and downloads again, on one data connection at either end."""
    server, gateway, backend = zos()
    with login(gateway, level) as c:
        user = block_mode.User(c)
        assert user.get("a", way) == FILES["a"]
        first = user.data
        assert user.get("b") == FILES["b"] and user.get("empty") == []
        assert user.put("up", FILES["b"]) == ["110 MARK 2 = 1002", "110 MARK 4 = 1004"]
        assert server.stored["up"] == FILES["b"]
        assert user.get("a") == FILES["a"] and user.data is first
        assert len(backend.session().data) == 1
        c.expect("QUIT", 221)
        assert user.data.recv() == b"" and user.data.end == "clean"
    gateway.event("session-end")
    transfers = gateway.seen("transfer")
    assert [event.keys["result"] for event in transfers] == ["ok"] * 5 and {event.keys["mode"] for event in transfers} == {"B"}
    assert [event.keys["bytes"] for event in transfers[:1]] == [str(len(block_mode.blocks(FILES["a"])) + 3)]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_through_tls_on_both_legs(zos, certificates, version):
    """Two gateways, so that both legs of each are protected one way or the other; sessions have to be resumed."""
    server, gateway, backend = zos(both=True, certificates=certificates, ftp={"secure_session_reuse": "required", "secure_dataconn": "private"})
    with login(gateway, ctx=clients.context(versions=version)) as c:
        user = block_mode.User(c)
        assert user.get("b", "PASV") == FILES["b"]
        assert user.put("up", FILES["a"]) and server.stored["up"] == FILES["a"]
        assert user.get("a") == FILES["a"] and len(backend.session().data) == 1


@pytest.mark.parametrize("first", ["put", "get"])
def test_each_transfer_gets_a_150(zos, first):
    """The client has got attlsd's own for the first upload. The later ones on that connection have the server's."""
    server, gateway, backend = zos({"secure_session_reuse": "required"})
    with login(gateway) as c:
        user = block_mode.User(c)
        assert user.put("up", FILES["a"], "PASV") if first == "put" else user.get("a", "PASV") == FILES["a"]
        assert user.get("b") == FILES["b"] and user.put("up", FILES["b"]) and user.put("up", FILES["a"])
        assert server.stored["up"] == FILES["a"] and len(backend.session().data) == 1


@pytest.mark.parametrize("level", ["P", "C"])
def test_checkpoint_and_restart(zos, level):
    """A download is cut after a marker: the client hears of it although the server says 250, and goes on from the marker."""
    cut = len(block_mode.blocks(FILES["a"][:5]))
    server, gateway, _ = zos(cut=cut)
    with login(gateway, level) as c:
        user = block_mode.User(c)
        user.open("RETR a", "PASV")
        with pytest.raises(block_mode.Cut) as fault:
            user.reader.records(end=lambda: user.data.end)
        assert fault.value.end != "clean" or level == "C"
        assert c.reply().code == 426
        records, marker = fault.value.records[:4], fault.value.marker
        assert marker == "4" and fault.value.records[:4] == FILES["a"][:4]
        assert gateway.event("transfer").keys["result"] == "unfinished"
        c.expect("REST " + marker, 350)
        assert records + user.get("a", "PASV") == FILES["a"]


@pytest.mark.parametrize("level", ["P", "C"])
def test_a_cut_upload(zos, level):
    """The client ends its data in order, but before the last block: the server must not see an orderly end."""
    server, gateway, backend = zos()
    with login(gateway, level) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        user.open("STOR up")
        user.data.send(block_mode.blocks(FILES["a"]))
        user.data.close()
        reply = c.reply()
        while reply.code == 110:
            reply = c.reply()
        assert reply.code in (426, 451)
    fault = backend.wait(lambda: server.stored.get("up"), "the end of the upload")
    assert isinstance(fault, ConnectionError), fault  # a reset
    assert gateway.event("transfer", count=2).keys["result"] == "unfinished"


def test_abor_is_refused_after_the_last_block(zos):
    """After ABOR, a file's last block ends nothing. Once the server refuses ABOR, it does, although nothing more comes."""
    server, gateway, backend = zos()
    aborted = []

    def stor(session, name):
        server.connection(session, "Storing data set " + name)
        line = session.sock.recv(100)
        session.backend.note(lambda: aborted.append(line))
        server.stored[name] = server.state(session)["reader"].records()
        session.reply("502 ABOR?")
        session.reply("250 Stored")
    backend.script["STOR"] = stor
    with login(gateway) as c:
        user = block_mode.User(c)
        user.open("STOR up", "PASV")
        user.data.send(block_mode.blocks(FILES["a"]))
        c.send("ABOR\r\n")
        assert backend.wait(lambda: aborted, "ABOR") == [b"ABOR\r\n"]
        user.data.send(block_mode.block(block_mode.EOF))
        assert c.reply().code == 502
        user.done()
        assert server.stored["up"] == FILES["a"] and user.get("a") == FILES["a"]
    assert {event.keys["result"] for event in gateway.seen("transfer")} == {"ok"}


@pytest.mark.parametrize("level", ["P", "C"])
def test_compressed_mode(zos, level):
    server, gateway, backend = zos()
    text = [b"aaaaaaaa      bbbbb", b" " * 200, b"abc"]
    server.files = {"t": text}
    with login(gateway, level, "C") as c:
        user = block_mode.User(c)
        for way in "EPSV", None:
            user.open("RETR t", way)
            assert user.reader.strings() == b"".join(text)
            user.done()
        user.open("STOR up")
        user.data.send(block_mode.compressed(b"".join(text)))
        user.done()
    assert server.stored["up"] == [b"".join(text)] and len(backend.session().data) == 1


@pytest.mark.parametrize("level", ["P", "C"])
def test_a_server_that_closes(zos, level):
    """After each file, as many do: the next transfer needs PASV, and the client hears so at once."""
    _, gateway, backend = zos(keeps=False)
    with login(gateway, level) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        assert user.data.recv() == b"" and user.data.end == "clean"
        c.expect("NOOP", 200)
        c.expect("RETR b", 425)
        assert user.get("b", "EPSV") == FILES["b"]
    assert backend.session().lines.count("RETR b") == 1


def test_a_client_that_closes(zos):
    """Its end reaches the server in order, and the connection is not used again."""
    _, gateway, backend = zos()
    with login(gateway) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        user.data.close()
        assert block_mode.ends(backend.session().data[0]) == "fin"
        c.expect("RETR b", 425)


@pytest.mark.parametrize("line, code", [("PASV", 227), ("PROT C", 200), ("USER other", 331), ("REIN", 220), ("ABOR", 226)])
def test_what_ends_it(zos, line, code):
    """A new plan, another level, another user and ABOR end a connection that is kept, in order."""
    _, gateway, backend = zos()
    with login(gateway) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        c.expect(line, code)
        assert user.data.recv() == b"" and user.data.end == "clean"
        if line != "REIN":  # its server has a new session, and has closed the sockets of the old one
            assert block_mode.ends(backend.session().data[0]) == "fin"


def test_a_refused_transfer_keeps_it(zos):
    server, gateway, backend = zos()
    backend.script["APPE"] = "550 no"
    with login(gateway) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        c.expect("APPE x", 550)
        assert user.get("b") == FILES["b"] and len(backend.session().data) == 1


def test_bytes_out_of_turn(zos):
    """Between two transfers nobody may send from the receiving side: both ends are reset, and nothing passes."""
    _, gateway, backend = zos()
    with login(gateway) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        user.data.send(b"PORT 1,2,3,4,5,6\r\n")
        assert net.end_of(backend.session().data[0]) == ("reset", b"")
        c.expect("RETR b", 425)


@pytest.mark.parametrize("level", ["P", "C"])
def test_what_follows_a_file_is_counted(zos, folder, level):
    """A marker that comes after the file belongs to no transfer, but to the session and to the metrics."""
    server, gateway, backend = zos({"session_summary": True}, daemon={"control_socket": os.path.join(folder, "control")})
    late = block_mode.block(block_mode.RESTART, b"7")
    with login(gateway, level) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        backend.session().data[0].sendall(late)
        assert user.data.recv(len(late)) == late
        assert user.get("empty") == []
        c.expect("QUIT", 221)
    summary = gateway.event("session-summary").keys
    moved = sum(int(event.keys["bytes"]) for event in gateway.seen("transfer")) + len(late)
    assert int(summary["bytes_down"]) == moved
    assert samples(gateway).sum("transfer_bytes_total", direction="download", client_prot=level) == moved


def test_back_to_stream_mode(zos):
    """The next file in MODE S may use the connection that is open, and ends with it."""
    server, gateway, backend = zos()
    with login(gateway) as c:
        user = block_mode.User(c)
        assert user.get("a", "PASV") == FILES["a"]
        c.expect("MODE S", 200)
        server.keeps = False
        user.open("RETR a")
        assert user.data.read_all() == block_mode.blocks(FILES["a"]) + block_mode.block(block_mode.EOF) and user.data.end == "clean"
        user.done()
        c.expect("RETR a", 425)


def test_modes_that_are_refused(gateway):
    with clients.explicit(gateway) as c:
        for mode in "E", "", "BB", "X":
            assert c.cmd("MODE " + mode).code in (504, 501)


@pytest.mark.parametrize("name", ["vsftpd", "proftpd"])
def test_real_servers_refuse(launch, real_server, name):
    """The client gets the server's own words, and stream mode goes on."""
    server = real_server(name)
    gateway = launch((server.host, server.port), ftp=CLEAR)
    with clients.Client(gateway.explicit).auth().login(server.user, server.password) as c:
        for mode in "B", "C":
            assert c.expect("MODE " + mode, 504) != "504 Only MODE S, B, C and Z are supported."
        c.expect("MODE S", 200)

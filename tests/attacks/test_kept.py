"""Data connections that outlive their file (MODE B and C): what may not happen to them."""
import pytest

import block_mode
import client as clients
import net

FILE = [b"record %d" % n for n in range(5)]


@pytest.fixture
def zos(launch, make_backend):
    server = block_mode.Server(files={"a": FILE})
    backend = make_backend(**server.script())
    return server, launch(backend, ftp={"secure_dataconn": "clear"}), backend


def kept(gateway, level="P"):
    """A client whose first file has arrived, and whose data connection is open."""
    c = clients.Client(gateway.explicit).auth().login().prot(level)
    c.expect("MODE B", 200)
    user = block_mode.User(c)
    assert user.get("a", "PASV") == FILE
    return c, user


# Guard: is_unfinished() in gateway/net/relay.c.
def test_410_an_upload_without_its_last_block_is_never_stored(zos):
    """The client (or somebody who cuts a clear connection in order) ends the upload early: the server gets a reset."""
    server, gateway, backend = zos
    c, user = kept(gateway)
    user.open("STOR up")
    user.data.send(block_mode.blocks(FILE))
    user.data.close()
    while c.reply().code == 110:
        pass
    assert isinstance(backend.wait(lambda: server.stored.get("up"), "the end"), ConnectionError)
    c.close()


# Guard: the same; an upload without a single block is none, either.
def test_414_an_upload_over_an_ended_connection_is_no_empty_file(zos):
    """The client ends the connection, and only then sends STOR for it: the server must not store an empty file."""
    server, gateway, backend = zos
    c, user = kept(gateway)
    user.open("STOR up")
    user.data.close()
    assert c.reply().code in (426, 451)
    assert isinstance(backend.wait(lambda: server.stored.get("up"), "the end"), ConnectionError)
    c.close()


# Guard: run_prot() in ftp-alg/command.c.
def test_411_a_file_does_not_go_over_a_connection_of_another_level(zos):
    """PROT P after a file in the clear: the next one must not use the clear connection."""
    _, gateway, backend = zos
    c, user = kept(gateway, "C")
    c.prot("P")
    c.send("RETR a\r\n")
    assert c.reply().code == 425
    assert "RETR a" not in backend.session().lines[backend.session().lines.index("RETR a") + 1:]
    assert user.data.recv() == b""
    c.close()


# Guard: back_channel_ok() in gateway/net/relay.c, which data_kept_step() relies on.
def test_412_nothing_passes_against_the_direction(zos):
    """A client that sends between two files reaches nobody, and the server's end is a reset."""
    _, gateway, backend = zos
    c, user = kept(gateway)
    user.data.send(block_mode.block(block_mode.EOF, b"smuggled"))
    assert net.end_of(backend.session().data[0]) == ("reset", b"")
    c.close()


# Guard: machine_run() in ftp-alg/command.c drops the plan at USER.
def test_413_another_user_gets_another_data_connection(zos):
    _, gateway, backend = zos
    c, user = kept(gateway)
    c.login("other")
    assert user.data.recv() == b"" and net.end_of(backend.session().data[0])[0] == "fin"
    c.expect("RETR a", 425)
    c.close()

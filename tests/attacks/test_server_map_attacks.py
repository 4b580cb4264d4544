"""Attacks on server_map: to reach a server that the map does not give. The numbers continue those of test_incidents.py;
mutants.py switches the guards off."""
import os

import pytest

import client as clients
import net

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


@pytest.fixture
def mapped(launch, make_backend, folder):
    """mapped(lines): two servers; @0 and @1 in the lines are their addresses."""
    def start(lines, dead=False):
        servers = [make_backend(files={"x": b"0"}), make_backend(files={"x": b"1"})]
        addresses = ["%s:%d" % server.address for server in servers]
        if dead:
            addresses[1] = "127.0.0.1:%d" % net.free_port()
        path = os.path.join(folder, "map")
        with open(path, "w") as out:
            out.write(lines.replace("@0", addresses[0]).replace("@1", addresses[1]))
        os.chmod(path, 0o644)
        gateway = launch(backends={"legacy": {"address": None, "addresses": addresses, "greet_first": True, "server_map": path}}, ftp=CLEAR)
        return gateway, servers
    return start


# 541. USER for a user of one server, then for one of another: the second name must not go where the first one led.
# Guard: run_user() in ftp-alg/late-choice.c.
def test_541_a_second_user_does_not_stay(mapped):
    gateway, servers = mapped("user alice @1\n* @0\n")
    for raw in ("USER mallory\r\nUSER alice\r\nPASS p\r\n", "USER mallory\r\nPASS p\r\nUSER alice\r\nPASS p\r\n"):
        with clients.Client(gateway.implicit, implicit=True) as c:
            c.send(raw)
            for _ in range(raw.count("\r\n")):
                reply = c.reply()
            assert reply.code == 230
            assert c.get("x") == b"1"
    assert "USER alice" not in servers[0].everything()
    assert "USER mallory" not in servers[1].everything()


# 542. A name that the server and the map read differently.
# Guard: ftp_name_is_plain() in ftp-alg/plain-name.c.
def test_542_odd_names_reach_no_server(mapped):
    gateway, servers = mapped("user alice @1\n* @0\n")
    with clients.Client(gateway.explicit).auth() as c:
        for name in (b" alice", b"alice ", b"alice\t", b"alice\x01", b"alice\xff\xff", b"\x7falice", b'al"ice', b"-x alice"):
            c.send(b"USER " + name + b"\r\n")
            assert c.reply().code == 501, name
        c.send(b"HOST al\x01ice\r\n")
        assert c.reply().code in (501, 502)
    assert not servers[0].sessions and not servers[1].sessions


# 543. The server of a user is down: the user's password must not go to another one.
# Guard: is_barred() in gateway/monitor/backends.c, and control_server_chosen() in gateway/worker/control-dial.c.
def test_543_no_other_server_gets_the_password(mapped):
    gateway, servers = mapped("user alice @1\n* @0\n", dead=True)
    for _ in range(3):
        with clients.Client(gateway.explicit).auth() as c:
            c.send("USER alice\r\nPASS secret\r\n")
            assert c.reply().code == 421
    assert servers[0].everything() == []

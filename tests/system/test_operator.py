"""control_socket: what attlsctl asks of a running attlsd, what it orders, and who may."""
import contextlib
import json
import os
import socket
import stat
import struct
import subprocess

import pytest

import client as clients
import gateway as gateways
import net

ASK_VERSION = 0x61740001
SESSIONS = 2


@pytest.fixture
def path(folder):
    return os.path.join(folder, "control.sock")


@pytest.fixture
def operated(launch, backend, path):
    """A gateway with two workers and a control_socket."""
    return launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"workers": 2, "control_socket": path})


def ctl(gateway, *argv, status=0):
    """attlsctl with that gateway's policy: what it says on stdout, or where it fails on stderr."""
    command, *rest = map(str, argv)
    done = subprocess.run([net.ATTLSCTL, command, "-f", gateway.path, *rest], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=net.DEADLINE)
    assert not gateways.FAULT.search(done.stderr), done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


def sessions(gateway):
    told = json.loads(ctl(gateway, "sessions", "--json"))
    assert told["whole"] is True
    return told["sessions"]


def ask(path, what, session=0, version=ASK_VERSION, extra=b""):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        s.connect(path)
        s.send(struct.pack("=IIQ", version, what, session) + extra)
        packets = []
        while True:
            try:
                packet = s.recv(65536)
            except ConnectionResetError:
                return packets
            if not packet:
                return packets
            packets.append(packet)


def test_status_tells_of_the_policy_and_of_each_worker(operated):
    text = ctl(operated, "status")
    assert f"process {operated.pid}," in text and operated.path in text and "generation 1," in text
    assert "0 sessions, at most 10000" in text
    told = json.loads(ctl(operated, "status", "--json"))
    assert told["pid"] == operated.pid and not told["draining"] and not told["reloading"]
    assert {worker["pid"] for worker in told["workers"]} == set(operated.workers())
    assert all(worker["state"] == "serves" for worker in told["workers"])


def test_sessions_tells_who_is_connected_and_what_he_does(operated, make_backend):
    with clients.Client(operated.explicit) as clear, clients.Client(operated.explicit) as c:
        c.auth().login("anna")
        c.prot("P")
        first, second = sessions(operated)
        assert first["user"] is first["tls"] is first["transfer"] is None and first["rule"] == "everyone"
        assert first["client"].startswith("127.0.0.1:") and first["dialled"] == "%s:%d" % operated.explicit
        assert second["user"] == "anna" and second["tls"] == "TLSv1.3" and second["cipher"].startswith("TLS_")
        assert second["session"] > first["session"] and second["listener"] == "explicit"
        assert {first["worker"], second["worker"]} <= set(operated.workers())
        assert 0 <= second["idle"] <= second["age"] < net.DEADLINE
        data = c.open("STOR up")
        data.send(b"x" * 50000)
        net.until(lambda: (sessions(operated)[1]["transfer"] or {}).get("bytes") == 50000, "50,000 bytes are told")
        assert sessions(operated)[1]["transfer"] == {"command": "STOR up", "protected": True, "bytes": 50000}
        text = ctl(operated, "sessions").splitlines()
        assert text[0].split() == ["SESSION", "CLIENT", "USER", "RULE", "TLS", "AGE", "IDLE", "SERVER", "TRANSFER"]
        assert "clear" in text[1] and text[1].endswith("-")
        assert " anna " in text[2] and text[2].endswith("STOR up, protected, 48.8 KiB")
        data.close()
        assert c.reply().code == 226
        assert clear.cmd("QUIT").code == 221
    operated.event("session-end", count=2)
    assert sessions(operated) == []


def test_more_sessions_than_a_socket_holds_wait_for_the_reader(launch, backend, path):
    limits = {"sessions_per_source": 1000, "unauthenticated_per_source": 1000}
    gateway = launch(backend, daemon={"workers": 2, "control_socket": path, "limits": limits})
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(net.dial(gateway.explicit))
        gateway.event("session-start", count=300)
        slow = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        slow.settimeout(net.DEADLINE)
        slow.connect(path)
        slow.send(struct.pack("=IIQ", ASK_VERSION, SESSIONS, 0))
        # who does not read delays neither others who ask nor who is at work
        assert [session["session"] for session in sessions(gateway)] == list(range(1, 301))
        with clients.Client(gateway.explicit) as c:
            c.auth().login()
        kinds = [struct.unpack_from("=I", packet, 4)[0] for packet in iter(lambda: slow.recv(65536), b"")]
        assert kinds[0] == 3 and kinds.count(4) == 2 and 300 <= kinds.count(5) <= 301


def test_a_user_cannot_write_on_the_operators_terminal(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login("eve\x1b[2J\\")
        assert sessions(operated)[0]["user"] == "eve\\x1b[2J\\x5c"
        assert "\x1b" not in ctl(operated, "sessions")


def test_a_session_is_ended_and_the_client_told(operated, backend):
    with clients.Client(operated.explicit) as c, clients.Client(operated.explicit) as other:
        c.auth().login()
        number = sessions(operated)[0]["session"]
        assert ctl(operated, "end", number) == f"session {number} is told to end\n"
        assert c.reply() == "421 The operator has ended this session."
        assert c.ended() == b""
        operated.event("session-end", session=number, reason="operator")
        assert operated.event("operator", order=f"end {number}").keys["uid"] == str(os.geteuid())
        other.auth().login()
        assert f"there is no session {number}" in ctl(operated, "end", number, status=1)


def test_an_upload_that_the_operator_ends_is_no_whole_one(operated, backend):
    with clients.Client(operated.explicit) as c:
        c.auth().login()
        c.prot("P")
        data = c.open("STOR half")
        data.send(b"x" * 100000)
        net.until(lambda: sessions(operated)[0]["transfer"]["bytes"] == 100000, "it runs")
        ctl(operated, "end", sessions(operated)[0]["session"])
        operated.event("session-end", reason="operator")
        assert backend.upload("half")[1] == "reset"
        data.abort()


def test_reload_waits_for_its_end(operated, launch):
    assert "in force" in ctl(operated, "reload")
    operated.event("reloaded")
    assert json.loads(ctl(operated, "status", "--json"))["generation"] == 2
    assert operated.event("operator", order="reload").keys["pid"].isdigit()


def test_reload_of_a_policy_with_faults_names_them_and_is_not_tried(operated, path):
    with open(operated.path) as f:
        good = f.read()
    operated.write(good.replace('"secure_dataconn"', '"secure_dataconnn"'))
    done = subprocess.run([net.ATTLSCTL, "reload", "--socket", path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 1
    assert 'unknown key "secure_dataconnn"' in done.stderr and "attlsd was not asked" in done.stderr
    assert not operated.seen("operator") and not operated.seen("reload-failed")
    # without the check that attlsctl makes, attlsd itself refuses
    kind, text = struct.unpack_from("=I512s", ask(path, 4)[0], 4)
    assert kind == 2 and b"the running policy stays in force" in text
    operated.event("reload-failed")
    operated.write(good)


def test_old_generations_are_shown_until_their_sessions_end(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login()
        ctl(operated, "reload")
        workers = json.loads(ctl(operated, "status", "--json"))["workers"]
        assert [w["sessions"] for w in workers if w["state"] == "retires"] == [1]
        assert sessions(operated)[0]["worker"] == [w["pid"] for w in workers if w["state"] == "retires"][0]
        assert c.cmd("NOOP").code == 200
    net.until(lambda: {w["generation"] for w in json.loads(ctl(operated, "status", "--json"))["workers"]} == {2}, "it has gone")


def test_drain_lets_a_transfer_end(operated, backend):
    with clients.Client(operated.explicit) as idle, clients.Client(operated.explicit) as c:
        c.auth().login()
        c.prot("P")
        data = c.open("STOR last")
        data.send(b"x" * 1000)
        assert "no new sessions; 2 are asked to end" in ctl(operated, "drain")
        assert idle.reply().code == 421
        operated.event("draining")
        net.until(lambda: len(sessions(operated)) == 1, "the idle one has gone")
        assert "draining" in ctl(operated, "status")
        assert "drains already" in ctl(operated, "drain", status=1)
        assert "attlsd is about to end" in ctl(operated, "reload", status=1)
        data.close()
        assert c.reply().code == 226
    assert operated.process.wait(net.DEADLINE) == 0
    assert not os.path.exists(operated_socket(operated))


def operated_socket(gateway):
    with open(gateway.path) as f:
        return json.load(f)["daemon"]["control_socket"]


def test_the_socket_moves_and_goes_with_the_policy(operated, path, folder):
    with open(operated.path) as f:
        tree = json.load(f)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    inode = os.stat(path).st_ino
    assert operated.reload(tree) and os.stat(path).st_ino == inode
    os.unlink(path)
    assert operated.reload(tree) and "generation 3" in ctl(operated, "status")
    moved = os.path.join(folder, "moved.sock")
    assert operated.reload(gateways.merge(tree, {"daemon": {"control_socket": moved}}))
    assert not os.path.exists(path) and "generation 4" in ctl(operated, "status")
    assert operated.reload(gateways.merge(tree, {"daemon": {"control_socket": "none"}}))
    assert not os.path.exists(moved)
    assert "control_socket: none" in ctl(operated, "status", status=1)
    assert not operated.reload(gateways.merge(tree, {"daemon": {"control_socket": "/nonexistent/x.sock"}}))
    assert "its folder does not exist" in operated.log
    assert operated.reload(tree) and "generation" in ctl(operated, "status")


def test_what_an_attlsd_left_behind_is_replaced(launch, backend, path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(path)
    gateway = launch(backend, daemon={"control_socket": path})
    assert "serves" in ctl(gateway, "status")


@pytest.mark.parametrize("kind, said", [
    ("file", "a file that is no socket"), ("stream", "a file that is no socket"), ("link", "a file that is no socket"),
    ("alive", "another attlsd listens"), ("folder", "its folder does not exist"),
])
def test_what_is_in_the_way_is_named_at_its_place(launch, backend, path, folder, kind, said):
    held = None
    if kind == "file":
        open(path, "w").close()
    elif kind == "link":
        os.symlink("/etc/passwd", path)
    elif kind == "folder":
        path = os.path.join(folder, "missing", "control.sock")
    else:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET)
        held.bind(path)
        held.listen()
    gateway = launch(backend, daemon={"control_socket": path}, wait=False)
    assert gateway.ended() == 1
    assert "policy.yaml:" in gateway.log and "control_socket cannot have" in gateway.log and said in gateway.log
    assert kind == "folder" or os.path.lexists(path)
    if held:
        held.close()


def test_where_nobody_asked_for_a_socket_none_is_missed(launch, backend):
    gateway = launch(backend, daemon={"control_socket": None})
    assert not gateway.seen("no-control-socket")


def test_attlsctl_says_why_it_reaches_nobody(operated, path, folder):
    def status(socket_path):
        return ctl(operated, "status", "--socket", socket_path, status=1)
    assert "it does not run, or its policy names another" in status(os.path.join(folder, "nobody.sock"))
    assert "too long" in status("/x" * 100)
    left = os.path.join(folder, "left.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(left)
    assert "has ended" in status(left)
    operated.write("version: 2")
    assert "--socket" in ctl(operated, "status", status=1)
    assert "serves" in ctl(operated, "status", "--socket", path)


def test_odd_questions_end_the_connection_alone(operated, path):
    for version, what, extra, said in ((ASK_VERSION + 1, 1, b"", b"different versions"), (ASK_VERSION, 1, b"x", b"different versions"),
                                       (ASK_VERSION, 99, b"", b"does not know that question")):
        packet, = ask(path, what, version=version, extra=extra)
        kind, text = struct.unpack_from("=I512s", packet, 4)
        assert kind == 2 and said in text
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
    assert "serves" in ctl(operated, "status")


def test_who_asks_nothing_is_let_go(operated, path):
    """All places are taken by silent ones; they go after a while and the next gets its answer."""
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(8)]
    for s in silent:
        s.settimeout(net.DEADLINE)
        s.connect(path)
    assert "serves" in ctl(operated, "status")
    for s in silent:
        assert s.recv(1) == b""
        s.close()

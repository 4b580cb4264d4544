"""control_socket: how attlsctl queries and controls a running attlsd, and who may use it."""
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import threading

import pytest

import bad_server
import client as clients
import gateway as gateways
import net
import outbound

with open(os.path.join(net.ROOT, "gateway", "base", "ctl-proto.h")) as header:
    PROTOCOL = header.read()
CTL_VERSION = int(re.search(r"CTL_VERSION (0x[0-9a-f]+)u", PROTOCOL)[1], 16)
ASK_BYTES = int(re.search(r"CTL_ASK_BYTES ([0-9]+)", PROTOCOL)[1])
# from the same file
STATUS, SESSIONS, END, RELOAD, DRAIN, SERVERS = range(1, 7)
DONE, REFUSED, GATEWAY, WORKER, SESSION, TOLD, SERVER = range(1, 8)
# from sched.h and sys/mount.h
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000


@pytest.fixture
def path(folder):
    return os.path.join(folder, "control.sock")


@pytest.fixture
def operated(launch, backend, path):
    """A gateway with two workers and a control_socket."""
    return launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"workers": 2, "control_socket": path})


def run(*argv, **how):
    done = subprocess.run([net.ATTLSCTL, *map(str, argv)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          timeout=net.DEADLINE, **{"stdout": subprocess.PIPE, **how})
    assert not gateways.FAULT.search(done.stderr), done.stderr
    return done


def ctl(gateway, command, *argv, status=0):
    """Run attlsctl with the gateway's policy; returns its stdout, or its stderr if it fails."""
    done = run(command, "-f", gateway.path, *argv)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr if status else done.stdout


def sessions(gateway):
    told = json.loads(ctl(gateway, "sessions", "--json"))
    assert told["whole"] is True
    return told["sessions"]


def answers(s):
    """Each answer, until attlsd closes. The first one is alone in its packet; a list has several of that size in one."""
    size = None
    while True:
        try:
            packet = s.recv(65536)
        except ConnectionResetError:
            return
        if not packet:
            return
        size = size or len(packet)
        yield from (packet[at:at + size] for at in range(0, len(packet), size))


def ask(path, what, session=0, version=CTL_VERSION, extra=b""):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        s.connect(path)
        s.send(question(what, session, version) + extra)
        return list(answers(s))


def kind(packet):
    return struct.unpack_from("=I", packet, 4)[0]


def text(packet):
    return packet[8:].split(b"\0")[0].decode()


def question(what, session=0, version=CTL_VERSION):
    return struct.pack("=IIQ", version, what, session).ljust(ASK_BYTES, b"\0")


def test_status_tells_of_the_policy_and_of_each_worker(operated):
    text = ctl(operated, "status")
    assert f"process {operated.pid}," in text and operated.path in text and "generation 1," in text
    with open(operated.path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    assert f"SHA-256 {digest[:16]}, " in text and json.loads(ctl(operated, "status", "--json"))["policy_sha256"] == digest
    assert "0 sessions, at most 10000" in text
    told = json.loads(ctl(operated, "status", "--json"))
    assert told["pid"] == operated.pid and not told["draining"] and not told["reloading"]
    assert {worker["pid"] for worker in told["workers"]} == set(operated.workers())
    assert all(worker["state"] == "serves" for worker in told["workers"])


def servers(gateway):
    told = json.loads(ctl(gateway, "status", "--json"))
    assert told["silent_workers"] == []
    return told["servers"]


def states(known):
    return {way: fact and fact["state"] for way, fact in known["ways"].items()}


def test_status_tells_which_ways_a_server_takes(launch, make_backend, path):
    backend = make_backend(files={"x": b"x"}, EPSV="500 EPSV?")
    gateway = launch(backend, daemon={"workers": 1, "control_socket": path})
    server = "%s:%d" % backend.address
    assert servers(gateway) == [] and "EPSV" not in ctl(gateway, "status")
    with clients.explicit(gateway, "P") as c:
        assert servers(gateway) == []  # nothing is known yet
        assert c.get("x") == b"x"
        old, = gateway.workers()
        known, = servers(gateway)
        assert (known["server"], known["backend"], known["worker"]) == (server, "legacy", old)
        assert states(known) == {"EPSV": "refused", "PASV": "works", "EPRT": None, "PORT": None}
        assert all(fact["minutes"] in (0, 1) for fact in known["ways"].values() if fact)
        head, row = ctl(gateway, "status").splitlines()[-2:]
        assert head.split() == ["SERVER", "BACKEND", "WORKER", "EPSV", "PASV", "EPRT", "PORT"]
        assert row.split()[:4] == [server, "legacy", str(old), "refused"] and row.split()[5] == "works"
        assert row.index("refused") == head.index("EPSV") and row.index("works") == head.index("PASV")
        # a new policy, new workers: the server may have changed, too
        ctl(gateway, "reload")
        with clients.explicit(gateway, "P") as again:
            assert [known["worker"] for known in servers(gateway)] == [old]
            assert again.get("x") == b"x"
            assert {known["worker"] for known in servers(gateway)} == set(gateway.workers())
            again.expect("QUIT", 221)
        c.expect("QUIT", 221)
    net.until(lambda: len(gateway.workers()) == 1, "the old worker has gone")
    assert [known["worker"] for known in servers(gateway)] == gateway.workers()
    assert backend.everything().count("EPSV") == 2
    ctl(gateway, "reload")
    net.until(lambda: len(gateway.workers()) == 1, "the old worker has gone")
    assert servers(gateway) == []


def test_sessions_tells_who_is_connected_and_what_he_does(operated):
    with clients.Client(operated.explicit) as clear, clients.Client(operated.explicit) as c:
        c.auth().login("anna")
        c.prot("P")
        first, second = sessions(operated)
        assert first["user"] is first["tls"] is first["transfer"] is None and first["rule"] == "everyone"
        assert first["client"].startswith("127.0.0.1:") and first["dialled"] == "%s:%d" % operated.explicit
        assert second["user"] == "anna" and second["tls"] == "TLSv1.3" and second["cipher"].startswith("TLS_")
        assert second["session"] > first["session"] and second["listener"] == "explicit"
        assert {first["worker"], second["worker"]} <= set(operated.workers()) and first["generation"] == 1
        assert first["backend"] == "legacy"
        assert 0 <= second["idle"] <= second["age"] < net.DEADLINE
        data = c.open("STOR up")
        data.send(b"x" * 50000)
        net.until(lambda: (sessions(operated)[1]["transfer"] or {}).get("bytes") == 50000, "50,000 bytes are told")
        transfer = sessions(operated)[1]["transfer"]
        assert (transfer["command"], transfer["prot"], transfer["protected"]) == ("STOR up", "P", True) and 0 <= transfer["age"] < net.DEADLINE
        table = [line.split() for line in ctl(operated, "sessions").splitlines()]
        assert table[0] == ["SESSION", "CLIENT", "USER", "RULE", "BACKEND", "CTRL", "AGE", "IDLE", "COMMAND"]
        assert table[1][2:4] == ["-", "everyone"] and table[1][5] == "C/C" and table[1][-1] == "-"
        assert table[2][2:4] == ["anna", "everyone"] and table[2][5] == "P/C" and table[2][-2:] == ["STOR", "up"]
        assert table[3][:3] == ["upload", "48.8", "KiB,"] and table[3][-3:] == ["data", "P/C,", "PASV/EPSV"]
        # the idle time of a stalled transfer is visible
        net.until(lambda: sessions(operated)[1]["idle"] > 0.3, "the silence grows")
        data.close()
        assert c.reply().code == 226
        assert clear.cmd("QUIT").code == 221
    operated.event("session-end", count=2)
    assert sessions(operated) == []


def test_sessions_shows_tls_of_both_legs(launch, certificates, path):
    server = bad_server.BadServer(certificates.rsa, files={"file": b"x"})
    gateway = launch(tree=outbound.policy(certificates, server.address, daemon={"control_socket": path}))
    with clients.Client(gateway.address["clear"]) as c:
        c.login()
        data = c.open("STOR up", mode="EPSV")
        data.send(b"x")
        net.until(lambda: (sessions(gateway)[0]["transfer"] or {}).get("bytes") == 1, "the byte is told")
        (shown,) = sessions(gateway)
        assert shown["tls"] is None and (shown["transfer"]["prot"], shown["transfer"]["server_prot"]) == ("C", "P")
        up = gateway.event("server-tls").keys
        assert shown["server_tls"] == {"hostname": "localhost", "version": up["version"], "cipher": up["cipher"], "group": up["group"],
                                       "issuer": "CN=attlsd test CA", "sha256": up["sha256"], "resumed": False}
        row, line = ctl(gateway, "sessions").splitlines()[1:3]
        assert row.split()[5] == "C/P" and "data C/P, EPSV/EPSV" in line
        details = ctl(gateway, "sessions", shown["session"])
        assert f"P, {up['version']}, {up['cipher']}, {up['group']}\n" in details and "localhost, issuer CN=attlsd test CA" in details
        data.close()
        assert c.reply().code == 226
    # another session resumes the first one's TLS
    with clients.Client(gateway.address["clear"]) as c:
        c.login()
        assert sessions(gateway)[0]["server_tls"]["resumed"] is True
    server.close()


def test_what_tls_a_session_has(launch, backend, path):
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear"}, daemon={"control_socket": path})
    with net.dial(gateway.implicit), clients.Client(gateway.explicit) as clear, clients.Client(gateway.explicit) as c:
        c.auth().login()
        c.expect("CCC", 200)
        assert c.tls.recv() == b"" and c.tls.end == "clean"
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        assert c.cmd("NOOP").code == 200
        gateway.event("session-start", count=3)
        assert sorted(str(session["tls"]) for session in sessions(gateway)) == ["None", "ccc", "handshake"]
        assert clear.cmd("QUIT").code == 221


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
        slow.send(question(SESSIONS))
        # a client that does not read delays neither other queries nor sessions
        numbers = [session["session"] for session in sessions(gateway)]
        assert numbers == list(range(numbers[0], numbers[0] + 300))
        with clients.Client(gateway.explicit) as c:
            c.auth().login()
        kinds = [kind(answer) for answer in answers(slow)]
        assert kinds[:3] == [GATEWAY, WORKER, WORKER] and 300 <= kinds.count(SESSION) <= 301 and kinds.count(TOLD) == 2


def test_a_user_cannot_write_on_the_operators_terminal(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login("eve\x1b[2J\\")
        assert sessions(operated)[0]["user"] == "eve\\x1b[2J\\x5c"
        assert "\x1b" not in ctl(operated, "sessions")


def test_a_session_is_ended_and_the_client_told(operated, backend):
    with clients.Client(operated.explicit) as c, clients.Client(operated.explicit) as other:
        c.auth().login()
        number = sessions(operated)[0]["session"]
        assert ctl(operated, "end", number) == f"session {number} is ending\n"
        assert c.reply() == "421 The operator has ended this session."
        assert c.ended() == b""
        operated.event("session-end", session=number, reason="operator")
        assert operated.event("operator", order=f"end {number}").keys["uid"] == str(os.geteuid())
        assert not operated.seen("refused-command")
        other.auth().login()
        assert f"there is no session {number}" in ctl(operated, "end", number, status=1)


@pytest.mark.parametrize("state", ["header", "handshake", "silent", "waiting"])
def test_any_session_can_be_ended(launch, make_backend, path, state):
    backend = make_backend(**({"greeting": None} if state == "waiting" else {}))
    listeners = {"explicit": {"address": "127.0.0.1:0", "proxy_protocol": ["127.0.0.0/8"]}} if state == "header" else {}
    gateway = launch(backend, daemon={"control_socket": path}, listeners=listeners)
    with net.dial(gateway.implicit if state == "handshake" else gateway.explicit) as s:
        net.until(lambda: len(sessions(gateway)) == 1, "it is there")
        ctl(gateway, "end", sessions(gateway)[0]["session"])
        gateway.event("session-end", reason="operator")
        assert net.end_of(s)[0] in ("fin", "reset")
    assert sessions(gateway) == []


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


def test_reload_waits_for_its_end(operated):
    assert "in force" in ctl(operated, "reload")
    assert json.loads(ctl(operated, "status", "--json"))["generation"] == 2


def test_orders_are_logged_with_who_gave_them_at_any_level(launch, backend, path):
    gateway = launch(backend, daemon={"control_socket": path, "log": {"level": "error"}})
    for order in "reload", "drain":
        process = subprocess.Popen([net.ATTLSCTL, order, "-f", gateway.path], stdout=subprocess.DEVNULL)
        assert process.wait(net.DEADLINE) == 0
        keys = gateway.event("operator", order=order).keys
        assert keys["pid"] == str(process.pid) and keys["uid"] == str(os.geteuid()) and "login" in keys


def test_reload_of_a_policy_with_faults_names_them_and_is_not_tried(operated, path):
    with open(operated.path) as f:
        good = f.read()
    operated.write(good.replace('"secure_dataconn"', '"secure_dataconnn"'))
    done = run("reload", "--socket", path)
    assert done.returncode == 1
    assert 'unknown key "secure_dataconnn"' in done.stderr and "attlsd was not asked" in done.stderr
    assert not operated.seen("operator") and not operated.seen("reload-failed")
    # attlsd itself refuses if attlsctl does not check first
    answer, = ask(path, RELOAD)
    assert kind(answer) == REFUSED and "the running policy stays in force" in text(answer)
    operated.event("reload-failed")
    told = json.loads(ctl(operated, "status", "--json"))["reload_failed"]
    assert told["reason"] == "could not read and check the policy: Invalid argument; the log has more" and 0 <= told["ago"] < net.DEADLINE
    assert "the last reload failed" in ctl(operated, "status")
    # an unfinished edit of the policy file must not block queries to the running attlsd
    assert "serves" in ctl(operated, "status") and sessions(operated) == []
    operated.write(good + "\n: :")
    assert "this is not YAML" in ctl(operated, "status", status=1)
    operated.write(good)
    ctl(operated, "reload")
    assert json.loads(ctl(operated, "status", "--json"))["reload_failed"] is None


def test_a_reload_that_fails_leaves_the_old_socket_and_no_new_one(operated, path, folder):
    with open(operated.path) as f:
        tree = json.load(f)
    other = os.path.join(folder, "other.sock")
    with net.listen() as taken:
        busy = {"explicit": {"address": "%s:%d" % taken.getsockname()}}
        assert not operated.reload(gateways.merge(tree, {"daemon": {"control_socket": other}, "listeners": busy}))
        cert = tree["keyrings"]["ftpd"]["certificates"][0]
        bad = gateways.merge(tree, {"daemon": {"control_socket": other}, "nat": {"conntrack": "expect"}})
        assert cert and not operated.reload(bad)
    assert os.path.exists(path) and not os.path.exists(other)
    assert "generation 1," in ctl(operated, "status", "--socket", path)
    operated.write(tree)


def test_old_generations_are_shown_until_their_sessions_end(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login()
        ctl(operated, "reload")
        workers = json.loads(ctl(operated, "status", "--json"))["workers"]
        busy = [w for w in workers if w["state"] == "retires" and w["sessions"]]  # one without sessions is about to exit
        assert [w["sessions"] for w in busy] == [1]
        assert sessions(operated)[0]["worker"] == busy[0]["pid"]
        assert c.cmd("NOOP").code == 200
    net.until(lambda: {w["generation"] for w in json.loads(ctl(operated, "status", "--json"))["workers"]} == {2}, "it has gone")


def test_a_drain_is_watched_to_its_end_also_behind_a_reload(operated):
    """The newest generation has nothing to wait for and ends before the older one."""
    with clients.Client(operated.explicit) as c:
        c.auth().login()
        c.prot("P")
        data = c.open("STOR last")
        ctl(operated, "reload")
        ctl(operated, "drain")
        net.until(lambda: len(operated.workers()) == 1, "the new generation has gone")
        told = json.loads(ctl(operated, "status", "--json"))
        assert told["draining"] and told["generation"] == 2 and [w["generation"] for w in told["workers"]] == [1]
        assert [session["generation"] for session in sessions(operated)] == [1]
        data.send(b"x" * 1000)
        data.close()
        assert c.reply().code == 226
    assert operated.process.wait(net.DEADLINE) == 0


def test_an_operator_that_waits_for_a_reload_gets_an_answer_at_the_end(operated, path):
    """SIGTERM during a reload."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        s.connect(path)
        os.kill(operated.pid, signal.SIGSTOP)
        s.send(question(RELOAD))
        operated.process.send_signal(signal.SIGTERM)
        os.kill(operated.pid, signal.SIGCONT)
        answer = s.recv(65536)
        assert kind(answer) in (DONE, REFUSED)
    assert operated.process.wait(net.DEADLINE) == 0


def test_an_order_is_dropped_if_attlsctl_has_gone(operated, path):
    os.kill(operated.pid, signal.SIGSTOP)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
        s.send(question(DRAIN))
    os.kill(operated.pid, signal.SIGCONT)
    assert "draining" not in ctl(operated, "status") and not operated.seen("operator")


def test_a_worker_that_hangs_hides_only_its_own_sessions(operated, backend):
    with clients.Client(operated.explicit) as a, clients.Client(operated.explicit) as b:
        a.auth().login()
        b.auth().login()
        first, second = sessions(operated)
        assert first["worker"] != second["worker"]
        os.kill(first["worker"], signal.SIGSTOP)
        try:
            done = run("sessions", "-f", operated.path, "--json")
        finally:
            os.kill(first["worker"], signal.SIGCONT)
        told = json.loads(done.stdout)
        assert done.returncode == 1 and not told["whole"] and told["silent_workers"] == [first["worker"]]
        assert [session["session"] for session in told["sessions"]] == [second["session"]]
        assert f"worker {first['worker']} did not report its sessions, so some of its sessions (1)" in done.stderr
        assert len(sessions(operated)) == 2


def test_a_worker_that_hangs_is_in_the_status(operated, path):
    """Its state is what an operator looks for, so only its memory of servers may be missing."""
    hung = operated.workers()[0]
    os.kill(hung, signal.SIGSTOP)
    try:
        assert [kind(packet) for packet in ask(path, STATUS)] == [GATEWAY, WORKER, WORKER]
        done = run("status", "-f", operated.path, "--json")
    finally:
        os.kill(hung, signal.SIGCONT)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["silent_workers"] == [hung] and len(told["workers"]) == 2
    assert f"worker {hung} did not report what it remembers" in done.stderr


def test_more_workers_than_a_socket_holds_wait_for_the_reader(launch, backend, path):
    gateway = launch(backend, daemon={"workers": 200, "control_socket": path})
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        s.connect(path)
        s.send(question(STATUS))
        assert len(json.loads(ctl(gateway, "status", "--json"))["workers"]) == 200
        kinds = [kind(packet) for packet in iter(lambda: s.recv(65536), b"")]
    assert kinds == [GATEWAY] + [WORKER] * 200


def test_another_attlsd_is_not_taken_for_the_one_that_is_meant(operated, launch, backend, path):
    other = launch(backend, daemon={"control_socket": "none"})
    with open(other.path) as f:
        tree = json.load(f)
    other.write(gateways.merge(tree, {"daemon": {"control_socket": path}}))
    for order in ("status",), ("sessions",), ("reload",), ("drain",), ("end", 1):
        said = ctl(other, *order, status=1)
        assert f"serves {operated.path}, not {other.path}" in said
    assert not operated.seen("operator")
    link = other.path + ".link"
    os.symlink(operated.path, link)
    assert run("status", "-f", link).returncode == 0


def test_a_policy_that_was_named_from_here_is_found_from_elsewhere(certificates, backend, folder, path):
    tree = gateways.policy(certificates, backend.address, daemon={"control_socket": path})
    gateway = gateways.Gateway(folder, tree, cwd=folder).ready()
    try:
        assert os.path.join(folder, "policy.yaml") in ctl(gateway, "status")
        assert "in force" in ctl(gateway, "reload")
    finally:
        gateway.stop()


def test_drain_lets_a_transfer_end(operated, backend):
    with clients.Client(operated.explicit) as idle, clients.Client(operated.explicit) as c:
        c.auth().login()
        c.prot("P")
        data = c.open("STOR last")
        data.send(b"x" * 1000)
        assert "draining: 2 sessions will end when idle" in ctl(operated, "drain")
        assert idle.reply().code == 421
        operated.event("draining")
        net.until(lambda: len(sessions(operated)) == 1, "the idle one has gone")
        assert "draining" in ctl(operated, "status")
        assert "draining already" in ctl(operated, "drain", status=1)
        assert "attlsd is about to exit" in ctl(operated, "reload", status=1)
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


def test_a_stale_socket_is_replaced(launch, backend, path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(path)
    gateway = launch(backend, daemon={"control_socket": path})
    assert "serves" in ctl(gateway, "status")


def with_a_run_of_its_own():
    """preexec: enter a mount namespace with an empty /run."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) or \
            libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "no /run")
    net.die_with_parent()


def test_the_default_is_made_where_its_folder_is(launch, backend):
    if not net.IS_ROOT:
        pytest.skip("only root has mount namespaces")
    gateway = launch(backend, daemon={"control_socket": None}, preexec=with_a_run_of_its_own)

    def inside(*argv):
        return subprocess.run(["nsenter", "-t", str(gateway.pid), "-m", *argv], capture_output=True, text=True,
                              timeout=net.DEADLINE)
    assert "install -d -m 700 '/run/attlsd'" in gateway.event("no-control-socket", path="/run/attlsd/control.sock").keys["reason"]
    assert "there is no such socket" in inside(net.ATTLSCTL, "status", "-f", gateway.path).stderr
    assert inside("install", "-d", "-m", "700", "/run/attlsd").returncode == 0
    assert gateway.reload()
    assert "generation 2," in inside(net.ATTLSCTL, "status", "-f", gateway.path).stdout
    assert len(gateway.seen("no-control-socket")) == 1


def path_for_all(folder):
    """In a folder where every user can create a socket."""
    if not net.IS_ROOT:
        pytest.skip("only root can be somebody else")
    place = os.path.join(folder, "open")
    os.mkdir(place)
    os.chmod(place, 0o777)
    return os.path.join(place, "control.sock")


def test_a_socket_that_somebody_else_has_left_is_not_removed(launch, backend, folder):
    path = path_for_all(folder)
    leave = "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])"
    subprocess.run(["/usr/bin/python3", "-c", leave, path], preexec_fn=net.as_nobody, check=True)
    gateway = launch(backend, daemon={"control_socket": path}, wait=False)
    assert gateway.ended() == 1 and "a file that is not a socket of this user" in gateway.log and os.path.exists(path)


def test_a_lock_on_the_folder_delays_no_start(launch, backend, path, folder):
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    gateway = launch(backend, daemon={"control_socket": path})
    os.unlink(path)
    assert gateway.reload() and "generation 2," in ctl(gateway, "status")
    os.close(fd)


def test_another_spelling_of_the_same_path(operated, path):
    with open(operated.path) as f:
        tree = json.load(f)
    inode = os.stat(path).st_ino
    assert operated.reload(gateways.merge(tree, {"daemon": {"control_socket": path.replace("/control", "/./control")}}))
    assert os.stat(path).st_ino == inode and "generation 2," in ctl(operated, "status")


@pytest.mark.parametrize("kind, said", [
    ("file", "a file that is not a socket"), ("stream", "a file that is not a socket"), ("link", "a file that is not a socket"),
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
    assert "policy.yaml:" in gateway.log and "control_socket cannot be" in gateway.log and said in gateway.log
    assert kind == "folder" or os.path.lexists(path)
    if held:
        held.close()


def test_attlsctl_says_why_it_reaches_nobody(operated, path, folder):
    def status(socket_path):
        return ctl(operated, "status", "--socket", socket_path, status=1)
    assert "there is no such socket" in status(os.path.join(folder, "nobody.sock"))
    assert "this is not a socket" in status(operated.path) and "this is not a socket" in status(folder)
    assert "too long" in status("/x" * 100)
    left = os.path.join(folder, "left.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(left)
    assert "has ended" in status(left)
    with open("/dev/full", "w") as full:
        for command in "status", "sessions", "reload", "trace --last 5":
            done = run(*command.split(), "-f", operated.path, stdout=full)
            assert done.returncode == 1 and done.stderr.count("could not be written") <= 1, done
            assert "the output could not be written" in done.stderr or "nothing is kept" in done.stderr, done
    os.unlink(operated.path)
    assert "--socket" in ctl(operated, "status", status=1)
    assert "serves" in ctl(operated, "status", "--socket", path)


def test_odd_questions_end_the_connection_alone(operated, path):
    for version, what, extra, said in ((CTL_VERSION + 1, STATUS, b"", "different versions"),
                                       (CTL_VERSION, STATUS, b"x", "different versions"),
                                       (CTL_VERSION, 99, b"", "does not know that command")):
        packet, = ask(path, what, version=version, extra=extra)
        assert kind(packet) == REFUSED and said in text(packet)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
        s.send(question(STATUS))
        with contextlib.suppress(OSError):  # it has got its answer, and the connection is closed
            s.send(question(DRAIN))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
    assert "serves" in ctl(operated, "status")


def test_a_connection_without_a_question_is_closed(operated, path):
    """Silent clients take all slots; attlsd drops them after a while, and the next client gets its answer."""
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(8)]
    for s in silent:
        s.settimeout(net.DEADLINE)
        s.connect(path)
    assert "serves" in ctl(operated, "status")
    for s in silent:
        assert s.recv(1) == b""
        s.close()


class Impostor:
    """A fake monitor: sends `first` itself, and the packets of `worker(pid)` from another process with that pid."""

    def __init__(self, path, first, worker=None):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(path)
        self.sock.listen()
        self.first, self.worker = first, worker
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer, _ = self.sock.accept()
        with peer:
            peer.recv(65536)
            if self.worker is None:
                self.send(peer, self.first)
                return
            ready, go = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(go)
                os.read(ready, 1)
                self.send(peer, self.worker(os.getpid()))
                os._exit(0)
            os.close(ready)
            self.send(peer, self.first(pid))
            os.close(go)
            os.waitpid(pid, 0)

    @staticmethod
    def send(peer, packets):
        with contextlib.suppress(OSError):
            for packet in packets:
                peer.send(packet)

    def close(self):
        self.thread.join(net.DEADLINE)
        self.sock.close()


ESCAPES = b"\x1b]0;owned\x07\x1b[2J"


class Packets:
    def __init__(self, sample):
        self.sample, self.size = sample, len(sample)

    def make(self, what, content=b""):
        return struct.pack("=II", CTL_VERSION, what) + content.ljust(self.size - 8, b"\0")

    def monitor(self, *workers):
        """The answer GATEWAY from this process, and workers with one session each."""
        gateway = bytearray(self.sample)
        struct.pack_into("=iI", gateway, 8 + 32 + 512 + 68, os.getpid(), len(workers))
        return [bytes(gateway)] + [self.make(WORKER, struct.pack("=iIQQQQI", pid, 2, 1, 1, 0, 0, 0)) for pid in workers]

    def session(self, number, pid):
        return self.make(SESSION, struct.pack("=QQQi", number, 0, 0, pid))

    def told(self, pid, count):
        return self.make(TOLD, struct.pack("=iIQ", pid, 0, count))


def test_answers_of_workers_have_bounds(operated, path, folder):
    make = Packets(ask(path, STATUS)[0])
    cases = {
        # in the name of another worker: neither sessions nor the final count
        "other": (lambda pid: [make.session(7, 99999999), make.told(99999999, 1)],
                  "worker 99999999 did not report", "worker %d", [7]),
        # not an answer, an answer of a monitor, or a wrong count: the worker itself is at fault
        "short": (lambda pid: [make.session(7, pid), b"x"], "worker %d sent an invalid answer", None, [7]),
        "refusal": (lambda pid: [make.make(REFUSED, ESCAPES)], "worker %d sent an invalid answer", None, []),
        "gateway": (lambda pid: [make.sample], "worker %d sent an invalid answer", None, []),
        "count": (lambda pid: [make.session(7, pid), make.told(pid, 2)], "worker %d sent an invalid answer", None, [7]),
        # several in one packet: each is looked at
        "second": (lambda pid: [make.session(7, pid) + make.make(REFUSED, ESCAPES)], "worker %d sent an invalid answer", None, [7]),
        "piece": (lambda pid: [make.session(7, pid) + make.session(8, pid)[:100]], "worker %d sent an invalid answer", None, []),
        "too many": (lambda pid: [b"".join(make.session(n, pid) for n in range(1, 18))], "worker %d sent an invalid answer", None, []),
        # more sessions than there can be
        "flood": (lambda pid: [make.session(n, pid) for n in range(12000)], "worker %d sent an invalid answer", None, None),
    }
    for name, (worker, said, not_said, numbers) in cases.items():
        place, pids = os.path.join(folder, name), []
        impostor = Impostor(place, lambda pid: pids.append(pid) or make.monitor(pid, 99999999), worker)
        done = run("sessions", "--socket", place, "--json")
        impostor.close()
        told = json.loads(done.stdout)
        assert done.returncode == 1 and not told["whole"] and 99999999 in told["silent_workers"], (name, done)
        assert said.replace("%d", str(pids[0])) in done.stderr and "\x1b" not in done.stderr, (name, done.stderr)
        assert not not_said or not_said.replace("%d", str(pids[0])) not in done.stderr, (name, done.stderr)
        if numbers is not None:
            assert [(session["session"], session["worker"]) for session in told["sessions"]] == [(n, pids[0]) for n in numbers]
        else:
            assert 10000 <= len(told["sessions"]) < 12000


def test_a_worker_cannot_lie_about_servers_on_the_terminal(operated, path, folder):
    make = Packets(ask(path, STATUS)[0])

    def server(pid, family=4, port=21, state=2):
        address = struct.pack("=I16sHxx", family, bytes([192, 0, 2, 1]).ljust(16, b"\0"), port)
        return make.make(SERVER, struct.pack("=i", pid) + address + ESCAPES.ljust(33, b"\0") + bytes([state, 255]) * 4)
    cases = {
        "escapes": (lambda pid: [server(pid), make.told(pid, 1)], 1, True),
        "family": (lambda pid: [server(pid, family=7)], 0, False),
        "port": (lambda pid: [server(pid, port=0)], 0, False),
        "state": (lambda pid: [server(pid, state=200)], 0, False),
        "count": (lambda pid: [server(pid), make.told(pid, 0)], 1, False),
        "flood": (lambda pid: [server(pid) for _ in range(1000)], 128, False),
    }
    for name, (worker, count, good) in cases.items():
        for form in [], ["--json"]:
            place, pids = os.path.join(folder, name + "".join(form)), []
            impostor = Impostor(place, lambda pid: pids.append(pid) or make.monitor(pid), worker)
            done = run("status", "--socket", place, *form)
            impostor.close()
            assert done.returncode == 0 and "\x1b" not in done.stdout + done.stderr, (name, done)
            assert (f"worker {pids[0]} sent an invalid answer" in done.stderr) != good, (name, done)
            if form:
                known = json.loads(done.stdout)["servers"]
                assert len(known) == count and {one["worker"] for one in known} <= set(pids), (name, known)
                assert not good or known[0]["server"] == "192.0.2.1:21" and known[0]["backend"].startswith("\\x1b]0;"), known
            elif good:
                assert "refused 255m" in done.stdout


def test_a_false_monitor_is_shown_without_its_escapes(operated, path, folder):
    make = Packets(ask(path, STATUS)[0])
    for number, (said, packets) in enumerate({
        "closed the connection without an answer": [],
        "?]0;owned??[2J": [make.make(REFUSED, ESCAPES)],
        "different versions": [b"x"],
        "some workers are missing": make.monitor(1, 2)[:2],
    }.items()):
        place = os.path.join(folder, f"monitor{number}")
        impostor = Impostor(place, packets)
        done = run("status", "--socket", place)
        impostor.close()
        assert done.returncode == 1 and said in done.stderr and "\x1b" not in done.stderr + done.stdout, (said, done)


def test_a_socket_of_somebody_else_is_not_asked(folder):
    path = path_for_all(folder)
    serve = ("import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.bind(sys.argv[1])\ns.listen()\n"
             "print('ready', flush=True)\ns.accept()[0].recv(1)")
    with subprocess.Popen(["/usr/bin/python3", "-c", serve, path], preexec_fn=net.as_nobody, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert "neither root nor you" in run("status", "--socket", path).stderr
        process.kill()


@pytest.mark.parametrize("argv, said", [
    (["session"], "did you mean sessions?"), (["zzz"], "attlsctl help"), (["reload", "--json"], "reload takes no option --json"),
    (["end", "x"], "not the number"), (["end", "-1"], "invalid option"),
    (["end", "99999999999999999999"], "not the number"), (["end", " 5"], "not the number"), (["end", "+5"], "not the number"), (["end", "1", "2"], "unexpected argument 2\n"),
    (["check", "my.yaml"], "unexpected argument my.yaml; -f names the policy"),
])
def test_wrong_usage(argv, said):
    done = run(*argv)
    assert done.returncode == 2 and said in done.stderr


def test_help_is_where_it_is_looked_for():
    assert run("--help").stdout == run("-h").stdout == run("help").stdout and run("--version").stdout == run("version").stdout
    for short, long in ("-h", "--help"), ("-V", "--version"):
        one, other = (subprocess.run([net.ATTLSD, option], capture_output=True, text=True, timeout=net.DEADLINE) for option in (short, long))
        assert other.returncode == 0 and one.stdout == other.stdout != ""

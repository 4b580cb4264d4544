"""The audit trail: every event follows its schema, gaps are seen, nothing blocks, and loss is told."""
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import audit
import client as clients
import net


@pytest.fixture
def trail(folder):
    os.mkdir(os.path.join(folder, "audit"))
    return os.path.join(folder, "audit", "audit.log")


def until(path, name, count=1, **fields):
    """Wait for an event in the file."""
    def there():
        return os.path.exists(path) and len(audit.named(audit.read(path), name, **fields)) >= count
    net.until(there, f"{name} {fields} in {path}")
    return audit.named(audit.read(path), name, **fields)[count - 1]


def ctl(gateway, *argv):
    return subprocess.run([net.ATTLSCTL, *argv, "-f", gateway.path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=net.DEADLINE)


def quit_(gateway, c):
    c.send("QUIT\r\n")
    gateway.event("session-end")


def test_a_session(launch, make_backend, trail, folder):
    """What a session does is there, in order, with who, whence, how protected, and what was refused by which key."""
    backend = make_backend(files={"hello": b"hello"}, DELE="250 Gone", RNFR="350 To?", RNTO="250 Renamed", MKD='257 "d"', CWD="250 In",
                           SITE="200 Done", TYPE="200 ok")
    gateway = launch(backend, ftp={"commands_denied": ["SITE CHMOD"], "secure_ctrlconn": "clear"},
                     daemon={"audit": trail, "control_socket": os.path.join(folder, "sock")})
    with clients.explicit(gateway, "P") as c:
        c.expect("TYPE I", 200)
        c.get("hello")
        for line in ("CWD sub dir", "DELE a", "RNFR old name", "RNTO new name", "MKD d", "SITE UTIME x", "SITE CHMOD 600 y"):
            c.cmd(line)
        c.expect("CCC", 200)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        quit_(gateway, c)
    assert ctl(gateway, "reload").returncode == 0
    gateway.stop()
    events = audit.read(trail)
    mine = [event for event in events if "session" in event]
    assert {event["session"] for event in mine} == {mine[0]["session"]}
    assert [event["event"] for event in mine] == [
        "session-start", "tls", "login", "tls", "transfer", "directory", "change", "change", "change", "change", "refused-command",
        "tls-cleared", "session-end"], mine
    start, control, login, data, transfer, folder_, dele, rename, mkd, site, refused = mine[:11]
    assert start["listener"] == "explicit" and start["backend"] == "legacy" and start["client_address"] == "127.0.0.1"
    assert (control["leg"], control["connection"], control["level"]) == ("client", "control", "P") and control["group"]
    assert login["user"] == "user" and data["connection"] == "data"
    assert (transfer["command"], transfer["name"], transfer["protection"], transfer["server_protection"], transfer["binary"],
            transfer["bytes"], transfer["result"]) == ("RETR", "hello", "P", "C", True, 5, "ok")
    assert transfer["data_address"] == "127.0.0.1" and transfer["data_port"] > 0
    assert (folder_["command"], folder_["name"]) == ("CWD", "sub dir")
    assert (dele["command"], dele["name"]) == ("DELE", "a")
    assert (rename["command"], rename["name"], rename["renamed"]) == ("RNTO", "new name", "old name")
    assert site["name"] == "UTIME x"
    assert (refused["command"], refused["argument"], refused["key"]) == ("SITE", "CHMOD 600 y", "commands_denied") and refused["line"] > 1
    end = mine[-1]
    assert (end["reason"], end["downloads"], end["bytes_down"], end["uploads"], end["changes"]) == ("quit", 1, 5, 0, 4)
    assert end["refusals"] >= 1 and end["logins"] == 1
    with open(gateway.path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    assert [event["cause"] for event in audit.named(events, "policy-loaded", policy_sha256=digest)] == ["start", "reload"]
    order = audit.named(events, "order", order="reload")[0]
    assert order["uid"] == str(os.geteuid())
    assert audit.named(events, "signal", sender_pid=os.getpid()) and audit.named(events, "process-stop")
    status, told = audit.verify(trail)
    assert status == 0 and told["ok"] and told["sessions"] == 1 and told["events"] == len(events), told


def test_a_refused_reload(launch, backend, trail):
    gateway = launch(backend, daemon={"audit": trail})
    with open(gateway.path) as f:
        whole = f.read()
    assert not gateway.reload("version: 1\n")
    refused = until(trail, "policy-refused")
    assert refused["policy_sha256"] == hashlib.sha256(b"version: 1\n").hexdigest() and refused["reason"]
    gateway.write(whole)


NAMES = [b'x" , "event":"login', b"a\\b", b"\xfe\x80", "gr\u00fc\u00dfe \U0001f600".encode(), b"\x1b[2J\x07\t", "\u202egnp.exe".encode(), b"\xed\xa0\x80",
         b"{}\\x41", b"@cee: {\"schema\":1"]


def test_hostile_names(launch, make_backend, trail):
    """Whatever a name holds, its event is one line of UTF-8 and JSON, and the bytes can be had back."""
    gateway = launch(make_backend(DELE="250 Gone"), daemon={"audit": trail})
    with clients.explicit(gateway) as c:
        for name in NAMES:
            c.send(b"DELE " + name + b"\r\n")
            assert c.reply().code == 250
        quit_(gateway, c)
    changes = audit.named(audit.read(trail), "change")
    assert [audit.unescape(change["name"]) for change in changes] == NAMES
    with open(trail, "rb") as f:
        raw = f.read()
    assert b"\x1b" not in raw and "\u202e".encode() not in raw and raw.decode("utf-8")
    assert audit.verify(trail)[0] == 0


def test_no_password(launch, make_backend, trail):
    gateway = launch(make_backend(SITE="200 Done", PASS="530 no hush7hush"), daemon={"audit": trail})
    with clients.Client(gateway.explicit).auth() as c:
        for line in ("USER somebody", "PASS hush7hush", "hush7hush", "ACCT hush7hush", "SITE PSWD hush7hush hush7hush", "SITE  PSWD hush7hush",
                     "SITE PSWD\thush7hush", "SITE PASS=hush7hush", "MIC hush7hush", "ADAT hush7hush", "AUTH hush7hush", "GET /?token=hush7hush"):
            c.cmd(line)
        c.close()
    gateway.event("session-end")
    with open(trail) as f:
        assert "hush" not in f.read()
    failed = audit.named(audit.read(trail), "login-failed")[0]
    assert (failed["name"], failed["by"]) == ("somebody", "server") and "user" not in failed


def test_gaps_and_forged_lines_are_found(launch, backend, trail, folder):
    gateway = launch(backend, daemon={"audit": trail})
    for _ in range(2):
        with clients.explicit(gateway, "P") as c:
            c.get("hello.txt")
            quit_(gateway, c)
    gateway.stop()
    with open(trail) as f:
        lines = f.read().splitlines(True)
    (worker,) = {event["pid"] for event in audit.read(trail) if event.get("role") == "worker"}
    mine = [i for i, line in enumerate(lines) if f'"pid":{worker},' in line]
    changed = os.path.join(folder, "changed")

    def verdict(new):
        with open(changed, "w") as f:
            f.write("".join(new))
        status, told = audit.verify(changed)
        return status, {kind for kind, n in told["counts"].items() if n}
    assert verdict(lines) == (0, set())
    assert verdict(lines[:mine[3]] + lines[mine[3] + 1:]) == (1, {"gaps"})
    assert verdict(lines[:mine[3]] + [lines[mine[3]]] * 2 + lines[mine[3] + 1:]) == (1, {"twice"})
    assert verdict(lines[:mine[3]] + [lines[mine[3]][:40] + "\n"] + lines[mine[3] + 1:]) == (1, {"gaps", "broken"})
    assert verdict(lines[:mine[3]] + [lines[mine[3]][:40]] + lines[mine[3]:]) == (1, {"broken"})  # cut off, then written again
    assert verdict(lines + [lines[mine[-1]].replace('"seq":', '"seq":9')]) == (1, {"after_end", "gaps"})
    assert verdict(lines[:mine[0]] + lines[mine[1] + 1:])[1] >= {"late"}
    assert verdict(lines[:mine[-1]] + lines[mine[-1] + 1:]) == (3, {"no_end"})
    starts = [i for i in mine if '"session-start"' in lines[i]]
    hidden = lines[:]
    hidden[starts[0]] = hidden[starts[0]].replace("session-start", "login")
    assert "hidden" in verdict(hidden)[1]
    assert verdict([]) == (3, set())


def test_a_worker_that_died(launch, backend, trail):
    gateway = launch(backend, daemon={"audit": trail})
    c = clients.explicit(gateway)
    (worker,) = gateway.workers()
    os.kill(worker, signal.SIGKILL)
    ended = until(trail, "worker-ended", worker=worker)
    c.close()
    assert (ended["signal"], ended["sessions"], ended["sessions_lost"], ended["expected"]) == ("Killed", 1, 1, False)
    status, told = audit.verify(trail)
    assert status == 3 and told["counts"]["no_end"] == 1 and told["counts"]["unfinished"] == 1, told


def test_rotation(launch, backend, trail, folder):
    """A file that was renamed is left by all processes, also those of an older policy, and no event is lost."""
    gateway = launch(backend, daemon={"audit": trail, "control_socket": os.path.join(folder, "sock")})
    old = clients.explicit(gateway)
    assert gateway.reload()
    os.rename(trail, trail + ".1")
    assert ctl(gateway, "audit", "reopen").returncode == 0
    new = clients.explicit(gateway)
    for c in (old, new):
        c.expect("NOOP", 200)
        c.send("QUIT\r\n")
    gateway.event("session-end", count=2)
    gateway.stop()
    assert audit.named(audit.read(trail + ".1"), "audit-reopened") and audit.named(audit.read(trail), "audit-continued")
    assert len(audit.named(audit.read(trail), "session-end")) == 2
    status, told = audit.verify(trail + ".1", trail)
    assert status == 0 and told["sessions"] == 2, told
    assert audit.verify(trail)[0] == 3  # earlier events are in the other file


def test_a_file_that_is_gone_comes_back(launch, backend, trail):
    """Nobody says so, but attlsd looks."""
    gateway = launch(backend, daemon={"audit": trail})
    os.unlink(trail)
    until(trail, "audit-continued")


def test_a_file_that_cannot_come_back(launch, backend, folder):
    """Its folder is gone: what is written is in no folder, so new sessions are refused until there is one again."""
    place = os.path.join(folder, "place")
    os.mkdir(place)
    os.chmod(place, 0o755)
    gateway = launch(backend, daemon={"audit": os.path.join(place, "audit.log"), "audit_failure": "refuse"})
    shutil.rmtree(place)
    failed = gateway.event("audit-failed").keys
    assert failed["audit"] in failed["error"] and failed["new_sessions"] == "refused"
    with net.dial(gateway.explicit) as s:
        assert s.recv(100).startswith(b"421")
    os.mkdir(place)
    os.chmod(place, 0o755)
    gateway.event("audit-restored")
    with clients.explicit(gateway, "P") as c:
        quit_(gateway, c)
    assert audit.named(audit.read(failed["audit"]), "session-end")


def test_an_xferlog_that_cannot_be_written_refuses_nobody(launch, backend, full, trail, folder):
    path = os.path.join(full.path, "xferlog")
    gateway = launch(backend, daemon={"audit": trail, "audit_failure": "refuse", "xferlog": path,
                                      "control_socket": os.path.join(folder, "control.sock")})
    full.fill()
    with clients.explicit(gateway, "P") as c:
        for _ in range(40):  # more than the file system has blocks left for
            c.get("hello.txt")
        quit_(gateway, c)
    assert "No space" in gateway.event("xferlog-failed").keys["error"]
    with open(path, encoding="utf-8") as f:
        whole = sum(line.endswith(" c\n") for line in f)
    lost = int(re.search(r"^attlsd_xferlog_lines_lost_total (\d+)$", ctl(gateway, "metrics").stdout, re.M)[1])
    assert 0 < lost == 40 - whole, "each line is in the file or counted"
    with clients.explicit(gateway, "P") as c:
        quit_(gateway, c)
    assert not gateway.seen("audit-failed") and audit.verify(trail)[0] == 0


def test_the_file_is_private_and_appended_to(launch, backend, trail):
    with open(trail, "w") as f:
        f.write("")
    os.chmod(trail, 0o640)
    gateway = launch(backend, daemon={"audit": trail})
    assert os.stat(trail).st_mode & 0o777 == 0o640
    for pid in [gateway.pid, *gateway.workers()]:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{fd}") == trail:
                with open(f"/proc/{pid}/fdinfo/{fd}") as info:
                    flags = int(next(line for line in info if line.startswith("flags:")).split()[1], 8)
                assert flags & os.O_APPEND and flags & os.O_ACCMODE == os.O_WRONLY
                break
        else:
            raise AssertionError(f"{pid} has no trail")


@pytest.mark.parametrize("what", ["no folder", "a folder", "a fifo", "no socket"])
def test_a_start_without_a_trail(launch, backend, folder, what, monkeypatch):
    path = {"no folder": os.path.join(folder, "missing", "audit.log"), "a folder": folder,
            "a fifo": os.path.join(folder, "fifo"), "no socket": "journal"}[what]
    if what == "a fifo":
        os.mkfifo(path)
    if what == "no socket" and os.path.exists("/run/systemd/journal/socket"):
        pytest.skip("this host has journald")
    gateway = launch(backend, daemon={"audit": path}, wait=False)
    assert gateway.ended() == 1
    create = f"its folder does not exist; create it: install -d -m 700 '{os.path.dirname(path)}'"
    assert what != "no folder" or create in gateway.log, gateway.log
    assert '"audit" cannot be written' in gateway.log or "step=\"open the audit trail\"" in gateway.log, gateway.log
    done = subprocess.run([net.ATTLSCTL, "check", "-f", gateway.path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 1 and '"audit" cannot be written' in done.stderr, done.stderr
    assert what != "no folder" or create in done.stderr, done.stderr
    done = subprocess.run([net.ATTLSCTL, "doctor", "-f", gateway.path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert '"audit" cannot be written' in done.stdout, done.stdout
    assert what != "no folder" or create in " ".join(done.stdout.split()), done.stdout


class Full:
    """A file system of a few pages (root only)."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "full")
        os.mkdir(self.path)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", self.path], capture_output=True).returncode != 0:
            pytest.skip("cannot mount a small file system")
        self.filler = os.path.join(self.path, "filler")

    def fill(self):
        with open(self.filler, "wb", buffering=0) as f:
            try:
                while f.write(b"x" * 512):
                    pass
            except OSError:
                pass

    def free(self):
        os.unlink(self.filler)

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def full(folder):
    if not net.IS_ROOT:
        pytest.skip("needs root")
    full = Full(folder)
    yield full
    full.close()


@pytest.mark.parametrize("mode", ["continue", "refuse"])
def test_a_full_disk(launch, make_backend, full, mode):
    """Sessions go on (refuse: those in progress), nothing is lost that there is room for, and the log says so."""
    trail = os.path.join(full.path, "audit.log")
    gateway = launch(make_backend(DELE="250 Gone"), daemon={"audit": trail, "audit_failure": mode})
    c = clients.explicit(gateway)
    full.fill()
    names = ["n" * 400 + str(i) for i in range(30)]
    for name in names:
        c.expect("DELE " + name, 250)
    failed = gateway.event("audit-failed")
    if mode == "refuse":
        new = clients.Client(gateway.explicit, greet=False)
        assert new.reply().code == 421
        new.close()
        gateway.event("refused", reason="audit-failed", key="audit_failure")
    else:
        clients.explicit(gateway).close()
    c.expect("DELE last", 250)
    full.free()
    gateway.event("audit-restored")
    clients.explicit(gateway).close()
    quit_(gateway, c)
    gateway.event("session-end", count=2)
    gateway.stop()
    events = audit.read_torn(trail)
    assert failed.keys["audit"] == trail and [e["name"] for e in audit.named(events, "change")] == [*names, "last"]
    status, told = audit.verify(trail)
    assert told["counts"]["gaps"] == told["counts"]["twice"] == told["counts"]["lost"] == 0, told


@pytest.mark.parametrize("mode,ready,said", [("continue", "ready\n", "served"), ("refuse", "no-audit\n", "refused")])
def test_a_full_disk_is_told(launch, make_backend, full, folder, mode, ready, said):
    """status says so, and load balancers do not send clients to a node that refuses all of them."""
    gateway = launch(make_backend(DELE="250 Gone"), daemon={"audit": os.path.join(full.path, "audit.log"), "audit_failure": mode,
                                                            "control_socket": os.path.join(folder, "sock")})
    line = f"the audit trail cannot be written: new sessions are {said}; attlsctl events says why\n"
    assert "the audit trail" not in ctl(gateway, "status").stdout
    c = clients.explicit(gateway)
    full.fill()
    while "audit-failed" not in gateway.log:
        c.expect("DELE " + "n" * 400, 250)
    net.until(lambda: line in ctl(gateway, "status").stdout, "status tells")
    assert ctl(gateway, "status", "--ready").stdout == ready
    assert f'attlsd_ready{{state="{ready.strip()}"}} 1' in ctl(gateway, "metrics").stdout
    doctor = ctl(gateway, "doctor").stdout
    assert "problem     audit" in doctor and "no space is left" in doctor, doctor
    full.free()
    gateway.event("audit-restored")
    assert ctl(gateway, "status", "--ready").stdout == "ready\n" and "the audit trail" not in ctl(gateway, "status").stdout
    quit_(gateway, c)


def test_what_finds_no_room_is_counted(launch, make_backend, full, folder):
    """More than attlsd keeps: the next event says how many are lost, and so do attlsctl and the metrics."""
    trail = os.path.join(full.path, "audit.log")
    gateway = launch(make_backend(DELE="250 Gone"), backends={"legacy": {"command_line_max": 4096}},
                     daemon={"audit": trail, "control_socket": os.path.join(folder, "sock")})
    c = clients.explicit(gateway)
    full.fill()
    for i in range(80):
        c.expect("DELE " + "n" * 4000, 250)
    full.free()
    subprocess.run(["mount", "-o", "remount,size=4m", full.path], check=True)
    gateway.event("audit-restored")
    quit_(gateway, c)
    metrics = ctl(gateway, "metrics").stdout
    gateway.stop()
    lost = sum(event.get("lost", 0) for event in audit.read_torn(trail))
    status, told = audit.verify(trail)
    assert lost > 0 and status == 1 and told["counts"]["lost"] == 1 and told["counts"]["gaps"] == 0, told
    assert f"\nattlsd_audit_events_lost_total {lost}\n" in metrics


class Collector:
    """A socket for datagrams, as that of syslog or of journald."""

    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.open()

    def open(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.settimeout(net.DEADLINE)

    def close(self):
        self.sock.close()
        os.unlink(self.path)

    def take(self, done):
        """Datagrams until done(list). Other programs of this host may write there, too."""
        got = []
        while not done(got):
            datagram = self.sock.recv(1 << 20)
            if b"attlsd-audit" in datagram:
                got.append(datagram)
        return got


@pytest.fixture(params=["syslog", "journal"])
def collector(request):
    path = {"syslog": "/dev/log", "journal": "/run/systemd/journal/socket"}[request.param]
    if not net.IS_ROOT or os.path.lexists(path):
        pytest.skip("this host has such a reader, or this is not root")
    collector = Collector(path)
    collector.kind = request.param
    yield collector
    if os.path.lexists(path):
        collector.close()


def fields(datagram):
    """systemd's native protocol."""
    found = {}
    while datagram:
        line, datagram = datagram.split(b"\n", 1)
        key, equals, value = line.partition(b"=")
        if not equals:
            n = int.from_bytes(datagram[:8], "little")
            value, newline, datagram = datagram[8:8 + n], datagram[8 + n:9 + n], datagram[9 + n:]
            assert newline == b"\n"
        assert key not in found
        found[key.decode()] = value
    return found


def body(collector, datagram):
    if collector.kind == "journal":
        return fields(datagram)["MESSAGE"].decode()
    head, text = datagram.split(b": @cee: ", 1)
    assert head.startswith(b"<85>attlsd-audit[")
    return text.decode()


def test_a_socket(launch, make_backend, collector):
    """Each event is a datagram; after a restart of the reader, what was kept comes first."""
    gateway = launch(make_backend(DELE="250 Gone"), daemon={"audit": collector.kind})
    name = b"two\x07bells \xfe " + b"long" * 90
    with clients.explicit(gateway) as c:
        c.send(b"DELE " + name + b"\r\n")
        assert c.reply().code == 250
        got = collector.take(lambda got: got and "DELE" in body(collector, got[-1]))
        if collector.kind == "journal":
            last = fields(got[-1])
            assert last["ATTLSD_NAME"] == name and last["ATTLSD_EVENT"] == b"change" and last["ATTLSD_COMMAND"] == b"DELE"
            assert last["SYSLOG_IDENTIFIER"] == b"attlsd-audit" and int(last["ATTLSD_SESSION"]) > 0
        collector.close()
        for i in range(3):
            c.expect(f"DELE gone{i}", 250)
        gateway.event("audit-failed")
        collector.open()
        c.expect("DELE back", 250)
        got += collector.take(lambda got: got and '"back"' in body(collector, got[-1]))
        gateway.event("audit-restored")
        c.send("QUIT\r\n")
        got += collector.take(lambda got: got and "session-end" in body(collector, got[-1]))
    events = audit.parse("\n".join(body(collector, datagram) for datagram in got))
    assert [event["name"] for event in audit.named(events, "change")][1:] == ["gone0", "gone1", "gone2", "back"]
    by_process = {}
    for event in events:
        by_process.setdefault(event["pid"], []).append(event["seq"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_process.values()), by_process


def test_a_reader_that_does_not_read(launch, make_backend, collector):
    """Nobody waits for it."""
    gateway = launch(make_backend(DELE="250 Gone"), daemon={"audit": collector.kind})
    with clients.explicit(gateway) as c:
        begun = time.monotonic()
        for _ in range(700):
            c.expect("DELE " + "x" * 400, 250)
        assert time.monotonic() - begun < net.DEADLINE
        gateway.event("audit-failed")
        quit_(gateway, c)

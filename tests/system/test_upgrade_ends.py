"""Deaths and orders at each step of an upgrade, and attlsds of other versions at its other end."""
import array
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
from upgrades import NEXT, install

MESSAGE = "=IHHII4Q320s144x"
STATE, HELLO, FAILED, READY, GO, SERVING, SETTLED = 1, 2, 3, 4, 5, 6, 7

# A new attlsd that stays at a step, and tells the test so through a file.
STAYS = """#!/usr/bin/python3
import os, signal, socket, struct, sys
link = socket.socket(fileno=3)
link.setblocking(True)
def say(kind, number=0, text=b""):
    link.send(struct.pack("%s", 0x61747570, 1, 512, kind, 0, number, 0, 0, 0, text))
def stay():
    open(%r, "w").close()
    while True:
        signal.pause()
""" % (MESSAGE, "{reached}")
STEPS = {
    "it has begun": "stay()\n",
    "it has the sockets": "link.recv(512)\nsay(2, os.getpid(), b'3.0')\nstay()\n",
    "it is ready": "link.recv(512)\nsay(2, os.getpid(), b'3.0')\nsay(4, 2)\nwhile struct.unpack_from('=I', link.recv(512), 8)[0] != 5: pass\nstay()\n",
}


def pids_of(folder):
    """Processes whose program, or one of its words, is in the folder: attlsds, and their stand-ins."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read()
            exe = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if int(pid) != os.getpid() and (exe.startswith(folder + "/") or folder.encode() + b"/programs/" in words):
            found.add(int(pid))
    return found


class Step:
    def __init__(self, gateway, folder, step):
        self.gateway, reached = gateway, os.path.join(folder, "reached")
        if step == "it serves":
            gateway.upgrade(NEXT)
            self.new, self.order = gateway.status()["pid"], None
            return
        source = os.path.join(folder, "stays")
        with open(source, "w") as f:
            f.write(STAYS.replace("{reached}", reached) + STEPS[step])
        path = install(source, gateway.programs)
        before = pids_of(folder)
        self.order = subprocess.Popen([net.ATTLSCTL, "upgrade", "--socket", gateway.socket], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        net.until(lambda: os.path.exists(reached), step)
        (self.new,) = [pid for pid in pids_of(folder) - before if path in open(f"/proc/{pid}/cmdline").read() and "python" in os.readlink(f"/proc/{pid}/exe")]

    def told(self):
        said, _ = self.order.communicate(timeout=net.DEADLINE)
        return said


@pytest.mark.parametrize("step", [*STEPS, "it serves"])
def test_the_new_one_is_killed(upgradable, backend, folder, step):
    """The old one serves as before, and another upgrade succeeds."""
    gateway = upgradable(backend)
    held = clients.explicit(gateway, "P")
    workers = gateway.workers()
    at = Step(gateway, folder, step)
    os.kill(at.new, signal.SIGKILL)
    gateway.event("upgrade-undone" if step in ("it serves", "it is ready") else "upgrade-failed")
    if at.order:
        assert "Killed" in at.told() or at.order.returncode != 0
    assert held.get("hello.txt") == clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    assert gateway.workers() == workers
    gateway.upgrade(NEXT)
    assert gateway.status()["version"] == "9.9.9"
    gateway.stop()
    net.until(lambda: not pids_of(folder), "nothing is left")


@pytest.mark.parametrize("step", [*STEPS, "it serves", "it is the main one"])
def test_the_old_one_is_killed(upgradable, backend, folder, step):
    """Whoever started attlsd sees its end, so nothing else stays: not the new one, no worker, no part of an upload."""
    gateway = upgradable(backend)
    held = clients.explicit(gateway, "P")
    data = held.open("STOR part")
    data.send(b"x" * 100_000)
    at = Step(gateway, folder, "it serves" if step == "it is the main one" else step)
    if step == "it is the main one":
        assert not gateway.ctl("reload", "--no-upgrade").returncode
        gateway.event("handed-over")
    gateway.process.kill()
    assert gateway.process.wait(net.DEADLINE) == -signal.SIGKILL
    net.until(lambda: not pids_of(folder), "nothing is left")
    backend.wait(lambda: "part" in backend.stored, "the server sees the end of the upload")
    assert backend.stored["part"][1] == "reset"
    for address in gateway.explicit, gateway.implicit: # for whoever starts attlsd again
        net.listen(address[0], port=address[1]).close()
    if at.order:
        at.order.communicate(timeout=net.DEADLINE)


def test_workers_and_keepers_are_killed(upgradable, backend, folder):
    """During the trial: each attlsd replaces its own, and the new one goes on."""
    gateway = upgradable(backend)
    held = clients.explicit(gateway, "P")
    data = held.open("STOR part")
    data.send(b"x" * 100_000)
    (worker,), keepers = gateway.workers(), gateway.keepers()
    gateway.upgrade(NEXT)
    new = gateway.status()
    os.kill(worker, signal.SIGKILL)
    gateway.event("worker-died", pid=worker)
    backend.wait(lambda: "part" in backend.stored, "the server sees the end of the upload")
    assert backend.stored["part"][1] == "reset"
    os.kill(new["workers"][0]["pid"], signal.SIGKILL)
    gateway.event("worker-died", pid=new["workers"][0]["pid"])
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    for keeper in keepers:
        os.kill(keeper, signal.SIGKILL)
        gateway.event("keeper-died", pid=keeper)
    for keeper in [pid for pid in net.children(new["pid"]) if net.name(pid) == "attlsd-keeper"]:
        since = gateway.mark()
        os.kill(keeper, signal.SIGKILL)
        gateway.event("keeper-died", pid=keeper)
        gateway.event("reloaded", since)
    assert gateway.status()["version"] == "9.9.9"
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    gateway.stop()
    net.until(lambda: not pids_of(folder), "nothing is left")


def test_the_http_process_is_killed(upgradable, backend, folder):
    gateway = upgradable(backend, daemon={"http": "127.0.0.1:0"})
    gateway.event("http-started")
    old = [pid for pid in net.children(gateway.pid) if net.name(pid) == "attlsd-http"]
    gateway.upgrade(NEXT)
    gateway.event("http-started", count=2)
    new = [pid for pid in net.children(gateway.status()["pid"]) if net.name(pid) == "attlsd-http"]
    for pid in [*new, *(pid for pid in old if os.path.exists(f"/proc/{pid}"))]:
        os.kill(pid, signal.SIGKILL)
    gateway.event("http-started", count=3)
    assert gateway.status()["version"] == "9.9.9"


@pytest.mark.parametrize("step", [*STEPS, "it serves"])
@pytest.mark.parametrize("how", ["SIGTERM", "drain"])
def test_a_stop(upgradable, backend, folder, step, how):
    """At any step: sessions end in order, the process that was started exits with 0, and nothing is left."""
    gateway = upgradable(backend)
    at = Step(gateway, folder, step)
    if step == "it is ready" and how == "drain":
        how = "SIGTERM" # nobody answers on the control socket now
    if how == "SIGTERM":
        gateway.process.send_signal(signal.SIGTERM)
    else:
        assert gateway.ctl("drain").returncode == 0
    if step == "it is ready":
        os.kill(at.new, signal.SIGKILL) # it would have been told
    # a new one that has to be killed gives its status to the first, unless that one saw its death before the order
    assert gateway.process.wait(net.DEADLINE) in ((0, 137) if step == "it is ready" else (0,)), gateway.log
    net.until(lambda: not pids_of(folder), "nothing is left")
    if at.order:
        assert "about to exit" in at.told() or at.order.returncode != 0


def test_orders_while_the_new_one_starts(upgradable, backend, folder):
    gateway = upgradable(backend)
    at = Step(gateway, folder, "it has the sockets")
    for order in ("reload",), ("upgrade",), ("reload", "--no-upgrade"):
        done = gateway.ctl(*order)
        assert done.returncode != 0 and "another reload or upgrade is under way" in done.stderr, done
    gateway.process.send_signal(signal.SIGHUP)
    gateway.event("reload-follows")
    assert len(gateway.seen("upgrade-refused")) == 2
    install(NEXT, gateway.programs)
    os.kill(at.new, signal.SIGKILL)
    gateway.event("upgrade-failed")
    at.told()
    gateway.event("handed-over") # the signal counts now
    assert gateway.status()["version"] == "9.9.9"
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    assert not gateway.ctl("reload", "--no-upgrade").returncode


def test_an_upgrade_and_a_reload_during_a_trial(upgradable, backend):
    gateway = upgradable(backend)
    gateway.upgrade(NEXT)
    gateway.upgrade(net.ATTLSD) # ends the first trial
    gateway.event("handed-over")
    gateway.process.send_signal(signal.SIGHUP) # to the one that was started first
    gateway.event("reloaded")
    gateway.event("handed-over", count=2)
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"


class Old:
    """The old end of an upgrade, of whatever version."""

    def __init__(self, folder, tree, version=1, readable_by=1, numbers=b"", extra=()):
        self.path = os.path.join(folder, "policy.yaml")
        with open(self.path, "w") as f:
            f.write(gateways.as_yaml(tree))
        self.numbers, self.version, self.readable_by, self.extra = numbers, version, readable_by, extra
        self.listener = net.listen()
        self.link, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(net.DEADLINE)
        self.send(STATE, 2, [self.listener.fileno(), self.state()])
        self.log = open(os.path.join(folder, "log"), "w+")

        def prepare():
            os.dup2(other.fileno(), 3)
            os.environ["ATTLSD_HANDOVER"] = str(os.getpid())
            os.execv(net.ATTLSD, [net.ATTLSD, "-f", self.path])
        self.process = subprocess.Popen([net.ATTLSD], stdin=subprocess.DEVNULL, stderr=self.log, preexec_fn=prepare)
        other.close()

    def section(self, kind, *records):
        return struct.pack("=4I", kind, len(records[0]), len(records), 0) + b"".join(records)

    def state(self):
        host, _ = self.listener.getsockname()
        # port 0: as the policy has it
        record = struct.pack("=3IHH16s64s112sQQ", 1, 0, 0, 4, 0, socket.inet_aton(host), b"explicit", b"", 0, 0)
        body = self.section(1, self.numbers) + self.section(2, record) + b"".join(self.extra)
        body = struct.pack("=8s4IQ", b"attlsdUP", self.version, self.readable_by, 32, 0, 32 + len(body)) + body
        fd = os.memfd_create("state", os.MFD_ALLOW_SEALING)
        os.write(fd, body)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, 15)
        return fd

    def send(self, kind, number=0, fds=()):
        text = struct.pack(MESSAGE, 0x61747570, 1, 512, kind, 0, number, 0, 0, 0, b"")
        self.link.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])

    def hear(self):
        got = self.link.recv(512)
        return (struct.unpack(MESSAGE, got)[3], struct.unpack(MESSAGE, got)[-1].rstrip(b"\0").decode()) if got else (0, "")

    def close(self):
        self.process.kill()
        self.process.wait()
        for one in (self.link, self.listener, self.log):
            one.close()


@pytest.fixture
def old(certificates, folder, backend):
    made = []

    def start(**how):
        made.append(Old(folder, gateways.policy(certificates, backend.address, listeners={"implicit": None}), **how))
        return made[-1]
    yield start
    for one in made:
        one.close()


NUMBERS = struct.pack("=4Q", 7, 1 << 60, 0, 0)


@pytest.mark.parametrize("how", [
    {"numbers": NUMBERS}, # as short as the first version had it
    {"numbers": NUMBERS + b"\xff" * 64}, # longer than this version knows
    {"numbers": NUMBERS, "version": 99, "extra": (struct.pack("=4I", 4711, 3, 2, 0) + b"\xff" * 6,)}, # with a section that nobody knows
], ids=["older", "newer", "an unknown section"])
def test_an_attlsd_of_another_version_hands_over(old, how):
    one = old(**how)
    assert one.hear()[0] == HELLO
    kind, said = one.hear()
    assert kind == READY, (said, open(one.log.name).read())
    one.send(99) # nobody knows what that means
    one.send(GO, 0, [one.state()])
    assert one.hear()[0] == SERVING
    with net.dial(one.listener.getsockname()) as client:
        assert net.exactly(client, 4) == b"220 "
    assert re.search(r"upgraded .*explicit=", open(one.log.name).read())


@pytest.mark.parametrize("how", [{"version": 2, "readable_by": 2}, {"version": 1, "numbers": b""}], ids=["too new", "damaged"])
def test_an_attlsd_that_does_not_understand_takes_nothing(old, how):
    """It says why, and ends; the old one would go on."""
    if not how.get("numbers", True):
        how = {**how, "numbers": NUMBERS, "extra": (struct.pack("=4I", 1, 1 << 30, 1 << 30, 0),)}
    one = old(**{"numbers": NUMBERS, **how})
    kind, said = one.hear()
    assert kind == FAILED and "their versions do not fit together; restart attlsd instead" in said
    assert one.process.wait(net.DEADLINE) != 0
    assert one.hear() == (0, "")

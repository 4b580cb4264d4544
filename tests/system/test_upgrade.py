"""A new binary takes over from a running attlsd: sockets, keys of TLS sessions, and what happens when it does not."""
import os
import re
import signal
import subprocess

import pytest

import audit
import client as clients
import net
from upgrades import NEXT, Systemd, install

def test_a_new_binary_takes_over(upgradable, backend, certificates):
    gateway = upgradable(backend)
    before = clients.explicit(gateway, "P")
    said = gateway.upgrade(NEXT)
    assert "attlsd 9.9.9" in said and "1 session " in said
    gateway.event("upgraded")
    assert gateway.status()["version"] == "9.9.9"
    after = clients.explicit(gateway, "P")
    assert before.get("hello.txt") == after.get("hello.txt") == b"hello, world\r\n"
    assert not gateway.ctl("reload").returncode # ends the trial
    gateway.event("handed-over")
    net.until(lambda: gateway.status()["replaced"], "it has told of itself")
    assert [(one["sessions"], one["pid"]) for one in gateway.status()["replaced"]] == [(1, gateway.pid)]


def is_confined(pid):
    """A worker says that it is ready right after this."""
    with open(f"/proc/{pid}/status") as f:
        text = f.read()
    return "Seccomp:\t2" in text and "State:\tS" in text


def test_all_workers_become_ready_at_once(upgradable, backend):
    """The new attlsd is stopped until then. It says so once, and waits until it may serve."""
    gateway = upgradable(backend, daemon={"workers": 4})
    install(NEXT, gateway.programs)
    order = subprocess.Popen([net.ATTLSCTL, "upgrade", "--socket", gateway.socket], stdout=subprocess.PIPE, text=True)

    def new_one():
        for starter in net.children(gateway.pid):
            for new in net.children(starter) if net.name(starter) == "attlsd-upgrade" else []:
                workers = [pid for pid in net.children(new) if net.name(pid) == "attlsd"]
                if len(workers) == 4:
                    os.kill(new, signal.SIGSTOP)
                    return new, workers
        return None
    new, workers = net.until(new_one, "it has workers", every=0.0005)
    net.until(lambda: all(is_confined(pid) for pid in workers), "all are ready")
    os.kill(new, signal.SIGCONT)
    assert "attlsd 9.9.9" in order.communicate(timeout=net.DEADLINE)[0], gateway.log
    gateway.event("upgraded")
    assert len(gateway.seen("ready")) == 1
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"


def test_tls_sessions_go_on(upgradable, backend):
    gateway = upgradable(backend)
    for versions in ("1.2", "1.3"):
        with clients.Client(gateway.explicit, ctx=(ctx := clients.context(versions=versions))) as first:
            first.auth().login()
            session = first.tls.session
        gateway.upgrade(NEXT if versions == "1.2" else net.ATTLSD)
        gateway.event("upgraded", count=1 if versions == "1.2" else 2)
        with clients.Client(gateway.explicit, ctx=ctx) as second:
            second.auth(session=session)
            assert second.tls.reused, versions


def test_one_upgrade_after_the_other_and_back(upgradable, backend):
    gateway = upgradable(backend)
    held = []
    for turn, source in enumerate([NEXT, net.ATTLSD, NEXT, net.ATTLSD]):
        held.append(clients.explicit(gateway, "P"))
        gateway.upgrade(source)
        assert gateway.status()["version"] == ("9.9.9" if source == NEXT else gateways_version())
        assert gateway.status()["generation"] == turn + 2
    for client in held:
        assert client.get("hello.txt") == b"hello, world\r\n"
    assert not gateway.ctl("reload").returncode # ends the trial
    gateway.event("handed-over", count=4)
    assert len(gateway.status()["replaced"]) == 4
    numbers = [int(event.keys["session"]) for event in gateway.seen("session-start")]
    assert sorted(set(numbers)) == sorted(numbers)
    for client in held:
        client.cmd("QUIT")
    # the first stays: the test waits for its end; it has no session
    net.until(lambda: [one["sessions"] for one in gateway.status()["replaced"]] == [0], "the others end with their sessions")


def gateways_version():
    return subprocess.run([net.ATTLSD, "-V"], capture_output=True, text=True).stdout.split()[1]


# What is on the disk; and what attlsctl says of it.
FAKE = """#!/usr/bin/python3
import os, signal, socket, struct, sys
link = socket.socket(fileno=3)
link.setblocking(True)
def say(kind, number=0, text=b"", magic=0x61747570, version=1):
    link.send(struct.pack("=IHHII4Q320s144x", magic, version, 512, kind, 0, number, 0, 0, 0, text))
def hear(kind):
    while True:
        got = link.recv(512)
        if not got:
            sys.exit(9)
        if struct.unpack_from("=I", got, 8)[0] == kind:
            return
hear(1)
"""
BROKEN = {
    "ends": ("#!/bin/sh\nexit 7\n", "status 7"),
    "crashes": ("#!/bin/sh\nkill -SEGV $$\n", "Segmentation fault"),
    "other libraries": ("#!/bin/sh\necho libssl.so.4: cannot open shared object file >&2\nexit 127\n", "library"),
    "no program": ("\0\0\0\0", "Exec format error"),
    "another program": ("#!/bin/sh\nexec 3>&-\nexec sleep 1000\n", "it ended"),
    "speaks otherwise": (FAKE + "say(2, os.getpid(), magic=1)\nsignal.pause()\n", "does not know how"),
    "says why": (FAKE + "say(2, os.getpid(), b'3.0')\nsay(3, text=b'the moon is full')\nsys.exit(1)\n", "the moon is full"),
    "ends when ready": (FAKE + "say(2, os.getpid(), b'3.0')\nsay(4, 2)\nhear(5)\nos.kill(os.getpid(), 9)\n", "old one serves again|did not start: Broken pipe"),
    "ends when it serves": (FAKE + "say(2, os.getpid(), b'3.0')\nsay(4, 2)\nhear(5)\nsay(6)\nos.kill(os.getpid(), 9)\n", None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_binary_changes_nothing(upgradable, backend, folder, what):
    gateway = upgradable(backend)
    client = clients.explicit(gateway, "P")
    workers = gateway.workers()
    program, reason = BROKEN[what]
    source = os.path.join(folder, "broken")
    with open(source, "w") as f:
        f.write(program)
    install(source, gateway.programs)
    for turn in range(10 if what == "ends" else 2):
        done = gateway.ctl("upgrade")
        if reason:
            assert done.returncode == 1 and re.search(reason, done.stderr), (done, gateway.log)
        else:
            gateway.event("upgrade-undone", count=turn + 1)
        assert client.get("hello.txt") == clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
        assert gateway.workers() == workers
    assert not gateway.ctl("reload", "--no-upgrade").returncode
    gateway.upgrade(NEXT)
    assert gateway.status()["version"] == "9.9.9"
    assert client.get("hello.txt") == b"hello, world\r\n"


def test_a_faulty_policy_changes_nothing(upgradable, backend):
    gateway = upgradable(backend)
    with open(gateway.path) as f:
        good = f.read()
    gateway.write("version: 1\n")
    install(NEXT, gateway.programs)
    done = gateway.ctl("upgrade")
    assert done.returncode == 1 and "could not read and check the policy" in done.stderr
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    gateway.write(good)
    assert not gateway.ctl("upgrade").returncode


@pytest.mark.parametrize("what", ["file", "folder", "owner"])
def test_a_binary_that_others_may_change_is_not_executed(upgradable, backend, what):
    gateway = upgradable(backend)
    path = install(NEXT, gateway.programs)
    if what == "owner":
        os.chown(path, net.NOBODY, net.NOBODY)
    else:
        os.chmod(path if what == "file" else gateway.programs, 0o777)
    done = gateway.ctl("upgrade")
    assert done.returncode == 1 and "others than root may write" in done.stderr, done.stderr
    assert gateway.status()["version"] == gateways_version()


def test_a_reload_finds_a_new_binary(upgradable, backend):
    gateway = upgradable(backend)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.event("reloaded")
    install(NEXT, gateway.programs)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.event("upgraded")
    gateway.process.send_signal(signal.SIGHUP) # goes on to the new one
    gateway.event("reloaded", count=2)
    assert gateway.status()["version"] == "9.9.9"
    install(net.ATTLSD, gateway.programs)
    assert not gateway.ctl("reload").returncode
    assert gateway.status()["version"] == gateways_version()


def test_the_service_manager_hears_of_the_new_process(upgradable, backend, folder):
    manager = Systemd(os.path.join(folder, "notify"))
    gateway = upgradable(backend, preexec=manager.announce)
    manager.wait_for("READY=1")
    client = clients.explicit(gateway, "P")
    gateway.upgrade(NEXT)
    manager.wait_for("RELOADING=1")
    manager.wait_for("READY=1")
    assert manager.main == gateway.pid, "it is on trial"
    assert not gateway.ctl("reload").returncode # ends that
    manager.wait_for("BARRIER=1")
    new = gateway.status()["pid"]
    assert manager.main == new != gateway.pid
    manager.wait_for("READY=1")
    assert manager.refused == ["BARRIER=1"] # systemd takes that from everybody
    assert client.get("hello.txt") == b"hello, world\r\n"
    client.cmd("QUIT")
    assert gateway.process.wait(net.DEADLINE) == 0, "the old one has nothing left to do"
    os.kill(new, signal.SIGTERM)
    net.until(lambda: gateway.seen("stopped", pid=new), "the new one ends")
    manager.socket.close()


def test_without_a_manager_the_first_process_stays(upgradable, backend):
    gateway = upgradable(backend)
    gateway.upgrade(NEXT)
    assert not gateway.ctl("reload").returncode # ends the trial
    gateway.event("handed-over")
    new = gateway.status()["pid"]
    os.kill(new, signal.SIGKILL)
    assert gateway.process.wait(net.DEADLINE) != 0
    gateway.event("main-process-ended")


def test_the_new_process_does_not_outlive_the_first(upgradable, backend):
    gateway = upgradable(backend)
    gateway.upgrade(NEXT)
    assert not gateway.ctl("reload").returncode # ends the trial
    gateway.event("handed-over")
    new = gateway.status()["pid"]
    gateway.process.kill()
    gateway.event("takeover-ended", pid=new)
    net.until(lambda: not os.path.exists(f"/proc/{new}"), "it has ended")


def test_the_trail_has_no_gap(upgradable, backend, folder):
    """Three attlsds with sessions write to one trail: each has its own `boot`, and all of them follow a rotation."""
    logs = os.path.join(folder, "logs")
    os.mkdir(logs)
    trail = os.path.join(logs, "audit.log")
    gateway = upgradable(backend, daemon={"audit": trail})
    held = [clients.explicit(gateway, "P")]
    for source in (NEXT, net.ATTLSD):
        gateway.upgrade(source)
        held.append(clients.explicit(gateway, "P"))
        assert held[0].get("hello.txt") == b"hello, world\r\n"
    assert not gateway.ctl("reload").returncode # ends the trial
    gateway.event("handed-over", count=2)
    os.rename(trail, trail + ".1")
    assert not gateway.ctl("audit", "reopen").returncode
    # those that were replaced look every five seconds
    net.until(lambda: len(audit.named(audit.read(trail), "audit-continued")) == 3, "all have the new file")
    for client in held:
        assert client.get("hello.txt") == b"hello, world\r\n"
        client.send("QUIT\r\n")
    gateway.event("session-end", count=3)
    gateway.stop()
    started, ended = audit.named(audit.read(trail + ".1"), "session-start"), audit.named(audit.read(trail), "session-end")
    assert len({event["boot"] for event in started}) == len({event["session"] for event in started}) == 3
    assert {(event["boot"], event["pid"], event["session"]) for event in ended} == {
        (event["boot"], event["pid"], event["session"]) for event in started}
    status, told = audit.verify(trail + ".1", trail)
    assert status == 0 and told["sessions"] == 3, told
    with open(trail) as f:
        lines = f.readlines()
    missing = next(line for line in lines if '"session-end"' in line and started[0]["boot"] in line)
    with open(trail, "w") as f:
        f.writelines(line for line in lines if line != missing)
    status, told = audit.verify(trail + ".1", trail)
    assert status == 1 and told["counts"]["gaps"] == 1, told

"""daemon.control_group: its members may ask a running attlsd, but not give it orders."""
import grp
import json
import os
import re
import stat
import subprocess

import pytest

import client as clients
import net
from test_operator import DRAIN, PROTOCOL, END, REFUSED, RELOAD, ask, ctl, kind, path  # noqa: F401
from test_top import Terminal

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for other users")
GROUP = "games"  # of every Debian
MEMBER = ["setpriv", "--reuid=12345", "--regid=12345", f"--groups={grp.getgrnam(GROUP).gr_gid}"]
STRANGER = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
FORBIDDEN = 1 + re.findall(r"ANSWER_[A-Z_]+", PROTOCOL[PROTOCOL.index("enum answer_kind {"):]).index("ANSWER_FORBIDDEN")
WHATS = re.findall(r"^\t(CTL_[A-Z_]+)", PROTOCOL[PROTOCOL.index("enum ctl_proto_what {"):PROTOCOL.index("CTL_WHATS")], re.M)
DISABLE, ENABLE = 1 + WHATS.index("CTL_DISABLE"), 1 + WHATS.index("CTL_ENABLE")
ONLY_ROOT = "only root may do this, use sudo"


@pytest.fixture
def shared(launch, backend, path):
    return launch(backend, daemon={"control_socket": path, "control_group": GROUP})


def mode(path):
    there = os.stat(path)
    return stat.S_IMODE(there.st_mode), there.st_gid


def run_as(who, *argv):
    return subprocess.run([*who, net.ATTLSCTL, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=net.DEADLINE)


def ask_as(who, path, what):
    """The last answer that this user gets."""
    script = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import test_operator as o; " \
             f"p = o.ask({path!r}, {what}); sys.stdout.write('%d %s' % (o.kind(p[-1]), o.text(p[-1])))"
    done = subprocess.run([*who, "/usr/bin/python3", "-c", script], capture_output=True, text=True, timeout=net.DEADLINE, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_members_may_ask_and_nobody_else(shared, path):
    assert mode(path) == (0o660, grp.getgrnam(GROUP).gr_gid)
    with clients.Client(shared.explicit).auth().login("anna"):
        for question_ in ("sessions", "status", "metrics", "events"):
            done = run_as(MEMBER, question_, "--socket", path)
            assert done.returncode == 0 and done.stdout, done.stderr
        assert "anna" in run_as(MEMBER, "sessions", "--socket", path).stdout
        done = run_as(STRANGER, "sessions", "--socket", path)
        assert done.returncode == 1 and "the members of its control_group" in done.stderr


def test_members_give_no_orders(shared, path):
    with clients.Client(shared.explicit).auth().login("anna") as anna:
        for order in (["end", "1"], ["end", "--user", "anna"], ["reload"], ["drain"], ["drain", "--restart"], ["maintenance", "on"], ["maintenance", "off"]):
            done = run_as(MEMBER, *order, "--socket", path)
            assert done.returncode == 1 and ONLY_ROOT in done.stderr, (order, done.stderr)
        # whatever attlsctl does
        for order in (END, RELOAD, DRAIN, 99):
            assert ask_as(MEMBER, path, order).startswith(f"{FORBIDDEN} {ONLY_ROOT}"), order
        assert anna.cmd("NOOP").code == 200 and not shared.seen("operator")
        keys = shared.event("operator-refused").keys
        assert keys["uid"] == "12345" and keys["reason"].startswith(ONLY_ROOT)
    assert "generation 1," in ctl(shared, "status")


def test_members_see_servers_and_disable_none(launch, make_backend, path):
    addresses = ["%s:%d" % make_backend().address for _ in range(2)]
    gateway = launch(backends={"legacy": {"address": None, "addresses": addresses}}, daemon={"control_socket": path, "control_group": GROUP})
    states = dict.fromkeys(addresses, "up")

    def seen(who, *argv):
        done = run_as(who, *argv, "--json", "--socket", path)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        return {server["address"]: server["state"] for server in (told["backend_servers"] if argv == ("status",) else told)}
    for listed in ("backend",), ("backend", "legacy"), ("backend", "legacy", "list"), ("status",):
        assert seen(MEMBER, *listed) == states, listed
    done = run_as(STRANGER, "backend", "--socket", path)
    assert done.returncode == 1 and not done.stdout and "the members of its control_group" in done.stderr
    for verb, what in (("disable", DISABLE), ("enable", ENABLE)):
        done = run_as(MEMBER, "backend", "legacy", verb, addresses[0], "--socket", path)
        assert done.returncode == 1 and ONLY_ROOT in done.stderr
        assert ask_as(MEMBER, path, what).startswith(f"{FORBIDDEN} {ONLY_ROOT}")  # whatever attlsctl does
    assert seen(MEMBER, "backend") == states and not gateway.seen("operator") and not gateway.seen("backend-disabled")
    assert run_as([], "backend", "legacy", "disable", addresses[0], "--socket", path).returncode == 0
    assert seen(MEMBER, "backend") == {**states, addresses[0]: "disabled"}


def test_a_member_with_top(shared, path):
    with clients.Client(shared.explicit).auth().login("anna") as anna:
        with Terminal(path, before=MEMBER) as top:
            top.shows("anna")
            top.press("e")
            top.shows("? y/n")
            top.press("y")
            top.shows(ONLY_ROOT + "; members of control_group may only ask")
            assert anna.cmd("NOOP").code == 200
            top.press("q")
            assert top.ends() == 0


def connected(path, n):
    """In a member's process: n connections without a question."""
    script = f"import socket, sys\nkept = []\nfor i in range({n}):\n s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n" \
             f" s.connect({path!r})\n kept.append(s)\nprint('all', flush=True)\nsys.stdin.read()"
    process = subprocess.Popen([*MEMBER, "/usr/bin/python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"all\n"
    return process


def test_members_cannot_keep_root_out(shared, path):
    flood = connected(path, 100)
    try:
        assert "sessions, at most" in ctl(shared, "status")
        assert kind(ask(path, END)[-1]) == REFUSED
    finally:
        flood.communicate(b"")
    # lists that nobody reads: the workers keep them open
    script = f"import socket, sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import test_operator as o\nkept = []\n" \
             f"for i in range(40):\n s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)\n" \
             f" s.connect({path!r})\n try: s.send(o.question(o.SESSIONS))\n except OSError: continue\n kept.append(s)\nprint('all', flush=True)\nsys.stdin.read()"
    with clients.Client(shared.explicit).auth().login("anna"):
        flood = subprocess.Popen([*MEMBER, "/usr/bin/python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert flood.stdout.readline() == b"all\n"
            assert "anna" in ctl(shared, "sessions")
        finally:
            flood.communicate(b"")


def test_a_reload_changes_the_group(launch, backend, path):
    gateway = launch(backend, daemon={"control_socket": path})
    assert mode(path)[0] == 0o600
    with open(gateway.path) as f:
        tree = json.load(f)
    inode = os.stat(path).st_ino
    for group in GROUP, "daemon", None:
        tree["daemon"].pop("control_group", None)
        if group:
            tree["daemon"]["control_group"] = group
        gateway.write(tree)
        ctl(gateway, "reload")
        assert mode(path) == (0o660, grp.getgrnam(group).gr_gid) if group else mode(path)[0] == 0o600
    assert os.stat(path).st_ino == inode


def test_a_group_that_does_not_exist(launch, backend, path):
    gateway = launch(backend, daemon={"control_socket": path, "control_group": "no-such-group"}, wait=False)
    assert gateway.process.wait(net.DEADLINE) == 78
    net.until(lambda: 'there is no group "no-such-group" on this host; create it with: groupadd --system no-such-group' in gateway.log, "the fault")
    done = run_as([], "check", "-f", gateway.path)
    assert done.returncode == 1 and "there is no group" in done.stderr
    gateway.process.stderr.close()


def test_doctor_looks_at_the_way_to_the_socket(launch, backend, folder):
    closed = os.path.join(folder, "closed")
    os.mkdir(closed, 0o700)
    gateway = launch(backend, daemon={"control_socket": os.path.join(closed, "control.sock"), "control_group": GROUP})
    told = run_as([], "doctor", "-f", gateway.path).stdout
    assert f"members of the group {GROUP} cannot reach control_socket: they may not enter {closed}" in told
    os.chmod(closed, 0o711)
    assert f"members of the group {GROUP} may ask attlsd, but not give orders" in run_as([], "doctor", "-f", gateway.path).stdout

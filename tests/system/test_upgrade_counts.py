"""What operators and monitoring see over an upgrade: counters go on, and sessions of replaced attlsds are there."""
import json
import os
import re
import select
import signal
import subprocess

import client as clients
import net
from upgrades import NEXT


def counters(gateway):
    """{name with labels: value} of what only grows, without the loop's own histograms."""
    done = gateway.ctl("metrics")
    assert done.returncode == 0, done.stderr
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", done.stdout, re.M))
    found = {}
    for name, labels, value in re.findall(r"^(\w+)(\{[^}]*\})? (\S+)$", done.stdout, re.M):
        kind = kinds.get(name) or kinds.get(re.sub(r"_(total|bucket|sum|count)$", "", name))
        if kind in ("counter", "histogram") and "loop" not in name:
            found[name + labels] = float(value)
    return found


def value(gateway, name):
    (found,) = re.findall(rf"^{name} (\S+)$", gateway.ctl("metrics").stdout, re.M)
    return float(found)


def never_back(before, after):
    back = {name: (before[name], after.get(name)) for name in before if after.get(name, 0) < before[name]}
    assert not back, back


def uploads(gateway):
    return sum(n for name, n in counters(gateway).items() if name.startswith("attlsd_transfers_total{") and 'result="ok"' in name)


def test_counters_go_on(upgradable, backend):
    gateway = upgradable(backend)
    held = clients.explicit(gateway, "P")
    assert held.get("hello.txt") == b"hello, world\r\n"
    seen = counters(gateway)
    assert uploads(gateway) == 1
    started = sum(n for name, n in seen.items() if name.startswith("attlsd_sessions_started_total"))
    for turn, source in enumerate((NEXT, net.ATTLSD)):
        gateway.upgrade(source)
        never_back(seen, seen := counters(gateway))
        assert not gateway.ctl("reload", "--no-upgrade").returncode # ends the trial
        gateway.event("handed-over", count=turn + 1)
        never_back(seen, seen := counters(gateway))
        # what the first one still does
        assert held.get("hello.txt") == b"hello, world\r\n"
        net.until(lambda: uploads(gateway) == turn + 2, "it has told of the transfer", every=0.1)
        never_back(seen, seen := counters(gateway))
    assert value(gateway, "attlsd_replaced") == 1 and value(gateway, "attlsd_replaced_sessions") == 1
    held.cmd("QUIT")
    net.until(lambda: any('reason="quit"' in name and n >= 1 for name, n in counters(gateway).items()), "it has told of the end", every=0.1)
    net.until(lambda: value(gateway, "attlsd_replaced_sessions") == 0, "and of its sessions", every=0.1)
    never_back(seen, seen := counters(gateway))
    assert sum(n for name, n in seen.items() if name.startswith("attlsd_sessions_started_total")) == started


def test_counters_of_a_trial_that_failed(upgradable, backend):
    """What somebody has seen of the new one stays when the old one serves again."""
    gateway = upgradable(backend)
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    gateway.upgrade(NEXT)
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    net.until(lambda: uploads(gateway) == 2, "both have counted")
    seen = counters(gateway)
    os.kill(gateway.status()["pid"], signal.SIGKILL)
    gateway.event("upgrade-undone")
    assert gateway.status()["version"] != "9.9.9"
    never_back(seen, counters(gateway))
    assert uploads(gateway) == 2


def sessions(gateway):
    done = gateway.ctl("sessions", "--json")
    assert done.returncode == 0, done.stderr
    return {int(one["session"]): one for one in json.loads(done.stdout)["sessions"]}


def test_sessions_of_replaced_attlsds(upgradable, backend):
    gateway = upgradable(backend)
    held, numbers = [], []
    for source in (None, NEXT, net.ATTLSD):
        if source:
            gateway.upgrade(source)
        since = gateway.mark()
        held.append(clients.explicit(gateway, "P"))
        numbers.append(int(gateway.event("session-start", since).keys["session"]))
    for stage in "trial", "afterwards":
        listed = sessions(gateway)
        assert sorted(listed) == numbers
        assert {one["user"] for one in listed.values()} == {"user"} and len({one["worker"] for one in listed.values()}) == 3
        status = gateway.status()
        assert status["sessions"] == sum(worker["sessions"] for worker in status["workers"]) == 1
        told = gateway.ctl("trace", "--last", "3", str(numbers[0])).stdout
        assert "protection set to private" in told, told
        if stage == "trial":
            assert not gateway.ctl("reload", "--no-upgrade").returncode
            gateway.event("handed-over", count=2)
    assert gateway.ctl("events", "--json").returncode == 0
    done = gateway.ctl("end", str(numbers[0]))
    assert done.returncode == 0 and "is ending" in done.stdout, done
    gateway.event("session-end", session=numbers[0], reason="operator")
    done = gateway.ctl("end", str(numbers[0]))
    assert done.returncode != 0 and "no session" in done.stderr
    done = gateway.ctl("end", "12")
    assert done.returncode != 0 and "no session" in done.stderr
    assert sorted(sessions(gateway)) == numbers[1:]
    assert held[1].get("hello.txt") == b"hello, world\r\n"


def test_a_trace_follows_a_session_of_a_replaced_attlsd(upgradable, backend):
    gateway = upgradable(backend)
    held = clients.explicit(gateway, "P")
    number = gateway.event("session-start").keys["session"]
    gateway.upgrade(NEXT)
    for which in ([number], []):
        trace = subprocess.Popen([net.ATTLSCTL, "trace", *which, "--socket", gateway.socket], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = bytearray()

        def shows():
            held.cmd("SYST")  # it begins some time after attlsctl, perhaps with the reply
            while select.select([trace.stdout], [], [], 0.05)[0]:
                piece = os.read(trace.stdout.fileno(), 65536)
                assert piece, bytes(said)
                said.extend(piece)
            return b"SYST" in said
        try:
            net.until(shows, "it shows SYST")
        finally:
            trace.kill()
            trace.communicate()
    gateway.event("operator", order="trace", count=2)
    assert len(gateway.seen("operator", order="trace")) == 2, "once for each"

"""A worker under an attacker's control answers `attlsctl trace` with lies: they may harm neither the terminal nor this host's memory."""
import itertools
import json
import os
import struct
import subprocess

import pytest

import net
from test_operator import ESCAPES, GATEWAY, REFUSED, STATUS, Impostor, Packets, ask, run

TRACE = 12
SESSION, FROM_CLIENT, FROM_SERVER, EVENT, DATA, LOST = 1, 2, 5, 6, 7, 8
TEXT_MAX = 480
HUGE = 2 ** 64 - 1
LAST = ["--last", "100"]


@pytest.fixture
def make(launch, backend, folder):
    path = os.path.join(folder, "real")
    launch(backend, daemon={"control_socket": path})
    return Packets(ask(path, STATUS)[0])


def record(make, pid, kind, text, size=None, session=7, ns=10 ** 18, lost=0, cut=0):
    return make.make(TRACE, struct.pack("=QQQiIII", session, ns, lost, pid, kind, len(text) if size is None else size, cut) + text)


def lies(make, pid):
    def say(kind, text, **change):
        return record(make, pid, kind, text, **change)
    yield from (say(kind, ESCAPES) for kind in range(10))
    yield from (say(kind, ESCAPES + b"\0") for kind in range(10))
    yield from (say(kind, b"\xff" * TEXT_MAX, cut=1) for kind in range(10))
    yield from (say(kind, bytes(range(256)), session=HUGE, ns=HUGE, lost=HUGE, cut=2 ** 32 - 1) for kind in range(10))
    yield from (say(kind, b"x", size=size) for kind in range(10) for size in (0, TEXT_MAX, TEXT_MAX + 1, 2 ** 31, 2 ** 32 - 1))
    yield from (say(kind, b"x") for kind in (10, 255, 2 ** 31, 2 ** 32 - 1))
    for name in b"refused-command", b"tls-failed", ESCAPES, b"":
        for fields in ([], [b"key"], [b"key", ESCAPES], [b"key", ESCAPES, b"line", ESCAPES], [ESCAPES, ESCAPES], [b"", b""],
                       [b"alert", ESCAPES, b"alert_from", ESCAPES], [b"alert", b"unknown_ca", b"alert_from", b""]):
            for kind in EVENT, SESSION:
                text = b"\0".join([name, *fields])
                yield from (say(kind, text), say(kind, text + b"\0"), say(kind, (text + b"\0").ljust(TEXT_MAX, b"\0")))
    yield from (say(DATA, text) for text in (b"", b"1", b"1 0", b"%d 1" % HUGE, b"%d %d" % (HUGE, HUGE), b"9" * TEXT_MAX, b"-1 -1"))
    yield record(make, 99999999, FROM_SERVER, b"another worker's")
    # what only the monitor says
    yield make.make(GATEWAY, b"x".ljust(32, b"\0") + b"/etc/lies.yaml")
    yield from (make.make(kind, ESCAPES) for kind in (0, *range(7, 20), 2 ** 32 - 1) if kind != TRACE)
    yield make.make(REFUSED, b"give it up")
    yield from (b"", b"x", make.sample[:100], make.sample + b"x")[1:]
    yield say(EVENT, b"refused-command\0key\0ftp\0line\0%d\0" % 7)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_344_lies_are_shown_without_their_escapes_or_not_at_all(make, folder, form):
    place, pids = os.path.join(folder, "false"), []
    impostor = Impostor(place, lambda pid: pids.append(pid) or make.monitor(pid), lambda pid: lies(make, pid))
    with open(os.path.join(folder, "shown"), "w+b") as shown:
        done = run("trace", "--socket", place, *form, stdout=shown)
        impostor.close()
        shown.seek(0)
        text = shown.read()
    assert not [byte for byte in text + done.stderr.encode() if (byte < 0x20 and byte != 0x0a) or byte >= 0x7f]
    assert done.returncode == 1 and "attlsd has ended" in done.stderr and "give it up" not in done.stderr, done
    lines = text.decode().splitlines()
    assert len(lines) > 100 and b"lies.yaml" not in text
    if form:
        told = [json.loads(line) for line in lines]
        assert {one["worker"] for one in told} == set(pids), "a worker spoke in the name of another"
        assert told[-1]["fields"] == {"key": "ftp", "line": "7"}
    else:
        assert lines[-1].endswith(" -- refused by ftp (policy.yaml:7)")


@pytest.mark.parametrize("argv", [LAST, [*LAST, "--json"]], ids=["text", "json"])
def test_345_what_is_kept_has_bounds(make, folder, argv):
    floods = {"lines": (FROM_CLIENT, b"x"), "losses": (LOST, b""), "nothing": (99, b"")}
    for name, (kind, text) in floods.items():
        place, pids = os.path.join(folder, name), []
        impostor = Impostor(place, lambda pid: pids.append(pid) or make.monitor(pid),
                            lambda pid: itertools.repeat(record(make, pid, kind, text), 40000))
        with open(os.path.join(folder, "shown"), "w+b") as shown:
            done = run("trace", "--socket", place, *argv, stdout=shown)
            impostor.close()
            shown.seek(0)
            lines = len(shown.read().splitlines())
            assert lines < 11000, name
        assert done.returncode == 1, (name, done)


def test_346_an_endless_trace_takes_no_memory(make, folder):
    place = os.path.join(folder, "endless")
    impostor = Impostor(place, make.monitor, lambda pid: itertools.repeat(record(make, pid, FROM_CLIENT, b"\x1b" * TEXT_MAX)))

    def peak(pid):
        with open(f"/proc/{pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
    with open(os.path.join(folder, "shown"), "wb") as shown:
        process = subprocess.Popen([net.ATTLSCTL, "trace", "--socket", place], stdout=shown, preexec_fn=net.die_with_parent)
        net.until(lambda: os.path.getsize(shown.name) > 1 << 20, "it shows lines")
        before = peak(process.pid)
        net.until(lambda: os.path.getsize(shown.name) > 20 << 20, "it shows many lines")
        assert peak(process.pid) < before + 1000
        process.kill()
        process.wait()
    impostor.close()

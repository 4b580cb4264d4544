"""attlsctl audit verify on trails whose end is missing: of a process, or of a whole start."""
import itertools
import json
import os
import signal

import pytest

import audit
import net


class Trail:
    """Lines of starts of attlsd, with a monitor and a worker each."""

    def __init__(self, folder):
        self.path, self.lines, self.seqs, self.clock = os.path.join(folder, "trail"), [], {}, itertools.count()

    def add(self, boot, pid, event, **fields):
        seq = self.seqs[boot, pid] = self.seqs.get((boot, pid), 0) + 1
        node = {"node": fields.pop("node")} if "node" in fields else {}
        self.lines.append(json.dumps({"schema": 1, "boot": boot * 32, **node, "pid": pid, "seq": seq,
                                      "time": f"2026-11-30T10:00:{next(self.clock):02}.000000Z", "event": event, **fields}))

    def start(self, boot, **fields):
        self.add(boot, 10, "process-start", role="monitor", **fields)
        self.add(boot, 11, "process-start", role="worker", **fields)

    def stop_worker(self, boot):
        self.add(boot, 11, "process-stop", status=0)
        self.add(boot, 10, "worker-ended", worker=11, sessions=0, expected=True)

    def stop(self, boot):
        self.stop_worker(boot)
        self.add(boot, 10, "process-stop", status=0)

    def verdict(self, lines=None):
        with open(self.path, "w", encoding="ascii") as file:
            file.writelines(line.replace('": ', '":').replace(', "', ',"') + "\n" for line in lines or self.lines)
        status, told = audit.verify(self.path)
        return status, {kind: n for kind, n in told["counts"].items() if n}


@pytest.fixture
def trail(folder):
    return Trail(folder)


def test_a_start_that_ended_before_its_end(trail):
    trail.start("a")
    assert trail.verdict() == (0, {})  # it runs
    trail.start("b")
    assert trail.verdict() == (3, {"no_end": 2})
    trail.stop("b")
    assert trail.verdict() == (3, {"no_end": 2})


def test_the_end_of_a_start_that_somebody_removed(trail):
    trail.start("a")
    trail.stop("a")
    trail.start("b")
    assert trail.verdict() == (0, {})
    assert trail.verdict(trail.lines[:4] + trail.lines[5:]) == (3, {"no_end": 1})
    assert trail.verdict(trail.lines[:2] + trail.lines[5:]) == (3, {"no_end": 2})


def test_an_upgrade_while_the_old_one_finishes(trail):
    trail.start("a")
    trail.start("b")
    trail.add("a", 10, "draining", sessions=1)
    assert trail.verdict() == (3, {"no_end": 2})
    trail.stop("a")
    assert trail.verdict() == (0, {})  # though the last event is that of the old one
    trail.add("b", 10, "order", order="reload")
    assert trail.verdict() == (0, {})


def test_an_upgrade_that_failed(trail):
    trail.start("a")
    trail.start("b")
    trail.stop("b")
    trail.add("a", 10, "order", order="reload")
    assert trail.verdict() == (0, {})
    trail.start("c")
    assert trail.verdict() == (3, {"no_end": 2})


def test_gateways_with_names(trail):
    for round_ in range(2):
        for boot, node in ("a", "east"), ("b", "west"):
            if round_:
                trail.add(boot, 10, "draining", sessions=0, node=node)
            else:
                trail.start(boot, node=node)
    assert trail.verdict() == (0, {})
    trail.start("c", node="west")
    assert trail.verdict() == (3, {"no_end": 2})


def test_all_at_once(launch, backend, folder):
    path = os.path.join(folder, "audit.log")
    gateway = launch(backend, daemon={"audit": path})
    pids = {gateway.pid, *gateway.workers()}
    net.until(lambda: pids == {event["pid"] for event in audit.named(audit.read(path), "process-start")}, "all begin")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)  # the monitor cannot tell of a worker that has died
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    gateway.process.wait()
    gateway.reader.join(net.DEADLINE)
    gateway.process.stderr.close()
    before = audit.verify(path)[0]
    other = launch(backend, daemon={"audit": path})
    net.until(lambda: len(audit.named(audit.read(path), "policy-loaded")) == 2, "the second start")
    other.stop()
    status, told = audit.verify(path)
    assert (before, status) == (0, 3) and told["counts"]["no_end"] == len(pids), told

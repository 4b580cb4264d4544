"""What a worker under an attacker's control may do: with the kernel, and with the monitor."""
import os
import re
import signal
import subprocess

import pytest

import client as clients
import net
import test_metrics
import test_trace

BUILD = os.environ.get("ATTLSD_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
# With a worker's calls, and those that a policy with ktls adds.
KTLS_ADDS = {"sendmsg on a session", "setsockopt TCP_ULP"}
# They fail as they would in an empty root, since libraries look for files.
NO_FILE = {"open", "stat"}
# Kernels that are started with ia32_emulation=off have no such calls: they answer with SIGSEGV.
NO_SUCH_CALLS = {"getpid of i386": ("ended with 11",)}


def attacks(*argv):
    printed = subprocess.run([os.path.join(BUILD, "tests/attacks/worker_attacks"), *argv], check=True, capture_output=True, text=True).stdout
    found = dict(line.rsplit(": ", 1) for line in printed.splitlines())
    assert len(found) > 100, printed
    return found


def of_workers(found):
    return {name: result for name, result in found.items() if not name.startswith("http: ")}


@pytest.mark.skipif("asan" in BUILD, reason="no filter in builds with sanitizers")
def test_100_the_filter_kills_a_worker_that_tries_what_no_worker_does():
    outcome = of_workers(attacks())
    for name, result in outcome.items():
        wanted = "done" if name.startswith("worker: ") else "ENOENT" if name in NO_FILE else "killed"
        assert result in (wanted, *NO_SUCH_CALLS.get(name, ())), (name, result)
    for flag, adds in (("ktls", KTLS_ADDS), ("dials", {"connect"})):
        assert {name for name, result in of_workers(attacks(flag)).items() if result != outcome[name]} == adds, flag


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


@pytest.mark.skipif("asan" in BUILD, reason="no filter in builds with sanitizers")
def test_101_privileges_are_gone_outside_of_the_unit_as_well(launch, backend):
    gateway = launch(backend)
    monitor, worker = status(gateway.pid), status(gateway.workers()[0])
    assert monitor["NoNewPrivs"] == worker["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert monitor["CapBnd"] == monitor["CapPrm"] != "0000000000000000"
        assert worker["CapPrm"] == worker["CapEff"] == "0000000000000000" and worker["Uid"].split() != ["0"] * 4
    assert worker["Seccomp"] == "2"
    with open(f"/proc/{gateway.workers()[0]}/limits", encoding="ascii") as f:
        assert re.search(r"^Max core file size +0 +0 ", f.read(), re.M)


@pytest.mark.skipif("asan" in BUILD or os.geteuid() != 0, reason="needs root, to become another user; no filter in builds with sanitizers")
def test_102_no_process_of_the_same_user_reads_the_memory_of_a_worker(launch, backend):
    gateway = launch(backend, preexec=net.as_nobody)  # as root, the change of user would hide it as well
    pid = gateway.workers()[0]
    user, group = (int(status(pid)[key].split()[0]) for key in ("Uid", "Gid"))
    # environ and mem have the same check, but Yama may close mem to all
    reader = subprocess.run(["/usr/bin/python3", "-c", f"open('/proc/{pid}/environ', 'rb').read()"], user=user, group=group,
                            extra_groups=[], capture_output=True, text=True, check=False)
    assert "PermissionError" in reader.stderr


@pytest.fixture(name="taken")
def taken_fixture(launch, backend, monkeypatch, folder):
    """Starts attlsd with two workers, of which an attacker controls the first, which gets the first session."""
    def start(how):
        monkeypatch.setenv("ATTLSD_TAKEN", how)
        monkeypatch.setenv("ATTLSD_TAKEN_ONCE", os.path.join(folder, "taken"))
        monkeypatch.setattr(net, "ATTLSD", os.path.join(BUILD, "tests/attacks/attlsd_taken"))
        return launch(backend, daemon={"workers": 2, "control_socket": os.path.join(folder, "control.sock")}, ftp={"passivedataports": "50000-50100"})
    return start


@pytest.mark.parametrize("how,reason", [
    ("piece", "piece-of-a-message"), ("order", "unknown-message"), ("field", "unexpected-field"),
    ("other-session", "not-its-session"), ("announce-low", "port-not-in-passivedataports"),
    ("announce-out-of-range", "port-not-in-passivedataports"), ("announce-before-login", "before-login")])
def test_103_a_worker_that_lies_is_killed_and_the_log_says_what_it_said(taken, how, reason):
    gateway = taken(how)
    with net.dial(gateway.explicit):
        event = gateway.event("worker-killed")
    assert event.keys["reason"] == reason
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)


def test_104_a_flood_of_requests_does_not_keep_others_out(taken):
    gateway = taken("flood")
    flooding = min(gateway.workers())
    with net.dial(gateway.explicit):
        for _ in range(20):
            with clients.explicit(gateway) as c:
                c.expect("NOOP", 200)
        os.kill(flooding, signal.SIGKILL)


def test_105_garbage_in_the_counters_of_a_worker_is_told_and_harms_no_other_counter(taken):
    gateway = taken("garbage")

    def counted():
        seen = test_metrics.samples(gateway)
        return {name: seen.sum(name) for name in (
            "sessions_started_total", "sessions_ended_total", "logins_accepted_total", "handshakes_total", "transfers_total",
            "transfer_bytes_total", "session_duration_seconds_count", "logins_refused_total", "worker_deaths_total")}
    with net.dial(gateway.explicit):  # the worker that an attacker controls has this one
        for _ in range(3):
            with clients.explicit(gateway, "P") as c:
                c.get("hello.txt")
        gateway.event("session-end", count=3)
        size = sum(int(event.keys["bytes"]) for event in gateway.seen("transfer"))
        honest = {"sessions_started_total": 3, "sessions_ended_total": 3, "logins_accepted_total": 3, "handshakes_total": 6,
                  "transfers_total": 3, "transfer_bytes_total": size, "session_duration_seconds_count": 3,
                  "logins_refused_total": 0, "worker_deaths_total": 0}
        assert counted() == honest
        lie = gateway.event("counts-impossible").keys
        assert int(lie["pid"]) == min(gateway.workers()) and lie["family"]
        assert counted() == honest
    os.kill(min(gateway.workers()), signal.SIGKILL)
    gateway.event("worker-died")
    assert counted() == {**honest, "worker_deaths_total": 1}
    assert len(gateway.seen("counts-impossible")) == 1


def test_106_a_worker_does_not_end_the_trace_of_another_one_s_session(taken, folder):
    gateway = taken("ends-traces")
    with net.dial(gateway.explicit), clients.explicit(gateway) as c:
        gateway.event("session-start")
        number = gateway.event("login").keys["session"]
        trace = test_trace.Trace(os.path.join(folder, "control.sock"), number)

        def shown():  # Gateway.trace_begins() would ask the taken worker, too
            c.expect("NOOP", 200)
            return ("from-client", "NOOP") in trace.lines()
        net.until(shown, "NOOP in the trace")
        c.expect("HELP", 200, 211, 214, 500, 502)
        trace.saw("from-client", "HELP")
        c.expect("QUIT", 221)
        trace.event("session-end")
        assert trace.process.wait(net.DEADLINE) == 0
        trace.close()


def test_107_the_trace_of_a_session_ends_with_its_worker(launch, backend, folder):
    ctl = os.path.join(folder, "control.sock")
    gateway = launch(backend, daemon={"control_socket": ctl})
    with clients.explicit(gateway) as c:
        trace = test_trace.Trace(ctl, gateway.event("login").keys["session"])
        gateway.trace_begins(ctl)
        c.expect("NOOP", 200)
        trace.saw("from-client", "NOOP")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        trace.event("worker-ended")
        assert trace.process.wait(net.DEADLINE) == 0
        trace.close()

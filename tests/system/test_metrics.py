"""attlsctl metrics: what attlsd has counted, as Prometheus reads it, and whether it is what the log says."""
import os
import re
import shutil
import signal
import subprocess

import pytest

import gateway as gateways
import net
from client import Client

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
except ImportError:
    parse_openmetrics = None

SAMPLE = re.compile(r"^(attlsd_[a-z0-9_]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z0-9_]+)="((?:[^"\\]|\\.)*)"')


@pytest.fixture
def counted(launch, backend, folder):
    """A gateway with two workers and a control_socket."""
    return launch(backend, ftp={"secure_dataconn": "clear", "secure_ftp": "allowed", "secure_ctrlconn": "clear"},
                  daemon={"workers": 2, "control_socket": os.path.join(folder, "control.sock"), "log": {"level": "debug"}})


def text(gateway, *argv):
    done = subprocess.run([net.ATTLSCTL, "metrics", "-f", gateway.path, *argv], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 0 and not gateways.FAULT.search(done.stderr), done.stderr
    return done.stdout


class Samples(dict):
    """{(name, ((label, value), ...)): number}"""

    def __init__(self, printed):
        super().__init__()
        for line in printed.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                key = name, tuple(sorted(LABEL.findall(labels or "")))
                assert key not in self, f"twice: {line}"
                self[key] = float(value)

    def sum(self, name, **labels):
        return sum(value for (n, given), value in self.items()
                   if n == "attlsd_" + name and all(dict(given).get(k) == str(v) for k, v in labels.items()))


    def workers(self):
        """What they do, if they do the same, and are two."""
        return {dict(labels)["state"] for (name, labels), value in self.items() if name == "attlsd_workers" and value == 2}


def samples(gateway):
    return Samples(text(gateway))


def test_openmetrics_is_strict(counted):
    """The parser of Prometheus' own Python library accepts it, with units, totals and times of creation."""
    if parse_openmetrics is None:
        pytest.skip("python3-prometheus-client is not installed")
    with Client(counted.explicit) as client:
        client.auth()
        client.login()
        printed, plain = text(counted, "--openmetrics"), samples(counted)
    assert printed.endswith("\n# EOF\n")
    families = {family.name: family for family in parse_openmetrics(printed)}
    counter = families["attlsd_sessions_started"]
    assert counter.type == "counter"
    assert {sample.name for sample in counter.samples} == {"attlsd_sessions_started_total", "attlsd_sessions_started_created"}
    assert families["attlsd_transfer_bytes"].unit == "bytes"
    assert families["attlsd_loop_lag_seconds"].type == "histogram"
    assert families["attlsd_build"].type == "info"
    named = {(sample.name, tuple(sorted(sample.labels.items()))) for family in families.values() for sample in family.samples}
    assert {key for key in named if not key[0].endswith("_created")} == set(plain), "both formats have the same samples"


def test_promtool_accepts_it(counted):
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian: prometheus) is not installed")
    done = subprocess.run(["promtool", "check", "metrics"], input=text(counted), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def expect_as_logged(gateway, **families):
    """Each family, or a part of it, is what the log has of an event: {family: (events, labels)}."""
    seen = samples(gateway)
    for family, (event, labels, keys) in families.items():
        logged = len(gateway.seen(event, **keys))
        assert seen.sum(family, **labels) == logged > 0, f"{family} {labels}: {seen.sum(family, **labels)}, log: {event} {keys} {logged}"


def test_counters_equal_the_log(counted):
    """Known sessions: in both directions, under TLS and in the clear, and what was refused."""
    for level in (None, "C", "P"):
        with Client(counted.explicit) as client:
            if level:
                client.auth()
            client.login()
            if level:
                client.prot(level)
            client.get("hello.txt", "PASV")
            client.put("new.txt", b"x" * 70000, "EPSV")
            client.expect("CPSV", 502)
            client.expect("QUIT", 221)
            client.ended()
    with Client(counted.implicit, implicit=True) as client:
        client.login()
        client.expect("CCC", 200, 533, 534)
    with Client(counted.explicit) as client:
        client.expect("USER nobody", 331)
        client.expect("PASS right", 230)
    counted.event("session-end", count=5)
    expect_as_logged(
        counted,
        sessions_started_total=("session-start", {}, {}),
        sessions_ended_total=("session-end", {}, {}),
        logins_accepted_total=("login", {}, {}),
        handshakes_total=("tls", {"leg": "client", "connection": "control"}, {}),
        transfers_total=("transfer", {}, {}),
        commands_refused_total=("refused-command", {}, {}))
    seen = samples(counted)
    for way in "upload", "download":
        for prot in "C", "P":
            logged = counted.seen("transfer", direction=way, prot=prot)
            assert seen.sum("transfers_total", direction=way, client_prot=prot, result="ok") == len(logged) > 0
            assert seen.sum("transfer_bytes_total", direction=way, client_prot=prot) == sum(int(e.keys["bytes"]) for e in logged)
    for event in counted.seen("session-end"):
        assert seen.sum("sessions_ended_total", reason=event.keys["reason"]) == len(counted.seen("session-end", reason=event.keys["reason"]))
    for event in counted.seen("tls"):
        keys = {key: event.keys[key] for key in ("version", "cipher", "resumed")}
        assert seen.sum("handshakes_total", connection="control", **keys) == len(counted.seen("tls", **keys))
    assert seen.sum("handshakes_total", connection="data") == len(counted.seen("data-tls")) > 0
    for event in counted.seen("refused-command"):
        keys = {"key": event.keys.get("key", "none"), "verb": event.keys["command"] or "other"}
        assert seen.sum("commands_refused_total", **keys) > 0
    assert seen.sum("sessions") == seen.sum("listener_sessions") == seen.sum("rule_sessions") == 0
    assert seen.sum("sessions_ended_total", reason="other") == seen.sum("transfers_total", result="other") == 0
    assert seen.sum("backend_connects_total", backend="legacy", result="connected") == 5
    assert seen.sum("backend_greeting_seconds_count", backend="legacy") == 5


def test_states_of_sessions(counted):
    with Client(counted.explicit) as client:
        assert samples(counted).sum("sessions", state="login") == 1
        client.login()
        seen = samples(counted)
        assert (seen.sum("sessions", state="idle"), seen.sum("sessions")) == (1, 1)
        assert seen.sum("listener_sessions", listener="explicit") == seen.sum("rule_sessions", rule="everyone") == 1
        assert (seen.sum("state", state="serving"), seen.sum("state")) == (1, 1)
        assert seen.sum("workers", state="serves") == 2


def grown(before, after):
    """No counter has gone back, or gone."""
    for (name, labels), value in before.items():
        if name.endswith(("_total", "_bucket", "_count", "_sum")):
            assert after.get((name, labels), -1) >= value, f"{name} {labels}: {value}, then {after.get((name, labels))}"
    return after


def test_counters_never_go_back(counted):
    """Reloads end workers in order, and SIGKILL does not."""
    seen = samples(counted)
    for number in range(20):
        with Client(counted.explicit) as client:
            client.login()
        counted.reload()
        seen = grown(seen, samples(counted))
    assert seen.sum("reloads_total", result="ok") == 20 and seen.sum("generation") == 21
    assert seen.sum("sessions_started_total") == 20
    for number in range(4):
        net.until(lambda: len(samples(counted).workers()) == 1 and len(counted.workers()) == 2, "two workers serve")
        with Client(counted.explicit) as client:
            client.login()
            victims = counted.workers()
            os.kill(victims[number % len(victims)], signal.SIGKILL)
            counted.event("worker-died", count=number + 1)
            seen = grown(seen, samples(counted))
    assert seen.sum("worker_deaths_total", cause="signal") == 4
    assert seen.sum("sessions_started_total") == 24
    grown(seen, samples(counted))


def test_bounded(counted):
    """Whatever clients send, the number of lines does not grow with it."""
    before = len(samples(counted))
    for number in range(30):
        with Client(counted.explicit) as client:
            client.cmd(f"XY{number} {number}")
            client.cmd(f"USER user{number}")
    assert len(samples(counted)) - before < 20


FAMILY = re.compile(r"^\| `(attlsd_\w+)` \| (\w+) \| ([^|]*) \| (.*) \|$", re.M)


def families_of_code():
    """{name: (type, labels, help)}, from counters.def as attlsctl prints it in OpenMetrics."""
    with open(os.path.join(net.ROOT, "gateway", "base", "counters.def")) as file:
        source = file.read()
    labels = {name: text for name, text in re.findall(r'^(?:LABEL|WORDS|TABLE)\((\w+), "(\w+)"', source, re.M)}
    labels.update({name: f"{first}, {second}" if second else first for name, first, second in re.findall(r'^NAMES\((\w+), "(\w+)", "(\w*)"', source, re.M)})
    found = {}
    for kind, arguments, about in re.findall(r'^(FAMILY|HISTOGRAM|SPARSE)\((.*), "([^"]*)"\)$', source, re.M):
        words = [word.strip().strip('"') for word in arguments.split(",")]
        if kind == "FAMILY":
            (type_, name, unit), of = words[1:4], words[4:]
        elif kind == "HISTOGRAM":
            type_, (name, unit), of = "HISTOGRAM", words[1:3], words[4:]
        else:
            type_, name, unit, of = "COUNTER", words[1], "", words[2:]
        shown = {"COUNTER": "counter", "HISTOGRAM": "histogram"}.get(type_, "gauge")
        of = {"build": ["version"], "": ["node", "policy_sha256"]}[name] if type_ == "INFO" else [labels[label] for label in of if label != "NONE"]
        name = "attlsd" + ("_" + name if name else "") + ("_" + unit if unit else "") + {"COUNTER": "_total", "INFO": "_info"}.get(type_, "")
        found[name] = shown, ", ".join(of), about
    return found


def test_page_has_all_families():
    with open(os.path.join(net.ROOT, "docs", "METRICS.md")) as file:
        page = {name: (kind, labels, about) for name, kind, labels, about in FAMILY.findall(file.read())}
    assert page == families_of_code(), "docs/METRICS.md: one row for each family of counters.def"


def test_families_as_printed(counted):
    """The page is about what attlsctl prints."""
    printed = text(counted)
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", printed, re.M))
    about = dict(re.findall(r"^# HELP (\S+) (.*)$", printed, re.M))
    assert {name: (kind, about[name]) for name, kind in kinds.items()} == {name: (kind, text) for name, (kind, _, text) in families_of_code().items()}

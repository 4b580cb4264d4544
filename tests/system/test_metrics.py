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
    return launch(backend, ftp={"secure_dataconn": "clear", "secure_ftp": "allowed"},
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

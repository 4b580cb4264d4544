"""attlsctl trace of sessions toward servers that speak TLS: both legs' handshakes, and why a server is refused."""
import os
import re
import ssl

import pytest

import client as clients
import net
import outbound
from test_outbound_refused import bad, partner_ca  # noqa: F401
from test_trace import Trace, in_order


@pytest.fixture
def traced(launch, certificates, partner_ca, folder):  # noqa: F811
    """traced(server, ...): a gateway toward this server, and its trace as text or JSON."""
    traces = []

    def start(server, form="", **change):
        ctl = os.path.join(folder, "ctl")
        gateway = launch(tree=outbound.policy(certificates, server.address, trust=partner_ca["ca"], daemon={"control_socket": ctl}, **change))
        traces.append(Trace(ctl, form=form))
        gateway.trace_begins(ctl)
        return gateway, traces[-1]
    yield start
    for trace in traces:
        trace.close()


def until_end(trace):
    net.until(lambda: any("session-end" in str(record) for record in trace.records), "the end in the trace")


def test_both_legs(traced, bad):  # noqa: F811
    gateway, trace = traced(bad(files={"file": b"x" * 1000}), form="--json")
    with clients.Client(gateway.address["explicit"]) as c:
        c.auth().login()
        c.prot("P")
        assert c.get("file") == b"x" * 1000
        c.expect("QUIT", 221)
    until_end(trace)
    in_order(trace.lines(), [
        ("from-server", "220 partner"), ("to-server", "AUTH TLS"), ("from-server", "234 go on"), ("event", "server-tls"),
        ("to-client", "220 FTP server ready."), ("from-client", "AUTH TLS"), ("event", "tls"),
        ("from-client", "USER user"), ("to-server", "USER user"), ("to-server", "PASS ****"), ("from-client", "PROT P"),
        ("to-server", "PROT P"), ("from-client", "RETR file"), ("event", "transfer"), ("event", "session-end")])
    client, server = trace.event("tls"), trace.event("server-tls")
    assert client["version"] == server["version"] == "TLSv1.3" and server["hostname"] == "localhost" and server["level"] == "P"
    names = [name for kind, name in trace.lines() if kind == "event"]
    assert "data-tls" in names and "data-server-tls" in names
    assert not any("secret" in str(record) for record in trace.records)


# certificate, how the server behaves, who sends which alert, and what it means
REFUSED = {
    "unknown CA": ("unknown", {}, "gateway", "unknown_ca"),
    "expired": ("expired", {}, "gateway", "certificate_expired"),
    "another name": ("other name", {}, "gateway", "bad_certificate"),
    "TLS 1.1 only": ("right", {"versions": ssl.TLSVersion.TLSv1_1}, "server", "protocol_version"),
}


def same(line):
    """The line without what differs each time."""
    line = re.sub(r"\d\d:\d\d:\d\d\.\d{3} #\d{5} ", "", line)
    return re.sub(r"(?<=session )\d+|\d+\.\d+\.\d+\.\d+:\d+|(?<=sha256=)[0-9a-f]{64}|(?<=ms=)\d+", "N", line)


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_explained(traced, bad, name):  # noqa: F811
    certificate, how, sender, alert = REFUSED[name]
    gateway, trace = traced(bad(certificate, **how))
    with clients.Client(gateway.address["clear"], greet=False) as c:
        c.assert_ends(421)
    until_end(trace)
    (failed,) = [line for line in trace.records if "-- server-tls-failed" in line]
    assert f"; the {sender} sent the alert {alert}: " in failed
    if name == "unknown CA":
        with open(os.path.join(net.ROOT, "docs", "OPERATING.md"), encoding="utf-8") as f:
            shown = [line.strip() for line in f if re.match(r"    \d\d:\d\d:\d\d\.\d{3} #", line)]
        assert list(map(same, trace.records)) == list(map(same, shown)), "OPERATING.md shows another trace"

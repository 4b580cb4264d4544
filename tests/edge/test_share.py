"""
Shared passive ports behind a firewall that drops everything but three or four ports: 21, 990 and the shared ones. Many
client addresses wait at one port at the same time.
"""
import contextlib
import os
import tempfile

import pytest

import backend as backends
import client as clients
import gateway as gateways
import net
import netns

ADDRESSES = 1000 if os.environ.get("ATTLSD_TEST_SHARE") == "all" else 60
SERVER, NEAR, SERVER6, NEAR6 = "10.9.0.1", "10.9.0.2", "fd09::1", "fd09::2"
RULES = """table inet f {{ chain input {{ type filter hook input priority filter; policy drop;
iifname lo accept
ct state established accept
meta l4proto ipv6-icmp accept
tcp dport {{ {ports} }} accept
counter name dropped
}}
counter dropped {{ }}
}}
"""
CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}

why_not = netns.missing("nftables")


@pytest.fixture(params=[1, 2], ids=["three ports", "four ports"])
def gateway(request, certificates):
    """A gateway in a namespace of its own, and the namespace of its clients, which has every address of 10.7.0.0/16."""
    if why_not:
        pytest.skip(why_not)
    with contextlib.ExitStack() as stack:
        inside, outside = netns.Namespace("gateway"), netns.Namespace("client")
        stack.callback(inside.close)
        stack.callback(outside.close)
        netns.join(inside, outside, [SERVER + "/24", SERVER6 + "/64"], [NEAR + "/24", NEAR6 + "/64"])
        outside.ip("route", "add", "local", "10.7.0.0/16", "dev", "lo")
        inside.ip("route", "add", "10.7.0.0/16", "via", NEAR)
        ports = ["61000", "61001"][:request.param]
        inside.nft(RULES.format(ports=", ".join(["21", "990", *ports])))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="attlsd-share-"))
        os.chmod(folder, 0o755)
        with inside:
            backend = backends.Backend(files={"f%d" % i: b"%d\n" % i * 100 for i in range(1, ADDRESSES + 1)})
            stack.callback(backend.close)
            tree = gateways.policy(
                certificates, backend.address, daemon={"workers": 2},
                ftp={**CLEAR, "passivedatashare": "source", "passivedataports": f"61000-{ports[-1]}"},
                listeners={"explicit": {"address": "0.0.0.0:21"}, "explicit6": {"address": "[::]:21"},
                           "implicit": {"address": "0.0.0.0:990", "tls": "implicit"}})
            running = gateways.Gateway(folder, tree).ready()
        stack.callback(running.stop)
        with outside:
            yield running, inside, backend


def test_all_addresses_at_one_port(gateway):
    running, inside, backend = gateway
    sources = ["10.7.%d.%d" % (i // 250, 1 + i % 250) for i in range(ADDRESSES)]
    with contextlib.ExitStack() as stack:
        all_ = [stack.enter_context(clients.Client((SERVER, 21), source=(source, 0))).login() for source in sources]
        told = [c.epsv() for c in all_]
        assert {port for _, port in told} <= {61000, 61001}
        data = []
        for i in reversed(range(ADDRESSES)):  # not in the order of the plans
            data.append((i, net.dial(told[i], (sources[i], 0))))
        for i, sock in data:
            all_[i].expect("RETR f%d" % (i + 1), 150)
        for i, sock in data:
            assert net.end_of(sock) == ("fin", backend.files["f%d" % (i + 1)])
            assert all_[i].reply().code == 226
    assert not running.seen("data-peer-refused") and not running.seen("no-data-port")
    assert inside.counter("dropped") == 0


@pytest.mark.parametrize("host", [SERVER, SERVER6])
def test_tls_and_both_families(gateway, host):
    running, _, backend = gateway
    with clients.Client((host, 21)) as c:
        c.auth().login().prot("P")
        for _ in range(3):
            assert c.get("f1", "EPSV") == backend.files["f1"]

"""
attlsctl doctor and real firewalls: what it says of the ports is compared with what a client finds, and its fixes are run.

rulesets/ has rules as firewalld made them; those of ufw and iptables-nft are made here.
"""
import contextlib
import errno
import os
import select
import shutil
import socket
import tempfile

import pytest

import gateway as gateways
import netns
import topology
from test_doctor import closing, doctor, fix, greet, of  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = [61000, 61050, 61100]
WAIT = 0.2  # a packet that is dropped leaves no other trace


def recorded(name):
    with open(os.path.join(HERE, "rulesets", name)) as f:
        return f.read()


def chain(*rules, hook="input", policy="accept", more=""):
    return "table inet t {\n%s\nchain c {\ntype filter hook %s priority filter; policy %s;\n%s\n}\n}\n" % (more, hook, policy, "\n".join(rules))


KNOWN = ("ct state established accept", "meta l4proto ipv6-icmp accept")
PORTS = "21, 990, 61000-61100"
OK, PROBLEM, CANNOT_TELL = "ok", "problem", "cannot tell"

# the rules, and what doctor shall say; for ok and problem, a client is asked as well
ROWS = {
    "no rules": ("", OK),
    "a policy": (chain(*KNOWN, policy="drop"), PROBLEM),
    "a last rule that rejects": (chain(*KNOWN, "tcp dport 22 accept", "reject with icmpx admin-prohibited"), PROBLEM),
    "a last rule that drops": (chain(*KNOWN, "tcp dport 22 accept", "drop"), PROBLEM),
    "open before the last rule": (chain(*KNOWN, "tcp dport { %s } accept" % PORTS, "reject"), OK),
    "stopped before it is let in": (chain(*KNOWN, "tcp dport 21 drop", "tcp dport { %s } accept" % PORTS, policy="drop"), PROBLEM),
    "both ends of the range, but not its middle": (chain(*KNOWN, "tcp dport { 21, 990, 61000, 61100 } accept", policy="drop"), PROBLEM),
    "the range in two parts": (chain(*KNOWN, "tcp dport { 21, 990, 61000-61049 } accept", "tcp dport 61050-61100 accept", policy="drop"), OK),
    "all but others": (chain(*KNOWN, "tcp dport != { %s } drop" % PORTS), OK),
    "comparisons": (chain(*KNOWN, "tcp dport < 21 drop", "tcp dport >= 61101 drop"), OK),
    "a named set": (chain(*KNOWN, "tcp dport @p accept", policy="drop", more="set p { type inet_service; flags interval; elements = { %s } }" % PORTS), OK),
    "an empty set": (chain(*KNOWN, "tcp dport @p accept", policy="drop", more="set p { type inet_service; flags interval; }"), PROBLEM),
    "a map of verdicts": (chain(*KNOWN, "tcp dport vmap { 21 : jump ftp, 990 : accept, 61000-61100 : goto ftp }", policy="drop",
                                more="chain ftp { tcp flags syn accept; }"), OK),
    "a map that stops": (chain(*KNOWN, "tcp dport vmap { 21 : drop, 22 : accept }"), PROBLEM),
    "a jump that returns": (chain(*KNOWN, "jump ftp", policy="drop", more="chain ftp { tcp dport 22 accept; return; tcp dport { %s } accept; }" % PORTS), PROBLEM),
    "a goto that ends": (chain(*KNOWN, "goto ftp", "tcp dport { %s } accept" % PORTS, policy="drop", more="chain ftp { tcp dport 22 accept; }"), PROBLEM),
    "a second table": (chain(*KNOWN, "tcp dport { %s } accept" % PORTS, policy="drop") + chain(*KNOWN, policy="drop").replace("inet t", "inet u"), PROBLEM),
    "a second table of another family": (chain(*KNOWN, policy="drop").replace("inet t", "ip6 u").replace("meta l4proto", "ip6 nexthdr"), OK),
    "before routing": (chain("tcp dport { 21 } drop", hook="prerouting"), PROBLEM),
    "at the device": ('table netdev t {\nchain c {\ntype filter hook ingress device "client" priority 0;\ntcp dport 21 drop\n}\n}\n', PROBLEM),
    "at another device": ('table netdev t {\nchain c {\ntype filter hook ingress device "far" priority 0;\ntcp dport 21 drop\n}\n}\n', OK),
    "this interface": (chain(*KNOWN, 'iifname "client" tcp dport { %s } accept' % PORTS, policy="drop"), OK),
    "another interface": (chain(*KNOWN, 'iifname "far" accept', policy="drop"), PROBLEM),
    "interfaces by pattern": (chain(*KNOWN, 'iifname "cli*" accept', policy="drop"), OK),
    "another address of this host": (chain(*KNOWN, "ip daddr 192.0.2.1 tcp dport { %s } accept" % PORTS, policy="drop"), PROBLEM),
    "this network": (chain(*KNOWN, "ip daddr 198.51.100.0/25 tcp dport { %s } accept" % PORTS, policy="drop"), OK),
    "some clients, for these ports": (chain(*KNOWN, "ip saddr 198.51.100.0/24 tcp dport { %s } accept" % PORTS, policy="drop"), OK),
    "not some clients": (chain(*KNOWN, "ip saddr 203.0.113.0/24 drop"), OK),
    "some clients, for anything": (chain(*KNOWN, "ip saddr 198.51.100.7 accept", policy="drop"), CANNOT_TELL),
    "a combination": (chain(*KNOWN, "ip saddr . tcp dport { 198.51.100.7 . 21, 198.51.100.7 . 990, 198.51.100.7 . 61000-61100 } accept", policy="drop"), OK),
    "udp only": (chain(*KNOWN, "udp dport { %s } accept" % PORTS, policy="drop"), PROBLEM),
    "a limit": (chain(*KNOWN, "tcp dport { %s } ct state new limit rate 100/second accept" % PORTS, policy="drop"), OK),
    "a limit from which on": (chain(*KNOWN, "tcp dport { %s } limit rate over 100/second drop" % PORTS), OK),
    "flags": (chain(*KNOWN, "tcp flags & (fin | syn | rst | ack) != syn ct state new drop", "tcp dport { %s } accept" % PORTS, policy="drop"), OK),
    "a mark set before": (chain("meta mark set 7", hook="prerouting") + chain(*KNOWN, "meta mark 7 accept", policy="drop").replace("inet t", "inet u"), OK),
    "the way back": (chain("fib saddr . iif oif missing drop", hook="prerouting"), OK),
    "the type of the address": (chain(*KNOWN, "fib daddr type != local drop"), OK),
    "a condition that is not known": (chain(*KNOWN, "meta iifgroup 7 accept", policy="drop"), CANNOT_TELL),
    "a verdict that is not known": (chain(*KNOWN, "tcp dport 21 synproxy mss 1460 wscale 7"), CANNOT_TELL),
    "bytes of the header": (chain(*KNOWN, "@ih,0,32 21 drop"), CANNOT_TELL),
    "the connection's mark": (chain(*KNOWN, "ct mark 1 drop"), OK),
    "a mark of the connection, set before": (chain("ct mark set meta mark", hook="prerouting") + chain(*KNOWN, "ct mark 1 drop").replace("inet t", "inet u"), CANNOT_TELL),
    "one that does not matter": (chain(*KNOWN, "meta iifgroup 7 udp dport 53 drop"), OK),
    "a port that goes elsewhere": ('table ip t {\nchain c {\ntype nat hook prerouting priority dstnat;\ntcp dport 21 redirect to :2121\n}\n}\n', CANNOT_TELL),
    "firewalld": (recorded("firewalld-1.3.3.nft"), PROBLEM),
    "firewalld of Debian 13": (recorded("firewalld-2.3.1.nft"), PROBLEM),
    "firewalld with zones": (recorded("firewalld-1.3.3-zones.nft"), OK),
}


@pytest.fixture(scope="module")
def hosts(certificates, edge_certificate):
    """The namespaces of a client and a gateway, with something that listens on the ports; and a policy for it."""
    with contextlib.ExitStack() as stack:
        client, gateway, far = (netns.Namespace(label) for label in ("client", "gateway", "far"))
        for ns in client, gateway, far:
            stack.callback(ns.close)
        netns.join(client, gateway, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
        netns.join(gateway, far, topology.both(topology.INSIDE), topology.both(topology.SERVER))
        greet(far, 21, b"220 (vsFTPd 3.0.3)\r\n", stack)
        edge = object.__new__(topology.Range)
        edge.family = "IPv4"
        tree = gateways.merge(edge.policy(certificates, edge_certificate), {"daemon": {"limits": {"sessions": 100}}})
        folder = tempfile.mkdtemp(prefix="attlsd-doctor-")
        stack.callback(shutil.rmtree, folder)
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as f:
            f.write(gateways.as_yaml(tree))
        with gateway:
            for port in DATA:
                stack.enter_context(socket.create_server((topology.OUTSIDE["IPv4"], port)))
        gateway.client, gateway.path, gateway.stack = client, path, stack
        yield gateway


@pytest.fixture
def host(hosts):
    yield hosts
    hosts.run("nft", "flush", "ruleset")


def reached(host):
    """Which ports does a client reach? Something must listen there, so port 21 gets a listener for a moment."""
    ports = {}
    with host:
        server = socket.create_server((topology.OUTSIDE["IPv4"], 21))
    with server, host.client:
        for port in [21, *DATA]:
            sock = socket.socket()
            sock.setblocking(False)
            assert sock.connect_ex((topology.OUTSIDE["IPv4"], port)) == errno.EINPROGRESS
            ports[sock] = port
        found, waits = set(), dict(ports)
        while waits:
            _, ready, _ = select.select([], list(waits), [], WAIT)
            if not ready:
                break
            found |= {waits[sock] for sock in ready if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0}
            waits = {sock: port for sock, port in waits.items() if sock not in ready}
        for sock in ports:
            sock.close()
    return found


def answer(report):
    """The worst of what it says about the firewall."""
    found = [finding["status"] for finding in of(report, "input")]
    return next(status for status in (PROBLEM, CANNOT_TELL, "warning", OK) if status in found)


def agree(host, want):
    report = doctor(host, host.path)
    assert answer(report) == want, of(report, "input")
    if want != CANNOT_TELL:
        assert (reached(host) == {21, *DATA}) == (want == OK), of(report, "input")
    return report


@pytest.mark.parametrize("name", ROWS)
def test_it_says_what_a_client_finds(host, name):
    text, want = ROWS[name]
    host.nft(text)
    if "ingress" in text and not any("dev" in item.get("chain", {}) for item in host.nft_json("ruleset")):
        want = CANNOT_TELL  # older versions of nft do not show the device in JSON
    agree(host, want)


@pytest.mark.parametrize("name", ["a policy", "a last rule that rejects", "a last rule that drops", "stopped before it is let in", "an empty set",
                                  "both ends of the range, but not its middle", "a second table", "a map that stops"])
def test_its_fix_helps(host, name):
    host.nft(ROWS[name][0])
    fix(host, doctor(host, host.path), ["input"])
    agree(host, OK)


@pytest.mark.parametrize("name, zone", [("firewalld-1.3.3.nft", "public"), ("firewalld-2.3.1.nft", "public"), ("firewalld-1.3.3-zones.nft", "work")])
def test_the_fix_for_firewalld(host, name, zone):
    host.nft(recorded(name).replace('ip saddr 203.0.113.0/24 goto filter_IN_work', 'iifname "client" goto filter_IN_work'))
    fixes = {finding["fix"] for finding in of(doctor(host, host.path), "input") if finding["status"] == PROBLEM}
    assert fixes == {f"firewall-cmd --permanent --zone={zone} --add-port={port}/tcp && firewall-cmd --reload" for port in ("21", "990", "61000-61100")}


def restore(host, text):
    host.run("iptables-nft-restore", text=text)


IPTABLES = """*filter
:INPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "known ones" -j ACCEPT
%s
-A INPUT -j REJECT --reject-with icmp-host-prohibited
COMMIT
"""
OPEN = "-A INPUT -p tcp -m multiport --dports 21,990,61000:61100 -m conntrack --ctstate NEW -m comment --comment ftp -j ACCEPT"
IPTABLES_ROWS = {
    "closed": ("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", PROBLEM),
    "multiport": (OPEN, OK),
    "multiport without port 21": (OPEN.replace("21,", ""), PROBLEM),
    "all but some": ("-A INPUT -p tcp -m multiport ! --dports 21,990,61000:61100 -j DROP\n-A INPUT -p tcp -j ACCEPT", OK),
    "state": (OPEN.replace("conntrack --ctstate", "state --state"), OK),
    "flags": ("-A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP\n" + OPEN, OK),
    "the type of the address": (OPEN.replace("-p tcp", "-p tcp -m addrtype --dst-type LOCAL"), OK),
    "a mark": (OPEN.replace("-p tcp", "-p tcp -m mark ! --mark 1/3"), OK),
    "pkttype": ("-A INPUT -m pkttype --pkt-type broadcast -j DROP\n" + OPEN, OK),
    "a log": ("-A INPUT -m limit --limit 5/s -j LOG --log-prefix x\n" + OPEN, OK),
    "recent": ("-A INPUT -p tcp --dport 21 -m recent --update --seconds 30 --hitcount 6 --name x --rsource -j DROP\n" + OPEN, CANNOT_TELL),
}


@pytest.mark.parametrize("name", IPTABLES_ROWS)
def test_iptables(host, name):
    rules, want = IPTABLES_ROWS[name]
    restore(host, IPTABLES % rules)
    report = agree(host, want)
    if want == PROBLEM:
        assert all(finding["fix"].startswith("iptables -t filter -I INPUT ") for finding in of(report, "input") if finding["status"] == PROBLEM)
        fix(host, report, ["input"])
        agree(host, OK)


@pytest.fixture
def ufw(host, folder):
    """ufw(ARGUMENT, ...): the real ufw with settings of its own."""
    if shutil.which("ufw") is None:
        pytest.skip("no ufw here")
    shutil.copytree("/etc/ufw", os.path.join(folder, "etc"))
    shutil.copy("/etc/default/ufw", os.path.join(folder, "default"))
    mine = "mount --bind %s/etc /etc/ufw && mount --bind %s/default /etc/default/ufw && exec " % (folder, folder)

    def run(command):
        return host.run("unshare", "-m", "sh", "-c", mine + command)
    yield run
    run("ufw --force disable")


def test_ufw(host, ufw):
    ufw("ufw --force enable")
    report = agree(host, PROBLEM)
    fixes = [finding["fix"] for finding in of(report, "input") if finding["status"] == PROBLEM]
    assert sorted(fixes) == ["ufw allow 21/tcp", "ufw allow 61000:61100/tcp", "ufw allow 990/tcp"]
    for command in fixes:
        ufw(command)
    agree(host, OK)
    ufw("ufw limit 21/tcp")
    report = agree(host, CANNOT_TELL)
    assert [finding["look"] for finding in of(report, "input") if finding["status"] == CANNOT_TELL] == ["ufw status verbose"]

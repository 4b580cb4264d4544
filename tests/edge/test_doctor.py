"""attlsctl doctor in a namespace: it finds what is missing, its commands fix it, and it accepts the shipped rule sets."""
import contextlib
import json
import os
import pwd
import socket
import subprocess
import threading

import pytest

import gateway as gateways
import net
import netns
import topology

ATTLSCTL = net.ATTLSCTL
INPUT_DROP = """
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif lo accept
        meta l4proto ipv6-icmp accept
        ct state established accept
    }
}
"""


def greet(where, port, says, closing, address="::", reads=0, heard=None):
    """A server that greets each connection in this namespace until the test ends."""
    six = ":" in address
    with where:
        server = closing.enter_context(socket.create_server((address, port), family=socket.AF_INET6 if six else socket.AF_INET,
                                                            dualstack_ipv6=address == "::"))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                sock, _ = server.accept()
                with sock:
                    if reads:
                        heard.append(sock.recv(reads, socket.MSG_WAITALL))
                    if not says:
                        continue
                    sock.sendall(says)
                    net.end_of(sock)

    threading.Thread(target=serve, daemon=True).start()
    closing.callback(server.shutdown, socket.SHUT_RDWR)


@pytest.fixture
def closing():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def host(network, closing):
    """A gateway's namespace with addresses on both sides, servers behind it, and no rules."""
    client, gateway, far = network("client", "gateway", "far")
    netns.join(client, gateway, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
    netns.join(gateway, far, topology.both(topology.INSIDE), topology.both(topology.SERVER))
    gateway.sysctl(**{"net.ipv4.ip_forward": 0, "net.ipv6.conf.all.forwarding": 0})
    greet(far, 21, b"220 (vsFTPd 3.0.3) far\r\n", closing)  # doctor asks an unknown server for more, and waits
    for loopback in "127.0.0.1", "::1":
        greet(gateway, 2121, b"220 (vsFTPd 3.0.3) here\r\n", closing, loopback)
    gateway.others = client, far
    return gateway


@pytest.fixture
def policy(certificates, edge_certificate, folder):
    """policy(TOPOLOGY, family, ...): the policy file for this topology."""
    def make(kind, family="IPv4", **change):
        edge = object.__new__(kind)
        edge.family = family
        tree = edge.policy(certificates, edge_certificate)
        tree = gateways.merge(tree, {"daemon": {"limits": {"sessions": 100}}, **change})
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as f:
            f.write(gateways.as_yaml(tree))
        return path
    return make


def doctor(host, path, *argv):
    with host:
        done = subprocess.run([ATTLSCTL, "doctor", "-f", path, "--json", *argv], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == {"ok": 0, "warning": 0, "problem": 1, "cannot tell": 3}[report["status"]], done.stderr
    assert report["ok"] == (done.returncode == 0)
    for finding in report["findings"]:
        assert set(finding) >= {"check", "status", "detail"}
        assert finding["status"] == "ok" or finding.get("look" if finding["status"] == "cannot tell" else "fix"), finding
    return report


def of(report, check):
    return [finding for finding in report["findings"] if finding["check"] == check]


def status(report, check):
    return sorted({finding["status"] for finding in of(report, check)})


def problems(report):
    return {finding["check"] for finding in report["findings"] if finding["status"] == "problem"}


def fix(host, report, checks):
    """Run its commands word for word, but replace the servers' addresses, which only an administrator knows."""
    wanted = [finding["fix"] for finding in report["findings"] if finding["status"] != "ok" and finding["check"] in checks]
    for command in dict.fromkeys(wanted):
        servers = "192.0.2.10" if "ip daddr" in command else "2001:db8:2::10"
        host.run("sh", "-c", command.replace("SERVERS", servers))


RULES = {
    topology.OneHost: ["input", "set"],
    topology.Expecting: ["input", "helper", "related"],
    topology.Inline: ["input", "helper", "related", "tproxy", "socket", "route"],
}


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.__name__)
def test_its_commands_fix_a_bare_host(host, policy, kind, family):
    change = {topology.OneHost: {"nat": {"nft_set": "inet filter data"}},
              topology.Inline: {"listeners": {"explicit": {"address": topology.colon(topology.LOOPBACK[family], 2021)}}}}  # 2121 is a server's
    path = policy(kind, family, **change.get(kind, {}))
    host.nft(INPUT_DROP)
    report = doctor(host, path)
    assert problems(report) == set(RULES[kind])
    for _ in range(2):  # first the set, then the rule that uses it
        fix(host, report, [*RULES[kind], "forwarding", "forward", "ports"])
        report = doctor(host, path)
    assert report["ok"] and not problems(report), report
    assert status(report, "ports") == ["ok"]


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("kind", [topology.OneHost, topology.Expecting, topology.Inline, topology.InlineSnat, topology.Range],
                         ids=lambda kind: kind.__name__)
def test_it_accepts_the_shipped_rules(edges, policy, kind, family):
    edge = edges(kind, family)
    report = doctor(edge.hosts["gateway"], policy(kind, family))
    assert report["ok"], report
    for check in "input", "helper", "related", "set", "tproxy", "socket", "route", "expectations", "conntrack", "rules", "notrack", "forward", "listeners", "addresses":
        assert status(report, check) in ([], ["ok"]), of(report, check)


def test_only_what_matters_is_looked_at(host, policy):
    report = doctor(host, policy(topology.Range))
    assert not {finding["check"] for finding in report["findings"]} & {"tproxy", "socket", "route", "helper", "set", "rules"}
    assert report["ok"], report


def test_half_a_diversion(host, policy):
    path = policy(topology.Inline, nat={"conntrack": "off"})
    host.nft("table inet t {\nchain c {\ntype filter hook prerouting priority mangle;\n"
             "tcp dport 21 tproxy ip to 127.0.0.2:2121 meta mark set 7 accept\n"
             "tcp dport 990 tproxy ip to 127.0.0.1:2990 accept\n"
             "meta l4proto tcp socket transparent 1 meta mark set 7 accept\n}\n}\n")
    host.ip("rule", "add", "fwmark", "1", "lookup", "100")
    host.ip("route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100")
    report = doctor(host, path)
    assert {"tproxy", "route"} <= problems(report)
    assert "127.0.0.2" in of(report, "tproxy")[0]["detail"] and "no mark" in of(report, "tproxy")[1]["detail"]
    assert "mark 7" in of(report, "route")[0]["detail"]
    fix(host, report, ["route"])
    assert status(doctor(host, path), "route") == ["ok"]


def dials(client, address, port):
    """Does a client get through to something that listens?"""
    with client, contextlib.suppress(OSError), socket.create_connection((address, port), 0.3):
        return True
    return False


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_clear_ftp_past_an_attlsd_that_is_down(host, policy, network, family):
    path = policy(topology.Inline, family)
    client, far = (ns for ns in host.others if ns.label in ("client", "far"))
    client.route(*topology.OUTSIDE.values())
    far.route(*topology.INSIDE.values())
    host.forward()
    topology.divert(host)
    rules = topology.rules("inline.nft", outside='"client"', inside='"far"')
    host.nft(rules)
    assert status(doctor(host, path), "forward") == ["ok"] and not dials(client, topology.SERVER[family], 21)
    for more in ("iifname client accept", "tcp dport 21 accept", "ip daddr 192.0.2.0/24 accept; ip6 daddr 2001:db8:2::/64 accept", 'ct state new ct mark 0 oifname "far" accept'):
        host.nft(rules.replace("hook forward priority filter; policy drop;", "hook forward priority filter; policy drop;\n" + more))
        report = doctor(host, path)
        assert status(report, "forward") == ["problem"] and dials(client, topology.SERVER[family], 21), more
    fix(host, report, ["forward"])
    assert status(doctor(host, path), "forward") == ["ok"] and not dials(client, topology.SERVER[family], 21)
    for more in ("iifname far accept", "ip daddr 203.0.113.0/24 accept", "tcp dport 22 accept"):
        host.nft("delete table inet attlsd\n" + rules.replace("hook forward priority filter; policy drop;", "hook forward priority filter; policy drop;\n" + more))
        assert status(doctor(host, path), "forward") == ["ok"] and not dials(client, topology.SERVER[family], 21), more


HIDDEN = "table inet raw {\nchain c {\ntype filter hook %s priority %s;\n%s\n}\n}\n"


@pytest.mark.parametrize("hook, priority, rule, want", [
    ("prerouting", "raw", "tcp dport 21 notrack", ["ok", "problem"]),
    ("prerouting", "raw", "tcp dport 990 notrack", ["ok", "problem"]),
    ("prerouting", "raw", "tcp dport 61050 notrack", ["ok", "problem"]),
    ("prerouting", "raw", "ip daddr 198.51.100.0/24 notrack", ["problem"]),
    ("prerouting", "raw", "notrack", ["problem"]),
    ("output", "raw", "tcp sport 21 notrack", ["ok", "problem"]),
    ("prerouting", "raw", "meta iifgroup 7 tcp dport 21 notrack", ["cannot tell", "ok"]),
    ("prerouting", "raw", "tcp dport 22 notrack", ["ok"]),
    ("prerouting", "raw", "tcp dport 21 accept\nnotrack", ["ok", "problem"]),
    ("prerouting", "filter", "tcp dport 21 notrack", ["ok"]),  # too late: conntrack has seen it
])
def test_packets_that_conntrack_does_not_see(host, policy, hook, priority, rule, want):
    path = policy(topology.Expecting)
    host.nft(topology.rules("gateway-expect.nft", outside='"client"', inside='"far"'))
    host.nft(HIDDEN % (hook, priority, rule))
    report = doctor(host, path)
    assert status(report, "notrack") == want, of(report, "notrack")
    if "problem" in want:
        fix(host, report, ["notrack"])
        assert status(doctor(host, path), "notrack") == ["ok"]


def test_iptables_hides_packets_from_conntrack_as_well(host, policy):
    path = policy(topology.Expecting)
    for target in "CT --notrack", "NOTRACK":
        host.run("iptables-nft-restore", text=f"*raw\n-A PREROUTING -p tcp -m multiport --dports 20,21 -j {target}\nCOMMIT\n")
        assert status(doctor(host, path), "notrack") == ["ok", "problem"]


def test_iptables_assigns_the_helper(host, policy):
    path = policy(topology.Expecting)
    host.run("iptables-nft-restore", text="*raw\n-A PREROUTING -p tcp -m multiport --dports 21,990 -j CT --helper ftp\nCOMMIT\n")
    assert status(doctor(host, path), "helper") == ["ok"]


def recorded(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "rulesets", name)) as f:
        return f.read()


def test_expectations_beside_firewalld(host, policy):
    """It lets related connections in, and a helper can be assigned in another table."""
    path = policy(topology.Expecting)
    host.nft(recorded("firewalld-1.3.3-zones.nft"))
    report = doctor(host, path)
    assert problems(report) == {"helper"} and status(report, "related") == ["ok"]
    fix(host, report, ["helper"])
    assert doctor(host, path)["ok"]


def test_a_set_beside_firewalld(host, policy):
    path = policy(topology.OneHost)
    host.nft(recorded("firewalld-1.3.3.nft"))
    report = doctor(host, path)
    assert problems(report) == {"input", "set"} and "conntrack: expect" in of(report, "set")[0]["fix"]


def test_where_a_rule_with_the_set_is(host, policy):
    """After a rule that rejects, it lets nothing in."""
    path = policy(topology.OneHost)
    rules = topology.rules("reverse-proxy.nft")
    host.nft(rules.replace("tcp dport $control accept", "tcp dport $control accept\nreject"))
    assert status(doctor(host, path), "set") == ["ok", "problem"]


def test_a_helper_that_comes_too_late_or_too_early(host, policy):
    path = policy(topology.Expecting)
    rules = topology.rules("gateway-expect.nft", outside='"client"', inside='"far"')
    for old, new in (("hook prerouting priority filter", "hook prerouting priority raw"), ("tcp dport $control ct helper", "tcp dport 22 ct helper"),
                     ('iifname $outside tcp dport $control ct helper set "ftp"', 'accept\niifname $outside tcp dport $control ct helper set "ftp"')):
        host.nft(rules.replace(old, new))
        assert status(doctor(host, path), "helper") == ["problem"], new


@pytest.mark.parametrize("before, want", [("tcp dport 21 accept", "problem"), ("accept", "problem"), ("meta iifgroup 3 accept", "cannot tell"),
                                          ("tcp dport 22 accept", "ok")])
def test_a_diversion_that_packets_do_not_come_to(host, policy, before, want):
    path = policy(topology.Inline)
    host.nft(topology.rules("inline.nft", outside='"client"', inside='"far"').replace("meta l4proto tcp socket transparent", before + "\nmeta l4proto tcp socket transparent"))
    assert of(doctor(host, path), "tproxy")[0]["status"] == want


@pytest.mark.parametrize("servers, want", [("{ 192.0.2.10 }", ["ok"]), ("{ 192.0.2.10, 192.0.2.11 }", ["cannot tell", "ok"]), ("{ 192.0.2.0/24 }", ["cannot tell"])])
def test_servers_that_clients_choose(host, policy, servers, want):
    path = policy(topology.Inline)
    host.nft(topology.rules("inline.nft", outside='"client"', inside='"far"', servers=servers).replace("policy drop", "policy accept"))
    host.ip("neigh", "add", "192.0.2.11", "lladdr", "02:00:00:00:00:01", "dev", "far")
    host.ip("route", "add", "unreachable", "192.0.2.11")
    found = of(doctor(host, path), "backends")
    assert sorted({finding["status"] for finding in found}) == want, found


def test_src_valid_mark(host, policy):
    path = policy(topology.Inline)
    assert status(doctor(host, path), "rp_filter") == ["ok"]
    for where in "all", "client":
        host.sysctl(**{f"net.ipv4.conf.{where}.src_valid_mark": 1})
        report = doctor(host, path)
        assert status(report, "rp_filter") == ["problem"]
        fix(host, report, ["rp_filter"])
        assert status(doctor(host, path), "rp_filter") == ["ok"]
    assert status(doctor(host, policy(topology.Inline, "IPv6")), "rp_filter") == ["ok"]


def test_helper_and_nat_together(host, policy):
    path = policy(topology.Expecting)
    host.nft(topology.rules("gateway-expect.nft", outside='"client"', inside='"far"'))
    assert status(doctor(host, path), "helper") == ["ok"]
    host.nft("table inet n {\nchain c {\ntype nat hook prerouting priority dstnat;\ntcp dport 2121 redirect to :21\n}\n}\n")
    report = doctor(host, path)
    assert report["ok"] and status(report, "helper") == ["ok", "warning"]
    assert "nf_nat_ftp" in of(report, "helper")[1]["detail"]


@pytest.mark.parametrize("text, what", [
    ("set data { type ipv4_addr . inet_service; flags timeout; }", "type"),
    ("set data { type ipv4_addr . ipv4_addr . inet_service; }", "timeout")])
def test_a_set_of_another_kind(host, policy, text, what):
    path = policy(topology.OneHost)
    host.nft("table inet attlsd {\n%s\n}\n" % text)
    report = doctor(host, path)
    assert what in of(report, "set")[0]["detail"]
    fix(host, report, ["set"])
    assert status(doctor(host, path), "set") == ["ok"]


def test_a_set_where_it_cannot_be_asked(host, policy):
    """A rule can use only the sets of its own table, and no table can accept what another one drops."""
    host.nft(INPUT_DROP)
    found = of(doctor(host, policy(topology.OneHost)), "set")
    assert "inet filter" in found[0]["detail"] and 'nft_set: "inet filter data"' in found[0]["fix"]


def test_an_address_that_is_not_here(host, policy):
    path = policy(topology.Range, listeners={"explicit": {"address": "198.51.100.99:21"}})
    report = doctor(host, path)
    assert problems(report) == {"addresses"}
    host.run("sh", "-c", next(finding["fix"] for finding in of(report, "addresses") if "fix" in finding).replace("INTERFACE", "far"))
    assert doctor(host, path)["ok"]


def test_an_address_that_moves_between_hosts(host, policy):
    path = policy(topology.Range, listeners={"explicit": {"address": "198.51.100.99:21"}})
    assert "ip_nonlocal_bind=1" in of(doctor(host, path), "addresses")[0]["fix"]
    host.sysctl(**{"net.ipv4.ip_nonlocal_bind": 1})
    report = doctor(host, path)
    assert report["ok"] and "does not have the address 198.51.100.99 now" in of(report, "addresses")[0]["detail"]


@pytest.mark.parametrize("family, at", [("IPv4", "198.51.100.1"), ("IPv4", "0.0.0.0"), ("IPv4", "::"), ("IPv6", "::"), ("IPv6", "2001:db8:1::1")])
def test_a_port_that_another_program_holds(host, policy, closing, family, at):
    path = policy(topology.Range, family)
    assert status(doctor(host, path), "listeners") == ["ok"]
    greet(host, 21, b"220 me first\r\n", closing, at)
    report = doctor(host, path)
    held, free = of(report, "listeners")
    assert held["status"] == "problem" and f"(pid {os.getpid()})" in held["detail"] and free["status"] == "ok"
    assert problems(report) == {"listeners"}


def test_a_port_that_somebody_else_holds(host, policy, closing, folder):
    """An ordinary user cannot see whose it is."""
    path = policy(topology.Range, listeners={"explicit": {"address": "198.51.100.1:2121"}, "implicit": {"address": "198.51.100.1:2990"}})
    greet(host, 2121, b"220 me first\r\n", closing, "198.51.100.1")
    with host:
        done = subprocess.run([ATTLSCTL, "doctor", "-f", path, "--json"], capture_output=True, text=True, preexec_fn=net.as_nobody)
    found = of(json.loads(done.stdout), "listeners")
    assert [finding["status"] for finding in found] == ["cannot tell", "ok"] and "root" in found[0]["look"]


def test_a_port_free_for_other_addresses(host, policy, closing):
    greet(host, 21, b"220 inside\r\n", closing, "192.0.2.1")
    assert status(doctor(host, policy(topology.Range)), "listeners") == ["ok"]


def test_a_server_at_an_address_that_others_can_dial(host, policy, closing):
    greet(host, 2222, b"220 (vsFTPd 3.0.3)\r\n", closing, "198.51.100.1")
    path = policy(topology.Range, backends={"legacy": {"address": "198.51.100.1:2222"}})
    assert status(doctor(host, path), "exposed") == ["problem"]
    rules = "flush ruleset\ntable inet t {\nchain c {\ntype filter hook input priority filter;\niifname lo accept\n%stcp dport 2222 drop\n}\n}\n"
    host.nft(rules % "")
    assert status(doctor(host, path), "exposed") == ["ok"]
    host.nft(rules % "meta iifgroup 3 accept\n")
    assert status(doctor(host, path), "exposed") == ["cannot tell"]


def test_a_server_on_all_addresses_with_the_port_of_a_listener(host, policy, closing):
    greet(host, 2222, b"220 (vsFTPd 3.0.3)\r\n", closing)
    report = doctor(host, policy(topology.Range, backends={"legacy": {"address": "127.0.0.1:2222"}}, listeners={"explicit": {"address": "198.51.100.1:2222"}}))
    assert status(report, "exposed") == ["problem"] and {"exposed", "listeners"} <= problems(report)


def test_the_user_of_the_processes_with_the_keys(host, policy):
    found, = of(doctor(host, policy(topology.Range)), "key_user")
    try:
        pwd.getpwnam("attlsd-key")
        assert found["status"] == "ok"
    except KeyError:
        assert found["status"] == "warning" and found["fix"] == "useradd --system --no-create-home --shell /usr/sbin/nologin attlsd-key"
    assert not of(doctor(host, policy(topology.Range, daemon={"key_isolation": False})), "key_user")


def test_certificates(host, policy, edge_certificate, folder):
    path = policy(topology.Range)
    found = of(doctor(host, path), "certificates")
    assert found[0]["status"] == "ok" and "left" in found[0]["detail"]
    assert "read the private key" in found[1]["detail"] and found[1]["fix"].startswith("chmod")
    missing = dict(edge_certificate, key=os.path.join(folder, "none.key"))
    report = doctor(host, policy(topology.Range, keyrings={"ftpd": {"certificates": [missing]}}))
    assert not report["ok"] and "none.key" in str(of(report, "certificates"))


def test_open_files_and_users(host, policy):
    path = policy(topology.Range, daemon={"limits": {"sessions": 1000000}, "user": "nosuchuser"})
    report = doctor(host, path)
    assert status(report, "files") == ["warning"] and "6000000" in of(report, "files")[0]["fix"]
    assert status(report, "user") == ["problem"] and of(report, "user")[0]["fix"] == "useradd --system --no-create-home --shell /usr/sbin/nologin nosuchuser"


def test_where_attlsctl_can_ask(host, policy, folder):
    missing = os.path.join(folder, "run", "attlsd", "control.sock")
    path = policy(topology.OneHost, daemon={"control_socket": missing})
    report = doctor(host, path)
    assert status(report, "control_socket") == ["problem"]
    fix(host, report, ["control_socket"])
    report = doctor(host, path)
    assert status(report, "control_socket") == ["ok"] and missing in of(report, "control_socket")[0]["detail"]
    assert status(doctor(host, policy(topology.OneHost, daemon={"control_socket": "none"})), "control_socket") == []


def test_an_ordinary_user_is_shown_what_is_missing(host, policy):
    path = policy(topology.Inline)
    with host:
        done = subprocess.run([ATTLSCTL, "doctor", "-f", path, "--json"], capture_output=True, text=True, preexec_fn=net.as_nobody)
    report = json.loads(done.stdout)
    assert done.returncode == 1 and {"capabilities"} <= problems(report)
    for check in "rules", "expectations":
        assert status(report, check) == ["cannot tell"] and "root" in of(report, check)[0]["look"]


def test_for_people(host, policy):
    path = policy(topology.Expecting)
    with host:
        done = subprocess.run([ATTLSCTL, "doctor", "-f", path], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == ""
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("problem     helper"))
    assert lines[at + 1].split()[0] == "fix:" and "ct helper set" in lines[at + 1]


@pytest.mark.parametrize("says, what, good", [
    (b"220-Welcome\r\n220 \x1b[2Jto the\xff server\r\n", 'answers "220-Welcome"', True),
    (b"220 \x1b[2Jto the\xff server\r\n", 'answers "220 ?[2Jto the? server"', True),
    (b"120 In 3 minutes\r\n", 'answers "120 In 3 minutes"', True),
    (b"421 Too many users\r\n", 'answers "421 Too many users", not 220', False),
    (b"SSH-2.0-OpenSSH_9.2\r\n", 'answers "SSH-2.0-OpenSSH_9.2", not 220', False)])
def test_what_a_server_says(host, policy, closing, says, what, good):
    greet(host, 2222, says, closing)
    found = of(doctor(host, policy(topology.Range, backends={"legacy": {"address": "127.0.0.1:2222"}})), "backends")
    assert [finding["status"] for finding in found] == ["ok" if good else "problem"]
    assert "backend legacy: 127.0.0.1:2222 " + what in found[0]["detail"]


def test_a_server_that_is_not_there(host, policy):
    report = doctor(host, policy(topology.Range, backends={"legacy": {"address": "127.0.0.1:2"}}))
    assert not report["ok"] and problems(report) == {"backends"}
    assert "cannot connect to 127.0.0.1:2: Connection refused" in of(report, "backends")[0]["detail"]


@pytest.mark.parametrize("version, starts", [("v1", b"PROXY TCP4 127.0.0.1 127.0.0.1 "), ("v2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11")])
@pytest.mark.parametrize("wants", [True, False])
def test_a_server_gets_the_proxy_header_that_it_expects(host, policy, closing, version, starts, wants):
    heard = []
    greet(host, 2222, b"220 hello\r\n" if wants else b"", closing, reads=len(starts), heard=heard)
    path = policy(topology.Range, backends={"legacy": {"address": "127.0.0.1:2222", "proxy_protocol": version}})
    assert status(doctor(host, path), "backends") == (["ok"] if wants else ["problem"])
    assert heard == [starts]


def test_a_closed_firewall_matters_to_everybody(host, policy):
    """Without conntrack and transparent listeners, the ports of the listeners and the passive ports must be open."""
    path = policy(topology.Range)
    host.nft(INPUT_DROP)
    report = doctor(host, path)
    assert problems(report) == {"input"}
    assert "61000-61100" in " ".join(finding["detail"] for finding in of(report, "input"))
    fix(host, report, ["input"])
    report = doctor(host, path)
    assert report["ok"] and status(report, "input") == ["ok"]
    loopback = policy(topology.Range, listeners={"explicit": {"address": "127.0.0.1:21"}, "implicit": {"address": "127.0.0.1:990"}})
    assert not of(doctor(host, loopback), "input")


def test_ports_that_are_reserved_already_stay_so(host, policy):
    two = {"standard": {"passivedataports": "50000-50100"}, "other": {"passivedataports": "40000-40010"}}
    host.sysctl(**{"net.ipv4.ip_local_reserved_ports": "8080"})
    path = policy(topology.Range, ftp_actions=two)
    report = doctor(host, path)
    assert status(report, "ports") == ["warning"]
    fix(host, {"findings": of(report, "ports")[:1]}, ["ports"])
    assert status(doctor(host, path), "ports") == ["ok"]
    assert host.run("cat", "/proc/sys/net/ipv4/ip_local_reserved_ports").strip() == "8080,40000-40010,50000-50100"

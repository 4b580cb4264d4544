"""The other arrangements: nftables alone, ECMP, and keepalived in front of nodes and of balancers."""
import os
import re
import shutil
import stat

import client as clients
import fleet as fleets
import net
import pytest
import test_install

PLAIN = {"listeners": {"explicit": {"address": "0.0.0.0:21", "proxy_protocol": None},
                       "implicit": {"address": "0.0.0.0:990", "proxy_protocol": None}}}


@pytest.fixture
def make(certificates, fleet_certificate):
    made = []

    def start(**policy):
        made.append(fleets.Fleet(certificates, fleet_certificate, policy=policy))
        return made[-1]
    yield start
    for site in made:
        site.close()


def each(site, count):
    """Sessions from that many addresses, one after the other, with a file each; returns the nodes that served them."""
    nodes = []
    for n in range(count):
        session = site.session(source=fleets.SOURCES[n])
        assert session.fetch(f"file{n % fleets.FILES_COUNT:02d}") == site.content[f"file{n % fleets.FILES_COUNT:02d}"]
        nodes.append(session.node.name)
        session.close()
    return nodes


def test_nftables_alone(make, row):
    """Control connections in turn, data by port; a node that is taken out keeps its sessions. Then keepalived on the balancers."""
    site = make(nat={"advertise": fleets.VIP}, **PLAIN)
    site.rules("data.nft", "control.nft", "firewall.nft")
    site.active()
    nodes = each(site, 10)
    assert nodes in (["node1", "node2"] * 5, ["node2", "node1"] * 5)
    there = [site.on(site.nodes["node1"]) for _ in range(3)]
    site.rules("control.nft", changes={"define first = 192.0.2.11": "define first = 192.0.2.12"})
    assert each(site, 6) == ["node2"] * 6
    assert [c.fetch("file04") == site.content["file04"] for c in there] == [True] * 3
    for c in there:
        c.close()
    row("nftables alone, 10 addresses", "5 and 5 sessions, all files right; node1 taken out: 3 of 3 sessions go on, 6 of 6 new ones go to node2")


def test_equal_cost_routes(make, row):
    """The address of a client decides, for control and data connections alike."""
    site = make(**PLAIN)
    site.active()
    lb, script = site.hosts["lb1"], os.path.join(fleets.FILES, "ecmp.sh")
    lb.ip("addr", "del", fleets.VIP + "/24", "dev", "outside")
    lb.sysctl(**{"net.ipv4.conf.outside.proxy_arp": 1})
    for node in site.nodes.values():
        node.ns.ip("addr", "add", fleets.VIP + "/32", "dev", "lo")
    lb.run("sh", script)
    nodes = each(site, 16)
    assert set(nodes) == {"node1", "node2"} and nodes == each(site, 16)
    lb.run("sh", script, fleets.VIP, fleets.INSIDE["node2"])
    assert each(site, 6) == ["node2"] * 6
    row("ECMP, 16 addresses, twice", f"{nodes.count('node1')} and {nodes.count('node2')} sessions, each address at its node, all files right")


def keepalived(site, label, text):
    folder = os.path.join(site.folder, "keepalived-" + label)
    os.mkdir(folder)
    path = os.path.join(folder, "keepalived.conf")
    with open(path, "w") as f:
        f.write(text)
    return site.run(label, ["keepalived", "-n", "-l", "-P", "-f", path, "-p", folder + "/pid", "-r", folder + "/vrrp"])


def has(host, address):
    return f" {address}/" in host.ip("-4", "-o", "addr")


@pytest.mark.skipif(not shutil.which("keepalived"), reason="the Debian package keepalived is not installed")
def test_keepalived_moves_the_balancer(make, row):
    site = make()
    site.haproxy(active=False)
    for label in "lb1", "lb2":
        text = fleets.shipped("keepalived-balancer.conf")
        if label == "lb2":
            text = text.replace("priority 110", "priority 100")
        keepalived(site, label, text)
        if label == "lb1":
            net.until(lambda: has(site.lb1, fleets.VIP) and has(site.lb1, fleets.GATE), "lb1 takes both addresses")
    session = site.session()
    ticket = session.tls.session
    balancer = next(process for process in site.processes if "lb1.cfg" in " ".join(process.args))
    balancer.kill()
    net.until(lambda: has(site.lb2, fleets.VIP) and has(site.lb2, fleets.GATE) and not has(site.lb1, fleets.VIP), "both addresses move")
    again = site.session()
    assert again.fetch("file05") == site.content["file05"]
    with site.hosts["clients"]:
        resumed = clients.Client((fleets.VIP, 21), source=(fleets.CLIENT, 0), ctx=session.ctx)
        assert resumed.auth(session=ticket).tls.reused
    for c in session, again, resumed:
        c.close()
    row("HAProxy of the active balancer dies, keepalived", "both addresses move; new logins succeed, and TLS sessions resume; sessions are lost")


@pytest.mark.skipif(not shutil.which("keepalived"), reason="the Debian package keepalived is not installed")
def test_keepalived_on_two_nodes(make, row):
    """Without a balancer: the address follows `attlsctl status --ready`, by the path that `make install` gives it."""
    site = make(**PLAIN)
    for name, node in site.nodes.items():
        node.ns.ip("link", "set", "inside", "down")
        node.ns.ip("link", "set", "inside", "name", "outside")
        node.ns.ip("link", "set", "outside", "up")
    site.hosts["server"].address("inside", "198.51.100.250/24")
    test_install.make("install", site.folder, "/usr/local")
    (command,) = re.findall(r'script "(/.*)"', fleets.shipped("keepalived-node.conf"))
    for name, node in site.nodes.items():
        script = os.path.join(node.folder, "ready")
        with open(script, "w") as f:
            f.write(f"#!/bin/sh\nexec {site.folder}{command} --socket {node.socket}\n")
        os.chmod(script, stat.S_IRWXU)
        text = fleets.shipped("keepalived-node.conf", changes={command: script})
        keepalived(site, name, text if name == "node1" else text.replace("priority 110", "priority 100"))
        if name == "node1":
            net.until(lambda: has(site.node1, fleets.VIP), "node1 takes the address")

    def greets():
        with site.hosts["server"]:
            with clients.Client((fleets.VIP, 21)) as c:
                return c.greeting.code
    assert greets() == 220
    site.nodes["node1"].order("maintenance", "on")
    net.until(lambda: has(site.node2, fleets.VIP) and not has(site.node1, fleets.VIP), "the address leaves node1 in maintenance")
    assert greets() == 220
    site.nodes["node1"].order("maintenance", "off")
    site.nodes["node2"].kill()
    net.until(lambda: has(site.node1, fleets.VIP) and not has(site.node2, fleets.VIP), "the address leaves a dead node2")
    assert greets() == 220
    row("keepalived on two nodes with `attlsctl status --ready`", "the address leaves a node in maintenance and a dead one; sessions there are lost")

"""NAT routers in front of the gateway and in front of clients."""
import socket

import pytest

import client as clients
import ftp_clients
import netns
import topology
from test_matrix import fails_after_ccc, transfer

PORTS = 5  # a range so small that the test uses every port
INSIDER, FOR_INSIDERS = "203.0.113.7", "203.0.113.1"


class Forwarded(topology.Edge):
    """client - router (DNAT of the control port and of different data ports) - gateway, and a client inside."""
    rules = "static-range.nft"

    def wire(self):
        client, router, gateway, insider = map(self.host, ("client", "router", "gateway", "insider"))
        netns.join(client, router, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
        netns.join(router, gateway, topology.both(topology.INSIDE), topology.both(topology.SERVER))
        netns.join(insider, gateway, [INSIDER + "/24"], [FOR_INSIDERS + "/24"])
        gateway.route(*topology.INSIDE.values())
        router.forward()

    def load(self):
        self.hosts["gateway"].nft(topology.rules(self.rules, data=f"60000-{60000 + PORTS - 1}"))
        server = topology.SERVER["IPv4"]
        data = ", ".join(f"{61000 + i} : {server} . {60000 + i}" for i in range(PORTS))
        self.hosts["router"].nft(f"table ip n {{\nchain c {{\ntype nat hook prerouting priority dstnat;\n"
                                 f"iifname client tcp dport {{ 21, 990 }} dnat to {server}\n"
                                 f"iifname client dnat ip addr . port to tcp dport map {{ {data} }}\n}}\n}}\n")

    def start_server(self, name):
        with self.hosts["gateway"]:
            return topology.servers.Server(name, "127.0.0.1", 2121)

    behind = "127.0.0.1:2121"

    def listeners(self):
        return {"explicit": {"address": "0.0.0.0:21"}, "implicit": {"address": "0.0.0.0:990", "tls": "implicit"}}

    def nat(self):
        return {"advertise_ports": f"61000-{61000 + PORTS - 1}",
                "advertise": [{"to": "203.0.113.0/24", "address": FOR_INSIDERS, "map_ports": False}, topology.OUTSIDE["IPv4"]]}

    def ftp(self):
        return {"secure_dataconn": "clear", "passivedataports": f"60000-{60000 + PORTS - 1}"}


@pytest.mark.parametrize("mode", ["PASV", "EPSV"])
@pytest.mark.parametrize("name", ftp_clients.ALL)
def test_other_ports_outside(edges, folder, name, mode):
    edge = edges(Forwarded)
    for listener in edge.listeners():
        transfer(edge, ftp_clients.ALL[name], folder, listener, mode, False)


def test_insiders_are_told_the_ports_as_they_are(edges):
    edge = edges(Forwarded)
    edge.server.put("hello", b"hello")
    for host, at, low in ("insider", FOR_INSIDERS, 60000), ("client", topology.OUTSIDE["IPv4"], 61000):
        with edge.hosts[host]:
            with clients.Client((at, 21)).auth() as c:
                c.login(edge.server.user, edge.server.password).prot("P")
                address, port = c.pasv()
                assert address == at and low <= port < low + PORTS
                for _ in range(2 * PORTS):
                    assert c.get(edge.server.where + "hello", "PASV") == b"hello"


class Hidden(topology.Firewalled):
    """F, with a firewall that hides its clients: after CCC it rewrites the addresses in PORT and EPRT."""

    def load(self):
        super().load()
        self.hosts["firewall"].nft("table inet hide {\nchain c {\ntype nat hook postrouting priority srcnat;\n"
                                   "oifname gateway masquerade\n}\n}\n")


class Told(topology.Translated):
    """F with a NAT that rewrites addresses and with nat.advertise: one too many."""

    def nat(self):
        return {"advertise": topology.OUTSIDE["IPv4"]}


@pytest.mark.parametrize("name, mode", [(name, mode) for name, client in ftp_clients.ALL.items() for mode in client.modes])
def test_clients_behind_nat(edges, folder, name, mode):
    client = ftp_clients.ALL[name]
    if client.keeps_tls():
        fails_after_ccc(edges(Hidden), client, folder, mode)
    else:
        transfer(edges(Hidden), client, folder, "explicit", mode, True)


@pytest.mark.parametrize("verb, passes", [("PASV", False), ("EPSV", True)])
def test_two_rewriters_are_one_too_many(edges, verb, passes):
    """The helper ignores a 227 with an address that is not this host's."""
    edge = edges(Told)
    with edge.hosts["client"]:
        c = clients.Client(edge.address("explicit")).auth()
        c.login(edge.server.user, edge.server.password).prot("P")
        c.expect("CCC", 200)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        at = c.pasv() if verb == "PASV" else c.epsv()
        assert at[0] == topology.OUTSIDE["IPv4"]
        try:
            socket.create_connection(at, timeout=0.7).close()
            passed = True
        except OSError:
            passed = False
        c.close()
    assert passed is passes


class SourceGateway(topology.Inline):
    """D without NAT: attlsd connects from its own address."""

    def wire(self):
        super().wire()
        self.hosts["far"].ip("route", "del", "default")
        self.hosts["far"].ip("-6", "route", "del", "default")

    def backend(self):
        return {"address": "original", "source": "gateway"}


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("mode", ["EPSV", "EPRT"])
def test_inline_from_the_gateways_address(edges, folder, family, mode):
    edge = edges(SourceGateway, family)
    for listener in edge.listeners():
        transfer(edge, ftp_clients.ALL["ftplib"], folder, listener, mode, False)

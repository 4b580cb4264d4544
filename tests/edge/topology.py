"""
The networks of the edge tests, each with real servers and its rule set from contrib/nftables.

The addresses are those for documentation (RFC 5737, RFC 3849). Clients are always
outside, servers inside:

    client 198.51.100.7 --- 198.51.100.1 gateway or firewall 192.0.2.1 --- 192.0.2.10 server
"""
import os
import re
import shutil
import tempfile

import gateway as gateways
import net
import netns
import servers

RULES = os.path.join(net.ROOT, "contrib", "nftables")
CLIENT = {"IPv4": "198.51.100.7", "IPv6": "2001:db8:1::7"}
OUTSIDE = {"IPv4": "198.51.100.1", "IPv6": "2001:db8:1::1"}  # the address of the host in the middle
INSIDE = {"IPv4": "192.0.2.1", "IPv6": "2001:db8:2::1"}
SERVER = {"IPv4": "192.0.2.10", "IPv6": "2001:db8:2::10"}
FAR = {"IPv4": "203.0.113.10", "IPv6": "2001:db8:3::10"}  # a server behind the network of SERVER
LOOPBACK = {"IPv4": "127.0.0.1", "IPv6": "::1"}
ADDRESSES = [*OUTSIDE.values(), *SERVER.values()]


def both(addresses):
    return [address + ("/64" if ":" in address else "/24") for address in addresses.values()]


def rules(name, **defines):
    """A rule set from contrib/nftables with changed `define` lines."""
    with open(os.path.join(RULES, name)) as f:
        text = f.read()
    for key, value in defines.items():
        text, n = re.subn(rf"^define {key} = .*$", f"define {key} = {value}", text, flags=re.M)
        assert n == 1, f"{name} defines {key} {n} times"
    return text


def colon(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Edge:
    """Hosts, one real server and one attlsd. A subclass connects them."""

    rules = None        # in contrib/nftables
    data_port = None
    dialled = OUTSIDE   # the address that clients connect to
    counting = "gateway"

    def __init__(self, certificates, certificate, family="IPv4", server="vsftpd", **change):
        self.family, self.certificates = family, certificates
        self.hosts, self.running = {}, []
        self.folder = tempfile.mkdtemp(prefix="attlsd-edge-")
        os.chmod(self.folder, 0o755)
        self.server = self.gateway = None
        try:
            self.wire()
            self.load()
            if server:
                self.server = self.start_server(server)
            tree = self.policy(certificates, {"chain": certificate["chain"], "key": certificate["key"]})
            with self.hosts["gateway"]:
                self.gateway = gateways.Gateway(self.folder, gateways.merge(tree, change)).ready()
        except BaseException:
            self.close(check=False)
            raise

    def host(self, label):
        self.hosts[label] = netns.Namespace(label)
        return self.hosts[label]

    def __getattr__(self, label):
        hosts = self.__dict__.get("hosts", {})
        if label in hosts:
            return hosts[label]
        raise AttributeError(label)

    # --- parts that subclasses change ---
    def wire(self):
        """client - gateway - server; the gateway routes."""
        client, gateway, far = self.host("client"), self.host("gateway"), self.host("far")
        netns.join(client, gateway, both(CLIENT), both(OUTSIDE))
        netns.join(gateway, far, both(INSIDE), both(SERVER))
        client.route(*OUTSIDE.values())
        far.route(*INSIDE.values())

    def load(self):
        self.hosts["gateway"].nft(rules(self.rules, outside='"client"', inside='"far"'))

    def start_server(self, name):
        with self.hosts["far"]:
            return servers.Server(name, SERVER[self.family], 21)

    @property
    def behind(self):
        return colon(SERVER[self.family], 21)

    def listeners(self):
        at = OUTSIDE[self.family]
        return {"explicit": {"address": colon(at, 21)}, "implicit": {"address": colon(at, 990), "tls": "implicit"}}

    def backend(self):
        return {"address": self.behind}

    def nat(self):
        return {"conntrack": "expect"}

    def ftp(self):
        return {"secure_dataconn": "clear", "passivedataports": "61000-61100"}

    # --- common parts ---
    def policy(self, certificates, certificate):
        return {
            "version": 1,
            "daemon": {"workers": 1, "log": {"level": "debug"}},
            "keyrings": {"ftpd": {"certificates": [certificate]}},
            "tls_actions": {"server": {"keyring": "ftpd"}},
            "ftp_actions": {"standard": self.ftp()},
            "backends": {"legacy": self.backend()},
            "listeners": self.listeners(),
            "nat": self.nat(),
            "rules": {"everyone": {"tls": "server", "ftp": "standard", "backend": "legacy"}},
        }

    def address(self, listener):
        return self.dialled[self.family], {"explicit": 21, "implicit": 990}[listener]

    def counted(self):
        return self.hosts[self.counting].counter()

    def close(self, check=True):
        try:
            if self.gateway and check:
                self.gateway.stop()
            elif self.gateway:
                self.gateway.kill()
        finally:
            if self.server:
                self.server.stop()
            for host in self.hosts.values():
                host.close()
            shutil.rmtree(self.folder, ignore_errors=True)


class OneHost(Edge):
    """A: attlsd and the server on one machine; an nftables set lets data connections in."""
    rules = "reverse-proxy.nft"

    def wire(self):
        client, gateway = self.host("client"), self.host("gateway")
        netns.join(client, gateway, both(CLIENT), both(OUTSIDE))

    def load(self):
        self.hosts["gateway"].nft(rules(self.rules))

    def start_server(self, name):
        with self.hosts["gateway"]:
            return servers.Server(name, LOOPBACK[self.family], 2121)

    @property
    def behind(self):
        return colon(LOOPBACK[self.family], 2121)

    def nat(self):
        return {"conntrack": "set", "nft_set": "inet attlsd data"}


class Expecting(Edge):
    """B: a separate gateway with a drop policy and kernel expectations."""
    rules = "gateway-expect.nft"


class Inline(Edge):
    """C: transparent on the router; the server sees the client."""
    rules = "inline.nft"
    dialled = SERVER

    def wire(self):
        super().wire()
        self.hosts["gateway"].forward()
        divert(self.hosts["gateway"])

    def listeners(self):
        at = LOOPBACK[self.family]
        return {"explicit": {"address": colon(at, 2121), "transparent": True},
                "implicit": {"address": colon(at, 2990), "tls": "implicit", "transparent": True}}

    def backend(self):
        return {"address": "original", "source": "client"}


class InlineSnat(Inline):
    """D: the same, for servers without a route to the clients."""
    rules = "inline-snat.nft"

    def wire(self):
        super().wire()
        self.hosts["far"].ip("route", "del", "default")
        self.hosts["far"].ip("-6", "route", "del", "default")


class Range(Edge):
    """E: a static port range."""
    rules = "static-range.nft"

    def load(self):
        self.hosts["gateway"].nft(rules(self.rules))

    def nat(self):
        return {"conntrack": "off"}


class Firewalled(Edge):
    """F: a firewall between client and gateway that reads FTP after CCC."""
    rules = "firewall-ccc.nft"
    translate = False
    dialled = SERVER
    counting = "firewall"

    def wire(self):
        client, firewall, gateway = self.host("client"), self.host("firewall"), self.host("gateway")
        netns.join(client, firewall, both(CLIENT), both(OUTSIDE))
        netns.join(firewall, gateway, both(INSIDE), both(SERVER))
        client.route(*OUTSIDE.values())
        gateway.route(*INSIDE.values())
        firewall.forward()

    def load(self):
        self.hosts["firewall"].nft(rules(self.rules, outside='"client"', inside='"gateway"'))
        if self.translate:
            self.hosts["firewall"].nft(rules("firewall-ccc-nat.nft", outside='"client"', inside='"gateway"'))

    def start_server(self, name):
        with self.hosts["gateway"]:
            return servers.Server(name, LOOPBACK[self.family], 2121)

    @property
    def behind(self):
        return colon(LOOPBACK[self.family], 2121)

    def listeners(self):
        return {"explicit": {"address": colon(SERVER[self.family], 21)}}

    def nat(self):
        return {"conntrack": "off"}

    def ftp(self):
        return {**super().ftp(), "secure_ctrlconn": "clear"}


class Translated(Firewalled):
    """F with NAT: the gateway is behind DNAT, and nf_nat_ftp rewrites addresses after CCC."""
    translate = True
    dialled = OUTSIDE


def divert(host):
    """The routing rules for mark 1 from contrib/nftables/inline.nft."""
    for family, everywhere in ([], "0.0.0.0/0"), (["-6"], "::/0"):
        host.ip(*family, "rule", "add", "fwmark", "1", "lookup", "100")
        host.ip(*family, "route", "add", "local", everywhere, "dev", "lo", "table", "100")

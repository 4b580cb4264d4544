"""
Clients in the clear whose connections to a partner's server are redirected to attlsd, which speaks TLS with that server:
neither the client nor the server knows of it. The rule set is the one that contrib/nftables has for this.
"""
import pytest

import netns
import outbound
import tls_servers
import topology


class Outward(topology.Inline):
    """The client is inside and dials the partner's address; attlsd dials it from its own, under TLS."""

    rules = "outbound.nft"
    hostname = "localhost"
    port, listens, implicit = 21, 2121, False  # the port that clients dial, and where the rule set sends them

    def __init__(self, certificates, certificate, *args):
        self.certificate = certificate
        super().__init__(certificates, certificate, *args)

    def wire(self):
        super().wire()
        self.hosts["far"].ip("route", "del", "default")
        self.hosts["far"].ip("-6", "route", "del", "default")

    def load(self):
        self.hosts["gateway"].nft(topology.rules(self.rules, inside='"client"', outside='"far"'))

    def start_server(self, name):
        with self.hosts["far"]:
            return tls_servers.TlsServer(name, self.certificate, topology.SERVER[self.family], self.implicit, port=self.port)

    def backend(self):
        return {}

    def policy(self, certificates, certificate):
        tree = super().policy(certificates, certificate)
        at = topology.LOOPBACK[self.family]
        backend = {"address": "original", "source": "gateway", "tls": "out", "hostname": self.hostname, **self.backend()}
        return {**tree, "keyrings": {"partners": {"trust": certificates.ca.pem}},
                "tls_actions": {"out": {"handshake_role": "client", "keyring": "partners"}},
                "ftp_actions": {"clear": {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear",
                                          "passivedataports": "61000-61100"}},
                "backends": {"partner": backend},
                "listeners": {"clear": {"address": topology.colon(at, self.listens), "transparent": True, "tls": "none"}},
                "rules": {"outward": {"direction": "outbound", "ftp": "clear", "backend": "partner"}}}


class Implicit(Outward):
    """Clients in the clear dial port 990; the server begins with TLS there."""
    port, listens, implicit = 990, 2990, True

    def backend(self):
        return {"secure_mechanism": "implicit", "secure_session_reuse": "required"}


class Listed(Outward):
    """Only a server at the address of this name may be dialled, and this one is not."""

    def backend(self):
        return {"hosts": ["localhost"]}


class Elsewhere(Outward):
    hostname = "partner.example"


@pytest.mark.parametrize("make, family, name", [(Outward, "IPv4", "pyftpdlib"), (Outward, "IPv6", "pyftpdlib"),
                                                (Implicit, "IPv4", "vsftpd"), (Implicit, "IPv6", "vsftpd")])
def test_a_redirected_client_reaches_its_server_under_tls(edges, folder, make, family, name):
    edge = edges(make, family, name)
    address = topology.SERVER[family], make.port
    with edge.client:
        files = outbound.with_ftplib(address, edge.server.user, edge.server.password, edge.server.where, folder)
    up = edge.gateway.event("server-tls", hostname="localhost")
    assert up.keys["address"] == topology.colon(*address) and up.keys["client"].startswith(("198.51.100.7", "[2001:db8:1::7]"))
    assert files


def test_the_name_of_the_policy_counts(edges):
    edge = edges(Elsewhere, "IPv4", "pyftpdlib")
    with edge.client, pytest.raises(Exception, match="^421"):
        outbound.connect((topology.SERVER["IPv4"], 21), "user", "word")
    assert "hostname mismatch" in edge.gateway.event("server-tls-failed", hostname="partner.example").keys["reason"]


def test_a_server_that_is_not_listed_is_not_dialled(edges):
    edge = edges(Listed, "IPv4", "pyftpdlib")
    with edge.client, pytest.raises(Exception, match="^421"):
        outbound.connect((topology.SERVER["IPv4"], 21), "user", "word")
    assert "hosts" in edge.gateway.event("server-down").keys["error"]
    assert not edge.gateway.seen("server-tls")

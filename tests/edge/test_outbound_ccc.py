"""
CCC toward a server: a firewall between attlsd and the server reads the ports that it could not read under TLS.

    [ client in the clear, attlsd ] ----- firewall with the helper ----- [ server with TLS: another attlsd ]
"""
import os

import pytest

import backend as backends
import client as clients
import gateway as gateways
import netns
import topology

FILES = {"hello.txt": b"hello, world\r\n", "big": bytes(range(256)) * 2000}
FTP_PORT = 21
CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "datatimeout": "1s"}


class Path:
    """The hosts, and the two gateways."""

    def __init__(self, network, certificates, certificate, folder, family, **backend):
        self.near, self.firewall, self.far = network("near", "firewall", "far")
        netns.join(self.near, self.firewall, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
        netns.join(self.firewall, self.far, topology.both(topology.INSIDE), topology.both(topology.SERVER))
        self.near.route(*topology.OUTSIDE.values())
        self.far.route(*topology.INSIDE.values())
        self.firewall.forward()
        self.firewall.nft(topology.rules("firewall-ccc.nft", outside='"near"', inside='"far"'))
        self.running, self.folder = [], folder
        server = topology.SERVER[family]
        with self.far:
            self.legacy = backends.Backend(files=dict(FILES))
            self.start("server", gateways.policy(
                certificates, self.legacy.address,  # ccc_prime: most servers have nothing like it
                {"secure_ctrlconn": "clear", "secure_session_reuse": "required", "datatimeout": "1s", "ccc_prime": "off"},
                keyrings={"ftpd": {"certificates": [certificate]}},
                listeners={"explicit": {"address": topology.colon(server, FTP_PORT)}, "implicit": None}))
        with self.near:
            self.gateway = self.start("gateway", gateways.policy(
                certificates, (server, FTP_PORT), CLEAR, keyrings={"outer": {"trust": certificates.ca.pem}},
                tls_actions={"outer": {"handshake_role": "client", "keyring": "outer"}},
                backends={"legacy": {"address": topology.colon(server, FTP_PORT), "tls": "outer", "secure_ctrlconn": "clear",
                                     "secure_session_reuse": "required", **backend}},
                listeners={"explicit": {"tls": "none"}, "implicit": None}, rules={"everyone": {"tls": None}}))

    def start(self, name, tree):
        where = os.path.join(self.folder, name)
        os.mkdir(where)
        self.running.append(gateways.Gateway(where, tree))
        return self.running[-1].ready()

    def close(self):
        self.legacy.close()
        for gateway in reversed(self.running):
            gateway.stop()


@pytest.fixture
def path(network, certificates, edge_certificate, folder):
    made = []

    def make(family, **backend):
        made.append(Path(network, certificates, edge_certificate, folder, family, **backend))
        return made[-1]
    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("way", ["passive", "active"])
def test_the_firewall_sees_each_port(path, family, way):
    """The first data connection as well as later ones, so the first line in the clear is none that names a port."""
    at = path(family, ccc="after_login", data=way)
    with at.near:
        for mode in "PASV", "PORT":
            with clients.Client(at.gateway.explicit) as c:
                c.login()
                assert c.get("big", mode) == FILES["big"]
                assert c.put("up", FILES["big"], mode).code == 226
                assert at.legacy.upload("up") == (FILES["big"], "fin")
    assert at.firewall.counter() == 4


def test_without_ccc_it_sees_none(path):
    """The firewall drops what it does not know, and the client is told so."""
    at = path("IPv4", data="active")
    with at.near, clients.Client(at.gateway.explicit) as c:
        c.login().pasv()
        c.expect("RETR hello.txt", 150)
        assert c.reply().code == 425
    assert at.firewall.counter() == 0

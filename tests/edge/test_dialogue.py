"""FTP dialogues at the edge: the addresses that each side sees, and the expectations that come and go."""
import os
import socket

import pytest

import backend as backends
import client as clients
import net
import test_metrics
import topology

FILES = {"hello.txt": b"hello, world\r\n", "big": bytes(range(256)) * 2000}
MODES = {"IPv4": ["PASV", "EPSV", "PORT", "EPRT"], "IPv6": ["EPSV", "EPRT"]}
FAMILIES = pytest.mark.parametrize("family", ["IPv4", "IPv6"])


@pytest.fixture
def scripted(certificates, edge_certificate):
    """scripted(TOPOLOGY, family, script, **policy): a topology around a scripted server, `edge.legacy`."""
    made = []

    def make(kind, family="IPv4", script=None, **change):
        def start(edge, _):
            at, _, port = edge.behind.rpartition(":")
            where = "far" if "far" in edge.hosts else "gateway"
            with edge.hosts[where]:
                edge.legacy = backends.Backend(at.strip("[]"), dict(FILES), int(port), **(script or {}))
            return None
        made.append(type(kind.__name__, (kind,), {"start_server": start})(certificates, edge_certificate, family, "scripted", **change))
        return made[-1]
    yield make
    for edge in made:
        edge.legacy.close()
        edge.close()


def login(edge, level="P", listener="explicit"):
    c = clients.Client(edge.address(listener), implicit=listener == "implicit")
    if listener == "explicit":
        c.auth()
    return c.login().prot(level)


@FAMILIES
@pytest.mark.parametrize("way", ["passive", "active"])
@pytest.mark.parametrize("listener", ["explicit", "implicit"])
def test_nobody_sees_the_gateway(scripted, family, way, listener):
    edge = scripted(topology.Inline, family, backends_data(way))
    with edge.hosts["client"]:
        with login(edge, listener=listener) as c:
            server, peer = topology.SERVER[family], topology.CLIENT[family]
            for mode in MODES[family]:
                assert c.get("big", mode) == FILES["big"]
                assert c.put("up", FILES["big"], mode).code == 226
                assert edge.legacy.upload("up") == (FILES["big"], "fin")
            seen = edge.legacy.session()
            assert seen.peer[0] == peer and seen.sock.getsockname()[:2] == (server, 21)
            ends = {data_peer[0] for data_peer in seen.dialled}
            assert ends == ({peer} if way == "passive" else set())
            if way == "active":
                assert seen.target[0] == peer and {verb for verb in edge.legacy.verbs()} & {"PORT", "EPRT"}


def backends_data(way):
    """A script that leaves the gateway only one way to open data connections."""
    return {} if way == "passive" else {"EPSV": "502 no", "PASV": "502 no"}


@FAMILIES
def test_active_data_comes_from_the_server_and_port_20(scripted, family):
    edge = scripted(topology.Inline, family)
    with edge.hosts["client"], login(edge) as c, net.listen(topology.CLIENT[family]) as listener:
        c.eprt(listener)
        c.expect("RETR hello.txt", 125, 150)
        sock, peer = listener.accept()
        assert peer[:2] == (topology.SERVER[family], 20)
        assert c.wrap(sock).read_all() == FILES["hello.txt"]
        assert c.reply().code == 226


@FAMILIES
@pytest.mark.parametrize("kind", [topology.Expecting, topology.Inline], ids=lambda kind: kind.__name__)
def test_the_life_of_an_expectation(scripted, family, kind):
    edge = scripted(kind, family)
    gateway = edge.hosts["gateway"]

    def listed():
        """The expectations of this client's control connection, without those of the helper on the connection to the server."""
        return [line for line in gateway.expectations(family) if f" sport={c.sock.getsockname()[1]} dport=21 " in line]
    with edge.hosts["client"]:
        c = login(edge)
        assert not listed()
        host, port = c.epsv()
        assert len(listed()) == 1 and f"dport={port} " in listed()[0]
        c.epsv()  # a new expectation replaces the old one
        assert len(listed()) == 1
        data = c.open("RETR hello.txt", "EPSV")
        assert data.read_all() == FILES["hello.txt"] and c.reply().code == 226
        assert not listed(), "used up"
        c.epsv()
        assert len(listed()) == 1
        c.expect("ABOR", 225, 226)
        c.expect("REIN", 220)
        net.until(lambda: not listed(), "REIN withdraws")
        c = login(edge)
        c.epsv()
        assert len(listed()) == 1
        source = c.sock.getsockname()[1]
        c.sock.close()
        net.until(lambda: f" sport={source} dport=21 " not in str(gateway.expectations(family)), "the end of the session withdraws")


def test_what_gets_no_expectation(scripted):
    refused = {"PASV": "500 no", "EPSV": "500 no", "PORT": "500 no", "EPRT": "500 no"}
    edge = scripted(topology.Expecting, "IPv4", {"NOOP": "227 Entering Passive Mode (198,51,100,1,195,80)", **refused})

    def listed():
        """The expectations of the client's connection; on the connection to the server, the helper creates its own."""
        return [line for line in edge.hosts["gateway"].expectations() if "master-src=198.51.100.7" in line]
    with edge.hosts["client"]:
        with clients.Client(edge.address("explicit")) as c:
            c.auth()
            for command in "PASV", "EPSV", "PORT 198,51,100,7,195,80":
                assert c.cmd(command).code >= 500 and not listed(), "before login"
            c.login().prot("P")
            for command in ("PASV", "EPSV", *("PORT " + where for where in (
                    "198,51,100,8,195,80", "192,0,2,10,195,80", "127,0,0,1,195,80", "198,51,100,7,3,255", "198,51,100,7,0,22"))):
                assert c.cmd(command).code >= 400 and not listed(), command
            assert c.cmd("NOOP").code == 421 and not listed(), "a 227 that nobody asked for"


@pytest.mark.parametrize("content", [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nPORT 198,51,100,7,195,80\r\nEPRT |1|198.51.100.7|50000|\r\n",
    b"A" * 1460 + b"PORT 198,51,100,7,195,80\r\n"], ids=["HTTP", "aligned to a segment"])
def test_nat_slipstreaming(scripted, content):
    edge = scripted(topology.Expecting)
    with edge.hosts["client"]:
        with net.dial(edge.address("explicit")) as sock:
            sock.recv(100)
            sock.sendall(content)
            assert sock.recv(100)[:1] in (b"", b"5", b"4"), "refused, or the end"
    lines = [line for line in edge.hosts["gateway"].expectations() if "dport=50000" in line]
    assert not lines


@FAMILIES
def test_no_helper_is_told_once_and_hurts_nobody_else(scripted, family):
    edge = scripted(topology.Expecting, family)
    gateway = edge.hosts["gateway"]
    gateway.nft("flush chain inet attlsd helper\nadd rule inet attlsd input tcp dport 61000-61100 accept\n")
    with edge.hosts["client"]:
        for _ in range(2):
            with login(edge) as c:
                for _ in range(2):
                    assert c.get("hello.txt", "EPSV") == FILES["hello.txt"]
    edge.gateway.event("announce-failed")
    told = edge.gateway.seen("announce-failed")
    assert len(told) == 1 and 'ct helper set' in told[0].keys["fix"]


@FAMILIES
def test_the_life_of_an_element(scripted, family):
    edge = scripted(topology.OneHost, family)
    gateway = edge.hosts["gateway"]
    name = "data6" if family == "IPv6" else "data"

    def elements():
        (found,) = (item["set"] for item in gateway.nft_json(f"set inet attlsd {name}") if "set" in item)
        return [element["elem"]["val"]["concat"] if "elem" in element else element["concat"] for element in found.get("elem", [])]
    with edge.hosts["client"]:
        c = login(edge)
        assert elements() == []
        _, port = c.epsv()
        assert elements() == [[topology.CLIENT[family], topology.OUTSIDE[family], port]]
        assert c.get("hello.txt", "EPSV") == FILES["hello.txt"]
        net.until(lambda: elements() == [], "used up")
        c.epsv()
        c.sock.close()
        net.until(lambda: elements() == [], "the end of the session withdraws")


def after_ccc(edge):
    c = login(edge)
    c.expect("CCC", 200)
    assert c.tls.recv() == b""
    c.tls.notify()
    c.buffer, c.tls = c.tls.rest(), None
    return c


@pytest.mark.parametrize("family, verb", [("IPv4", "PASV"), ("IPv4", "EPSV"), ("IPv6", "EPSV")])
@pytest.mark.parametrize("kind", [topology.Firewalled, topology.Translated], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("prime", ["auto", "off"])
def test_priming_the_firewall(scripted, family, kind, prime, verb):
    """The first cleartext line is the 227 or 229. (If the last record happens to end in 0x0A, even `off` passes.)"""
    edge = scripted(kind, family, ftp_actions={"standard": {"ccc_prime": prime}})
    passed = 0
    with edge.hosts["client"]:
        for _ in range(4):
            with after_ccc(edge) as c:
                at = c.pasv() if verb == "PASV" else c.epsv()
                try:
                    sock = socket.create_connection(at, timeout=0.7)
                except OSError:
                    continue
                c.expect("RETR hello.txt", 125, 150)
                assert clients.Tls(sock, c.ctx, session=c.control_session).read_all() == FILES["hello.txt"]
                assert c.reply().code == 226
                passed += 1
    assert passed == 4 if prime == "auto" else passed < 4


@FAMILIES
@pytest.mark.parametrize("kind", [topology.Inline, topology.InlineSnat, topology.Expecting], ids=lambda kind: kind.__name__)
def test_the_server_opens_data_connections(edges, folder, kind, family):
    """data: active. The helper on the connection to the server reads cleartext FTP and lets data connections in."""
    edge = edges(Active[kind], family)
    with open(os.path.join(edge.server.files, "hello"), "wb") as f:
        f.write(FILES["big"])
    before = edge.counted()
    with edge.hosts["client"]:
        c = clients.Client(edge.address("explicit")).auth()
        c.login(edge.server.user, edge.server.password).prot("P")
        for mode in MODES[family]:
            assert c.get(edge.server.where + "hello", mode) == FILES["big"]
        c.close()
    passive = len(MODES[family]) // 2
    assert edge.counted() - before == len(MODES[family]) + passive


def active(kind):
    return type("Active" + kind.__name__, (kind,), {"backend": lambda self: {**kind.backend(self), "data": "active"}})


Active = {kind: active(kind) for kind in (topology.Inline, topology.InlineSnat, topology.Expecting)}


OUTCOMES = "used", "withdrawn", "refused", "expired"


def ended(edge):
    """How many ended in which way; the others must be in the kernel, beside those that its helper makes for the server's side."""
    samples = test_metrics.samples(edge.gateway)
    told = {how: samples.sum("expectations_ended_total", outcome=how) for how in OUTCOMES}
    waiting = [line for line in edge.hosts["gateway"].expectations(edge.family) if f"master-src={topology.CLIENT[edge.family]} " in line]
    assert samples.sum("expectations_total") == sum(told.values()) + len(waiting)
    return told


@FAMILIES
def test_what_becomes_of_expectations_is_counted(scripted, folder, family):
    edge = scripted(topology.Expecting, family, daemon={"control_socket": os.path.join(folder, "control.sock")})
    with edge.hosts["client"], login(edge) as c:
        assert c.get("hello.txt", "EPSV") == FILES["hello.txt"]
        c.epsv()
        c.epsv()  # the port before is given up
        assert ended(edge) == {"used": 1, "withdrawn": 1, "refused": 0, "expired": 0}
    net.until(lambda: ended(edge) == {"used": 1, "withdrawn": 2, "refused": 0, "expired": 0}, "the session has taken its port along")
    edge.hosts["gateway"].nft("flush ruleset")  # no helper
    with edge.hosts["client"], login(edge) as c:
        c.epsv()
        assert ended(edge) == {"used": 1, "withdrawn": 2, "refused": 1, "expired": 0}
    edge.gateway.event("announce-failed")

"""The behaviour of the kernel that attlsd relies on, tested without attlsd: one fact per test."""
import errno
import ftplib
import io
import socket

import pytest

import expect
import net
import netns
import servers
import topology

FTP_PORT = 21
SOON = 0.7  # time to wait for a packet that a firewall drops


@pytest.fixture
def line(network):
    """client - firewall with the helper - server; only FTP may pass."""
    client, firewall, far = network("client", "firewall", "far")
    netns.join(client, firewall, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
    netns.join(firewall, far, topology.both(topology.INSIDE), topology.both(topology.SERVER))
    client.route(*topology.OUTSIDE.values())
    far.route(*topology.INSIDE.values())
    firewall.forward()
    firewall.nft(topology.rules("firewall-ccc.nft", outside='"client"', inside='"far"'))
    return client, firewall, far


@pytest.fixture
def real(line):
    """A real server at the far end."""
    running = []

    def start(family, name="vsftpd"):
        with line[2]:
            try:
                running.append(servers.Server(name, topology.SERVER[family], FTP_PORT))
            except servers.Unavailable as reason:
                pytest.skip(str(reason))
        return running[0]
    yield start
    for server in running:
        server.stop()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
@pytest.mark.parametrize("translate", [False, True], ids=["routed", "nat"])
def test_the_helper_opens_ports_for_clear_ftp(line, real, family, passive, translate):
    client, firewall, _ = line
    if translate:
        firewall.nft(topology.rules("firewall-ccc-nat.nft", outside='"client"', inside='"far"'))
    server = real(family)
    server.put("hello", b"hello")
    with client:
        ftp = ftplib.FTP(timeout=net.DEADLINE)
        ftp.connect((topology.OUTSIDE if translate else topology.SERVER)[family], FTP_PORT)
        ftp.login(server.user, server.password)
        ftp.set_pasv(passive)
        ftp.trust_server_pasv_ipv4_address = True
        got = io.BytesIO()
        ftp.retrbinary(f"RETR {server.where}hello", got.write)
        ftp.quit()
    assert got.getvalue() == b"hello"
    assert firewall.counter() == 1


def data_passes(line, segments, family="IPv4", port=50020):
    """
    Send a dialogue in segments, [(sender, bytes)]; does the firewall then let the client connect to `port`? Each segment
    is sent after the peer has read the previous one, so none is merged or split on the path.
    """
    client, _, far = line
    at = topology.SERVER[family]

    def listen(number):
        s = socket.create_server((at, number), family=socket.AF_INET6 if ":" in at else socket.AF_INET)
        s.settimeout(net.DEADLINE)
        return s
    with far:
        control, data = listen(FTP_PORT), listen(port)
    with client:
        near = net.dial((at, FTP_PORT))
    there, _ = control.accept()
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    passed = True
    with client:
        try:
            for sender, content in segments:
                a, b = (near, there) if sender == "client" else (there, near)
                a.sendall(content)
                b.settimeout(SOON)
                got = b""
                while len(got) < len(content):
                    got += b.recv(len(content) - len(got))
            socket.create_connection((at, port), timeout=SOON).close()
        except TimeoutError:
            passed = False
    for s in near, there, control, data:
        s.close()
    return passed


RECORD = bytes.fromhex("1703030013") + b"\xaa" * 18
PASV, PASV_REPLY = ("client", b"PASV\r\n"), ("server", b"227 Entering Passive Mode (192,0,2,10,195,100)\r\n")
EPSV, EPSV_REPLY = ("client", b"EPSV\r\n"), ("server", b"229 Entering Extended Passive Mode (|||50020|)\r\n")
GREETING = [("server", b"220 Hello\r\n"), ("client", b"AUTH TLS\r\n"), ("server", b"234 Go\r\n")]
ENCRYPTED = [("client", RECORD + b"\xbb"), ("server", RECORD + b"\xbb")]
WITH_LF = [("client", RECORD + b"\n"), ("server", RECORD + b"\n")]
PRIMED = [("server", b"227-Entering Passive Mode\r\n"), PASV_REPLY]

# (name, segments after the greeting, whether the data connection passes). The helper reads a segment only if the
# previous one in the same direction ended with a line end; it drops a segment that ends inside a 227.
AFTER_CCC = [
    ("clear from the start", [PASV, PASV_REPLY], True),
    ("227 is the first clear line", [*ENCRYPTED, PASV, PASV_REPLY], False),
    ("229 is the first clear line", [*ENCRYPTED, EPSV, EPSV_REPLY], False),
    ("another reply first, then 227", [*ENCRYPTED, ("client", b"NOOP\r\n"), ("server", b"200 Yes\r\n"), PASV, PASV_REPLY], True),
    ("another reply first, then 229", [*ENCRYPTED, ("client", b"PWD\r\n"), ("server", b'257 "/"\r\n'), EPSV, EPSV_REPLY], True),
    ("primed by a continuation line", [*ENCRYPTED, PASV, *PRIMED], True),
    ("primed in the same segment", [*ENCRYPTED, PASV, ("server", PRIMED[0][1] + PRIMED[1][1])], False),
    ("227 in two segments", [PASV, ("server", PASV_REPLY[1][:20]), ("server", PASV_REPLY[1][20:])], False),
    ("the last record ends in 0x0A", [*WITH_LF, PASV, PASV_REPLY], True),
]


@pytest.mark.parametrize("segments, passes", [row[1:] for row in AFTER_CCC], ids=[row[0] for row in AFTER_CCC])
def test_what_the_helper_reads_after_ccc(line, segments, passes):
    assert data_passes(line, GREETING + segments) is passes


@pytest.fixture
def pair(network):
    """client - gateway with the rules for expectations."""
    client, gateway = network("client", "gateway")
    netns.join(client, gateway, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
    gateway.nft(topology.rules("gateway-expect.nft", outside='"client"', inside='"none"'))
    return client, gateway


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("expected", [True, False], ids=["expected", "not expected"])
def test_an_expectation_lets_the_data_connection_in(pair, family, expected):
    """The helper cannot read the control connection: bytes that look like TLS, on port 990."""
    client, gateway = pair
    at, peer = topology.OUTSIDE[family], topology.CLIENT[family]
    with gateway:
        control, data = (socket.create_server((at, port), family=socket.AF_INET6 if ":" in at else socket.AF_INET)
                         for port in (990, 60001))
    with client:
        near = net.dial((at, 990))
    there, (_, source, *_) = control.accept()
    near.sendall(RECORD)
    there.recv(100)
    if expected:
        with gateway:
            expect.create((peer, source), (at, 990), peer, (at, 60001))
        assert len(gateway.expectations(family)) == 1
    with client:
        try:
            socket.create_connection((at, 60001), timeout=SOON).close()
            passed = True
        except TimeoutError:
            passed = False
    assert passed is expected
    assert gateway.counter() == int(expected)
    for s in near, there, control, data:
        s.close()


def test_no_expectation_without_a_helper(network):
    client, gateway = network("client", "gateway")
    netns.join(client, gateway, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
    gateway.nft("table inet t {\nchain c {\ntype filter hook input priority 0; ct state new accept\n}\n}\n")  # makes the kernel track connections
    at, peer = topology.OUTSIDE["IPv4"], topology.CLIENT["IPv4"]
    with gateway:
        control = socket.create_server((at, 990))
    with client:
        near = net.dial((at, 990))
    _, (_, source) = control.accept()
    with gateway, pytest.raises(OSError) as refused:
        expect.create((peer, source), (at, 990), peer, (at, 60001))
    assert refused.value.errno == errno.EOPNOTSUPP
    near.close()
    control.close()


def listening(address, port, transparent):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if transparent:
        s.setsockopt(socket.IPPROTO_IPV6 if ":" in address else socket.IPPROTO_IP, 75 if ":" in address else 19, 1)
    s.settimeout(net.DEADLINE)
    s.bind((address, port))
    s.listen(5)
    return s


@pytest.fixture
def router(network):
    """client - router with the rules of inline.nft - server."""
    client, gateway, far = network("client", "gateway", "far")
    netns.join(client, gateway, topology.both(topology.CLIENT), topology.both(topology.OUTSIDE))
    netns.join(gateway, far, topology.both(topology.INSIDE), topology.both(topology.SERVER))
    client.route(*topology.OUTSIDE.values())
    far.route(*topology.INSIDE.values())
    gateway.forward()
    topology.divert(gateway)
    gateway.nft(topology.rules("inline.nft", outside='"client"', inside='"far"'))
    return client, gateway, far


# With src_valid_mark, the kernel also looks up the route back to the client in table 100, where every address belongs to
# this host. So the client's packets are martians, even without strict rp_filter. (wg-quick sets src_valid_mark.)
MARKED = {"net.ipv4.conf.all.src_valid_mark": 1}


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("settings, works", [
    ({}, True), ({"net.ipv4.ip_forward": 0}, True), ({"net.ipv4.conf.all.rp_filter": 1}, True),
    ({"net.ipv4.conf.all.rp_filter": 2}, True), (MARKED, "IPv6"), ({**MARKED, "net.ipv4.conf.all.rp_filter": 2}, "IPv6"),
    ({**MARKED, "net.ipv4.conf.all.rp_filter": 1}, "IPv6"), ({**MARKED, "net.ipv4.conf.all.accept_local": 1}, True)],
    ids=["default", "no forwarding", "strict", "loose", "marked", "loose and marked", "strict and marked",
         "marked, local accepted"])
def test_both_legs_of_a_transparent_connection(router, family, settings, works):
    client, gateway, far = router
    gateway.sysctl(**settings)
    loopback, server, peer = topology.LOOPBACK[family], topology.SERVER[family], topology.CLIENT[family]
    with gateway:
        proxy = listening(loopback, 2121, True)
        proxy.settimeout(SOON)
    with far:
        behind = listening(server, 21, False)
        behind.settimeout(SOON)
    result = True
    try:
        with client:
            near = socket.create_connection((server, 21), timeout=SOON)
        middle, _ = proxy.accept()
        assert middle.getsockname()[:2] == (server, 21), "the accepted socket has the address that was dialled"
        with gateway:
            out = socket.socket(middle.family)
            out.setsockopt(socket.IPPROTO_IPV6 if ":" in peer else socket.IPPROTO_IP, 75 if ":" in peer else 19, 1)
            out.bind((peer, 0))
            out.settimeout(SOON)
            out.connect((server, 21))
        there, seen = behind.accept()
        assert seen[0] == peer, "the server sees the client"
        there.sendall(b"220\r\n")
        assert out.recv(10) == b"220\r\n"
        middle.sendall(b"220\r\n")
        assert near.recv(10) == b"220\r\n"
    except TimeoutError:
        result = False
    assert result is (works is True or works == family)

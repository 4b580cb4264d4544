"""Socket activation: attlsd takes the listening sockets that its starter passes, as sd_listen_fds(3) describes."""
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

import client as clients
import gateway as gateways
import net
from upgrades import NEXT, Upgradable

IP_TRANSPARENT = getattr(socket, "IP_TRANSPARENT", 19)


def tcp(address="127.0.0.1", port=0, family=None, v6only=1, listen=True, reuse_port=False):
    sock = socket.socket(family or (socket.AF_INET6 if ":" in address else socket.AF_INET))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind((address, port))
    if listen:
        sock.listen(100)
    return sock


def unix(path, kind=socket.SOCK_SEQPACKET, mode=0o600):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(path)
    os.chmod(path, mode)
    sock.listen(10)
    return sock


def address_of(sock):
    """As a policy has it."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def becomes(sockets, names=None):
    """For a Gateway's preexec: become attlsd, with these sockets from descriptor 3 on."""
    def start(program, path):
        net.die_with_parent()
        high = [os.dup2(fd, 200 + i) for i, fd in enumerate(sockets)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)))
        if names:
            os.environ["LISTEN_FDNAMES"] = ":".join(names)
        os.execv(program, [program, "-f", path])
    return start


@pytest.fixture
def activate(certificates, folder, backend):
    """activate(sockets, ...) starts a gateway with sockets, which stay open here as in a service manager."""
    with contextlib.ExitStack() as stack:
        running = []

        def start(sockets, names=None, daemon=None, **change):
            for sock in sockets:
                if hasattr(sock, "close"):
                    stack.callback(sock.close)
            programs = os.path.join(folder, f"programs{len(running)}")
            os.mkdir(programs)
            tree = gateways.policy(certificates, backend.address, daemon={"control_socket": os.path.join(folder, "control"), **(daemon or {})}, **change)
            begin = becomes([sock if isinstance(sock, int) else sock.fileno() for sock in sockets], names)
            running.append(Upgradable(folder, tree, programs, lambda: begin(os.path.join(programs, "attlsd"), os.path.join(folder, "policy.yaml"))))
            return running[-1]
        yield start
        for gateway in running:
            if not gateway.process.stderr.closed:
                gateway.stop()


def listeners(**addresses):
    tls = {"implicit": {"tls": "implicit"}}
    return {name: addresses[name] and {"address": addresses[name], **tls.get(name, {})} for name in addresses}


def test_listeners_take_the_sockets_of_their_addresses(activate):
    explicit, implicit = tcp(), tcp("::1") if net.have_ipv6() else tcp()
    gateway = activate([explicit, implicit], listeners=listeners(explicit=address_of(explicit), implicit=address_of(implicit))).ready()
    assert gateway.explicit == explicit.getsockname()[:2] and gateway.implicit == implicit.getsockname()[:2]
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    with clients.implicit(gateway):
        pass
    assert not gateway.seen("socket-unused")


def test_clients_wait_while_nobody_listens(activate, backend, folder):
    """A connection that comes before the start, or between two attlsds, is served."""
    sock = tcp()
    early = socket.create_connection(sock.getsockname())
    gateway = activate([sock], listeners=listeners(explicit=address_of(sock), implicit=None)).ready()
    early.settimeout(net.DEADLINE)
    assert early.recv(4) == b"220 "
    gateway.stop()
    between = socket.create_connection(sock.getsockname())
    gateway = activate([sock], listeners=listeners(explicit=address_of(sock), implicit=None)).ready()
    between.settimeout(net.DEADLINE)
    assert between.recv(4) == b"220 "


@pytest.mark.parametrize("family, address, v6only, wanted, fault", [
    ("both families", "::", 0, "[::]", "takes IPv4, too; add BindIPv6Only=ipv6-only"),
    ("IPv4 of both", "::", 0, "0.0.0.0", "ListenStream=0.0.0.0"),
    ("another address", "0.0.0.0", 1, "127.0.0.1", "ListenStream=127.0.0.1"),
    ("IPv6 alone", "::", 1, "[::]", None),
])
def test_a_socket_that_takes_more_than_the_listener_is_not_taken(activate, family, address, v6only, wanted, fault):
    if not net.have_ipv6():
        pytest.skip("no IPv6 here")
    sock = tcp(address, v6only=v6only)
    port = sock.getsockname()[1]
    gateway = activate([sock], listeners=listeners(explicit=f"{wanted}:{port}", implicit=None))
    if fault is None:
        gateway.ready()
        return
    assert gateway.ended() == 1
    assert re.search(r'policy.yaml:\d+:\d+: listener "explicit" cannot listen on .*' + re.escape(fault), gateway.log), gateway.log


UNFIT = {
    "another port": (tcp, "no listener has this address"),
    "another address": (lambda: tcp("127.0.0.2"), "no listener has this address"),
    "a datagram socket": (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "takes no connections"),
    "a socket that does not listen": (lambda: tcp(listen=False), "does not listen"),
    "a pipe": (lambda: os.pipe()[0], "is not a socket"),
    "an abstract name": (lambda: unix_abstract(), "no path"),
}


def unix_abstract():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind("\0attlsd-test-%d" % os.getpid())
    sock.listen(1)
    return sock


@pytest.mark.parametrize("what", UNFIT)
def test_a_socket_without_a_use_is_reported(activate, what):
    make, reason = UNFIT[what]
    good, bad = tcp(), make()
    gateway = activate([bad, good], names=["other.socket", "attlsd.socket"], listeners=listeners(explicit=address_of(good), implicit=None)).ready()
    told = gateway.event("socket-unused")
    assert told.level == "warning" and reason in told.keys["reason"] and told.keys["fix"]
    assert told.keys["name"] == "other.socket" and told.keys["descriptor"] == "3"
    assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"


def test_a_near_miss_names_the_listener(activate):
    sock = tcp("127.0.0.2")
    port = sock.getsockname()[1]
    gateway = activate([sock], listeners=listeners(explicit=f"127.0.0.1:{port}", implicit=None)).ready()
    told = gateway.event("socket-unused")
    assert told.keys["address"] == f"127.0.0.2:{port}"
    assert told.keys["reason"] == f'no listener has this address; "explicit" has 127.0.0.1:{port}'
    assert told.keys["fix"] == f"ListenStream=127.0.0.1:{port} in the socket unit"


def test_two_sockets_of_one_address(activate):
    """Connections would spread over both."""
    first = tcp(reuse_port=True)
    second = tcp(port=first.getsockname()[1], reuse_port=True)
    gateway = activate([first, second], listeners=listeners(explicit=address_of(first), implicit=None)).ready()
    assert "another socket has the same address" in gateway.event("socket-unused").keys["reason"]


def test_a_transparent_listener_makes_its_socket_transparent(activate):
    """Socket units have Transparent=; without it, attlsd has the capability that this needs."""
    if os.geteuid() != 0:
        pytest.skip("needs CAP_NET_ADMIN")
    plain, already = tcp(), tcp()
    already.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    gateway = activate([plain, already], listeners={"explicit": {"address": address_of(plain), "transparent": True},
                                                    "implicit": {"address": address_of(already), "tls": "implicit"}}).ready()
    assert plain.getsockopt(socket.IPPROTO_IP, IP_TRANSPARENT) == 1
    assert already.getsockopt(socket.IPPROTO_IP, IP_TRANSPARENT) == 0, "nothing redirects to this one"
    assert not gateway.seen("socket-unused")


def test_reloads_come_and_go_with_sockets(activate):
    one, two = tcp(), tcp()
    addresses = {"one": address_of(one), "two": address_of(two)}

    def policy(*names):
        with open(gateway.path) as f:
            tree = json.load(f)
        tree["listeners"] = {name: {"address": addresses[name]} for name in names}
        return tree
    gateway = activate([one, two], listeners={"explicit": None, "implicit": None, "one": {"address": addresses["one"]}}).ready()
    assert gateway.event("socket-unused").keys["address"] == addresses["two"]
    for names, unused in ((("one", "two"), None), (("two",), "one"), (("one",), "two")):
        since = gateway.mark()
        assert gateway.reload(policy(*names)), gateway.log
        for name in names:
            with net.dial(one.getsockname() if name == "one" else two.getsockname()) as client:
                assert net.exactly(client, 4) == b"220 "
        gateway.status()
        if unused:
            gateway.event("socket-unused", since)
        assert [told.keys["address"] for told in gateway.seen("socket-unused", since)] == ([addresses[unused]] if unused else [])


def test_an_upgrade_keeps_them_all(activate):
    used, spare = tcp(), tcp()
    gateway = activate([used, spare], names=["used", "spare"], listeners=listeners(explicit=address_of(used), implicit=None)).ready()
    for _ in range(2):
        gateway.upgrade(NEXT)
        assert not gateway.ctl("reload", "--no-upgrade").returncode # ends the trial
        assert clients.explicit(gateway, "P").get("hello.txt") == b"hello, world\r\n"
    gateway.event("handed-over", count=2)
    gateway.event("socket-unused")
    assert {told.keys["name"] for told in gateway.seen("socket-unused")} == {"spare"}
    with open(gateway.path) as f:
        text = f.read()
    gateway.write(text.replace(address_of(used), address_of(spare)))
    assert not gateway.ctl("reload").returncode, gateway.log
    with net.dial(spare.getsockname()) as client:
        assert net.exactly(client, 4) == b"220 "


def test_the_control_socket_and_its_file_are_the_service_manager_s(activate, folder):
    path = os.path.join(folder, "control")
    tcp_sock, control = tcp(), unix(path)
    gateway = activate([tcp_sock, control], listeners=listeners(explicit=address_of(tcp_sock), implicit=None)).ready()
    assert gateway.status()["version"]
    assert not gateway.seen("socket-unused")
    gateway.upgrade(NEXT)
    assert gateway.status()["version"] == "9.9.9"
    gateway.stop()
    assert os.path.exists(path)


@pytest.mark.parametrize("kind, mode, fault", [
    (socket.SOCK_SEQPACKET, 0o666, "SocketMode=0600"),
    (socket.SOCK_SEQPACKET, 0o660, "SocketMode=0600"),
    (socket.SOCK_STREAM, 0o600, "ListenSequentialPacket="),
])
def test_a_control_socket_that_does_not_fit(activate, folder, kind, mode, fault):
    tcp_sock = tcp()
    gateway = activate([tcp_sock, unix(os.path.join(folder, "control"), kind, mode)], listeners=listeners(explicit=address_of(tcp_sock), implicit=None))
    assert gateway.ended() == 1
    assert re.search(r"policy.yaml:\d+:\d+: control_socket cannot be .*" + re.escape(fault), gateway.log), gateway.log


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=net.DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_the_http_socket(activate, folder, where):
    path = os.path.join(folder, "http")
    web = tcp() if where == "tcp" else unix(path, socket.SOCK_STREAM)
    sock = tcp()
    gateway = activate([sock, web], daemon={"http": path if where == "unix" else address_of(web)},
                       listeners=listeners(explicit=address_of(sock), implicit=None)).ready()
    for turn in range(2):
        gateway.event("http-started", count=turn + 1)
        connection = http.client.HTTPConnection(*web.getsockname(), timeout=net.DEADLINE) if where == "tcp" else Local(path)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
        if turn == 0:
            gateway.upgrade(NEXT)
    gateway.stop()
    assert where == "tcp" or os.path.exists(path)
    assert not gateway.seen("socket-unused")


def test_systemd_s_own_launcher(certificates, backend, folder):
    """systemd-socket-activate(1) starts attlsd with the first connection."""
    if not (program := shutil.which("systemd-socket-activate")):
        pytest.skip("no systemd-socket-activate: apt-get install systemd")
    port = net.free_port()
    tree = gateways.policy(certificates, backend.address, listeners=listeners(explicit=f"127.0.0.1:{port}", implicit=None))
    gateway = gateways.Launched(folder, tree, ":", program, "-l", f"127.0.0.1:{port}")
    end = time.monotonic() + net.DEADLINE
    while True: # it listens soon
        with contextlib.suppress(ConnectionRefusedError):
            client = net.dial(("127.0.0.1", port))
            break
        assert time.monotonic() < end
    assert net.exactly(client, 4) == b"220 "
    gateway.ready()
    assert not gateway.seen("socket-unused")
    client.close()
    gateway.stop()


@pytest.mark.parametrize("where, found", [
    ("same", "attlsd takes this socket if it is one of attlsd.socket"),
    ("other", "so attlsd cannot listen on 127.0.0.1:"),
    ("running", "listener explicit: attlsd (pid "),
])
def test_doctor_knows_sockets_of_systemd(activate, certificates, backend, folder, where, found):
    """A process of the name systemd holds the socket; attlsd gets it, or not."""
    sock = tcp("0.0.0.0" if where == "other" else "127.0.0.1")
    wanted = f"127.0.0.1:{sock.getsockname()[1]}"
    if where == "running":
        path = activate([sock], listeners=listeners(explicit=wanted, implicit=None)).ready().path
    else:
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, backend.address, listeners=listeners(explicit=wanted, implicit=None))))
    with open("/proc/self/comm") as f:
        before = f.read().strip()
    with open("/proc/self/comm", "w") as f:
        f.write("systemd")
    try:
        done = subprocess.run([net.ATTLSCTL, "doctor", "-f", path], capture_output=True, text=True, timeout=net.DEADLINE)
    finally:
        with open("/proc/self/comm", "w") as f:
            f.write(before)
    assert found in done.stdout, done.stdout

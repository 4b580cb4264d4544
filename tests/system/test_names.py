"""Names of servers: attlsd follows their addresses, as long as the DNS says that they are good."""
import os
import shlex
import socket
import struct
import threading

import pytest

import client as clients
import gateway as gateways
import net

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for files in /etc of its own")

SERVFAIL = 2
GENERATIONS_MAX = 8  # as in name-watch.c


class Dns:
    """A name server for every name: `addresses` with `ttl`, or the error `rcode`. `others`: names with other addresses; None: the error."""

    def __init__(self, addresses, ttl):
        self.addresses, self.ttl, self.rcode = addresses, ttl, 0
        self.others = {}
        self.queries = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = f"127.54.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"  # tests may run side by side
        self.socket.bind((self.address, 53))
        self.socket.settimeout(0.1)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.over.is_set():
            try:
                query, who = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            self.queries += 1
            end = query.index(b"\0", 12) + 5
            asks_a = query[end - 4:end - 2] == b"\0\1"
            name = query[13:13 + query[12]].decode()  # the first label will do
            addresses = self.others.get(name, self.addresses)
            rcode = SERVFAIL if addresses is None else self.rcode
            records = [b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", self.ttl, 4) + socket.inet_aton(a)
                       for a in addresses or [] if asks_a and not rcode]
            self.socket.sendto(query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(records), 0, 0) + query[12:end]
                               + b"".join(records), who)

    def close(self):
        self.over.set()
        self.thread.join()
        self.socket.close()

    def shell(self, folder):
        """Lines of shell that make this the only name server."""
        files = {"resolv.conf": f"nameserver {self.address}\noptions timeout:1 attempts:1\n", "hosts": "127.0.0.1 localhost\n",
                 "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}
        lines = []
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
            lines.append(f"mount --bind {shlex.quote(os.path.join(folder, name))} /etc/{name}")
        return "\n".join(lines)


@pytest.fixture
def dns():
    made = []

    def make(*addresses, ttl=1):
        made.append(Dns(list(addresses), ttl))
        return made[-1]
    yield make
    for server in made:
        server.close()


@pytest.fixture
def two(make_backend):
    """Two servers with the same port on different addresses."""
    first = make_backend(files={"who": b"first"})
    second = make_backend(host="127.0.0.2", port=first.address[1], files={"who": b"second"})
    return first, second


def launch_by_name(certificates, port, folder, dns, **change):
    tree = gateways.policy(certificates, ("server.example", port), **change)
    return gateways.Launched(folder, tree, dns.shell(folder), "unshare", "-m").ready()


def served_by(gateway):
    with clients.explicit(gateway, level="P") as c:
        return c.get("who")


def test_new_sessions_follow_a_name(certificates, two, folder, dns):
    """The policy's file is not read again: what somebody has begun to write there must not come into force."""
    server = dns("127.0.0.1")
    gateway = launch_by_name(certificates, two[0].address[1], folder, server)
    with clients.explicit(gateway, level="P") as old:
        assert old.get("who") == b"first"
        gateway.write("version: 1\nthis is not finished")
        server.addresses = ["127.0.0.2"]
        changed = gateway.event("name-changed", deadline=20)
        assert changed.keys == {"name": "server.example", "old": "127.0.0.1", "new": "127.0.0.2"}
        gateway.event("reloaded")
        assert served_by(gateway) == b"second"
        assert old.get("who") == b"first"  # a session stays with its server
    gateway.stop()


def test_a_name_that_is_not_found_keeps_its_address(certificates, two, folder, dns):
    server = dns("127.0.0.1")
    gateway = launch_by_name(certificates, two[0].address[1], folder, server)
    server.rcode = SERVFAIL
    failed = gateway.event("names-not-refreshed", deadline=20)
    assert "server.example" in failed.keys["step"]
    assert served_by(gateway) == b"first"
    assert not gateway.seen("name-changed")
    gateway.stop()


# what becomes of another server's name, the port there, and what the log says
BROKEN = [(None, 21, "cannot resolve"), (["127.0.0.1"], None, "attlsd would connect to itself")]


@pytest.mark.parametrize("becomes, port, error", BROKEN, ids=["not found", "attlsd itself"])
def test_a_broken_name_holds_no_other_back(becomes, port, error, certificates, two, folder, dns):
    """Whoever answers for the name of one server must not keep attlsd from following the names of others."""
    server, own = dns("127.0.0.1"), net.free_port()
    server.others["other"] = ["127.0.0.9"]
    gateway = launch_by_name(certificates, two[0].address[1], folder, server, listeners={"explicit": {"address": f"127.0.0.1:{own}"}},
                             backends={"other": {"address": f"other.example:{port or own}"}})
    server.others["other"] = becomes
    server.addresses = ["127.0.0.2"]
    failed = gateway.event("names-not-refreshed", deadline=20)
    assert failed.keys["step"] == "look up other.example" and error in failed.keys["error"]
    gateway.event("reloaded", deadline=20)
    assert served_by(gateway) == b"second"
    assert [event.keys["name"] for event in gateway.seen("name-changed")] == ["server.example"]
    gateway.stop()


def test_names_that_change_start_no_workers_without_end(certificates, two, folder, dns):
    """Each generation with a session lives on, and somebody else says how often a name changes."""
    server = dns("127.0.0.1")
    gateway = launch_by_name(certificates, two[0].address[1], folder, server)
    held = []
    for _ in range(GENERATIONS_MAX - 1):
        held.append(clients.explicit(gateway, level="P"))
        assert gateway.reload()
    server.addresses = ["127.0.0.2"]
    assert "sessions" in gateway.event("names-not-refreshed", deadline=20).keys["error"]
    assert not gateway.seen("name-changed")
    for session in held:
        session.close()
    gateway.event("name-changed", deadline=20)
    gateway.event("reloaded", count=GENERATIONS_MAX, deadline=20)
    assert served_by(gateway) == b"second"
    gateway.stop()


def test_the_order_of_addresses_is_no_change(certificates, two, folder, dns):
    server = dns("127.0.0.1", "127.0.0.2")
    gateway = launch_by_name(certificates, two[0].address[1], folder, server)
    asked = server.queries
    server.addresses.reverse()
    net.until(lambda: server.queries > asked + 3, "the name is looked up again", deadline=20)
    assert not gateway.seen("name-changed") and not gateway.seen("reloaded")
    gateway.stop()

"""daemon.http under load: ten thousand connections, readers that do not read, and requests that are too large."""
import contextlib
import resource
import select
import socket

import pytest

import client as clients
import net
import test_http

CONNECTIONS = 10_000
PER_ADDRESS, IN_ALL = 24, 96  # attlsd-http(8)
TURN = 50  # fewer than the kernel queues for a listening socket: it answers no more than that
OTHER = ("127.0.0.2", 0)  # another address than the flood's


@pytest.fixture
def served(launch, backend, folder):
    return test_http.start(launch, backend, folder)


@contextlib.contextmanager
def many_descriptors():
    """For this process only: attlsd has started."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 500
    if resource.RLIM_INFINITY != before[1] < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (before[0], wanted))
        except (ValueError, OSError):
            pytest.skip("may not open so many descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Flood:
    """Silent connections from 127.0.0.1. A turn ends when attlsd-http has closed those that it has no place for."""

    def __init__(self, at):
        self.at, self.socks, self.open, self.most = at, [], 0, 0
        self.poll = select.poll()

    def add(self, n):
        for _ in range(n):
            s = socket.socket()
            self.socks.append(s)
            s.setblocking(False)
            s.connect_ex(self.at)
            self.poll.register(s, select.POLLRDHUP)
            self.open += 1
        net.until(self.bounded, "an end of the connections beyond the limit", every=0)
        self.most = max(self.most, self.open)

    def bounded(self):
        for fd, _ in self.poll.poll(100):
            self.poll.unregister(fd)
            self.open -= 1
        return self.open <= PER_ADDRESS

    def close(self):
        for s in self.socks:
            s.close()


def metrics(gateway, source):
    """The whole answer."""
    with socket.create_connection(test_http.address(gateway), timeout=net.DEADLINE, source_address=source) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        found = b""
        while part := s.recv(65536):
            found += part
    assert found.startswith(b"HTTP/1.1 200 ") and b"\nattlsd_" in found, found[:200]
    return found


def test_ten_thousand_connections(served):
    """From one address: they get its places and no others, and sessions and scrapes go on meanwhile."""
    process = test_http.process(served)
    at = test_http.address(served)
    metrics(served, OTHER)
    with many_descriptors(), clients.explicit(served, level="P") as c:
        before, flood = net.descriptors(process), Flood(at)
        try:
            for turn in range(CONNECTIONS // TURN):
                flood.add(TURN)
                if turn % 50 == 0:
                    assert c.get("hello.txt") == b"hello, world\r\n"
                    metrics(served, OTHER)
                assert net.descriptors(process) <= before + IN_ALL
            assert len(flood.socks) == CONNECTIONS
            refused = served.event("http-refused", reason="too many connections from this address")
            assert refused.keys["client"].startswith("127.0.0.1")
        finally:
            flood.close()
        assert c.get("hello.txt") == b"hello, world\r\n"
    net.until(lambda: net.descriptors(process) <= before, "the end of the flood")
    metrics(served, ("127.0.0.1", 0))
    lines = served.seen("http-refused")
    assert len(lines) < 60 and sum(1 + int(e.keys.get("more", 0)) for e in lines) <= CONNECTIONS  # one a second
    assert test_http.process(served) == process and not served.seen("http-died")


def stalled(at, requests):
    """Asks so often that the answers do not fit into the kernel's buffers, and reads nothing."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(net.DEADLINE)
    s.connect(at)
    s.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * requests)
    return s


def test_peers_that_do_not_read(served):
    """They cost others nothing, and attlsd-http does not keep them. The page asks the monitor nothing: it fills the buffers soonest."""
    process = test_http.process(served)
    metrics(served, None)
    # a question to the monitor and the connection of metrics() may still be there
    few = []
    net.until(lambda: few.append(net.descriptors(process)) or len(few) == 100, "the least of a while")
    before = min(few)
    with clients.explicit(served, level="P") as c:
        slow = [stalled(test_http.address(served), 2000) for _ in range(8)]
        net.until(lambda: net.descriptors(process) >= before + len(slow), "the slow ones")
        metrics(served, None)
        assert c.get("hello.txt") == b"hello, world\r\n"
        net.until(lambda: net.descriptors(process) <= before, "the end of the slow ones")
        for s in slow:
            s.close()
    assert test_http.process(served) == process and not served.seen("http-died")


def test_a_scraper_that_reads_slowly_gets_everything(served):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.settimeout(net.DEADLINE)
        s.connect(test_http.address(served))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        found = b""
        while part := s.recv(256):
            found += part
            if len(found) % 16384 < len(part):
                metrics(served, OTHER)  # others do not wait for it
    head, _, body = found.partition(b"\r\n\r\n")
    (length,) = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    assert len(body) == length


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (414, 431)),
    (b"GET /metrics?" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (414, 431)),
    (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", (431,)),
    (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", (431,)),
    (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n" + b"z" * 1_000_000, (400,)),
    (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + b"z" * 1_000_000, (400,)),
    (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"z" * 1_000_000, (405,)),
], ids=["path", "query", "header", "headers", "body", "chunked", "post"])
def test_oversized_requests(served, request_bytes, status):
    """One answer that says why, and then the end."""
    with socket.create_connection(test_http.address(served), timeout=net.DEADLINE) as s:
        found = b""
        with contextlib.suppress(ConnectionError):
            s.sendall(request_bytes)
        with contextlib.suppress(ConnectionError):
            while part := s.recv(65536):
                found += part
    assert int(found.split()[1]) in status and found.count(b"HTTP/1.1 ") == 1, found[:300]
    assert test_http.get(served, "/healthz")[0] == 200
    assert not served.seen("http-died")

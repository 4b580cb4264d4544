"""Attackers at daemon.http: silent, slow and many peers, requests that smuggle, and the process itself taken over."""
import os
import re
import signal
import socket
import time

import pytest

import client as clients
import net
import test_http


@pytest.fixture
def served(launch, backend, folder):
    return test_http.start(launch, backend, folder)


def everything(sock):
    found = b""
    try:
        while part := sock.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def test_a_flood_of_silent_peers(served):
    """A health check gets its answer within the time of a silent peer, and sessions notice nothing."""
    at = test_http.address(served)
    with clients.explicit(served, level="P") as c:
        silent = [socket.create_connection(at, timeout=net.DEADLINE) for _ in range(60)]
        end = time.monotonic() + net.DEADLINE
        while True:
            try:
                assert test_http.get(served, "/healthz", at=at)[0] == 200
                break
            except OSError:  # too many from this address
                assert time.monotonic() < end
        assert c.get("hello.txt") == b"hello, world\r\n"
        for s in silent:
            s.close()
    assert not served.seen("http-died")


def test_a_request_that_trickles(served):
    """One byte at a time resets the time of silence, not that of the request."""
    with socket.create_connection(test_http.address(served), timeout=1) as s:
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begun < 15:
                s.sendall(b"G" if time.monotonic() == begun else b"x")
                try:
                    if s.recv(1) == b"":
                        raise ConnectionResetError
                except socket.timeout:
                    pass
        assert time.monotonic() - begun < 12


@pytest.mark.parametrize("request_bytes", [
    b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 46\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n    ",
    b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 42\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length : 42\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding\t: chunked\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\n\r\n",
    b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
    b"SSH-2.0-x\r\n" * 40, b"\r\n" * 5000, b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"])
def test_bad_requests(served, request_bytes):
    """None is answered with 200, and nothing after one that has a body is taken for a request."""
    with socket.create_connection(test_http.address(served), timeout=net.DEADLINE) as s:
        try:
            s.sendall(request_bytes)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = everything(s)
    assert b" 200 " not in answer, answer
    assert test_http.get(served, "/healthz")[0] == 200
    assert not served.seen("http-died")


def test_pipelined_requests_are_answered_in_order(served):
    with socket.create_connection(test_http.address(served), timeout=net.DEADLINE) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = everything(s)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200"]


def test_a_process_that_hangs_costs_no_session(served):
    pid = test_http.process(served)
    os.kill(pid, signal.SIGSTOP)
    with clients.explicit(served, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
    assert served.reload(served.tree)  # the next process takes over
    assert test_http.get(served, "/healthz", at=test_http.address(served))[0] == 200
    os.kill(pid, signal.SIGCONT)

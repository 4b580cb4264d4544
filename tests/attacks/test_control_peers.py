"""Peers of control_socket that pass descriptors whose close() waits for an hour (SO_LINGER): neither monitor nor worker may close them."""
import os
import socket
import struct
import subprocess

import pytest

import client as clients
import net
import test_control_group
import test_operator
from test_http_taken import assert_serves, lingering
from test_operator import path  # noqa: F401

WHATS = test_control_group.WHATS


@pytest.mark.parametrize("question", ["TRACE", "TRACE_LAST", "SESSIONS", "SERVERS", "EVENTS"])
def test_339_a_descriptor_after_the_question(launch, backend, path, question):
    """The worker has the connection, too, and whoever closes it last would wait."""
    gateway = launch(backend, daemon={"control_socket": path})
    slow, peer = lingering()
    with clients.Client(gateway.explicit).auth().login(), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        s.connect(path)
        s.send(test_operator.question(1 + WHATS.index("CTL_" + question)))
        assert s.recv(65536)
        with pytest.raises(BrokenPipeError):
            socket.send_fds(s, [b"?"], [slow.fileno()])
            slow.close()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it is still this test's
    slow.close()
    assert_serves(gateway)
    peer.close()


@pytest.mark.parametrize("packet", [b"?", b""])
def test_339_a_descriptor_that_waits_after_the_question(launch, backend, path, packet):
    """An empty packet is not the end of the queue."""
    gateway = launch(backend, daemon={"control_socket": path})
    slow, peer = lingering()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        with net.stopped(gateway.pid):
            s.connect(path)
            s.send(test_operator.question(1 + WHATS.index("CTL_TRACE")))
            if not packet:
                s.send(b"")
            socket.send_fds(s, [packet], [slow.fileno()])
            slow.close()
        assert s.recv(65536)
        assert_serves(gateway)
    assert_serves(gateway)
    peer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for another user")
def test_339_a_member_without_a_place(launch, backend, path):
    """The monitor closes that connection before it has read anything."""
    gateway = launch(backend, daemon={"control_socket": path, "control_group": test_control_group.GROUP})
    script = f"""\
import os, signal, socket, sys
sys.path[:0] = {[os.path.dirname(__file__), os.path.dirname(test_operator.__file__)]!r}
from test_http_taken import lingering
held = [lingering() for _ in range(4)]
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect({path!r})
    return s
kept = [connect() for _ in range(8)]
assert connect().recv(1) == b""  # they have their places, and no more may wait in the queue of the socket
print("ready", flush=True)
sys.stdin.readline()
for slow, _ in held:
    with connect() as s:
        socket.send_fds(s, [b"?"], [slow.fileno()])
        slow.close()
print("sent", flush=True)
sys.stdin.readline()
"""
    member = subprocess.Popen([*test_control_group.MEMBER, "/usr/bin/python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert member.stdout.readline() == b"ready\n"
        with net.stopped(gateway.pid):
            member.stdin.write(b"\n")
            member.stdin.flush()
            assert member.stdout.readline() == b"sent\n"
        assert_serves(gateway)
    finally:
        member.communicate(b"\n")

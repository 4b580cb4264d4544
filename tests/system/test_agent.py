"""daemon.agent: what HAProxy's agent-check hears, and what HAProxy does with it."""
import os
import socket
import subprocess
import threading

import pytest

import client as clients
import gateway as gateways
import net
import servers
from test_maintenance import Node


@pytest.fixture
def node(launch, backend, folder):
    control = os.path.join(folder, "control")
    return Node(launch(backend, daemon={"workers": 1, "control_socket": control, "agent": "127.0.0.1:0", "limits": {"sessions": 4}}), control)


def address(gateway):
    host, _, port = gateway.event("http-started").keys["agent"].rpartition(":")
    return host, int(port)


def ask(gateway, says=b""):
    """The whole answer of the agent, to its end."""
    with socket.create_connection(address(gateway), net.DEADLINE) as s:
        s.sendall(says)
        return b"".join(iter(lambda: s.recv(100), b"")).decode()


def test_what_it_says(node):
    assert ask(node.gateway) == "ready up 100%\n"
    held = [clients.explicit(node.gateway)]
    net.until(lambda: ask(node.gateway) == "ready up 75%\n", "one of four sessions is taken")
    node.order("maintenance", "on")
    net.until(lambda: ask(node.gateway) == "drain 75%\n", "maintenance drains")
    node.order("maintenance", "on", "--refuse")
    net.until(lambda: ask(node.gateway) == "maint 75%\n", "refusing maintenance sends everybody away")
    node.order("maintenance", "off")
    net.until(lambda: ask(node.gateway) == "ready up 75%\n", "it is over")
    held += [clients.explicit(node.gateway) for _ in range(3)]
    net.until(lambda: ask(node.gateway) == "ready up 0%\n", "there is no room")
    for client in held:
        client.close()
    net.until(lambda: ask(node.gateway) == "ready up 100%\n", "there is room again")


def test_what_a_peer_says_is_ignored(node):
    assert ask(node.gateway, b"gw/g1\n") == "ready up 100%\n"
    assert ask(node.gateway, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == "ready up 100%\n"


def test_silent_peers_do_not_keep_others_out(node):
    """Those that never close are closed, and those that come after them get their line."""
    held = [socket.create_connection(address(node.gateway), net.DEADLINE) for _ in range(100)]
    assert ask(node.gateway) == "ready up 100%\n"
    for s in held:
        s.close()


def test_many_at_once_share_few_questions(node):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(node.gateway))) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["ready up 100%\n"] * 60


def test_a_reload_moves_it(launch, backend, certificates, folder):
    tree = gateways.policy(certificates, backend.address, daemon={"agent": "127.0.0.1:0"})
    gateway = launch(tree=tree)
    assert ask(gateway) == "ready up 100%\n"
    old = address(gateway)
    tree["daemon"]["agent"] = "none"
    assert gateway.reload(tree)
    net.until(lambda: refused(old), "nobody listens there")


def refused(at):
    try:
        socket.create_connection(at, net.DEADLINE).close()
    except ConnectionRefusedError:
        return True
    return False


CONFIG = """
global
    stats socket {stats} mode 600 level admin
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 5s
listen ftp
    bind 127.0.0.1:{front}
    balance leastconn
    server g1 {g1} weight 100 check inter 100ms agent-check agent-port {a1} agent-inter 100ms
    server g2 {g2} weight 100 check inter 100ms agent-check agent-port {a2} agent-inter 100ms
"""


class Balancer:
    """HAProxy in front of two nodes."""

    def __init__(self, folder, nodes):
        program, libraries = servers.fetch("haproxy")
        self.front, self.stats = ("127.0.0.1", net.free_port()), os.path.join(folder, "stats")
        path = os.path.join(folder, "haproxy.cfg")
        with open(path, "w") as f:
            f.write(CONFIG.format(stats=self.stats, front=self.front[1],
                                  **{f"g{i + 1}": "%s:%d" % node.gateway.explicit for i, node in enumerate(nodes)},
                                  **{f"a{i + 1}": address(node.gateway)[1] for i, node in enumerate(nodes)}))
        self.process = subprocess.Popen([os.path.join(program, "usr/sbin/haproxy"), "-db", "-f", path],
                                        env={**os.environ, "LD_LIBRARY_PATH": libraries}, preexec_fn=net.die_with_parent,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        net.until(lambda: os.path.exists(self.stats), "HAProxy starts")

    def server(self, name):
        """(status, weight, sessions) of a server."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.stats)
            s.sendall(b"show stat\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        head, *rows = [line.split(",") for line in text.lstrip("# ").splitlines() if line]
        row = dict(zip(head, next(row for row in rows if row[1] == name)))
        return row["status"].split()[0], int(row["weight"]), int(row["scur"])

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def fleet(launch, backend, folder):
    nodes = []
    for i in range(2):
        control = os.path.join(folder, f"control{i}")
        nodes.append(Node(launch(backend, ftp={"secure_dataconn": "clear"},
                                 daemon={"workers": 1, "control_socket": control, "agent": "127.0.0.1:0"}), control))
    balancer = Balancer(folder, nodes)
    net.until(lambda: all(balancer.server(name)[0] == "UP" for name in ("g1", "g2")), "both are up")
    yield balancer, nodes
    balancer.close()


def test_haproxy_moves_new_sessions_away_and_back(fleet):
    balancer, (one, two) = fleet
    held = [clients.Client(balancer.front) for _ in range(6)]
    for client in held:
        client.auth().login()
    assert balancer.server("g1")[2] == balancer.server("g2")[2] == 3
    one.order("maintenance", "on")
    net.until(lambda: balancer.server("g1")[0] == "DRAIN", "HAProxy drains the node")
    more = [clients.Client(balancer.front) for _ in range(4)]
    assert balancer.server("g1")[2] == 3 and balancer.server("g2")[2] == 7
    for client in held:
        client.expect("NOOP", 200)
    one.order("maintenance", "off")
    net.until(lambda: balancer.server("g1")[0] == "UP", "HAProxy takes it back")
    more += [clients.Client(balancer.front) for _ in range(2)]
    assert balancer.server("g1")[2] == 5
    for client in held + more:
        client.close()


def test_haproxy_and_a_node_that_drains(fleet):
    balancer, (one, two) = fleet
    one.order("maintenance", "on", "--refuse")
    net.until(lambda: balancer.server("g1")[0] == "MAINT", "nobody is sent to a node that refuses")
    one.order("maintenance", "off")
    net.until(lambda: balancer.server("g1")[0] == "UP", "and it comes back")
    one.gateway.stop()
    net.until(lambda: balancer.server("g1")[0] == "DOWN", "it has gone")
    with clients.Client(balancer.front) as client:
        client.expect("NOOP", 200)

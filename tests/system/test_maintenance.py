"""A node that is emptied: attlsctl maintenance, status --ready and drain --deadline, and what becomes of sessions meanwhile."""
import http.client
import json
import os
import re
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
from upgrades import NEXT


class Node:
    def __init__(self, gateway, socket):
        self.gateway, self.socket = gateway, socket

    def ctl(self, *words):
        return subprocess.run([net.ATTLSCTL, *words, "--socket", self.socket], capture_output=True, text=True, timeout=net.DEADLINE)

    def order(self, *words):
        done = self.ctl(*words)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def ready(self):
        """What `status --ready` says: (exit status, word)."""
        done = self.ctl("status", "--ready")
        return done.returncode, done.stdout.strip()

    def status(self):
        return json.loads(self.order("status", "--json"))


@pytest.fixture
def node(launch, backend, folder):
    socket = os.path.join(folder, "control")
    return Node(launch(backend, daemon={"workers": 2, "control_socket": socket, "http": "127.0.0.1:0"}), socket)


def readyz(gateway):
    host, _, port = gateway.event("http-started").keys["address"].rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=net.DEADLINE)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode().strip()
    finally:
        connection.close()


def test_sessions_go_on_and_new_ones_are_served(node):
    assert node.ready() == (0, "ready") and readyz(node.gateway) == (200, "ready")
    before = clients.explicit(node.gateway, "P")
    said = node.order("maintenance", "on")
    assert "1 session goes on" in said and "served" in said
    assert node.ready() == (1, "maintenance") and readyz(node.gateway) == (503, "maintenance")
    after = clients.explicit(node.gateway, "P")
    assert before.get("hello.txt") == after.get("hello.txt") == b"hello, world\r\n"
    assert "maintenance for" in node.order("status")
    assert node.status()["maintenance"]["refuses"] is False
    assert "is over" in node.order("maintenance", "off")
    assert node.ready() == (0, "ready") and readyz(node.gateway) == (200, "ready")
    assert node.status()["maintenance"] is None
    node.gateway.event("operator", count=2)
    orders = [event.keys["order"] for event in node.gateway.seen("operator")]
    assert orders == ["maintenance on", "maintenance off"]
    assert all(event.keys["uid"] == str(os.geteuid()) for event in node.gateway.seen("operator"))


def test_refuse(node):
    before = clients.explicit(node.gateway, "P")
    node.order("maintenance", "on", "--refuse")
    with clients.Client(node.gateway.explicit, greet=False) as refused:
        assert refused.reply().code == 421
    node.gateway.event("refused", reason="maintenance")
    assert before.get("hello.txt") == b"hello, world\r\n"
    assert node.status()["maintenance"]["refuses"] is True
    node.order("maintenance", "on") # changes it
    clients.explicit(node.gateway, "P").close()


def test_a_reload_keeps_it(node):
    node.order("maintenance", "on", "--refuse", "--end-after", "1h")
    assert node.gateway.reload()
    assert node.ready() == (1, "maintenance")
    status = node.status()
    assert status["maintenance"]["refuses"] is True and 3500 < status["deadline"] <= 3600


def test_the_end_drains(node):
    busy = clients.explicit(node.gateway, "P")
    node.order("maintenance", "on", "--end-after", "1s")
    node.gateway.event("draining")
    assert busy.reply().code == 421
    assert node.gateway.process.wait(net.DEADLINE) == 0


def test_an_end_that_is_taken_back(node):
    node.order("maintenance", "on", "--end-after", "1h")
    node.order("maintenance", "off")
    assert node.status()["deadline"] is None


def test_a_deadline_for_draining(node, backend):
    """A transfer that would take for ever is cut off."""
    held = clients.explicit(node.gateway, "P")
    stream = held.open("STOR endless")
    said = node.order("drain", "--deadline", "1s")
    assert "at the latest in 1 s" in said
    node.gateway.event("stopping-now")
    assert node.gateway.process.wait(net.DEADLINE) == 0
    stream.close()


def test_draining_is_not_ready(node):
    held = clients.explicit(node.gateway, "P")
    stream = held.open("STOR endless")
    node.order("drain")
    assert node.ready() == (1, "draining")
    assert node.status()["readiness"] == "draining"
    refused = node.ctl("maintenance", "on")
    assert refused.returncode == 1 and "draining" in refused.stderr
    stream.close()


def test_full(launch, backend, folder):
    socket = os.path.join(folder, "control")
    node = Node(launch(backend, daemon={"control_socket": socket, "limits": {"sessions": 1}}), socket)
    with clients.explicit(node.gateway):
        assert node.ready() == (1, "full")
    net.until(lambda: node.ready() == (0, "ready"), "the session has ended")


def test_nobody_answers(folder):
    done = subprocess.run([net.ATTLSCTL, "status", "--ready", "--socket", os.path.join(folder, "none")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "silent\n") and "no such socket" in done.stderr


def test_an_upgrade_keeps_it_and_a_restart_does_not(upgradable, backend, folder):
    gateway = upgradable(backend)
    assert gateway.ctl("maintenance", "on", "--refuse", "--end-after", "2h").returncode == 0
    gateway.upgrade(NEXT)
    gateway.event("upgraded")
    status = gateway.status()
    assert status["version"] == "9.9.9" and status["maintenance"]["refuses"] is True and 7100 < status["deadline"] <= 7200
    assert gateway.ctl("maintenance", "off").returncode == 0
    assert gateway.ctl("status", "--ready").stdout == "ready\n"


def test_a_restart_forgets_it(launch, certificates, backend, folder):
    socket = os.path.join(folder, "control")
    tree = gateways.policy(certificates, backend.address, daemon={"control_socket": socket})
    node = Node(launch(tree=tree), socket)
    node.order("maintenance", "on")
    node.gateway.stop()
    node = Node(launch(tree=tree), socket)
    assert node.ready() == (0, "ready")


@pytest.mark.parametrize("words, says", [
    (("maintenance",), "maintenance on or maintenance off"),
    (("maintenance", "maybe"), "needs on or off"),
    (("maintenance", "off", "--refuse"), "are for maintenance on"),
    (("maintenance", "on", "--end-after", "0s"), "--end-after needs a time"),
    (("maintenance", "on", "--end-after", "31d"), "--end-after needs a time"),
    (("drain", "--deadline", "soon"), "--deadline needs a time"),
])
def test_wrong_usage(words, says):
    done = subprocess.run([net.ATTLSCTL, *words], capture_output=True, text=True)
    assert done.returncode == 2 and says in done.stderr


def test_metrics(node):
    def states():
        return dict(re.findall(r'attlsd_ready\{state="([a-z-]+)"\} (\d)', node.order("metrics")))
    assert {state for state, value in states().items() if value == "1"} == {"ready"}
    node.order("maintenance", "on")
    assert {state for state, value in states().items() if value == "1"} == {"maintenance"}
    assert "attlsd_maintenance 1" in node.order("metrics")

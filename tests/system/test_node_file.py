"""attlsd -N: gateways share a policy, and each has a file with what only it has."""
import hashlib
import json
import os
import re
import subprocess

import pytest
import yaml

import client as clients
import net
from upgrades import NEXT


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def ctl(*words, status=0):
    done = subprocess.run([net.ATTLSCTL, *words], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == status, done
    return done.stdout + done.stderr


class Node:
    def __init__(self, folder, gateway, own):
        self.gateway, self.own, self.socket = gateway, own, os.path.join(folder, "control")


@pytest.fixture
def own(folder):
    path = os.path.join(folder, "node.yaml")
    write(path, "daemon: { node: edge-1 }\nftp_actions:\n  standard: { passivedataports: 40000-40009 }\n")
    return path


@pytest.fixture
def node(launch, backend, folder, own):
    socket = os.path.join(folder, "control")
    return Node(folder, launch(backend, daemon={"node": "of-the-policy", "control_socket": socket}, argv=["-N", own]), own)


def passive_port(gateway):
    with clients.explicit(gateway, "P") as c:
        return c.epsv()[1]


def status(node):
    return json.loads(ctl("status", "--json", "--socket", node.socket))


def test_its_values_take_the_place_of_the_policys(node):
    ready = node.gateway.event("ready").keys
    assert ready["node"] == "edge-1" and status(node)["node"] == "edge-1"
    with open(node.gateway.path, "rb") as file: # another node with this policy has the same
        assert ready["policy_sha256"] == status(node)["policy_sha256"] == hashlib.sha256(file.read()).hexdigest()
    assert 40000 <= passive_port(node.gateway) <= 40009


def test_a_reload_reads_both(node):
    write(node.own, "daemon: { node: edge-2 }\nftp_actions: { standard: { passivedataports: 40020-40029 } }\n")
    ctl("reload", "--socket", node.socket)
    assert node.gateway.event("reloaded").keys["node"] == "edge-2" and status(node)["node"] == "edge-2"
    assert 40020 <= passive_port(node.gateway) <= 40029


def test_a_faulty_file_changes_nothing(node):
    write(node.own, "daemon: { node: edge-2, user: root }\n")
    said = ctl("reload", "--socket", node.socket, status=1)
    assert re.search(r'node\.yaml:1:\d+: "daemon\.user" belongs in the policy', said) and "daemon: { node: edge-2, user: root }" in said
    assert status(node)["node"] == "edge-1"
    before = len(node.gateway.events)
    node.gateway.process.send_signal(1) # SIGHUP: attlsd finds it itself
    node.gateway.event("reload-failed", since=before)
    assert '"daemon.user" belongs in the policy' in node.gateway.log and status(node)["node"] == "edge-1"


def test_explain_and_doctor_name_its_lines(node):
    words = "-f", node.gateway.path, "-N", node.own
    assert f"of this node: daemon.node ({node.own}:1), ftp_actions.standard.passivedataports ({node.own}:3)" in ctl("explain", *words)
    told = json.loads(ctl("explain", "--json", *words))
    told = told[0] if isinstance(told, list) else told
    assert told["node"][0] == {"key": "daemon.node", "file": node.own, "line": 1}
    done = subprocess.run([net.ATTLSCTL, "doctor", *words], capture_output=True, text=True, timeout=net.DEADLINE)
    assert f"daemon.node comes from {node.own}:1" in done.stdout
    assert '"node"' not in ctl("explain", "--json", "-f", node.gateway.path)


@pytest.mark.parametrize("text, place, says", [
    ("version: 1\n", "1:1", '"version" belongs in the policy, which all gateways share; this file may only have daemon.node'),
    ("tls_actions: { server: { session_timeout: 1s } }\n", "1:1", '"tls_actions" belongs in the policy'),
    ("nat: { conntrack: expect }\n", "1:8", '"nat.conntrack" belongs in the policy'),
    ("ftp_actions: { standard: { fwfriendly: true } }\n", "1:28", '"ftp_actions.standard.fwfriendly" belongs in the policy'),
    ("listeners: { other: { address: 127.0.0.1:1 } }\n", "1:14", 'the policy has no "other" in listeners'),
    ("listeners: { explicit: { tls: none } }\n", "1:26", '"listeners.explicit.tls" belongs in the policy'),
    ("daemon: edge-1\n", "1:9", '"daemon" must be a mapping'),
    ("- daemon\n", "1:1", '"the file of a node" must be a mapping'),
    ("daemon: { node: a b }\n", "1:17", '"node" must be a name: 1 to 63'),
    ("nat: { advertise: [ }\n", "1:21", ""),
    ("daemon: { node: a, node: b }\n", "1:20", "node"),
])
def test_faults(node, text, place, says):
    write(node.own, text)
    said = ctl("check", "-f", node.gateway.path, "-N", node.own, status=1)
    assert said.startswith(f"{node.own}:{place}: ") and says in said and text.strip() in said
    told = [json.loads(line) for line in ctl("check", "--json", "-f", node.gateway.path, "-N", node.own, status=1).splitlines()]
    faults = {document["uri"].rpartition("/")[2]: document["diagnostics"] for document in told}
    assert not [fault for fault in faults["policy.yaml"] if fault["severity"] == 1]
    start = faults["node.yaml"][0]["range"]["start"]
    assert [start["line"] + 1, start["character"] + 1] == [int(number) for number in place.split(":")]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "daemon:\nftp_actions: { standard: }\n", "daemon: { node: a }", "nat: { advertise: 192.0.2.1 }\n"])
def test_what_is_allowed(node, text):
    write(node.own, text)
    assert ": ok" in ctl("check", "-f", node.gateway.path, "-N", node.own)


def test_parts_of_the_policy_without_a_value(node, folder):
    with open(node.gateway.path, encoding="utf-8") as file:
        tree = yaml.safe_load(file)
    tree.update(nat=None, ftp_actions={name: None for name in tree["ftp_actions"]})
    policy = os.path.join(folder, "empty.yaml")
    write(policy, yaml.safe_dump(tree).replace("null", ""))
    write(node.own, "nat: { advertise: 192.0.2.1 }\nftp_actions: { standard: { passivedataports: 40020-40029 } }\n")
    said = ctl("explain", "-f", policy, "-N", node.own)
    assert f"of this node: nat.advertise ({node.own}:1), ftp_actions.standard.passivedataports ({node.own}:2)" in said
    assert "40020-40029" in said.partition("of this node")[2]


def test_a_file_that_is_not_there(node):
    os.unlink(node.own)
    said = ctl("check", "-f", node.gateway.path, "-N", node.own, status=1)
    assert f"{node.own}: cannot read the file of this node (-N): No such file or directory" in said
    before = len(node.gateway.events)
    node.gateway.process.send_signal(1)
    node.gateway.event("reload-failed", since=before)
    assert status(node)["node"] == "edge-1"


def test_an_upgrade_keeps_it(upgradable, backend, folder, own):
    gateway = upgradable(backend, argv=["-N", own])
    assert gateway.status()["node"] == "edge-1"
    gateway.upgrade(NEXT)
    gateway.event("upgraded")
    assert gateway.status()["version"] == "9.9.9" and gateway.status()["node"] == "edge-1"

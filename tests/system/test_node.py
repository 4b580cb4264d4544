"""daemon.node: which gateway it is, wherever attlsd says something, and which policy it has."""
import base64
import hashlib
import json
import os
import re
import subprocess
import urllib.request

import pytest

import client as clients
import net


@pytest.fixture
def node(launch, backend, folder):
    return launch(backend, daemon={"node": "edge-1", "control_socket": os.path.join(folder, "control"), "http": "127.0.0.1:0",
                                   "audit": os.path.join(folder, "audit")})


def ctl(folder, *words):
    return subprocess.run([net.ATTLSCTL, *words, "--socket", os.path.join(folder, "control")], capture_output=True, text=True,
                          check=True, timeout=net.DEADLINE).stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_node_names_itself_everywhere(node, folder):
    clients.explicit(node, "P").close()
    node.event("session-end")
    address = node.event("http-started").keys["address"]
    started = node.event("ready")
    assert started.keys["policy_sha256"] == hashlib.sha256(read(node.path)).hexdigest()
    for event in ("session-start", "session-end", "ready", "http-started"):
        assert node.event(event).keys["node"] == "edge-1", event
    assert ", node edge-1, process " in ctl(folder, "status") and json.loads(ctl(folder, "status", "--json"))["node"] == "edge-1"
    info = re.findall(r"^attlsd_info\{(.*)\} 1$", ctl(folder, "metrics"), re.M)
    assert info == [f'node="edge-1",policy_sha256="{started.keys["policy_sha256"]}"']
    assert "# TYPE attlsd info\n" in ctl(folder, "metrics", "--openmetrics")
    with urllib.request.urlopen(f"http://{address}/overview", timeout=net.DEADLINE) as answer:
        assert json.load(answer)["node"] == "edge-1"
    events = [json.loads(line) for line in read(os.path.join(folder, "audit")).splitlines()]
    roles = {event["event"] for event in events}
    assert {"policy-loaded", "session-start", "session-end"} <= roles
    # the monitor has no policy yet when it starts the trail, but knows this one
    assert {event.get("node") for event in events} == {"edge-1"}


def test_without_a_name_nothing_says_node(launch, backend, folder):
    gateway = launch(backend, daemon={"control_socket": os.path.join(folder, "control"), "audit": os.path.join(folder, "audit")})
    assert "node" not in gateway.event("ready").keys
    assert json.loads(ctl(folder, "status", "--json"))["node"] is None and ", node " not in ctl(folder, "status")
    assert b'"node"' not in read(os.path.join(folder, "audit"))
    assert 'attlsd_info{node="",policy_sha256="' in ctl(folder, "metrics")


def test_the_name_changes_with_a_reload(node, folder):
    text = read(node.path).decode()
    before = json.loads(ctl(folder, "status", "--json"))["policy_sha256"]
    with open(node.path, "w", encoding="utf-8") as file:
        file.write(text.replace("edge-1", "edge-2"))
    ctl(folder, "reload")
    reloaded = node.event("reloaded").keys
    assert reloaded["node"] == "edge-2" and reloaded["policy_sha256"] != before
    assert json.loads(ctl(folder, "status", "--json"))["node"] == "edge-2"


def test_the_age_of_ticket_secrets(launch, backend, folder):
    keys = os.path.join(folder, "ticket.keys")
    with open(keys, "wb") as file:
        file.write(base64.b64encode(os.urandom(48)) + b"\n")
    os.chmod(keys, 0o600)
    changed = os.stat(keys).st_mtime - 3 * 86400
    os.utime(keys, (changed, changed))
    launch(backend, daemon={"control_socket": os.path.join(folder, "control")}, tls={"session_ticket_keys": keys})
    assert 0 <= json.loads(ctl(folder, "status", "--json"))["ticket_keys_age"] - 3 * 86400 < 60
    assert re.search(r"^session_ticket_keys: last changed .* ago$", ctl(folder, "status"), re.M)

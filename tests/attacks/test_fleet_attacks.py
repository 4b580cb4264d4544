"""Gateways that stand in for each other share a secret and a policy: who can read the one, and change the other?"""
import base64
import hashlib
import os
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
from test_ticket_files import read_memory


@pytest.fixture
def keys(folder):
    path = os.path.join(folder, "ticket.keys")
    with open(path, "wb") as file:
        file.write(base64.b64encode(os.urandom(48)) + b"\n")
    os.chmod(path, 0o600)
    return path


def check(path, *words):
    done = subprocess.run([net.ATTLSCTL, "check", "-f", path, *words], capture_output=True, text=True, timeout=net.DEADLINE)
    return done.returncode, done.stderr


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_350_a_secret_that_others_can_read_or_replace_is_refused(launch, backend, keys, mode):
    gateway = launch(backend, tls={"session_ticket_keys": keys})
    os.chmod(keys, mode)
    status, said = check(gateway.path)
    assert status == 1 and "chmod 600" in said and "session_ticket_keys" in said
    assert not gateway.reload()
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"


def test_351_processes_that_clients_reach_do_not_have_the_secret(launch, backend, keys):
    gateway = launch(backend, daemon={"workers": 2}, tls={"session_ticket_keys": keys})
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
    with open(keys, "rb") as file:
        text = file.read().strip()
    wanted = text, base64.b64decode(text), hashlib.sha256(base64.b64decode(text)).digest()
    for pid in [*gateway.workers(), *gateway.signers()]:
        assert not any(one in read_memory(pid) for one in wanted), pid


@pytest.mark.parametrize("text", ["daemon: { user: root }\n", "listeners: { explicit: { proxy_protocol: 0.0.0.0/0 } }\n",
                                  "ftp_actions: { standard: { secure_dataconn: clear } }\n"])
def test_352_the_file_of_a_node_weakens_nothing(launch, backend, folder, text):
    gateway = launch(backend)
    path = os.path.join(folder, "node.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    status, said = check(gateway.path, "-N", path)
    assert status == 1 and "belongs in the policy" in said


def test_353_a_terminal_does_not_act_on_the_file_of_a_node(launch, backend, folder):
    gateway = launch(backend)
    path = os.path.join(folder, "node.yaml")
    with open(path, "wb") as file:
        file.write(b"daemon: { user: a } # \xc2\x9b31m\n")
    status, said = check(gateway.path, "-N", path)
    assert status == 1 and "\x9b" not in said and f"{path}:1:" in said

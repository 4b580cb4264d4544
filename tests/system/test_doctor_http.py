"""attlsctl doctor finds what daemon.http and daemon.agent lack on a host."""
import json
import os
import shutil
import socket
import subprocess

import pytest

import certs
import gateway as gateways
import net

TOKEN = "0123456789abcdef" * 2


@pytest.fixture
def doctor(certificates, folder):
    """doctor(daemon, ...) gives its findings as pairs (check, finding)."""
    def ask(daemon, program=net.ATTLSCTL, **change):
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w", encoding="ascii") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), daemon=daemon, **change)))
        done = subprocess.run([program, "doctor", "--json", "-f", path], capture_output=True, text=True, timeout=net.DEADLINE)
        return json.loads(done.stdout)["findings"]
    return ask


def of(findings, part, check="http"):
    """The one finding of this check that has this text."""
    one, = [f for f in findings if f["check"] == check and part in f["detail"]]
    return one


def free():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return "127.0.0.1:%d" % s.getsockname()[1]


@pytest.mark.parametrize("key", ["http", "agent"])
def test_a_port_of_another_program(doctor, key):
    with socket.create_server(("127.0.0.1", 0)) as s:
        at = "127.0.0.1:%d" % s.getsockname()[1]
        found = of(doctor({key: at}), f"listens on {at}, so attlsd cannot")
    assert found["status"] == "problem" and f"daemon: {key}" in found["fix"] and f"(pid {os.getpid()})" in found["fix"], found
    assert of(doctor({key: at}), f"{key}: no other program listens")["status"] == "ok"


def test_a_port_of_attlsd(launch, backend):
    gateway = launch(backend, daemon={"http": free()})
    done = subprocess.run([net.ATTLSCTL, "doctor", "--json", "-f", gateway.path], capture_output=True, text=True, timeout=net.DEADLINE)
    found = of(json.loads(done.stdout)["findings"], " listens on ")
    assert found["status"] == "ok" and "http: attlsd" in found["detail"], found


def test_an_address_of_another_host(doctor):
    found = of(doctor({"agent": "192.0.2.1:8021"}), "does not have the address 192.0.2.1")
    assert found["status"] == "problem" and "ip address add 192.0.2.1" in found["fix"], found


def test_the_program(doctor, folder):
    """A copy of attlsctl looks beside itself, as attlsd does."""
    copy, beside = os.path.join(folder, "attlsctl"), os.path.join(folder, "attlsd-http")
    shutil.copy(net.ATTLSCTL, copy)
    at = {"http": free()}
    found = of(doctor(at, copy), beside)
    assert found["status"] == "problem" and "No such file" in found["detail"] and "install" in found["fix"], found
    with open(beside, "w", encoding="ascii") as f:
        f.write("")
    os.chmod(beside, 0o644)
    found = of(doctor(at, copy), beside)
    assert found["status"] == "problem" and found["fix"] == f"chmod 755 '{beside}'", found
    os.chmod(beside, 0o755)
    assert of(doctor(at, copy), beside)["status"] == "ok"
    assert not [f for f in doctor({}, copy) if f["check"] == "http"]  # nothing needs it


def test_the_folder_of_a_socket(doctor, folder):
    assert of(doctor({"http": os.path.join(folder, "http.sock")}), "can make the socket")["status"] == "ok"
    found = of(doctor({"http": os.path.join(folder, "missing", "http.sock")}), "cannot make its socket")
    assert found["status"] == "problem" and os.path.join(folder, "missing") in found["fix"], found


@pytest.mark.parametrize("text, mode, why", [
    (None, 0, "No such file"), (TOKEN, 0o644, "gives other users access"), ("", 0o600, "must be a token of 16")])
def test_a_bad_token_file(doctor, folder, text, mode, why):
    path = os.path.join(folder, "token")
    if text is not None:
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, mode)
    found = of(doctor({"http": free(), "http_token_file": path}), "token file", "certificates")
    assert found["status"] == "problem" and why in found["detail"] and TOKEN not in found["detail"], found


def test_an_expired_keyring(doctor, folder):
    chain, key = certs.ClientAuthority(folder, "old").issue("leaf", dates=certs.PAST)
    found = of(doctor({"http": free(), "http_keyring": "page"}, keyrings={"page": {"certificates": [{"chain": chain, "key": key}]}}),
               "has expired", "certificates")
    assert found["status"] == "problem" and chain in found["detail"], found


def test_who_can_read(doctor, folder):
    at = free()
    assert f"at {at}, but no other host" in of(doctor({"http": at}), "every user of this host")["detail"]
    path = os.path.join(folder, "token")
    with open(path, "w", encoding="ascii") as f:
        f.write(TOKEN)
    os.chmod(path, 0o600)
    assert of(doctor({"http": at, "http_token_file": path}), "only those who have the token")["status"] == "ok"


@pytest.mark.parametrize("daemon, lacks", [({"http_keyring": "ftpd"}, "http_token_file"), ({"http_token_file": "t"}, "http_keyring")])
def test_open_to_others(certificates, folder, daemon, lacks):
    """Such a policy is not valid; doctor says so, too."""
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), daemon={"http": "0.0.0.0:8021", **daemon})))
    done = subprocess.run([net.ATTLSCTL, "doctor", "-f", path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 1 and "other hosts can reach 0.0.0.0:8021" in done.stderr and lacks in done.stderr, done.stderr

"""attlsctl doctor says whether attlsd can use the files of session_ticket_keys, and how old their secrets are."""
import json
import os
import subprocess
import time

import pytest

import gateway as gateways
import net
from test_ticket_files import keys, secret, write  # noqa: F401

DAY = 86400


@pytest.fixture
def doctor(certificates, folder, keys):
    """doctor() gives its findings about tickets, and nothing that another check says about the file."""
    path = os.path.join(folder, "policy.yaml")

    def ask(*before, **tls):
        with open(path, "w", encoding="ascii") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls=tls)))
        done = subprocess.run([*before, net.ATTLSCTL, "doctor", "--json", "-f", path], capture_output=True, text=True, timeout=net.DEADLINE)
        findings = json.loads(done.stdout)["findings"]
        assert not [f for f in findings if f["check"] != "tickets" and "session_ticket_keys" in f["detail"]]
        return [f for f in findings if f["check"] == "tickets"]
    return ask


def changed(path, days):
    at = time.time() - days * DAY
    os.utime(path, (at, at))


@pytest.mark.parametrize("secrets, days, status, said", [
    (1, 0, "ok", "has 1 secret, last changed 0 days ago"),
    (4, 6.9, "ok", "has 4 secrets, last changed 6 days ago"),
    (1, 89.9, "ok", "last changed 89 days ago"),
    (1, 90.1, "warning", "is younger than 90 days"),
    (4, 400.5, "warning", "is younger than 400 days"),
    (2, 7.1, "warning", "has had 2 secrets for 7 days, so old ones are still accepted"),
    (1, -1, "cannot tell", "was changed in the future"),
])
def test_the_age(doctor, keys, secrets, days, status, said):
    write(keys, *[secret() for _ in range(secrets)])
    changed(keys, days)
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == status and said in found["detail"] and "tls_actions.server" in found["detail"], found
    assert keys in found.get("fix", found.get("look", keys))
    assert ("fix" in found, "look" in found) == (status == "warning", status == "cannot tell")


@pytest.mark.parametrize("end", ["\n", ""])
def test_the_fix_of_an_old_file(doctor, keys, end):
    """The command adds a secret that no ticket is made with yet; the date of the file is new, and doctor knows how to go on."""
    write(keys, secret().rstrip("\n") + end)
    changed(keys, 100)
    found, = doctor(session_ticket_keys=keys)
    subprocess.run(found["fix"].partition(",")[0], shell=True, check=True)
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == "ok" and "has 2 secrets" in found["detail"], found
    changed(keys, 10)
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == "warning" and "the newest secret is the first line" in found["fix"], found


def test_a_file_that_is_missing(doctor, keys):
    os.unlink(keys)
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == "problem" and "No such file" in found["detail"], found
    subprocess.run(found["fix"].partition("for all: ")[2], shell=True, check=True)
    assert doctor(session_ticket_keys=keys)[0]["status"] == "ok"


def test_a_file_that_others_can_read(doctor, keys):
    os.chmod(keys, 0o640)
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == "problem" and "its mode 640" in found["detail"], found
    subprocess.run(found["fix"], shell=True, check=True)
    assert doctor(session_ticket_keys=keys)[0]["status"] == "ok"


def test_a_file_of_another_user(doctor, keys):
    os.chown(keys, 12345, 12345)
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == "problem" and "belongs to another user (12345)" in found["detail"], found
    subprocess.run(found["fix"], shell=True, check=True)
    assert doctor(session_ticket_keys=keys)[0]["status"] == "ok"


def test_a_line_that_is_no_secret(doctor, keys):
    text = secret()
    write(keys, text, "c2hvcnQ=\n")
    found, = doctor(session_ticket_keys=keys)
    assert found["status"] == "problem" and "line 2" in found["detail"] and "attlsctl check" in found["fix"], found
    assert text.strip() not in json.dumps(found)


def test_another_user_asks(doctor, keys, folder):
    os.chmod(folder, 0o755)
    found, = doctor("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", session_ticket_keys=keys)
    assert found["status"] == "cannot tell" and "Permission denied" in found["detail"] and "as root" in found["look"], found


def test_a_policy_without_such_a_file(doctor):
    assert doctor() == []

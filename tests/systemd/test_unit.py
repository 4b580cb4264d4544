"""The shipped unit under a real systemd."""
import json
import os
import re

import pytest

import machine

POLICY = "/etc/attlsd/policy.yaml"
GOOD = """\
version: 1
keyrings: { ftpd: { certificates: [ { chain: server.pem, key: server.key } ] } }
tls_actions: { server: { keyring: ftpd } }
ftp_actions: { standard: { inactive: 0 } }
backends: { legacy: { address: 127.0.0.1:2021 } }
listeners: { explicit: { address: 127.0.0.1:2121 } }
rules: { everyone: { tls: server, ftp: standard, backend: legacy } }
"""
FAULTY = GOOD.replace("keyring: ftpd", "keyring: fptd")
LEGACY = """
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
a = DummyAuthorizer()
a.add_user("tester", "word", "/srv/files", perm="elradfmwMT")
FTPHandler.authorizer = a
FTPServer(("127.0.0.1", 2021), FTPHandler).serve_forever()
"""
CURL = ("curl", "-sS", "--cacert", "/etc/attlsd/server.pem", "--ssl-reqd", "--user", "tester:word", "--max-time", "30")
SERVER = "ftp://localhost:2121"


@pytest.fixture(scope="session", autouse=True)
def booted():
    if not machine.FIRST:
        pytest.skip("tests/systemd/run.sh boots the machine")
    machine.until(lambda: machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), "booted")
    machine.good("sh", "-c", "install -d -m 700 /etc/attlsd && install -d /srv/files && cd /etc/attlsd && openssl req -x509 "
                 "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=localhost "
                 "-addext subjectAltName=DNS:localhost -keyout server.key -out server.pem")
    machine.good("useradd", "--system", "--no-create-home", "attlsd")
    with open(machine.path("/srv/files/big"), "wb") as f:
        f.write(os.urandom(8 << 20))
    machine.good("systemd-run", "--unit=legacy", "python3", "-c", LEGACY)
    machine.until(lambda: ":2021 " in machine.good("ss", "-ltn"), "the FTP server listens")


@pytest.fixture(autouse=True)
def stopped():
    """Each test begins and ends without attlsd, and with a good policy."""
    machine.write(POLICY, GOOD, 0o600)
    yield
    machine.run("systemctl", "stop", "attlsd")
    machine.run("systemctl", "reset-failed", "attlsd")


def journal(*more):
    """Lines of attlsd's last start, oldest first."""
    text = machine.good("journalctl", "--sync") or machine.good("journalctl", "-u", "attlsd", "-o", "json", *more)
    return [json.loads(line) for line in text.splitlines()]


def test_start_waits_until_attlsd_serves():
    machine.good("systemctl", "start", "attlsd")
    assert machine.show("attlsd", "ActiveState", "Type") == ("active", "notify")
    assert machine.good(*CURL, "--list-only", SERVER + "/").split() == ["big"]
    machine.until(lambda: re.fullmatch(r"\d+ sessions?, generation 1", machine.show("attlsd", "StatusText")), "status line")


def test_without_a_policy_there_is_nothing_to_start():
    os.unlink(machine.path(POLICY))
    machine.good("systemctl", "start", "attlsd")
    assert machine.show("attlsd", "ActiveState", "ConditionResult") == ("inactive", "no")


def test_a_faulty_policy_fails_the_start_and_is_not_tried_again():
    machine.write(POLICY, FAULTY, 0o600)
    assert machine.run("systemctl", "start", "attlsd").returncode != 0
    assert machine.show("attlsd", "ActiveState", "ExecMainStatus", "NRestarts") == ("failed", "78", "0")
    said = "\n".join(line["MESSAGE"] for line in journal())
    assert "policy.yaml:3:" in said and "fptd" in said


def test_a_taken_port_is_tried_again():
    machine.good("systemd-run", "--unit=thief", "python3", "-c",
                 "import socket, signal; s = socket.create_server(('127.0.0.1', 2121)); signal.pause()")
    machine.until(lambda: "2121" in machine.good("ss", "-ltn"), "the port is taken")
    assert machine.run("systemctl", "start", "attlsd").returncode != 0
    assert machine.show("attlsd", "ExecMainStatus") == "1"
    machine.good("systemctl", "stop", "thief")
    machine.until(lambda: machine.show("attlsd", "ActiveState") == "active", "started after the port is free")


def test_reload_succeeds_and_fails_with_the_policy():
    machine.good("systemctl", "start", "attlsd")
    machine.write(POLICY, GOOD.replace("2121", "2122"), 0o600)
    machine.good("systemctl", "reload", "attlsd")
    machine.good(*CURL, "--list-only", "ftp://localhost:2122/")
    machine.write(POLICY, FAULTY, 0o600)
    assert machine.run("systemctl", "reload", "attlsd").returncode != 0
    assert machine.show("attlsd", "ActiveState", "NRestarts") == ("active", "0")
    machine.good(*CURL, "--list-only", "ftp://localhost:2122/")


def test_the_journal_has_priorities_and_one_time():
    machine.good("systemctl", "start", "attlsd")
    machine.good(*CURL, "--list-only", SERVER + "/")
    machine.good("systemctl", "stop", "attlsd")
    lines = [line for line in journal("-n", "50") if line.get("SYSLOG_IDENTIFIER") == "attlsd"]
    ready = [line for line in lines if line["MESSAGE"].startswith("ready ")]
    assert ready and ready[-1]["PRIORITY"] == "6"
    assert any(line["MESSAGE"].startswith("session-start ") for line in lines), "workers write to the journal, too"


def test_stop_lets_a_transfer_finish():
    machine.good("systemctl", "start", "attlsd")
    transfer = machine.start(*CURL, "--limit-rate", "4M", "-o", "/srv/got", SERVER + "/big")
    machine.until(lambda: os.path.exists(machine.path("/srv/got")) and os.path.getsize(machine.path("/srv/got")) > 0, "it runs")
    machine.good("systemctl", "stop", "attlsd")
    assert transfer.wait(machine.DEADLINE) == 0, transfer.stdout.read()
    with open(machine.path("/srv/got"), "rb") as got, open(machine.path("/srv/files/big"), "rb") as whole:
        assert got.read() == whole.read()
    assert machine.show("attlsd", "Result", "ExecMainStatus") == ("success", "0")


def test_a_killed_attlsd_comes_back():
    machine.good("systemctl", "start", "attlsd")
    first = machine.show("attlsd", "MainPID")
    killed = processes()
    machine.good("systemctl", "kill", "--kill-whom=main" if systemd_version() >= 252 else "--kill-who=main", "-s", "KILL", "attlsd")
    machine.until(lambda: machine.show("attlsd", "MainPID") not in ("0", first), "started again")
    machine.until(lambda: not processes() & killed, "its workers have gone with it")
    machine.until(lambda: machine.show("attlsd", "ActiveState") == "active", "it serves")
    machine.good(*CURL, "--list-only", SERVER + "/")


def systemd_version():
    return int(machine.good("systemctl", "--version").split()[1])


def test_transparent_mode_asks_for_the_drop_in_that_it_needs():
    machine.write(POLICY, GOOD + "nat: { conntrack: expect }\n", 0o600)
    assert machine.run("systemctl", "start", "attlsd").returncode != 0
    said = "\n".join(line["MESSAGE"] for line in journal("-n", "20"))
    fix = re.search(r"systemctl edit attlsd and add: (\[Service\]) (\S+)", said)
    assert fix, said
    machine.run("systemctl", "stop", "attlsd")
    drop_in = "/run/systemd/system/attlsd.service.d/attlsd.conf"
    machine.write(drop_in, "\n".join(fix.groups()) + "\n")
    machine.good("systemctl", "daemon-reload")
    try:
        done = machine.run("systemctl", "start", "attlsd")
        said = "\n".join(line["MESSAGE"] for line in journal("-n", "5"))
        assert done.returncode == 0 or "CAP_NET_ADMIN" not in said, said
    finally:
        os.unlink(machine.path(drop_in))
        machine.good("systemctl", "daemon-reload")


def test_the_unit_has_no_fault():
    done = machine.run("systemd-analyze", "verify", "attlsd.service")
    faults = [line for line in done.stderr.splitlines() if "attlsd" in line and "Command 'man " not in line]
    assert not faults, faults
    line = machine.run("systemd-analyze", "security", "--no-pager", "attlsd").stdout.splitlines()[-1]
    assert float(re.search(r"([0-9.]+) (OK|MEDIUM|EXPOSED|UNSAFE)", line).group(1)) <= 3.5, line


CONNECT = """
import socket, time
end = time.monotonic() + 1
n = 0
while time.monotonic() < end:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", 2121), timeout=5) as s:
        assert s.recv(4) == b"220 "
    assert time.monotonic() - begun < 1
    n += 1
print(n)
"""


def processes():
    """Of all attlsd, workers and keepers included."""
    return set(machine.run("pgrep", "attlsd").stdout.split())


def is_running(transfer):
    return transfer.poll() is None


def test_restart_serves_new_clients_while_a_transfer_runs():
    machine.good("systemctl", "start", "attlsd")
    old = machine.show("attlsd", "MainPID")
    transfer = machine.start(*CURL, "--limit-rate", "1M", "-o", "/srv/restarted", SERVER + "/big")
    machine.until(lambda: os.path.exists(machine.path("/srv/restarted")) and os.path.getsize(machine.path("/srv/restarted")) > 0, "it runs")
    machine.good("systemctl", "restart", "attlsd")
    assert machine.show("attlsd", "MainPID") not in ("0", old)
    assert int(machine.good("python3", "-c", CONNECT)) > 10
    machine.good(*CURL, "--list-only", SERVER + "/")
    # a second one, of the new attlsd, while the first still drains
    machine.good("systemctl", "restart", "attlsd")
    machine.good(*CURL, "--list-only", SERVER + "/")
    machine.good("attlsctl", "sessions")
    assert is_running(transfer), "the restarts waited for it"
    assert transfer.wait(machine.DEADLINE) == 0, transfer.stdout.read()
    with open(machine.path("/srv/restarted"), "rb") as got, open(machine.path("/srv/files/big"), "rb") as whole:
        assert got.read() == whole.read()
    machine.until(lambda: old not in processes(), "the old attlsd ends with its transfer")
    assert machine.show("attlsd", "ActiveState", "NRestarts") == ("active", "0")
    said = [line["MESSAGE"] for line in journal("-n", "200")]
    assert not [line for line in said if "stopping-now" in line], said
    machine.good("systemctl", "stop", "attlsd")
    machine.until(lambda: not processes(), "nothing is left")


def test_a_monitor_that_hangs_is_replaced():
    drop_in = "/run/systemd/system/attlsd.service.d/watchdog.conf"
    machine.write(drop_in, "[Service]\nWatchdogSec=1s\nTimeoutAbortSec=5s\n")
    machine.good("systemctl", "daemon-reload")
    try:
        machine.good("systemctl", "start", "attlsd")
        first = machine.show("attlsd", "MainPID")
        started = processes()
        machine.good("python3", "-c", CONNECT.replace("+ 1", "+ 2"))
        assert machine.show("attlsd", "MainPID", "NRestarts") == (first, "0"), "it is alive, so nothing happens"
        machine.good("kill", "-STOP", first)
        machine.until(lambda: machine.show("attlsd", "NRestarts") == "1", "systemd notices")
        machine.until(lambda: machine.show("attlsd", "ActiveState") == "active", "it serves again")
        assert machine.show("attlsd", "MainPID") != first
        machine.good(*CURL, "--list-only", SERVER + "/")
        machine.until(lambda: not processes() & started, "nothing is left of the first one")
    finally:
        os.unlink(machine.path(drop_in))
        machine.good("systemctl", "daemon-reload")

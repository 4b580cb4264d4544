"""The life of Debian's packages on one host, in the order of the tests: each begins with what the last one left."""
import os
import re

import pytest

import machine

POLICY = "/etc/attlsd/policy.yaml"
TWO = "/etc/attlsd/two/policy.yaml"
GOOD = """\
version: 1
daemon: { audit: /var/log/attlsd/audit.log, http: "127.0.0.1:8021" }
keyrings: { ftpd: { certificates: [ { chain: server.pem, key: server.key } ] } }
tls_actions: { server: { keyring: ftpd } }
ftp_actions: { standard: {} }
backends: { legacy: { address: 127.0.0.1:2021 } }
listeners: { explicit: { address: 127.0.0.1:2121 } }
rules: { everyone: { tls: server, ftp: standard, backend: legacy } }
"""
FAULTY = GOOD.replace("keyring: ftpd", "keyring: fptd")
INSTANCE = GOOD.replace('audit: /var/log/attlsd/audit.log, http: "127.0.0.1:8021"',
                        "audit: /var/log/attlsd/two/audit.log, control_socket: /run/attlsd-two/control.sock").replace(
    "server.pem", "../server.pem").replace("server.key", "../server.key").replace("2121", "2122")
LEGACY = """
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
a = DummyAuthorizer()
a.add_user("tester", "word", "/srv/files", perm="elradfmwMT")
FTPHandler.authorizer = a
FTPServer(("127.0.0.1", 2021), FTPHandler).serve_forever()
"""
CURL = ("curl", "-sS", "--cacert", "/etc/attlsd/server.pem", "--ssl-reqd", "--user", "tester:word", "--max-time", "60")
SERVER = "ftp://localhost:2121"
OWN = "/usr/sbin/attlsd", "/etc/attlsd", "/var/log/attlsd"

# What running a system and apt changes; and the users stay, on purpose.
MOVING = re.compile(r"^/(proc|sys|dev|run|tmp|debs|srv|var/(cache|log/(apt|journal|dpkg.log|private)|backups|tmp|lib/(dpkg|apt|systemd|logrotate|private))"
                    r"|root/\.|etc/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd)|etc/machine-id)")


def tree():
    return {line for line in machine.good("find", "/", "-xdev").splitlines() if not MOVING.match(line)}


def apt(*argv):
    done = machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "--allow-downgrades", "-o", "APT::Sandbox::User=root", *argv)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    half = [line for line in machine.good("dpkg", "-l").splitlines()[5:] if not re.match(r"(ii|rc|hi) ", line)]
    assert not half, half
    return done.stdout + done.stderr


def install(folder):
    return apt("install", "--no-install-recommends", *debs(folder))


def debs(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(machine.path(folder)) if name.endswith(".deb"))


def active(unit="attlsd"):
    return machine.show(unit, "ActiveState") == "active"


def pid(unit="attlsd"):
    return machine.show(unit, "MainPID")


def version_that_runs(unit="attlsd"):
    return machine.good(f"/proc/{pid(unit)}/exe", "-V").split()[1]


def listens(port):
    return f":{port} " in machine.good("ss", "-ltn")


def serves(server=SERVER):
    assert "big" in machine.good(*CURL, "--list-only", server + "/").split()


def begin_transfer(name):
    transfer = machine.start(*CURL, "--limit-rate", "2M", "-o", name, SERVER + "/big")
    machine.until(lambda: os.path.exists(machine.path(name)) and os.path.getsize(machine.path(name)) > 0, "it runs")
    return transfer


def finish_transfer(transfer, name):
    assert transfer.wait(machine.DEADLINE) == 0, transfer.stdout.read()
    with open(machine.path(name), "rb") as got, open(machine.path("/srv/files/big"), "rb") as whole:
        assert got.read() == whole.read()


BEFORE = set()


@pytest.fixture(scope="session", autouse=True)
def booted():
    if not machine.FIRST:
        pytest.skip("tests/packages/run.sh boots the machine")
    machine.until(lambda: machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), "booted")
    os.makedirs(machine.path("/srv/files"))
    with open(machine.path("/srv/files/big"), "wb") as f:
        f.write(os.urandom(8 << 20))
    machine.good("systemd-run", "--unit=legacy", "python3", "-c", LEGACY)
    machine.until(lambda: listens(2021), "the FTP server listens")
    BEFORE.update(tree())


def test_an_installation_listens_nowhere_and_does_not_fail():
    sockets = machine.good("ss", "-ltnH")
    said = install("/debs/old")
    assert "no policy yet" in said
    assert machine.good("ss", "-ltnH") == sockets
    assert machine.show("attlsd", "ActiveState", "UnitFileState") == ("inactive", "enabled")
    assert machine.good("systemctl", "list-units", "--failed", "--no-legend", "--plain", "attlsd*") == ""
    for user in "attlsd", "attlsd-key", "attlsd-http":
        assert machine.good("getent", "passwd", user).strip().endswith(":/nonexistent:/usr/sbin/nologin")
    for folder in "/etc/attlsd", "/var/log/attlsd":
        assert machine.good("stat", "-c", "%a %U:%G", folder).strip() == "700 root:root"
    assert machine.good("attlsd", "-V").split()[1].endswith("~old")


def test_it_starts_with_a_policy():
    machine.good("sh", "-c", "cd /etc/attlsd && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 "
                 "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout server.key -out server.pem")
    machine.write(POLICY, GOOD, 0o600)
    machine.good("attlsctl", "check")
    machine.good("systemctl", "start", "attlsd")
    serves()
    machine.write("/srv/up", "text")
    machine.good(*CURL, "-T", "/srv/up", SERVER + "/up")
    assert machine.good("cat", "/srv/files/up") == "text"
    machine.until(lambda: machine.run("curl", "-sf", "http://127.0.0.1:8021/readyz").returncode == 0, "attlsd-http answers")
    log = "/var/log/attlsd/audit.log"
    machine.until(lambda: "up" in machine.run("cat", log).stdout, "the audit trail")
    machine.good("logrotate", "--force", "/etc/logrotate.d/attlsd")
    serves()
    assert machine.good("attlsctl", "audit", "verify", log + ".1", log) is not None


def test_a_second_gateway_is_an_instance():
    machine.good("mkdir", "-m", "700", "/etc/attlsd/two")
    machine.write(TWO, INSTANCE, 0o600)
    machine.good("systemctl", "enable", "--now", "attlsd@two")
    serves("ftp://localhost:2122")
    machine.good("attlsctl", "status", "-f", TWO)
    assert "uid" not in machine.good("systemctl", "--failed", "--no-legend")
    machine.good("systemctl", "reload", "attlsd@two")
    assert machine.good("stat", "-c", "%a", "/var/log/attlsd/two").strip() == "700"


def test_bash_finds_the_completion():
    done = machine.good("bash", "-c", ". /usr/share/bash-completion/bash_completion; _completion_loader attlsctl; complete -p attlsctl")
    assert "_attlsctl" in done


def test_an_upgrade_serves_on_and_cuts_nothing():
    old = pid(), pid("attlsd@two")
    transfer = begin_transfer("/srv/upgraded")
    install("/debs")
    assert active() and active("attlsd@two")
    assert pid() != old[0] and pid("attlsd@two") != old[1]
    assert not version_that_runs().endswith("~old") and not version_that_runs("attlsd@two").endswith("~old")
    serves()
    serves("ftp://localhost:2122")
    finish_transfer(transfer, "/srv/upgraded")
    machine.until(lambda: machine.run("test", "-d", f"/proc/{old[0]}").returncode != 0, "the old attlsd ends with its transfer")
    machine.until(lambda: machine.run("curl", "-sf", "http://127.0.0.1:8021/readyz").returncode == 0, "attlsd-http answers")
    assert machine.show("attlsd", "NRestarts") == "0"


def test_a_faulty_policy_keeps_the_running_attlsd():
    before = pid()
    machine.write(POLICY, FAULTY, 0o600)
    said = install("/debs/old")
    assert "fptd" in said and "goes on with its old program" in said
    assert pid() == before and active()
    serves()
    machine.write(POLICY, GOOD, 0o600)
    machine.good("systemctl", "restart", "attlsd")
    assert version_that_runs().endswith("~old")
    serves()


def test_a_stopped_service_stays_stopped():
    machine.good("systemctl", "stop", "attlsd")
    install("/debs")
    assert not active() and active("attlsd@two")
    machine.good("systemctl", "start", "attlsd")
    assert not version_that_runs().endswith("~old")


def test_to_configure_again_changes_nothing():
    before = pid()
    machine.good("env", "DEBIAN_FRONTEND=noninteractive", "dpkg-reconfigure", "attlsd")
    assert pid() == before and active()
    serves()


def test_removal_lets_a_transfer_finish_and_keeps_the_policy():
    transfer = begin_transfer("/srv/removed")
    apt("remove", "attlsd", "attlsd-http")
    finish_transfer(transfer, "/srv/removed")
    machine.until(lambda: not machine.run("pgrep", "attlsd").stdout, "nothing runs")
    assert machine.good("cat", POLICY) == GOOD
    assert machine.run("test", "-e", "/usr/sbin/attlsd").returncode == 1
    assert not listens(2121) and not listens(2122)


def test_a_second_installation_starts_the_service_again():
    install("/debs")
    assert active() and active("attlsd@two")
    serves()


def test_a_purge_leaves_nothing():
    apt("purge", "attlsd", "attlsd-http")
    machine.until(lambda: not machine.run("pgrep", "attlsd").stdout, "nothing runs")
    assert not any(os.path.lexists(machine.path(name)) for name in OWN)
    assert sorted(tree() ^ BEFORE) == []


def test_it_can_come_again():
    install("/debs")
    assert not active() and machine.show("attlsd", "UnitFileState") == "enabled"
    apt("purge", "attlsd", "attlsd-http")
    assert sorted(tree() ^ BEFORE) == []

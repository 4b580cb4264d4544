"""The life of Debian's packages on one host, in the order of the tests: each begins with what the last one left."""
import os
import re
import shutil
import subprocess

import pytest

import machine
import tutorial

POLICY = "/etc/attlsd/policy.yaml"
TWO = "/etc/attlsd/two/policy.yaml"
GOOD = """\
version: 1
daemon: { audit: /var/log/attlsd/audit.log, http: "127.0.0.1:8021" }
keyrings: { ftpd: { certificates: [ { chain: server.pem, key: server.key } ] } }
tls_actions: { server: { keyring: ftpd } }
ftp_actions: { standard: {} }
backends: { legacy: { address: 127.0.0.1:2031 } }
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
FTPServer(("127.0.0.1", 2031), FTPHandler).serve_forever()
"""
# Sessions that follow each other until a file says that it is enough. A refused or cut connection ends it with an error.
VISITS = """
import os, socket
visits = 0
while not os.path.exists("/run/enough"):
    with socket.create_connection(("127.0.0.1", 2121), timeout=30) as s, s.makefile("rw", newline="\\r\\n") as lines:
        assert lines.readline().startswith("220 ")
        lines.write("QUIT\\n")
        lines.flush()
        assert lines.readline().startswith("221 ")
    visits += 1
    print(visits, flush=True)
"""
# A transfer that goes on when it is told to.
TRANSFER = """
import ftplib, ssl, sys
ftp = ftplib.FTP_TLS(context=ssl.create_default_context(cafile="/etc/attlsd/server.pem"))
ftp.connect("localhost", 2121, timeout=60)
ftp.login("tester", "word")
ftp.prot_p()
ftp.voidcmd("TYPE I")
with ftp.transfercmd("RETR big") as data:
    got = data.recv(1)
    print("begun", flush=True)
    sys.stdin.readline()
    while chunk := data.recv(65536):
        got += chunk
    data.unwrap()
assert ftp.voidresp().startswith("226")
with open("/srv/files/big", "rb") as f:
    assert got == f.read()
print("whole", ftp.quit(), flush=True)
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
    machine.until(lambda: listens(2031), "the FTP server listens")
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


def test_an_upgrade_refuses_no_client_and_cuts_no_transfer():
    old = pid(), pid("attlsd@two")
    transfer = machine.start("python3", "-c", TRANSFER, stdin=subprocess.PIPE)
    assert transfer.stdout.readline() == "begun\n"
    visits = machine.start("python3", "-c", VISITS)
    assert visits.stdout.readline() == "1\n"
    said = install("/debs")
    assert said.count("serves; ") == 2, said
    assert active() and active("attlsd@two")
    # after some seconds, the new attlsd has proved itself
    machine.until(lambda: pid() != old[0] and pid("attlsd@two") != old[1], "systemd knows the new attlsd")
    assert not version_that_runs().endswith("~old") and not version_that_runs("attlsd@two").endswith("~old")
    serves()
    serves("ftp://localhost:2122")
    assert "~old" in machine.good("attlsctl", "status"), "the old attlsd has a session"
    transfer.stdin.write("\n")
    transfer.stdin.flush()
    assert transfer.stdout.readline().startswith("whole"), transfer.stdout.read()
    assert transfer.wait(machine.DEADLINE) == 0
    machine.until(lambda: machine.run("test", "-d", f"/proc/{old[0]}").returncode != 0, "the old attlsd ends with its transfer")
    machine.write("/run/enough", "")
    counted = visits.stdout.read().split()
    assert visits.wait(machine.DEADLINE) == 0, counted[-20:]
    print(f"{counted[-1]} sessions during the upgrade, none refused")
    machine.until(lambda: machine.run("curl", "-sf", "http://127.0.0.1:8021/readyz").returncode == 0, "attlsd-http answers")
    assert machine.show("attlsd", "NRestarts", "ActiveState", "SubState") == ("0", "active", "running")
    warned = machine.good("journalctl", "-u", "attlsd", "-p", "warning", "-o", "cat", "--since", "-2min")
    assert "main-process-stays" not in warned, warned


def test_a_policy_that_forbids_it_keeps_the_running_attlsd():
    before = pid()
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    said = install("/debs/old")
    os.unlink(machine.path("/usr/sbin/policy-rc.d"))
    assert "policy-rc.d" in said and pid() == before
    said = machine.run("/usr/share/attlsd/upgrade-services")
    assert said.returncode == 0 and "serves; " in said.stdout, said
    machine.until(lambda: version_that_runs().endswith("~old"), "a downgrade is the same")
    machine.until(lambda: version_that_runs("attlsd@two").endswith("~old"), "of the instance, too")


def test_an_attlsd_that_cannot_be_asked_is_restarted():
    machine.write(POLICY, GOOD.replace("daemon: {", "daemon: { control_socket: none,"), 0o600)
    machine.good("systemctl", "restart", "attlsd")
    before = pid()
    said = install("/debs")
    assert "restarting attlsd.service" in said and pid() != before and not version_that_runs().endswith("~old"), said
    serves()
    machine.write(POLICY, GOOD, 0o600)
    machine.good("systemctl", "restart", "attlsd")
    serves()


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


def test_every_command_of_the_tutorial():
    """For real, but for `make install`, whose place the packages take."""
    install("/debs")
    os.makedirs(machine.path("/srv/clone/contrib/demo"), exist_ok=True)
    shutil.copy(os.path.join(tutorial.ROOT, "contrib/demo/zos-client.py"), machine.path("/srv/clone/contrib/demo"))
    steps = [(commands, lines) for commands, lines in tutorial.steps(installation=True) if "make install" not in commands]
    assert len(steps) >= 10
    done = machine.run("sh", "-c", "cd /srv/clone; . /dev/stdin", input=tutorial.script(steps))
    tutorial.check(steps, done.stdout)
    assert active() and machine.show("attlsd", "UnitFileState") == "enabled" and active("vsftpd")

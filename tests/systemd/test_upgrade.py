"""Upgrades and socket activation under a real systemd: who the main process is, its cgroup, its watchdog, its end."""
import os
import re

import machine
from test_unit import CURL, GOOD, POLICY, SERVER, booted, is_running, journal, processes, stopped # fixtures, too

SOCKET = "/run/systemd/system/attlsd.socket"
DROP_IN = "/run/systemd/system/attlsd.service.d/upgrade.conf"
STOP = "/run/attlsd-test-stop"
# One connection after the other until there is such a file: none is refused. A restart ends sessions without a
# transfer, so not each gets its greeting.
CONNECT = f"""
import os, socket
n = 0
while not os.path.exists("{STOP}"):
    with socket.create_connection(("127.0.0.1", 2121), timeout=20) as s:
        n += s.recv(4) == b"220 "
print(n)
"""


def new_binary():
    """As a package does it: another file with this name."""
    machine.good("sh", "-c", "cp /usr/sbin/attlsd /usr/sbin/attlsd.new && mv /usr/sbin/attlsd.new /usr/sbin/attlsd")


def main():
    return machine.show("attlsd", "MainPID")


def upgrade():
    """Returns the old and the new main process."""
    old = main()
    new_binary()
    machine.good("systemctl", "reload", "attlsd")
    machine.until(lambda: main() not in ("0", old), "the new process is the main one")
    return old, main()


def cgroup(pid):
    return machine.good("cat", f"/proc/{pid}/cgroup")


def whole(name):
    with open(machine.path(name), "rb") as got, open(machine.path("/srv/files/big"), "rb") as all_of_it:
        return got.read() == all_of_it.read()


def test_a_reload_with_a_new_binary():
    machine.good("systemctl", "start", "attlsd")
    transfer = machine.start(*CURL, "--limit-rate", "400k", "--max-time", "60", "-o", "/srv/upgraded", SERVER + "/big")
    machine.until(lambda: os.path.exists(machine.path("/srv/upgraded")) and os.path.getsize(machine.path("/srv/upgraded")) > 0, "it runs")
    before = cgroup(main())
    old, new = upgrade()
    assert machine.show("attlsd", "ActiveState", "SubState", "NRestarts") == ("active", "running", "0")
    assert cgroup(new) == before and "attlsd.service" in before
    assert "\nPPid:\t1\n" in machine.good("cat", f"/proc/{new}/status"), "systemd is told of its end"
    said = machine.run("systemctl", "status", "attlsd").stdout
    assert f"Main PID: {new} (attlsd)" in said, said
    machine.until(lambda: re.fullmatch(r"\d+ sessions?, generation 2", machine.show("attlsd", "StatusText")), "status line")
    machine.good(*CURL, "--list-only", SERVER + "/")
    assert is_running(transfer) and old in processes(), "the old one still has a session"
    assert transfer.wait(2 * machine.DEADLINE) == 0, transfer.stdout.read()
    assert whole("/srv/upgraded")
    machine.until(lambda: old not in processes(), "the old one ends with it")
    assert machine.show("attlsd", "ActiveState", "NRestarts") == ("active", "0") and main() == new
    upgrade()
    machine.good("systemctl", "stop", "attlsd")
    assert machine.show("attlsd", "Result", "ExecMainStatus") == ("success", "0")
    machine.until(lambda: not processes(), "nothing is left")
    assert not [line["MESSAGE"] for line in journal("-n", "200") if "main-process-stays" in line["MESSAGE"]]


def test_a_faulty_binary_fails_the_reload():
    machine.good("systemctl", "start", "attlsd")
    before = main()
    machine.good("sh", "-c", "cp /usr/sbin/attlsd /run/attlsd.good && cp /bin/false /usr/sbin/attlsd.new && mv /usr/sbin/attlsd.new /usr/sbin/attlsd")
    try:
        assert machine.run("systemctl", "reload", "attlsd").returncode != 0
        assert machine.show("attlsd", "ActiveState", "NRestarts") == ("active", "0") and main() == before
        machine.good(*CURL, "--list-only", SERVER + "/")
    finally:
        machine.good("sh", "-c", "cp /run/attlsd.good /usr/sbin/attlsd.new && mv /usr/sbin/attlsd.new /usr/sbin/attlsd")


def comes_back_after(killed):
    """systemd starts it again, and no process of the killed one stays."""
    left = processes()
    machine.good("kill", "-KILL", killed)
    machine.until(lambda: main() not in ("0", killed) and machine.show("attlsd", "ActiveState") == "active", "started again")
    machine.until(lambda: not processes() & left, "nothing is left of it")
    machine.good(*CURL, "--list-only", SERVER + "/")


def test_a_killed_attlsd_comes_back_after_an_upgrade():
    machine.good("systemctl", "start", "attlsd")
    _, new = upgrade()
    comes_back_after(new)


def test_the_old_one_is_killed_in_the_trial():
    machine.good("systemctl", "start", "attlsd")
    old = main()
    new_binary()
    machine.good("systemctl", "reload", "attlsd")
    comes_back_after(old)


def test_the_watchdog_goes_on():
    machine.write(DROP_IN, "[Service]\nWatchdogSec=2s\nTimeoutAbortSec=5s\n")
    machine.good("systemctl", "daemon-reload")
    try:
        machine.good("systemctl", "start", "attlsd")
        _, new = upgrade()
        machine.good("sh", "-c", "sleep 5") # more than twice its time
        assert main() == new and machine.show("attlsd", "NRestarts") == "0", "it is alive"
        machine.good("kill", "-STOP", new)
        machine.until(lambda: machine.show("attlsd", "NRestarts") == "1" and machine.show("attlsd", "ActiveState") == "active", "systemd notices")
        machine.good(*CURL, "--list-only", SERVER + "/")
    finally:
        os.unlink(machine.path(DROP_IN))
        machine.good("systemctl", "daemon-reload")


def test_socket_activation():
    """systemd listens: a client starts attlsd, and a restart and an upgrade refuse none."""
    machine.write(SOCKET, "[Socket]\nListenStream=127.0.0.1:2121\nListenStream=127.0.0.1:2199\nBindIPv6Only=ipv6-only\n")
    machine.good("systemctl", "daemon-reload")
    machine.good("systemctl", "start", "attlsd.socket")
    try:
        assert machine.show("attlsd", "ActiveState") == "inactive"
        machine.good(*CURL, "--list-only", SERVER + "/")
        first = main()
        said = "\n".join(line["MESSAGE"] for line in journal("-n", "50"))
        assert "socket-unused address=127.0.0.1:2199" in said and "name=attlsd.socket" in said, said
        assert "socket-unused address=127.0.0.1:2121" not in said
        clients = machine.start("python3", "-c", CONNECT)
        machine.good("systemctl", "restart", "attlsd")
        assert main() not in ("0", first)
        upgrade()
        machine.good("systemctl", "restart", "attlsd")
        machine.write(STOP, "")
        told, _ = clients.communicate(timeout=machine.DEADLINE)
        assert clients.returncode == 0 and int(told) > 10, told
        doctor = machine.run("attlsctl", "doctor").stdout
        assert "listener explicit: attlsd (pid " in doctor, doctor
    finally:
        machine.run("systemctl", "stop", "attlsd.socket", "attlsd")
        os.unlink(machine.path(SOCKET))
        machine.run("rm", "-f", STOP)
        machine.good("systemctl", "daemon-reload")

"""What a service manager sees: notifications (sd_notify(3)) and exit statuses."""
import os
import signal
import socket

import pytest

import net

EX_CONFIG = 78
GONE = "policy: [" # not YAML that a policy can be


class Manager:
    """The manager's end: a datagram socket, at a path or with an abstract name."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        if name[0] == "/":
            os.chmod(name, 0o777)
        self.socket.settimeout(net.DEADLINE)
        self.name = name
        self.said = []

    def announce(self):
        os.environ["NOTIFY_SOCKET"] = self.name

    def wait_for(self, text):
        """The first message that has this line."""
        while True:
            message = self.socket.recv(4096).decode()
            self.said.append(message)
            if text in message.split("\n"):
                return message

    def close(self):
        self.socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request, folder):
    name = os.path.join(folder, "notify") if request.param == "path" else f"@attlsd-test-{os.getpid()}"
    manager = Manager(name)
    yield manager
    manager.close()


def launched(launch, manager, *args, **more):
    return launch(*args, preexec=manager.announce, **more)


def test_start_reload_and_stop_are_notified_in_this_order(launch, backend, manager):
    gateway = launched(launch, manager, backend)
    assert manager.wait_for("READY=1")
    assert manager.said == ["READY=1"], "nothing may be said before READY=1"
    assert manager.wait_for("STATUS=0 sessions, generation 1")
    assert gateway.reload()
    reloading = dict(line.split("=") for line in manager.wait_for("RELOADING=1").split("\n"))
    assert int(reloading["MONOTONIC_USEC"]) > 0, "Type=notify-reload needs the time"
    assert manager.wait_for("READY=1")
    assert manager.wait_for("STATUS=0 sessions, generation 2")
    gateway.stop()
    assert manager.wait_for("STOPPING=1")


def test_a_reload_that_fails_ends_too(launch, backend, manager):
    gateway = launched(launch, manager, backend)
    manager.wait_for("READY=1")
    with open(gateway.path, "w") as f:
        f.write(GONE)
    assert not gateway.reload()
    manager.wait_for("RELOADING=1")
    manager.wait_for("READY=1")


def test_workers_do_not_inherit_the_socket(launch, backend, manager):
    gateway = launched(launch, manager, backend)
    manager.wait_for("READY=1")
    for worker in gateway.workers():
        kinds = [os.readlink(f"/proc/{worker}/fd/{fd}") for fd in os.listdir(f"/proc/{worker}/fd")]
        inode = socket_inode_of_monitor(gateway.pid, manager.name)
        assert inode and inode not in kinds, (inode, kinds)


def socket_inode_of_monitor(pid, name):
    """socket:[INODE] of the monitor's datagram socket; it is the only one of that kind."""
    datagram = set()
    with open("/proc/net/unix") as f:
        for line in f.readlines()[1:]:
            columns = line.split()
            if columns[4] == "0002":
                datagram.add(f"socket:[{columns[6]}]")
    mine = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    return next(iter(mine & datagram), None)


def test_a_manager_that_has_gone_or_reads_nothing_does_no_harm(launch, backend, manager):
    gateway = launched(launch, manager, backend)
    manager.wait_for("READY=1")
    manager.close()
    assert gateway.reload()
    gateway.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("name", ["", "/", "@", "relative", "/nonexistent/notify", "/" + 200 * "x"])
def test_a_bad_notify_socket_is_ignored(launch, backend, name):
    launch(backend, preexec=lambda: os.environ.__setitem__("NOTIFY_SOCKET", name))


def test_a_faulty_policy_has_an_exit_status_of_its_own(launch, backend):
    gateway = launch(backend, wait=False, ftp={"secure_dataconnn": "clear"})
    assert gateway.ended() == EX_CONFIG
    assert gateway.seen("failed", step="read and check the policy")


def test_a_port_in_use_is_no_policy_fault(launch, backend):
    taken = socket.create_server(("127.0.0.1", 0))
    address = "127.0.0.1:%d" % taken.getsockname()[1]
    gateway = launch(backend, wait=False, listeners={"explicit": {"address": address, "tls": "explicit"}})
    assert gateway.ended() == 1
    assert gateway.seen("failed", step="open the listeners", error="Address already in use")
    taken.close()


def test_a_name_that_does_not_resolve_may_do_so_later(launch):
    gateway = launch(("nowhere.invalid", 21), wait=False)
    assert gateway.ended() == 1
    assert gateway.seen("failed", step="read and check the policy")

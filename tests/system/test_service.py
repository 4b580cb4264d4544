"""What a service manager sees: notifications (sd_notify(3)) and exit statuses."""
import os
import signal
import socket
import subprocess

import pytest

import audit
import client as clients
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

    def hears(self, text, seconds):
        """Is this the next message, within this time?"""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096).decode() == text
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(net.DEADLINE)

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


@pytest.mark.skipif(not net.IS_ROOT, reason="attlsd hides its processes from its own user: only root may see their descriptors")
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


@pytest.mark.parametrize("pid", ["", "own", "1"])
def test_signs_of_life(launch, backend, manager, pid):
    def announce():
        manager.announce()
        os.environ["WATCHDOG_USEC"] = "200000"
        if pid:
            os.environ["WATCHDOG_PID"] = str(os.getpid()) if pid == "own" else pid
    gateway = launch(backend, preexec=announce)
    if pid == "1":
        manager.wait_for("STATUS=0 sessions, generation 1")
        assert not manager.hears("WATCHDOG=1", 0.3), "they are for another process"
        return
    for _ in range(3):
        manager.wait_for("WATCHDOG=1")
    os.kill(gateway.pid, signal.SIGSTOP)
    while manager.hears("WATCHDOG=1", 0.4): # what was sent before
        pass
    os.kill(gateway.pid, signal.SIGCONT)
    manager.wait_for("WATCHDOG=1")


def make_way(gateway, path):
    return subprocess.run([net.ATTLSCTL, "drain", "--restart", "--socket", path], capture_output=True, text=True, timeout=net.DEADLINE)


def test_a_restart_needs_a_manager(launch, backend, folder):
    path = os.path.join(folder, "ctl")
    gateway = launch(backend, daemon={"control_socket": path})
    done = make_way(gateway, path)
    assert done.returncode == 1 and "no service manager" in done.stdout + done.stderr
    with clients.Client(gateway.explicit) as c:
        assert c.greeting.code == 220


@pytest.mark.parametrize("workers", [1, 3])
def test_the_next_one_serves_while_the_last_one_drains(launch, make_backend, manager, folder, workers):
    path = os.path.join(folder, "ctl")
    backend = make_backend(files={"big": os.urandom(8 << 20)})
    trail = os.path.join(folder, "audit.log")
    daemon = {"control_socket": path, "workers": workers, "audit": trail}
    port = net.free_port()
    listeners = {"explicit": {"address": "127.0.0.1:%d" % port}}
    first = launched(launch, manager, backend, ftp={"secure_dataconn": "clear"}, daemon=daemon, listeners=listeners)
    with clients.explicit(first, "C") as busy, clients.explicit(first, "C") as idle:
        data = net.dial(busy.pasv())
        busy.expect("RETR big", 150)
        begin = net.exactly(data, 65536)
        done = make_way(first, path)
        assert done.returncode == 0, done.stderr
        assert idle.reply().code == 421, "an idle session ends"
        assert first.process.poll() is None, "the manager has not sent SIGTERM yet"
        second = launch(backend, ftp={"secure_dataconn": "clear"}, daemon=daemon, listeners=listeners)
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(net.DEADLINE) == 0
        with clients.explicit(second, "C") as c:
            assert len(c.get("big")) == 8 << 20
        assert audit.verify(trail)[0] == 3, "the successor has not stopped"
        end, rest = net.end_of(data)
        assert (end, begin + rest) == ("fin", backend.files["big"])
        assert busy.reply().code == 226
    stopped = first.event("stopped")
    assert stopped.keys["pid"] != str(first.pid)
    assert not first.seen("worker-died") and not first.seen("keeper-died") and not first.seen("stopping-now"), first.log
    assert os.path.exists(path), "the socket is the second one's"
    status, told = audit.verify(trail)
    assert status == 0 and len(audit.named(audit.read(trail), "process-stop", pid=first.pid)) == 1, told


def test_a_second_sigterm_ends_the_drain(launch, make_backend, manager, folder):
    path = os.path.join(folder, "ctl")
    backend = make_backend(files={"big": os.urandom(8 << 20)})
    first = launched(launch, manager, backend, ftp={"secure_dataconn": "clear"}, daemon={"control_socket": path})
    with clients.explicit(first, "C") as busy:
        data = net.dial(busy.pasv())
        busy.expect("RETR big", 150)
        net.exactly(data, 65536)
        before = set(net.children(first.pid))
        assert make_way(first, path).returncode == 0
        (successor,) = set(net.children(first.pid)) - before
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(net.DEADLINE) == 0
        os.kill(successor, signal.SIGTERM)
        assert net.end_of(data)[0] == "reset"
    assert first.event("stopped").keys["pid"] == str(successor)


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

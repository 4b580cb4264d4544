"""What attlsd inherits from its starter changes nothing: signals, limits, descriptors, umask, environment."""
import os
import resource
import signal
import socket
import stat
import subprocess

import client as clients
import gateway as gateways
import net

ENDING = [signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGXCPU,
          signal.SIGXFSZ, signal.SIGPWR, signal.SIGRTMIN, signal.SIGRTMAX]


def serves(gateway):
    with clients.explicit(gateway, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"


def test_signals_without_a_meaning_end_nothing(launch, backend):
    gateway = launch(backend)
    with clients.explicit(gateway, level="P") as c:
        for pid in [gateway.pid, *gateway.workers()]:
            for number in ENDING:
                os.kill(pid, number)
        assert c.get("hello.txt") == b"hello, world\r\n"
    assert gateway.reload()
    serves(gateway)


def test_signals_that_its_starter_ignored_or_blocked_work(launch, backend):
    def preexec():
        net.die_with_parent()
        for number in signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    gateway = launch(backend, preexec=preexec)
    assert gateway.reload()
    os.kill(gateway.workers()[-1], signal.SIGKILL)
    gateway.event("worker-died")
    gateway.stop()


def test_soft_limits_are_raised(launch, backend):
    def preexec():
        net.die_with_parent()
        for what, soft in (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CPU, 1):
            resource.setrlimit(what, (soft, resource.getrlimit(what)[1]))
    gateway = launch(backend, preexec=preexec)
    with open(f"/proc/{gateway.pid}/limits") as f:
        limits = {line[:26].strip(): line[26:].split()[:2] for line in f}
    for name in "Max file size", "Max cpu time":
        assert limits[name][0] == limits[name][1], limits[name]


def test_the_umask(launch, backend):
    gateway = launch(backend, preexec=lambda: (net.die_with_parent(), os.umask(0)), daemon={"control_socket": "control.sock"})
    assert stat.S_IMODE(os.stat(os.path.join(gateway.folder, "control.sock")).st_mode) == 0o600
    with open(f"/proc/{gateway.pid}/status") as f:
        assert dict(line.split(":", 1) for line in f)["Umask"].strip() == "0077"


def policy_file(certificates, backend, folder):
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, backend.address, daemon={"control_socket": "control.sock"})))
    return path


def test_descriptors(certificates, backend, folder):
    """Closed standard descriptors are /dev/null, others of the starter are closed."""
    path = policy_file(certificates, backend, folder)
    other, ours = socket.socketpair()
    ours.set_inheritable(True)

    def preexec():
        net.die_with_parent()
        for fd in 0, 1, 2:
            os.close(fd)
    process = subprocess.Popen([net.ATTLSD, "-f", path], preexec_fn=preexec, close_fds=False)
    try:
        ours.close()
        other.settimeout(net.DEADLINE)
        assert other.recv(1) == b"", "attlsd keeps the starter's socket open"
        net.until(lambda: os.path.exists(os.path.join(folder, "control.sock")), "attlsd is up")
        for fd in 0, 1, 2:
            assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
    finally:
        process.kill()
        process.wait()
        other.close()


def test_a_log_reader_that_ends_ends_nothing(certificates, backend, folder):
    reader, writer = os.pipe()
    process = subprocess.Popen([net.ATTLSD, "-f", policy_file(certificates, backend, folder)], stdin=subprocess.DEVNULL, stderr=writer,
                               preexec_fn=net.die_with_parent)
    os.close(writer)
    text = b""
    while not text.endswith(b"\n") or b" ready " not in text:
        text += os.read(reader, 4096)
    address = ("127.0.0.1", int(text.split(b"explicit=127.0.0.1:")[1].split()[0]))
    try:
        with clients.Client(address) as c:
            c.auth().login().prot("P")
            os.close(reader)
            before = set(net.children(process.pid))
            process.send_signal(signal.SIGHUP)
            net.until(lambda: process.poll() is not None or set(net.children(process.pid)) - before, "the reload starts a worker")
            assert c.get("hello.txt") == b"hello, world\r\n"
        with clients.Client(address) as c:
            c.auth().login()
    finally:
        process.terminate()
        assert process.wait(net.DEADLINE) == 0

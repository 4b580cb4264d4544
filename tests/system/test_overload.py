"""Overload: no descriptors left, clients that flood, crowds of connections, and backlogged workers."""
import contextlib
import os
import signal
import subprocess
import sys
import time

import client as clients
import net

KEY_UPDATES = """
import ctypes, ctypes.util, socket, sys
lib = ctypes.CDLL(ctypes.util.find_library("ssl"))
for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
    getattr(lib, name).restype = ctypes.c_void_p
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
ssl = ctypes.c_void_p(lib.SSL_new(ctypes.c_void_p(lib.SSL_CTX_new(ctypes.c_void_p(lib.TLS_client_method())))))
lib.SSL_set_fd(ssl, sock.fileno())
assert lib.SSL_connect(ssl) == 1
print("connected", flush=True)
if len(sys.argv) > 2:
    sys.stdin.readline()
    for _ in range(int(sys.argv[2])):
        assert lib.SSL_write(ssl, b"x", 1) == 1 and lib.SSL_key_update(ssl, 0) == 1 and lib.SSL_do_handshake(ssl) == 1
    print("sent", flush=True)
    sys.stdin.readline()
while lib.SSL_key_update(ssl, 0) == 1 and lib.SSL_do_handshake(ssl) == 1:
    pass
"""


def test_the_first_workers_have_the_raised_descriptor_limit(launch, backend):
    gateway = launch(backend, preexec=net.descriptor_limit(64, 4096))
    (worker,) = gateway.workers()
    with open(f"/proc/{worker}/limits") as f:
        (line,) = [line for line in f if line.startswith("Max open files")]
    assert line.split()[3:5] == ["4096", "4096"]


def test_a_worker_without_descriptors_keeps_its_sessions(launch, backend):
    """Refused connections linger, so one source with at most 20 sessions can use up all descriptors."""
    gateway = launch(backend, preexec=net.descriptor_limit(64, 64))
    (worker,) = gateway.workers()
    victim = clients.explicit(gateway)
    held = []
    with contextlib.suppress(OSError):
        for _ in range(120):
            s = net.dial(gateway.explicit)
            s.sendall(b"GET / HTTP/1.1\r\n")
            held.append(s)
    time.sleep(0.5)
    assert gateway.workers() == [worker], gateway.log
    victim.expect("PWD", 257)
    for s in held:
        s.close()
    net.until(lambda: net.descriptors(worker) < 30, "descriptors come back")
    clients.Client(gateway.explicit).close()
    victim.expect("PWD", 257)
    victim.close()


def test_a_flood_of_key_updates_does_not_starve_the_others(launch, backend):
    """Three clients that have not logged in send nothing but key updates."""
    gateway = launch(backend)
    (worker,) = gateway.workers()
    flooders = [subprocess.Popen([sys.executable, "-c", KEY_UPDATES, str(gateway.implicit[1])], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, preexec_fn=net.die_with_parent) for _ in range(3)]
    try:
        for flooder in flooders:
            assert flooder.stdout.readline() == b"connected\n"
        os.kill(worker, signal.SIGSTOP)
        time.sleep(1.5)  # their buffers are full
        os.kill(worker, signal.SIGCONT)
        start = time.monotonic()
        clients.Client(gateway.explicit).close()
        waited = time.monotonic() - start
    finally:
        for flooder in flooders:
            flooder.kill()
            flooder.wait()
            flooder.stdout.close()
    assert waited < 0.5, f"a greeting took {waited:.2f} s"


def test_a_byte_between_key_updates_does_not_make_them_harmless(launch, backend):
    gateway = launch(backend)
    (worker,) = gateway.workers()
    with clients.explicit(gateway, "P") as c:
        _, port = c.epsv()
        c.send("STOR x\r\n")
        flooder = subprocess.Popen([sys.executable, "-c", KEY_UPDATES, str(port), "2000"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=net.die_with_parent)
        try:
            assert c.reply().code == 150
            assert flooder.stdout.readline() == b"connected\n"
            os.kill(worker, signal.SIGSTOP)
            flooder.stdin.write(b"\n")
            flooder.stdin.flush()
            assert flooder.stdout.readline() == b"sent\n"
            os.kill(worker, signal.SIGCONT)
            assert gateway.event("transfer").keys["result"] == "client-reset"
        finally:
            flooder.kill()
            flooder.communicate()
            os.kill(worker, signal.SIGCONT)


def test_workers_with_a_backlog_are_in_the_log(launch):
    limits = {"unauthenticated_per_source": 2000, "sessions_per_source": 2000}
    gateway = launch(("127.0.0.1", net.free_port()), daemon={"limits": limits})
    (worker,) = gateway.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        waiting = [net.dial(gateway.explicit) for _ in range(600)]
        gateway.event("workers-backlogged")
    finally:
        os.kill(worker, signal.SIGCONT)
    for sock in waiting:
        sock.close()


def test_a_crowd_that_comes_at_once_waits_for_the_worker(launch):
    """More connections than the channel to the worker holds: none of them may be refused for that."""
    limits = {"unauthenticated_per_source": 2000, "sessions_per_source": 2000}
    gateway = launch(("127.0.0.1", net.free_port()), daemon={"limits": limits})
    (worker,) = gateway.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        clients = [net.dial(gateway.explicit) for _ in range(600)]
    finally:
        os.kill(worker, signal.SIGCONT)
    for sock in clients:
        said = sock.recv(100)
        sock.close()
        assert said.startswith(b"421 ") and b"Too many" not in said, "not the worker's word about a server that is down"


def test_a_reload_spares_a_worker_with_a_backlog(launch, backend):
    """More connections than the channel to the worker holds: its existing sessions must survive."""
    gateway = launch(backend, daemon={"limits": {"unauthenticated_per_source": 2000, "sessions_per_source": 2000}})
    (worker,) = gateway.workers()
    victim = clients.explicit(gateway)
    held = []
    os.kill(worker, signal.SIGSTOP)
    try:
        while not gateway.seen("refused") and len(held) < 1000:
            held.append(net.dial(gateway.explicit))
        since = gateway.mark()
        gateway.process.send_signal(signal.SIGHUP)
        gateway.event("reloaded", since)
        time.sleep(0.2)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)
    victim.expect("PWD", 257)
    assert not gateway.seen("worker-killed")
    for sock in held:
        sock.close()
    victim.close()

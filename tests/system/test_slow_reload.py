"""What a load waits for (name servers, file systems) delays nobody: sessions begin, and SIGTERM works."""
import os
import shlex
import signal
import socket
import threading
import time

import pytest

import client as clients
import gateway as gateways
import net

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for files in /etc of its own")


@pytest.fixture
def names(folder):
    """A name server that answers only while `names.answers` is set, and the line of shell that makes it the only one."""
    class Names:
        answers = threading.Event()
        asked = threading.Event()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"  # tests may run side by side
    sock.bind((address, 53))
    sock.settimeout(0.1)

    def serve():
        while not over.is_set():
            try:
                query, who = sock.recvfrom(512)
            except TimeoutError:
                continue
            Names.asked.set()
            if not Names.answers.is_set():
                continue
            end = query.index(b"\0", 12) + 5
            found = query[end - 4:end - 2] == b"\0\1"  # A
            record = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\1" if found else b""
            sock.sendto(query[:2] + b"\x81\x80\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0" + query[12:end] + record, who)
    over = threading.Event()
    server = threading.Thread(target=serve)
    server.start()
    lines = []
    for name, text in {"resolv.conf": f"nameserver {address}\n", "hosts": "127.0.0.1 localhost\n", "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
        lines.append(f"mount --bind {shlex.quote(os.path.join(folder, name))} /etc/{name}")
    Names.shell = "\n".join(lines)
    yield Names
    over.set()
    server.join()
    sock.close()


def launch_by_name(certificates, backend, folder, names, **change):
    tree = gateways.policy(certificates, ("server.example", backend.address[1]), **change)
    return gateways.Launched(folder, tree, names.shell, "unshare", "-m")


def loaders(gateway):
    return [pid for pid in net.children(gateway.pid) if net.name(pid) == "attlsd-load"]


def test_a_name_server_that_is_silent_delays_no_client(certificates, backend, folder, names):
    names.answers.set()
    gateway = launch_by_name(certificates, backend, folder, names).ready()
    names.answers.clear()
    names.asked.clear()
    since = gateway.mark()
    gateway.process.send_signal(signal.SIGHUP)
    assert names.asked.wait(net.DEADLINE)
    for _ in range(3):
        with clients.explicit(gateway, level="P") as c:
            assert c.get("hello.txt") == b"hello, world\r\n"
    assert loaders(gateway), "the reload still waits"
    for _ in range(3):  # all of them together are one
        gateway.process.send_signal(signal.SIGHUP)
        gateway.event("reload-follows")
    names.answers.set()
    gateway.event("reloaded", since)
    gateway.event("reloaded", count=2)
    time.sleep(1)
    assert len(gateway.seen("reloaded")) == 2 and len(gateway.seen("reload-follows")) == 1
    with clients.explicit(gateway, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
    gateway.stop()


@pytest.mark.parametrize("when", ["start", "reload"])
def test_sigterm_during_a_load(certificates, backend, folder, names, when):
    if when == "reload":
        names.answers.set()
    gateway = launch_by_name(certificates, backend, folder, names)
    if when == "reload":
        gateway.ready()
        names.answers.clear()
        names.asked.clear()
        gateway.process.send_signal(signal.SIGHUP)
    assert names.asked.wait(net.DEADLINE)
    (loader,) = loaders(gateway)
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(3) == 0
    net.until(lambda: not os.path.exists(f"/proc/{loader}"), "the loader ends, too")
    gateway.ended()


def test_the_loader_keeps_nothing_and_dies_with_the_monitor(certificates, backend, folder, names):
    names.answers.set()
    gateway = launch_by_name(certificates, backend, folder, names).ready()
    names.answers.clear()
    names.asked.clear()
    gateway.process.send_signal(signal.SIGHUP)
    assert names.asked.wait(net.DEADLINE)
    (loader,) = loaders(gateway)
    listening = [line.split()[9] for line in open(f"/proc/{loader}/net/tcp") if line.split()[3] == "0A"]
    held = [os.readlink(f"/proc/{loader}/fd/{fd}") for fd in os.listdir(f"/proc/{loader}/fd")]
    assert not [one for one in held if one.startswith("socket:[") and one[8:-1] in listening], held
    gateway.process.kill()
    gateway.process.wait()
    net.until(lambda: not os.path.exists(f"/proc/{loader}"), "the loader ends, too")
    net.until(lambda: refused(gateway.explicit), "nobody listens any more")
    gateway.ended()


def refused(address):
    with socket.socket() as sock:
        return sock.connect_ex(address) != 0


def launch_with_key(launch, certificates, backend, folder, **change):
    """A gateway, and the path of its private key, a file that the test may replace."""
    key = os.path.join(folder, "server.key")
    with open(certificates.ecdsa["key"]) as f, open(key, "w") as g:
        g.write(f.read())
    return launch(backend, keyrings={"ftpd": {"certificates": [{"chain": certificates.ecdsa["chain"], "key": key}]}}, **change), key


def hang_reload(gateway, key):
    """Put a fifo that nobody writes to in the place of the key, and reload: the loader that hangs."""
    os.rename(key, key + ".kept")
    os.mkfifo(key)
    gateway.process.send_signal(signal.SIGHUP)
    (loader,) = net.until(lambda: loaders(gateway), "the reload begins")
    return loader


def test_a_key_on_a_file_system_that_hangs(launch, certificates, backend, folder):
    """A fifo that nobody writes to, in the place of the key."""
    gateway, key = launch_with_key(launch, certificates, backend, folder)
    os.remove(key)
    os.mkfifo(key)
    gateway.process.send_signal(signal.SIGHUP)
    net.until(lambda: loaders(gateway), "the reload begins")
    with clients.explicit(gateway, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
    gateway.stop()


def test_a_loader_that_is_killed(launch, certificates, backend, folder):
    """The reload fails and says at which step; the policy stays in force and the next reload works."""
    gateway, key = launch_with_key(launch, certificates, backend, folder)
    loader = hang_reload(gateway, key)
    os.kill(loader, signal.SIGKILL)
    failed = gateway.event("reload-failed")
    assert "its process died" in failed.keys["reason"], failed
    os.rename(key + ".kept", key)
    assert gateway.reload()
    with clients.explicit(gateway, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"


def test_a_change_during_a_reload_is_not_lost(launch, certificates, backend, folder):
    """SIGHUP says that a file has changed, and the reload under way has read it before."""
    gateway, key = launch_with_key(launch, certificates, backend, folder)
    loader = hang_reload(gateway, key)
    with open(gateway.path) as f:
        text = f.read()
    with open(gateway.path, "w") as f:
        f.write("# changed\n" + text)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.event("reload-follows")
    os.rename(key + ".kept", key)
    os.kill(loader, signal.SIGKILL)
    gateway.event("reload-failed")
    gateway.event("reloaded")


def test_a_keeper_that_dies_during_a_reload_that_fails(launch, certificates, backend, folder):
    """The generation that has lost it still gets a successor, when the other reload is over."""
    gateway, key = launch_with_key(launch, certificates, backend, folder, daemon={"key_isolation": True})
    (keeper,) = gateway.keepers()
    loader = hang_reload(gateway, key)
    os.kill(keeper, signal.SIGKILL)
    gateway.event("reload-needed")
    time.sleep(1.5)  # longer than attlsd waits before it replaces the generation
    os.rename(key + ".kept", key)
    os.kill(loader, signal.SIGKILL)
    gateway.event("reload-failed")
    gateway.event("reloaded")
    (other,) = net.until(gateway.keepers, "another keeper")
    assert other != keeper
    time.sleep(1.5)
    assert len(gateway.seen("reloaded")) == 1


def test_a_file_system_that_begins_to_hang_after_the_load(launch, certificates, backend, folder):
    """The loader still gets the key, the keeper that needs it next does not: a fifo that is filled once."""
    key = os.path.join(folder, "server.key")
    with open(certificates.ecdsa["key"]) as f:
        text = f.read()
    with open(key, "w") as f:
        f.write(text)
    gateway = launch(backend, keyrings={"ftpd": {"certificates": [{"chain": certificates.ecdsa["chain"], "key": key}]}})
    serving = set(gateway.keepers())
    os.remove(key)
    os.mkfifo(key)
    gateway.process.send_signal(signal.SIGHUP)
    (first,) = net.until(lambda: loaders(gateway), "the reload begins")
    with open(key, "w") as f:
        f.write(text)
    (keeper,) = net.until(lambda: set(gateway.keepers()) - serving, "the new keeper hangs")
    net.until(lambda: first not in loaders(gateway), "the loader is done")
    with clients.explicit(gateway, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
    gateway.process.send_signal(signal.SIGHUP)
    gateway.event("reload-follows")
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(net.DEADLINE) == 0
    net.until(lambda: not os.path.exists(f"/proc/{keeper}"), "the keeper ends, too")
    gateway.ended()

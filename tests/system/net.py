"""Sockets, deadlines and processes, for all helpers and tests. Nothing here sleeps to synchronise."""
import atexit
import contextlib
import ctypes
import functools
import os
import resource
import select
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time

DEADLINE = float(os.environ.get("ATTLSD_TEST_DEADLINE", "20"))  # maximum seconds for each step
LIMIT = int(8 * DEADLINE)  # maximum seconds for each test
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("ATTLSD_BUILD", os.path.join(ROOT, "build")))
NOBODY = 65534
IS_ROOT = os.geteuid() == 0


def for_every_user(path):
    """The program, or a copy of it if tests that become another user cannot reach it, as in root's home."""
    folders = [path]
    while folders[-1] != "/":
        folders.append(os.path.dirname(folders[-1]))
    if not IS_ROOT or not os.path.exists(path) or all(os.stat(folder).st_mode & 1 for folder in folders):
        return path
    return shutil.copy(path, open_folder())


@functools.cache
def open_folder():
    """A folder that every user may enter, one for all programs, as in a build."""
    folder = tempfile.mkdtemp(prefix="attlsd-programs-")
    atexit.register(shutil.rmtree, folder, True)
    os.chmod(folder, 0o755)
    return folder


ATTLSD = for_every_user(os.path.abspath(os.environ.get("ATTLSD", os.path.join(BUILD, "attlsd"))))
ATTLSCTL = for_every_user(os.path.abspath(os.environ.get("ATTLSCTL", os.path.join(BUILD, "attlsctl"))))


def sanitized():
    """Is the daemon built with AddressSanitizer? (It needs system calls that a seccomp filter forbids.)"""
    with open(ATTLSD, "rb") as f:
        return b"__asan_init" in f.read()


def until(condition, what, deadline=None, every=0.005):
    """Poll a state (a /proc file, another process) that has no event to wait for."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("never happened: " + what)
        time.sleep(every)


def free_port(host="127.0.0.1"):
    """A free port, for a server that cannot pick one itself."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, 0))
        return s.getsockname()[1]


def listen(host="127.0.0.1", backlog=50, port=0):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    s.listen(backlog)
    s.settimeout(DEADLINE)
    return s


def dial(address, source=None):
    s = socket.create_connection(address, timeout=DEADLINE, source_address=source)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def reset(sock):
    """Close with RST instead of FIN."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


def exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(count - len(data))
        assert piece, f"the connection ended after {len(data)} bytes of {count}: {bytes(data[-100:])}"
        data += piece
    return bytes(data)


def end_of(sock):
    """Read until the connection ends; returns ("fin" | "reset", all bytes)."""
    data = bytearray()
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return "fin", bytes(data)
            data += piece
    except ConnectionError:
        return "reset", bytes(data)


def die_with_parent():
    """In a child before exec: die together with the test run."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def as_nobody():
    """In a child of root before exec: become an ordinary user."""
    die_with_parent()
    if IS_ROOT:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        die_with_parent()  # setuid() has cleared the setting


def descriptor_limit(soft, hard):
    """preexec for launch(): limit the number of open descriptors."""
    def preexec():
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return preexec


def quiet(sock, seconds=0.3):
    """Does nothing arrive for a while? Use this only to check that something does NOT happen."""
    return not select.select([sock], [], [], seconds)[0]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def name(pid):
    """What a process calls itself: attlsd, attlsd-keeper, attlsd-signer, attlsd-load; "" once it has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as f:
        return f.read().strip()
    return ""


@contextlib.contextmanager
def stopped(pid):
    """The process does nothing meanwhile; then it finds everything that has happened in the kernel."""
    def state():
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: state() == "T", "the process stops")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def descriptors(pid):
    """How many descriptors a process has. Skips the test if this user may not know."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        import pytest  # not everything that uses this module has it
        pytest.skip("attlsd hides its processes from its own user: only root may count their descriptors")


def memory(pid):
    """What a process keeps in memory, in KiB."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def cpu_seconds(pid):
    """The CPU time that a process has used."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def have_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


@contextlib.contextmanager
def meanwhile(once, threads=4):
    """Threads call once() again and again until the block ends; yields a list that gets what it raises."""
    failed, over = [], threading.Event()

    def run():
        while not over.is_set():
            try:
                once()
            except Exception as e:  # noqa: BLE001: any failure counts
                failed.append(e)
    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield failed
    finally:
        over.set()
        for thread in running:
            thread.join()

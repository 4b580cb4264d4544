"""What a hostile review found: each test is named for what must hold."""
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

import client as ftp
import gateway as gateways
import net

# --- busy loops ---

@pytest.mark.parametrize("sent", [1, 3, 9], ids="{}-bytes".format)
def test_part_of_a_tls_record_costs_no_processor_time(gateway, sent):
    """A client that is not even logged in sends the beginning of a record and no more."""
    c = ftp.Client(gateway.implicit, implicit=True)
    c.sock.sendall(b"\x17\x03\x03\x00\x40\x00\x00\x00\x00"[:sent])
    gateway.assert_idle(f"{sent} bytes of a record")
    c.close()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_finished_upload_costs_no_processor_time(gateway, version):
    """The client has ended TLS and TCP on the data connection: what is left to wait for?"""
    c = ftp.explicit(gateway, "P", ctx=ftp.context(versions=version))
    data = c.open("STOR new")
    data.send(b"x")
    data.notify()
    data.read_all()
    assert c.reply().code == 226
    ftp.shutdown_write(data.sock)
    gateway.assert_idle("after an upload")
    c.close()


def test_a_session_that_ended_costs_no_processor_time(gateway):
    c = ftp.Client(gateway.implicit, implicit=True)
    c.send("QUIT\r\n")
    c.tls.notify()
    ftp.shutdown_write(c.sock)
    gateway.event("session-end")
    gateway.assert_idle("after the session")
    c.close()


def test_upload_data_that_waits_for_the_backend_costs_no_processor_time(launch, make_backend):
    """150, but the backend does not dial yet; the client is through its handshake and sends already."""
    go = threading.Event()

    def late(session, name):
        session.reply("150 Soon")
        go.wait(net.DEADLINE)
        data = session.open_data()
        how, content = net.end_of(data)
        session.backend.store(name, content, how)
        session.reply("226 Done")
    backend = make_backend(STOR=late, EPSV="500 no", PASV="500 no")
    gateway = launch(backend)
    c = ftp.explicit(gateway, "P")
    data = c.open("STOR f")
    time.sleep(0.2)  # the handshake is over on both sides, so the data raises an event of its own
    data.send(b"x" * 1000)
    try:
        gateway.assert_idle("an upload that waits")
    finally:
        go.set()
    data.close()
    assert c.reply().code == 226
    assert backend.upload("f") == (b"x" * 1000, "fin")
    c.close()


# --- out of descriptors ---

def test_the_first_workers_have_the_raised_descriptor_limit(launch, backend):
    gateway = launch(backend, preexec=net.descriptor_limit(64, 4096))
    (worker,) = gateway.workers()
    with open(f"/proc/{worker}/limits") as f:
        (line,) = [line for line in f if line.startswith("Max open files")]
    assert line.split()[3:5] == ["4096", "4096"]


def test_a_worker_without_descriptors_keeps_its_sessions(launch, backend):
    """Connections that are turned away linger; one source that may have 20 sessions uses up all descriptors so."""
    gateway = launch(backend, preexec=net.descriptor_limit(64, 64))
    (worker,) = gateway.workers()
    victim = ftp.explicit(gateway)
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
    ftp.Client(gateway.explicit).close()
    victim.expect("PWD", 257)
    victim.close()


def test_a_data_port_without_descriptors_costs_no_processor_time(launch, backend):
    gateway = launch(backend, preexec=net.descriptor_limit(32, 32), ftp={"secure_dataconn": "clear"},
                     daemon={"limits": {"unauthenticated_per_source": 100}})
    (worker,) = gateway.workers()
    c = ftp.explicit(gateway)
    address = c.pasv()
    held = []
    while net.descriptors(worker) < 31:
        held.append(ftp.Client(gateway.explicit, greet=False))
        time.sleep(0.02)
        assert len(held) < 40
    data = None
    with contextlib.suppress(ConnectionError):  # it may be turned away at once
        data = net.dial(address)
    gateway.assert_idle("a data port without descriptors")
    for h in held:
        h.close()
    if data is not None:
        data.close()
    c.close()


# --- lines ---

@pytest.mark.parametrize("bad", [b"\x00", b"\r"], ids=["nul", "cr"])
def test_a_bad_line_stays_bad_while_it_waits(launch, make_backend, bad):
    """Telnet codes are taken out of a line once, however often it is offered."""
    go = threading.Event()

    def slow(session, _):
        go.wait(net.DEADLINE)
        session.reply('257 "/"')
    backend = make_backend(PWD=slow)
    gateway = launch(backend)
    c = ftp.explicit(gateway)
    c.send(b"PWD\r\n")
    backend.saw("PWD")
    c.send(b"\xff\xff\xfb" + bad + b"DELE x\r\n")
    time.sleep(0.2)
    go.set()
    assert c.reply().code == 257
    assert c.reply().code == 501
    c.expect("NOOP", 200)
    assert "DELE" not in backend.verbs()
    c.close()


def test_what_came_before_the_end_is_still_carried_out(gateway, backend):
    """A client that says its last words and closes in the same segment."""
    c = ftp.explicit(gateway)
    c.tls.ssl.write(b"DELE old\r\nQUIT\r\n")
    with contextlib.suppress(ssl.SSLError):
        c.tls.ssl.unwrap()
    c.tls.flush()
    gateway.event("session-end")
    assert "DELE old" in backend.everything()
    c.close()


def test_no_reply_gets_between_the_lines_of_another(launch, make_backend):
    """STAT beside a transfer is half answered when a command that policy denies comes in."""
    go = threading.Event()

    def download(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        assert session.sock.recv(100) == b"STAT\r\n"
        session.send("211-Status:\r\n")
        go.wait(net.DEADLINE)
        session.send(" busy\r\n211 End\r\n")
        data.close()
        session.reply("226 Done")
    gateway = launch(make_backend(RETR=download), ftp={"secure_dataconn": "clear", "commands_denied": ["NOOP"]})
    c = ftp.explicit(gateway, "C")
    data = c.open("RETR x")
    c.send("STAT\r\n")
    while b"211-" not in c.buffer:
        c.buffer += c.recv()
    c.send("NOOP\r\n")
    time.sleep(0.2)
    go.set()
    assert c.reply() == "211-Status:\n busy\n211 End"
    assert sorted([c.reply().code, c.reply().code]) == [226, 502]
    data.close()
    c.close()


# --- logins ---

def test_a_refused_second_user_leaves_the_first_logged_in(launch, make_backend):
    """vsftpd, ProFTPD and Pure-FTPd all refuse USER after a login, and the user stays in."""
    seen = []

    def user(session, name):
        seen.append(name)
        session.reply("331 Password, please" if len(seen) == 1 else "530 Can't change to another user.")
    gateway = launch(make_backend(USER=user))
    c = ftp.explicit(gateway)
    c.expect("USER other", 530)
    c.expect("PWD", 257)
    assert not gateway.seen("login-failed")
    c.close()


def memory_holds(pid, what):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, access = line.split()[:2]
            low, high = (int(x, 16) for x in span.split("-"))
            if access.startswith("rw"):
                with contextlib.suppress(OSError):
                    memory.seek(low)
                    if what in memory.read(high - low):
                        return True
    return False


@pytest.mark.skipif(not net.IS_ROOT or net.sanitized(), reason="reads another process's memory, without a quarantine")
@pytest.mark.parametrize("more", ["", "NO"], ids=["alone", "with-the-next-line"])
@pytest.mark.parametrize("version", [None, "1.2", "1.3"])
def test_a_password_is_not_kept(launch, backend, version, more):
    gateway = launch(backend, ftp={"secure_ftp": "allowed"})
    (worker,) = gateway.workers()
    c = ftp.Client(gateway.explicit, ctx=ftp.context(versions=version))
    if version:
        c.auth()
    c.expect("USER user", 331)
    c.send("PASS " + "A" * 40 + "-the-last-of-a-long-password\r\n" + more)
    assert c.reply().code == 230
    c.send("NOOP\r\n"[len(more):])
    assert c.reply().code == 200
    assert not memory_holds(worker, b"-the-last-of-a-long-password")
    c.close()


# --- transfers ---

@pytest.mark.parametrize("level", ["C", "P"])
def test_a_reset_behind_a_half_close_is_seen_at_once(launch, make_backend, level):
    """All is handed to the kernel, the client has ended its direction, reads nothing and resets."""
    backend = make_backend(RETR=lambda session, _: session.download(b"x" * 300000))
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    c = ftp.explicit(gateway, level)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(net.DEADLINE)
    sock.connect(c.pasv())
    c.expect("RETR x", 150)
    data = c.wrap(sock)
    if level == "P":
        data.notify()
    else:
        ftp.shutdown_write(sock)
    time.sleep(0.5)
    net.reset(sock)
    assert c.reply().code == 426
    c.close()


# --- the log ---

@pytest.mark.parametrize("form", ["text", "json"])
def test_a_long_name_hides_nothing_from_the_log(launch, make_backend, form):
    backend = make_backend(STOR=lambda session, _: session.upload("f"))
    gateway = launch(backend, daemon={"log": {"format": form}}, wait=False)
    net.until(lambda: "ready" in gateway.log, "ready")
    port = int(re.search(r'explicit"?[=:]"?127\.0\.0\.1:(\d+)', gateway.log).group(1))
    c = ftp.Client(("127.0.0.1", port)).auth().login().prot("P")
    data = c.open("STOR " + "\xff" * 1000 + "n" * 2500)
    data.send(b"half of it")
    data.sock.close()
    assert c.reply().code == 426
    net.until(lambda: "STOR" in gateway.log, "the transfer in the log")
    (line,) = [line for line in gateway.log.splitlines() if "STOR" in line]
    if form == "json":
        assert json.loads(line)["result"] == "tls-truncated"
    else:
        assert "result=tls-truncated" in line
    c.close()


@pytest.mark.parametrize("end", ["refused-later", "control-lost"])
def test_every_transfer_is_in_the_log(launch, make_backend, end):
    """Nobody may fetch nearly all of a file without a trace."""
    go = threading.Event()

    def download(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        data.sendall(b"x" * 100000)
        if end == "refused-later":
            go.wait(net.DEADLINE)
            session.reply("451 The disk broke")
        session.sock.recv(100)
    backend = make_backend(RETR=download)
    gateway = launch(backend)
    c = ftp.explicit(gateway, "P")
    data = c.open("RETR secret")
    assert data.recv()
    go.set()
    if end == "refused-later":
        assert c.reply().code == 451
    c.close()
    gateway.event("session-end")
    assert gateway.seen("transfer", command="RETR secret")


@pytest.mark.skipif(not net.IS_ROOT, reason="makes a pipe that belongs to another user")
def test_a_log_that_nobody_reads_stops_nothing(certificates, backend, folder):
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, backend.address)))
    log, stderr = os.pipe()
    process = subprocess.Popen([net.ATTLSD, "-f", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=stderr, preexec_fn=net.as_nobody)
    os.close(stderr)
    try:
        text = b""
        while not re.search(rb" ready .*\n", text):
            text += os.read(log, 65536)
        port = int(re.search(rb"explicit=127\.0\.0\.1:(\d+)", text).group(1))
        for _ in range(500):
            ftp.Client(("127.0.0.1", port)).close()
    finally:
        process.kill()
        process.wait()
        os.close(log)


def test_workers_log_in_the_format_of_the_policy(launch, backend):
    gateway = launch(backend, daemon={"log": {"format": "json"}}, wait=False)
    net.until(lambda: "ready" in gateway.log, "ready")
    port = int(re.search(r'explicit"?[=:]"?127\.0\.0\.1:(\d+)', gateway.log).group(1))
    c = ftp.Client(("127.0.0.1", port)).auth().login()
    net.until(lambda: "login" in gateway.log, "the login in the log")
    c.close()
    behind = gateway.log[gateway.log.index("ready"):].splitlines()[1:]
    for line in behind:
        assert json.loads(line)["event"], line


def test_workers_log_at_the_level_of_the_policy(launch, backend):
    gateway = launch(backend, daemon={"log": {"level": "debug"}}, ftp={"secure_dataconn": "clear"})
    c = ftp.explicit(gateway, "P")
    c.get("hello.txt")
    gateway.event("transfer")
    assert gateway.seen("data-tls")
    c.close()


# --- one session and the others ---

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


def test_a_flood_of_key_updates_does_not_starve_the_others(launch, backend):
    """Nobody has logged in; three clients renew their keys and do nothing else."""
    gateway = launch(backend)
    (worker,) = gateway.workers()
    flooders = [subprocess.Popen([sys.executable, "-c", KEY_UPDATES, str(gateway.implicit[1])], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, preexec_fn=net.die_with_parent) for _ in range(3)]
    try:
        for flooder in flooders:
            assert flooder.stdout.readline() == b"connected\n"
        os.kill(worker, signal.SIGSTOP)
        time.sleep(1.5)  # all their buffers are full
        os.kill(worker, signal.SIGCONT)
        start = time.monotonic()
        ftp.Client(gateway.explicit).close()
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
    with ftp.explicit(gateway, "P") as c:
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


def test_workers_that_lag_are_in_the_log(launch):
    limits = {"unauthenticated_per_source": 2000, "sessions_per_source": 2000}
    gateway = launch(("127.0.0.1", net.free_port()), daemon={"limits": limits})
    (worker,) = gateway.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        crowd = [net.dial(gateway.explicit) for _ in range(600)]
        gateway.event("workers-lag")
    finally:
        os.kill(worker, signal.SIGCONT)
    for sock in crowd:
        sock.close()


def test_a_crowd_that_comes_at_once_waits_for_the_worker(launch):
    """More than the channel to it holds: that is no reason to turn anybody away."""
    limits = {"unauthenticated_per_source": 2000, "sessions_per_source": 2000}
    gateway = launch(("127.0.0.1", net.free_port()), daemon={"limits": limits})
    (worker,) = gateway.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        crowd = [net.dial(gateway.explicit) for _ in range(600)]
    finally:
        os.kill(worker, signal.SIGCONT)
    for sock in crowd:
        said = sock.recv(100)
        sock.close()
        assert said.startswith(b"421 ") and b"Too many" not in said, "not the worker's word about a server that is down"


def test_a_server_may_accept_late_what_the_client_has_spoilt(launch, make_backend):
    """One that meets a reset before it has looked may say nothing more, and the client waits for ever."""
    seen = []

    def late(session, name):
        session.reply("150 soon")
        gateway.event("transfer")
        net.dial(gateway.explicit).close()
        gateway.event("session-start", count=2)  # the worker has done all that it does at once
        try:
            data = session.open_data()
            seen.append(data.getpeername())
            seen.append(data.recv(1))
        except OSError as error:
            seen.append(error)
        session.reply("426 nothing came")

    backend = make_backend(STOR=late)
    gateway = launch(backend)
    with ftp.explicit(gateway, "P") as c:
        sock = net.dial(c.epsv())
        c.expect("STOR x", 150)
        sock.sendall(b"this is no TLS at all")
        assert c.reply().code == 522
        sock.close()
    assert isinstance(seen[0], tuple), f"the server found {seen[0]!r}"
    assert isinstance(seen[1], ConnectionResetError), f"the server took {seen[1]!r} for an upload"


# --- reload ---

def test_a_reload_spares_a_worker_that_lags(launch, backend):
    """More connections wait for a worker than its channel holds; its sessions are not to pay for that."""
    gateway = launch(backend, daemon={"limits": {"unauthenticated_per_source": 2000, "sessions_per_source": 2000}})
    (worker,) = gateway.workers()
    victim = ftp.explicit(gateway)
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


def test_a_client_that_is_gone_ends_a_session_whose_server_is_silent(launch, make_backend):
    """Its last command waits behind one that is never answered: there is nobody left to wait for."""
    backend = make_backend(PWD=lambda session, _: None)
    gateway = launch(backend)
    c = ftp.explicit(gateway)
    c.send("PWD\r\nNOOP\r\n")
    backend.saw("PWD")
    net.reset(c.sock)
    gateway.event("session-end", deadline=5)
    c = ftp.explicit(gateway)
    c.send("PWD\r\nNOOP\r\n")
    backend.wait(lambda: backend.verbs(1)[-1:] == ["PWD"], "the second PWD")
    c.tls.notify()
    time.sleep(0.2)
    net.reset(c.sock)  # behind the orderly end
    gateway.event("session-end", count=2, deadline=5)

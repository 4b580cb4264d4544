"""The log has every transfer and no secrets, follows the policy's format and level, and never blocks."""
import json
import os
import re
import signal
import subprocess
import threading

import pytest

import client as clients
import gateway as gateways
import net


@pytest.mark.parametrize("end", ["refused-later", "control-lost"])
def test_every_transfer_is_in_the_log(launch, make_backend, end):
    """A client must not be able to fetch nearly all of a file without a log line."""
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
    c = clients.explicit(gateway, "P")
    data = c.open("RETR secret")
    assert data.recv()
    go.set()
    if end == "refused-later":
        assert c.reply().code == 451
    c.close()
    gateway.event("session-end")
    assert gateway.seen("transfer", command="RETR secret")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_long_name_hides_nothing_from_the_log(launch, make_backend, form):
    backend = make_backend(STOR=lambda session, _: session.upload("f"))
    gateway = launch(backend, daemon={"log": {"format": form}}, backends={"legacy": {"command_line_max": 4096}}, wait=False)
    net.until(lambda: "ready" in gateway.log, "ready")
    port = int(re.search(r'explicit"?[=:]"?127\.0\.0\.1:(\d+)', gateway.log).group(1))
    c = clients.Client(("127.0.0.1", port)).auth().login().prot("P")
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


def test_passwords_and_control_characters_stay_out_of_the_log(launch, backend):
    gateway = launch(backend, daemon={"log": {"level": "debug"}})
    with clients.Client(gateway.explicit) as c:
        c.cmd("PASS cleartext-secret")
        c.auth().cmd("USER mallory\x1b[2J\x07\x80")
        c.cmd("PASS hidden-secret phrase/with/more")
        c.cmd("ACCT account-secret")
        c.cmd("PASS\thidden-secret2")
        c.cmd("pass hidden-secret3")
        c.expect("QUIT", 221)
        c.ended()
    gateway.stop()
    assert "secret" not in gateway.log
    assert not any(ord(ch) < 32 and ch != "\n" or ord(ch) == 127 for ch in gateway.log), "a control character in the log"


def test_every_line_of_a_session_names_it_in_the_same_way(launch, make_backend):
    """A program that reads one line at a time needs session, client and rule in each."""
    def chatter(session, _):
        session.reply("200 ok")
        session.reply("200 and a line that answers nothing")
    backend = make_backend(PASS=lambda s, p: s.reply("230 in" if p == "right" else "530 no"), NOOP=chatter)
    backend.files["hello.txt"] = b"hello"
    gateway = launch(backend, daemon={"log": {"level": "debug"}}, ftp={"login_delay": "0s"})
    ports = []
    with clients.Client(gateway.explicit) as c:
        ports.append(c.sock.getsockname()[1])
        c.cmd("PASV")
        c.auth().cmd("USER u")
        assert c.cmd("PASS wrong").code == 530
        c.cmd("USER u")
        assert c.cmd("PASS right").code == 230
        c.cmd("NOOP")
        gateway.event("stray-reply")
        c.prot("P")
        assert c.get("hello.txt")
        c.cmd("SITE nonsense")
        c.expect("QUIT", 221)
    with net.dial(gateway.implicit) as sock:
        ports.append(sock.getsockname()[1])
        sock.sendall(b"no TLS at all\r\n")
        gateway.event("tls-failed")
    gateway.event("session-end", count=2)
    lines = [line for line in gateway.log.splitlines() if "session=" in line]
    names = {line.split()[2] for line in lines}
    assert names >= {"session-start", "tls", "login", "login-failed", "refused-command", "stray-reply", "data-tls", "transfer",
                     "tls-failed", "session-end"}, names
    numbers = [event.keys["session"] for event in gateway.seen("session-start")]
    for line in lines:
        fields = line.split()[3:6]
        at = numbers.index(fields[0].partition("=")[2])
        assert fields == [f"session={numbers[at]}", f"client=127.0.0.1:{ports[at]}", "rule=everyone"], line
    users = [event.keys["user"] for event in gateway.seen("refused-command")]
    assert users[0] == "" and set(users[1:]) <= {"u"}, users
    gateway.stop()
    again = launch(make_backend())
    with clients.Client(again.explicit):
        assert int(again.event("session-start").keys["session"]) > int(numbers[-1]), "the number of an earlier start"


def test_a_log_file_may_be_cut(launch, backend, folder):
    """logrotate's copytruncate: the next line is the first of the file."""
    path = os.path.join(folder, "log")

    def to_file():
        net.die_with_parent()
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), 2)

    def text():
        with open(path, encoding="ascii") as f:
            return f.read()
    gateway = launch(backend, preexec=to_file, wait=False)
    net.until(lambda: os.path.exists(path) and " ready " in text(), "ready")
    port = int(re.search(r"explicit=127\.0\.0\.1:(\d+)", text()).group(1))
    os.truncate(path, 0)
    with clients.Client(("127.0.0.1", port)):
        pass
    net.until(lambda: "session-end" in text(), "session-end")
    assert re.match(r"[^\0]* session-start ", text())
    gateway.stop()


def test_workers_log_in_the_format_of_the_policy(launch, backend):
    gateway = launch(backend, daemon={"log": {"format": "json"}}, wait=False)
    net.until(lambda: "ready" in gateway.log, "ready")
    port = int(re.search(r'explicit"?[=:]"?127\.0\.0\.1:(\d+)', gateway.log).group(1))
    c = clients.Client(("127.0.0.1", port)).auth().login()
    net.until(lambda: "login" in gateway.log, "the login in the log")
    c.close()
    after = gateway.log[gateway.log.index("ready"):].splitlines()[1:]
    for line in after:
        assert json.loads(line)["event"], line


def test_workers_log_at_the_level_of_the_policy(launch, backend):
    gateway = launch(backend, daemon={"log": {"level": "debug"}}, ftp={"secure_dataconn": "clear"})
    c = clients.explicit(gateway, "P")
    c.get("hello.txt")
    gateway.event("transfer")
    assert gateway.seen("data-tls")
    c.close()


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
            clients.Client(("127.0.0.1", port)).close()
    finally:
        process.kill()
        process.wait()
        os.close(log)


def test_a_full_pipe_does_not_stop_the_process_that_accepts(certificates, backend, folder):
    """Faults that only the monitor finds, at a reload: a port that another program has, and control_socket."""
    taken, port = net.listen(), net.free_port()
    path, ctl = os.path.join(folder, "policy.yaml"), os.path.join(folder, "ctl")
    listeners = {"explicit": {"address": "127.0.0.1:%d" % port}}

    def write(**change):
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, backend.address, **change)))
    write(listeners=listeners, daemon={"control_socket": ctl})
    log, stderr = os.pipe()
    process = subprocess.Popen([net.ATTLSD, "-f", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=stderr, preexec_fn=net.die_with_parent)
    try:
        text = b""
        while not re.search(rb" ready .*\n", text):
            text += os.read(log, 65536)
        own = os.open(f"/proc/self/fd/{stderr}", os.O_WRONLY | os.O_NONBLOCK)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(own, b"x" * 4096)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(own, b"x")
        other = {"explicit": {"address": "127.0.0.1:%d" % taken.getsockname()[1]}}
        for change in ({"listeners": other, "daemon": {"control_socket": ctl}},
                       {"listeners": listeners, "daemon": {"control_socket": "/nonexistent/ctl"}}):
            write(**change)
            asked = subprocess.run([net.ATTLSCTL, "reload", "--socket", ctl], capture_output=True, text=True, timeout=net.DEADLINE)
            assert asked.returncode == 1 and "the running policy stays in force" in asked.stdout + asked.stderr, asked
            with clients.Client(("127.0.0.1", port)) as c:
                assert c.greeting == "220 Legacy FTP server"
        os.close(own)
        os.set_blocking(log, False)
        text = b""  # the ends of the sessions above may be logged as soon as there is room
        with pytest.raises(BlockingIOError):
            while True:
                text += os.read(log, 65536)
        os.set_blocking(log, True)
        clients.Client(("127.0.0.1", port)).close()
        while not re.search(rb"lost-lines=\d+", text):
            text += os.read(log, 65536)
        write(listeners=other, daemon={"control_socket": ctl})
        process.send_signal(signal.SIGHUP)
        while not re.search(rb"reload-failed.*lost-lines=\d+", text):
            text += os.read(log, 65536)
        assert b"another program is listening there" in text
    finally:
        process.kill()
        process.wait()
        os.close(log)
        os.close(stderr)
        taken.close()

"""contrib/rsyslog and contrib/logrotate, with the real programs."""
import os
import shutil
import subprocess

import pytest

import audit
import client as clients
import net

RSYSLOG = os.path.join(net.ROOT, "contrib", "rsyslog", "attlsd.conf")
LOGROTATE = os.path.join(net.ROOT, "contrib", "logrotate", "attlsd")


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} (a Debian package) is not installed")
    return found


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=net.DEADLINE)
    return done.returncode, done.stdout


def changed(path, to, **texts):
    """A copy of a file of contrib, with other paths."""
    with open(path) as f:
        text = f.read()
    for before, after in texts.values():
        assert before in text, before
        text = text.replace(before, after)
    with open(to, "w") as f:
        f.write(text)
    os.chmod(to, 0o644)
    return to


def quit_(c):
    c.send("QUIT\r\n")
    while c.recv():
        pass


def test_rsyslogd_accepts_its_file(folder):
    rsyslogd = program("rsyslogd")
    status, said = run(rsyslogd, "-N1", "-f", RSYSLOG)
    assert status == 0 and "error" not in said and "warning" not in said, said
    wrong = changed(RSYSLOG, os.path.join(folder, "wrong.conf"), key=("queue.filename", "queue.filname"))
    status, said = run(rsyslogd, "-N1", "-f", wrong)
    assert "queue.filname" in said, "rsyslogd tells what it does not know"


def test_rsyslogd_gets_the_trail(launch, make_backend, folder):
    """attlsd, rsyslogd, its file: a whole trail, also with a long name; and the collector gets it, too."""
    rsyslogd = program("rsyslogd")
    if not net.IS_ROOT or os.path.lexists("/dev/log"):
        pytest.skip("this host has a reader of /dev/log, or this is not root")
    trail = os.path.join(folder, "audit.log")
    with net.listen() as collector:
        own = changed(RSYSLOG, os.path.join(folder, "own.conf"), trail=("/var/log/attlsd/audit.log", trail),
                      host=("collector.example.com", "127.0.0.1"), port=('"6514"', f'"{collector.getsockname()[1]}"'))
        main = os.path.join(folder, "main.conf")
        with open(main, "w") as f:
            f.write(f'global(workDirectory="{folder}")\ninclude(file="{own}")\nmodule(load="imuxsock")\n')
        daemon = subprocess.Popen([rsyslogd, "-n", "-f", main, "-i", os.path.join(folder, "pid")], stdin=subprocess.DEVNULL,
                                  preexec_fn=net.die_with_parent)
        try:
            net.until(lambda: os.path.exists("/dev/log"), "rsyslogd reads")
            gateway = launch(make_backend(DELE="250 Gone"), daemon={"audit": "syslog"},
                             backends={"legacy": {"command_line_max": 4096}})
            name = "n" * 3000 + '"\\ @cee: \u202e'
            with clients.explicit(gateway) as c:
                c.send(b"DELE " + name.encode() + b"\r\n")
                assert c.reply().code == 250
                quit_(c)
            gateway.stop()
            net.until(lambda: os.path.exists(trail) and audit.named(audit.read(trail), "process-stop", status=0, pid=gateway.pid),
                      "the last event")
            assert audit.unescape(audit.named(audit.read(trail), "change")[0]["name"]) == name.encode()
            assert audit.verify(trail)[0] == 0
            assert os.stat(trail).st_mode & 0o777 == 0o600
            remote, _ = collector.accept()
            remote.settimeout(net.DEADLINE)
            got = b""
            while b'"process-stop","status":0' not in got:
                got += remote.recv(65536)
            remote.close()
            assert b"attlsd-audit" in got
        finally:
            daemon.terminate()
            daemon.wait()
            if os.path.lexists("/dev/log"):
                os.unlink("/dev/log")


def test_logrotate_accepts_its_file():
    logrotate = program("logrotate")
    status, said = run(logrotate, "-d", LOGROTATE)
    assert status == 0 and "error" not in said and "copytruncate" not in said, said


def test_a_rotation(launch, backend, folder):
    """logrotate renames the files, and attlsd goes on in new ones; no event is lost."""
    logrotate = program("logrotate")
    if not net.IS_ROOT:
        pytest.skip("needs root")
    logs, sock = os.path.join(folder, "logs"), os.path.join(folder, "sock")
    os.mkdir(logs, 0o755)
    trail, xferlog = os.path.join(logs, "audit.log"), os.path.join(logs, "xferlog")
    rules = changed(LOGROTATE, os.path.join(folder, "rules"), logs=("/var/log/attlsd", logs), ctl=("/usr/local/sbin/attlsctl", net.ATTLSCTL),
                    sock=("/run/attlsd/control.sock", sock))
    gateway = launch(backend, daemon={"audit": trail, "xferlog": xferlog, "control_socket": sock})
    with clients.explicit(gateway, "P") as c:
        for _ in range(2):
            c.get("hello.txt")
            status, said = run(logrotate, "--force", "--state", os.path.join(folder, "state"), rules)
            assert status == 0 and "error" not in said, said
        c.get("hello.txt")
        quit_(c)
    gateway.stop()
    # the oldest is compressed
    assert run("gzip", "-d", trail + ".2.gz", xferlog + ".2.gz")[0] == 0
    files = [trail + ".2", trail + ".1", trail]
    assert [len(audit.named(audit.read(path), "transfer")) for path in files] == [1, 1, 1]
    assert [audit.read(path)[-1]["event"] for path in files[:2]] == ["audit-reopened"] * 2
    status, told = audit.verify(*files)
    assert status == 0 and told["sessions"] == 1, told
    for path in (xferlog + ".2", xferlog + ".1", xferlog):
        with open(path) as f:
            assert len(f.readlines()) == 1
    assert os.stat(trail).st_mode & 0o777 == 0o600

"""What an attacker could do with the trace: find a password in it, drive the operator's terminal, slow sessions down."""
import os
import re
import subprocess
import threading

import pytest

import client as clients
import net

SECRET = "hUnter2-%s-s3cret"
CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "unknown_commands": "pass", "login_delay": 0,
         "login_attempts": 0, "accesserrormsgs": "true"}


def kept(ctl):
    done = subprocess.run([net.ATTLSCTL, "trace", "--socket", ctl, "--last", "10000"], capture_output=True, timeout=net.DEADLINE)
    assert done.returncode == 0, done
    return done.stdout


def shown_by(trace, ends):
    """All that a trace has shown, once it has shown that so many sessions have ended."""
    text = b""
    while text.count(b"session-end") < ends:
        piece = os.read(trace.stdout.fileno(), 65536)
        assert piece, text
        text += piece
    trace.terminate()
    return text + trace.communicate(timeout=net.DEADLINE)[0]


def memory_of(pid):
    """All that a process has in memory that it may write."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            low, high, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if rights.startswith("rw"):
                mem.seek(int(low, 16))
                try:
                    yield mem.read(int(high, 16) - int(low, 16))
                except OSError:
                    pass


SECRETS = {
    "password": "PASS {}", "account": "ACCT {}", "lower case": "pass {}", "a word": "{}", "a word with a blank": "{} x", "a blank first":
    " PASS {}", "a tab": "PASS\t{}", "ADAT": "ADAT {}", "AUTH": "AUTH {}", "SITE": "SITE PSWD old {}", "SITE with two blanks": "SITE  PSWD {}",
    "SITE with a tab": "SITE PSWD\t{}", "SITE with =": "SITE PASS={}", "SITE of another server":
    "SITE CHPASSWD {}", "MIC": "MIC {}", "glued": "PASS{}", "NUL": "PASS {}\0x", "CR": "PASS {}\rx",
}


@pytest.mark.parametrize("logged_in", [False, True], ids=["before", "after"])
def test_340_no_secret_is_in_a_trace_or_kept(launch, make_backend, folder, logged_in):
    """The server repeats every line that it gets."""
    def repeat(session, _):
        line = session.backend.everything()[-1]
        session.reply(f"530-You said {line}\r\n {line}\r\n530 {line}, indeed")
    verbs = {verb: repeat for verb in (("SITE",) if logged_in else ("PASS", "ACCT", "SITE"))}
    ctl = os.path.join(folder, "ctl")
    gateway = launch(make_backend(**verbs), ftp=CLEAR, daemon={"control_socket": ctl})
    trace = subprocess.Popen([net.ATTLSCTL, "trace", "--socket", ctl], stdout=subprocess.PIPE)
    gateway.trace_begins(ctl)
    ends = 0
    for name, line in SECRETS.items():
        with clients.Client(gateway.explicit) as c:
            if logged_in:
                c.login()
            else:
                c.cmd("USER user")
            c.send(line.format(SECRET % name.replace(" ", "-")) + "\r\n")
            c.reply()
            c.send("QUIT\r\n")
        ends += 1
        gateway.event("session-end", count=ends)
    text = kept(ctl)
    net.until(lambda: kept(ctl).count(b"session-end") == ends, "all is kept")
    shown = shown_by(trace, ends)
    for where, found in (("kept", text), ("trace", shown), ("log", gateway.log.encode())):
        for name in SECRETS:
            assert (SECRET % name.replace(" ", "-")).encode() not in found, f"{name} is in the {where}"
        assert b"s3cret" not in found, where
    assert text.count(b"C> ") >= ends


def test_341_the_memory_that_a_worker_keeps_has_no_password(launch, backend, folder):
    ctl = os.path.join(folder, "ctl")
    gateway = launch(backend, ftp=CLEAR, daemon={"control_socket": ctl})
    word = "Zq7-%d-password"
    for number in range(20):
        with clients.Client(gateway.explicit) as c:
            c.login(password=word % number)
            c.expect("SYST", 215)
    gateway.event("session-end", count=20)
    (worker,) = gateway.workers()
    records = sum(block.count(b"PASS ****") for block in memory_of(worker))
    assert records >= 20, "the ring was not looked at"
    for block in memory_of(worker):
        for found in re.finditer(rb"Zq7-\d+-password", block):
            around = block[max(0, found.start() - 64):found.end()]
            assert b"****" not in around, around


def test_342_hostile_bytes_do_not_reach_the_terminal(launch, make_backend, folder):
    ctl = os.path.join(folder, "ctl")
    evil = "\x1b]0;owned\x07\x9b31m\u202e"
    gateway = launch(make_backend(CWD=lambda session, _: session.send(b"550 \x1b[2J\xc2\x9b31m\x7f\x08 no\r\n")), ftp=CLEAR,
                     daemon={"control_socket": ctl})
    trace = subprocess.Popen([net.ATTLSCTL, "trace", "--socket", ctl], stdout=subprocess.PIPE)
    gateway.trace_begins(ctl)
    with clients.Client(gateway.explicit) as c:
        c.login()
        c.send(("CWD " + evil + "\r\n").encode("latin-1", "replace"))
        c.reply()
    gateway.event("session-end")
    net.until(lambda: b"session-end" in kept(ctl), "the end is kept")
    for text in (shown_by(trace, 1), kept(ctl)):
        assert b"\\x1b[2J" in text
        assert not [byte for byte in text if (byte < 0x20 and byte != 0x0a) or byte >= 0x7f]


def test_343_a_trace_that_nobody_reads_slows_nobody_down(launch, backend, folder):
    """The reader stops; sessions go on, and it hears how much it has missed."""
    ctl = os.path.join(folder, "ctl")
    gateway = launch(backend, ftp=CLEAR, daemon={"control_socket": ctl, "trace_memory": 65536})
    read, write = os.pipe()
    trace = subprocess.Popen([net.ATTLSCTL, "trace", "--socket", ctl], stdout=write)
    os.close(write)
    gateway.trace_begins(ctl)
    with clients.Client(gateway.explicit) as c:
        c.login()
        for _ in range(3000):
            c.expect("NOOP " + "x" * 200, 200)
        before = net.memory(gateway.workers()[0])
        for _ in range(1000):
            c.expect("NOOP " + "x" * 200, 200)
        assert net.memory(gateway.workers()[0]) < before + 1000
    text = b""
    gateway.event("session-end")
    while b"session-end" not in text:
        text += os.read(read, 65536)
    assert re.search(rb"-- \d+ events lost", text)
    trace.terminate()
    trace.wait()
    os.close(read)

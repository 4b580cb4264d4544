"""
How long a session's commands take while an attacker is at work: `make bench`, section "attacks".

attlsd runs with one worker, which the attacker and the victim share. The victim is a session that is logged in and
sends a command that the gateway answers by itself, one after the other. Victim and attack are programs of their own,
this file called with their names; the attack runs until it is killed. The result is a ratio: quiet and attacked take turns in one run, so that the machine's own noise
affects both alike. Python cannot attack faster than it can send, so whatever an attack repeats is made beforehand
and sent in large pieces.
"""
import contextlib
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import backend as backends  # noqa: E402
import certs  # noqa: E402
import client as clients  # noqa: E402
import gateway as gateways  # noqa: E402
import net  # noqa: E402

CTX = clients.context()
TLS12 = clients.context(versions="1.2")
EVERY = 0.002  # seconds between the victim's commands
ATTACKERS = 2  # at once
LIMIT = 3.0  # others' median latency under attack, in units of the quiet one


def again_and_again(attack):
    """Begin anew whenever the gateway ends the connection."""
    def attacks(port):
        while True:
            with contextlib.suppress(OSError, ssl.SSLError, clients.Closed, AssertionError):
                attack(("127.0.0.1", port))
    return attacks


def drain(sock):
    """Throw away what has come, so that the gateway can go on."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(1 << 16, socket.MSG_DONTWAIT):
            pass


def flood(sock, raw):
    while True:
        sock.sendall(raw)
        drain(sock)


def hello(length, record):
    """A ClientHello of `length` bytes, most of them padding (RFC 7685), in records of `record` bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = CTX.wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    raw = outgoing.read()[5:]
    at = 4 + 2 + 32
    at += 1 + raw[at]
    at += 2 + int.from_bytes(raw[at:at + 2], "big")
    at += 1 + raw[at]
    extensions = raw[at + 2:]
    room = max(0, min(length, 65000) - len(raw) - 4)
    extensions += (21).to_bytes(2, "big") + room.to_bytes(2, "big") + bytes(room)
    body = raw[4:at] + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"".join(b"\x16\x03\x01" + len(message[n:n + record]).to_bytes(2, "big") + message[n:n + record]
                    for n in range(0, len(message), record))


TINY, WHOLE = hello(65000, 1), hello(65000, 16384)


def logged_in(address):
    return clients.Client(address, ctx=CTX).auth().login()


def tiny_hello(address):
    with clients.Client(address) as c:
        c.expect("AUTH TLS", 234)
        c.sock.sendall(TINY)
        net.end_of(c.sock)


def big_hello(address):
    with clients.Client(address) as c:
        c.expect("AUTH TLS", 234)
        c.sock.sendall(WHOLE)
        net.end_of(c.sock)


def handshakes(address):
    with clients.Client(address) as c:
        c.auth()


def empty_lines(address):
    with clients.Client(address) as c:
        flood(c.sock, b"\r\n" * 20000)


def refused_lines(address):
    with logged_in(address) as c:
        c.tls.ssl.write(b"\r\n" * 8000)
        while True:
            c.tls.ssl.write(b"\r\n" * 8000)
            c.tls.flush()
            drain(c.sock)


def tiny_commands(address):
    """Each byte of the commands is a record of its own."""
    with logged_in(address) as c:
        while True:
            for byte in b"ADAT\r\n" * 500:
                c.tls.ssl.write(bytes([byte]))
            c.tls.flush()
            drain(c.sock)


def tiny_upload(address):
    with logged_in(address) as c:
        c.prot("P")
        data = c.open("STOR x", "EPSV")
        data.send(b"x" * (1 << 17))
        while True:
            for _ in range(5000):
                data.ssl.write(b"x")
            data.flush()


def mixed_upload(address):
    """Large records, so that the gateway reads much at once, then tiny ones."""
    with logged_in(address) as c:
        c.prot("P")
        data = c.open("STOR x", "EPSV")
        while True:
            data.send(b"x" * (1 << 20))
            for _ in range(20000):
                data.ssl.write(b"x")
            data.flush()


def tiny_data_hello(address):
    with logged_in(address) as c:
        c.prot("P")
        while True:
            with net.dial(c.epsv()) as data:
                data.sendall(TINY)
                net.end_of(data)


def guesses(address):
    with clients.Client(address) as c:
        c.auth()
        c.cmd("USER u")
        c.send("PASS wrong\r\n")
        net.reset(c.sock)


def connections(address):
    for _ in range(50):
        net.dial(address).close()


ATTACKS = {name: globals()[name] for name in (
    "tiny_hello", "big_hello", "handshakes", "empty_lines", "refused_lines", "tiny_commands", "tiny_upload", "mixed_upload",
    "tiny_data_hello", "guesses", "connections")}


def victim(port):
    """For each number of seconds on the standard input: how long each command took."""
    with logged_in(("127.0.0.1", port)) as c:
        print("ready", flush=True)
        for line in sys.stdin:
            taken = []
            due = time.perf_counter()
            end = due + float(line)
            while due < end:  # from the time when it was due: a stall counts for all commands that it holds
                time.sleep(max(0, due - time.perf_counter()))
                c.expect("PBSZ 0", 200)
                taken.append(time.perf_counter() - due)
                due += EVERY
            print(json.dumps(taken), flush=True)


class Program:
    """This file as a process of its own; the constructor waits until it is ready."""

    def __init__(self, name, port):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), name, str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=net.die_with_parent)
        assert self.process.stdout.readline() == "ready\n", name

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.kill()
        self.process.communicate()


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(names=None, rounds=3, seconds=0.7):
    """[(attack, quiet median ms, attacked median ms, quiet p99, attacked p99)]"""
    rows = []
    with tempfile.TemporaryDirectory(prefix="attlsd-attack-") as folder:
        os.chmod(folder, 0o755)
        os.mkdir(os.path.join(folder, "certs"), 0o755)
        os.mkdir(os.path.join(folder, "gateway"), 0o755)
        certificates = certs.Certificates(os.path.join(folder, "certs"))
        backend = backends.Backend(PASS=lambda session, word: session.reply("530 No" if word == "wrong" else "230 In"))
        tree = gateways.policy(certificates, backend.address, ftp={"login_attempts": 0},
                               daemon={"limits": {"unauthenticated_per_source": 1000, "sessions_per_source": 1000}})
        gateway = gateways.Gateway(os.path.join(folder, "gateway"), tree).ready()
        try:
            port = gateway.explicit[1]
            cpus = sorted(os.sched_getaffinity(0))
            if len(cpus) > 1:  # the worker has a processor of its own
                os.sched_setaffinity(gateway.workers()[0], cpus[:1])
                os.sched_setaffinity(0, cpus[1:])
            measured = Program("victim", port)
            for thread in backend.thread, gateway.reader:  # a server and a log in Python must not delay the victim
                os.setpriority(os.PRIO_PROCESS, thread.native_id, 19)  # threads that it starts inherit this
            for name in names or ATTACKS:
                quiet, attacked = [], []
                for _ in range(rounds):
                    quiet += measured.ask(str(seconds))
                    attacker = Program(name, port)
                    attacked += measured.ask(str(seconds))
                    attacker.end()
                rows.append((name, *(1000 * value for value in (
                    statistics.median(quiet), statistics.median(attacked), percentile(quiet, 0.99), percentile(attacked, 0.99)))))
            measured.end()
        finally:
            gateway.process.send_signal(signal.SIGTERM)
            gateway.process.send_signal(signal.SIGTERM)
            gateway.process.wait()
            backend.close()
    return rows


def text(rows):
    lines = ["| attack | quiet median | attacked median | ratio | quiet p99 | attacked p99 | ratio | |", "|---|---|---|---|---|---|---|---|"]
    for name, quiet, attacked, quiet99, attacked99 in rows:
        lines.append(f"| {name.replace('_', ' ')} | {quiet:.3f} ms | {attacked:.3f} ms | {attacked / quiet:.1f} | {quiet99:.3f} ms | "
                     f"{attacked99:.3f} ms | {attacked99 / quiet99:.1f} | {'ok' if attacked <= LIMIT * quiet else 'above %g' % LIMIT} |")
    return "\n".join(lines)


def main():
    if len(sys.argv) == 3 and sys.argv[2].isdigit():
        name, port = sys.argv[1], int(sys.argv[2])
        if name == "victim":
            victim(port)
            return
        os.nice(19)  # what is measured is the gateway, not the scheduler
        print("ready", flush=True)
        for _ in range(ATTACKERS - 1):
            if os.fork() == 0:
                net.die_with_parent()
                break
        again_and_again(ATTACKS[name])(port)
    print(text(measure(sys.argv[1:] or None)))


if __name__ == "__main__":
    main()

"""
A bounded live fuzzer: random clients and random servers, one with TLS, around a build with AddressSanitizer, `make fuzz-live`.

LIVE_SECONDS (60) limits the run, LIVE_SEED repeats one. Each episode prints nothing; a fault prints the seed, the
number of the episode and the end of the log. Faults are: a worker or the monitor dies, a sanitizer reports something,
memory leaks (seen when attlsd ends), or a probing session, which is logged in throughout, gets no answer in time.
"""
import contextlib
import os
import random
import re
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system")]

import certs  # noqa: E402
import client as clients  # noqa: E402
import gateway as gateways  # noqa: E402
import net  # noqa: E402

SECONDS = float(os.environ.get("LIVE_SECONDS") or 60)
SEED = int(os.environ.get("LIVE_SEED") or random.SystemRandom().randrange(1 << 32))
PROBE = 10.0 if net.sanitized() else 5.0
AT_ONCE = 16  # sessions
CTX = clients.context()
QUOTED = re.compile(r'^"(.*)"$')


def words():
    """The commands and the replies of the machine's dictionary."""
    commands, replies = [], []
    with open(os.path.join(HERE, "machine.dict")) as f:
        for line in f:
            found = QUOTED.match(line.strip())
            text = found and found.group(1).encode().decode("unicode_escape").strip("\n")
            if text and text[:2] in ("C ", "c "):
                commands.append(text[2:].encode("latin-1"))
            elif text and text[:2] in ("S ", "s "):
                replies.append(text[2:].encode("latin-1"))
    return commands, replies


COMMANDS, REPLIES = words()


class Server:
    """
    A server that answers as it likes; in the first connections, those of the probe, it is a small good one. With ctx
    it agrees to AUTH, and makes the handshake most times.
    """

    def __init__(self, chance, ctx=None):
        self.chance, self.probing, self.ctx = chance, True, ctx
        self.socket = net.listen(backlog=200)
        self.address = self.socket.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock, random.Random(self.chance.random()), self.probing), daemon=True).start()

    def serve(self, sock, chance, probe):
        sock.settimeout(30)
        listeners = []
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as ends:
            ends.enter_context(sock)
            sock.sendall(b"220 hello\r\n" if probe or chance.random() < 0.9 else line(chance, REPLIES))
            buffer = b""
            while True:
                data = sock.recv(65536)
                if not data:
                    break
                buffer += data
                while b"\r\n" in buffer:
                    command, buffer = buffer.split(b"\r\n", 1)
                    if self.ctx and command[:4] == b"AUTH" and chance.random() < 0.95:
                        sock.sendall(b"234 go\r\n" + (line(chance, REPLIES) if chance.random() < 0.1 else b""))
                        if chance.random() < 0.9:
                            sock = ends.enter_context(self.ctx.wrap_socket(sock, server_side=True))
                        continue
                    if command == b"CCC" and isinstance(sock, ssl.SSLSocket) and chance.random() < 0.8:
                        sock.sendall(b"200 ok\r\n")
                        sock = ends.enter_context(sock.unwrap())
                        continue
                    if not self.answer(sock, chance, command, probe, listeners):
                        return
        for listener in listeners:
            listener.close()

    def answer(self, sock, chance, command, probe, listeners):
        verb = command[:4].upper()
        good = {b"USER": b"331 ok", b"PASS": b"230 in", b"QUIT": b"221 bye"}.get(verb, b"200 ok") + b"\r\n"
        if verb == b"EPSV" and (probe or chance.random() < 0.8):
            listeners.append(net.listen())
            good = b"229 x (|||%d|)\r\n" % listeners[-1].getsockname()[1]
        elif verb in (b"RETR", b"STOR", b"LIST", b"APPE") and listeners and chance.random() < 0.8:
            sock.sendall(b"150 go\r\n")
            ctx = self.ctx if chance.random() < 0.9 else None
            threading.Thread(target=move, args=(listeners[-1], chance.random(), verb, ctx), daemon=True).start()
            good = b"226 done\r\n"
        if probe or chance.random() < 0.75:
            sock.sendall(good)
            return True
        kind = chance.randrange(6)
        if kind == 0:
            return False
        if kind == 1:
            net.reset(sock)
            return False
        if kind == 2:
            sock.sendall(b"".join(line(chance, REPLIES) for _ in range(chance.randrange(1, 50))))
        elif kind == 3:
            sock.sendall(b"211-" + b"x" * chance.randrange(9000) + b"\r\n211 end\r\n")
        elif kind == 4:
            for byte in line(chance, REPLIES):
                sock.sendall(bytes([byte]))
        return True


def move(listener, draw, verb, ctx):
    with contextlib.suppress(OSError):
        listener.settimeout(5)
        data, _ = listener.accept()
        data.settimeout(5)
        with ctx.wrap_socket(data, server_side=True) if ctx else data as data:
            if verb != b"STOR" and draw < 0.7:
                data.sendall(b"x" * int(draw * 300000))
            if draw < 0.2:
                net.reset(data)
            elif verb == b"STOR":
                while data.recv(65536):
                    pass


def line(chance, known):
    """A known line, sometimes damaged, with its end."""
    text = bytearray(chance.choice(known))
    if chance.random() < 0.2:
        for _ in range(chance.randrange(1, 4)):
            text.insert(chance.randrange(len(text) + 1), chance.randrange(256))
    if chance.random() < 0.05:
        text *= chance.randrange(1, 600)
    return bytes(text) + (b"\r\n" if chance.random() < 0.95 else chance.choice([b"\n", b"\r", b"", b"\0\r\n"]))


def data_connection(chance, port, host="127.0.0.1"):
    with contextlib.suppress(OSError, ssl.SSLError):
        with net.dial((host, port)) as sock:
            sock.settimeout(1)
            if chance.random() < 0.5:
                tls = clients.Tls(sock, CTX)
                tls.send(b"y" * chance.randrange(100000))
                if chance.random() < 0.7:
                    tls.notify()
            elif chance.random() < 0.5:
                sock.sendall(chance.randbytes(chance.randrange(3000)))
            if chance.random() < 0.3:
                net.reset(sock)


def episode(gateway, chance):
    """One hostile client, from its first byte to its end."""
    implicit = chance.random() < 0.3
    listener = "implicit" if implicit else chance.choice(["explicit", "outer"])
    with contextlib.suppress(OSError, ssl.SSLError, clients.Closed, AssertionError):
        c = clients.Client(gateway.address[listener], implicit=implicit, ctx=CTX)
        c.sock.settimeout(0.2)
        with c:
            if not implicit and chance.random() < 0.8:
                c.auth()
            if chance.random() < 0.7:
                c.cmd("USER u")
                c.cmd("PASS p")
            if chance.random() < 0.5:
                c.cmd("PBSZ 0")
                c.cmd("PROT P")
            for _ in range(chance.randrange(1, 12)):
                if chance.random() < 0.3:
                    reply = c.cmd("EPSV")
                    found = re.search(r"\|\|\|(\d+)\|", reply)
                    if found:
                        c.send(chance.choice(["RETR x\r\n", "STOR x\r\n", "LIST\r\n", "NOOP\r\n"]))
                        data_connection(chance, int(found.group(1)))
                if chance.random() < 0.1:
                    c.sock.sendall(chance.randbytes(chance.randrange(1, 400)))  # under TLS: a broken record
                else:
                    c.send(b"".join(line(chance, COMMANDS) for _ in range(chance.randrange(1, 30))))
                if chance.random() < 0.5:
                    with contextlib.suppress(socket.timeout):
                        c.recv()
            if chance.random() < 0.3:
                net.reset(c.sock)


def fuzz(gateway, server, chance, end):
    """Returns the number of episodes. Raises AssertionError for a fault."""
    workers = gateway.workers()
    probe = clients.Client(gateway.explicit, ctx=CTX).auth().login("probe")
    probe.sock.settimeout(PROBE)
    server.probing = False
    net.DEADLINE = 1.0  # a client that waits in vain goes away soon
    count = 0
    while time.monotonic() < end:
        threads = [threading.Thread(target=episode, args=(gateway, random.Random(chance.random()))) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count += len(threads)
        start = time.monotonic()
        probe.expect("NOOP", 200)
        assert time.monotonic() - start < PROBE, f"the probe waited {time.monotonic() - start:.1f} s"
        assert gateway.process.poll() is None, f"attlsd ended with {gateway.process.poll()}"
        assert gateway.workers() == workers, "a worker died"
    return count


def main():
    print(f"fuzz-live: seed {SEED}, {SECONDS:.0f} s", flush=True)
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="attlsd-live-") as folder:
        os.chmod(folder, 0o755)
        for name in "certs", "gateway":
            os.mkdir(os.path.join(folder, name), 0o755)
        made = certs.Certificates(os.path.join(folder, "certs"))
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(made.ecdsa["chain"], made.ecdsa["key"])
        server, outer = Server(chance), Server(chance, ctx)
        outer.probing = False
        limits = {"unauthenticated_per_source": 1000, "sessions_per_source": 1000}
        tree = gateways.policy(made, server.address, daemon={"limits": limits}, keyrings={"outer": {"trust": made.ca.pem}},
                               tls_actions={"outer": {"handshake_role": "client", "keyring": "outer"}},
                               backends={"outer": {"address": "%s:%d" % outer.address, "tls": "outer", "ccc": "after_login",
                                                   "secure_ctrlconn": "clear", "secure_dataconn": "clear"}},
                               listeners={"outer": {"address": "127.0.0.1:0"}},
                               rules={"outer": {"priority": 9, "match": {"listener": "outer"}, "tls": "server", "ftp": "standard",
                                                "backend": "outer"}},
                               ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "login_delay": "1ms"})
        gateway = gateways.Gateway(os.path.join(folder, "gateway"), tree).ready()
        fault, count = None, 0
        try:
            count = fuzz(gateway, server, chance, time.monotonic() + SECONDS)
        except (AssertionError, OSError, clients.Closed) as caught:
            fault = repr(caught)
        with contextlib.suppress(ProcessLookupError):
            gateway.process.send_signal(signal.SIGTERM)
            gateway.process.send_signal(signal.SIGTERM)
        try:
            status = gateway.process.wait(30)
            gateway.reader.join(5)
        except Exception as caught:  # it does not end
            gateway.process.kill()
            fault, status = fault or repr(caught), 0
        if not fault and gateways.FAULT.search(gateway.log):
            fault = "the sanitizer has found something"
        if not fault and status != 0:
            fault = f"attlsd ended with {status}"
        if fault:
            print(gateway.log[-8000:])
            print(f"fuzz-live: FAILED: {fault}; LIVE_SEED={SEED} repeats the run, though not the timing")
            return 1
    print(f"fuzz-live: {count} sessions, ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())

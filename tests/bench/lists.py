"""
How long operators and scrapers wait for answers about 10,000 idle TLS sessions, and what the answers cost.

For each question: the wall time, the CPU time of whoever asks, and that of all processes of attlsd, each the
median of several runs. "top" is a list of sessions of which the client prints nothing but a few rows.

Environment: B (build folder), LISTS_SESSIONS (10000), LISTS_RUNS (7).
"""
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import bench
import peers

SESSIONS = int(os.environ.get("LISTS_SESSIONS") or 10000)
RUNS = int(os.environ.get("LISTS_RUNS") or 7)


class Watched(peers.Attlsd):
    def start(self):
        self.run(os.path.join(peers.BUILD, "attlsd"), "-f", self.configure("lists.yaml", WORKERS=len(self.cpus)))


def attlsctl(peer, *argv):
    done = subprocess.run([os.path.join(peers.BUILD, "attlsctl"), *argv, "--socket", os.path.join(peer.base, "control.sock")],
                          capture_output=True, check=True)
    assert not done.stderr, done.stderr
    return done.stdout


def http(peer, path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(peer.base, "http.sock"))
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := s.recv(1 << 20):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    return answer


def own_cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measure(peer, name, ask, count):
    taken = []
    for _ in range(RUNS):
        peer.settle()
        cpu, own, began = peer.cpu(), own_cpu(), time.monotonic()
        answer = ask()
        wall, own = time.monotonic() - began, own_cpu() - own
        peer.settle()
        taken.append((wall, own, peer.cpu() - cpu))
        assert count(answer), f"{name}: sessions are missing"
    wall, own, theirs = (statistics.median(column) * 1000 for column in zip(*taken))
    print(f"{name:24}{wall:8.0f} ms {own:8.0f} ms {theirs:8.0f} ms{len(answer) // 1024:8} KiB", flush=True)


def main():
    base = tempfile.mkdtemp(prefix="attlsd-lists-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    os.chmod(base, 0o755)
    running = []
    try:
        certificate = peers.Certificate(base, "ecdsa")
        running.append(peers.Backend(base, certificate, None, peers.LOAD_CPUS))
        running[0].begin()
        attlsd = Watched(base, certificate, running[0], set(peers.ALL_CPUS))
        running.append(attlsd)
        attlsd.begin()
        idle = bench.Load("idle", attlsd, port=attlsd.control, tls="explicit", n=SESSIONS, opening=32)
        print(f"{SESSIONS} sessions\n{'':24}{'wall':>11} {'asks':>11} {'attlsd':>11}")
        measure(attlsd, "attlsctl status", lambda: attlsctl(attlsd, "status"), lambda a: b"%d sessions" % SESSIONS in a)
        measure(attlsd, "attlsctl sessions", lambda: attlsctl(attlsd, "sessions"), lambda a: a.count(b"\n") >= SESSIONS)
        measure(attlsd, "attlsctl sessions --json", lambda: attlsctl(attlsd, "sessions", "--json"), lambda a: a.count(b'"session"') >= SESSIONS)
        measure(attlsd, "/sessions", lambda: http(attlsd, "/sessions"), lambda a: a.count(b'"session"') >= SESSIONS)
        measure(attlsd, "/sessions?limit=50", lambda: http(attlsd, "/sessions?limit=50"), lambda a: a.count(b'"session"') >= 50)
        measure(attlsd, "/metrics", lambda: http(attlsd, "/metrics"), lambda a: b"attlsd_" in a)
        idle.end()
    finally:
        for peer in running:
            peer.stop()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

"""
Upgrades under load: `make upgrade-load`.

Sessions begin all the time, explicit and implicit, while files go up and down, under TLS and in the clear,
each so slow that it lives through an upgrade or more; the loads look at every byte. Meanwhile attlsd is
replaced UPGRADES times by a new process. A refused connection, a lost session, a cut or changed transfer
ends a load with an error, and this program with status 1.

Environment: B (build folder), UPGRADES (10), RATE (200 sessions a second).
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import bench
import peers

UPGRADES = int(os.environ.get("UPGRADES") or 10)
RATE = int(os.environ.get("RATE") or 200)
KIB = 1024
# Each: what it is called, and a load that lasts some seconds.
SHARE = max(RATE // 2, 1)
LOADS = {
    f"{SHARE} sessions a second, explicit": ("session", "explicit", dict(n=20, pause_us=20 * 10**6 // SHARE, ops=SHARE * 3)),
    f"{SHARE} sessions a second, implicit": ("session", "implicit", dict(n=20, pause_us=20 * 10**6 // SHARE, ops=SHARE * 3)),
    "downloads, P, explicit": ("bulk", "explicit", dict(dir="get", prot="P", check=1, n=4, ops=8, size=512 * KIB, slow_us=20000)),
    "downloads, P, implicit": ("bulk", "implicit", dict(dir="get", prot="P", check=1, n=4, ops=8, size=512 * KIB, slow_us=20000)),
    "downloads, C, explicit": ("bulk", "explicit", dict(dir="get", prot="C", check=1, n=4, ops=8, size=512 * KIB, slow_us=20000)),
    "uploads, P, explicit": ("bulk", "explicit", dict(dir="put", prot="P", check=1, n=1, ops=2, pause_us=100000, size=32 * 1024 * KIB)),
    "uploads, P, implicit": ("bulk", "implicit", dict(dir="put", prot="P", check=1, n=1, ops=2, pause_us=100000, size=32 * 1024 * KIB)),
    "uploads, C, explicit": ("bulk", "explicit", dict(dir="put", prot="C", check=1, n=1, ops=2, pause_us=100000, size=32 * 1024 * KIB)),
}


class Upgraded(peers.Attlsd):
    """attlsd in a folder of its own, whose program is replaced."""

    def start(self):
        self.program, self.socket = os.path.join(self.base, "attlsd"), os.path.join(self.base, "control")
        self.install()
        self.run(self.program, "-f", self.configure("upgrade.yaml", WORKERS=2))

    def install(self):
        shutil.copy(os.path.join(peers.BUILD, "attlsd"), self.program + ".new")
        os.rename(self.program + ".new", self.program)

    def ctl(self, *words):
        done = subprocess.run([os.path.join(peers.BUILD, "attlsctl"), *words, "--socket", self.socket], capture_output=True, text=True)
        if done.returncode != 0:
            with open(os.path.join(self.base, "output")) as f:
                sys.exit("".join(line for line in f if " error " in line) + done.stderr)
        return done.stdout


class Crowd:
    """One kind of load, again and again until the end."""

    def __init__(self, name, peer):
        self.name, self.peer = name, peer
        self.mode, self.tls, self.options = LOADS[name]
        self.ops = self.bytes = 0
        self.slowest_ms, self.seconds, self.error, self.over = 0.0, 0.0, None, False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.over and self.error is None:
            try:
                load = bench.Load(self.mode, self.peer, port=self.peer.control if self.tls == "explicit" else self.peer.raw,
                                  tls=self.tls, **self.options)
                try:
                    result = load.run()
                finally:
                    load.end()
                self.ops += result["ops"]
                self.bytes += result["bytes"]
                self.seconds += result["seconds"]
                self.slowest_ms = max(self.slowest_ms, result["max_us"] / 1000)
            except (peers.Unavailable, json.JSONDecodeError, OSError) as error:
                self.error = str(error)

    def wait(self):
        self.over = True
        self.thread.join(300)
        return self


def run(peer):
    crowds = [Crowd(name, peer) for name in LOADS]
    took, first = [], json.loads(peer.ctl("status", "--json"))["pid"]
    time.sleep(2) # all of them are at work
    for turn in range(UPGRADES):
        peer.install()
        begun = time.monotonic()
        peer.ctl("upgrade")
        took.append((time.monotonic() - begun) * 1000)
        # every other one outlives its trial, the others end it
        time.sleep(6 if turn % 2 else 1)
    failed = 0
    for crowd in crowds:
        crowd.wait()
        failed += crowd.error is not None
        print("%-8s%-38s %7d done, %6.1f MB, %5.0f a second, the slowest %6.0f ms%s" % (
            "FAILED" if crowd.error else "ok", crowd.name, crowd.ops, crowd.bytes / 1e6, crowd.ops / max(crowd.seconds, 0.001),
            crowd.slowest_ms, "; " + crowd.error if crowd.error else ""), flush=True)
    status = json.loads(peer.ctl("status", "--json"))
    counted = peer.ctl("metrics")
    refused = sum(float(line.split()[-1]) for line in counted.splitlines() if line.startswith("attlsd_connections_refused_total"))
    good = status["pid"] != first and refused == 0
    print("%-8s%d upgrades, median %.0f ms, the slowest %.0f ms; %d refusals; attlsds that still run: %d" % (
        "ok" if good else "FAILED", UPGRADES, statistics.median(took), max(took), refused, 1 + len(status["replaced"])), flush=True)
    return failed + (not good)


def main():
    with tempfile.TemporaryDirectory(prefix="attlsd-upgrades-") as base:
        os.chmod(base, 0o755)
        certificate = peers.Certificate(base, "ecdsa")
        backend = peers.Backend(base, certificate, None, peers.LOAD_CPUS)
        backend.begin()
        peer = Upgraded(base, certificate, backend)
        try:
            peer.begin()
            return 1 if run(peer) else 0
        finally:
            peer.stop()
            backend.stop()


if __name__ == "__main__":
    sys.exit(main())

"""
Transfers over paths with delay, a section of make bench: how long curl, lftp and Python's ftplib wait.

The clients and the servers are in two network namespaces, and tests/bench/wan.c is the path between them:
200 Mbit/s, a round trip of 10, 40 or 150 ms, and no loss or a loss of 0.1 %. Each figure is the time that a user
waits: for the first byte of a download of 20 MB, or for the end of the client. attlsd and mod_proxy are in front
of a ProFTPD without TLS, and are compared with ProFTPD and vsftpd with TLS of their own.

The keys of the figures begin with h-RTT or, with loss, h-loss-RTT. A run measures the path of 40 ms without loss;
BENCH_ONLY chooses others, and BENCH_ONLY=h- all. BENCH_ROUNDS and BENCH_SECONDS are limits as in bench.py.

Large files are transferred one at a time. Small ones hardly load the path, so all peers send theirs at once.
"""
import concurrent.futures
import glob
import os
import shlex
import subprocess
import sys
import time

import peers

sys.path.insert(0, os.path.join(peers.ROOT, "tests", "edge"))

import netns  # noqa: E402

NEAR, FAR = "198.18.0.2", "198.18.0.1"  # RFC 2544: for benchmarks
MBIT, QUEUE = 200, 1000  # a queue of 1000 packets is 60 ms
PATHS = {(rtt, loss): f"h-loss-{rtt}" if loss else f"h-{rtt}" for loss in (0, 100) for rtt in (10, 40, 150)}
USUAL = "h-40-"
SECONDS = 360
# The kernel's own defaults, which distributions change; and no connection inherits the window of the one before.
# The congestion control stays: a namespace may not choose every one.
SETTINGS = {"net.ipv4.tcp_rmem": "4096 131072 6291456", "net.ipv4.tcp_wmem": "4096 16384 4194304",
            "net.ipv4.tcp_no_metrics_save": 1}
COUNT = 100
PRIORITY = -15  # before the rest of the machine: what is measured is the dialogue, not a busy processor
PAUSE = 0.5  # ProFTPD accepts nobody for 0.4 s after the end of a session
FILES = {"z1024": 1024, "z20000000": 20_000_000, **{f"z10240-{i:03}": 10240 for i in range(1, COUNT + 1)}}
WORKS = {"1k": ("1 KiB", ["z1024"]), "20m": ("20 MB", ["z20000000"]),
         "100": ("100 files of 10 KiB", [name for name in FILES if name.startswith("z10240-")])}


class Curl:
    name = "curl"

    @staticmethod
    def argv(peer, direction, folder, files):
        url = f"ftp://{peer.host}:{peer.control}/{folder}"
        # one URL for all files, as its manual page recommends, so that it uses one session
        what = [url + "{" + ",".join(files) + "}"] if direction == "get" else ["-T", "{" + ",".join(files) + "}", url]
        return ["curl", "-q", "-sS", "--ssl-reqd", "--cacert", peer.certificate.ca, "-u", f"{peer.user}:secret", *what]


class Lftp:
    name = "lftp"

    @staticmethod
    def argv(peer, direction, folder, files):
        verb = f"cat {' '.join(files)}" if direction == "get" else f"mput -O {folder} {' '.join(files)}"
        return ["lftp", "--norc", "-c", f"set ssl:ca-file {shlex.quote(peer.certificate.ca)}; set ftp:ssl-force yes; "
                f"set ftp:ssl-protect-data yes; set cmd:fail-exit yes; set net:max-retries 1; "
                f"open -u {peer.user},secret ftp://{peer.host}:{peer.control}; {verb}"]


class Ftplib:
    name = "ftplib"

    @staticmethod
    def argv(peer, direction, folder, files):
        return [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "wan_ftplib.py"), peer.host,
                str(peer.control), peer.user, peer.certificate.ca, direction, folder, *files]


CLIENTS = (Curl, Lftp, Ftplib)


class Path:
    """Two namespaces and the path between them."""

    def __init__(self):
        self.near = self.far = self.process = None
        if os.geteuid() != 0:
            raise peers.Unavailable("network namespaces need root")
        try:
            self.near, self.far = netns.Namespace("near"), netns.Namespace("far")
            self.process = subprocess.Popen(
                [peers.tool("wan"), *("/run/netns/" + ns.name for ns in (self.near, self.far)), str(MBIT), str(QUEUE)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                preexec_fn=peers.pinned(set(peers.ALL_CPUS)))
            if self.process.stdout.readline() != "up\n":
                raise peers.Unavailable(self.process.stderr.read().strip())
            peers.schedule([self.process.pid], os.SCHED_FIFO, 1)
            for ns, device, address in (self.near, "wan0", NEAR), (self.far, "wan1", FAR):
                ns.ip("link", "set", device, "txqueuelen", "10000", "up")
                ns.address(device, address + "/24")
                ns.sysctl(**SETTINGS)
        except OSError as error:
            self.close()
            raise peers.Unavailable(str(error))
        except BaseException:
            self.close()
            raise

    def set(self, rtt_ms, loss, seed):
        self.process.stdin.write(f"{rtt_ms * 500} {loss} {seed}\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "ok\n":
            raise peers.Unavailable("the path has ended")

    def close(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
        for ns in self.near, self.far:
            if ns:
                ns.close()


class Bench:
    def __init__(self, base, path):
        self.base, self.path, self.samples, self.failed = base, path, {}, {}
        self.local = os.path.join(base, "local")
        os.mkdir(self.local)
        for name, size in FILES.items():
            with open(os.path.join(self.local, name), "wb") as f:
                f.write(b"x" * size)

    def transfer(self, peer, client, work, direction):
        """Run one client; returns the seconds to its first byte (None for an upload) and to its end."""
        files = WORKS[work][1]
        folder = "" if direction == "get" else f"{peer.name}-{client.name}/"
        if direction == "put":
            files = [os.path.join(self.local, name) for name in files]

        def prepare():
            self.path.near.enter("/run/netns/" + self.path.near.name)
            peers.pinned(peers.LOAD_CPUS)()
        process = subprocess.Popen(client.argv(peer, direction, folder, files), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=prepare)
        try:
            if client is Ftplib:
                if process.stderr.readline() != b"ready\n":
                    raise peers.Unavailable("it did not start")
                process.stdin.write(b"\n")
                process.stdin.flush()
            begun, first, got = time.monotonic(), None, 0
            while piece := os.read(process.stdout.fileno(), 1 << 18):
                first = first or time.monotonic() - begun
                got += len(piece)
            status = process.wait()
            whole = time.monotonic() - begun
            wanted = sum(FILES[os.path.basename(name)] for name in files) if direction == "get" else 0
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
            if status or got != wanted:
                raise peers.Unavailable(f"status {status}, {got} bytes of {wanted}" + (": " + said[-1] if said else ""))
            return first, whole
        finally:
            process.kill()
            process.communicate()

    def note(self, key, peer, value):
        self.samples.setdefault(key, {}).setdefault(peer.name, []).append(value)

    def one(self, prefix, peer, client, work, direction):
        key = f"{prefix}-{client.name}-{work}-{'down' if direction == 'get' else 'up'}"
        if peer.name in self.failed.get(key, {}):
            return
        try:
            first, whole = self.transfer(peer, client, work, direction)
        except (peers.Unavailable, OSError) as error:
            self.failed.setdefault(key, {})[peer.name] = str(error)
            self.samples.get(key, {}).pop(peer.name, None)
            return
        self.note(key, peer, whole)
        if work == "20m" and first:
            self.note(f"{prefix}-{client.name}-first", peer, first)

    def together(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            for job in [pool.submit(self.one, *job) for job in jobs]:
                job.result()


def titles():
    """All figures in their order: key and title."""
    found = {}
    for (rtt, loss), prefix in PATHS.items():
        for client in CLIENTS:
            where = f"{client.name}, {rtt} ms{', 0.1 % lost' if loss else ''}, "
            found[f"{prefix}-{client.name}-first"] = where + "first byte"
            for work, (title, _) in WORKS.items():
                found[f"{prefix}-{client.name}-{work}-down"] = where + "download of " + title
                found[f"{prefix}-{client.name}-{work}-up"] = where + "upload of " + title
    return found


def wanted(only):
    """Without a choice, the figures of 40 ms without loss; `h-` chooses all."""
    words = only or [USUAL]
    return {key: title for key, title in titles().items() if any(key.startswith(word) for word in words)}


def measure_works(bench, everyone, keys, works, seed, label):
    """Measure each wanted figure of some works once."""
    for (rtt, loss), prefix in PATHS.items():
        for work in works:
            for direction, suffix in ("get", "down"), ("put", "up"):
                suffixes = [f"{work}-{suffix}"] + (["first"] if (work, direction) == ("20m", "get") else [])
                jobs = [[(prefix, peer, client, work, direction) for peer in everyone]
                        for client in CLIENTS if any(f"{prefix}-{client.name}-{name}" in keys for name in suffixes)]
                if work == "20m":
                    jobs = [[job] for client in jobs for job in client]
                elif work == "100":
                    jobs = [sum(jobs, [])] if jobs else []
                for group in jobs:
                    print(f"\r\033[K{label}  {prefix}  {work} {suffix}", end="", file=sys.stderr, flush=True)
                    time.sleep(PAUSE)
                    bench.path.set(rtt, loss, seed)
                    bench.together(group)


def run(bench, everyone, keys, rounds, seconds):
    """The 100 files take minutes and are measured once; then as many rounds as the time allows. Returns their number."""
    begun = time.monotonic()
    measure_works(bench, everyone, keys, ["100"], 0, "once")
    for number in range(rounds):
        began = time.monotonic()
        measure_works(bench, everyone, keys, ["1k", "20m"], number + 1, f"round {number + 1}/{rounds}")
        now = time.monotonic()
        if now - begun + now - began > seconds:
            break
    print("\r\033[K", end="", file=sys.stderr)
    return number + 1


def start(base, running, missing):
    """Start the peers in the servers' namespace; returns them."""
    certificate = peers.Certificate(base, "ecdsa", FAR)
    backend = None
    found = []
    for make in (peers.PlainProFtpd, peers.Attlsd, peers.ModProxy, peers.ProFtpd, peers.Vsftpd):
        if make is not peers.PlainProFtpd and peers.WANTED and make.name not in peers.WANTED:
            continue
        peer = make(base, certificate, backend)
        peer.files, peer.host = FILES, "127.0.0.1" if make is peers.PlainProFtpd else FAR
        running.append(peer)
        try:
            peer.begin()
        except (peers.Unavailable, OSError, AssertionError) as error:
            if make is peers.PlainProFtpd:
                raise peers.Unavailable("proftpd: " + str(error))
            missing[peer.name] = str(error)
            peer.stop()
            running.remove(peer)
            continue
        peer.user = peer.login.get("user", "tester")
        peers.prefer(peer.pids(), PRIORITY)
        if make is peers.PlainProFtpd:
            backend = peer
        else:
            found.append(peer)
    for root in glob.glob(os.path.join(base, "*", "root")):
        for name in FILES:
            os.link(os.path.join(root, "pub", name), os.path.join(root, name))
        for peer in found:
            for client in CLIENTS:
                folder = os.path.join(root, f"{peer.name}-{client.name}")
                os.mkdir(folder)
                os.chmod(folder, 0o777)
    return found


def congestion():
    with open("/proc/sys/net/ipv4/tcp_congestion_control") as f:
        return f.read().strip()


def measure(base, only, rounds, seconds):
    """Returns the section's figures, the peers' versions and what is missing."""
    result = {"figures": [], "versions": {}, "missing": {}, "rounds": 0, "seconds": 0}
    begun = time.monotonic()
    keys = wanted(only)
    running, path = [], None
    if not keys:
        return result
    base = os.path.join(base, "wan")
    os.mkdir(base, 0o755)
    try:
        for package in {package for make in (peers.ModProxy, peers.Vsftpd) for package in make.packages}:
            peers.fetch(package)  # here, because the namespaces have no way to a mirror
        path = Path()
        peers.prefer([os.getpid()], PRIORITY)  # its clients, too
        with path.far:
            everyone = start(base, running, result["missing"])
            bench = Bench(base, path)
            result["rounds"] = run(bench, everyone, keys, rounds, seconds)
        result["versions"] = {peer.name: peer.version for peer in running}
        result["figures"] = [{"key": key, "title": title, "unit": "s", "digits": 2, "failed": bench.failed.get(key, {}),
                              "samples": {name: [round(x, 3) for x in taken] for name, taken in bench.samples.get(key, {}).items()}}
                             for key, title in keys.items() if key in bench.samples or key in bench.failed]
    except peers.Unavailable as error:
        result["missing"]["paths with delay"] = str(error)
    finally:
        for peer in running:
            peer.stop()
        if path:
            path.close()
        peers.prefer([os.getpid()], 0)
    result["seconds"] = round(time.monotonic() - begun, 1)
    return result

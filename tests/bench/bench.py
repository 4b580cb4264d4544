"""
Compare the cost of attlsd with that of other servers and relays on the same machine: `make bench`.

Every figure is the CPU time of a server's own processes, their memory, or a round trip. The benchmark runs
in rounds, and each round measures every figure of every peer, so that disturbances of the machine affect all
peers alike. The ratios are what counts. Environment: B (build folder), BENCH=quick, BENCH_WRITE=1 (write
docs/BENCHMARKS.md and the plots), BENCH_ONLY=word,word (figures), BENCH_PEERS=word,word, BENCH_ROUNDS (the
maximum), BENCH_SECONDS (start no round that would end later than this). Paths with delay follow as a section of
their own, see wan.py; BENCH=quick leaves them out. Latency under attack (BENCH_ONLY=i-) is in attack.py. BENCH_ONLY=o-
with BENCH_PEERS="attlsd,attlsd on both legs" measures what TLS toward the server adds.
"""
import ctypes
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import attack
import peers
import report
import wan

ROOT = peers.ROOT
QUICK = os.environ.get("BENCH") == "quick"
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or (3 if QUICK else 5))
ONLY = [word for word in os.environ.get("BENCH_ONLY", "").split(",") if word]
SECONDS = int(os.environ.get("BENCH_SECONDS") or (100 if QUICK else 1800))
WAN_SECONDS = int(os.environ.get("BENCH_SECONDS") or wan.SECONDS)
MIB, GIB = 1 << 20, 1 << 30


class Load:
    """One process of tests/bench/load. The constructor sets it up; run() does the work to be measured."""

    def __init__(self, mode, peer, **options):
        argv = [peers.tool("load"), mode, str(options.pop("port"))]
        argv += [f"{key}={value}" for key, value in {**peer.login, **options}.items()]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        start_new_session=True, text=True, preexec_fn=peers.pinned(peers.LOAD_CPUS))
        self.expect("ready")

    def expect(self, want):
        line = self.process.stdout.readline()
        if not line.startswith(want):
            self.process.kill()
            raise peers.Unavailable((self.process.stderr.read().strip() or "the load ended early").splitlines()[0])
        return line

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def run(self):
        self.go()
        return json.loads(self.expect("{"))

    def end(self):
        self.process.kill()
        self.process.communicate()


class Figure:
    """One column of a table: the function that measures it, its peers, and all samples."""

    def __init__(self, key, title, unit, take, who, scale=1.0, digits=3):
        self.key, self.title, self.unit, self.take, self.who = key, title, unit, take, who
        self.scale, self.digits, self.samples, self.failed = scale, digits, {}, {}

    def median(self, name):
        taken = self.samples.get(name)
        return statistics.median(taken) if taken else None


def cpu_of(peer, work):
    """Returns (result of the load, CPU seconds that the peer spent on it)."""
    peer.settle()
    before = peer.cpu()
    result = work()
    peer.settle()
    return result, peer.cpu() - before


def bulk(direction, protect):
    megabytes = 128
    files = 2 if QUICK else 4

    def take(peer):
        if peer.kind == "relay":
            load = Load("raw", peer, port=peer.raw, tls="implicit", dir=direction, size=megabytes * MIB, ops=files)
        elif peer.kind == "limit":
            load = Load("raw", peer, port=peer.raw, tls="none", dir=direction, size=megabytes * MIB, ops=files)
        else:
            load = Load("bulk", peer, port=peer.control, tls="explicit", prot=protect, dir=direction,
                        size=megabytes * MIB, ops=files)
        try:
            result, cpu = cpu_of(peer, load.run)
        finally:
            load.end()
        return cpu * GIB / result["bytes"]
    return take


def resumed_enough(result):
    if result["resumed"] < 0.9 * result["ops"]:
        raise peers.Unavailable(f"it resumed only {result['resumed']} of {result['ops']} TLS sessions")


def session(resume):
    def take(peer):
        ops = (60 if peer.heavy else 600) // (2 if QUICK else 1)
        mode = "shake" if peer.kind == "handshake" else "session"
        load = Load(mode, peer, port=peer.control, tls=peer.tls, n=4, ops=ops, resume=int(resume))
        try:
            result, cpu = cpu_of(peer, load.run)
        finally:
            load.end()
        if resume:
            resumed_enough(result)
        return cpu * 1000 / ops
    return take


def small(direction):
    def take(peer):
        ops = 300 if QUICK else 1000
        load = Load("bulk", peer, port=peer.control, tls="explicit", prot="P", dir=direction, size=1024, ops=ops)
        try:
            result, cpu = cpu_of(peer, load.run)
        finally:
            load.end()
        if peer.resumes:
            resumed_enough(result)
        return cpu * 1e6 / result["ops"]
    return take


def idle(n):
    def take(peer):
        count = min(n, 200) if peer.heavy and QUICK else n
        peer.settle()
        # the first round's value in all rounds: memory that a server keeps for later sessions counts as used
        peer.before = before = peer.before if peer.before is not None else peer.memory()
        load = Load("idle", peer, port=peer.control, tls=peer.tls, n=count)
        try:
            peer.settle()
            return (peer.memory() - before) / count
        finally:
            load.end()
            peer.settle()
    return take


def noop(what):
    def take(peer):
        load = Load("noop", peer, port=peer.control, tls=peer.tls, ops=1000 if QUICK else 5000)
        try:
            result, cpu = cpu_of(peer, load.run)
        finally:
            load.end()
        return cpu * 1e6 / result["ops"] if what == "cpu" else result["p50_us"]
    return take


def grown(mode, n):
    """The same work, spread over n sessions at once."""
    def take(peer):
        options = {"bulk": dict(prot="P", dir="get", size=MIB, ops=max(256, n)),
                   "session": dict(ops=max(600, n)),
                   "small": dict(prot="P", dir="get", size=1024, ops=max(600, n)),
                   "noop": dict(ops=max(5000, 5 * n))}[mode]
        load = Load("bulk" if mode == "small" else mode, peer, port=peer.control, tls=peer.tls, n=n, **options)
        try:
            result, cpu = cpu_of(peer, load.run)
        finally:
            load.end()
        return cpu * GIB / result["bytes"] if mode == "bulk" else cpu * 1e6 / result["ops"]
    return take


def spread(n):
    """
    The larger worker's share of the CPU time of n bulk transfers at once. Each session does one transfer: with
    two, the faster session would take over the slower one's second transfer.
    """
    def take(peer):
        before = peer.cpu_by_process()
        load = Load("bulk", peer, port=peer.control, tls="explicit", dir="get", size=128 * MIB, n=n, ops=n)
        try:
            load.run()
        finally:
            load.end()
        peer.settle()
        spent = sorted(cpu - before.get(pid, 0) for pid, cpu in peer.cpu_by_process().items())
        return 100 * spent[-1] / sum(spent)
    return take


def fairness(peer):
    """
    p99 of a NOOP on an idle session while four downloads keep the worker busy. All processes on the path of the
    NOOP get priority over the rest of the machine, because the test measures the worker's fairness, not the
    kernel's.
    """
    peers.prefer(peer.pids() + peer.backend.pids(), -15)
    heavy = Load("bulk", peer, port=peer.control, tls="explicit", dir="get", size=128 * MIB, n=4, ops=16)
    light = Load("noop", peer, port=peer.control, tls="explicit", ops=150, pause_us=5000)
    peers.prefer([light.process.pid], -15)
    try:
        heavy.go()
        return light.run()["p99_us"] / 1000
    finally:
        heavy.end()
        light.end()
        peers.prefer(peer.pids() + peer.backend.pids(), 0)


def figures(everyone, rsa, two):
    kinds = ("gateway", "server", "relay", "limit", "handshake", "backend", "unisolated", "both")
    names = {kind: [p for p in everyone if p.kind == kind] for kind in kinds}
    ftp = names["gateway"] + names["server"]
    bytes_too = ftp + names["relay"]
    ours = [p for p in everyone if p.name == "attlsd"]
    legs = ours + names["both"]
    count = 1000
    all_figures = [
        Figure("a-down", "Download, PROT P", "s/GiB", bulk("get", "P"), bytes_too),
        Figure("a-up", "Upload, PROT P", "s/GiB", bulk("put", "P"), bytes_too),
        Figure("a-down-c", "Download, PROT C", "s/GiB", bulk("get", "C"), ftp + names["limit"]),
        Figure("a-up-c", "Upload, PROT C", "s/GiB", bulk("put", "C"), ftp + names["limit"]),
        Figure("b-ecdsa", "Session, full handshake, P-256", "ms", session(False),
               bytes_too + names["handshake"] + names["unisolated"]),
        Figure("b-ecdsa-resumed", "Session, resumed, P-256", "ms", session(True), bytes_too),
        Figure("b-rsa", "Session, full handshake, RSA-2048", "ms", session(False), rsa),
        Figure("c-down", "RETR of 1 KiB", "us", small("get"), ftp, digits=0),
        Figure("c-up", "STOR of 1 KiB", "us", small("put"), ftp, digits=0),
        Figure("d-%d" % count, "Idle session, %d at once" % count, "KiB", idle(count), bytes_too, digits=1),
        Figure("d-10000", "Idle session, 10000 at once, two workers", "KiB", idle(10000), two if not QUICK or ONLY else [],
               digits=1),
        Figure("e-cpu", "NOOP, CPU", "us", noop("cpu"), bytes_too, digits=1),
        Figure("e-p50", "NOOP, round trip, median", "us", noop("p50"), bytes_too + names["backend"], digits=1),
        Figure("o-down", "Download, TLS on both legs", "s/GiB", bulk("get", "P"), legs),
        Figure("o-up", "Upload, TLS on both legs", "s/GiB", bulk("put", "P"), legs),
        Figure("o-session", "Session, full handshake with the client, TLS on both legs", "ms", session(False), legs),
        Figure("o-session-resumed", "Session, resumed by the client, TLS on both legs", "ms", session(True), legs),
        Figure("g-p99", "NOOP p99 beside four downloads", "ms", fairness, ours, digits=2),
    ]
    for n in (2, 4, 8):
        all_figures.append(Figure(f"f-spread-{n}", f"Larger of two workers' shares, {n} downloads", "%", spread(n), two, digits=0))
    if not QUICK or ONLY:
        for mode, unit in (("bulk", "s/GiB"), ("session", "us"), ("small", "us"), ("noop", "us")):
            for n in (1, 10, 100, 1000):
                all_figures.append(Figure(f"f-{mode}-{n}", f"attlsd, {mode} on {n} sessions", unit, grown(mode, n), ours,
                                          digits=3 if mode == "bulk" else 0))
    return [f for f in all_figures if not ONLY or any(f.key.startswith(word) for word in ONLY)]


def busy_seconds():
    with open("/proc/stat") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]
    hz = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - ticks[3] - ticks[4] - ticks[7]) / hz, ticks[7] / hz


def own_seconds(everyone):
    children = os.times()
    return children.user + children.system + children.children_user + children.children_system + sum(p.cpu() for p in everyone)


def aes_limit():
    """Seconds per GiB of AES-128-GCM alone, in blocks of the size of a TLS record."""
    text = peers.output(["openssl", "speed", "-evp", "aes-128-gcm", "-bytes", "16384", "-seconds", "1"],
                        cpus=peers.GATEWAY_CPUS)
    found = re.findall(r"([\d.]+)k\s*$", text, re.M)
    return GIB / (float(found[-1]) * 1000) if found else None


def measure(all_figures):
    """Run as many complete rounds as the time allows; returns their number."""
    begun = time.monotonic()
    for number in range(ROUNDS):
        if number and (time.monotonic() - begun) * (number + 1) / number > SECONDS:
            return number
        for figure in all_figures:
            for peer in figure.who:
                if peer.name in figure.failed:
                    continue
                print(f"\r\033[Kround {number + 1}/{ROUNDS}  {figure.key}  {peer.name}", end="", file=sys.stderr, flush=True)
                try:
                    figure.samples.setdefault(peer.name, []).append(figure.take(peer) * figure.scale)
                except (peers.Unavailable, json.JSONDecodeError, OSError) as error:
                    figure.failed[peer.name] = str(error)
                    figure.samples.pop(peer.name, None)
    print("\r\033[K", end="", file=sys.stderr)
    return ROUNDS


def noise(all_figures, others, steal, took):
    """What a reader has to know before trusting the figures."""
    warnings = []
    if others > 0.1 * took:
        warnings.append(f"other processes took {others / took:.0%} of a core")
    if steal > 0.01 * took:
        warnings.append(f"the host took {steal / took:.1%} of a core away")
    wide = [(max(s) - min(s)) / statistics.median(s) for f in all_figures for s in f.samples.values()
            if len(s) > 1 and statistics.median(s) > 0]
    if wide and statistics.median(wide) > 0.1:
        warnings.append(f"half of the figures have a spread of more than {statistics.median(wide):.0%} of their median")
    if len(peers.ALL_CPUS) < 2:
        warnings.append("one core only: the gateway shares it with the load generator")
    return warnings


def measure_costs(base):
    """CPU time, memory and latency, on the loopback interface."""
    running, missing = [], {}
    try:
        everyone, rsa, two = peers.start_all(base, running, missing)
        all_figures = figures(everyone, rsa, two)
        busy, stolen = busy_seconds()
        own = own_seconds(running)
        begun = time.monotonic()
        limits = {"aes-128-gcm": aes_limit()} if not ONLY else {}
        rounds = measure(all_figures)
        took = time.monotonic() - begun
        busy_now, stolen_now = busy_seconds()
        others = max(0.0, busy_now - busy - (own_seconds(running) - own))
        return {
            "rounds": rounds, "warnings": noise(all_figures, others, stolen_now - stolen, took),
            "versions": {p.name: p.version for p in everyone}, "missing": missing, "limits": limits,
            "figures": [{"key": f.key, "title": f.title, "unit": f.unit, "digits": f.digits, "failed": f.failed,
                         "samples": {name: [round(x, 6) for x in s] for name, s in f.samples.items()}} for f in all_figures],
        }
    finally:
        for peer in running:
            peer.stop()


def main():
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: inherit the orphans of servers, and so their CPU time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    base = tempfile.mkdtemp(prefix="attlsd-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    os.chmod(base, 0o755)
    result = {"rounds": 0, "warnings": [], "versions": {}, "missing": {}, "limits": {}, "figures": []}
    started = time.monotonic()
    try:
        if not ONLY or any(not word.startswith(("h-", "i-")) for word in ONLY):
            result = measure_costs(base)
        if not ONLY or any(word.startswith("i-") for word in ONLY):
            result["attacks"] = attack.measure(rounds=ROUNDS)
        if not QUICK or ONLY:
            paths = wan.measure(base, ONLY, ROUNDS, WAN_SECONDS)
            result["figures"] += paths["figures"]
            result["versions"] = {**paths["versions"], **result["versions"]}
            result["missing"] = {**paths["missing"], **result["missing"]}
            result["paths"] = {name: paths[name] for name in ("rounds", "seconds")}
    finally:
        shutil.rmtree(base, ignore_errors=True)
    result.update({
        "machine": {"kernel": platform.release().split("-")[0], "cpus": len(peers.ALL_CPUS), "cpu": peers.cpu_model(),
                    "openssl": peers.output(["openssl", "version"]).strip(), "congestion": wan.congestion()},
        "mode": "quick" if QUICK else "full", "seconds": round(time.monotonic() - started, 1)})
    with open(os.path.join(peers.BUILD, "bench.json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print(report.text(result))
    if os.environ.get("BENCH_WRITE"):
        report.write(result, os.path.join(ROOT, "docs"), os.path.join(ROOT, "tests", "bench", "peers"))


if __name__ == "__main__":
    main()

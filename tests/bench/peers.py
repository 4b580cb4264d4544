"""The servers that make bench compares: fetch them, configure them from peers/, start, pin and measure them."""
import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))

import certs  # noqa: E402
import net  # noqa: E402
import servers  # noqa: E402

BUILD = os.path.abspath(os.environ.get("B") or os.path.join(ROOT, "build"))
TEMPLATES = os.path.join(ROOT, "tests", "bench", "peers")
Unavailable = servers.Unavailable
ALL_CPUS = sorted(os.sched_getaffinity(0))
GATEWAY_CPUS, LOAD_CPUS = {ALL_CPUS[0]}, set(ALL_CPUS[1:] or ALL_CPUS)
TICK = os.sysconf("SC_CLK_TCK")
FILES = {f"z{size}": size for size in (1024, 64 << 20, 128 << 20)}
WANTED = [word for word in os.environ.get("BENCH_PEERS", "").split(",") if word]


def tool(name):
    return os.path.join(BUILD, "tests", "bench", name)


def pinned(cpus):
    def prepare():
        os.sched_setaffinity(0, cpus)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
        net.die_with_parent()
    return prepare


def prefer(pids, nice):
    """Set priorities, if permitted. The autogroup, too: the kernel first weighs process sessions, then their processes."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, nice)
        with contextlib.suppress(OSError), open(f"/proc/{pid}/autogroup", "w") as f:
            f.write(str(nice))


def schedule(pids, policy, priority=0):
    """Set a scheduling policy, if permitted: os.SCHED_FIFO runs before everything else, os.SCHED_IDLE after it."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(pid, policy, os.sched_param(priority))


def output(argv, cpus=None, env=None):
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=env, preexec_fn=pinned(cpus or set(ALL_CPUS)), timeout=60).stdout
    except OSError as error:
        return str(error)


def cpu_model():
    with open("/proc/cpuinfo") as f:
        found = re.search(r"model name\s*:\s*(.*)", f.read())
    return found.group(1) if found else "unknown"


def fetch(package):
    """Unpack a Debian package; returns its folder and the path of the libraries that came with it."""
    folder = os.path.join(servers.STORE, package)
    done = subprocess.run(["sh", os.path.join(ROOT, "contrib", "fetch-server.sh"), package, folder],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Unavailable((done.stdout.strip().splitlines() or ["could not be fetched"])[-1])
    with open(os.path.join(folder, "libpath")) as f:
        return folder, f.read().strip()


class Certificate:
    def __init__(self, base, algorithm, host="127.0.0.1"):
        base = os.path.join(base, "ca-" + algorithm)  # each CA has the same file names
        os.makedirs(base, exist_ok=True)
        made = certs.Authority(base, "attlsd bench " + algorithm)
        self.ca, self.algorithm = made.pem, algorithm
        files = made.issue("server-" + algorithm, ["localhost", host], algorithm)
        self.cert, self.key, self.pem = files["chain"], files["key"], os.path.join(base, algorithm + "-both.pem")
        with open(self.pem, "w") as both:
            for path in (self.key, self.cert):
                with open(path) as f:
                    both.write(f.read())
        os.chmod(self.pem, 0o600)


class Peer:
    """
    One server under test. kind: gateway (TLS in front of an FTP server), server (an FTP server with TLS), relay
    (TLS without FTP), limit, backend. heavy: it uses a process for each session; threads: a thread for each.
    resumes: its data connections resume the TLS session of their control connection.
    """
    kind, heavy, threads, resumes, tls, packages, version = "gateway", False, False, True, "explicit", (), ""
    host, files = "127.0.0.1", FILES

    def __init__(self, base, certificate, backend, cpus=None):
        self.login = {}
        self.certificate, self.backend, self.cpus = certificate, backend, cpus or GATEWAY_CPUS
        self.base = os.path.join(base, f"{self.name}-{certificate.algorithm}-{len(self.cpus)}")
        os.mkdir(self.base, 0o755)
        self.control, self.raw = net.free_port(), net.free_port()
        self.processes, self.lost, self.before = [], 0.0, None
        self.folders, self.libpath = {}, []

    def begin(self):
        for package in self.packages:
            folder, libpath = fetch(package)
            self.folders[package] = folder
            self.libpath.append(libpath)
        self.start()
        for port in [self.control] if self.kind not in ("limit",) else [self.raw]:
            self.wait_for(port)
        self.version = self.version or self.versions()

    def path(self, package, *parts):
        return os.path.join(self.folders[package], *parts)

    def env(self):
        """The caller's LD_LIBRARY_PATH comes first, so that all peers, not only attlsd, use another OpenSSL."""
        path = [part for part in [os.environ.get("LD_LIBRARY_PATH"), *self.libpath] if part]
        return dict(os.environ, LD_LIBRARY_PATH=":".join(path)) if path else None

    def versions(self):
        """The version of the Debian package, from its changelog."""
        for package in self.packages:
            folder = self.path(package, "usr/share/doc", package)
            for root, _, names in os.walk(folder):
                for name in names:
                    if name.startswith("changelog.Debian"):
                        text = output(["zcat", os.path.join(root, name)])
                        found = re.search(r"\(([^)]+)\)", text)
                        if found:
                            return found.group(1)
        return ""

    def template(self, name, **more):
        with open(os.path.join(TEMPLATES, name)) as f:
            text = f.read()
        values = {"BASE": self.base, "HOST": self.host, "CONTROL": self.control, "RAW": self.raw, "CERT": self.certificate.cert,
                  "KEY": self.certificate.key, "PEM": self.certificate.pem, "CA": self.certificate.ca, **more}
        if self.backend:
            values.update(BACKEND=self.backend.control, BACKEND_RAW=self.backend.raw)
        return re.sub(r"@([A-Z_]+)@", lambda m: str(values[m.group(1)]), text)

    def configure(self, name, **more):
        text = self.template(name, **more)
        path = os.path.join(self.base, "%d-%s" % (len(self.processes), name))
        with open(path, "w") as f:
            f.write(text)
        return path

    def run(self, *argv):
        log = open(os.path.join(self.base, "output"), "a")
        self.processes.append(subprocess.Popen(list(argv), env=self.env(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               start_new_session=True, preexec_fn=pinned(self.cpus)))
        log.close()

    def wait_for(self, port):
        def answers():
            for process in self.processes:
                if process.poll() is not None:
                    with open(os.path.join(self.base, "output")) as f:
                        said = f.read().strip().splitlines() or [f"status {process.returncode}"]
                    raise Unavailable("ended at once: " + said[-1])
            try:
                socket.create_connection((self.host, port), 1).close()
                return True
            except OSError:
                return False
        net.until(answers, f"{self.name} listens", every=0.02)

    def pids(self):
        """The server's processes and all their descendants."""
        parents = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as f:
                        parents.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
                except OSError:
                    pass
        found, todo = [], [p.pid for p in self.processes]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += parents.get(pid, [])
        return found

    def cpu_by_process(self):
        spent = {}
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/schedstat") as f:
                    exact = int(f.read().split()[0]) / 1e9
                with open(f"/proc/{pid}/stat") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                own = (int(fields[11]) + int(fields[12])) / TICK
                # schedstat counts one thread only; stat includes ended threads, but counts in ticks
                own = own if self.threads else exact
                spent[pid] = own + (int(fields[13]) + int(fields[14])) / TICK
            except OSError:
                pass
        return spent

    def cpu(self):
        """CPU seconds so far: of running processes, of children they reaped, and of orphans that reap() reaped."""
        self.reap()
        return sum(self.cpu_by_process().values()) + self.lost

    def reap(self):
        """Reap orphans and count them as this server's, since only one server works at a time."""
        if not self.heavy:
            return
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None or any(found.si_pid == p.pid for p in self.processes):
                return
            _, _, usage = os.wait4(found.si_pid, 0)
            self.lost += usage.ru_utime + usage.ru_stime

    def settle(self):
        """Wait until the server is idle, so that work of the last run does not count in the next."""
        last, end = -1.0, time.monotonic() + 5
        while time.monotonic() < end:
            time.sleep(0.02)
            now = sum(self.cpu_by_process().values())
            if now - last < 0.0005:
                return
            last = now

    def memory(self, field="Pss"):
        """Memory in KiB: private and a part of shared. Pss_Anon leaves out files, which other programs may share."""
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    total += int(re.search(rf"^{field}:\s+(\d+)", f.read(), re.M).group(1))
            except (OSError, AttributeError):
                pass
        return total

    def stop(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(3)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def make_files(self):
        """Create the files that clients fetch."""
        self.root = os.path.join(self.base, "root")
        os.makedirs(os.path.join(self.root, "pub"))
        for name, size in self.files.items():
            with open(os.path.join(self.root, "pub", name), "wb") as f:
                f.write(b"x" * size)


class Backend(Peer):
    name, kind, tls = "backend alone", "backend", "none"

    def start(self):
        self.version = "tests/bench/backend.c"
        self.run(tool("backend"), str(self.control), str(self.raw), "20000")


class Attlsd(Peer):
    name, workers, isolated, template_name = "attlsd", 1, "auto", "attlsd.yaml"

    def start(self):
        self.version = output([os.path.join(BUILD, "attlsd"), "-V"]).strip()
        self.run(os.path.join(BUILD, "attlsd"), "-f",
                 self.configure(self.template_name, WORKERS=len(self.cpus), ISOLATED=self.isolated))


class AttlsdKeysInWorkers(Attlsd):
    """What key_isolation costs: only sessions with a full handshake differ."""
    name, kind, isolated = "attlsd without key_isolation", "unisolated", "false"


class FarAttlsd(Attlsd):
    """The server of AttlsdBothLegs: it is not measured."""
    name, kind = "far attlsd", "far"


class AttlsdBothLegs(Attlsd):
    name, kind, template_name = "attlsd on both legs", "both", "attlsd-both.yaml"


class ProFtpd(Peer):
    """ProFTPD with TLS of its own, for the paths with delay; PlainProFtpd is the same without TLS, behind the gateways."""
    name, kind, heavy, engine = "proftpd", "server", True, "on"
    packages = ("proftpd-core", "proftpd-mod-crypto")

    def run_with(self, template, **more):
        modules = os.path.join(self.base, "modules")
        os.mkdir(modules)
        for package in self.packages:
            folder = self.path(package, "usr/lib/proftpd")
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                os.symlink(os.path.join(folder, name), os.path.join(modules, name))
        conf = self.configure(template, MODULES=modules, ALGORITHM="EC" if self.certificate.algorithm == "ecdsa" else "RSA",
                              **more)
        self.run(self.path("proftpd-core", "usr/sbin/proftpd"), "--nodaemon", "--config", conf)

    def start(self):
        self.make_files()
        users = os.path.join(self.base, "users")
        hashed = output(["openssl", "passwd", "-5", "secret"]).strip()
        with open(users, "w") as f:
            f.write(f"tester:{hashed}:{servers.NOBODY}:{servers.NOBODY}::{self.root}:/bin/sh\n")
        os.chmod(users, 0o600)
        self.run_with("proftpd.conf", USERS=users, ENGINE=self.engine)


class PlainProFtpd(ProFtpd):
    name, engine = "plain-proftpd", "off"


class ModProxy(ProFtpd):
    name, kind, packages = "mod_proxy", "gateway", ("proftpd-core", "proftpd-mod-proxy", "proftpd-mod-crypto")

    def start(self):
        os.mkdir(os.path.join(self.base, "tables"), 0o777)
        self.run_with("mod_proxy.conf")


class Vsftpd(Peer):
    name, kind, heavy, packages = "vsftpd", "server", True, ("vsftpd",)

    def start(self):
        self.make_files()
        os.mkdir(os.path.join(self.base, "empty"))
        os.chmod(os.path.join(self.root, "pub"), 0o777)
        self.login = {"user": "anonymous", "path": "pub/"}
        self.run(self.path("vsftpd", "usr/sbin/vsftpd"),
                 self.configure("vsftpd.conf", ROOT=self.root, EMPTY=os.path.join(self.base, "empty")))


class PureFtpd(Peer):
    name, kind, heavy, resumes, packages = "pure-ftpd", "server", True, False, ("pure-ftpd",)

    def start(self):
        self.make_files()
        os.chown(os.path.join(self.root, "pub"), servers.NOBODY, -1)
        self.login = {"path": "pub/"}
        users = os.path.join(self.base, "users")
        hashed = output(["openssl", "passwd", "-1", "secret"]).strip()
        with open(users, "w") as f:
            f.write(f"tester:{hashed}:{servers.NOBODY}:{servers.NOBODY}::{self.root}/./" + ":" * 12 + "\n")
        output([self.path("pure-ftpd", "usr/bin/pure-pw"), "mkdb", users + ".pdb", "-f", users], env=self.env())
        args = self.template("pure-ftpd.args").splitlines()
        self.run(self.path("pure-ftpd", "usr/sbin/pure-ftpd"), *" ".join(a for a in args if not a.startswith("#")).split())


class Relay(Peer):
    kind, tls = "relay", "implicit"


class Stunnel(Relay):
    name, threads, packages = "stunnel", True, ("stunnel4",)

    def start(self):
        self.run(self.path("stunnel4", "usr/bin/stunnel4"), self.configure("stunnel.conf"))


class Haproxy(Relay):
    name, packages = "haproxy", ("haproxy",)

    def start(self):
        self.run(self.path("haproxy", "usr/sbin/haproxy"), "-db", "-f", self.configure("haproxy.cfg"))


class Nginx(Relay):
    name, packages = "nginx", ("nginx", "libnginx-mod-stream")

    def start(self):
        conf = self.configure("nginx.conf", MODULES=self.path("libnginx-mod-stream", "usr/lib/nginx/modules"))
        self.run(self.path("nginx", "usr/sbin/nginx"), "-p", self.base, "-c", conf)


class Hitch(Relay):
    name, packages = "hitch", ("hitch",)

    def start(self):
        for port, to in ((self.control, self.backend.control), (self.raw, self.backend.raw)):
            self.run(self.path("hitch", "usr/sbin/hitch"), "--config=" + self.configure("hitch.conf", LISTEN=port, TO=to))


class Splice(Peer):
    name, kind = "splice", "limit"

    def start(self):
        self.version = "tests/bench/splice.c"
        self.run(tool("splice"), str(self.raw), str(self.backend.raw))


class Bare(Peer):
    name, kind = "bare handshake", "handshake"

    def start(self):
        self.version = "tests/bench/bare.c"
        self.run(tool("bare"), str(self.control), self.certificate.cert, self.certificate.key)


PEERS = (Attlsd, AttlsdKeysInWorkers, ModProxy, PureFtpd, Vsftpd, Nginx, Haproxy, Hitch, Stunnel, Splice, Bare)


def start_all(base, running, missing):
    """
    Start all peers with an ECDSA certificate, all but Splice with an RSA one, attlsd with two workers, and attlsd with a
    server that speaks TLS.
    """
    ecdsa, rsa = Certificate(base, "ecdsa"), Certificate(base, "rsa")
    backend = Backend(base, ecdsa, None, LOAD_CPUS)
    running.append(backend)
    backend.begin()

    def start(make, certificate, cpus=None, behind=backend):
        peer = make(base, certificate, behind, cpus)
        running.append(peer)
        try:
            peer.begin()
            return peer
        except (Unavailable, OSError, AssertionError) as error:
            missing[peer.name] = str(error)
            peer.stop()
            running.remove(peer)
            return None

    wanted = [make for make in PEERS if not WANTED or make.name in WANTED]
    everyone = [peer for peer in (start(make, ecdsa) for make in wanted) if peer]
    second = [peer for peer in (start(make, rsa) for make in wanted if make is not Splice) if peer]
    two = [peer for peer in [start(Attlsd, ecdsa, set(ALL_CPUS))] if peer and len(ALL_CPUS) > 1]
    far = start(FarAttlsd, ecdsa, LOAD_CPUS) if not WANTED or AttlsdBothLegs.name in WANTED else None
    both = [peer for peer in [start(AttlsdBothLegs, ecdsa, behind=far)] if peer] if far else []
    return everyone + both + [backend], second, two

"""
A fleet in network namespaces, built from the files of contrib/fleet themselves:

    clients 198.51.100.7, .101-.140 --- .2 lb1 .2 --- .11 node1   192.0.2.0/24
                       VIP .10      \\-- .3 lb2 .3 --- .12 node2
                                                  \\-- .20 server

The folder of a test takes the place of the paths in the files; addresses stay as shipped.
"""
import collections
import concurrent.futures
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import client as clients
import gateway as gateways
import net
import netns
import servers
import yaml

FILES = os.path.join(net.ROOT, "contrib", "fleet")
VIP = "198.51.100.10"
CLIENT = "198.51.100.7"
SOURCES = ["198.51.100.%d" % n for n in range(101, 141)]
INSIDE = {"lb1": "192.0.2.2", "lb2": "192.0.2.3", "node1": "192.0.2.11", "node2": "192.0.2.12", "server": "192.0.2.20"}
GATE = "192.0.2.1"  # the nodes' default route
FILES_COUNT, FILE_BYTES = 12, 20_000


def shipped(name, **changes):
    """A file of contrib/fleet. changes: {old: new}; each old text must be there."""
    with open(os.path.join(FILES, name)) as f:
        text = f.read()
    for old, new in changes.get("changes", changes).items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def cable(a, name_a, b, name_b):
    netns.call("ip", "-n", a.name, "link", "add", name_a, "type", "veth", "peer", "name", name_b, "netns", b.name)
    a.ip("link", "set", name_a, "up")
    b.ip("link", "set", name_b, "up")


class Vsftpd(servers.Server):
    """Without its limit of 50 connections from one address: all come from two."""

    def more(self):
        return "max_per_ip=0\nmax_clients=0"


class Node:
    """One attlsd in its namespace."""

    def __init__(self, name, ns, folder, tree):
        self.name, self.ns, self.tree, self.socket = name, ns, tree, os.path.join(folder, "control.sock")
        self.folder = folder
        self.start()

    def start(self):
        with self.ns:
            self.gateway = gateways.Gateway(self.folder, self.tree, argv=("-N", os.path.join(self.folder, "node.yaml")))

    def ctl(self, *words):
        return subprocess.run([net.ATTLSCTL, *words, "--socket", self.socket], capture_output=True, text=True, timeout=net.DEADLINE)

    def order(self, *words):
        done = self.ctl(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def kill(self):
        """Everything at once, as a host that dies, but its kernel answers with RST."""
        for pid in [*net.children(self.gateway.pid), *self.gateway.signers(), self.gateway.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.gateway.process.wait()

    def logins(self, since=0):
        """The addresses of the clients that have logged in."""
        return [event.keys["client"].rpartition(":")[0] for event in self.gateway.seen("login", since)]


class Fleet:
    def __init__(self, certificates, certificate, nodes=("node1", "node2"), policy=None):
        self.certificates, self.certificate, self.change = certificates, certificate, policy or {}
        self.hosts, self.processes, self.nodes, self.names = {}, [], {}, nodes
        self.folder = tempfile.mkdtemp(prefix="attlsd-fleet-")
        os.chmod(self.folder, 0o755)
        self.server = None
        try:
            self.wire()
            self.start()
        except BaseException:
            self.close()
            raise

    def wire(self):
        self.hosts = {label: netns.Namespace(label) for label in ("clients", "lb1", "lb2", "server", *self.names)}
        outside, inside = self.hosts["clients"], self.hosts["server"]
        outside.ip("link", "add", "outside", "type", "bridge")
        inside.ip("link", "add", "inside", "type", "bridge")
        for label, host in self.hosts.items():
            if label in ("lb1", "lb2"):
                cable(outside, label, host, "outside")
                outside.ip("link", "set", label, "master", "outside")
                host.address("outside", "198.51.100." + INSIDE[label].split(".")[-1] + "/24")
                host.forward()
            if label in ("lb1", "lb2", *self.names):
                cable(inside, label, host, "inside")
                inside.ip("link", "set", label, "master", "inside")
                host.address("inside", INSIDE[label] + "/24")
            if label in self.names:
                host.route(GATE)
        for host, device, addresses in (outside, "outside", [CLIENT, *SOURCES]), (inside, "inside", [INSIDE["server"]]):
            host.ip("link", "set", device, "up")
            host.address(device, *(address + "/24" for address in addresses))

    def start(self):
        with self.hosts["server"]:
            self.server = Vsftpd("vsftpd", INSIDE["server"], 21)
        self.content = {f"file{n:02d}": os.urandom(FILE_BYTES + n) for n in range(FILES_COUNT)}
        for name, content in self.content.items():
            self.server.put(name, content)
        self.where = self.server.where
        self.keys = os.path.join(self.folder, "ticket.keys")
        with open(self.keys, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(subprocess.check_output(["openssl", "rand", "-base64", "48"], text=True))
        for name in self.names:
            folder = os.path.join(self.folder, name)
            os.mkdir(folder, 0o755)
            self.nodes[name] = Node(name, self.hosts[name], folder, self.policy(name, folder))
        for node in self.nodes.values():
            node.gateway.ready()

    def policy(self, name, folder):
        text = shipped("policy.yaml", changes={
            "/run/attlsd/control.sock": os.path.join(folder, "control.sock"), "/etc/attlsd/ticket.keys": self.keys,
            "/etc/attlsd/certs/fleet.pem": self.certificate["chain"], "/etc/attlsd/certs/fleet.key": self.certificate["key"]})
        with open(os.path.join(folder, "node.yaml"), "w") as f:
            f.write(shipped(name + ".yaml"))
        return gateways.merge(gateways.merge(yaml.safe_load(text), {"daemon": {"workers": 2}}), self.change)

    # --- balancers ---
    def run(self, label, argv, env=None):
        log = open(os.path.join(self.folder, f"{label}-{os.path.basename(argv[0])}.log"), "a+")
        with self.hosts[label]:
            process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                       start_new_session=True, preexec_fn=net.die_with_parent)
        self.processes.append(process)
        process.log = log
        return process

    def log(self, label, program="haproxy"):
        with open(os.path.join(self.folder, f"{label}-{program}.log")) as f:
            return f.read()

    def active(self, label="lb1"):
        """The addresses that keepalived moves, at this balancer."""
        self.hosts[label].address("outside", VIP + "/24")
        self.hosts[label].address("inside", GATE + "/24")

    def rules(self, *names, **changes):
        for label in "lb1", "lb2":
            for name in names:
                self.hosts[label].nft(shipped(name, **changes))

    def haproxy(self, active=True, **changes):
        """Arrangement 2: HAProxy for control connections, the kernel for data. active: lb1 has the addresses."""
        program, libpath = servers.fetch("haproxy")
        self.rules("data.nft", "firewall.nft")
        for label in "lb1", "lb2":
            path = os.path.join(self.folder, label + ".cfg")
            with open(path, "w") as f:
                f.write(shipped("haproxy.cfg", changes={
                    "/dev/log local0": "stdout format raw local0", "    user haproxy\n    group haproxy\n": "",
                    "maxconn 100000": "maxconn 2000", "/run/haproxy/admin.sock": os.path.join(self.folder, label + ".sock"), **changes}))
            self.run(label, [os.path.join(program, "usr/sbin/haproxy"), "-db", "-L", label, "-f", path],
                     {**os.environ, "LD_LIBRARY_PATH": libpath})
        if active:
            self.active()
        for label in "lb1", "lb2":
            for name in self.names:
                self.until_state(name, "UP", label)

    def ask(self, label, question):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(net.DEADLINE)
            s.connect(os.path.join(self.folder, label + ".sock"))
            s.sendall(question.encode() + b"\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def state(self, name, label="lb1", backend="explicit"):
        """What HAProxy thinks of a node: UP, DRAIN, MAINT, DOWN; and what its agent has said."""
        try:
            lines = self.ask(label, "show stat").lstrip("# ").splitlines()
        except OSError:
            return "", ""
        names = lines[0].split(",")
        for line in lines[1:]:
            row = dict(zip(names, line.split(",")))
            if (row.get("pxname"), row.get("svname")) == (backend, name):
                return row["status"], row.get("agent_status", "")
        return "", ""

    def until_state(self, name, wanted, label="lb1"):
        """Both by the check and by the agent, for both listeners."""
        net.until(lambda: all(state.split()[:1] == [wanted] and agent.startswith("L7OK" if wanted == "UP" else "")
                              for state, agent in (self.state(name, label, b) for b in ("explicit", "implicit"))),
                  f"{label} takes {name} for {wanted}: {self.state(name, label)}", every=0.05)

    # --- clients ---
    def __getattr__(self, label):
        hosts = self.__dict__.get("hosts", {})
        if label in hosts:
            return hosts[label]
        raise AttributeError(label)

    def at_once(self, function, things):
        """Call it for all at the same time, in the clients' namespace."""
        def inside(thing):
            with self.hosts["clients"]:
                return function(thing)
        with concurrent.futures.ThreadPoolExecutor(len(things)) as pool:
            return list(pool.map(inside, things))

    def curl(self, source, names, folder):
        """curl -Z; returns how many files are right."""
        url = f"ftp://{VIP}/{self.where}"
        words = [word for name in names for word in ("-o", os.path.join(folder, name), url + name)]
        done = subprocess.run(["curl", "-sS", "-Z", "--max-time", "60", "--interface", source, "--ssl-reqd", "--cacert",
                               self.certificates.ca.pem, "-u", f"{self.server.user}:{self.server.password}", *words],
                              capture_output=True, text=True)
        return self.right(names, folder), done.stderr

    def right(self, names, folder):
        return sum(self.same(name, os.path.join(folder, name)) for name in names)

    def same(self, name, path):
        with contextlib.suppress(OSError), open(path, "rb") as f:
            return f.read() == self.content[name]
        return False

    @contextlib.contextmanager
    def inside(self):
        with self.hosts["clients"]:
            yield

    def session(self, source=CLIENT, address=VIP, **kw):
        """A logged-in client. .node is the node that serves it."""
        marks = {node: node.gateway.mark() for node in self.nodes.values()}
        with self.hosts["clients"]:
            c = Client((address, 21), source=(source, 0), **kw)
        c.site, c.source = self, source
        name = "%s:%d" % c.sock.getsockname()[:2]
        c.auth().login(self.server.user, self.server.password).prot("P")
        c.node = net.until(lambda: next((node for node, mark in marks.items()
                                         if node.gateway.seen("login", mark, client=name)), None), "a node logs the login")
        return c

    def on(self, node, **kw):
        """A session that this node serves."""
        for _ in range(4):
            c = self.session(**kw)
            if c.node is node:
                return c
            c.close()
        raise AssertionError(f"four logins in turn, none at {node.name}")

    def close(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.log.close()
        faults = []
        for node in self.nodes.values():
            with contextlib.suppress(Exception):
                node.kill()
            if gateways.FAULT.search(node.gateway.log):
                faults.append(node.gateway.log)
        if self.server:
            self.server.stop()
        for host in self.hosts.values():
            host.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not faults, faults


class Client(clients.Client):
    def start(self, name):
        """A download that has begun; returns its data connection."""
        told = self.epsv()
        with self.site.hosts["clients"]:
            sock = net.dial(told, (self.source, 0))
        self.expect("RETR " + self.site.where + name, 125, 150)
        return self.wrap(sock)

    def fetch(self, name):
        data = self.start(name)
        content = data.read_all()
        data.close()
        assert data.end == "clean" and self.reply().code == 226
        return content


def spread(site, since):
    return collections.Counter({name: len(node.logins(since[name])) for name, node in site.nodes.items()})


def marks(site):
    return {name: node.gateway.mark() for name, node in site.nodes.items()}

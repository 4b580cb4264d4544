"""
Network namespaces joined by veth pairs: the hosts, routers and firewalls of a test.

Every namespace created here has a name with PREFIX, and close() deletes it. The
tests change no other namespace and nothing of the host's own network.

    with Namespace("client") as client:   # this thread and its child processes are inside
        ...
"""
import contextlib
import ctypes
import json
import os
import subprocess

PREFIX = f"attlsd-edge-{os.getpid()}"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
made = 0


def call(*argv, text=None):
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    def __init__(self, label):
        global made
        made += 1
        self.name, self.label = f"{PREFIX}-{made}-{label}", label
        self.outside = []
        call("ip", "netns", "add", self.name)
        try:
            self.ip("link", "set", "lo", "up")
            # make addresses usable at once, and send nothing that a test does not send
            self.sysctl(**{"net.ipv6.conf.default.accept_dad": 0, "net.ipv6.conf.all.accept_dad": 0,
                           "net.ipv6.conf.default.accept_ra": 0})
        except BaseException:
            self.close()
            raise

    def close(self):
        with contextlib.suppress(OSError):
            call("ip", "netns", "del", self.name)

    def enter(self, path):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(fd, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns " + path)
        finally:
            os.close(fd)

    def __enter__(self):
        self.outside.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        self.enter("/run/netns/" + self.name)
        return self

    def __exit__(self, *_):
        fd = self.outside.pop()
        try:
            if libc.setns(fd, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns back")
        finally:
            os.close(fd)

    def run(self, *argv, text=None):
        return call("ip", "netns", "exec", self.name, *argv, text=text)

    def ip(self, *argv):
        return call("ip", "-n", self.name, *argv)

    def sysctl(self, **values):
        with self:
            for key, value in values.items():
                with open("/proc/sys/" + key.replace(".", "/"), "w") as f:
                    f.write(str(value))

    def forward(self):
        self.sysctl(**{"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1})
        return self

    def address(self, device, *addresses):
        for address in addresses:
            self.ip("addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def route(self, *vias):
        """Set default routes."""
        for via in vias:
            self.ip(*(["-6"] if ":" in via else []), "route", "add", "default", "via", via)

    def nft(self, text):
        self.run("nft", "-f", "-", text=text)

    def nft_json(self, what):
        return json.loads(self.run("nft", "-j", "list", *what.split()))["nftables"]

    def counter(self, name="related"):
        """The number of packets that a named counter has counted."""
        return sum(item["counter"]["packets"] for item in self.nft_json("counters")
                   if item.get("counter", {}).get("name") == name)

    def conntrack(self, *argv):
        return self.run("conntrack", *argv)

    def expectations(self, family="IPv4"):
        lines = self.conntrack("-L", "expect", "-f", family.lower()).splitlines()
        return [line for line in lines if line.strip()]


def join(a, b, addresses_a, addresses_b):
    """A cable from `a` to `b`, each end named after the host at the other."""
    call("ip", "-n", a.name, "link", "add", b.label, "type", "veth", "peer", "name", a.label, "netns", b.name)
    for ns, device, addresses in (a, b.label, addresses_a), (b, a.label, addresses_b):
        ns.ip("link", "set", device, "up")
        ns.address(device, *addresses)


def missing(*features):
    """Try each feature in a new namespace; returns why one is missing, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        ns = Namespace("probe")
    except OSError as fault:
        return f"no network namespace can be made: {fault}"
    try:
        for feature in features:
            try:
                PROBES[feature](ns)
            except OSError as fault:
                return f"no {feature} here: {fault}"
    finally:
        ns.close()
    return None


def probe_rules(text):
    return lambda ns: ns.nft("table inet probe {\n%s\n}\ndelete table inet probe\n" % text)


PROBES = {
    "veth": lambda ns: ns.ip("link", "add", "one", "type", "veth", "peer", "name", "two"),
    "nftables": probe_rules("chain c { type filter hook input priority 0; ct state related counter accept; }"),
    "ftp helper": probe_rules('ct helper ftp { type "ftp" protocol tcp; }\n'
                              'chain c { type filter hook prerouting priority 0; tcp dport 21 ct helper set "ftp"; }'),
    "nat": probe_rules("chain c { type nat hook postrouting priority srcnat; masquerade; }"),
    "tproxy": probe_rules("chain c { type filter hook prerouting priority -150; socket transparent 1 accept;\n"
                          "meta l4proto tcp tproxy ip to 127.0.0.1:1 accept; }"),
    "policy routing": lambda ns: ns.ip("rule", "add", "fwmark", "1", "lookup", "100"),
    "expectation list": lambda ns: ns.expectations(),
}

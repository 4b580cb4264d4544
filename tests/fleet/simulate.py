#!/usr/bin/python3
"""
A fleet on paper: what breaks first when clients arrive, nodes fail and nodes are emptied?

    simulate.py                              the site of docs/FLEET.md: 100,000 sessions, 200 Gbit/s
    simulate.py --nodes 6 --fail 600:node2 --drain 1200:node3:300 --back 1600:node3
    simulate.py --growth 3                   the arrivals rise to three times what they were

The model is the measured one (docs/BENCHMARKS.md, and COSTS below): each second of the simulated time,
clients arrive, sessions at each node cost CPU time, memory, ports and entries of connection tracking,
and a resource that is used up is named, once, with the second in which it happened. The run goes on as if there were
enough of it, so that the peak says how much is missing. All random numbers come from --seed, so that a run can be repeated.

A node that fails loses its sessions. One that drains takes no new ones: sessions end when their clients end them, and with
a deadline, it loses only those left at its deadline. Lost sessions come back as new ones. A new session that finds no
node is refused, and does not come back.
"""
import argparse
import collections
import dataclasses
import math
import random
import sys

# What was measured on the machine of docs/BENCHMARKS.md. tests/fleet/test_simulate.py compares the first five
# with that page.
COSTS = {
    "login": 0.000556,          # CPU seconds of a session with a full handshake, P-256
    "resumed": 0.000505,        # the same, resumed
    "transfer": 0.000553,       # CPU seconds of a transfer of 1 KiB, PROT P: the dearer of RETR and STOR
    "gib": 0.752,               # CPU seconds for each GiB, PROT P download over loopback
    "session_bytes": 15.7 * 1024,
    "gib_wire": 1.65,           # the same with an MTU of 1,500 at 8 Gbit/s (docs/PERFORMANCE.md)
    "kernel_bytes": 12 * 1024,  # two idle TCP sockets, their files and epoll entries: an estimate
    "conntrack_bytes": 320,     # of a kernel 6.x: an estimate
}


@dataclasses.dataclass
class Site:
    """What the operator decides, and what clients do."""
    nodes: int = 6
    cores: int = 16                     # of a node
    nic_gbit: float = 100               # of a node, each way
    memory_gib: float = 32
    sessions_max: int = 30_000          # limits.sessions of a node
    descriptors: int = 524_288          # LimitNOFILE of a worker's process, times workers
    balancer_ports: int = 28_232        # net.ipv4.ip_local_port_range: 32768-60999, towards one node's listener
    node_ports: int = 28_232            # the same, towards one port of one server
    conntrack_max: int = 1_048_576      # nf_conntrack_max of the balancer
    conntrack_after: float = 120        # seconds that a closed connection stays in the table (TIME_WAIT)
    shared_ports: int = 1               # passive ports of a node, with passivedatashare: source
    port_wait: float = 0.1              # seconds from the reply to EPSV until the client has connected: a round trip or two
    per_source: int = 20                # sessions that share one address behind a NAT
    sessions: int = 100_000             # that the site has in its steady state
    gbit: float = 200                   # of payload, in the same
    session_seconds: float = 600
    file_mib: float = 64
    resumed: float = 0.8                # of the logins
    reconnect: float = 5                # seconds in which the clients of a dead node come back
    headroom: float = 0.7               # of the CPU time that may be planned with
    login_wait: float = 10              # seconds that clients wait for a login: handshake_timeout
    efficiency: str = "gib_wire"


@dataclasses.dataclass
class Node:
    name: str
    sessions: float = 0
    alive: bool = True
    drains: bool = False
    until: int | None = None            # the second in which a drain ends what is left; None: it never does
    queue: float = 0                    # CPU seconds of logins that have not been done yet

    def stop(self):
        """Returns how many sessions it had."""
        had, self.sessions, self.queue = self.sessions, 0, 0
        self.alive, self.drains, self.until = False, False, None
        return had


def transfers_per_session_second(site):
    """Files each session starts in a second, so that all of them make `gbit`."""
    return site.gbit * 1e9 / 8 / (site.file_mib * 2**20) / site.sessions


def load(site, node, logins):
    """
    What a node with so many sessions needs, while so many clients log in to it in this second. Transfers that get
    too little CPU time are slower. Logins wait in node.queue, and get at least a tenth of the time.
    """
    files = node.sessions * transfers_per_session_second(site)
    gib = files * site.file_mib / 1024
    there = site.cores * site.headroom
    login = site.resumed * COSTS["resumed"] + (1 - site.resumed) * COSTS["login"]
    work = files * COSTS["transfer"] + gib * COSTS[site.efficiency]
    free = max(there - work, there / 10)
    node.queue = max(0, node.queue + logins * login - free)
    sources = max(node.sessions / site.per_source, 1)
    memory = node.sessions * (COSTS["session_bytes"] + COSTS["kernel_bytes"])
    return {
        "CPU of a node": (work + logins * login) / there,
        "wait for a login": node.queue / free / site.login_wait,
        "network of a node": gib * 2**30 * 8 / (site.nic_gbit * 1e9),
        "memory of a node": memory / (site.memory_gib * 2**30),
        "limits.sessions of a node": node.sessions / site.sessions_max,
        "local ports of the balancer towards a node": node.sessions / site.balancer_ports,
        "local ports of a node towards the server": node.sessions / site.node_ports,
        "descriptors of a node": (2 * node.sessions + 4 * files) / site.descriptors,
        "shared passive ports for one address": files / sources * site.port_wait / site.shared_ports,
    }


def poisson(rng, mean):
    """Exact for small means, normal for large ones."""
    if mean > 60:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, n, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        n, product = n + 1, product * rng.random()
    return n


class Run:
    def __init__(self, site, seed=1, events=(), seconds=1800, growth=1.0):
        self.site, self.rng, self.seconds, self.growth = site, random.Random(seed), seconds, growth
        self.nodes = [Node(f"node{n + 1}", site.sessions / site.nodes) for n in range(site.nodes)]
        self.events = sorted(events)
        self.returning = []             # (from second, to second, clients in a second) after a failure
        self.broken, self.peak, self.story, self.empty = {}, {}, [], {}
        self.began = self.ended = self.lost = self.refused = 0  # sessions; those of the begin did not begin
        self.closed = collections.deque([site.sessions / site.session_seconds * 2 + site.sessions * transfers_per_session_second(site)]
                                        * round(site.conntrack_after), maxlen=round(site.conntrack_after))

    def named(self, name):
        found = next((node for node in self.nodes if node.name == name), None)
        if not found:
            raise SystemExit(f"simulate.py: there is no {name}")
        return found

    def lose(self, second, node, how):
        """The sessions of a node end, and their clients come back. Returns how many."""
        had, span = node.stop(), max(1, math.ceil(self.site.reconnect))
        self.lost += had
        self.returning.append((second, second + span, had / span))
        self.story.append(f"{second:5d} s  {node.name} {how}: {had:,.0f} sessions end, and their clients come back")
        return had

    def happen(self, second):
        """Returns how many sessions failures and deadlines end."""
        ended = 0
        for at, what, name, *deadline in self.events:
            if at != second:
                continue
            node = self.named(name)
            if what == "fail":
                ended += self.lose(second, node, "fails")
            elif what == "drain" and node.alive:
                node.drains, node.until = True, second + deadline[0] if deadline else None
                limit = f", for {deadline[0]} s at most" if deadline else ""
                self.story.append(f"{second:5d} s  {name} is in maintenance: {node.sessions:,.0f} sessions go on there{limit}")
            elif what == "back":
                node.alive, node.drains, node.until = True, False, None
                self.empty.pop(name, None)
                self.story.append(f"{second:5d} s  {name} takes sessions again")
        for node in self.nodes:
            if node.until == second:
                ended += self.lose(second, node, "reaches its deadline")
        return ended

    def leave(self, second):
        """Clients end sessions, on nodes that drain as on others. Returns how many."""
        left = 0
        for node in self.nodes:
            ends = node.sessions / self.site.session_seconds
            node.sessions, left = node.sessions - ends, left + ends
            if node.drains and node.sessions < 1 and node.name not in self.empty:
                self.empty[node.name] = second
                self.story.append(f"{second:5d} s  {node.name} is empty")
        self.ended += left
        return left

    def arrivals(self, second):
        grown = 1 + (self.growth - 1) * second / self.seconds
        back = sum(rate for begin, end, rate in self.returning if begin <= second < end)
        return poisson(self.rng, self.site.sessions / self.site.session_seconds * grown) + back

    def step(self, second):
        ended = self.happen(second) + self.leave(second)
        arrivals = self.arrivals(second)
        takers = [node for node in self.nodes if node.alive and not node.drains]
        if takers:
            self.began += arrivals
        else:
            self.refused += arrivals
            if "nodes" not in self.broken:
                self.broken["nodes"] = (second, "none takes new sessions")
                self.story.append(f"{second:5d} s  no node takes new sessions: they are refused")
        for node in self.nodes:
            logins = arrivals / len(takers) if node in takers else 0
            node.sessions += logins
            for what, part in load(self.site, node, logins).items() if node.alive else ():
                self.breaks(second, what, part, node.name)
        self.breaks(second, "nf_conntrack_max of the balancer", self.conntrack(ended), "balancer")

    def conntrack(self, ended):
        """Entries of the balancer: both connections of each session, the data connections, and what has ended lately."""
        sessions = sum(node.sessions for node in self.nodes)
        self.closed.append(2 * ended + sessions * transfers_per_session_second(self.site))
        return (2 * sessions + sum(self.closed)) / self.site.conntrack_max

    def breaks(self, second, what, part, where):
        if part > self.peak.get(what, (0,))[0]:
            self.peak[what] = (part, second, where)
        if part > 1 and what not in self.broken:
            self.broken[what] = (second, where)
            self.story.append(f"{second:5d} s  {what} is used up ({where})")

    def whole(self):
        for second in range(self.seconds):
            self.step(second)
        return self

    def first(self):
        """(what, second, where) of what broke first, or of what was nearest."""
        if self.broken:
            what, (second, where) = min(self.broken.items(), key=lambda item: (item[1][0], -self.peak.get(item[0], (math.inf,))[0]))
            return what, second, where
        what, (_, second, where) = max(self.peak.items(), key=lambda item: item[1][0])
        return what, second, where

    def report(self):
        lines = [f"{self.site.nodes} nodes of {self.site.cores} cores and {self.site.nic_gbit:g} Gbit/s, {self.site.sessions:,} sessions, "
                 f"{self.site.gbit:g} Gbit/s, {self.seconds} s"]
        lines += ["", *self.story] if self.story else []
        lines += ["", f"{'used of':<44}{'at most':>8}  when and where"]
        for what, (part, second, where) in sorted(self.peak.items(), key=lambda item: -item[1][0]):
            lines.append(f"{what:<44}{part:>7.0%}   {second} s, {where}")
        lines += ["", f"sessions: {self.began:,.0f} began, {self.ended:,.0f} were ended by their clients, {self.lost:,.0f} were lost, "
                  f"{self.refused:,.0f} were refused"]
        what, second, where = self.first()
        lines += [ f"breaks first: {what}, after {second} s ({where})" if self.broken else
                  f"nothing breaks; nearest to its limit: {what}"]
        return "\n".join(lines) + "\n"


FORMS = {"fail": "SECOND:NODE", "drain": "SECOND:NODE[:DEADLINE]", "back": "SECOND:NODE"}


def event(what):
    def parse(text):
        at, name, *deadline = text.split(":") if ":" in text else ("", "")
        if not at.isdigit() or len(deadline) > (what == "drain") or not all(one.isdigit() and int(one) > 0 for one in deadline):
            raise argparse.ArgumentTypeError(f"{text!r} is not {FORMS[what]}, in seconds")
        return int(at), what, name, *map(int, deadline)
    return parse


def main(argv):
    parser = argparse.ArgumentParser(description="What breaks first in a fleet of attlsd?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--growth", type=float, default=1.0, help="the factor that arrivals reach at the end")
    for what, form in FORMS.items():
        parser.add_argument("--" + what, type=event(what), action="append", default=[], metavar=form)
    for field in dataclasses.fields(Site):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type, default=field.default)
    given = parser.parse_args(argv)
    site = Site(**{field.name: getattr(given, field.name) for field in dataclasses.fields(Site)})
    events = given.fail + given.drain + given.back
    sys.stdout.write(Run(site, given.seed, events, given.seconds, given.growth).whole().report())


if __name__ == "__main__":
    main(sys.argv[1:])

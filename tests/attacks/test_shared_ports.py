"""Attacks on shared passive ports (passivedatashare: source). The numbers continue those of the other files; mutants.py
switches the guards off."""
import contextlib
import select
import socket
import time

import client as clients
import net
import share
from share import Client


def launch_shared(launch, backend, n=1, **more):
    ftp = share.ports(n, **more)
    return launch(backend, ftp=ftp, daemon={"workers": 1})


# 230. Another host dials the shared port first, while a client is expected: it must not get the file.
# Guard: hit() in gateway/monitor/data-plans.c looks for the peer's own plan.
def test_230_a_stranger_gets_nothing_and_disturbs_nobody(launch, backend):
    gateway = launch_shared(launch, backend)
    with Client(gateway) as c:
        told = c.epsv()
        c.expect("RETR hello.txt", 150)
        assert share.is_reset(told, "127.0.0.2")
        assert c.wrap(c.dial(told)).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226


# 231. Two clients behind one NAT: one is told a port and dials it after its plan has ended. By then the other one waits. It
# must not get the other one's file, nor plant one.
# Guard: plan_retire() in gateway/monitor/plan-store.c keeps the port.
def test_231_a_late_connection_gets_into_no_other_transfer(launch, backend):
    gateway = launch_shared(launch, backend, datatimeout="1s")
    with Client(gateway) as late, Client(gateway) as victim:
        told = late.epsv()
        victim.send("EPSV\r\n")
        gateway.event("data-not-dialled", client=late.name)
        assert not select.select([victim.sock], [], [], 0.5)[0]  # the port is late's for two seconds more
        with contextlib.suppress(OSError), late.dial(told) as planted:
            planted.sendall(b"planted")
            planted.shutdown(socket.SHUT_WR)
        assert victim.reply().code == 229
        data = victim.transfer("STOR up", told)
        data.send(b"mine")
        data.close()
        assert victim.reply().code == 226
        assert backend.upload("up")[0] == b"mine"


# 232. A client opens a connection and plans again at once: the old connection must not become the new transfer's.
# Guard: data_plans_end() in gateway/monitor/data-plans.c looks into the queue first.
def test_232_an_abandoned_connection_is_not_the_next_plans(launch, backend):
    gateway = launch_shared(launch, backend)
    with Client(gateway) as c:
        for _ in range(30):
            told = c.epsv()
            old = socket.socket()
            old.connect(told)
            c.send("EPSV\r\n")
            old.close()  # an upload over it would be an empty file
            c.reply()
            data = c.transfer("STOR up", told)
            data.send(b"whole")
            data.close()
            assert c.reply().code == 226
            assert backend.upload("up")[0] == b"whole"
            del backend.stored["up"]


# 233. One address wants all: 30 sessions that only send EPSV. Others are served at once, and the log does not fill.
# Guard: each address has holds of its own (plan_find_hold() in gateway/monitor/plan-store.c).
def test_233_one_address_cannot_take_the_ports_of_others(launch, backend):
    gateway = launch_shared(launch, backend, n=2)
    with contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(Client(gateway, "127.0.0.2")) for _ in range(30)]
        for c in greedy:
            c.send("EPSV\r\n")
        with Client(gateway) as other:
            for _ in range(10):
                began = time.monotonic()
                assert other.fetch("hello.txt") == backend.files["hello.txt"]
                assert time.monotonic() - began < 2


# 234. A flood of strangers at the shared port: ten lines a second at most, and transfers go on.
# Guard: log_stranger() in gateway/monitor/data-share.c.
def test_234_strangers_do_not_fill_the_log(launch, backend):
    gateway = launch_shared(launch, backend)
    with Client(gateway) as c:
        told = c.epsv()
        since, began = gateway.mark(), time.monotonic()
        for _ in range(200):
            assert share.is_reset(told, "127.0.0.3")
        seconds = int(time.monotonic() - began) + 2
        assert c.fetch("hello.txt", told) == backend.files["hello.txt"]
        assert 1 <= len(gateway.seen("data-peer-refused", since)) <= 10 * seconds < 200


# 235. A client of another address takes part in the PROXY header's name: with proxy_data, only the balancer and the client.
# Guard: hit() in gateway/monitor/data-plans.c.
def test_235_through_a_balancer_strangers_stay_out(launch, backend):
    import proxy_header
    ftp = share.ports(1)
    listeners = {"explicit": {"proxy_protocol": ["127.0.0.1/32"], "proxy_data": True}}
    gateway = launch(backend, ftp=ftp, daemon={"workers": 1}, listeners=listeners)
    with clients.Client(gateway.explicit, header=proxy_header.v1(("127.0.0.9", 40000), ("127.0.0.1", 21))) as c:
        c.auth().login().prot("C")
        for source in ("127.0.0.1", "127.0.0.9"):  # the balancer, or directly
            told = ("127.0.0.1", c.epsv()[1])
            assert share.is_reset(told, "127.0.0.2")
            data = net.dial(told, (source, 0))
            c.expect("RETR hello.txt", 150)
            assert net.end_of(data) == ("fin", backend.files["hello.txt"])
            assert c.reply().code == 226

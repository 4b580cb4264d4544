"""Upgrades with shared passive ports: the new attlsd has the ports, and sessions of the old one go on with them."""
import os
import signal
import time

import net
import share
from share import Client
from upgrades import NEXT


def test_old_and_new_sessions_share_a_port(upgradable, backend):
    ftp = share.ports(1)
    gateway = upgradable(backend, ftp=ftp)
    port = share.port_of(ftp)
    waits, idle = Client(gateway), Client(gateway, "127.0.0.2")
    told = waits.epsv()
    gateway.upgrade(NEXT)
    gateway.event("upgraded")
    assert waits.fetch("hello.txt", told) == backend.files["hello.txt"]  # it was told before
    with Client(gateway) as new, Client(gateway, "127.0.0.3") as other:
        for c in (idle, new, waits, other):
            for _ in range(3):
                at = c.epsv()
                assert at[1] == port
                assert c.fetch("big", at) == backend.files["big"]
        # one address: the sessions of both take turns
        told = waits.epsv()
        new.send("EPSV\r\n")
        assert other.fetch("hello.txt") == backend.files["hello.txt"]
        assert not new.is_answered()
        assert waits.fetch("hello.txt", told) == backend.files["hello.txt"]
        assert new.reply().code == 229
        assert share.is_reset(told, "127.0.0.9")
        new.expect("QUIT", 221)
        waits.send("EPSV\r\n")
        began = time.monotonic()
        assert waits.reply().code == 229
        assert time.monotonic() - began < 4  # the plan of the session that has ended
    # once more, over two generations
    gateway.upgrade(net.ATTLSD)
    gateway.event("upgraded", count=2)
    with Client(gateway) as newest:
        for c in (newest, waits, idle):
            assert c.fetch("hello.txt", c.epsv()) == backend.files["hello.txt"]
    for c in (waits, idle):
        c.expect("QUIT", 221)
        c.close()


def test_a_new_attlsd_that_does_not_last_gives_the_ports_back(upgradable, backend):
    ftp = share.ports(1)
    gateway = upgradable(backend, ftp=ftp)
    with Client(gateway) as c:
        gateway.upgrade(NEXT)
        new = int(gateway.event("upgraded").keys["pid"])
        assert c.fetch("hello.txt") == backend.files["hello.txt"]
        os.kill(new, signal.SIGKILL)
        gateway.event("upgrade-undone")
        assert c.fetch("hello.txt") == backend.files["hello.txt"]
        with Client(gateway) as again:
            assert again.fetch("hello.txt") == backend.files["hello.txt"]

"""passivedatashare: source: clients share the passive ports, and each data connection finds its session."""
import contextlib
import os
import signal
import time

import pytest

import audit
import gateway as gateways
import net
import share
from share import Client


def launch_shared(launch, backend, n=1, workers=2, ftp=None, **change):
    ftp = share.ports(n, **(ftp or {}))
    return launch(backend, ftp=ftp, daemon={"workers": workers}, **change), share.port_of(ftp)


@pytest.mark.parametrize("level", "CP")
@pytest.mark.parametrize("mode", ["PASV", "EPSV"])
def test_one_port_serves_one_client_after_the_other(launch, backend, mode, level):
    gateway, port = launch_shared(launch, backend)
    with Client(gateway, level=level) as c:
        for _ in range(3):
            told = c.pasv() if mode == "PASV" else c.epsv()
            assert told == ("127.0.0.1", port)
            assert c.fetch("big", told) == backend.files["big"]
            data = c.transfer("STOR up", c.epsv())
            data.send(b"x" * 70000)
            data.close()
            assert c.reply().code == 226
            assert backend.upload("up")[0] == b"x" * 70000
            del backend.stored["up"]
    assert net.until(lambda: gateway.seen("session-end"), "it ends")
    assert not gateway.seen("data-peer-refused") and not gateway.seen("data-not-dialled")


def test_clients_of_other_addresses_share_it_at_the_same_time(launch, backend):
    gateway, port = launch_shared(launch, backend)
    with contextlib.ExitStack() as stack:
        all_ = [stack.enter_context(Client(gateway, f"127.0.0.{n}")) for n in range(2, 22)]
        told = [c.epsv() for c in all_]  # all of them wait
        assert {at[1] for at in told} == {port}
        for n, c in enumerate(all_):  # in an order of their own
            data = all_[-1 - n].transfer("RETR hello.txt", told[-1 - n])
            assert data.read_all() == backend.files["hello.txt"]


def test_two_sessions_of_one_address_take_turns(launch, backend):
    gateway, port = launch_shared(launch, backend)
    with Client(gateway) as first, Client(gateway) as second, Client(gateway, "127.0.0.2") as other:
        told = first.epsv()
        second.send("EPSV\r\n")
        second.send("NOOP\r\n")
        assert other.fetch("hello.txt") == backend.files["hello.txt"]  # nobody else waits
        assert not second.is_answered()
        assert first.fetch("hello.txt", told) == backend.files["hello.txt"]
        reply = second.reply()
        assert reply.code == 229 and f"|||{port}|" in reply
        assert second.reply().code == 200  # in order
        assert second.fetch("big", told) == backend.files["big"]


# 425 after five seconds; after ten, a plan makes way, unless a transfer needs it. All in one, since it is the time that counts.
def test_limits_of_time(launch, backend):
    gateway, port = launch_shared(launch, backend)
    busy = Client(gateway, "127.0.0.2")
    with Client(gateway) as first, Client(gateway) as second, busy, Client(gateway, "127.0.0.2") as behind:
        told = first.epsv()
        told_busy = busy.epsv()
        busy.expect("RETR hello.txt", 150)
        for c in (second, behind):
            c.send("EPSV\r\n")
        began = time.monotonic()
        assert second.reply().code == 425 and behind.reply().code == 425
        assert 4.5 < time.monotonic() - began < 7
        gateway.event("no-data-port", count=2)
        time.sleep(3.2)
        behind.send("EPSV\r\n")
        assert second.epsv() == told
        assert gateway.event("data-not-dialled", client=first.name).keys["reason"] == "needed-by-others"
        assert second.fetch("hello.txt", told) == backend.files["hello.txt"]
        assert first.cmd("RETR hello.txt").code in (125, 150) and first.reply().code == 425
        assert first.fetch("hello.txt") == backend.files["hello.txt"]
        assert behind.reply().code == 425
        data = busy.wrap(busy.dial(told_busy))
        assert data.read_all() == backend.files["hello.txt"] and busy.reply().code == 226
        assert behind.fetch("hello.txt") == backend.files["hello.txt"]


def test_a_stranger_is_reset_and_the_log_has_ten_lines_a_second(launch, backend):
    gateway, port = launch_shared(launch, backend)
    with Client(gateway) as c:
        told = c.epsv()
        assert share.is_reset(told, "127.0.0.2")
        event = gateway.event("data-peer-refused")
        assert event.keys["peer"].startswith("127.0.0.2:") and event.keys["at"] == f"127.0.0.1:{port}"
        assert event.keys["reason"] == "nobody-waits"
        time.sleep(1.1)  # the next second
        since = gateway.mark()
        for _ in range(60):
            assert share.is_reset(told, "127.0.0.2")
        gateway.event("data-peer-refused", since, count=10)
        assert len(gateway.seen("data-peer-refused", since)) <= 20
        assert c.fetch("hello.txt", told) == backend.files["hello.txt"]
        assert share.is_reset(told)  # nobody waits any more
        time.sleep(1.1)
        last = gateway.mark()
        share.is_reset(told)
        gateway.event("data-peer-refused", last)
        assert sum(int(event.keys.get("unlisted", 0)) for event in gateway.seen("data-peer-refused", since)) >= 40


def test_a_client_that_dials_too_late_gets_into_no_other_session(launch, backend):
    gateway, port = launch_shared(launch, backend, ftp={"datatimeout": "1s"})
    with Client(gateway) as late, Client(gateway) as other:
        told = late.epsv()
        gateway.event("data-not-dialled", client=late.name)
        other.send("EPSV\r\n")
        assert share.is_reset(told)  # the late one
        assert gateway.event("data-peer-refused").keys["reason"] == "too-late"
        assert other.reply().code == 229
        assert other.fetch("hello.txt", told) == backend.files["hello.txt"]


def test_a_connection_that_crosses_the_end_of_its_plan_is_logged(launch, backend, folder):
    trail = os.path.join(folder, "audit.log")
    gateway = launch(backend, ftp=share.ports(1, datatimeout="1s"), daemon={"workers": 2, "audit": trail})
    with Client(gateway) as late, Client(gateway) as other:
        told = late.epsv()
        with net.stopped(gateway.process.pid):  # the monitor finds both when it goes on
            gateway.event("data-not-dialled", client=late.name)
            sock = late.dial(told)
        assert net.end_of(sock) == ("reset", b"")
        event = gateway.event("data-peer-refused")
        assert event.keys["reason"] == "too-late"
        assert event.keys["client"] == late.name and event.keys["peer"] == "%s:%d" % sock.getsockname()[:2]
        net.until(lambda: audit.named(audit.read(trail), "data-peer-refused", reason="too-late", leg="client",
                                      data_port=sock.getsockname()[1]), "the same in the audit trail")
        sock.close()
        assert other.fetch("hello.txt") == backend.files["hello.txt"]


def test_a_connection_that_crosses_the_end_of_its_session_is_logged(launch, backend, folder):
    trail = os.path.join(folder, "audit.log")
    gateway = launch(backend, ftp=share.ports(1), daemon={"workers": 2, "audit": trail})
    with Client(gateway) as late:
        told = late.epsv()
        with net.stopped(gateway.process.pid):  # the monitor finds both when it goes on
            sock = late.dial(told)
            net.reset(late.sock)
            gateway.event("session-end", client=late.name)
        assert net.end_of(sock) == ("reset", b"")
        event = gateway.event("data-peer-refused")
        assert event.keys["reason"] == "too-late"
        assert event.keys["peer"] == "%s:%d" % sock.getsockname()[:2] and event.keys["at"] == "%s:%d" % told[:2]
        net.until(lambda: audit.named(audit.read(trail), "stranger-refused", reason="too-late", at_port=told[1],
                                      data_port=sock.getsockname()[1]), "the same in the audit trail")
        sock.close()


def test_a_new_plan_takes_no_connection_of_the_old_one(launch, backend):
    gateway, port = launch_shared(launch, backend)
    with Client(gateway) as c:
        for _ in range(20):
            told = c.epsv()
            old = c.dial(told)
            told = c.epsv()
            assert c.fetch("hello.txt", told) == backend.files["hello.txt"]
            assert net.end_of(old)[1] == b""
            old.close()


@pytest.mark.parametrize("how", ["QUIT", "close", "PASV", "PORT", "REIN", "ABOR"])
def test_a_plan_ends_with_its_session_or_the_next_plan(launch, backend, how):
    gateway, port = launch_shared(launch, backend)
    first, second = Client(gateway), Client(gateway)
    told = first.epsv()
    if how == "close":
        first.close()
        gateway.event("session-end", client=first.name)
    elif how == "PORT":
        with net.listen() as listener:
            first.port(listener)
    elif how == "PASV":
        assert first.fetch("hello.txt", first.pasv()) == backend.files["hello.txt"]
    else:
        first.cmd(how)
    began = time.monotonic()
    assert second.fetch("hello.txt") == backend.files["hello.txt"]
    assert time.monotonic() - began < 4
    first.close()
    second.close()


def test_exhaustion_by_one_address_does_not_disturb_another(launch, backend):
    gateway, port = launch_shared(launch, backend, n=2)
    with contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(Client(gateway, "127.0.0.2")) for _ in range(12)]
        for c in greedy:
            c.send("EPSV\r\n")
        quick = stack.enter_context(Client(gateway))
        for _ in range(20):
            began = time.monotonic()
            assert quick.fetch("hello.txt") == backend.files["hello.txt"]
            assert time.monotonic() - began < 2
        assert sum(c.is_answered() for c in greedy) == 2


def test_a_worker_that_dies_frees_its_plans(launch, backend):
    gateway, port = launch_shared(launch, backend, workers=1)
    with contextlib.ExitStack() as stack:
        lost = [stack.enter_context(Client(gateway, source)) for source in ("127.0.0.1", "127.0.0.2")]
        told = [c.epsv() for c in lost][0]
        (worker,) = gateway.workers()
        os.kill(worker, signal.SIGKILL)
        gateway.event("worker-died")
        net.until(lambda: gateway.workers() and gateway.workers() != [worker], "another worker")
        assert share.is_reset(told)
        again = stack.enter_context(Client(gateway))
        assert again.fetch("hello.txt") == backend.files["hello.txt"]


def test_a_worker_that_dies_resets_its_transfer(launch, backend):
    gateway, port = launch_shared(launch, backend, workers=1)
    with Client(gateway) as c:
        data = c.transfer("STOR up", c.epsv())
        data.send(b"x" * 1000)
        net.until(lambda: backend.stored.get("up") is not None or gateway.workers(), "it runs")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        assert net.end_of(data.sock) == ("reset", b"")


def test_a_reload_keeps_what_waits_and_opens_before_it_closes(launch, backend, certificates):
    ftp = share.ports(1)
    gateway = launch(backend, ftp=ftp, daemon={"workers": 2})
    port = share.port_of(ftp)
    with Client(gateway) as old:
        told = old.epsv()
        later = share.ports(2)
        tree = gateways.policy(certificates, backend.address, ftp=later, daemon={"workers": 2})
        assert gateway.reload(tree)
        with Client(gateway) as new:
            at = new.epsv()
            assert share.port_of(later) <= at[1] <= share.port_of(later) + 1
            assert new.fetch("hello.txt", at) == backend.files["hello.txt"]
        # the old session goes on as it began
        assert old.fetch("big", told) == backend.files["big"]
        assert old.epsv() == ("127.0.0.1", port)
        old.expect("QUIT", 221)
    net.until(lambda: is_refused(told), "the old port is closed")
    with Client(gateway) as new:
        assert new.fetch("hello.txt") == backend.files["hello.txt"]


def is_refused(told):
    try:
        net.dial(told).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False


def test_a_reload_with_the_same_ports_keeps_plans(launch, backend):
    gateway, port = launch_shared(launch, backend)
    with Client(gateway) as old:
        told = old.epsv()
        assert gateway.reload()
        with Client(gateway) as new:  # of the same address, in another generation
            new.send("EPSV\r\n")
            assert old.fetch("hello.txt", told) == backend.files["hello.txt"]
            assert new.reply().code == 229
            assert new.fetch("big", told) == backend.files["big"]


def test_a_port_of_another_program_fails_the_start_or_the_reload(launch, backend, certificates):
    ftp = share.ports(1)
    with net.listen(port=share.port_of(ftp)):
        gateway = launch(backend, ftp=ftp, wait=False)
        assert gateway.ended() != 0
        event = gateway.seen("no-shared-port")[0]
        assert event.keys["address"] == f"127.0.0.1:{share.port_of(ftp)}" and "ss -tnap" in event.keys["fix"]

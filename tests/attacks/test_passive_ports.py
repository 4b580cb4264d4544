"""Attacks on the ports of passivedataports: one client that takes those that all need. The numbers continue those of
test_incidents.py; mutants.py switches the guards off."""
import contextlib

import client as clients
import net

PORTS = 10


def free_range(n):
    """The first of n neighbouring ports that are free."""
    for first in range(28000, 32000, n):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + n):
                stack.enter_context(net.listen(port=port))
            return first
    raise AssertionError("no free range")


def launch_with_range(launch, backend, n=PORTS, workers=1, **ftp):
    first = free_range(n)
    return launch(backend, daemon={"workers": workers}, ftp={"secure_dataconn": "clear", "passivedataports": f"{first}-{first + n - 1}", **ftp})


def of(source, gateway):
    return clients.Client(gateway.explicit, source=(source, 0)).auth().login().prot("P")


# 130. Twelve sessions of one client send EPSV and dial nothing; the client next to it must still get a port, and the port works.
# Guard: passive_share_make_room() in gateway/worker/passive-share.c.
def test_130_one_client_cannot_take_all_ports(launch, backend):
    gateway = launch_with_range(launch, backend)
    with contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(of("127.0.0.2", gateway)) for _ in range(12)]
        codes = [c.cmd("EPSV").code for c in greedy]
        assert codes == [229] * PORTS + [425] * 2, codes  # no port of its own is taken from it for itself
        # neighbours get half of the ports, and not more
        others = [stack.enter_context(of("127.0.0.1", gateway)) for _ in range(6)]
        assert others[0].get("hello.txt") == backend.files["hello.txt"]
        codes = [c.cmd("EPSV").code for c in others]
        assert codes == [229] * 5 + [425], codes
        assert len(gateway.seen("data-not-dialled", reason="needed-by-others")) == 5
        assert all(e.keys["client"].startswith("127.0.0.2:") for e in gateway.seen("data-not-dialled"))
        # the one whose port was taken learns it at its transfer, and may try again
        loser = greedy[0]
        assert loser.cmd("RETR hello.txt").code in (125, 150) and loser.reply().code == 425
        for c in others:
            c.expect("QUIT", 221)
        assert loser.cmd("EPSV").code == 229


# 131. A port that is told and not dialled is closed after datatimeout, also if the session is not idle meanwhile.
# Guard: on_timer() in gateway/worker/data-conn.c.
def test_131_a_port_that_nobody_dials_gets_old(launch, backend):
    gateway = launch_with_range(launch, backend, n=1, datatimeout="1s")
    with of("127.0.0.2", gateway) as c, of("127.0.0.1", gateway) as other:
        host, port = c.epsv()
        assert other.cmd("EPSV").code == 425  # one port each would be fair, and there is one
        event = gateway.event("data-not-dialled", reason="time-out", told=f"127.0.0.1:{port}")
        assert 900 <= int(event.keys["ms"]) < 5000
        assert other.get("hello.txt") == backend.files["hello.txt"]
        assert c.cmd("EPSV").code == 229


# 132. A refused transfer gives the client the same time again, and is no fault of a firewall.
# Guard: data_conn_refused() in gateway/worker/data-conn.c.
def test_132_a_port_after_a_refused_transfer_gets_old_in_silence(launch, backend):
    gateway = launch_with_range(launch, backend, n=1, datatimeout="1s")
    with of("127.0.0.2", gateway) as c, of("127.0.0.1", gateway) as other:
        c.epsv()
        assert c.cmd("RETR missing").code == 550
        assert other.cmd("EPSV").code == 425
        net.until(lambda: other.cmd("EPSV").code == 229, "the port is free again")
        assert not gateway.seen("data-not-dialled", client=f"127.0.0.2:{c.sock.getsockname()[1]}")

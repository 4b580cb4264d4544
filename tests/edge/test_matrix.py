"""Every topology with its rule set from contrib/nftables, real servers and real clients."""
import os

import pytest

import ftp_clients
import topology

# Small enough for a socket's buffer: curl sends close_notify only if there is room for it (see docs/INTEROP.md)
SIZE = 40000
MODES = {"IPv4": ["PASV", "EPSV", "PORT", "EPRT"], "IPv6": ["EPSV", "EPRT"]}
DIRECT = [topology.OneHost, topology.Expecting, topology.Inline, topology.InlineSnat, topology.Range]
BEHIND = [topology.Firewalled, topology.Translated]


def rows(topologies):
    """Order the tests by topology, because each topology is built once."""
    return [pytest.param(make, family, client, mode, id=f"{make.__name__}-{family}-{name}-{mode}")
            for make in topologies for family in MODES for name, client in ftp_clients.ALL.items()
            for mode in MODES[family] if mode in client.modes]


def transfer(edge, client, folder, listener, mode, ccc):
    """Upload and download a file; the server's copy and the downloaded file must equal the original."""
    content = os.urandom(SIZE)
    sent, back = os.path.join(folder, "sent"), os.path.join(folder, "back")
    with open(sent, "wb") as f:
        f.write(content)
    name = f"{client.name}-{listener}-{mode}-{os.urandom(4).hex()}"
    way = ftp_clients.Way(listener, mode, "P", edge.address(listener), edge.server.user, edge.server.password,
                          edge.certificates.ca.pem, edge.server.where, ccc)
    if client.leaks(way):
        way.level = "C"
    with edge.client:
        client.run(way, [(sent, name)], [(name, back)])
    for path in back, os.path.join(edge.server.files, name):
        with open(path, "rb") as f:
            assert f.read() == content
    os.unlink(back)


def cell(edge, cells, make, family, client, mode, folder, ccc=False):
    before = edge.counted()
    result = "failed"
    try:
        for listener in edge.listeners():
            transfer(edge, client, folder, listener, mode, ccc)
        result = "ok"
    except ftp_clients.Failed as fault:
        raise AssertionError(f"{fault}\n{edge.gateway.log[-4000:]}")
    finally:
        packets = edge.counted() - before
        cells.note(make.__name__, family, client.name, mode, result, packets)
    return packets


def fails_after_ccc(edge, client, folder, mode):
    """A client that goes on under TLS gets no transfer."""
    since = edge.gateway.mark()
    with pytest.raises(ftp_clients.Failed):
        transfer(edge, client, folder, "explicit", mode, ccc=True)
    edge.gateway.event("session-end", since, reason="commands-after-ccc")


@pytest.mark.parametrize("make, family, client, mode", rows(DIRECT))
def test_transfers(edges, cells, folder, make, family, client, mode):
    edge = edges(make, family)
    packets = cell(edge, cells, make, family, client, mode, folder)
    # one packet per transfer, two transfers per listener; a reverse proxy's active data connections are outgoing
    assert packets == (2 * len(edge.listeners()) if mode in ("PASV", "EPSV") else 0)


@pytest.mark.parametrize("make, family, client, mode", rows(BEHIND))
def test_transfers_after_ccc(edges, cells, folder, make, family, client, mode):
    edge = edges(make, family)
    if client.keeps_tls():
        fails_after_ccc(edge, client, folder, mode)
        cells.note(make.__name__, family, client.name, mode, "client fails")
        return
    packets = cell(edge, cells, make, family, client, mode, folder, ccc=True)
    assert packets == 2 * len(edge.listeners())

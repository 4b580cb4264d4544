"""
Every real server with every real client, in every mode that the client
supports: upload and download files of 0 bytes to 64 MiB, or to 4 MiB for the
clients of script_clients.py. Writes the table to interop.md in the build
folder; refresh-interop.sh copies it to docs/INTEROP.md.
"""
import hashlib
import os
import tempfile
import time

import pytest

import ftp_clients
import gateway as gateways
import interop_table
import net
import script_clients
import servers

SIZES = {"empty": 0, "byte": 1, "mib": 1 << 20, "mib4": 4 << 20, "mib64": int(os.environ.get("ATTLSD_INTEROP_MIB", "64")) << 20}
LISTENERS = ["explicit", "implicit"]
CELLS = [(server, client, listener, mode, level)
         for server in servers.NAMES for client in script_clients.ALL for listener in LISTENERS
         for mode in script_clients.ALL[client].modes for level in "CP"
         if script_clients.ALL[client].supports(listener, mode, level)]


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            sha.update(piece)
    return sha.hexdigest()


@pytest.fixture(scope="module")
def files():
    """The files to transfer, {label: (path, SHA-256)}, and a folder for the downloads."""
    with tempfile.TemporaryDirectory(prefix="attlsd-interop-") as folder:
        made = {}
        for label, size in SIZES.items():
            path = os.path.join(folder, label)
            with open(path, "wb") as f:
                for start in range(0, size, 1 << 20):
                    f.write(os.urandom(min(1 << 20, size - start)))
            made[label] = (path, digest(path))
        yield folder, made


@pytest.fixture(scope="module")
def front(real_server, certificates):
    """front(server name): a gateway in front of that server. All gateways are stopped and checked at the end."""
    with tempfile.TemporaryDirectory(prefix="attlsd-interop-") as folder:
        running = {}

        def get(name):
            server = real_server(name)
            if name not in running:
                own = os.path.join(folder, name)
                os.mkdir(own)
                tree = gateways.policy(certificates, (server.host, server.port), ftp={"secure_dataconn": "clear"})
                running[name] = gateways.Gateway(own, tree).ready()
            return server, running[name]
        yield get
        for gateway in running.values():
            gateway.stop()


@pytest.fixture(scope="module")
def table():
    results = interop_table.Table()
    yield results
    results.write(os.path.join(net.BUILD, "interop.md"))


@pytest.mark.parametrize("server,client,listener,mode,level", CELLS, ids=["-".join(cell) for cell in CELLS])
def test_transfers(front, files, table, certificates, server, client, listener, mode, level):
    behind, gateway = front(server)
    folder, made = files
    way = ftp_clients.Way(listener, mode, level, gateway.address[listener], behind.user, behind.password,
                          certificates.ca.pem, behind.where)
    player = script_clients.ALL[client]
    if player.needs():
        pytest.skip(player.needs())
    labels = ["empty", "byte", "mib", player.largest]
    names = {label: f"up-{label}" for label in labels}
    came_back = {label: os.path.join(folder, "back-" + label) for label in labels}
    if player.leaks(way):
        with pytest.raises(ftp_clients.Failed, match=" 522 "):
            # a small file, so that curl reads the 522 before it gets EPIPE
            player.run(way, [(made["byte"][0], "leaked")], [])
        leaked = os.path.join(behind.files, "leaked")
        assert not os.path.exists(leaked) or os.path.getsize(leaked) == 0, "data in the clear was taken under PROT P"
        table.note(server, client, listener, mode, level, "refused")
        return
    started, since = time.monotonic(), gateway.mark()
    try:
        verbs = player.run(way, [(made[label][0], names[label]) for label in labels],
                           [(names[label], came_back[label]) for label in labels])
        for label in labels:
            sha = made[label][1]
            assert digest(os.path.join(behind.files, names[label])) == sha, f"{label} did not arrive whole"
            assert digest(came_back[label]) == sha, f"{label} did not come back whole"
        gateway.event("transfer", since, count=2 * len(labels), prot=level, result="ok")
        if verbs is not None:
            assert {verb for verb, _ in verbs} & {"PASV", "EPSV", "PORT", "EPRT"} == {mode}, "the client used another mode"
            levels = [level_ for verb, level_ in verbs if verb == "PROT"]
            assert not levels or set(levels) == {level}, "the client used another level"
            assert levels or (level, listener) == ("P", "implicit"), "the client sent no PROT"
    except (AssertionError, OSError, ftp_clients.Failed):
        table.note(server, client, listener, mode, level, "FAILED")
        raise
    finally:
        for path in [*came_back.values(), *(os.path.join(behind.files, name) for name in names.values())]:
            if os.path.exists(path):
                os.unlink(path)
    table.note(server, client, listener, mode, level, "ok", time.monotonic() - started)

"""
Real clients stop a download in the middle, with real servers behind attlsd. The next transfer must work soon, and
no session may be left after the client has closed.
"""
import json
import os
import subprocess
import tempfile
import time

import pytest

import abort_clients
import ftp_clients
import gateway as gateways
import net
import script_clients
import servers

SMALL = os.urandom(100_000)
BIG = 48 << 20     # more than all buffers on the path hold, so that the download is never over
TIMEOUT = 10       # of the client, for each reply
SECONDS = 15       # for the whole run of a client
# If the data connection fails before Pure-FTPd reads ABOR, it sends only a line with code 150: ftplib and Ruby take this
# line for the answer to ABOR. lftp may match an answer of these two servers to the wrong command, and then logs in
# again. Both happen without attlsd, too.
FAILS_NATIVELY = {("pure-ftpd", "ftplib-callback"), ("pure-ftpd", "ftplib-close"), ("pure-ftpd", "Ruby")}
LOGS_IN_AGAIN = {("pure-ftpd", "lftp"), ("pyftpdlib", "lftp")}
CELLS = [(server, way) for server in servers.NAMES for way in abort_clients.ALL if (server, way) not in FAILS_NATIVELY]


@pytest.fixture(scope="module")
def front(real_server, certificates):
    """front(server name): that server with two files, and a gateway in front of it. All are checked at the end."""
    with tempfile.TemporaryDirectory(prefix="attlsd-abort-") as folder:
        running = {}

        def get(name):
            server = real_server(name)
            if name not in running:
                server.put("small", SMALL)
                os.truncate(server.put("big", b""), BIG)
                own = os.path.join(folder, name)
                os.mkdir(own)
                # vsftpd and ProFTPD answer ABOR only after the data, so that their tests wait this long
                backend = {"side_reply_timeout": "1s"}
                tree = gateways.policy(certificates, (server.host, server.port), backends={"legacy": backend}, daemon={
                    "control_socket": os.path.join(own, "control.sock"), "log": {"level": "debug"}})
                running[name] = gateways.Gateway(own, tree).ready()
            return server, running[name]
        yield get
        for gateway in running.values():
            gateway.stop()


def sessions(gateway):
    done = subprocess.run([net.ATTLSCTL, "sessions", "-f", gateway.path, "--json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, timeout=net.DEADLINE, check=True)
    return json.loads(done.stdout)["sessions"]


@pytest.mark.parametrize("server,way", CELLS, ids=["-".join(cell) for cell in CELLS])
def test_the_next_transfer_works(front, folder, certificates, server, way):
    needs = script_clients.ALL[abort_clients.CLIENT[way]].needs()
    if needs:
        pytest.skip(needs)
    behind, gateway = front(server)
    local, since, started = os.path.join(folder, "small"), gateway.mark(), time.monotonic()
    try:
        connections = abort_clients.ALL[way](
            ftp_clients.Way("explicit", "PASV", "P", gateway.explicit, behind.user, behind.password, certificates.ca.pem,
                            behind.where, timeout=TIMEOUT), "big", "small", local)
    except Exception as fault:
        lines = "\n".join(str(event) for event in gateway.events[since:])
        raise AssertionError(f"{fault}; log:\n{lines}")
    seconds = time.monotonic() - started
    with open(local, "rb") as f:
        assert f.read() == SMALL
    gateway.event("session-start", since, count=connections)  # the log is read a little later
    started_sessions = len(gateway.seen("session-start", since))
    assert started_sessions == connections or (server, way) in LOGS_IN_AGAIN, "the client had to log in again"
    gateway.event("session-end", since, count=started_sessions, deadline=5)
    assert sessions(gateway) == []
    stopped = gateway.seen("transfer", since)[0].keys
    assert stopped["command"].endswith("big") and (stopped["result"] != "ok" or way == "PHP-close"), stopped
    assert seconds < SECONDS, f"{seconds:.1f} s; log:\n{gateway.log}"

"""
One passive port for every real client: TLS 1.2 and 1.3, PROT C and P; clients that open several connections at once, with
files that differ; twenty clients behind one address; resumption required. The longer ones are marked and run with
ATTLSD_TEST_SHARE=all (make check-share).
"""
import os
import subprocess
import tempfile

import pytest

import ftp_clients
import gateway as gateways
import net
import resuming_clients
import script_clients
import share
from concurrent import futures

ALL = os.environ.get("ATTLSD_TEST_SHARE") == "all"
long = pytest.mark.skipif(not ALL, reason="long: make check-share")
QUICK = ["curl", "lftp", "ftplib"]
NAMES = [name for name, player in script_clients.ALL.items() if set(player.modes) & {"PASV", "EPSV"} and (ALL or name in QUICK)]


@pytest.fixture(scope="module")
def front(real_server, certificates):
    """front(version, reuse): vsftpd and a gateway with one shared port in front of it."""
    with tempfile.TemporaryDirectory(prefix="attlsd-share-") as folder:
        running = {}

        def get(version, reuse="allowed", n=1):
            server = real_server("vsftpd")
            key = version, reuse, n
            if key not in running:
                own = os.path.join(folder, "%s%s%d" % key)
                os.mkdir(own)
                tree = gateways.policy(certificates, (server.host, server.port), ftp=share.ports(n, secure_session_reuse=reuse),
                                       tls={"versions": ["tls" + version]}, daemon={"workers": 2, "control_socket": "none"})
                running[key] = gateways.Gateway(own, tree).ready()
            return server, running[key]
        yield get
        for gateway in running.values():
            gateway.stop()


def way(server, gateway, certificates, mode, level, listener="explicit"):
    return ftp_clients.Way(listener, mode, level, gateway.address[listener], server.user, server.password, certificates.ca.pem, server.where)


@pytest.mark.parametrize("level", "CP")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", NAMES)
def test_every_client(front, certificates, folder, name, version, level):
    server, gateway = front(version)
    player = script_clients.ALL[name]
    if player.needs():
        pytest.skip(player.needs())
    modes = [mode for mode in player.modes if mode in ("PASV", "EPSV") and player.supports("explicit", mode, level)]
    if not modes:
        pytest.skip("not in this mode")
    since = gateway.mark()
    up, back = os.path.join(folder, "up"), os.path.join(folder, "back")
    with open(up, "wb") as f:
        f.write(os.urandom(300_000))
    for mode in modes:
        player.run(way(server, gateway, certificates, mode, level), [(up, "up")] * 2, [("up", back)] * 2)
        assert open(back, "rb").read() == open(up, "rb").read()
        os.unlink(back)
    gateway.event("transfer", since, count=4 * len(modes), prot=level, result="ok")
    assert not gateway.seen("data-peer-refused", since)


def fill(server, folder, n=36):
    files = {}
    for i in range(n):
        files["f%d" % i] = os.urandom(20_000 + 977 * i)
        server.put("f%d" % i, files["f%d" % i])
    return files


def compare(files, folder):
    for name, text in files.items():
        with open(os.path.join(folder, name), "rb") as f:
            assert f.read() == text, f"{name} has other contents"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_with_several_connections(front, certificates, folder, version):
    server, gateway = front(version)
    files = fill(server, folder)
    host, port = gateway.explicit
    words = ["curl", "-sS", "-Z", "--parallel-max", "3", "--fail", "--cacert", certificates.ca.pem, "--ssl-reqd",
             "-u", f"{server.user}:{server.password}", "--max-time", "60"]
    for name in files:
        words += ["-o", os.path.join(folder, name), f"ftp://{host}:{port}/{server.where}{name}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    compare(files, folder)


@pytest.mark.skipif(not ftp_clients.output("sh", "-c", "command -v rclone"), reason="no rclone")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_rclone_with_several_connections(front, certificates, folder, version):
    server, gateway = front(version)
    files = fill(server, folder, 18)
    host, port = gateway.explicit
    password = subprocess.run(["rclone", "obscure", server.password], capture_output=True, text=True).stdout.strip()
    listing = os.path.join(folder, "list")
    with open(listing, "w") as f:
        f.write("".join(name + "\n" for name in files))
    back = os.path.join(folder, "back")
    done = subprocess.run(
        ["rclone", "copy", "--transfers", "4", "--files-from", listing, "--ignore-times", "--retries", "1",
         f":ftp,host={host},port={port},user={server.user},pass='{password}',explicit_tls=true,no_check_certificate=true:{server.where.rstrip('/')}", back],
        capture_output=True, text=True, timeout=120, env={**os.environ, "RCLONE_CONFIG": os.path.join(folder, "none")})
    assert done.returncode == 0, done.stderr[-2000:]
    compare(files, back)


@pytest.mark.parametrize("name, listener", [("wget", "implicit"), ("wget --secure-protocol=PFS", "implicit"), ("wget --secure-protocol=PFS", "explicit")])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_wget(front, certificates, folder, name, version, listener):
    """A list and several files in one session."""
    player = resuming_clients.ALL[name]
    if player.needs():
        pytest.skip(player.needs())
    server, gateway = front(version)
    files, since = fill(server, folder, 5), gateway.mark()
    player.fetch(way(server, gateway, certificates, "PASV", "P", listener), "f[0-4]", folder)
    gateway.event("transfer", since, count=6, prot="P", result="ok")
    compare(files, folder)


@pytest.mark.parametrize("version", ["1.3"])
def test_twenty_clients_behind_one_address(front, certificates, folder, version):
    server, gateway = front(version)
    files = fill(server, folder, 20)
    host, port = gateway.explicit

    def fetch(name):
        return subprocess.run(["curl", "-sS", "--cacert", certificates.ca.pem, "--ssl-reqd", "-u", f"{server.user}:{server.password}",
                               "--max-time", "60", f"ftp://{host}:{port}/{server.where}{name}"], capture_output=True).stdout
    with futures.ThreadPoolExecutor(20) as pool:
        got = dict(zip(files, pool.map(fetch, files)))
    assert got == files


@pytest.mark.parametrize("name", ["curl", "lftp", "Commons Net"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumption_is_required_as_well(front, certificates, folder, name, version):
    if resuming_clients.ALL[name].needs():
        pytest.skip(resuming_clients.ALL[name].needs())
    server, gateway = front(version, "required")
    up, back = os.path.join(folder, "up"), os.path.join(folder, "back")
    with open(up, "wb") as f:
        f.write(os.urandom(50_000))
    steps = [("put", "up", up), ("get", "up", back)] * 3
    resuming_clients.ALL[name].play(way(server, gateway, certificates, "EPSV", "P"), version, steps)
    assert open(back, "rb").read() == open(up, "rb").read()

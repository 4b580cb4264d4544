"""HAProxy for control connections and the kernel for data: what survives what."""
import json
import os
import re
import subprocess
import threading

import client as clients
import fleet as fleets
import net
import pytest
import script_clients
import ftp_clients

BIG = 48 << 20


@pytest.fixture
def down(tmp_path):
    """down(NAME): a folder for the downloads of one client."""
    def make(name):
        path = tmp_path / name
        path.mkdir()
        return str(path)
    return make


def test_in_turn_for_forty_sources(site, down, row):
    """With four open ports in all, each client shows its own address at the nodes, and all files are right."""
    since = fleets.marks(site)
    names = sorted(site.content)

    def one(n):
        mine = [names[(n + k) % len(names)] for k in range(3)]
        return site.curl(fleets.SOURCES[n], mine, down(str(n)))
    results = site.at_once(one, range(len(fleets.SOURCES)))
    assert sum(right for right, _ in results) == 120, [said for right, said in results if right < 3]
    logins = fleets.spread(site, since)
    seen = {client for name, node in site.nodes.items() for client in node.logins(since[name])}
    assert seen == set(fleets.SOURCES)
    assert abs(logins["node1"] - logins["node2"]) <= 2, logins
    row("40 addresses, `curl -Z` with 3 files each, 4 open ports in all",
        f"{sum(right for right, _ in results)} of 120 files right; {logins['node1']} and {logins['node2']} sessions")


def curl(site, folder):
    names = sorted(site.content)
    words = [word for name in names for word in ("-o", os.path.join(folder, name), f"ftp://{fleets.VIP}/{site.where}{name}")]
    return ["curl", "-sS", "-Z", "--no-progress-meter", "--parallel-max", "3", "--max-time", "60", "--ssl-reqd", "--cacert", site.certificates.ca.pem,
            "-u", f"{site.server.user}:{site.server.password}", *words]


def rclone(site, folder):
    hidden = subprocess.check_output(["rclone", "obscure", site.server.password], text=True).strip()
    return ["env", "SSL_CERT_FILE=" + site.certificates.ca.pem, "rclone", "copy", "--config", os.devnull, "--ftp-host", fleets.VIP,
            "--ftp-user", site.server.user, "--ftp-pass", hidden, "--ftp-explicit-tls", "--transfers=4",
            "--retries=1", "--low-level-retries=1", ":ftp:" + site.where, folder]


def lftp(site, folder):
    return ["lftp", "--norc", "-c", f"set ssl:ca-file {site.certificates.ca.pem}; set ftp:ssl-force yes; "
            f"set ftp:ssl-protect-data yes; set cmd:fail-exit yes; set net:timeout 30; open -u '{site.server.user}','{site.server.password}' "
            f"ftp://{fleets.VIP}; mirror -P 4 /{site.where} {folder}"]


def php(site, folder):
    way = ftp_clients.Way("explicit", "PASV", "P", (fleets.VIP, 21), site.server.user, site.server.password,
                          site.certificates.ca.pem, site.where)
    client = script_clients.Php()
    job = client.job(way, [("get", name, os.path.join(folder, name)) for name in sorted(site.content)])
    return [*client.command(), json.dumps(job)]


CLIENTS = [curl, rclone, lftp, php]


def test_twenty_clients_behind_one_address(site, down, row):
    """Of four kinds, with one passive port for each node: no client gets the file of another one."""
    def one(n):
        make = CLIENTS[n % len(CLIENTS)]
        folder = down(str(n))
        done = subprocess.run(make(site, folder), capture_output=True, text=True, timeout=100)
        return make.__name__, site.right(site.content, folder), done.stderr[-500:]
    results = site.at_once(one, range(20))
    wrong = [result for result in results if result[1] < len(site.content)]
    assert not wrong, wrong
    row("20 clients behind one address: curl -Z, rclone --transfers 4, lftp mirror -P 4, PHP; one passive port for each node",
        f"{sum(right for _, right, _ in results)} of {20 * len(site.content)} files right")


def long_download(site, session):
    """(data connection, rest): a download of BIG bytes whose first bytes have come."""
    data = session.start("big")
    return data, data.recv(65536)


@pytest.fixture(scope="module")
def big(site):
    content = os.urandom(1 << 20) * (BIG >> 20)
    site.server.put("big", content)
    yield content
    os.unlink(os.path.join(site.server.files, "big"))


def test_a_node_is_emptied(site, big, row):
    """Maintenance: transfers finish, sessions go on and start further transfers, and new sessions go elsewhere."""
    one, two = site.nodes["node1"], site.nodes["node2"]
    session, other = site.on(one), site.on(two)
    data, first = long_download(site, session)
    one.order("maintenance", "on")
    site.until_state("node1", "DRAIN")
    new = [site.session() for _ in range(10)]
    assert [c.node for c in new] == [two] * 10
    assert first + data.read_all() == big and data.end == "clean" and session.reply().code == 226
    assert session.fetch("file00") == site.content["file00"]
    assert other.fetch("file01") == site.content["file01"]
    one.order("maintenance", "off")
    site.until_state("node1", "UP")
    back = [site.session() for _ in range(4)]
    assert one in [c.node for c in back]
    for c in [session, other, *new, *back]:
        c.close()
    row("`attlsctl maintenance on` on node1", "its running download finishes, its session goes on; 10 of 10 new sessions go to node2")


def test_a_node_drains_with_a_deadline(site, big, row):
    """HAProxy has seen that the node does not come back soon; the download goes on, and its reply arrives."""
    one = site.nodes["node1"]
    session, idle = site.on(one), site.on(one)
    data, first = long_download(site, session)
    one.order("drain", "--deadline", "60s")
    net.until(lambda: site.state("node1")[0].split()[:1] in (["MAINT"], ["DOWN"]), "HAProxy gives up on node1")
    assert idle.reply().code == 421
    assert first + data.read_all() == big and data.end == "clean" and session.reply().code == 226
    net.until(lambda: one.gateway.process.poll() is not None, "node1 exits")
    one.start()
    one.gateway.ready()
    site.until_state("node1", "UP")
    for c in session, idle:
        c.close()
    row("`attlsctl drain` on node1", "its idle session gets 421, its running download finishes")


def test_a_node_dies_under_load(site, big, row):
    """kill -9 of all processes: no new login fails, and sessions of the other node go on."""
    one, two = site.nodes["node1"], site.nodes["node2"]
    lost, kept = [site.on(one) for _ in range(3)], [site.on(two) for _ in range(3)]
    data, first = long_download(site, kept[0])
    stop, killed, logins = threading.Event(), threading.Event(), []

    def load(_):
        while not stop.is_set():
            after, fault = killed.is_set(), None
            try:
                with clients.Client((fleets.VIP, 21), source=(fleets.CLIENT, 0)) as client:
                    client.auth().login(site.server.user, site.server.password)
            except (OSError, AssertionError, clients.Closed) as fault_of_login:
                fault = repr(fault_of_login)
            logins.append((after, fault))

    thread = threading.Thread(target=site.at_once, args=(load, range(3)))
    thread.start()
    net.until(lambda: len(logins) > 10, "there is load")
    one.kill()
    killed.set()
    new = site.at_once(lambda _: site.session(), range(10))
    assert [c.node for c in new] == [two] * 10
    net.until(lambda: sum(after for after, _ in logins) > 10, "there is load afterwards")
    stop.set()
    thread.join()
    begun = [fault for after, fault in logins if after]
    assert begun == [None] * len(begun)
    assert first + data.read_all() == big and kept[0].reply().code == 226
    assert [c.fetch("file02") == site.content["file02"] for c in kept] == [True] * 3
    for c in lost:
        assert c.ended() == b""
    one.start()
    one.gateway.ready()
    site.until_state("node1", "UP")
    back = site.on(one)
    assert back.fetch("file03") == site.content["file03"]
    for c in [*lost, *kept, *new, back]:
        c.close()
    row("`kill -9` of node1 under load", f"{10 + len(begun)} of {10 + len(begun)} logins that begin afterwards succeed; 3 of 3 sessions of node2 go on, "
        "its running download too; sessions of node1 end at once")


def test_tls_sessions_resume_on_the_other_node(site, row):
    """And after a reload. tests/system/test_ticket_files.py has tickets that were changed."""
    results = {}
    for versions in "1.2", "1.3":
        ctx = clients.context(versions=versions)
        one, two = site.nodes["node1"], site.nodes["node2"]

        def visit(node, ticket=None):
            """One login at this node; returns (its newest session, has it resumed)."""
            for _ in range(4):
                mark = node.gateway.mark()
                with site.hosts["clients"]:
                    c = clients.Client((fleets.VIP, 21), ctx=ctx, source=(fleets.CLIENT, 0))
                with c:
                    c.auth(session=ticket)
                    c.login(site.server.user, site.server.password)
                    name = "%s:%d" % c.sock.getsockname()[:2]
                    newest, reused = c.tls.session, c.tls.reused
                    c.expect("NOOP", 200)
                if node.gateway.seen("login", mark, client=name):
                    return newest, reused
            raise AssertionError(f"four logins in turn, none at {node.name}")
        ticket, reused = visit(one)
        assert not reused
        assert visit(two, ticket)[1]
        assert two.gateway.reload()
        assert visit(two, ticket)[1]
        results[versions] = True
    row("a client comes back to the other node, and after a reload there", "its TLS session resumes, TLS 1.2 and 1.3")


def test_limits_of_two_balancers(site, row):
    """One address connects through lb1 and then through lb2: both count."""
    site.ask("lb1", "clear table sources")
    site.ask("lb2", "clear table sources")
    source = fleets.SOURCES[0]
    limit = int(re.search(r"sc0_conn_rate gt (\d+)", fleets.shipped("haproxy.cfg")).group(1))
    address = f"::ffff:{source}"
    site.ask("lb1", f"set table sources key {address} data.conn_rate {limit}")
    net.until(lambda: f"conn_rate(60000)={limit}" in site.ask("lb2", f"show table sources key {address}"), "lb2 knows the rate")
    with site.hosts["clients"]:
        with pytest.raises((clients.Closed, OSError)):
            clients.Client(("198.51.100.3", 21), source=(source, 0))
        clients.Client(("198.51.100.3", 21), source=(fleets.SOURCES[1], 0)).close()
    row("one address exceeds the rate at lb1", "lb2 refuses it as well, and nobody else")

"""daemon.http: who may ask, what they get, and what becomes of bad requests."""
import hashlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess

import pytest

import client as clients
import gateway as gateways
import net


def start(launch, backend, folder, **daemon):
    gateway = launch(backend, daemon={"workers": 2, "control_socket": os.path.join(folder, "control.sock"), "http": "127.0.0.1:0", **daemon})
    with open(gateway.path) as f:
        gateway.tree = json.load(f)
    return gateway


@pytest.fixture
def served(launch, backend, folder):
    return start(launch, backend, folder)


def address(gateway, since=0):
    host, _, port = gateway.event("http-started", since).keys["address"].rpartition(":")
    return host.strip("[]"), int(port)


def get(gateway, path, method="GET", headers=None, at=None):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection(*(at or address(gateway)), timeout=net.DEADLINE)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class Unix(http.client.HTTPConnection):
    """http.client over a UNIX socket, whose path is the host."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def get_unix(path, resource, headers=None):
    """(status, headers, body)"""
    connection = Unix(path, timeout=net.DEADLINE)
    try:
        connection.request("GET", resource, headers={"Host": "localhost", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def raw(gateway, data):
    """All that comes back until the server closes."""
    with socket.create_connection(address(gateway), timeout=net.DEADLINE) as s:
        s.sendall(data)
        found = b""
        try:
            while part := s.recv(65536):
                found += part
        except ConnectionResetError:
            pass
        return found.decode("latin-1")


def refuses(at):
    try:
        socket.create_connection(at, timeout=net.DEADLINE).close()
    except ConnectionRefusedError:
        return True
    return False


def process(gateway):
    (pid,) = [pid for pid in net.children(gateway.pid) if net.name(pid) == "attlsd-http"]
    return pid


def test_health(served):
    assert get(served, "/healthz")[::2] == (200, "ok\n")
    assert get(served, "/readyz")[::2] == (200, "ready\n")


def test_sessions(served):
    assert json.loads(get(served, "/sessions")[2]) == {"total": 0, "matching": 0, "whole": True, "sessions": []}
    with clients.explicit(served, level="P"), clients.explicit(served, level="P"):
        told = json.loads(get(served, "/sessions")[2])
        assert (told["total"], told["matching"], len(told["sessions"])) == (2, 2, 2)
        assert {s["listener"] for s in told["sessions"]} == {"explicit"}
        told = json.loads(get(served, "/sessions?limit=1&offset=1&sort=age")[2])
        assert (told["matching"], len(told["sessions"])) == (2, 1)
        oldest = [s["session"] for s in json.loads(get(served, "/sessions?sort=age")[2])["sessions"]]
        assert [s["session"] for s in json.loads(get(served, "/sessions?sort=-age")[2])["sessions"]] == oldest[::-1]
        for sort in "rate", "rule", "backend", "-user":
            assert len(json.loads(get(served, f"/sessions?sort={sort}")[2])["sessions"]) == 2, sort
        assert json.loads(get(served, "/sessions?listener=implicit")[2])["matching"] == 0
        assert json.loads(get(served, "/sessions?client=127.0.0.0/8")[2])["matching"] == 2


@pytest.mark.parametrize("query", ["limit=x", "limit=", "limit=99999", "offset=-1", "sort=none", "sort=--age", "sort=-", "client=nowhere", "rule=%00", "user=", "idle=1e9", "transfers=yes"])
def test_a_bad_query_is_refused(served, query):
    assert get(served, "/sessions?" + query)[0] == 400


def test_the_page(served):
    status, headers, body = get(served, "/")
    assert status == 200 and body.startswith("<!") and headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"] and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    assert "require-trusted-types-for 'script'" in headers["Content-Security-Policy"]
    for name in os.listdir(os.path.join(net.ROOT, "gateway/http/page")):
        with open(os.path.join(net.ROOT, "gateway/http/page", name), encoding="utf-8") as f:
            assert get(served, "/" + ("" if name == "index.html" else name))[2] == f.read(), name
    assert get(served, "/page.js")[1]["Content-Type"].startswith("text/javascript")
    status, headers, body = get(served, "/", method="HEAD")
    assert status == 200 and body == "" and int(headers["Content-Length"]) > 0


def test_other_methods_and_paths(served):
    for method in "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW":
        status, headers, _ = get(served, "/sessions", method=method)
        assert status == 405 and headers["Allow"] == "GET, HEAD", method
    for path in "/nothing", "/sessions/", "//", "/page.css/..", "/%2e%2e/etc/passwd":
        assert get(served, path)[0] == 404, path


def test_hosts(served, launch, backend, folder):
    port = address(served)[1]
    for host in f"127.0.0.1:{port}", f"localhost:{port}", "LOCALHOST", "127.0.0.1":
        assert get(served, "/sessions", headers={"Host": host})[0] == 200, host
    for host in "evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost:1", f"127.0.0.2:{port}", "", "localhost@evil", "[::1]":
        assert get(served, "/sessions", headers={"Host": host})[0] == 403, host
    assert served.event("http-refused").keys["reason"] == "a Host that is not ours"


def test_named_hosts(launch, backend, folder):
    gateway = start(launch, backend, folder, http_hosts=["gw.example"])
    assert get(gateway, "/sessions", headers={"Host": "GW.example:8021"})[0] == 200
    assert get(gateway, "/sessions", headers={"Host": "gw.example.evil"})[0] == 403


def test_the_process_is_restarted(served):
    before = process(served)
    with clients.explicit(served, level="P") as c:
        os.kill(before, signal.SIGKILL)
        served.event("http-died", pid=before)
        net.until(lambda: [pid for pid in net.children(served.pid) if net.name(pid) == "attlsd-http"], "another process")
        assert get(served, "/healthz")[0] == 200
        assert c.get("hello.txt") == b"hello, world\r\n"


def test_it_has_no_rights(served):
    assert get(served, "/healthz")[0] == 200  # then it is confined
    pid = process(served)
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert int(status["CapPrm"], 16) == 0 and os.stat(f"/proc/{pid}/maps").st_uid == 0  # not dumpable
        assert os.listdir(f"/proc/{pid}/root") == []
        users = {line.split()[1] for p in [pid, *served.workers(), *served.signers()]
                 for line in open(f"/proc/{p}/status") if line.startswith("Uid:")}
        assert len(users) == 3  # its own, the workers', the signers'


def test_metrics(served):
    status, headers, body = get(served, "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "\nattlsd_build_info" in body and not body.endswith("# EOF\n")
    # what Prometheus 2.53 sends
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    status, headers, body = get(served, "/metrics", headers={"Accept": accept})
    assert status == 200 and headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0") and body.endswith("# EOF\n")
    for accept in "text/plain", "*/*", "application/openmetrics-text;q=0", "text/plain, application/openmetrics-text;q=0.1", "text/html,*/*;q=0.8":
        assert get(served, "/metrics", headers={"Accept": accept})[1]["Content-Type"].startswith("text/plain"), accept


def test_events(served):
    """attlsctl events: the monitor's, and a worker's own."""
    def told():
        done = subprocess.run([net.ATTLSCTL, "events", "--json", "-f", served.path], capture_output=True, text=True, timeout=net.DEADLINE)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["whole"] is True
        return answer["events"]
    before = process(served)
    os.kill(before, signal.SIGKILL)
    served.event("http-died", pid=before)
    (event,) = [e for e in told() if e["event"] == "http-died"]
    assert event["level"] == "error" and event["process"] == served.pid
    assert event["fix"].startswith("nothing, unless it repeats")  # the line itself does not say
    assert event["text"] == f"pid={before} signal=Killed"
    done = subprocess.run([net.ATTLSCTL, "events", "-f", served.path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert "http-died" in done.stdout and f"fix: {event['fix']}\n" in done.stdout and done.returncode == 0


def test_overview(served):
    with clients.explicit(served, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
        told = json.loads(get(served, "/overview")[2])
    assert told["state"] == "serving" and told["failure"] is None and told["policy"]["generation"] == 1
    assert told["policy"]["path"] == served.path and told["sessions"]["now"] == 1 and told["sessions"]["limit"] == 10000
    assert sorted(w["pid"] for w in told["workers"]) == sorted(served.workers()) and {w["state"] for w in told["workers"]} == {"serves"}
    assert {row["leg"] for row in told["tls"]} == {"client"} and all(isinstance(row["resumed"], bool) for row in told["tls"])
    (transfer,) = told["transfers"]
    assert transfer == {"direction": "download", "protection": "P", "result": "ok", "count": 1}
    assert told["history"]["step"] == 10 and len(told["history"]["sessions"]) >= 1
    assert {len(told["history"][row]) for row in ("sessions", "transfers", "handshakes", "refusals", "bytes_in", "bytes_out")} == {len(told["history"]["sessions"])}
    assert abs(told["now"] - told["started"]) < 60
    with open(served.path, "rb") as f:
        assert told["policy"]["digest"] == hashlib.sha256(f.read()).hexdigest()
    (server,) = told["backends"]
    assert server["address"] == served.tree["backends"]["legacy"]["address"]
    assert (server["name"], server["state"], server["connects"], server["failures"], server["last_failure"]) == ("legacy", "up", 1, 0, None)
    for key in "failures", "refusals", "backends", "certificates", "events":
        assert isinstance(told[key], list), key


def test_addresses_of_servers(served):
    """They are those of the policy in force, and all of a backend with several."""
    def shown():
        with clients.explicit(served, level="P"):
            return {row["name"]: row["address"] for row in json.loads(get(served, "/overview")[2])["backends"]}
    first = served.tree["backends"]["legacy"]["address"]
    assert shown() == {"legacy": first}
    tree = json.loads(json.dumps(served.tree))
    tree["backends"]["legacy"] = {"addresses": [first, "127.0.0.9:2021"]}
    before = process(served)
    assert served.reload(tree)
    served.event("http-started", count=2)
    net.until(lambda: before not in net.children(served.pid), "the old attlsd-http has ended")
    assert shown() == {"legacy": f"{first}, 127.0.0.9:2021"}


def write_token(folder, text="0123456789abcdef" * 2, mode=0o600):
    path = os.path.join(folder, "token")
    with open(path, "w") as f:
        f.write(text + "\n")
    os.chmod(path, mode)
    return path


def test_token_and_tls(launch, backend, folder):
    import ssl
    token = "0123456789abcdef" * 2
    gateway = start(launch, backend, folder, http_token_file=write_token(folder), http_keyring="ftpd")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def ask(path, headers):
        connection = http.client.HTTPSConnection(*address(gateway), timeout=net.DEADLINE, context=context)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body
    for path in "/healthz", "/readyz", "/", "/page.js":
        assert ask(path, {})[0].status == 200, path
    wrong = [{}, {"Authorization": "Bearer " + token[:-1]}, {"Authorization": "Bearer " + token + "0"}, {"Authorization": "Bearer "},
             {"Authorization": "Basic " + token}, {"Authorization": token}, {"Authorization": "Bearer " + "x" * 300}]
    for path in "/sessions", "/metrics", "/overview":
        for headers in wrong:
            answer, body = ask(path, headers)
            assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer" and b"{" not in body, (path, headers)
        assert ask(path, {"Authorization": "Bearer " + token})[0].status == 200, path
    assert "".join(gateway.lines).count(token) == 0
    with socket.create_connection(address(gateway), timeout=net.DEADLINE) as s:  # no TLS
        s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b"200" not in s.recv(100)
    assert process(gateway)
    assert not gateway.seen("http-died")


@pytest.mark.parametrize("mode, text, why", [
    (0o640, "0123456789abcdef", "its mode 640 gives other users access; chmod 600"),
    (0o604, "0123456789abcdef", "its mode 604 gives other users access; chmod 600"),
    (0o600, "short", "its first line must be a token of 16 to 256 printable characters without blanks"),
    (0o600, "with blanks in it, and long", "its first line must be a token"),
    (0o600, "", "its first line must be a token"),
    (0o600, "x" * 257, "its first line must be a token")])
def test_a_bad_token_file_is_a_fault(served, folder, mode, text, why):
    served.write(gateways.merge(served.tree, {"daemon": {"http_token_file": write_token(folder, text, mode)}}))
    status, printed = gateways.check(served.path)
    assert status == 1 and "cannot use the token file" in printed and why in printed, printed
    assert not text or len(text) < 16 or text not in printed


def test_an_address_in_use(launch, backend, folder, served):
    """At the start and at a reload, with the line of the policy."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        place = "127.0.0.1:%d" % other.getsockname()[1]
        since = served.mark()
        assert not served.reload(gateways.merge(served.tree, {"daemon": {"http": place}}))
        assert f'"http" cannot listen on {place}: another program is listening there' in served.log
        assert served.seen("reload-failed", since)
        assert get(served, "/readyz")[0] == 200  # where it was before
    assert served.reload(gateways.merge(served.tree, {"daemon": {"http": place}}))
    at = address(served, since)
    assert "%s:%d" % at == place
    assert get(served, "/readyz", at=at)[0] == 200


def test_a_reload_keeps_the_address_and_no_request_fails(served):
    at = address(served)
    before = process(served)
    for _ in range(3):
        assert served.reload(gateways.merge(served.tree, {}))
        for _ in range(20):
            assert get(served, "/healthz", at=at)[0] == 200
    assert process(served) != before
    assert not served.seen("http-died") and not served.seen("http-killed")
    assert served.reload(gateways.merge(served.tree, {"daemon": {"http": "none"}}))
    net.until(lambda: refuses(at), "nobody listens there any more")


def test_drain(served, backend):
    """Not ready at once, while a session goes on."""
    at = address(served)
    with clients.explicit(served, level="P") as c:
        data = c.open("STOR slow")
        served.process.send_signal(signal.SIGTERM)
        served.event("draining")
        assert get(served, "/readyz", at=at)[::2] == (503, "draining\n")
        assert get(served, "/healthz", at=at)[0] == 200
        assert json.loads(get(served, "/sessions", at=at)[2])["total"] == 1
        data.abort()


# --- UNIX sockets ---

def test_a_unix_socket(launch, backend, folder):
    """Only attlsd's user may ask, by any Host, and across a reload. The file goes with attlsd."""
    path = os.path.join(folder, "http.sock")
    gateway = start(launch, backend, folder, http=path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert gateway.event("http-started").keys["address"] == path
    assert get_unix(path, "/healthz")[::2] == (200, "ok\n")
    assert get_unix(path, "/readyz", headers={"Host": "anything.example"})[0] == 200
    with clients.explicit(gateway, level="P"):
        assert json.loads(get_unix(path, "/sessions")[2])["total"] == 1
    assert json.loads(get_unix(path, "/overview")[2])["state"] == "serving"
    before = os.stat(path).st_ino
    assert gateway.reload(gateway.tree)
    assert os.stat(path).st_ino == before and get_unix(path, "/healthz")[0] == 200
    gateway.tree["daemon"]["http"] = path + "2"
    assert gateway.reload(gateway.tree)
    assert get_unix(path + "2", "/healthz")[0] == 200 and not os.path.exists(path)
    gateway.tree["daemon"]["http"] = "none"
    assert gateway.reload(gateway.tree)
    assert not os.path.exists(path + "2")


def test_a_unix_socket_with_a_token(launch, backend, folder):
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="ascii") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("0123456789abcdef0123\n")
    path = os.path.join(folder, "http.sock")
    start(launch, backend, folder, http=path, http_token_file=token)
    assert get_unix(path, "/sessions")[0] == 401
    assert get_unix(path, "/sessions", headers={"Authorization": "Bearer 0123456789abcdef0123"})[0] == 200


def test_a_file_in_the_way_of_a_unix_socket(launch, backend, folder):
    """It stays, and the policy in force does, too."""
    path = os.path.join(folder, "precious")
    with open(path, "w", encoding="ascii") as f:
        f.write("data")
    gateway = start(launch, backend, folder)
    gateway.tree["daemon"]["http"] = path
    assert not gateway.reload(gateway.tree)
    assert f'"http" cannot be "{path}"' in gateway.log
    with open(path, encoding="ascii") as f:
        assert f.read() == "data"
    assert get(gateway, "/healthz")[0] == 200


def test_an_ordinary_user_can_run_it(launch, backend):
    gateway = launch(backend, preexec=net.as_nobody, daemon={"workers": 1, "http": "127.0.0.1:0"})
    assert get(gateway, "/healthz")[0] == 200 and get(gateway, "/readyz")[0] == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_at_a_unix_socket(launch, backend, folder):
    os.chmod(folder, 0o755)
    path = os.path.join(folder, "http.sock")
    start(launch, backend, folder, http=path)
    asked = subprocess.run(["/usr/bin/python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"],
                           user=net.NOBODY, group=net.NOBODY, extra_groups=[], capture_output=True, text=True, check=False)
    assert "PermissionError" in asked.stderr

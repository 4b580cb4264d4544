"""
A stand-in for attlsd-http that serves the page with the world that a test wants: ten thousand sessions, hostile
names, an attlsd that does not answer. `page_mock.py [PORT]` serves a busy gateway, to try the page by hand.
"""
import http.server
import ipaddress
import json
import math
import os
import random
import sys
import threading
import time
import urllib.parse

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "gateway", "http", "page")
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; "
       "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
STEPS = 360


def leg(**change):
    return {"control": "P", "tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "group": "x25519", "resumed": False, "data": None, "mode": None, "told": None,
            "peer": None, **change}


def session(number, legs=None, **change):
    """A session as /sessions has it."""
    return {"session": number, "client": "192.0.2.7:40112", "dialled": "198.51.100.1:21", "listener": "explicit", "age": 12.5, "idle": 1.25,
            "rule": "everyone", "backend": "legacy", "server": "10.0.0.5:21", "user": "anna", "tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384",
            "server_tls": None, "certificate": None, "transfer": None, "command": "NOOP", "waits_at": None, "worker": 4711, "generation": 3,
            "legs": legs or {"client": leg(), "server": leg(control="C", tls=None, cipher=None, group=None, resumed=None)}, **change}


def transfer(command, **change):
    t = {"command": command, "prot": "P", "server_prot": None, "protected": True, "bytes": 5 << 20, "age": 4.0, "file": command.partition(" ")[2] or None,
         "direction": "upload" if command[:4] in ("STOR", "APPE", "STOU") else "download", "rate": 0, "size": None, **change}
    return moved(t)


def moved(t):
    """What attlsd works out of bytes, size and rate."""
    t["percent"] = t["bytes"] * 100 // t["size"] if t["size"] else None
    t["left"] = (t["size"] - t["bytes"]) / t["rate"] if t["size"] and t["rate"] else None
    return t


def overview(**change):
    now = int(time.time())
    return {"version": "0.1.0", "node": "edge-1", "started": now - 90000, "now": now, "state": "serving", "failure": None,
            "policy": {"path": "/etc/attlsd/policy.yaml", "digest": "9f2c" * 16, "generation": 3, "since": now - 7200},
            "sessions": {"now": 1, "limit": 5000, "transfers": 0},
            "workers": [{"pid": 4711, "state": "serves", "generation": 3, "sessions": 1, "transfers": 0}],
            "history": {"step": 10, "end": now, **{key: [None] * STEPS for key in
                        ("sessions", "transfers", "handshakes", "refusals", "bytes_in", "bytes_out")}},
            "tls": [], "failures": [], "refusals": [], "transfers": [], "backends": [], "backend_servers": [], "certificates": [], "events": [], **change}


class World:
    """What the gateway says. Tests change its members."""

    def __init__(self):
        self.overview, self.sessions = overview(), []
        self.token, self.status, self.whole = None, None, True
        self.requests = []

    def matching(self, query):
        found = self.sessions
        for key in "user", "rule", "listener", "backend":
            if key in query:
                found = [s for s in found if s[key] == query[key]]
        if "client" in query:
            net = ipaddress.ip_network(query["client"], strict=False)
            found = [s for s in found if ipaddress.ip_address(s["client"].rpartition(":")[0].strip("[]")) in net]
        if "idle" in query:
            found = [s for s in found if s["idle"] >= int(query["idle"])]
        if query.get("transfers") == "1":
            found = [s for s in found if s["transfer"]]
        return found

    def page(self, query):
        found = self.matching(query)
        sort = query.get("sort", "session")
        key, down = sort.lstrip("-"), sort.startswith("-")

        def value(s):
            if key in ("rate", "bytes"):
                return (s["transfer"] or {}).get(key) or 0
            return s[key] if isinstance(s[key], (int, float)) else s[key] or ""
        found = sorted(found, key=lambda s: s["session"])
        found = sorted(found, key=value, reverse=(key in ("rate", "bytes", "age", "idle")) != down)
        at, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        return {"total": len(self.sessions), "matching": len(found), "whole": self.whole, "sessions": found[at:at + limit]}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        world = self.server.world
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        world.requests.append(self.path)
        if url.path in ("/overview", "/sessions"):
            if world.token and self.headers.get("Authorization") != "Bearer " + world.token:
                return self.answer(401, "text/plain", b"a token, please\n")
            status = world.status or (503 if url.path == "/overview" and world.overview is None else None)
            if status:
                return self.answer(status, "text/plain", b"no\n")
            body = world.overview if url.path == "/overview" else world.page(query)
            return self.answer(200, "application/json", json.dumps(body).encode())
        name = url.path.lstrip("/") or "index.html"
        if name not in os.listdir(PAGE):
            return self.answer(404, "text/plain", b"no\n")
        with open(os.path.join(PAGE, name), "rb") as f:
            return self.answer(200, TYPES[os.path.splitext(name)[1]], f.read())

    def answer(self, status, kind, body):
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Content-Security-Policy", CSP),
                            ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Mock:
    def __init__(self, port=0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.world = self.server.world = World()
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def busy(world, sessions=214):
    """A gateway on a working day."""
    dice = random.Random(7)
    now = int(time.time())
    users = ["anna", "batch-eod", "clearing", "edi.partner7", "mvsops", "payroll", "reports", "swift-in", "treasury"]
    commands = ["RETR PAYROLL.D261129.XMIT", "STOR camt053_20261129.xml", "RETR reports/2026/q4/positions.csv", "STOR 'PROD.EDI.INBOUND(+1)'", "LIST", "APPE trace.log"]
    for i in range(sessions):
        t = None
        control = dice.choice("PPPPPPPPPLC")
        data = dice.choice("PPPPPPC") if i % 17 == 3 else None
        if data:
            size = dice.choice([None, 20 << 20, 700 << 20, 4 << 30])
            t = transfer(dice.choice(commands), bytes=int((size or 9 << 20) * dice.random()), size=size, rate=int(dice.random() * 4e7), age=dice.random() * 90)
        legs = {"client": leg(control=control, data=data, mode="EPSV" if data else None, told="198.51.100.1:50017" if data else None),
                "server": leg(control="C", tls=None, cipher=None, group=None, resumed=None, data="C" if data else None, mode="PASV" if data else None)}
        world.sessions.append(session(1796000000000000 + i, user=dice.choice(users) if i % 23 else None, age=dice.random() * 20000, idle=dice.random() * 300,
                                      client="%s:%d" % (ipaddress.ip_address(0x0a010000 + dice.randrange(65536)), dice.randrange(1024, 65535)), transfer=t, legs=legs,
                                      tls={"L": "ccc", "C": None}.get(control, "TLSv1.3"), rule=dice.choice(["partners", "internal", "batch"]),
                                      backend=dice.choice(["mvs1", "mvs2", "archive"])))

    def wave(high, noise, phase=0.0):
        return [None] * 30 + [max(0, round(high * (0.6 + 0.35 * math.sin(i / 50 + phase)) + dice.uniform(-noise, noise))) for i in range(STEPS - 30)]
    o = overview(sessions={"now": sessions, "limit": 5000, "transfers": sum(1 for s in world.sessions if s["transfer"])})
    o["history"].update(sessions=wave(sessions, 4), transfers=wave(14, 3), handshakes=wave(60, 12, 1), refusals=[0 if dice.random() < 0.9 else dice.randrange(6) for _ in range(STEPS)],
                        bytes_in=wave(9e8, 1e8, 2), bytes_out=wave(2.4e9, 3e8))
    o["workers"] = [{"pid": 4711, "state": "serves", "generation": 3, "sessions": 120, "transfers": 9}, {"pid": 4712, "state": "serves", "generation": 3, "sessions": 90, "transfers": 4},
                    {"pid": 4400, "state": "retires", "generation": 2, "sessions": 4, "transfers": 0}]
    o["tls"] = [{"leg": "client", "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "group": "X25519MLKEM768", "resumed": False, "handshakes": 8121},
                {"leg": "client", "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "group": "x25519", "resumed": True, "handshakes": 51230},
                {"leg": "client", "version": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384", "group": "secp256r1", "resumed": False, "handshakes": 912},
                {"leg": "server", "version": "TLSv1.2", "cipher": "ECDHE-ECDSA-AES128-GCM-SHA256", "group": "secp256r1", "resumed": True, "handshakes": 4020}]
    o["failures"] = [{"leg": "client", "cause": "no-shared-cipher", "count": 31}, {"leg": "client", "cause": "closed by the client", "count": 212}]
    o["refusals"] = [{"verb": "PASS", "key": "secure_login", "count": 41}, {"verb": "SITE", "key": "commands_denied", "count": 7}, {"verb": "PORT", "key": None, "count": 2}]
    o["transfers"] = [{"direction": "download", "protection": "P", "result": "complete", "count": 91223}, {"direction": "upload", "protection": "P", "result": "complete", "count": 40110},
                      {"direction": "upload", "protection": "P", "result": "truncated", "count": 12}, {"direction": "download", "protection": "C", "result": "complete", "count": 803}]
    o["backends"] = [{"name": "mvs1", "address": "10.0.0.5:21", "state": "up", "connects": 81201, "failures": 0, "last_failure": None},
                     {"name": "mvs2", "address": "10.0.0.6:21", "state": "down", "connects": 51201, "failures": 14, "last_failure": {"time": now - 95, "text": "connection refused"}},
                     {"name": "archive", "address": "archive.bank.example:990", "state": "up", "connects": 4020, "failures": 3, "last_failure": {"time": now - 86400 * 3, "text": "timed out"}}]
    o["backend_servers"] = [{"backend": "archive", "address": "10.0.0.7:990", "state": "up", "since": now - 86000, "cause": None, "sessions": 40, "chosen": 2120},
                            {"backend": "archive", "address": "10.0.0.8:990", "state": "disabled", "since": now - 900, "cause": None, "sessions": 3, "chosen": 1900}]
    o["certificates"] = [{"keyring": "ftpd", "label": "rsa.pem", "subject": "CN=ftp.bank.example,O=Bank AG,C=CH", "kind": "certificate", "not_after": now + 86400 * 203},
                         {"keyring": "ftpd", "label": "ecdsa.pem", "subject": "CN=ftp.bank.example,O=Bank AG,C=CH", "kind": "certificate", "not_after": now + 86400 * 19 + 3600},
                         {"keyring": "partners", "label": "partners.crl", "subject": "CN=Partner CA 3", "kind": "crl", "not_after": now + 3600 * 30}]
    o["events"] = [{"time": now - 5000, "level": "warning", "event": "certificate-expires", "text": "keyring=ftpd file=ecdsa.pem days=19", "fix": "renew the certificate, then: attlsctl reload"},
                   {"time": now - 95, "level": "error", "event": "connect-failed", "text": "session=1796000000000101 client=10.1.7.3:40112 rule=partners backend=mvs2 address=10.0.0.6:21 reason=\"Connection refused\"", "fix": None},
                   {"time": now - 400, "level": "warning", "event": "data-port-unreachable", "text": "session=1796000000000042 client=10.1.9.9:51200 rule=internal told=198.51.100.1:50017", "fix": "open the ports 50000-50999 toward the gateway"}]
    world.overview = o


if __name__ == "__main__":
    mock = Mock(int(sys.argv[1]) if len(sys.argv) > 1 else 8021)
    busy(mock.world)
    print(mock.url, flush=True)
    while True:
        time.sleep(2)
        for each in mock.world.sessions:
            each["age"] += 2
            if each["transfer"]:
                t = each["transfer"]
                t["bytes"] = min(t["size"] or 1 << 40, t["bytes"] + 2 * t["rate"])
                moved(t)
        mock.world.overview["now"] = mock.world.overview["history"]["end"] = int(time.time())

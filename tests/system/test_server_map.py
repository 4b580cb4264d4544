"""server_map: which server a login gets, by its user, HOST, SNI or certificate."""
import json
import os
import signal
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
import servers

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}
OPEN = [{"ftp": CLEAR}]


def text(address):
    return "%s:%d" % address


class Fleet:
    """Three servers, a gateway in front of them, and its map; @0, @1 and @2 in a line are the servers."""

    def __init__(self, launch, make_backend, folder, lines, servers=None, **change):
        self.servers = servers or [make_backend(files={"x": b"server %d" % i}) for i in range(3)]
        self.addresses = [text(getattr(server, "address", server)) for server in self.servers]
        self.path = os.path.join(folder, "map")
        self.write(lines)
        backend = {"address": None, "addresses": self.addresses, "greet_first": True, "server_map": self.path, **change.pop("backend", {})}
        self.gateway = launch(backends={"legacy": backend}, **change)

    def write(self, lines, mode=0o644):
        for i, address in enumerate(self.addresses):
            lines = lines.replace("@%d" % i, address)
        with open(self.path, "w") as out:
            out.write(lines)
        os.chmod(self.path, mode)

    def users(self):
        """The USERs that each server has got."""
        return [[line[5:] for line in server.everything() if line.startswith("USER")] for server in self.servers]


@pytest.fixture
def fleet(launch, make_backend, folder):
    def start(lines, **more):
        more.setdefault("ftp", CLEAR)
        return Fleet(launch, make_backend, folder, lines, **more)
    return start


BY_USER = "# partners\nuser alice @1\nuser bob @2\n* @0\n"


@pytest.mark.parametrize("start", ["clear", "explicit", "implicit"])
def test_by_user(fleet, start):
    """The whole session is with that server, data connections included."""
    f = fleet(BY_USER)
    for user, server, line in (("alice", 1, 2), ("bob", 2, 3), ("carol", 0, 4), ("ALICE", 1, 2)):
        since = f.gateway.mark()
        with clients.Client(f.gateway.address["implicit" if start == "implicit" else "explicit"], implicit=start == "implicit") as c:
            if start == "explicit":
                c.auth()
            c.login(user)
            assert c.get("x") == b"server %d" % server
            chosen = f.gateway.event("server-chosen", since=since)
            assert (chosen.keys["address"], chosen.keys["map_line"]) == (f.addresses[server], str(line))
    assert f.users() == [["carol"], ["alice", "ALICE"], ["bob"]]


def test_by_sni_and_host(fleet):
    f = fleet("sni tls.example @1\nhost ftp.example @2\n* @0\n")
    for name, host, server in (("tls.example", None, 1), ("tls.example", "tls.example", 1), ("other.example", None, 0), (None, "ftp.example", 2),
                               (None, "FTP.Example", 2), (None, "ftp.example.", 0), (None, "[2001:db8::1]", 0), (None, None, 0)):
        with clients.Client(f.gateway.explicit).auth(name=name) as c:
            if host:
                c.expect("HOST " + host, 220)
            assert c.login().get("x", mode="EPSV") == b"server %d" % server, (name, host)


def test_host_as_rfc_7151_has_it(fleet):
    f = fleet("host ftp.example @2\n* @0\n")
    with clients.Client(f.gateway.implicit, implicit=True) as c:
        assert " HOST" in c.cmd("FEAT").split("\n")
        c.expect("HOST", 501)
        c.expect("HOST a b", 501)
        c.expect("HOST ftp.example", 220)
        c.expect("HOST other.example", 220)   # the last one counts
        c.expect("HOST ftp.example", 220)
        c.login()
        c.expect("HOST ftp.example", 503)
        assert c.get("x") == b"server 2"
        c.expect("REIN", 220)                 # and forgets it
        assert c.login().get("x") == b"server 0"
    with clients.Client(f.gateway.explicit) as c:
        c.expect("HOST ftp.example", 220)     # in the clear anybody can have said that
        assert c.auth().login().get("x") == b"server 0"
    with clients.Client(f.gateway.explicit).auth(name="other.example") as c:
        c.expect("HOST ftp.example", 504)


def test_without_host_lines_there_is_no_host(fleet):
    f = fleet(BY_USER)
    with clients.Client(f.gateway.explicit).auth() as c:
        assert " HOST" not in c.cmd("FEAT").split("\n")
        c.expect("HOST ftp.example", 502)
        assert c.login("alice").get("x") == b"server 1"


@pytest.mark.parametrize("named", ["subject", "sha256"])
def test_by_certificate(fleet, certificates, partners, named):
    def value(label):
        if named == "subject":
            return "CN=user1,O=Partner"
        der = subprocess.check_output(["openssl", "x509", "-in", partners.cert[label][0], "-outform", "DER"])  # of the leaf, which comes first
        return subprocess.check_output(["sha256sum"], input=der).split()[0].decode()
    ring = {"certificates": [certificates.ecdsa, certificates.rsa], "trust": partners.ca.pem}
    f = fleet(f"certificate {value('good')} @1\nuser user @2\n* @0\n", keyrings={"ftpd": ring},
              tls={"handshake_role": "server_with_client_auth", "client_auth_type": "passthru"})
    for label, user, server in (("good", "user", 1), ("good", "x", 1), (None, "user", 2), (None, "x", 0), ("other CA", "x", 0)):
        ctx = clients.context(own=partners.cert[label]) if label else None
        with clients.Client(f.gateway.explicit, ctx=ctx).auth() as c:
            assert c.login(user).get("x", ctx=ctx) == b"server %d" % server, (label, user)


@pytest.mark.parametrize("way", ["REIN", "CCC"])
def test_a_certificate_ends_with_tls(fleet, certificates, partners, way):
    """In the clear anybody on the way can send USER, so nobody has a certificate there."""
    ring = {"certificates": [certificates.ecdsa, certificates.rsa], "trust": partners.ca.pem}
    f = fleet("certificate CN=user1,O=Partner @1\n* @0\n", keyrings={"ftpd": ring},
              tls={"handshake_role": "server_with_client_auth", "client_auth_type": "passthru"})
    with clients.Client(f.gateway.explicit, ctx=clients.context(own=partners.cert["good"])).auth() as c:
        c.login("first")
        c.expect(way, 220 if way == "REIN" else 200)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        if way == "REIN":
            c.login("second")
        else:
            c.cmd("USER second")
    assert f.users() == [["second"], ["first"], []]


def test_the_first_line_counts(fleet):
    f = fleet("host ftp.example @1\nuser alice @2\nhost b.example @2\nuser bob balance\n* @0\n")
    for host, user, server in (("ftp.example", "alice", 1), ("b.example", "alice", 2), ("b.example", "bob", 2), (None, "alice", 2), (None, "bob", 0)):
        with clients.Client(f.gateway.explicit).auth() as c:
            if host:
                c.expect("HOST " + host, 220)
            assert c.login(user).get("x") == b"server %d" % server, (host, user)


def test_all_others_are_balanced(fleet):
    f = fleet("user alice @1\n* balance\n", backend={"balance": "round_robin"})
    for _ in range(6):
        clients.Client(f.gateway.explicit).auth().login().close()
    assert [len(server.sessions) for server in f.servers] == [2, 2, 2]


def test_a_dead_server_among_the_balanced(fleet):
    f = fleet("user alice @0\n* balance\n")
    f.servers[0].close()
    with clients.Client(f.gateway.explicit).auth() as c:
        assert c.login().get("x") == b"server 1"


@pytest.mark.parametrize("how", ["down", "disabled"])
def test_no_other_server_takes_its_place(fleet, how, folder):
    control = os.path.join(folder, "control")
    f = fleet(BY_USER, daemon={"control_socket": control}, backend={"health": {"fall": 1}})
    if how == "down":
        f.servers[1].close()
    else:
        subprocess.run([net.ATTLSCTL, "backend", "legacy", "disable", f.addresses[1], "--socket", control], check=True, stdout=subprocess.DEVNULL)
    for _ in range(3):
        with clients.Client(f.gateway.explicit).auth() as c:
            assert c.cmd("USER alice") == "421 The FTP server is not available, try again later."
            assert c.ended() == b""
    with clients.Client(f.gateway.explicit).auth() as c:
        assert c.login("bob").get("x") == b"server 2"
    assert f.users() == [[], [], ["bob"]]
    if how == "disabled":
        assert f.gateway.event("server-down").keys["error"] == "the server that server_map names is disabled"
    assert f.gateway.event("server-down").keys["address"] == f.addresses[1]


def test_rein_chooses_anew(fleet):
    f = fleet(BY_USER)
    with clients.Client(f.gateway.implicit, implicit=True) as c:
        for user, server in (("alice", 1), ("bob", 2), ("alice", 1), ("carol", 0)):
            assert c.login(user).get("x") == b"server %d" % server
            c.expect("REIN", 220)


def test_another_user_gets_another_server(fleet):
    """Before the login and after it; a password never goes to the server of the user before."""
    f = fleet(BY_USER)
    with clients.Client(f.gateway.explicit).auth() as c:
        c.expect("USER alice", 331)
        c.expect("USER bob", 331)
        c.expect("PASS secret", 230)
        assert c.get("x") == b"server 2"
        c.expect("USER alice", 331)
        c.expect("PWD", 530)
        c.expect("PASS secret", 230)
        assert c.get("x") == b"server 1"
    assert f.users() == [[], ["alice", "alice"], ["bob"]]
    assert ["PASS secret" in server.everything() for server in f.servers] == [False, True, True]


PIPELINED = [
    "USER alice\r\nUSER bob\r\nPASS p\r\n",
    "HOST alice\r\nUSER bob\r\nHOST alice\r\nPASS p\r\n",
    "NOOP\r\nUSER alice\r\nREIN\r\nUSER bob\r\nPASS p\r\n",
    "USER alice\r\nPASS p\r\nUSER bob\r\nPASS p\r\n",
]


@pytest.mark.parametrize("raw", PIPELINED, ids=repr)
def test_pipelined(fleet, raw):
    """What counts is the last USER, and each server hears only of its own users."""
    f = fleet("host alice @1\n" + BY_USER if "HOST" in raw else BY_USER)
    with clients.Client(f.gateway.implicit, implicit=True) as c:
        c.send(raw)
        for _ in range(raw.count("\r\n")):
            last = c.reply()
        assert last.code == 230
        want = 1 if "HOST" in raw else 2
        assert c.get("x") == b"server %d" % want
    assert "bob" in f.users()[want]
    for i, server in enumerate(f.servers):
        for session in server.sessions:
            names = [line for line in session.lines if line.startswith("USER")]
            assert len(names) == 1, names
            assert want == i or names == ["USER alice"]


ODD = [" alice", "alice ", "  alice", "alice\t", "\talice", "al\x01ice", "alice\x7f", "\xffalice", "al\xff\xf1ice", "alice\xff\xff", "", "x" * 256]


@pytest.mark.parametrize("name", ODD, ids=repr)
def test_names_that_servers_read_otherwise(fleet, name):
    """Servers strip blanks, Telnet's bytes or control characters, so such a name could be alice's at the wrong server."""
    f = fleet(BY_USER)
    with clients.Client(f.gateway.explicit).auth() as c:
        c.send(b"USER " + name.encode("latin-1") + b"\r\n")
        code = c.reply().code
        if name == "al\xff\xf1ice":  # the gateway takes Telnet's commands out itself
            assert code == 331 and f.users() == [[], ["alice"], []]
        else:
            assert code == 501 and not any(server.sessions for server in f.servers)


def test_nobody_learns_who_has_an_entry(fleet):
    """Replies are the same for all users, also to a second USER and before it."""
    f = fleet("user alice @1\n* @0\n")

    def dialogue(*lines):
        with clients.Client(f.gateway.explicit).auth() as c:
            return [str(c.cmd(line)) for line in lines]
    for lines in (["USER %s", "PASS x", "PWD"], ["NOOP", "USER %s", "USER u", "PASS x"], ["USER u", "USER %s", "PASS x"],
                  ["USER u", "PASS x", "USER %s", "PWD", "PASS x"], ["USER %s", "USER %s", "PASS x"]):
        assert dialogue(*[line.replace("%s", "alice") for line in lines]) == dialogue(*[line.replace("%s", "nobody") for line in lines])


def test_each_other_name_counts(fleet):
    """Each costs a connection, so a session may not do that for ever."""
    f = fleet(BY_USER)
    with clients.Client(f.gateway.implicit, implicit=True) as c:
        replies = []
        while not replies or replies[-1].code == 331:
            replies.append(c.cmd("USER u%d" % len(replies)))
    assert replies[-1].code == 421 and 10 < len(replies) < 30
    assert f.gateway.event("session-end").keys["reason"] == "too-many-renewals"


LEAVES = ["USER alice\r\nQUIT\r\n", "USER alice\r\nABOR\r\nPASS p\r\n", "USER alice\r\nREIN\r\nUSER bob\r\nPASS p\r\n", "USER alice\r\nUSER bob\r\n"]


@pytest.mark.parametrize("raw", LEAVES, ids=repr)
@pytest.mark.parametrize("how", ["reset", "shutdown"])
def test_a_client_leaves_while_its_server_is_silent(fleet, make_backend, folder, raw, how):
    """What it has sent ahead reaches no server, no session is left over, and the worker goes on."""
    control = os.path.join(folder, "control")
    with net.listen() as silent:
        others = [make_backend(files={"x": b"server 0"}), make_backend()]
        f = fleet(BY_USER, servers=[others[0], silent.getsockname(), others[1]], daemon={"control_socket": control, "workers": 1})
        workers = f.gateway.workers()
        c = clients.Client(f.gateway.implicit, implicit=True)
        c.send(raw)
        with silent.accept()[0] as conn:
            if how == "reset":
                net.reset(c.sock)
            else:
                c.tls.notify()
                c.sock.close()
            assert conn.recv(1) == b""
        f.gateway.event("session-end", deadline=5)
        with clients.Client(f.gateway.explicit).auth() as other:
            assert other.login().get("x") == b"server 0"
        assert f.gateway.workers() == workers
        assert not others[1].sessions
        told = json.loads(subprocess.run([net.ATTLSCTL, "backend", "legacy", "--json", "--socket", control], check=True, stdout=subprocess.PIPE).stdout)
        assert [server["chosen"] for server in told] == [1, 1, 0]
        assert told[1]["sessions"] == 0


def test_reload(fleet):
    """The map is part of the policy: it changes with a reload, for new sessions."""
    f = fleet(BY_USER)
    with clients.Client(f.gateway.explicit).auth() as old:
        f.write("user alice @2\n* @0\n")
        with clients.Client(f.gateway.explicit).auth() as c:
            assert c.login("alice").get("x") == b"server 1"
        f.gateway.reload()
        with clients.Client(f.gateway.explicit).auth() as c:
            assert c.login("alice").get("x") == b"server 2"
        assert old.login("alice").get("x") == b"server 1"


def test_a_bad_map_changes_nothing(fleet):
    f = fleet(BY_USER)
    f.write("user alice @2\nuser Alice @1\n* @0\n")
    os.kill(f.gateway.pid, signal.SIGHUP)
    said = f.gateway.event("policy").keys if f.gateway.seen("policy") else None
    f.gateway.event("reload-failed")
    assert 'user "Alice" is in line 1 already; remove one (line 2)' in f.gateway.log, said
    with clients.Client(f.gateway.explicit).auth() as c:
        assert c.login("alice").get("x") == b"server 1"


FAULTS = [
    (None, 0o644, "No such file or directory"),
    ("* @0\n", 0o664, "its mode 664 lets other users write to it; chmod go-w"),
    ("* @0\n", 0o646, "its mode 646 lets other users write to it; chmod go-w"),
    ("user a 192.0.2.9:21\n* @0\n", 0o644, "\"192.0.2.9:21\" is not in \"addresses\" of backends \"legacy\""),
    ("user a @0\n", 0o644, "its last line must be for all others; add \"* SERVER\" or \"* balance\""),
    ("certificate CN @0\n* @0\n", 0o644, "\"CN\" is neither a valid RFC 2253 name nor 64 hex digits"),
    ("certificate CN=a,O=b @0\ncertificate CN = A, O=b @0\n* @0\n", 0o644, "the certificate is in line 1 already; remove one (line 2)"),
    ("* @0\0\n", 0o644, "it has a NUL byte"),
]


def check(folder, tree):
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as out:
        out.write(gateways.as_yaml(tree))
    return gateways.check(path)


def policy(certificates, folder, **backend):
    return gateways.policy(certificates, ("127.0.0.1", 9), backends={"legacy": {
        "address": None, "addresses": ["127.0.0.1:9", "127.0.0.1:10"], "greet_first": True, "server_map": os.path.join(folder, "map"), **backend}})


@pytest.mark.parametrize("lines, mode, why", FAULTS, ids=repr)
def test_faults_of_a_map(certificates, folder, lines, mode, why):
    path = os.path.join(folder, "map")
    if lines is not None:
        with open(path, "w") as out:
            out.write(lines.replace("@0", "127.0.0.1:9"))
        os.chmod(path, mode)
    status, told = check(folder, policy(certificates, folder))
    assert status == 1 and why in told and path in told


@pytest.mark.parametrize("change, why", [
    ({"greet_first": None}, '"server_map" of backends "legacy" needs "greet_first: true"'),
    ({"address": "127.0.0.1:9", "addresses": None}, '"server_map" of backends "legacy" has no effect with "address"'),
], ids=["greet_first", "address"])
def test_faults_of_a_policy(certificates, folder, change, why):
    with open(os.path.join(folder, "map"), "w") as out:
        out.write("* 127.0.0.1:9\n")
    tree = gateways.merge(policy(certificates, folder), {"backends": {"legacy": change}})
    status, told = check(folder, tree)
    assert status == 1 and why in told


def test_a_subject_needs_one_authority(certificates, partners, folder):
    tree = policy(certificates, folder)
    both = os.path.join(folder, "both.pem")
    with open(both, "w") as out:
        for one in (partners.ca.pem, partners.strangers.pem):
            with open(one) as ca:
                out.write(ca.read())
    tree["keyrings"]["ftpd"]["trust"] = both
    tree["tls_actions"]["server"]["handshake_role"] = "server_with_client_auth"
    with open(os.path.join(folder, "map"), "w") as out:
        out.write("certificate CN=a,O=b 127.0.0.1:9\n* 127.0.0.1:9\n")
    status, told = check(folder, tree)
    assert status == 1 and "each can make a certificate with this subject" in told


def test_explain(certificates, folder):
    with open(os.path.join(folder, "map"), "w") as out:
        out.write("user alice 127.0.0.1:10\nhost ftp.example 127.0.0.1:10\nsni tls.example balance\n* 127.0.0.1:9\n")
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as out:
        out.write(gateways.as_yaml(policy(certificates, folder)))

    def explain(*more, status=0):
        told = subprocess.run([net.ATTLSCTL, "explain", "-f", path, "--listener", "explicit", "--client", "192.0.2.7", *more],
                              stdout=subprocess.PIPE, text=True, check=False)
        assert told.returncode == status, told
        return told.stdout
    for more, want in ((["--user", "ALICE"], (1, "user", "alice", "127.0.0.1:10")), (["--host", "ftp.example"], (2, "host", "ftp.example", "127.0.0.1:10")),
                       (["--sni", "tls.example"], (3, "sni", "tls.example", "balance")), (["--user", "bob"], (4, "*", "", "127.0.0.1:9")),
                       ([], (4, "*", "", "127.0.0.1:9"))):
        found = json.loads(explain("--json", *more))["map"]
        assert (found["line"], found["kind"], found["value"], found["server"]) == want
    assert "line 1: user alice: 127.0.0.1:10" in explain("--user", "alice")
    with open(os.path.join(folder, "other"), "w") as out:
        out.write("# moved\nuser alice 127.0.0.1:9\nhost ftp.example 127.0.0.1:10\n* 127.0.0.1:9\n")
    tree = policy(certificates, folder)
    tree["backends"]["legacy"]["server_map"] = os.path.join(folder, "other")
    other = os.path.join(folder, "other.yaml")
    with open(other, "w") as out:
        out.write(gateways.as_yaml(tree))

    def changes(*more):
        (one,) = json.loads(explain("--json", "--diff", other, *more, status=1))["clients"]
        return {change["what"]: (change["from"], change["to"]) for change in one["changes"] if change["what"].startswith("server_map.")}
    assert changes("--user", "alice") == {"server_map.server": ("127.0.0.1:10", "127.0.0.1:9")}
    assert changes("--host", "ftp.example") == {}
    states = {state["state"]: state["answers"] for state in json.loads(explain("--json"))["states"]}
    assert any(answer["command"] == "USER me" and answer["by"] == "server" for answer in states["under TLS"])


@pytest.mark.parametrize("name", ["vsftpd", "proftpd"])
def test_real_servers(fleet, real_server, make_backend, name):
    server = real_server(name)
    other = make_backend(files={"x": b"other"})
    address = (server.host, server.port)
    f = fleet(f"user {server.user} @0\n* @1\n", servers=[address, other])
    server.put("map.txt", b"of a real server")
    with clients.Client(f.gateway.explicit).auth() as c:
        c.login("somebody")
        assert c.get("x") == b"other"
    with clients.Client(f.gateway.explicit).auth() as c:
        c.expect("USER somebody", 331)
        c.login(server.user, server.password)
        assert c.get(server.where + "map.txt") == b"of a real server"


class VirtualHosts(servers.Server):
    """ProFTPD with a virtual host that only HOST leads to."""

    def more_proftpd(self):
        return f"""\
<VirtualHost {self.host}>
Port {self.port}
ServerAlias ftp.example
AuthOrder mod_auth_file.c
AuthPAM off
AuthUserFile {self.base}/passwd
AuthGroupFile {self.base}/group
RequireValidShell off
RootLogin on
AccessGrantMsg "the virtual host"
</VirtualHost>
"""


def test_the_server_is_told_the_host(fleet, make_backend):
    try:
        server = VirtualHosts("proftpd")
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        f = fleet("host ftp.example @0\nhost other.example @0\n* @0\n", servers=[(server.host, server.port), make_backend()])
        for host, answer in (("ftp.example", "230 the virtual host"), ("FTP.Example", "230 the virtual host"), ("other.example", "230 User tester logged in"),
                             (None, "230 User tester logged in")):
            with clients.Client(f.gateway.explicit).auth() as c:
                if host:
                    c.expect("HOST " + host, 220)
                for _ in range(2 if host else 1):  # another name gets another connection, which is told again
                    c.expect("USER bob", 331)
                    c.expect("USER " + server.user, 331)
                assert c.expect("PASS " + server.password, 230) == answer, host
    finally:
        server.stop()

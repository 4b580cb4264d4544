"""
docs/TROUBLESHOOTING.md: each section's symptom is provoked, its commands are run, and its lines are compared with the output.

In the page, a line that starts with `$ ` is a command, the lines after it are what it prints, and a block that starts with a
section of the policy is a fix. `...` stands for any text; numbers, addresses and paths may differ.
"""
import contextlib
import os
import re
import ssl
import subprocess
import time

import pytest

import backend as backends
import bad_server
import certs
import client as clients
import gateway as gateways
import net
from test_expiry import day

PAGE = os.path.join(net.ROOT, "docs", "TROUBLESHOOTING.md")
SECTIONS = ("daemon", "keyrings", "tls_actions", "ftp_actions", "backends", "listeners", "nat", "rules")
USUAL = re.compile(r"(?P<any>\.\.\.)|(?P<ip>\d+(?:\.\d+){3})(?P<port>:\d+)?|(?P<pasv>\d+(?:,\d+){5})|(?P<epsv>\(\|\|\|\d+\|\))"
                   r"|(?P<number>\b(?:session|ms|bytes|line)=)\d+|(?P<path>/etc/attlsd/[\w.-]+)|(?P<blank>\s+)|(?P<other>.)")


def pattern(line):
    """A regular expression for the lines that look like this one."""
    out = []
    for found in USUAL.finditer(line.strip()):
        kind = found.lastgroup if found.lastgroup != "port" else "ip"
        out.append({"any": ".*", "ip": r"\d+(?:\.\d+){3}" + (r":\d+" if found["port"] else ""), "pasv": r"\d+(?:,\d+){5}",
                    "epsv": r"\(\|\|\|\d+\|\)", "number": (found["number"] or "") + r"\d+", "path": r"\S+?", "blank": r"\s+",
                    "other": re.escape(found[0])}[kind])
    return re.compile("".join(out))


class Section:
    def __init__(self, title, text):
        self.title, self.commands, self.fixes = title, [], []
        for block in re.findall(r"(?:^ {4,}.*\n)+", text, re.M):
            lines = [line.strip() for line in block.splitlines()]
            if lines[0].startswith("$ "):
                for line in lines:
                    if line.startswith("$ "):
                        self.commands.append((line[2:], []))
                    else:
                        self.commands[-1][1].append(line)
            else:
                assert lines[0].partition(":")[0] in SECTIONS, f"{title}: neither a command nor a policy: {lines[0]}"
                self.fixes.append("\n".join(lines) + "\n")


def sections():
    with open(PAGE) as f:
        parts = re.split(r"^## (.*)\n", f.read(), flags=re.M)
    return {title: Section(title, text) for title, text in zip(parts[1::2], parts[2::2])}


PARSED = sections()
PROVOKED = {}


class Stage:
    """What a section needs: servers, a gateway, and the commands of the page as an administrator has them."""

    def __init__(self, launch, make_backend, certificates, partners, folder):
        self.start, self.make_backend, self.certificates, self.partners, self.folder = launch, make_backend, certificates, partners, folder
        self.backend = make_backend(files={"hello.txt": b"hello\r\n"})

    def launch(self, backend=None, **change):
        change.setdefault("daemon", {}).setdefault("control_socket", os.path.join(self.folder, "control.sock"))
        self.gateway = self.start(backend or self.backend, **change)
        return self.gateway

    def client(self, **kw):
        return clients.Client(self.gateway.explicit, **kw)

    @contextlib.contextmanager
    def visit(self):
        """A client; the log has all about it after its end."""
        with self.client() as c:
            address = "%s:%d" % c.sock.getsockname()
            yield c
        self.gateway.event("session-end", client=address)

    @contextlib.contextmanager
    def session(self):
        """The same after a login."""
        with self.visit() as c:
            yield c.auth().login("me").prot("P")
            c.cmd("QUIT")

    def run(self, command):
        shims = {"journalctl": rf"sed -nE 's/^\S+Z +(error|warning|info) +//p' {self.folder}/log",
                 "attlsctl": f'name=$1; shift; case " $name $* " in *" -f "*|" help "*) ;; *) set -- -f {self.gateway.path} "$@" ;; esac\n'
                             f'exec {net.ATTLSCTL} "$name" "$@"'}
        for name, script in shims.items():
            path = os.path.join(self.folder, name)
            with open(path, "w") as f:
                f.write(f"#!/bin/sh\n{script}\n")
            os.chmod(path, 0o755)
        with open(os.path.join(self.folder, "log"), "w") as f:
            f.write(self.gateway.log + "\n")
        if getattr(self.gateway, "address", None):
            command = command.replace("ftp.example.com:21", "%s:%d" % self.gateway.explicit)
        done = subprocess.run(["sh", "-c", command], cwd=self.gateway.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=net.DEADLINE,
                              env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}:/usr/sbin:/sbin"})
        return done.stdout


def provokes(*titles):
    def keep(function):
        PROVOKED.update(dict.fromkeys(titles, function))
        return function
    return keep


@pytest.fixture
def stage(launch, make_backend, certificates, partners, folder):
    return Stage(launch, make_backend, certificates, partners, folder)


@pytest.mark.parametrize("title", [title for title, section in PARSED.items() if section.commands])
def test_commands_print_what_the_page_says(stage, title):
    """Each line of the page is among the output, in this order."""
    state = PROVOKED[title](stage)
    for command, wanted in PARSED[title].commands:
        next(state, None)  # the symptom, or the next of several
        output = stage.run(command)
        rest = iter(output.splitlines())
        for line in wanted:
            assert any(pattern(line).fullmatch(got.strip()) for got in rest), f"$ {command}\nno line is like\n{line}\nin\n{output}"
    for _ in state:
        raise AssertionError(f"{title}: the page has fewer commands than the test")


def test_every_section_is_provoked():
    assert set(PROVOKED) == {title for title, section in PARSED.items() if section.commands}


def with_fix(base, fix):
    """The text of a policy with this section instead of its own."""
    return "".join(f"{key}: {gateways.json.dumps(value)}\n" for key, value in base.items() if key != fix.partition(":")[0]) + fix


@pytest.mark.parametrize("title", [title for title, section in PARSED.items() if section.fixes])
def test_fixes_are_good_policies(certificates, folder, title):
    base = gateways.policy(certificates, ("127.0.0.1", 2021))
    for number, fix in enumerate(PARSED[title].fixes):
        path = os.path.join(folder, f"{number}.yaml")
        with open(path, "w") as f:
            f.write(with_fix(base, fix))
        status, said = gateways.check(path)
        assert status == 0, said


def transfers_without_resumption(c):
    c.auth().login().prot("P")
    data = clients.Tls(net.dial(c.epsv()))
    assert c.cmd("LIST").code == 150 and data.read_all() and c.reply().code == 226


def ends_without_notify(c):
    """CCC, and the client goes on in the clear without close_notify."""
    c.auth().login().expect("CCC", 200)
    c.tls, c.buffer = None, b""
    c.expect("PWD", 257)


FIXED = {
    "Works inside, not outside": lambda c: c.auth().login().expect("PASV", 227).index("(203,0,113,10,"),
    "Works with curl, not with FileZilla": lambda c: c.auth().login().expect("PASV", 227).index("(203,0,113,10,"),
    "425: the server's data port cannot be reached": lambda c: c.auth().login().prot("P").get("hello.txt"),
    "522: works with one client, not with another": transfers_without_resumption,
    "534: the policy wants more protection": lambda c: c.auth().login().expect("CCC", 200),
    "CCC hangs": ends_without_notify,
    "500 or 502: a command is refused": lambda c: c.auth().login().expect("XFOO", 214),
    "The client waits, or the handshake fails at once": lambda c: setattr(c, "tls", clients.Tls(c.sock)) or c.reply().index("220 "),
}


@pytest.mark.parametrize("title", FIXED)
def test_fixes_help(stage, title):
    """With the fix, the client gets what the section is about."""
    backend = stage.make_backend(files={"hello.txt": b"hello"}, XFOO="214 Here", EPSV=closed_passive("229 Entering Extended Passive Mode (|||%d|)")
                                 if title.startswith("425") else backends.Session.on_EPSV)
    (fix,) = PARSED[title].fixes
    fix = fix.replace("127.0.0.1:2021", "%s:%d" % backend.address).replace("0.0.0.0:21", "127.0.0.1:0")
    stage.gateway = stage.start(tree=with_fix(gateways.policy(stage.certificates, backend.address), fix))
    with stage.client(greet="tls: auto" not in fix) as c:
        FIXED[title](c)


def refusals():
    """The codes of refusals that attlsd makes itself."""
    with open(os.path.join(net.ROOT, "ftp-alg", "local-reply.def")) as f:
        return {code for code in re.findall(r'"(\d\d\d)[ -]', f.read()) if code >= "400"}


def test_every_code_is_in_the_page_and_in_the_manual():
    with open(PAGE) as f:
        page = f.read()
    table = page.split("## Which reply code")[1].split("\n## ")[0]
    codes = {code for row in re.findall(r"^\| (\d[\d, ]*) \|", table, re.M) for code in row.split(", ")}
    assert codes == refusals()
    with open(os.path.join(net.ROOT, "docs", "man", "attlsd.8")) as f:
        manual = f.read().split(".Ss Reply codes")[1].split("\n.Ss")[0].split("\n.Sh")[0]
    assert {code for row in re.findall(r"^\.It (.*)$", manual, re.M) for code in re.findall(r"\d{3}", row)} == refusals()
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in PARSED}
    for anchor in re.findall(r"\]\(#([^)]+)\)", page):
        assert anchor in anchors, f"no section for #{anchor}"


# --- the symptoms ---

@provokes("LIST hangs, and ends with 425")
def no_data_connection(stage):
    stage.launch(ftp={"datatimeout": "1s"})
    with stage.session() as c:
        c.pasv()
        c.expect("LIST", 150)
        assert c.reply().code == 425
    with stage.client() as waiting:
        waiting.auth().login("me").prot("P").pasv()
        yield
        yield


@provokes("Works inside, not outside")
def inside_address(stage):
    stage.launch()
    with stage.session() as c:
        c.pasv()
    yield
    yield


@provokes("Works with curl, not with FileZilla")
def wrong_address(stage):
    stage.launch(nat={"advertise": "203.0.113.99"})
    with stage.session() as c:
        c.get("hello.txt", "EPSV")
        c.pasv()
    yield
    yield


def closed_passive(text):
    def answer(session, _):
        port = session.passive()
        session.drop_listener()
        session.reply(text % ((port,) if "|" in text else (port >> 8, port & 255)))
    return answer


@provokes("425: the server's data port cannot be reached")
def unreachable_server_port(stage):
    stage.launch(stage.make_backend(EPSV=closed_passive("229 Entering Extended Passive Mode (|||%d|)"), EPRT="500 no", PORT="500 no",
                                    PASV=closed_passive("227 Entering Passive Mode (127,0,0,1,%d,%d)")))
    with stage.session() as c:
        c.wrap(net.dial(c.epsv()))
        assert c.cmd("LIST") == "425 Can't open data connection to the FTP server."
    yield
    yield


@provokes("425: no data port is free")
def no_data_port(stage):
    with net.listen("127.0.0.1") as taken:
        port = taken.getsockname()[1]
        stage.launch(ftp={"passivedataports": f"{port}-{port}"})
        with stage.session() as c:
            assert c.cmd("PASV") == "425 No data port is free, try again later."
        yield
        yield


@provokes("426: a transfer breaks off")
def broken_transfers(stage):
    stage.launch(ftp={"datacttime": "1s"})
    with stage.session() as c:
        data = c.open("STOR x")
        data.send(b"half")
        data.sock.close()
        assert c.reply() == "426 Connection closed; transfer aborted: the data ended without close_notify."
        data = c.open("STOR x")
        data.send(b"half")
        assert c.reply() == "426 Transfer aborted: the data connection stalled."
    yield
    yield


@provokes("521: a transfer needs PROT P")
def clear_data(stage):
    stage.launch()
    with stage.visit() as c:
        c.auth().login("me").epsv()
        c.expect("LIST", 521)
    yield


@provokes("522: TLS on the data connection")
def clear_data_in_spite_of_prot_p(stage):
    stage.launch()
    with stage.session() as c:
        with net.dial(c.epsv()) as data:
            since = stage.gateway.mark()
            data.sendall(b"not TLS\r\n" * 9)
            stage.gateway.event("data-tls-failed", since)  # otherwise STOR may come first, and the server's 150
            assert c.cmd("STOR x") == "522 TLS negotiation failed on the data connection."
        assert c.cmd("EPRT |2|2001:db8::1|50000|") == "522 Network protocol not supported, use (1)"
    yield


@provokes("522: works with one client, not with another")
def no_resumption(stage):
    stage.launch(ftp={"secure_session_reuse": "required"})
    with stage.session() as c:
        clients.Tls(net.dial(c.epsv()))
        c.send("LIST\r\n")
        stage.gateway.event("session-not-reused")
        assert c.reply().code in (150, 522)
    yield


@provokes("530 before the password")
def no_tls(stage):
    stage.launch()
    with stage.visit() as c:
        c.expect("USER me", 530)
    yield


@provokes("530 after the password")
def wrong_password(stage):
    stage.launch(stage.make_backend(PASS="530 Login incorrect"))
    with stage.visit() as c:
        c.auth().expect("USER me", 331)
        assert c.cmd("PASS wrong") == "530 PASS command failed"
    yield


@provokes("Login is slow")
def delayed_password(stage):
    """The password after a wrong one waits for login_delay."""
    stage.launch(stage.make_backend(PASS=lambda session, word: session.reply("230 Logged in" if word == "right" else "530 Login incorrect")))
    with stage.visit() as c:
        c.auth().expect("USER me", 331)
        c.expect("PASS wrong", 530)
        start = time.monotonic()
        c.login("me", "right")
        assert time.monotonic() - start > 0.9
    yield
    yield


@provokes("534: the policy wants more protection")
def less_protection(stage):
    stage.launch()
    with stage.session() as c:
        c.expect("PROT C", 534)
        c.expect("CCC", 534)
    yield


@provokes("CCC hangs")
def tls_after_ccc(stage):
    stage.launch(ftp={"secure_ctrlconn": "clear"})
    with stage.client() as c:
        c.auth().login("me").expect("CCC", 200)
        c.tls.send(b"PWD\r\n")
        stage.gateway.event("session-end")
    yield


@provokes("500 or 502: a command is refused")
def refused_commands(stage):
    stage.launch(ftp={"commands_denied": ["DELE"]})
    with stage.session() as c:
        c.expect("XFOO", 500)
        c.expect("DELE x", 502)
    yield


@provokes("504: PORT is refused")
def foreign_port(stage):
    stage.launch()
    with stage.session() as c:
        c.expect("PORT 192,0,2,1,195,80", 504)
    yield


@provokes("Clients get 421")
def ends(stage):
    rule = {"tls": "server", "ftp": "standard"}
    stage.launch(daemon={"limits": {"sessions_per_source": 1}}, backends={"legacy": {"address": "127.0.0.1:9"}, "other": {"address": "%s:%d" % stage.backend.address}},
                 rules={"everyone": {"match": {"remote_addr": ["127.0.0.1"]}, "backend": "legacy"},
                        "third": {**rule, "match": {"remote_addr": ["127.0.0.3"]}, "backend": "other"}})
    for source in "127.0.0.1", "127.0.0.2":
        with stage.client(greet=False, source=(source, 0)) as c:
            c.assert_ends(421)
    stage.gateway.event("session-end", reason="no-rule")
    with stage.client(source=("127.0.0.3", 0)), stage.client(greet=False, source=("127.0.0.3", 0)) as c:
        c.assert_ends(421)
        stage.gateway.event("refused")
    yield


@provokes("The client waits, or the handshake fails at once")
def wrong_port(stage):
    stage.launch(tls={"handshake_timeout": "1s"})
    with stage.client() as c, contextlib.suppress(ssl.SSLError, OSError):
        clients.Tls(c.sock)
    stage.gateway.event("session-end", reason="tls-on-clear-port")
    with net.dial(stage.gateway.implicit):
        stage.gateway.event("session-end", reason="no-tls-begun")
    yield
    yield


@provokes("The certificate has expired")
def expired(stage):
    ca = stage.partners.ca
    extensions = os.path.join(stage.folder, "server.ext")
    with open(extensions, "w") as f:
        f.write("[leaf]\nsubjectAltName = DNS:localhost\n")
    ca._request("expired", "/CN=localhost")
    ca._sign("expired", "leaf", (day(-80), day(-1)), "-extfile", extensions)
    pair = {"chain": os.path.join(ca.folder, "expired.pem"), "key": os.path.join(ca.folder, "expired.key")}
    stage.launch(keyrings={"ftpd": {"certificates": [pair]}})
    stage.gateway.event("certificate-expired")
    with stage.visit() as c:
        c.expect("AUTH TLS", 234)
        with pytest.raises(ssl.SSLError):
            clients.Tls(c.sock, ssl.create_default_context(cafile=ca.pem), name="localhost")
    for _ in range(4):
        yield


@provokes("421: the certificate of the server does not verify")
def wrong_server(stage):
    with contextlib.closing(bad_server.BadServer(stage.certificates.ecdsa)) as server:
        stage.launch(keyrings={"partners": {"trust": stage.certificates.ca.pem}},
                     tls_actions={"to-partner": {"handshake_role": "client", "keyring": "partners"}},
                     backends={"legacy": None, "partner": {"address": "%s:%d" % server.address, "tls": "to-partner",
                                                           "hostname": "ftp.partner.example"}},
                     rules={"everyone": {"backend": "partner"}})
        since = stage.gateway.mark()
        with stage.client(greet=False) as c:
            assert str(c.reply()).startswith("421 TLS negotiation with the FTP server failed")
        stage.gateway.event("session-end", since)
        yield  # journalctl
        yield  # doctor
    assert b"USER" not in server.in_clear


@provokes("Nobody can log in after a reload")
def bad_reload(stage):
    stage.launch(tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"},
                 keyrings={"ftpd": {"trust": stage.partners.ca.pem}})
    with open(stage.gateway.path) as f:
        old = gateways.json.load(f)
    stage.gateway.write("version: 1\n")
    yield  # attlsctl reload
    with open(os.path.join(stage.gateway.folder, "policy.old.yaml"), "w") as f:
        f.write(gateways.as_yaml(old))
    assert stage.gateway.reload(gateways.merge(old, {"ftp_actions": {"standard": {"secure_login": "required"}}}))
    yield  # attlsctl explain --diff
    with stage.visit() as c:
        c.auth().expect("USER me", 531)
    yield


@provokes("attlsd does not start")
def no_start(stage):
    stage.launch(tree="version: 1\nkeyrings: {}\ntls_actions: { server: {} }\nftp_actions: { standard: {} }\nbackends: { legacy: { address: \"127.0.0.1:2021\" } }\n"
                      "listeners: { explicit: { address: \"127.0.0.1:0\" } }\nrules: { everyone: { tls: server, ftp: standard, backend: legacy } }\n", wait=False)
    assert stage.gateway.ended() == 78
    yield
    yield


@provokes("attlsd does not start: another program has the port")
def port_in_use(stage):
    with net.listen("127.0.0.1") as taken:
        stage.launch(listeners={"explicit": {"address": "127.0.0.1:%d" % taken.getsockname()[1]}}, wait=False)
        assert stage.gateway.ended() == 1
        yield
        yield


@provokes('doctor says "cannot tell"')
def cannot_tell(stage):
    if os.geteuid() != 0:
        pytest.skip("transparent listeners need CAP_NET_ADMIN")
    stage.launch(backends={"legacy": {"address": "127.0.0.1:9", "source": "client"}},
                 listeners={"explicit": {"transparent": True}, "implicit": None})
    yield

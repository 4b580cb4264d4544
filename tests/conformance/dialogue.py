"""
Read and play the tables of this folder.

A table is a text file about one topic. It consists of cases. A case lists what
both ends of the gateway see, in order:

    == PROT before PBSZ                     the name of the case
    spec    1.5; RFC 4217 9                 the source of the rule
    policy  ftp.secure_dataconn=clear       changes to the smallest policy
    start   login P                         the state of the session when the case begins
    >> PASV                                 the client sends this line
    -> EPSV                                 the gateway sends the server this line, and nothing else before it
    <- 229 Entering (|||{S}|)               the server sends this line
    << 227 Entering Passive Mode ({G,}).    the gateway sends the client this line, and nothing else before it
    .. download tls                         another action: see the do_ methods below

The test is both client and server, so the table has every byte on both sides.
If a case does not end the session, the test sends a NOOP, which must reach the
server directly, and then ends the session as the client. Either way, an extra
line on either side fails the case.

Lines before the first case apply to the whole table. "own" gives a case its own
gateway (a gateway remembers which commands a server refuses). "open" describes
how the gateway still differs from the case. "each a ; b" and the "- x ; y" lines
below it repeat a case with {a} and {b} replaced. >| and <| send bytes without
the line end. In all lines, \\r \\n \\0 \\t \\xHH are bytes, and {c*n} is n times
the character c. "..." at the end of an expected line matches any rest.

Ports: {C} {C,} {C|} is a port on which the client starts to listen, {S} {S,} a
port on which the server does, and {G} {G,} the port that the gateway names; with
a comma in the format of PORT and 227, with a bar in that of EPRT. {S;} is only
the two numbers of the port. {C!} is the client's address, and {c} is the port of
the client's end of its control connection.

start:   none      the client is connected; the server has sent nothing yet
         clear     the client also has the greeting
         tls       the client has also completed AUTH TLS
         login     the client has also logged in ("clear login": without TLS)
         implicit  the client has its greeting under TLS on the implicit port
         C, P      the client has also sent PBSZ 0 and PROT C or P (not for P on the implicit port)
         ccc       the client has also sent CCC, and both sides have sent close_notify
         1.2, 1.3  the only TLS version of the client; zos: the greeting comes before the handshake
         sni=name  the client requests the certificate of this host
         cert=name the client has this certificate (see people.py)

"policy rule.KEY" sets a key of the only rule, and "banner=one_line|another" writes the file of ftp.banner.

Servers with TLS: "policy backend.tls=outer" makes the case's server speak TLS, and "outer.KEY" sets a key of that
entry of tls_actions. The start then includes the gateway's AUTH and the handshake, as backend.secure_mechanism and
backend.secureimplicitzos have them. server=name in start is the server's certificate (see Pool.server_files),
server=1.2 its only version of TLS (1.0, 1.2, 1.3), and
with server=forgets it resumes no TLS session. "listener.tls=none" is for clients that speak no TLS. Each case ends with a look at
all bytes that came to the server: see tls_server.py.
"""
import contextlib
import glob
import json
import os
import re
import socket
import ssl
import time

import client as clients
import gateway as gateways
import net
import people
import tls_server

HERE = os.path.dirname(os.path.abspath(__file__))
GREETING = "220 Server ready"
CONTENT = bytes(range(256)) * 300


class Case:
    def __init__(self, topic, name, line):
        self.topic, self.name, self.line = topic, name, line
        self.policy, self.start, self.spec, self.own, self.steps = {}, "login", "", False, []
        self.missing = ""
        self.each, self.rows = [], []

    def __repr__(self):
        return f"{self.topic}: {self.name}"

    def expand(self):
        if not self.each:
            return [self]
        return [self.row(dict(zip(self.each, row))) for row in self.rows]

    def row(self, values):
        def fill(text):
            for key, value in values.items():
                text = text.replace("{%s}" % key, value)
            return text
        made = Case(self.topic, fill(self.name), self.line)
        for key, value in self.policy.items():
            key, _, more = fill(key).partition("=")
            made.policy[key] = fill(value) or more
        made.start, made.spec, made.own = fill(self.start), self.spec, self.own
        made.missing = self.missing
        made.steps = [(number, prefix, fill(text)) for number, prefix, text in self.steps]
        made.steps = [step for step in made.steps if step[1] == ".." or step[2].strip() != "-"]
        return made


def read_table(path):
    """All cases of one table."""
    topic = os.path.basename(path).rsplit(".", 1)[0]
    common, case, cases = Case(topic, "", 0), None, []
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        target = case or common
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word == "==":
            case = Case(topic, rest, number)
            case.policy, case.start, case.spec, case.own = dict(common.policy), common.start, common.spec, common.own
            cases.append(case)
        elif word == "policy":
            target.policy.update(item.partition("=")[::2] for item in rest.split())
        elif word in ("start", "spec"):
            setattr(target, word, rest)
        elif word == "own":
            target.own = True
        elif word == "open":
            target.missing = rest
        elif word == "each":
            target.each = [key.strip() for key in rest.split(";")]
        elif word == "-" and target.each and not target.steps:
            row = [value.strip() for value in rest.split(" ;")]
            assert len(row) == len(target.each), f"{path}:{number}: {len(target.each)} values are wanted"
            target.rows.append(row)
        elif word in (">>", "<<", "->", "<-", ">|", "<|", ".."):
            assert case, f"{path}:{number}: before the first case"
            case.steps.append((number, word, line[3:] if word in (">|", "<|") else line[3:].rstrip()))
        else:
            raise AssertionError(f"{path}:{number}: what is {word!r}?")
    return [made for each in cases for made in each.expand()]


def tables():
    return sorted(glob.glob(os.path.join(HERE, "*.txt")))


def value_of(text):
    if text.startswith("[{"):
        return json.loads(text)
    if text.startswith("["):
        return [value_of(item.replace("_", " ")) for item in text[1:-1].split(",") if item]
    return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


def unescape(text):
    text = re.sub(r"\{(.|(?:\\x..)+)\*(\d+)\}", lambda m: m.group(1) * int(m.group(2)), text)
    plain = {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}
    return re.sub(r"\\(x[0-9a-f]{2}|[rn0t\\])",
                  lambda m: chr(int(m.group(1)[1:], 16)) if m.group(1)[0] == "x" else plain[m.group(1)], text)


class Pool:
    """Running gateways, one for each distinct policy, each with the listening socket of its server."""

    def __init__(self, certificates, folder):
        self.certificates, self.folder, self.running, self.count = certificates, folder, {}, 0
        self.made = None

    def server_files(self, name):
        """Certificate and key of a server with TLS: ours, or one that the gateway must refuse."""
        if name == "foreign":
            base = os.path.join(self.people.folder, name)
            return base + ".pem", base + ".key"
        files = {"ours": self.certificates.ecdsa, "rsa": self.certificates.rsa, "other": self.certificates.other}[name]
        return files["chain"], files["key"]

    @property
    def people(self):
        if self.made is None:
            folder = os.path.join(self.folder, "people")
            os.mkdir(folder)
            self.made = people.People(folder)
        return self.made

    def get(self, policy, own=False):
        key = repr(sorted(policy.items())) if not own else object()
        if key not in self.running:
            self.running[key] = self.start(dict(policy))
        return key, self.running[key]

    def start(self, policy):
        server = net.listen(policy.pop("server", "127.0.0.1"))
        listen = policy.pop("listen", "127.0.0.1")
        host = "[%s]" % listen if ":" in listen else listen
        change = {"listeners": {"explicit": {"address": host + ":0"}, "implicit": {"address": host + ":0"}}}
        ftp, tls = {}, {}
        for name, text in policy.items():
            section, _, key = name.partition(".")
            value = value_of(text)
            if section == "ftp":
                ftp[key] = value
            elif section == "tls":
                tls[key] = value
            elif section == "outer":
                change.setdefault("tls_actions", {}).setdefault("outer", {})[key] = value
            elif section == "listener":
                change["listeners"]["explicit"][key] = value
            elif section == "rule":
                change.setdefault("rules", {}).setdefault("everyone", {})[key] = value
            elif name == "banner":
                ftp["banner"] = os.path.join(self.folder, "banner%d" % self.count)
                with open(ftp["banner"], "w", encoding="utf-8") as f:
                    f.writelines(line.replace("_", " ") + "\n" for line in text.split("|"))
            elif section == "keyring":
                change.setdefault("keyrings", {}).setdefault("ftpd", {})[key] = self.people.path(value)
            elif name == "users":
                change["users"] = self.people.users()
                for user in text.split("+") if ":" in text else []:
                    user, _, services = user.partition(":")
                    change["users"][user]["services"] = [services]
                    change.setdefault("backends", {})[services] = {"address": "127.0.0.1:9"}
            elif section == "backend":
                change.setdefault("backends", {}).setdefault("legacy", {})[key] = value
            else:
                assert section in ("daemon", "nat"), name
                inner = change.setdefault(section, {})
                *path, last = key.split(".")
                for part in path:
                    inner = inner.setdefault(part, {})
                inner[last] = value
        if change.get("backends", {}).get("legacy", {}).get("tls") == "outer":
            change.setdefault("keyrings", {})["outer"] = {"trust": self.certificates.ca.pem}
            outer = change.setdefault("tls_actions", {}).setdefault("outer", {})
            outer.update(handshake_role="client", keyring="outer")
        if change["listeners"]["explicit"].get("tls") == "none":
            change["listeners"]["implicit"] = None
            change.setdefault("rules", {}).setdefault("everyone", {})["tls"] = None
        address, port = server.getsockname()[:2]
        address = "[%s]" % address if ":" in address else address
        tree = gateways.policy(self.certificates, (address, port), ftp, tls, **change)
        folder = os.path.join(self.folder, "gateway%d" % self.count)
        self.count += 1
        os.mkdir(folder)
        return gateways.Gateway(folder, tree), server

    def drop(self, key):
        gateway, server = self.running.pop(key)
        server.close()
        if getattr(gateway, "told", False):
            assert gateway.ended() == 0
        elif gateway.process.poll() is None:
            gateway.stop()

    def stop(self):
        faults = []
        for key in list(self.running):
            try:
                self.drop(key)
            except AssertionError as fault:
                faults.append(str(fault))
        assert not faults, "\n".join(faults)


class Ended(Exception):
    """The peer ended the connection instead of sending a line."""


class Wire:
    """One end of a control connection, line by line."""

    def __init__(self, sock):
        self.sock, self.tls, self.buffer = sock, None, b""
        self.heard = bytearray()  # from the other end, as it was on the wire
        self.cleared = False      # the server has agreed to CCC

    def send(self, raw):
        self.tls.send(raw) if self.tls else self.sock.sendall(raw)

    def recv(self):
        if self.tls:
            data = self.tls.recv()
            self.end = self.tls.end
            return data
        try:
            data = self.sock.recv(65536)
            self.end = "fin"
            self.heard += data
            return data
        except ConnectionError:
            self.end = "reset"
            return b""

    def line(self):
        while b"\n" not in self.buffer:
            data = self.recv()
            if not data:
                raise Ended(f"{self.end} after {self.buffer!r}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        assert line.endswith(b"\r"), b"a line without CR: " + line
        return line[:-1].decode("latin-1")

    def is_quiet(self, seconds):
        """Does nothing arrive for a while? TLS's own messages (tickets) do not count."""
        end = time.monotonic() + seconds
        while not self.buffer:
            if self.tls:
                try:
                    self.buffer += self.tls.ssl.read(65536)
                    return False
                except ssl.SSLWantReadError:
                    pass
            if net.quiet(self.sock, max(0, end - time.monotonic())):
                return True
            if not self.tls:
                return False
            self.tls.more()
        return False

    def rest(self):
        """Read until the connection ends."""
        data, self.buffer = self.buffer, b""
        while piece := self.recv():
            data += piece
        return data


def comma(address):
    host, port = address[:2]
    return "%s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255)


class Player:
    """Play one case against one gateway."""

    def __init__(self, gateway, server_socket, case, pool):
        self.gateway, self.server_socket, self.case, self.pool = gateway, server_socket, case, pool
        self.words = case.start.split()
        self.done = []          # a log of the case, for the report
        self.open = []          # sockets to close
        self.servers, self.server_ctx = [], None
        self.ended = False
        self.server_ended = False
        self.client_data = self.server_data = None  # ("dial", address) or ("accept", listener)
        self.data = self.far = None                 # the two ends of the data connection
        self.session = None
        self.outer = case.policy.get("backend.tls") == "outer"
        self.mechanism = case.policy.get("backend.secure_mechanism", "tls")
        self.since = gateway.mark()
        version = [word for word in self.words if word in ("1.2", "1.3")]
        self.name = next((word[4:] for word in self.words if word.startswith("sni=") and word != "sni=-"), None)
        self.ctx = self.context(version[0] if version else None)

    def context(self, version=None, certificate=None):
        """A TLS context for this client's start, or for another certificate."""
        ctx = clients.context(versions=version)
        named = [word[5:] for word in self.words if word.startswith("cert=")]
        if certificate or named:
            self.pool.people.load(ctx, certificate or named[0])
        return ctx

    def keep(self, sock):
        self.open.append(sock)
        return sock

    def close(self):
        for sock in self.open:
            sock.close()

    # --- the start of a session ---
    def accept_server(self):
        sock, peer = self.server_socket.accept()
        sock.settimeout(net.DEADLINE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server_near, self.server_peer = sock.getsockname()[0], peer[0]
        self.server = Wire(self.keep(sock))
        self.server_ended = False
        self.servers.append(self.server)

    def server_context(self):
        """One for all connections of a case, so that sessions can be resumed."""
        if self.server_ctx is None or "server=forgets" in self.words:
            named = [word[7:] for word in self.words if word.startswith("server=")]
            versions = next((word for word in named if word in tls_server.VERSIONS), None)
            name = next((word for word in named if word not in (*tls_server.VERSIONS, "forgets")), "ours")
            self.server_ctx = tls_server.context(self.pool.server_files(name), versions)
        return self.server_ctx

    def connect(self):
        implicit = "implicit" in self.words
        self.client = Wire(self.keep(net.dial(self.gateway.address["implicit" if implicit else "explicit"])))
        if implicit and "zos" not in self.words:
            self.handshake()
        self.accept_server()

    def handshake(self, session=None):
        self.client.tls = clients.Tls(self.client.sock, self.ctx, session=session, name=self.name)

    def talk(self, *lines):
        """The steps of a start, which many cases share."""
        for line in lines:
            self.step(line[:2], line[3:])

    def begin(self):
        words = self.words
        self.connect()
        if "none" in words:
            return
        hidden = self.case.policy.get("ftp.replysecuritylevel") == "1"
        if self.outer:
            hidden |= self.greet_server()
        else:
            self.talk("<- " + GREETING)
        self.talk("<< " + ("220 FTP server ready." if hidden else GREETING))
        if "zos" in words:
            self.handshake()
        if "implicit" not in words and "clear" not in words:
            self.talk(">> AUTH TLS", "<< 234 Security environment established - ready for negotiation", ".. tls")
        if "login" in words or {"C", "P", "ccc"} & set(words):
            self.talk(">> USER user", "-> USER user", "<- 331 Password", "<< 331 Password",
                      ">> PASS secret", "-> PASS secret", "<- 230 In", "<< 230 In")
        if self.client.tls:
            self.session = self.client.tls.session
        for level in "CP":
            if level in words:
                self.talk(">> PBSZ 0", "<< 200 PBSZ=0", ">> PROT " + level, "<< 200 Data connection protection set to ...")
        if "ccc" in words:
            self.talk(">> CCC", "<< 200 CCC command successful.", ".. close_notify both ways")

    def greet_server(self):
        """The server's greeting and its TLS. Does the client see a greeting of the gateway's instead?"""
        if self.mechanism == "implicit" and self.case.policy.get("backend.secureimplicitzos") != "true":
            self.talk(".. server tls", "<- " + GREETING)
            return False
        self.talk("<- " + GREETING)
        if self.mechanism != "implicit":
            self.talk("-> AUTH " + self.mechanism.upper(), "<- 234 Go on")
        self.talk(".. server tls")
        return True

    # --- lines ---
    def fill(self, text):
        """Replace the placeholders of a line to send."""
        def listener(side):
            host = self.client.sock.getsockname()[0]
            sock = self.keep(net.listen(host if side == "C" else self.server_near))
            if side == "C":
                self.client_data = ("accept", sock)
            else:
                self.server_data = ("accept", sock)
            return sock.getsockname()

        def place(m):
            if m.group(0) == "{C!}":
                return self.client.sock.getsockname()[0]
            if m.group(0) == "{c}":
                return str(self.client.sock.getsockname()[1])
            address = listener(m.group(1))
            if m.group(2) == ";":
                return "%d,%d" % (address[1] >> 8, address[1] & 255)
            if m.group(2) == ",":
                return comma(address)
            if m.group(2) == "|":
                return "|%d|%s|%d|" % (2 if ":" in address[0] else 1, address[0], address[1])
            return str(address[1])
        return unescape(re.sub(r"\{([CS])([,;|]?)\}|\{C!\}|\{c\}", place, text)).encode("latin-1")

    def compare(self, expected, got, side):
        """Does the line match? Records the port that the gateway names."""
        expected = unescape(expected)
        pattern = re.escape(expected)
        pattern = re.sub(r"\\\.\\\.\\\.$", ".*", pattern)
        pattern = pattern.replace(re.escape("{G,}"), r"(?P<comma>\d+,\d+,\d+,\d+,\d+,\d+)")
        pattern = pattern.replace(re.escape("{G}"), r"(?P<port>\d+)")
        pattern = pattern.replace(re.escape("{G!}"), re.escape(self.server_peer))
        found = re.fullmatch(pattern, got, re.DOTALL)
        assert found, f"got      {got!r}"
        groups = found.groupdict()
        if groups.get("comma"):
            n = [int(x) for x in groups["comma"].split(",")]
            address = (".".join(map(str, n[:4])), n[4] * 256 + n[5])
        elif groups.get("port"):
            host = self.client.sock.getpeername()[0] if side == "client" else self.server_peer
            address = (host, int(groups["port"]))
        else:
            return
        if side == "client":
            self.client_data = ("dial", address)
        else:
            self.server_data = ("dial", address)

    def step(self, prefix, text):
        self.done.append(f"{prefix} {text}")
        if prefix == ">>":
            self.client.send(self.fill(text) + b"\r\n")
        elif prefix == ">|":
            self.client.send(self.fill(text))
        elif prefix == "<-":
            self.server.send(self.fill(text) + b"\r\n")
        elif prefix == "<|":
            self.server.send(self.fill(text))
        elif prefix == "<<":
            self.compare(text, self.client.line(), "client")
        elif prefix == "->":
            self.compare(text, self.server.line(), "server")
        else:
            self.action(text)

    def action(self, text):
        words = text.split()
        for n in range(len(words), 0, -1):
            method = getattr(self, "do_" + "_".join(words[:n]).replace("-", "_"), None)
            if method:
                method(*words[n:])
                return
        raise AssertionError(f"no such action: {text}")

    def play(self):
        try:
            self.begin()
            for number, prefix, text in self.case.steps:
                self.at = number
                self.step(prefix, text)
            self.at = self.case.line
            self.finish()
            self.check_wire()
        except (AssertionError, Ended, OSError, ssl.SSLError) as fault:
            where = f"{self.case.topic}.txt:{getattr(self, 'at', self.case.line)}"
            raise AssertionError("\n".join(["", *self.done[-12:], f"{where}: {type(fault).__name__}: {fault}",
                                            self.gateway.log[-2000:]])) from None
        finally:
            self.close()

    def finish(self):
        if not self.ended:
            self.talk(">> NOOP", "-> NOOP", "<- 200 End of the case", "<< 200 End of the case")
            if self.client.tls:
                self.client.tls.notify()
            self.client.sock.shutdown(socket.SHUT_WR)
            assert self.client.rest() == b""
        if not self.server_ended:
            assert self.server.rest() == b"", "the server got more than the table says"

    def check_wire(self):
        for server in self.servers if self.outer else []:
            tls_server.check_wire(server.heard, self.mechanism, server.cleared)

    # --- actions: the server's TLS ---
    def do_server_tls(self, version=None):
        """The server completes the handshake with the gateway."""
        assert not self.server.buffer, b"the server got in the clear: " + self.server.buffer
        self.server.tls = tls_server.ServerTls(self.server.sock, self.server_context(), self.server.heard)
        if version:
            assert self.server.tls.ssl.version() == version

    def do_server_tls_is_refused(self):
        """The gateway refuses the server, in its handshake or right after it, and says no line under TLS."""
        try:
            self.do_server_tls()
            assert self.server.tls.read_all() == b""
        except (ssl.SSLError, ConnectionError):
            pass
        self.server_ended = True

    def do_server_hears_a_hello(self):
        """The gateway's first flight has come; the server does not answer it."""
        self.server.heard += self.server.buffer + (b"" if self.server.buffer else self.server.sock.recv(65536))
        self.server.buffer = b""

    def do_server_notifies(self):
        """The server sends close_notify and ends its connection in order."""
        self.server.tls.notify()
        self.server.sock.shutdown(socket.SHUT_WR)

    def do_server_hears_a_hello_at_most(self):
        """The gateway ends the connection, after its first flight at the latest."""
        with contextlib.suppress(ConnectionError):
            while piece := self.server.sock.recv(65536):
                self.server.heard += piece
        self.server_ended = True

    def do_server_leaves_tls(self, notify="notify"):
        """After CCC: close_notify both ways, or (silently) neither."""
        if notify == "notify":
            assert self.server.tls.recv() == b"" and self.server.tls.end == "clean", self.server.tls.end
            self.server.tls.notify()
        self.server.buffer, self.server.tls = self.server.tls.rest(), None
        self.server.cleared = True

    def do_server_data_tls(self, want=None):
        """The server starts TLS on its data connection; want: resumed or new."""
        self.far = tls_server.ServerTls(self.far.sock, self.server_context(), bytearray())
        if want:
            assert self.far.reused == (want == "resumed"), f"resumed: {self.far.reused}"

    def do_server_data_tls_is_refused(self):
        """The gateway ends the server's data connection in the handshake or right after it."""
        try:
            self.do_server_data_tls()
            assert self.far.read_all() == b"" and self.far.end != "clean", self.far.end
        except (ssl.SSLError, ConnectionError):
            pass
        self.far.sock.close()

    # --- actions: control connection ---
    def do_tls(self, version=None):
        """The client completes its handshake."""
        assert not self.client.buffer, b"cleartext after 234: " + self.client.buffer
        self.handshake()
        if version:
            assert self.client.tls.ssl.version() == version

    def do_tls_is_refused(self):
        """The gateway refuses the client in the handshake, or directly after it in TLS 1.3."""
        assert people.denies(clients.Tls(self.client.sock, self.ctx, name=self.name, handshake=False))
        self.ended = True
        assert self.server.rest() == b"", "the server got more than the table says"
        self.server_ended = True

    def do_tls_ends_at_once(self):
        """The handshake succeeds, and the session ends without a reply."""
        self.do_tls()
        self.do_end()

    def do_close_notify_both_ways(self):
        assert self.client.tls.recv() == b"" and self.client.tls.end == "clean", self.client.tls.end
        self.client.tls.notify()
        self.client.buffer, self.client.tls = self.client.tls.rest(), None

    def do_gateway_sends_close_notify(self):
        assert self.client.tls.recv() == b"" and self.client.tls.end == "clean", self.client.tls.end

    def do_client_sends_close_notify(self, way="whole"):
        """whole, split (two segments), bytes (one by one), joined (in one segment with the next line)."""
        tls = self.client.tls
        try:
            tls.ssl.unwrap()
        except ssl.SSLError:
            pass
        notify = tls.outbound.read()
        assert notify
        pieces = {"whole": [notify], "split": [notify[:3], notify[3:]], "bytes": [notify[n:n + 1] for n in range(len(notify))],
                  "joined": [notify + b"NOOP\r\n"]}[way]
        for piece in pieces:
            self.client.sock.sendall(piece)

    def do_client_goes_on_in_the_clear(self):
        """Bytes after the end of TLS stay in the buffer."""
        self.client.buffer, self.client.tls = self.client.tls.rest(), None

    def do_server_is_renewed(self):
        """The gateway opens a new control connection to the server and ends the old one."""
        assert self.server.rest() == b""
        self.accept_server()

    def do_server_closes(self):
        self.server.sock.shutdown(socket.SHUT_RDWR)
        self.server_ended = True

    def do_server_resets(self):
        net.reset(self.server.sock)
        self.server_ended = True

    def do_daemon_is_told_to_end(self):
        self.gateway.process.terminate()
        self.gateway.told = True

    def do_client_closes(self):
        self.client.sock.close()
        self.ended = True

    def do_end(self, how="clean"):
        """The gateway ends the session: close_notify (under TLS) and FIN to the client, FIN to the server."""
        got = self.client.rest()
        assert got == b"", f"got      {got!r}"
        if self.client.tls:
            assert self.client.end == how, self.client.end
        self.ended = True
        if not self.server_ended:
            assert self.server.rest() == b"", "the server got more than the table says"
            self.server_ended = True

    def do_session_breaks(self):
        """The gateway ends the session without sending another readable byte."""
        try:
            got = self.client.rest()
        except ssl.SSLError:
            got = b""
        assert got == b"", f"got      {got!r}"
        self.ended = True
        assert self.server.rest() == b"", "the server got more than the table says"
        self.server_ended = True

    def do_client_hears_nothing(self, *words):
        """Wait a moment, or "for N s"."""
        seconds = float(words[1]) if words else 0.1
        assert self.client.is_quiet(seconds), f"the client got something: {self.client.buffer!r}"

    def do_server_hears_nothing(self, *words):
        """Likewise."""
        assert self.server.is_quiet(float(words[1]) if words else 0.1), "the server got something"

    def do_client_sends_urgent(self, text):
        """Send TCP urgent data; the last byte is the urgent one."""
        self.client.sock.send(unescape(text).encode("latin-1"), socket.MSG_OOB)

    def do_client_sends_bytewise(self, *words):
        for byte in unescape(" ".join(words)).encode("latin-1"):
            self.client.send(bytes([byte]))

    def do_log(self, event, *pairs):
        values = dict(pair.split("=", 1) for pair in pairs)
        for name in set(values) - {"key"}:  # keys of the policy have underscores
            values[name] = values[name].replace("_", " ")
        self.gateway.event(event, self.since, **values)

    def do_keepalive(self, side, seconds):
        """The kernel's keep-alive timer on the gateway's end of a connection, from /proc/net/tcp."""
        near = {"client": self.client.sock, "server": self.server.sock,
                "client-data": getattr(self.data, "sock", None), "server-data": getattr(self.far, "sock", None)}[side]
        local, remote = near.getpeername()[1], near.getsockname()[1]

        def timer():
            with open("/proc/net/tcp") as f:
                for line in f.readlines()[1:]:
                    field = line.split()
                    if int(field[1].split(":")[1], 16) == local and int(field[2].split(":")[1], 16) == remote:
                        kind, when = field[5].split(":")
                        return kind, int(when, 16) / os.sysconf("SC_CLK_TCK")
            raise AssertionError("no such connection")
        if seconds == "off":
            net.until(lambda: timer()[0] == "00", "no timer")
            return
        kind, left = net.until(lambda: timer() if timer()[0] == "02" else None, "a keep-alive timer")
        assert int(seconds) - 10 < left <= int(seconds) + 1, f"keep-alive after {left} s"

    # --- actions: data connections ---
    def do_client_dials(self, source=None):
        how, address = self.client_data
        assert how == "dial"
        self.data = clients.Plain(self.keep(net.dial(address, (source, 0) if source else None)))

    def do_stranger_dials(self, source):
        """Another address connects to the client's data port and gets nothing."""
        with contextlib.suppress(ConnectionError):
            assert net.end_of(self.keep(net.dial(self.client_data[1], (source, 0))))[1] == b""

    def do_client_cannot_dial(self):
        how, address = self.client_data
        assert how == "dial"
        try:
            net.dial(address).close()
        except ConnectionError:
            return
        raise AssertionError(f"{address} is open")

    def do_client_accepts(self):
        how, listener = self.client_data
        assert how == "accept"
        sock, _ = listener.accept()
        listener.close()
        sock.settimeout(net.DEADLINE)
        self.data = clients.Plain(self.keep(sock))

    def do_client_ends_writing(self):
        self.client.sock.shutdown(socket.SHUT_WR)

    def do_client_stops_listening(self):
        self.client_data[1].close()

    def do_server_stops_listening(self):
        self.server_data[1].close()

    def do_server_accepts(self):
        how, listener = self.server_data
        assert how == "accept"
        sock, _ = listener.accept()
        listener.close()
        sock.settimeout(net.DEADLINE)
        self.far = clients.Plain(self.keep(sock))

    def do_server_dials(self):
        how, address = self.server_data
        assert how == "dial"
        self.far = clients.Plain(self.keep(net.dial(address)))

    def do_client_opens_data(self):
        self.do_client_dials() if self.client_data[0] == "dial" else self.do_client_accepts()

    def do_server_opens_data(self):
        self.do_server_dials() if self.server_data[0] == "dial" else self.do_server_accepts()

    def do_data_tls_with_certificate(self, certificate):
        """A new TLS session with a different certificate than that of the control connection ("none": with none)."""
        ctx = clients.context() if certificate == "none" else self.context(certificate=certificate)
        self.data = clients.Tls(self.data.sock, ctx, handshake=False)
        assert people.denies(self.data)

    def do_data_clear(self):
        """Leave the data connection as it is, for tables of levels."""

    def do_data_tls(self, session="own", want=None):
        """The client starts TLS on the data connection: own (resumes the control connection's TLS session) or new."""
        kw = {"session": self.session} if session == "own" else {}
        self.data = clients.Tls(self.data.sock, self.ctx, **kw)
        if want:
            assert self.data.reused == (want == "resumed"), f"resumed: {self.data.reused}"

    def do_client_says_hello(self):
        """Send only the first flight of the data connection's handshake."""
        self.data = clients.Tls(self.data.sock, self.ctx, session=self.session, handshake=False)
        self.data.sock.sendall(self.data.hello())

    def do_data_tls_goes_on(self):
        self.data.handshake()

    def do_client_data_is_closed(self):
        self.data.notify()
        self.data.read_all()
        assert self.data.end == "clean", self.data.end
        self.data.sock.close()

    def do_data_tls_fails(self, session="new"):
        try:
            self.do_data_tls(session)
            got = self.data.read_all()
            assert got == b"" and self.data.end != "clean", (got, self.data.end)
        except (ssl.SSLError, ConnectionError):
            pass

    def do_data_opens(self, level="clear"):
        self.do_client_opens_data()
        if level == "tls":
            self.do_data_tls()
        self.do_server_opens_data()

    def do_download(self, level="clear", server=None, *want):
        """
        With both ends open, the server sends a file and closes; the client gets all of it with an orderly end.
        "server": under TLS at the server's end, too; want: resumed or new.
        """
        self.do_client_opens_data()
        self.do_server_opens_data()
        if level == "tls":
            self.do_data_tls()
        if server:
            self.do_server_data_tls(*want)
        self.far.send(CONTENT)
        self.far.close()
        self.do_client_has_all()

    def do_upload(self, level="clear", server=None, *want):
        self.do_client_opens_data()
        self.do_server_opens_data()
        if level == "tls":
            self.do_data_tls()
        if server:
            self.do_server_data_tls(*want)
        self.data.send(CONTENT)
        self.data.close()
        assert self.far_end() == ("clean" if server else "fin", CONTENT)
        self.far.close()

    def far_end(self):
        """How the server's data end: fin or reset; under TLS clean (close_notify), fin (cut) or reset."""
        data = self.far.read_all()
        plain = isinstance(self.far, clients.Plain)
        return "fin" if plain and self.far.end == "clean" else self.far.end, data

    def do_server_sends(self, text):
        self.far.send(text.encode())

    def do_server_ends_data(self, how="fin"):
        """fin, reset; under TLS, a close_notify comes before the fin, but not with cut."""
        if how == "reset":
            self.far.abort()
        else:
            self.far.close(notify=how != "cut")

    def do_client_receives(self, text):
        got = b""
        while len(got) < len(text):
            piece = self.data.recv()
            assert piece, f"got      {got!r}, then {self.data.end}"
            got += piece
        assert got == text.encode(), f"got      {got!r}"

    def do_client_has_all(self, *_):
        got = self.data.read_all()
        assert got == CONTENT and self.data.end == "clean", (len(got), self.data.end)
        self.data.close()

    def do_client_data_is_reset(self):
        self.data.read_all()
        assert self.data.end == "reset", self.data.end
        self.data.sock.close()

    def do_client_data_ends(self, how="clean"):
        """clean: close_notify (TLS) or FIN; cut: anything else."""
        self.data.read_all()
        assert (self.data.end == "clean") == (how == "clean"), self.data.end
        self.data.sock.close()

    def do_server_receives(self, text):
        got = b""
        while len(got) < len(text):
            piece = self.far.recv()
            assert piece, f"got      {got!r}, then the end"
            got += piece
        assert got == text.encode(), f"got      {got!r}"

    def do_client_sends(self, text):
        self.data.send(text.encode())

    def do_client_ends_data(self, how="clean"):
        """clean, cut (FIN without close_notify), reset."""
        if how == "reset":
            self.data.abort()
        else:
            self.data.close(notify=how == "clean")

    def do_server_data_ends(self, how="fin", text=""):
        got = self.far_end()
        assert got == (how, text.encode()), f"got      {got!r}"
        self.far.close()

    def do_no_data_at_server(self):
        """Nothing has connected to the server's data port."""
        listener = self.server_data[1]
        assert net.quiet(listener, 0.1), "the gateway dialled the server's data port"

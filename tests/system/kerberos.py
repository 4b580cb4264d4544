"""
A real KDC on loopback, with a realm of its own, and an FTP client that speaks AUTH GSSAPI (RFC 2228) by way of
MIT's library. No program of Debian's does both commands and data as the RFC has it: yafc sends
blocks of data on its control connection.
"""
import base64
import os
import shutil
import socket
import struct
import subprocess
import tempfile

import client as clients
import net

REALM = "ATTLSD.TEST"
PROGRAMS = "/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local", "/usr/bin/kinit"
CODES = {"MIC": 631, "CONF": 633, "ENC": 632}


def why_not():
    """Why there is no KDC here; None: there is one."""
    missing = [path for path in PROGRAMS if not os.access(path, os.X_OK)]
    if missing:
        return f"{missing[0]} is missing: install krb5-kdc, krb5-admin-server and krb5-user"
    try:
        import gssapi  # noqa: F401
    except ImportError:
        return "python3-gssapi is missing"
    return None


class Kdc:
    """A KDC, the keytab of a service, and the tickets of clients. The environment of this process points to them."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="attlsd-kdc-")
        os.chmod(self.folder, 0o755)
        self.port = net.free_port()
        self.write("krb5.conf", f"""
[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 65000
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{self.port}
 }}
[domain_realm]
 localhost = {REALM}
""")
        self.write("kdc.conf", f"""
[kdcdefaults]
 kdc_listen = 127.0.0.1:{self.port}
 kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
 {REALM} = {{
  database_name = {self.path("db")}
  key_stash_file = {self.path("stash")}
  acl_file = {self.path("acl")}
  supported_enctypes = aes256-cts-hmac-sha1-96:normal aes256-cts-hmac-sha384-192:normal aes128-cts-hmac-sha1-96:normal
 }}
""")
        self.before = {name: os.environ.get(name) for name in ("KRB5_CONFIG", "KRB5_KDC_PROFILE", "KRB5CCNAME")}
        os.environ["KRB5_CONFIG"] = self.path("krb5.conf")
        os.environ["KRB5_KDC_PROFILE"] = self.path("kdc.conf")
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for name in "ftp/localhost", "host/localhost", "other/localhost":
            self.admin(f"addprinc -randkey {name}")
        for name in "alice", "bob", "nobody":
            self.admin(f"addprinc -pw secret {name}")
        self.keytab = self.path("ftp.keytab")
        self.admin(f"ktadd -k {self.keytab} ftp/localhost")
        self.process = subprocess.Popen(["/usr/sbin/krb5kdc", "-n", "-P", self.path("pid")], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=net.die_with_parent)
        net.until(self.is_up, "the KDC answers")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def run(self, program, *argv, **more):
        path = shutil.which(program, path="/usr/sbin:/usr/bin")
        done = subprocess.run([path, *argv], capture_output=True, text=True, timeout=net.DEADLINE,
                              **{"stdin": subprocess.DEVNULL, **more})
        assert done.returncode == 0, f"{program} {argv}: {done.stderr}"
        return done.stdout

    def admin(self, query):
        self.run("kadmin.local", "-q", query)

    def is_up(self):
        assert self.process.poll() is None, "krb5kdc ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def ticket(self, user="alice"):
        """Log a user in; returns the credentials cache."""
        cache = self.path("cache-" + user)
        if not os.path.exists(cache):
            self.run("kinit", "-c", cache, user, stdin=None, input="secret\n")
        return cache

    def stop(self):
        self.process.terminate()
        self.process.wait(net.DEADLINE)
        shutil.rmtree(self.folder)
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Client(clients.Client):
    """An FTP client under GSSAPI. expect() and the like go on working, protected."""

    def __init__(self, address, kdc, user="alice", service="ftp@localhost", flags=None, **more):
        import gssapi
        # how commands are protected (MIC, CONF, ENC; None: not), and the replies that came: 0 for one in the clear
        self.verb, self.codes, self.raw = None, [], b""
        self.prot_level, self.size = "C", 0
        super().__init__(address, **more)
        os.environ["KRB5CCNAME"] = kdc.ticket(user)
        default = gssapi.RequirementFlag
        self.context = gssapi.SecurityContext(
            name=gssapi.Name(service, gssapi.NameType.hostbased_service), usage="initiate",
            creds=gssapi.Credentials(usage="initiate", store={"ccache": "FILE:" + kdc.ticket(user)}),
            flags=(default.mutual_authentication | default.out_of_sequence_detection
                   | default.replay_detection) if flags is None else flags)

    def token(self, answer=None):
        return base64.b64encode(self.context.step(answer) or b"").decode()

    def login_gssapi(self, verb="ENC"):
        """AUTH and ADAT; commands are protected from there on."""
        self.expect("AUTH GSSAPI", 334)
        reply = self.expect("ADAT " + self.token(), 235)
        self.context.step(base64.b64decode(reply.partition("ADAT=")[2]))
        assert self.context.complete
        self.verb = verb
        return self

    def seal(self, data, encrypt=True):
        return self.context.wrap(data, encrypt).message

    def envelope(self, text, verb=None):
        verb = verb or self.verb
        token = self.seal(text.encode("latin-1"), verb != "MIC")
        return f"{verb} {base64.b64encode(token).decode()}\r\n"

    def send(self, raw):
        if self.verb and isinstance(raw, str):
            raw = self.envelope(raw)
        super().send(raw)

    def recv(self):
        """The next line, without its protection: the data that was sent before another one has to be read first."""
        while b"\n" not in self.raw:
            piece = super().recv()
            if not piece:
                return b""
            self.raw += piece
        line, newline, self.raw = self.raw.partition(b"\n")
        return self.open_line(line + newline)

    def open_line(self, line):
        if line[:3] not in (b"631", b"632", b"633"):
            self.codes.append(0)
            return line
        assert line.endswith(b"\r\n") and line[3:4] == b" ", line
        plain = self.context.unwrap(base64.b64decode(line[4:-2], validate=True))
        assert plain.encrypted == (line[:3] != b"631")
        self.codes.append(int(line[:3]))
        return plain.message

    def protect(self, level, size=16384):
        reply = self.expect(f"PBSZ {size}", 200)
        self.size = int(reply.partition("PBSZ=")[2])
        assert self.size <= size
        self.expect("PROT " + level, 200)
        self.prot_level = level
        return self

    def wrap(self, sock, **kw):
        return Data(self, sock) if self.prot_level != "C" else super().wrap(sock, **kw)

    def blocks(self, content, end=True):
        """Whole blocks for this content, and the empty one that ends a file."""
        seal = self.prot_level in "EP"
        room = self.context.get_wrap_size_limit(self.size, seal)
        pieces = [content[i:i + room] for i in range(0, len(content), room)]
        tokens = [self.seal(piece, seal) for piece in [*pieces, *([b""] if end else [])]]
        return b"".join(struct.pack(">I", len(token)) + token for token in tokens)

    def read_blocks(self, raw):
        """The content of protected data, and whether its last token was empty."""
        content = b""
        while raw:
            (length,) = struct.unpack(">I", raw[:4])
            assert 0 < length <= self.size, f"a token of {length} bytes, with PBSZ {self.size}"
            if len(raw) < 4 + length:
                return content, False
            plain = self.context.unwrap(raw[4:4 + length])
            assert plain.encrypted == (self.prot_level in "EP")
            raw = raw[4 + length:]
            if not plain.message:
                assert not raw, "there is something after the end"
                return content, True
            content += plain.message
        return content, False


class Data:
    """A data connection under PROT S, E or P; as client.Tls."""

    def __init__(self, client, sock):
        self.client, self.sock, self.end, self.sent = client, sock, None, False

    def send(self, data):
        self.sent = True
        self.sock.sendall(self.client.blocks(data, end=False))

    def read_all(self):
        how, raw = net.end_of(self.sock)
        content, whole = self.client.read_blocks(raw)
        self.end = "clean" if whole else how
        return content

    def close(self, notify=True):
        if notify and self.sent:
            self.sock.sendall(self.client.blocks(b""))
        self.sock.close()

    def abort(self):
        net.reset(self.sock)

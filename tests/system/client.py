"""
An FTP client that sends exactly what a test wants: any bytes, in any segments, with or without TLS, with any end.

TLS runs over memory BIOs, so that a test controls when each record is sent and
sees how the peer ended the connection: "clean" (close_notify), "fin", "reset".
"""
import contextlib
import re
import socket
import ssl

import net


def context(certificates=None, versions=None, alpn=None, ciphers=None, own=None, tickets=True):
    """own: the files of the client's certificate and key, (certificate, key)."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    if certificates:
        ctx.load_verify_locations(certificates.ca.pem)
        ctx.verify_mode = ssl.CERT_REQUIRED
    if versions:
        version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[versions]
        ctx.minimum_version = ctx.maximum_version = version
    if alpn:
        ctx.set_alpn_protocols(alpn)
    if ciphers:
        ctx.set_ciphers(ciphers)
    if own:
        ctx.load_cert_chain(*own)
    if not tickets:
        ctx.options |= ssl.OP_NO_TICKET
    return ctx


class Tls:
    """A TLS client on a connected socket."""

    def __init__(self, sock, ctx=None, session=None, name=None, handshake=True):
        self.sock = sock
        self.inbound, self.outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = (ctx or context()).wrap_bio(self.inbound, self.outbound, server_hostname=name, session=session)
        self.end = None
        if handshake:
            self.handshake()

    def flush(self):
        data = self.outbound.read()
        if data:
            self.sock.sendall(data)

    def more(self):
        """Pass one segment to TLS; record how the peer ended."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            self.end = self.end or "reset"
            data = b""
        if data:
            self.inbound.write(data)
        else:
            self.end = self.end or "fin"
            self.inbound.write_eof()

    def hello(self):
        """The first flight, before it is sent."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.ssl.do_handshake()
        return self.outbound.read()

    def handshake(self):
        while True:
            try:
                self.ssl.do_handshake()
                self.flush()
                return self
            except ssl.SSLWantReadError:
                self.flush()
                self.more()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self.flush()
                raise

    def send(self, data):
        for start in range(0, len(data), 16384):
            self.ssl.write(data[start:start + 16384])
            self.flush()

    def recv(self, size=65536):
        """Data, or b"" at the end; self.end then says how the connection ended."""
        while True:
            try:
                data = self.ssl.read(size)
                if not data:
                    self.end = self.end or "clean"
                return data
            except ssl.SSLZeroReturnError:
                self.end = self.end or "clean"
                return b""
            except ssl.SSLWantReadError:
                self.flush()
                if self.end:
                    return b""
                self.more()
            except (ssl.SSLEOFError, ssl.SSLError):
                self.end = self.end or "fin"
                return b""

    def read_all(self):
        data = bytearray()
        while True:
            piece = self.recv()
            if not piece:
                return bytes(data)
            data += piece

    def notify(self):
        """Send close_notify without waiting for the peer's."""
        with contextlib.suppress(ssl.SSLError):
            self.ssl.unwrap()
        self.flush()

    def rest(self):
        """Bytes after the peer's close_notify (cleartext after CCC)."""
        return self.inbound.read()

    @property
    def session(self):
        return self.ssl.session

    @property
    def reused(self):
        return self.ssl.session_reused

    def close(self, notify=True):
        if notify:
            with contextlib.suppress(OSError):
                self.notify()
        self.sock.close()

    def abort(self):
        net.reset(self.sock)


class Plain:
    """The same interface for a data connection in the clear."""

    reused = False

    def __init__(self, sock):
        self.sock, self.end = sock, None

    def send(self, data):
        self.sock.sendall(data)

    def recv(self, size=65536):
        try:
            data = self.sock.recv(size)
            self.end = None if data else "clean"
            return data
        except ConnectionError:
            self.end = "reset"
            return b""

    read_all = Tls.read_all

    def close(self, notify=True):
        self.sock.close()

    def abort(self):
        net.reset(self.sock)


class Reply(str):
    """The complete text of a reply; .code is its code."""

    @property
    def code(self):
        return int(self[:3])


class Closed(Exception):
    """The connection ended; the text says how, .data is what arrived before."""

    def __init__(self, how, data=b""):
        super().__init__(how)
        self.data = data


class Client:
    def __init__(self, address, implicit=False, source=None, greet=True, ctx=None, name=None, session=None, header=b""):
        self.address = address
        self.sock = net.dial(address, source)
        self.sock.sendall(header)  # a PROXY header
        self.tls, self.ctx, self.buffer = None, ctx or context(), b""
        self.protected = False  # whether data connections use TLS
        self.control_session = None
        if implicit:
            self.tls = Tls(self.sock, self.ctx, session=session, name=name)
            self.protected = True
        self.greeting = self.reply() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, raw):
        raw = raw if isinstance(raw, bytes) else raw.encode("latin-1")
        self.tls.send(raw) if self.tls else self.sock.sendall(raw)

    def recv(self):
        if self.tls:
            return self.tls.recv()
        try:
            return self.sock.recv(65536)
        except ConnectionError:
            return b""

    def reply(self):
        """One reply, of one or more lines. Raises Closed if the connection ends instead."""
        lines = []
        while True:
            while b"\n" not in self.buffer:
                piece = self.recv()
                if not piece:
                    raise Closed(self.tls.end if self.tls else "end", self.buffer)
                self.buffer += piece
            line, self.buffer = self.buffer.split(b"\n", 1)
            assert line.endswith(b"\r"), b"a reply line without CR: " + line
            lines.append(line[:-1].decode("latin-1"))
            first = lines[0]
            assert re.match(r"^[1-5]\d\d[ -]", first), "not a reply: " + first
            if first[3] == " " or (len(lines) > 1 and lines[-1].startswith(first[:3] + " ")):
                return Reply("\n".join(lines))

    def cmd(self, line):
        self.send(line + "\r\n")
        return self.reply()

    def expect(self, line, *codes):
        reply = self.cmd(line)
        assert reply.code in codes, f"{line}: {reply!r}, expected {codes}"
        return reply

    def ended(self):
        """Everything that arrives until the connection ends."""
        data, self.buffer = self.buffer, b""
        while True:
            piece = self.recv()
            if not piece:
                return data
            data += piece

    def assert_ends(self, *codes):
        """The connection ends; before that, the client gets at most replies with these codes."""
        said = self.ended()
        for line in said.split(b"\r\n"):
            assert not line or int(line[:3]) in codes, said

    def start_tls(self, session=None, name=None):
        assert not self.buffer, b"cleartext after 234: " + self.buffer
        self.tls = Tls(self.sock, self.ctx, session=session, name=name)
        return self

    def auth(self, mechanism="TLS", session=None, name=None):
        assert self.greeting is None or self.greeting.code == 220, self.greeting
        self.expect("AUTH " + mechanism, 234)
        self.protected = mechanism.upper() in ("SSL", "TLS-P")
        return self.start_tls(session, name)

    def login(self, user="user", password="pass"):
        if self.cmd("USER " + user).code == 331:
            self.expect("PASS " + password, 230)
        if self.tls:
            self.control_session = self.tls.session
        return self

    def prot(self, level):
        self.expect("PBSZ 0", 200)
        self.expect("PROT " + level, 200)
        self.protected = level == "P"
        return self

    # --- data connections ---
    def pasv(self):
        reply = self.expect("PASV", 227)
        n = [int(x) for x in re.search(r"(\d+(?:,\d+){5})", reply).group(1).split(",")]
        return ".".join(map(str, n[:4])), n[4] * 256 + n[5]

    def epsv(self, arg=""):
        reply = self.expect("EPSV" + arg, 229)
        return self.sock.getpeername()[0], int(re.search(r"\(\|\|\|(\d+)\|\)", reply).group(1))

    def port(self, listener):
        host, port = listener.getsockname()[:2]
        return self.expect("PORT %s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255), 200)

    def eprt(self, listener):
        host, port = listener.getsockname()[:2]
        return self.expect("EPRT |%d|%s|%d|" % (2 if ":" in host else 1, host, port), 200)

    def wrap(self, sock, **kw):
        if not self.protected:
            return Plain(sock)
        kw.setdefault("session", self.control_session)
        return Tls(sock, kw.pop("ctx", self.ctx), **kw)

    def open(self, command, mode="PASV", **kw):
        """Start a transfer and read its preliminary reply; returns the data connection."""
        if mode in ("PASV", "EPSV"):
            sock = net.dial(self.pasv() if mode == "PASV" else self.epsv())
            self.expect(command, 125, 150)
        else:
            with net.listen(self.sock.getsockname()[0]) as listener:
                self.port(listener) if mode == "PORT" else self.eprt(listener)
                self.expect(command, 125, 150)
                sock, _ = listener.accept()
                sock.settimeout(net.DEADLINE)
        return self.wrap(sock, **kw)

    def get(self, name, mode="PASV", **kw):
        data = self.open("RETR " + name, mode, **kw)
        content = data.read_all()
        assert data.end == "clean", data.end
        data.close()
        reply = self.reply()
        assert reply.code in (226, 250), reply
        return content

    def put(self, name, content, mode="PASV", **kw):
        data = self.open("STOR " + name, mode, **kw)
        data.send(content)
        data.close()
        return self.reply()


def welcome(gateway):
    """A client that was greeted, or None if it was refused."""
    client = Client(gateway.explicit)
    if client.greeting.code == 220:
        return client
    client.close()
    return None


def explicit(gateway, level=None, **kw):
    """A client that has logged in under AUTH TLS and, if a level is given, has sent PROT."""
    client = Client(gateway.explicit, **kw).auth().login()
    return client.prot(level) if level else client


def implicit(gateway, **kw):
    return Client(gateway.implicit, implicit=True, **kw).login()


def shutdown_write(sock):
    sock.shutdown(socket.SHUT_WR)

"""
Plays one client script against one address, in the clear or in TLS, and records what the client sees.

A script is a list of steps:

    send LINE + LINE ...   lines in one segment (one TLS record)
    each LINE + LINE ...   lines in segments of their own: each waits for the answer to the one before
    split N LINE           a line in two segments, cut after N bytes
    urgent LINE            a line after Telnet's interrupt: urgent data in the clear, plain bytes inside TLS
    data PASV|EPSV|PORT|EPRT   agree on a data connection; a passive one is dialled at once
    begun                  wait for the first reply to a transfer command (1yz or a refusal)
    take N | drain         read so many bytes of the data connection, or all
    give N                 write so many bytes to it
    shut | drop            close the data connection in order, or with a reset
    hear N                 read up to N replies, until a pause
    over [N]               wait for a reply that ends a transfer, and up to N others that come with it
    until CODE             read replies until this one
    final                  read replies until one that ends a command
    fence                  SYST and its answer, the only 215: all earlier answers have come by then
    quit | close | leave | reset   end the session: QUIT and its answer; FIN, then read to the end; FIN and close; RST

No step waits longer than `patience`. If nothing comes in that time, this is recorded and the play ends.
"""
import re
import select
import socket
import ssl
import time

import client
import net

PATIENCE = 4.0  # seconds in which an answer has to come
LOGIN = 60.0  # the same for the login, which no script is about: the machine may be busy
QUIET = 0.25  # seconds without a reply after which no more are expected, where their number is not known
CHUNK = 65536

# Replies that end a transfer that has begun. 200 and 211 to 213 answer NOOP and STAT.
ENDS = {225, 226, 250, 421, 425, 426, 450, 451, 452, 501, 522, 550, 551, 552, 553}

# Those of them that cannot answer NOOP or STAT.
CLEAR_ENDS = {226, 250, 425, 426, 451, 522, 551, 552}

# The gateway adds these lines to the answer to FEAT, or takes them out.
OWN_FEATURES = re.compile(r"^ *(AUTH|ADAT|PBSZ|PROT|CCC|MIC|CONF|ENC|SSCN|CPSV|EPSV|EPRT|LPSV|LPRT)\b", re.I)

# Differs between any two plays of the same script.
VARIES = [(re.compile(pattern), text) for pattern, text in [
    (r"/\S*/attlsd-[a-z-]+-\w+/root", "ROOT"),
    (r"\bp\d{5}\b", "DIR"),
    (r"^( ?d[-rwxst]{9}\+?) +\d+( +\S+ +\S+) +\d+", r"\1 N\2 N"),
    (r"^([-dl][-rwxst]{9}\+?) +\d+ ", r"\1 N "),
    (r"\b\d{1,3}(,\d{1,3}){5}\b", "ADDRESS"),
    (r"\(\|\|\|\d+\|\)", "(|||PORT|)"),
    (r"(127\.0\.0\.1|::ffff:127\.0\.0\.1|localhost)(:\d+)?", "ADDRESS"),
    (r"\b(port|from|to) \d{4,5}\b", r"\1 PORT"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d +(TIME|\d{4})", "DATE"),
    (r"user number \d+", "user number N"),
    (r"There are \d+|\b\d+ users?\b", "N users"),
    (r"\b(count was|count of clients:?) \d+", r"\1 N"),
    (r"^(125|150) (Data connection already open|File status okay).*", "1yz open now or later"),  # who was faster
    (r"(Connecting to port PORT|Accepted data connection)", "data connection"),  # the gateway is passive to servers
    (r"(Data [Cc]onnection: )[A-Z].*", r"\1ERROR"),  # errno text
    (r"[\d.]+ (secs|seconds)", r"N \1"),
    (r"[\d.]+ [KMGk]?([Bb]ytes per second|bytes/s)", r"N \1"),
    (r"(uploaded|downloaded) [\d.]+", r"\1 N"),
    (r"\b\d+(\.\d+)? [kM]?bytes\b", "N bytes"),
    (r"(Total bytes transferred for session:|Output truncated to) \d+", r"\1 N"),
    (r"^(\d\d\d)-The computer is your friend.*", ""),  # Pure-FTPd, when it likes
    (r"(bytes (sent|received|transferred)|Total bytes \w+|Data transferred):? *\d+", r"\1 N"),
    (r"^ +(No data connection|Data connection|Passive data|Active data|Total bytes|(STOR|RETR) |PORT \(|in Passive mode).*", ""),  # STAT
    (r"^200 NOOP: data transfer in progress", "200 NOOP command successful"),  # ProFTPD
    (r"\b(modify|create|unique)=[^;]*;", r"\1=X;"),
]]


class Nothing(Exception):
    """Nothing came in the time that a step waits."""


class Ended(Exception):
    """The control connection has ended."""


def normal(line):
    for pattern, text in VARIES:
        line = pattern.sub(text, line)
    return line


def pattern_bytes(start, count):
    """Bytes without repetition, so that a lost or duplicated piece shows."""
    first = start // 8
    data = b"".join(b"%07x\n" % n for n in range(first, (start + count) // 8 + 1))
    return data[start - first * 8:start - first * 8 + count]


class Transfer:
    """One data connection as the client sees it."""

    def __init__(self, mode):
        self.mode = mode
        self.verb = ""
        self.listener = self.sock = self.link = None
        self.given, self.taken, self.received = 0, bytearray(), 0
        self.aborted = False  # ABOR was sent, or the connection was reset, before the transfer was complete
        self.begun = False  # its 1yz has come
        self.refused = False  # the transfer's command got no 1yz
        self.over = False  # its last reply has come
        self.end = None

    def close(self):
        for thing in self.listener, self.sock:
            if thing is not None:
                thing.close()


class Play:
    """The play of a script and its result: .replies, .transfers, .end."""

    def __init__(self, server, address, steps, folder, tls=None, protect=True, patience=PATIENCE):
        self.server, self.address, self.steps, self.folder = server, address, steps, folder
        self.context, self.protect, self.patience = tls, protect, patience
        self.replies, self.transfers = [], []
        self.end = None  # how the control connection ended; None: it has not
        self.buffer, self.asked = b"", []
        self.at = ""  # the current step
        self.deaf = False  # the server answers nothing during a transfer: do not wait for it again
        self.link = None
        self.session = None

    # --- control connection ---
    def run(self):
        try:
            self.prepare()
            for self.at in self.steps:
                verb, _, rest = self.at.partition(" ")
                getattr(self, "do_" + verb)(rest)
        except Nothing as why:
            self.replies.append(f"(nothing: {why})")
        except Ended:
            pass
        finally:
            for transfer in self.transfers:
                transfer.close()
            if self.link is not None:
                self.link.sock.close()
        return self

    def prepare(self):
        self.at = "login"
        patience, self.patience = self.patience, max(self.patience, LOGIN)
        sock = net.dial(self.address)
        self.link = client.Plain(sock)
        self.reply()
        if self.context:
            said = len(self.replies)
            for line in ["AUTH TLS"]:
                self.line(line)
                self.final()
            self.link = client.Tls(sock, self.context)
            for line in "PBSZ 0", "PROT " + "CP"[self.protect]:
                self.line(line)
                self.final()
            del self.replies[said:]  # natively there is no such thing
        for line in "USER " + self.server.user, "PASS " + self.server.password, "CWD " + self.server.where + self.folder, "TYPE I":
            self.line(line)
            self.final()
        if self.context:
            self.session = self.link.session
        self.patience = patience

    def line(self, *lines):
        self.asked += [line.split(" ")[0] for line in lines]
        self.put("".join(line + "\r\n" for line in lines).encode("latin-1"))

    def put(self, data):
        self.link.sock.settimeout(self.patience)
        try:
            self.link.send(data)
        except TimeoutError:
            raise Nothing(f"{self.at}: the server does not read") from None
        except OSError:
            self.drained()  # what it said before it closed

    def drained(self):
        while True:
            self.reply()

    def waiting(self, patience):
        """Is there something to read within this time?"""
        if self.buffer or isinstance(self.link, client.Tls) and self.link.ssl.pending():
            return True
        return bool(select.select([self.link.sock], [], [], patience)[0])

    def one_line(self):
        while b"\n" not in self.buffer:
            self.link.sock.settimeout(self.patience)
            try:
                piece = self.link.recv()
            except TimeoutError:
                raise Nothing(self.at) from None
            if not piece:
                self.end = {"clean": "closed", "fin": "cut", "reset": "reset"}.get(self.link.end, self.link.end)
                if self.buffer:
                    self.replies.append("(half a line) " + normal(self.buffer.decode("latin-1")))
                raise Ended
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("latin-1").removesuffix("\r")

    def reply(self):
        """Record the next reply; returns its code, or 0 if it is not a reply."""
        lines = [self.one_line()]
        head = lines[0]
        if not re.match(r"[1-5]\d\d([ -]|$)", head):
            self.replies.append("(no reply) " + normal(head))
            return 0
        code = int(head[:3])
        if self.transfers and self.transfers[-1].begun and code in CLEAR_ENDS:
            self.transfers[-1].over = True
        try:
            while head[3:4] == "-" and not re.match(r"%d( |$)" % code, lines[-1]):
                lines.append(self.one_line())
        except (Nothing, Ended):
            self.replies.append("\n".join(normal(line) for line in lines) + "\n(the reply does not end)")
            raise
        self.replies.append(self.shown(code, lines))
        return code

    def shown(self, code, lines):
        verb = self.asked[0] if self.asked else ""
        if code >= 200 and self.asked:
            self.asked.pop(0)
        if code == 211 and (verb == "FEAT" or any(re.match(r" *(MDTM|SIZE)$", line) for line in lines)):
            lines = [lines[0][:4], *sorted(line for line in lines[1:-1] if not OWN_FEATURES.match(line)), lines[-1][:4]]
        return "\n".join(filter(None, map(normal, lines)))

    def final(self):
        while True:
            code = self.reply()
            if code >= 200:
                return code

    # --- steps ---
    def do_send(self, rest):
        lines = rest.split(" + ")
        self.note(lines)
        self.line(*lines)

    def note(self, lines):
        """Update the state of the current transfer from these lines."""
        for line in lines:
            verb = line.split(" ")[0]
            if verb == "ABOR" and self.transfers and self.transfers[-1].end is None:
                self.transfers[-1].aborted = True
            if verb in ("RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD") and self.transfers:
                self.transfers[-1].verb, self.transfers[-1].name = verb, line.partition(" ")[2]

    def do_each(self, rest):
        for line in rest.split(" + "):
            self.note([line])
            self.line(line)
            if not self.deaf:
                if self.waiting(QUIET):
                    self.reply()
                else:
                    self.deaf = True

    def do_split(self, rest):
        count, _, line = rest.partition(" ")
        data = (line + "\r\n").encode("latin-1")
        self.note([line])
        self.asked.append(line.split(" ")[0])
        self.put(data[:int(count)])
        net.until(lambda: unsent(self.link.sock) == 0, "half a line is acknowledged", self.patience)
        self.put(data[int(count):])

    def do_urgent(self, rest):
        self.note([rest])
        self.asked.append(rest.split(" ")[0])
        rest = rest.encode("latin-1") + b"\r\n"
        if isinstance(self.link, client.Tls):
            self.put(b"\xff\xf4\xff\xf2" + rest)
            return
        try:
            self.link.sock.send(b"\xff", socket.MSG_OOB)  # lftp's way: one urgent byte, the rest after it
        except OSError:
            self.drained()
        self.put(b"\xf4\xff\xf2" + rest)

    def do_data(self, mode):
        transfer = Transfer(mode)
        self.transfers.append(transfer)
        host = self.link.sock.getsockname()[0]
        if mode in ("PASV", "EPSV"):
            self.line(mode)
        else:
            transfer.listener = net.listen(host)
            port = transfer.listener.getsockname()[1]
            self.line("EPRT |1|%s|%d|" % (host, port) if mode == "EPRT" else
                      "PORT %s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255))
        text = self.plan(mode, {"PASV": 227, "EPSV": 229}.get(mode, 200))
        if not text.startswith("2"):
            transfer.refused = True
            return
        if transfer.listener is not None:
            return
        found = re.search(r"(\d+),(\d+)\)?\.?\s*$" if mode == "PASV" else r"\(\|\|\|(\d+)\|\)", text)
        port = int(found[1]) * 256 + int(found[2]) if mode == "PASV" else int(found[1])
        try:
            transfer.sock = socket.create_connection((self.address[0], port), timeout=self.patience)
        except OSError:
            transfer.end = "not connected"

    def plan(self, mode, want):
        """Returns the text that names the port. Late answers to other commands may come before it."""
        while True:
            lines = [self.one_line()]
            if re.match(r"\d\d\d-", lines[0]):
                while not lines[-1].startswith(lines[0][:3] + " "):
                    lines.append(self.one_line())
            code = int(lines[-1][:3]) if lines[-1][:3].isdigit() else 0
            shown = self.shown(code, lines)
            if code == want:
                shown = f"{code} ({mode})"
            self.replies.append(shown)
            if code == want or code >= 400:
                return lines[-1]

    def do_begun(self, _):
        code = self.reply()
        if code >= 200 and self.transfers:
            self.transfers[-1].refused = True
        elif self.transfers:
            self.transfers[-1].begun = True
            self.opened()  # that is when clients begin with TLS

    def opened(self):
        """The current transfer, with its data connection ready; None if there is none."""
        transfer = self.transfers[-1]
        if transfer.refused or transfer.end is not None:
            return None
        try:
            if transfer.sock is None:
                transfer.listener.settimeout(self.patience)
                transfer.sock, _ = transfer.listener.accept()
            if transfer.link is None:
                transfer.sock.settimeout(self.patience)
                if self.context and self.protect:
                    transfer.link = client.Tls(transfer.sock, self.context, session=self.session)
                else:
                    transfer.link = client.Plain(transfer.sock)
        except TimeoutError:
            transfer.end = "nothing"
            return None
        except (OSError, ssl.SSLError):
            transfer.end = "cut"
            return None
        return transfer

    def do_take(self, count, everything=False):
        transfer = self.opened()
        while transfer and transfer.end is None and (everything or transfer.received < int(count)):
            try:
                piece = transfer.link.recv()
            except TimeoutError:
                transfer.end = "nothing"
                return
            if not piece:
                transfer.end = {"clean": "closed", "fin": "cut", None: "cut"}.get(transfer.link.end, "reset")
            transfer.taken += piece
            transfer.received += len(piece)

    def do_drain(self, _):
        self.do_take("0", everything=True)
        self.transfers[-1].close()

    def do_give(self, count):
        transfer, count = self.opened(), int(count)
        if not transfer:
            return
        try:
            for start in range(0, count, CHUNK):
                piece = pattern_bytes(transfer.given, min(CHUNK, count - start))
                transfer.link.send(piece)
                transfer.given += len(piece)
        except TimeoutError:
            transfer.end = "nothing"
        except (OSError, ssl.SSLError):
            transfer.end = "reset"

    def do_shut(self, _):
        transfer = self.transfers[-1]
        if not transfer.aborted:
            transfer = self.opened() or transfer  # an empty file, too, is a whole TLS stream
        if transfer.end is None:
            transfer.end = "done"
        try:
            if transfer.link is not None:
                transfer.link.close()
        except OSError:
            pass
        transfer.close()

    def do_drop(self, _):
        transfer = self.transfers[-1]
        transfer.aborted = True
        if transfer.end is None:
            transfer.end = "done"
        if transfer.sock is not None:
            net.reset(transfer.sock)
        transfer.close()

    def do_over(self, rest):
        if not (self.transfers and (self.transfers[-1].refused or self.transfers[-1].over)):
            while self.reply() not in ENDS:
                pass
        self.do_hear(rest or "0")

    def do_hear(self, count):
        for _ in range(int(count)):
            if not self.waiting(QUIET):
                return
            self.reply()

    def do_until(self, rest):
        while self.reply() != int(rest):
            pass

    def do_final(self, _):
        self.final()

    def do_fence(self, _):
        self.line("SYST")
        self.do_until("215")

    def do_quit(self, _):
        self.line("QUIT")
        self.drained()

    def do_close(self, _):
        if self.context:
            self.link.notify()
        self.link.sock.shutdown(socket.SHUT_WR)
        self.drained()

    def do_leave(self, _):
        self.link.close()
        self.end = "left"
        raise Ended

    def do_reset(self, _):
        net.reset(self.link.sock)
        self.end = "left"
        raise Ended


def unsent(sock):
    """Bytes that the peer has not acknowledged."""
    import fcntl
    import struct
    import termios
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]

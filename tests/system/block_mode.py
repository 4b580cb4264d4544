"""
A server and a client of block and compressed mode (RFC 959 3.4.2, 3.4.3), as z/OS has them: records, restart
markers, and one data connection for several files.
"""
import re

import net

EOR, EOF, RESTART = 128, 64, 16


class Cut(Exception):
    """The data connection ended before the file; .records and .marker are what came, .end is how."""

    def __init__(self, records, marker, end):
        super().__init__(end)
        self.records, self.marker, self.end = records, marker, end


def block(descriptor, data=b""):
    return bytes([descriptor, len(data) >> 8, len(data) & 255]) + data


def blocks(records, first=0, every=2):
    """Records from `first` on, each a block, with a marker (the number of records before it) after every second one."""
    out = b""
    for number, record in enumerate(records):
        if number < first:
            continue
        out += block(EOR, record)
        if (number + 1) % every == 0:
            out += block(RESTART, b"%d" % (number + 1))
    return out


def compressed(data):
    """Runs as repeated bytes, runs of blanks as filler, and a mark at the end."""
    out = b""
    for run in re.finditer(rb"(.)\1*|.", data, re.S):
        text = run[0]
        while text:
            piece, text = text[:63], text[63:]
            out += bytes([0xc0 | len(piece)]) if piece[:1] == b" " else bytes([0x80 | len(piece), piece[0]])
    return out + bytes([0, EOF])


class Reader:
    """Reads files from a data connection that may hold several."""

    def __init__(self, recv):
        self.recv, self.buffer, self.ended = recv, b"", False

    def take(self, n):
        while len(self.buffer) < n:
            piece = self.recv(65536)
            if not piece:
                self.ended = True
                return None
            self.buffer += piece
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def records(self, on_marker=lambda marker: None, end=lambda: "fin"):
        records, last = [], None
        while True:
            header = self.take(3)
            data = header and self.take(header[1] << 8 | header[2])
            if data is None:
                raise Cut(records, last, end())
            if header[0] & RESTART:
                last = data.decode("ascii")
                on_marker(last)
            elif data or header[0] & EOR:
                records.append(data)
            if header[0] & EOF:
                return records

    def strings(self):
        data = b""
        while True:
            (first,) = self.take(1)
            if first == 0:
                if self.take(1)[0] & EOF:
                    return data
            elif first >= 0xc0:
                data += b" " * (first & 63)
            elif first >= 0x80:
                data += self.take(1) * (first & 63)
            else:
                data += self.take(first)


class Server:
    """
    Script of a backend. keeps: leave the data connection open after each file. files: name -> records. cut: close the data
    connection after this many bytes of the first download.
    """

    def __init__(self, files=None, keeps=True, cut=None, done="250 Transfer completed successfully."):
        self.files, self.keeps, self.cut, self.done = files or {}, keeps, cut, done
        self.stored, self.states = {}, {}

    def script(self):
        return {"MODE": self.mode, "STRU": "200 Structure is R", "RETR": self.retr, "STOR": self.stor, "REST": self.rest, "TYPE": "200 ok",
                "QUIT": "221 bye", "SYST": "215 MVS is the operating system of this server. FTP Server is running on z/OS."}

    def state(self, session):
        return self.states.setdefault(id(session), {"mode": "S", "data": None, "rest": 0, "dead": None})

    def mode(self, session, arg):
        self.state(session)["mode"] = arg.upper()
        session.reply("200 Data transfer mode is %s" % {"S": "Stream", "B": "Block", "C": "Compressed"}[arg.upper()])

    def rest(self, session, arg):
        self.state(session)["rest"] = int(arg)
        session.reply("350 Restarting at marker " + arg)

    def connection(self, session, what):
        """The open data connection, or the one that PASV or PORT has prepared."""
        state = self.state(session)
        if session.listener or session.target or not state["data"]:
            if not session.listener and not session.target:
                session.reply("425 Can't open data connection.")
                return None
            session.reply("125 %s" % what)
            state["data"] = session.open_data()
            state["reader"] = Reader(state["data"].recv)
            session.drop_listener()
            session.target = None
        else:
            session.reply("125 Data connection already open; %s" % what)
        return state["data"]

    def over(self, session):
        state = self.state(session)
        if not self.keeps:
            state["data"].close()
            state["data"] = None
        session.reply(self.done)

    def retr(self, session, name):
        state = self.state(session)
        data = self.connection(session, "Sending data set " + name)
        if data is None:
            return
        records, first, state["rest"] = self.files[name], state["rest"], 0
        raw = compressed(b"".join(records)) if state["mode"] == "C" else blocks(records, first) + block(EOF)
        if self.cut is not None:
            data.sendall(raw[:self.cut])
            data.close()
            self.cut, state["data"] = None, None
            session.reply(self.done)
            return
        data.sendall(raw)
        self.over(session)

    def stor(self, session, name):
        state = self.state(session)
        if self.connection(session, "Storing data set " + name) is None:
            return
        try:
            if state["mode"] == "C":
                records = [state["reader"].strings()]
            else:
                records = state["reader"].records(lambda marker: session.reply(f"110 MARK {marker} = {int(marker) + 1000}"))
            session.backend.note(lambda: self.stored.__setitem__(name, records))
            self.over(session)
        except (Cut, ConnectionError) as fault:
            state["data"].close()
            state["data"] = None
            session.backend.note(lambda: self.stored.__setitem__(name, fault))
            session.reply("451 Transfer aborted: the end of file is missing.")


class User:
    """The client's side: one data connection, kept open for as long as the server keeps it."""

    def __init__(self, control):
        self.control, self.data, self.reader = control, None, None

    def open(self, command, way=None):
        """way: PASV, EPSV, PORT, EPRT for a new data connection; None: the one that is open."""
        if way is not None:
            self.data = self.control.open(command, way)
            self.reader = Reader(self.data.recv)
        else:
            self.control.expect(command, 125)

    def get(self, name, way=None):
        self.open("RETR " + name, way)
        records = self.reader.records(end=lambda: self.data.end)
        self.done()
        return records

    def put(self, name, records, way=None):
        """Returns the marks of the server."""
        self.open("STOR " + name, way)
        self.data.send(blocks(records) + block(EOF))
        marks = []
        while True:
            reply = self.control.reply()
            if reply.code != 110:
                assert reply.code == 250, reply
                return marks
            marks.append(reply)

    def done(self):
        reply = self.control.reply()
        assert reply.code == 250, reply


def ends(sock):
    """How a socket ends: "fin" or "reset"."""
    return net.end_of(sock)[0]

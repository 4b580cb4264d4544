"""
A scripted cleartext FTP server behind the gateway, for behaviour that real servers do not show.

Backend(EPSV="500 no", RETR=function) answers each verb with a text, by calling
function(session, argument), or as a small well-behaved server would. It records
everything that arrives, so that a test can check what never arrived.
"""
import contextlib
import re
import socket
import threading
import time

import net
import proxy_header


class Session:
    """One control connection of a client (here: the gateway)."""

    def __init__(self, backend, sock, peer):
        self.backend, self.sock, self.peer = backend, sock, peer
        self.lines = []       # as received, without CRLF
        self.end = None       # "fin" or "reset" once the peer has ended
        self.target = None    # where PORT or EPRT points
        self.listener = None  # where PASV or EPSV listens
        self.data = []        # every data socket
        self.dialled = []     # peers of accepted data connections
        self.header = None    # the PROXY header, if the backend expects one
        self.data_headers = []

    def send(self, raw):
        self.sock.sendall(raw if isinstance(raw, bytes) else raw.encode("latin-1"))

    def reply(self, text):
        self.send(text + "\r\n")

    def passive(self, host=None):
        self.drop_listener()
        self.target = None
        self.listener = net.listen(host or self.sock.getsockname()[0])
        return self.listener.getsockname()[1]

    def drop_listener(self):
        if self.listener:
            self.listener.close()
            self.listener = None

    def open_data(self):
        if self.target:
            data = net.dial(self.target)
        elif self.listener:
            data, peer = self.listener.accept()
            data.settimeout(net.DEADLINE)
            self.dialled.append(peer)
            if self.backend.proxied_data:
                self.data_headers.append(proxy_header.read(data))
            self.drop_listener()
        else:
            raise OSError("no PORT, no PASV")
        self.data.append(data)
        return data

    def download(self, content, done="226 Transfer complete"):
        """150, the data, FIN, 226."""
        self.reply("150 Here it comes")
        data = self.open_data()
        with contextlib.suppress(OSError):
            data.sendall(content)
        data.close()
        self.reply(done)

    def upload(self, name, done="226 Transfer complete"):
        """150, read to the end, 226: like a cleartext server that does not distinguish FIN from RST."""
        self.reply("150 Send it")
        data = self.open_data()
        how, content = net.end_of(data)
        data.close()
        self.backend.store(name, content, how)
        self.reply(done)

    # --- a small well-behaved server ---
    def on_USER(self, _):
        self.reply("331 Password, please")

    def on_PASS(self, _):
        self.reply("230 Logged in")

    def on_QUIT(self, _):
        self.reply("221 Goodbye")
        return "close"

    def on_FEAT(self, _):
        self.reply("211-Extensions:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n UTF8\r\n211 End")

    def on_SYST(self, _):
        self.reply("215 UNIX Type: L8")

    def on_NOOP(self, _):
        self.reply("200 Still here")

    def on_PWD(self, _):
        self.reply('257 "/" is the current directory')

    def on_TYPE(self, _):
        self.reply("200 Type set")

    def on_REIN(self, _):
        self.reply("220 Ready for a new user")

    def on_ABOR(self, _):
        self.reply("226 Nothing to abort")

    def on_SIZE(self, name):
        self.reply("213 %d" % len(self.backend.files[name]) if name in self.backend.files else "550 No such file")

    def on_PASV(self, _):
        port = self.passive()
        host = self.sock.getsockname()[0].replace(".", ",")
        self.reply(f"227 Entering Passive Mode ({host},{port >> 8},{port & 255})")

    def on_EPSV(self, arg):
        if arg.upper() == "ALL":
            self.reply("200 EPSV ALL ok")
        else:
            self.reply(f"229 Entering Extended Passive Mode (|||{self.passive()}|)")

    def on_PORT(self, arg):
        n = [int(x) for x in arg.split(",")]
        self.drop_listener()
        self.target = (".".join(map(str, n[:4])), n[4] * 256 + n[5])
        self.reply("200 PORT ok")

    def on_EPRT(self, arg):
        _, _, host, port, _ = arg.split(arg[0])
        self.drop_listener()
        self.target = (host, int(port))
        self.reply("200 EPRT ok")

    def on_RETR(self, name):
        if name not in self.backend.files:
            self.reply("550 No such file")
        else:
            self.download(self.backend.files[name])

    def on_STOR(self, name):
        self.upload(name)

    def on_LIST(self, _):
        self.download("".join(name + "\r\n" for name in self.backend.files).encode())

    on_NLST = on_LIST
    on_APPE = on_STOR

    def run(self):
        try:
            if self.backend.proxied:
                self.header = proxy_header.read(self.sock)
            greeting = self.backend.script.get("greeting", "220 Legacy FTP server")
            if callable(greeting):
                if greeting(self) == "close":
                    return
            elif greeting:
                self.reply(greeting)
            buffer = b""
            while True:
                piece = self.sock.recv(65536)
                if not piece:
                    self.end = "fin"
                    return
                buffer += piece
                while b"\n" in buffer:
                    raw, buffer = buffer.split(b"\n", 1)
                    if self.command(raw.rstrip(b"\r").decode("latin-1")) == "close":
                        return
        except ConnectionError:
            self.end = "reset"
        except OSError:
            self.end = self.end or "error"
        finally:
            self.drop_listener()
            for data in self.data:
                data.close()
            self.sock.close()
            self.backend.note()

    def command(self, line):
        self.backend.note(lambda: self.lines.append(line))
        verb, _, arg = line.partition(" ")
        verb = verb.upper()
        answer = self.backend.script.get(verb, getattr(self, "on_" + verb, "502 Not here"))
        if callable(answer):
            return answer(self, arg) if verb in self.backend.script else answer(arg)
        if isinstance(answer, bytes):
            return self.send(answer)
        return self.reply(answer)


class Backend:
    def __init__(self, host="127.0.0.1", files=None, port=0, proxied=False, proxied_data=False, **script):
        self.proxied, self.proxied_data = proxied, proxied_data
        self.script = {re.sub("_$", "", verb): answer for verb, answer in script.items()}
        self.files = files if files is not None else {}
        self.stored = {}  # name: (content, "fin" | "reset")
        self.sessions = []
        self.changed = threading.Condition()
        self.socket = net.listen(host, port=port)
        self.socket.settimeout(None)
        self.address = self.socket.getsockname()[:2]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                sock, peer = self.socket.accept()
            except OSError:
                return
            sock.settimeout(120)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(self, sock, peer)
            self.note(lambda: self.sessions.append(session))
            threading.Thread(target=session.run, daemon=True).start()

    def note(self, change=lambda: None):
        with self.changed:
            change()
            self.changed.notify_all()

    def store(self, name, content, how):
        self.note(lambda: self.stored.__setitem__(name, (content, how)))

    def wait(self, condition, what):
        end = time.monotonic() + net.DEADLINE
        with self.changed:
            while True:
                value = condition()
                if value:
                    return value
                left = end - time.monotonic()
                assert left > 0, "the backend never saw: " + what
                self.changed.wait(left)

    def session(self, number=0):
        return self.wait(lambda: len(self.sessions) > number and self.sessions[number], f"session {number}")

    def upload(self, name):
        """The content that STOR uploaded, after the data connection has ended."""
        return self.wait(lambda: self.stored.get(name), f"the end of {name}")

    def saw(self, line, number=0):
        return self.wait(lambda: len(self.sessions) > number and line in self.sessions[number].lines, line)

    def verbs(self, number=0):
        with self.changed:
            return [line.split(" ")[0].upper() for line in self.sessions[number].lines]

    def everything(self):
        """All lines of all sessions, to check that something never arrived."""
        with self.changed:
            return [line for session in self.sessions for line in session.lines]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for session in list(self.sessions):
            with contextlib.suppress(OSError):
                session.sock.shutdown(socket.SHUT_RDWR)

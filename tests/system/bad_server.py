"""An FTP server that speaks TLS, well or badly. It keeps whatever reaches it in the clear."""
import socket
import ssl
import threading

import net


class BadServer:
    """
    after_auth: bytes that follow 234 in the same segment. clear: it never speaks TLS. auth: its answer to AUTH TLS.
    cut: data connections end without close_notify. versions: as minimum and maximum. ccc: its answer to CCC; after a 2yz it says nothing more.
    """

    def __init__(self, certificate, host="127.0.0.1", greeting="220 partner", auth="234 go on", after_auth=b"", clear=False,
                 cut=False, versions=None, implicit=False, prot="200 ok", ccc="500 what", files=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if versions:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = self.context.maximum_version = versions
        self.context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # it would take a cut for an end
        self.context.load_cert_chain(certificate["chain"], certificate["key"])
        self.greeting, self.auth, self.after_auth, self.clear, self.cut = greeting, auth, after_auth, clear, cut
        self.implicit, self.prot, self.ccc, self.files = implicit, prot, ccc, files or {}
        self.over = threading.Event()
        self.in_clear, self.verbs, self.stored, self.failed = b"", [], {}, None
        self.changed = threading.Condition()
        self.listener = net.listen(host)
        self.address = self.listener.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self.guarded, args=[sock], daemon=True).start()

    def guarded(self, sock):
        sock.settimeout(net.DEADLINE)
        try:
            self.session(sock)
        except (OSError, ssl.SSLError, IndexError):
            pass
        finally:
            sock.close()
            with self.changed:
                self.changed.notify_all()

    def line(self, sock):
        """One line; what comes in the clear is kept."""
        line = b""
        while not line.endswith(b"\n"):
            byte = sock.recv(1)
            if not byte:
                raise OSError
            if not isinstance(sock, ssl.SSLSocket):
                self.in_clear += byte
            line += byte
        return line.decode(errors="replace").strip()

    def session(self, sock):
        data, listener = None, None
        if self.implicit:
            sock = self.context.wrap_socket(sock, server_side=True)
        sock.sendall(self.greeting.encode() + b"\r\n")
        while True:
            verb, _, argument = self.line(sock).partition(" ")
            with self.changed:
                self.verbs.append(verb)
                self.changed.notify_all()
            if verb == "AUTH":
                sock.sendall(self.auth.encode() + b"\r\n" + self.after_auth)
                if self.auth.startswith("234"):
                    if self.clear:
                        self.in_clear += self.everything(sock)
                        return
                    sock = self.context.wrap_socket(sock, server_side=True)
            elif verb == "EPSV":
                listener = net.listen(self.address[0])
                sock.sendall(b"229 ok (|||%d|)\r\n" % listener.getsockname()[1])
            elif verb in ("RETR", "STOR"):
                data, _ = listener.accept()
                data.settimeout(net.DEADLINE)
                sock.sendall(b"150 ok\r\n")
                data = self.protected(data)
                self.transfer(sock, data, verb, argument)
            elif verb == "CCC" and self.ccc.startswith("2"):
                sock.sendall(self.ccc.encode() + b"\r\n")
                self.over.wait(net.DEADLINE)
                return
            else:
                sock.sendall({"USER": b"331 ?\r\n", "PASS": b"230 in\r\n", "QUIT": b"221 bye\r\n", "PBSZ": b"200 ok\r\n",
                              "PROT": self.prot.encode() + b"\r\n", "TYPE": b"200 ok\r\n"}.get(verb, b"500 what\r\n"))

    def protected(self, data):
        return self.context.wrap_socket(data, server_side=True, suppress_ragged_eofs=False)

    def transfer(self, sock, data, verb, name):
        if verb == "RETR":
            data.sendall(self.files[name])
            if self.cut:
                socket.socket(fileno=data.detach()).close()
            else:
                data.unwrap()
        else:
            content = b""
            try:
                while chunk := data.recv(65536):
                    content += chunk
                with self.changed:
                    self.stored[name] = content
                data.unwrap()
            except OSError as why:  # cut: it never counts as whole
                self.failed = why
                sock.sendall(b"426 cut\r\n")
                return
        sock.sendall(b"226 done\r\n")

    @staticmethod
    def everything(sock):
        """All that comes in the clear until the peer ends."""
        got = b""
        while chunk := sock.recv(65536):
            got += chunk
        return got

    def close(self):
        self.over.set()
        self.listener.close()

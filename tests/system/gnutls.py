"""A GnuTLS client through ctypes, for what Python's ssl cannot do: warning alerts and key updates in mid-transfer."""
import ctypes

import net

LIBRARY = "libgnutls.so.30"
AGAIN = -28  # GnuTLS has read a record that was not data
CLIENT, CERTIFICATE, WARNING, USER_CANCELED, CTL_PEER, SHUT_WR = 2, 1, 1, 90, 1, 1


def connect(c, command, version):
    """Begin a transfer for a client.Client, with GnuTLS on the data connection."""
    sock = net.dial(c.pasv())
    c.expect(command, 150)
    return Tls(sock, version)


class Tls:
    def __init__(self, sock, version):
        self.sock = sock
        sock.setblocking(True)
        self.lib = ctypes.CDLL(LIBRARY)
        self.lib.gnutls_record_send.restype = ctypes.c_ssize_t
        self.lib.gnutls_record_recv.restype = ctypes.c_ssize_t
        self.session, self.credentials = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("init", ctypes.byref(self.session), CLIENT)
        self.call("priority_set_direct", self.session, b"NORMAL:-VERS-ALL:+VERS-TLS" + version.encode(), None)
        self.call("certificate_allocate_credentials", ctypes.byref(self.credentials))
        self.call("credentials_set", self.session, CERTIFICATE, self.credentials)
        self.lib.gnutls_transport_set_int2(self.session, sock.fileno(), sock.fileno())
        self.call("handshake", self.session)

    def call(self, name, *args, fine=0):
        result = getattr(self.lib, "gnutls_" + name)(*args)
        if result < 0 and result != fine:
            self.lib.gnutls_strerror.restype = ctypes.c_char_p
            raise OSError(f"gnutls_{name}: {self.lib.gnutls_strerror(result).decode()}")
        return result

    def send(self, data):
        at = 0
        while at < len(data):
            piece = data[at:at + 16384]
            at += self.call("record_send", self.session, piece, ctypes.c_size_t(len(piece)))

    def read_all(self):
        data, piece = bytearray(), ctypes.create_string_buffer(65536)
        while n := self.call("record_recv", self.session, piece, ctypes.c_size_t(len(piece)), fine=AGAIN):
            data += piece.raw[:max(n, 0)]
        return bytes(data)

    def warn(self):
        self.call("alert_send", self.session, WARNING, USER_CANCELED)

    def new_keys(self, of_peer=False):
        self.call("session_key_update", self.session, CTL_PEER if of_peer else 0)

    def finish(self):
        self.call("bye", self.session, SHUT_WR)

    def close(self, reset=False):
        self.lib.gnutls_deinit(self.session)
        self.lib.gnutls_certificate_free_credentials(self.credentials)
        if reset:
            net.reset(self.sock)
        self.sock.close()

"""The server's end of TLS in the tables, and what may be on the wire to a server that must be reached under TLS."""
import re
import ssl
import warnings

import client as clients

MECHANISMS = {"tls": b"AUTH TLS\r\n", "ssl": b"AUTH SSL\r\n", "implicit": b""}
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
RECORD_TYPES = range(20, 24)  # RFC 8446 5.1


class ServerTls(clients.Tls):
    """A TLS server on a connected socket; heard collects each byte that arrives, as it was on the wire."""

    def __init__(self, sock, ctx, heard, handshake=True):
        self.sock, self.heard, self.end = sock, heard, None
        self.inbound, self.outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = ctx.wrap_bio(self.inbound, self.outbound, server_side=True)
        if handshake:
            self.handshake()

    def more(self):
        write = self.inbound.write

        class Tap:
            write_eof = self.inbound.write_eof

            def write(_, data):
                self.heard.extend(data)
                return write(data)
        inbound, self.inbound = self.inbound, Tap()
        try:
            super().more()
        finally:
            self.inbound = inbound


def context(own, versions=None):
    """own: the files of the server's certificate and key."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(*own)
    if versions == "1.0":
        ctx.set_ciphers("ALL:@SECLEVEL=0")
    if versions:
        with warnings.catch_warnings():  # Python warns of TLS 1.0
            warnings.simplefilter("ignore")
            ctx.minimum_version = ctx.maximum_version = VERSIONS[versions]
    return ctx


def check_wire(heard, mechanism, cleared):
    """
    Before TLS, only AUTH is on the wire; then TLS records; after CCC (cleared), lines without any user's name or password.
    """
    heard, before = bytes(heard), MECHANISMS[mechanism]
    if not heard.startswith(before):
        assert before.startswith(heard), f"in the clear: {heard[:80]!r}"
    at = len(before)
    while at < len(heard) and heard[at] in RECORD_TYPES:
        at += 5 + int.from_bytes(heard[at + 3:at + 5], "big")
    if at < len(heard):
        assert cleared, f"in the clear: {heard[at:at + 80]!r}"
        assert not re.search(rb"(?i)^(user|pass|acct)\b", heard[at:], re.MULTILINE), f"in the clear: {heard[at:at + 80]!r}"

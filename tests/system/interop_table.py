"""The table that test_interop fills, as Markdown: server, client, TLS, and one column per mode and level of PROT."""
import functools
import os
import re
import subprocess

import script_clients
import servers

COLUMNS = [(mode, level) for mode in ("PASV", "EPSV", "PORT", "EPRT") for level in "CP"]
HEAD = """\
# Which clients and servers were tested together

The system tests (`make check`) write this page, and `sh tests/system/refresh-interop.sh` copies it here. Do not edit it.

For each cell, a client logged in to a server through attlsd and uploaded and downloaded files of 0 bytes, 1 byte, 1 MiB and
64 MiB (PHP, Ruby, aioftp and basic-ftp: 4 MiB). `ok` means that the SHA-256 was the same on the server and after the download.
C and P are the levels of PROT. The server speaks cleartext FTP only. `-`: the client does not support this (lftp, PHP and Ruby use
EPRT, and PHP and Ruby EPSV, only over IPv6; PHP, aioftp and basic-ftp always encrypt data connections). `refused`: with PROT P,
curl 7.87.0 to 7.88.1 sends the data of active transfers in the clear
([curl issue 10666](https://github.com/curl/curl/issues/10666), fixed in 8.0.0); attlsd answers 522 and stores nothing.

curl 7.88.1 has another problem. At the end of an upload, it tries once to send close_notify. If its socket has no room at that
moment (on a slow network, or with a busy receiver), it closes the connection without close_notify. attlsd cannot distinguish that
from a truncated file: it answers 426 and logs `result=tls-truncated`, and curl exits with status 18. `--retry` does not help; run
curl again.

AUTH GSSAPI (RFC 2228) was tested with python3-gssapi on MIT Kerberos 1.20 and a real KDC, with vsftpd and pyftpdlib behind attlsd:
all levels of PROT, uploads and downloads (`tests/system/test_gssapi.py`). curl is no client for it: `--krb` of curl 7.88.1 does not
work, and later versions do not have it. yafc 1.3.7 logs in with its ticket, and sends all commands in MIC, also PASS, so it needs
`secure_ctrlconn: safe` and a stored password (`secure_password_kerberos: optional`). It cannot protect data: after PROT P, it sends
a block of data on its control connection, gets 501 for that, and waits for ever. attlsd ignores channel bindings of clients: they
name addresses, which NAT changes.

"""


@functools.cache
def releases():
    """The release of each Debian package that the tests unpack; apt-cache needs a second, however many it looks up."""
    done = subprocess.run(["apt-cache", "policy", *servers.PACKAGES.values()], capture_output=True, text=True)
    return dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)$", done.stdout, re.M))


def package(name):
    """A server or client, with the release of its Debian package if that is unpacked."""
    if name not in servers.PACKAGES:
        import pyftpdlib
        return "pyftpdlib " + pyftpdlib.__ver__
    it = servers.PACKAGES[name]
    unpacked = os.path.isdir(os.path.join(servers.STORE, it, "usr/share/doc", it))
    return f"{name} {releases()[it]}" if unpacked and it in releases() else name


class Table:
    def __init__(self):
        self.cells = {}
        self.seconds = 0.0

    def note(self, server, client, listener, mode, level, result, seconds=0.0):
        self.cells[server, client, listener, mode, level] = result
        self.seconds += seconds

    def row(self, server, client, listener):
        cells = [self.cells.get((server, client, listener, *column),
                                "not run" if script_clients.ALL[client].supports(listener, *column) else "-")
                 for column in COLUMNS]
        return "| " + " | ".join([server, client, listener, *cells]) + " |"

    def text(self):
        ran = {cell[0] for cell in self.cells}
        clients = script_clients.ALL.values()
        lines = ["Servers: " + ", ".join(package(name) for name in servers.NAMES if name in ran) + ".",
                 "Clients: " + ", ".join(client.version() for client in clients if not client.needs()) + ".", "",
                 "| server | client | TLS | " + " | ".join(" ".join(column) for column in COLUMNS) + " |",
                 "|---" * (3 + len(COLUMNS)) + "|"]
        lines += [self.row(server, client.name, listener) for server in servers.NAMES for client in clients
                  for listener in client.listeners]
        return HEAD + "\n".join(lines) + "\n"

    def write(self, path):
        if self.cells:
            with open(path, "w") as f:
                f.write(self.text())

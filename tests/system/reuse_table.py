"""The table that test_resuming_clients fills, as Markdown: clients, and one column per version and way to begin TLS."""
import resuming_clients

COLUMNS = [(version, listener) for version in ("1.2", "1.3") for listener in ("explicit", "implicit")]
HEAD = """\
## Where data connections must resume

`make check` writes this table, too (the row of Commons Net only where a JDK is installed). With `secure_session_reuse: required`,
each client made six transfers in one session with vsftpd behind attlsd. Its uploads and downloads, of 0 bytes to 300 KB, replaced
older files (wget: a list and five downloads). `ok` means that all six resumed and that the files are the same on both
sides. Where a client cannot resume, the cell has the reply and the `reason` in the log; the old files at the server stayed as
they were. `-`: the client does not support this.

"""
TAIL = """
- **ftplib** resumes with the subclass that gives each data connection the newest session of the control connection
  (`session=self.sock.session`). As it is, it offers no session, and its user sees that the data connection broke (`SSLEOFError`,
  `ConnectionResetError`), and not the reply.
- **Net::FTP of Perl** before release 3.15 (Perl 5.38) keeps the session of the control connection under the name of the host, but
  data connections look under host and port: as it is, it offers no session. It resumes if all sessions have one name:
  `IO::Socket::SSL::set_args_filter_hack(sub { $_[1]{SSL_session_key} = "all" })`.
- **Commons Net** resumes with a subclass (`tests/system/clients/Play.java`) that copies the control connection's newest session in
  Java's cache to the host and port of the data connection. The usual recipe copies `getSession()` of the control socket, which
  suffices for TLS 1.2 only.
- **aioftp** offers no session.
- **ftp of Erlang** needs `tls_ctrl_session_reuse` and, for TLS 1.3, `{session_tickets, auto}` and both versions in `versions`,
  since ftp always passes an option of TLS 1.2. OTP 25 has no extended master secret, which TLS 1.2 needs here.
- **wget** uses the compatibility mode of GnuTLS, which leaves out the extended master secret. `--secure-protocol=PFS` avoids that.
- **rclone** opens several control connections, which share one store of sessions. It needs `required_user`. Under `required`, a
  transfer now and then offers the ticket of another control connection, and is refused. rclone then deletes the file at the
  server itself (`change command=DELE` in the log). Without Go 1.21 or later (Debian 12), rclone has no extended master secret,
  which TLS 1.2 needs here.
- Replies: `522 Policy requires the data connection to resume the TLS session of this control connection: it offered no session.`
  (`session-not-reused reason=no-ticket-offered`), the same with `its session ticket belongs to another session.`
  (`reason=ticket-of-another-session`), and
  `421 Policy requires TLS 1.3, or TLS 1.2 with the extended master secret (RFC 7627); closing.`
  (`session-end reason=no-extended-master-secret`).
- By hand, because Debian 12 has no package of it: the same six transfers with **curl 8.14.1** of Debian 13 (OpenSSL 3.5), explicit
  and implicit, TLS 1.2 and 1.3: all 24 ok, each time in one session.
"""


class Table:
    def __init__(self):
        self.cells = {}

    def note(self, client, version, listener, result):
        self.cells[client.name, version, listener] = result

    def row(self, client):
        cells = [self.cells.get((client.name, *column), "not run") if column[1] in client.listeners else "-" for column in COLUMNS]
        return "| " + " | ".join([client.name, *cells]) + " |"

    def text(self):
        clients = resuming_clients.ALL.values()
        versions = dict.fromkeys(client.version() for client in clients if not client.needs())
        lines = ["Clients: " + ", ".join(versions) + ".", "",
                 "| client | " + " | ".join(f"TLS {version}, {listener}" for version, listener in COLUMNS) + " |",
                 "|---" * (1 + len(COLUMNS)) + "|", *(self.row(client) for client in clients)]
        return HEAD + "\n".join(lines) + "\n" + TAIL

    def write(self, path):
        if self.cells:
            with open(path, "w") as f:
                f.write(self.text())

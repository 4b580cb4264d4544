"""The tables that test_outbound fills, as Markdown: servers that speak TLS, and clients that do not."""
import clear_clients
import interop_table
import outbound

VERSIONS = ["1.2", "1.3"]
LEGS = ["clear", "TLS"]
COLUMNS = [(version, mode) for version in VERSIONS for mode in outbound.MODES]
HEAD = """\
## Servers that speak TLS

`make check` writes this table, too. The client's leg is in the clear or under TLS (PROT P), and attlsd speaks TLS to the server:
explicit (AUTH TLS) or implicit, TLS 1.2 or 1.3, with data connections opened by each command. In each cell, a client uploaded and
downloaded a file, and both copies were the same. `resumed`: both data connections resumed the TLS session of their control
connection, as vsftpd, ProFTPD and attlsd demand here. `ok`: they made a full handshake, since the server resumes none. The
packets showed that the right side opened each data connection, and that attlsd sent no command and no byte of a file to the server
in the clear. vsftpd, ProFTPD and pyftpdlib reported the expected command. Pure-FTPd has no implicit TLS.

"""
CLIENTS = """
These clients speak no TLS; curl, lftp and ftplib have been told to use none. Each of them put, got and listed a file on every server
above (busybox: put and got), explicit and implicit, under TLS 1.3, and on vsftpd with each of its commands for data connections. The
table shows the latter. `-`: the client does not support this over IPv4.

"""


class Table:
    def __init__(self, servers):
        self.servers, self.cells = servers, {}

    def note(self, *cell, result):
        """cell: server, explicit or implicit, client's leg, version, command; or client, command."""
        self.cells[cell] = result

    def row(self, name, start, leg):
        return [name, start, leg, *(self.cells.get((name, start, leg, *column), "not run") for column in COLUMNS)]

    def client(self, client):
        return [client.name, *(self.cells.get((client.name, mode), "not run") if mode in client.modes else "-" for mode in outbound.MODES)]

    def text(self):
        names = [interop_table.package(name) for name in dict.fromkeys(name for name, _ in self.servers) if name != "attlsd"]
        return (HEAD + "Servers: " + ", ".join(names) + ", attlsd itself (in front of pyftpdlib).\n\n"
                + lines(["server", "TLS", "client", *(f"{version} {mode}" for version, mode in COLUMNS)],
                        [self.row(name, start, leg) for name, start in self.servers for leg in LEGS])
                + CLIENTS + "Clients: " + ", ".join(client.version() for client in clear_clients.ALL.values() if not client.needs()) + ".\n\n"
                + lines(["client", *outbound.MODES], [self.client(client) for client in clear_clients.ALL.values()]))

    def write(self, path):
        if self.cells:
            with open(path, "w") as f:
                f.write(self.text())


def lines(head, rows):
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, *rows]).replace("\n", "\n" + "|---" * len(head) + "|\n", 1)

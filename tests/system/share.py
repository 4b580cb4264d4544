"""passivedatashare: gateways with few ports, and clients of different addresses of this machine."""
import contextlib
import select

import client as clients
import net


def free_range(n, hosts=("127.0.0.1",)):
    """The first of n neighbouring ports that are free at each address."""
    for first in range(24000, 28000, n):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + n):
                for host in hosts:
                    stack.enter_context(net.listen(host, port=port))
            return first
    raise AssertionError("no free range")


def ports(n, hosts=("127.0.0.1",), **more):
    """An ftp_action with n shared ports."""
    first = free_range(n, hosts)
    return {"secure_dataconn": "clear", "passivedatashare": "source", "passivedataports": f"{first}-{first + n - 1}", **more}


def port_of(ftp):
    return int(ftp["passivedataports"].split("-")[0])


class Client(clients.Client):
    """A client whose data connections come from the address of its control connection."""

    def __init__(self, gateway, source="127.0.0.1", level="C", login=True, **kw):
        super().__init__(gateway.explicit, source=(source, 0), **kw)
        self.source, self.name = source, "%s:%d" % self.sock.getsockname()[:2]
        if login:
            self.auth().login().prot(level)

    def dial(self, told):
        return net.dial(told, (self.source, 0))

    def transfer(self, command, told):
        """The data connection of a command, to an endpoint that this client was told."""
        sock = self.dial(told)
        self.expect(command, 125, 150)
        return self.wrap(sock)

    def fetch(self, name, told=None):
        data = self.transfer("RETR " + name, told or self.epsv())
        content = data.read_all()
        assert data.end == "clean", data.end
        data.close()
        assert self.reply().code == 226
        return content

    def is_answered(self):
        """Has a reply come, without waiting for it?"""
        return bool(self.buffer) or bool(select.select([self.sock], [], [], 0)[0])


def is_reset(told, source="127.0.0.1"):
    try:
        with net.dial(told, (source, 0)) as sock:
            return net.end_of(sock) == ("reset", b"")
    except ConnectionResetError:
        return True

"""
Attacks on the resumption of TLS sessions: who may use which ticket, what a changed or replayed one is worth, and what outlives
CCC, REIN and a reload.

The comment above each test names the guard that it depends on. mutants.py builds the daemon with that guard
switched off and runs the test, which must then fail.
"""
import contextlib
import ssl

import pytest

import client as clients
import net

REQUIRED = {"secure_session_reuse": "required"}
OLD = b"the old file"


class Recorder(clients.Tls):
    """Keeps the ClientHello that it sends, as somebody on the path does."""

    def __init__(self, sock, *args, **kw):
        super().__init__(sock, *args, handshake=False, **kw)
        self.first = self.hello()
        sock.sendall(self.first)
        self.handshake()


# 129. A replayed ClientHello. Its binder is as good as it was the first time; only Finished cannot be replayed.
# Guard: state_of() in gateway/worker/data-handshake.c calls a handshake decided when it is over, and not before.
@pytest.mark.parametrize("command", ["STOR", "APPE"])
@pytest.mark.parametrize("reuse", ["required", "required_user"])
def test_129_a_replayed_clienthello_empties_no_file(launch, backend, command, reuse):
    gateway = launch(backend, ftp={"secure_session_reuse": reuse})
    with clients.explicit(gateway, "P", ctx=clients.context(versions="1.3")) as c:
        data = Recorder(net.dial(c.pasv()), c.ctx, session=c.control_session)
        c.expect("RETR hello.txt", 150)
        assert data.reused and data.read_all()
        data.close()
        assert c.reply().code == 226
        with net.dial(c.pasv()) as thief:  # first, and from the client's own address
            thief.sendall(data.first)
            assert thief.recv(1), "the gateway took the ticket: that is what the test is about"
            c.expect(command + " file", 150)
            assert net.quiet(c.sock, 0.3)
            assert not any(line.startswith(command) for line in backend.everything())
        assert c.reply().code in (425, 522)
        assert backend.stored == {}
        assert c.put("file", b"new", session=c.tls.session).code == 226

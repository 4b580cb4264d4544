"""
Attacks on the resumption of TLS sessions: who may use which ticket, what a changed or replayed one is worth, and what outlives
CCC, REIN and a reload.

The comment above each test names the guard that it depends on. mutants.py builds the daemon with that guard
switched off and runs the test, which must then fail.
"""
import contextlib
import os
import re
import ssl
import subprocess

import pytest

import client as clients
import gateway as gateways
import net

REQUIRED = {"secure_session_reuse": "required"}


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


def refused(gateway, c, session, reason):
    """A transfer that may not resume this session."""
    since = gateway.mark()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        assert c.open("RETR hello.txt", session=session).read_all() == b"", "it has resumed what is not its own"
    assert c.reply().code == 522
    assert gateway.event("session-not-reused", since).keys["reason"] == reason


# 120. The ticket of another session: on its own, after CCC, and once that session has ended.
# Guard: on_ticket_read() in gateway/tls/tlsctx-reuse.c gives a data connection's binding to tickets of its own session only.
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("then", ["", "CCC", "QUIT"])
def test_120_the_ticket_of_another_session(launch, backend, version, then):
    gateway = launch(backend, ftp={**REQUIRED, "secure_ctrlconn": "clear"})
    ctx = clients.context(versions=version)
    with clients.explicit(gateway, "P", ctx=ctx) as c, clients.explicit(gateway, ctx=ctx) as other:
        session = other.tls.session
        if then:
            other.cmd(then)
        refused(gateway, c, session, "ticket-of-another-session")


# 121. The ticket of another user, where sessions of one user share theirs.
# Guard: tlsctx_user_binding() in gateway/tls/tlsctx-user.c has the user in its hash.
# 122. The same user's from another address. Guard: the address is in the hash, too.
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_121_the_ticket_of_another_user(launch, backend, version):
    ctx = clients.context(versions=version)
    gateway = launch(backend, ftp={"secure_session_reuse": "required_user"})
    with clients.explicit(gateway, "P", ctx=ctx) as c, clients.Client(gateway.explicit, ctx=ctx) as thief:
        thief.auth().login("mallory").expect("NOOP", 200)
        refused(gateway, c, thief.tls.session, "ticket-of-another-session")


@pytest.mark.parametrize("reuse", ["required", "required_user"])
def test_122_the_ticket_of_another_address(launch, backend, reuse):
    ctx = clients.context(versions="1.3")
    gateway = launch(backend, ftp={"secure_session_reuse": reuse})
    with clients.explicit(gateway, "P", ctx=ctx) as c, clients.Client(gateway.explicit, ctx=ctx, source=("127.0.0.2", 0)) as far:
        far.auth().login().expect("NOOP", 200)
        refused(gateway, c, far.tls.session, "ticket-of-another-session")


def s_client(gateway, *argv):
    done = subprocess.run(["openssl", "s_client", "-ign_eof", "-connect", "%s:%d" % gateway.implicit, *argv], input="QUIT\r\n",
                          capture_output=True, text=True, timeout=net.DEADLINE)
    found = re.search(r"^(New|Reused), ", done.stdout, re.M)
    assert found, done.stdout + done.stderr
    return found[1]


def ticket_of(path):
    """The ticket in a file of `openssl s_client -sess_out`."""
    text = subprocess.check_output(["openssl", "sess_id", "-in", path, "-noout", "-text"], text=True)
    dump = re.search(r"TLS session ticket:\n((?: +[0-9a-f]{4} - .*\n)+)", text)[1]
    return b"".join(bytes.fromhex(line.split(" - ")[1][:48].replace("-", " ")) for line in dump.splitlines())


# 123. A changed ticket, in each of its parts (RFC 5077 4): the name of the key, IV, the encrypted session, its MAC.
# Guard: OpenSSL's MAC, which covers all of it, also the name; the key is that of on_ticket_key().
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_123_a_changed_ticket_opens_nothing(launch, backend, folder, version):
    gateway = launch(backend)
    path, changed = os.path.join(folder, "session"), os.path.join(folder, "changed")
    assert s_client(gateway, version, "-sess_out", path) == "New"
    der = ssl.PEM_cert_to_DER_cert(open_text(path).replace("SSL SESSION PARAMETERS", "CERTIFICATE"))
    ticket = ticket_of(path)
    assert der.count(ticket) == 1 and s_client(gateway, version, "-sess_in", path) == "Reused"
    for at in 0, 15, 16, 31, 32, len(ticket) // 2, len(ticket) - 33, len(ticket) - 32, len(ticket) - 1:
        bad = bytearray(ticket)
        bad[at] ^= 1
        pem = ssl.DER_cert_to_PEM_cert(der.replace(ticket, bytes(bad)))
        with open(changed, "w") as f:
            f.write(pem.replace("CERTIFICATE", "SSL SESSION PARAMETERS"))
        assert s_client(gateway, version, "-sess_in", changed) == "New", at


def open_text(path):
    with open(path) as f:
        return f.read()


# 124. A replayed ClientHello gets no byte of a download either.
@pytest.mark.parametrize("reuse", ["allowed", "required"])
def test_124_a_replayed_clienthello_gets_no_data(launch, backend, reuse):
    gateway = launch(backend, ftp={"secure_session_reuse": reuse})
    with clients.explicit(gateway, "P", ctx=clients.context(versions="1.3")) as c:
        data = Recorder(net.dial(c.pasv()), c.ctx, session=c.control_session)
        c.expect("RETR hello.txt", 150)
        assert data.reused and data.read_all()
        data.close()
        assert c.reply().code == 226
        with net.dial(c.pasv()) as thief:
            thief.sendall(data.first)
            assert thief.recv(65536)
            c.expect("RETR big", 150)
            assert net.quiet(thief, 0.3), "bytes of the file, before the client has finished its handshake"
        assert c.reply().code in (425, 426, 522)
        assert gateway.event("transfer", command="RETR big").keys["bytes"] == "0"


# 126. A ticket from before REIN belongs to the TLS session that REIN has ended, and to the user before it.
# Guard: control_tls_start() in gateway/worker/control-tls.c gives each TLS session of a control connection an id of its own.
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("reuse", ["required", "required_user"])
def test_126_a_ticket_from_before_rein(launch, backend, version, reuse):
    gateway = launch(backend, ftp={"secure_session_reuse": reuse})
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        c.expect("NOOP", 200)
        old = c.tls.session
        c.expect("REIN", 220)
        assert c.tls.recv() == b"" and c.tls.end == "clean"
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        c.auth().login("another").prot("P").expect("NOOP", 200)
        refused(gateway, c, old, "ticket-of-another-session")
        assert c.get("hello.txt", session=c.tls.session)


# 127. After a reload with another certificate: a new connection sees that certificate, whatever ticket it has.
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_127_a_ticket_from_before_a_reload(launch, backend, certificates, version):
    gateway = launch(backend, ftp=REQUIRED)
    ctx = clients.context(versions=version)
    with clients.explicit(gateway, "P", ctx=ctx) as old:
        old.expect("NOOP", 200)
        assert gateway.reload(gateways.policy(certificates, backend.address, ftp=REQUIRED,
                                              keyrings={"ftpd": {"certificates": [certificates.rsa]}}))
        with clients.Client(gateway.explicit, ctx=ctx) as new:
            new.auth(session=old.tls.session)
            assert not new.tls.reused
            new.login().prot("P")
            refused(gateway, new, old.tls.session, "unknown-ticket-key")
        assert old.get("hello.txt", session=old.tls.session)


# 128. TLS 1.2 without tickets: the session id of another session.
# Guard: tlsctx_bind() in gateway/tls/tlsctx-reuse.c.
def test_128_the_session_id_of_another_session(launch, backend):
    gateway = launch(backend, ftp=REQUIRED)
    ctx = clients.context(versions="1.2", tickets=False)
    with clients.explicit(gateway, "P", ctx=ctx) as c, clients.explicit(gateway, ctx=ctx) as other:
        refused(gateway, c, other.control_session, "ticket-unfit")
        assert c.get("hello.txt", session=c.control_session)

"""
Data connections that must resume the TLS session of their control connection: tickets that are used once
(RFC 8446 C.4), sessions that outlive their tickets, and what a refusal says.
"""
import os
import re
import ssl
import subprocess

import pytest

import client as clients
import net
from proxy_header import v1

NO_EXTENDED_SECRET = 1  # SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL 3, for which Python has no name


def context(version, tickets=True, extended=True):
    ctx = clients.context(versions=version, tickets=tickets)
    if not extended:
        ctx.options |= NO_EXTENDED_SECRET
    return ctx


@pytest.fixture
def strict(launch, backend):
    """strict(tls={...}): a gateway whose data connections must resume."""
    return lambda **change: launch(backend, ftp={"secure_session_reuse": "required", "secure_ctrlconn": "clear"}, **change)


class OnceOnly:
    """A client that uses each ticket once."""

    def __init__(self, client):
        self.client, self.used = client, set()

    def ticket(self):
        session = self.client.tls.session
        assert session.id not in self.used, "the client has no unused ticket"
        self.used.add(session.id)
        return session


@pytest.mark.parametrize("connect", [clients.explicit, clients.implicit])
@pytest.mark.parametrize("reuse", ["allowed", "required"])
def test_each_transfer_has_a_ticket_of_its_own(launch, backend, connect, reuse):
    gateway = launch(backend, ftp={"secure_session_reuse": reuse})
    with connect(gateway, ctx=context("1.3")) as c:
        c.prot("P")
        once = OnceOnly(c)
        for number in range(6):
            data = c.open("STOR old" if number % 2 else "RETR hello.txt", session=once.ticket())
            assert data.reused
            if number % 2:
                data.send(b"new")
            else:
                assert data.read_all() == backend.files["hello.txt"]
            data.close()
            assert c.reply().code == 226
        once.ticket()  # came with the last reply


def test_the_lines_after_the_one_with_the_ticket_arrive(launch, make_backend):
    def retr(session, _):
        session.download(b"content", done="226-Transferred\r\n226 0.001 seconds")
    gateway = launch(make_backend(RETR=retr))
    with clients.explicit(gateway, ctx=context("1.3")) as c:
        c.prot("P")
        assert c.get("any") == b"content"
        assert c.cmd("NOOP").code == 200


def test_no_ticket_comes_unasked(launch, backend):
    """As many tickets as data connections have used, and none of them where nothing is resumed."""
    gateway = launch(backend, ftp={"secure_session_reuse": "allowed"})
    with clients.explicit(gateway, "P", ctx=context("1.3")) as c:
        c.expect("NOOP", 200)
        first = c.tls.session.id
        for _ in range(3):
            c.get("hello.txt", session=None)
            c.expect("NOOP", 200)
        assert c.tls.session.id == first
        c.get("hello.txt", session=c.tls.session)
        second = c.tls.session.id
        assert second != first
        c.expect("NOOP", 200)
        c.expect("PWD", 257)
        assert c.tls.session.id == second


def test_a_refused_ticket_is_replaced_as_well(strict):
    gateway = strict()
    ctx = context("1.3")
    with clients.explicit(gateway, "P", ctx=ctx) as c, clients.explicit(gateway, ctx=ctx) as other:
        c.expect("NOOP", 200)
        before = c.tls.session.id
        refused(c, other.control_session)
        assert c.tls.session.id != before
        assert c.get("hello.txt", session=c.tls.session)


def test_no_ticket_follows_ccc(strict):
    """After CCC there is no TLS to carry one. The tickets that are left still resume."""
    gateway = strict()
    with clients.explicit(gateway, "P", ctx=context("1.3")) as c:
        c.expect("CCC", 200)
        assert c.tls.recv() == b"" and c.tls.end == "clean"
        c.tls.notify()
        session, c.tls = c.tls.session, None
        for _ in range(3):
            assert c.get("hello.txt", session=session)


def test_a_session_outlives_its_tickets(strict):
    """The reply to PASV brings a new ticket when the last one grows old."""
    gateway = strict(tls={"session_timeout": "2s"})
    with clients.explicit(gateway, "P", ctx=context("1.3")) as c:
        assert net.quiet(c.sock, 3.1), "the gateway sent a ticket unasked"
        old = c.tls.session
        sock = net.dial(c.pasv())
        assert c.tls.session.id != old.id
        data = c.wrap(sock, session=c.tls.session)
        assert data.reused
        c.expect("RETR hello.txt", 150)
        assert data.read_all()
        data.close()
        assert c.reply().code == 226


def refused(c, session):
    """A transfer that ends with 522, whose text this returns."""
    try:
        c.open("RETR hello.txt", session=session).read_all()
    except (ssl.SSLError, ConnectionError):
        pass
    reply = c.reply()
    assert reply.code == 522
    return reply


PREFIX = "522 Policy requires the data connection to resume the TLS session of this control connection: "
TEXTS = {
    "no-ticket-offered": "it offered no session.",
    "unknown-ticket-key": "its session ticket is unknown here.",
    "ticket-of-another-session": "its session ticket belongs to another session.",
    "ticket-expired": "its session ticket has expired.",
    "ticket-unfit": "its session cannot be resumed.",
    "no-extended-master-secret": "TLS 1.2 needs the extended master secret (RFC 7627) for that.",
}


def assert_refused(gateway, c, session, reason):
    since = gateway.mark()
    assert refused(c, session) == PREFIX + TEXTS[reason]
    assert gateway.event("session-not-reused", since).keys["reason"] == reason
    assert gateway.event("transfer", since, result="session-not-reused").keys["reason"] == reason
    assert c.get("hello.txt", session=c.tls.session)


@pytest.mark.parametrize("version, tickets", [("1.2", True), ("1.2", False), ("1.3", True)])
class TestReasons:
    def test_nothing_offered(self, strict, version, tickets):
        gateway = strict()
        with clients.explicit(gateway, "P", ctx=context(version, tickets)) as c:
            assert_refused(gateway, c, None, "no-ticket-offered")

    def test_another_session(self, strict, version, tickets):
        gateway = strict()
        ctx = context(version, tickets)
        with clients.explicit(gateway, "P", ctx=ctx) as c, clients.explicit(gateway, ctx=ctx) as other:
            assert_refused(gateway, c, other.control_session, "ticket-of-another-session" if tickets else "ticket-unfit")

    def test_another_gateway(self, strict, version, tickets):
        """The same as after a reload or with the ticket of another worker: the key is another one."""
        gateway, elsewhere = strict(), strict()
        ctx = context(version, tickets)
        with clients.explicit(gateway, "P", ctx=ctx) as c, clients.explicit(elsewhere, ctx=ctx) as other:
            assert_refused(gateway, c, other.control_session, "unknown-ticket-key")


@pytest.mark.parametrize("tickets", [True, False])
def test_a_made_up_session_id_offers_nothing(strict, tickets):
    """A client that also speaks TLS 1.3 sends a random one if it has no session (RFC 8446 4.1.2)."""
    gateway = strict(tls={"versions": ["tls1.2"]})
    with clients.explicit(gateway, "P", ctx=context(None, tickets)) as c:
        assert_refused(gateway, c, None, "no-ticket-offered")


def test_an_old_ticket(strict):
    """TLS 1.2 has no way to bring a client a new one."""
    gateway = strict(tls={"session_timeout": "1s"})
    with clients.explicit(gateway, "P", ctx=context("1.2")) as c:
        assert net.quiet(c.sock, 2.1)
        since = gateway.mark()
        assert refused(c, c.control_session) == PREFIX + TEXTS["ticket-expired"]
        assert gateway.event("session-not-reused", since).keys["reason"] == "ticket-expired"


class TestExtendedMasterSecret:
    def test_a_control_connection_without_it_ends(self, strict):
        gateway = strict()
        for implicit in False, True:
            c = clients.Client(gateway.implicit if implicit else gateway.explicit, implicit, greet=False,
                               ctx=context("1.2", extended=False))
            with c:
                if not implicit:
                    assert c.reply().code == 220
                    c.auth()
                c.assert_ends(421)
        assert gateway.event("session-end", count=2, reason="no-extended-master-secret")

    def test_its_reply_says_why(self, strict):
        with clients.Client(strict().explicit, ctx=context("1.2", extended=False)) as c:
            c.auth()
            assert c.reply() == "421 Policy requires TLS 1.3, or TLS 1.2 with the extended master secret (RFC 7627); closing."

    def test_a_data_connection_without_it_is_refused(self, strict):
        """OpenSSL ends a handshake that resumes a session and leaves it out (RFC 7627 5.3)."""
        gateway = strict()
        ctx = context("1.2")
        with clients.explicit(gateway, "P", ctx=ctx) as c:
            good = c.control_session
            ctx.options |= NO_EXTENDED_SECRET
            for session in good, None:
                since = gateway.mark()
                assert refused(c, session) == PREFIX + TEXTS["no-extended-master-secret"]
                gateway.event("transfer", since, result="session-not-reused", reason="no-extended-master-secret")

    def test_it_is_not_required_otherwise(self, launch, backend):
        gateway = launch(backend)
        with clients.explicit(gateway, "P", ctx=context("1.2", extended=False)) as c:
            assert c.get("hello.txt") == backend.files["hello.txt"]

    def test_tls_13_has_no_need_of_it(self, strict):
        with clients.explicit(strict(), "P", ctx=context("1.3", extended=False)) as c:
            assert c.get("hello.txt")


def ticket_key_name(gateway, folder):
    """The name of the key of a new ticket: its first 16 bytes (RFC 5077 4)."""
    path = os.path.join(folder, "session")
    subprocess.run(["openssl", "s_client", "-tls1_2", "-starttls", "ftp", "-connect", "%s:%d" % gateway.explicit,
                    "-sess_out", path], input="QUIT\r\n", capture_output=True, text=True, timeout=net.DEADLINE, check=True)
    text = subprocess.check_output(["openssl", "sess_id", "-in", path, "-noout", "-text"], text=True)
    return re.search(r"^ +0000 - ([0-9a-f -]+?)   ", text, re.M)[1]


class TestRotation:
    def test_keys_change_and_older_tickets_still_resume(self, strict, folder):
        gateway = strict(tls={"session_ticket_rotation": "1s"})
        with clients.explicit(gateway, "P", ctx=context("1.2")) as old, \
                clients.explicit(gateway, "P", ctx=context("1.3")) as new:
            first = ticket_key_name(gateway, folder)
            net.until(lambda: ticket_key_name(gateway, folder) != first, "the key changes")
            second = ticket_key_name(gateway, folder)
            net.until(lambda: ticket_key_name(gateway, folder) not in (first, second), "the key changes again")
            for c in old, new:
                assert c.get("hello.txt", session=c.control_session)

    def test_one_key_serves_for_its_time(self, strict, folder):
        gateway = strict(tls={"session_ticket_rotation": "60s"})
        assert len({ticket_key_name(gateway, folder) for _ in range(3)}) == 1

    def test_a_key_is_wiped_with_its_last_ticket(self, strict):
        """Not even the reason is known then: expired would need the key."""
        gateway = strict(tls={"session_ticket_rotation": "1s", "session_timeout": "1s"})
        with clients.explicit(gateway, "P", ctx=context("1.2")) as c:
            assert net.quiet(c.sock, 4)
            since = gateway.mark()
            assert refused(c, c.control_session) == PREFIX + TEXTS["unknown-ticket-key"]
            gateway.event("session-not-reused", since, reason="unknown-ticket-key")


class TestSameUser:
    @pytest.fixture
    def shared(self, launch, backend):
        return launch(backend, ftp={"secure_session_reuse": "required_user"})

    @pytest.mark.parametrize("version, tickets", [("1.2", False), ("1.3", True)])
    def test_the_session_of_another_connection_of_the_user(self, shared, version, tickets):
        ctx = context(version, tickets)
        with clients.explicit(shared, "P", ctx=ctx) as one, clients.explicit(shared, "P", ctx=ctx) as two:
            for mine, other in (one, two), (two, one):
                data = mine.open("RETR hello.txt", session=other.tls.session)
                assert data.reused and data.read_all()
                data.close()
                assert mine.reply().code == 226
                assert mine.get("hello.txt", session=mine.tls.session)

    def test_one_worker_serves_an_address(self, launch, backend):
        gateway = launch(backend, ftp={"secure_session_reuse": "required_user"}, daemon={"workers": 4})
        ctx = context("1.3")
        for _ in range(6):
            with clients.explicit(gateway, ctx=ctx) as other, clients.explicit(gateway, "P", ctx=ctx) as mine:
                assert mine.get("hello.txt", session=other.tls.session)

    def test_any_worker_behind_a_balancer(self, launch, backend):
        """There, the address of the peer says nothing, so the sessions of a client are with any worker."""
        gateway = launch(backend, ftp={"secure_session_reuse": "required_user"}, daemon={"workers": 4},
                         listeners={"explicit": {"proxy_protocol": ["127.0.0.1"], "proxy_data": True}, "implicit": None})
        ctx = context("1.3")
        header = v1(("192.0.2.7", 40000), ("127.0.0.1", 21))

        def session():
            return clients.Client(gateway.explicit, ctx=ctx, header=header)
        with session() as other:
            other.auth().login()
            other.expect("NOOP", 200)
            for _ in range(6):
                with session() as mine:
                    mine.auth().login().prot("P")
                    data = mine.open("RETR hello.txt", session=other.tls.session)
                    assert data.reused and data.read_all()
                    data.close()
                    assert mine.reply().code == 226

    def test_it_may_have_ended(self, shared):
        ctx = context("1.3")
        with clients.explicit(shared, ctx=ctx) as gone:
            session = gone.tls.session
        with clients.explicit(shared, "P", ctx=ctx) as c:
            assert c.get("hello.txt", session=session)

    @pytest.mark.parametrize("version, tickets", [("1.2", True), ("1.2", False), ("1.3", True)])
    def test_its_own_session_from_before_the_login(self, shared, version, tickets):
        with clients.Client(shared.explicit, ctx=context(version, tickets)).auth() as c:
            c.expect("NOOP", 200)  # TLS 1.3: it has read its tickets
            session = c.tls.session
            c.login().prot("P")
            assert c.get("hello.txt", session=session)

    @pytest.mark.parametrize("version, tickets", [("1.2", True), ("1.2", False), ("1.3", True)])
    def test_not_of_another_user(self, shared, version, tickets):
        ctx = context(version, tickets)
        with clients.explicit(shared, "P", ctx=ctx) as c, clients.Client(shared.explicit, ctx=ctx) as thief:
            thief.auth().login("mallory")
            assert_refused(shared, c, thief.tls.session, "ticket-of-another-session" if tickets else "ticket-unfit")

    def test_not_before_the_login(self, shared):
        """A ticket that names no user is good for its own session only."""
        ctx = context("1.3")
        with clients.explicit(shared, "P", ctx=ctx) as c, clients.Client(shared.explicit, ctx=ctx) as stranger:
            stranger.auth().expect("NOOP", 200)
            assert_refused(shared, c, stranger.tls.session, "ticket-of-another-session")

    def test_not_from_another_address(self, shared):
        ctx = context("1.3")
        with clients.explicit(shared, "P", ctx=ctx) as c, \
                clients.Client(shared.explicit, ctx=ctx, source=("127.0.0.2", 0)) as other:
            other.auth().login()
            assert_refused(shared, c, other.tls.session, "ticket-of-another-session")

    def test_required_takes_no_session_of_the_same_user(self, strict):
        gateway = strict()
        ctx = context("1.3")
        with clients.explicit(gateway, "P", ctx=ctx) as c, clients.explicit(gateway, ctx=ctx) as other:
            assert_refused(gateway, c, other.tls.session, "ticket-of-another-session")

"""
The security history of FTP servers, proxies and packet filters: one numbered
test for each of 28 incidents. The other tests cover these areas in breadth.

The comment above each test names the guard in the source that it depends on.
mutants.py builds the daemon with that guard switched off and runs the test,
which must then fail (`make mutants` shows the table). If an incident is about a
feature that this daemon does not have, the comment says what the test does instead.
"""
import contextlib
import json
import os
import random
import socket
import ssl
import subprocess
import tempfile

import pytest

import client as clients
import gateway as gateways
import net
import people

TARGET = b"what the backend has"


@pytest.fixture(scope="session")
def partners():
    with tempfile.TemporaryDirectory(prefix="attlsd-partners-") as folder:
        os.chmod(folder, 0o755)
        yield people.People(folder)


def ends(c, *codes):
    """The session ends; before that, the client gets at most replies with these codes."""
    said = b""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        said = c.ended()
    assert all(not line or int(line[:3]) in codes for line in said.split(b"\r\n")), said


# 1. Plaintext command injection at AUTH TLS (CVE-2011-1575, NO STARTTLS).
# Guard: control_tls_auth() in gateway/worker/control-tls.c ends a session with bytes after AUTH.
# Without it, the gateway runs the command under TLS as if it had arrived inside.
@pytest.mark.parametrize("segments", [[b"AUTH TLS\r\nUSER smuggled\r\n"], [b"AUTH TLS\r\nUSER smug", b"gled\r\n"]])
def test_01_plaintext_injection_at_auth(gateway, backend, segments):
    with clients.Client(gateway.explicit) as c:
        with contextlib.suppress(ssl.SSLError, ConnectionError, clients.Closed, AssertionError):
            for segment in segments:
                c.sock.sendall(segment)
            if c.reply().code == 234:
                c.start_tls()
                c.reply()
        ends(c)
    assert "USER smuggled" not in backend.everything()


# 2. Response injection (CVE-2021-22947): the server sends replies before the commands.
# Guard: reply_begins() in ftp-alg/machine.c ends the session at a reply to no command.
def test_02_response_injection(launch, make_backend):
    gateway = launch(make_backend(greeting="220 hi\r\n230 Logged in\r\n234 Go ahead"))
    with clients.Client(gateway.explicit) as c:
        ends(c, 421)


# 3. CCC: commands buffered inside TLS must not run in the clear; levels and the binding of data connections must not change.
# Guard: control_tls_stop() in gateway/worker/control-tls.c (bytes after CCC), ftp_security_prot() and
# ftp_security_pbsz() in ftp-alg/security.c (frozen), new_ssl() in gateway/worker/data-conn.c (binding).
def test_03_ccc_downgrade(launch, backend):
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear", "secure_dataconn": "clear", "secure_session_reuse": "required"})
    with clients.explicit(gateway, "P") as c:
        c.send("CCC\r\nDELE precious\r\n")
        with contextlib.suppress(clients.Closed):
            c.reply()
            c.tls.notify()
            c.buffer, c.tls = c.tls.rest(), None
            c.reply()
    assert "DELE precious" not in backend.everything()
    with clients.explicit(gateway, "P") as c:
        c.expect("CCC", 200)
        c.tls.read_all()
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        for line in "PROT C", "PBSZ 0", "AUTH TLS":
            assert "after CCC" in c.expect(line, 503)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            assert c.open("RETR hello.txt", session=None).read_all() == b""
        c.reply() if c.buffer else None
        c.expect("PWD", 257, 522)


# 4. Variants of CCC's close_notify (proftpd 954, FluentFTP 874).
# Guard: stream_tls_leave() in gateway/net/stream-tls.c checks the first byte before it treats the data as TLS.
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("how", ["none", "late", "split", "joined"])
def test_04_ccc_close_notify_dialects(launch, backend, version, how):
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear"})
    with clients.explicit(gateway, ctx=clients.context(versions=version)) as c:
        c.expect("CCC", 200)
        assert c.tls.recv() == b"" and c.tls.end == "clean"
        tls, c.buffer, c.tls = c.tls, c.tls.rest(), None
        with contextlib.suppress(ssl.SSLError):
            tls.ssl.unwrap()
        notify = tls.outbound.read()
        for piece in {"none": [], "late": [notify], "split": [notify[:3], notify[3:]], "joined": [notify + b"NOOP\r\n"]}[how]:
            c.sock.sendall(piece)
        if how == "joined":
            assert c.reply().code == 200
        c.expect("PWD", 257)
        assert backend.verbs().count("PWD") == 1


# 5. ALPACA (CVE-2021-3618): a ClientHello or a request for another protocol.
# Guard: on_alpn() in gateway/tls/tlsctx.c sends a fatal alert; FTP_KIND_FOREIGN in ftp-alg/machine.c ends the session.
@pytest.mark.parametrize("offer", [["h2", "http/1.1"], ["x\x03ftp"]])
def test_05_alpaca(gateway, backend, offer):
    with clients.Client(gateway.explicit, ctx=clients.context(alpn=offer)) as c:
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            c.auth()
    with clients.explicit(gateway) as c:
        c.send("GET / HTTP/1.1\r\nHost: x\r\nNOOP\r\n")
        ends(c, 500)


# 6. FTP bounce (RFC 2577).
# Guard: check_port() in ftp-alg/plan.c compares address and port.
@pytest.mark.parametrize("host", ["127.0.0.2", "127.0.0.1"])
def test_06_bounce(gateway, backend, host):
    with clients.explicit(gateway, "C") as c, net.listen(host) as elsewhere:
        port = elsewhere.getsockname()[1] if host == "127.0.0.2" else 1023
        place = "%s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255)
        c.expect("PORT " + place, 504)
        c.expect("EPRT |1|%s|%d|" % (host, port), 504)
        c.expect("RETR hello.txt", 425)
        assert net.quiet(elsewhere, 0.1), "somebody else was dialled"
    assert not {"RETR", "PORT", "EPRT"} & set(backend.verbs())


# 7. PASV SSRF (CVE-2020-8284, CVE-2021-4189): a malicious server names another address.
# Guard: parse_port() in ftp-alg/plan.c uses the port and ignores the address; PORT_LOW_LIMIT there.
def test_07_pasv_ssrf(launch, make_backend):
    with net.listen("127.0.0.2") as inner:
        port = inner.getsockname()[1]

        def pasv(session, _):
            session.listener = socket.create_server(("127.0.0.1", port))
            session.reply("227 Entering Passive Mode (127,0,0,2,%d,%d)" % (port >> 8, port & 255))
        backend = make_backend(files={"x": TARGET}, EPSV="502 no", PASV=pasv)
        gateway = launch(backend)
        with clients.explicit(gateway, "P") as c:
            assert c.get("x") == TARGET
        assert net.quiet(inner, 0.1), "the gateway dialled where the server pointed"
    low = make_backend(EPSV="229 Entering Extended Passive Mode (|||22|)")
    with clients.explicit(launch(low, backends={"legacy": {"data": "passive"}}), "P") as c:
        c.expect("PASV", 425)


# 8. Stealing data connections (FileZilla's PoC): from another address, or with another session's ticket.
# Guard: on_listener() in gateway/worker/data-leg.c (peer); the session id context of tlsctx_new() and on_ticket_made()
# in gateway/tls/tlsctx.c (the ticket belongs to one control session).
def test_08_data_connection_stealing(launch, backend):
    gateway = launch(backend, ftp={"secure_session_reuse": "required", "secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        address = c.pasv()
        with contextlib.suppress(ConnectionError):
            thief = net.dial(address, ("127.0.0.2", 0))
            assert net.end_of(thief)[1] == b""
        sock = net.dial(address)
        c.expect("RETR hello.txt", 150)
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226
    for version in "1.2", "1.3":
        ctx = clients.context(versions=version)
        with clients.explicit(gateway, "P", ctx=ctx) as victim, clients.explicit(gateway, "P", ctx=ctx) as thief:
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                data = victim.open("RETR hello.txt", session=thief.control_session)
                assert data.read_all() == b"", "another session's ticket opened the data connection"
            assert victim.reply().code == 522


# 9. Resumption must not bypass the check of a client certificate (proftpd 968, 1193 and similar).
# Guard: on_ticket_read() and tlsctx_new() in gateway/tls/tlsctx.c: if the policy checks certificates, a control
# connection resumes no session.
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_09_resumption_pitfalls(launch, backend, partners, version):
    gateway = launch(backend, tls={"handshake_role": "server_with_client_auth", "client_auth_type": "required"},
                     keyrings={"ftpd": {"trust": partners.trust}})
    ctx = clients.context(versions=version)
    partners.load(ctx, "user")
    with clients.explicit(gateway, ctx=ctx) as c:
        c.expect("NOOP", 200)
        session = c.tls.session
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth(session=session)
        assert not c.tls.reused, "an old session stood in for the certificate"


# 10. Truncated uploads: only the gateway can see that close_notify is missing.
# Guard: move() in gateway/net/relay.c turns STREAM_TRUNCATED into RELAY_CUT.
@pytest.mark.parametrize("content", [b"half", b""])
def test_10_truncated_upload(launch, backend, content):
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR cut")
        if content:
            data.send(content)
        data.close(notify=False)
        assert backend.upload("cut")[1] == "reset", "the backend took a cut file for a whole one"
        assert c.reply().code == 426


# 11. Waiting at shutdown for a peer that never replies (curl 17130, lftp 753).
# Guard: LINGER_MS in gateway/net/linger.c limits the wait.
def test_11_shutdown_waits_are_bounded(launch, backend):
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        pid = gateway.workers()[0]
        before = net.descriptors(pid)
        c.get("hello.txt")
        net.until(lambda: net.descriptors(pid) <= before, "the connections of a peer that closes are gone")
        data = c.open("RETR hello.txt")
        assert data.read_all() == backend.files["hello.txt"] and data.end == "clean"
        assert c.reply().code == 226
        net.until(lambda: net.descriptors(pid) <= before, "the gateway gives up on a silent peer", deadline=3)
        data.sock.close()


# 12. Leaks after sessions that end with RST (proftpd 1963).
# Guard: stream_close() in gateway/net/stream.c always closes the descriptor.
def test_12_resets_leak_nothing(launch, backend):
    gateway = launch(backend, daemon={"limits": {"unauthenticated_per_source": 100}})
    with clients.explicit(gateway) as c:
        c.expect("QUIT", 221)
        c.ended()
    gateway.event("session-end")
    pid = gateway.workers()[0]
    before = net.descriptors(pid)
    for _ in range(30):
        c = clients.explicit(gateway, "P")
        c.pasv()
        c.tls.abort()
    gateway.event("session-end", count=31)
    net.until(lambda: net.descriptors(pid) <= before, f"all but {before} descriptors are closed", deadline=5)


# 13. NAT slipstreaming: PORT in the body of an HTTP request, or before any FTP dialogue.
# Guard: gate() in ftp-alg/machine.c (login first) and FTP_KIND_FOREIGN. Tested here without a firewall: the gateway
# requests no data port and connects to nobody. The announcements to the kernel use the same plan (tests/edge).
def test_13_nat_slipstreaming(launch, backend):
    gateway = launch(backend, ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with net.listen() as listener:
        host, port = listener.getsockname()
        line = "PORT %s,%d,%d\r\n" % (host.replace(".", ","), port >> 8, port & 255)
        with clients.Client(gateway.explicit) as c:
            c.send("POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\n" + line)
            ends(c, 500)
        with clients.Client(gateway.explicit) as c:
            c.expect(line.strip(), 530)
            c.expect("EPSV", 530)
        assert net.quiet(listener, 0.1)
    assert not {"PORT", "EPRT", "EPSV", "PASV"} & set(backend.verbs()), "a data port was asked for"


# 14. Expectation gating ("paranoid FTP", 2001): an unsolicited 227, and a PORT that the server refuses.
# Guard: names_a_port() in ftp-alg/machine.c, machine_plan_reply() in ftp-alg/plan.c. Tested here without a firewall:
# the gateway connects to nothing and names no port (tests/edge checks the kernel's expectations).
def test_14_expectation_gating(launch, make_backend):
    with net.listen() as listener:
        host, port = listener.getsockname()
        forged = "227 Entering Passive Mode (%s,%d,%d)" % (host.replace(".", ","), port >> 8, port & 255)
        gateway = launch(make_backend(NOOP=forged), ftp={"secure_dataconn": "clear"})
        with clients.explicit(gateway, "C") as c:
            c.send("NOOP\r\n")
            ends(c, 421)
        refusing = make_backend(PORT="500 no", EPRT="500 no", EPSV="500 no", PASV="500 no")
        with clients.explicit(launch(refusing, ftp={"secure_dataconn": "clear"}), "C") as c:
            c.expect("PORT %s,%d,%d" % (host.replace(".", ","), port >> 8, port & 255), 425)
            c.expect("RETR x", 425)
        assert net.quiet(listener, 0.1), "a port was used that nobody agreed on"


# 15. Inspection that loses track of the dialogue (ASA: CVE-2020-3564): 227 inside other replies.
# Guard: ftp_reply_take() in ftp-alg/reply.c ends a reply only at its own reply code.
def test_15_reply_spoofing(launch, make_backend):
    text = "Entering Passive Mode (127,0,0,1,200,10)"
    backend = make_backend(files={"x": TARGET}, CWD="250-227 " + text + "\r\n227 " + text + "\r\n229 (|||51210|)\r\n250 done")
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        assert c.cmd("CWD x").splitlines()[1] == "227 " + text
        c.expect("RETR x", 425)
        assert c.get("x") == TARGET


# 16. Sequence numbers of rewritten packets (CVE-2025-68206). A relay in user space has none to adjust, as long as it
# writes its own reply and never patches the server's. The test turns 229 replies of any length into 227.
# Guard: is_shown() in ftp-alg/reply-filter.c holds back the server's reply to the gateway's own EPSV.
@pytest.mark.parametrize("text", ["229 (|||%d|)", "229-" + "x" * 1000 + "\r\n229 " + "y" * 1000 + " (|||%d|)"])
def test_16_a_rewritten_reply_is_a_new_one(launch, make_backend, text):
    backend = make_backend(files={"x": TARGET}, EPSV=lambda session, _: session.reply(text % session.passive()))
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        c.send("PASV\r\nNOOP\r\n")
        reply = c.reply()
        assert reply.startswith("227 Entering Passive Mode (127,0,0,1,") and len(reply) < 60
        assert c.reply().code == 200
        assert c.get("x") == TARGET


# 17. ctnetlink expectations that no longer work as before. If the kernel rejects them (here because the control
# connection has no helper, or is not tracked), attlsd logs that with the fix, and no session breaks.
# tests/edge uses a kernel that accepts them.
# Guard: log_failure() in gateway/monitor/privileged.c.
@pytest.mark.skipif(not net.IS_ROOT, reason="expectations need CAP_NET_ADMIN")
def test_17_ctnetlink_expectations(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, nat={"conntrack": "expect"}, wait=False)
    net.until(lambda: gateway.seen("ready") or gateway.process.poll() is not None, "ready or refused")
    if gateway.process.poll() is not None:
        gateway.ended()
        assert "nf_conntrack_netlink" in gateway.log, "refused without a reason"
        pytest.skip("this kernel has no nf_conntrack_netlink")
    gateway.ready()
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]
        assert gateway.event("announce-failed").keys["fix"]


# 17, continued: a daemon that lacks the capability for expectations refuses to start.
# Guard: open_mechanism() in gateway/monitor/privileged.c.
def test_17_without_the_capability(launch, backend):
    gateway = launch(backend, nat={"conntrack": "expect"}, preexec=net.as_nobody, wait=False)
    net.until(lambda: gateway.seen("ready") or gateway.process.poll() is not None, "ready or refused")
    assert gateway.process.poll() == 1, "the daemon runs and can make no expectations"
    gateway.ended()
    assert "conntrack" in gateway.log and "CAP_NET_ADMIN" in gateway.log


# 18. Telnet codes in a command line, in band and out of band (CVE-2010-4221).
# Guard: telnet_strip() in ftp-alg/line.c; SO_OOBINLINE in gateway/net/netsock.c.
@pytest.mark.parametrize("cut", range(9))
def test_18_iac_and_urgent_data(launch, backend, cut):
    gateway = launch(backend, ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear"})
    raw = b"\xff\xf4\xff\xf2ABOR\r\n"
    with clients.Client(gateway.explicit) as c:
        c.login()
        c.sock.sendall(raw[:cut])
        c.sock.sendall(raw[cut:])
        assert c.reply().code == 226
        if cut:
            c.sock.send(raw[:cut], socket.MSG_OOB)
            c.sock.sendall(raw[cut:])
            assert c.reply().code == 226
        c.send(b"\xff" * 65536 + b"\r\n")
        c.expect("NOOP", 200, 500)
    assert set(backend.verbs()) <= {"USER", "PASS", "ABOR", "NOOP"}


# 19. Line parsing (CVE-2019-18217, CVE-2023-51713): a leading LF, NUL, 8-bit letters, 64 KiB without a line end.
# Guard: FTP_LINE_MAX in ftp-alg/line.h and the checks of ftp_line_take().
@pytest.mark.parametrize("raw,codes", [(b"\nNOOP\r\n", (500,)), (b"NO\0OP\r\n", (501,)), (b"CWD \x80\xfe\r\n", (502, 550)),
                                       (b"\xc4BOR\r\n", (500,)), (b"A" * 65536 + b"\r\n", (500,)), (b"\r\n", (500,))])
def test_19_line_parsing(gateway, backend, raw, codes):
    with clients.explicit(gateway) as c:
        c.send(raw)
        assert c.reply().code in codes
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)


# 20. CRLF injection (CVE-2026-39983 and similar): the gateway and the backend must split lines at the same bytes.
# Guard: ftp_line_take() in ftp-alg/line.c refuses CR and NUL inside a line, and ends a session at a bare LF.
@pytest.mark.parametrize("inside", [b"\r", b"\n", b"\r\0", b"\0", b"\r\r"])
def test_20_crlf_injection(gateway, backend, inside):
    with clients.explicit(gateway) as c:
        c.send(b"CWD a" + inside + b"DELE precious\r\n")
        assert c.reply().code in (500, 501)
        with contextlib.suppress(clients.Closed):
            c.expect("NOOP", 200)
    assert not any("DELE" in line or "CWD" in line for line in backend.everything())


# 21. CRLs (CVE-2019-19269 to 19272): a missing or expired list, or a list of another CA, lets no client in.
# Guard: load_crls() in gateway/tls/trust.c sets CRL_CHECK and CRL_CHECK_ALL.
@pytest.mark.parametrize("crl,certificate,good", [
    ("crl-good", "user", True), ("crl-good", "revoked", False), ("crl-good", "branch-revoked", False), ("crl-good", "gone-user", False),
    ("crl-expired", "user", False), ("crl-of-another", "user", False), ("crl-root-only", "branch-user", False)])
def test_21_crl(launch, backend, partners, crl, certificate, good):
    gateway = launch(backend, tls={"handshake_role": "server_with_client_auth"},
                     keyrings={"ftpd": {"trust": partners.trust, "crl": partners.path(crl)}})
    ctx = clients.context()
    partners.load(ctx, certificate)
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.expect("AUTH TLS", 234)
        if good:
            c.start_tls().login()
        else:
            assert people.denies(clients.Tls(c.sock, ctx, handshake=False))


# 22. Names (CVE-2009-3639, CVE-2014-0139): a certificate belongs to one user, not to users whose names are a prefix of that user's name.
# Guard: is_user() in ftp-alg/login.c compares lengths; X509_NAME_cmp() in gateway/tls/identity.c compares whole names.
def test_22_name_matching(launch, backend, partners):
    partners.root.issue("two-names", "/O=Partner/CN=other/CN=user")
    partners.root.issue("longer", "/O=Partner/CN=user2")
    gateway = launch(backend, ftp={"secure_login": "verify_user", "login_delay": 0, "login_attempts": 0},
                     tls={"handshake_role": "server_with_client_auth"},
                     keyrings={"ftpd": {"trust": partners.trust}}, users=partners.users())

    def code(certificate, user):
        ctx = clients.context()
        partners.load(ctx, certificate)
        with clients.Client(gateway.explicit, ctx=ctx) as c:
            return c.auth().cmd("USER " + user).code
    assert code("user", "user") == code("user", "USER") == 331
    for name in "use", "u", "", "user2", "user ", " user", "other", "user\x01":
        assert code("user", name) == 530, name
    assert code("two-names", "user") == code("two-names", "other") == code("longer", "user2") == 530
    assert code("longer", "user") == 530


# 23. Lifetime of a transfer if its control connection fails (CVE-2020-9273, CVE-2011-4130).
# Guard: loop_defer_free() frees a session only after its last use. AddressSanitizer finds a use of freed memory
# (`make asan`; the mutant is also built with it), and often the magic number of the session does.
def test_23_transfer_lifetime(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"limits": {"unauthenticated_per_source": 100}})
    workers = gateway.workers()
    chance = random.Random(9273)
    for n in range(40):
        c = clients.explicit(gateway, "CP"[n % 2])
        if n % 8 == 0:
            c.expect("QUIT", 221)
        with contextlib.suppress(OSError, ssl.SSLError, clients.Closed, AssertionError):
            c.sock.settimeout(0.3)
            data = c.open(chance.choice(["STOR x", "RETR big"]), chance.choice(["PASV", "EPSV", "PORT", "EPRT"]))
            data.sock.settimeout(0.1)
            for _ in range(3):
                chance.choice([lambda: c.send("ABOR\r\n"), lambda: data.send(b"x" * 1000), lambda: c.send("QUIT\r\n"), data.abort,
                               lambda: net.reset(c.sock), lambda: c.send("REIN\r\nSTAT\r\n"), data.recv])()
        c.close()
    with clients.explicit(gateway, "P") as c:
        assert c.get("big") == backend.files["big"]
    assert gateway.workers() == workers, "a worker died"


# 24. Connection exhaustion (CVE-2021-30047, CVE-2020-35359).
# Guard: limit_reached() in gateway/monitor/admission.c counts sessions before login per source; one port per session.
def test_24_connection_exhaustion(launch, backend):
    gateway = launch(backend, daemon={"limits": {"unauthenticated_per_source": 3}})
    with clients.explicit(gateway) as logged_in, contextlib.ExitStack() as stack:
        gateway.event("login")
        before = net.descriptors(gateway.workers()[0])
        for _ in range(50):
            logged_in.pasv()
        assert net.descriptors(gateway.workers()[0]) <= before + 2, "a flood of PASV keeps ports open"
        greeted = []
        for _ in range(8):
            c = stack.enter_context(clients.Client(gateway.explicit, greet=False))
            with contextlib.suppress(clients.Closed, ConnectionError):
                greeted.append(c.reply().code)
        assert greeted.count(220) == 3, greeted
        assert stack.enter_context(clients.Client(gateway.explicit, source=("127.0.0.2", 0))).greeting.code == 220
        logged_in.expect("NOOP", 200)


# 25. Replies outside TLS (pure-ftpd 61): STAT, ABOR and the last reply of a session.
# Guard: stream_write() in gateway/net/stream.c is the only function that writes to a connection, and it uses TLS if there is TLS.
def test_25_no_reply_outside_tls(launch, backend):
    gateway = launch(backend, ftp={"inactive": "1s"})
    seen = []
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)

        class Tap:
            def recv(self, size):
                seen.append(c.sock.recv(size))
                return seen[-1]

            def __getattr__(self, name):
                return getattr(c.sock, name)
        c.tls = clients.Tls(Tap(), c.ctx)
        c.login().cmd("STAT hello.txt")
        c.cmd("ABOR")
        assert c.reply().code == 421
        c.ended()
    wire = b"".join(seen)
    assert not any(code in wire for code in (b"331 ", b"230 ", b"226 ", b"421 ", b"502 ")), "a reply in the clear"


# 26. A 226 for data that did not arrive, and a 4yz that is lost because the proxy waits for TLS (mod_proxy 0.9.2).
# Guard: machine_transfer_gate() (a refusal does not wait) and verdict() in ftp-alg/transfer.c.
def test_26_lying_226(launch, make_backend):
    def retr(session, name):
        session.reply("150 Here")
        data = session.open_data()
        data.sendall(b"half")
        session.backend.wait(lambda: getattr(session.backend, "go", False), "leave to reset")
        net.reset(data)
        session.reply("226 All of it")
    backend = make_backend(RETR=retr, STOR="550 Not you")
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.pasv())
        c.expect("STOR x", 550)
        assert net.quiet(sock, 0.1), "the gateway spoke on a data connection that was refused"
        data = c.open("RETR x")
        assert data.recv() == b"half"
        backend.note(lambda: setattr(backend, "go", True))
        data.read_all()
        assert data.end != "clean"
        assert c.reply().code == 426, "226 for half a file"


# 27. Injection into databases (CVE-2026-42167). attlsd has no SQL and no name look-up, but it has a log:
# a USER name must not create a second line or an escape sequence in it.
# Guard: put_escaped() in gateway/base/log.c.
@pytest.mark.parametrize("style", ["text", "json"])
def test_27_log_injection(launch, backend, style):
    gateway = launch(backend, daemon={"log": {"format": style, "level": "debug"}}, wait=False)
    ready = net.until(lambda: [line for line in gateway.log.splitlines() if "ready" in line and "explicit" in line], "ready")[0]
    place = json.loads(ready)["explicit"] if style == "json" else gateways.Event("info", "ready", ready).keys["explicit"]
    with clients.Client(("127.0.0.1", int(place.rsplit(":", 1)[1]))) as c:
        c.auth().cmd('USER mallory\x1b[2J\x07\x85"} \x7f\tuser=root')
        c.expect("PASS p", 230)
        c.expect("QUIT", 221)
        c.ended()
    gateway.stop()
    assert not any(ord(ch) < 32 and ch != "\n" or ord(ch) > 126 for ch in gateway.log), "a control character in the log"
    lines = [json.loads(line) if style == "json" else gateways.Event("info", "x", line).keys for line in gateway.log.splitlines()
             if "mallory" in line]
    users = [keys["user"] for keys in lines if "user" in keys]
    assert users
    for user in users:
        assert user.startswith("mallory") and user.endswith("root"), user


# 28. The local control socket (proftpd 2210): other users must not be able to use it.
# Guard: the mode of the file, bind_to() in gateway/monitor/ctl-socket.c.
def test_28_control_socket(launch, backend, folder):
    path = os.path.join(folder, "control.sock")
    launch(backend, daemon={"control_socket": path})
    if not net.IS_ROOT:
        pytest.skip("only root can be somebody else")
    attempt = "import socket, sys\ntry: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\nexcept PermissionError: sys.exit(13)"
    done = subprocess.run(["/usr/bin/python3", "-c", attempt, path], preexec_fn=net.as_nobody, stderr=subprocess.DEVNULL)
    assert done.returncode == 13, "somebody else got at the control socket"

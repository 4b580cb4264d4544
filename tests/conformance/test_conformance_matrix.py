"""
Measure every cell of the four tables in matrix.md and compare it with matrix.md.

The results are written to $ATTLSD_BUILD/conformance.md, with the number of cases
in each table of this folder, and printed at the end of the run.
"""
import contextlib
import functools
import os
import ssl
import tempfile
import time

import pytest

import backend as backends
import client as clients
import dialogue
import gateway as gateways
import net
import people

COMMANDS = ["RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD"]
UPLOADS = {"STOR", "APPE", "STOU"}
measured = {}


def read_matrix():
    """The tables of matrix.md: {title: (text, header, {first cells: row})}."""
    found, title, text = {}, None, ""
    with open(os.path.join(dialogue.HERE, "matrix.md"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("## "):
                title = line[3:].strip()
                found[title] = []
            elif title and line.startswith("|") and not line.startswith("|---"):
                found[title].append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


EXPECTED = read_matrix()


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory(prefix="attlsd-matrix-") as folder:
        os.chmod(folder, 0o755)
        yield folder


@pytest.fixture(scope="module")
def partners(place):
    folder = os.path.join(place, "people")
    os.mkdir(folder)
    return people.People(folder)


@pytest.fixture
def server(make_backend):
    def stou(session, name):
        session.upload(name)

    def mlsd(session, _):
        session.download(b"type=file; x\r\n")
    return make_backend(files={"x": b"content"}, STOU=stou, MLSD=mlsd)


def compare(title, rows):
    """Record a result; it must be the expected one."""
    header, *expected = EXPECTED[title]
    measured[title] = [header, *rows]
    write()
    wrong = [(want, got) for want, got in zip(expected, rows) if want != got]
    assert not wrong and len(expected) == len(rows), "\n".join(f"expected {want}\nmeasured {got}" for want, got in wrong)


def write():
    """conformance.md with the results so far."""
    cases = [case for path in dialogue.tables() for case in dialogue.read_table(path)]
    topics = {}
    for case in cases:
        topics[case.topic] = topics.get(case.topic, 0) + 1
    with open(os.path.join(net.BUILD, "conformance.md"), "w", encoding="utf-8") as f:
        f.write("# Conformance, as measured\n")
        for title in EXPECTED:
            if title in measured:
                header, *rows = measured[title]
                f.write(f"\n## {title}\n\n| " + " | ".join(header) + " |\n|" + "---|" * len(header) + "\n")
                f.writelines("| " + " | ".join(row) + " |\n" for row in rows)
        f.write("\n## Tables of dialogues\n\n| topic | cases |\n|---|---|\n")
        f.writelines(f"| {topic} | {count} |\n" for topic, count in sorted(topics.items()))
        f.write(f"| all | {len(cases)} |\n")


def transfer(c, command):
    """Returns "tls", "clear" or the reply code of a refusal."""
    sock = net.dial(c.pasv())
    reply = c.cmd(command if command in ("LIST", "NLST", "MLSD") else command + " x")
    if reply.code not in (125, 150):
        sock.close()
        return str(reply.code)
    data = c.wrap(sock)
    if command in UPLOADS:
        data.send(b"content")
    else:
        assert data.read_all()
    data.close()
    assert c.reply().code == 226
    return "tls" if c.protected else "clear"


@pytest.mark.parametrize("title,style", [("SECURE_DATACONN x PROT x command", "rfc"), ("The same with reply_style zos", "zos")])
def test_secure_dataconn(launch, server, title, style):
    running, rows = {}, []
    for level, prot, *_ in EXPECTED[title][1:]:
        if level not in running:
            running[level] = launch(server, ftp={"secure_dataconn": level, "reply_style": style})
        with clients.explicit(running[level]) as c:
            reply = "-"
            if prot != "-":
                c.expect("PBSZ 0", 200)
                answer = c.cmd("PROT " + prot)
                reply = str(answer.code)
                c.protected = prot == "P" and answer.code == 200
            rows.append([level, prot, reply, *(transfer(c, command) for command in COMMANDS)])
    compare(title, rows)


def test_secure_login(launch, server, partners):
    rows = []
    for login, password, style, *_ in EXPECTED["SECURE_LOGIN x certificate"][1:]:
        gateway = launch(server, ftp={"secure_login": login, "secure_password": password, "reply_style": style, "login_delay": 0},
                         tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"},
                         keyrings={"ftpd": {"trust": partners.trust}}, users=partners.users())
        row = [login, password, style]
        for certificate in None, "user", "other", "stranger", "foreign":
            ctx = clients.context()
            if certificate:
                partners.load(ctx, certificate)
            with clients.Client(gateway.explicit, ctx=ctx) as c:
                c.expect("AUTH TLS", 234)
                if certificate == "foreign":
                    row.append("handshake fails" if people.denies(clients.Tls(c.sock, ctx, handshake=False)) else "handshake")
                    continue
                row.append(str(c.start_tls().cmd("USER user").code))
        rows.append(row)
    compare("SECURE_LOGIN x certificate", rows)


def ccc(gateway, number, version):
    """One client's CCC; returns its result."""
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        reply = c.cmd("CCC")
        if reply.code != 200:
            return str(reply.code)
        tls = c.tls
        notifies = gateway.wants_notify

        def own_notify():
            with contextlib.suppress(ssl.SSLError):
                tls.ssl.unwrap()
            return tls.outbound.read()
        awaits = number in (0, 2)
        if awaits and not notifies:
            assert net.quiet(c.sock, 0.15), "cccnonotify, and yet a close_notify"
            return "waits"
        if awaits:
            assert tls.recv() == b"" and tls.end == "clean"
        pieces = {0: [own_notify], 1: [own_notify], 4: [own_notify], 5: [own_notify]}.get(number, [])
        notify = pieces[0]() if pieces else b""
        if number == 4:
            c.sock.sendall(notify[:3])
            c.sock.sendall(notify[3:])
        else:
            c.sock.sendall(notify + (b"NOOP\r\n" if number == 5 else b""))
        if not awaits and number != 3 and notifies:
            assert tls.recv() == b"" and tls.end == "clean"
        if number == 3 and notifies:
            # this client would read the alert as the beginning of the next reply
            return "alert" if not net.quiet(c.sock, net.DEADLINE) else "silence"
        c.buffer, c.tls = tls.rest(), None
        if number == 5:
            assert c.reply().code == 200
        c.expect("PWD", 257)
        assert c.get("x") == b"content"
        return "goes on"


def test_ccc_dialects(launch, server):
    levels = {level: launch(server, ftp={"secure_ctrlconn": "clear", "tlsrfclevel": level}) for level in ("rfc4217", "cccnonotify", "draft")}
    for level, gateway in levels.items():
        gateway.wants_notify = level == "rfc4217"
    rows = []
    for number, (name, *_) in enumerate(EXPECTED["CCC dialects"][1:]):
        rows.append([name, *(ccc(levels[level], number, version) for level, version in [
            ("rfc4217", "1.2"), ("rfc4217", "1.3"), ("cccnonotify", "1.2"), ("cccnonotify", "1.3"), ("draft", None)])])
    compare("CCC dialects", rows)


KINDS = [("1.2", False), ("1.2", True), ("1.3", True)]


@functools.cache
def context(version, tickets):
    """One context per kind: Python cannot use a TLS session in another context."""
    ctx = clients.context(versions=version)
    if not tickets:
        ctx.options |= ssl.OP_NO_TICKET
    return ctx


def connect(gateway, kind, cleared):
    c = clients.explicit(gateway, "P", ctx=context(*kind))
    c.expect("NOOP", 200)  # in TLS 1.3, the tickets have arrived as well
    c.control_session = c.tls.session
    if cleared:
        c.expect("CCC", 200)
        assert c.tls.recv() == b""
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
    return c


def opens(c, session):
    """Can a data connection use this TLS session?"""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        data = c.open("RETR x", session=session)
        got = data.read_all()
        c.last = data.session
        data.close()
        assert got in (b"", b"content")
        assert not got or data.reused
    reply = c.reply()
    assert reply.code in (226, 522), reply
    return "yes" if reply.code == 226 else "no"


def test_resumption(launch, server):
    policy = {"secure_session_reuse": "required", "secure_ctrlconn": "clear"}
    gateway = launch(server, ftp=policy)
    short = launch(server, ftp=policy, tls={"session_timeout": "1s"})
    columns = [(kind, cleared) for cleared in (False, True) for kind in KINDS]
    row = {name: [] for name, *_ in EXPECTED["Resumption under SECURE_SESSION_REUSE required"][1:]}
    names = list(row)
    with contextlib.ExitStack() as stack:
        aged = [stack.enter_context(connect(short, *column)) for column in columns]
        started = time.monotonic()
        reloaded = []
        for kind, cleared in columns:
            c = stack.enter_context(connect(gateway, kind, cleared))
            other = stack.enter_context(connect(gateway, kind, False))
            row[names[0]].append(opens(c, c.control_session))
            row[names[1]].append(opens(c, c.last))
            row[names[3]].append(opens(c, other.control_session))
            row[names[5]].append(opens(c, None))
            reloaded.append(stack.enter_context(connect(gateway, kind, cleared)))
        assert gateway.reload()
        for c in reloaded:
            row[names[2]].append(opens(c, c.control_session))
        # the test is about time: wait longer than the one second that a TLS session lives
        time.sleep(max(0, started + 2.1 - time.monotonic()))
        for c in aged:
            row[names[4]].append(opens(c, c.control_session))
    compare("Resumption under SECURE_SESSION_REUSE required", [[name, *row[name]] for name in names])


def test_the_matrix_was_written():
    assert os.path.exists(os.path.join(net.BUILD, "conformance.md"))

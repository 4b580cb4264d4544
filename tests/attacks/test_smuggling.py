"""
Attacks that rest on servers that read a command line in another way than the gateway: real ones (inetutils-ftpd,
ProFTPD), and Odd, which reads verbs as busybox's ftpd does. docs/SERVERS.md has what each server does. The first half
of each test shows natively that the attack works there, so that no test can pass because the server is harmless.
"""
import os
import socket
import sys

import pytest

import backend as backends
import client as clients
import net
import servers

sys.path.append(os.path.join(net.ROOT, "tests", "differential"))
import more_servers  # noqa: E402

USER = ["USER tester", "PASS secret word"]


@pytest.fixture
def real():
    """real(name): a server, and a function that plays lines with it natively and returns all that it says."""
    running = []

    def start(name):
        try:
            server = more_servers.Server(name)
        except servers.Unavailable as why:
            pytest.skip(str(why))
        running.append(server)
        return server
    yield start
    for server in running:
        server.stop()


def natively(server, *lines):
    """Log in and send the lines, each after the reply to the one before; returns the replies to them."""
    address = getattr(server, "address", None) or (server.host, server.port)
    with socket.create_connection(address, timeout=5) as s:
        f = s.makefile("rwb")

        def reply():
            line = f.readline()
            while line[3:4] == b"-":
                line = f.readline()
            return line
        reply()
        for line in [*USER, *lines]:
            f.write((line.encode("latin-1") if isinstance(line, str) else line) + b"\r\n")
            f.flush()
            said = reply()
        f.write(b"QUIT\r\n")
        f.flush()
        return said + f.read()


def through(gateway, server):
    c = clients.Client(gateway.explicit).auth()
    c.login(server.user, server.password)
    return c


def refused(c, line, *codes):
    c.send(line + b"\r\n")
    said = c.reply()
    assert said.code in codes, said
    c.expect("NOOP", 200)


def victim(server):
    return server.put("victim", b"precious")


# 41. Commands after the end of a server's line buffer. BSD's ftpd and its descendants read 511 bytes.
# Guard: machine_gate() in ftp-alg/gate.c holds lines to command_line_max.
@pytest.mark.parametrize("line", [b"CWD " + b"a" * 507 + b"DELE victim", b"MKD \xff\xff" + b"a" * 505 + b"\xff\xffDELE victim"])
def test_41_a_command_at_the_cut_of_a_long_line(real, launch, line):
    server = real("inetutils")
    path = victim(server)
    natively(server, line)
    assert not os.path.exists(path) or b"\xff" in line, "the server no longer cuts lines: the attack has to change"
    victim(server)
    gateway = launch((server.host, server.port), ftp={"commands_denied": ["DELE"]})
    with through(gateway, server) as c:
        refused(c, line, 500)
        refused(c, b"CWD " + b"a" * 4000, 500)
    assert os.path.exists(path)
    gateway.event("refused-command", reply="500 Command line too long.")


class Odd(backends.Session):
    """Reads verbs as busybox 1.35's ftpd does: the last four letters before the first blank, in any case."""

    def command(self, line):
        word, _, arg = line.partition(" ")
        return super().command(word.upper()[-4:] + " " + arg)


HIDDEN = [b"XYDELE victim", b"xydele victim", b"XYPORT 192,0,2,1,4,1", b"XXSTOR f", b"\tDELE victim", b"SITE\tDELE victim"]


# 42. Verbs of which the server reads only a part.
# Guard: is_known() and machine_gate_hides_command() in ftp-alg/gate.c.
@pytest.mark.parametrize("unknown", ["refuse", "pass"])
def test_42_a_command_inside_an_unknown_verb(launch, make_backend, monkeypatch, unknown):
    monkeypatch.setattr(backends, "Session", Odd)
    done = []
    backend = make_backend(**{verb: lambda session, arg, verb=verb: (done.append(verb), session.reply("200 Done"))[0]
                              for verb in ("DELE", "PORT", "STOR")})
    natively(backend, *HIDDEN)
    assert done == ["DELE", "DELE", "PORT", "STOR", "DELE", "DELE"]
    done.clear()
    gateway = launch(backend, ftp={"commands_denied": ["DELE"], "unknown_commands": unknown})
    with clients.explicit(gateway) as c:
        for line in [*HIDDEN, b"DELEX victim", b" DELE victim", b"DELE\x0bvictim", b"P@SW"]:
            refused(c, line, 500)
    assert not done


# 43. SITE subcommands in another spelling: BSD's Telnet reader drops 0xFF with its neighbour, ProFTPD takes quotes off.
# Guard: is_plain() in ftp-alg/verb.c.
@pytest.mark.parametrize("name,line,file", [
    ("inetutils", b"SITE CH\xffxMOD 600 victim", "victim"), ("inetutils", b"SITE \xff\x01CHMOD 600 victim", "victim"),
    ("proftpd", b'SITE "CHMOD" 600 victim', "600 victim")])  # ProFTPD finds the word, and then shifts the arguments
def test_43_another_spelling_of_a_denied_site_command(real, launch, name, line, file):
    server = real(name)
    path = server.put(file, b"precious")
    if net.IS_ROOT:
        os.chown(path, servers.NOBODY, -1)  # as whom the server changes the mode
    os.chmod(path, 0o644)
    natively(server, line)
    assert os.stat(path).st_mode & 0o777 != 0o644, "the server reads the word as it is: the attack has to change"
    os.chmod(path, 0o644)
    for change in {"commands_denied": ["SITE CHMOD"]}, {"commands_allowed": ["AUTH", "USER", "PASS", "NOOP", "SITE HELP"]}:
        gateway = launch((server.host, server.port), ftp=change)
        with through(gateway, server) as c:
            refused(c, line, 502)
    assert os.stat(path).st_mode & 0o777 == 0o644


# 44. A name with 0xFF is the same file as natively.
# Guard: telnet_strip() in ftp-alg/line.c leaves 0xFF as the client sent it.
@pytest.mark.parametrize("name", ["inetutils", "proftpd", "pure-ftpd"])
def test_44_names_with_0xff(real, launch, name):
    server = real(name)
    names = [b"a\xff\xffbc", b"d\xff\xff", b"g\xff\xff\xff\xffh"]
    root = os.fsencode(server.files)

    def made():
        found = sorted(os.listdir(root))
        for one in found:
            os.rmdir(os.path.join(root, one))
        return found
    natively(server, *(b"MKD " + one for one in names))
    want = made()
    assert len(want) == 3
    gateway = launch((server.host, server.port))
    with through(gateway, server) as c:
        for one in names:
            c.send(b"MKD " + one + b"\r\n")
            assert c.reply().code == 257
    assert made() == want


# 45. What was sent in the clear stays in force after AUTH: an attacker on the wire picks the virtual host.
# Guard: run_auth() in ftp-alg/command.c makes a new connection to the server.
@pytest.mark.parametrize("line", ["HOST evil.example", "OPTS UTF8 OFF", "CLNT x", "LANG fr", "ACCT x"])
def test_45_state_from_before_auth(launch, backend, line):
    gateway = launch(backend, ftp={"secure_ftp": "allowed", "data_policy_scope": "protected"})
    with clients.Client(gateway.explicit) as c:
        c.cmd(line)
        c.auth().login()
        c.expect("NOOP", 200)
    assert line in backend.sessions[0].lines and "USER user" not in backend.sessions[0].lines
    assert "USER user" in backend.sessions[1].lines and line not in backend.sessions[1].lines


def test_45_commands_that_leave_nothing_in_force_keep_the_connection(launch, backend):
    gateway = launch(backend)
    with clients.Client(gateway.explicit) as c:
        for line in "FEAT", "SYST", "NOOP", "HELP":
            c.cmd(line)
        c.auth().login()
    assert len(backend.sessions) == 1

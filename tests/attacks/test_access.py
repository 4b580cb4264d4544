"""
Attacks on `access`: reach a path that an entry forbids by another spelling of its name. Each test first shows natively,
without the gateway, that the server takes the spelling for the path.
"""
import contextlib
import ftplib
import os
import re
import sys

import pytest

import backend as backends
import client as clients
import net
import servers
sys.path.append(os.path.join(net.ROOT, "tests", "differential"))
import more_servers  # noqa: E402

SECRET, OPEN = 777, 55
CLEAR = {"secure_dataconn": "clear"}


def natively(address, user, password, *lines):
    """The replies to the lines, by a client that needs no gateway."""
    said = []
    with net.dial(address) as s:
        f = s.makefile("rwb")

        def reply():
            line = f.readline()
            while line[3:4] == b"-":
                line = f.readline()
            return line.decode("latin-1").rstrip("\r\n")
        reply()
        for line in [f"USER {user}", f"PASS {password}", *lines]:
            f.write(line.encode("latin-1") + b"\r\n")
            f.flush()
            said.append(reply())
    return said[2:]


@pytest.fixture(params=["vsftpd", "proftpd", "pure-ftpd"])
def stage(request, real_server, launch):
    """A real server with secret/x, open/y and a link to secret, and a gateway that forbids secret to its user."""
    server = real_server(request.param)
    for folder, name, size in ("secret", "x", SECRET), ("open", "y", OPEN):
        os.makedirs(os.path.join(server.files, folder), exist_ok=True)
        os.chmod(os.path.join(server.files, folder), 0o755)
        server.put(os.path.join(folder, name), b"." * size)
    if not os.path.islink(os.path.join(server.files, "link")):
        os.symlink("secret", os.path.join(server.files, "link"))
    top = "/" + server.where
    gateway = launch((server.host, server.port), ftp={**CLEAR, "access": [{"path": top + "secret", "users": ["nobody"]}]})
    return server, gateway, top


# from the folder open; "{}" is the folder above it
SPELLINGS = ["{}secret/x", "{}/secret//x", "{}./secret/./x", "{}open/../secret/x", "/..{}secret/x", "../secret/x", ".././secret//x",
             "../open/../secret/x", " {}secret/x", "{}secret/x "]


def size(reply):
    return int(reply[4:]) if reply.startswith("213") else None


# 430. Spellings that real servers resolve to the path.
# Guard: machine_access() in ftp-alg/access.c, called by ftp-alg/machine.c.
def test_430_no_spelling_reaches_the_path_on_a_real_server(stage):
    server, gateway, top = stage
    lines = ["SIZE " + spelling.format(top) for spelling in SPELLINGS]
    native = [size(reply) for reply in natively((server.host, server.port), server.user, server.password,
                                                "TYPE I", "CWD " + top + "open", *lines, "SIZE y")[2:]]
    assert native.count(SECRET) >= 6 and native[-1] == OPEN, native
    with clients.Client(gateway.explicit).auth() as c:
        c.login(server.user, server.password)
        c.expect("TYPE I", 200)
        c.expect("CWD " + top + "open", 250)
        for line, reached in zip(lines, native):
            reply = c.cmd(line)
            assert reply.code == 550 or (reached is None and reply.code != 213), (line, str(reply))
        assert c.cmd("SIZE y").code == 213
        for line in "NLST ../sec*", "LIST -la ../secret", "LIST -R ..", "MLSD ../secret", "RNFR ../secret", "STAT ../secret":
            c.expect(line, 550)
    assert gateway.event("refused-command", command="SIZE", key="access", why="path").keys["line"].isdigit()


# 431. A link that CWD follows: where the server says so with PWD, the gateway knows.
# Guard: machine_access_sent() in ftp-alg/access.c forgets the folder.
def test_431_a_link_is_followed_where_the_server_says_so(stage):
    server, gateway, top = stage
    said = natively((server.host, server.port), server.user, server.password, "TYPE I", "PWD", "CWD " + top + "link", "PWD", "SIZE x")
    assert size(said[-1]) == SECRET, said
    tells = '"' + top + 'secret"' in said[-2]
    assert tells or server.name == "proftpd", said
    with clients.Client(gateway.explicit).auth() as c:
        c.login(server.user, server.password)
        c.expect("TYPE I", 200)
        c.expect("CWD " + top + "open", 250)
        c.expect("SIZE y", 213)
        c.expect("CWD " + top + "link", 250)
        reply = c.cmd("SIZE x")
        assert (reply.code == 550) == tells, str(reply)


# 435. Another session renames the working directory, and ".." leads elsewhere.
# Guard: leads_up() in ftp-alg/access-judge.c.
def test_435_up_from_a_folder_that_was_renamed(stage):
    server, gateway, top = stage
    os.makedirs(os.path.join(server.files, "work/a"), exist_ok=True)
    for folder in "", "work", "work/a", "secret":
        os.chmod(os.path.join(server.files, folder), 0o777)
    with clients.Client(gateway.explicit).auth() as one, clients.Client(gateway.explicit).auth() as other:
        for c in one, other:
            c.login(server.user, server.password)
            c.expect("TYPE I", 200)
        one.expect("CWD " + top + "work/a", 250)
        one.cmd("SIZE y")
        other.expect("RNFR " + top + "work/a", 350)
        other.expect("RNTO " + top + "a", 250)
        try:
            for line in "SIZE ../secret/x", "DELE ../secret/x", "STAT ..", "MDTM ../secret/x":
                one.expect(line, 550)
        finally:
            other.expect("RNFR " + top + "a", 350)
            other.expect("RNTO " + top + "work/a", 250)
    assert os.path.getsize(os.path.join(server.files, "secret/x")) == SECRET


@pytest.fixture(params=["proftpd", "pure-ftpd", "inetutils"])
def globbing(request):
    """A server that expands wildcards as a shell does."""
    try:
        server = more_servers.Server(request.param)
    except servers.Unavailable as why:
        pytest.skip(str(why))
    yield server
    server.stop()


# Of secret/hidden, from the folder open; "%s" is the folder above. They end in a wildcard of their own, so that servers list names
# with folders.
WILD = ["%s/secret/*", "%s/s[[:alpha:]]cret/*", "%s/s[]e]cret/*", "%s/[s{]e}cret/*", "%s/s{e{c}r}et/*", "%s/{open/y,secret/*}",
        "{y/z,%s/secret/*}", ".[a.]/secret/*", ".[!x]/secret/*"]


# 436. Wildcards that a shell reads, and a simple reader of wildcards does not.
# Guard: brackets_len() in ftp-alg/access-match.c, has_wide_braces() and is_wild_way_up() in ftp-alg/access-path.c.
def test_436_no_wildcard_reaches_the_path(globbing, launch):
    server = globbing
    for name in "secret/hidden", "open/y":
        folder = os.path.join(server.files, os.path.dirname(name))
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        server.put(name, b".")
    top = server.files if server.name == "inetutils" else ""
    verb, least = {"inetutils": ("NLST", 9), "proftpd": ("LIST", 3), "pure-ftpd": ("LIST", 3)}[server.name]
    lines = [f"{verb} " + name.replace("%s", top) for name in WILD]
    native = []
    with ftplib.FTP() as ftp:
        ftp.connect(server.host, server.port, timeout=net.DEADLINE)
        ftp.login(server.user, server.password)
        ftp.cwd(top + "/open")
        for line in lines:
            names = []
            with contextlib.suppress(ftplib.error_temp, ftplib.error_perm):
                ftp.retrlines(line, names.append)
            native.append(any(name.endswith("hidden") for name in names))
    assert native.count(True) >= least, list(zip(lines, native))
    gateway = launch((server.host, server.port), ftp={**CLEAR, "access": [{"path": top + "/secret", "users": ["nobody"]}]})
    with clients.Client(gateway.explicit).auth() as c:
        c.login(server.user, server.password)
        c.expect(f"CWD {top}/open", 250)
        for line in lines:
            c.expect(line, 550)


class Windows(backends.Session):
    """Reads names as servers on Windows do, and drops 0xFF with the byte after it."""

    def command(self, line):
        verb, _, name = line.partition(" ")
        if verb.upper() == "PWD":
            return self.reply('257 "/" is current directory.')
        if verb.upper() != "SIZE":
            return super().command(line)
        name = re.sub("\xff.", "", name).replace("\\", "/").replace('"', "")
        parts = []
        for part in name.split("/"):
            part = re.sub(r":.*|[. ]+$", "", part) if part != ".." else part
            if part == "..":
                del parts[-1:]
            elif part:
                parts.append({"payrol~1": "payroll"}.get(part.lower(), part.lower()))
        return self.reply(f"213 {SECRET if parts[:1] == ['payroll'] else OPEN}")


ODD = ["/PayRoll/x", "/payroll./x", "/payroll /x", "\\payroll\\x", "/pub\\..\\payroll", "/payroll::$DATA", "/PAYROL~1/x", "payroll", '"/payroll"',
       "/pay\xff\x41roll/x"]


# 432. Spellings for servers on Windows, and for those that read Telnet.
# Guard: fold() in ftp-alg/access-match.c and ftp_name_is_unclear() in ftp-alg/access-path.c.
def test_432_no_spelling_of_windows_reaches_the_path(launch, make_backend, monkeypatch):
    monkeypatch.setattr(backends, "Session", Windows)
    backend = make_backend()
    lines = ["SIZE " + name for name in ODD]
    assert {size(reply) for reply in natively(backend.address, "user", "pass", *lines)} == {SECRET}
    gateway = launch(backend, ftp={**CLEAR, "access": [{"path": "/payroll", "users": ["pay"]}]})
    with clients.Client(gateway.explicit).auth() as c:
        c.login()
        for line in lines:
            c.send(line.encode("latin-1") + b"\r\n")
            assert c.reply().code == 550, line
        c.expect("SIZE /pub/x", 213)
    assert not [line for line in backend.session().lines if line.startswith("SIZE") and line != "SIZE /pub/x"]


class Elsewhere(backends.Session):
    """Says 250 to CWD, and moves to another folder than asked."""
    where = "/"

    def command(self, line):
        verb = line.split(" ")[0].upper()
        if verb == "CWD":
            self.where = "/payroll"
            return self.reply("250 done")
        if verb == "PWD":
            return self.reply(f'257 "{self.where}" is current')
        if verb == "SIZE":
            return self.reply(f"213 {SECRET}")
        return super().command(line)


# 433. CWD says 250 and leads elsewhere.
# Guard: machine_access_sent() in ftp-alg/access.c forgets the folder.
def test_433_the_folder_is_what_the_server_says(launch, make_backend, monkeypatch):
    monkeypatch.setattr(backends, "Session", Elsewhere)
    gateway = launch(make_backend(), ftp={**CLEAR, "access": [{"path": "/payroll", "users": ["pay"]}]})
    with clients.Client(gateway.explicit).auth() as c:
        c.login()
        c.expect("SIZE x", 213)
        c.expect("CWD /pub", 250)
        c.expect("SIZE x", 550)


# 434. A second USER that the server ignores: its 230 belongs to the first user.
# Guard: machine_access_logged_in() in ftp-alg/access.c.
def test_434_a_second_login_gives_no_more(launch, make_backend):
    gateway = launch(make_backend(SIZE=lambda s, arg: s.reply("213 1")), ftp={**CLEAR, "access": [{"path": "/payroll", "users": ["pay"]}]})
    with clients.Client(gateway.explicit).auth() as c:
        c.login()
        c.expect("SIZE /payroll/x", 550)
        c.login("pay", "guess")
        c.expect("SIZE /payroll/x", 550)
    with clients.Client(gateway.explicit).auth() as c:
        c.login("pay", "pass")
        c.expect("SIZE /payroll/x", 213)

"""The xferlog of attlsd and that of vsftpd behind it, about the same transfers, field by field."""
import calendar
import os
import re
import subprocess
import time

import pytest

import client as clients
import net
import servers

FIELDS = ("time", "seconds", "host", "bytes", "name", "type", "action", "direction", "access", "user", "service", "method", "id", "status")
LINE = re.compile(r"(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}) (\d+) (\S+) (\d+) (.+) ([ab]) (\S) ([iod]) ([arg]) (\S*) (\S+) (\S+) (\S+) ([ci])")

EAST = 5 * 3600 + 1800  # seconds, as TZ says below
PASSWORD = "guest@example.com"
UMLAUTS = "/pub/gr\u00fc\u00dfe"  # the client sends Latin-1
# vsftpd puts the working directory before a name, and writes `?` for what is not printable ASCII
NAMES = {"lines": "/pub/lines", "/pub/bell_": "/pub/bell?", "/pub/gr\u00fc\u00dfe": "/pub/gr??e", "?": "/pub/"}


class Vsftpd(servers.Server):
    """It keeps an xferlog, and lets any user of this host in."""

    def __init__(self):
        super().__init__("vsftpd")

    @property
    def address(self):
        return self.host, self.port

    def more_vsftpd(self):
        self.xferlog = os.path.join(self.base, "xferlog")
        return f"""\
xferlog_enable=YES
xferlog_std_format=YES
use_localtime=YES
xferlog_file={self.xferlog}
local_enable=YES
local_root={self.root}
chroot_local_user=YES
ascii_upload_enable=YES
ascii_download_enable=YES
"""

    def run(self, argv, libpath=None):
        self.folder("pam.d")
        for kind in ("ftp", "other"):
            self.file("pam.d/" + kind, "".join(f"{what} required pam_permit.so\n" for what in ("auth", "account", "password", "session")))
        script = f"mount --bind {self.base}/pam.d /etc/pam.d && exec \"$@\""
        super().run(["unshare", "--mount", "sh", "-c", script, "sh", *argv], libpath)


@pytest.fixture
def vsftpd(monkeypatch):
    monkeypatch.setenv("TZ", "HERE-5:30")  # both log local time
    if not net.IS_ROOT or not os.path.isdir("/etc/pam.d"):
        pytest.skip("needs root and PAM")
    if subprocess.run(["unshare", "--mount", "mount", "--bind", "/etc/pam.d", "/etc/pam.d"], capture_output=True).returncode != 0:
        pytest.skip("cannot mount")
    try:
        server = Vsftpd()
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="latin-1") as f:
        lines = f.read().splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    return [dict(zip(FIELDS, match.groups())) for match in found]


def when(line):
    return calendar.timegm(time.strptime(line["time"], "%a %b %d %H:%M:%S %Y")) - EAST


def test_the_lines_of_vsftpd(launch, vsftpd, folder):
    """All fields are alike but those of which attlsd knows better, or must not know."""
    mine = os.path.join(folder, "xferlog")
    gateway = launch(vsftpd, daemon={"xferlog": mine})
    vsftpd.put("with  some blanks", b"blank")
    vsftpd.put("lines", b"one\ntwo\nthree\n")
    vsftpd.put("empty", b"")
    vsftpd.put(os.fsdecode(os.path.basename(UMLAUTS).encode("latin-1")), b"utf-8")
    vsftpd.put("bell\a", b"ding")
    vsftpd.put("big", os.urandom(1 << 20) * 24)
    n = 0

    def transferred():
        """One more line in both."""
        nonlocal n
        n += 1
        net.until(lambda: len(read(mine)) >= n and len(read(vsftpd.xferlog)) >= n, f"line {n} of both")

    def session(user, password):
        c = clients.Client(gateway.explicit).auth()
        c.cmd("USER " + user)
        c.expect("PASS " + password, 230)
        c.prot("P")
        return c

    for user, password in (("anonymous", PASSWORD), ("daemon", "any")):
        with session(user, password) as c:
            c.expect("TYPE I", 200)
            c.put("/pub/up " + user, b"u" * 12345)
            transferred()
            for name in ("/pub/with  some blanks", "/pub/lines", "/pub/empty", UMLAUTS, "/pub/bell\a"):
                c.get(name)
                transferred()
            c.expect("TYPE A", 200)
            c.get("/pub/lines")
            transferred()
            c.put("/pub/ascii " + user, b"one\r\ntwo\r\n")
            transferred()
            c.expect("TYPE I", 200)
            data = c.open("APPE /pub/up " + user)
            data.send(b"more")
            data.close()
            c.reply()
            transferred()
            data = c.open("STOR /pub/aborted " + user)
            data.send(b"half")
            data.abort()
            c.reply()
            transferred()
            data = c.open("RETR /pub/big")
            assert data.recv()
            data.abort()
            c.reply()
            transferred()
            c.expect("CWD pub", 250)
            c.get("lines")
            transferred()
            data = c.open("STOU")
            data.send(b"unique")
            data.close()
            c.reply()
            transferred()
            c.expect("LIST", 425)
            c.expect("QUIT", 221)
    gateway.event("session-end", count=2)
    ours, theirs = read(mine), read(vsftpd.xferlog)
    assert len(ours) == len(theirs) == n
    for line, other in zip(ours, theirs):
        assert abs(when(line) - when(other)) < net.DEADLINE and abs(when(line) - time.time()) < 4 * net.DEADLINE
        # where vsftpd has the password of an anonymous user, attlsd has the name
        assert (line["user"], other["user"]) == (("anonymous", PASSWORD) if line["access"] == "a" else ("daemon", "daemon"))
        assert NAMES.get(line["name"], line["name"]) == other["name"]
        sent, other_sent = int(line["bytes"]), int(other["bytes"])
        if line["name"] == "/pub/big":  # vsftpd counts what it has sent, and not all of it comes on
            assert 0 < sent <= other_sent
        else:
            assert sent == other_sent
        # here, attlsd has the address of its client
        for key in ("type", "action", "direction", "access", "service", "method", "id", "status", "host"):
            assert line[key] == other[key], (key, line, other)
        # each measures for itself
        assert abs(int(line["seconds"]) - int(other["seconds"])) <= 1
    assert {line["status"] for line in ours} == {"c", "i"} and {line["type"] for line in ours} == {"a", "b"}

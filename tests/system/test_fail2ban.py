"""contrib/fail2ban finds the address of the client that failed, and no other, whatever the client calls itself."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

import client as clients
import net
import servers

CONTRIB = os.path.join(net.ROOT, "contrib", "fail2ban")
VICTIM = "203.0.113.9"  # what hostile clients want to have banned
NAMES = [
    "mallory",
    f"x client={VICTIM}:1 rule=everyone",
    f'" login-failed session=1 client={VICTIM}:1 rule=everyone user=x',
    f'","client":"{VICTIM}:1","rule":"everyone","user":"x',
    f'{{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"login-failed","session":1,"client":"{VICTIM}:1","rule":"a","user":"x"}}',
    f"a\n2026-01-01T00:00:00.000Z info  login-failed session=1 client={VICTIM}:1 rule=everyone user=x",
    f"gw attlsd[1]: login-failed session=1 client={VICTIM}:1 rule=everyone user=x",
    f"\\\" \\\\ '{VICTIM}' [2001:db8::9]:21 <HOST> %(ip)s \x1b[2J\x80\xff",
    f"client={VICTIM} " * 30,
    "x by=stored-credential",
    '","by":"stored-credential"}',
    "",
]


@pytest.fixture(scope="module")
def fail2ban(tmp_path_factory):
    """fail2ban, unpacked, with contrib's files; fail2ban("regex", ...) returns the lines that the program prints."""
    try:
        folder, _ = servers.fetch("fail2ban")
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    config = str(tmp_path_factory.mktemp("fail2ban") / "etc")
    shutil.copytree(os.path.join(folder, "etc", "fail2ban"), config)
    for part in ("filter.d", "jail.d"):
        shutil.copy(os.path.join(CONTRIB, part, "attlsd.conf"), os.path.join(config, part))

    def run(program, *argv):
        path = os.path.join(folder, "usr", "lib", "python3", "dist-packages")
        done = subprocess.run([sys.executable, os.path.join(folder, "usr", "bin", "fail2ban-" + program), "-c", config, *argv],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="backslashreplace", timeout=net.DEADLINE, env={**os.environ, "PYTHONPATH": path})
        assert "ERROR" not in done.stdout + done.stderr, done
        return done.stdout.splitlines()
    return run


def as_journal(line, form):
    """As fail2ban writes an entry of the journal, after a time."""
    if form == "text":
        line = line.split(None, 2)[2]
    return "2026-11-29T13:13:40.123456+00:00 gateway attlsd[4711]: " + line


def as_syslog(line, form):
    return as_journal(line, form).replace("2026-11-29T13:13:40.123456+00:00", "Nov 29 13:13:40")


def event_of(line, form):
    if form == "json":
        return json.loads(line)["event"] if line.startswith("{") else None
    words = line.split()
    return words[2] if len(words) > 2 else None


def ours(line, form):
    """The same line, if it was not the client that failed."""
    after = {"text": ("", " lost-lines=3", " key=login_check line=7", " key=per_user lost-lines=3"),
             "json": ("}", ',"lost-lines":3}', ',"key":"login_check","line":7}', ',"key":"per_user","lost-lines":3}')}[form]
    for why in "stored-credential", "login-unchecked":
        other = re.sub(r'by=server|"by":"server"', lambda found, why=why: found[0].replace("server", why), line).removesuffix("}")
        yield from (other + more for more in after)


@pytest.mark.parametrize("node", [None, "gw-1.example_2"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_only_the_client_that_failed_is_found(fail2ban, launch, make_backend, folder, form, node):
    backend = make_backend(PASS=lambda session, password: session.reply("230 in" if password == "right" else "530 no"))
    six = {"six": {"address": "[::1]:0"}} if net.have_ipv6() else {}
    gateway = launch(
        backend, daemon={"log": {"format": form}, **({"node": node} if node else {})}, backends={"legacy": {"command_line_max": 4096}}, listeners=six, wait=False,
        ftp={"login_delay": "0s", "secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    net.until(lambda: re.search('"?ready"? ?.*implicit', gateway.log), "ready")
    port = {name: int(number) for name, number in re.findall(r'"?(explicit|implicit|six)"?[:=]"?[^ "]*:(\d+)', gateway.log)}
    failing = [(("127.0.0.1", port["explicit"]), ("127.0.0.2", 0)), (("127.0.0.1", port["explicit"]), ("127.0.0.3", 0))]
    failing += [(("::1", port["six"]), None)] if six else []
    for place, (address, source) in enumerate(failing):
        for name in NAMES[place:]:
            with clients.Client(address, source=source) as c:
                c.sock.sendall(f"USER {name}\r\nPASS wrong\r\nQUIT\r\n".encode("latin-1"))
                while c.sock.recv(4096):
                    pass
    with clients.Client(("127.0.0.1", port["explicit"]), source=("127.0.0.4", 0)) as c:  # not a failed login
        for name in NAMES:
            c.sock.sendall(f"STOU {name}\r\n".encode("latin-1"))
        c.sock.sendall(b"QUIT\r\n")
        while c.sock.recv(4096):
            pass
    with clients.Client(("127.0.0.1", port["explicit"]), source=("127.0.0.6", 0)) as c:  # refused, but after its login
        c.login(password="right")
        assert c.cmd("PROT P").code == 503
    with net.dial(("127.0.0.1", port["implicit"]), ("127.0.0.5", 0)) as sock:
        sock.sendall(VICTIM.encode() + b" is not TLS\r\n")
        net.until(lambda: "tls-failed" in gateway.log, "tls-failed")
    gateway.stop()
    lines = gateway.log.splitlines()
    failed = [event_of(line, form) for line in lines].count("login-failed")
    assert node is None or all(node in line for line in lines if event_of(line, form) == "login-failed")
    assert failed >= len(failing) * 6 and "127.0.0.6" in gateway.log
    six_found = {"::1"} if six else set()
    path = os.path.join(folder, "log")
    shapes = [lambda line, _: line, as_journal, as_syslog]
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.writelines(shape(line, form) + "\n" for shape in shapes for line in lines if event_of(line, form))
        # not at fault: the last two clients that failed, had the policy's password been wrong
        for line in [line for line in lines if event_of(line, form) == "login-failed"][-2:]:
            f.writelines(shape(one, form) + "\n" for shape in shapes for one in ours(line, form))
    found = fail2ban("regex", "-o", "ip", path, "attlsd")
    assert len(found) == failed * len(shapes) and set(found) == {"127.0.0.2", "127.0.0.3"} | six_found, found
    found = fail2ban("regex", "-o", "ip", path, "attlsd[mode=aggressive]")
    assert set(found) == {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"} | six_found, found
    assert found.count("127.0.0.5") == len(shapes), found


def test_the_jail_uses_the_filter(fail2ban):
    told = [line for line in fail2ban("client", "-d") if "'attlsd'" in line]
    assert "['add', 'attlsd', 'systemd']" in told and "['start', 'attlsd']" in told, told
    assert any("login-failed" in line and "addfailregex" in line for line in told), told
    assert any("_SYSTEMD_UNIT=attlsd.service" in line for line in told), told

"""FTPLOGGING: each change that is not a transfer and that the server agrees to leaves one log line."""
import os
import re

import pytest

import client as clients
import net

CHANGES = {"DELE": "250 Gone", "RMD": "250 Gone", "XRMD": "250 Gone", "MKD": '257 "x"', "XMKD": '257 "x"', "RNFR": "350 To?",
           "RNTO": "250 Renamed", "SITE": "200 Done", "MFMT": "213 Modify", "CWD": "250 In", "NOOP": "200 ok"}


def changes(gateway):
    return [tuple(event.keys.get(key, "") for key in ("command", "name", "renamed")) for event in gateway.seen("change")]


def settled(gateway, c):
    c.send("QUIT\r\n")
    gateway.event("session-end")


def test_each_change_has_one_line(launch, make_backend):
    gateway = launch(make_backend(**CHANGES))
    with clients.explicit(gateway) as c:
        for line in ("DELE a file", "dele b", "RMD d", "XRMD e", "MKD f", "XMKD g", "RNFR old name", "RNTO new name",
                     "SITE CHMOD 600 h", "MFMT 20260101000000 i", "CWD j", "NOOP", "SITE"):
            c.cmd(line)
        settled(gateway, c)
    assert changes(gateway) == [
        ("DELE", "a file", ""), ("DELE", "b", ""), ("RMD", "d", ""), ("XRMD", "e", ""), ("MKD", "f", ""), ("XMKD", "g", ""),
        ("RNTO", "new name", "old name"), ("SITE", "CHMOD 600 h", ""), ("MFMT", "20260101000000 i", ""), ("SITE", "", "")]
    event = gateway.seen("change")[0]
    assert event.keys["client"].startswith("127.0.0.1:") and event.keys["rule"] == "everyone" and event.keys["user"] == "user"
    assert event.keys["session"] == gateway.seen("session-start")[0].keys["session"]


@pytest.mark.parametrize("reply", ["550 no", "450 later", "202 superfluous", "500 what?"])
def test_a_refused_change_is_none(launch, make_backend, reply):
    gateway = launch(make_backend(DELE=reply, SITE=reply, RNFR="350 To?", RNTO=reply))
    with clients.explicit(gateway) as c:
        for line in ("DELE a", "SITE CHMOD 600 h", "RNFR a", "RNTO b"):
            c.cmd(line)
        settled(gateway, c)
    assert changes(gateway) == []


def test_false_logs_none(launch, make_backend):
    gateway = launch(make_backend(**CHANGES), ftp={"ftplogging": "false"})
    with clients.explicit(gateway) as c:
        c.expect("DELE a", 250)
        settled(gateway, c)
    assert changes(gateway) == []


def test_an_old_name_belongs_to_its_rename(launch, make_backend):
    """RNFR, another command, RNTO: the name of the first is not that of the last."""
    gateway = launch(make_backend(**CHANGES))
    with clients.explicit(gateway) as c:
        for line in ("RNFR a", "NOOP", "RNTO b", "RNFR c", "RNFR d", "RNTO e", "RNTO f"):
            c.cmd(line)
        settled(gateway, c)
    assert changes(gateway) == [("RNTO", "b", ""), ("RNTO", "e", "d"), ("RNTO", "f", "")]


def test_hostile_names_and_passwords(launch, make_backend):
    """A name cannot forge a line or a field, and a password in SITE stays out of the log."""
    gateway = launch(make_backend(**CHANGES))
    with clients.explicit(gateway) as c:
        c.cmd('DELE x" rule=other client=1.2.3.4:5 \x1b[2J')
        c.cmd("SITE PSWD hush7hush new8hush")
        c.cmd("MKD " + "y" * 490)
        settled(gateway, c)
    first, second, third = gateway.seen("change")
    assert first.keys["rule"] == "everyone" and first.keys["client"].startswith("127.0.0.1:") and "\x1b" not in gateway.log
    assert (second.keys["command"], second.keys["name"]) == ("SITE", "PSWD") and "hush" not in gateway.log
    assert third.keys["name"].startswith("yyy")


def test_the_manual_page_has_every_event():
    """Each event that attlsd logs is in attlsd(8)."""
    events = set()
    for folder, _, names in os.walk(os.path.join(net.ROOT, "gateway")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    events |= set(re.findall(r'_(?:event|log)\([^"]*?LOG_LEVEL_\w+,\s*"([a-z0-9-]+)"', f.read()))
    with open(os.path.join(net.ROOT, "docs", "man", "attlsd.8"), encoding="utf-8") as f:
        titles = " ".join(line for line in f.read().splitlines() if line.startswith(".It Cm"))
    assert len(events) > 40
    missing = sorted(event for event in events if not re.search(r"(?<![\w-])" + event + r"(?![\w-])", titles))
    assert not missing, missing


def test_each_warning_has_something_to_do():
    """Each event that attlsd(8) lists as a warning or an error has advice: in its line, or in event-fix.def."""
    def read(*path):
        with open(os.path.join(net.ROOT, *path), encoding="utf-8") as f:
            return f.read()
    listed = set()
    for title in re.findall(r"^\.It (Cm .* Po .*)", read("docs", "man", "attlsd.8"), re.M):
        listed |= {event for event, levels in re.findall(r"Cm ([a-z-]+) Po (.*?) Pc", title)
                   if re.search("error|warning", levels)}
    own = set()
    for folder, _, names in os.walk(os.path.join(net.ROOT, "gateway")):
        for name in names:
            if name.endswith(".c"):
                for event, fields in re.findall(r'LOG_LEVEL_(?:ERROR|WARNING),\s*"([a-z-]+)"([^;]*);', read(folder, name)):
                    own |= {event} if '"fix"' in fields else set()
    advice = re.findall(r'^FIX\("([a-z-]+)", (?:NULL|"[^"]+"), "[^"]+"\)$', read("gateway", "view", "event-fix.def"), re.M)
    assert len(listed) > 60 and {"server-down", "login-check", "crl-expired", "signer-not-started"} <= listed
    assert set(advice) <= listed, set(advice) - listed
    assert not listed - own - set(advice), listed - own - set(advice)

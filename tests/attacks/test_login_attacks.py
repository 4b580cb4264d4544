"""Attacks on logins: names that hide whose levels count, answers that log nobody in, and identities that are over. The
numbers continue those of test_server_map_attacks.py; mutants.py switches the guards off."""
import re

import pytest

import backend as backends
import client as clients

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "login_delay": "0s"}


class Telnet(backends.Session):
    """Reads lines as Telnet has it: 0xFF and the byte after it are no text."""

    def command(self, line):
        return super().command(re.sub("\xff.", "", line))


# 551. per_user is stricter for admin, and the server reads another name as admin.
# Guard: ftp_per_user_takes() in ftp-alg/per-user.c.
def test_551_no_other_name_is_the_users(launch, make_backend, monkeypatch):
    monkeypatch.setattr(backends, "Session", Telnet)
    backend = make_backend()
    gateway = launch(backend, ftp={**CLEAR, "per_user": [{"users": ["admin"], "secure_ftp": "required"}]})
    for name in (b"adm\xffxin", b"admin\x01", b" admin", b"admin ", b'ad"min', b"-x admin"):
        with clients.Client(gateway.explicit) as c:
            c.send(b"USER " + name + b"\r\n")
            assert c.reply().code == 501, name
            assert c.cmd("PASS secret").code == 503, name
    assert backend.everything() == []
    assert gateway.event("refused-command", command="USER").keys["key"] == "per_user"


# 552. A late answer of the server to another command comes where the answer to USER is awaited.
# Guard: ftp_reply_is_login() in ftp-alg/reply.h.
@pytest.mark.parametrize("code", [200, 213, 226, 250])
def test_552_a_late_answer_logs_nobody_in(launch, make_backend, code):
    backend = make_backend(USER=f"{code} late", DELE="250 deleted")
    gateway = launch(backend, ftp={**CLEAR, "accesserrormsgs": True, "access": [{"path": "/secret", "users": ["bob"]}]})
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("USER bob").code == 530
        assert c.cmd("DELE /secret/x").code == 530
    assert backend.verbs() == ["USER"]
    gateway.event("login-failed", user="bob")
    assert not gateway.seen("login")

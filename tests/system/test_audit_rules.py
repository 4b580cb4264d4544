"""action: audit: what policy would refuse passes, and is logged, counted and reported; what protects others is refused all the same."""
import json
import os

import pytest

import client as clients
from test_attlsctl import run

PLANNED = {"secure_ftp": "required", "secure_session_reuse": "required", "login_delay": "0s"}


@pytest.fixture
def audited(launch, backend, tmp_path):
    def start(ftp=None, **change):
        return launch(backend, ftp={**PLANNED, **(ftp or {})}, rules={"everyone": {"action": "audit"}},
                      daemon={"control_socket": os.path.join(tmp_path, "control"), "workers": 1}, **change)
    return start


def shut_out(gateway, *argv):
    done = run("report", "shut-out", "-f", gateway.path, "--json", *argv)
    assert done.returncode == 0, done.stderr
    return {row["key"]: row for row in json.loads(done.stdout)["shut_out"]}


def in_the_clear(gateway, user="user"):
    with clients.Client(gateway.explicit) as client:
        client.login(user)
        client.get("hello.txt", mode="PASV")


def test_a_client_in_the_clear_works_and_is_reported(audited):
    gateway = audited()
    since = gateway.mark()
    in_the_clear(gateway)
    gateway.event("session-end", since)
    assert [e.keys["key"] for e in gateway.seen("would-refuse", since)] == ["secure_ftp", "secure_dataconn"]
    assert not gateway.seen("refused-command", since)
    rows = shut_out(gateway)
    assert set(rows) == {"secure_ftp", "secure_dataconn"}
    row = rows["secure_ftp"]
    assert (row["user"], row["address"], row["rule"], row["sessions"]) == ("user", "127.0.0.1", "everyone", 1)
    line = next(n for n, text in enumerate(open(gateway.path), 1) if '"secure_ftp"' in text)
    assert row["line"] == line and row["first"] <= row["last"]
    text = run("report", "shut-out", "-f", gateway.path).stdout
    assert f'would be refused by secure_ftp (rules "everyone", line {line}): 1 session' in text


def test_counts_survive_a_reload(audited):
    gateway = audited()
    in_the_clear(gateway)
    gateway.event("session-end")
    assert gateway.reload()
    in_the_clear(gateway)
    gateway.event("session-end", count=2)
    assert shut_out(gateway)["secure_ftp"]["sessions"] == 2


def test_a_client_that_complies_is_not_reported(audited):
    gateway = audited({"secure_session_reuse": "allowed"})
    with clients.explicit(gateway, "P") as client:
        client.get("hello.txt", mode="PASV")
    gateway.event("session-end")
    assert shut_out(gateway) == {} and not gateway.seen("would-refuse")


def test_prot_c_ccc_and_reuse(audited):
    gateway = audited()
    with clients.explicit(gateway, "P") as client:
        client.get("hello.txt", mode="PASV", session=None)
        client.expect("PROT C", 200)
        client.expect("CCC", 200)
    gateway.event("session-end")
    assert set(shut_out(gateway)) == {"secure_session_reuse", "secure_dataconn", "secure_ctrlconn"}


def test_feat_shows_what_policy_will_allow(audited):
    gateway = audited()
    with clients.explicit(gateway) as client:
        assert "CCC" not in client.cmd("FEAT")


def test_a_missing_certificate_is_noted(audited, tmp_path_factory):
    import certs
    partners = certs.Partners(tmp_path_factory.mktemp("partners"))
    gateway = audited({"secure_login": "required", "secure_session_reuse": "allowed"},
                      tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"}, keyrings={"ftpd": {"trust": partners.ca.pem}})
    with clients.explicit(gateway):
        pass
    gateway.event("session-end")
    assert set(shut_out(gateway)) == {"secure_login"}


def test_levels_of_some_users(audited):
    gateway = audited({"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "secure_session_reuse": "allowed",
                       "per_user": [{"users": "payroll", "secure_ftp": "required"}]})
    in_the_clear(gateway, "me")
    in_the_clear(gateway, "payroll")
    gateway.event("session-end", count=2)
    rows = shut_out(gateway)
    assert set(rows) == {"per_user"} and rows["per_user"]["user"] == "payroll"


# Each of these protects somebody else, or the session itself: no audit lets it pass.
NEVER = [
    ("PORT 192,0,2,1,200,10", 504), ("PORT 127,0,0,1,0,25", 504), ("EPRT |1|192.0.2.1|51210|", 504), ("XYZZY", 500), ("DELE x", 502),
    ("SITE\tCHMOD x", 500), ("LPRT 4,4,127,0,0,1,2,200,10", 502),
]


@pytest.mark.parametrize("line,code", NEVER)
def test_what_is_never_audited(audited, line, code):
    gateway = audited({"commands_denied": ["DELE"]})
    with clients.Client(gateway.explicit) as client:
        client.login()
        gateway.event("login")  # what would refuse the login itself is in the log before it
        since = gateway.mark()
        assert client.cmd(line).code == code
    gateway.event("session-end", since)
    assert not gateway.seen("would-refuse", since)


def test_users_that_may_not_log_in_at_all(audited):
    gateway = audited({"verifyuser": True}, users={"one": {}})
    with clients.Client(gateway.explicit) as client:
        assert client.cmd("USER two").code == 530


def test_injected_bytes_end_the_handshake(audited, backend):
    """Bytes behind AUTH in the same segment are never carried over into TLS."""
    gateway = audited()
    with clients.Client(gateway.explicit) as client:
        client.send(b"AUTH TLS\r\nUSER evil\r\n")
        client.assert_ends(234)
    assert not any(line.startswith("USER") for line in backend.everything())


def test_the_way_from_allowed_to_required(audited, backend):
    """docs/OPERATING.md: audit, fix the client, see that it is gone from the report, enforce."""
    gateway = audited({"secure_session_reuse": "allowed"})
    in_the_clear(gateway)
    gateway.event("session-end")
    assert "secure_ftp" in shut_out(gateway)
    with clients.explicit(gateway, "P") as client:
        client.get("hello.txt", mode="PASV")
    gateway.event("session-end", count=2)
    last = max(row["last"] for row in shut_out(gateway).values())
    assert shut_out(gateway, "--since", "1s") == {} or last > 0
    with open(gateway.path) as f:
        tree = json.load(f)
    tree["rules"]["everyone"]["action"] = "enforce"
    assert gateway.reload(tree)
    with clients.Client(gateway.explicit) as client:
        assert client.cmd("USER user").code == 530
    with clients.explicit(gateway, "P") as client:
        client.get("hello.txt", mode="PASV")

"""Log lines of refusals name the policy's key that decided (key=) and the line that gives it (line=)."""
import contextlib

import pytest

import client as clients
import net

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}
# ftp action, commands (the last one is refused), key
REFUSED = {
    "secure_ftp": ({"secure_ctrlconn": "clear", "secure_ftp": "required"}, ["USER user"], "secure_ftp"),
    "secure_ctrlconn": ({"secure_ftp": "allowed", "secure_ctrlconn": "private"}, ["USER user"], "secure_ctrlconn"),
    "secure_dataconn": ({**CLEAR, "secure_dataconn": "private"}, ["USER user", "PASS pass", "PASV", "LIST"], "secure_dataconn"),
    "PROT C": ({"secure_dataconn": "private"}, ["AUTH TLS", "PBSZ 0", "PROT C"], "secure_dataconn"),
    "PROT P": ({"secure_dataconn": "never"}, ["AUTH TLS", "PBSZ 0", "PROT P"], "secure_dataconn"),
    "CCC": ({"secure_ctrlconn": "private"}, ["AUTH TLS", "USER user", "PASS pass", "CCC"], "secure_ctrlconn"),
    "CCC of the draft": ({"tlsrfclevel": "draft"}, ["AUTH TLS", "CCC"], "tlsrfclevel"),
    "PORT": ({**CLEAR, "portcommand": "reject"}, ["USER user", "PASS pass", "PORT 127,0,0,1,200,1"], "portcommand"),
    "PORT to another host": ({**CLEAR, "portcommandipaddr": "noredirect"}, ["USER user", "PASS pass", "PORT 192,0,2,1,200,1"],
                             "portcommandipaddr"),
    "PORT to a low port": ({**CLEAR, "portcommandport": "nolowports"}, ["USER user", "PASS pass", "PORT 127,0,0,1,0,25"],
                           "portcommandport"),
    "denied": ({**CLEAR, "commands_denied": ["DELE"]}, ["USER user", "PASS pass", "DELE x"], "commands_denied"),
    "not allowed": ({**CLEAR, "commands_allowed": ["USER", "PASS", "QUIT"]}, ["USER user", "PASS pass", "DELE x"], "commands_allowed"),
    "unknown": ({**CLEAR, "unknown_commands": "refuse"}, ["USER user", "PASS pass", "XFOO x"], "unknown_commands"),
    "no AUTH": ({**CLEAR, "extensions": []}, ["AUTH TLS"], "extensions"),
    "a certificate": ({"secure_login": "required"}, ["AUTH TLS", "USER user"], "secure_login"),
    "another order": (CLEAR, ["CWD x"], None),
    "a default": ({k: v for k, v in CLEAR.items() if k != "secure_dataconn"}, ["USER user", "PASS pass", "PASV", "LIST"],
                  "secure_dataconn"),
}


def line_of(gateway, key):
    """The first line of the policy with this key; None if it has none."""
    with open(gateway.path) as f:
        lines = [number for number, line in enumerate(f, 1) if line.strip().startswith('"%s":' % key)]
    return str(lines[0]) if lines else None


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_command_names_its_key(launch, backend, certificates, name):
    action, commands, key = REFUSED[name]
    change = {}
    if "secure_login" in action:
        change = {"tls": {"handshake_role": "server_with_client_auth", "client_auth_type": "full"},
                  "keyrings": {"ftpd": {"trust": certificates.ca.pem}}}
    gateway = launch(backend, ftp=action, **change)
    with clients.Client(gateway.explicit) as c:
        for command in commands:
            reply = c.auth() if command == "AUTH TLS" and "extensions" not in action else c.cmd(command)
    event = gateway.event("refused-command")
    assert (event.keys.get("key"), event.keys.get("line")) == (key, line_of(gateway, key)), reply
    assert (event.keys.get("line") is None) == (key not in action)


def test_a_key_of_users_has_the_line_of_that_user(launch, backend, certificates):
    """The user is known from the certificate, before it has logged in."""
    pair = certificates.rsa["chain"], certificates.rsa["key"]
    gateway = launch(backend, ftp={"secure_login": "verify_user", "accesserrormsgs": True}, backends={"other": {"address": "127.0.0.1:9"}},
                     tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"},
                     keyrings={"ftpd": {"trust": certificates.ca.pem}},
                     users={"first": {"certificates": [{"subject": "CN=server-ecdsa"}], "services": ["legacy"]},
                            "user": {"certificates": [{"subject": "CN=server-rsa"}], "services": ["other"]}})
    with clients.Client(gateway.explicit, ctx=clients.context(own=pair)) as c:
        c.auth()
        c.expect("USER user", 530)
    with open(gateway.path) as f:
        lines = [str(number) for number, line in enumerate(f, 1) if line.strip().startswith('"services":')]
    refused = gateway.event("refused-command").keys
    assert (refused["key"], refused["line"]) == ("user.services", lines[1]) and len(lines) == 2


def test_the_end_of_a_session_names_its_key(launch, backend):
    gateway = launch(backend, ftp={**CLEAR, "login_attempts": 1, "login_delay": 0, "verifyuser": "true"},
                     users={"somebody": {}}, listeners={"explicit": {"address": "127.0.0.1:0"}})
    with clients.Client(gateway.explicit) as c:
        c.expect("USER user", 530)
        c.ended()
    failed = gateway.event("login-failed", by="verifyuser")
    assert (failed.keys["key"], failed.keys["line"]) == ("verifyuser", line_of(gateway, "verifyuser"))
    end = gateway.event("session-end", reason="too-many-failed-logins")
    assert (end.keys["key"], end.keys["line"]) == ("login_attempts", line_of(gateway, "login_attempts"))


def test_a_stranger_at_the_data_port_names_its_key(launch, backend):
    gateway = launch(backend, ftp={**CLEAR, "passivedataconn": "noredirect"})
    with clients.Client(gateway.explicit) as c:
        c.login()
        address = c.pasv()
        with contextlib.suppress(ConnectionResetError):  # it may come before connect() returns
            net.dial(address, source=("127.0.0.2", 0)).close()
        event = gateway.event("data-peer-refused")
    assert (event.keys["key"], event.keys["line"]) == ("passivedataconn", line_of(gateway, "passivedataconn"))


def test_a_limit_names_its_key(launch, backend):
    gateway = launch(backend, daemon={"limits": {"sessions_per_source": 1}})
    with clients.Client(gateway.explicit), clients.Client(gateway.explicit, greet=False):
        event = gateway.event("refused")
    assert (event.keys["key"], event.keys["line"]) == ("sessions_per_source", line_of(gateway, "sessions_per_source"))

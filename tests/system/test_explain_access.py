"""attlsctl explain about single users: the entries of access and per_user, who may use a path, and rules that only audit."""
import json

import pytest

import certs
import client as clients
from client import context
from test_attlsctl import answer, code, explain, run
from test_explain import diff, policy  # noqa: F401, pylint: disable=unused-import

ACCESS = [{"path": "/payroll/forms", "users": "*"},
          {"path": "/payroll", "verbs": ["CWD", "LIST", "RETR", "SIZE"], "users": ["audit", "Pay"]},
          {"path": "/payroll", "users": ["pay"], "certificates": ["U1"]},
          {"path": "'PROD.**'", "users": ["ops"]},
          {"path": "jes", "users": ["ops"], "certificates": ["U1"]},
          {"path": "/closed", "users": []}]
LEVELS = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "login_delay": "0s"}
TRANSFERS = "LIST", "RETR", "STOR"
LOGGED = 10  # refusals of a session that the log has


def path_of(told):
    """{who: {command: its answer}}"""
    return {" ".join(filter(None, [one["who"], one.get("name")])): {a["command"]: a for a in one["answers"]} for one in told["path"]["clients"]}


def allowed(answers):
    return {command for command, said in answers.items() if said["allowed"]}


def check(gateway, backend, user, path, answers, ctx=None):
    """Do these commands get the answers that explain gives?"""
    since = gateway.mark()
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth()
        c.login(user)
        for command in "PBSZ 0", "PROT P":
            c.expect(command, 200)
        c.expect("EPSV", 229)
        for command, said in answers.items():
            line = command if "=" in command else f"{command} {path}"
            if said["allowed"] and command in TRANSFERS:
                continue  # the test of SIZE is as good, and needs no data connection
            heard = backend.everything().count(line)
            reply = c.cmd(line)
            assert (str(reply).rstrip() == said.get("answer")) == (not said["allowed"]), (user, line, said, str(reply))
            assert (backend.everything().count(line) > heard) == said["allowed"], (user, line)
    wanted = [(command.split()[0], said["key"], str(said.get("line"))) for command, said in answers.items() if not said["allowed"]][:LOGGED]
    if wanted:
        gateway.event("refused-command", since, count=len(wanted))
    logged = [event.keys for event in gateway.seen("refused-command", since)]
    assert [(one["command"], one["key"], one["line"] if one["key"] == "access" else "None") for one in logged] == wanted


@pytest.mark.parametrize("path", ["/payroll/x", "/payroll/forms/x", "payroll/x", "'PROD.PAY(A)'", "jes", "/closed", "/pub", "/pay*"])
def test_a_path_is_judged_as_attlsd_does(launch, make_backend, path):
    """Each name of access, and a user whom it does not name, logs in and gets what explain says."""
    backend = make_backend()
    gateway = launch(backend, ftp={**LEVELS, "access": ACCESS, "commands_denied": ["RMD"]}, users={"U1": {}})
    told = path_of(explain(gateway.path, "explicit", "127.0.0.1", "--path", path))
    assert set(told) == {"user audit", "user Pay", "user pay", "user ops", "others"}
    for who, answers in told.items():
        check(gateway, backend, who.split()[-1], path, answers)
        name = who.split()[-1]
        asked = path_of(explain(gateway.path, "explicit", "127.0.0.1", "--path", path, "--user", name))
        assert asked == {f"client {name}": answers}


def test_what_each_user_may_do(policy):
    told = path_of(explain(policy(ftp={**LEVELS, "access": ACCESS, "commands_denied": ["RMD"]}, users={"U1": {}}),
                           "explicit", "192.0.2.7", "--path", "/payroll/x"))
    assert allowed(told["user audit"]) == {"CWD", "LIST", "RETR", "SIZE"}
    assert allowed(told["user pay"]) == set(told["user pay"]) - {"RMD"}
    assert allowed(told["others"]) == allowed(told["user ops"]) == set()
    assert told["others"]["RMD"]["key"] == "commands_denied" and told["others"]["STOR"]["key"] == "access"


def test_certificates_open_paths(launch, backend, tmp_path_factory):
    partners = certs.Partners(tmp_path_factory.mktemp("partners"))
    gateway = launch(backend, ftp={**LEVELS, "access": ACCESS}, keyrings={"ftpd": {"trust": partners.ca.pem}},
                     tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"},
                     users={"U1": {"certificates": [{"subject": "CN=user1,O=Partner"}]}})
    own = next(files for files in partners.cert.values()
               if files and explain(gateway.path, "explicit", "127.0.0.1", "--certificate", files[0])["certificate"]["user"] == "U1")
    for path in "/payroll/x", "jes":
        told = path_of(explain(gateway.path, "explicit", "127.0.0.1", "--path", path))
        answers = told["certificate U1"]
        assert allowed(answers) and not allowed(told["others"])
        check(gateway, backend, "U1", path, answers, ctx=context(own=own))
        assert path_of(explain(gateway.path, "explicit", "127.0.0.1", "--path", path, "--certificate", own[0])) == {"client U1": answers}


def test_principals_open_paths(policy):
    access = [{"path": "/payroll", "principals": ["U1"]}]
    users = {"U1": {"principals": ["u1@EXAMPLE.ORG"]}}
    path = policy(ftp={**LEVELS, "access": access, "extensions": ["auth_tls", "auth_gssapi"]}, users=users, daemon={"keytab": "/etc/krb5.keytab"})
    told = path_of(explain(path, "explicit", "192.0.2.7", "--path", "/payroll/x"))
    assert allowed(told["principal U1"]) == set(told["principal U1"]) and not allowed(told["others"])
    assert set(path_of(explain(path, "implicit", "192.0.2.7", "--path", "/payroll/x"))) == {"others"}, "no GSSAPI under TLS"


def test_who_cannot_log_in(policy):
    """verifyuser: nobody stands for the others if access names each user; a level refuses a login."""
    told = explain(policy(ftp={**LEVELS, "verifyuser": True, "access": [{"path": "/a", "users": ["anna", "carl"]}]},
                          users={"anna": {}}), "explicit", "192.0.2.7", "--path", "/a/b")["path"]["clients"]
    assert [one.get("name") for one in told] == ["anna", "carl"]
    assert "refused_at_login" not in told[0] and told[0]["answers"]
    assert told[1]["refused_at_login"].startswith("530 ") and not told[1]["answers"]
    told = explain(policy(ftp={**LEVELS, "access": ACCESS}, users={"U1": {}}), "explicit", "192.0.2.7", "--path", "/payroll", "--user", "me")
    assert path_of(told)["client me"]["CWD"]["allowed"] is False


def test_the_entries_are_listed(policy):
    path = policy(ftp={**LEVELS, "access": ACCESS}, users={"U1": {}})
    told = explain(path, "explicit", "192.0.2.7")
    assert [one["path"] for one in told["access"]] == [one["path"] for one in ACCESS] and "path" not in told
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    for one in told["access"]:
        assert json.dumps(one["path"]).strip('"') in lines[one["line"] - 1]
    shown = run("explain", "-f", path, "--path", "/payroll/x").stdout
    line = [one["line"] for one in told["access"]]
    assert f"  line {line[1]}: /payroll for CWD, LIST, RETR, SIZE: users audit, Pay\n" in shown
    assert f"  line {line[2]}: /payroll: user pay; certificate of U1\n" in shown
    assert f"  line {line[0]}: /payroll/forms: everybody\n" in shown and f"  line {line[5]}: /closed: nobody\n" in shown
    assert f"  user audit\n    goes to the server: CWD, LIST, RETR, SIZE\n    refused by access, line {line[2]}: STOR, " in shown


def test_levels_of_single_users(policy):
    path = policy(ftp={**LEVELS, "per_user": [{"users": ["payroll", "fin-*"], "secure_ftp": "required", "secure_dataconn": "private"},
                                              {"users": "audit", "secure_ctrlconn": "private"}]})
    told = explain(path, "explicit", "192.0.2.7", "--user", "payroll")
    assert told["per_user"] == [{"users": ["payroll", "fin-*"], "secure_ftp": "required", "secure_dataconn": "private"},
                                {"users": ["audit"], "secure_ctrlconn": "private"}]
    assert code(told, "before TLS", "USER payroll") == 530
    assert code(explain(path, "explicit", "192.0.2.7"), "before TLS", "USER me") is None
    shown = run("explain", "-f", path).stdout
    assert "  users payroll, fin-*: secure_ftp required, secure_dataconn private\n  users audit: secure_ctrlconn private\n" in shown


def test_a_rule_that_only_audits(launch, backend):
    """explain names the key that the log names."""
    gateway = launch(backend, rules={"everyone": {"action": "audit"}})
    told = explain(gateway.path, "explicit", "127.0.0.1")
    user = answer(told, "before TLS", "USER")
    assert told["action"] == "audit" and user["by"] == "server"
    with clients.Client(gateway.explicit) as c:
        c.expect("USER me", 331)
    assert gateway.event("would-refuse", command="USER").keys["key"] == user["would_refuse"] == "secure_ftp"
    assert "would_refuse" not in answer(told, "under TLS", "USER")
    shown = run("explain", "-f", gateway.path, "--listener", "explicit", "--client", "127.0.0.1").stdout
    assert "\naction: audit: " in shown and "goes to the server (secure_ftp would refuse it)\n" in shown


def test_differences(policy):
    """An entry that is only written in another place changes nothing; one with other users does."""
    other = [*ACCESS[:2], {**ACCESS[2], "users": ["pay", "joe"]}, *ACCESS[3:]]
    old = policy(ftp={**LEVELS, "access": ACCESS}, users={"U1": {}})
    new = policy(name="new.yaml", ftp={**LEVELS, "access": other, "per_user": [{"users": "joe", "secure_ftp": "required"}]},
                 users={"U1": {}}, rules={"everyone": {"action": "audit"}})
    changes = diff(old, new, "--listener", "explicit", "--client", "192.0.2.7", "--path", "/payroll/x", "--user", "joe", status=1)
    (changes,) = changes.values()
    assert changes["path /payroll/x, this client, user joe: STOR"] == ("refused by access", "goes to the server")
    assert "path /payroll/x, this client, user joe: CWD" not in changes
    assert "/payroll: users pay, joe; certificate of U1" in changes["ftp.access"][1]
    assert changes["action"] == ("enforce", "audit") and changes["ftp.per_user"] == (None, "users joe: secure_ftp required")


@pytest.mark.parametrize("wrong", ["", "a\nDELE b", "a\x7f", "x" * 256])
def test_paths_that_no_command_can_carry(policy, wrong):
    done = run("explain", "-f", policy(), "--path", wrong)
    assert done.returncode == 2 and "--path needs a path" in done.stderr

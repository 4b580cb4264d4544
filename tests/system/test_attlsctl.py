"""attlsctl check and explain: their results, compared with what attlsd does."""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

import pytest

import client as clients
import gateway as gateways
import net

ATTLSCTL = net.ATTLSCTL
PARTNERS = os.path.join(net.ROOT, "contrib", "policy.partners.yaml")


def run(*argv):
    done = subprocess.run([ATTLSCTL, *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=net.DEADLINE)
    assert not gateways.FAULT.search(done.stderr), done.stderr
    return done


def explain(path, listener, client, *argv, status=0):
    done = run("explain", "-f", path, "--listener", listener, "--client", client, "--json", *argv)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def answer(explanation, state, command, *after):
    """The reply to a command in a state, or None if the command goes to the server."""
    found = [a for s in explanation["states"] if s["state"] == state for a in s["answers"]
             if a["command"].split()[0] == command.split()[0] and a["after"] == list(after)
             and (" " not in command or a["command"] == command)]
    assert len(found) == 1, (state, command, found)
    return found[0]


def code(explanation, state, command, *after):
    text = answer(explanation, state, command, *after)["answer"]
    return text and int(text[:3])


@pytest.fixture
def partners(certificates, folder):
    """The shipped example policy, with the certificates that it names."""
    shutil.copy(PARTNERS, os.path.join(folder, "policy.yaml"))
    for kind in ("ecdsa", "rsa"):
        certificate = getattr(certificates, kind)
        shutil.copy(certificate["chain"], os.path.join(folder, f"server-{kind}.pem"))
        shutil.copy(certificate["key"], os.path.join(folder, f"server-{kind}.key"))
    return os.path.join(folder, "policy.yaml")


@pytest.fixture
def policy(certificates, folder):
    def write(**change):
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 2021), **change)))
        return path
    return write


def test_a_listener_that_is_not_there(policy):
    done = run("explain", "-f", policy(), "--listener", "expl")
    assert (done.returncode, done.stderr) == (2, "attlsctl: the policy has no listener expl; it has explicit, implicit\n")


@pytest.mark.parametrize("argv", [["check"], ["check", "--json"], ["check", "--help"], ["explain"], ["schema"],
                                  ["help"], ["version"]], ids=" ".join)
def test_lost_output_is_a_failure(policy, argv):
    needs = ["-f", policy()] if argv[0] in ("check", "explain") and "--help" not in argv else []
    with open("/dev/full", "w") as full:
        done = subprocess.run([ATTLSCTL, *argv, *needs], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=net.DEADLINE)
    assert done.returncode == 1 and done.stderr.count("the output could not be written") == 1, done
    assert argv != ["check"] or done.stderr.endswith("written: No space left on device\n")


def test_the_shipped_example_is_good(partners):
    assert gateways.check(partners)[0] == 0
    done = run("check", "-f", partners)
    assert done.returncode == 0 and "warning: " not in done.stderr and done.stdout.endswith(": ok\n"), done
    found = json.loads(run("check", "-f", partners, "--json").stdout)
    assert {one["severity"] for one in found["diagnostics"]} <= {3}


def test_check_notes_what_means_something_else(policy):
    """Only check shows notes. They do not change the status, and a note disappears when the policy sets its key."""
    path = policy(ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "safe"})
    done = run("check", "-f", path)
    assert done.returncode == 0 and "note: " in done.stderr and "data_policy_scope" in done.stderr
    notes = [one for one in json.loads(run("check", "-f", path, "--json").stdout)["diagnostics"] if one["severity"] == 3]
    assert any("data_policy_scope" in note["message"] and note["range"]["start"]["line"] > 0 for note in notes)
    assert "note: " not in gateways.check(path)[1]
    path = policy(ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "safe", "data_policy_scope": "all"})
    assert "data_policy_scope" not in run("check", "-f", path).stderr


@pytest.mark.parametrize("change", [
    {"ftp": {"secure_ftp": "sometimes", "pasivedataports": "50000-50100"}},
    {"keyrings": {"ftpd": {"certificates": [{"chain": "missing.pem", "key": "missing.key"}]}}},
    {"version": 2},
])
def test_check_says_what_attlsd_says(policy, change):
    path = policy(**change)
    status, said = gateways.check(path)
    done = run("check", "-f", path)
    assert status == done.returncode == 1 and said == done.stderr and done.stdout == ""
    found = json.loads(run("check", "-f", path, "--json").stdout)["diagnostics"]
    assert found
    for item in found:
        at = item["range"]["start"]
        assert f"policy.yaml:{at['line'] + 1}:{at['character'] + 1}: {item['message']}" in said


def test_a_missing_file_is_named():
    done = run("check", "-f", "/nonexistent/policy.yaml")
    assert done.returncode == 1 and "/nonexistent/policy.yaml" in done.stderr


@pytest.mark.parametrize("client,listener,rule,missed", [
    ("198.51.100.7", "explicit", "partners", []),
    ("192.0.2.9", "explicit", "branches", [["remote_addr"]]),
    ("192.0.2.9", "implicit", "everyone", [["remote_addr"], ["listener"]]),
    ("203.0.113.1", "implicit", "everyone", [["remote_addr"], ["listener", "remote_addr"]]),
])
def test_rules_and_why_not(partners, client, listener, rule, missed):
    told = explain(partners, listener, client)
    assert told["rule"] == rule
    assert [r["differs_in"] for r in told["rules"]] == [*missed, []]
    assert [r["matches"] for r in told["rules"]] == [False] * len(missed) + [True]
    text = run("explain", "-f", partners, "--listener", listener, "--client", client).stdout
    assert f"ftp action \"{told['ftp_action']}\"" in text and told["ftp"]["passivedataports"] in text


def test_no_rule(policy):
    path = policy(rules={"everyone": {"match": {"remote_addr": ["192.0.2.0/24"]}}})
    told = explain(path, "explicit", "127.0.0.1", status=1)
    assert told["rule"] is None and "states" not in told
    done = run("explain", "-f", path, "--listener", "explicit", "--client", "127.0.0.1")
    assert done.returncode == 1 and "no rule matches" in done.stdout


def test_defaults(policy):
    told = explain(policy(), "explicit", "127.0.0.1")
    assert told["features"] == ["AUTH TLS", "PBSZ", "PROT", "EPSV", "EPRT"]
    assert code(told, "before TLS", "USER") == 530
    assert code(told, "before TLS", "AUTH TLS") == 234
    assert code(told, "under TLS", "USER") is None
    assert code(told, "under TLS", "PROT C", "PBSZ 0") == 534
    assert code(told, "under TLS, logged in", "RETR", "EPSV") == 521
    assert answer(told, "under TLS, logged in", "RETR", "PBSZ 0", "PROT P", "EPSV")["data"] == "private"
    assert code(told, "under TLS, logged in", "PORT 127,0,0,1,195,80") == 200
    assert code(told, "under TLS, logged in", "PORT 127,0,0,1,3,255") == 504
    assert code(told, "under TLS, logged in", "CCC") == 534
    refused = {s["state"]: s.get("refused_at", {}).get("command") for s in told["states"]}
    assert refused["logged in without TLS"] == "USER me" and refused["after CCC"] == "CCC"


def test_implicit_starts_private(policy):
    told = explain(policy(), "implicit", "127.0.0.1")
    assert [s["state"] for s in told["states"]] == ["under TLS", "under TLS, logged in", "after CCC"]
    assert answer(told, "under TLS, logged in", "RETR", "EPSV")["data"] == "private"
    assert code(told, "under TLS", "AUTH TLS") == 503


def test_original_address_is_the_one_dialled(policy):
    """With `address: original`, explain and attlsd give the server the address family that the client connected to."""
    path = policy(listeners={"explicit": {"address": "127.0.0.1:2121", "transparent": True},
                             "implicit": {"address": "127.0.0.1:2990", "tls": "implicit", "transparent": True}},
                  backends={"legacy": {"address": "original", "epsv": "never"}})
    told = explain(path, "explicit", "127.0.0.1")
    assert code(told, "under TLS, logged in", "PASV") != 425
    assert answer(told, "under TLS, logged in", "RETR", "PBSZ 0", "PROT P", "EPSV")["data"] == "private"


def test_ipv6_clients_say_eprt(policy):
    path = policy(listeners={"explicit": {"address": "[::1]:0"}})
    told = explain(path, "explicit", "2001:db8::1")
    assert code(told, "under TLS, logged in", "EPRT |2|2001:db8::1|50000|") == 200
    assert code(told, "under TLS, logged in", "EPRT |2|2001:db8::2|50000|") == 504
    assert code(told, "under TLS, logged in", "PASV") == 425


def test_a_certificate_and_its_user(policy, certificates, folder):
    secret = os.path.join(folder, "secret")
    with open(secret, "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("password\n")
    path = policy(tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"},
                  ftp={"secure_login": "verify_user", "secure_password": "optional", "accesserrormsgs": True},
                  keyrings={"ftpd": {"trust": certificates.ca.pem}},
                  users={"anna": {"certificates": [{"subject": "CN=server-ecdsa"}], "password_file": secret},
                         "bert": {"certificates": [{"subject": "CN=server-rsa"}], "services": ["other"]}},
                  backends={"other": {"address": "127.0.0.1:2022"}})
    told = explain(path, "explicit", "127.0.0.1")
    assert told["certificate"] is None and code(told, "under TLS", "USER me") == 531
    told = explain(path, "explicit", "127.0.0.1", "--certificate", certificates.ecdsa["chain"])
    assert told["certificate"].items() >= {"subject": "CN=server-ecdsa", "user": "anna", "service": True}.items()
    assert code(told, "under TLS", "USER anna") is None and code(told, "under TLS, logged in", "CCC") == 534
    told = explain(path, "explicit", "127.0.0.1", "--certificate", certificates.rsa["chain"])
    assert told["certificate"].items() >= {"subject": "CN=server-rsa", "user": "bert", "service": False}.items()
    assert "may not use this service" in answer(told, "under TLS", "USER bert")["answer"]
    told = explain(path, "explicit", "127.0.0.1", "--certificate", certificates.other["chain"])
    assert told["certificate"]["user"] is None and code(told, "under TLS", "USER me") == 530
    assert run("explain", "-f", path, "--listener", "explicit", "--client", "127.0.0.1", "--certificate", path).returncode == 2
    os.remove(secret)
    done = run("check", "-f", path)
    assert done.returncode == gateways.check(path)[0] == 1 and "password file" in done.stderr


SETTINGS = [
    {},
    {"secure_dataconn": "clear"},
    {"secure_dataconn": "never", "secure_ftp": "allowed"},
    {"secure_ctrlconn": "clear", "secure_dataconn": "safe"},
    {"secure_ctrlconn": "clear", "tlsrfclevel": "draft"},
    {"portcommand": "reject", "reply_style": "zos"},
    {"portcommandipaddr": "unrestricted", "portcommandport": "unrestricted"},
    {"extensions": [], "secure_ftp": "allowed", "secure_ctrlconn": "clear"},
    {"secure_ftp": "allowed", "secure_ctrlconn": "clear"},
    {"secure_ftp": "allowed", "data_policy_scope": "protected"},
]


@pytest.mark.parametrize("ftp", SETTINGS, ids=lambda s: ",".join(s) or "defaults")
def test_explain_and_attlsd_agree(launch, backend, ftp):
    """The replies that explain shows are the ones that attlsd sends to a real client."""
    gateway = launch(backend, ftp=ftp)
    told = explain(gateway.path, "explicit", "127.0.0.1")
    compared = 0
    for state in told["states"]:
        if "refused_at" in state or state["state"] == "after CCC":
            continue
        for said in state["answers"]:
            verb = said["command"].split()[0]
            if said["by"] == "server" or verb in ("PASV", "EPSV"):
                continue
            with clients.Client(gateway.explicit) as c:
                if "under TLS" in state["state"]:
                    c.auth()
                if "logged in" in state["state"]:
                    c.login()
                for before in said["after"]:
                    c.cmd(before)
                reply = c.cmd(said["command"])
                assert str(reply).splitlines()[0].rstrip() == said["answer"], (state["state"], said, str(reply))
                compared += 1
    assert compared >= 6


@pytest.mark.parametrize("shown", [None, "known", "unknown"])
@pytest.mark.parametrize("role,kind", [("server", None), ("server_with_client_auth", "passthru"), ("server_with_client_auth", "full"),
                                       ("server_with_client_auth", "required"), ("server_with_client_auth", "safcheck")])
def test_explain_and_attlsd_agree_on_certificates(launch, backend, certificates, role, kind, shown):
    """Whether TLS admits a client with this certificate, and what USER gets then."""
    secure = {} if kind in (None, "passthru") else {"secure_login": "verify_user", "accesserrormsgs": True}
    gateway = launch(backend, ftp=secure, tls={"handshake_role": role, **({"client_auth_type": kind} if kind else {})},
                     keyrings={"ftpd": {"trust": certificates.ca.pem}},
                     users={"user": {"certificates": [{"subject": "CN=server-ecdsa"}]}})
    chain = {None: None, "known": certificates.ecdsa, "unknown": certificates.rsa}[shown]
    told = explain(gateway.path, "explicit", "127.0.0.1", *(["--certificate", chain["chain"]] if chain else []))
    state = next(state for state in told["states"] if state["state"] == "under TLS")
    said = next((one for one in state["answers"] if one["command"].startswith("USER ")), None)
    with clients.Client(gateway.explicit, ctx=clients.context(own=(chain["chain"], chain["key"])) if chain else None) as c:
        c.expect("AUTH TLS", 234)
        try:
            c.tls = clients.Tls(c.sock, c.ctx)
            reply = c.cmd(said["command"] if said else "USER user")
        except (AssertionError, OSError, clients.Closed, ssl.SSLError):
            reply = None
    assert (said is None) == ("refused_at" in state)
    assert (reply is None) == (said is None), (str(reply), state)
    if reply is not None:
        assert (said["by"] == "server") == (reply.code == 331), (str(reply), said)
        assert said["by"] == "server" or str(reply).splitlines()[0] == said["answer"].splitlines()[0]


@pytest.mark.parametrize("argv", [
    [], ["explode"], ["check", "more"], ["check", "--client", "127.0.0.1"], ["explain", "more"], ["check", "--nonsense"],
    ["explain", "--diff"], ["version", "--json"],
])
def test_wrong_usage_is_2(argv):
    done = run(*argv)
    assert done.returncode == 2 and done.stderr and not done.stdout


@pytest.mark.parametrize("listener,client,local", [
    ("nowhere", "127.0.0.1", None), ("explicit", "localhost", None), ("explicit", "::1", None),
    ("explicit", "127.0.0.1", "127.0.0.2"), ("explicit", "127.0.0.1", "here"),
])
def test_a_connection_that_cannot_be_is_2(policy, listener, client, local):
    done = run("explain", "-f", policy(), "--listener", listener, "--client", client, *(["--local", local] if local else []))
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_local_addr_wants_local(policy):
    path = policy(listeners={"explicit": {"address": "0.0.0.0:0"}}, rules={"everyone": {"match": {"local_addr": ["192.0.2.1"]}}})
    assert run("explain", "-f", path, "--listener", "explicit", "--client", "127.0.0.1").returncode == 2
    assert explain(path, "explicit", "127.0.0.1", "--local", "192.0.2.1")["rule"] == "everyone"
    assert explain(path, "explicit", "127.0.0.1", "--local", "192.0.2.2", status=1)["rule"] is None


def test_help_and_version():
    said = run("help")
    assert said.returncode == 0
    for name in ("check", "explain", "version", "help"):
        assert f"attlsctl {name}" in said.stdout
    with open(os.path.join(net.ROOT, "VERSION")) as f:
        assert run("version").stdout == f"attlsctl {f.read().strip()}\n"


def test_the_help_of_each_command():
    """--help shows the usage of one command, whatever else the line has or lacks, and needs no attlsd."""
    usage = re.split(r"^(?:usage:| {6}) attlsctl ", run("help").stdout.partition("\nThe policy is ")[0] + "\n", flags=re.M)[1:]
    assert len(usage) > 20
    for text in usage:
        name = text.split()[0]
        for line in (name, "--help"), (name, "-h"), (name, "no-such-thing", "--help"):
            said = run(*line)
            assert (said.returncode, said.stdout, said.stderr) == (0, f"usage: attlsctl {text}", ""), line
    assert run("check", "--no-such-option", "--help").returncode == 2


@pytest.mark.parametrize("name, said", [("vsftpd", "vsftpd reads no command"), ("pyftpdlib", "pyftpdlib answers an upload")])
def test_doctor_knows_servers(real_server, launch, name, said):
    """Among the findings is what others have seen with this server."""
    server = real_server(name)
    gateway = launch((server.host, server.port))
    report = json.loads(run("doctor", "-f", gateway.path, "--json").stdout)
    found = [finding["detail"] for finding in report["findings"] if finding["check"] == "backends"]
    assert len(found) == 2 and said in found[1], found


def test_doctor_warns_of_lines_that_are_too_long_for_the_server(real_server, launch):
    server = real_server("pyftpdlib")
    gateway = launch((server.host, server.port), backends={"legacy": {"command_line_max": 4096}})
    report = json.loads(run("doctor", "-f", gateway.path, "--json").stdout)
    (found,) = [finding for finding in report["findings"] if "command_line_max" in finding["detail"]]
    assert found["status"] == "warning" and "2048" in found["fix"], found


@pytest.mark.parametrize("host, said", [("127.0.0.1", None), ("0.0.0.0", "0.0.0.0:"), ("::", "[::]:")])
def test_doctor_finds_servers_that_are_open_to_others(certificates, folder, host, said):
    """Such as Debian's vsftpd with listen_ipv6=YES, which ignores listen_address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, dualstack_ipv6=":" in host) as server:
        port = server.getsockname()[1]
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", port))))
        done = subprocess.run([net.ATTLSCTL, "doctor", "--json", "-f", path], capture_output=True, text=True)
    finding, = [f for f in json.loads(done.stdout)["findings"] if f["check"] == "exposed"]
    assert finding["status"] == ("problem" if said else "ok"), finding
    assert not said or (f"{said}{port}" in finding["detail"] and "listen_ipv6=NO" in finding["fix"]), finding


@pytest.mark.skipif(not net.IS_ROOT, reason="needs root, to become another user")
def test_doctor_of_an_ordinary_user(policy, folder):
    """It does not take what this user may not do for a fault of the host, and libnftables prints nothing into its output."""
    os.mkdir(os.path.join(folder, "closed"), 0o755)
    os.chmod(folder, 0o755)
    path = policy(daemon={"control_socket": os.path.join(folder, "closed", "sock"), "audit": os.path.join(folder, "audit")})
    done = subprocess.run([ATTLSCTL, "doctor", "-f", path, "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=net.DEADLINE, preexec_fn=net.as_nobody)
    assert done.stderr == ""
    found, = (f for f in json.loads(done.stdout)["findings"] if f["check"] == "control_socket")
    assert found["status"] == "cannot tell" and "this user cannot" in found["detail"] and found["look"], found

"""attlsctl explain compared with the attlsd that serves the same policy, its defaults, and what --diff finds."""
import json
import os
import ssl
import subprocess

import pytest

import certs
import client as clients
import gateway as gateways
import net
from client import context
from test_attlsctl import answer, code, explain, run

POLICIES = ["off", "optional", "required"]
NAMES = [None, "localhost", "other.example", "unknown.example"]
TYPES = ["passthru", "full", "required", "safcheck"]


def under_tls(told):
    return next(state for state in told["states"] if state["state"] == "under TLS")


def gets_in(address, **tls):
    """Whether the handshake succeeds and the session goes on after it."""
    with clients.Client(address) as c:
        c.expect("AUTH TLS", 234)
        try:
            c.tls = clients.Tls(c.sock, **tls)
            return c.cmd("NOOP").code in (200, 530)
        except (OSError, clients.Closed, ssl.SSLError):
            return False


@pytest.fixture(scope="module")
def partners(tmp_path_factory):
    made = certs.Partners(tmp_path_factory.mktemp("partners"))
    branch = certs.ClientAuthority(made.ca.folder, "branch", issuer=made.ca)
    made.cert["branch"] = branch.issue("clerk")
    leaf = certs.join(os.path.join(made.ca.folder, "leaf.pem"), os.path.join(made.ca.folder, "clerk.pem"))
    made.cert["branch without its CA"] = leaf, made.cert["branch"][1]
    return made


@pytest.mark.parametrize("kind", TYPES)
def test_client_certificates_are_judged_as_attlsd_does(launch, backend, certificates, partners, kind):
    """explain verifies the certificate against `trust`, and gives OpenSSL's reason as the log does."""
    gateway = launch(backend, tls={"handshake_role": "server_with_client_auth", "client_auth_type": kind},
                     keyrings={"ftpd": {"trust": partners.ca.pem}},
                     users={"U1": {"certificates": [{"subject": "CN=user1,O=Partner"}]}, "U2": {"certificates": [{"subject": "CN=clerk,O=Partner"}]}})
    for name, files in partners.cert.items():
        since = gateway.mark()
        told = explain(gateway.path, "explicit", "127.0.0.1", *(["--certificate", files[0]] if files else []))
        refused = under_tls(told).get("refused_at")
        assert gets_in(gateway.explicit, ctx=context(own=files) if files else None) == (refused is None), (name, refused)
        if refused and refused["answer"].startswith("the handshake fails"):  # each is waited for, so that it is not taken for that of the next certificate
            reason = gateway.event("tls-failed", since).keys["reason"]
            assert "verify failed" not in refused["answer"] or refused["answer"] == "the handshake fails: " + reason, name
        if files and kind == "passthru":
            shown = gateway.event("client-certificate", since).keys
            assert shown["verified"] == ("yes" if told["certificate"]["verified"] else "no"), name
            assert shown["user"] == (told["certificate"]["user"] or ""), name


@pytest.mark.parametrize("sni", POLICIES)
def test_host_names_are_judged_as_attlsd_does(launch, backend, certificates, sni):
    gateway = launch(backend, tls={"server_handshake_sni": sni},
                     keyrings={"ftpd": {"certificates": [certificates.ecdsa, certificates.rsa, certificates.other]}})
    for name in NAMES:
        since = gateway.mark()
        refused = under_tls(explain(gateway.path, "explicit", "127.0.0.1", *(["--sni", name] if name else []))).get("refused_at")
        assert gets_in(gateway.explicit, name=name) == (refused is None), (name, refused)
        if refused:
            assert refused["answer"] == "the handshake fails: " + gateway.event("tls-failed", since).keys["reason"]


@pytest.mark.parametrize("tls", [{}, {"versions": ["tls1.2"]}, {"versions": ["tls1.3"]},
                                 {"ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"]},
                                 {"ciphersuites": ["TLS_CHACHA20_POLY1305_SHA256"]}], ids=str)
def test_suites_are_those_that_clients_get(launch, backend, tls):
    """A client that offers one cipher suite gets in exactly if explain lists it (as root: with key_isolation)."""
    gateway = launch(backend, tls=tls, daemon={"key_isolation": "auto" if os.geteuid() == 0 else "false"})
    listed = explain(gateway.path, "explicit", "127.0.0.1")["tls"]["suites"]
    if os.geteuid() != 0:
        pytest.skip("explain takes attlsd for started as root")
    host = "%s:%d" % gateway.explicit
    names = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "AES128-SHA",
             "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256"]
    for name in names:
        only = ["-tls1_3", "-ciphersuites", name] if name.startswith("TLS_") else ["-tls1_2", "-cipher", name]
        done = subprocess.run(["openssl", "s_client", "-starttls", "ftp", "-connect", host, *only], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=net.DEADLINE)
        got = f"Cipher is {name}" in done.stdout
        assert got == (name in listed), (name, listed)


def test_auto_has_both_ways(launch, backend):
    """`tls: auto`: the answers after AUTH, and those after TLS at once, are attlsd's."""
    gateway = launch(backend, listeners={"explicit": {"tls": "auto"}}, ftp={"secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    told = explain(gateway.path, "explicit", "127.0.0.1")
    for state, at_once in ("under TLS", False), ("under TLS (TLS at once)", True):
        said = [one for one in next(s for s in told["states"] if s["state"] == state)["answers"] if one["by"] == "gateway"]
        assert len(said) > 3
        for one in said if at_once else said[-1:]:  # a client that waits for AUTH waits a second for the greeting
            with clients.Client(gateway.explicit, implicit=at_once) as c:
                if not at_once:
                    c.auth()
                for before in one["after"]:
                    c.cmd(before)
                assert str(c.cmd(one["command"])).rstrip() == one["answer"], (state, one)
    assert answer(told, "under TLS, logged in (TLS at once)", "RETR", "EPSV")["data"] == "private"
    assert answer(told, "under TLS, logged in", "RETR", "EPSV")["data"] == "clear"


@pytest.mark.skipif(os.geteuid() != 0, reason="transparent listeners need CAP_NET_ADMIN")
def test_original_is_the_address_dialled(launch, backend):
    """explain names the server that attlsd dials, and takes any address for a transparent listener."""
    host, port = backend.address
    gateway = launch(backend, backends={"legacy": {"address": f"original:{port}"}},
                     listeners={"explicit": {"transparent": True}, "implicit": None})
    with clients.Client(gateway.explicit) as c:
        c.auth().login()
        assert explain(gateway.path, "explicit", "127.0.0.1", "--local", "127.0.0.1")["server"]["address"] == f"{host}:{port}"
    gateway = launch(backends={"legacy": {"address": "original:9"}}, listeners={"explicit": {"transparent": True}, "implicit": None})
    with clients.Client(gateway.explicit, greet=False) as c:
        c.assert_ends(421)
    told = explain(gateway.path, "explicit", "127.0.0.1", "--local", "127.0.0.1:990")
    assert told["server"]["address"] == gateway.event("server-down").keys["address"] and told["server"]["original"]


@pytest.mark.parametrize("local, server", [("198.51.100.9", "198.51.100.9:21"), ("198.51.100.9:2100", "198.51.100.9:2100")])
def test_original_of_a_transparent_listener(policy, local, server):
    path = policy(listeners={"explicit": {"address": "127.0.0.1:2121", "transparent": True}, "implicit": None},
                  backends={"legacy": {"address": "original"}})
    assert explain(path, "explicit", "192.0.2.7", "--local", local)["server"]["address"] == server
    example = explain(path, "explicit", "192.0.2.7")
    assert example["local_is_example"] and example["server"]["original"]
    shown = run("explain", "-f", path, "--listener", "explicit", "--client", "192.0.2.7").stdout
    assert "this one is an example" in shown and "227 Entering Passive Mode (0,0,0,0" not in shown


PIN = "00112233445566778899aabbccddeeff" * 2
INSIDE = {"ftp": {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"},
          "listeners": {"explicit": {"address": "127.0.0.1:2121", "tls": "none", "transparent": True}, "implicit": None}}


def partner(backend, action=None, **change):
    """A policy of clients in the clear, on their way to a server that speaks TLS."""
    return {**INSIDE, "keyrings": {"ca": {"trust": "*AUTH*/*"}},
            "tls_actions": {"partner": {"handshake_role": "client", **(action or {"keyring": "ca"})}},
            "backends": {"legacy": {"tls": "partner", **backend}}, "rules": {"everyone": {"tls": None, **change}}}


@pytest.mark.parametrize("backend, action, wanted", [
    ({"address": "localhost:21"}, {},
     {"begins_with": "AUTH TLS", "server_is": "localhost", "server_proves": "a chain to the authorities of the system, the name localhost"}),
    ({"address": "localhost", "secure_mechanism": "implicit", "hostname": "ftp.example"}, {"keyring": "ca", "pins": [PIN]},
     {"begins_with": "the handshake", "server_is": "ftp.example",
      "server_proves": 'a chain to the authorities of the system, the name ftp.example, one of "pins"'}),
    ({"address": "127.0.0.1", "secure_mechanism": "implicit", "secureimplicitzos": True}, {"pins": [PIN]},
     {"begins_with": "the handshake, after a 220 in the clear", "server_is": "127.0.0.1", "server_proves": 'one of "pins", nothing else'}),
    ({"address": "127.0.0.1:21", "secure_mechanism": "ssl"}, {"keyring": "ca", "secure_hostname": "optional"},
     {"begins_with": "AUTH SSL", "server_proves": "a chain to the authorities of the system, any name"}),
])
def test_tls_with_the_server(policy, backend, action, wanted):
    told = explain(policy(**partner(backend, action)), "explicit", "192.0.2.7")
    assert wanted.items() <= told["server_tls"].items()
    assert told["starts_tls"] == "no" and "tls" not in told and told["server_tls"]["suites"]
    assert told["server"]["secure_dataconn"] == "private"


@pytest.mark.parametrize("level, seen", [("private", "under TLS"), ("clear", "in the clear"), ("never", "in the clear")])
def test_the_levels_of_both_legs(policy, level, seen):
    """Clients in the clear never protect their data; policy decides for the server."""
    path = policy(**partner({"address": "localhost:21", "secure_dataconn": level}))
    retr = answer(explain(path, "explicit", "192.0.2.7"), "logged in without TLS", "RETR", "EPSV")
    assert (retr["data"], retr["data_to_server"]) == ("clear", seen)
    shown = run("explain", "-f", path).stdout
    assert f"goes to the server; data in the clear, to the server {seen}\n" in shown and "FEAT adds EPSV, EPRT\n" in shown


def test_a_server_by_its_name_or_address(policy):
    """--to names what a client dials; names are looked up, as those of the policy are."""
    tree = partner({"address": "original", "hosts": ["localhost"]}, match={"destination": ["localhost"]})
    tree["rules"]["others"] = {"ftp": "standard", "backend": "legacy"}
    path = policy(**tree)
    ask = "--listener", "explicit", "--client", "192.0.2.7", "--json"
    for to, address in ("localhost", "127.0.0.1:21"), ("localhost:2100", "127.0.0.1:2100"), ("127.0.0.1", "127.0.0.1:21"):
        told = json.loads(run("explain", "-f", path, *ask, "--to", to).stdout)
        assert (told["rule"], told["server_tls"]["server_is"], told["server"]["address"]) == ("everyone", "localhost", address)
    told = json.loads(run("explain", "-f", path, *ask, "--to", "192.0.2.9").stdout)
    assert told["rule"] == "others" and told["server_tls"]["server_is"].startswith("421 and no connection")
    assert run("explain", "-f", path, *ask).returncode == 2, "which server?"
    both = run("explain", "-f", path, *ask, "--to", "localhost", "--local", "127.0.0.1")
    assert both.returncode == 2 and "use one of them" in both.stderr
    nowhere = run("explain", "-f", path, *ask, "--to", "nowhere.invalid")
    assert nowhere.returncode == 1 and 'cannot resolve "nowhere.invalid"' in nowhere.stderr
    assert sorted(one["rule"] for one in json.loads(run("explain", "-f", path, "--json").stdout)) == ["everyone", "others"]
    path = policy(name="inbound.yaml")
    inbound = run("explain", "-f", path, *ask[:4], "--to", "localhost")
    assert inbound.returncode == 2 and "it is not transparent" in inbound.stderr


def test_differences_toward_the_server(policy):
    old = policy(**partner({"address": "localhost:21"}))
    new = policy(name="new.yaml", **partner({"address": "localhost:21", "secure_dataconn": "clear", "secure_mechanism": "ssl"}))
    (changes,) = diff(old, new, status=1).values()
    assert changes["server_tls.begins_with"] == ("AUTH TLS", "AUTH SSL")
    assert changes["logged in without TLS: RETR file after EPSV, data to the server"] == ("under TLS", "in the clear")


def test_names_with_several_addresses(policy):
    path = policy(backends={"legacy": {"address": "localhost:2021"}})
    server = explain(path, "explicit", "127.0.0.1")["server"]
    assert "127.0.0.1:2021" in [server["address"], *server["more_addresses"]]


@pytest.fixture
def policy(certificates, folder):
    def write(name="policy.yaml", **change):
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 2021), **change)))
        return path
    return write


@pytest.mark.parametrize("more", [{"greet_first": True}, {"proxy_protocol": "v2"}], ids=str)
def test_a_server_that_is_dialled_late(policy, more):
    """Clients get the same answers as with a server that is dialled at once."""
    at_once, late = (explain(policy(backends={"legacy": change}), "explicit", "192.0.2.7")["states"] for change in ({}, more))
    assert late == at_once
    assert all(one["answer"] for state in late for one in state["answers"] if one["by"] == "gateway")


def test_entries_about_other_paths_refuse_nothing(policy):
    """The working directory is known: the server says "/" to PWD."""
    told = explain(policy(ftp={"access": [{"path": "/payroll", "users": ["pay"]}]}), "explicit", "192.0.2.7")
    assert code(told, "under TLS, logged in", "RETR", "PBSZ 0", "PROT P", "EPSV") is None


def test_defaults_are_marked(policy):
    path = policy(ftp={"secure_dataconn": "private", "passivedataports": "50000-50100"}, tls={"versions": ["tls1.3"]})
    told = explain(path, "explicit", "127.0.0.1")
    assert "secure_ftp" in told["defaults"]["ftp"] and "ciphers" in told["defaults"]["tls"]
    assert not {"secure_dataconn", "passivedataports"} & set(told["defaults"]["ftp"])
    assert "versions" not in told["defaults"]["tls"] and "data" in told["defaults"]["server"]
    assert told["without_effect"]["tls"] == ["client_auth_type", "secure_hostname", "pins"]
    assert told["server"]["tls"] == "none" and "secure_dataconn" not in told["server"], "the server speaks no TLS"
    lines = {line.split()[0]: line.split(None, 1)[1] for line in run("explain", "-f", path, "--listener", "explicit", "--client", "127.0.0.1")
             .stdout.splitlines() if line.startswith("  ") and len(line.split()) > 1}
    assert lines["secure_ftp"] == "required (default)" and lines["secure_dataconn"] == "private"
    assert lines["client_auth_type"] == "required (default, has no effect here)" and lines["versions"] == "tls1.3"
    for section, key in ("ftp", "ftp"), ("tls", "tls"), ("server", "server"):
        assert set(told["defaults"][section]) <= set(told[key])


def test_a_user_is_asked_about(policy):
    path = policy(ftp={"verifyuser": True, "accesserrormsgs": True}, users={"anna": {}, "bert": {"services": ["other"]}},
                  backends={"other": {"address": "127.0.0.1:2022"}})
    assert code(explain(path, "explicit", "127.0.0.1", "--user", "anna"), "under TLS", "USER anna") is None
    assert code(explain(path, "explicit", "127.0.0.1", "--user", "bert"), "under TLS", "USER bert") == 530


def test_without_a_question_all_clients_are_shown(policy):
    path = policy(rules={"partners": {"priority": 9, "match": {"remote_addr": ["192.0.2.0/24"]}, "tls": "server", "ftp": "standard",
                                      "backend": "legacy"}})
    told = json.loads(run("explain", "-f", path, "--json").stdout)
    assert sorted((one["listener"], one["rule"]) for one in told) == [
        ("explicit", "everyone"), ("explicit", "partners"), ("implicit", "everyone"), ("implicit", "partners")]
    told = json.loads(run("explain", "-f", path, "--listener", "implicit", "--json").stdout)
    assert [one["listener"] for one in told] == ["implicit", "implicit"]
    told = json.loads(run("explain", "-f", path, "--client", "192.0.2.3", "--json").stdout)
    assert [(one["rule"], one["client"]) for one in told] == [("partners", "192.0.2.3")] * 2
    assert run("explain", "-f", path, "--client", "2001:db8::1").returncode == 2


def diff(path, other, *argv, status):
    done = run("explain", "-f", path, "--diff", other, "--json", *argv)
    assert done.returncode == status, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["same"] == (status == 0)
    return {(one["listener"], one["client"]): {change["what"]: (change["from"], change["to"]) for change in one["changes"]}
            for one in found["clients"]}


def test_diff_shows_which_answers_change(policy):
    path, other = policy(), policy("other.yaml", ftp={"secure_dataconn": "clear"})
    for listener in "explicit", "implicit":
        (changes,) = diff(path, other, "--listener", listener, "--client", "127.0.0.1", status=1).values()
        assert changes["ftp.secure_dataconn"] == ("private", "clear")
        refused, allowed = changes["under TLS: PROT C after PBSZ 0"]
        assert refused.startswith("534 ") and allowed.startswith("200 ")
        assert changes["under TLS, logged in: RETR file after PBSZ 0, PROT C, EPSV"][1] == "goes to the server; data in the clear"
        assert "under TLS: USER me" not in changes and "ftp.secure_ftp" not in changes
    assert set(map(len, diff(path, path, status=0).values())) == {0}
    assert run("explain", "-f", path, "--diff", path).stdout == "no answer changes\n"
    text = run("explain", "-f", path, "--diff", other).stdout
    assert "  ftp.secure_dataconn\n    - private\n    + clear\n" in text
    # a written default is the same value
    assert run("explain", "-f", path, "--diff", policy("written.yaml", ftp={"secure_dataconn": "private"})).returncode == 0


def test_diff_finds_the_clients_that_another_rule_gets(policy):
    """Without a question: the one network that a rule loses, and nobody else."""
    def rules(net):
        return {"partners": {"priority": 9, "match": {"remote_addr": [net]}, "tls": "server", "ftp": "partners", "backend": "legacy"}}
    path = policy(rules=rules("192.0.2.0/24"), ftp_actions={"partners": {"secure_ftp": "allowed", "secure_ctrlconn": "clear"}})
    other = policy("other.yaml", rules=rules("192.0.2.0/25"), ftp_actions={"partners": {"secure_ftp": "allowed", "secure_ctrlconn": "clear"}})
    found = diff(path, other, status=1)
    changed = {client: changes["rule"] for (_, client), changes in found.items() if changes}
    assert changed == {"192.0.2.128": ("partners", "everyone")}
    assert diff(path, other, "--client", "192.0.2.7", status=0) and diff(path, other, "--client", "192.0.2.200", status=1)


def test_diff_finds_listeners_that_come_and_go(policy):
    found = diff(policy(), policy("other.yaml", listeners={"implicit": None, "extra": {"address": "127.0.0.1:2222"}}), status=1)
    rules = {listener: changes["rule"] for (listener, _), changes in found.items() if changes}
    assert rules == {"implicit": ("everyone", None), "extra": (None, "everyone")}


def test_diff_of_a_state_that_nobody_reaches(policy, certificates):
    """If the handshake fails, explain shows that, and not each answer that is gone with it."""
    path = policy(keyrings={"ftpd": {"trust": certificates.ca.pem}})
    other = policy("other.yaml", keyrings={"ftpd": {"trust": certificates.ca.pem}}, tls={"handshake_role": "server_with_client_auth"})
    changes = diff(path, other, "--listener", "explicit", "--client", "127.0.0.1", status=1)["explicit", "127.0.0.1"]
    assert "has to show a certificate" in changes["under TLS"][1] and "under TLS: USER me" not in changes


def test_diff_wants_two_good_policies(policy, folder):
    path = policy()
    assert "cannot read the policy" in run("explain", "-f", path, "--diff", os.path.join(folder, "missing.yaml")).stderr
    assert run("explain", "-f", path, "--diff", policy("other.yaml", version=2)).returncode == 1


@pytest.mark.parametrize("more", [{}, {"secure_ctrlconn": "clear", "ccc": "after_login"}, {"secure_mechanism": "implicit"}],
                         ids=lambda more: " ".join(more))
def test_tls_toward_the_server_changes_no_answer(policy, certificates, more):
    """What the gateway says to the server before a command (AUTH, PBSZ, PROT, CCC) is not the client's business."""
    path, other = policy(), policy("other.yaml", keyrings={"outer": {"trust": certificates.ca.pem}},
                                   tls_actions={"outer": {"handshake_role": "client", "keyring": "outer"}},
                                   backends={"legacy": {"tls": "outer", **more}})
    for changes in diff(path, other, status=1).values():
        assert changes["server.tls"][1] == "outer"
        assert all(what.startswith("server") or what.endswith(", data to the server") for what in changes), changes

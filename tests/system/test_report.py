"""
`attlsctl report clients`: real clients show what they do under a lenient policy; then each change that the report
judges is made, and exactly the clients break that it named.
"""
import contextlib
import ftplib
import io
import json
import re
import ssl
import subprocess

import pytest

import client as clients
import net

LENIENT = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}
CHANGES = {
    "secure_ftp_required": {"ftp": {"secure_ftp": "required"}},
    "tls1.3_only": {"tls": {"versions": ["tls1.3"]}},
    "secure_dataconn_private": {"ftp": {"secure_dataconn": "private"}},
    "secure_ctrlconn_private": {"ftp": {"secure_ctrlconn": "private"}},
    "secure_session_reuse_required": {"ftp": {"secure_session_reuse": "required"}},
    "secure_session_reuse_required_user": {"ftp": {"secure_session_reuse": "required_user"}},
    "portcommand_reject": {"ftp": {"portcommand": "reject"}},
}


def report(gateway, *options, status=0):
    done = subprocess.run([net.ATTLSCTL, "report", "clients", "--socket", gateway.socket, *options],
                          capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def told(gateway, *options):
    """What it says of each client, by user."""
    return {client["user"]: client for client in json.loads(report(gateway, "--json", *options))["clients"]}


@pytest.fixture
def start(launch, backend, folder):
    number = iter(range(99))

    def run(**change):
        path = f"{folder}/control{next(number)}.sock"
        gateway = launch(backend, ftp=LENIENT | change.pop("ftp", {}), daemon={"control_socket": path}, **change)
        gateway.socket = path
        return gateway
    return run


def curl(gateway, user, *options):
    host, port = gateway.explicit
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "-k", "-u", f"{user}:pass", *options,
                           f"ftp://{host}:{port}/hello.txt"], capture_output=True, timeout=net.LIMIT)
    return done.returncode == 0 and done.stdout == b"hello, world\r\n"


def lftp(gateway, user):
    host, port = gateway.explicit
    script = (f"set cmd:fail-exit true; set net:max-retries 1; set net:timeout 5; set ssl:verify-certificate no; "
              f"set ftp:ssl-force true; set ftp:ssl-protect-data true; open -u {user},pass {host}:{port}; cat hello.txt")
    done = subprocess.run(["lftp", "-c", script], capture_output=True, timeout=net.LIMIT)
    return done.returncode == 0 and done.stdout == b"hello, world\r\n"


def python(gateway, user, tls=True, ccc=False, passive=True):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    got = io.BytesIO()
    try:
        with ftplib.FTP_TLS(context=context) if tls else ftplib.FTP() as ftp:
            ftp.connect(*gateway.explicit, timeout=10)
            ftp.login(user, "pass")
            ftp.set_pasv(passive)
            if tls:
                ftp.prot_p()
            if ccc:
                ftp.ccc()
            ftp.retrbinary("RETR hello.txt", got.write)
    except (OSError, EOFError, *ftplib.all_errors):
        return False
    return got.getvalue() == b"hello, world\r\n"


RUNS = {
    "curl": lambda g, user: curl(g, user, "--ssl-reqd"),
    "curl12": lambda g, user: curl(g, user, "--ssl-reqd", "--tls-max", "1.2"),
    "curlclear": lambda g, user: curl(g, user, "--ftp-ssl-control"),
    "lftp": lftp,
    "ftplib": python,
    "ftplibccc": lambda g, user: python(g, user, ccc=True),
    "ftplibport": lambda g, user: python(g, user, passive=False),
    "plain": lambda g, user: python(g, user, tls=False),
}


def test_exactly_those_break_that_the_report_names(start):
    gateway = start()
    for user, run in RUNS.items():
        assert run(gateway, user), user
    said = told(gateway)
    assert set(said) == set(RUNS)
    broken = {}
    for name, change in CHANGES.items():
        strict = start(**change)
        broken[name] = {user for user, run in RUNS.items() if not run(strict, user)}
        verdicts = {user: said[user]["verdicts"][name] for user in RUNS}
        assert broken[name] == {user for user in RUNS if verdicts[user] in ("breaks", "partly")}, (name, verdicts)
    # the clients are chosen so that each change shuts somebody out, but not everybody
    assert all(0 < len(users) < len(RUNS) for users in broken.values()), broken


def test_what_it_says_of_clients(start):
    gateway = start()
    assert curl(gateway, "curl", "--ssl-reqd") and python(gateway, "python", ccc=True) and python(gateway, "plain", tls=False)
    with clients.Client(gateway.explicit).auth().login("anna") as c:
        c.expect("CLNT Robot\t1.0 \\", 200, 500, 502)
        c.expect("PORT 1,2,3,4,5,6", 200, 501, 504)
    said = told(gateway)
    for client in said.values():
        assert client["logged_in"] and client["sessions"] == 1 and client["network"] == "127.0.0.0/24"
    assert said["anna"]["software"] == "Robot?1.0 \\x5c" and "port" in said["anna"]["habits"]
    assert said["anna"]["verdicts"]["portcommand_reject"] == "breaks"
    assert said["anna"]["verdicts"]["secure_dataconn_private"] == "unknown", "it has not transferred anything"
    assert re.fullmatch("t13[di][0-9]{4}00(_[0-9a-f]{12}){2}", said["python"]["ja4"])
    assert {"explicit_tls", "login_under_tls", "pbsz", "prot_p", "ccc", "data_offered_no_session"} <= set(said["python"]["habits"])
    assert said["curl"]["data_connections"] == {"tls": 1, "resumed": 1}
    assert said["plain"]["ja4"] is None and "login_in_clear" in said["plain"]["habits"]
    text = report(gateway)
    assert text.startswith("4 clients seen;") and 'anna from 127.0.0.0/24, "Robot?1.0 \\x5c": 1 session,' in text
    assert re.search(r"breaks with: +secure_ftp: required +logs in without TLS", text)
    assert text.index("plain from") < text.index("curl from"), "the client with the most trouble comes first"


def test_it_outlives_reloads_and_workers(start):
    gateway = start()
    assert python(gateway, "anna")
    gateway.reload()
    assert told(gateway)["anna"]["sessions"] == 1
    for pid in gateway.workers():
        subprocess.run(["kill", "-KILL", str(pid)], check=True)
    gateway.event("worker-died")
    net.until(lambda: python(gateway, "anna"), "the next worker serves")
    assert told(gateway)["anna"]["sessions"] == 2


def test_clients_that_never_log_in_have_no_names(start):
    gateway = start()
    with clients.Client(gateway.explicit, greet=True) as c:
        c.auth()
        c.cmd("USER mallory")
    with contextlib.suppress(ssl.SSLError, OSError), clients.Client(gateway.explicit, ctx=clients.context(alpn=["h2"])) as c:
        c.auth()
    net.until(lambda: sum(c["sessions"] for c in json.loads(report(gateway, "--json"))["clients"]) == 2, "both are counted")
    seen = json.loads(report(gateway, "--json"))["clients"]
    assert all(c["user"] is None and c["network"] is None and not c["logged_in"] for c in seen)
    assert any("handshake_failed" in c["habits"] for c in seen)
    assert "CLIENTS THAT HAVE NOT LOGGED IN" in report(gateway)


def test_since(start):
    gateway = start()
    assert python(gateway, "anna")
    for since in "1h", "90s", "2020-01-01", "2020-01-01T10:00":
        assert "anna" in told(gateway, "--since", since)
    assert told(gateway, "--since", "2100-01-01") == {}
    for wrong in "7x", "", "yesterday", "2020-13-01", "0":
        assert "--since needs" in report(gateway, "--since", wrong, status=2)


def test_there_is_no_other_report():
    done = subprocess.run([net.ATTLSCTL, "report", "nothing"], capture_output=True, text=True)
    assert done.returncode == 2 and "there is no such report" in done.stderr
    done = subprocess.run([net.ATTLSCTL, "report"], capture_output=True, text=True)
    assert done.returncode == 2 and "say which report: clients" in done.stderr

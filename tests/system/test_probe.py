"""attlsctl probe: what it says of servers that speak TLS, and that the policy it prints is one."""
import contextlib
import json
import os
import socket
import subprocess
import threading

import pytest

import client as clients
import gateway as gateways
import net

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


def probe(*argv):
    done = subprocess.run([net.ATTLSCTL, "probe", *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=net.DEADLINE)
    assert not gateways.FAULT.search(done.stderr), done.stderr
    return done


def look(status, *argv):
    done = probe("--json", *argv)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def at(address):
    return "%s:%d" % address


def answers(port):
    with contextlib.suppress(OSError):
        net.dial(("127.0.0.1", port)).close()
        return True


class Script:
    """A server that sends fixed texts: one at the start, then one for each line that it reads."""

    def __init__(self, *texts):
        self.texts = texts
        self.received = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer, _ = self.socket.accept()
        with contextlib.suppress(OSError), peer, peer.makefile("rb") as lines:
            for text in self.texts:
                peer.sendall(text)
                line = lines.readline()
                if not line:
                    return
                self.received.append(line)

    def close(self):
        self.socket.close()
        self.thread.join(net.DEADLINE)


@pytest.fixture
def script():
    made = []

    def make(*texts):
        made.append(Script(*texts))
        return made[-1]
    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(launch, backend):
    return launch(backend, ftp=CLEAR)


def test_an_explicit_server(server, certificates):
    seen = look(0, "--trust", certificates.ca.pem, "--hostname", "localhost", at(server.explicit))
    assert seen["tls"] and seen["secure_mechanism"] == "tls" and seen["auth_code"] == 234
    assert seen["version"] == "TLSv1.3" and seen["group"]
    assert seen["certificate"]["verified"] and "DNS:localhost" in seen["certificate"]["names"]
    assert seen["certificate"]["days"] in (1, 2)
    assert seen["resumption"] == "yes"
    assert seen["features"]["EPSV"] and seen["features"]["PROT"]
    assert seen["error"] == ""
    server.event("tls", resumed="yes")


def test_an_implicit_server(server, certificates):
    seen = look(0, "--implicit", "--trust", certificates.ca.pem, at(server.implicit))  # by its address
    assert seen["tls"] and seen["secure_mechanism"] == "implicit" and not seen["clear_greeting"]


def test_an_implicit_server_that_greets_in_the_clear(launch, backend, certificates):
    server = launch(backend, ftp={**CLEAR, "secureimplicitzos": True})
    done = probe("--implicit", "--trust", certificates.ca.pem, at(server.implicit))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "secureimplicitzos: true" in done.stdout
    assert "220" in done.stdout


def test_the_wrong_name(server, certificates):
    seen = look(1, "--trust", certificates.ca.pem, "--hostname", "bank.example", at(server.explicit))
    assert seen["tls"] and not seen["certificate"]["verified"]
    assert "mismatch" in seen["certificate"]["reason"]


def test_an_unknown_authority_gets_a_pin(server):
    done = probe("--hostname", "localhost", at(server.explicit))
    assert done.returncode == 1
    fingerprint = next(line.split()[-1] for line in done.stdout.splitlines() if "sha256" in line)
    assert f"pins: [{fingerprint}]" in done.stdout


def test_a_certificate_that_is_of_no_use(folder):
    """RSA with 1024 bits: neither an authority nor a pin can make up for that."""
    pem, key, port = os.path.join(folder, "weak.pem"), os.path.join(folder, "weak.key"), net.free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem], check=True, capture_output=True)
    server = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", pem, "-key", key,
                               "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, preexec_fn=net.die_with_parent)
    try:
        net.until(lambda: answers(port), "s_server listens")
        seen = look(1, "--implicit", "--trust", pem, f"127.0.0.1:{port}")
    finally:
        server.kill()
        server.wait()
    assert not seen["tls"] and not seen["certificate"]["verified"]
    assert "too weak" in seen["certificate"]["reason"] and len(seen["certificate"]["sha256"]) == 64


@pytest.mark.parametrize("options", [["--hostname", "localhost", "--trust"], ["--hostname", "localhost"]])
def test_attlsd_takes_the_policy(launch, backend, certificates, folder, options):
    """With what the probe prints, and a listener and rule, attlsd gets through to that server."""
    server = launch(backend, ftp=CLEAR)
    options = options + [certificates.ca.pem] if options[-1] == "--trust" else options
    printed = probe(*options, at(server.explicit)).stdout
    text = printed[printed.index("\n\n"):]
    gateway = launch(tree="version: 1\ndaemon: { workers: 1, control_socket: none }\n" + text + """
ftp_actions: { clear: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear } }
listeners: { inside: { address: '127.0.0.1:0', tls: none } }
rules: { outbound: { ftp: clear, backend: partner } }
""")
    with clients.Client(gateway.address["inside"]) as c:
        c.login()
        assert c.get("hello.txt") == b"hello, world\r\n"


def test_no_session_is_resumed(launch, backend, certificates):
    server = launch(backend, ftp=CLEAR, tls={"session_timeout": 0})
    done = probe("--trust", certificates.ca.pem, at(server.explicit))
    assert "resumption    no" in done.stdout
    assert "secure_session_reuse: none" in done.stdout


def test_a_server_that_knows_auth_ssl_only(script):
    server = script(b"220 old\r\n", b"504 AUTH TLS?\r\n", b"234 AUTH SSL\r\n")
    seen = look(1, at(server.address))
    assert server.received[:2] == [b"AUTH TLS\r\n", b"AUTH SSL\r\n"]
    assert seen["auth_code"] == 234 and seen["secure_mechanism"] == "ssl" and not seen["tls"]


@pytest.mark.parametrize("texts, error", [
    ((b"220 old\r\n", b"500 what?\r\n", b"500 what?\r\n"), "the server refuses AUTH"),
    ((b"220 old\r\n", b"234 go on\r\n220 injected\r\n"), "more in the clear"),
    ((b"421 busy\r\n",), "does not greet with 220"),
    ((b"SSH-2.0-x\r\n" * 400000,), "does not end"),
])
def test_servers_that_do_not_do(script, texts, error):
    server = script(*texts)
    seen = look(1, at(server.address))
    assert error in seen["error"] and not seen["tls"]
    assert not any(b"USER" in line for line in server.received)


def test_nobody_listens():
    port = net.free_port()
    seen = look(1, f"127.0.0.1:{port}")
    assert "refused" in seen["error"]


@pytest.mark.parametrize("host", ["", ":21", "[::1", "[::1]x"])
def test_a_host_that_is_none(host):
    done = probe(host)
    assert done.returncode == 2
    assert "HOST:PORT" in done.stderr


def test_a_trust_file_that_holds_nothing(folder):
    path = os.path.join(folder, "empty.pem")
    open(path, "w").close()
    done = probe("--trust", path, "127.0.0.1:1")
    assert done.returncode == 1
    assert path in done.stderr


class TestDoctor:
    """attlsctl doctor makes the handshake with each server that speaks TLS, as sessions would."""

    def findings(self, certificates, server, folder, backend=(), tls=()):
        tree = {
            "version": 1, "daemon": {"control_socket": "none"},
            "keyrings": {"partners": {"trust": certificates.ca.pem}},
            "tls_actions": {"to-partner": {"handshake_role": "client", "keyring": "partners", **dict(tls)}},
            "ftp_actions": {"clear": CLEAR},
            "backends": {"partner": {"address": "localhost:%d" % server.explicit[1], "tls": "to-partner", **dict(backend)}},
            "listeners": {"inside": {"address": "127.0.0.1:0", "tls": "none"}},
            "rules": {"outbound": {"ftp": "clear", "backend": "partner"}},
        }
        path = os.path.join(folder, "outbound.yaml")
        with open(path, "w") as f:
            f.write(gateways.as_yaml(tree))
        done = subprocess.run([net.ATTLSCTL, "doctor", "-f", path, "--json"], capture_output=True, text=True, timeout=net.DEADLINE)
        assert not gateways.FAULT.search(done.stderr), done.stderr
        return [f for f in json.loads(done.stdout)["findings"] if "backend partner" in f["detail"]]

    def test_a_good_server(self, server, certificates, folder):
        found = self.findings(certificates, server, folder)
        assert all(f["status"] in ("ok", "warning") for f in found), found
        assert any("TLSv1.3" in f["detail"] and "verified, resumes sessions" in f["detail"] for f in found), found
        assert any("EPSV yes" in f["detail"] for f in found), found
        assert any("expires" in f["detail"] and f["status"] == "warning" for f in found), found  # in two days

    def test_the_wrong_name(self, server, certificates, folder):
        (found,) = self.findings(certificates, server, folder, {"hostname": "bank.example"})
        assert found["status"] == "problem" and "mismatch" in found["detail"] and "sha256" in found["detail"]
        assert "attlsctl probe" in found["fix"]

    def test_a_server_without_tls(self, make_backend, certificates, folder):
        plain = make_backend()

        class At:
            explicit = plain.address
        (found,) = self.findings(certificates, At, folder)
        assert found["status"] == "problem" and "refuses AUTH" in found["detail"]

    def test_reuse_that_the_server_does_not_do(self, launch, backend, certificates, folder):
        server = launch(backend, ftp=CLEAR, tls={"session_timeout": 0})
        found = self.findings(certificates, server, folder, {"secure_session_reuse": "required"})
        assert any(f["status"] == "problem" and "resumes no TLS session" in f["detail"] for f in found), found

    def test_a_server_that_is_down(self, certificates, folder):
        class At:
            explicit = ("127.0.0.1", net.free_port())
        (found,) = self.findings(certificates, At, folder)
        assert found["status"] == "problem" and "refused" in found["detail"]

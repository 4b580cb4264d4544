"""attlsctl init: what it sees of real servers, what it asks, and the policy that it writes, which attlsd then serves."""
import json
import os
import pty
import re
import stat
import subprocess
import termios

import pytest

import gateway as gateways
import net
import servers
import tls_servers

SERVERS = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"]


def init(folder, *argv, env=None):
    done = subprocess.run([net.ATTLSCTL, "init", *map(str, argv), "-o", os.path.join(folder, "policy.yaml")], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=net.DEADLINE)
    assert not gateways.FAULT.search(done.stderr), done.stderr
    return done


def written(folder):
    with open(os.path.join(folder, "policy.yaml")) as f:
        return f.read()


def checked(folder):
    return subprocess.run([net.ATTLSCTL, "check", "-f", os.path.join(folder, "policy.yaml")], capture_output=True, text=True)


def ports():
    return ["--port", f"127.0.0.1:{net.free_port('127.0.0.1')}", "--implicit-port", f"127.0.0.1:{net.free_port('127.0.0.1')}"]


def at(server):
    return f"{server.host}:{server.port}"


@pytest.mark.parametrize("name", SERVERS)
def test_a_real_server(real_server, folder, name):
    """init names the server; attlsd serves its policy at once, and curl needs nothing but the throwaway certificate."""
    server = real_server(name)
    server.put("hello.txt", b"hello\n")
    done = init(folder, "--backend", at(server), "--name", "localhost", "--throwaway", "--passivedataports", "61000-61100", *ports())
    assert done.returncode == 0 or not net.IS_ROOT, done.stdout + done.stderr
    known = {"vsftpd": "vsftpd", "proftpd": "ProFTPD", "pure-ftpd": "Pure-FTPd", "pyftpdlib": "pyftpdlib"}[name]
    assert f"  {known}: " in done.stdout and re.search(r"^  FEAT: .*\bEPSV\b", done.stdout, re.M)
    assert "EPSV: only after a login (530)" in done.stdout and "AUTH TLS: refused" in done.stdout
    assert f"# attlsctl init found {known} here" in written(folder)
    assert stat.S_IMODE(os.stat(os.path.join(folder, "throwaway.key")).st_mode) == 0o600
    assert "# A throwaway certificate" in open(os.path.join(folder, "throwaway.pem")).read()
    quiet = checked(folder)
    assert quiet.returncode == 0 and quiet.stderr == "", quiet.stderr
    gateway = gateways.Gateway(folder, written(folder).replace("daemon: {", "daemon: { control_socket: none, workers: 1,"))
    try:
        gateway.ready()
        for url in ("ftp://localhost:%d/" % gateway.explicit[1], "ftps://localhost:%d/" % gateway.implicit[1]):
            got = subprocess.run(["curl", "-sS", "--ipv4", "--cacert", os.path.join(folder, "throwaway.pem"), "--ssl-reqd", "--user",
                                  f"{server.user}:{server.password}", url + server.where + "hello.txt"], capture_output=True, timeout=net.DEADLINE)
            assert got.stdout == b"hello\n", (url, got.stderr, gateway.log)
    finally:
        gateway.stop()


def test_partners(certificates, real_server, folder):
    """Each partner gets what it needs, and everybody else what the defaults give."""
    done = init(folder, "--backend", at(real_server("pyftpdlib")), "--name", "localhost", "--certificate", certificates.ecdsa["chain"], "--key",
                certificates.ecdsa["key"], "--partner", f"bank=198.51.100.0/24,certificates={certificates.ca.pem}", "--partner", "branch=192.0.2.0/24,ccc",
                "--partner", "mvs=203.0.113.0/24,zos", "--partner", "camera=10.0.0.0/8,clear", *ports())
    assert done.returncode == 0 or not net.IS_ROOT, done.stdout + done.stderr

    def told(client, listener="explicit"):
        text = subprocess.run([net.ATTLSCTL, "explain", "-f", os.path.join(folder, "policy.yaml"), "--listener", listener, "--client", client, "--json"],
                              capture_output=True, text=True, check=True).stdout
        return json.loads(text)

    def answers(explained, state, command):
        return [one["answer"] for part in explained["states"] if part["state"] == state for one in part["answers"] if one["command"] == command]
    bank, branch, mvs, camera, other = (told(client) for client in ("198.51.100.7", "192.0.2.7", "203.0.113.7", "10.1.1.1", "8.8.8.8"))
    assert [one["rule"] for one in (bank, branch, mvs, camera, other)] == ["bank", "branch", "mvs", "camera", "everyone"]
    assert [one["tls"]["handshake_role"] for one in (bank, branch, other)] == ["server_with_client_auth", "server", "server"]
    assert [answers(one, "under TLS, logged in", "CCC")[0][:3] for one in (branch, mvs, other)] == ["200", "534", "534"]
    assert answers(bank, "under TLS, logged in", "CCC") == []  # explain shows a client without a certificate
    assert [one["ftp"]["secureimplicitzos"] for one in (told("203.0.113.7", "implicit"), told("8.8.8.8", "implicit"))] == ["true", "false"]
    assert answers(camera, "before TLS", "USER me") == [None] and answers(branch, "before TLS", "USER me")[0][:3] == "530"


def test_a_certificate_of_another_name(certificates, real_server, folder):
    done = init(folder, "--backend", at(real_server("pyftpdlib")), "--name", "ftp.example.com", "--certificate",
                certificates.ecdsa["chain"], "--key", certificates.ecdsa["key"], *ports())
    assert "is not for ftp.example.com: clients will refuse it" in done.stderr and "version: 1" in written(folder)


@pytest.mark.parametrize("argv, said", [
    ([], "give --backend and --certificate (or --throwaway)\n"),
    (["--backend", "127.0.0.1:2021"], "give --certificate (or --throwaway)\n"),
    (["--backend", "127.0.0.1:2021", "--throwaway"], "a throwaway certificate needs --name"),
    (["--backend", "127.0.0.1:2021", "--throwaway", "--certificate", "x.pem"], "either --certificate and --key, or --throwaway"),
    (["--backend", "127.0.0.1:2021", "--key", "x.pem"], "--key needs --certificate"),
    (["--backend", "ftp://x/", "--throwaway", "--name", "x"], "--backend: ftp://x/ is not the HOST:PORT"),
    (["--backend", "127.0.0.1:2021", "--throwaway", "--name", "x", "--port", "ftp"], "--port: ftp is not a port"),
    (["--backend", "127.0.0.1:2021", "--throwaway", "--name", "x", "--port", "990"], "--port and --implicit-port are the same"),
    (["--backend", "127.0.0.1:2021", "--throwaway", "--name", "x", "--partners-only"], "--partners-only needs a --partner"),
    (["--backend", "127.0.0.1:2021", "--throwaway", "--name", "x", "--partner", "b=1.2.3.4/8"], "--partner: b=1.2.3.4/8 has 1.2.3.4/8, which is an address within"),
    (["--backend", "127.0.0.1:2021", "--certificate", "/nonexistent.pem"], "--certificate: /nonexistent.pem cannot be read: No such file"),
])
def test_wrong_usage_in_a_script(folder, argv, said):
    done = init(folder, *argv)
    assert done.returncode == 2 and said in done.stderr and done.stdout == "" and os.listdir(folder) == [], done


def test_nothing_is_overwritten(real_server, folder):
    path = os.path.join(folder, "policy.yaml")
    argv = ["--backend", at(real_server("pyftpdlib")), "--name", "localhost", "--throwaway", *ports()]
    with open(path, "w") as f:
        f.write("mine\n")
    done = init(folder, *argv)
    assert done.returncode == 1 and "exists; --force replaces it" in done.stderr and os.listdir(folder) == ["policy.yaml"]
    assert written(folder) == "mine\n"
    os.unlink(path)
    with open(os.path.join(folder, "throwaway.key"), "w") as f:
        f.write("mine\n")
    done = init(folder, *argv)
    assert done.returncode == 1 and "throwaway.key: File exists" in done.stderr and os.listdir(folder) == ["throwaway.key"]
    init(folder, *argv, "--force")
    assert sorted(os.listdir(folder)) == ["policy.yaml", "throwaway.key", "throwaway.pem"] and "version: 1" in written(folder)
    assert stat.S_IMODE(os.stat(os.path.join(folder, "throwaway.key")).st_mode) == 0o600


def test_a_key_that_does_not_fit(certificates, real_server, folder):
    """Nothing is written for a certificate that attlsd could not load."""
    done = init(folder, "--backend", at(real_server("pyftpdlib")), "--certificate", certificates.ecdsa["chain"], "--key", certificates.rsa["key"], *ports())
    assert done.returncode == 1 and "so nothing is written" in done.stderr and certificates.rsa["key"] in done.stderr
    assert os.listdir(folder) == []


def test_no_server_yet(folder):
    """The policy is for later, so it is written; the result says that something is left to do."""
    done = init(folder, "--backend", f"127.0.0.1:{net.free_port('127.0.0.1')}", "--name", "localhost", "--throwaway", *ports())
    assert done.returncode == 1 and "problem: Connection refused" in done.stdout and "Fix each problem above" in done.stdout
    assert checked(folder).returncode == 0


def test_a_server_that_demands_tls_itself(certificates, folder):
    """It refuses the user name that attlsd would send it in the clear."""
    try:
        server = tls_servers.TlsServer("pure-ftpd", certificates.ecdsa)
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        done = init(folder, "--backend", at(server), "--name", "localhost", "--throwaway", *ports())
    finally:
        server.stop()
    assert done.returncode == 1 and "AUTH TLS: 234" in done.stdout, done.stdout
    assert "problem: it refuses a user name in the clear: 421" in done.stdout and "turn its own TLS off" in done.stdout


def test_a_greeting_with_escapes_is_safe(make_backend, folder):
    """A server's text reaches the terminal without its control characters."""
    backend = make_backend(greeting="220 \x1b]0;evil\x07 ready\r\n")
    done = init(folder, "--backend", "%s:%d" % backend.address, "--name", "localhost", "--throwaway", *ports())
    assert "220 ?]0;evil? ready" in done.stdout and "\x1b" not in done.stdout + done.stderr


class Terminal:
    """attlsctl init with somebody at the terminal."""

    def __init__(self, *argv):
        self.fd, inner = pty.openpty()
        settings = termios.tcgetattr(inner)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        self.text, self.end = "", 0
        self.process = subprocess.Popen([net.ATTLSCTL, "init", *map(str, argv)], stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)

    def read(self):
        try:
            self.text += os.read(self.fd, 4096).decode().replace("\r\n", "\n")
        except OSError:
            return False  # the program is gone
        return True

    def until(self, prompt):
        while prompt not in self.text[self.end:]:
            assert self.read(), f"no {prompt!r} in {self.text[self.end:]!r}"
        self.end = self.text.index(prompt, self.end) + len(prompt)

    def answer(self, prompt, text):
        self.until(prompt)
        os.write(self.fd, text.encode() + b"\n")

    def finish(self):
        while self.read():
            pass
        os.close(self.fd)
        return self.process.wait()


def test_questions(real_server, folder):
    """A wrong answer is asked for again, an empty one is the default, and an option is not asked for."""
    server = real_server("pyftpdlib")
    terminal = Terminal("-o", os.path.join(folder, "new", "policy.yaml"), "--implicit-port", "none")
    terminal.answer("backend [127.0.0.1:2021]: ", "my server")
    terminal.answer("my server is not the HOST:PORT of an FTP server, such as 127.0.0.1:2021\nbackend [127.0.0.1:2021]: ", at(server))
    terminal.answer("name [", "ftp.example.com")
    terminal.answer("certificate [throwaway]: ", "")
    terminal.answer("port [21]: ", "127.0.0.1:%d" % net.free_port("127.0.0.1"))
    terminal.answer("passivedataports [61000-61100]: ", "50000-50010")
    terminal.answer("advertise [none]: ", "203.0.113.10")
    terminal.answer("partner []: ", "branch=192.0.2.0/24,ccc")
    terminal.answer("partner []: ", "")
    terminal.answer("partners-only [yes]: ", "no")
    status = terminal.finish()
    assert "implicit-port [" not in terminal.text and "key [" not in terminal.text
    text = written(os.path.join(folder, "new"))
    assert "advertise: 203.0.113.10" in text and "passivedataports: 50000-50010" in text and "everyone" not in text and "implicit:" not in text
    assert stat.S_IMODE(os.stat(os.path.join(folder, "new")).st_mode) == 0o700
    assert status == 0 or not net.IS_ROOT, terminal.text


def test_a_default_that_is_refused(folder):
    """The message names the default, which nobody has typed."""
    certificate = os.path.join(os.path.realpath(folder), "chain.pem")
    with open(certificate, "w", encoding="ascii"):
        pass
    terminal = Terminal("-o", os.path.join(folder, "policy.yaml"))
    terminal.answer("backend [127.0.0.1:2021]: ", "127.0.0.1:2021")
    terminal.answer("name [", "ftp.example.com")
    terminal.answer("certificate [throwaway]: ", certificate)
    terminal.until(f"key [{certificate}]: ")
    os.unlink(certificate)
    os.write(terminal.fd, b"\n")
    terminal.until(f"  {certificate} cannot be read: No such file or directory\nkey [")
    os.write(terminal.fd, b"\x04")
    assert terminal.finish() == 1


def test_the_end_of_the_answers(folder):
    """Ctrl-D: nothing is written."""
    terminal = Terminal("-o", os.path.join(folder, "policy.yaml"))
    terminal.answer("backend [127.0.0.1:2021]: ", "127.0.0.1:2021")
    terminal.until("name [")
    os.write(terminal.fd, b"\x04")
    assert terminal.finish() == 1 and "nothing is written" in terminal.text and os.listdir(folder) == []

"""attlsctl import and export: the commands of docs/MIGRATE-ZOS.md, and real servers that move behind attlsd."""
import contextlib
import os
import re
import shutil
import subprocess

import pytest

import gateway as gateways
import net
import servers
import tls_servers

FTP_DATA = """\
EXTENSIONS      AUTH_TLS
TLSMECHANISM    ATTLS
SECURE_FTP      REQUIRED          ; no logins in the clear
SECURE_DATACONN PRIVATE
PASSIVEDATAPORTS (50000,50100)
"""
PAGENT = """\
TTLSRule FTPServerRule
{
  LocalPortRange 21
  Direction Inbound
  TTLSGroupActionRef grpOn
  TTLSEnvironmentActionRef ftpSrvEnv
}
TTLSGroupAction grpOn
{
  TTLSEnabled On
}
TTLSEnvironmentAction ftpSrvEnv
{
  HandshakeRole Server
  TTLSKeyringParms
  {
    Keyring FTPD/FTPRING
  }
  TTLSEnvironmentAdvancedParms
  {
    ApplicationControlled On
    SecondaryMap On
    CertificateLabel FTP Server 2026
  }
}
"""


def run(folder, *argv, status=0):
    done = subprocess.run([net.ATTLSCTL, *map(str, argv)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=net.DEADLINE)
    assert not gateways.FAULT.search(done.stderr), done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done


def write(folder, name, text, encoding="utf-8"):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(text.encode(encoding))


def test_the_page(certificates, folder):
    """The commands for a shell, in their order; only drain needs a running attlsd."""
    with open(os.path.join(net.ROOT, "docs", "MIGRATE-ZOS.md")) as f:
        commands = [line for block in re.findall(r"^```sh\n(.*?)^```", f.read(), re.M | re.S) for line in block.splitlines()]
    assert len(commands) >= 12
    write(folder, "ftp.data", FTP_DATA, "cp037")  # EBCDIC
    write(folder, "pagent.conf", PAGENT)
    write(folder, "export.password", "secret\n")
    subprocess.run(["openssl", "pkcs12", "-export", "-in", certificates.ecdsa["chain"], "-inkey", certificates.ecdsa["key"],
                    "-out", "export.p12", "-passout", "pass:secret"], cwd=folder, check=True)
    shutil.copy(certificates.ecdsa["chain"], os.path.join(folder, "user1.pem"))
    write(folder, "vsftpd.conf", "ssl_enable=YES\n")
    write(folder, "proftpd.conf", "TLSEngine on\n")
    path = os.pathsep.join([os.path.dirname(net.ATTLSCTL), os.environ["PATH"]])
    for command in commands:
        if command == "attlsctl drain":
            continue
        if "--diff" in command:
            shutil.copy(os.path.join(folder, "policy.yaml"), os.path.join(folder, "answered.yaml"))
        if "--vsftpd" in command:
            command += " --force"
        done = subprocess.run(["sh", "-c", command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=dict(os.environ, PATH=path), timeout=net.DEADLINE)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_nothing_is_half_written(folder):
    write(folder, "ftp.data", "SECURE_FTP NEVER\n")
    done = run(folder, "import", "--ftp-data", "ftp.data", "-o", "policy.yaml", "--report", "report.md", status=1)
    assert "ftp.data:1:12: " in done.stderr and os.listdir(folder) == ["ftp.data"]
    write(folder, "ftp.data", FTP_DATA)
    write(folder, "report.md", "mine")
    done = run(folder, "import", "--ftp-data", "ftp.data", "-o", "policy.yaml", "--report", "report.md", status=1)
    assert "report.md: File exists; --force replaces it" in done.stderr
    assert sorted(os.listdir(folder)) == ["ftp.data", "report.md"]
    run(folder, "import", "--ftp-data", "ftp.data", "-o", "policy.yaml", "--report", "report.md", "--json", "--force")
    assert sorted(os.listdir(folder)) == ["ftp.data", "policy.yaml", "report.md"]
    run(folder, "import", "--json", "--ftp-data", "ftp.data", status=2)
    run(folder, "import", "--vsftpd", "a", "--proftpd", "b", status=2)
    run(folder, "export", status=2)


def test_what_to_do_instead(folder):
    """A file that cannot be an FTP.DATA has its limit in the message, and -f, which all other commands take, leads to -o."""
    write(folder, "ftp.data", "; x\n" * (2 * 1024 * 1024 + 1))
    done = run(folder, "import", "--ftp-data", "ftp.data", status=1)
    assert done.stderr == "attlsctl: ftp.data: such a file has at most 8 MiB, this one has more\n"
    for command in ("init", "import"):
        assert "-o names the policy that it writes" in run(folder, command, "-f", "policy.yaml", status=2).stderr
    assert "-o" not in run(folder, "certificate", "-f", "policy.yaml", status=2).stderr


OUTBOUND = """\
TTLSRule Out
{
  RemotePortRange 21
  Direction Outbound
  TTLSGroupActionRef grpOn
  TTLSEnvironmentActionRef cli
}
TTLSGroupAction grpOn
{
  TTLSEnabled On
}
TTLSEnvironmentAction cli
{
  HandshakeRole Client
  TTLSKeyringParms
  {
    Keyring /etc/k/authorities.p12
    KeyringPw secret
  }
}
"""


def test_a_database_of_authorities(certificates, folder):
    """A client of z/OS without a certificate: the policy loads, and asks for one."""
    write(folder, "pagent.conf", OUTBOUND)
    run(folder, "import", "--attls", "pagent.conf", "-o", "policy.yaml")
    with open(os.path.join(folder, "policy.yaml")) as f:
        assert "certificates: []" in f.read()
    os.mkdir(os.path.join(folder, "keyrings"))
    subprocess.run(["openssl", "pkcs12", "-export", "-nokeys", "-in", certificates.ecdsa["chain"], "-out", "authorities.p12",
                    "-passout", "pass:secret"], cwd=os.path.join(folder, "keyrings"), check=True)
    write(folder, "keyrings/authorities.p12.password", "secret\n")
    for name in os.listdir(os.path.join(folder, "keyrings")):
        os.chmod(os.path.join(folder, "keyrings", name), 0o600)
    run(folder, "check", "-f", "policy.yaml")


def server_lines(policy):
    return re.findall(r"^#:  (.*)$", policy, re.M)


class Moved(tls_servers.TlsServer):
    """The server after the changes that the policy names: its file without the old settings, then the new ones."""

    changes = ()

    def file(self, name, text, mode=0o644):
        if not name.endswith("ftpd.conf"):
            return super().file(name, text, mode)
        mark = "=" if name.startswith("vsftpd") else " "
        replaced = [line.replace("(remove) ", "").split(mark)[0] for line in self.changes]
        kept = [line for line in text.splitlines() if line.split(mark)[0] not in replaced]
        return super().file(name, "\n".join(kept + [c for c in self.changes if not c.startswith("(")]) + "\n", mode)


@pytest.mark.parametrize("name", ["vsftpd", "proftpd"])
def test_a_server_moves_behind(certificates, folder, name):
    """Its own configuration is imported; the changed server and attlsd with the policy then serve a client."""
    port, new = net.free_port("127.0.0.1"), net.free_port("127.0.0.1")
    try:
        before = tls_servers.TlsServer(name, certificates.ecdsa, port=port)
    except servers.Unavailable as why:
        pytest.skip(str(why))
    conf = os.path.join(folder, name + ".conf")
    shutil.copy(os.path.join(before.base, name + ".conf"), conf)
    before.stop()
    run(folder, "import", "--" + name, conf, "--backend", f"127.0.0.1:{new}", "-o", "policy.yaml")
    with open(os.path.join(folder, "policy.yaml")) as f:
        policy = f.read()
    run(folder, "check", "-f", "policy.yaml")
    Moved.changes = server_lines(policy)
    assert any(str(new) in line for line in Moved.changes), policy
    after = Moved(name, certificates.ecdsa, port=new)
    try:
        after.put("a.bin", b"x" * 1000)
        with attlsd(folder):
            done = subprocess.run(["curl", "-sS", "--ssl-reqd", "-k", "-u", f"{after.user}:{after.password}",
                                   f"ftp://127.0.0.1:{port}/{after.where}a.bin"], capture_output=True, timeout=net.DEADLINE)
        assert done.returncode == 0 and done.stdout == b"x" * 1000, done
    finally:
        after.stop()


@contextlib.contextmanager
def attlsd(folder):
    log = os.path.join(folder, "log")
    with open(log, "w") as out:
        process = subprocess.Popen([net.ATTLSD, "-f", os.path.join(folder, "policy.yaml")], stdin=subprocess.DEVNULL, stderr=out,
                                   preexec_fn=net.die_with_parent)
    try:
        net.until(lambda: " ready" in open(log).read(), "attlsd is ready")
        yield
    finally:
        process.kill()
        process.wait()

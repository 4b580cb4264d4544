"""Private keys in a PKCS #11 token: SoftHSM, through OpenSSL's provider for PKCS #11."""
import os
import shutil
import signal
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
from test_key_isolation import finds, handshake
from test_keyrings import check, module, secret

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "97531"
needs = pytest.mark.skipif(module("pkcs11") is None or not os.path.exists(MODULE) or not shutil.which("softhsm2-util"),
                           reason="pkcs11-provider or softhsm2 is not installed (Debian 12 lacks the first)")


@pytest.fixture
def token(folder, monkeypatch):
    """A token, and a function that puts a key into it and returns its URI."""
    store = os.path.join(folder, "tokens")
    os.mkdir(store)
    config = os.path.join(folder, "softhsm2.conf")
    with open(config, "w") as f:
        f.write(f"directories.tokendir = {store}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", config)
    run("--init-token", "--free", "--label", "ftp", "--pin", PIN, "--so-pin", "1234567")

    def put(certificate, label="server", number="01"):
        pkcs8 = os.path.join(folder, "pkcs8.key")
        subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", certificate["key"], "-out", pkcs8], check=True, capture_output=True)
        run("--import", pkcs8, "--token", "ftp", "--label", label, "--id", number, "--pin", PIN)
        os.remove(pkcs8)
        for path, folders, files in os.walk(store):  # attlsd's processes for tokens are another user
            for name in [path, *(os.path.join(path, f) for f in files)]:
                os.chmod(name, 0o777 if os.path.isdir(name) else 0o666)
        return f"pkcs11:token=ftp;object={label}?module-path={MODULE}"
    os.chmod(folder, 0o755)
    return put


def run(*argv):
    subprocess.run(["softhsm2-util", *argv], check=True, capture_output=True)


def entry(certificate, uri, folder, pin=PIN):
    return {"chain": certificate["chain"], "key": uri, "password_file": secret(folder, pin, "pin")}


def children(gateway, name):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as f:
                comm = f.read().strip()
            with open(f"/proc/{pid}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if comm == name and parent in [gateway.pid, *gateway.keepers()]:
            found.append(int(pid))
    return sorted(found)


def sockets(pid):
    links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    return {link for link in links if link.startswith("socket:")}


@needs
def test_sessions(launch, backend, certificates, folder, token):
    """Both kinds of keys, both versions, two workers; a reload brings processes of its own, and the old ones end."""
    both = [entry(certificates.rsa, token(certificates.rsa), folder), entry(certificates.ecdsa, token(certificates.ecdsa, "ec", "02"), folder)]
    gateway = launch(backend, daemon={"workers": 2, "key_isolation": True}, keyrings={"ftpd": {"certificates": both}})
    for _ in range(2):
        before = children(gateway, "attlsd-token")
        assert len(before) == 2
        for version in "1.2", "1.3":
            with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
                assert c.get("hello.txt") == backend.files["hello.txt"]
        assert "subject=CN=server-rsa" in handshake(gateway, "-sigalgs", "rsa_pss_rsae_sha256")
        assert "subject=CN=server-ecdsa" in handshake(gateway, "-sigalgs", "ecdsa_secp256r1_sha256")
        assert gateway.reload()
        net.until(lambda before=before: not set(before) & set(children(gateway, "attlsd-token")), "the end of the older processes")


@needs
def test_a_key_in_a_token_beside_one_in_a_file(launch, backend, certificates, folder, token):
    """The processes with the token do not have the key of the file, which they were forked before."""
    gateway = launch(backend, daemon={"key_isolation": True},
                     keyrings={"ftpd": {"certificates": [entry(certificates.ecdsa, token(certificates.ecdsa), folder), certificates.rsa]}})
    assert "subject=CN=server-rsa" in handshake(gateway, "-sigalgs", "rsa_pss_rsae_sha256")
    assert "subject=CN=server-ecdsa" in handshake(gateway, "-sigalgs", "ecdsa_secp256r1_sha256")
    if os.geteuid() == 0 and not net.sanitized():
        signers = children(gateway, "attlsd-signer")
        assert finds(signers[0], certificates.rsa)
        for pid in children(gateway, "attlsd-token") + gateway.workers():
            assert not finds(pid, certificates.rsa)
        for pid in signers + gateway.workers() + [gateway.pid]:
            assert not finds(pid, certificates.ecdsa)


@needs
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give processes another user")
def test_the_process_has_no_privileges(launch, backend, certificates, folder, token):
    gateway = launch(backend, daemon={"key_isolation": True}, keyrings={"ftpd": {"certificates": [entry(certificates.rsa, token(certificates.rsa), folder)]}})
    pid, = children(gateway, "attlsd-token")
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0 and status["NoNewPrivs"] == "1"
    assert len(sockets(pid)) == 1


@needs
def test_a_process_that_dies_brings_a_new_generation(launch, backend, certificates, folder, token):
    gateway = launch(backend, daemon={"key_isolation": True}, keyrings={"ftpd": {"certificates": [entry(certificates.rsa, token(certificates.rsa), folder)]}})
    os.kill(children(gateway, "attlsd-token")[0], signal.SIGKILL)
    gateway.event("token-died", signal="9")
    gateway.event("reloaded")
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]


@needs
def test_beside_a_keytab(launch, backend, certificates, folder, token, kdc):
    """Neither process has a socket of the other; the death of each is seen."""
    gateway = launch(backend, daemon={"key_isolation": True, "keytab": kdc.keytab}, ftp={"extensions": ["auth_tls", "auth_gssapi"]},
                     keyrings={"ftpd": {"certificates": [entry(certificates.rsa, token(certificates.rsa), folder)]}})
    for n, name in enumerate(["attlsd-gssapi", "attlsd-token"], 1):
        (one,), (other,) = children(gateway, "attlsd-token"), children(gateway, "attlsd-gssapi")
        assert os.geteuid() != 0 or not sockets(one) & sockets(other)
        with clients.explicit(gateway, "P") as c:
            assert c.get("hello.txt") == backend.files["hello.txt"]
        os.kill(one if name == "attlsd-token" else other, signal.SIGKILL)
        gateway.event("keeper-died", count=n)
        gateway.event("reloaded", count=n)
        net.until(lambda gone=(one, other): not set(gone) & {*children(gateway, "attlsd-token"), *children(gateway, "attlsd-gssapi")}, "the end of the older processes")
    gateway.event("token-died")


@needs
def test_a_process_that_hangs_stops_no_session_for_long(launch, backend, certificates, folder, token):
    """The first handshake fails after the time limit, those after it at once."""
    gateway = launch(backend, daemon={"key_isolation": True}, keyrings={"ftpd": {"certificates": [entry(certificates.rsa, token(certificates.rsa), folder)]}})
    with clients.explicit(gateway, "P") as c:
        pid, = children(gateway, "attlsd-token")
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                assert "Peer signature type" not in handshake(gateway)
            refused = gateway.event("signature-refused").keys
            assert refused["reason"] == "the token did not answer within 2 seconds" and refused["key"].startswith("pkcs11:token=ftp")
            assert c.get("hello.txt") == backend.files["hello.txt"]
        finally:
            os.kill(pid, signal.SIGCONT)


@needs
def test_what_is_wrong(certificates, folder, token):
    uri = token(certificates.rsa)
    bare = uri.split("?")[0]
    right = entry(certificates.rsa, uri, folder)
    token(certificates.rsa, "two", "02"), token(certificates.ecdsa, "two", "03")
    daemon = {"key_isolation": True}
    for change, why in ({}, None), ({"key": uri.replace("server", "none")}, "no private key under this URI"), ({"key": bare + "?module-path=/none.so"}, "cannot use the key"), \
            ({"password_file": secret(folder, "0000", "wrong")}, "PIN"), ({"key": uri.replace("server", "two")}, "several private keys"), \
            ({"chain": certificates.ecdsa["chain"]}, "does not"), ({"key": bare + "?pin-value=" + PIN}, "must not have pin-value"), \
            ({"key": bare + "?module-path=relative.so"}, "must be like"), ({"password_file": None}, "PIN"):
        one = gateways.merge(right, change)
        code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), daemon=daemon, keyrings={"ftpd": {"certificates": [one]}}), folder)
        assert (code == 0) == (why is None) and (why is None or why in said), (change, said)
        assert PIN not in said and "0000" not in said


# Keys of a certificate, of its key ring, of a TLS action and of daemon; "odd" is no key at all.
PLACES = [("certificate", place) for place in ("key", "chain", "password_file", "odd")]
PLACES += [("keyring", place) for place in ("trust", "crl", "pkcs12")]
PLACES += [("tls", "session_ticket_keys"), ("daemon", "keytab")]


@pytest.mark.parametrize("of, place", PLACES)
def test_a_pin_in_the_policy_is_shown_nowhere(certificates, folder, of, place):
    """pin-value= is refused, in a key and elsewhere; neither the message nor its source line shows the PIN."""
    uri = {place: "pkcs11:token=ftp;object=server?pin-value=" + PIN}
    change = {name: uri if name == of else {} for name in ("certificate", "keyring", "tls", "daemon")}
    ring = {"certificates": [{**certificates.rsa, **change["certificate"]}], **change["keyring"]}
    tree = gateways.policy(certificates, ("127.0.0.1", 9), daemon={"key_isolation": True, **change["daemon"]}, tls=change["tls"], keyrings={"ftpd": ring})
    path = os.path.join(folder, "pin.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(tree))
    for argv in ([net.ATTLSCTL, "check", "-f", path], [net.ATTLSCTL, "check", "--json", "-f", path],
                 [net.ATTLSCTL, "explain", "-f", path, "--client", "127.0.0.1"], [net.ATTLSCTL, "status", "-f", path], [net.ATTLSD, "-f", path]):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=net.DEADLINE)
        assert done.returncode != 0 and PIN not in done.stdout + done.stderr, (argv, done)


def test_without_the_provider_check_says_what_to_install(certificates, folder, monkeypatch):
    monkeypatch.setenv("OPENSSL_MODULES", folder)
    one = entry(certificates.rsa, "pkcs11:token=ftp;object=server", folder)
    code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), daemon={"key_isolation": True}, keyrings={"ftpd": {"certificates": [one]}}), folder)
    assert code == 1 and "pkcs11-provider" in said and "bookworm-backports" in said and PIN not in said
    code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": {"certificates": [one]}}), folder)
    assert code == 1 and '"key_isolation: true"' in said

"""Key rings in PKCS #12 files, private keys with passwords, and what FIPS 140 and Suite B leave of TLS."""
import os
import re
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
from test_key_isolation import finds, handshake

PASSWORD = "sehr geheim"
LABEL = "FTP Server 2026 ä"


def openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def secret(folder, text=PASSWORD, name="password"):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text + "\n")
    os.chmod(path, 0o600)
    return path


def pkcs12(folder, certificate, ca, *argv, name="ring.p12", label=LABEL):
    path = os.path.join(folder, name)
    openssl("pkcs12", "-export", "-in", certificate["chain"], "-inkey", certificate["key"], "-certfile", ca, "-name", label,
            "-passout", "pass:" + PASSWORD, "-out", path, *argv)
    return path


def check(tree, folder):
    path = os.path.join(folder, "check.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(tree))
    done = subprocess.run([net.ATTLSCTL, "check", "-f", path], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(params=[True, False], ids=["isolated", "in workers"])
def daemon(request):
    return {"key_isolation": request.param}


@pytest.fixture
def ring(folder, certificates):
    return {"certificates": None, "pkcs12": pkcs12(folder, certificates.rsa, certificates.ca.pem), "password_file": secret(folder)}


def test_pkcs12(launch, backend, ring, daemon):
    gateway = launch(backend, daemon=daemon, keyrings={"ftpd": ring})
    assert "subject=CN=server-rsa" in handshake(gateway)
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]
    assert gateway.reload()
    assert "subject=CN=server-rsa" in handshake(gateway)


@pytest.mark.skipif(os.geteuid() != 0 or net.sanitized(), reason="only root may read the memory of other processes; with sanitizers it is huge")
def test_no_key_of_a_pkcs12_in_the_memory_of_a_worker(launch, backend, ring, certificates):
    gateway = launch(backend, daemon={"key_isolation": True}, keyrings={"ftpd": ring})
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]
    for pid in gateway.workers() + [gateway.pid]:
        assert not finds(pid, certificates.rsa)
    for pid in gateway.signers():
        assert finds(pid, certificates.rsa)


def test_a_worker_of_isolated_keys_never_opens_the_file(launch, backend, ring):
    """It starts again although the file has gone."""
    gateway = launch(backend, daemon={"key_isolation": True}, keyrings={"ftpd": ring})
    os.remove(ring["pkcs12"])
    os.remove(ring["password_file"])
    before, = gateway.workers()
    os.kill(before, 9)
    net.until(lambda: gateway.workers() not in ([], [before]), "another worker")
    assert "subject=CN=server-rsa" in handshake(gateway)


def test_labels(launch, backend, certificates, folder, daemon):
    """Two certificates in one file, each by its label."""
    pem = os.path.join(folder, "both.pem")
    with open(pem, "w") as out:
        for path in certificates.rsa["chain"], certificates.rsa["key"], certificates.ecdsa["chain"]:
            with open(path) as f:
                out.write(f.read())
    tree = {"certificates": [{"label": LABEL}], "pkcs12": pkcs12(folder, certificates.rsa, certificates.ca.pem), "password_file": secret(folder)}
    gateway = launch(backend, daemon=daemon, keyrings={"ftpd": tree})
    assert "subject=CN=server-rsa" in handshake(gateway)
    code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": {**tree, "certificates": [{"label": "no such"}]}}), folder)
    assert code == 1 and 'the label "no such"; its labels are "FTP Server 2026 ä"' in said


def test_the_authorities_of_a_pkcs12(launch, backend, ring, certificates, partners, daemon):
    """trust: pkcs12 admits the clients of these authorities, and no others."""
    gateway = launch(backend, daemon=daemon, keyrings={"ftpd": {**ring, "trust": "pkcs12"}}, tls={"handshake_role": "server_with_client_auth"})
    own = certificates.ca.issue("client", ["client.example"])
    with clients.explicit(gateway, "P", ctx=clients.context(own=(own["chain"], own["key"]))) as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]
    with pytest.raises((OSError, clients.Closed)):
        clients.explicit(gateway, "P", ctx=clients.context(own=partners.cert["other CA"]))


FORMS = {
    "pkcs8": ["pkcs8", "-topk8", "-v2", "aes256"], "scrypt": ["pkcs8", "-topk8", "-scrypt"],
    "pkcs8 3des": ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"], "traditional": ["rsa", "-aes128", "-traditional"],
    "des": ["rsa", "-provider", "legacy", "-provider", "default", "-des", "-traditional"],
}


@pytest.mark.parametrize("form", FORMS)
def test_an_encrypted_key(launch, backend, certificates, folder, form, daemon):
    key = os.path.join(folder, "encrypted.key")
    openssl(*FORMS[form], "-in", certificates.rsa["key"], "-passout", "pass:" + PASSWORD, "-out", key)
    with open(key) as f:
        assert "ENCRYPTED" in f.read()
    one = {"chain": certificates.rsa["chain"], "key": key, "password_file": secret(folder)}
    gateway = launch(backend, daemon=daemon, keyrings={"ftpd": {"certificates": [one]}})
    assert "subject=CN=server-rsa" in handshake(gateway)


def test_what_is_wrong_names_the_file_and_the_fix_and_no_password(certificates, folder, ring):
    key = os.path.join(folder, "encrypted.key")
    openssl("pkcs8", "-topk8", "-in", certificates.rsa["key"], "-passout", "pass:" + PASSWORD, "-out", key)
    pem = {"chain": certificates.rsa["chain"], "key": key}
    wrong, long = secret(folder, "ganz falsch", "wrong"), secret(folder, 129 * "x", "long")
    empty, shown = secret(folder, "", "empty"), secret(folder, name="shown")
    os.chmod(shown, 0o644)
    rows = [({"certificates": [pem]}, key, "has a password"), ({"certificates": [{**pem, "password_file": wrong}]}, key, "password is wrong"),
            ({**ring, "password_file": wrong}, ring["pkcs12"], "password is wrong"), ({**ring, "password_file": None}, ring["pkcs12"], '"password_file"'),
            ({**ring, "trust": "pkcs12", "password_file": wrong}, ring["pkcs12"], "password is wrong")]
    for where in lambda f: {"certificates": [{**pem, "password_file": f}]}, lambda f: {**ring, "password_file": f}:
        rows += [(where(long), long, "1 to 128"), (where(empty), empty, "1 to 128"), (where(shown), shown, "chmod 600"),
                 (where(os.path.join(folder, "none")), "none", "No such file")]
    for change, path, fix in rows:
        code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": change}), folder)
        errors = [line for line in said.splitlines() if re.match(r"\S+:\d+:\d+: (?!note|warning)", line)]
        assert code == 1 and len(errors) == 1 and path in errors[0] and fix in errors[0], said
        assert PASSWORD not in said and "ganz falsch" not in said and "xxxx" not in said


def test_a_file_that_hashes_for_hours_is_refused_at_once(certificates, folder, ring):
    """The count of hashes is the first INTEGER after the salt of PBKDF2, here in the certificates' part."""
    with open(ring["pkcs12"], "rb") as f:
        data = f.read()
    small = bytes.fromhex("02020800")  # 2048
    assert data.count(small) >= 2
    at = data.rindex(small)  # of the MAC, which comes last: nothing has been hashed yet
    with open(ring["pkcs12"], "wb") as f:
        f.write(data[:at] + bytes.fromhex("02027fff") + data[at + 4:])  # as many bytes, and a MAC that is wrong
    code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": ring}), folder)
    assert code == 1 and "password is wrong" in said
    openssl("pkcs12", "-export", "-in", certificates.rsa["chain"], "-inkey", certificates.rsa["key"], "-passout", "pass:" + PASSWORD,
            "-iter", "2600000", "-out", ring["pkcs12"])
    code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": ring}), folder)
    assert code == 1 and "more than 5000000 times" in said


def test_without_the_legacy_provider_the_message_says_how_to_convert(certificates, folder, ring, monkeypatch):
    old = pkcs12(folder, certificates.rsa, certificates.ca.pem, "-legacy", name="old.p12")
    tree = gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": {**ring, "pkcs12": old}})
    assert check(tree, folder)[0] == 0
    monkeypatch.setenv("OPENSSL_MODULES", folder)
    code, said = check(tree, folder)
    assert code == 1 and "RC2-40-CBC" in said and "openssl-provider-legacy" in said and "openssl pkcs12 -legacy" in said
    assert check(gateways.policy(certificates, ("127.0.0.1", 9), keyrings={"ftpd": ring}), folder)[0] == 0


def module(name):
    """The file of a provider of OpenSSL, or None."""
    found = [os.path.join(folder, name + ".so") for folder in os.environ.get("ATTLSD_OSSL_MODULES", "").split(":") + [
        re.search('"(.*)"', subprocess.run(["openssl", "version", "-m"], capture_output=True, text=True).stdout).group(1)]]
    return next((path for path in found if os.path.exists(path)), None)


@pytest.fixture
def fips(folder, monkeypatch):
    so = module("fips")
    if so is None:
        pytest.skip("OpenSSL's FIPS module is not installed (Debian 13: openssl-provider-fips)")
    made = os.path.join(folder, "fipsmodule.cnf")
    openssl("fipsinstall", "-module", so, "-out", made)
    config = os.path.join(folder, "openssl.cnf")
    with open(config, "w") as f:
        f.write("openssl_conf = all\n[all]\nproviders = them\n[them]\nfips = fips_sect\ndefault = default_sect\n"
                f"[default_sect]\nactivate = 1\n.include {made}\n")
    for path in made, config:
        os.chmod(path, 0o644)
    monkeypatch.setenv("OPENSSL_MODULES", os.path.dirname(so))
    monkeypatch.setenv("OPENSSL_CONF", config)
    return config


def suites(gateway):
    """What a client of each suite gets."""
    return [name for name, argv in (("chacha 1.3", ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]),
                                    ("aes 1.3", ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"]),
                                    ("chacha 1.2", ["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"]),
                                    ("aes 1.2", ["-tls1_2", "-cipher", "ECDHE+AESGCM"]))
            if re.search(r"Cipher is (TLS_|ECDHE)", handshake(gateway, *argv))]


def test_fips(launch, backend, fips, daemon, monkeypatch):
    """Only the module's algorithms are left, and sessions work with them, after a reload as well."""
    gateway = launch(backend, daemon={**daemon, "fips140": True})
    monkeypatch.delenv("OPENSSL_CONF")  # for the clients
    monkeypatch.delenv("OPENSSL_MODULES")
    for _ in range(2):
        assert suites(gateway) == ["aes 1.3", "aes 1.2"]
        with clients.explicit(gateway, "P") as c:
            assert c.get("hello.txt") == backend.files["hello.txt"]
        assert gateway.reload()
    plain = launch(backend, daemon=daemon)
    assert len(suites(plain)) == 4


def test_fips_on_and_off_by_reload(launch, certificates, backend, fips, monkeypatch, daemon):
    tree = gateways.policy(certificates, backend.address, daemon=daemon)
    gateway = launch(tree=tree)
    monkeypatch.delenv("OPENSSL_CONF")
    monkeypatch.delenv("OPENSSL_MODULES")
    for on in True, False:
        gateway.write(gateways.merge(tree, {"daemon": {"fips140": on}}))
        assert gateway.reload()
        assert len(suites(gateway)) == (2 if on else 4)


def test_fips_with_a_pkcs12(launch, backend, fips, ring):
    gateway = launch(backend, daemon={"key_isolation": True, "fips140": True}, keyrings={"ftpd": ring})
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_without_the_fips_module_nothing_starts(certificates, folder, monkeypatch):
    """check, the start and a reload refuse the policy, and say what is missing."""
    monkeypatch.setenv("OPENSSL_MODULES", folder)
    tree = gateways.policy(certificates, ("127.0.0.1", 9), daemon={"fips140": True})
    code, said = check(tree, folder)
    assert code == 1 and '"fips140": OpenSSL' in said and "openssl-provider-fips" in said
    started = subprocess.run([net.ATTLSD, "-f", os.path.join(folder, "check.yaml")], capture_output=True, text=True, timeout=net.DEADLINE)
    assert started.returncode != 0 and '"fips140": OpenSSL' in started.stderr


def test_without_the_fips_module_a_reload_keeps_the_old_policy(launch, certificates, backend, folder, monkeypatch):
    monkeypatch.setenv("OPENSSL_MODULES", folder)
    tree = gateways.policy(certificates, backend.address)
    gateway = launch(tree=tree)
    gateway.write(gateways.merge(tree, {"daemon": {"fips140": True}}))
    assert not gateway.reload()
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_what_fips_does_not_approve(certificates, folder):
    tls = {"groups": ["x25519", "P-256"], "ciphers": ["C02B", "CCA9"], "ciphersuites": ["1303", "1301"], "signature_algorithms": ["081A", "0403"]}
    code, said = check(gateways.policy(certificates, ("127.0.0.1", 9), daemon={"fips140": True}, tls=tls), folder)
    assert code == 1 and re.findall(r"does not approve (\S+);", said) == [
        "x25519", "ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256", "ecdsa_brainpoolP256r1tls13_sha256"], said


@pytest.mark.parametrize("profile, good, bad", [("128", "P-256 AES128", "P-384 AES256"), ("192", "P-384 AES256", "P-256 AES128"), ("128min", "P-256 AES128", "")])
def test_suite_b(launch, backend, folder, profile, good, bad):
    """Whole chains must fit as well: a self-signed certificate is one."""
    curve = good.split()[0]
    one = {"chain": os.path.join(folder, "b.pem"), "key": os.path.join(folder, "b.key")}
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + curve, "-" + {"P-256": "sha256", "P-384": "sha384"}[curve], "-nodes",
            "-days", "2", "-subj", "/CN=localhost", "-keyout", one["key"], "-out", one["chain"])
    os.chmod(one["key"], 0o644)
    gateway = launch(backend, keyrings={"ftpd": {"certificates": [one]}}, tls={"suite_b_profile": profile, "versions": "tls1.2"})

    def shaken(kind):
        group, cipher = kind.split()
        return re.search(r"Cipher is ECDHE", handshake(gateway, "-tls1_2", "-groups", group, "-cipher", "ECDHE-ECDSA-%s-GCM-SHA%d" % (
            cipher, 256 if cipher == "AES128" else 384)))
    assert shaken(good)
    assert not bad or not shaken(bad)
    assert "Cipher is ECDHE" not in handshake(gateway, "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305")

"""Certificates that OpenSSL refuses or cannot read: every way to check a policy names the file and the cause."""
import os
import subprocess

import pytest

import certs
import gateway as gateways
import net

KEY = "its key is too short"
ISSUER = "the key of an issuer in that file is too short"
HASH = "its signature, or that of an issuer in that file, uses a weak hash"
BROKEN = 'certificate 2 in "{chain}" is broken'


def read(path):
    with open(path) as f:
        return f.read()


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def self_signed(folder, name, *options):
    base = os.path.join(folder, name)
    certs.openssl("req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout", base + ".key", "-out", base + ".pem", *options)
    return {"chain": base + ".pem", "key": base + ".key"}


def short(folder, certificates):
    return self_signed(folder, "short", "-newkey", "rsa:1024")


def sha1(folder, certificates):
    base = os.path.join(folder, "sha1")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sha1", "-keyout", base + ".key", "-out", base + ".csr")
    certs.openssl(*request)
    certs.openssl("x509", "-req", "-sha1", "-in", base + ".csr", "-CA", certificates.ca.pem, "-CAkey", certificates.ca.key, "-CAcreateserial",
                  "-out", base + ".pem")
    return {"chain": base + ".pem", "key": base + ".key"}


def short_issuer(folder, certificates):
    chain = write(folder, "chain.pem", read(certificates.ecdsa["chain"]) + read(short(folder, certificates)["chain"]))
    return {**certificates.ecdsa, "chain": chain}


def damaged(change):
    def make(folder, certificates):
        return {**certificates.ecdsa, "chain": write(folder, "chain.pem", read(certificates.ecdsa["chain"]) + change(read(certificates.ca.pem)))}
    return make


ROWS = {
    "a short key": (short, KEY),
    "SHA-1": (sha1, HASH),
    "a short key behind a good certificate": (short_issuer, ISSUER),
    "a damaged issuer": (damaged(lambda pem: pem.replace("MII", "MIX", 1).replace("MIB", "MXB", 1)), BROKEN),
    "an issuer that is cut off": (damaged(lambda pem: pem[:200]), BROKEN),
    "two issuers without a line break between them": (damaged(lambda pem: pem.rstrip("\n") + pem), BROKEN),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_check_names_it(launch, backend, certificates, folder, name):
    make, cause = ROWS[name]
    gateway = launch(backend)
    one = make(folder, certificates)
    cause = cause.format(**one)
    tree = gateways.policy(certificates, backend.address, keyrings={"ftpd": {"certificates": [certificates.ecdsa, one]}})
    # two tls_actions with the ring: it is said once
    tree["tls_actions"]["second"] = tree["tls_actions"]["server"]
    path = write(folder, "policy.yaml", gateways.as_yaml(tree))
    line = 1 + [n for n, text in enumerate(gateways.as_yaml(tree).split("\n")) if '"chain": "%s"' % one["chain"] in text][0]
    status, said = gateways.check(path)
    assert status == 1 and said.count(cause) == 1 and one["chain"] in said and f"policy.yaml:{line}:" in said, said
    for command in "check", "doctor":
        done = subprocess.run([net.ATTLSCTL, command, "-f", path], capture_output=True, text=True)
        assert done.returncode != 0 and cause in done.stdout + done.stderr, done
    assert not gateway.reload(tree)
    assert cause in gateway.log and one["chain"] in gateway.log


def test_the_systems_security_level(folder, certificates):
    config = write(folder, "openssl.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT@SECLEVEL=3\n")
    path = write(folder, "policy.yaml", gateways.as_yaml(gateways.policy(
        certificates, ("127.0.0.1", 9), keyrings={"ftpd": {"certificates": [certificates.rsa]}})))
    done = subprocess.run([net.ATTLSD, "-n", "-f", path], env={**os.environ, "OPENSSL_CONF": config}, capture_output=True, text=True)
    assert done.returncode == 1 and "security level 3 refuses" in done.stderr and KEY in done.stderr, done.stderr

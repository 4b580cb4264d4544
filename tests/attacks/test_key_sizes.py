"""
Clients whose certificates are good but for their keys: smaller than peer_min_rsa_key_size and peer_min_ecc_key_size,
or of a kind that neither is about. test_wrong_server.py does the same to servers.

mutants.py builds the daemon without each guard and runs its test, which must then fail.
"""
import os
import subprocess

import pytest
import yaml

import certs
import client as clients
import net
from test_certificates import gets_in, refused, start

VERSIONS = ["1.2", "1.3"]
SIZES = {"peer_min_rsa_key_size": 3072, "peer_min_ecc_key_size": 384}
RSA, ECC = ("the client's certificate has a key of %d bits; peer_min_" + kind + "_key_size is %d" for kind in ("rsa", "ecc"))
DSA = "the client's certificate has a key of DSA"
# kind of key -> None if it is large enough for SIZES, else the reason in the log
WANT = {"rsa:2048": RSA % (2048, 3072), "rsa:3072": None, "rsa-pss": RSA % (2048, 3072), "P-256": ECC % (256, 384), "P-384": None,
        "ed25519": ECC % (256, 384), "ed448": None}


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    """Its own key is smaller than any that is asked for."""
    folder = tmp_path_factory.mktemp("sizes")
    for path in folder, folder.parent:
        path.chmod(0o755)
    return certs.ClientAuthority(folder, "sizes")


def issue(ca, kind):
    label = "client-" + kind.replace(":", "-")
    if not os.path.exists(os.path.join(ca.folder, label + ".chain")):
        if kind == "dsa":
            certs.openssl("dsaparam", "-out", os.path.join(ca.folder, "dsa.pem"), "2048")
        ca.issue(label, key="dsa:" + os.path.join(ca.folder, "dsa.pem") if kind == "dsa" else kind)
    return os.path.join(ca.folder, label + ".chain"), os.path.join(ca.folder, label + ".key")


def check(gateway, ca, want, version=None):
    for kind, why in want.items():
        if why is None:
            assert gets_in(gateway, issue(ca, kind), versions=version), kind
        else:
            refused(gateway, issue(ca, kind), why, versions=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_555_a_small_key(launch, backend, ca, version):
    check(start(launch, backend, ca, sizes=SIZES), ca, WANT, version)


def test_556_each_size_is_for_its_own_kind(launch, backend, ca):
    check(start(launch, backend, ca, sizes={"peer_min_rsa_key_size": 4096}), ca,
          {kind: RSA % (int(kind[4:]) if kind[4:].isdigit() else 2048, 4096) if kind.startswith("rsa") else None for kind in WANT})
    check(start(launch, backend, ca, sizes={"peer_min_ecc_key_size": 256}), ca, dict.fromkeys(WANT))


# OpenSSL's security level takes DSA of 2048 bits from clients of TLS 1.2; TLS 1.3 has none.
def test_557_a_key_of_dsa(launch, backend, ca):
    for sizes in {}, SIZES:
        refused(start(launch, backend, ca, sizes=sizes), issue(ca, "dsa"), DSA, versions="1.2")


@pytest.mark.parametrize("kind, verified", [("rsa:2048", False), ("rsa:3072", True), ("dsa", False)])
def test_558_with_passthru_it_proves_nothing(launch, backend, ca, kind, verified):
    """Nobody is refused, and nobody is recognised by such a certificate."""
    users = {"U1": {"certificates": [{"subject": "CN=client-%s,O=Partner" % kind.replace(":", "-")}]}}
    gateway = start(launch, backend, ca, "passthru", users=users, sizes=SIZES)
    since = gateway.mark()
    assert gets_in(gateway, issue(ca, kind), versions="1.2")
    event = gateway.event("client-certificate", since).keys
    assert (event["verified"], event["users"]) == (("yes", "one") if verified else ("no", "none"))


def explained(gateway, own):
    """Why the client's certificate is refused, by attlsctl; None: it is not."""
    done = subprocess.run([net.ATTLSCTL, "explain", "-f", gateway.path, "--listener", "explicit", "--client", "127.0.0.1",
                           "--certificate", own[0]], capture_output=True, text=True, timeout=net.LIMIT)
    assert done.returncode == 0, done
    said = {line.partition("the handshake fails: certificate verify failed: ")[2].strip() for line in done.stdout.splitlines()}
    return next(iter(said - {""}), None)


def test_559_explain_says_the_same(launch, backend, ca):
    gateway = start(launch, backend, ca, sizes=SIZES)
    for kind, why in {**WANT, "dsa": DSA}.items():
        assert explained(gateway, issue(ca, kind)) == (
            why and ("attlsd takes no keys of DSA" if why == DSA else "the key is smaller than " + why.split()[-3]))


@pytest.mark.parametrize("profile, good, bad", [("128", "P-256", ["P-384", "rsa:3072"]),
                                               ("128min", "P-256", ["P-384", "rsa:3072"])])  # P-256 must not sign P-384
def test_562_explain_knows_suite_b(launch, backend, certificates, ca, profile, good, bad):
    gateway = start(launch, backend, ca, ring={"certificates": [certificates.ecdsa]}, sizes={"suite_b_profile": profile, "versions": "tls1.2"})
    assert explained(gateway, issue(ca, good)) is None
    assert gets_in(gateway, issue(ca, good))
    for kind in bad:
        assert "Suite B" in (explained(gateway, issue(ca, kind)) or "it is not"), kind
        assert not gets_in(gateway, issue(ca, kind))


def test_560_larger_sizes_after_a_reload(launch, backend, ca):
    """Neither a new handshake nor a TLS session from before gets the client in, though its old session goes on."""
    gateway = start(launch, backend, ca)
    ctx = clients.context(own=issue(ca, "rsa:2048"))
    with clients.explicit(gateway, ctx=ctx) as c:
        session = c.tls.session
        with open(gateway.path) as f:
            tree = yaml.safe_load(f)
        for action in tree["tls_actions"].values():
            action["peer_min_rsa_key_size"] = 3072
        assert gateway.reload(tree)
        for old in session, None:
            since = gateway.mark()
            with clients.Client(gateway.explicit, ctx=ctx) as late, pytest.raises((OSError, clients.Closed)):
                late.auth(session=old)
                late.cmd("NOOP")
            assert RSA % (2048, 3072) in gateway.event("tls-failed", since).keys["reason"]
        assert c.cmd("NOOP").code == 200

"""
Whoever stands in the server's place, or between it and the gateway: another certificate, and a download that is cut off.
The numbers continue those of test_upstream.py; mutants.py switches the guards off.
"""
import hashlib
import os
import ssl

import pytest

import bad_server
import certs
import client as clients
import outbound

FILE = outbound.content(1)


@pytest.fixture
def stranger(tmp_path):
    """A certificate for the right name, from an authority of the attacker's."""
    os.chmod(tmp_path, 0o755)
    return certs.Authority(tmp_path, "attacker").issue("stranger", ["localhost"])


def refused(launch, certificates, certificate, **policy):
    """The server gets no name and no password; returns the reason in the log."""
    server = bad_server.BadServer(certificate, files={"file": FILE})
    try:
        gateway = launch(tree=outbound.policy(certificates, server.address, **policy))
        with clients.Client(gateway.address["clear"], greet=False) as c:
            c.send(b"USER user\r\nPASS word\r\n")
            c.assert_ends(421)
        assert server.in_clear in (b"AUTH TLS\r\n", b"") and not {"USER", "PASS"} & set(server.verbs)
        return gateway.event("server-tls-failed").keys["reason"]
    finally:
        server.close()


def test_310_another_authority_is_not_trusted(launch, certificates, stranger):
    assert "unable to get local issuer certificate" in refused(launch, certificates, stranger)


def test_311_a_certificate_of_the_right_authority_for_another_name(launch, certificates):
    assert "hostname mismatch" in refused(launch, certificates, certificates.other)


def test_312_a_new_certificate_of_the_right_name_is_not_the_pinned_one(launch, certificates):
    """An authority that the policy trusts has been deceived, and certifies the attacker's key."""
    fake = certificates.ca.issue("deceived", ["localhost"])
    assert "matches none of the pins" in refused(launch, certificates, fake, tls={"pins": ["5a" * 32]})


@pytest.mark.parametrize("tls, why", [({"peer_min_rsa_key_size": 2049}, "a key of 2048 bits; peer_min_rsa_key_size is 2049"),
                                      ({"peer_min_ecc_key_size": 384}, "a key of 256 bits; peer_min_ecc_key_size is 384")])
def test_561_a_small_key(launch, certificates, tls, why):
    """Not even if the policy pins it."""
    server = certificates.rsa if "peer_min_rsa_key_size" in tls else certificates.ecdsa
    with open(server["chain"], encoding="ascii") as f:
        pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
    assert why in refused(launch, certificates, server, tls={**tls, "pins": [pin]})


def test_313_a_download_that_is_cut_off_is_no_file(launch, certificates):
    """The attacker closes TCP in the middle: the client must not take the part for the whole."""
    server = bad_server.BadServer(certificates.rsa, cut=True, files={"file": FILE})
    gateway = launch(tree=outbound.policy(certificates, server.address))
    with clients.Client(gateway.address["clear"]) as c:
        c.login()
        data = c.open("RETR file", mode="EPSV")
        while data.recv():
            pass
        assert data.end == "reset"
        assert c.reply().code in (426, 451)
    server.close()

"""OCSP stapling from a file."""
import os
import re
import subprocess

import pytest

import certs
import gateway as gateways


class Responder:
    """Answer OCSP requests for the test CA with `openssl ocsp`."""

    def __init__(self, folder, certificates):
        self.folder, self.ca = folder, certificates.ca

    def respond(self, name, cert, status="V", dates=("-ndays", "2"), digest="-sha1"):
        serial = subprocess.run(["openssl", "x509", "-in", cert["chain"], "-noout", "-serial"], check=True,
                                capture_output=True, text=True).stdout.strip().partition("=")[2]
        path = os.path.join(self.folder, name)
        when = "200101000000Z,keyCompromise" if status == "R" else ""
        with open(path + ".index", "w") as f:
            if status != "U":
                f.write(f"{status}\t500101000000Z\t{when}\t{serial}\tunknown\t/CN=x\n")
        request = path + ".req"
        certs.openssl("ocsp", digest, "-issuer", self.ca.pem, "-cert", cert["chain"], "-no_nonce", "-reqout", request)
        certs.openssl("ocsp", "-index", path + ".index", "-rsigner", self.ca.pem, "-rkey", self.ca.key, "-CA", self.ca.pem,
                      "-reqin", request, "-respout", path, *dates)
        return path


@pytest.fixture
def responder(folder, certificates):
    return Responder(folder, certificates)


def staple(gateway, *argv, ask=True):
    """The OCSP response that s_client shows: "good", "none", ..."""
    out = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % gateway.implicit, *(["-status"] if ask else []), *argv],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20).stdout
    if "OCSP response: no response sent" in out or not ask:
        assert "Cert Status" not in out
        return "none"
    assert "OCSP Response Status: successful" in out, out
    return out.partition("Cert Status: ")[2].partition("\n")[0]


def ring(*certificates):
    return {"ftpd": {"certificates": list(certificates)}}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_stapled_for_the_certificate_that_is_shown(launch, backend, certificates, responder, version):
    ocsp = responder.respond("ecdsa.der", certificates.ecdsa)
    gateway = launch(backend, keyrings=ring({**certificates.ecdsa, "ocsp": ocsp}, certificates.rsa))
    os.remove(ocsp)  # attlsd serves it from memory
    assert staple(gateway, version) == "good"
    assert staple(gateway, version, ask=False) == "none"
    assert staple(gateway, version, "-sigalgs", "rsa_pss_rsae_sha256", *(["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"])) == "none"


def test_each_certificate_has_its_own(launch, backend, certificates, responder):
    gateway = launch(backend, keyrings=ring(
        {**certificates.ecdsa, "ocsp": responder.respond("ecdsa.der", certificates.ecdsa, digest="-sha256")},
        {**certificates.other, "ocsp": responder.respond("other.der", certificates.other, "R")}))
    assert staple(gateway, "-servername", "localhost") == "good"
    assert staple(gateway, "-servername", "other.example") == "revoked"


def test_none_without_a_file(launch, backend):
    assert staple(launch(backend)) == "none"


def check(folder, certificates, ocsp, cert=None):
    text = gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9),
                                            keyrings=ring({**(cert or certificates.ecdsa), "ocsp": ocsp})))
    with open(os.path.join(folder, "policy.yaml"), "w") as f:
        f.write(text)
    status, said = gateways.check(os.path.join(folder, "policy.yaml"))
    line = 1 + text.split("\n").index('     "ocsp": "%s"' % ocsp)
    assert said == "" or f"policy.yaml:{line}:" in said, said
    return status, said


def test_what_is_checked_at_load(folder, certificates, responder):
    good = responder.respond("good.der", certificates.ecdsa)
    assert check(folder, certificates, good) == (0, "")
    with open(good, "rb") as f:
        content = f.read()

    def write(name, data):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        return os.path.join(folder, name)
    refusal = bytes([0x30, 3, 0x0a, 1, 6])  # unauthorized (RFC 6960 4.2.1)
    for path, want in {
        os.path.join(folder, "missing.der"): "cannot read the OCSP response",
        write("empty.der", b""): "is not an OCSP response",
        write("text.der", b"hello\n"): "is not an OCSP response",
        write("cut.der", content[:-1]): "is not an OCSP response",
        write("long.der", content + b"\0"): "is not an OCSP response",
        write("refusal.der", refusal): "holds an error from an OCSP responder",
        responder.respond("other.der", certificates.other): "for another certificate",
    }.items():
        status, said = check(folder, certificates, path)
        assert status == 0 and "warning" in said and want in said, said
    for path, want in {
        responder.respond("revoked.der", certificates.ecdsa, "R"): "gives this status for the certificate",
        responder.respond("unknown.der", certificates.ecdsa, "U"): "unknown",
    }.items():
        status, said = check(folder, certificates, path)
        assert status == 0 and "warning" in said and want in said, said


def test_an_expired_one_is_a_warning_and_is_not_sent(launch, folder, backend, certificates, responder):
    """A valid response with its dates moved into the past; only clients check the signature."""
    path = responder.respond("short.der", certificates.ecdsa)
    with open(path, "rb") as f:
        content = f.read()
    dates = sorted(set(re.findall(rb"\d{14}Z", content)))
    for date in dates:
        content = content.replace(date, b"2020" + date[4:])
    with open(path, "wb") as f:
        f.write(content)
    status, said = check(folder, certificates, path)
    assert status == 0 and "warning" in said and "cannot be used now" in said, said
    gateway = launch(backend, keyrings=ring({**certificates.ecdsa, "ocsp": path}, certificates.rsa))
    assert staple(gateway) == "none"


def test_the_response_for_the_old_certificate_stops_nothing(launch, backend, certificates, responder):
    """A certificate is renewed and the response is not: attlsd starts, reloads and serves, and sends none."""
    old = responder.respond("old.der", certificates.other)
    gateway = launch(backend, keyrings=ring({**certificates.ecdsa, "ocsp": old}))
    assert "warning" in gateway.log and "for another certificate" in gateway.log
    assert staple(gateway) == "none"
    os.remove(old)
    assert gateway.reload()
    assert staple(gateway) == "none"

"""The private keys are in processes of their own: what they sign, who has them, and what happens when they die."""
import json
import os
import re
import signal
import subprocess

import pytest

import client as clients
import gateway as gateways
import net

ISOLATED = {"key_isolation": True}
KINDS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
         "rsa": ["rsa:2048"], "rsa-pss": ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
         "rsa-pss-sha384": ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha384",
                            "-pkeyopt", "rsa_pss_keygen_mgf1_md:sha384", "-pkeyopt", "rsa_pss_keygen_saltlen:48"],
         "ed25519": ["ed25519"]}


def self_signed(folder, kind):
    base = os.path.join(folder, kind)
    subprocess.run(["openssl", "req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", base + ".key", "-out", base + ".pem"],
                   check=True, stdin=subprocess.DEVNULL, capture_output=True)
    os.chmod(base + ".key", 0o644)
    return {"chain": base + ".pem", "key": base + ".key"}


def handshake(gateway, *argv):
    done = subprocess.run(["openssl", "s_client", "-nameopt", "RFC2253", "-connect", "%s:%d" % gateway.implicit, *argv],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=net.DEADLINE)
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(launch, backend, folder, kind):
    """OpenSSL's client verifies the signature of each handshake, also if the certificate itself is not trusted."""
    gateway = launch(backend, daemon=ISOLATED, keyrings={"ftpd": {"certificates": [self_signed(folder, kind)]}})
    for version in "-tls1_2", "-tls1_3":
        said = handshake(gateway, version)
        assert re.search(r"Cipher is (TLS_|ECDHE)", said), said
    assert len(gateway.signers()) == 1


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_with_data(launch, backend, version):
    gateway = launch(backend, daemon=ISOLATED)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]
        data = c.open("RETR big", session=None)  # a handshake of its own
        assert data.read_all() == backend.files["big"]
        data.close()
        assert c.reply().code == 226


def test_status_counts_signatures(launch, backend, folder):
    path = os.path.join(folder, "control")
    gateway = launch(backend, daemon={**ISOLATED, "control_socket": path})
    for _ in range(3):
        clients.Client(gateway.explicit).auth().close()
    told = subprocess.run([net.ATTLSCTL, "status", "--socket", path, "--json"], capture_output=True, text=True, check=True)
    worker, = json.loads(told.stdout)["workers"]
    assert (worker["signatures"], worker["refused"]) == (3, 0)


def test_certificates_by_name(launch, backend, certificates):
    gateway = launch(backend, daemon=ISOLATED,
                     keyrings={"ftpd": {"certificates": [certificates.ecdsa, certificates.rsa, certificates.other]}})
    for name, subject in ("localhost", "server-ecdsa"), ("other.example", "other.example"):
        assert f"subject=CN={subject}" in handshake(gateway, "-servername", name)
    assert re.search("Peer signature type: rsa", handshake(gateway, "-sigalgs", "rsa_pss_rsae_sha256"), re.I)


def secrets(certificate):
    """What of a private key would be in memory: its numbers in both byte orders, its DER, its PEM."""
    with open(certificate["key"]) as f:
        pem = f.read()
    text = subprocess.run(["openssl", "pkey", "-in", certificate["key"], "-noout", "-text"], check=True, capture_output=True,
                          text=True).stdout
    found = {}
    for name, digits in re.findall(r"^(priv|privateExponent|prime1|prime2):\n((?:    [0-9a-f:]+\n)+)", text, re.M):
        number = bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits)).lstrip(b"\0")
        found[name], found[name + " reversed"] = number, number[::-1]
    der = subprocess.run(["openssl", "pkey", "-in", certificate["key"], "-outform", "DER"], check=True, capture_output=True).stdout
    found["DER"] = der[:64]
    found["PEM"] = pem.split("\n")[2].encode() if pem.count("\n") > 4 else pem.split("\n")[1].encode()
    return found


def memory(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, access = line.split()[:2]
            if "r" not in access or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            mem.seek(start)
            try:
                yield mem.read(end - start)
            except OSError:  # a part that cannot be read holds nothing
                continue


def finds(pid, certificate):
    wanted = secrets(certificate)
    return {name for piece in memory(pid) for name, secret in wanted.items() if secret in piece}


@pytest.mark.skipif(os.geteuid() != 0 or net.sanitized(), reason="only root may read the memory of other processes; with sanitizers it is huge")
def test_no_key_in_the_memory_of_a_worker(launch, backend, certificates):
    gateway = launch(backend, daemon={"workers": 2, **ISOLATED})
    for _ in range(4):
        with clients.explicit(gateway, "P") as c:
            assert c.get("hello.txt") == backend.files["hello.txt"]
    signers = gateway.signers()
    assert len(gateway.workers()) == len(signers) == 2
    for certificate, numbers in (certificates.ecdsa, {"priv"}), (certificates.rsa, {"prime1", "prime2"}):
        for pid in gateway.workers() + [gateway.pid]:
            assert not finds(pid, certificate)
        for pid in signers + gateway.keepers():  # and the search finds what is there
            found = finds(pid, certificate)
            assert all(found & {name, name + " reversed"} for name in numbers), found


@pytest.mark.skipif(os.geteuid() != 0 or net.sanitized(), reason="only root may read the memory of other processes; with sanitizers it is huge")
def test_without_isolation_the_search_finds_it(launch, backend, certificates):
    gateway = launch(backend, daemon={"key_isolation": False})
    assert gateway.keepers() == []
    assert finds(gateway.workers()[0], certificates.rsa)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give processes another user")
def test_signers_have_nothing(gateway):
    """The default as root."""
    (worker,), (keeper,), (signer,) = gateway.workers(), gateway.keepers(), gateway.signers()
    for pid in keeper, signer:
        with open(f"/proc/{pid}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        uids = set(status["Uid"].split())
        assert len(uids) == 1 and not uids & {"0", *open(f"/proc/{worker}/status").read().split("Uid:\t")[1].split("\n")[0].split()}
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        if not net.sanitized():
            assert status["Seccomp"] == "2"
        assert os.listdir(f"/proc/{pid}/root") == []
    links = [os.readlink(f"/proc/{signer}/fd/{fd}") for fd in os.listdir(f"/proc/{signer}/fd")]
    assert len([link for link in links if link.startswith("socket:")]) == 1


def test_a_signer_that_dies_loses_no_session(launch, backend):
    gateway = launch(backend, daemon={"workers": 2, **ISOLATED})

    def shake():
        with clients.explicit(gateway, "P") as c:
            assert c.get("hello.txt") == backend.files["hello.txt"]
    with net.meanwhile(shake) as failed:
        for killed in range(1, 9):
            before = gateway.signers()
            os.kill(before[killed % 2], signal.SIGKILL)
            gateway.event("signer-died", count=killed, signal=9)
            net.until(lambda before=before: len(set(gateway.signers()) - set(before)) == 1, "another signer")
    assert not failed, failed
    assert not gateway.seen("worker-died")


def test_a_keeper_that_dies_brings_a_new_generation(launch, backend):
    gateway = launch(backend, daemon=ISOLATED)
    (keeper,) = gateway.keepers()
    with clients.explicit(gateway, "P") as old:
        os.kill(keeper, signal.SIGKILL)
        gateway.event("keeper-died", pid=keeper)
        data = old.open("RETR big", session=None)  # its signer goes on
        assert data.read_all() == backend.files["big"]
        data.close()
        assert old.reply().code == 226
        gateway.event("reloaded")
        with clients.explicit(gateway, "P") as new:
            assert new.get("hello.txt") == backend.files["hello.txt"]
        assert old.get("hello.txt") == backend.files["hello.txt"]
    net.until(lambda: len(gateway.keepers()) == 1 and gateway.keepers() != [keeper], "one keeper")


def test_reload_with_a_renewed_certificate(launch, backend, certificates, folder):
    """A session keeps the old key for its data connections, and the old keeper ends with it."""
    first, second = self_signed(folder, "ecdsa"), certificates.ecdsa
    tree = gateways.policy(certificates, backend.address, daemon=ISOLATED, keyrings={"ftpd": {"certificates": [first]}})
    gateway = launch(tree=tree)
    (old,) = gateway.keepers()
    with clients.explicit(gateway, "P", ctx=clients.context()) as c:
        for name in "chain", "key":
            os.replace(copied(second[name], folder), first[name])
        assert gateway.reload()
        assert len(gateway.keepers()) == 2
        data = c.open("RETR hello.txt", session=None)
        assert data.read_all() == backend.files["hello.txt"]
        data.close()
        assert c.reply().code == 226
        assert "subject=CN=server-ecdsa" in handshake(gateway)
    net.until(lambda: len(gateway.keepers()) == 1 and old not in gateway.keepers(), "the old keeper's end")


def copied(path, folder):
    to = os.path.join(folder, "copy")
    with open(path, "rb") as f, open(to, "wb") as out:
        out.write(f.read())
    os.chmod(to, 0o644)
    return to


def test_a_worker_that_meets_a_new_key_brings_a_new_generation(launch, backend, certificates, folder):
    """Nobody has reloaded after the renewal, and a worker dies."""
    first = self_signed(folder, "ecdsa")
    gateway = launch(backend, daemon=ISOLATED, keyrings={"ftpd": {"certificates": [first]}})
    for name in "chain", "key":
        os.replace(copied(certificates.ecdsa[name], folder), first[name])
    os.kill(gateway.workers()[0], signal.SIGKILL)
    gateway.event("keys-unreadable")
    gateway.event("reloaded")
    assert "subject=CN=server-ecdsa" in handshake(gateway)


def test_static_rsa_is_left_out(launch, certificates, backend, folder):
    """check names the cipher and the way out; the others work."""
    tls = {"ciphers": ["002F", "C02F", "C02B"]}
    path = os.path.join(folder, "policy.yaml")
    for daemon, warns in (ISOLATED, True), ({"key_isolation": False}, False):
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls=tls, daemon=daemon)))
        status, said = gateways.check(path)
        assert status == 0
        assert ("attlsd does not offer AES128-SHA" in said and "key_isolation: false" in said) == warns, said
    gateway = launch(backend, tls=tls, daemon=ISOLATED)
    assert "Cipher is ECDHE-RSA" in handshake(gateway, "-tls1_2", "-cipher", "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    assert "Cipher is (NONE)" in handshake(gateway, "-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0")

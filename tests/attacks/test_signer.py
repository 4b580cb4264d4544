"""
What the processes with the private keys do for a worker under an attacker's control, and what their failures cost the
sessions of honest workers. The numbers continue those of test_worker.py; mutants.py switches the guards off.
"""
import hashlib
import os
import signal
import ssl
import struct
import subprocess
import threading
import time

import pytest

import client as clients
import net
from test_key_isolation import finds

BUILD = os.environ.get("ATTLSD_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
ISOLATED = {"key_isolation": True}
SIGN, KNOWN = 1, 2
DONE, MALFORMED, UNKNOWN, CONTENT, SCHEME, RATE, ROLE = 1, 3, 4, 5, 6, 7, 8
ECDSA, PKCS1, PSS = 0x0403, 0x0401, 0x0804
WAIT = 3.0  # KEY_LINK_MAX_MS


def key_of(certificate):
    public = subprocess.run(["openssl", "x509", "-in", certificate["chain"], "-noout", "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, check=True, capture_output=True).stdout
    return hashlib.sha256(der).digest()


def request(key, content, scheme=ECDSA, ask=SIGN, size=None):
    return struct.pack("=IHHQ", ask, scheme, len(content) if size is None else size, 1) + key + content


def transcript(role, size, padding=64):
    return b" " * padding + b"TLS 1.3, %s CertificateVerify\0" % role + bytes(size)


def ecdhe(kind=3, curve=29, point=32, size=None):
    return bytes(64) + struct.pack(">BHB", kind, curve, point) + bytes(point if size is None else size)


def handshake(version=b"\3\3", last=16):
    """What a client of TLS 1.2 signs: all messages so far."""
    return b"".join(bytes([kind, 0, 0, 16]) + version + bytes(14) for kind in (1, 2, 11, 12, 13, 14, 11, last))


def wishes(ecdsa, rsa):
    """What an attacker would like to have signed, and what the signer says. The first ones are a server's."""
    def of(content, **how):
        return request(ecdsa, content, **how)
    return [
        (of(transcript(b"server", 32)), DONE), (of(transcript(b"server", 48)), DONE), (of(ecdhe()), DONE),
        (request(rsa, ecdhe(), PKCS1), DONE), (request(rsa, transcript(b"server", 32), PSS), DONE),
        # another role: a login at another server with the certificate of this one
        (of(transcript(b"client", 32)), ROLE), (of(transcript(b"client", 48)), ROLE), (of(handshake()), ROLE),
        (request(rsa, handshake(), PKCS1), ROLE), (of(handshake(last=20)), CONTENT), (of(handshake(b"\3\1")), CONTENT),
        # a bare hash, with which anything could be signed; hashes that no cipher suite has
        (of(bytes(32)), CONTENT), (of(bytes(48)), CONTENT), (of(b""), CONTENT),
        *((of(transcript(b"server", size)), CONTENT) for size in (0, 1, 20, 31, 33, 47, 49, 64, 100)),
        (of(transcript(b"server", 32, padding=63)), CONTENT), (of(transcript(b"server", 32, padding=65)), CONTENT),
        # other documents: a certificate, a login of SSH, words
        (of(bytes.fromhex("3081b3a003020102020101300a06082a8648ce3d040302") + bytes(157)), CONTENT),
        (of(bytes.fromhex("00000020") + bytes(32) + b"2" + bytes(60)), CONTENT), (of(b"I owe you " * 12), CONTENT),
        # a server's parameters of TLS 1.2, but not of ECDHE with a named curve
        (of(ecdhe(kind=1)), CONTENT), (of(ecdhe(curve=0xFF01)), CONTENT), (of(ecdhe(point=31)), CONTENT),
        (of(ecdhe(size=33)), CONTENT), (of(ecdhe(size=31)), CONTENT), (of(bytes(64) + b"\x01\x00" * 40), CONTENT),
        # schemes of other keys and versions
        (of(transcript(b"server", 32), scheme=PSS), SCHEME), (of(ecdhe(), scheme=0x0201), SCHEME),
        (request(rsa, transcript(b"server", 32), PKCS1), SCHEME), (request(rsa, ecdhe(), ECDSA), SCHEME),
        # keys that it does not have
        (request(bytes(32), transcript(b"server", 32)), UNKNOWN), (request(bytes(32), b"", 0, KNOWN), UNKNOWN),
        # no requests at all
        (of(transcript(b"server", 32), ask=3), MALFORMED), (of(transcript(b"server", 32), ask=0), MALFORMED),
        (of(transcript(b"server", 32), size=20), MALFORMED), (of(transcript(b"server", 32), size=0xFFFF), MALFORMED),
        (of(bytes(209)), CONTENT), (of(bytes(900)), CONTENT), (b"x", MALFORMED), (bytes(47), MALFORMED),
        (request(ecdsa, b"", ECDSA, KNOWN), MALFORMED), (request(ecdsa, bytes(8), 0, KNOWN), MALFORMED),
        (request(ecdsa, b"", 0, KNOWN), DONE)]


@pytest.fixture(name="taken")
def taken_fixture(launch, backend, monkeypatch, folder):
    """Starts attlsd with two workers, of which an attacker controls the first, which gets the first session."""
    def start(how, asks):
        monkeypatch.setenv("ATTLSD_TAKEN", how)
        monkeypatch.setenv("ATTLSD_TAKEN_ONCE", os.path.join(folder, "taken"))
        monkeypatch.setenv("ATTLSD_TAKEN_ASKS", ",".join(packet.hex() for packet in asks))
        monkeypatch.setattr(net, "ATTLSD", os.path.join(BUILD, "tests/attacks/attlsd_taken"))
        return launch(backend, daemon={"workers": 2, **ISOLATED})
    return start


def others_are_served(gateway, backend):
    for _ in range(4):
        with clients.explicit(gateway, "P") as c:
            assert c.get("hello.txt") == backend.files["hello.txt"]


def test_110_a_taken_worker_gets_only_signatures_of_a_tls_server(taken, backend, certificates):
    asked = wishes(key_of(certificates.ecdsa), key_of(certificates.rsa))
    gateway = taken("asks", [packet for packet, _ in asked])
    signers = gateway.signers()
    with net.dial(gateway.explicit):
        for number, (packet, status) in enumerate(asked):
            said = gateway.event("taken", packet=number)
            assert int(said.keys["status"]) == status, (number, packet)
            signs = status == DONE and packet[0] == SIGN
            assert (int(said.keys["len"]) > 0) == signs, (number, packet)
        assert gateway.event("signature-refused").keys["worker"] in map(str, gateway.workers())
        others_are_served(gateway, backend)
    assert gateway.signers() == signers


def test_111_a_flood_for_the_signer_meets_a_limit(taken, backend, certificates):
    gateway = taken("flood-signer", [request(key_of(certificates.ecdsa), b"", 0, KNOWN)])
    with net.dial(gateway.explicit):
        assert int(gateway.event("taken").keys["status"]) == RATE
        others_are_served(gateway, backend)


@pytest.mark.parametrize("how", ["deaf", "empty"])
def test_112_a_worker_that_stops_its_signer_stops_no_other(taken, backend, certificates, how):
    """It reads no answers, or ends signers; another worker serves, and so does its own successor."""
    gateway = taken(how, [request(key_of(certificates.ecdsa), transcript(b"server", 32))])
    before = gateway.workers()
    with net.dial(gateway.explicit):
        gateway.event("taken")
        if how == "empty":
            gateway.event("signer-died", count=5)
        others_are_served(gateway, backend)
        os.kill(min(before), signal.SIGKILL)
        net.until(lambda: len(set(gateway.workers()) - set(before)) == 1, "a successor")
    threads = [threading.Thread(target=others_are_served, args=(gateway, backend)) for _ in range(4)]
    for thread in threads:  # at once, so that both workers get some
        thread.start()
    for thread in threads:
        thread.join()
    assert not gateway.seen("failed")


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return f.read().rpartition(")")[2].split()[0]


@pytest.mark.skipif(os.geteuid() != 0 or net.sanitized(), reason="only root may read the memory of other processes; with sanitizers it is huge")
def test_113_a_worker_has_no_private_key(launch, backend, certificates):
    gateway = launch(backend, daemon={"workers": 1, **ISOLATED})
    others_are_served(gateway, backend)
    for certificate in certificates.ecdsa, certificates.rsa:
        assert not finds(gateway.workers()[0], certificate)
        assert finds(gateway.signers()[0], certificate)  # the search finds what is there


def shakes(gateway):
    ctx = ssl.create_default_context()
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    with net.dial(gateway.implicit) as raw:
        try:
            ctx.wrap_socket(raw).close()
            return True
        except (ssl.SSLError, ConnectionError):
            return False


def took(do, *args):
    start = time.monotonic()
    return do(*args), time.monotonic() - start


def test_114_a_signer_that_hangs_stops_its_worker_once(launch, backend):
    """The other sessions of the worker wait for one handshake, not for all."""
    gateway = launch(backend, daemon={"workers": 1, **ISOLATED})
    (signer,) = gateway.signers()
    with clients.explicit(gateway, "P") as c:
        os.kill(signer, signal.SIGSTOP)
        net.until(lambda: state(signer) == "T", "a signer that hangs")
        try:
            shaken, first = took(shakes, gateway)
            assert not shaken and WAIT - 0.1 < first < WAIT + 1.5, first
            start = time.monotonic()
            for _ in range(10):
                assert not shakes(gateway)
                c.expect("NOOP", 200)
            later = time.monotonic() - start
            print(f"the first handshake: {first:.3f} s, each other one, with a NOOP: {later / 10:.3f} s")
            assert later < 10 * WAIT / 2
        finally:
            os.kill(signer, signal.SIGCONT)
        net.until(lambda: shakes(gateway), "a handshake")
        assert c.get("hello.txt") == backend.files["hello.txt"]
    assert "the signer does not answer" in gateway.log

"""tls_actions.groups and signature_algorithms, seen from openssl s_client."""
import re
import subprocess

import pytest

import gateway as gateways
import net


def s_client(gateway, *argv):
    """What s_client says about a handshake; it ends with the connection, after QUIT."""
    done = subprocess.run(["openssl", "s_client", "-starttls", "ftp", "-connect", "%s:%d" % gateway.explicit, *argv],
                          input="QUIT\r\n", capture_output=True, text=True, timeout=net.DEADLINE)
    return done.stdout + done.stderr


def key_of(said):
    return re.search(r"^(?:Server|Peer) Temp Key: ([^,\n]+(?:, [^,\n]+)?), \d+ bits$", said, re.M)[1]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("groups, offered, want", [
    (["0029"], "P-256:X25519", "X25519"),
    (["P-384", "x25519"], "X25519:P-384", "ECDH, secp384r1"),
    (["secp521r1"], "P-256:P-521", "ECDH, secp521r1"),
    (["0023"], "X25519:P-384", None),
])
def test_groups(launch, backend, version, groups, offered, want):
    gateway = launch(backend, tls={"groups": groups})
    said = s_client(gateway, version, "-groups", offered)
    if want is None:
        assert "Cipher is (NONE)" in said
        gateway.event("tls-failed")
    elif version == "-tls1_3" and len(groups) > 1:
        # in TLS 1.3, OpenSSL before 3.5 takes the client's key share if the server has its group at all
        assert key_of(said) in (want, "X25519")
    else:
        assert key_of(said) in (want, want.replace("ECDH, secp", "ECDH, P-").replace("r1", ""))


@pytest.mark.parametrize("algorithms, offered, digest, kind", [
    (["0403"], "RSA+SHA256:ECDSA+SHA256", "SHA256", "ecdsa"),
    (["rsa_pss_rsae_sha512", "0403"], "RSA-PSS+SHA512", "SHA512", "rsa_pss"),
    (["0804"], "RSA-PSS+SHA256:RSA-PSS+SHA512", "SHA256", "rsa_pss"),
    (["0804"], "ECDSA+SHA256", None, None),
])
def test_signature_algorithms(launch, backend, algorithms, offered, digest, kind):
    gateway = launch(backend, tls={"signature_algorithms": algorithms})
    said = s_client(gateway, "-tls1_3", "-sigalgs", offered)
    if digest is None:
        assert "Cipher is (NONE)" in said
        return
    assert re.search(r"^Peer signing digest: (\S+)$", said, re.M)[1] == digest
    # OpenSSL 3.5 prints the name of RFC 8446, such as rsa_pss_rsae_sha256
    assert re.search(r"^Peer signature type: (\S+)$", said, re.M)[1].lower().replace("-", "_").startswith(kind)


@pytest.mark.parametrize("key, value, name", [
    ("groups", ["x25519", "brainpoolP256r1tls13"], "brainpoolP256r1tls13"),
    ("groups", ["X25519MLKEM768"], "X25519MLKEM768"),
    ("signature_algorithms", ["0403", "0904"], "mldsa44"),
])
def test_what_this_openssl_lacks(certificates, folder, key, value, name):
    """The message says which name, where, and which OpenSSL; a newer one takes them all."""
    path = folder + "/policy.yaml"
    with open(path, "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls={key: value})))
    version = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.split()[1]
    code, said = gateways.check(path)
    if tuple(map(int, version.split(".")[:2])) >= (3, 5):
        assert code == 0
        return
    assert code != 0
    assert re.search(rf'policy\.yaml:\d+:\d+: .*"{key}": OpenSSL {re.escape(version)} does not have {name}; remove it', said), said

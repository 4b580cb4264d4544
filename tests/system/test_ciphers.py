"""Cipher suites under each of their names, cipher suites without encryption (level SAFE), and renegotiation."""
import os
import re
import ssl
import subprocess
import threading

import pytest

import client as clients
import gateway as gateways
import net

# For cipher suites with static RSA, whose handshake has the private key decrypt.
WITH_KEYS = {"key_isolation": False}
LEVELS = {"secure_ctrlconn": "safe", "secure_dataconn": "safe"}
SPELLINGS = ["ECDHE-RSA-AES256-GCM-SHA384", "ecdhe-rsa-aes256-gcm-sha384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "C030",
             "c030"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_cipher_by_all_its_names(launch, backend, spelling):
    gateway = launch(backend, tls={"versions": ["tls1.2"], "ciphers": [spelling]})
    with clients.explicit(gateway, "P") as c:
        assert c.tls.ssl.cipher()[0] == "ECDHE-RSA-AES256-GCM-SHA384"
        data = c.open("RETR hello.txt", session=None)
        assert data.ssl.cipher()[0] == "ECDHE-RSA-AES256-GCM-SHA384"
        assert data.read_all() == backend.files["hello.txt"]
    with clients.Client(gateway.explicit, ctx=clients.context(ciphers="ECDHE-RSA-AES128-GCM-SHA256")) as c:
        with pytest.raises(ssl.SSLError):
            c.auth()


@pytest.mark.parametrize("spelling", ["TLS_AES_256_GCM_SHA384", "tls_aes_256_gcm_sha384", "1302"])
def test_one_suite_by_all_its_names(launch, backend, spelling):
    gateway = launch(backend, tls={"versions": ["tls1.3"], "ciphersuites": [spelling]})
    with clients.explicit(gateway, "P") as c:
        assert c.tls.ssl.cipher()[0] == "TLS_AES_256_GCM_SHA384"


@pytest.mark.parametrize("spelling", ["SSL_AES_128_SHA", "2F", "002F", "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"])
def test_names_of_ftp_data(launch, backend, spelling):
    gateway = launch(backend, tls={"ciphers": [spelling]}, daemon=WITH_KEYS)
    with clients.Client(gateway.explicit, ctx=clients.context(versions="1.2", ciphers="AES128-SHA:@SECLEVEL=0")) as c:
        assert c.auth().tls.ssl.cipher()[0] == "AES128-SHA"


def test_the_order_is_the_servers(launch, backend):
    gateway = launch(backend, tls={"ciphers": ["C030", "C02F"]})
    ctx = clients.context(versions="1.2", ciphers="ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384")
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        assert c.auth().tls.ssl.cipher()[0] == "ECDHE-RSA-AES256-GCM-SHA384"


NULLS = {"0002": "NULL-SHA", "TLS_RSA_WITH_NULL_SHA256": "NULL-SHA256", "c006": "ECDHE-ECDSA-NULL-SHA",
         "ECDHE-RSA-NULL-SHA": "ECDHE-RSA-NULL-SHA"}


@pytest.mark.parametrize("spelling", NULLS)
def test_safe_is_told_from_private(launch, backend, spelling):
    gateway = launch(backend, tls={"ciphers": ["C02F", "C02B", spelling]}, ftp={**LEVELS, "secure_dataconn": "clear"}, daemon=WITH_KEYS)
    ctx = clients.context(versions="1.2", ciphers=NULLS[spelling] + ":@SECLEVEL=0")
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth()
        assert c.tls.ssl.cipher()[0] == NULLS[spelling]
        assert gateway.event("tls").keys["level"] == "S"
    since = gateway.mark()
    with clients.Client(gateway.explicit, ctx=clients.context(versions="1.2", ciphers="ALL:eNULL:@SECLEVEL=0")) as c:
        assert "NULL" not in c.auth().tls.ssl.cipher()[0]  # the policy sets the order
        assert gateway.event("tls", since).keys["level"] == "P"
    since = gateway.mark()
    with clients.Client(gateway.explicit) as c:
        c.auth()
        assert gateway.event("tls", since).keys["level"] == "P"


def test_no_null_cipher_unless_it_is_listed(launch, backend, gateway):
    for other in launch(backend, tls={"ciphers": ["NULL-SHA256"]}, ftp=LEVELS, daemon=WITH_KEYS), gateway:
        for name in NULLS.values():
            if other is not gateway and name == "NULL-SHA256":
                continue
            with clients.Client(other.explicit, ctx=clients.context(versions="1.2", ciphers=name + ":@SECLEVEL=0")) as c:
                with pytest.raises(ssl.SSLError):
                    c.auth()


def s_client(gateway, *argv, **kw):
    return ["openssl", "s_client", "-connect", "%s:%d" % gateway.implicit, *argv]


def test_the_rest_of_the_security_level_stays(launch, backend):
    """A list with such a cipher suite still excludes SHA-1 signatures."""
    gateway = launch(backend, tls={"ciphers": ["ECDHE-RSA-NULL-SHA", "C02F"]}, ftp=LEVELS)
    for sigalg, good in ("RSA+SHA256", True), ("RSA+SHA1", False):
        done = subprocess.run(s_client(gateway, "-tls1_2", "-sigalgs", sigalg, "-cipher", "ECDHE-RSA-NULL-SHA:@SECLEVEL=0"),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=net.DEADLINE)
        assert ("Cipher is ECDHE-RSA-NULL-SHA" in done.stdout) == good, done.stdout + done.stderr


@pytest.mark.parametrize("ftp", [{}, {"secure_ctrlconn": "safe"}, {"secure_dataconn": "clear"}])
def test_private_with_such_a_cipher_is_an_error(certificates, folder, ftp):
    path = os.path.join(folder, "policy.yaml")
    for levels, good in (ftp, False), (LEVELS, True):
        with open(path, "w") as f:
            f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls={"ciphers": ["003B"]}, ftp=levels,
                                                     daemon=WITH_KEYS)))
        status, said = gateways.check(path)
        assert (status == 0) == good, said
        assert "does not encrypt" in said
        assert good or "use safe, or remove the cipher" in said


def test_renegotiation_is_refused(gateway):
    """The client requests renegotiation in mid-session and the gateway refuses it; other sessions are unaffected."""
    with subprocess.Popen(s_client(gateway, "-tls1_2"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=net.die_with_parent) as client:
        stop = threading.Timer(net.DEADLINE, client.kill)
        stop.start()
        seen = b""
        while b"\n220" not in seen:
            piece = client.stdout.read1(65536)
            assert piece, seen
            seen += piece
        client.stdin.write(b"R\n")
        client.stdin.flush()
        seen = client.stdout.read()
        stop.cancel()
    assert re.search(rb"RENEGOTIATING.*no renegotiation", seen, re.S), seen
    assert len(gateway.seen("tls")) == 1
    with clients.explicit(gateway, "P") as c:
        c.expect("NOOP", 200)

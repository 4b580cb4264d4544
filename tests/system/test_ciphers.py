"""Cipher suites under each of their names, cipher suites without encryption (level SAFE), and renegotiation."""
import json
import os
import re
import ssl
import subprocess
import threading

import pytest

import client as clients
import gateway as gateways
import net

# For cipher suites with static RSA, which need a private key that decrypts.
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


def null_context():
    return clients.context(versions="1.2", ciphers="ECDHE-RSA-NULL-SHA:@SECLEVEL=0")


SAFE = {"tls": {"ciphers": ["C02F", "C010"], "session_timeout": "0s"}, "ftp": {"secure_ctrlconn": "safe", "secure_dataconn": "clear"}}
# level of PROT, cipher of the data connection, what it is
DATA = [("P", "ECDHE-RSA-NULL-SHA:@SECLEVEL=0", "S"), ("P", "ECDHE-RSA-AES128-GCM-SHA256", "P"), ("C", None, "C")]


@pytest.mark.parametrize("level, ciphers, prot", DATA)
def test_data_is_as_safe_as_its_cipher(launch, backend, folder, level, ciphers, prot):
    """RFC 2228 3: data that is only safe from changes is S, whatever PROT asked for."""
    gateway = launch(backend, daemon={"control_socket": os.path.join(folder, "control.sock")}, **SAFE)
    with clients.explicit(gateway, level, ctx=clients.context(versions="1.2", ciphers=ciphers)) as c:
        data = c.open("STOR up", session=None)
        data.send(b"x")
        net.until(lambda: backend_bytes(gateway) == 1, "the byte is told")
        transfer = attlsctl(gateway, "sessions", "--json")["sessions"][0]["transfer"]
        assert (transfer["prot"], transfer["protected"]) == (prot, prot == "P")
        row, line = attlsctl(gateway, "sessions").splitlines()[1:3]
        assert row.split()[-2:] == ["STOR", "up"] and f"data {prot}/C," in line and "1 B" in line, (row, line)
        data.close()
        assert c.reply().code == 226
    assert gateway.event("transfer").keys["prot"] == prot


def backend_bytes(gateway):
    return (attlsctl(gateway, "sessions", "--json")["sessions"][0]["transfer"] or {}).get("bytes")


def attlsctl(gateway, *argv):
    done = subprocess.run([net.ATTLSCTL, argv[0], "-f", gateway.path, *argv[1:]], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in argv else done.stdout


@pytest.mark.parametrize("ciphers, data, said", [
    (["C02F", "C010"], "safe", "under TLS, perhaps with a cipher that does not encrypt"), (["C02F"], "private", "under TLS")])
def test_explain_promises_no_more_than_safe(launch, backend, ciphers, data, said):
    gateway = launch(backend, tls={"ciphers": ciphers}, ftp=SAFE["ftp"])
    ask = "explain", "--listener", "explicit", "--client", "127.0.0.1"
    (told,) = [answer for state in attlsctl(gateway, *ask, "--json")["states"] if state["state"] == "under TLS, logged in"
               for answer in state["answers"] if answer["command"] == "RETR file" and "PROT P" in answer["after"]]
    assert told["data"] == data
    (line,) = [line for line in attlsctl(gateway, *ask).splitlines() if "STOR file" in line]
    assert line.endswith("goes to the server; data " + said + ", to the server in the clear")


# A library that has the gateway offer a cipher without encryption, whatever its policy says.
WRONG_CIPHERS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/ssl.h>
int SSL_CTX_set_cipher_list(SSL_CTX *ctx, const char *list)
{
	int (*real)(SSL_CTX *, const char *) = dlsym(RTLD_NEXT, "SSL_CTX_set_cipher_list");

	return list != NULL && real(ctx, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-NULL-SHA:@SECLEVEL=0");
}
"""


@pytest.fixture
def wrong(launch, folder):
    """wrong(backend, ...): a gateway that offers a cipher without encryption although its policy names none."""
    source, library = os.path.join(folder, "wrong.c"), os.path.join(folder, "wrong.so")
    with open(source, "w") as f:
        f.write(WRONG_CIPHERS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)

    def preload():
        net.die_with_parent()
        os.environ["LD_PRELOAD"] = library
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return lambda backend, **change: launch(backend, preexec=preload, **change)


class TestPrivateIsWhatWasNegotiated:
    def test_a_control_connection(self, wrong, backend):
        gateway = wrong(backend)
        for implicit in False, True:
            with clients.Client(gateway.implicit if implicit else gateway.explicit, implicit, greet=False, ctx=null_context()) as c:
                if not implicit:
                    assert c.reply().code == 220
                    c.auth()
                assert c.tls.ssl.cipher()[0] == "ECDHE-RSA-NULL-SHA"
                c.send("USER secret\r\n")
                c.assert_ends(421)
        assert gateway.event("session-end", count=2, reason="not-encrypted")
        assert "USER secret" not in backend.everything()

    @pytest.mark.parametrize("reuse", ["allowed", "none"])
    def test_a_data_connection(self, wrong, backend, reuse):
        gateway = wrong(backend, ftp={"secure_session_reuse": reuse})
        with clients.explicit(gateway, "P", ctx=clients.context(versions="1.2", ciphers="ECDHE-RSA-AES128-GCM-SHA256")) as c:
            data = c.open("RETR hello.txt", ctx=null_context(), session=None)
            assert data.ssl.cipher()[0] == "ECDHE-RSA-NULL-SHA"
            assert data.read_all() == b""
            assert c.reply() == "522 Policy requires a cipher that encrypts on the data connection."
            assert c.get("hello.txt", session=None) == backend.files["hello.txt"]
        assert gateway.event("transfer", result="not-encrypted")

    @pytest.mark.parametrize("level", ["safe", "clear"])
    def test_safe_takes_it(self, wrong, backend, level):
        gateway = wrong(backend, ftp={"secure_ctrlconn": level, "secure_dataconn": level})
        with clients.explicit(gateway, "P", ctx=null_context()) as c:
            assert c.get("hello.txt", session=None) == backend.files["hello.txt"]
        assert gateway.event("transfer").keys["prot"] == "S"


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

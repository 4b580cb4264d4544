"""`tls: auto`: one port for clients with implicit and with explicit TLS."""
import os
import shutil
import subprocess
import time

import pytest

import client as clients
import net
from proxy_header import v1

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


def auto(**change):
    return {"explicit": {"tls": "auto", **change}, "implicit": None}


@pytest.fixture
def both(launch, backend):
    return launch(backend, ftp=CLEAR, listeners=auto())


def test_a_client_hello_at_once_is_implicit_tls(both):
    with clients.Client(both.explicit, implicit=True) as c:
        c.login()
        assert c.cmd("AUTH TLS").code == 503
        assert c.get("hello.txt") == b"hello, world\r\n"  # at level P from the start
        c.expect("REIN", 220)
        c.login()
    assert both.event("transfer").keys["prot"] == "P"


def test_silence_is_explicit_tls(both):
    start = time.monotonic()
    with clients.Client(both.explicit) as c:
        assert time.monotonic() - start >= 0.95
        c.auth().login()
        assert c.get("hello.txt") == b"hello, world\r\n"
        c.expect("REIN", 220)
    assert both.event("transfer").keys["prot"] == "C"


@pytest.mark.parametrize("early", [b"SYST\r\n", b"\x17\r\n"])
def test_another_first_byte_goes_to_the_explicit_side(both, early):
    with clients.Client(both.explicit, greet=False) as c:
        c.send(early)
        assert c.reply().code == 220
        assert c.reply().code == (215 if early.startswith(b"SYST") else 500)
        c.auth().login()


def test_bytes_after_auth_end_the_session(both, backend):
    with clients.Client(both.explicit, greet=False) as c:
        c.send(b"AUTH TLS\r\nUSER smuggled\r\n")
        assert c.reply().code == 220
        c.ended()
    both.event("session-end", reason="plaintext-after-auth")
    assert "USER smuggled" not in backend.everything()


def test_a_late_client_hello_is_no_command(both):
    with clients.Client(both.explicit) as c:
        c.sock.sendall(clients.Tls(c.sock, handshake=False).hello())
        c.ended()
    both.event("session-end", reason="tls-on-clear-port")


def test_the_greeting_of_zos_may_come_first(launch, backend):
    gateway = launch(backend, ftp={"secureimplicitzos": True}, listeners=auto())
    with clients.Client(gateway.explicit) as c:  # with the greeting
        c.start_tls().login()
        c.protected = True  # as on every secure port
        assert c.cmd("AUTH TLS").code == 503
        assert c.get("hello.txt") == b"hello, world\r\n"
    with clients.Client(gateway.explicit, implicit=True) as c:  # before the greeting
        c.login()
        assert c.get("hello.txt") == b"hello, world\r\n"
    with clients.Client(gateway.explicit) as c:
        c.auth().login().prot("P")
        assert c.get("hello.txt") == b"hello, world\r\n"


@pytest.mark.parametrize("implicit", [False, True])
def test_behind_a_load_balancer(launch, backend, implicit):
    gateway = launch(backend, ftp={**CLEAR, "passivedataconn": "unrestricted"}, listeners=auto(proxy_protocol=["127.0.0.1/32"]))
    header = v1(("198.51.100.9", 40000), ("203.0.113.1", 21))
    with clients.Client(gateway.explicit, implicit=implicit, header=header) as c:
        if not implicit:
            c.auth()
        c.login()
    assert gateway.event("session-start").keys["client"] == "198.51.100.9:40000"


@pytest.mark.parametrize("proxy", ["none", "v2"])
def test_a_server_that_is_told_of_tls(launch, make_backend, proxy):
    gateway = launch(make_backend(proxied=proxy != "none"), listeners=auto(), backends={"legacy": {"proxy_protocol": proxy}})
    for implicit in False, True:
        with clients.Client(gateway.explicit, implicit=implicit) as c:
            if not implicit:
                c.auth()
            c.login()


def test_a_silent_client_counts(launch, backend):
    gateway = launch(backend, listeners=auto(), daemon={"limits": {"unauthenticated_per_source": 1}})
    with net.dial(gateway.explicit) as first, net.dial(gateway.explicit) as second:
        assert second.recv(100).startswith(b"421 ")
        assert first.recv(100).startswith(b"220")
    gateway.event("refused", reason="unauthenticated_per_source")


def test_it_ends_while_it_waits_for_the_first_byte(launch, backend):
    gateway = launch(backend, listeners=auto())
    with net.dial(gateway.explicit) as first:
        with clients.Client(gateway.explicit, implicit=True) as c:  # by then the worker has `first`, too
            c.login()
        gateway.stop()
        assert net.end_of(first)[1] == b""


@pytest.mark.parametrize("scheme", ["ftp", "ftps"])
def test_curl_and_lftp(launch, backend, certificates, scheme):
    gateway = launch(backend, listeners=auto())
    url = f"{scheme}://localhost:{gateway.explicit[1]}"
    if shutil.which("curl"):
        got = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", certificates.ca.pem, "--ssl-reqd", "-u", "u:p", f"{url}/hello.txt"],
                             capture_output=True, check=True)
        assert got.stdout == b"hello, world\r\n"
    if shutil.which("lftp"):
        got = subprocess.run(["lftp", "-c", f"set ssl:ca-file {certificates.ca.pem}; set ftp:ssl-force true; set ftp:ssl-protect-data true; "
                                            f"open -u u,p {url}; cat hello.txt"], capture_output=True, check=True, env={**os.environ, "HOME": gateway.folder})
        assert got.stdout == b"hello, world\r\n"


def test_explain_says_auto(launch, backend):
    gateway = launch(backend, listeners=auto())
    said = subprocess.run([net.ATTLSCTL, "explain", "-f", gateway.path, "--listener", "explicit", "--client", "192.0.2.1"], capture_output=True, text=True)
    assert said.returncode == 0 and "auto" in said.stdout, said

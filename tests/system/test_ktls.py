"""
Kernel TLS on data connections (`ktls: true`).

If the kernel does not support TLS, the tests that need it are skipped. `make
check-ktls` runs this file, and others with `ktls: true` added, on a kernel that does.
"""
import contextlib
import json
import os
import subprocess

import pytest

import client as clients
import gnutls
import net

ULPS = "/proc/sys/net/ipv4/tcp_available_ulp"
KERNEL = os.path.exists(ULPS) and "tls" in open(ULPS).read().split()
in_the_kernel = pytest.mark.skipif(not KERNEL, reason="this kernel has no TLS; `make check-ktls` starts one that has")
CONTENT = os.urandom(3 << 20)
CIPHERS = {
    "1.2": ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    "1.3": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
}


def counter(name):
    with open("/proc/net/tls_stat") as f:
        return int(dict(line.split() for line in f)[name])


def start(launch, backend, tls=None, **change):
    change.setdefault("ftp", {"secure_session_reuse": "none"})
    return launch(backend, tls={"ktls": True, **(tls or {})}, daemon={"log": {"level": "debug"}}, **change)


def taken(gateway):
    """Did the kernel take over TLS of the last data connection?"""
    gateway.event("data-tls")
    return [event for event in gateway.events if event.name == "data-tls"][-1].keys["ktls"]


@contextlib.contextmanager
def uploading(launch, backend, version):
    """A client that has started to upload "up": (control connection, data connection)."""
    gateway = start(launch, backend)
    with clients.explicit(gateway, "P") as c:
        data = gnutls.connect(c, "STOR up", version)
        yield c, data
        data.close()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_files_of_each_size_arrive_with_or_without_the_kernel(launch, make_backend, version):
    files = {"f%d" % size: CONTENT[:size] for size in (0, 1, 16384, 65536, 65537, len(CONTENT))}
    backend = make_backend(files=files)
    gateway = start(launch, backend)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        for name, content in files.items():
            assert c.get(name) == content
            assert c.put("up" + name, content).code == 226
            assert backend.upload("up" + name) == (content, "fin")
    if not KERNEL:
        assert taken(gateway) == "no"


def test_the_log_and_doctor_say_whether_the_kernel_has_it(launch, backend):
    gateway = start(launch, backend)
    assert bool(gateway.seen("ktls-missing")) == (not KERNEL)
    done = subprocess.run([net.ATTLSCTL, "doctor", "-f", gateway.path, "--json"], capture_output=True, text=True)
    (found,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["check"] == "ktls"]
    assert (found["status"], found.get("fix")) == (("ok", None) if KERNEL else ("warning", "modprobe tls"))


@in_the_kernel
def test_the_end_of_a_download_comes_with_close_notify_not_with_fin(launch, backend):
    """The kernel may hold a record back, and FIN would overtake it; a client that only waits gets FIN a little later."""
    gateway = start(launch, backend)
    with clients.explicit(gateway, "P") as c:
        data = c.open("RETR big")
        assert data.read_all() == backend.files["big"] and data.end == "clean"
        assert c.reply().code == 226
        assert net.quiet(data.sock, 0.3), "FIN before the client's"
        clients.shutdown_write(data.sock)
        assert net.end_of(data.sock) == ("fin", b"")
        data.close()


@in_the_kernel
@pytest.mark.parametrize("version,cipher", [(v, cipher) for v, ciphers in CIPHERS.items() for cipher in ciphers])
def test_the_kernel_takes_over(launch, make_backend, version, cipher):
    """The kernel's counters show it. Data from clients stays in user space: see gateway/net/stream-ktls.h."""
    backend = make_backend(files={"big": CONTENT})
    setting = {"ciphers": [cipher]} if version == "1.2" else {"ciphersuites": [cipher]}
    gateway = start(launch, backend, tls={"versions": ["tls" + version], **setting})
    before = counter("TlsTxSw"), counter("TlsRxSw")
    with clients.explicit(gateway, "P") as c:
        assert c.get("big") == CONTENT
        assert c.put("up", CONTENT).code == 226
        assert backend.upload("up") == (CONTENT, "fin")
        assert taken(gateway) == "yes"
    # never the control connection: CCC may end its TLS, and kernel TLS cannot be ended
    assert (counter("TlsTxSw"), counter("TlsRxSw")) == (before[0] + 2, before[1])


@pytest.mark.parametrize("level", ["P", "C"])
def test_a_clear_data_connection_and_ccc_are_as_ever(launch, make_backend, level):
    backend = make_backend(files={"big": CONTENT})
    gateway = start(launch, backend, ftp={"secure_dataconn": "clear", "secure_ctrlconn": "clear"})
    with clients.explicit(gateway, level) as c:
        assert c.get("big") == CONTENT
        c.expect("CCC", 200)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_warnings_between_data_change_nothing(launch, make_backend, version):
    backend = make_backend()
    with uploading(launch, backend, version) as (c, data):
        for at in range(0, len(CONTENT), 1 << 20):
            data.send(CONTENT[at:at + (1 << 20)])
            data.warn()
        data.finish()
        assert c.reply().code == 226
    assert backend.upload("up") == (CONTENT, "fin")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_upload_cut_behind_a_warning_is_not_stored_as_whole(launch, make_backend, version):
    backend = make_backend()
    with uploading(launch, backend, version) as (c, data):
        data.send(CONTENT)
        data.warn()
        clients.shutdown_write(data.sock)
        assert c.reply().code == 426
    assert backend.upload("up")[1] == "reset"


@pytest.mark.parametrize("of_peer", [False, True])
@pytest.mark.parametrize("direction", ["upload", "download"])
def test_new_keys_are_followed_or_end_the_transfer(launch, make_backend, direction, of_peer):
    """
    KeyUpdate (TLS 1.3). If the client requests new keys from the gateway while the kernel has the keys, the gateway
    aborts the transfer and logs it.
    """
    backend = make_backend(files={"big": CONTENT * 4})
    gateway = start(launch, backend)
    with clients.explicit(gateway, "P") as c:
        data = gnutls.connect(c, "STOR up" if direction == "upload" else "RETR big", "1.3")
        kept = taken(gateway) == "no" or not of_peer
        received = None
        with contextlib.suppress(OSError):
            if direction == "upload":
                data.send(CONTENT)
            data.new_keys(of_peer)
            if direction == "upload":
                data.send(CONTENT)
                data.finish()
            received = data.read_all()
        reply = c.reply().code
        if kept:
            assert reply == 226 and received == (b"" if direction == "upload" else CONTENT * 4)
        else:
            assert reply == 426 and received is None
            gateway.event("ktls-key-update")
        data.close()
    if direction == "upload":
        assert backend.upload("up") == (CONTENT * 2, "fin") if kept else backend.upload("up")[1] == "reset"

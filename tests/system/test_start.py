"""Starting, checking and reloading a policy, and exiting."""
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl

import pytest

import client as clients
import gateway as gateways
import net

FAULTY = """\
version: 1
keyrings: { ftpd: { certificates: [ { chain: missing.pem, key: missing.key } ] } }
tls_actions: { server: { keyring: fptd } }
ftp_actions: { standard: { secure_ftp: sometimes, pasivedataports: 50000-50100, inactive: -3 } }
backends: { legacy: { address: 127.0.0.1:2021 } }
listeners: { explicit: { address: 127.0.0.1:2121 } }
rules: { everyone: { tls: server, ftp: standrad, backend: legacy } }
"""
FAULTS = ["fptd", "secure_ftp", "pasivedataports", "inactive", "standrad"]


def write(folder, text):
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def assert_names_all_faults(text):
    for word in FAULTS:
        assert re.search(r"policy\.yaml:\d+:\d+: .*" + word, text), f"no fault about {word} in:\n{text}"
    assert "passivedataports" in text, "no suggestion for pasivedataports:\n" + text


def test_ready_names_every_listener_and_its_real_port(gateway):
    assert set(gateway.address) == {"explicit", "implicit"}
    for host, port in gateway.address.values():
        assert host == "127.0.0.1" and port > 0
        net.dial((host, port)).close()


def test_minimal_policy_is_good(certificates, folder):
    shutil.copy(os.path.join(net.ROOT, "contrib", "policy.minimal.yaml"), os.path.join(folder, "policy.yaml"))
    shutil.copy(certificates.ecdsa["chain"], os.path.join(folder, "server.pem"))
    shutil.copy(certificates.ecdsa["key"], os.path.join(folder, "server.key"))
    code, said = gateways.check(os.path.join(folder, "policy.yaml"))
    assert code == 0, said


def test_check_names_all_faults_and_ends_with_1(folder):
    code, said = gateways.check(write(folder, FAULTY))
    assert code == 1
    assert_names_all_faults(said)


def test_a_faulty_policy_does_not_start(launch):
    gateway = launch(tree=FAULTY, wait=False)
    assert gateway.ended() == 78
    assert_names_all_faults(gateway.log)
    assert not gateway.seen("ready")


@pytest.mark.parametrize("chain,key,named", [
    ("missing.pem", "good.key", "missing.pem"),
    ("good.pem", "missing.key", "missing.key"),
    ("good.pem", "other.key", "other.key"),
    ("empty.pem", "good.key", "empty.pem"),
])
def test_check_reads_certificates_and_keys(certificates, folder, chain, key, named):
    shutil.copy(certificates.ecdsa["chain"], os.path.join(folder, "good.pem"))
    shutil.copy(certificates.ecdsa["key"], os.path.join(folder, "good.key"))
    shutil.copy(certificates.rsa["key"], os.path.join(folder, "other.key"))
    write_empty = open(os.path.join(folder, "empty.pem"), "w")
    write_empty.close()
    tree = gateways.policy(certificates, ("127.0.0.1", 2021),
                           keyrings={"ftpd": {"certificates": [{"chain": chain, "key": key}]}})
    code, said = gateways.check(write(folder, gateways.as_yaml(tree)))
    assert code == 1 and named in said and "policy.yaml:" in said, said


def test_a_missing_policy_file_is_named():
    code, said = gateways.check("/nonexistent/policy.yaml")
    assert code == 1 and "/nonexistent/policy.yaml" in said


def test_a_taken_port_is_named(launch, backend):
    with net.listen() as taken:
        port = taken.getsockname()[1]
        gateway = launch(backend, wait=False, listeners={"explicit": {"address": f"127.0.0.1:{port}"}})
        assert gateway.ended() == 1
        assert re.search(rf"policy\.yaml:\d+:\d+: .*127\.0\.0\.1:{port}.*(in use|listening)", gateway.log), gateway.log


def test_sigterm_ends_with_0(gateway):
    gateway.stop()


def test_sigterm_ends_idle_sessions(gateway):
    c = clients.explicit(gateway)
    gateway.process.send_signal(signal.SIGTERM)
    said = c.ended()
    assert said == b"" or said.startswith(b"421"), said
    gateway.stop()


def test_sigterm_lets_a_transfer_finish(launch, make_backend):
    backend = make_backend()
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR late")
        data.send(b"first half, ")
        gateway.process.send_signal(signal.SIGTERM)
        net.until(lambda: refuses(gateway.explicit), "a draining daemon takes no new connections")
        data.send(b"second half")
        data.close()
        assert backend.upload("late") == (b"first half, second half", "fin")
        assert c.reply().code == 226
        c.ended()
    gateway.stop()


def refuses(address):
    try:
        with socket.create_connection(address, 5) as s:
            s.settimeout(5)
            said = s.recv(3)
            return said in (b"", b"421")
    except OSError:
        return True


def test_reload_lets_sessions_live_on_their_old_policy(launch, backend, certificates):
    tree = gateways.policy(certificates, backend.address, ftp={"secure_dataconn": "clear"},
                           listeners={"explicit": {"address": f"127.0.0.1:{net.free_port()}"}, "implicit": None})
    gateway = launch(tree=tree)
    with clients.explicit(gateway) as old:
        tree["ftp_actions"]["standard"]["secure_dataconn"] = "private"
        assert gateway.reload(tree)
        with clients.explicit(gateway) as new:
            new.expect("PBSZ 0", 200)
            new.expect("PROT C", 534)
            new.pasv()
            new.expect("RETR hello.txt", 521)
            new.expect("QUIT", 221)
        assert old.prot("C").get("hello.txt") == backend.files["hello.txt"], "the old session lost its policy"
        assert old.get("big") == backend.files["big"]
        old.expect("QUIT", 221)


def test_reload_reads_certificates_again(launch, backend, certificates, folder):
    own = os.path.join(folder, "own")
    os.mkdir(own)
    chain, key = os.path.join(own, "c.pem"), os.path.join(own, "c.key")

    def use(certificate):
        shutil.copy(certificate["chain"], chain)
        shutil.copy(certificate["key"], key)
    use(certificates.ecdsa)
    gateway = launch(backend, keyrings={"ftpd": {"certificates": [{"chain": chain, "key": key}]}})
    before = peer(gateway)
    use(certificates.other)
    assert gateway.reload()
    assert before != peer(gateway) == ssl.PEM_cert_to_DER_cert(open(certificates.other["chain"]).read())


def peer(gateway):
    with clients.Client(gateway.explicit) as c:
        return c.auth().tls.ssl.getpeercert(True)


def test_a_faulty_reload_changes_nothing(gateway, backend):
    with clients.explicit(gateway, "C") as old:
        good = open(gateway.path).read()
        assert not gateway.reload(FAULTY)
        assert_names_all_faults(gateway.log)
        assert old.get("hello.txt") == backend.files["hello.txt"]
        with clients.explicit(gateway, "C") as new:
            assert new.get("hello.txt") == backend.files["hello.txt"]
        assert gateway.reload(good)


def test_many_reloads_leave_no_workers_behind(gateway):
    workers = len(gateway.workers())
    for _ in range(10):
        assert gateway.reload()
    net.until(lambda: len(gateway.workers()) == workers, "old generations end")
    with clients.explicit(gateway) as c:
        c.expect("NOOP", 200)


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


@pytest.mark.skipif(not net.IS_ROOT, reason="not root: there are no privileges to drop")
def test_workers_of_root_have_no_privileges(gateway):
    for pid in gateway.workers():
        state = status(pid)
        assert "0" not in state["Uid"].split() + state["Gid"].split(), state["Uid"]
        assert int(state["CapEff"], 16) == int(state["CapPrm"], 16) == 0
        assert state["NoNewPrivs"].strip() == "1"
        assert state["Seccomp"].strip() == "2" or net.sanitized()
        root = os.stat(f"/proc/{pid}/root/.")
        assert (root.st_dev, root.st_ino) != (os.stat("/").st_dev, os.stat("/").st_ino), "no chroot"
        assert os.listdir(f"/proc/{pid}/root/.") == []
        assert root.st_mode & 0o1 and not root.st_mode & 0o22, "a file that is not there must not be forbidden, nor made"
    assert int(status(gateway.pid)["CapEff"], 16) != int(status(os.getpid())["CapEff"], 16), "the monitor keeps all"


def test_an_ordinary_user_can_run_it(launch, backend):
    gateway = launch(backend, preexec=net.as_nobody)
    assert "0" not in status(gateway.pid)["Uid"].split() or not net.IS_ROOT
    with clients.explicit(gateway, "P") as c:
        assert c.get("big") == backend.files["big"]
        assert c.put("up", b"x" * 1000, "PORT").code == 226


def test_a_low_port_needs_a_capability_that_is_named(launch, backend):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        if int(f.read()) <= 990:
            pytest.skip("this machine lets every user bind port 990")
    gateway = launch(backend, preexec=net.as_nobody, wait=False, listeners={"explicit": {"address": "127.0.0.1:990"}})
    assert gateway.ended() == 1
    assert "CAP_NET_BIND_SERVICE" in gateway.log and "990" in gateway.log


def waits(pid):
    """Has the worker started? It then waits for events."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/wchan") as f:
        return "poll" in f.read()
    return False


@pytest.mark.skipif(not net.IS_ROOT, reason="needs root to see what a process waits for")
def test_a_client_that_connects_during_a_reload_is_served(launch, backend):
    """The monitor finds the connection and the new workers' ready messages in the same turn of its loop."""
    gateway = launch(backend, daemon={"workers": 2, "key_isolation": False})  # the new processes are workers, all of them
    old, since = set(gateway.workers()), gateway.mark()
    gateway.process.send_signal(signal.SIGHUP)
    new = net.until(lambda: len(fresh := set(gateway.workers()) - old) == 2 and fresh, "two new workers", every=0)
    os.kill(gateway.pid, signal.SIGSTOP)
    try:
        sock = net.dial(gateway.explicit)
        net.until(lambda: all(map(waits, new)), "workers that have started")
    finally:
        os.kill(gateway.pid, signal.SIGCONT)
    with sock:
        assert sock.recv(100).startswith(b"220")
    gateway.event("reloaded", since)


def test_a_worker_that_dies_while_it_starts_ends_only_the_reload(launch, backend):
    gateway = launch(backend)
    for _ in range(5):
        old, since, killed = set(gateway.workers()), gateway.mark(), set()
        gateway.process.send_signal(signal.SIGHUP)

        def over():
            for pid in set(gateway.workers()) - old:
                with contextlib.suppress(OSError):
                    if "eventfd" in os.readlink(f"/proc/{pid}/fd/4") and "socket" in os.readlink(f"/proc/{pid}/fd/3"):
                        os.kill(pid, signal.SIGKILL)
                        killed.add(pid)
            return gateway.seen("reloaded", since) or gateway.seen("reload-failed", since)
        net.until(over, "an end of the reload", every=0)
        # The worker may have started meanwhile. A client that it gets before the monitor notices its death is lost with it.
        net.until(lambda: not killed & set(gateway.workers()), "the end of what was killed")
        with clients.explicit(gateway) as c:
            c.expect("NOOP", 200)

"""Root with less than usual, as containers have it: attlsd serves, or names what is missing and what for."""
import json
import os
import shutil
import subprocess

import pytest

import client as clients
import gateway as gateways
import net

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

DOCKER = ["chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap", "setpcap", "net_bind_service", "sys_chroot",
          "kill", "audit_write"]
ROWS = {  # the bounding set; what is missing; does attlsd start?
    "docker's default": ("-all," + ",".join("+" + name for name in DOCKER), ["CAP_DAC_READ_SEARCH"], True),
    "without KILL": ("-kill", ["CAP_KILL"], True),
    "without NET_BIND_SERVICE, and no low port": ("-net_bind_service", [], True),
    "without SETUID": ("-setuid", ["CAP_SETUID"], False),
    "without SYS_CHROOT": ("-sys_chroot", ["CAP_SYS_CHROOT"], False),
    "none": ("-all", ["CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_DAC_READ_SEARCH"], False),
}


@pytest.mark.parametrize("name", ROWS)
def test_fewer_capabilities(certificates, backend, folder, name):
    bounding, missing, starts = ROWS[name]
    gateway = gateways.Launched(folder, gateways.policy(certificates, backend.address), "", "setpriv", f"--bounding-set={bounding}", "--inh-caps=-all")
    if starts:
        with clients.explicit(gateway.ready(), level="P") as c:
            assert c.get("hello.txt") == b"hello, world\r\n"
        assert gateway.reload()
    else:
        assert gateway.ended() == 1
        assert gateway.event("failed").keys["step"] == "use the capabilities that it needs"
    said = gateway.seen("capability-missing")
    assert [e.keys["capability"] for e in said] == missing
    assert all(e.keys["for"] and e.keys["fix"] for e in said)
    if starts:
        gateway.stop()
    done = subprocess.run(["setpriv", f"--bounding-set={bounding}", "--inh-caps=-all", net.ATTLSCTL, "doctor", "--json", "-f", gateway.path],
                          capture_output=True, text=True)
    found = [f for f in json.loads(done.stdout)["findings"] if f["check"] == "capabilities"]
    assert [f["status"] for f in found] != ["ok"] or not missing
    for one in missing:
        assert one in str(found), found


READ_ONLY = "for d in /tmp /run /dev/shm /var/tmp; do mount --bind $d $d && mount -o remount,ro,bind $d || exit 9; done"


def test_nothing_can_be_written(certificates, backend, folder):
    """A container whose file system is read-only, /tmp included."""
    gateway = gateways.Launched(folder, gateways.policy(certificates, backend.address), READ_ONLY, "unshare", "-m")
    with clients.explicit(gateway.ready(), level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
    for pid in gateway.workers():
        assert not root_of(pid), "the worker's root is not empty"
    assert gateway.reload()
    gateway.stop()


def root_of(pid):
    """What a process sees in its root folder; a folder of a dead process cannot even be listed."""
    try:
        return os.listdir(f"/proc/{pid}/root")
    except (ProcessLookupError, FileNotFoundError, PermissionError):
        return []


@pytest.mark.skipif(net.sanitized(), reason="LeakSanitizer ends a process without /proc")
def test_without_an_empty_folder_the_step_is_named(certificates, backend, folder):
    gateway = gateways.Launched(folder, gateways.policy(certificates, backend.address), READ_ONLY + "; mount -t tmpfs -o ro none /proc", "unshare", "-m")
    assert gateway.ended() == 1
    assert gateway.event("worker-not-started").keys["error"]
    assert gateway.event("failed").keys["step"] == "start the workers"


LOW = {"listeners": {"explicit": {"address": "127.0.0.1:21"}}}


@pytest.mark.parametrize("start, missing, low", [
    (0, [], LOW), (1024, ["CAP_NET_BIND_SERVICE"], LOW),
    (1024, ["CAP_NET_BIND_SERVICE"], {"daemon": {"http": "127.0.0.1:80"}}), (1024, ["CAP_NET_BIND_SERVICE"], {"daemon": {"agent": "127.0.0.1:81"}})])
def test_a_port_that_everybody_may_open_needs_no_capability(certificates, folder, start, missing, low):
    """Docker starts containers with net.ipv4.ip_unprivileged_port_start=0."""
    tree = gateways.policy(certificates, ("127.0.0.1", 2021), **low)
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(tree))
    attlsctl = shutil.copy(net.ATTLSCTL, folder)  # the checkout may be one that only root may enter
    done = subprocess.run(["unshare", "--net", "sh", "-c", 'echo "$1" >/proc/sys/net/ipv4/ip_unprivileged_port_start && shift && exec "$@"',
                           "sh", str(start), "setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=-all",
                           attlsctl, "doctor", "--json", "-f", path], capture_output=True, text=True)
    problems = [f for f in json.loads(done.stdout)["findings"] if f["check"] in ("capabilities", "user") and f["status"] != "ok"]
    assert len(problems) == len(missing) and all(one in str(problems) for one in missing), problems

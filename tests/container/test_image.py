"""The image of contrib/container/build.sh: as an arbitrary user, with a root that is read-only and no capability.

`make check-image` builds it first. Needs root, to make the container's namespaces; the container has none of it.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IMAGE = os.path.join(TOP, os.environ.get("ATTLSD_IMAGE", "build/image"))
USER = 12345
POLICY = """\
version: 1
daemon: { http: "127.0.0.1:8029" }
keyrings: { ftpd: { certificates: [ { chain: server.pem, key: server.key } ] } }
tls_actions: { server: { keyring: ftpd } }
ftp_actions: { standard: {} }
backends: { legacy: { address: 127.0.0.1:2029 } }
listeners: { explicit: { address: 127.0.0.1:2129 } }
rules: { everyone: { tls: server, ftp: standard, backend: legacy } }
"""
LEGACY = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
a = DummyAuthorizer()
a.add_user("tester", "word", sys.argv[1], perm="elradfmwMT")
FTPHandler.authorizer = a
FTPServer(("127.0.0.1", 2029), FTPHandler).serve_forever()
"""


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, **more)


def good(*argv):
    done = run(*argv)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout


def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)


def reachable(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    if os.getuid() != 0 or not os.path.isdir(IMAGE) or not shutil.which("runc"):
        pytest.skip("make check-image, as root")
    folder = tmp_path_factory.mktemp("image")
    bundle, policy, files = (str(folder / name) for name in ("bundle", "policy", "files"))
    os.makedirs(policy)
    os.makedirs(files)
    with open(files + "/big", "wb") as f:
        f.write(os.urandom(3 << 20))
    good("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", policy + "/server.key", "-out", policy + "/server.pem")
    with open(policy + "/policy.yaml", "w") as f:
        f.write(POLICY)
    for name in os.listdir(policy):
        os.chown(os.path.join(policy, name), USER, USER)
    good("umoci", "unpack", "--image", IMAGE + ":attlsd", bundle)
    with open(bundle + "/config.json") as f:
        config = json.load(f)
    assert config["process"]["user"]["uid"] == USER, "the image says so itself"
    config["root"]["readonly"] = True
    config["process"].update(terminal=False, noNewPrivileges=True,
                             capabilities={kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")})
    config["mounts"] = [m for m in config["mounts"] if m["destination"] not in ("/sys/fs/cgroup", "/etc/attlsd", "/run/attlsd")] + [
        {"destination": "/etc/attlsd", "type": "bind", "source": policy, "options": ["bind", "ro"]},
        {"destination": "/run/attlsd", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=0700", f"uid={USER}", f"gid={USER}"]}]
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] not in ("network", "cgroup")]
    config["linux"].pop("resources", None)
    config["linux"].pop("seccomp", None)
    with open(bundle + "/config.json", "w") as f:
        json.dump(config, f)
    server = subprocess.Popen([sys.executable, "-c", LEGACY, files], stderr=subprocess.DEVNULL)
    name = f"attlsd-test-{os.getpid()}"
    with open(folder / "log", "w") as log:
        attlsd = subprocess.Popen(["runc", "run", "--bundle", bundle, name], stdout=log, stderr=log,
                                  stdin=subprocess.DEVNULL)
    said = lambda: (folder / "log").read_text()
    try:
        until(lambda: "ready " in said() or attlsd.poll() is not None, "ready")
        assert attlsd.poll() is None, said()
        until(lambda: reachable(2029), "the FTP server")
        yield {"name": name, "policy": policy, "process": attlsd, "said": said}
    finally:
        run("runc", "delete", "--force", name)
        attlsd.wait(30)
        server.kill()
        server.wait()


def inside(container, *argv):
    return run("runc", "exec", container["name"], *argv)


def processes(container):
    """The status of each process of the container."""
    first = json.loads(good("runc", "state", container["name"]))["pid"]
    space = os.readlink(f"/proc/{first}/ns/pid")
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{entry}/ns/pid") == space:
                with open(f"/proc/{entry}/status") as f:
                    yield dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        except OSError:
            continue


def test_it_has_no_privilege_at_all(container):
    found = list(processes(container))
    assert len(found) >= 2, "a monitor and a worker"
    for status in found:
        assert set(status["Uid"].split()) == {str(USER)} and int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, status
        assert status["NoNewPrivs"] == "1"
    assert inside(container, "/usr/bin/touch", "/usr/x").returncode != 0


def test_files_pass_through_it(container):
    got = os.path.join(os.path.dirname(container["policy"]), "got")
    curl = "curl", "-sS", "--cacert", container["policy"] + "/server.pem", "--ssl-reqd", "--user", "tester:word", "--max-time", "30"
    good(*curl, "-o", got, "ftp://localhost:2129/big")
    assert os.path.getsize(got) == 3 << 20
    good(*curl, "-T", got, "ftp://localhost:2129/up")


def test_the_health_check_answers(container):
    done = inside(container, "/usr/sbin/attlsctl", "status")
    assert done.returncode == 0, done.stderr + container["said"]()
    until(lambda: run("curl", "-sf", "http://127.0.0.1:8029/readyz").returncode == 0, "attlsd-http answers")


def test_a_stop_is_an_orderly_end(container):
    good("runc", "kill", container["name"], "TERM")
    assert container["process"].wait(30) == 0, container["said"]()
    assert "stopped" in container["said"]()

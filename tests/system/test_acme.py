"""contrib/acme: what the deploy hook does with the certificates of ACME clients, by their contract and with the clients themselves."""
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import types

import pytest

import certs
import net
import test_ocsp

ACME = os.path.join(net.ROOT, "contrib", "acme")
DEPLOY = os.path.join(ACME, "attlsd-deploy")


class Site:
    """An attlsd, its files, and the settings of the hook."""

    def __init__(self, folder, launch, backend):
        self.folder = folder
        self.authority = certs.Authority(folder)
        self.chain, self.key = (os.path.join(folder, "live", name) for name in ("server.pem", "server.key"))
        os.mkdir(os.path.dirname(self.chain))
        first = self.authority.issue("first", ["localhost"])
        shutil.copy(first["chain"], self.chain)
        shutil.copy(first["key"], self.key)
        self.gateway = launch(backend, keyrings={"ftpd": {"certificates": [{"chain": self.chain, "key": self.key}]}},
                              daemon={"control_socket": os.path.join(folder, "control.sock")})
        self.port = self.gateway.explicit[1]
        self.configure()

    def configure(self, **more):
        settings = {"policy": self.gateway.path, "chain": self.chain, "key": self.key, "verify": f"127.0.0.1:{self.port}", "wait": 1, **more}
        self.conf = os.path.join(self.folder, "acme.conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.writelines(f"{key}='{value}'\n" for key, value in settings.items())

    @property
    def environment(self):
        return {**os.environ, "ATTLSD_ACME_CONF": self.conf, "PATH": os.path.dirname(net.ATTLSCTL) + ":" + os.environ["PATH"]}

    def hook(self, *argv, program=DEPLOY, **environment):
        return subprocess.run([program, *argv], env={**self.environment, **environment}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=net.LIMIT)

    def served(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=net.DEADLINE) as sock:
            sock.recv(512)
            sock.sendall(b"AUTH TLS\r\n")
            assert sock.recv(512).startswith(b"234")
            context = ssl._create_unverified_context()  # pylint: disable=protected-access
            with context.wrap_socket(sock) as tls:
                return hashlib.sha256(tls.getpeercert(True)).hexdigest()

    def files(self):
        with open(self.chain, "rb") as chain, open(self.key, "rb") as key:
            return chain.read(), key.read()


def sha256(path):
    with open(path, encoding="ascii") as file:
        first = file.read().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN"):])).hexdigest()


@pytest.fixture
def site(launch, folder, backend):
    return Site(folder, launch, backend)


def contracts(folder, new):
    """What each client passes, as it documents it."""
    lineage = os.path.join(folder, "lineage")
    os.makedirs(lineage, exist_ok=True)
    shutil.copy(new["chain"], os.path.join(lineage, "fullchain.pem"))
    shutil.copy(new["key"], os.path.join(lineage, "privkey.pem"))
    return {
        "certbot": ((), {"RENEWED_LINEAGE": lineage, "RENEWED_DOMAINS": "localhost"}),
        "lego": ((), {"LEGO_CERT_PATH": new["chain"], "LEGO_CERT_KEY_PATH": new["key"], "LEGO_CERT_DOMAIN": "localhost"}),
        "acme.sh": ((), {"CERT_FULLCHAIN_PATH": new["chain"], "CERT_KEY_PATH": new["key"], "CERT_PATH": new["chain"]}),
        "dehydrated": (("deploy_cert", "localhost", new["key"], "/none", new["chain"], "/none", "1"), {}),
    }


@pytest.mark.parametrize("client", ["certbot", "lego", "acme.sh", "dehydrated"])
def test_the_new_certificate_is_served(site, client):
    new = site.authority.issue("second", ["localhost"], "rsa" if client == "lego" else "ecdsa")
    argv, environment = contracts(site.folder, new)[client]
    before = site.served()
    done = site.hook(*argv, **environment)
    assert done.returncode == 0, done.stderr
    assert site.served() == sha256(new["chain"]) != before
    assert os.stat(site.key).st_mode & 0o777 == 0o600 and os.stat(site.chain).st_mode & 0o777 == 0o644
    assert os.stat(site.key).st_uid == os.geteuid()
    assert sorted(os.listdir(os.path.dirname(site.key))) == [".acme.lock", "server.key", "server.pem"]


@pytest.mark.parametrize("text, status", [("daemon: { node: edge-1 }\n", 0), ("daemon: { workers: 2 }\n", 1)])
def test_the_file_of_the_node_is_checked_too(site, text, status):
    new = site.authority.issue("second", ["localhost"])
    node, before = os.path.join(site.folder, "node one.yaml"), site.files()
    with open(node, "w", encoding="ascii") as file:
        file.write(text)
    site.configure(node=node)
    done = site.hook(new["chain"], new["key"])
    assert done.returncode == status and ("node one.yaml" in done.stderr) == bool(status), done.stderr
    assert (site.files() == before) == bool(status)


def test_the_deploy_hook_of_acme_sh(site):
    new = site.authority.issue("second", ["localhost"])
    script = f'. {ACME}/attlsd.sh; attlsd_deploy localhost {new["key"]} none none {new["chain"]}'
    done = site.hook("-c", script, program="sh", ATTLSD_DEPLOY=DEPLOY)
    assert done.returncode == 0 and site.served() == sha256(new["chain"]), done.stderr


def test_other_hooks_of_dehydrated_do_nothing(site):
    for name in "deploy_challenge", "clean_challenge", "startup_hook", "exit_hook", "unchanged_cert", "this_hookscript_is_broken__":
        done = site.hook(name, "localhost")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), name


def faults(site):
    new = site.authority.issue("sec_ond", ["localhost"])  # the underscore makes it look like a hook of dehydrated
    other = site.authority.issue("third", ["localhost"])
    empty = os.path.join(site.folder, "empty.pem")
    with open(empty, "w", encoding="ascii"):
        pass
    yield "does not belong", (new["chain"], other["key"]), {}
    yield "missing or empty", (empty, new["key"]), {}
    yield "missing or empty", (new["chain"], "/nonexistent"), {}
    yield "cannot be read or has expired", (new["key"], new["key"]), {}
    # attlsd has the new files in force, and something else answers where the hook asks
    yield "no certificate", (new["chain"], new["key"]), {"verify": "127.0.0.1:9"}
    yield "the old files are back", (new["chain"], new["key"]), {"policy": "/nonexistent/policy.yaml"}


def test_a_fault_leaves_the_old_certificate_in_force(site):
    before, served = site.files(), site.served()
    for want, argv, settings in faults(site):
        site.configure(**settings)
        done = site.hook(*argv)
        assert done.returncode == 1 and want in done.stderr, (want, done.stderr)
        assert site.files() == before and site.served() == served, want
        assert sorted(os.listdir(os.path.dirname(site.key))) == [".acme.lock", "server.key", "server.pem"], want


def test_one_file_has_both(site):
    """As in policies that `attlsctl import --vsftpd` makes; the new chain may have its key with it, too."""
    both = site.chain
    with open(both, "a", encoding="ascii") as file, open(site.key, encoding="ascii") as key:
        file.write(key.read())
    os.unlink(site.key)
    site.key = os.path.join(os.path.dirname(both), "..", "live", "server.pem")  # another way to the same file
    with open(site.gateway.path, encoding="utf-8") as file:
        policy = file.read()
    with open(site.gateway.path, "w", encoding="utf-8") as file:
        file.write(policy.replace("server.key", "server.pem"))
    site.configure()
    new = site.authority.issue("second", ["localhost"])
    pair = os.path.join(site.folder, "pair.pem")
    with open(pair, "w", encoding="ascii") as file:
        for part in new["chain"], new["key"]:
            with open(part, encoding="ascii") as source:
                file.write(source.read().removesuffix("\n") + ("\n" if part == new["chain"] else ""))
    for argv in (new["chain"], new["key"]), (pair, pair):
        done = site.hook(*argv)
        assert done.returncode == 0 and site.served() == sha256(new["chain"]), done.stderr
        with open(both, encoding="ascii") as file, open(new["chain"], encoding="ascii") as chain, open(new["key"], encoding="ascii") as key:
            assert file.read() == chain.read() + key.read()
        assert os.stat(both).st_mode & 0o777 == 0o600
    before = site.files()
    other = site.authority.issue("third", ["localhost"])
    site.configure(verify="127.0.0.1:9")
    assert site.hook(other["chain"], other["key"]).returncode == 1 and site.files() == before
    assert site.served() == sha256(new["chain"])
    assert sorted(os.listdir(os.path.dirname(both))) == [".acme.lock", "server.pem"]


def test_no_key_gets_into_the_chain(site):
    new = site.authority.issue("second", ["localhost"])
    pair = os.path.join(site.folder, "pair.pem")
    with open(pair, "w", encoding="ascii") as file:
        for part in new["key"], new["chain"]:
            with open(part, encoding="ascii") as source:
                file.write(source.read())
    done = site.hook(pair, pair)
    assert done.returncode == 0 and site.served() == sha256(new["chain"]), done.stderr
    assert b"PRIVATE" not in site.files()[0] and b"CERTIFICATE" not in site.files()[1]


def fail_at(site, program, pattern):
    """A folder for PATH whose program fails if its arguments have this pattern of the shell."""
    folder = os.path.join(site.folder, "failing")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, program)
    with open(path, "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\ncase "$*" in {pattern}) echo "{program}: no" >&2; exit 1 ;; esac\nexec {shutil.which(program)} "$@"\n')
    os.chmod(path, 0o755)
    return {"PATH": folder + ":" + site.environment["PATH"]}


@pytest.mark.parametrize("program, pattern", [("mv", "*server.pem.new*"), ("mv", "*server.key.new*"), ("cp", "*server.pem.old*"),
                                              ("cp", "*server.key.old*"), ("sync", "*server.key.new"), ("chmod", "*")])
def test_a_file_that_cannot_be_replaced(site, program, pattern):
    before, served = site.files(), site.served()
    new = site.authority.issue("second", ["localhost"])
    own = site.chain + ".old"  # somebody's own copy
    if program in ("sync", "chmod"):
        shutil.copy(site.chain, own)
    done = site.hook(new["chain"], new["key"], **fail_at(site, program, pattern))
    assert done.returncode == 1 and f"{program}: no" in done.stderr, done.stderr
    assert site.files() == before and site.served() == served
    assert ("the old files are back" in done.stderr) == (program == "mv")
    left = [os.path.basename(own)] if os.path.exists(own) else []
    assert sorted(os.listdir(os.path.dirname(site.key))) == [".acme.lock", "server.key", "server.pem", *left]
    assert bool(left) == (program in ("sync", "chmod"))


def test_a_file_that_cannot_be_restored_is_named(site):
    before = site.files()
    new = site.authority.issue("second", ["localhost"])
    done = site.hook(new["chain"], new["key"], **fail_at(site, "mv", "*server.pem.new*|*server.key.old*"))
    assert done.returncode == 1 and re.search(r"not restored.*/server\.key$", done.stderr, re.M), done.stderr
    assert site.files()[0] == before[0]
    with open(site.key + ".old", "rb") as file:
        assert file.read() == before[1]


def test_an_ocsp_response_leaves_nothing_beside_it(site):
    responder = test_ocsp.Responder(site.folder, types.SimpleNamespace(ca=site.authority))
    response = responder.respond("response.der", site.authority.issue("second", ["localhost"]))
    ocsp = os.path.join(site.folder, "live", "server.ocsp")
    shutil.copy(response, ocsp)
    site.configure(ocsp=ocsp)
    before = site.files()
    done = site.hook("deploy_ocsp", "localhost", response, "0")
    assert done.returncode == 0 and site.files() == before, done.stderr
    assert sorted(os.listdir(os.path.dirname(site.key))) == [".acme.lock", "server.key", "server.ocsp", "server.pem"]
    done = site.hook("deploy_ocsp", "localhost", response, "0", **fail_at(site, "mv", "*.ocsp.new*"))
    assert done.returncode == 1 and "the old files are back" in done.stderr
    assert sorted(os.listdir(os.path.dirname(site.key))) == [".acme.lock", "server.key", "server.ocsp", "server.pem"]


@pytest.fixture
def pebble(folder):
    """A real ACME server that takes every challenge as met."""
    if shutil.which("pebble") is None:
        pytest.skip("the package pebble is not installed")
    authority = certs.Authority(os.path.join(folder, "."), "pebble")
    own = authority.issue("pebble", ["localhost", "127.0.0.1"])
    port, management = free_port(), free_port()
    config = os.path.join(folder, "pebble.json")
    with open(config, "w", encoding="ascii") as file:
        json.dump({"pebble": {"listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{management}",
                              "certificate": own["chain"], "privateKey": own["key"], "httpPort": 5002, "tlsPort": 5001,
                              "ocspResponderURL": "", "externalAccountBindingRequired": False}}, file)
    server = subprocess.Popen(["pebble", "-config", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
                              preexec_fn=net.die_with_parent)
    for line in server.stdout:
        if "ACME directory available" in line:
            break
    yield f"https://localhost:{port}/dir", authority.pem
    server.kill()
    server.communicate()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def run_dehydrated(site, directory, ca):
    base = os.path.join(site.folder, "dehydrated")
    os.makedirs(os.path.join(base, "challenges"))
    with open(os.path.join(base, "config"), "w", encoding="ascii") as file:
        file.write(f"CA={directory}\nCURL_OPTS='--cacert {ca}'\nBASEDIR={base}\nWELLKNOWN={base}/challenges\nHOOK={DEPLOY}\n"
                   "ACCOUNT_KEYSIZE=2048\nKEY_ALGO=prime256v1\n")
    command = ["dehydrated", "--config", os.path.join(base, "config")]
    subprocess.run([*command, "--register", "--accept-terms"], check=True, capture_output=True, env=site.environment, timeout=net.LIMIT)
    return subprocess.run([*command, "--cron", "--domain", "localhost"], capture_output=True, text=True, env=site.environment,
                          timeout=net.LIMIT)


def run_lego(site, directory, ca):
    return subprocess.run(["lego", "--server", directory, "--email", "a@example.org", "--accept-tos", "--domains", "localhost",
                           "--path", os.path.join(site.folder, "lego"), "--http", "--http.port", f":{free_port()}",
                           "run", "--run-hook", DEPLOY], capture_output=True, text=True,
                          env={**site.environment, "LEGO_CA_CERTIFICATES": ca}, timeout=net.LIMIT)


def run_certbot(site, directory, ca):
    base = os.path.join(site.folder, "certbot")
    return subprocess.run(["certbot", "certonly", "--standalone", "--http-01-port", str(free_port()), "--server", directory,
                           "--domain", "localhost", "--register-unsafely-without-email", "--agree-tos", "--non-interactive",
                           "--config-dir", base, "--work-dir", base, "--logs-dir", base, "--deploy-hook", DEPLOY],
                          capture_output=True, text=True, env={**site.environment, "REQUESTS_CA_BUNDLE": ca}, timeout=net.LIMIT)


@pytest.mark.parametrize("client,run", [("dehydrated", run_dehydrated), ("lego", run_lego), ("certbot", run_certbot)])
def test_a_client_gets_a_certificate_and_attlsd_shows_it(site, pebble, client, run):
    if shutil.which(client) is None:
        pytest.skip(f"the package {client} is not installed")
    before = site.served()
    done = run(site, *pebble)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.served() == sha256(site.chain) != before, done.stdout + done.stderr
    assert site.files()[0].count(b"BEGIN CERTIFICATE") > 1  # with the issuers

"""session_ticket_keys: nodes with the same file resume each other's TLS sessions."""
import base64
import hashlib
import os
import subprocess

import pytest

import client as clients
import gateway as gateways
import net
from test_client_auth import auth
from test_reuse import assert_refused, ticket_key_name
from test_ticket_keys import resumed, visit


def secret():
    return subprocess.run(["openssl", "rand", "-base64", "48"], capture_output=True, text=True, check=True).stdout


def write(path, *lines, mode=0o600):
    with open(path, "w") as f:
        f.write("".join(lines))
    os.chmod(path, mode)


@pytest.fixture(params=["1.2", "1.3"])
def ctx(request):
    return clients.context(versions=request.param)


@pytest.fixture
def keys(folder):
    path = os.path.join(folder, "ticket.keys")
    write(path, secret())
    return path


@pytest.fixture
def node(launch, backend, keys):
    def start(workers=1, **tls):
        return launch(backend, daemon={"workers": workers}, tls={"session_ticket_keys": keys, **tls})
    return start


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_every_worker_of_every_node(node, ctx, workers):
    one, two = node(workers), node(workers)
    session, _ = visit(one, ctx)
    assert resumed(two, ctx, session, visits=20) + resumed(one, ctx, session, visits=20) == 40


def test_after_a_reload_and_a_restart(node, ctx):
    one = node(2)
    session, _ = visit(one, ctx)
    assert one.reload()
    assert resumed(one, ctx, session, visits=8) == 8
    one.stop()
    two = node(2)
    assert resumed(two, ctx, session, visits=8) == 8


def test_without_the_file_another_node_resumes_nothing(launch, node, backend, ctx):
    one, without = node(), launch(backend)
    session, _ = visit(one, ctx)
    assert not visit(without, ctx, session)[1]
    session, _ = visit(without, ctx)
    assert not visit(one, ctx, session)[1]


def test_another_secret_resumes_nothing(node, keys, ctx):
    one = node()
    session, _ = visit(one, ctx)
    write(keys, secret())
    assert not visit(node(), ctx, session)[1]


def test_a_secret_is_replaced_without_a_gap(node, keys, ctx):
    """As the manual says: the new line second on all nodes, then first, then alone."""
    old, new = secret(), secret()
    write(keys, old)
    one = node(2)
    session, _ = visit(one, ctx)
    for lines in (old, new), (new, old):
        write(keys, *lines)
        assert one.reload()
        assert resumed(one, ctx, session, visits=4) == 4
    renewed, _ = visit(one, ctx, session)
    write(keys, new)
    assert one.reload()
    assert resumed(one, ctx, renewed, visits=4) == 4
    assert not visit(one, ctx, session)[1]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_and_a_ticket_that_was_changed(node, folder, version):
    one, two = node(), node()
    path = os.path.join(folder, "session.pem")

    def connect(gateway, *words):
        done = subprocess.run(["openssl", "s_client", version, "-starttls", "ftp", "-connect", "%s:%d" % gateway.explicit, *words],
                              input=b"QUIT\r\n", capture_output=True, timeout=net.DEADLINE)
        return done.stdout.decode(errors="replace")
    connect(one, "-sess_out", path, "-ign_eof")
    assert "Reused, TLS" in connect(two, "-sess_in", path, "-ign_eof")
    der = bytearray(subprocess.run(["openssl", "sess_id", "-in", path, "-outform", "DER"], capture_output=True, check=True).stdout)
    place = ticket_place(path, der)
    der[place] ^= 1
    changed = os.path.join(folder, "changed.der")
    with open(changed, "wb") as f:
        f.write(der)
    pem = subprocess.run(["openssl", "sess_id", "-in", changed, "-inform", "DER"], capture_output=True, text=True, check=True).stdout
    with open(changed, "w") as f:
        f.write(pem[pem.index("-----BEGIN"):])
    assert "New, TLS" in connect(two, "-sess_in", changed, "-ign_eof")


def ticket_place(path, der):
    """Where in the DER the encrypted part of the ticket is, by the dump that openssl prints."""
    text = subprocess.run(["openssl", "sess_id", "-in", path, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    lines = text.split("TLS session ticket:\n")[1].splitlines()
    ticket = b""
    for line in lines:
        if " - " not in line:
            break
        ticket += bytes.fromhex(line.split(" - ")[1][:47].replace("-", " "))
    return bytes(der).index(ticket) + 40  # after the key's name and the IV


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_and_data_connections(launch, backend, keys, version):
    """curl resumes the control connection's session on each data connection, as the policy demands."""
    gateway = launch(backend, tls={"session_ticket_keys": keys}, ftp={"secure_session_reuse": "required"})
    url = "ftp://user:pw@127.0.0.1:%d/hello.txt" % gateway.explicit[1]
    done = subprocess.run(["curl", "-sk", "--ssl-reqd", "--tls-max", version, url, url], capture_output=True, timeout=net.DEADLINE)
    assert done.stdout == b"hello, world\r\n" * 2, done.stderr


def test_epochs_come_and_go(node, ctx, folder):
    """The key changes with the time, on both nodes alike, and a ticket is good in its epoch and in the next one."""
    one, two = node(2, session_timeout="3s"), node(session_timeout="3s")
    names = []
    for _ in range(3):
        session, _ = visit(one, ctx)
        assert resumed(two, ctx, session, visits=2) == resumed(one, ctx, session, visits=2) == 2
        names.append(ticket_key_name(one, folder))
        net.until(lambda: ticket_key_name(one, folder) not in names, "the next epoch begins")
        net.until(lambda: ticket_key_name(two, folder) == ticket_key_name(one, folder), "on both nodes")
    assert len(set(names)) == 3


def test_data_connections_stay_bound(launch, backend, keys):
    """A ticket of another control session, from another node, opens no data connection."""
    nodes = [launch(backend, tls={"session_ticket_keys": keys}, ftp={"secure_session_reuse": "required"}) for _ in range(2)]
    ctx = clients.context()
    one, two = (clients.explicit(node, "P", ctx=ctx) for node in nodes)
    assert one.get("hello.txt", session=one.tls.session) == two.get("hello.txt", session=two.tls.session)
    assert_refused(nodes[1], two, one.tls.session, "ticket-of-another-session")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_rules_with_client_certificates_resume_nothing(launch, backend, certificates, partners, keys, version):
    """As without the file: each control connection shows its certificate again."""
    change = {"tls": {"session_ticket_keys": keys, **auth("required")},
              "keyrings": {"ftpd": {"certificates": [certificates.ecdsa], "trust": partners.ca.pem}}}
    ctx = clients.context(versions=version, own=partners.cert["good"])
    one, two = launch(backend, **change), launch(backend, **change)
    session, _ = visit(one, ctx)
    assert not visit(one, ctx, session)[1] and not visit(two, ctx, session)[1]


@pytest.mark.parametrize("mode, text, says", [
    (0o644, None, "chmod 600"), (0o600, "c2hvcnQ=\n", "too short"), (0o600, "# none\n", "openssl rand -base64 48"),
])
def test_check_names_the_fault_and_not_the_secret(certificates, folder, keys, mode, text, says):
    text = text or secret()
    write(keys, text, mode=mode)
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls={"session_ticket_keys": keys})))
    status, said = gateways.check(path)
    assert status == 1 and says in said and "session_ticket_keys" in said and text.strip() not in said.replace(os.path.basename(path), "")


def test_a_reload_with_a_bad_file_changes_nothing(node, keys, ctx):
    one = node()
    session, _ = visit(one, ctx)
    write(keys, "short\n")
    assert not one.reload()
    assert visit(one, ctx, session)[1]


def test_workers_do_not_have_the_secret(node, keys):
    """Neither the file's text, nor what is derived from it for all epochs, is in a worker's memory."""
    gateway = node(2)
    visit(gateway, clients.context())
    with open(keys) as f:
        text = f.read().strip()
    secrets = text.encode(), base64.b64decode(text), hashlib.sha256(base64.b64decode(text)).digest()
    for pid in [*gateway.workers(), *gateway.signers()]:
        memory = read_memory(pid)
        assert len(memory) > 1000000
        assert not any(one in memory for one in secrets), pid
    # the test sees it where it is
    assert any(one in read_memory(gateway.pid) for one in secrets)


def read_memory(pid):
    pieces = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            low, high = (int(x, 16) for x in span.split("-"))
            if "r" not in rights or "[v" in line or high - low > 1 << 28:
                continue
            memory.seek(low)
            try:
                pieces.append(memory.read(high - low))
            except OSError:
                pass
    return b"".join(pieces)

"""Session tickets: all workers make and read them with the same keys, across reloads and restarts of a worker."""
import os
import signal

import pytest

import client as clients
import gateway as gateways
import net
from test_reuse import ticket_key_name

def visit(gateway, ctx, session=None):
    """One control connection. Returns its session (with TLS 1.3 that of the newest ticket) and whether it has resumed."""
    with clients.Client(gateway.explicit, ctx=ctx) as c:
        c.auth(session=session)
        c.expect("NOOP", 200)  # a reply brings the tickets in
        return c.tls.session, c.tls.reused


@pytest.fixture(params=["1.2", "1.3"])
def ctx(request):
    return clients.context(versions=request.param)


@pytest.fixture
def four(launch, backend):
    return launch(backend, daemon={"workers": 4})


def resumed(gateway, ctx, session, visits):
    """How many of so many visits resume. Each connection stays open until the last, so that all workers get some."""
    open_ones, n = [], 0
    try:
        for _ in range(visits):
            c = clients.Client(gateway.explicit, ctx=ctx)
            open_ones.append(c)
            c.auth(session=session)
            n += c.tls.reused
    finally:
        for c in open_ones:
            c.close()
    return n


def test_every_worker_resumes(four, ctx):
    session, _ = visit(four, ctx)
    assert resumed(four, ctx, session, visits=16) == 16


def test_a_reload_resumes(four, ctx):
    session, _ = visit(four, ctx)
    four.reload()
    assert resumed(four, ctx, session, visits=8) == 8


def test_a_new_worker_resumes(four, ctx):
    session, _ = visit(four, ctx)
    old = set(four.workers())
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    net.until(lambda: len(set(four.workers()) - old) == 4, "four new workers are there")
    assert resumed(four, ctx, session, visits=8) == 8


def test_a_changed_action_does_not_resume(launch, backend, certificates):
    ctx = clients.context(versions="1.3")
    gateway = launch(backend)
    session, _ = visit(gateway, ctx)
    tree = gateways.policy(certificates, backend.address, tls={"ciphersuites": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]})
    gateway.reload(tree)
    assert not visit(gateway, ctx, session)[1]


def test_another_action_does_not_resume(launch, backend):
    """Two listeners with actions of their own: a ticket of one is nothing to the other."""
    ctx = clients.context(versions="1.3")
    gateway = launch(backend, tls_actions={"other": {"keyring": "ftpd"}},
                     listeners={"second": {"address": "127.0.0.1:0"}},
                     rules={"second": {"priority": 2, "match": {"listener": "second"}, "tls": "other", "ftp": "standard",
                                       "backend": "legacy"}})
    session, _ = visit(gateway, ctx)
    assert visit(gateway, ctx, session)[1]
    with clients.Client(gateway.address["second"], ctx=ctx) as c:
        c.auth(session=session)
        assert not c.tls.reused


def test_keys_change_for_all_workers(launch, backend, ctx, folder):
    gateway = launch(backend, daemon={"workers": 4}, tls={"session_ticket_rotation": "1s"})
    session, _ = visit(gateway, ctx)
    names = {ticket_key_name(gateway, folder)}
    for changes in 2, 3:
        def changed():
            names.add(ticket_key_name(gateway, folder))
            return len(names) >= changes
        net.until(changed, "the key changes")
        assert resumed(gateway, ctx, session, visits=8) == 8
    renewed, _ = visit(gateway, ctx, session)
    assert resumed(gateway, ctx, renewed, visits=8) == 8

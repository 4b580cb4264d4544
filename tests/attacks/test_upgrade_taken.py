"""What a worker or an HTTP process under an attacker's control may do while an upgrade hands over: with the old monitor and the
new one, between the state and the end of the trial. The numbers continue those of the other files."""
import contextlib
import os
import signal

import pytest

import client as clients
import net
import share

ATTACKS = os.path.join(net.BUILD, "tests", "attacks")
TAKEN = os.path.join(ATTACKS, "attlsd_taken")


@pytest.fixture(name="taken")
def taken_fixture(upgradable, backend, monkeypatch, folder):
    """Starts an attlsd_taken with two workers. Does the first worker of the old one do `how`, or that of the new one?"""
    def start(how, of="old", **more):
        once = os.path.join(folder, "taken")
        monkeypatch.setattr(net, "ATTLSD", TAKEN)
        if of == "old":
            monkeypatch.setenv("ATTLSD_TAKEN", how)
            monkeypatch.setenv("ATTLSD_TAKEN_ONCE", once)
        gateway = upgradable(backend, daemon={"workers": 2}, ftp=share.ports(2), **more)
        if of == "new":
            with open(os.path.join(gateway.programs, "taken-how"), "w", encoding="ascii") as f:
                f.write(how)
        return gateway
    return start


def settle(gateway, count=1):
    """The trial ends, and the two monitors agree on that."""
    assert not gateway.ctl("reload").returncode
    gateway.event("handed-over", count=count)


def assert_serves(gateway, backend):
    with share.Client(gateway, "127.0.0.2") as c:
        assert c.fetch("hello.txt") == backend.files["hello.txt"]


# 520. A worker of the old attlsd plans data connections all the time. Its monitor passes each plan on to the new one.
# Guards: DEBT_MAX_US in gateway/monitor/children.c leaves time for the old monitor's other work, and handover_send_spare() in
# gateway/base/handover-link.c leaves room for the messages that end the upgrade, and for the signals that the old one passes on.
def test_520_a_flood_of_plans_does_not_stop_an_upgrade(taken, backend):
    gateway = taken("plans")
    flooding = min(gateway.workers())
    with contextlib.suppress(PermissionError):  # as if there were no other load: it fills the pipe as fast as it can
        os.setpriority(os.PRIO_PROCESS, flooding, -20)
    with net.dial(gateway.explicit):
        assert_serves(gateway, backend)  # the flood has begun: the taken worker has the first session
        for count in (1, 2):
            gateway.upgrade(TAKEN)
            newest = int(gateway.event("upgraded", count=count).keys["pid"])
            assert_serves(gateway, backend)
            settle(gateway, count)
        assert not gateway.seen("upgrade-failed") and not gateway.seen("upgrade-undone")
        with net.stopped(newest):
            since = gateway.mark()
            gateway.event("taken", since, count=3, what="plan-refused")  # the link has as many plans as it takes
            gateway.process.send_signal(signal.SIGTERM)
            gateway.event("draining", since)  # it has been passed on
        gateway.event("draining", since, count=2)
        os.kill(flooding, signal.SIGKILL)  # it does not drain either
    assert gateway.process.wait(net.DEADLINE) == 0


# 521. A worker of the new attlsd lies as soon as it has a session, while the new one is on trial. Its monitor kills it, as ever,
# and the trial goes on. Guard: the table in gateway/monitor/requests.c; a session of the old attlsd is nobody's in the new one.
@pytest.mark.parametrize("how,reason", [("other-session", "not-its-session"), ("piece", "piece-of-a-message"), ("order", "unknown-message")])
def test_521_a_lie_during_the_trial_ends_the_worker_only(taken, backend, how, reason):
    gateway = taken(how, of="new")
    with clients.explicit(gateway) as before:
        gateway.upgrade(TAKEN)
        gateway.event("upgraded")
        with net.dial(gateway.explicit):
            assert gateway.event("worker-killed").keys["reason"] == reason
        assert_serves(gateway, backend)
        before.expect("NOOP", 200)
        settle(gateway)
        assert not gateway.seen("upgrade-undone")


# 522. The HTTP processes of both attlsds ask without end, and the new monitor passes each question on to the old one.
# Guards: either of two is enough. on_questions() in gateway/monitor/http-child.c answers so many in a second, which 333 tests
# without the other; handover_send_spare() leaves room for the end of the trial, which 520 tests without this one.
def test_522_a_flood_of_questions_does_not_stop_an_upgrade(upgradable, backend, monkeypatch, folder):
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="ascii") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("flood-of-questions".ljust(24, "."))
    monkeypatch.setattr(net, "BUILD", ATTACKS)  # where its attlsd-http is
    gateway = upgradable(backend, daemon={"workers": 2, "http": "127.0.0.1:0", "http_token_file": token})
    with clients.explicit(gateway, "P") as before:
        old = gateway.pid
        for count in (1, 2):
            gateway.upgrade(net.ATTLSD)
            new = int(gateway.event("upgraded", count=count).keys["pid"])
            gateway.event("taken", count=2 * count)  # the HTTP process of the new one asks, too
            with net.stopped(old):
                for _ in range(5):  # while the new monitor answers operators, it passes on all questions that it would
                    assert not gateway.ctl("backend").returncode
                assert not gateway.ctl("reload").returncode  # which ends the trial
            gateway.event("handed-over", count=count)
            old = new
        assert before.get("hello.txt") == backend.files["hello.txt"]
        assert len(gateway.seen("http-started")) == 5  # one more for each reload

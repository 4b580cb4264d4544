"""A worker under an attacker's control that says of every server that it is down."""
import os

import net

BUILD = os.environ.get("ATTLSD_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))


def test_347_a_lying_worker_takes_no_server_down(launch, make_backend, folder, monkeypatch):
    """Not even with fall: 1, and not by results of checks that it was not asked for."""
    monkeypatch.setenv("ATTLSD_TAKEN", "says-down")
    monkeypatch.setenv("ATTLSD_TAKEN_ONCE", os.path.join(folder, "taken"))
    monkeypatch.setattr(net, "ATTLSD", os.path.join(BUILD, "tests/attacks/attlsd_taken"))
    servers = [make_backend() for _ in range(2)]
    gateway = launch(backends={"legacy": {"address": None, "addresses": ["%s:%d" % server.address for server in servers],
                                          "health": {"check": "greeting", "interval": "1s", "fall": 1, "rise": 1}}},
                     daemon={"workers": 2})
    for server in servers:  # by the honest worker; the other one makes no connection
        server.wait(lambda: len(server.sessions) >= 2, "two checks, with one of the other worker in between")  # noqa: B023
    assert not gateway.seen("backend-down")

"""greet_first: the gateway greets, and the server gets a connection only for a command that needs it."""
import pytest

import client as clients
import net

LATE = {"legacy": {"greet_first": True}}
CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


@pytest.fixture
def late(launch, backend):
    return launch(backend, backends=LATE, ftp=CLEAR)


@pytest.mark.parametrize("start", ["clear", "explicit", "implicit"])
def test_the_server_is_dialled_at_user(late, backend, start):
    """Before USER, the server has no connection; then all goes on as usual, with data connections."""
    c = clients.Client(late.address["implicit" if start == "implicit" else "explicit"], implicit=start == "implicit")
    assert c.greeting == "220 FTP server ready."
    if start == "explicit":
        c.auth()
    if start != "clear":
        c.prot("P")
    assert not backend.sessions
    c.login()
    assert backend.everything() == ["USER user", "PASS pass"]
    assert c.get("hello.txt") == backend.files["hello.txt"]
    c.expect("QUIT", 221)
    c.close()


@pytest.mark.parametrize("lines", [[], ["QUIT"], ["FEAT", "QUIT"], ["AUTH GSSAPI", "PBSZ 0", "QUIT"]])
def test_who_never_logs_in_costs_no_connection(late, backend, lines):
    with clients.Client(late.explicit) as c:
        for line in lines:
            c.cmd(line)
    late.event("session-end")
    assert not backend.sessions


def test_a_server_that_is_down(launch):
    """The client is greeted, and hears of it at USER; its password is never asked for."""
    with net.listen("127.0.0.1") as closed:
        address = closed.getsockname()[:2]
    gateway = launch(address, backends=LATE)
    with clients.Client(gateway.explicit).auth() as c:
        assert c.cmd("USER user").code == 421
    assert gateway.event("session-end").keys["reason"] == "server-down"


def test_rein_greets_again(late, backend):
    with clients.Client(late.explicit) as c:
        c.login()
        c.expect("REIN", 220)
        late_sessions = len(backend.sessions)
        assert late_sessions == 1
        c.login("other")
    assert backend.session(1).lines[:1] == ["USER other"]

"""The gateway's own address toward a server: source as an address, an interface, or neither."""
import pytest

import client as clients

MODES = [("passive", lambda server: server.dialled[-1][0]), ("active", lambda server: server.target[0])]


@pytest.mark.parametrize("source,seen", [("gateway", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("interface:lo", "127.0.0.1")])
@pytest.mark.parametrize("data,address_of", MODES, ids=[name for name, _ in MODES])
def test_control_and_data_have_one_address(launch, backend, source, seen, data, address_of):
    gateway = launch(backend, backends={"legacy": {"address": "%s:%d" % backend.address, "source": source, "data": data}})
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
        assert backend.session().peer[0] == seen
        assert address_of(backend.session()) == seen


def test_an_address_that_is_not_here(launch, backend):
    """192.0.2.1 is for documentation (RFC 5737): the policy works with a warning, and the server is never dialled from elsewhere."""
    gateway = launch(backend, backends={"legacy": {"address": "%s:%d" % backend.address, "source": "192.0.2.1"}})
    assert 'no interface of this host has the "source" of backends "legacy"' in gateway.log
    with clients.Client(gateway.explicit, greet=False) as c:
        assert c.reply().code == 421
    assert gateway.event("server-down").keys["error"] == "Cannot assign requested address"
    assert not backend.sessions

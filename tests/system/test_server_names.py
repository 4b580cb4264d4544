"""Backends by name: all addresses are tried, and none may lead back to attlsd."""
import os
import shlex

import pytest

import client as clients
import gateway as gateways
import net

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a hosts file of its own")


def with_hosts(folder, *lines):
    path = os.path.join(folder, "hosts")
    with open(path, "w") as f:
        f.write("127.0.0.1 localhost\n" + "".join(line + "\n" for line in lines))
    return f"mount --bind {shlex.quote(path)} /etc/hosts"


def launch_by_name(certificates, folder, port, lines, **change):
    tree = gateways.policy(certificates, ("server.example", port), **change)
    return gateways.Launched(folder, tree, with_hosts(folder, *lines), "unshare", "-m")


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
def test_the_second_address_serves(certificates, make_backend, folder, tls):
    """As with localhost: ::1 comes first, and the server listens on 127.0.0.1 only."""
    backend = make_backend(files={"hello.txt": b"hello, world\r\n"})
    gateway = launch_by_name(certificates, folder, backend.address[1], ["::1 server.example", "127.0.0.1 server.example"]).ready()
    for _ in range(2):  # the second session as the first
        c = clients.explicit(gateway, level="P") if tls == "explicit" else clients.implicit(gateway).prot("P")
        with c:
            for mode in "PASV", "PORT":
                assert c.get("hello.txt", mode) == b"hello, world\r\n"
    assert not gateway.seen("server-down")
    gateway.stop()


def test_no_address_serves(certificates, folder):
    gateway = launch_by_name(certificates, folder, net.free_port(), ["::1 server.example", "127.0.0.1 server.example"]).ready()
    with clients.Client(gateway.explicit) as c:
        assert c.greeting.code == 421
    gateway.event("session-end")
    assert len(gateway.seen("server-down")) == 1
    gateway.stop()


@pytest.mark.parametrize("check", ["none", "greeting"])
def test_an_address_of_another_family_does_not_hide_that_a_server_is_dead(certificates, make_backend, folder, check):
    """Its name has an IPv6 address, too, which comes last, and attlsd has no source for it: that is not the server's fault."""
    good, dead = make_backend(), net.free_port()
    servers = {"address": None, "addresses": [f"server.example:{dead}", f"127.0.0.1:{good.address[1]}"], "source": "127.0.0.1",
               "health": {"interval": "1s", "fall": 1, "check": check}}
    tree = gateways.policy(certificates, good.address, backends={"legacy": servers}, daemon={"workers": 1})
    gateway = gateways.Launched(folder, tree, with_hosts(folder, "127.0.0.1 server.example", "2001:db8::1 server.example"),
                                "unshare", "-m").ready()
    if check == "none":
        with clients.Client(gateway.explicit) as c:
            assert c.greeting.code == 220
        failed = gateway.event("server-failed").keys
        assert failed["cause"] == "refused" and failed["address"] == f"127.0.0.1:{dead}", failed
        assert failed["error"] == "Connection refused"
    assert gateway.event("backend-down", address=f"server.example:{dead}").keys["cause"] == "refused"
    gateway.stop()


@pytest.mark.parametrize("listen,name", [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.9.9.9"), ("127.0.0.1", "0.0.0.0")])
def test_a_name_of_the_gateway_itself_is_refused(certificates, backend, folder, listen, name):
    port = net.free_port()
    tree = gateways.policy(certificates, ("server.example", port), listeners={"explicit": {"address": f"{listen}:{port}"}})
    gateway = gateways.Launched(folder, tree, with_hosts(folder, name + " server.example"), "unshare", "-m")
    assert gateway.ended() == 78
    assert 'backends "legacy" leads to listeners "explicit"' in gateway.log and "policy.yaml:" in gateway.log


def test_a_reload_looks_again(certificates, backend, folder):
    """The name is switched to the gateway while attlsd runs."""
    port = net.free_port()
    gateway = gateways.Launched(folder, gateways.policy(
        certificates, ("server.example", port), listeners={"explicit": {"address": f"127.0.0.1:{port}"}}),
        with_hosts(folder, "127.0.0.7 server.example"), "unshare", "-m").ready()
    assert gateway.reload()
    with_hosts(folder, "127.0.0.1 server.example")
    assert not gateway.reload()
    assert "attlsd would connect to itself" in gateway.log
    gateway.stop()

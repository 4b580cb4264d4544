"""The port from which active clients are dialled: data_port any and lower (RFC 959 3.2)."""
import pytest

import client as clients
import net

# an own address, so that low ports collide with no other test's
LOW = "127.0.89.90"


def ports_of(host="127.0.0.1"):
    """A free port whose lower neighbour is free as well."""
    while True:
        port = net.free_port(host)
        try:
            net.listen(host, port=port - 1).close()
            return port
        except OSError:
            continue


def active(c, command):
    """A transfer's data connection and the port that it comes from."""
    with net.listen(c.sock.getsockname()[0]) as listener:
        c.eprt(listener)
        c.expect(command, 150)
        sock, peer = listener.accept()
        return c.wrap(sock), peer


def fetch(c, name):
    data, peer = active(c, "RETR " + name)
    content = data.read_all()
    data.close()
    c.reply()
    return content, peer


def lower(launch, backend, host="127.0.0.1", port=None, tls="explicit", **ftp):
    port = port or ports_of(host)
    return launch(backend, ftp={"data_port": "lower", "secure_dataconn": "clear", **ftp},
                  listeners={"explicit": {"address": f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "tls": tls},
                             "implicit": None})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("level", ["C", "P"])
def test_lower_is_the_control_port_minus_one(launch, backend, host, level):
    if ":" in host and not net.have_ipv6():
        pytest.skip("no IPv6 on this machine")
    gateway = lower(launch, backend, host)
    with clients.explicit(gateway, level) as c:
        for _ in range(3):
            content, peer = fetch(c, "big")
            assert content == backend.files["big"] and peer[:2] == (host, gateway.explicit[1] - 1)
        data, peer = active(c, "STOR up")
        data.send(b"content")
        data.close()
        assert c.reply().code == 226 and peer[1] == gateway.explicit[1] - 1


def test_any_is_another_port(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        assert fetch(c, "big")[1][1] != gateway.explicit[1] - 1


@pytest.mark.skipif(not net.IS_ROOT, reason="low ports need root")
@pytest.mark.parametrize("port,tls", [(21, "explicit"), (990, "implicit")])
def test_a_low_port_comes_from_the_monitor(launch, backend, port, tls):
    """20 and 989, which a worker cannot bind itself."""
    gateway = lower(launch, backend, LOW, port, tls)
    sessions = [clients.Client(gateway.explicit, implicit=tls == "implicit", source=("127.0.0.%d" % n, 0)) for n in (2, 3)]
    for c in sessions:
        if tls == "explicit":
            c.auth().prot("P")
        c.login()
    # both at once, and again: one port serves many connections
    for _ in range(2):
        pairs = [active(c, "RETR big") for c in sessions]
        for c, (data, peer) in zip(sessions, pairs):
            assert peer == (LOW, port - 1)
            assert data.read_all() == backend.files["big"]
            data.close()
            assert c.reply().code == 226
    for c in sessions:
        c.close()


def test_many_connections_from_one_port(launch, backend):
    gateway = lower(launch, backend)
    sessions = [clients.explicit(gateway, "C") for _ in range(8)]
    pairs = [active(c, "RETR big") for c in sessions]
    for c, (data, peer) in zip(sessions, pairs):
        assert peer[1] == gateway.explicit[1] - 1 and data.read_all() == backend.files["big"]
        data.close()
        assert c.reply().code == 226
        c.close()


def test_a_port_that_is_taken_is_said(launch, backend):
    """The client gets 425, the log says why, and the session goes on."""
    gateway = lower(launch, backend)
    with clients.explicit(gateway, "C") as c, net.listen(port=gateway.explicit[1] - 1) as other, net.listen() as listener:
        c.port(listener)
        c.send("RETR hello.txt\r\n")
        replies = [c.reply()]
        if replies[0].code == 150:
            replies.append(c.reply())
        assert replies[-1].code == 425, replies
        event = gateway.event("no-active-port")
        assert event.keys["from"] == "127.0.0.1:%d" % (gateway.explicit[1] - 1) and "use" in event.keys["error"]
        assert event.keys["rule"] == "everyone" and event.keys["client"].startswith("127.0.0.1:") and event.keys["fix"]
        other.close()
        assert fetch(c, "hello.txt")[0] == backend.files["hello.txt"]


def test_the_same_port_of_the_client_again(launch, backend):
    """A client that asks for one port again and again: each transfer works or is refused with a reason, none hangs."""
    gateway = lower(launch, backend)
    with clients.explicit(gateway, "C") as c, net.listen() as listener:
        for _ in range(5):
            c.port(listener)
            c.send("RETR hello.txt\r\n")
            reply = c.reply()
            if reply.code == 150:
                reply = c.reply() if gateway.seen("no-active-port") else reply
            if reply.code == 150:
                sock, peer = listener.accept()
                assert peer[1] == gateway.explicit[1] - 1
                data = c.wrap(sock)
                assert data.read_all() == backend.files["hello.txt"]
                data.close()
                reply = c.reply()
            assert reply.code == 226 or (reply.code == 425 and gateway.event("no-active-port"))

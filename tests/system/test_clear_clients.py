"""Clients that never speak TLS (listeners with tls: none), and rules that match them by direction and destination."""
import client as clients
from proxy_header import v1

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}


def test_rules_for_clients_in_the_clear(launch, backend):
    """localhost is looked up at start, and the worker gets its addresses; here the destination is attlsd itself."""
    gateway = launch(backend, ftp=CLEAR, listeners={"explicit": {"tls": "none"}},
                     rules={"everyone": {"direction": "inbound"},
                            "out": {"direction": "outbound", "match": {"destination": ["localhost"]}, "ftp": "standard", "backend": "legacy"}})
    with clients.Client(gateway.explicit) as c:
        features = c.expect("FEAT", 211)
        assert not {"AUTH", "PBSZ", "PROT", "CCC"} & set(features.split())
        assert c.cmd("AUTH TLS").code == 502 and c.cmd("PROT P").code in (502, 503)
        c.login()
        assert c.get("hello.txt") == b"hello, world\r\n"
        assert c.put("up", b"content").code == 226
        assert backend.upload("up") == (b"content", "fin")
    assert gateway.event("session-start").keys["rule"] == "out"
    with clients.implicit(gateway) as c:
        c.expect("PWD", 257)
    assert [one.keys["rule"] for one in gateway.events if one.name == "session-start"] == ["out", "everyone"]


def test_clients_in_the_clear_behind_a_balancer(launch, backend):
    """The time that a header has is that of handshakes, but there are none here."""
    gateway = launch(backend, ftp=CLEAR, listeners={"explicit": {"tls": "none", "proxy_protocol": ["127.0.0.1"]}, "implicit": {"proxy_protocol": ["127.0.0.1"]}},
                     rules={"everyone": {"match": {"listener": "implicit"}}, "out": {"match": {"listener": "explicit"}, "ftp": "standard", "backend": "legacy"}})
    for _ in range(2):
        with clients.Client(gateway.explicit, header=v1(("127.0.0.1", 40000), ("127.0.0.1", 21))) as c:
            c.login()
            assert c.get("hello.txt") == b"hello, world\r\n"
        with clients.Client(gateway.implicit, implicit=True, header=v1(("127.0.0.1", 40000), ("127.0.0.1", 990))) as c:
            c.login()
    assert not gateway.seen("worker-died")

"""FTP bounce: no PORT, EPRT or 227 makes the gateway connect to another host or a low port."""
import pytest

import client as clients
import net


@pytest.mark.parametrize("line,codes", [
    ("PORT 127,0,0,2,200,10", (504,)), ("PORT 10,1,2,3,200,10", (504,)), ("PORT 0,0,0,0,200,10", (504,)),
    ("PORT 127,0,0,1,0,21", (504,)), ("PORT 127,0,0,1,3,255", (504,)), ("PORT 127,0,0,1,0,0", (501, 504)),
    ("EPRT |1|127.0.0.2|51210|", (504,)), ("EPRT |1|127.0.0.1|1023|", (504,)), ("EPRT |1|127.0.0.1|0|", (501, 504)),
    ("EPRT |2|::ffff:10.0.0.1|51210|", (501, 504, 522)), ("EPRT |2|::1|51210|", (522,)), ("EPRT |1|::1|51210|", (501,)),
    ("EPRT |1|127.0.0.1|65536|", (501,)), ("PORT 127,0,0,1,256,1", (501,)), ("PORT 127,0,0,1,1,2,3", (501,)),
    ("PORT 127,0,0,1,1", (501,)), ("PORT", (501,)), ("EPRT", (501,)), ("PORT 127,0,0,1,200,-1", (501,)),
    ("EPRT |1|127.0.0.1|51210", (501,)), ("EPRT 127.0.0.1 51210", (501,))])
def test_bounce(gateway, backend, line, codes):
    with clients.explicit(gateway, "C") as c:
        c.expect(line, *codes)
        c.expect("RETR hello.txt", 425)
        assert not {"PORT", "EPRT", "PASV", "EPSV", "RETR"} & set(backend.verbs())
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_policy_can_allow_foreign_addresses_and_low_ports_only_when_told(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "portcommandipaddr": "unrestricted"})
    with clients.explicit(gateway, "C") as c, net.listen("127.0.0.2") as elsewhere:
        c.port(elsewhere)
        c.expect("RETR hello.txt", 150)
        sock, _ = elsewhere.accept()
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226
        c.expect("PORT 127,0,0,2,0,80", 504)


def pasv(host, port=None, text="227 Entering Passive Mode (%s,%d,%d)"):
    def answer(session, _):
        real = session.passive() if port is None else port
        session.reply(text % (host, real >> 8, real & 255))
    return answer


@pytest.mark.parametrize("host", ["10,1,2,3", "127,0,0,2", "0,0,0,0", "203,0,113,7"])
def test_a_227_with_a_foreign_address_dials_the_backend(launch, make_backend, host):
    backend = make_backend(files={"x": b"from the backend"}, EPSV="502 no", PASV=pasv(host))
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        assert c.get("x") == b"from the backend"
        assert c.put("up", b"to the backend").code == 226
        assert all(peer[0] == "127.0.0.1" for peer in backend.session().dialled)


@pytest.mark.parametrize("port", [0, 1, 22, 1023])
@pytest.mark.parametrize("verb", ["PASV", "EPSV"])
def test_a_low_port_of_the_backend_is_not_dialled(launch, make_backend, port, verb):
    script = {"PASV": pasv("127,0,0,1", port), "EPSV": "502 no" if verb == "PASV" else
              f"229 Entering Extended Passive Mode (|||{port}|)"}
    backend = make_backend(files={"x": b"x"}, **script)
    gateway = launch(backend, backends={"legacy": {"data": "passive"}})
    with clients.explicit(gateway, "P") as c:
        reply = c.cmd("PASV")
        if reply.code == 227:
            reply = c.cmd("RETR x")
        assert reply.code in (425, 421), reply
    assert "RETR" not in backend.verbs()

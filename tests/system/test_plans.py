"""Ways to a data connection with the server: ports that cannot be reached, servers that accept early, what is remembered."""
import socket

import pytest

import client as clients
import net


def refused(session):
    """A port that answers with a reset."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    session.data.append(taken)
    return taken.getsockname()[1]


def silent(session):
    """A port that answers nothing, as behind a firewall that drops: its queue is full."""
    full = net.listen(backlog=0)
    session.data.append(full)
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(full.getsockname())
        session.data.append(one)
    return full.getsockname()[1]


def epsv_at(find):
    return lambda session, _: session.reply(f"229 Entering Extended Passive Mode (|||{find(session)}|)")


def pasv_at(find):
    def answer(session, _):
        port = find(session)
        session.reply(f"227 Entering Passive Mode (127,0,0,1,{port >> 8},{port & 255})")
    return answer


@pytest.mark.parametrize("mode", ["PASV", "PORT"])
@pytest.mark.parametrize("port", [refused, silent])
def test_epsv_names_a_port_that_cannot_be_reached(launch, make_backend, port, mode):
    backend = make_backend(files={"a": b"x" * 100000}, EPSV=epsv_at(port))
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "P") as c:
        assert c.get("a", mode) == b"x" * 100000
        assert backend.verbs()[-3:] == ["EPSV", "PASV", "RETR"]
        assert c.put("b", b"y" * 100000, mode).code == 226
        assert backend.verbs()[-2:] == ["PASV", "STOR"]
    assert backend.upload("b") == (b"y" * 100000, "fin")
    with clients.explicit(gateway, "C") as c:
        assert c.get("a", mode) == b"x" * 100000
    assert "EPSV" not in backend.verbs(1)
    assert gateway.event("data-port-unreachable")


def test_a_client_that_connects_after_its_command(launch, make_backend):
    backend = make_backend(files={"a": b"x" * 1000}, EPSV=epsv_at(refused))
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        address = c.pasv()
        c.expect("RETR a", 150)
        assert clients.Plain(net.dial(address)).read_all() == b"x" * 1000
        assert c.reply().code == 226


def test_pasv_names_a_port_that_cannot_be_reached(launch, make_backend):
    backend = make_backend(files={"a": b"x" * 1000}, EPSV="500 no", PASV=pasv_at(refused))
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        assert c.get("a") == b"x" * 1000
        assert backend.verbs()[-4:] == ["EPSV", "PASV", "EPRT", "RETR"]


def test_no_port_can_be_reached_and_the_file_stays(launch, make_backend):
    backend = make_backend(EPSV=epsv_at(refused), PASV=pasv_at(refused))
    gateway = launch(backend, backends={"legacy": {"data": "passive"}})
    with clients.explicit(gateway, "P") as c:
        data = net.dial(c.pasv())
        c.expect("NOOP", 200)  # the client gets the failure only with its transfer command
        c.expect("STOR a", 425)
        assert "STOR" not in backend.verbs()
        data.close()
        c.expect("PASV", 227)


def test_the_server_answers_the_other_way_with_a_refusal(launch, make_backend):
    backend = make_backend(EPSV=epsv_at(refused), PASV="550 No")
    gateway = launch(backend, backends={"legacy": {"data": "passive"}})
    with clients.explicit(gateway, "P") as c:
        data = net.dial(c.pasv())
        c.expect("RETR a", 425)
        data.close()
        c.expect("NOOP", 200)


def accept_in(say):
    """A server that waits for the data connection before it reads its next command."""
    def answer(session, _):
        port = session.passive()
        session.reply(say(port))
        session.listener.settimeout(3)
        try:
            session.early, _ = session.listener.accept()
            session.data.append(session.early)
        except socket.timeout:
            session.reply("425 No data connection")
            return "close"
        return None
    return answer


def retrieve_early(session, name):
    session.reply("150 Here it comes")
    session.early.sendall(session.backend.files[name])
    session.early.close()
    session.reply("226 Done")


def store_early(session, name):
    session.reply("150 Send it")
    how, content = net.end_of(session.early)
    session.early.close()
    session.backend.store(name, content, how)
    session.reply("226 Done")


@pytest.mark.parametrize("level", ["C", "P"])
@pytest.mark.parametrize("mode", ["PASV", "EPSV", "PORT"])
def test_a_server_that_accepts_inside_pasv(launch, make_backend, mode, level):
    backend = make_backend(
        files={"a": b"x" * 100000}, RETR=retrieve_early, STOR=store_early,
        EPSV=accept_in(lambda port: f"229 Entering Extended Passive Mode (|||{port}|)"))
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, level) as c:
        for _ in range(2):
            assert c.get("a", mode) == b"x" * 100000
            assert c.put("b", b"y" * 1000, mode).code == 226
    assert backend.upload("b") == (b"y" * 1000, "fin")

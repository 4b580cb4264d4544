"""BANNER: the gateway's own lines before the server's greeting, or no word of the server in it."""
import os

import pytest

import client as clients
import gateway as gateways

HELLO = "220 Legacy FTP server"
MINE = ["220-Authorised use only", "220-Questions: admin@example.org"]


@pytest.fixture
def banner(folder):
    path = os.path.join(folder, "banner")
    with open(path, "w", encoding="utf-8") as file:
        file.write("Authorised use only\nQuestions: %E\n")
    return {"banner": path, "adminemailaddress": "admin@example.org"}


def lines(reply):
    return reply.split("\n")


def test_before_the_servers_greeting(launch, make_backend, banner):
    """In one reply with it, to explicit and implicit clients; and after REIN, which greets the next user."""
    gateway = launch(make_backend(), ftp=banner)
    with clients.Client(gateway.explicit) as c:
        assert lines(c.greeting) == [*MINE, HELLO] and c.cmd("NOOP").code == 200
        c.auth().login()
        assert lines(c.cmd("REIN")) == [*MINE, HELLO]
    with clients.Client(gateway.implicit, implicit=True) as c:
        assert lines(c.greeting) == [*MINE, HELLO]
        c.login()


@pytest.mark.parametrize("greeting,shown", [
    ("220-Welcome\r\n indeed\r\n220 Ready", ["220-Welcome", " indeed", "220 Ready"]),
    ("220-Welcome\r\n230 text\r\n220 Ready", ["220-Welcome", "230 text", "220 Ready"]),
    ("120 In a minute\r\n220 Ready", ["220 Ready"]),
], ids=["lines", "code", "120"])
def test_of_several_lines(launch, make_backend, banner, greeting, shown):
    gateway = launch(make_backend(greeting=greeting), ftp=banner)
    with clients.Client(gateway.explicit) as c:
        if greeting.startswith("120"):
            assert c.greeting == "120 In a minute"
            assert lines(c.reply()) == [*MINE, *shown]
        else:
            assert lines(c.greeting) == [*MINE, *shown]
        assert c.cmd("NOOP").code == 200


def test_a_server_that_refuses_gets_none(launch, make_backend, banner):
    gateway = launch(make_backend(greeting="421 Too busy"), ftp=banner)
    with clients.Client(gateway.explicit) as c:
        assert c.greeting == "421 Too busy"


def test_a_greeting_of_230(launch, make_backend, banner):
    """The code of the banner is that of the reply, or the client would wait for its end for ever."""
    backend = make_backend(greeting="230 You are in")
    open_to_all = launch(backend, ftp={**banner, "secure_ftp": "allowed", "secure_ctrlconn": "clear"})
    with clients.Client(open_to_all.explicit) as c:
        assert lines(c.greeting) == [line.replace("220-", "230-") for line in MINE] + ["230 You are in"]
        assert c.cmd("PWD").code == 257
    with clients.Client(launch(backend, ftp=banner).explicit) as c:
        assert lines(c.greeting) == [*MINE, "220 You are in"]


def test_with_proxy_protocol_and_replysecuritylevel(launch, make_backend, banner):
    """The gateway greets by itself, with the banner before that."""
    mine = [*MINE, "220 FTP server ready."]
    gateway = launch(make_backend(proxied=True), ftp=banner, backends={"legacy": {"proxy_protocol": "v2"}})
    with clients.Client(gateway.explicit) as c:
        assert lines(c.greeting) == mine
        c.auth().login()
        assert lines(c.cmd("REIN")) == mine
    with clients.Client(launch(make_backend(), ftp={**banner, "replysecuritylevel": 1}).explicit) as c:
        assert lines(c.greeting) == mine


def test_none_hides_the_servers_words(launch, make_backend):
    """In the greeting, after REIN, and where the server greets again after HOST; other replies stay."""
    backend = make_backend(greeting="220-vsFTPd 3.0.5 at host\r\n220 Hello", HOST="220 vsFTPd 3.0.5", SYST="215 UNIX vsFTPd",
                           REIN="220 vsFTPd")
    gateway = launch(backend, ftp={"banner": "none"})
    with clients.Client(gateway.explicit) as c:
        assert c.greeting == "220 FTP server ready."
        c.auth()
        assert c.cmd("HOST ftp.example.org") == "220 FTP server ready."
        c.login()
        assert c.cmd("SYST") == "215 UNIX vsFTPd" and c.cmd("REIN") == "220 FTP server ready."
    with clients.Client(launch(make_backend(HOST="504 No such host"), ftp={"banner": "none"}).explicit) as c:
        c.auth()
        assert c.cmd("HOST ftp.example.org") == "504 No such host"


def test_a_reload_reads_the_file_anew(launch, make_backend, banner):
    gateway = launch(make_backend(), ftp=banner)
    with open(banner["banner"], "w", encoding="utf-8") as file:
        file.write("Closed on Sunday\n")
    with clients.Client(gateway.explicit) as c:
        assert lines(c.greeting) == [*MINE, HELLO]
    assert gateway.reload()
    with clients.Client(gateway.explicit) as c:
        assert lines(c.greeting) == ["220-Closed on Sunday", HELLO]
    with open(banner["banner"], "wb") as file:
        file.write(b"fine\n\x1b[2Jnot\n")
    assert not gateway.reload(), "a faulty file leaves the policy in force"
    with clients.Client(gateway.explicit) as c:
        assert lines(c.greeting) == ["220-Closed on Sunday", HELLO]


@pytest.mark.parametrize("content,said", [
    (None, "No such file or directory"), (b"", "it is empty"), (b"a\nb\xff\n", "it is not UTF-8 (line 2)"),
    (b"x" * 300, "it is longer than 255 bytes (line 1)"), (b"x\n" * 101, "it has more than 100 lines (line 101)"),
    (b"x" * 8000, "it has more than 7000 bytes"), (b"a\n\x07\n", "it has a control character (line 2)"),
])
def test_a_faulty_file(certificates, folder, backend, content, said):
    own = os.path.join(folder, "own")
    os.mkdir(own)
    path = os.path.join(own, "banner")
    if content is not None:
        with open(path, "wb") as file:
            file.write(content)
    policy = os.path.join(own, "policy.yaml")
    with open(policy, "w", encoding="utf-8") as file:
        file.write(gateways.as_yaml(gateways.policy(certificates, backend.address, ftp={"banner": path})))
    status, printed = gateways.check(policy)
    assert status == 78 or status == 1, printed
    assert f'cannot use the banner "{path}": {said}' in printed, printed

"""per_user: stricter levels for some users, decided at USER, before any password goes to the server."""
import pytest

import client as clients

LAX = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear", "login_delay": "0s"}
STRICT = {"per_user": [{"users": ["payroll", "fin-*", "a?c"], "secure_ftp": "required", "secure_dataconn": "private",
                        "secure_ctrlconn": "private"}]}
NAMED = ["payroll", "PAYROLL", "PayRoll", "fin-", "fin-tax", "FIN-x*y", "abc", "A?C"]
OTHERS = ["payrol", "payroll2", "xpayroll", "fin", "ac", "abbc", "me", "*"]


@pytest.fixture
def gateway(launch, backend):
    return launch(backend, ftp={**LAX, **STRICT})


@pytest.mark.parametrize("name", NAMED)
def test_a_named_user_is_refused_in_the_clear_at_user(gateway, backend, name):
    with clients.Client(gateway.explicit) as client:
        assert client.cmd(f"USER {name}").code == 530
        assert client.cmd("PASS secret").code == 503
        assert client.cmd("PWD").code == 530
    assert not any(line.startswith(("USER", "PASS")) for line in backend.everything())
    gateway.event("refused-command", command="USER", key="per_user")


@pytest.mark.parametrize("name", [" payroll", "payroll ", "payroll\t", "pay\xffxroll", 'pay"roll', "-x payroll", ""])
def test_a_name_that_servers_read_differently_is_refused(gateway, backend, name):
    with clients.Client(gateway.explicit) as client:
        client.login("me")
        client.send(b"USER " + name.encode("latin-1") + b"\r\n")
        assert client.reply().code == 501
        assert client.cmd("PASS secret").code == 202, "who is in stays in"
    assert [line for line in backend.everything() if line.startswith("USER")] == ["USER me"]
    gateway.event("refused-command", command="USER", key="per_user")


@pytest.mark.parametrize("name", OTHERS)
def test_others_log_in_as_before(gateway, name):
    with clients.Client(gateway.explicit) as client:
        assert client.cmd(f"USER {name}").code == 331
        assert client.cmd("PASS secret").code == 230


def test_the_reply_is_that_of_secure_ftp(launch, backend, gateway):
    """A client cannot tell one user's level from everybody's, nor whether the server has the user."""
    strict = launch(backend)
    with clients.Client(gateway.explicit) as one, clients.Client(strict.explicit) as other:
        assert str(one.cmd("USER payroll")) == str(other.cmd("USER payroll"))
        assert str(one.cmd("USER fin-nobody")) == str(one.cmd("USER payroll"))


def test_levels_hold_for_data_and_ccc(gateway):
    with clients.Client(gateway.explicit) as client:
        client.auth()
        client.expect("PBSZ 0", 200)
        client.expect("PROT C", 200)
        client.login("payroll")
        client.expect("PASV", 227)
        assert client.cmd("LIST").code == 521
        assert client.cmd("PROT C").code == 534
        assert client.cmd("CCC").code == 534
        assert client.get("hello.txt", mode="PASV") if client.prot("P") else True
    gateway.event("refused-command", command="CCC", key="per_user")


def test_another_user_has_other_levels(gateway):
    with clients.Client(gateway.explicit) as client:
        client.auth()
        client.login("payroll")
        client.expect("PBSZ 0", 200)
        assert client.cmd("PROT C").code == 534
        client.login("me")
        assert client.cmd("PROT C").code == 200


def test_after_rein_nobody_is_named(gateway):
    with clients.Client(gateway.explicit) as client:
        client.auth()
        client.login("payroll")
        client.expect("REIN", 220)
        client.tls = None
        assert client.cmd("USER me").code == 331
        assert client.cmd("PASS secret").code == 230
        assert client.cmd("USER payroll").code == 530


def test_a_refused_user_leaves_the_login_as_it_is(gateway):
    """The gateway refuses the second USER itself: the first user keeps its login and its levels."""
    with clients.Client(gateway.explicit) as client:
        client.login("me")
        assert client.cmd("USER payroll").code == 530
        assert client.cmd("PWD").code == 257


def test_certificates_for_some_users(launch, backend, tmp_path_factory, certificates):
    import certs
    partners = certs.Partners(tmp_path_factory.mktemp("partners"))
    gateway = launch(backend, ftp={**LAX, "per_user": [{"users": "payroll", "secure_ftp": "required", "secure_login": "required"}]},
                     tls={"handshake_role": "server_with_client_auth", "client_auth_type": "full"}, keyrings={"ftpd": {"trust": partners.ca.pem}})
    with clients.Client(gateway.explicit) as client:
        client.auth()
        assert client.cmd("USER payroll").code == 531
        client.login("me")
    gateway.event("refused-command", command="USER", key="per_user")

"""The options that choose sessions: `attlsctl sessions` and `attlsctl end` take the same ones."""
import json
import socket
import struct

import pytest

import client as clients
import net
from test_operator import CTL_VERSION, DONE, END, ASK_BYTES, ctl, kind, operated, path, run, sessions  # noqa: F401

FILTER_AT = 32  # in a question
USER_AT = FILTER_AT + 40


def users(gateway, *options):
    told = json.loads(ctl(gateway, "sessions", "--json", *options))
    return [session["user"] for session in told["sessions"]]


def login(gateway, user):
    return clients.Client(gateway.explicit).auth().login(user)


def test_sessions_are_chosen(operated):
    with login(operated, "anna") as anna, login(operated, "bert") as bert, clients.Client(operated.explicit):
        anna.prot("P")
        data = anna.open("STOR up")
        data.send(b"x")
        net.until(lambda: users(operated, "--transfers") == ["anna"], "the transfer is told")
        for options, chosen in {
            ("--user", "anna"): ["anna"],
            ("--user", "anna", "--rule", "everyone"): ["anna"],
            ("--user", "ann"): [],
            ("--client", "127.0.0.0/8"): ["anna", "bert", None],
            ("--client", "127.0.0.1", "--user", "bert"): ["bert"],
            ("--client", "192.0.2.0/24"): [],
            ("--rule", "everyone"): ["anna", "bert", None],
            ("--listener", "implicit"): [],
            ("--listener", "explicit"): ["anna", "bert", None],
            ("--backend", "legacy"): ["anna", "bert", None],
            ("--idle", "1h"): [],
        }.items():
            assert users(operated, *options) == chosen, options
        net.until(lambda: set(users(operated, "--idle", "1")) == {"anna", "bert", None}, "a second without a byte")
        assert bert.cmd("NOOP").code == 200
        assert "bert" not in users(operated, "--idle", "1")
        data.close()
        assert anna.reply().code == 226


def test_all_chosen_sessions_end_each_with_an_order(operated):
    with login(operated, "anna") as one, login(operated, "anna") as two, login(operated, "bert") as other:
        numbers = [session["session"] for session in sessions(operated) if session["user"] == "anna"]
        said = ctl(operated, "end", "--user", "anna")
        assert said == "".join(f"session {number} is ending\n" for number in numbers)
        for c in one, two:
            assert c.reply() == "421 The operator has ended this session."
        for number in numbers:
            operated.event("operator", order=f"end {number}")
            operated.event("session-end", session=number, reason="operator")
        assert other.cmd("NOOP").code == 200 and users(operated) == ["bert"]
        assert "no session matches" in ctl(operated, "end", "--user", "anna", status=1)
        assert other.cmd("NOOP").code == 200


@pytest.mark.parametrize("argv", [["sessions"], ["sessions", "--json"], ["end"], ["top"], ["trace"], ["trace", "--last", "5"]],
                         ids=" ".join)
def test_a_name_that_no_policy_has_had(operated, argv):
    for kind_of, names in ("rule", "everyone"), ("listener", "explicit, implicit"), ("backend", "legacy"):
        said = ctl(operated, *argv, f"--{kind_of}", "typo", status=1)
        assert said.endswith(f": no policy of this attlsd has had a {kind_of} typo; the names are: {names}\n"), said
        assert said.count("\n") == 1
    if argv != ["trace"]:  # it would wait
        assert "no policy" not in run(*argv, "--rule", "everyone", "-f", operated.path).stderr


def test_the_name_of_an_earlier_policy(operated):
    with clients.Client(operated.explicit), open(operated.path) as f:
        text = f.read()
        with open(operated.path, "w") as new:
            new.write(text.replace('"everyone"', '"anyone"').replace("everyone:", "anyone:"))
        ctl(operated, "reload")
        assert users(operated, "--rule", "everyone") == [None] and users(operated, "--rule", "anyone") == []
    net.until(lambda: users(operated, "--rule", "everyone") == [], "the session has ended")
    said = ctl(operated, "sessions", "--rule", "everybody", status=1)
    assert said.endswith("the names are: everyone, anyone\n")


def test_an_order_with_a_filter_ends_nothing_else(operated, path):  # noqa: F811
    """A worker under an attacker's control may claim that session 1 is mallory's: the worker that has it knows better."""
    with login(operated, "anna") as anna:
        number = sessions(operated)[0]["session"]

        def order(user):
            ask = bytearray(struct.pack("=IIQ16xQ", CTL_VERSION, END, number, number).ljust(ASK_BYTES, b"\0"))
            ask[USER_AT:USER_AT + len(user)] = user
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
                s.settimeout(net.DEADLINE)
                s.connect(path)
                s.send(ask)
                return s.recv(65536)
        assert kind(order(b"mallory")) == DONE
        assert anna.cmd("NOOP").code == 200
        assert kind(order(b"anna")) == DONE
        assert anna.reply().code == 421


@pytest.mark.parametrize("argv, said", [
    (["end"], "which session? Give its number"), (["end", "5", "--user", "x"], "not both"),
    (["sessions", "--idle", "0"], "--idle needs"), (["sessions", "--client", "192.0.2.7/24"], "beyond the prefix"),
    (["sessions", "--client", "example.org"], "needs an address"), (["end", "--user", ""], "--user needs"),
    (["end", "--rule", "a b"], "the name of a rule"), (["status", "--user", "x"], "status takes no option --user"),
])
def test_wrong_choices(argv, said):
    done = run(*argv)
    assert done.returncode == 2 and said in done.stderr

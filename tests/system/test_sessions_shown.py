"""What `attlsctl sessions` shows of a session: letters, modes, addresses told and real, the last command, and progress."""
import contextlib
import json
import os
import re
import subprocess
import threading

import pytest

import client as clients
import net
from test_operator import ctl, operated, path, run, sessions  # noqa: F401


def the_session(gateway):
    (session,) = sessions(gateway)
    return session


def transfer_at(gateway, count):
    """The session, once its transfer has read this many bytes."""
    net.until(lambda: (the_session(gateway)["transfer"] or {}).get("bytes") == count, f"{count} bytes are told")
    return the_session(gateway)


def half_sent(content, said):
    """A RETR that sends half of the content, then the rest when it is told to."""
    def retr(session, name):
        session.reply(said)
        data = session.open_data()
        data.sendall(content[:len(content) // 2])
        assert session.backend.go.wait(net.DEADLINE)
        data.sendall(content[len(content) // 2:])
        data.close()
        session.reply("226 Transfer complete")
    return retr


def test_a_download_with_its_size(launch, make_backend, path):
    content = b"x" * 200000
    backend = make_backend(RETR=half_sent(content, "150 Opening BINARY mode data connection for big (200000 bytes)."))
    backend.go = threading.Event()
    gateway = launch(backend, daemon={"control_socket": path})
    with clients.explicit(gateway, "P") as c:
        c.expect("TYPE I", 200)
        data = c.open("RETR big")
        got = data.recv()
        while len(got) < len(content) // 2:
            got += data.recv()
        session = transfer_at(gateway, 100000)
        moved = session["transfer"]
        assert moved["command"] == session["command"] == "RETR big" and moved["file"] == "big"
        assert (moved["direction"], moved["size"], moved["percent"]) == ("download", 200000, 50)
        assert moved["rate"] > 0 and moved["left"] > 0
        client, server = session["legs"]["client"], session["legs"]["server"]
        assert (client["control"], client["data"], client["mode"]) == ("P", "P", "PASV") and client["resumed"] is False
        assert client["tls"] == "TLSv1.3" and client["cipher"].startswith("TLS_") and client["group"]
        assert (server["control"], server["data"], server["mode"], server["tls"]) == ("C", "C", "EPSV", None)
        here = data.sock.getsockname(), data.sock.getpeername()
        assert (client["peer"], client["told"]) == tuple("%s:%d" % end for end in here)
        assert server["peer"] == server["told"] and server["told"].startswith("127.0.0.1:")
        lines = ctl(gateway, "sessions").splitlines()
        assert re.search(r"^ +download 50% of 195.3 KiB, .*/s, \S+ left, data P/C, PASV/EPSV$", lines[2])
        details = ctl(gateway, "sessions", session["session"])
        assert f"client data  P, PASV, told {client['told']}, connected to {client['peer']}\n" in details
        assert re.search(r"^download +50% of 195.3 KiB, ", details, re.M) and "client TLS   P, TLSv1.3, TLS_" in details
        backend.go.set()
        got += data.read_all()
        assert got == content and c.reply().code == 226
        assert the_session(gateway)["transfer"] is None


def test_a_server_that_names_too_small_a_size_makes_no_progress_above_all(launch, make_backend, path):
    backend = make_backend(RETR=half_sent(b"x" * 200000, "150 here (5 bytes)"))
    backend.go = threading.Event()
    gateway = launch(backend, daemon={"control_socket": path})
    with clients.explicit(gateway, "P") as c:
        c.expect("TYPE I", 200)
        data = c.open("RETR big")
        got = data.recv()
        while len(got) < 100000:
            got += data.recv()
        moved = transfer_at(gateway, 100000)["transfer"]
        assert moved["size"] is moved["percent"] is moved["left"] is None
        assert "%" not in ctl(gateway, "sessions")
        backend.go.set()
        data.read_all()


def test_an_active_upload(launch, backend, path):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"control_socket": path})
    with clients.Client(gateway.explicit) as c:
        c.auth().login("anna")
        c.expect("TYPE I", 200)
        c.expect("ALLO 100", 200, 202, 500, 502)
        with net.listen() as listener:
            c.port(listener)
            c.expect("STOR up", 125, 150)
            sock, peer = listener.accept()
            named = "%s:%d" % listener.getsockname()
        sock.sendall(b"x" * 10)
        session = transfer_at(gateway, 10)
        client = session["legs"]["client"]
        assert (client["mode"], client["data"], client["told"], client["peer"]) == ("PORT", "C", named, named)
        assert session["transfer"]["direction"] == "upload"
        sock.close()
        assert c.reply().code == 226


def test_a_port_that_nobody_has_dialled(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login("anna")
        told = "%s:%d" % c.pasv()
        session = the_session(operated)
        assert session["waits_at"] == session["legs"]["client"]["told"] == told
        assert session["legs"]["client"]["peer"] is None
        assert f"waits for the client at {told}" in ctl(operated, "sessions")


def test_passwords_are_not_shown(operated):
    with clients.Client(operated.explicit) as c:
        c.auth()
        c.expect("USER anna", 331)
        assert the_session(operated)["command"] == "USER anna"
        c.expect("PASS geheim", 230)
        assert the_session(operated)["command"] == "PASS"
        c.cmd("PAS geheim")
        c.cmd("SITE PSWD geheim")
        assert the_session(operated)["command"] == "SITE PSWD"
        assert "geheim" not in ctl(operated, "sessions") + ctl(operated, "sessions", "--json")


def test_names_of_a_client_cannot_drive_the_terminal(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login("anna")
        c.send(b"CWD \x1b]0;owned\x07\x1b[2J\xc2\x9b31m" + b"w" * 200 + b"\r\n")
        c.reply()
        for argv in (), (the_session(operated)["session"],), ("--json",):
            said = ctl(operated, "sessions", *argv)
            assert not re.search(r"[^\x20-\x7e\n]", said), said
            assert argv or max(map(len, said.splitlines())) <= 100


def test_a_table_fits_into_100_columns(operated):
    with clients.Client(operated.explicit) as c:
        c.auth().login("u" * 60)
        c.send("CWD " + "d" * 80 + "\r\n")
        c.reply()
        rows = ctl(operated, "sessions").splitlines()
        assert max(map(len, rows)) <= 100 and "u..." in rows[1] and rows[1].endswith("d...")


def test_sessions_are_shown_again_and_again(operated):
    with clients.Client(operated.explicit):
        with subprocess.Popen([net.ATTLSCTL, "sessions", "-f", operated.path, "--watch", "1", "--json"],
                              stdout=subprocess.PIPE, text=True) as process:
            seen, decoder, text = [], json.JSONDecoder(), ""
            while len(seen) < 2:
                text += os.read(process.stdout.fileno(), 65536).decode()
                try:
                    told, end = decoder.raw_decode(text.lstrip())
                    seen.append(told)
                    text = text.lstrip()[end:]
                except ValueError:
                    continue
            process.kill()
        assert [len(told["sessions"]) for told in seen] == [1, 1]


def test_a_session_that_is_not_there(operated):
    assert "there is no session 99" in ctl(operated, "sessions", "99", status=1)
    for value in "0", "x", "10000":
        assert "--watch needs a number" in run("sessions", f"--watch={value}").stderr


@pytest.mark.parametrize("count", [15, 16, 17, 50])  # a packet of the list holds 16 answers, the last of which is its end
def test_lists_of_any_length(launch, backend, folder, count):
    gateway = launch(backend, daemon={
        "control_socket": os.path.join(folder, "control.sock"), "workers": 1,
        "limits": {"sessions_per_source": 100, "unauthenticated_per_source": 100}})
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(clients.Client(gateway.explicit))
        done = subprocess.run([net.ATTLSCTL, "sessions", "-f", gateway.path, "--json"], capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        assert told["whole"] and len({session["session"] for session in told["sessions"]}) == count

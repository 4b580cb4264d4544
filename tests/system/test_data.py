"""Data connections: every mode on each side, the address that the client sees, and the hosts that may connect."""
import json
import os
import re
import ssl
import subprocess
import threading
import time

import pytest

import client as clients
import net

MODES = ["PASV", "EPSV", "PORT", "EPRT"]
BACKENDS = {
    "epsv": ({}, {}),
    "without EPSV": ({"EPSV": "500 EPSV?"}, {}),
    "without EPSV, 502": ({"EPSV": "502 no"}, {}),
    "told never": ({"EPSV": "229 (|||1|)"}, {"epsv": "never"}),
    "told always": ({"PASV": "502 no"}, {"epsv": "always"}),
    "active": ({"PASV": "502 no", "EPSV": "502 no"}, {"data": "active"}),
    "active without EPRT": ({"EPRT": "502 no"}, {"data": "active"}),
    "passive": ({"PORT": "502 no", "EPRT": "502 no"}, {"data": "passive"}),
}


@pytest.mark.parametrize("level", ["C", "P"])
@pytest.mark.parametrize("kind", BACKENDS)
def test_every_mode_to_every_backend(launch, make_backend, kind, level):
    script, setting = BACKENDS[kind]
    backend = make_backend(files={"big": bytes(range(256)) * 3000, "empty": b""}, **script)
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, backends={"legacy": setting})
    with clients.explicit(gateway, level) as c:
        for mode in MODES * 2:
            assert c.get("big", mode) == backend.files["big"]
            assert c.get("empty", mode) == b""
            name = "up" + mode
            assert c.put(name, b"y" * 200001, mode).code == 226
            assert backend.upload(name) == (b"y" * 200001, "fin")
            del backend.stored[name]
            assert c.put(name, b"", mode).code == 226
            assert backend.upload(name) == (b"", "fin")
            del backend.stored[name]
    verbs = backend.verbs()
    if kind.startswith("without EPSV"):
        assert verbs.count("EPSV") == 1, "the refusal of EPSV was not remembered"
    if kind == "told never":
        assert "EPSV" not in verbs
    if kind.startswith("active"):
        assert not {"PASV", "EPSV"} & set(verbs)
    if kind == "passive":
        assert not {"PORT", "EPRT"} & set(verbs)


def test_a_backend_without_epsv_is_remembered_over_sessions(launch, make_backend):
    backend = make_backend(files={"x": b"x"}, EPSV="500 EPSV?")
    gateway = launch(backend)
    for _ in range(3):
        with clients.explicit(gateway, "P") as c:
            assert c.get("x") == b"x"
            c.expect("QUIT", 221)
    assert sum(line == "EPSV" for line in backend.everything()) == 1


def test_the_client_sees_only_the_gateways_address(gateway, backend):
    with clients.explicit(gateway, "C") as c:
        host, port = c.pasv()
        assert host == "127.0.0.1"
        assert port != c.epsv()[1]


def test_replies_have_the_form_that_every_client_reads(gateway):
    with clients.explicit(gateway, "C") as c:
        assert re.fullmatch(r"227 [^(]*\(127,0,0,1,\d{1,3},\d{1,3}\)\.?", c.cmd("PASV"))
        assert re.fullmatch(r"229 [^(]*\(\|\|\|\d+\|\)", c.cmd("EPSV"))


def test_advertise_is_what_pasv_names(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, nat={"advertise": "203.0.113.10"})
    with clients.explicit(gateway, "C") as c:
        host, port = c.pasv()
        assert host == "203.0.113.10"
        sock = net.dial(("127.0.0.1", port))
        c.expect("RETR hello.txt", 150)
        assert c.wrap(sock).read_all() == backend.files["hello.txt"]


def free_range(count):
    """A probably free range of ports, below the kernel's ephemeral ports."""
    for low in range(21000, 30000, 100):
        try:
            for port in range(low, low + count):
                with net.socket.socket() as s:
                    s.bind(("127.0.0.1", port))
            return low, low + count - 1
        except OSError:
            continue
    pytest.skip("no free range of ports")


def test_ports_come_out_of_passivedataports(launch, backend):
    low, high = free_range(20)
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "passivedataports": f"{low}-{high}"})
    with clients.explicit(gateway, "C") as c:
        seen = {c.pasv()[1] for _ in range(30)} | {c.epsv()[1] for _ in range(30)}
        assert all(low <= port <= high for port in seen)
        assert len(seen) > 3, "ports ought to be hard to guess"
        assert c.get("big") == backend.files["big"]


def test_a_full_range_is_a_reply_and_no_port_is_lost(launch, backend):
    low, _ = free_range(1)
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "passivedataports": f"{low}-{low}"})
    with clients.explicit(gateway, "C") as first, clients.explicit(gateway, "C") as second:
        first.pasv()
        second.expect("PASV", 425, 421)
        for _ in range(3):
            assert first.get("hello.txt") == backend.files["hello.txt"]
        first.expect("QUIT", 221)
        first.ended()
        assert second.get("hello.txt") == backend.files["hello.txt"]


def intrude(address):
    """Connect from another address of this machine; returns None if the connection is refused at once."""
    try:
        return net.dial(address, ("127.0.0.2", 0))
    except ConnectionError:
        return None


def test_another_address_cannot_take_the_passive_port(gateway, backend):
    with clients.explicit(gateway, "C") as c:
        address = c.pasv()
        thief = intrude(address)
        assert thief is None or net.end_of(thief)[1] == b""
        sock = net.dial(address)
        c.expect("RETR hello.txt", 150)
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226


def test_a_thief_that_waits_gets_nothing(gateway, backend):
    with clients.explicit(gateway, "C") as c:
        address = c.pasv()
        thieves = [intrude(address) for _ in range(5)]
        c.send("RETR hello.txt\r\n")
        thieves.append(intrude(address))
        sock = net.dial(address)
        assert c.reply().code == 150
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226
        assert all(net.end_of(thief)[1] == b"" for thief in thieves if thief)


def test_unrestricted_lets_another_address_connect(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "passivedataconn": "unrestricted"})
    with clients.explicit(gateway, "C") as c:
        sock = net.dial(c.pasv(), ("127.0.0.2", 0))
        c.expect("RETR hello.txt", 150)
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226


def test_a_passive_port_takes_one_connection(gateway, backend):
    with clients.explicit(gateway, "C") as c:
        address = c.pasv()
        with net.dial(address) as first:
            c.expect("RETR hello.txt", 150)
            assert clients.Plain(first).read_all() == backend.files["hello.txt"]
            assert c.reply().code == 226
        with pytest.raises(ConnectionError):
            net.dial(address)


def test_a_client_may_dial_after_150_or_before_the_command(launch, backend):
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        # before the command, with the ClientHello already sent
        tls = clients.Tls(net.dial(c.pasv()), c.ctx, handshake=False)
        tls.sock.sendall(tls.hello())
        c.send("RETR hello.txt\r\n")
        assert c.reply().code == 150
        tls.handshake()
        assert tls.read_all() == backend.files["hello.txt"] and tls.end == "clean"
        assert c.reply().code == 226
        # after the command
        address = c.epsv()
        c.expect("RETR hello.txt", 150)
        tls = clients.Tls(net.dial(address), c.ctx)
        assert tls.read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226


@pytest.mark.parametrize("command", ["STOR big", "RETR big"])
def test_the_handshake_is_over_before_the_command(gateway, backend, command):
    """Clients such as curl wait for it before they read any reply; every server begins it at once."""
    with clients.explicit(gateway, "P") as c:
        tls = c.wrap(net.dial(c.pasv()))
        assert "STOR big" not in backend.everything() and "RETR big" not in backend.everything()
        c.expect(command, 150)
        if command.startswith("RETR"):
            assert tls.read_all() == backend.files["big"]
        tls.close()
        c.reply()


def test_a_refused_handshake_before_the_command_keeps_the_servers_file(launch, backend):
    """The server would have emptied the file by the time that the client hears of it."""
    gateway = launch(backend, ftp={"secure_session_reuse": "required"})
    with clients.explicit(gateway, "P") as c:
        tls = c.wrap(net.dial(c.pasv()), session=None)
        assert tls.recv() == b""
        c.expect("STOR hello.txt", 522)
        assert not any(line.startswith("STOR") for line in backend.everything())
        c.expect("STOR hello.txt", 425)  # the plan is used up
        c.expect("NOOP", 200)


def begin_handshake(c, session):
    tls = clients.Tls(net.dial(c.pasv()), c.ctx, session=session, handshake=False)
    tls.sock.sendall(tls.hello())
    tls.more()  # the gateway has answered, so the handshake has begun
    return tls


@pytest.mark.parametrize("version, resumes", [("1.2", True), ("1.3", False)])
def test_an_upload_waits_for_a_handshake_that_may_still_fail(launch, backend, version, resumes):
    """A new session may fail at the certificate; with TLS 1.2, only the end of the handshake proves an old one."""
    gateway = launch(backend)
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        tls = begin_handshake(c, c.control_session if resumes else None)
        c.send("STOR waits\r\n")
        c.send("NOOP\r\n")
        assert net.quiet(c.sock, 0.5)
        assert not any(line.startswith("STOR") for line in backend.everything())
        tls.handshake()
        assert c.reply().code == 150
        tls.send(b"x" * 1000)
        tls.close()
        assert c.reply().code in (200, 226) and c.reply().code in (200, 226)
        assert backend.upload("waits") == (b"x" * 1000, "fin")


@pytest.mark.parametrize("reuse", ["allowed", "required"])
def test_an_upload_does_not_wait_where_tls_13_resumes(launch, backend, reuse):
    """curl sends STOR together with its ClientHello, and waiting would take a round trip."""
    gateway = launch(backend, ftp={"secure_session_reuse": reuse})
    with clients.explicit(gateway, "P", ctx=clients.context(versions="1.3")) as c:
        tls = begin_handshake(c, c.control_session)
        began = time.monotonic()
        c.expect("STOR soon", 150)
        assert time.monotonic() - began < 1.5  # those that wait do it for 2 s
        tls.handshake()
        assert tls.ssl.session_reused
        tls.send(b"x" * 1000)
        tls.close()
        assert c.reply().code == 226
        assert backend.upload("soon") == (b"x" * 1000, "fin")


def test_a_handshake_that_never_ends_uploads_nothing(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        tls = begin_handshake(c, None)
        c.send("STOR never\r\n")
        net.reset(tls.sock)
        assert c.reply().code == 522
        assert not any(line.startswith("STOR") for line in backend.everything())


def test_an_upload_does_not_wait_for_a_handshake_that_is_over(launch, make_backend):
    """The handshake ends while RETR is with the server, which then refuses RETR: STOR on the same connection goes on."""
    go = threading.Event()

    def refuse(session, _):
        assert go.wait(10)
        session.reply("550 no such file")

    backend = make_backend(RETR=refuse)
    gateway = launch(backend)
    with clients.explicit(gateway, "P", ctx=clients.context(versions="1.2")) as c:
        tls = begin_handshake(c, None)
        c.send("RETR missing\r\n")
        backend.saw("RETR missing")
        tls.handshake()
        go.set()
        assert c.reply().code == 550
        c.expect("STOR next", 150)
        tls.send(b"x" * 1000)
        tls.close()
        assert c.reply().code == 226
        assert backend.upload("next") == (b"x" * 1000, "fin")


def test_prot_c_after_the_client_has_connected(launch, backend):
    """No byte of TLS has been said yet, so the connection is still a clear one."""
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "P") as c:
        sock = net.dial(c.pasv())
        c.expect("PROT C", 200)
        c.expect("RETR hello.txt", 150)
        assert clients.Plain(sock).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226


def test_a_client_whose_tls_starts_before_the_transfer_is_refused(gateway):
    """550 after the ClientHello on an open data connection: the client gets the reply, and the data connection ends."""
    with clients.explicit(gateway, "P") as c:
        tls = clients.Tls(net.dial(c.pasv()), c.ctx, handshake=False)
        tls.sock.sendall(tls.hello())
        c.expect("RETR missing", 550)
        c.expect("NOOP", 200)


def test_a_refused_transfer_leaves_the_plan_for_the_next_command(launch, make_backend):
    """The server refuses LIST, and the client sends NLST on the same passive connection, like some text-mode clients."""
    backend = make_backend(files={"a": b""}, LIST="550 no such thing")
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        sock = net.dial(c.pasv())
        c.expect("LIST", 550)
        c.expect("NLST", 150)
        assert clients.Plain(sock).read_all() == b"a\r\n"
        assert c.reply().code == 226


@pytest.mark.parametrize("version", ["1.2", "1.3"])
class TestResumption:
    def test_data_resumes_control(self, launch, backend, version):
        gateway = launch(backend, ftp={"secure_session_reuse": "required"})
        with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
            for mode in MODES:
                data = c.open("RETR big", mode)
                assert data.reused
                assert data.read_all() == backend.files["big"]
                data.close()
                assert c.reply().code == 226
            assert c.put("up", b"z" * 70000).code == 226

    def test_required_refuses_a_full_handshake_and_the_session_goes_on(self, launch, backend, version):
        gateway = launch(backend, ftp={"secure_session_reuse": "required"})
        with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
            for command in "RETR hello.txt", "STOR stolen":
                with_refusal(c, command)
            assert c.get("hello.txt") == backend.files["hello.txt"]
        assert "STOR stolen" not in backend.everything(), "a refused upload empties the file at the server"

    def test_required_refuses_the_session_of_another_client(self, launch, backend, version):
        gateway = launch(backend, ftp={"secure_session_reuse": "required"})
        ctx = clients.context(versions=version)
        with clients.explicit(gateway, "P", ctx=ctx) as victim, clients.explicit(gateway, "P", ctx=ctx) as thief:
            with_refusal(victim, "RETR hello.txt", session=thief.control_session)
            assert victim.get("hello.txt") == backend.files["hello.txt"]

    def test_allowed_takes_both(self, gateway, backend, version):
        with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
            assert c.get("big") == backend.files["big"]
            assert c.get("big", session=None) == backend.files["big"]

    def test_allowed_never_resumes_the_session_of_another_client(self, gateway, backend, version):
        ctx = clients.context(versions=version)
        with clients.explicit(gateway, "P", ctx=ctx) as one, clients.explicit(gateway, "P", ctx=ctx) as two:
            data = one.open("RETR hello.txt", session=two.control_session)
            assert not data.reused
            data.read_all()
            assert one.reply().code == 226

    def test_none_never_resumes(self, launch, backend, version):
        gateway = launch(backend, ftp={"secure_session_reuse": "none"})
        with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
            data = c.open("RETR hello.txt")
            assert not data.reused
            assert data.read_all() == backend.files["hello.txt"]
            data.close()
            assert c.reply().code == 226


def with_refusal(c, command, session=None):
    """The transfer fails with 522 because its TLS session does not belong to this control connection."""
    try:
        data = c.open(command, session=session)
        got = data.read_all()
        assert got == b"" and data.end != "clean", (got, data.end)
    except (ssl.SSLError, ConnectionError):
        pass
    assert c.reply().code == 522


@pytest.mark.skipif(not net.have_ipv6(), reason="no IPv6 on this machine")
@pytest.mark.parametrize("level", ["C", "P"])
def test_an_ipv6_client_of_an_ipv4_backend(launch, backend, level):
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, listeners={"explicit": {"address": "[::1]:0"}})
    with clients.explicit(gateway, level) as c:
        for mode in "EPSV", "EPRT":
            assert c.get("big", mode) == backend.files["big"]
            assert c.put("up" + mode, b"six", mode).code == 226
        c.expect("PASV", 425, 522)
        c.expect("PORT 127,0,0,1,200,10", 504, 522)
        c.expect("EPRT |1|127.0.0.1|51210|", 522)
        c.expect("EPSV 1", 522)
        c.expect("EPSV 2", 229)


@pytest.mark.skipif(not net.have_ipv6(), reason="no IPv6 on this machine")
def test_an_ipv4_client_of_an_ipv6_backend(launch, make_backend):
    backend = make_backend(host="::1", files={"x": b"six"})
    gateway = launch(backend=("[::1]", backend.address[1]), ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "P") as c:
        for mode in MODES:
            assert c.get("x", mode) == b"six"
            assert c.put("up" + mode, b"four", mode).code == 226


def test_two_sessions_do_not_wait_for_each_other(launch, make_backend):
    """Back-pressure stops only the relay of the slow session."""
    backend = make_backend(files={"huge": bytes(32 << 20), "small": b"s"})
    gateway = launch(backend, ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "P") as slow, clients.explicit(gateway, "P") as fast:
        stuck = slow.open("RETR huge")
        for _ in range(20):
            assert fast.get("small") == b"s"
        got = stuck.read_all()
        assert (len(got), stuck.end) == (len(backend.files["huge"]), "clean")
        assert got == backend.files["huge"]
        assert slow.reply().code == 226


def test_pasv_again_closes_the_port_before(gateway):
    with clients.explicit(gateway, "C") as c:
        first = c.pasv()
        second = c.epsv()
        with pytest.raises(ConnectionError):
            net.dial(first)
        net.dial(second).close()


def test_another_address_cannot_serve_as_the_backend(launch, make_backend):
    """Active mode with the backend: only the backend's address may connect to the port that it got."""
    def retr(session, name):
        session.reply("150 Here it comes")
        try:
            with net.dial(session.target, ("127.0.0.2", 0)) as false:
                false.sendall(b"forged")
        except ConnectionError:
            pass
        data = session.open_data()
        data.sendall(b"genuine")
        data.close()
        session.reply("226 Done")
    gateway = launch(make_backend(RETR=retr), backends={"legacy": {"data": "active"}})
    with clients.explicit(gateway, "P") as c:
        assert c.get("x") == b"genuine"


def test_commands_beside_a_transfer(launch, make_backend):
    """NOOP and STAT get replies while data flows; the reply to the transfer comes last."""
    def stor(session, name):
        session.reply("150 Send it")
        data = session.open_data()
        for expected, answer in ("NOOP", "200 Here"), ("STAT", "211-Status\r\n half done\r\n211 End"):
            assert session.sock.recv(100) == expected.encode() + b"\r\n"
            session.reply(answer)
        session.backend.store(name, *reversed(net.end_of(data)))
        data.close()
        session.reply("226 Done")
    backend = make_backend(STOR=stor)
    gateway = launch(backend)
    with clients.explicit(gateway, "P") as c:
        data = c.open("STOR x")
        data.send(b"first, ")
        c.expect("NOOP", 200)
        assert len(c.expect("STAT", 211).splitlines()) == 3
        data.send(b"second")
        data.close()
        assert c.reply().code == 226
        assert backend.upload("x") == (b"first, second", "fin")


def kernel_timer(local):
    """The timer of the established socket at this local port, by its number in /proc/net/tcp; 2 is keep-alive."""
    with open("/proc/net/tcp") as f:
        for line in f:
            words = line.split()
            if words[3] == "01" and words[1].endswith(f":{local:04X}"):
                return int(words[5].split(":")[0], 16)
    return None


@pytest.mark.parametrize("seconds", [600, 0])
def test_a_transfer_that_takes_its_time_is_kept_alive(launch, backend, seconds):
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "datakeepalive": seconds})
    with clients.explicit(gateway, "C") as c:
        _, port = c.epsv()
        sock = net.dial(("127.0.0.1", port))
        c.expect("STOR slow", 150)
        sock.sendall(b"x")
        if seconds:
            net.until(lambda: kernel_timer(port) == 2, "keep-alive on the data connection")
        else:
            net.until(lambda: kernel_timer(port) == 0, "a data connection at rest")
        sock.close()
        assert c.reply().code == 226


def test_many_sessions_at_once(launch, make_backend):
    """Twenty-four clients in every mode on two workers: no client gets the data of another."""
    backend = make_backend(files={f"file{n}": bytes([n]) * (200000 + n) for n in range(24)})
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"workers": 2, "limits": {"unauthenticated_per_source": 50}})
    faults = []

    def one(n):
        try:
            with clients.explicit(gateway, "CP"[n % 2]) as c:
                for round_ in range(3):
                    mode = MODES[(n // 2 + round_) % 4]
                    content = backend.files[f"file{n}"]
                    assert c.get(f"file{n}", mode) == content
                    assert c.put(f"up{n}-{round_}", content, mode).code == 226
                    assert backend.upload(f"up{n}-{round_}") == (content, "fin")
                c.expect("QUIT", 221)
        except Exception as fault:
            faults.append((n, repr(fault)))
    threads = [threading.Thread(target=one, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(net.LIMIT)
    assert not faults, faults
    gateway.event("session-end", count=24)


def test_a_port_that_the_client_does_not_dial_leaves_a_trace(launch, backend, folder):
    """Behind a closed firewall most clients never get as far as LIST."""
    place = os.path.join(folder, "control.sock")
    gateway = launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"control_socket": place},
                     nat={"advertise": "192.0.2.5"})

    def shown(*form):
        return subprocess.run([net.ATTLSCTL, "sessions", "-f", gateway.path, *form], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, timeout=net.DEADLINE, check=True).stdout
    with clients.explicit(gateway, "P") as c:
        assert json.loads(shown("--json"))["sessions"][0]["waits_at"] is None and "waits for" not in shown()
        told = "%s:%d" % c.pasv()
        assert told.startswith("192.0.2.5:")
        assert json.loads(shown("--json"))["sessions"][0]["waits_at"] == told and f"waits for the client at {told}\n" in shown()
        again = "%s:%d" % c.pasv()
        gateway.event("data-not-dialled", told=told, reason="replaced")
        with net.listen() as own:
            c.port(own)
            gateway.event("data-not-dialled", told=again, reason="replaced")
            assert json.loads(shown("--json"))["sessions"][0]["waits_at"] is None
        told = "%s:%d" % c.pasv()
        c.expect("ABOR", 225, 226, 500, 502)
        for _ in range(12):
            last = "%s:%d" % c.pasv()
        c.expect("QUIT", 221)
    gateway.event("session-end")
    seen = gateway.seen("data-not-dialled")
    assert len(seen) == 10 and {event.keys["reason"] for event in seen} <= {"replaced", "aborted"}, seen
    assert int(gateway.event("not-dialled-more").keys["count"]) >= 4
    with clients.explicit(gateway, "P") as c:
        last = "%s:%d" % c.pasv()
    gateway.event("data-not-dialled", told=last, reason="session-end")


def test_a_transfer_tells_where_the_client_was_to_dial(launch, backend):
    gateway = launch(backend, ftp={"secure_dataconn": "clear", "datatimeout": "1s"})
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt", "EPSV") == backend.files["hello.txt"]
        assert re.fullmatch(r"127\.0\.0\.1:\d+", gateway.event("transfer").keys["told"])
        assert c.get("hello.txt", "PORT") == backend.files["hello.txt"]
        assert "told" not in gateway.event("transfer", count=2).keys
        told = "%s:%d" % c.epsv()
        assert c.cmd("RETR hello.txt").code == 150 and c.reply().code == 425
        assert gateway.event("transfer", result="no-client-connection").keys["told"] == told
        gateway.event("data-not-dialled", told=told, reason="time-out")
        c.expect("QUIT", 221)
    gateway.event("session-end")
    assert len(gateway.seen("data-not-dialled")) == 1


def test_a_few_bytes_at_the_end_of_a_long_transfer_in_the_clear(launch, make_backend):
    """They are spliced in a call of their own, which the filter of system calls must let through."""
    begin, end = b"x" * 1000000, b"12345"
    go = threading.Event()

    def download(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        data.sendall(begin)
        go.wait(net.DEADLINE)
        data.sendall(end)
        data.close()
        session.reply("226 Done")
    gateway = launch(make_backend(RETR=download), ftp={"secure_dataconn": "clear"})
    with clients.explicit(gateway, "C") as c:
        data = net.dial(c.pasv())
        c.expect("RETR x", 150)
        assert net.exactly(data, len(begin)) == begin
        go.set()
        assert net.end_of(data) == ("fin", end)
        assert c.reply().code == 226

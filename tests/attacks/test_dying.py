"""
Whoever dies: a process of attlsd ends in the middle of a transfer. The server must not take the part of an upload for the
whole file, and the client must not take the part of a download for it. A server that compares nothing stores whatever came
before FIN, so the connection has to end with RST.

mutants.py switches each guard off.
"""
import os
import signal
import socket
import ssl
import struct

import pytest

import client as clients
import net
import servers

CONTENT = os.urandom(200_000)


def worker_dies(how):
    def die(gateway):
        (worker,) = gateway.workers()
        os.kill(worker, how)
    return die


def second_signal(gateway):
    gateway.process.send_signal(signal.SIGTERM)
    gateway.event("draining")
    gateway.process.send_signal(signal.SIGTERM)
    gateway.event("stopping-now")


def monitor_dies(gateway):
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.process.wait(net.DEADLINE)


DEATHS = {"SIGKILL": worker_dies(signal.SIGKILL), "SIGSEGV": worker_dies(signal.SIGSEGV), "SIGABRT": worker_dies(signal.SIGABRT),
          "second-SIGTERM": second_signal, "monitor-SIGKILL": monitor_dies}
if net.sanitized():  # it reports this signal as a fault
    del DEATHS["SIGSEGV"]
# how it dies, PROT, the client's mode, the way to the server, command, are bytes sent before?
UPLOADS = [
    *((death, prot, "PASV", "EPSV", "STOR", True) for death in DEATHS for prot in "CP"),
    *(("SIGKILL", prot, mode, way, command, sent) for prot in "CP" for mode, way, command, sent in [
        ("PASV", "EPSV", "STOR", False), ("PORT", "EPRT", "STOR", True), ("PORT", "EPRT", "STOR", False),
        ("EPSV", "EPRT", "APPE", True), ("EPRT", "PASV", "STOU", False), ("PASV", "PORT", "STOU", True)])]


@pytest.fixture
def start(launch, make_backend):
    """start(way): a gateway that reaches its server in this way. A gateway that a test has ended needs no orderly exit."""
    gateways = []

    def get(way, **script):
        ways = {"EPSV": None, "PASV": None, "EPRT": None, "PORT": None} | {way: "yes"}
        refuse = {verb: "502 Not here" for verb, wanted in ways.items() if not wanted}
        backend = make_backend(files={"file": CONTENT}, STOU=lambda session, _: session.upload("unique"), **refuse, **script)
        gateway = launch(backend, ftp={"secure_dataconn": "clear"})
        gateways.append(gateway)
        return gateway, backend
    yield get
    for gateway in gateways:
        if gateway.process.poll() is not None or gateway.seen("stopping-now"):
            gateway.process.wait(net.DEADLINE)
            gateway.reader.join(net.DEADLINE)
            gateway.process.stderr.close()


# 70. Guard: stream_adopt_guarded() in gateway/net/stream.c, and netsock_reset_on_close() before a leg of a data connection
# can stand. The kernel then resets it when the process dies. The second signal is an order to the workers.
@pytest.mark.parametrize("death,prot,mode,way,command,sent", UPLOADS, ids=["-".join(map(str, case)) for case in UPLOADS])
def test_70_upload(start, death, prot, mode, way, command, sent):
    gateway, backend = start(way)
    with clients.explicit(gateway, prot) as c:
        data = c.open("STOU" if command == "STOU" else command + " file", mode)
        leg = net.until(lambda: backend.session().data, "the data connection")[0]
        if sent:
            data.send(CONTENT)
            net.until(lambda: gateway_has_passed_on(leg, backend), "some bytes arrive")
        DEATHS[death](gateway)
        name = "unique" if command == "STOU" else "file"
        content, end = backend.upload(name)
        assert end == "reset", f"{len(content)} bytes of {len(CONTENT)} were stored as a whole file"
        if death == "second-SIGTERM":
            assert c.reply().code == 421
            gateway.event("session-end", reason="shutdown")
        data.sock.close()


def gateway_has_passed_on(leg, backend):
    """The backend's thread reads until the end; what it has read is shown by the kernel's counter."""
    info = leg.getsockopt(socket.IPPROTO_TCP, 11, 248)  # TCP_INFO
    return struct.unpack_from("Q", info, 128)[0] > 0  # tcpi_bytes_received


# 71. The same for the client of a download. In the clear, only RST shows that something is missing; under TLS the
# missing close_notify does. Guard: as above, for the client's leg.
@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("prot,mode", [("C", "PASV"), ("C", "PORT"), ("P", "EPSV"), ("P", "EPRT")])
def test_71_download(start, death, prot, mode):
    ended = []

    def part(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        data.sendall(CONTENT)
        ended.append(net.end_of(data)[0])
    gateway, _ = start("EPSV", RETR=part)
    with clients.explicit(gateway, prot) as c:
        data = c.open("RETR file", mode)
        assert data.recv(1000)
        DEATHS[death](gateway)
        try:
            data.read_all()
            assert data.end != "clean"
        except (ConnectionError, ssl.SSLError):
            pass


# 72. A whole upload stays whole: when the worker dies after FIN, the kernel sends what is left. Guard: unguard() in
# gateway/net/stream.c takes the option off before FIN, not at close().
@pytest.mark.parametrize("prot", ["C", "P"])
def test_72_whole_file(start, prot):
    late = []

    def slow(session, name):
        session.reply("150 Send it")
        data = session.open_data()
        session.backend.note(lambda: late.append(data))
        session.backend.wait(lambda: len(late) == 2, "the death")
        how, content = net.end_of(data)
        session.backend.store(name, content, how)
    gateway, backend = start("EPSV", STOR=slow)
    with clients.explicit(gateway, prot) as c:
        data = c.open("STOR file")
        data.send(CONTENT)
        data.close()
        gateway.event("transfer", result="ok")
        DEATHS["SIGKILL"](gateway)
        gateway.event("worker-died")
        backend.note(lambda: late.append(None))
        content, end = backend.upload("file")
        assert (end, content == CONTENT) == ("fin", True)


# 73. Servers that can tell a part from a whole file, set up to drop the part.
STRICT = {"vsftpd": ("vsftpd.conf", "delete_failed_uploads=YES\n"),
          "proftpd": ("proftpd.conf", "HiddenStores on\nDeleteAbortedStores on\n")}


class StrictServer(servers.Server):
    def file(self, name, text, mode=0o644):
        where, more = STRICT[self.name]
        return super().file(name, text + (more if name == where else ""), mode)


@pytest.fixture(scope="module")
def strict_server():
    running = {}

    def get(name):
        if name not in running:
            try:
                running[name] = StrictServer(name)
            except servers.Unavailable as reason:
                pytest.skip(str(reason))
        return running[name]
    yield get
    for server in running.values():
        server.stop()


@pytest.mark.parametrize("death", ["SIGKILL", "second-SIGTERM"])
@pytest.mark.parametrize("prot", ["C", "P"])
@pytest.mark.parametrize("name", STRICT)
def test_73_real_server(strict_server, launch, name, prot, death):
    server = strict_server(name)
    gateway = launch((server.host, server.port), ftp={"secure_dataconn": "clear"})
    with clients.Client(gateway.explicit) as c:
        c.auth().login(server.user, server.password)
        c.prot(prot)
        data = c.open("STOR " + server.where + "part")
        data.send(CONTENT)
        net.until(lambda: any(size >= 100_000 for size in sizes(server)), "the server has some of it")
        DEATHS[death](gateway)
        if death == "SIGKILL":
            gateway.event("worker-died")
        net.until(lambda: not sizes(server), "the server drops the part, which it takes for one")
        data.sock.close()
    if gateway.seen("stopping-now"):
        gateway.process.wait(net.DEADLINE)
        gateway.reader.join(net.DEADLINE)
        gateway.process.stderr.close()


def sizes(server):
    return [os.path.getsize(entry.path) for entry in os.scandir(server.files) if entry.is_file()]

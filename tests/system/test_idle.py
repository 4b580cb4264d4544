"""A worker with nothing to do uses no CPU time."""
import contextlib
import threading
import time

import pytest

import client as clients
import net


@pytest.mark.parametrize("sent", [1, 3, 9], ids="{}-bytes".format)
def test_part_of_a_tls_record_costs_no_processor_time(gateway, sent):
    """Before its login, a client sends the beginning of a record and nothing else."""
    c = clients.Client(gateway.implicit, implicit=True)
    c.sock.sendall(b"\x17\x03\x03\x00\x40\x00\x00\x00\x00"[:sent])
    gateway.assert_idle(f"{sent} bytes of a record")
    c.close()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_finished_upload_costs_no_processor_time(gateway, version):
    """The client has ended TLS and TCP on the data connection."""
    c = clients.explicit(gateway, "P", ctx=clients.context(versions=version))
    data = c.open("STOR new")
    data.send(b"x")
    data.notify()
    data.read_all()
    assert c.reply().code == 226
    clients.shutdown_write(data.sock)
    gateway.assert_idle("after an upload")
    c.close()


def test_a_session_that_ended_costs_no_processor_time(gateway):
    c = clients.Client(gateway.implicit, implicit=True)
    c.send("QUIT\r\n")
    c.tls.notify()
    clients.shutdown_write(c.sock)
    gateway.event("session-end")
    gateway.assert_idle("after the session")
    c.close()


def test_upload_data_that_waits_for_the_backend_costs_no_processor_time(launch, make_backend):
    """The backend has sent 150 but not connected yet; the client has completed its handshake and sends data."""
    go = threading.Event()

    def late(session, name):
        session.reply("150 Soon")
        go.wait(net.DEADLINE)
        data = session.open_data()
        how, content = net.end_of(data)
        session.backend.store(name, content, how)
        session.reply("226 Done")
    backend = make_backend(STOR=late, EPSV="500 no", PASV="500 no")
    gateway = launch(backend)
    c = clients.explicit(gateway, "P")
    data = c.open("STOR f")
    time.sleep(0.2)  # both sides have completed the handshake, so the data raises a separate event
    data.send(b"x" * 1000)
    try:
        gateway.assert_idle("an upload that waits")
    finally:
        go.set()
    data.close()
    assert c.reply().code == 226
    assert backend.upload("f") == (b"x" * 1000, "fin")
    c.close()


def test_a_data_port_without_descriptors_costs_no_processor_time(launch, backend):
    gateway = launch(backend, preexec=net.descriptor_limit(32, 32), ftp={"secure_dataconn": "clear"},
                     daemon={"limits": {"unauthenticated_per_source": 100}})
    (worker,) = gateway.workers()
    # the kernel counts descriptors on their way between all processes of a user; those of other tests may be too many
    # for a limit of 32, and attlsd then refuses a client
    c = net.until(lambda: clients.welcome(gateway), "a session").auth().login()
    address = c.pasv()
    held = []

    def is_full():
        held.append(clients.Client(gateway.explicit, greet=False))
        return net.descriptors(worker) >= 31
    net.until(is_full, "no descriptor is left")
    data = None
    with contextlib.suppress(ConnectionError):  # attlsd may refuse it at once
        data = net.dial(address)
    gateway.assert_idle("a data port without descriptors")
    for h in held:
        h.close()
    if data is not None:
        data.close()
    c.close()

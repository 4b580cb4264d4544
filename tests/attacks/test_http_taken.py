"""What an HTTP process under an attacker's control may do: with the kernel, and with the monitor. And peers of control_socket."""
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

import client as clients
import net
import test_http
import test_worker

BUILD = os.environ.get("ATTLSD_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
# What it does all day, or what fails without an effect. The socket in these attacks is not connected, and channels only go one way.
ALLOWED = {
    "http: accept": "EAGAIN", "http: shutdown": "ENOTCONN", "http: a question": "done", "http: an answer": "ENOTCONN",
    "http: how much memory there is": "ENOSYS", "sendmsg on a session": "EPIPE", "recvmsg on a session": "ENOTCONN",
    "open": "ENOENT", "stat": "ENOENT", "worker: getsockname": "done", "worker: a line of the log": "done",
    "worker: a request to the signer": "EPIPE", "worker: memory": "done", "worker: getrandom": "done", "worker: close": "done"}


@pytest.mark.skipif("asan" in BUILD, reason="no filter in builds with sanitizers")
def test_330_the_filter_kills_an_http_process_that_tries_what_it_never_does():
    found = test_worker.attacks("http")
    assert {name: result for name, result in found.items()
            if result != "killed" and result not in test_worker.NO_SUCH_CALLS.get(name, ())} == ALLOWED


@pytest.fixture(name="taken")
def taken_fixture(launch, backend, monkeypatch, folder):
    """Starts attlsd with an HTTP process that does what the word says. Session 1 is there before."""
    def start(how):
        path = os.path.join(folder, "token")
        with open(path, "w", encoding="ascii") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(how.ljust(24, "."))
        monkeypatch.setattr(net, "ATTLSD", os.path.join(BUILD, "tests/attacks/attlsd_taken"))
        return test_http.start(launch, backend, folder, http_token_file=path)
    return start


def assert_serves(gateway):
    assert subprocess.run([net.ATTLSCTL, "status", "-f", gateway.path], capture_output=True, timeout=net.DEADLINE).returncode == 0
    with clients.explicit(gateway, level="P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"


@pytest.mark.parametrize("order,refusal", [
    ("reload", "only ask"), ("drain", "only ask"), ("maintenance", "only ask"), ("end", "only ask"), ("no-name", "only ask"), ("another", "version")])
def test_331_orders_are_refused(taken, order, refusal):
    gateway = taken("order-of-" + order)
    assert refusal in gateway.event("taken").keys["text"]
    assert_serves(gateway)
    assert not gateway.seen("reloaded") and not gateway.seen("operator")


def test_331_nor_does_it_take_over_the_sockets(taken):
    gateway = taken("order-to-make-way")
    assert "only ask" in gateway.event("taken").keys["text"]
    assert_serves(gateway)


def test_332_a_piece_of_a_question_ends_it(taken):
    gateway = taken("piece-of-question")
    assert "piece" in gateway.event("http-killed").keys["reason"]
    gateway.event("http-died")  # of the signal, unless it ended by itself when its channel was closed
    assert_serves(gateway)


def test_333_a_flood_of_questions_takes_nothing_from_operators_and_sessions(taken):
    gateway = taken("flood-of-questions")
    flooding = test_http.process(gateway)
    begun, before = time.monotonic(), net.cpu_seconds(gateway.pid)
    for _ in range(10):
        assert_serves(gateway)
    assert net.cpu_seconds(gateway.pid) - before < 0.1 * (time.monotonic() - begun) + 0.05
    assert test_http.process(gateway) == flooding  # all the time
    os.kill(flooding, signal.SIGKILL)


@pytest.mark.parametrize("way", ["channel", "answer"])
def test_334_descriptors_do_not_reach_the_monitor(taken, way):
    """Each would make it wait for an hour in close()."""
    gateway = taken("free-descriptor-by-" + way)
    assert gateway.event("taken").keys["text"] == "Broken pipe"
    assert_serves(gateway)


@pytest.mark.skipif("asan" in BUILD, reason="no filter in builds with sanitizers")
@pytest.mark.parametrize("how", ["descriptor-by-channel", "network-by-socket"])
def test_335_the_filter_kills_it_in_attlsd_as_well(taken, how):
    gateway = taken(how)
    assert gateway.event("http-died").keys["signal"] == "Bad system call"
    assert_serves(gateway)


def lingering():
    """A connection that waits for an hour in close(), and what it needs to live."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        s = socket.create_connection(listener.getsockname())
        peer = listener.accept()[0]
    s.setblocking(False)
    try:
        while True:
            s.send(b"x" * 65536)
    except BlockingIOError:
        pass
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    return s, peer


@pytest.mark.parametrize("question", ["trace", "trace-last", "servers", "clients", "backends", "policy"])
def test_338_it_reads_only_what_it_shows(taken, question):
    """Not what sessions say, above all."""
    gateway = taken("question-of-" + question)
    refusal = "the HTTP process may only ask for what it shows"
    assert gateway.event("taken").keys["text"] == refusal
    keys = gateway.event("operator-refused").keys
    assert keys["reason"] == refusal
    assert keys["pid"] == gateway.event("http-started").keys["pid"] != str(gateway.process.pid)
    assert not gateway.seen("operator")  # which a trace that begins would log
    assert_serves(gateway)


def test_338_the_attack_gets_an_answer_to_what_it_shows(taken):
    assert taken("question-of-sessions").event("taken").keys["text"] == "no refusal"


@pytest.mark.parametrize("packets", [1, 2])  # the second is still in the queue when the monitor closes it
def test_336_a_peer_of_control_socket_does_not_make_the_monitor_wait(launch, backend, folder, packets):
    path = os.path.join(folder, "control.sock")
    gateway = launch(backend, daemon={"control_socket": path})
    held = [lingering() for _ in range(packets)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        os.kill(gateway.pid, signal.SIGSTOP)
        s.connect(path)
        for sock, _ in held:
            socket.send_fds(s, [b"?"], [sock.fileno()])
            sock.close()
        os.kill(gateway.pid, signal.SIGCONT)
        assert_serves(gateway)
    for _, peer in held:
        peer.close()


@pytest.mark.parametrize("packets", [1, 2])
def test_337_a_peer_of_a_unix_socket_does_not_make_http_wait(launch, backend, folder, packets):
    path = os.path.join(folder, "http.sock")
    gateway = test_http.start(launch, backend, folder, http=path)
    assert test_http.get_unix(path, "/healthz")[0] == 200
    held = [lingering() for _ in range(packets)]
    http = int(gateway.event("http-started").keys["pid"])
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        os.kill(http, signal.SIGSTOP)  # otherwise it may close them first, and the last close() would be this test's
        for sock, _ in held:
            socket.send_fds(s, [b"GET /healthz HTTP/1.0\r\n\r\n"], [sock.fileno()])
            sock.close()
        os.kill(http, signal.SIGCONT)
        assert test_http.get_unix(path, "/healthz")[0] == 200
    assert test_http.get_unix(path, "/healthz")[0] == 200
    assert not gateway.seen("http-died")
    for _, peer in held:
        peer.close()

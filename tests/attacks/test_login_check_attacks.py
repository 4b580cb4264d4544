"""The program of login_check, its place taken by somebody else, and what it says turned against client and gateway."""
import array
import contextlib
import os
import socket
import struct
import time

import pytest

import client as clients
import net
from login_check import Answerer, never, says

DENIED = "530 Login denied."


@pytest.fixture
def path(folder):
    os.mkdir(os.path.join(folder, "check"), 0o755)
    return os.path.join(folder, "check", "socket")


@pytest.fixture
def answering(path):
    """answering(answer): a program listens at `path`."""
    with contextlib.ExitStack() as stack:
        def start(answer, **kw):
            one = Answerer(path, answer, **kw)
            stack.callback(one.close)
            return one
        yield start


def login(gateway, user="anna"):
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.expect("USER " + user, 331)
        return c.cmd("PASS geheim")


def test_420_a_folder_that_others_can_write_is_not_trusted(launch, backend, answering, path):
    answering(says(b"allow"))
    gateway = launch(backend, ftp={"login_check": path})
    assert login(gateway).code == 230
    for count, mode in enumerate((0o775, 0o757, 0o1777), 1):
        os.chmod(os.path.dirname(path), mode)
        assert login(gateway) == DENIED
        assert gateway.event("login-check", count=count).keys["reason"] == "folder-exposed"
    assert len([line for line in backend.everything() if line.startswith("PASS")]) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_421_another_user_at_the_right_path_is_not_believed(launch, backend, path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind(path)
    os.seteuid(1234)
    try:
        sock.listen(8)          # the kernel notes who does this
    finally:
        os.seteuid(0)
    gateway = launch(backend, ftp={"login_check": path})
    assert login(gateway) == DENIED
    assert gateway.event("login-check").keys["reason"] == "other-user"
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            assert sock.accept()[0].recv(65536) == b"", "it learns nothing of the user"
    sock.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_422_a_folder_that_anybody_could_have_made_is_not_trusted(launch, backend, folder):
    """In /tmp, an attacker makes the folder before the program does."""
    shared = os.path.join(folder, "tmp")
    os.mkdir(shared)
    os.chmod(shared, 0o1777)
    own = os.path.join(shared, "check")
    os.mkdir(own, 0o755)
    os.chown(own, 1234, 1234)
    answerer = Answerer(os.path.join(own, "socket"), says(b"allow"))
    gateway = launch(backend, ftp={"login_check": os.path.join(own, "socket")})
    assert login(gateway) == DENIED
    assert gateway.event("login-check").keys["reason"] == "folder-exposed"
    answerer.close()


def test_423_the_text_of_a_denial_is_one_line(launch, backend, answering, path):
    answering(says(b"deny no\r\n230 Welcome\r\n"))
    gateway = launch(backend, ftp={"login_check": path, "accesserrormsgs": "true"})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.expect("USER anna", 331)
        assert c.cmd("PASS geheim").split("\n") == ["530-no??230 Welcome?", DENIED]
        assert c.cmd("PWD").code == 530
    assert "\n230" not in gateway.log


@pytest.mark.parametrize("said", [b"allowed", b"allow\0", b"allow because", b" allow", b"deny\nallow", b"ALLOW"])
def test_424_only_one_word_lets_in(launch, backend, answering, path, said):
    answering(says(said))
    assert login(launch(backend, ftp={"login_check": path})) == DENIED
    assert not [line for line in backend.everything() if line.startswith("PASS")]


def test_425_the_first_of_two_answers_counts(launch, backend, answering, path):
    answering(says(b"deny", b"allow"))
    gateway = launch(backend, ftp={"login_check": path})
    assert login(gateway) == DENIED and login(gateway) == DENIED


def test_426_a_descriptor_that_is_slow_to_close_does_not_stop_the_monitor(launch, backend, path):
    """SO_LINGER with bytes that nobody takes: whoever closes it last waits."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind(path)
    sock.listen(8)
    gateway = launch(backend, ftp={"login_check": path})
    with clients.Client(gateway.explicit) as c, net.listen() as stuck:
        c.auth()
        c.expect("USER anna", 331)
        c.send("PASS geheim\r\n")
        one, _ = sock.accept()
        while not one.recv(65536):      # attlsd has looked at the socket when it read the policy
            one, _ = sock.accept()
        slow = socket.create_connection(stuck.getsockname())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
        slow.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                slow.send(b"x" * 65536)
        slow.setblocking(True)
        with net.stopped(gateway.process.pid):  # it closes the descriptor after us, or we would wait
            one.sendmsg([b"allow"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [slow.fileno()]))])
            os.close(slow.detach())
        began = time.monotonic()
        assert c.reply().code == 230
        with clients.Client(gateway.explicit) as other:
            other.auth()
        assert time.monotonic() - began < 5
    sock.close()


def test_427_a_user_is_asked_about_as_a_whole(launch, backend, answering, path):
    """A name of which a part is another user's: cut off, with a line break, or with marks that hide something."""
    asked = answering(lambda question: [b"allow" if question["user"] == "a" * 63 else b"deny"])
    gateway = launch(backend, ftp={"login_check": path})
    assert login(gateway, "a" * 63).code == 230
    for user in ("a" * 64, "a" * 63 + "b" * 200, "a" * 63 + "\x01", "a" * 63 + "\xff"):
        assert login(gateway, user).code == 530
    assert [one["user"] for one in asked.asked] == ["a" * 63, "a" * 64]


def test_428_a_session_of_which_nobody_hears_keeps_no_login(launch, backend, answering, path):
    """The program never answers: each login costs one connection, and time, and nothing else."""
    answering(never)
    gateway = launch(backend, ftp={"login_check": path, "login_delay": 0})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        c.expect("USER anna", 331)
        c.send("PASS geheim\r\n")
        with clients.Client(gateway.explicit) as other:
            other.auth()
            other.expect("NOOP", 200)
        assert c.reply() == DENIED

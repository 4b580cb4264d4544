"""
Guessing passwords: what it costs must not depend on whether the client waits for the answers, nor on the number of
sessions that it opens at once. The numbers continue those of test_incidents.py; mutants.py switches the guards off.
"""
import contextlib
import select
import threading
import time

import client as clients
import net

CLEAR = {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"}
RIGHT = "secret"


def knows_one_password(session, argument):
    session.reply("230 In" if argument == RIGHT else "530 No")


def guesses(backend):
    return [line for line in backend.everything() if line.startswith("PASS ")]


def try_password(c, password):
    assert c.cmd("USER u").code == 331
    c.send("PASS %s\r\n" % password)


# 60. A guesser that resets as soon as PASS is at the server has failed as well, and its next guess waits.
# Guard: machine_login_waits() in ftp-alg/login.c holds the password, whether it is right or wrong, until the monitor says
# that it is this source's turn.
def test_60_leaving_before_the_answer(launch, make_backend):
    delay_ms = 100
    backend = make_backend(PASS=lambda session, argument: argument == RIGHT and session.reply("230 In"))
    gateway = launch(backend, ftp={**CLEAR, "login_delay": "%dms" % delay_ms}, daemon={"workers": 2})
    begin = time.monotonic()
    for n in range(4):
        with clients.Client(gateway.explicit) as c:
            try_password(c, "wrong%d" % n)
            backend.wait(lambda: len(guesses(backend)) == n + 1, "a guess")
            net.reset(c.sock)
        gateway.event("login-failed", count=n + 1)
    with clients.Client(gateway.explicit) as c:
        try_password(c, RIGHT)
        assert c.reply().code == 230
    assert time.monotonic() - begin >= 0.95 * sum(delay_ms * 2 ** n for n in range(4)) / 1000
    assert guesses(backend)[-1] == "PASS " + RIGHT
    gateway.event("login")


# 61. Many sessions of one source, each with one PASS at the same time, in all workers: no faster than one after the other.
# Guard: let_go() in gateway/monitor/login-queue.c lets one attempt at a time go, once a password was wrong.
def test_61_parallel_guesses(launch, make_backend):
    delay_ms = 10
    backend = make_backend(PASS=knows_one_password)
    gateway = launch(backend, ftp={**CLEAR, "login_delay": "%dms" % delay_ms}, daemon={"workers": 2})
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(clients.Client(gateway.explicit)) for _ in range(8)]
        for c in sessions:
            assert c.cmd("USER u").code == 331
        begin = time.monotonic()
        for n, c in enumerate(sessions):
            c.send("PASS wrong%d\r\n" % n)
        for c in sessions:
            assert c.reply().code == 530
    # four at once, then after 4 failures, 5, 6, and 7
    assert time.monotonic() - begin >= 0.95 * sum(delay_ms * 2 ** n for n in range(3, 7)) / 1000
    gateway.event("login-failed", count=8, by="server")


# 62. The server's answer to a password never comes, or is 421: that was a failed login, too.
# Guard: ftp_machine_tries_login() in ftp-alg/machine.c; session_end() in gateway/worker/session-end.c reports it.
def test_62_no_answer_is_a_failure(launch, make_backend):
    for answer, code in (lambda *_: None, None), ("421 Go away", 421):
        backend = make_backend(PASS=answer)
        gateway = launch(backend, ftp={**CLEAR, "login_delay": "50ms"})
        with clients.Client(gateway.explicit) as c:
            client = "127.0.0.1:%d" % c.sock.getsockname()[1]
            try_password(c, "x")
            backend.saw("PASS x")
            if code:
                assert c.reply().code == code
            else:
                net.reset(c.sock)
        failed = gateway.event("login-failed").keys
        assert failed == {"session": gateway.event("session-start").keys["session"], "rule": "everyone", "user": "u",
                          "by": "no-answer", "client": client}
        gateway.event("session-end")
        assert len(gateway.seen("login-failed")) == 1


# 63. Clients that open many sessions at once with the right password do not wait for anybody's delay.
# Guard: login_queue_over() in gateway/monitor/login-queue.c ends an attempt that was right.
def test_63_right_passwords_in_parallel(launch, make_backend):
    gateway = launch(make_backend(PASS=knows_one_password), ftp={**CLEAR, "login_delay": "30s"}, daemon={"workers": 2})
    codes, sessions = [], []

    def log_in(n):
        c = clients.Client(gateway.explicit)
        sessions.append(c)  # it stays open: its login gives way to the next one, not its end
        c.cmd("USER u%d" % n)
        codes.append(c.cmd("PASS " + RIGHT).code)
    threads = [threading.Thread(target=log_in, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for c in sessions:
        c.close()
    assert codes == [230] * 16


# 190. A neighbour behind the same NAT queues passwords and leaves before their turn: the server never sees them, so they
# are no failures, and the delay of those who wait does not begin anew.
# Guard: ftp_machine_tries_login() in ftp-alg/machine.c.
def test_190_leaving_the_queue_delays_nobody(launch, make_backend):
    backend = make_backend(PASS=knows_one_password)
    gateway = launch(backend, ftp={**CLEAR, "login_delay": "1s"})
    with clients.Client(gateway.explicit) as c:
        try_password(c, "wrong")
        assert c.reply().code == 530
    with clients.Client(gateway.explicit) as honest:
        honest.send("USER u\r\nPASS %s\r\n" % RIGHT)
        for n in range(6):
            with clients.Client(gateway.explicit) as c:
                c.send("USER u\r\nPASS never%d\r\n" % n)
                net.reset(c.sock)
            gateway.event("session-end", count=n + 2)
        assert honest.reply().code == 331
        assert honest.reply().code == 230
    assert guesses(backend) == ["PASS wrong", "PASS " + RIGHT]
    assert len(gateway.seen("login-failed")) == 1

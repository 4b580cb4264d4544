"""Logins: a second USER, and passwords in memory."""
import contextlib

import pytest

import client as clients
import net


def test_a_refused_second_user_leaves_the_first_logged_in(launch, make_backend):
    """vsftpd, ProFTPD and Pure-FTPd refuse USER after a login, and the first user stays logged in."""
    seen = []

    def user(session, name):
        seen.append(name)
        session.reply("331 Password, please" if len(seen) == 1 else "530 Can't change to another user.")
    gateway = launch(make_backend(USER=user))
    c = clients.explicit(gateway)
    c.expect("USER other", 530)
    c.expect("PWD", 257)
    assert not gateway.seen("login-failed")
    c.close()


@pytest.mark.parametrize("shown", [False, True])
def test_the_reason_of_a_refused_login(launch, make_backend, shown):
    """accesserrormsgs decides whether the client gets it; the log has it, unless it repeats the password."""
    backend = make_backend(PASS=lambda session, password: session.reply(
        "530-No login: account is locked\r\n530 since Monday") if password == "first" else session.reply(f"530 '{password.upper()}' is wrong"))
    gateway = launch(backend, ftp={"accesserrormsgs": shown, "login_delay": "0"})
    with clients.Client(gateway.explicit) as c:
        c.auth()
        for password, reason in (("first", "account is locked"), ("hush7hush", "is wrong")):
            c.expect("USER me", 331)
            reply = c.cmd("PASS " + password)
            assert reply.code == 530 and (reason in reply) == shown, reply
            assert shown or reply.strip() == "530 PASS command failed"
        gateway.event("login-failed", count=2)
        if not shown:
            said = [event.keys["reply"] for event in gateway.seen("server-refused-login", user="me", rule="everyone")]
            assert said == ["530-No login: account is locked", "530 since Monday", "(hidden: it repeats the password)"]
        assert "hush7hush" not in gateway.log.lower()


def memory_holds(pid, what):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, access = line.split()[:2]
            low, high = (int(x, 16) for x in span.split("-"))
            if access.startswith("rw"):
                with contextlib.suppress(OSError):
                    memory.seek(low)
                    if what in memory.read(high - low):
                        return True
    return False


@pytest.mark.skipif(not net.IS_ROOT or net.sanitized(), reason="reads another process's memory, without a quarantine")
@pytest.mark.parametrize("more", ["", "NO"], ids=["alone", "with-the-next-line"])
@pytest.mark.parametrize("version", [None, "1.2", "1.3"])
def test_a_password_is_not_kept(launch, backend, version, more):
    gateway = launch(backend, ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear"})
    (worker,) = gateway.workers()
    c = clients.Client(gateway.explicit, ctx=clients.context(versions=version))
    if version:
        c.auth()
    c.expect("USER user", 331)
    c.send("PASS " + "A" * 40 + "-the-last-of-a-long-password\r\n" + more)
    assert c.reply().code == 230
    c.send("NOOP\r\n"[len(more):])
    assert c.reply().code == 200
    assert not memory_holds(worker, b"-the-last-of-a-long-password")
    c.close()

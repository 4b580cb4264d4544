"""attlsctl trace: both dialogues, decisions, handshakes and data connections, as they happen and as they were."""
import contextlib
import json
import os
import signal
import ssl
import subprocess
import threading

import pytest

import client as clients
import net


class Trace:
    """attlsctl trace, whose records are read as JSON (or lines) while it runs."""

    def __init__(self, ctl, *argv, form="--json"):
        self.form = form
        self.process = subprocess.Popen([net.ATTLSCTL, "trace", "--socket", ctl, *([form] if form else []), *argv],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=net.die_with_parent)
        self.records = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.records.append(json.loads(line) if self.form else line.rstrip("\n"))
                self.changed.notify_all()

    def lines(self):
        """(kind, text) or ("event", name) of each."""
        with self.changed:
            return [(r["kind"], r.get("text", r.get("event"))) for r in self.records]

    def wait(self, condition, what):
        net.until(lambda: condition(self.lines()), what)

    def saw(self, kind, text):
        self.wait(lambda lines: (kind, text) in lines, f"{kind} {text} in the trace")

    def event(self, name):
        self.wait(lambda lines: ("event", name) in lines, f"{name} in the trace")
        with self.changed:
            return [r["fields"] for r in self.records if r.get("event") == name][-1]

    def ended(self):
        """The exit status, once all that was printed has been read."""
        status = self.process.wait(net.DEADLINE)
        self.reader.join(net.DEADLINE)
        return status

    def close(self):
        self.process.terminate()
        self.ended()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def traced(launch, folder):
    """traced(backend, ...) -> a gateway with a control socket and a function that starts a trace, which it has begun."""
    opened = []

    def start(backend, **change):
        ctl = os.path.join(folder, "ctl")
        change.setdefault("daemon", {})
        change["daemon"] = {"control_socket": ctl, **change["daemon"]}
        gateway = launch(backend, **change)
        gateway.ctl = ctl

        def trace(*argv, form="--json"):
            since = gateway.mark()
            one = Trace(ctl, *argv, form=form)
            opened.append(one)
            gateway.trace_begins(ctl, since)
            return one
        gateway.trace = trace
        return gateway
    yield start
    for one in opened:
        with contextlib.suppress(OSError):
            one.close()


def last(gateway, *argv, status=0):
    done = subprocess.run([net.ATTLSCTL, "trace", "--socket", gateway.ctl, "--last", "1000", "--json", *argv],
                          capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == status, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def in_order(lines, wanted):
    rest = iter(lines)
    for one in wanted:
        assert one in rest, f"{one} is missing or not in order:\n" + "\n".join(map(str, lines))


def test_both_dialogues_of_a_download(traced, backend):
    gateway = traced(backend, ftp={"secure_dataconn": "private"})
    trace = gateway.trace()
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt") == b"hello, world\r\n"
        c.expect("QUIT", 221)
    trace.event("session-end")
    in_order(trace.lines(), [
        ("session", "session"), ("event", "session-start"), ("from-server", "220 Legacy FTP server"),
        ("to-client", "220 Legacy FTP server"), ("from-client", "AUTH TLS"), ("event", "tls"), ("from-client", "USER user"),
        ("to-server", "USER user"), ("from-server", "331 Password, please"), ("from-client", "PASS ****"), ("to-server", "PASS ****"),
        ("from-server", "230 Logged in"), ("to-client", "230 Logged in"), ("event", "login"), ("from-client", "PROT P"),
        ("from-client", "PASV"), ("to-server", "EPSV"), ("event", "data-listens"), ("event", "data-dialled"), ("event", "data-dials"),
        ("from-client", "RETR hello.txt"), ("to-server", "RETR hello.txt"), ("from-server", "150 Here it comes"), ("event", "data-tls"),
        ("event", "transfer"), ("to-client", "226 Transfer complete"), ("from-client", "QUIT"), ("event", "session-end")])
    tls = trace.event("tls")
    assert tls["version"] == "TLSv1.3" and tls["cipher"] and tls["group"] and tls["resumed"] == "no"
    assert trace.event("data-tls")["resumed"] == "yes"
    number = {r["session"] for r in trace.records}
    assert len(number) == 1
    kept = last(gateway, str(number.pop()))
    assert [(r["kind"], r.get("text", r.get("event"))) for r in kept] == trace.lines()


def test_an_implicit_active_session_with_ccc(traced, backend):
    gateway = traced(backend, ftp={"secure_dataconn": "clear", "secure_ctrlconn": "clear"})
    trace = gateway.trace("--listener", "implicit")
    with clients.implicit(gateway) as c:
        c.login()
        c.prot("C")
        assert c.get("hello.txt", mode="PORT") == b"hello, world\r\n"
    trace.event("session-end")
    lines = trace.lines()
    in_order(lines, [("event", "tls"), ("from-client", "PROT C"), ("to-client", "200 PORT command successful."), ("event", "data-dials"),
                     ("event", "transfer")])
    with clients.explicit(gateway, "C") as c:
        c.expect("CCC", 200)
        assert c.tls.recv() == b"" and c.tls.end == "clean"
        c.tls.notify()
        c.buffer, c.tls = c.tls.rest(), None
        c.expect("PWD", 257)
    gateway.event("session-end", count=2)
    assert len({r["session"] for r in trace.records}) == 1, "the other listener was not asked for"
    number = gateway.event("session-start", listener="explicit").keys["session"]
    kept = [(r["kind"], r.get("text", r.get("event"))) for r in last(gateway, number)]
    in_order(kept, [("from-client", "CCC"), ("to-client", "200 CCC command successful."), ("event", "tls-cleared"),
                    ("from-client", "PWD"), ("event", "session-end")])


def test_decisions_have_their_key_and_line(traced, backend):
    gateway = traced(backend, ftp={"secure_dataconn": "private"})
    trace = gateway.trace(form="")
    with clients.explicit(gateway) as c:
        c.expect("PORT 1", 501)
        c.expect("PASV", 227)
        c.expect("LIST", 521)
    net.until(lambda: any("session-end" in line for line in trace.records), "the end in the trace")
    with open(gateway.path) as f:
        line = [number for number, text in enumerate(f, 1) if "secure_dataconn" in text][0]
    assert any(r.endswith(" -- refused by attlsd; no key decided") for r in trace.records), trace.records
    assert any(r.endswith(f" -- refused by secure_dataconn (policy.yaml:{line})") for r in trace.records), trace.records
    assert any("<C 521 Data connections must be protected" in r for r in trace.records)


def test_alerts_are_explained(traced, backend, certificates):
    gateway = traced(backend)
    trace = gateway.trace(form="")
    ctx = ssl.create_default_context()  # knows no authority of the test's
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
        with pytest.raises(ssl.SSLError), ctx.wrap_socket(c.tls.sock if hasattr(c.tls, "sock") else c.sock, server_hostname="localhost"):
            pass
    net.until(lambda: any("tls-failed" in line for line in trace.records), "the failure in the trace")
    (failed,) = [line for line in trace.records if "tls-failed" in line]
    assert "the client sent the alert unknown_ca: it does not trust the authority" in failed
    assert gateway.event("tls-failed").keys["alert_from"] == "client"


def test_a_user_is_found_at_login_with_what_came_before(traced, backend):
    gateway = traced(backend)
    trace = gateway.trace("--user", "user")
    with clients.explicit(gateway):
        pass
    trace.event("session-end")
    in_order(trace.lines(), [("session", "session"), ("event", "session-start"), ("from-client", "AUTH TLS"), ("event", "tls"),
                             ("from-client", "USER user"), ("to-server", "USER user"), ("event", "login")])
    assert len(trace.lines()) == len(set((r["time"], str(r)) for r in trace.records)), "a record came twice"
    other = gateway.trace("--user", "somebody")
    with clients.explicit(gateway):
        pass
    gateway.event("session-end", count=2)
    trace.wait(lambda lines: lines.count(("event", "session-end")) == 2, "the second session")
    assert other.lines() == []


def test_one_session_until_it_ends(traced, backend):
    gateway = traced(backend)
    with clients.explicit(gateway) as c, clients.explicit(gateway) as other:
        number = gateway.event("session-start").keys["session"]
        trace = gateway.trace(number)
        other.expect("PWD", 257)
        c.expect("NOOP", 200)
        c.expect("QUIT", 221)
        assert trace.ended() == 0
    assert {str(r["session"]) for r in trace.records} == {number}
    in_order(trace.lines(), [("session", "session"), ("from-client", "NOOP"), ("event", "session-end")])
    done = subprocess.run([net.ATTLSCTL, "trace", "--socket", gateway.ctl, number], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 1 and "--last" in done.stderr


def test_nothing_is_kept_without_memory_but_can_be_followed(traced, backend):
    gateway = traced(backend, daemon={"trace_memory": 0})
    with clients.explicit(gateway) as c:
        c.expect("PWD", 257)
        last(gateway, status=1)
        trace = gateway.trace()
        c.expect("NOOP", 200)
        trace.saw("from-client", "NOOP")
        trace.close()
    gateway.event("session-end")
    last(gateway, status=1)


def test_new_workers_and_dead_ones(traced, backend):
    gateway = traced(backend)
    trace = gateway.trace()
    with clients.explicit(gateway) as old:
        assert gateway.reload()
        with clients.explicit(gateway) as new:
            old.expect("NOOP", 200)
            new.expect("PWD", 257)
            trace.saw("from-client", "NOOP")
            trace.saw("from-client", "PWD")
    gateway.event("session-end", count=2)
    with clients.explicit(gateway):
        trace.wait(lambda lines: lines.count(("event", "session-start")) == 3, "the third session")
        net.until(lambda: len(gateway.workers()) == 1, "the old worker ends")
        (worker,) = gateway.workers()
        os.kill(worker, signal.SIGKILL)
        assert trace.event("worker-ended")["pid"].startswith(f"{worker}, by signal 9")
    with clients.explicit(gateway):
        trace.wait(lambda lines: lines.count(("event", "session-start")) == 4, "a session of the next worker")


def test_too_many_followers_are_refused(traced, backend):
    gateway = traced(backend)
    traces = [gateway.trace() for _ in range(8)]
    done = subprocess.run([net.ATTLSCTL, "trace", "--socket", gateway.ctl], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 1 and "as many operators" in done.stderr
    with clients.explicit(gateway):
        for trace in traces:
            trace.event("login")
    traces.pop().close()
    net.until(lambda: gateway.trace().process.poll() is None, "there is a place again")
    done = subprocess.run([net.ATTLSCTL, "status", "--socket", gateway.ctl], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 0, "followers take no place of other commands"


def test_the_progress_of_a_transfer(traced, make_backend):
    go = threading.Event()

    def slow(session, _):
        session.reply("150 Here it comes")
        data = session.open_data()
        data.sendall(b"x" * 4096)
        go.wait(net.DEADLINE)
        data.close()
        session.reply("226 Done")
    gateway = traced(make_backend(RETR=slow), ftp={"secure_dataconn": "clear"})
    trace = gateway.trace("--data")
    plain = gateway.trace()
    with clients.explicit(gateway, "C") as c:
        data = c.open("RETR x")
        trace.wait(lambda lines: any(kind == "data" and text.startswith("4096 ") for kind, text in lines), "progress")
        go.set()
        data.close()
    plain.event("session-end")
    assert not [kind for kind, _ in plain.lines() if kind == "data"]


def test_a_long_reply_pushes_nothing_out(traced, make_backend):
    lines = [b"211-Status:"] + [b" line %d" % n for n in range(5000)]
    gateway = traced(make_backend(STAT=b"\r\n".join(lines + [b"211 End"]) + b"\r\n"))
    with clients.explicit(gateway) as c:
        c.expect("STAT x", 211)
        c.expect("PWD", 257)
    gateway.event("session-end")
    kept = [(r["kind"], r.get("text", r.get("event"))) for r in last(gateway)]
    in_order(kept, [("event", "session-start"), ("from-client", "STAT x"), ("from-server", "211-Status:"), ("from-server", " line 98"),
                    ("from-server", "(more lines, which are not shown)"), ("from-client", "PWD"), ("event", "session-end")])
    assert len(kept) < 300


def test_wrong_usage(traced):
    for argv in (["--last", "0"], ["--last", "x"], ["--last", "10001"], ["--data", "--last", "5"], ["1", "--user", "x"], ["x"],
                 ["--transfers"], ["--idle", "5"]):
        done = subprocess.run([net.ATTLSCTL, "trace", *argv], capture_output=True, text=True, timeout=net.DEADLINE)
        assert done.returncode == 2, (argv, done)

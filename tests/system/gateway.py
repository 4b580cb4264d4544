"""One attlsd under test: its policy, its process, its log, and the checks when it ends."""
import contextlib
import copy
import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time

import net

LINE = re.compile(r"^\S+Z\s+(\w+)\s+(\S+)\s*(.*)$")
# `make check-ktls` also runs the tests for user-space TLS with kernel TLS.
KTLS = {"ktls": True} if os.environ.get("ATTLSD_TEST_KTLS") else {}
FAULT = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|UndefinedBehaviorSanitizer|Assertion .* failed")


def merge(base, change):
    """Deep merge; the value None removes a key."""
    result = copy.copy(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def policy(certificates, backend, ftp=None, tls=None, **change):
    """A small policy as a tree: one explicit and one implicit listener, one rule, one backend."""
    base = {
        "version": 1,
        "daemon": {"workers": 1, "control_socket": "none"},
        "keyrings": {"ftpd": {"certificates": [certificates.ecdsa, certificates.rsa]}},
        "tls_actions": {"server": {"keyring": "ftpd", **KTLS, **(tls or {})}},
        "ftp_actions": {"standard": {**(ftp or {})}},
        "backends": {"legacy": {"address": "%s:%d" % backend}},
        "listeners": {"explicit": {"address": "127.0.0.1:0"}, "implicit": {"address": "127.0.0.1:0", "tls": "implicit"}},
        "rules": {"everyone": {"tls": "server", "ftp": "standard", "backend": "legacy"}},
    }
    return merge(base, change)


def as_yaml(tree):
    """JSON is valid YAML; one key per line keeps the line numbers of diagnostics useful."""
    return json.dumps(tree, indent=1) + "\n"


class Event:
    def __init__(self, level, name, rest):
        self.level, self.name = level, name
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        self.keys = dict(word.split("=", 1) for word in words if "=" in word)

    def __repr__(self):
        return f"<{self.level} {self.name} {self.keys}>"


class Gateway:
    def __init__(self, folder, tree, preexec=None, argv=(), cwd=None):
        self.folder = str(folder)
        self.path = os.path.join(self.folder, "policy.yaml")
        self.lines, self.events = [], []
        self.changed = threading.Condition()
        self.write(tree)
        self.process = subprocess.Popen(
            [net.ATTLSD, "-f", "policy.yaml" if cwd else self.path, *argv], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="backslashreplace", preexec_fn=preexec or net.die_with_parent)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def write(self, tree):
        with open(self.path, "w") as f:
            f.write(tree if isinstance(tree, str) else as_yaml(tree))

    def read(self):
        for line in self.process.stderr:
            line = line.rstrip("\n")
            found = LINE.match(line)
            with self.changed:
                self.lines.append(line)
                if found:
                    self.events.append(Event(*found.groups()))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    @property
    def log(self):
        with self.changed:
            return "\n".join(self.lines)

    def mark(self):
        """A position in the log; event() can search from there."""
        with self.changed:
            return len(self.events)

    def seen(self, name, since=0, **keys):
        with self.changed:
            return [e for e in self.events[since:]
                    if e.name == name and all(e.keys.get(k) == str(v) for k, v in keys.items())]

    def event(self, name, since=0, count=1, deadline=None, **keys):
        """Wait until the log has `count` such events; returns the last one."""
        end = time.monotonic() + (deadline or net.DEADLINE)
        while True:
            found = self.seen(name, since, **keys)
            if len(found) >= count:
                return found[count - 1]
            with self.changed:
                left = end - time.monotonic()
                assert left > 0, f"no event {name} {keys}; log:\n{self.log}"
                if not self.reader.is_alive() and not self.seen(name, since, **keys):
                    raise AssertionError(f"the daemon ended with {self.process.poll()} before {name}; log:\n{self.log}")
                self.changed.wait(min(left, 0.2))

    def trace_begins(self, ctl, since=0):
        """
        Wait until an attlsctl trace sees what its sessions do. The log tells of it before the workers know, but each of them
        answers a later question after it has read the order. Sessions that begin after the line in the log are seen anyway.
        """
        self.event("operator", since)
        done = subprocess.run([net.ATTLSCTL, "sessions", "--socket", ctl], capture_output=True, text=True, timeout=net.DEADLINE)
        assert done.returncode == 0, done

    def ready(self):
        event = self.event("ready")
        self.address = {}
        for name, value in event.keys.items():
            host, colon, port = value.rpartition(":")
            if colon and port.isdigit():
                self.address[name] = (host.strip("[]"), int(port))
        return self

    @property
    def explicit(self):
        return self.address["explicit"]

    @property
    def implicit(self):
        return self.address["implicit"]

    def workers(self):
        return [pid for pid in net.children(self.pid) if net.name(pid) not in ("attlsd-keeper", "attlsd-load", "attlsd-http", "")]

    def keepers(self):
        return [pid for pid in net.children(self.pid) if net.name(pid) == "attlsd-keeper"]

    def signers(self):
        """Of all keepers; the first is the first worker's."""
        return [pid for keeper in self.keepers() for pid in net.children(keeper)]

    def assert_idle(self, what, seconds=1.0):
        """The only worker uses next to no CPU time for a while."""
        (worker,) = self.workers()
        time.sleep(0.1)
        before = net.cpu_seconds(worker)
        time.sleep(seconds)
        used = net.cpu_seconds(worker) - before
        assert used < seconds * 0.1, f"{what}: {used:.2f} s of CPU time in {seconds} s"

    def reload(self, tree=None):
        """Send SIGHUP; returns True if attlsd accepted the policy."""
        if tree is not None:
            self.write(tree)
        since = self.mark()
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + net.DEADLINE
        while time.monotonic() < end:
            if self.seen("reloaded", since):
                return True
            if self.seen("reload-failed", since):
                return False
            with self.changed:
                self.changed.wait(0.1)
        raise AssertionError("no answer to SIGHUP; log:\n" + self.log)

    def ended(self):
        """For a daemon that must not start: wait for its exit and return its status."""
        code = self.process.wait(net.DEADLINE)
        self.reader.join(net.DEADLINE)
        self.process.stderr.close()
        assert not FAULT.search(self.log), self.log
        return code

    def stop(self):
        """Send SIGTERM and check the exit: status 0, no process left, no sanitizer report."""
        workers = self.workers() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(net.DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("SIGTERM did not end the daemon; log:\n" + self.log)
        finally:
            self.reader.join(net.DEADLINE)
            self.process.stderr.close()
        assert not FAULT.search(self.log), self.log
        assert code == 0, f"exit status {code}; log:\n{self.log}"
        for pid in workers:
            net.until(lambda: not os.path.exists(f"/proc/{pid}"), f"worker {pid} ends")

    def kill(self):
        for pid in [*self.workers(), self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


class Launched(Gateway):
    """attlsd that a program starts (and becomes) after a line of shell."""

    def __init__(self, folder, tree, line, *program):
        launcher = os.path.join(folder, "launcher")
        with open(launcher, "w") as f:
            f.write(f"#!/bin/sh\n{line}\nexec {net.ATTLSD} \"$@\"\n")
        os.chmod(launcher, 0o755)
        outer = os.path.join(folder, "outer")
        with open(outer, "w") as f:
            f.write(f"#!/bin/sh\nexec {' '.join(program)} {launcher} \"$@\"\n")
        os.chmod(outer, 0o755)
        real, net.ATTLSD = net.ATTLSD, outer
        try:
            super().__init__(folder, tree)
        finally:
            net.ATTLSD = real


def check(path, *argv):
    """Run attlsd -n; returns (exit status, stderr)."""
    done = subprocess.run([net.ATTLSD, "-n", "-f", str(path), *argv], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=net.DEADLINE)
    return done.returncode, done.stderr

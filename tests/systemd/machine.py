"""The booted machine: commands run inside it, and files are written through its first process's root."""
import os
import subprocess
import time

FIRST = os.environ.get("ATTLSD_MACHINE", "")
DEADLINE = 90 # seconds; on a busy host, systemd takes more than 30 to boot
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}


def run(*argv, **more):
    """Run a command inside; returns the CompletedProcess with text."""
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    return subprocess.run(["nsenter", "--target", FIRST, "--all", *argv], capture_output=True, text=True, env=ENVIRONMENT,
                          timeout=DEADLINE * 4, **more)


def start(*argv, stdin=subprocess.DEVNULL):
    return subprocess.Popen(["nsenter", "--target", FIRST, "--all", *argv], stdin=stdin,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)


def good(*argv):
    done = run(*argv)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout


def path(name):
    return f"/proc/{FIRST}/root{name}"


def write(name, text, mode=0o644):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "w") as f:
        f.write(text)
    os.chmod(path(name), mode)


def until(condition, what):
    """Poll a state of the machine that has no event to wait for."""
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.02)


def show(unit, *names):
    """Properties of a unit, in order."""
    values = dict(line.split("=", 1) for line in good("systemctl", "show", unit, *(f"-p{n}" for n in names)).splitlines())
    return values[names[0]] if len(names) == 1 else tuple(values[n] for n in names)

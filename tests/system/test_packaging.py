"""The parts of packages: completions, the logcheck rules, and what Debian's files say twice."""
import os
import re
import shutil
import subprocess

import pytest

import net


def read(name):
    with open(os.path.join(net.ROOT, name)) as f:
        return f.read()


def options_of_commands():
    """Each command and the long options that it takes, by the tables of gateway/ctl."""
    names = dict(re.findall(r'^OPTION\((\w+), "([^"]+)"', read("gateway/ctl/options.def"), re.M))
    source = read("gateway/ctl/commands.c")
    macros = {}  # one may hold another that is defined before it

    def ids_of(takes):
        return re.findall(r"TAKES\((\w+)\)", takes) + [x for m in re.findall(r"TAKES_\w+", takes) for x in macros[m]]
    for header in "gateway/ctl/command-line.h", "gateway/ctl/filter-options.h":
        for name, text in re.findall(r"#define (TAKES_\w+)\s+((?:.*\\\n)*.*)", read(header)):
            macros[name] = ids_of(text)
    found = {}
    for name, rest in re.findall(r'\{ \.name = "([a-z-]+)",(.*?)\.run = ', source, re.S):
        takes = re.search(r"\.takes = (.*?),\n", rest, re.S)
        found[name] = {"--" + names[x] for x in ids_of(takes.group(1) if takes else "")}
    return found


COMMANDS = options_of_commands()
SHORT = {"--node": "-N", "--file": "-f", "--output": "-o"}  # attlsctl help shows these by their short names


def shown(command, options):
    return {option if command == "schema" else SHORT.get(option, option) for option in options}  # its --node takes no file


def test_the_tables_are_understood():
    assert len(COMMANDS) > 15 and COMMANDS["status"] == {"--file", "--socket", "--json", "--ready"} and not COMMANDS["version"]


BASH = """
. contrib/completion/attlsctl
while read -r line; do
	eval "COMP_WORDS=($ATTLSCTL $line)"
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	_attlsctl
	echo "${COMPREPLY[@]}"
done
"""


def bash(*lines):
    """What bash would offer for the last word of each line."""
    done = subprocess.run(["bash", "-c", BASH], input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          cwd=net.ROOT, env=dict(os.environ, ATTLSCTL=net.ATTLSCTL), check=True)
    assert not done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_bash_completes_every_command_and_option():
    assert set(bash("''")[0]) == set(COMMANDS)
    for name, offered in zip(COMMANDS, bash(*(f"{name} -" for name in COMMANDS))):
        assert set(offered) == shown(name, COMMANDS[name]), name


def test_bash_completes_values():
    assert bash("check -f contrib/policy.m", "check -f x --j", "report ''", "probe --trust = VERS", "sessions --user ''",
                "import --vsftpd VERS", "che", "nonsense ''") == [
        ["contrib/policy.minimal.yaml"], ["--json"], ["clients", "shut-out"], ["VERSION"], [], ["VERSION"], ["check"], []]


ZSH = """
_describe() { print -l -- "${(@P)2}" }
_arguments() { print -r -- "$words[1] $*" }
words=($ATTLSCTL '') CURRENT=2
source contrib/completion/_attlsctl
for name in $@; do
	words=($ATTLSCTL $name '') CURRENT=3
	_attlsctl
done
"""


def test_zsh_completes_every_command_and_option():
    zsh = shutil.which("zsh")
    if not zsh:
        pytest.skip("needs zsh")
    done = subprocess.run([zsh, "-f", "-c", ZSH, "zsh", *COMMANDS], capture_output=True, text=True, cwd=net.ROOT,
                          env=dict(os.environ, ATTLSCTL=net.ATTLSCTL))
    assert done.returncode == 0 and not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    described, answers = lines[:len(COMMANDS)], lines[len(COMMANDS):]
    assert {line.split(":")[0] for line in described} == set(COMMANDS)
    offered = {line.split()[0]: set(re.findall(r"(?:^| )\*?(--?[A-Za-z-]+)", line)) for line in answers}
    assert offered == {name: shown(name, options) for name, options in COMMANDS.items()}


def logcheck(*lines):
    """Of these lines, those that logcheck would report."""
    done = subprocess.run(["grep", "-Evf", os.path.join(net.ROOT, "contrib/logcheck/attlsd")], input="".join(f"{x}\n" for x in lines),
                          capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    assert done.returncode < 2, done.stderr
    return done.stdout.splitlines()


def test_logcheck_reports_what_needs_attention():
    events = {name: set(re.findall("[a-z]+", levels)) - {"or"}
              for group in re.findall(r"^\.It (Cm [a-z-]+ Po .*)$", read("docs/man/attlsd.8"), re.M)
              for name, levels in re.findall(r"Cm ([a-z-]+) Po ([a-z ]+) Pc", group)}
    assert len(events) > 60
    quiet = {name for name, levels in events.items() if levels <= {"info", "debug"} and "info" in levels}
    loud = {name for name, levels in events.items() if levels & {"warning", "error"}}
    for start in "Nov 29 12:00:00 gw1 attlsd[77]: ", "2026-11-29T12:00:00.123456+00:00 gw1 attlsd[77]: ":
        line = start + "%s session=1795957999123457 client=198.51.100.7:40122 rule=everyone user=me"
        assert logcheck(*(line % name for name in quiet)) == []
        assert len(logcheck(*(line % name for name in loud))) == len(loud)
        failed = line % "login-failed" + " by=%s key=users line=7"
        assert logcheck(failed % "server") == [] and len(logcheck(failed % "stored-credential")) == 1
        assert logcheck(start + "ready") == [] and logcheck(start + "readying") != []
    assert logcheck("Nov 29 12:00:00 gw1 sshd[7]: attlsd[77]: ready") != []


def lines_of_logins(node, user):
    """What attlsd logs of logins that failed: (quiet, loud)."""
    start = "Nov 29 12:00:00 gw1 attlsd[77]: "
    session = f"{node}session=1795957999123457 client=198.51.100.7:40122 rule=everyone user={user}"
    after = "", " key=per_user", " key=users line=7", " key=users line=7 lost-lines=3", " lost-lines=3"

    def failed(*by):
        return [f"{start}login-failed {session} by={word}{more}" for word in by for more in after]

    def checked(*answers):
        return [f"{start}login-check {session} answer={answer} ms=3{more}" for answer in answers for more in after]
    return (failed("server", "certificate", "kerberos", "verifyuser", "login-check", "no-answer") + checked("allow", 'deny text="not you"'),
            failed("stored-credential", "login-unchecked") + checked("none reason=socket-busy"))


@pytest.mark.parametrize("node", ["", "node=gw-1.example_2 "])
@pytest.mark.parametrize("user", ["me", '""', '"a b"', r'"a \" \\"', '"x by=server"', '"x by=server a="', '"x by=server a=b"', '"x answer=allow"',
                                  '"x answer=deny "', r'"\" by=server a=\""', r'"\" answer=deny \""', '"by=server..."'])
def test_logcheck_takes_no_word_of_a_client_for_attlsds(node, user):
    quiet, loud = lines_of_logins(node, user)
    assert logcheck(*quiet) == [] and logcheck(*loud) == loud


def test_debian_has_the_version_of_the_tree():
    version = read("VERSION").strip()
    assert re.match(r"attlsd \((\S+)\)", read("debian/changelog")).group(1) == version
    assert re.search(r"^Version: (\S+)", read("contrib/rpm/attlsd.spec"), re.M).group(1) == version


def test_debian_needs_what_setup_installs():
    build = set(re.search(r'^build="(.*?)"', read("contrib/setup.sh"), re.M | re.S).group(1).split())
    depends = re.search(r"^Build-Depends:(.*?)^\S", read("debian/control"), re.M | re.S).group(1)
    named = set(re.findall(r"^\s*([a-z0-9.-]+)", depends, re.M))
    assert build - {"gcc", "libc6-dev", "make", "pkg-config"} <= named  # build-essential, and pkgconf


def test_users_of_packages_are_those_of_the_code():
    users = {user for name in ("attlsd.conf", "attlsd-http.conf") for user in re.findall(r"^u (\S+)", read("contrib/sysusers.d/" + name), re.M)}
    assert users == {"attlsd", "attlsd-key", "attlsd-http"}
    code = "".join(read(os.path.join(folder, name)) for folder in ("policy", "gateway/host", "gateway/monitor", "gateway/ctl")
                   for name in os.listdir(os.path.join(net.ROOT, folder)) if name.endswith((".c", ".h")))
    assert all(f'"{user}"' in code for user in users), "a user that no process becomes"


def test_maintainer_scripts_are_shell():
    for name in sorted(os.listdir(os.path.join(net.ROOT, "debian"))):
        if name.endswith(("inst", "rm")):
            subprocess.run(["sh", "-n", os.path.join(net.ROOT, "debian", name)], check=True)


def test_an_instance_has_a_policy_socket_and_logs_of_its_own(folder):
    subprocess.run(["make", "-s", "-C", net.ROOT, f"B={os.path.dirname(net.ATTLSD)}", f"DESTDIR={folder}", "PREFIX=/usr", "install",
                    *(x for name in ("attlsd", "attlsctl", "attlsd-http") for x in ("-o", f"{os.path.dirname(net.ATTLSD)}/{name}"))],
                   check=True, capture_output=True, env={k: v for k, v in os.environ.items() if not k.startswith("M")})
    units = os.path.join(folder, "usr/lib/systemd/system")
    with open(os.path.join(units, "attlsd.service")) as f:
        one = f.read()
    with open(os.path.join(units, "attlsd@.service")) as f:
        many = f.read()
    assert "/etc/attlsd/policy.yaml" not in many and "/etc/attlsd/%i/policy.yaml" in many
    assert "RuntimeDirectory=attlsd-%i\n" in many and "LogsDirectory=attlsd/%i\n" in many
    assert len(one.splitlines()) == len(many.splitlines()) and "%i" not in one


@pytest.mark.parametrize("options, checked", [
    (["-f", "/p.yaml"], "-n -f /p.yaml"),
    (["-f", "/p.yaml", "-N", "/node one.yaml"], "-n -f /p.yaml -N /node one.yaml"),
    (["-N", "/n.yaml"], "-n -f /etc/attlsd/policy.yaml -N /n.yaml"),
])
def test_an_upgrade_checks_the_policy_as_the_service_has_it(folder, options, checked):
    """upgrade-services with a systemctl, an attlsd and an attlsctl that only write down how they are called."""
    with open(os.path.join(net.ROOT, "contrib/systemd/upgrade-services")) as f:
        text = f.read().replace("/usr/local/sbin", folder).replace("/run/systemd/system", folder).replace("/usr/sbin/policy-rc.d", "/nonexistent")
    program = shutil.copy(os.path.realpath("/bin/sh"), os.path.join(folder, "running"))
    running = subprocess.Popen([program, "-c", "read wait", "sh", *options], stdin=subprocess.PIPE)
    try:
        for name, body in {"systemctl": f"case $1 in list-units) echo attlsd.service ;; show) echo {running.pid} ;; esac",
                           "attlsd": 'echo "attlsd $*"', "attlsctl": 'echo "attlsctl $*"'}.items():
            with open(os.path.join(folder, name), "w") as f:
                f.write("#!/bin/sh\n" + body + "\n")
            os.chmod(os.path.join(folder, name), 0o755)
        net.until(lambda: os.readlink(f"/proc/{running.pid}/exe") == program, "it runs")
        os.unlink(program)  # as a package replaces it
        done = subprocess.run(["sh", "-c", text], env={"PATH": f"{folder}:{os.environ['PATH']}"}, capture_output=True, text=True)
    finally:
        running.communicate(b"\n")
    policy = checked.split(" -N ")[0].removeprefix("-n -f ")
    assert done.stdout.splitlines() == [f"attlsd {checked}", f"attlsctl upgrade -f {policy}"] and not done.stderr, done

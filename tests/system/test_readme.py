"""The documents agree with the code."""
import os
import re

import net


def read(*path):
    with open(os.path.join(net.ROOT, *path)) as f:
        return f.read()


def test_the_shortest_policy_is_the_shipped_one():
    shipped = [line for line in read("contrib", "policy.minimal.yaml").splitlines() if not line.startswith("#")]
    shown = [line[4:] for line in read("README.md").splitlines() if line.startswith("    ")]
    assert all(line in shown for line in shipped)


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/THREAT-MODEL.md",
                 "docs/TROUBLESHOOTING.md", "docs/TUTORIAL.md", "docs/servers/vsftpd.md", "docs/servers/iis.md", "docs/servers/zos.md", "docs/EDGE.md", "docs/ATTLS.md", "docs/OUTBOUND.md",
                 "docs/FLEET.md", "docs/KERBEROS.md", "docs/MIGRATE-ZOS.md", "docs/OPERATING.md"):
        folder = os.path.dirname(os.path.join(net.ROOT, name))
        for link in re.findall(r"\]\(([^)#:]+)\)", read(name)):
            assert os.path.exists(os.path.join(folder, link)), f"{name} names {link}"


def test_the_known_servers_are_in_their_page():
    """attlsctl doctor and docs/SERVERS.md know the same servers."""
    known = re.findall(r'^KNOWN_SERVER\("([^"]+)"', read("gateway", "ctl", "known-servers.def"), re.MULTILINE)
    page = read("docs", "SERVERS.md").split("| server |")[1].split("\n\n")[0]
    assert known == [line.split("|")[1].strip() for line in page.splitlines()[2:]]


def sources(*folders):
    for folder in folders:
        for path, _, names in os.walk(os.path.join(net.ROOT, folder)):
            for name in sorted(names):
                if name.endswith(".c"):
                    yield read(path, name)


# The deaths of processes with keys, which one function logs.
OFFSPRING = r'(?:\.died = |\.not_started = |offspring_log_death\()"([a-z-]+)"'


def test_every_event_of_the_log_is_in_the_manual_page():
    """attlsd.8 explains every event, every reason for the end of a session and every result of a transfer."""
    code = set()
    for text in sources("gateway", "ftp-alg"):
        code.update(re.findall(r'log_event\(LOG_LEVEL_\w+,\s*"([a-z-]+)"', text))
        code.update(re.findall(OFFSPRING, text))
        code.update(re.findall(r'(?:session_end|violation|machine_close)\([^;]*?"([a-z0-9-]+)"', text))
        code.update(re.findall(r'\[FTP_DATA_\w+\] = "([a-z-]+)"', text))
    words = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", read("docs", "man", "attlsd.8")))
    assert len(code) > 50 and code - words == set()


def levels_of_events():
    """The level or levels that the code gives each event."""
    found = {"ready": {"info"}, "reloaded": {"info"}, "upgraded": {"info"}}  # listen.c gets these names as an argument
    for text in sources("gateway"):
        found.update((name, {"error"}) for name in re.findall(OFFSPRING, text))
        for level, *names in re.findall(r'(?:log_event|session_log|log_write)\(((?:(?!LOG_TEXT|LOG_NUMBER)[^;"])*?)"([a-z-]+)"(?: : "([a-z-]+)")?', text):
            level = level.replace("session_level(", "LOG_LEVEL_INFO LOG_LEVEL_DEBUG ")  # of a health check: debug
            for name in filter(None, names):
                found.setdefault(name, set()).update(word.lower() for word in re.findall(r"LOG_LEVEL_(\w+)", level))
    return {name: levels for name, levels in found.items() if levels}


def test_the_manual_page_has_the_level_of_each_event():
    """In attlsd.8: .It Cm EVENT Po LEVEL Pc, with `or` between two levels."""
    page = read("docs", "man", "attlsd.8").split(".Ss Events of the service")[1]
    said = {name: set(re.split(", | or ", levels)) for line in re.findall(r"^\.It (Cm .* Po .*)$", page, re.M)
            for name, levels in re.findall(r"Cm ([a-z-]+) Po ([a-z, ]+) Pc", line)}
    code = levels_of_events()
    assert len(code) > 55 and said == code
    assert sum(levels == {"warning"} for levels in code.values()) > 10


def test_the_walks_of_the_architecture_lead_somewhere():
    """Each file:function() that docs/ARCHITECTURE.md names exists in that file."""
    steps = re.findall(r"`([a-z-]+/[a-z/-]+\.c):([a-z_0-9]+)\(\)`", read("docs", "ARCHITECTURE.md"))
    assert len(steps) > 15
    for path, function in steps:
        assert re.search(rf"^(?!\s|#|\*).*\b{function}\(", read(path), re.M), f"{path} does not define {function}()"


def test_the_architecture_names_every_module():
    """A module of docs/LAYERS is named with its ending, or as one of `stem*`."""
    text = read("docs", "ARCHITECTURE.md")
    stems = re.findall(r"`([a-z-]+)\*(?:\.[a-z]+)?`", text)
    for line in read("docs", "LAYERS").splitlines():
        module = line.partition("#")[0].strip().rpartition("/")[2]
        named = re.search(rf"`(?:[a-z-]+/)*{re.escape(module)}\.(?:c|h|def)`", text) if module else True
        assert named or module.startswith(tuple(stems)), f"docs/ARCHITECTURE.md does not name {module}"

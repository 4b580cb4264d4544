"""docs/TUTORIAL.md as commands, and what each prints by the page. ../packages runs them for real."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def steps(installation=False):
    """Each block of commands, and the lines that it prints; with the installation of packages, or without."""
    with open(os.path.join(ROOT, "docs", "TUTORIAL.md")) as f:
        found = re.findall(r"^```(sh install|sh|text)\n(.*?)^```$", f.read(), re.M | re.S)
    assert {kind for kind, _ in found} == {"sh", "sh install", "text"}
    blocks = []
    for kind, text in found:
        if kind == "text":
            blocks[-1][1].extend(line for line in text.splitlines() if line)
        elif kind == "sh" or installation:
            blocks.append((text, []))
    return blocks


def script(blocks):
    """For a shell that reads it: the commands, and a mark after each block."""
    return "exec 2>&1\nset -e\n" + "".join(f"{commands}echo \"== status $? of step {number}\"\n" for number, (commands, _) in enumerate(blocks))


def pattern(line):
    return ".*".join(re.escape(part) for part in line.split("..."))


def check(blocks, output):
    """What the script has printed is what the page says."""
    parts = re.split(r"^== status (\d+) of step \d+\n", output, flags=re.M)
    assert len(parts) == 2 * len(blocks) + 1, output
    for (commands, lines), said, status in zip(blocks, parts[::2], parts[1::2]):
        assert status == "0", f"{commands}\n{said}"
        at = 0
        for line in lines:
            found = re.compile(f"^{pattern(line)}$", re.M).search(said, at)
            assert found, f"{commands}\nprints\n{said}\nwithout\n{line}"
            at = found.end()

"""
The table of differences that are known: known.txt, one a line,

    SERVERS | SCRIPTS | NATIVELY | THROUGH ATTLSD | KIND

SERVERS are separated by commas, SCRIPTS by semicolons; each of the scripts has to differ so at each of the servers.
NATIVELY and THROUGH ATTLSD are the first lines that differ; in them `*` stands for anything. KIND is a letter of
those that known.txt begins with; `?` behind it: the difference does not show each time. A row for random scripts
(`random`) need not show at all.
"""
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "known.txt")
WIDTH = 100  # of a text in the table


def matches(text, pattern):
    """Only `*` is special: the texts are full of brackets and question marks."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def short(text):
    text = text.replace("\n", "\\n").replace("|", "/")
    text = "".join(c if " " <= c <= "~" else "\\x%02x" % ord(c) for c in text)
    return (text if len(text) <= WIDTH else text[:WIDTH - 3] + "...").strip()


class Row:
    def __init__(self, number, line):
        self.number, self.line = number, line
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 5:
            raise ValueError(f"known.txt:{number}: five fields are wanted, separated by |")
        servers, scripts, self.native, self.through, kind = fields
        self.servers = [server.strip() for server in servers.split(",")]
        self.scripts = [script.strip() for script in scripts.split(";")]
        self.kind, self.sometimes = kind.rstrip("?"), kind.endswith("?")
        self.shown = set()  # (server, script)

    def covers(self, server, script):
        script = "random" if script.startswith("random ") else script
        return ("*" in self.servers or server in self.servers) and script in self.scripts

    def explains(self, server, script, difference):
        return (self.covers(server, script) and matches(difference[0], self.native) and
                matches(difference[1], self.through))

    def stale(self, played):
        """Those of the scripts played that do not show what this row says."""
        if self.sometimes:
            return []
        return sorted((server, script) for server, script in played if not script.startswith("random ") and
                      self.covers(server, script) and (server, script) not in self.shown)


class Table:
    def __init__(self, path=PATH):
        self.rows = []
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if line.strip() and not line.startswith("#"):
                    self.rows.append(Row(number, line.strip()))

    def find(self, server, script, difference):
        for row in self.rows:
            if row.explains(server, script, difference):
                row.shown.add((server, script))
                return row
        return None

    def expected(self, server, script):
        """Is there a row that says that this has to differ?"""
        return any(row.covers(server, script) and not row.sometimes for row in self.rows
                   if not script.startswith("random "))


def first_difference(native, through):
    """The first lines that differ, as the table has them."""
    a, b = native.lines(), through.lines()
    for one, other in zip([*a, *["(no more)"] * len(b)], [*b, *["(no more)"] * len(a)]):
        if one != other:
            return tell_apart(one, other)
    return None


def tell_apart(one, other):
    """Of long texts what differs counts: begin there."""
    if len(one) > WIDTH or len(other) > WIDTH:
        common = os.path.commonprefix([one, other])
        start = common.rfind("\n") + 1
        one, other = [(text[:4].replace("\n", "") + "... " if start else "") + text[start:] for text in (one, other)]
    return short(one), short(other)

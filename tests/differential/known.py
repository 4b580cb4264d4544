"""
Reads known.txt, the list of accepted differences, one per line:

    SERVERS | STEPS | NATIVELY | THROUGH ATTLSD | KIND

SERVERS are separated by commas. STEPS matches the script's steps, joined by "; ". NATIVELY and THROUGH ATTLSD match
the lines in which the two dialogues differ, joined by " / "; `-` means that this dialogue has no such lines, and
`(the same in another order)` that both have the same lines. In these three fields, `*` stands for any text. KIND is
one of the words that known.txt explains in its lines `# KIND: reason`.
"""
import collections
import difflib
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "known.txt")
WIDTH = 100  # of a line in the table
GRAVE = ["(nothing", "other bytes"]  # `*` does not match these, so rows must name them
ORDER = "(the same in another order)"


def matches(text, pattern):
    """Only `*` is special: the texts are full of brackets and question marks."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


class Row:
    def __init__(self, number, line):
        self.number, self.line = number, line
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 5:
            raise ValueError(f"known.txt:{number}: a row needs five fields, separated by |")
        servers, self.steps, self.native, self.through, self.kind = fields
        self.servers = [server.strip() for server in servers.split(",")]
        self.shown = set()  # names of servers

    def explains(self, server, steps, difference):
        return (("*" in self.servers or server in self.servers) and matches("; ".join(steps), self.steps) and
                matches(difference[0], self.native) and matches(difference[1], self.through))


class Table:
    def __init__(self, path=PATH):
        self.rows, self.kinds = [], {}
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                kind = re.match(r"# ([a-z-]+): (.+)", line)
                if kind:
                    self.kinds[kind[1]] = kind[2]
                elif line.strip() and not line.startswith("#"):
                    self.rows.append(Row(number, line.strip()))
        for row in self.rows:
            if row.kind not in self.kinds:
                raise ValueError(f"known.txt:{row.number}: no line explains the kind {row.kind!r}")

    def find(self, server, steps, difference):
        grave = [text for text in GRAVE if text in difference[1]]
        for row in self.rows:
            if row.explains(server, steps, difference) and all(text in row.through for text in grave):
                row.shown.add(server)
                return row
        return None

    def explain(self, server, steps, places):
        """[(place, its row or None)]. If a place has no row, compare what is left without equal lines."""
        found = [(place, self.find(server, steps, place)) for place in places]
        if all(row for _, row in found):
            return found
        one, other = ([line for place in places for line in place[side].split(" / ") if line not in ("-", ORDER)] for side in (0, 1))
        same = list((collections.Counter(one) & collections.Counter(other)).elements())
        for line in same:
            one.remove(line)
            other.remove(line)
        left = [(" / ".join(same), ORDER)] if same else []
        left += [(" / ".join(one) or "-", " / ".join(other) or "-")] if one or other else []
        again = [(place, self.find(server, steps, place)) for place in left]
        return again if all(row for _, row in again) else found

    def stale(self, servers):
        """Rows that no play has shown, although all servers of the row were played for long."""
        return [row for row in self.rows if not row.shown and ("*" in row.servers or set(row.servers) <= set(servers))]


# --- what differs ---
def differences(native, through):
    """[(lines natively, lines through attlsd)]: each place in which the dialogues differ, as the table has it."""
    a, b = native.lines(), through.lines()
    vain = [i for lines in (a, b) for i, line in enumerate(lines) if line.startswith("(nothing")]
    if vain and a != b:  # one dialogue stopped waiting: later replies in the other have no counterpart
        a, b = a[:min(vain) + 1], b[:min(vain) + 1]
    places = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if places and i - places[-1][1] <= 1:
            places[-1][1], places[-1][3] = j, m
        else:
            places.append([i, j, k, m])
    return [tell_apart(*place) for place in moved([(a[i:j], b[k:m]) for i, j, k, m in places])]


def moved(places):
    """The same lines in another order are one difference."""
    one, other = ([line for place in places for line in place[side]] for side in (0, 1))
    if places and sorted(one) == sorted(other):
        return [(one, [ORDER])]
    found = []
    for one, other in places:
        earlier = next((place for place in found if place == (other, one) and not (one and other)), None)
        if earlier:
            found[found.index(earlier)] = (one or other, [ORDER])
        else:
            found.append((one, [ORDER] if sorted(one) == sorted(other) else other))
    return found


def tell_apart(one, other):
    """Shorten two long texts so that each begins where they differ."""
    if len(one) == len(other) == 1 and max(len(one[0]), len(other[0])) > WIDTH:
        start = os.path.commonprefix([one[0], other[0]]).rfind("\n") + 1
        one, other = ([(text[:4].replace("\n", "") + "... " if start else "") + text[start:]] for (text,) in (one, other))
    return tuple(" / ".join(map(short, lines)) or "-" for lines in (one, other))


def short(text):
    text = text.replace("\n", "\\n").replace("|", "!")
    text = "".join(c if " " <= c <= "~" else "\\x%02x" % ord(c) for c in text)
    return (text if len(text) <= WIDTH else text[:WIDTH - 3] + "...").strip()

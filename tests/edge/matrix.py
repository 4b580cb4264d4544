"""What the edge tests found: topology x family x client x mode, and what the rule for RELATED counted."""

HEAD = """\
# Transfers at the edge

Each cell: files sent and fetched by this client through this topology, over explicit and implicit TLS where it has
both. Counted: packets that the rule for data connections let in, one for each connection (the rest of a connection is
`established`). `-`: the client cannot do it.

"""


class Matrix:
    def __init__(self):
        self.cells = {}
        self.counted = {}

    def note(self, topology, family, client, mode, result, packets=0):
        self.cells[topology, family, client, mode] = result
        row = topology, family, client
        self.counted[row] = self.counted.get(row, 0) + packets

    def table(self):
        modes = []
        for *_, mode in self.cells:
            modes += [mode] if mode not in modes else []
        lines = ["| topology | family | client | " + " | ".join(modes) + " | counted |", "|---" * (4 + len(modes)) + "|"]
        for row, counted in self.counted.items():
            lines.append("| " + " | ".join([*row, *(self.cells.get((*row, mode), "-") for mode in modes), str(counted)]) + " |")
        return "\n".join(lines)

    def write(self, path):
        if self.cells:
            with open(path, "w") as f:
                f.write(HEAD + self.table() + "\n")

"""The results of the edge tests by topology, family, client and mode, with the counters of the RELATED rule."""

HEAD = """\
# Transfers at the edge

For each cell, this client uploaded and downloaded files through this topology, over explicit and implicit TLS if the topology
has both. Counted: packets that the rule for data connections let in, one for each connection (the rest of a connection is
`established`). `-`: the client does not support this.

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

"""
Client scripts natively and through attlsd, for less than a minute: a sample of the fixed scripts and of random ones,
the same in each run. `make differential` plays all of them, and writes the matrix of docs/INTEROP.md.
"""
import os
import re
import tempfile
import time

import differential
import known
import more_servers
import net
import pytest

SECONDS = 25  # in which scripts are begun; those at hand then may take a moment more
SEED = 14


@pytest.fixture(scope="module")
def run():
    with tempfile.TemporaryDirectory(prefix="attlsd-differential-") as folder:
        os.chmod(folder, 0o755)
        made = differential.Differential(more_servers.NAMES, folder)
        try:
            made.run_sample(SEED, time.monotonic() + SECONDS)
        finally:
            made.ends = made.close()
        with open(differential.SAMPLE_MATRIX, "w", encoding="utf-8") as f:
            f.write(made.matrix() + "\n")
        yield made


@pytest.mark.parametrize("server", more_servers.NAMES)
def test_nothing_differs_but_what_is_known(run, server):
    if server in run.absent:
        pytest.skip(run.absent[server])
    faults = run.faults(server) + [text for text in run.ends if text.startswith(server + ":")]
    assert not faults, "\n".join(faults)
    assert any(one.server == server for one in run.verdicts), "no script was played"


def test_page_explains_each_known_difference():
    """docs/SERVERS.md has each kind of known.txt with its reason."""
    with open(os.path.join(net.ROOT, "docs", "SERVERS.md"), encoding="utf-8") as f:
        page = " ".join(f.read().split())
    for kind, reason in known.Table().kinds.items():
        assert f"**{kind}**: {reason}" in page, f"{kind} is not in docs/SERVERS.md as known.txt explains it"


def test_table_is_read_and_matched(tmp_path):
    path = tmp_path / "known.txt"
    path.write_text("# order: reason.\n\na, b | *send PWD* | 257 * / 226 x | 226 x / 257 * | order\n")
    table = known.Table(path)
    cases = [("a", ["send PWD"], ("257 y / 226 x", "226 x / 257 y"), True),
             ("c", ["send PWD"], ("257 y / 226 x", "226 x / 257 y"), False),
             ("a", ["send NOOP"], ("257 y / 226 x", "226 x / 257 y"), False),
             ("b", ["send PWD"], ("257 y / 226 x", "-"), False)]
    for server, steps, difference, want in cases:
        assert bool(table.find(server, steps, difference)) is want, (server, steps, difference)
    assert table.rows[0].shown == {"a"}
    path.write_text("# order: reason.\n\n* | * | 226 | 426 | order\n* | * | * | (the same in another order) | order\n")
    places = [("200", "-"), ("226 / 200", "426"), ("-", "211 / 200 / 200"), ("211", "-")]
    told = known.Table(path).explain("a", [], places)
    assert [place for place, _ in told] == [("200 / 200 / 211", known.ORDER), ("226", "426")] and all(row for _, row in told)
    path.write_text("a | * | 1 | 2 | order\n")
    with pytest.raises(ValueError, match="no line explains"):
        known.Table(path)


def test_differences_are_told_apart():
    class Lines:
        def __init__(self, *lines):
            self.all = [*lines]

        def lines(self):
            return self.all
    cases = [(["a", "b"], ["a", "b"], []),
             (["257", "226", "257"], ["226", "257", "257"], [("257", known.ORDER)]),
             (["226", "a", "b", "c"], ["a", "b", "c", "226"], [("226", known.ORDER)]),
             (["a", "226", "257"], ["b", "a", "(nothing: over)"], [("a / 226 / 257", "b / a / (nothing: over)")]),
             (["a", "b", "c", "d", "e"], ["a", "x", "c", "d"], [("b", "x"), ("e", "-")]),
             (["213-" + "\nsame" * 50 + "\nb"], ["213-" + "\nsame" * 50 + "\nc"], [("213-... b", "213-... c")])]
    for native, through, want in cases:
        assert known.differences(Lines(*native), Lines(*through)) == want
    assert not re.search(r"\|", known.short("a|b"))

"""simulate.py: it repeats itself, its figures are those of docs/BENCHMARKS.md, and the right thing breaks."""
import os
import re
import subprocess
import sys

import net
import pytest
import simulate

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "simulate.py")


def said(*argv):
    return subprocess.run([sys.executable, PROGRAM, *argv], capture_output=True, text=True, check=True).stdout


def breaks(*argv):
    return re.search(r"^breaks first: (.*), after", said(*argv), re.M).group(1)


def test_a_seed_decides():
    assert said("--seed", "3", "--seconds", "300") == said("--seed", "3", "--seconds", "300")
    assert said("--seed", "3", "--seconds", "300") != said("--seed", "4", "--seconds", "300")


def test_the_costs_are_those_of_the_benchmarks():
    with open(os.path.join(net.ROOT, "docs", "BENCHMARKS.md")) as f:
        rows = [[cell.split()[0] for cell in line.split("|")[2:-1]] for line in f if line.startswith("| **attlsd** |")]
    cost = simulate.COSTS
    assert rows[0][0] == f"{cost['gib']:.3f}"
    assert rows[1][:2] == [f"{1000 * cost['login']:.3f}", f"{1000 * cost['resumed']:.3f}"]
    assert rows[2][1] == f"{1e6 * cost['transfer']:.0f}"
    assert rows[3][0] == f"{cost['session_bytes'] / 1024:.1f}"


@pytest.mark.parametrize("argv, what", [
    (["--cores", "4"], "CPU of a node"),
    (["--sessions-max", "15000"], "limits.sessions of a node"),
    (["--nodes", "4", "--cores", "64", "--fail", "60:node2"], "local ports of the balancer towards a node"),
    (["--nic-gbit", "30"], "network of a node"),
    (["--conntrack-max", "100000"], "nf_conntrack_max of the balancer"),
    (["--memory-gib", "0.4"], "memory of a node"),
    (["--file-mib", "1", "--per-source", "1000"], "shared passive ports for one address"),
    (["--nodes", "2", "--cores", "64", "--nic-gbit", "400", "--sessions", "20000", "--drain", "10:node1", "--drain", "20:node2"], "nodes"),
])
def test_what_breaks_first(argv, what):
    assert breaks("--seconds", "120", *argv) == what


def test_nothing_breaks_in_the_planned_site():
    out = said("--fail", "600:node2", "--drain", "900:node3")
    assert "nothing breaks" in out and "node2 fails" in out and "node3 is in maintenance" in out


def test_sessions_are_conserved():
    """Without a failure, the site stays at what was asked for; with one, all clients come back."""
    for events in [], [(60, "fail", "node1")]:
        run = simulate.Run(simulate.Site(), 1, events, 600).whole()
        assert sum(node.sessions for node in run.nodes) == pytest.approx(100_000, rel=0.02)


def test_a_drained_node_empties():
    run = simulate.Run(simulate.Site(session_seconds=30), 1, [(10, "drain", "node1")], 600).whole()
    assert run.empty["node1"] > 10 and run.nodes[0].sessions < 1


@pytest.mark.parametrize("argv", [["--fail", "x"], ["--fail", "10:node99"]])
def test_what_it_refuses(argv):
    done = subprocess.run([sys.executable, PROGRAM, *argv], capture_output=True, text=True)
    assert done.returncode and "Traceback" not in done.stderr

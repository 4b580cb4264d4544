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


def played(*events, seconds=600, **site):
    run = simulate.Run(simulate.Site(**site), 1, events, seconds).whole()
    present = sum(node.sessions for node in run.nodes)
    assert run.site.sessions + run.began == pytest.approx(present + run.ended + run.lost)  # no session is forgotten
    return run


def test_a_drained_node_empties():
    run = played((10, "drain", "node1"), session_seconds=30)
    assert run.empty["node1"] > 10 and run.nodes[0].sessions < 1
    assert run.lost == run.refused == 0


def test_a_node_that_drains_takes_none_and_its_sessions_go_on():
    """Its sessions become fewer only as clients end them, and they still cost."""
    run = simulate.Run(simulate.Site(), 1, [(1, "drain", "node1")], 600)
    for second in range(100):
        before = run.nodes[0].sessions
        run.step(second)
        if second >= 1:
            assert run.nodes[0].sessions == pytest.approx(before * (1 - 1 / run.site.session_seconds))
    assert run.lost == 0 and run.nodes[0].sessions > 14_000
    tight = played((0, "drain", "node1"), seconds=1, nodes=2, nic_gbit=99)  # 100 Gbit/s on each node, the drained one too
    assert tight.broken["network of a node"]


def test_a_deadline_ends_what_is_left():
    run = played((10, "drain", "node1", 60))
    left = 100_000 / 6 * (1 - 1 / 600) ** 60
    assert run.lost == pytest.approx(left, rel=0.01) and not run.nodes[0].alive and run.nodes[0].sessions == 0
    # all of them come back to the other nodes
    assert sum(node.sessions for node in run.nodes) == pytest.approx(100_000, rel=0.02)
    assert played((10, "drain", "node1", 60), (69, "back", "node1")).lost == 0


def test_a_failure_loses_the_sessions_of_its_node_and_no_others():
    run = simulate.Run(simulate.Site(), 1, [(60, "fail", "node1")], 600)
    for second in range(60):
        run.step(second)
    at, others = run.nodes[0].sessions, [node.sessions for node in run.nodes[1:]]
    run.step(60)
    assert run.lost == pytest.approx(at) and run.nodes[0].sessions == 0
    assert all(node.sessions > before for node, before in zip(run.nodes[1:], others))
    # also if it was draining: its sessions had not ended
    assert played((10, "drain", "node1", 300), (60, "fail", "node1")).lost > 14_000


def test_sessions_that_find_no_node_are_refused():
    run = played((10, "drain", "node1"), (20, "fail", "node2"), (50, "back", "node2"), nodes=2, cores=64, nic_gbit=400, sessions=20_000)
    # 30 s of arrivals, and the sessions of node2, whose clients come back within 5 s
    assert run.refused == pytest.approx(30 * 20_000 / 600 + run.lost, rel=0.1)
    assert run.first() == ("nodes", 20, "none takes new sessions")
    assert run.nodes[1].sessions > 1_000  # those that arrived later


@pytest.mark.parametrize("reconnect", [0.0, 0.5, 2.5, 5.0])
def test_every_lost_session_comes_back_once(reconnect):
    run = played((10, "fail", "node1"), seconds=20, reconnect=reconnect, session_seconds=1e9)
    assert sum(node.sessions for node in run.nodes) == pytest.approx(100_000, abs=5)


def test_docs_show_what_it_prints():
    with open(os.path.join(net.ROOT, "docs", "FLEET.md")) as f:
        page = f.read()
    shown = re.search(r"^    \$ tests/fleet/simulate.py(.*)\n((?:    .*\n|\n)+)", page, re.M)
    assert [line[4:] for line in shown[2].strip("\n").split("\n")] == said(*shown[1].split()).strip("\n").split("\n")


@pytest.mark.parametrize("argv", [["--fail", "x"], ["--fail", "10:node99"], ["--fail", "10:node1:5"], ["--drain", "10:node1:0"],
                                  ["--drain", "10:node1:5:5"], ["--drain", "10:node1:"], ["--back", "-1:node1"]])
def test_what_it_refuses(argv):
    done = subprocess.run([sys.executable, PROGRAM, *argv], capture_output=True, text=True)
    assert done.returncode and "Traceback" not in done.stderr

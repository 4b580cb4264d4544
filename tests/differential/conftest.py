"""The environment of tests/system, and the matrix in the summary."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]

import differential  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    ran = any("test_nothing_differs" in report.nodeid for report in terminalreporter.stats.get("passed", []))
    if ran and os.path.exists(differential.SAMPLE_MATRIX):
        with open(differential.SAMPLE_MATRIX, encoding="utf-8") as f:
            terminalreporter.write_line(f.read().rstrip())

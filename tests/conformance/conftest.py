"""Make the fixtures of tests/system available to the tables."""
import importlib.util
import os
import sys

SYSTEM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system")
sys.path.insert(0, SYSTEM)
spec = importlib.util.spec_from_file_location("system_conftest", os.path.join(SYSTEM, "conftest.py"))
system = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system)

for name in "limit", "certificates", "make_backend", "backend", "folder", "launch", "gateway":
    globals()[name] = getattr(system, name)


def pytest_terminal_summary(terminalreporter):
    """Print the results of test_conformance_matrix.py."""
    path = os.path.join(system.net.BUILD, "conformance.md")
    if any("test_conformance_matrix.py" in report.keywords for report in terminalreporter.stats.get("passed", [])) and os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            terminalreporter.write_line(f.read().rstrip())

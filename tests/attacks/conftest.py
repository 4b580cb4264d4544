"""Make the fixtures of tests/system and the client certificates of tests/conformance available here."""
import importlib.util
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SYSTEM = os.path.join(TESTS, "system")
sys.path[:0] = [SYSTEM, os.path.join(TESTS, "conformance")]
spec = importlib.util.spec_from_file_location("system_conftest", os.path.join(SYSTEM, "conftest.py"))
system = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system)

for name in "limit", "certificates", "make_backend", "backend", "folder", "launch", "upgradable", "gateway":
    globals()[name] = getattr(system, name)

"""The booted machine is that of the tests of the unit; the tutorial is read as by its own test."""
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "systemd"))
sys.path.append(os.path.join(TESTS, "system"))

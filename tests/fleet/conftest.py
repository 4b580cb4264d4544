"""The fixtures of tests/system, and one fleet that the tests of a module share."""
import importlib.util
import os
import signal
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM, EDGE = (os.path.join(os.path.dirname(HERE), name) for name in ("system", "edge"))
sys.path[:0] = [HERE, SYSTEM, EDGE]
spec = importlib.util.spec_from_file_location("system_conftest", os.path.join(SYSTEM, "conftest.py"))
system = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system)

for name in "limit", "certificates", "folder":
    globals()[name] = getattr(system, name)

import fleet as fleets  # noqa: E402
import net  # noqa: E402
import netns  # noqa: E402

NEEDS_NO_NETWORK = ("test_files", "test_simulate")


def pytest_configure(config):
    """Remove all namespaces even if SIGTERM ends the run."""
    config.fleet_table = []
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    mine = [item for item in items if str(item.path).startswith(HERE + os.sep) and item.path.stem not in NEEDS_NO_NETWORK]
    why = netns.missing("veth", "nftables", "nat") if mine else None
    for item in mine if why else []:
        item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def fleet_certificate(certificates):
    return certificates.ca.issue("fleet", [fleets.VIP])


@pytest.fixture(scope="module")
def site(certificates, fleet_certificate):
    """Clients, two balancers with HAProxy, data.nft and firewall.nft, two nodes, a server."""
    site = fleets.Fleet(certificates, fleet_certificate)
    try:
        site.haproxy()
        yield site
    finally:
        site.close()


@pytest.fixture
def row(request):
    """row(TEXT, RESULT): a line of the table in docs/FLEET.md, as this run has measured it."""
    return lambda what, result: request.config.fleet_table.append((what, result))


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter, config):
    rows = getattr(config, "fleet_table", [])
    text = "".join(f"| {what} | {result} |\n" for what, result in rows)
    if rows:
        with open(os.path.join(net.BUILD, "fleet.md"), "w") as f:
            f.write("| What happens | What the tests saw |\n|---|---|\n" + text)
        terminalreporter.write_line(text)

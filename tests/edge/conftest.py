"""The fixtures of tests/system, and networks of namespaces (topology.py) that a module's tests share."""
import importlib.util
import os
import signal
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM = os.path.join(os.path.dirname(HERE), "system")
sys.path[:0] = [HERE, SYSTEM]
spec = importlib.util.spec_from_file_location("system_conftest", os.path.join(SYSTEM, "conftest.py"))
system = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system)

for name in "limit", "certificates", "make_backend", "folder":
    globals()[name] = getattr(system, name)

import matrix  # noqa: E402
import net  # noqa: E402
import netns  # noqa: E402
import topology  # noqa: E402


def pytest_configure():
    """Remove all namespaces even if SIGTERM ends the run."""
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Skip every test of this folder, with a reason, without root or without a feature of namespaces."""
    mine = [item for item in items if str(item.path).startswith(HERE + os.sep)]
    if not mine:
        return
    why = netns.missing("veth", "nftables", "ftp helper", "nat", "tproxy", "policy routing", "expectation list")
    for item in mine if why else []:
        item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def edge_certificate(certificates):
    return certificates.ca.issue("edge", ["localhost", "127.0.0.1", "::1", *topology.ADDRESSES])


@pytest.fixture(scope="session")
def edges(certificates, edge_certificate):
    """edges(NAME, family, ...): a running topology, kept until a test requests another one."""
    kept = {}

    def get(make, *args):
        key = (make.__name__, *args)
        if key not in kept:
            close()
            kept[key] = make(certificates, edge_certificate, *args)
        return kept[key]

    def close():
        while kept:
            kept.popitem()[1].close()
    yield get
    close()


@pytest.fixture
def network():
    """network(LABEL, ...): empty namespaces for one test."""
    made = []

    def make(*labels):
        made.extend(netns.Namespace(label) for label in labels)
        return made[-len(labels):]
    yield make
    for ns in made:
        ns.close()


@pytest.fixture(scope="session")
def cells(request):
    table = request.config.edge_matrix = matrix.Matrix()
    yield table
    table.write(os.path.join(net.BUILD, "edge.md"))


def pytest_terminal_summary(terminalreporter, config):
    """Print the matrix if tests have filled it."""
    if getattr(config, "edge_matrix", None):
        terminalreporter.write_line(config.edge_matrix.table())

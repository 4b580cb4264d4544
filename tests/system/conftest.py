"""Fixtures: certificates once per run; a gateway and a backend per test, which are checked when they end."""
import os
import signal
import tempfile

import pytest

import backend as backends
import browser as browsers
import certs
import gateway as gateways
import kerberos
import net
import servers
import upgrades


def pytest_collection_modifyitems(config, items):
    if not os.access(net.ATTLSD, os.X_OK):
        raise pytest.UsageError(f"{net.ATTLSD} is not built: run make")


@pytest.fixture(autouse=True)
def limit():
    """Stop a test that runs too long, even if data keeps trickling in."""
    def late(*_):
        raise AssertionError(f"still running after {net.LIMIT} seconds")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(net.LIMIT)
    yield
    signal.alarm(0)


@pytest.fixture(scope="session")
def certificates():
    with tempfile.TemporaryDirectory(prefix="attlsd-certs-") as folder:
        os.chmod(folder, 0o755)
        yield certs.Certificates(folder)


@pytest.fixture(scope="session")
def partners():
    with tempfile.TemporaryDirectory(prefix="attlsd-partners-") as folder:
        os.chmod(folder, 0o755)
        yield certs.Partners(folder)


@pytest.fixture
def make_backend():
    made = []

    def make(**script):
        made.append(backends.Backend(**script))
        return made[-1]
    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(make_backend):
    return make_backend(files={"hello.txt": b"hello, world\r\n", "empty": b"", "big": os.urandom(1 << 20)})


@pytest.fixture
def folder():
    """A new folder that every user may enter, unlike pytest's tmp_path."""
    with tempfile.TemporaryDirectory(prefix="attlsd-test-") as path:
        os.chmod(path, 0o755)
        yield path


@pytest.fixture
def launch(certificates, folder):
    """launch(backend, ftp={...}, tls={...}, daemon={...}, ...) starts a gateway and checks its exit after the test."""
    running = []

    def start(backend=None, tree=None, preexec=None, wait=True, argv=(), **change):
        address = getattr(backend, "address", backend) or ("127.0.0.1", 9)
        tree = tree or gateways.policy(certificates, address, **change)
        own = os.path.join(folder, "gateway%d" % len(running))
        os.mkdir(own)
        gateway = gateways.Gateway(own, tree, preexec, argv)
        running.append(gateway)
        return gateway.ready() if wait else gateway
    yield start
    faults = []
    for gateway in running:
        try:
            if not gateway.process.stderr.closed:
                gateway.stop()
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


@pytest.fixture
def upgradable(certificates, folder):
    """upgradable(backend, ...) starts a gateway and checks its end after the test."""
    running = []

    def start(backend, preexec=None, daemon=None, argv=(), **change):
        programs = os.path.join(folder, "programs")
        os.mkdir(programs)
        tree = gateways.policy(certificates, backend.address, daemon={"control_socket": os.path.join(folder, "control"), **(daemon or {})}, **change)
        running.append(upgrades.Upgradable(folder, tree, programs, preexec, argv))
        return running[-1].ready()
    yield start
    for gateway in running:
        if gateway.process.poll() is None:
            gateway.stop()
        assert not gateways.FAULT.search(gateway.log), gateway.log


@pytest.fixture
def gateway(launch, backend):
    """A gateway in front of `backend` with all defaults, except that it allows cleartext data connections."""
    return launch(backend, ftp={"secure_dataconn": "clear"})


@pytest.fixture(scope="session")
def real_server():
    """real_server(NAME): a running vsftpd, proftpd, pure-ftpd or pyftpdlib; skips the test if this machine cannot have it."""
    running = {}

    def get(name):
        if name not in running:
            try:
                running[name] = servers.Server(name)
            except servers.Unavailable as reason:
                running[name] = reason
        if isinstance(running[name], servers.Unavailable):
            pytest.skip(str(running[name]))
        return running[name]
    yield get
    for server in running.values():
        if isinstance(server, servers.Server):
            server.stop()


@pytest.fixture(scope="session")
def kdc():
    why_not = kerberos.why_not()
    if why_not:
        pytest.skip(why_not)
    made = kerberos.Kdc()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def chromium():
    why_not = browsers.why_not()
    if why_not:
        pytest.skip(why_not)
    with tempfile.TemporaryDirectory(prefix="attlsd-chromium-", ignore_cleanup_errors=True) as folder:
        browser = browsers.Browser(folder)
        yield browser
        browser.close()


def pytest_terminal_summary(terminalreporter):
    """Print the interop table if the interop tests ran."""
    path = os.path.join(net.BUILD, "interop.md")
    if any("test_interop" in report.nodeid for report in terminalreporter.stats.get("passed", [])) and os.path.exists(path):
        with open(path) as f:
            terminalreporter.write_line("".join(line for line in f if line.startswith("|")).rstrip())

"""
Real clients where data connections must resume: six transfers in one session, uploads and downloads mixed, that overwrite
old files, with TLS 1.2 and 1.3. Clients that cannot resume get a reply and a log line that say why, and change no file.
Writes the table to reuse.md in the build folder; refresh-interop.sh copies it to docs/INTEROP.md.
"""
import os
import tempfile

import pytest

import ftp_clients
import gateway as gateways
import net
import resuming_clients
import reuse_table

VERSIONS, LISTENERS = ["1.2", "1.3"], ["explicit", "implicit"]
NO_SECRET, NOT_OFFERED, OF_ANOTHER = "no-extended-master-secret", "no-ticket-offered", "ticket-of-another-session"
OLD = ["old1", "old2", "old3"]


def cells(clients, versions=VERSIONS):
    return pytest.mark.parametrize("client, version, listener", [
        pytest.param(client, version, listener, id=f"{client.name}-{version}-{listener}")
        for client in clients for version in versions for listener in client.listeners])


def named(*names):
    return [resuming_clients.ALL[name] for name in names]


@pytest.fixture(scope="module")
def front(real_server, certificates):
    """front(version, reuse): vsftpd and a gateway in front of it. All gateways are stopped and checked at the end."""
    with tempfile.TemporaryDirectory(prefix="attlsd-resuming-") as folder:
        running = {}

        def get(version, reuse="required"):
            server = real_server("vsftpd")
            if (version, reuse) not in running:
                own = os.path.join(folder, version + reuse)
                os.mkdir(own)
                tree = gateways.policy(certificates, (server.host, server.port), ftp={"secure_session_reuse": reuse},
                                       tls={"versions": ["tls" + version]})
                running[version, reuse] = gateways.Gateway(own, tree).ready()
            return server, running[version, reuse]
        yield get
        for gateway in running.values():
            gateway.stop()


@pytest.fixture(scope="module")
def table():
    results = reuse_table.Table()
    yield results
    results.write(os.path.join(net.BUILD, "reuse.md"))


class Files:
    """Old files at the server and new ones here."""

    def __init__(self, server, folder, names=OLD):
        self.server, self.folder = server, folder
        self.old = {name: os.urandom(50_000) for name in names}
        for name, text in self.old.items():
            server.put(name, text)

    def local(self, name, size=None):
        path = os.path.join(self.folder, name)
        if size is not None:
            with open(path, "wb") as f:
                f.write(os.urandom(size))
        return path

    def at_server(self, name):
        with open(os.path.join(self.server.files, name), "rb") as f:
            return f.read()

    def read(self, name):
        with open(self.local(name), "rb") as f:
            return f.read()

    def assert_unchanged(self):
        for name, text in self.old.items():
            assert self.at_server(name) == text, f"{name} has changed"


@pytest.fixture
def way(front, certificates, version, listener, client):
    if client.needs():
        pytest.skip(client.needs())

    def make(reuse="required"):
        server, gateway = front(version, reuse)
        return server, gateway, ftp_clients.Way(listener, "PASV", "P", gateway.address[listener], server.user, server.password,
                                                certificates.ca.pem, server.where, timeout=20)
    return make


@cells([client for client in resuming_clients.MIXED if client.name != "ftp of Erlang"])
def test_six_transfers(way, table, folder, client, version, listener):
    server, gateway, to = way()
    files, since = Files(server, folder), gateway.mark()
    steps = [("put", "old1", files.local("new1", 100_000)), ("get", "old1", files.local("back1")),
             ("put", "old2", files.local("new2", 0)), ("get", "old3", files.local("back3")),
             ("put", "old3", files.local("new3", 300_001)), ("get", "old3", files.local("back3-new"))]
    table.note(client, version, listener, "FAILED")
    client.play(to, version, steps)
    gateway.event("transfer", since, count=6, result="ok")
    assert len(gateway.seen("session-start", since)) == 1
    for number in "123":
        assert files.at_server("old" + number) == files.read("new" + number)
    assert files.read("back1") == files.read("new1")
    assert files.read("back3") == files.old["old3"]
    assert files.read("back3-new") == files.read("new3")
    table.note(client, version, listener, "ok")


@cells(named("ftp of Erlang"), ["1.3"])
def test_six_transfers_of_erlang(way, table, folder, client, version, listener):
    test_six_transfers(way, table, folder, client, version, listener)


@cells(resuming_clients.PLAIN)
def test_a_client_that_offers_no_session(way, table, folder, client, version, listener):
    server, gateway, to = way()
    files = Files(server, folder)
    says = "522 Policy requires the data connection to resume .*: it offered no session" if client.shows_replies else ""
    for name in OLD:
        since = gateway.mark()
        with pytest.raises(ftp_clients.Failed, match=says):
            client.play(to, version, [("put", name, files.local("new", 100_000))])
        gateway.event("session-not-reused", since, reason=NOT_OFFERED)
        gateway.event("session-end", since)
        files.assert_unchanged()
    table.note(client, version, listener, "522 " + NOT_OFFERED)


def assert_no_secret(gateway, since, files):
    gateway.event("session-end", since, reason=NO_SECRET)
    assert not gateway.seen("transfer", since)
    files.assert_unchanged()


SAYS_421 = "421 Policy requires TLS 1.3, or TLS 1.2 with the extended master secret"


@cells(named("ftp of Erlang"), ["1.2"])
def test_erlang_has_no_extended_master_secret(way, table, folder, client, version, listener):
    server, gateway, to = way()
    files, since = Files(server, folder), gateway.mark()
    with pytest.raises(ftp_clients.Failed, match=SAYS_421):
        client.play(to, version, [("put", "old1", files.local("new", 100_000))])
    assert_no_secret(gateway, since, files)
    table.note(client, version, listener, "421 " + NO_SECRET)


@cells(named("wget"), ["1.2"])
def test_wget_has_no_extended_master_secret(way, table, folder, client, version, listener):
    """It does not show the reply."""
    server, gateway, to = way()
    files, since = Files(server, folder), gateway.mark()
    with pytest.raises(ftp_clients.Failed, match="Error in server response|The server refuses login"):
        client.fetch(to, "old*", folder)
    assert_no_secret(gateway, since, files)
    table.note(client, version, listener, "421 " + NO_SECRET)


@cells(named("rclone"), ["1.2"])
def test_rclone_has_no_extended_master_secret(way, table, folder, client, version, listener):
    if client.has_master_secret():
        pytest.skip("this rclone has the extended master secret")
    server, gateway, to = way()
    files, since = Files(server, folder), gateway.mark()
    with pytest.raises(ftp_clients.Failed, match=SAYS_421[len("421 "):]):
        client.copy(to, "", "copy")
    assert_no_secret(gateway, since, files)
    table.note(client, version, listener, "421 " + NO_SECRET)


@cells(named("wget --secure-protocol=PFS"))
def test_six_downloads(way, table, folder, client, version, listener):
    """The list is the first of them."""
    server, gateway, to = way()
    files, since = Files(server, folder, [f"six{n}" for n in range(5)]), gateway.mark()
    table.note(client, version, listener, "FAILED")
    client.fetch(to, "six*", folder)
    gateway.event("transfer", since, count=6, result="ok")
    assert len(gateway.seen("session-start", since)) == 1
    for name, text in files.old.items():
        assert files.read(name) == text
    table.note(client, version, listener, "ok")


@cells(named("wget"), ["1.3"])
def test_six_downloads_as_it_is(way, table, folder, client, version, listener):
    test_six_downloads(way, table, folder, client, version, listener)


@pytest.fixture
def copied(way, folder):
    """copied(reuse): from/* and old files in to/*, for rclone."""
    def make(reuse):
        server, gateway, to = way(reuse)
        for name in "from", "to":
            server.folder(os.path.join(server.files, name), owner=os.stat(server.files).st_uid)
        names = [f"{folder}/{name}" for folder in ("from", "to") for name in OLD]
        return gateway, to, Files(server, folder, names)
    return make


@cells(named("rclone"), ["1.3"])
class TestSharedSessions:
    """All control connections of rclone share one store of sessions."""

    def test_of_the_same_user(self, copied, table, client, version, listener):
        gateway, to, files = copied("required_user")
        since = gateway.mark()
        table.note(client, version, listener, "FAILED")
        client.copy(to, "from", "to")
        for name in OLD:
            assert files.at_server("to/" + name) == files.old["from/" + name]
        gateway.event("session-start", since, count=2)
        assert not gateway.seen("session-not-reused", since)
        table.note(client, version, listener, f"522 {OF_ANOTHER}; `required_user`: ok")

    def test_of_the_same_connection(self, copied, client, version, listener):
        """A refused upload leaves the old file, which rclone then deletes. One that resumes by chance replaces it."""
        gateway, to, files = copied("required")
        since = gateway.mark()
        with pytest.raises(ftp_clients.Failed, match="522 "):
            client.copy(to, "from", "to")
        gateway.event("session-not-reused", since, reason=OF_ANOTHER)
        net.until(lambda: len(gateway.seen("session-end", since)) == len(gateway.seen("session-start", since)), "the log has all")
        assert all(event.keys["bytes"] == "0" for event in gateway.seen("transfer", since) if event.keys["result"] != "ok")
        for name in OLD:
            deleted = [event.keys["name"] for event in gateway.seen("change", since, command="DELE")]
            assert f"{to.where}to/{name}" in deleted or files.at_server("to/" + name) in (files.old["to/" + name], files.old["from/" + name])

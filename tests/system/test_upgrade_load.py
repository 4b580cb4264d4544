"""Two upgrades in the middle of everything: no refused connection, no cut transfer. `make upgrade-load` is the long form."""
import client as clients
import net
from upgrades import NEXT

HALF = 300_000


def begin(gateway, implicit, level, command):
    client = clients.implicit(gateway) if implicit else clients.explicit(gateway)
    client.prot(level)
    return client, client.open(command)


def test_nobody_notices_two_upgrades(upgradable, backend):
    gateway = upgradable(backend, ftp={"secure_dataconn": "clear"})
    done = []

    def come_and_go():
        for start in clients.explicit, clients.implicit:
            with start(gateway) as client:
                client.expect("QUIT", 221)
            done.append(start)
    kinds = [(implicit, level) for implicit in (False, True) for level in "PC"]
    content = bytes(range(256)) * (2 * HALF // 256)
    with net.meanwhile(come_and_go) as failed:
        uploads = [begin(gateway, *kind, f"STOR file{i}") for i, kind in enumerate(kinds)]
        downloads = [begin(gateway, *kind, "RETR big") for kind in kinds]
        for _, data in uploads:
            data.send(content[:HALF])
        for source in NEXT, net.ATTLSD:
            before = len(done)
            gateway.upgrade(source)
            net.until(lambda: len(done) >= before + 20 or failed, "sessions of the new one")
        for i, (client, data) in enumerate(uploads):
            data.send(content[HALF:])
            data.close()
            assert client.reply().code == 226
            assert backend.upload(f"file{i}") == (content, "fin")
        for client, data in downloads:
            assert data.read_all() == backend.files["big"]
            data.close()
            assert client.reply().code == 226
    assert not failed, failed
    assert not gateway.seen("refused")

"""PROGRESS: the log gets a line for a transfer while it runs, as often as the policy says."""
import threading

import client as clients
import net
from test_sessions_shown import half_sent

CONTENT = b"x" * 200000


def held(make_backend, said):
    backend = make_backend(RETR=half_sent(CONTENT, said))
    backend.go = threading.Event()
    return backend


def lines_of(gateway, count):
    net.until(lambda: len(gateway.seen("progress")) >= count, f"{count} lines")
    return gateway.seen("progress")


def test_a_transfer_that_stands_still(launch, make_backend):
    """Bytes, size and percentage; once nothing moves, the rate is 0 and nobody knows how long the rest will take."""
    backend = held(make_backend, "150 Opening BINARY mode data connection for big (200000 bytes).")
    gateway = launch(backend, ftp={"progress": "1s"})
    with clients.explicit(gateway, "P") as c:
        c.expect("TYPE I", 200)
        data = c.open("RETR big")
        got = b""
        while len(got) < len(CONTENT) // 2:
            got += data.recv()
        net.until(lambda: any(event.keys["rate"] == "0" for event in gateway.seen("progress")), "it stands still")
        backend.go.set()
        assert got + data.read_all() == CONTENT and c.reply().code == 226
        c.send("QUIT\r\n")
        gateway.event("session-end")
    lines = [event.keys for event in gateway.seen("progress")]
    for keys in lines:
        assert (keys["bytes"], keys["size"], keys["percent"]) == ("100000", "200000", "50")
        assert (keys["direction"], keys["command"], keys["user"]) == ("download", "RETR big", "user")
        assert keys["session"] == gateway.seen("session-start")[0].keys["session"] and keys["rule"] == "everyone"
    moving, still = lines[0], lines[-1]
    assert int(moving["rate"]) > 0 and 0 < int(moving["left_ms"]) < 60000
    assert still["rate"] == "0" and "left_ms" not in still
    times = [int(keys["ms"]) for keys in lines]
    assert all(900 <= later - sooner <= 3000 for sooner, later in zip([0] + times, times)), times


def test_a_size_that_nobody_told(launch, make_backend):
    backend = held(make_backend, "150 Here it comes")
    gateway = launch(backend, ftp={"progress": "1s"})
    with clients.explicit(gateway, "P") as c:
        c.expect("TYPE I", 200)
        data = c.open("RETR big")
        (keys, *_) = [event.keys for event in lines_of(gateway, 1)]
        assert keys["bytes"] == "100000" and not {"size", "percent", "left_ms"} & set(keys)
        backend.go.set()
        data.read_all()
        assert c.reply().code == 226


def test_no_line_without_the_key_or_after_the_transfer(launch, make_backend):
    backend = held(make_backend, "150 Here it comes")
    quiet, loud = launch(backend), launch(backend, ftp={"progress": "1s"})
    with clients.explicit(quiet, "P") as q, clients.explicit(loud, "P") as c:
        transfers = q.open("RETR big"), c.open("RETR big")
        lines_of(loud, 1)
        backend.go.set()
        for data in transfers:
            data.read_all()
        assert q.reply().code == c.reply().code == 226
        loud.event("transfer")
        count = len(loud.seen("progress"))
        second = c.open("RETR big")     # the server sends all of it now
        second.read_all()
        assert c.reply().code == 226
        c.send("QUIT\r\n")
        loud.event("session-end")
    assert quiet.seen("progress") == [] and len(loud.seen("progress")) == count

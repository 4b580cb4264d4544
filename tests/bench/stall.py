"""
Sessions that stop in the middle of something: stall.py PORT COUNT SEED, for make soak.

Each session goes to a random point and then does nothing more. The program prints how many sessions are at
each point, waits for a line on its standard input, and exits without closing the sessions properly.
"""
import collections
import contextlib
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

import client as clients  # noqa: E402
import net  # noqa: E402

CTX = clients.context()
BIG = "p33554432"
kept = []


def secured(address):
    return clients.Client(address, ctx=CTX).auth()


def ready(address):
    return secured(address).login().prot("P")


def partly(sock, data):
    sock.sendall(data[:random.randrange(1, len(data))])


def hello(sock):
    return clients.Tls(sock, CTX, handshake=False).hello()


def connected(address):
    return clients.Client(address, greet=random.random() < 0.5)


def in_a_clear_line(address):
    c = clients.Client(address)
    partly(c.sock, b"AUTH TLS\r\n")
    return c


def in_the_first_flight(address):
    c = clients.Client(address, ctx=CTX)
    c.expect("AUTH TLS", 234)
    partly(c.sock, hello(c.sock))
    return c


def after_the_first_flight(address):
    c = clients.Client(address, ctx=CTX)
    c.expect("AUTH TLS", 234)
    c.sock.sendall(hello(c.sock))
    return c


def before_login(address):
    return secured(address)


def between_user_and_pass(address):
    c = secured(address)
    c.expect("USER tester", 331)
    return c


def in_a_record(address):
    c = ready(address)
    c.tls.ssl.write(b"NOOP\r\n")
    partly(c.sock, c.tls.outbound.read())
    return c


def in_a_command(address):
    c = ready(address)
    c.send("RETR " + "x" * random.randrange(200))
    return c


def with_a_port_nobody_dials(address):
    c = ready(address)
    c.epsv()
    if random.random() < 0.5:
        c.send(f"RETR {BIG}\r\n")
    return c


def in_the_data_handshake(address):
    c = ready(address)
    sock = net.dial(c.epsv())
    c.send(f"RETR {BIG}\r\n")
    partly(sock, hello(sock))
    return c, sock


def in_a_download(address):
    c = ready(address)
    data = c.open("RETR " + BIG, "EPSV")
    data.recv()
    return c, data


def in_an_upload(address):
    c = ready(address)
    data = c.open("STOR " + BIG, "EPSV")
    data.send(bytes(range(random.randrange(1, 251))))
    return c, data


def half_closed(address):
    c = ready(address)
    c.sock.shutdown(socket.SHUT_WR)
    return c


def with_half_closed_data(address):
    c, data = in_a_download(address)
    data.sock.shutdown(socket.SHUT_WR)
    return c, data


POINTS = (connected, in_a_clear_line, in_the_first_flight, after_the_first_flight, before_login, between_user_and_pass,
          in_a_record, in_a_command, with_a_port_nobody_dials, in_the_data_handshake, in_a_download, in_an_upload,
          half_closed, with_half_closed_data)


def main():
    port, count, seed = (int(word) for word in sys.argv[1:])
    random.seed(seed)
    where = collections.Counter()
    for _ in range(count):
        point = random.choice(POINTS)
        kept.append(point(("127.0.0.1", port)))
        where[point.__name__] += 1
    print(", ".join(f"{n} {name.replace('_', ' ')}" for name, n in where.most_common()), flush=True)
    with contextlib.suppress(OSError):
        sys.stdin.readline()
    os._exit(0)


if __name__ == "__main__":
    main()

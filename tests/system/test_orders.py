"""Orders work between an attlsctl and an attlsd of different versions, as after the upgrade of a package."""
import json
import os
import socket
import struct
import threading

import gateway as gateways
import net
from test_operator import CTL_VERSION, ask, ctl, kind, operated, path, run, text  # noqa: F401

# gateway/base/ctl-order.h: all versions of attlsd have these bytes
VERSION, ANSWER_BYTES = 0x61746F31, 520
RELOAD, DRAIN, MAKE_WAY, AUDIT_REOPEN, UPGRADE, RELOAD_ONLY, POLICY = 4, 5, 7, 13, 14, 15, 16
DONE, REFUSED = 1, 2
END = 3


def order(path, what, version=VERSION, extra=b""):
    """The answer of attlsd, as any version of attlsctl reads it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(net.DEADLINE)
        s.connect(path)
        s.send(struct.pack("=II", version, what) + extra)
        packet = s.recv(65536)
        assert s.recv(1) == b""
    return packet


def answer(packet):
    assert len(packet) == ANSWER_BYTES and struct.unpack_from("=I", packet)[0] == VERSION, packet
    return kind(packet), text(packet)


def test_attlsd_takes_orders_of_any_version(operated, path):
    assert answer(order(path, POLICY)) == (DONE, operated.path)
    assert answer(order(path, RELOAD)) == (DONE, "the new policy is in force; existing sessions keep the old one")
    assert answer(order(path, RELOAD_ONLY))[0] == DONE
    said = answer(order(path, AUDIT_REOPEN))
    assert said[0] in (DONE, REFUSED) and "version" not in said[1]
    assert answer(order(path, DRAIN))[0] == DONE
    assert operated.process.wait(net.DEADLINE) == 0


def test_nothing_else_is_an_order(operated, path):
    for what, version, extra in ((END, VERSION, b""), (1, VERSION, b""), (99, VERSION, b""), (RELOAD, CTL_VERSION, b""),
                                 (RELOAD, VERSION + 1, b""), (RELOAD, VERSION, b"x"), (RELOAD, VERSION, bytes(100))):
        packet = order(path, what, version, extra)
        assert kind(packet) == REFUSED and "different versions" in text(packet), (what, version, extra)
    packet, = ask(path, RELOAD, version=VERSION)  # the size of another question
    assert kind(packet) == REFUSED and "different versions" in text(packet)
    assert "generation 1," in ctl(operated, "status")


class Other:
    """An attlsd of another version: it knows orders, and refuses everything else in a form of its own."""

    def __init__(self, path, policy):
        self.orders, self.policy = [], policy.encode()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(path)
        self.sock.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer = self.sock.accept()[0]
            except OSError:
                return
            with peer:
                packet = peer.recv(65536)
                version, what = struct.unpack_from("=II", packet)
                if len(packet) != 8 or version != VERSION:
                    peer.send(struct.pack("=II", version ^ 1, REFUSED).ljust(1000, b"\0"))
                    continue
                self.orders.append(what)
                said = self.policy if what == POLICY else b"it is done"
                peer.send(struct.pack("=II", VERSION, DONE) + said.ljust(512, b"\0"))


def test_attlsctl_gives_orders_to_any_version(operated, folder):
    place = os.path.join(folder, "other.sock")
    other = Other(place, operated.path)
    for argv, what in ((["upgrade"], UPGRADE), (["reload"], RELOAD), (["reload", "--no-upgrade"], RELOAD_ONLY), (["drain"], DRAIN),
                       (["drain", "--restart"], MAKE_WAY), (["audit", "reopen"], AUDIT_REOPEN)):
        done = run(*argv, "-f", operated.path, "--socket", place)
        assert (done.returncode, done.stdout) == (0, "it is done\n"), (argv, done)
        assert other.orders[-1] == what
    done = run("upgrade", "--socket", os.path.join(folder, "nobody.sock"))
    assert done.returncode == 3 and "no such socket" in done.stderr
    silent = os.path.join(folder, "silent.yaml")
    with open(silent, "w") as f:
        f.write("version: 1\ndaemon: { control_socket: none }\n")
    done = run("upgrade", "-f", silent)
    assert done.returncode == 3 and "control_socket: none" in done.stderr
    done = run("status", "--socket", place)
    assert done.returncode == 1 and "different versions" in done.stderr
    with open(operated.path) as f:
        tree = json.load(f)
    policy = os.path.join(folder, "policy.yaml")
    with open(policy, "w") as f:
        json.dump(gateways.merge(tree, {"daemon": {"control_socket": place}}), f)
    other.orders.clear()
    done = run("drain", "-f", policy)
    assert done.returncode == 1 and f"serves {operated.path}, not {policy}" in done.stderr and DRAIN not in other.orders, done
    other.policy = policy.encode()
    done = run("drain", "-f", policy)
    other.sock.close()
    assert done.returncode == 0 and other.orders[-1] == DRAIN, done

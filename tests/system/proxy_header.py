"""Write and read PROXY protocol headers by the specification, independently of the gateway's code."""
import socket
import struct

import net

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TLVS = {0x01: "alpn", 0x02: "authority", 0x20: "ssl"}
SSL_TLVS = {0x21: "version", 0x22: "cn", 0x23: "cipher"}


def v1(source, destination):
    return b"PROXY %s %s %s %d %d\r\n" % (b"TCP6" if ":" in source[0] else b"TCP4", source[0].encode(),
                                          destination[0].encode(), source[1], destination[1])


def v2(source, destination, tlvs=b"", command=0x21):
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    block = socket.inet_pton(family, source[0]) + socket.inet_pton(family, destination[0])
    block += struct.pack(">HH", source[1], destination[1]) + tlvs
    return SIGNATURE + struct.pack(">BBH", command, 0x21 if family == socket.AF_INET6 else 0x11, len(block)) + block


LOCAL = SIGNATURE + b"\x20\0\0\0"


def tlvs(data, names):
    found = {}
    while data:
        kind, length = struct.unpack(">BH", data[:3])
        assert len(data) >= 3 + length
        found[names.get(kind, kind)] = data[3:3 + length]
        data = data[3 + length:]
    return found


def read(sock):
    """Read one header from a connection; returns its content as a dictionary."""
    start = net.exactly(sock, 6)
    if start == b"PROXY ":
        line = b""
        while not line.endswith(b"\r\n"):
            line += net.exactly(sock, 1)
            assert len(line) <= 101, line
        words = line.decode().split()
        if words[0] == "UNKNOWN":
            return {"version": 1}
        assert words[0] in ("TCP4", "TCP6") and len(words) == 5, words
        return {"version": 1, "source": (words[1], int(words[3])), "destination": (words[2], int(words[4]))}
    head = start + net.exactly(sock, 10)
    assert head[:12] == SIGNATURE, head
    command, family, length = struct.unpack(">BBH", head[12:])
    block = net.exactly(sock, length)
    said = {"version": 2, "command": command}
    if family == 0:
        return said
    size, af = (4, socket.AF_INET) if family == 0x11 else (16, socket.AF_INET6)
    ports = struct.unpack(">HH", block[2 * size:2 * size + 4])
    said["source"] = (socket.inet_ntop(af, block[:size]), ports[0])
    said["destination"] = (socket.inet_ntop(af, block[size:2 * size]), ports[1])
    said.update(tlvs(block[2 * size + 4:], TLVS))
    if "ssl" in said:
        client, verify = struct.unpack(">BI", said["ssl"][:5])
        said["ssl"] = {"client": client, "verify": verify, **tlvs(said["ssl"][5:], SSL_TLVS)}
    return said

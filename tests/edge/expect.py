"""Create an expectation with libnetfilter_conntrack, like attlsd (the conntrack tool does not set the protocol)."""
import ctypes
import os
import socket

IPV4_SRC, IPV4_DST, IPV6_SRC, IPV6_DST, PORT_SRC, PORT_DST, L3PROTO, L4PROTO = 0, 1, 4, 5, 8, 9, 15, 17
EXP_MASTER, EXP_EXPECTED, EXP_MASK, EXP_TIMEOUT = 0, 1, 2, 3
SUBSYSTEM_EXPECT, CREATE = 2, 0


def load():
    lib = ctypes.CDLL("libnetfilter_conntrack.so.3", use_errno=True)
    lib.nfct_new.restype = lib.nfexp_new.restype = lib.nfct_open.restype = ctypes.c_void_p
    return lib


def flow(lib, source, target):
    """A conntrack object for one direction of a TCP connection; addresses are bytes or text."""
    ct = ctypes.c_void_p(lib.nfct_new())
    six = ":" in target[0]
    lib.nfct_set_attr_u8(ct, L3PROTO, socket.AF_INET6 if six else socket.AF_INET)
    lib.nfct_set_attr_u8(ct, L4PROTO, socket.IPPROTO_TCP)
    for (host, port), v4, v6, p in (source, IPV4_SRC, IPV6_SRC, PORT_SRC), (target, IPV4_DST, IPV6_DST, PORT_DST):
        lib.nfct_set_attr(ct, v6 if six else v4, socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, host))
        lib.nfct_set_attr_u16(ct, p, ctypes.c_uint16(socket.htons(port)))
    return ct


def create(client, server, source, target):
    """Expect a connection from the address `source` to the endpoint `target`, related to the connection client -> server."""
    lib = load()
    full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" if ":" in source else "255.255.255.255"
    handle = ctypes.c_void_p(lib.nfct_open(SUBSYSTEM_EXPECT, 0))
    expect = ctypes.c_void_p(lib.nfexp_new())
    lib.nfexp_set_attr(expect, EXP_MASTER, flow(lib, client, server))
    lib.nfexp_set_attr(expect, EXP_EXPECTED, flow(lib, (source, 0), target))
    lib.nfexp_set_attr(expect, EXP_MASK, flow(lib, (full, 0), (full, 65535)))
    lib.nfexp_set_attr_u32(expect, EXP_TIMEOUT, 300)
    try:
        if lib.nfexp_query(handle, CREATE, expect) == -1:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        lib.nfct_close(handle)

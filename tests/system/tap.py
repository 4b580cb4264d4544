"""A tap on the loopback interface: what goes to and from one address, as bytes on the wire."""
import ctypes
import socket
import struct
import threading

ETH_P_ALL = 3
SYN, ACK = 0x02, 0x10
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
BUFFER = 64 << 20


def only(host):
    """A filter of the kernel (struct sock_filter): IPv4 packets from or to this address."""
    address = struct.unpack("!I", socket.inet_aton(host))[0]
    load_half, load, equal, accept = 0x28, 0x20, 0x15, 0x06
    program = [(load_half, 0, 0, 12), (equal, 0, 5, 0x0800), (load, 0, 0, 26), (equal, 2, 0, address),
               (load, 0, 0, 30), (equal, 0, 1, address), (accept, 0, 0, 1 << 18), (accept, 0, 0, 0)]
    return b"".join(struct.pack("HBBI", *step) for step in program), len(program)


class Tap:
    """Everything that TCP connections with `host` (IPv4) carry until stop(). Needs root."""

    def __init__(self, host):
        self.host = socket.inet_aton(host)
        self.payloads = []
        self.opened = []  # of each connection: whether `host` has opened it
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        code, steps = only(host)
        self.code = ctypes.create_string_buffer(code)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", steps, ctypes.addressof(self.code)))
        self.socket.bind(("lo", ETH_P_ALL))
        self.socket.settimeout(0.05)
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                packet, address = self.socket.recvfrom(1 << 17)
            except TimeoutError:
                if self.over:
                    return
                continue
            if address[2] == socket.PACKET_OUTGOING or len(packet) < 34 or packet[12:14] != b"\x08\x00":
                continue  # each packet passes twice
            if self.host not in (packet[26:30], packet[30:34]) or packet[23] != socket.IPPROTO_TCP:
                continue
            tcp = 14 + (packet[14] & 15) * 4
            if packet[tcp + 13] & (SYN | ACK) == SYN:
                self.opened.append(packet[26:30] == self.host)
            payload = packet[tcp + (packet[tcp + 12] >> 4) * 4:]
            if payload:
                self.payloads.append(payload)

    def stop(self):
        """Returns all payloads; nothing may have been missed."""
        self.over = True
        self.thread.join()
        seen, dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.socket.close()
        assert dropped == 0, f"the tap has missed {dropped} of {seen} packets"
        return self.payloads

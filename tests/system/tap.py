"""A tap on the loopback interface: what goes to and from one address, as bytes on the wire."""
import socket
import struct
import threading

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS = 263, 6
BUFFER = 64 << 20


class Tap:
    """Everything that TCP connections with `host` (IPv4) carry until stop(). Needs root."""

    def __init__(self, host):
        self.host = socket.inet_aton(host)
        self.payloads = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE if hasattr(socket, "SO_RCVBUFFORCE") else 33, BUFFER)
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

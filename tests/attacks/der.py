"""Certificates byte by byte, so that a test can put anything into them: names, strings and extensions of any kind."""
import base64
import os
import subprocess

UTF8, PRINTABLE, T61, IA5, BMP = 0x0c, 0x13, 0x14, 0x16, 0x1e
OIDS = {"C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11", "CN": "2.5.4.3", "UID": "0.9.2342.19200300.100.1.1"}
ALWAYS = (b"20200101000000Z", b"20490101000000Z")
PAST = (b"20200101000000Z", b"20200201000000Z")


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*parts):
    return tlv(0x30, *parts)


def oid(text):
    numbers = [int(n) for n in text.split(".")]
    out = bytearray([numbers[0] * 40 + numbers[1]])
    for n in numbers[2:]:
        digits = [n & 0x7f]
        while n > 0x7f:
            n >>= 7
            digits.append(0x80 | n & 0x7f)
        out += bytes(reversed(digits))
    return tlv(6, bytes(out))


def number(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def name(*attributes):
    """Of (type, value) or (type, value, kind of string), in the order of the certificate: the most general first."""
    out = []
    for kind, value, *tag in attributes:
        value = value.encode() if isinstance(value, str) else value
        out.append(tlv(0x31, seq(oid(OIDS.get(kind, kind)), tlv(tag[0] if tag else UTF8, value))))
    return seq(*out)


def extension(kind, value, critical=False):
    return seq(oid(kind), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def alt_names(*names):
    """Of (tag, bytes): 1 is email, 2 DNS, 6 URI, 7 IP."""
    return extension("2.5.29.17", seq(*[tlv(0x80 | tag, value) for tag, value in names]))


def key_id(value):
    return extension("2.5.29.14", tlv(4, value))


def issuer_key_id(value):
    return extension("2.5.29.35", seq(tlv(0x80, value)))


IS_CA = extension("2.5.29.19", seq(tlv(1, b"\xff")), True)
ECDSA_SHA256 = seq(oid("1.2.840.10045.4.3.2"))


class Key:
    """A P-256 key in a file."""

    def __init__(self, path):
        self.path = path
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path], check=True,
                       stderr=subprocess.DEVNULL)
        self.public = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True,
                                     capture_output=True).stdout

    def sign(self, data):
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=data, check=True,
                              capture_output=True).stdout


def unsigned(subject, issuer, public, serial=1, dates=ALWAYS, extensions=()):
    """A TBSCertificate."""
    more = tlv(0xa3, seq(*extensions)) if extensions else b""
    return seq(tlv(0xa0, number(2)), number(serial), ECDSA_SHA256, issuer, seq(*[tlv(0x18, date) for date in dates]), subject,
               public, more)


def signed(tbs, signature):
    return seq(tbs, ECDSA_SHA256, tlv(3, b"\0", signature))


def pem(*certificates):
    return "".join("-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % base64.encodebytes(der).decode()
                   for der in certificates)


def junk(size, public):
    """Certificates of nobody, of together this many bytes: as many as possible."""
    out, n = [], 0
    while n < size:
        out.append(signed(unsigned(name(("CN", "%d" % len(out))), name(("CN", "x")), public), b"\0"))
        n += len(out[-1]) + 5
    return out[:-1]


class Authority:
    """A root, which signs whatever it is told to."""

    def __init__(self, folder, label, subject=None, extensions=()):
        self.folder, self.subject = folder, subject or name(("O", "attack"), ("CN", label))
        self.key = Key(os.path.join(folder, label + ".key"))
        self.der = self.make(self.subject, self.key.public, extensions=[IS_CA, *extensions])
        self.pem = os.path.join(folder, label + ".pem")
        with open(self.pem, "w") as f:
            f.write(pem(self.der))

    def make(self, subject, public, **more):
        tbs = unsigned(subject, self.subject, public, **more)
        return signed(tbs, self.key.sign(tbs))

    def issue(self, label, subject, chain=(), **more):
        """Write LABEL.pem, with these certificates after it, and LABEL.key; returns both paths."""
        base = os.path.join(self.folder, label)
        key = Key(base + ".key")
        with open(base + ".pem", "w") as f:
            f.write(pem(self.make(subject, key.public, **more), *chain))
        return base + ".pem", key.path

"""A throwaway CA and the server certificates it signs, made with openssl once per test run."""
import os
import subprocess


def openssl(*argv, **kw):
    subprocess.run(["openssl", *argv], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **kw)


class Authority:
    def __init__(self, folder, name="attlsd test CA"):
        self.folder = str(folder)
        self.pem = os.path.join(self.folder, "ca.pem")
        self.key = os.path.join(self.folder, "ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.key, "-out", self.pem)

    def issue(self, label, names, algorithm="ecdsa"):
        """Make LABEL.pem and LABEL.key for these host names (IP addresses begin with a digit or hold a colon)."""
        base = os.path.join(self.folder, label)
        alt = ",".join(("IP:" if n[0].isdigit() or ":" in n else "DNS:") + n for n in names)
        kind = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[algorithm]
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=" + alt + "\n")
        openssl("req", "-newkey", *kind, "-nodes", "-subj", "/CN=" + label, "-keyout", base + ".key", "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
        os.chmod(base + ".key", 0o644)  # worth nothing, and an ordinary user's daemon reads it too
        return {"chain": base + ".pem", "key": base + ".key"}


class Certificates:
    """What most tests need: an ECDSA and an RSA certificate for localhost, and one for another name."""

    def __init__(self, folder):
        self.ca = Authority(folder)
        here = ["localhost", "127.0.0.1", "::1"]
        self.ecdsa = self.ca.issue("server-ecdsa", here)
        self.rsa = self.ca.issue("server-rsa", here, "rsa")
        self.other = self.ca.issue("other.example", ["other.example"])

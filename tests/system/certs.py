"""A temporary CA and the server certificates that it signs, created with openssl once per test run."""
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
        """Create LABEL.pem and LABEL.key for these names; names that begin with a digit or contain a colon are IP addresses."""
        base = os.path.join(self.folder, label)
        alt = ",".join(("IP:" if n[0].isdigit() or ":" in n else "DNS:") + n for n in names)
        kind = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[algorithm]
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=" + alt + "\n")
        openssl("req", "-newkey", *kind, "-nodes", "-subj", "/CN=" + label, "-keyout", base + ".key", "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
        os.chmod(base + ".key", 0o644)  # a test key; a daemon of an ordinary user must also be able to read it
        return {"chain": base + ".pem", "key": base + ".key"}


class Certificates:
    """The certificates that most tests need: ECDSA and RSA for localhost, and one for another name."""

    def __init__(self, folder):
        self.ca = Authority(folder)
        here = ["localhost", "127.0.0.1", "::1"]
        self.ecdsa = self.ca.issue("server-ecdsa", here)
        self.rsa = self.ca.issue("server-rsa", here, "rsa")
        self.other = self.ca.issue("other.example", ["other.example"])


CA_CONFIG = """
[ca]
default_ca = it
[it]
database = {base}.index
new_certs_dir = {folder}
serial = {base}.serial
crlnumber = {base}.crlnumber
certificate = {base}.pem
private_key = {base}.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
string_mask = utf8only
[any]
commonName = optional
organizationName = optional
[leaf]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = clientAuth
[server]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[request]
distinguished_name = empty
[empty]
"""

PAST = ("20200101000000Z", "20200201000000Z")
ALWAYS = ("20200101000000Z", "20500101000000Z")


class ClientAuthority:
    """A CA with a database: it issues client certificates and intermediate CAs, revokes them, and creates CRLs."""

    def __init__(self, folder, label, issuer=None, subject=None):
        self.folder, self.label, self.issuer = str(folder), label, issuer
        self.base = os.path.join(self.folder, label)
        self.pem, self.key = self.base + ".pem", self.base + ".key"
        with open(self.base + ".cnf", "w") as f:
            f.write(CA_CONFIG.format(base=self.base, folder=self.folder))
        for name, content in ("index", ""), ("serial", "1000\n"), ("crlnumber", "01\n"):
            with open(f"{self.base}.{name}", "w") as f:
                f.write(content)
        self._request(label, subject or "/O=attlsd test/CN=" + label)
        if issuer:
            issuer._sign(label, "authority", ALWAYS)
        else:
            self._sign(label, "authority", ALWAYS, "-selfsign", "-keyfile", self.key)

    def issue_server(self, label, names, dates=ALWAYS, key="P-256"):
        """The same for a server with these names, as Authority.issue() returns it."""
        alt = ",".join(("IP:" if n[0].isdigit() or ":" in n else "DNS:") + n for n in names)
        self._request(label, "/CN=" + label, "-addext", "subjectAltName=" + alt, key=key)
        self._sign(label, "server", dates)
        base = os.path.join(self.folder, label)
        os.chmod(base + ".key", 0o644)
        return {"chain": base + ".pem", "key": base + ".key"}

    def _request(self, label, subject, *more, key="P-256"):
        base = os.path.join(self.folder, label)
        new = ["ec", "-pkeyopt", "ec_paramgen_curve:" + key] if key.startswith("P-") else [key]
        openssl("req", "-new", "-newkey", *new, "-nodes", "-utf8", "-config",
                self.base + ".cnf", "-section", "request", "-subj", subject, "-keyout", base + ".key", "-out", base + ".csr", *more)

    def _sign(self, label, kind, dates, *more):
        base = os.path.join(self.folder, label)
        openssl("ca", "-batch", "-config", self.base + ".cnf", "-extensions", kind, "-notext", "-preserveDN", "-utf8",
                "-startdate", dates[0], "-enddate", dates[1], "-in", base + ".csr", "-out", base + ".pem", *more)

    @property
    def chain(self):
        """The intermediate CAs above a leaf, without the root."""
        return ([self.pem] + self.issuer.chain) if self.issuer else []

    def issue(self, label, subject=None, dates=ALWAYS, key="P-256"):
        """
        Issue a client certificate in files named LABEL. Returns (chain file, key file).
        key: P-256, P-384, P-521, or what `openssl req -newkey` takes, such as ed25519 or rsa:BITS
        """
        self._request(label, subject or "/O=Partner/CN=" + label, key=key)
        self._sign(label, "leaf", dates)
        base = os.path.join(self.folder, label)
        return join(base + ".chain", base + ".pem", *self.chain), base + ".key"

    def revoke(self, label):
        openssl("ca", "-config", self.base + ".cnf", "-revoke", os.path.join(self.folder, label + ".pem"))

    def crl(self, name, dates=("20200101000000Z", "20490101000000Z")):
        path = os.path.join(self.folder, name)
        openssl("ca", "-config", self.base + ".cnf", "-gencrl", "-crl_lastupdate", dates[0], "-crl_nextupdate", dates[1],
                "-out", path)
        return path


def join(path, *parts):
    """Join several files into one."""
    with open(path, "wb") as out:
        for part in parts:
            with open(part, "rb") as f:
                out.write(f.read())
    return path


class Partners:
    """Client certificates from a trusted CA, from another CA, and an expired one, and the paths of both CAs."""

    def __init__(self, folder):
        self.ca = ClientAuthority(folder, "partners")
        self.strangers = ClientAuthority(folder, "strangers")
        self.cert = {
            "none": None,
            "good": self.ca.issue("user1"),
            "second": self.ca.issue("user2"),
            "other CA": self.strangers.issue("stranger"),
            "expired": self.ca.issue("former", dates=PAST),
        }

"""Client certificates of a temporary partner CA, and its CRLs."""
import os
import ssl
import subprocess

CONFIG = """
[ca]
default_ca = here
[here]
database = {base}.index
crlnumber = {base}.number
default_md = sha256
default_crl_days = 2
[any]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
"""


def openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """A root CA (issuer None) or an intermediate CA."""

    def __init__(self, folder, name, issuer=None):
        self.folder, self.name, self.issuer, self.base = folder, name, issuer, os.path.join(folder, name)
        self.pem, self.key, self.config = self.base + ".pem", self.base + ".key", self.base + ".cnf"
        with open(self.config, "w") as f:
            f.write(CONFIG.format(base=self.base))
        open(self.base + ".index", "w").close()
        with open(self.base + ".number", "w") as f:
            f.write("01\n")
        if issuer is None:
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                    "-keyout", self.key, "-out", self.pem)
        else:
            issuer.sign(self.base, "/CN=" + name, "authority")

    def sign(self, base, subject, section="any"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj", subject,
                "-keyout", base + ".key", "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                "-extfile", self.config, "-extensions", section, "-out", base + ".pem")

    def issue(self, label, subject=None):
        """Create LABEL.pem with the chain below the root, and its key."""
        base = os.path.join(self.folder, label)
        self.sign(base, subject or "/O=Partner/CN=" + label)
        chain, above = "", self
        while above.issuer:
            with open(above.pem) as f:
                chain += f.read()
            above = above.issuer
        with open(base + ".pem", "a") as f:
            f.write(chain)
        return base + ".pem"

    def revoke(self, pem):
        openssl("ca", "-config", self.config, "-cert", self.pem, "-keyfile", self.key, "-revoke", pem)

    def crl(self, when=()):
        out = self.base + ".crl"
        openssl("ca", "-config", self.config, "-cert", self.pem, "-keyfile", self.key, "-gencrl", *when, "-out", out)
        with open(out) as f:
            return f.read()


class People:
    """user and other belong to users of the policy, stranger to no user; foreign comes from another CA."""

    def __init__(self, folder):
        self.folder = folder
        root, elsewhere = Authority(folder, "partners"), Authority(folder, "elsewhere")
        self.root = root
        middle = Authority(folder, "branch", root)
        gone = Authority(folder, "branch-gone", root)
        for label in "user", "other", "stranger", "revoked":
            root.issue(label)
        elsewhere.issue("foreign", "/O=Partner/CN=user")
        middle.issue("branch-user")
        middle.issue("branch-revoked")
        gone.issue("gone-user")
        self.trust = root.pem
        clean = {authority: authority.crl() for authority in (root, middle, gone, elsewhere)}
        past = {authority: authority.crl(["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"])
                for authority in (root, middle)}
        root.revoke(os.path.join(folder, "revoked.pem"))
        root.revoke(gone.pem)
        middle.revoke(os.path.join(folder, "branch-revoked.pem"))
        good = {authority: authority.crl() for authority in (root, middle)}
        self.write("crl-good", good[root] + good[middle] + clean[gone])
        self.write("crl-root-only", good[root])
        self.write("crl-none-revoked", clean[root] + clean[middle] + clean[gone])
        self.write("crl-expired", past[root] + past[middle])
        self.write("crl-of-another", clean[elsewhere])
        self.write("password", "stored secret\n")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)

    def path(self, name):
        return self.trust if name == "partners" else os.path.join(self.folder, name)

    def load(self, ctx, label):
        base = os.path.join(self.folder, label)
        ctx.load_cert_chain(base + ".pem", base + ".key")

    def users(self):
        def person(*names, **more):
            return {"certificates": [{"subject": "CN=%s,O=Partner" % name} for name in names], **more}
        return {"user": person("user", "branch-user", password_file=self.path("password")),
                "other": person("other", password_file=self.path("password")),
                "poor": person("poor"),
                }


def denies(tls):
    """Did the peer refuse the client's certificate? (In TLS 1.3, the client learns that only after the handshake.)"""
    try:
        return not tls.handshake().recv() and tls.end != "clean"
    except (ssl.SSLError, ConnectionError):
        return True

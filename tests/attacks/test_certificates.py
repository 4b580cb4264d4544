"""
Attacks with client certificates: chains that cost time and memory, and names that look like another's.

The comment above each test names the guard that it depends on. mutants.py builds the daemon with that guard
switched off and runs the test, which must then fail.
"""
import contextlib
import json
import os
import ssl
import subprocess

import pytest

import client as clients
import der
import gateway as gateways
import net

VERSIONS = ["1.2", "1.3"]


@pytest.fixture
def house(folder):
    """The authority that the policy trusts."""
    return der.Authority(folder, "house")


def start(launch, backend, house, kind="required", ring=None, sizes=None, **change):
    tls = {"handshake_role": "server_with_client_auth", "client_auth_type": kind, **(sizes or {})}
    return launch(backend, keyrings={"ftpd": {"trust": house.pem, **(ring or {})}}, tls=tls, **change)


def person(house, label, chain=()):
    return house.issue(label, der.name(("O", "Partner"), ("CN", label)), chain)


def gets_in(gateway, own, **kw):
    """In TLS 1.3 the client learns only after the handshake that it was refused."""
    with clients.Client(gateway.explicit, ctx=clients.context(own=own, **kw)) as c:
        with contextlib.suppress(ssl.SSLError, clients.Closed, ConnectionError):
            c.auth()
            return c.cmd("NOOP").code in (200, 530)
    return False


def refused(gateway, own, why, **kw):
    since = gateway.mark()
    assert not gets_in(gateway, own, **kw)
    assert why in gateway.event("tls-failed", since).keys["reason"]


# Guard: SSL_CTX_set_max_cert_list() in gateway/tls/tlsctx.c. Without it OpenSSL decodes 100 KiB of certificates in
# one step, which stops every other session of the worker for a fifth of a second.
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["required", "passthru"])
def test_81_a_long_chain_is_refused_before_it_is_read(launch, backend, house, kind, version):
    gateway = start(launch, backend, house, kind)
    long = person(house, "long", der.junk(40000, house.key.public))
    refused(gateway, long, "chain is longer than max_client_chain", versions=version)
    assert gets_in(gateway, person(house, "short"), versions=version)


# The same guard: a data connection takes no longer chain than the control connection.
def test_81_on_a_data_connection_too(launch, backend, house):
    gateway = start(launch, backend, house)
    with clients.explicit(gateway, "P", ctx=clients.context(own=person(house, "short"))) as c:
        data = net.dial(c.pasv())
        c.send("RETR hello.txt\r\n")
        with contextlib.suppress(ssl.SSLError, OSError):
            clients.Tls(data, clients.context(own=person(house, "long", der.junk(40000, house.key.public)))).read_all()
        assert "max_client_chain" in gateway.event("data-tls-failed").keys["reason"]


def test_81_the_policy_may_allow_more(launch, backend, house):
    gateway = start(launch, backend, house, ring={"max_client_chain": 102400})
    refused(gateway, person(house, "long", der.junk(40000, house.key.public)), "has sent a chain of")
    big = house.make(der.name(("CN", "big")), house.key.public, extensions=[der.extension("1.2.3.4", b"x" * 30000)])
    assert gets_in(gateway, person(house, "long", [big]))


# Guard: trust_limits_are_exceeded() in gateway/tls/trust-limits.c.
@pytest.mark.parametrize("kind", ["required", "passthru"])
def test_82_a_chain_of_many_certificates(launch, backend, house, kind):
    gateway = start(launch, backend, house, kind)
    refused(gateway, person(house, "many", der.junk(10000, house.key.public)), "has sent a chain of")


# Guard: trust_limits_are_exceeded() in gateway/tls/trust-limits.c.
@pytest.mark.parametrize("kind", ["required", "passthru"])
def test_83_a_giant_key(launch, backend, house, kind):
    gateway = start(launch, backend, house, kind)
    public = giant_key(16384)
    refused(gateway, person(house, "giant", [house.make(der.name(("CN", "giant")), public)]), "a key of 16384 bits")


def giant_key(bits):
    """The public half of an RSA key whose private half nobody needs."""
    n = der.number((1 << (bits - 1)) | 1)
    return der.seq(der.seq(der.oid("1.2.840.113549.1.1.1"), der.tlv(5)), der.tlv(3, b"\0", der.seq(n, der.number(65537))))


def heavy(house):
    """A client with a chain of 14 KiB."""
    big = house.make(der.name(("CN", "big")), house.key.public, extensions=[der.extension("1.2.3.4", b"x" * 13000)])
    return person(house, "heavy", [big])


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))


# Guard: tlsctx_sessions_forget() in gateway/tls/tlsctx-sessions.c, called by session_end(). Without it, each session of
# TLS 1.2 without a ticket leaves its chain in the server's cache for an hour.
@pytest.mark.skipif(net.sanitized(), reason="a sanitizer keeps what was freed")
def test_84_sessions_that_ended_keep_no_chain(launch, backend, house):
    gateway = start(launch, backend, house, "passthru", daemon={"limits": {"unauthenticated_per_source": 1000}})
    ctx = clients.context(own=heavy(house), versions="1.2",
                          tickets=False)
    (worker,) = gateway.workers()

    def rounds(n):
        for _ in range(n):
            with clients.Client(gateway.explicit, ctx=ctx) as c:
                c.auth().cmd("QUIT")
                c.tls.notify()
        gateway.event("session-end", count=len(gateway.seen("session-start")))
    rounds(40)
    before = resident_kib(worker)
    rounds(120)
    assert resident_kib(worker) - before < 1500, "a chain stays for each session"


# Guard: tlsctx_sessions_keep() in gateway/tls/tlsctx-sessions.c. Without it, each data connection that resumes nothing
# leaves its chain in the cache until the control session ends.
@pytest.mark.skipif(net.sanitized(), reason="a sanitizer keeps what was freed")
def test_85_data_connections_do_not_pile_up_chains(launch, backend, house):
    gateway = start(launch, backend, house, "passthru")
    ctx = clients.context(own=heavy(house), versions="1.2",
                          tickets=False)
    (worker,) = gateway.workers()
    with clients.explicit(gateway, "P", ctx=ctx) as c:
        for _ in range(40):
            c.get("hello.txt", session=None)
        before = resident_kib(worker)
        for _ in range(120):
            c.get("hello.txt", session=None)
        assert resident_kib(worker) - before < 1500, "a chain stays for each data connection"
        assert c.open("RETR hello.txt").reused  # the control connection's own session is still there


# --- whose certificate is it? ---

PARTNER = der.name(("O", "Partner"), ("CN", "user1"))
SUBJECT, HOUSE = "CN=user1,O=Partner", "CN=house,O=attack"
VERIFY = {"secure_login": "verify_user", "secure_password": "optional", "accesserrormsgs": True, "login_attempts": 0, "login_delay": 0}


def entries(folder, *certificates, **more):
    """The policy's only user, with a stored password."""
    path = os.path.join(folder, "password")
    with open(path, "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("stored\n")
    return {"users": {"user1": {"certificates": list(certificates), "password_file": path}, **more}}


def trusts(folder, *authorities):
    path = os.path.join(folder, "trust.pem")
    with open(path, "w") as f:
        f.write(der.pem(*[authority.der for authority in authorities]))
    return path


def login(gateway, own, user="user1"):
    with clients.Client(gateway.explicit, ctx=clients.context(own=own)) as c:
        return c.auth().cmd("USER " + user)


UNMAPPED = "not assigned to a user"


@pytest.fixture
def two(folder, house, backend, launch):
    """attlsd trusts two authorities. two(entry, ...): the gateway and the other authority."""
    def begin(*certificates, **more):
        other = der.Authority(folder, "other")
        gateway = start(launch, backend, house, ring={"trust": trusts(folder, house, other)}, ftp=VERIFY,
                        **entries(folder, *certificates, **more))
        return gateway, other
    return begin


# Guard: has_issuer() in gateway/tls/identity-entry.c.
def test_86_the_same_subject_from_another_authority(two, house):
    gateway, other = two({"subject": SUBJECT, "issuer": HOUSE})
    assert login(gateway, house.issue("right", PARTNER)).code == 232
    assert UNMAPPED in login(gateway, other.issue("wrong", PARTNER))
    mark = gateway.event("client-certificate", count=2).keys
    assert (mark["issuer"], mark["serial"], len(mark["sha256"])) == ("CN=other,O=attack", "01", 64)
    assert gateway.event("login").keys["issuer"] == HOUSE


# Guard: trust_store_holds() in gateway/tls/trust.c. An authority may make another one with any name.
def test_87_another_authority_with_the_same_name(launch, backend, folder):
    house = der.Authority(folder, "house", extensions=[der.key_id(b"A")])
    other = der.Authority(folder, "other")
    gateway = start(launch, backend, house, ring={"trust": trusts(folder, house, other)}, ftp=VERIFY,
                    **entries(folder, {"subject": SUBJECT, "issuer": HOUSE}))
    forged = der.Authority(folder, "forged", subject=house.subject)
    cross = other.make(house.subject, forged.key.public, extensions=[der.IS_CA, der.key_id(b"B")], serial=7)
    own = forged.issue("evil", PARTNER, [cross], extensions=[der.issuer_key_id(b"B")])
    assert UNMAPPED in login(gateway, own)
    assert gateway.event("client-certificate").keys["verified"] == "yes"


def test_87_an_authority_below_the_right_one(two, house, folder):
    gateway, _ = two({"subject": SUBJECT, "issuer": HOUSE})
    branch = der.Authority(folder, "branch")
    own = branch.issue("below", PARTNER, [house.make(branch.subject, branch.key.public, extensions=[der.IS_CA])])
    assert login(gateway, own).code == 232


# Guard: check_entry() in gateway/tls/identity-users.c.
@pytest.mark.parametrize("entry, fault", [({"subject": SUBJECT}, "more than one authority"), ({"serial": "01"}, "more than one authority"),
                                          ({"subject": SUBJECT, "issuer": "CN=branch"}, "not this \"issuer\""),
                                          ({"subject": SUBJECT, "issuer": HOUSE}, None), ({"sha256": "ab" * 32}, None)])
def test_88_check_wants_the_issuer(certificates, folder, house, entry, fault):
    other = der.Authority(folder, "other")
    tree = gateways.policy(certificates, ("127.0.0.1", 9), ftp=VERIFY, tls={"handshake_role": "server_with_client_auth"},
                           keyrings={"ftpd": {"trust": trusts(folder, house, other)}}, **entries(folder, entry))
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(tree))
    status, said = gateways.check(path)
    assert (status == 0) == (fault is None) and (fault or "") in said, said


# One authority: each key of an entry, and what comes near it. The guard is the comparison of that key in
# identity_entry_matches() in gateway/tls/identity-entry.c.
SAN = [(2, b"host.example"), (1, b"Anna@Example.net"), (6, b"urn:Anna"), (7, bytes([192, 0, 2, 7]))]
ENTRIES = {
    "serial": ({"serial": "1a:2b"}, dict(serial=0x1a2b), [dict(serial=0x1a2c), dict(serial=0x11a2b), dict(serial=0x1a2b00)]),
    "serial with zeros": ({"serial": "001A2B"}, dict(serial=0x1a2b), [dict(serial=-0x1a2b), dict(serial=1 << 300)]),
    "dns": ({"san": "DNS:Host.Example"}, dict(extensions=[der.alt_names(*SAN)]),
            [dict(), dict(extensions=[der.alt_names((2, b"host.example\0.evil.example"), (2, b"xhost.example"), (2, b"*.example"))]),
             dict(extensions=[der.alt_names((6, b"host.example"), (1, b"host.example"))]),
             dict(extensions=[der.alt_names((2, b"host.example")), der.alt_names((2, b"host.example"))])]),
    "email": ({"san": "email:Anna@example.NET"}, dict(extensions=[der.alt_names(*SAN)]),
              [dict(extensions=[der.alt_names((1, b"anna@example.net"), (1, b"Anna@example.net\0"), (2, b"Anna@example.net"))])]),
    "uri": ({"san": "URI:urn:Anna"}, dict(extensions=[der.alt_names(*SAN)]), [dict(extensions=[der.alt_names((6, b"urn:anna"))])]),
    "ip": ({"san": "IP:192.0.2.7"}, dict(extensions=[der.alt_names(*SAN)]),
           [dict(extensions=[der.alt_names((7, bytes([192, 0, 2, 8])), (2, b"192.0.2.7"), (7, bytes([192, 0, 2, 7] + [0] * 12)))])]),
}


@pytest.mark.parametrize("what", ENTRIES)
def test_89_near_misses(launch, backend, house, folder, what):
    entry, right, wrong = ENTRIES[what]
    gateway = start(launch, backend, house, ftp=VERIFY, **entries(folder, {"subject": SUBJECT, **entry}))
    for n, more in enumerate(wrong):
        with contextlib.suppress(ssl.SSLError, clients.Closed, ConnectionError):
            assert UNMAPPED in login(gateway, house.issue("wrong%d" % n, PARTNER, **more)), more
    assert login(gateway, house.issue("right", PARTNER, **right)).code == 232


# Names that only look like CN=user1,O=Partner.
LOOKALIKES = {
    "NUL behind": [("O", "Partner"), ("CN", b"user1\0.evil")],
    "NUL in another attribute": [("O", b"Partner\0"), ("CN", "user1")],
    "NUL in a T61String": [("O", "Partner"), ("CN", b"user1\0", der.T61)],
    "two names in one value": [("CN", "user1,O=Partner")],
    "slashes": [("CN", "/O=Partner/CN=user1")],
    "an escape": [("O", "Partner"), ("CN", "user1\\")],
    "escaped text": [("O", "Partner"), ("CN", "\\75ser1")],
    "a plus": [("CN", "user1+O=Partner")],
    "quotes": [("O", '"Partner"'), ("CN", '"user1"')],
    "the other way round": [("CN", "user1"), ("O", "Partner")],
    "one more": [("O", "Partner"), ("OU", "x"), ("CN", "user1")],
    "twice": [("O", "Partner"), ("CN", "user1"), ("CN", "user1")],
    "another attribute": [("O", "Partner"), ("UID", "user1")],
    "a Cyrillic letter": [("O", "P\u0430rtner"), ("CN", "user1")],
    "a wide letter": [("O", "Partner"), ("CN", "\uff55ser1")],
    "a dotless i": [("O", "Partner"), ("CN", "user\u0131")],
    "broken UTF-8": [("O", "Partner"), ("CN", b"user1\xc0\x80")],
    "a zero-width space": [("O", "Partner"), ("CN", "user1\u200b")],
    "a line": [("O", "Partner"), ("CN", "user1\r\nlogin user=root")],
    "nothing": [],
}
# Other encodings of the same name (RFC 5280 7.1).
SAME = {
    "as it is": [("O", "Partner"), ("CN", "user1")],
    "case and blanks": [("O", " PARTNER "), ("CN", "User1")],
    "PrintableString": [("O", "Partner", der.PRINTABLE), ("CN", "user1", der.PRINTABLE)],
    "T61String": [("O", "Partner", der.T61), ("CN", "user1", der.T61)],
    "BMPString": [("O", "Partner".encode("utf-16-be"), der.BMP), ("CN", "user1")],
}


# Guard: X509_NAME_cmp() and has_nul() in gateway/tls.
def test_90_names_that_look_like_it(launch, backend, house, folder):
    gateway = start(launch, backend, house, ftp=VERIFY, **entries(folder, {"subject": SUBJECT}))
    for n, (what, attributes) in enumerate(LOOKALIKES.items()):
        with contextlib.suppress(ssl.SSLError, clients.Closed, ConnectionError):
            assert UNMAPPED in login(gateway, house.issue("like%d" % n, der.name(*attributes))), what
    for n, (what, attributes) in enumerate(SAME.items()):
        assert login(gateway, house.issue("same%d" % n, der.name(*attributes))).code == 232, what
    assert not [e for e in gateway.seen("login") if e.keys["user"] != "user1"]


def test_90_expired(launch, backend, house, folder):
    gateway = start(launch, backend, house, ftp=VERIFY, **entries(folder, {"subject": SUBJECT}))
    refused(gateway, house.issue("old", PARTNER, dates=der.PAST), "certificate has expired")


# Guard: identity_users_find() in gateway/tls/identity-users.c.
def test_91_a_certificate_of_two_users(launch, backend, house, folder):
    users = entries(folder, {"subject": SUBJECT}, user2={"certificates": [{"serial": "05"}]})
    gateway = start(launch, backend, house, ftp=VERIFY, **users)
    own = house.issue("both", PARTNER, serial=5)
    assert UNMAPPED in login(gateway, own) and UNMAPPED in login(gateway, own, "user2")
    assert gateway.event("client-certificate").keys["users"] == "several"
    assert login(gateway, house.issue("one", PARTNER)).code == 232


# Guard: machine_login_user() in ftp-alg/login.c. To a server that knows case, ANNA is not anna.
def test_92_the_server_gets_the_name_of_the_policy(launch, backend, house, folder):
    gateway = start(launch, backend, house, ftp=VERIFY, **entries(folder, {"subject": SUBJECT}))
    assert login(gateway, house.issue("user", PARTNER), "USER1").code == 232
    assert "USER user1" in backend.everything() and "USER USER1" not in backend.everything()


# What `attlsctl certificate` prints goes into a policy as it is.
@pytest.mark.parametrize("attributes, whole", [([("O", "Partner"), ("CN", "user1")], True),
                                               ([("O", "it's, \\ # \u00fc"), ("CN", "user1")], True),
                                               ([("O", b"with\0nul"), ("CN", "user1")], False)])
@pytest.mark.parametrize("form", ["pem", "der"])
def test_93_attlsctl_certificate(certificates, house, folder, launch, backend, attributes, whole, form):
    other = der.Authority(folder, "other")
    own = house.issue("own", der.name(*attributes), [house.der], extensions=[der.alt_names(*SAN)])
    path = own[0]
    if form == "der":
        path = os.path.join(folder, "own.der")
        subprocess.run(["openssl", "x509", "-in", own[0], "-outform", "DER", "-out", path], check=True)
    done = subprocess.run([net.ATTLSCTL, "certificate", path], capture_output=True, text=True, check=True)
    assert ("subject: '" in done.stdout, "left out" in done.stderr) == (whole, not whole)
    assert "# san: 'DNS:host.example'" in done.stdout and "# san: 'IP:192.0.2.7'" in done.stdout
    tree = gateways.policy(certificates, backend.address, ftp={**VERIFY, "secure_password": "required"},
                           tls={"handshake_role": "server_with_client_auth"},
                           keyrings={"ftpd": {"trust": trusts(folder, house, other)}})
    gateway = launch(tree="".join("%s: %s\n" % (key, json.dumps(value)) for key, value in tree.items()) + done.stdout)
    assert login(gateway, own, "user1" if whole else "USER").code == 331
    assert UNMAPPED in login(gateway, other.issue("other-own", der.name(*attributes)))


def test_93_no_certificate(folder):
    path = os.path.join(folder, "text")
    with open(path, "w") as f:
        f.write("hello\n")
    for file, why in (path, "no certificate in PEM or DER"), (path + "x", "No such file"), (folder, "directory"):
        done = subprocess.run([net.ATTLSCTL, "certificate", file], capture_output=True, text=True)
        assert done.returncode == 1 and file in done.stderr and why in done.stderr, done.stderr


# A policy that no client of TLS 1.2 can satisfy.
@pytest.mark.parametrize("ring, ciphers, versions, good", [("rsa", "ECDHE-ECDSA-AES256-GCM-SHA384", ["tls1.2"], False),
                                                           ("ecdsa", "ECDHE-RSA-AES256-GCM-SHA384", ["tls1.2"], False),
                                                           ("rsa", "ECDHE-RSA-AES256-GCM-SHA384", ["tls1.2"], True),
                                                           ("rsa", "ECDHE-ECDSA-AES256-GCM-SHA384", ["tls1.2", "tls1.3"], True)])
def test_94_ciphers_that_fit_no_certificate(certificates, folder, ring, ciphers, versions, good):
    tree = gateways.policy(certificates, ("127.0.0.1", 9), tls={"ciphers": ciphers, "versions": versions},
                           keyrings={"ftpd": {"certificates": [getattr(certificates, ring)]}})
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(tree))
    status, said = gateways.check(path)
    assert (status == 0) == good and ("fits a certificate" in said) != good, said

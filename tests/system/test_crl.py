"""Revocation: no fault in a CRL lets a client in (CVE-2019-19269, -19270, -19272)."""
import os

import pytest

import certs
import client as clients
import gateway as gateways
from test_client_auth import VERSIONS, auth, expect, gets_in, start

FAILED = "certificate verify failed: "
REVOKED = FAILED + "certificate revoked"
NO_CRL = FAILED + "unable to get certificate CRL"


class Tree:
    """root -> sub -> user1, gone (revoked by sub); root -> direct; root -> bad (revoked by root) -> user3."""

    def __init__(self, folder):
        self.folder = folder
        self.root = certs.ClientAuthority(folder, "root")
        self.sub = certs.ClientAuthority(folder, "sub", self.root)
        self.bad = certs.ClientAuthority(folder, "bad", self.root)
        self.stranger = certs.ClientAuthority(folder, "other")
        self.user1, self.gone = self.sub.issue("user1"), self.sub.issue("gone")
        self.direct, self.user3 = self.root.issue("direct"), self.bad.issue("user3")
        impostor = certs.ClientAuthority(folder, "impostor", subject="/O=attlsd test/CN=sub")
        self.forged = impostor.crl("forged.crl")  # revokes no certificate
        self.before = self.sub.crl("before.crl")
        self.sub.revoke("gone")
        self.root.revoke("bad")
        self.root_crl, self.sub_crl, self.bad_crl = self.root.crl("root.crl"), self.sub.crl("sub.crl"), self.bad.crl("bad.crl")
        self.expired = self.sub.crl("expired.crl", certs.PAST)
        self.future = self.sub.crl("future.crl", ("20480101000000Z", "20490101000000Z"))
        self.other = self.stranger.crl("other.crl")

    def join(self, name, *parts):
        return certs.join(os.path.join(self.folder, name), *parts)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crl")
    for path in folder, folder.parent, folder.parent.parent:
        path.chmod(0o755)
    return Tree(str(folder))


# lists in the file -> client -> reason in the log, or None if accepted
CASES = {
    "good": (["root_crl", "sub_crl", "bad_crl"],
             {"user1": None, "direct": None, "gone": REVOKED, "user3": REVOKED}),
    "order does not matter": (["bad_crl", "sub_crl", "root_crl"],
                              {"user1": None, "direct": None, "gone": REVOKED, "user3": REVOKED}),
    "expired": (["root_crl", "expired"],
                {"user1": FAILED + "CRL has expired", "direct": None, "gone": FAILED + "CRL has expired"}),
    "not valid yet": (["root_crl", "future"], {"user1": FAILED + "CRL is not yet valid", "direct": None}),
    "expired and current": (["root_crl", "expired", "sub_crl"], {"user1": None, "gone": REVOKED}),
    "of another issuer": (["other"], {"user1": NO_CRL, "direct": NO_CRL, "gone": NO_CRL}),
    "none for the intermediate": (["root_crl"], {"user1": NO_CRL, "gone": NO_CRL, "direct": None}),
    "none for the root": (["sub_crl"], {"user1": NO_CRL, "direct": NO_CRL}),
    "signed by somebody else": (["root_crl", "forged"],
                                {"user1": FAILED + "CRL signature failure", "gone": FAILED + "CRL signature failure"}),
}


@pytest.mark.parametrize("kind", ["full", "required"])
@pytest.mark.parametrize("case", CASES)
def test_lists(launch, backend, certificates, tree, case, kind):
    parts, wants = CASES[case]
    crl = tree.join(f"{case} {kind}.crl", *(getattr(tree, part) for part in parts))
    gateway = start(launch, backend, certificates, kind, tree.root.pem, crl)
    for version in VERSIONS:
        for who, want in wants.items():
            expect(gateway, want, clients.context(versions=version, own=getattr(tree, who)))
    expect(gateway, None if kind == "full" else "peer did not return a certificate", clients.context())


def test_passthru_lets_the_revoked_in(launch, backend, certificates, tree):
    """The policy only logs certificates, but the log must not call this certificate trusted."""
    crl = tree.join("passthru.crl", tree.root_crl, tree.sub_crl)
    gateway = start(launch, backend, certificates, "passthru", tree.root.pem, crl)
    for who, verified in (tree.user1, "yes"), (tree.gone, "no"):
        since = gateway.mark()
        assert gets_in(gateway.explicit, clients.context(own=who))
        assert gateway.event("client-certificate", since).keys["verified"] == verified


BROKEN = {
    "missing": (None, "No such file"),
    "empty": ("", "no CRL in"),
    "of text": ("hello\n", "no CRL in"),
    "cut": ("CUT", "no CRL in"),
    "broken after the first": ("SECOND", "a CRL is broken in"),
    "a certificate": ("CERTIFICATE", "no CRL in"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_none_is_an_error_of_the_policy(certificates, tree, folder, case):
    content, want = BROKEN[case]
    crl = os.path.join(folder, "list.crl")
    with open(tree.root_crl) as f:
        good = f.read()
    with open(tree.root.pem) as f:
        content = {"CUT": good[:len(good) // 2], "SECOND": good + good[:len(good) // 2],
                   "CERTIFICATE": f.read()}.get(content, content)
    if content is not None:
        with open(crl, "w") as f:
            f.write(content)
    policy = gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls=auth("required"),
                                              keyrings={"ftpd": {"trust": tree.root.pem, "crl": crl}}))
    with open(os.path.join(folder, "policy.yaml"), "w") as f:
        f.write(policy)
    status, said = gateways.check(os.path.join(folder, "policy.yaml"))
    line = 1 + policy.split("\n").index('   "crl": "%s"' % crl)
    assert status != 0 and want in said and f"policy.yaml:{line}:" in said, said


def test_what_is_refused_later_is_a_warning(certificates, tree, folder):
    crl = tree.join("warn.crl", tree.expired)
    with open(os.path.join(folder, "policy.yaml"), "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), tls=auth("required"),
                                                 keyrings={"ftpd": {"trust": tree.root.pem, "crl": crl}})))
    status, said = gateways.check(os.path.join(folder, "policy.yaml"))
    assert status == 0 and "warning: a CRL in" in said, said
    assert "has no CRL of the authority" in said and "CN=root" in said, said


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reload_revokes(launch, backend, certificates, tree, version):
    """The same for a client that could resume its earlier TLS session."""
    crl = tree.join(f"reload{version}.crl", tree.root_crl, tree.before)
    gateway = start(launch, backend, certificates, "required", tree.root.pem, crl)
    ctx = clients.context(versions=version, own=tree.gone)
    with clients.explicit(gateway, "P", ctx=ctx) as c:
        assert c.get("hello.txt") == backend.files["hello.txt"]
        tree.join(os.path.basename(crl), tree.root_crl, tree.sub_crl)
        assert gateway.reload()
        assert not gets_in(gateway.explicit, ctx, session=c.control_session)
        assert gateway.event("tls-failed").keys["reason"] == REVOKED
        assert gets_in(gateway.explicit, clients.context(versions=version, own=tree.user1))

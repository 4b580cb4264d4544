"""Each event that an alert may rest on is counted once, with its labels: refused logins, alerts, CCC, ports, expiries."""
import os
import ssl
import subprocess
from datetime import datetime, timezone

import pytest

import client as clients
import net
from test_expiry import day, ring
from test_metrics import samples
from test_ocsp import Responder


@pytest.fixture
def counted(launch, folder):
    def start(backend, **change):
        change["daemon"] = {"control_socket": os.path.join(folder, "control.sock"), **change.get("daemon", {})}
        return launch(backend, **change)
    return start


def all_of(seen, name):
    """{labels that are not the same as elsewhere: value} of a family, without its zeroes."""
    return {labels: value for (n, labels), value in seen.items() if n == "attlsd_" + name and value}


def test_ccc_and_rein_are_two(counted, backend):
    gateway = counted(backend, ftp={"secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    for command, codes in ("CCC", (200,)), ("REIN", (220,)), ("REIN", (220,)):
        with clients.explicit(gateway) as c:
            c.expect(command, *codes)
    gateway.event("tls-cleared", count=3)
    assert all_of(samples(gateway), "tls_cleared_total") == {
        (("command", "CCC"), ("leg", "client")): 1, (("command", "REIN"), ("leg", "client")): 2}


def test_refused_logins_by_who_refused(counted, make_backend):
    gateway = counted(make_backend(PASS="530 no"))
    with clients.Client(gateway.explicit) as c:
        c.auth()
        for _ in range(2):
            c.expect("USER user", 331)
            c.expect("PASS wrong", 530)
    assert all_of(samples(gateway), "logins_refused_total") == {(("by", "server"),): 2}
    assert not all_of(samples(gateway), "logins_accepted_total")


def test_alerts_by_who_sent_them(counted, backend):
    gateway = counted(backend)
    ctx = ssl.create_default_context()  # knows no authority of the tests
    for _ in range(2):
        with clients.Client(gateway.explicit) as c:
            c.expect("AUTH TLS", 234)
            with pytest.raises(ssl.SSLError), ctx.wrap_socket(c.sock, server_hostname="localhost"):
                pass
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("AES128-SHA")  # policy has none without forward secrecy
    with clients.Client(gateway.explicit) as c:
        c.expect("AUTH TLS", 234)
        with pytest.raises(ssl.SSLError), old.wrap_socket(c.sock, server_hostname="localhost"):
            pass
    gateway.event("session-end", count=3)
    assert all_of(samples(gateway), "tls_alerts_total") == {
        (("alert", "unknown_ca"), ("direction", "received"), ("leg", "client")): 2,
        (("alert", "handshake_failure"), ("direction", "sent"), ("leg", "client")): 1}
    assert samples(gateway).sum("handshake_failures_total") == 3


def test_ports_that_were_told_and_not_dialled(counted, backend):
    gateway = counted(backend)
    with clients.explicit(gateway, "P") as c:
        assert c.get("hello.txt", "PASV")
        c.pasv()
        c.pasv()  # replaces it
        assert samples(gateway).sum("data_ports_waiting") == 1
    gateway.event("session-end")
    seen = samples(gateway)
    assert seen.sum("data_ports_told_total") == 3 and seen.sum("data_ports_waiting") == 0
    assert all_of(seen, "data_ports_not_dialled_total") == {(("reason", "replaced"),): 1, (("reason", "session-end"),): 1}
    assert len(gateway.seen("data-not-dialled")) == 2


def seconds(text):
    return datetime.strptime(text.strip(), "%b %d %H:%M:%S %Y %Z").replace(tzinfo=timezone.utc).timestamp()


def openssl(*argv):
    return subprocess.run(["openssl", *argv], check=True, capture_output=True, text=True).stdout


def test_when_certificates_lists_and_responses_expire(counted, backend, partners, certificates, folder):
    """attlsd says when; how long that is from now is a subtraction in the query. A reload brings the new dates."""
    chain, key = partners.ca.issue("dated", dates=(day(-10), day(100.25)))
    crl = partners.ca.crl("dated.crl", dates=(day(-1), day(20.5)))
    ocsp = Responder(folder, certificates).respond("dated.der", certificates.ecdsa)
    rings = ring((chain, key), trust=partners.ca.pem, crl=crl)
    rings["ftpd"]["certificates"].append({**certificates.ecdsa, "ocsp": ocsp, "label": "second"})
    gateway = counted(backend, keyrings=rings)
    seen = samples(gateway)
    dates = all_of(seen, "certificate_expiry_timestamp_seconds")
    assert dates[(("keyring", "ftpd"), ("label", "1"))] == seconds(openssl("x509", "-in", chain, "-noout", "-enddate").partition("=")[2])
    assert set(dates) == {(("keyring", "ftpd"), ("label", "1")), (("keyring", "ftpd"), ("label", "second"))}
    assert all_of(seen, "crl_expiry_timestamp_seconds") == {
        (("keyring", "ftpd"),): seconds(openssl("crl", "-in", crl, "-noout", "-nextupdate").partition("=")[2])}
    (left,) = all_of(seen, "ocsp_expiry_timestamp_seconds").items()
    shown = openssl("ocsp", "-respin", ocsp, "-noverify", "-resp_text")
    assert left == ((("keyring", "ftpd"), ("label", "second")), seconds(shown.partition("Next Update: ")[2].partition("\n")[0]))
    os.replace(partners.ca.crl("later.crl", dates=(day(-1), day(40))), crl)
    assert gateway.reload()
    (later,) = all_of(samples(gateway), "crl_expiry_timestamp_seconds").values()
    assert later == seconds(openssl("crl", "-in", crl, "-noout", "-nextupdate").partition("=")[2])

"""attlsd logs the expiry of certificates and CRLs in time."""
import datetime
import json
import os

import pytest

import certs
import client as clients
import gateway as gateways


def day(offset):
    """A date `days` from now, in OpenSSL's format."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=offset)).strftime("%Y%m%d%H%M%SZ")


def ring(pair, **more):
    return {"ftpd": {"certificates": [{"chain": pair[0], "key": pair[1]}], **more}}


def test_a_certificate_that_expires_soon(launch, backend, partners):
    pair = partners.ca.issue("soon", dates=(day(-80), day(10.5)))
    gateway = launch(backend, keyrings=ring(pair))
    event = gateway.event("certificate-expires")
    assert event.level == "warning" and event.keys == {"keyring": "ftpd", "chain": pair[0], "days": "10"}
    # only one of several workers logs it; it does so again after a reload
    with open(gateway.path) as f:
        tree = json.load(f)
    assert gateway.reload(gateways.merge(tree, {"daemon": {"workers": 3}}))
    gateway.event("certificate-expires", count=2)
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("QUIT").code == 221
    assert len(gateway.seen("certificate-expires")) == 2


@pytest.mark.parametrize("level, shown", [("error", False), ("warning", True)])
def test_the_level_of_the_log_shows_it_or_not(launch, backend, partners, level, shown):
    """`level: warning` hides the events of sessions, and `level: error` the warnings as well."""
    pairs = [partners.ca.issue("soon", dates=(day(-80), day(10.5))), partners.ca.issue("late", dates=(day(-80), day(-1)))]
    gateway = launch(backend, keyrings={"ftpd": {"certificates": [{"chain": chain, "key": key} for chain, key in pairs]}},
                     daemon={"log": {"level": level}})
    gateway.event("certificate-expired")
    gateway.stop()
    assert {event.level for event in gateway.events if event.name != "ready"} == ({"error", "warning"} if shown else {"error"})


def test_a_certificate_that_has_expired(launch, backend, partners):
    gateway = launch(backend, keyrings=ring(partners.ca.issue("late", dates=(day(-80), day(-1)))))
    assert gateway.event("certificate-expired").level == "error"


def test_of_a_certificate_that_lives_for_days_nothing_is_said_before_its_last_third(launch, backend, partners):
    gateway = launch(backend, keyrings=ring(partners.ca.issue("short", dates=(day(-3), day(3)))))
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("QUIT").code == 221
    assert not gateway.seen("certificate-expires")


def test_a_list_of_revoked_certificates(launch, backend, partners, folder):
    pair = partners.ca.issue("served", dates=(day(-80), day(300)))
    for hours, name, level in (6.5, "crl-expires", "warning"), (-1, "crl-expired", "error"):
        crl = partners.ca.crl(f"{name}.pem", dates=(day(-1), day(hours / 24)))
        gateway = launch(backend, keyrings=ring(pair, trust=partners.ca.pem, crl=crl))
        event = gateway.event(name)
        assert event.level == level and event.keys["crl"] == crl and event.keys.get("hours") in (None, "6")
    # of several lists of one CA, the one that expires last counts
    fresh = partners.ca.crl("fresh.pem", dates=(day(-1), day(2)))
    both = certs.join(os.path.join(folder, "both.pem"), crl, fresh)
    gateway = launch(backend, keyrings=ring(pair, trust=partners.ca.pem, crl=both))
    with clients.Client(gateway.explicit) as c:
        assert c.cmd("QUIT").code == 221
    assert not gateway.seen("crl-expires") and not gateway.seen("crl-expired") and "has expired" not in gateway.log

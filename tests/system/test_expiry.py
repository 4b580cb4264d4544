"""attlsd logs the expiry of certificates and CRLs in time."""
import datetime
import json
import os
import subprocess

import pytest

import certs
import client as clients
import gateway as gateways
import net


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


def test_a_reload_tells_who_orders_it(launch, backend, partners, folder):
    """The warnings of attlsctl check: the order succeeds, but clients fail from now on."""
    pair = partners.ca.issue("late", dates=(day(-80), day(-1)))
    gateway = launch(backend, daemon={"control_socket": os.path.join(folder, "sock")})
    with open(gateway.path) as f:
        gateway.write(gateways.as_yaml(gateways.merge(json.load(f), {"keyrings": ring(pair)})))
    done = subprocess.run([net.ATTLSCTL, "reload", "-f", gateway.path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert done.returncode == 0 and "in force" in done.stdout, done
    assert f'warning: the certificate in "{pair[0]}" has expired' in done.stderr, done


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


CHAINS = {  # dates of the certificate and of its issuer; which is wrong; what is wrong
    "expired": ((day(-80), day(-1)), certs.ALWAYS, None, "expired"),
    "not valid yet": ((day(3), day(80)), certs.ALWAYS, None, "not-yet-valid"),
    "an expired issuer": (certs.ALWAYS, certs.PAST, 2, "expired"),
    "an issuer that is not valid yet": (certs.ALWAYS, (day(3.5), day(80)), 2, "not-yet-valid"),
    "an issuer that expires soon": (certs.ALWAYS, (day(-80), day(10.5)), 2, "expires"),
    "a good chain": (certs.ALWAYS, certs.ALWAYS, None, None),
}


@pytest.mark.parametrize("name", CHAINS)
def test_log_check_and_doctor_look_at_each_certificate_of_the_file(launch, backend, folder, name):
    leaf, issuer, number, what = CHAINS[name]
    root = certs.ClientAuthority(folder, "root")
    middle = certs.ClientAuthority(folder, "middle", root)
    root._sign("middle", "authority", issuer)
    chain, key = middle.issue("leaf", dates=leaf)
    gateway = launch(backend, keyrings=ring((chain, key)))
    if what:
        event = gateway.event("certificate-" + what)
        assert event.keys["chain"] == chain and event.keys.get("certificate") == (number and str(number))
        assert event.level == ("warning" if what == "expires" else "error")
    else:
        with clients.Client(gateway.explicit) as c:
            assert c.cmd("QUIT").code == 221
        assert "certificate-" not in gateway.log
    said = gateways.check(gateway.path)[1]
    assert (chain in said) == (what in ("expired", "not-yet-valid")), said
    assert not number or what == "expires" or f"certificate {number} in" in said
    done = subprocess.run([net.ATTLSCTL, "doctor", "--json", "-f", gateway.path], capture_output=True, text=True)
    found = [f for f in json.loads(done.stdout)["findings"] if f["check"] == "certificates" and chain in f["detail"]]
    want = {None: "ok", "expires": "warning"}.get(what, "problem")
    assert [f["status"] for f in found] == [want if at == (number or 1) else "ok" for at in (1, 2)], found
    assert want != "problem" or done.returncode == 1

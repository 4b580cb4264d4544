"""match.time: the worker chooses by the clock of the zone that the rule names, and explain --at says the same."""
import datetime
import json
import zoneinfo

import pytest

import client as clients
from test_attlsctl import explain, run

ZONES = ["utc", "local", "Pacific/Auckland", "America/St_Johns", "Asia/Kathmandu"]


def here(zone):
    if zone == "local":
        return datetime.datetime.now().astimezone()
    return datetime.datetime.now(zoneinfo.ZoneInfo("UTC" if zone == "utc" else zone))


def around(moment, minutes):
    """The time of day from so many minutes before until as many after."""
    ends = (moment + datetime.timedelta(minutes=n) for n in (-minutes, minutes))
    return "-".join(end.strftime("%H:%M") for end in ends)


def rules(*conditions):
    ways = {"tls": "server", "ftp": "standard", "backend": "legacy"}
    return {"timed": {"priority": 2, "match": {"time": list(conditions)}, **ways}, "everyone": ways}


def rule_of(gateway):
    since = gateway.mark()
    with clients.Client(gateway.explicit):
        pass
    return gateway.event("session-end", since).keys["rule"]


def gateway_tree(gateway, rules):
    with open(gateway.path) as f:
        return {**json.load(f), "rules": rules}


@pytest.mark.parametrize("zone", ZONES)
def test_workers_know_the_clock_of_a_zone(launch, backend, zone):
    now = here(zone)
    day = now.strftime("%A").lower()
    timed = rules({"time_of_day_range": around(now, 90), "day_of_week_mask": [day, (now + datetime.timedelta(1)).strftime("%A").lower(),
                   (now - datetime.timedelta(1)).strftime("%A").lower()], "time_zone": zone})
    gateway = launch(backend, rules=timed)
    assert rule_of(gateway) == "timed"
    other = now + datetime.timedelta(hours=6)
    assert gateway.reload(gateway_tree(gateway, rules({"time_of_day_range": around(other, 90), "time_zone": zone})))
    assert rule_of(gateway) == "everyone"


def test_a_session_stays_when_its_time_is_over(launch, backend):
    """As on z/OS, which maps a connection once."""
    gateway = launch(backend, rules=rules({"time_of_day_range": "00:00-24:00"}))
    with clients.Client(gateway.explicit) as client:
        assert gateway.reload(gateway_tree(gateway, rules({"condition_time_range": "2020-01-01/2020-01-02"})))
        client.auth()
        client.login()
        since = gateway.mark()
    assert gateway.event("session-end", since).keys["rule"] == "timed"
    assert rule_of(gateway) == "everyone"


def test_without_a_rule_for_the_time_the_client_gets_421(launch, backend):
    only = rules({"condition_time_range": "2020-01-01/2020-01-02"})
    only["everyone"] = None
    gateway = launch(backend, rules=only)
    with clients.Client(gateway.explicit, greet=False) as client:
        assert client.reply().code == 421
    gateway.event("session-end", reason="no-rule")


def test_an_unknown_zone_is_an_error_and_names_its_line(launch, backend, tmp_path):
    gateway = launch(backend)
    tree = gateway_tree(gateway, rules({"time_zone": "Europe/Atlantis"}))
    assert not gateway.reload(tree)
    done = run("check", "-f", gateway.path)
    assert done.returncode == 1 and 'no time zone "Europe/Atlantis"' in done.stdout + done.stderr


# Local time in Berlin on both sides of each change of its clocks, and over midnight.
MOMENTS = [
    ("2026-03-29T00:59:59Z", "02:00-03:00", False), ("2026-03-29T01:00:00Z", "02:00-03:00", False),
    ("2026-03-29T01:00:00Z", "03:00-04:00", True), ("2026-10-25T00:30:00Z", "02:00-03:00", True),
    ("2026-10-25T01:30:00Z", "02:00-03:00", True), ("2026-10-25T02:00:00Z", "02:00-03:00", False),
    ("2026-06-30T21:59:59Z", "22:00-06:00", True), ("2026-07-01T03:59:59Z", "22:00-06:00", True),
    ("2026-07-01T04:00:00Z", "22:00-06:00", False),
]


@pytest.mark.parametrize("at,times,holds", MOMENTS)
def test_explain_takes_any_moment(launch, backend, at, times, holds):
    gateway = launch(backend, rules=rules({"time_of_day_range": times, "time_zone": "Europe/Berlin"}))
    told = explain(gateway.path, "explicit", "127.0.0.1", "--at", at)
    assert told["rule"] == ("timed" if holds else "everyone")
    assert told["rules"][0]["differs_in"] == ([] if holds else ["time"])


def test_explain_refuses_what_is_no_moment(launch, backend):
    gateway = launch(backend)
    for wrong in ("yesterday", "2026-13-01", "2026-11-30 18:00", ""):
        done = run("explain", "-f", gateway.path, "--listener", "explicit", "--client", "127.0.0.1", "--at", wrong)
        assert done.returncode == 2 and "--at needs a date" in done.stderr, wrong

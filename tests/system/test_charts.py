"""The charts of the last hour outlive the HTTP process that draws them, and attlsd itself."""
import http.client
import json
import os
import signal
import time

import gateway as gateways
import net
from upgrades import NEXT


def charts(gateway, count):
    """Those of the HTTP process that started as the one with this number."""
    host, _, port = gateway.event("http-started", count=count).keys["address"].rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=net.DEADLINE)
    connection.request("GET", "/overview")
    told = json.loads(connection.getresponse().read())["history"]
    connection.close()
    return told


def tree(gateway):
    with open(gateway.path) as f:
        return json.load(f)


def first_step(gateway):
    net.until(lambda: charts(gateway, 1)["sessions"], "the first step is there")
    told = charts(gateway, 1)
    # a process with charts of its own would say another second
    net.until(lambda: time.time() >= told["end"] + 1, "the clock shows another second")
    return told


def test_a_reload_and_a_death(launch, backend):
    gateway = launch(backend, daemon={"http": "127.0.0.1:0"})
    told = first_step(gateway)
    assert gateway.reload(gateways.merge(tree(gateway), {}))
    assert charts(gateway, 2) == told
    os.kill(int(gateway.event("http-started", count=2).keys["pid"]), signal.SIGKILL)
    assert charts(gateway, 3) == told


def test_an_upgrade(upgradable, backend):
    gateway = upgradable(backend, daemon={"http": "127.0.0.1:0"})
    told = first_step(gateway)
    gateway.upgrade(NEXT)
    assert charts(gateway, 2) == told


def test_new_steps_come(launch, backend):
    gateway = launch(backend, daemon={"http": "127.0.0.1:0"})
    told = first_step(gateway)
    assert gateway.reload(gateways.merge(tree(gateway), {}))
    net.until(lambda: charts(gateway, 2)["sessions"] == [0, 0], "the next step is there")
    assert 9 <= charts(gateway, 2)["end"] - told["end"] <= 12

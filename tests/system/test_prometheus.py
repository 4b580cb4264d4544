"""contrib/prometheus and contrib/grafana: rules that Prometheus accepts, about names and labels that attlsd has."""
import json
import os
import re
import shutil
import subprocess

import pytest

import net
from test_metrics import families_of_code

PROMETHEUS = os.path.join(net.ROOT, "contrib", "prometheus")
GRAFANA = os.path.join(net.ROOT, "contrib", "grafana", "attlsd.json")
UNITS = {"short", "percentunit", "Bps", "ops", "s"}


def promtool(*argv, **how):
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian: prometheus) is not installed")
    done = subprocess.run(["promtool", *argv], capture_output=True, text=True, cwd=PROMETHEUS, timeout=60, **how)
    assert done.returncode == 0, done.stdout + done.stderr


def read(name):
    with open(os.path.join(PROMETHEUS, name)) as file:
        return file.read()


def panels():
    with open(GRAFANA) as file:
        return json.load(file)["panels"]


def expressions():
    """All texts that name metrics: rules, alerts and panels."""
    return [read("rules.yml"), read("alerts.yml")] + [target["expr"] for panel in panels() for target in panel["targets"]]


def test_rules_are_accepted():
    promtool("check", "rules", "rules.yml", "alerts.yml")


def test_each_alert_has_tests():
    """promtool runs them: numbers that raise the alert, and numbers that do not."""
    promtool("test", "rules", "alerts_test.yml")
    tests = read("alerts_test.yml")
    for alert in re.findall(r"- alert: (\w+)", read("alerts.yml")):
        found = re.findall(rf"alertname: {alert}\n +exp_alerts:(.*)", tests)
        assert sorted(text.strip() for text in found) == ["", "[]"], f"{alert}: one test that raises it, one that does not"


def test_panels_can_be_parsed(tmp_path):
    """Grafana's variables stand for what it puts in their places."""
    rules = {"groups": [{"name": "panels", "rules": [
        {"record": f"panel:{number}", "expr": target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for number, target in enumerate(target for panel in panels() for target in panel["targets"])]}]}
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps(rules))  # JSON is YAML
    promtool("check", "rules", str(file))


def test_names_and_labels_exist():
    families = families_of_code()
    labels_of = {}
    for name, (kind, labels, _) in families.items():
        for suffix in ("_bucket", "_count", "_sum") if kind == "histogram" else ("",):
            labels_of[name + suffix] = set(labels.split(", ")) | {"instance", "job"} | ({"le"} if suffix == "_bucket" else set())
    for text in expressions():
        for name, selector in re.findall(r"(?<![\w:])(attlsd_\w+)(?:\{([^}]*)\})?", text):
            if name in ("attlsd_name",):
                continue
            assert name in labels_of, f"{name} in: {text}"
            for label in re.findall(r"(\w+)\s*(?:=~|!=|=)", selector):
                assert label in labels_of[name], f"{name} has no label {label}"


def test_dashboard_is_whole():
    with open(GRAFANA) as file:
        dashboard = json.load(file)
    assert dashboard["schemaVersion"] >= 36 and dashboard["uid"] and dashboard["title"]
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    places = set()
    for panel in dashboard["panels"]:
        assert panel["type"] in {"timeseries", "stat", "gauge", "table"} and panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & places, f"{panel['title']} overlaps another panel"
        places |= cells
        for target in panel["targets"]:
            assert set(re.findall(r"\$\{?(\w+)", target["expr"])) <= variables | {"__rate_interval"}
            assert target["legendFormat"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_units_of_the_collector():
    """The timer's service writes a file that replaces the old one at once."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", "verify", os.path.join(PROMETHEUS, "attlsd-metrics.timer")],
                          capture_output=True, text=True, timeout=60)
    assert "attlsd-metrics" not in done.stderr.replace("attlsctl", ""), done.stderr
    service = read("attlsd-metrics.service")
    assert "attlsctl metrics >attlsd.prom.new && mv attlsd.prom.new attlsd.prom" in service

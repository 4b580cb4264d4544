"""kubernetes.yaml by the types of the API: each field exists, has the right type, and none that is needed is missing."""
import copy

import fleet as fleets
import pytest
import yaml

pytest.importorskip("kubernetes", reason="the types of Kubernetes need python3-kubernetes: contrib/setup.sh test")
import kubernetes_types  # noqa: E402


@pytest.fixture(scope="module")
def objects():
    return list(yaml.safe_load_all(fleets.shipped("kubernetes.yaml")))


def test_kubernetes_yaml(objects):
    assert len(objects) == 7
    assert [fault for item in objects for fault in kubernetes_types.faults(item)] == []


def spec(item):
    return item["spec"]["template"]["spec"]


@pytest.mark.parametrize("change, said", [
    (lambda item: item["spec"].update(replica=2), "StatefulSet.spec: there is no field replica"),
    (lambda item: item["spec"].update(replicas="2"), "StatefulSet.spec.replicas: int, not '2'"),
    (lambda item: item["spec"].update(replicas=True), "StatefulSet.spec.replicas: int, not True"),
    (lambda item: item["spec"].pop("selector"), "StatefulSet.spec: Invalid value for `selector`"),
    (lambda item: spec(item).update(containers={}), "spec.containers: a list, not {}"),
    (lambda item: spec(item)["containers"][0].update(args=[1]), "containers[0].args[0]: str, not 1"),
    (lambda item: spec(item)["containers"][0].pop("name"), "containers[0]: Invalid value for `name`"),
    (lambda item: spec(item)["containers"][0]["livenessProbe"].update(httpget={}), "livenessProbe: there is no field httpget"),
    (lambda item: spec(item)["containers"][0]["livenessProbe"]["httpGet"].update(port=[]), "port: a number or a name, not []"),
    (lambda item: spec(item)["containers"][0]["resources"].update(limits=[]), "limits: a mapping, not []"),
    (lambda item: item.update(kind="StatefulSets"), "there is no kind StatefulSets in apps/v1"),
])
def test_it_finds_faults(objects, change, said):
    item = copy.deepcopy(next(item for item in objects if item["kind"] == "StatefulSet"))
    change(item)
    assert any(said in fault for fault in kubernetes_types.faults(item)), kubernetes_types.faults(item)

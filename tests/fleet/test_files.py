"""The files of contrib/fleet that no network is needed for: the policy of all nodes, and what Kubernetes gets."""
import base64
import os
import re

import fleet as fleets
import gateway as gateways
import pytest
import yaml

KINDS = {"Secret": "v1", "ConfigMap": "v1", "Service": "v1", "StatefulSet": "apps/v1"}


@pytest.fixture(scope="module")
def objects():
    """{(kind, name): object}; a key that comes twice in a mapping is a fault, as for Kubernetes."""
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key twice in {keys}"
        return {loader.construct_object(key, deep=True): loader.construct_object(value, deep=True) for key, value in node.value}
    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    found = {}
    for item in yaml.load_all(fleets.shipped("kubernetes.yaml"), Strict):
        assert KINDS[item["kind"]] == item["apiVersion"]
        key = item["kind"], item["metadata"]["name"]
        assert key not in found and re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", key[1])
        found[key] = item
    return found


@pytest.fixture
def pod(objects):
    return objects["StatefulSet", "attlsd"]["spec"]["template"]


def container(pod):
    (only,) = pod["spec"]["containers"]
    return only


def pods(objects):
    spec = objects["StatefulSet", "attlsd"]["spec"]
    return [f"attlsd-{n}" for n in range(spec["replicas"])]


def policy_of(objects, name):
    data = objects["ConfigMap", "attlsd"]["data"]
    return gateways.merge(yaml.safe_load(data["policy.yaml"]), yaml.safe_load(data[name + ".yaml"]))


def test_each_pod_has_a_service_of_its_own_with_its_port(objects):
    seen = set()
    for name in pods(objects):
        low, high = policy_of(objects, name)["ftp_actions"]["standard"]["passivedataports"].split("-")
        service = objects["Service", name]["spec"]
        assert service["selector"]["statefulset.kubernetes.io/pod-name"] == name
        assert service["publishNotReadyAddresses"] is True and service["externalTrafficPolicy"] == "Local"
        ports = [(port["port"], port["targetPort"]) for port in service["ports"]]
        assert ports == [(port, port) for port in range(int(low), int(high) + 1)]
        assert not seen & set(ports)
        seen |= set(ports)
    services = [name for kind, name in objects if kind == "Service" and re.search(r"-\d+$", name)]
    assert sorted(services) == sorted(pods(objects))


def test_selectors_find_the_pods(objects, pod):
    stateful = objects["StatefulSet", "attlsd"]["spec"]
    labels = pod["metadata"]["labels"]
    assert stateful["selector"]["matchLabels"] == labels
    assert ("Service", stateful["serviceName"]) in objects and objects["Service", stateful["serviceName"]]["spec"]["clusterIP"] == "None"
    for (kind, name), item in objects.items():
        if kind == "Service":
            chosen = {k: v for k, v in item["spec"]["selector"].items() if not k.startswith("statefulset")}
            assert chosen == labels, name


def test_ports_are_those_of_the_policy(objects, pod):
    policy = policy_of(objects, "attlsd-0")
    ports = {port["name"]: port["containerPort"] for port in container(pod)["ports"]}
    told = {name: int(listener["address"].rpartition(":")[2]) for name, listener in policy["listeners"].items()}
    assert ports == {**told, "http": int(policy["daemon"]["http"].rpartition(":")[2])}
    control = {port["name"]: port["targetPort"] for port in objects["Service", "attlsd"]["spec"]["ports"]}
    assert control == {"explicit": "explicit", "implicit": "implicit"}
    assert policy["nat"]["advertise"] == "203.0.113.10"


def test_probes(pod):
    probes = {kind: container(pod)[kind + "Probe"] for kind in ("liveness", "readiness")}
    assert {kind: probe["httpGet"]["path"] for kind, probe in probes.items()} == {"liveness": "/healthz", "readiness": "/readyz"}
    for probe in probes.values():
        assert probe["httpGet"]["scheme"] == "HTTPS" and probe["httpGet"]["port"] == "http"


def test_what_is_mounted_exists(objects, pod):
    spec = pod["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for part in [*spec["containers"], *spec["initContainers"]]:
        for mount in part["volumeMounts"]:
            volume = volumes[mount["name"]]
            if "configMap" in volume:
                assert mount["subPath"] in objects["ConfigMap", volume["configMap"]["name"]]["data"]
    assert ("Secret", volumes["secrets"]["secret"]["secretName"]) in objects
    for name in pods(objects):
        assert f"/etc/attlsd/{name}.yaml" in [mount["mountPath"] for mount in container(pod)["volumeMounts"]]
    assert "/etc/attlsd/$(POD_NAME).yaml" in container(pod)["args"]
    assert container(pod)["env"][0] == {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


def test_the_pod_has_no_rights(pod):
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    for part in [*pod["spec"]["containers"], *pod["spec"]["initContainers"]]:
        assert part["securityContext"] == {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def at(text, certificates, folder):
    """A policy with the files of this test."""
    keys = os.path.join(folder, "keys")
    for name, content in ("ticket.keys", base64.b64encode(os.urandom(48)).decode()), ("http.token", os.urandom(32).hex()):
        os.makedirs(keys, exist_ok=True)
        with open(os.path.join(keys, name), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(content + "\n")
    for old, new in {"/etc/attlsd/tls/tls.crt": certificates.ecdsa["chain"], "/etc/attlsd/tls/tls.key": certificates.ecdsa["key"],
                     "/etc/attlsd/certs/fleet.pem": certificates.ecdsa["chain"], "/etc/attlsd/certs/fleet.key": certificates.ecdsa["key"],
                     "/etc/attlsd/keys": keys, "/etc/attlsd/ticket.keys": os.path.join(keys, "ticket.keys")}.items():
        text = text.replace(old, new)
    return text


def test_attlsd_takes_the_policies(objects, certificates, folder):
    data = objects["ConfigMap", "attlsd"]["data"]
    shipped = {"policy.yaml": fleets.shipped("policy.yaml"), **{f"node{n}.yaml": fleets.shipped(f"node{n}.yaml") for n in (1, 2)}}
    for files, nodes in (data, ["attlsd-0", "attlsd-1"]), (shipped, ["node1", "node2"]):
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w") as f:
            f.write(at(files["policy.yaml"], certificates, folder))
        for node in nodes:
            own = os.path.join(folder, "node.yaml")
            with open(own, "w") as f:
                f.write(files[node + ".yaml"])
            status, said = gateways.check(path, "-N", own)
            assert status == 0, said


def test_nodes_differ_in_name_and_ports_only():
    nodes = [yaml.safe_load(fleets.shipped(f"node{n}.yaml")) for n in (1, 2)]
    assert len({node["daemon"]["node"] for node in nodes}) == 2
    assert len({node["ftp_actions"]["standard"]["passivedataports"] for node in nodes}) == 2
    rules = fleets.shipped("data.nft")
    for n, node in enumerate(nodes, 1):
        port = node["ftp_actions"]["standard"]["passivedataports"].split("-")[0]
        assert f"{port} : {fleets.INSIDE['node%d' % n]}" in rules

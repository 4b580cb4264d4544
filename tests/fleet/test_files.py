"""The nodes of contrib/fleet: names and ports of their own, and the same ports in data.nft."""
import fleet as fleets
import yaml


def test_nodes_differ_in_name_and_ports_only():
    nodes = [yaml.safe_load(fleets.shipped(f"node{n}.yaml")) for n in (1, 2)]
    rules = fleets.shipped("data.nft")
    for n, node in enumerate(nodes, 1):
        assert list(node) == ["daemon", "ftp_actions"] and list(node["daemon"]) == ["node"]
        low, high = node["ftp_actions"]["standard"]["passivedataports"].split("-")
        assert low == high and f"{low} : {fleets.INSIDE['node%d' % n]}" in rules
    assert nodes[0]["daemon"] != nodes[1]["daemon"] and nodes[0]["ftp_actions"] != nodes[1]["ftp_actions"]

"""docs/OUTBOUND.md: its policies are policies, its rule set is one, and its names are those of the code."""
import os
import re
import shutil
import subprocess

import pytest

import gateway as gateways
import net

PAGE = os.path.join(net.ROOT, "docs", "OUTBOUND.md")


def policies():
    with open(PAGE) as f:
        return re.findall(r"```yaml\n# (\S+): .*?\n(.*?)```", f.read(), re.DOTALL)


def test_there_are_three():
    assert [name for name, _ in policies()] == ["outbound.yaml", "transparent.yaml", "both.yaml"]


@pytest.mark.parametrize("name, text", policies(), ids=[name for name, _ in policies()])
def test_each_policy_is_accepted(name, text, certificates, folder):
    shutil.copy(certificates.ecdsa["chain"], os.path.join(folder, "server.pem"))
    shutil.copy(certificates.ecdsa["key"], os.path.join(folder, "server.key"))
    shutil.copy(certificates.ca.pem, os.path.join(folder, "ca.pem"))
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        # no name but localhost can be resolved here, and a server on this host would be attlsd itself
        f.write(text.replace("ftp.partner.example", "localhost").replace("ftp.internal.example", "192.0.2.7"))
    status, errors = gateways.check(path)
    assert status == 0, errors
    explained = subprocess.run([net.ATTLSCTL, "explain", "-f", path], capture_output=True, text=True, timeout=net.DEADLINE)
    assert explained.returncode == 0, explained.stderr


@pytest.mark.skipif(not net.IS_ROOT or not shutil.which("nft"), reason="needs root and nft")
def test_its_rule_set_loads():
    rules = os.path.join(net.ROOT, "contrib", "nftables", "outbound.nft")
    subprocess.run(["unshare", "-n", "nft", "-f", rules], check=True, timeout=net.DEADLINE)

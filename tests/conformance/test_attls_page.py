"""docs/ATTLS.md covers the policy language, and its example is a valid policy."""
import os
import re

import pytest

import gateway as gateways
import net

with open(os.path.join(net.ROOT, "docs", "ATTLS.md"), encoding="utf-8") as page:
    TEXT = page.read()


def keys(*names):
    """The keys of these schema tables of the parser."""
    found = set()
    for name in names:
        with open(os.path.join(net.ROOT, "policy", name), encoding="utf-8") as f:
            source = f.read()
        found |= set(re.findall(r'\b(?:FTP_ENUM|FTP_BOOL)\((\w+),', source))
        found |= set(re.findall(r'(?:\.key = |\bUINT\(|FTP_KEEPALIVE\(|FTP_SECONDS\()"(\w+)"', source))
    return sorted(found - {"name"})


@pytest.mark.parametrize("key", keys("schema-ftp.c"))
def test_every_key_of_ftp_actions_is_explained(key):
    assert f"`{key}" in TEXT or f".{key}`" in TEXT, f"docs/ATTLS.md says nothing of {key}"


def test_the_outbound_rule_is_a_policy(folder):
    """Its server has a name for documentation, which cannot be resolved: one of this host takes its place."""
    text = re.search(r"```yaml\n(version: 1\n.*?)```", TEXT, re.DOTALL).group(1)
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(text.replace("ftp.example.org", "localhost"))
    assert gateways.check(path) == (0, "")


def test_the_example_is_a_policy(certificates, folder):
    block = re.search(r"```yaml\nftp_actions:\n  as_on_zos: \{(.*?)\}\n```", TEXT, re.DOTALL).group(1)
    words = {"true": True, "false": False}
    pairs = (item.split(":") for item in block.replace("\n", " ").split(","))
    ftp = {key.strip(): words.get(value.strip(), int(value) if value.strip().isdigit() else value.strip()) for key, value in pairs}
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w") as f:
        f.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 2021), ftp)))
    assert gateways.check(path) == (0, "")

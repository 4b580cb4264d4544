"""make install and make uninstall, into an empty folder."""
import os
import re
import subprocess

import pytest

import net

BUILD = os.path.dirname(net.ATTLSD)


def make(target, root, prefix):
    """With the programs that are under test; they are not built again."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "--no-print-directory", "-C", net.ROOT, f"B={BUILD}", "-o", f"{BUILD}/attlsd", "-o", f"{BUILD}/attlsctl",
                    "-o", f"{BUILD}/attlsd-http",
                    f"DESTDIR={root}", f"PREFIX={prefix}", target], check=True, capture_output=True, text=True, env=environment)


def files(root):
    return {os.path.relpath(os.path.join(path, name), root) for path, _, names in os.walk(root) for name in names}


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local", "/opt/attlsd"])
def test_files_name_paths_that_are_there(folder, prefix):
    """What others run by a path: keepalived, systemd, logrotate, shells. Pages tell of both /usr and /usr/local."""
    make("install", folder, prefix)
    named = {}
    for name in sorted(files(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
            text = f.read()
        if name.endswith(".md") or "\0" in text:
            continue
        assert prefix == "/usr/local" or "/usr/local" not in text, name
        for path in re.findall(r"(?<![\w/.-])/(?:usr|opt)/[\w/.-]*attls[\w/.-]*[\w]", text):
            named.setdefault(path, []).append(os.path.basename(name))
    assert {path: users for path, users in named.items() if not os.path.exists(folder + path)} == {}
    assert {"keepalived-node.conf", "attlsctl.8", "attlsd.service", "attlsd@.service", "upgrade-services"} <= set(named[prefix + "/sbin/attlsctl"])


def test_all_pages_are_installed_and_removed(folder):
    make("install", folder, "/usr")
    found = files(folder)
    doc = "usr/share/doc/attlsd/"
    assert {"usr/sbin/attlsd", "usr/sbin/attlsctl", "usr/share/man/man8/attlsd.8", "usr/share/man/man5/attlsd.yaml.5",
            "usr/lib/systemd/system/attlsd.service", doc + "ATTLS.md", doc + "EDGE.md", doc + "TROUBLESHOOTING.md",
            doc + "TUTORIAL.md", doc + "servers/vsftpd.md", doc + "servers/zos.md", doc + "README.md", doc + "demo/zos-client.py",
            doc + "nftables/inline.nft", doc + "prometheus/alerts.yml", doc + "prometheus/rules.yml", doc + "grafana/attlsd.json",
            doc + "fail2ban/jail.d/attlsd.conf", doc + "systemd/attlsd.socket", doc + "policy.minimal.yaml"} <= found
    assert {"usr/share/attlsd/policy.schema.json", "usr/share/attlsd/node.schema.json"} <= found
    assert {os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in found if "/sbin/" not in name and not name.endswith(("/attlsd-deploy", "/upgrade-services", "/login-check", "/login-check-pam"))} == {0o644}
    pages = [name for name in found if name.startswith(doc) and name.endswith(".md")]
    assert len(pages) > 15
    for page in pages:
        with open(os.path.join(folder, page)) as f:
            links = re.findall(r"\]\(([^)#:]+)", re.sub(r"`[^`]*`", "", f.read()))
        for link in links:
            if not link.startswith("http"):
                assert os.path.exists(os.path.join(folder, os.path.dirname(page), link)), f"{page} names {link}"
    for example in ("policy.minimal.yaml", "fleet/node1.yaml"):
        with open(os.path.join(folder, doc, example)) as f:
            schema = re.search(r"\$schema=/(\S+)", f.readline())[1]
        assert schema in found  # an editor finds it by the first line
    os.makedirs(os.path.join(folder, "usr/share/doc/attlsd/local"))
    make("uninstall", folder, "/usr")
    assert not files(folder) and os.listdir(os.path.join(folder, "usr/share/doc/attlsd")) == ["local"]

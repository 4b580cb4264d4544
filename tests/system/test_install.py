"""make install and make uninstall, into an empty folder."""
import os
import re
import subprocess

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
    for name in found:
        if name.endswith((".8", ".5", ".service", ".yaml", "/upgrade-services")):
            with open(os.path.join(folder, name)) as f:
                assert "/usr/local" not in f.read(), name
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

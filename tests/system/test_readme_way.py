"""README's way to a protected vsftpd: its settings leave nothing open, and its firewall commands open what its policy needs."""
import os
import re
import shutil
import subprocess

import pytest

import net
import servers

with open(os.path.join(net.ROOT, "README.md")) as f:
    WAY = f.read().split("## In front of your server")[1].split("\n## ")[0]
STEPS = re.split(r"^\d\. ", WAY, flags=re.M)[1:]


def commands(step):
    return [line.strip() for line in STEPS[step - 1].splitlines() if line.startswith("       ")]


class Vsftpd(servers.Server):
    """vsftpd with the settings of step 1, at other ports."""

    def __init__(self, change, ports):
        self.change, self.ports = change, ports
        super().__init__("vsftpd", port=int(ports["2021"]))

    def file(self, name, text, mode=0o644):
        if name == "vsftpd.conf":
            settings = {**dict(re.findall(r"`(listen\w*)=(\S+)`", STEPS[0])), **self.change}
            settings["listen_port"] = self.ports[settings["listen_port"]]
            kept = [line for line in text.splitlines() if not line.startswith("listen")]
            text = "\n".join([*kept, *(f"{key}={value}" for key, value in settings.items())]) + "\n"
        return super().file(name, text, mode)


@pytest.mark.parametrize("change, where", [({}, ["127.0.0.1"]), ({"listen": "NO", "listen_ipv6": "YES"}, ["*"])],
                         ids=["README's settings", "listen_ipv6=YES"])
def test_ss_shows_where_the_server_listens(change, where):
    """With README's settings, its command prints the one line that README wants; with Debian's default, another."""
    ports = {"2021": str(net.free_port("127.0.0.1")), "21": str(net.free_port("127.0.0.1"))}
    (command,) = commands(1)
    assert re.search(r":2021 or sport = :21'", command)
    command = re.sub(r":(2021|21)\b", lambda found: ":" + ports[found[1]], command)
    try:
        server = Vsftpd(change, ports)
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    finally:
        server.stop()
    assert [line.split()[3] for line in done.stdout.splitlines()] == [f"{host}:{ports['2021']}" for host in where]


def opened():
    """The ports that clients use, by the policy of step 4."""
    policy = STEPS[3]
    return set(re.findall(r'"0\.0\.0\.0:(\d+)"', policy)) | set(re.findall(r"passivedataports: (\d+-\d+)", policy))


def test_the_firewall_commands_open_the_ports_of_the_policy():
    firewalld, service, reload, ufw, nft = commands(5)
    assert opened() == {"21", "990", "61000-61100"}
    assert set(re.findall(r"--add-port=([\d-]+)/tcp", firewalld)) == opened()
    assert "--permanent" in firewalld and "--remove-service=ftp" in service and reload == "firewall-cmd --reload"
    assert set(re.fullmatch(r"ufw allow (\S+)/tcp", ufw)[1].replace(":", "-").split(",")) == opened()
    assert set(re.search(r"'{ (.*) }'", nft)[1].split(", ")) == opened()


def test_init_writes_the_policy_of_step_4(folder):
    """What it writes explains to each client what the policy that the page shows does."""
    names = "server.pem", "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=ftp.example.com",
                    "-addext", "subjectAltName=DNS:ftp.example.com", "-keyout", names[1], "-out", names[0]], cwd=folder, check=True, capture_output=True)
    command, *policy = commands(4)
    assert policy[0] == "version: 1" and command.startswith("attlsctl init ")
    subprocess.run([net.ATTLSCTL, *command.split()[1:], "-o", "policy.yaml"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)  # no server: status 1
    block = [line[7:] for line in STEPS[3].split(command)[1].splitlines() if line.startswith("       ")]
    with open(os.path.join(folder, "shown.yaml"), "w") as f:
        f.write(re.sub(r"server\.(pem|key)", lambda name: os.path.join(folder, name[0]), "\n".join(block)) + "\n")
    done = subprocess.run([net.ATTLSCTL, "explain", "-f", "policy.yaml", "--diff", "shown.yaml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may use firewalls")
def test_the_firewalls_take_these_commands():
    """nft checks its rule; ufw, where it is installed, shows what it would do."""
    *_, ufw, nft = commands(5)
    rule = nft.removeprefix("nft insert rule inet filter input ").replace("'", "")
    rules = f"table inet filter {{ chain input {{ type filter hook input priority 0; policy drop; {rule}\n}}\n}}\n"
    subprocess.run(["nft", "-c", "-f", "-"], input=rules, check=True, text=True)
    if shutil.which("ufw"):
        done = subprocess.run(["ufw", "--dry-run", *ufw.split()[1:]], check=True, capture_output=True, text=True)
        assert "-m multiport --dports 21,990,61000:61100 -j ACCEPT" in done.stdout

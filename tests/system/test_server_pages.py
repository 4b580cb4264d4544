"""docs/servers/: the servers run with the very settings that their pages show, behind a policy of attlsctl init."""
import os
import re
import subprocess

import pytest

import gateway as gateways
import net
import servers

PAGES = {"vsftpd": "vsftpd", "proftpd": "proftpd", "pure-ftpd": "pure-ftpd"}
PORT = "2021"


def page(name):
    with open(os.path.join(net.ROOT, "docs", "servers", name + ".md")) as f:
        return f.read()


def shown(name):
    """The lines of the page's one block."""
    (block,) = re.findall(r"^```conf\n(.*?)^```$", page(name), re.M | re.S)
    return block.splitlines()


class Configured(servers.Server):
    """A server with the lines of its page, which replace those of the same keys; only the port is another."""

    def file(self, name, text, mode=0o644):
        if name in ("vsftpd.conf", "proftpd.conf"):
            lines = [line.replace(PORT, str(self.port)) for line in shown(self.name)]
            key = re.compile(r"^(\w+)[ =]")
            keys = {key.match(line)[1] for line in lines}
            kept = [line for line in text.splitlines() if not (key.match(line) and key.match(line)[1] in keys)]
            text = "\n".join([*kept, *lines]) + "\n"
        return super().file(name, text, mode)

    def run(self, argv, libpath=None):
        if self.name == "pure-ftpd":
            options = [re.search(r"# (-\w)(?: (\S+))?$", line).groups() for line in shown(self.name)]
            flags = {flag for flag, _ in options}
            kept = [argv[0]]
            for flag, value in zip(argv[1:], [*argv[2:], ""]):
                if kept[-1] in flags and not flag.startswith("-"):
                    kept.pop()  # the value of an option that the page sets
                    continue
                kept.append(flag)
            argv = [word for word in kept if word not in flags]
            for flag, value in options:
                argv += [flag] + ([value.replace(PORT, str(self.port))] if value else [])
        super().run(argv, libpath)


@pytest.mark.parametrize("name", PAGES)
def test_a_server_with_the_settings_of_its_page(folder, name):
    """It listens on 127.0.0.1 alone, init finds nothing wrong with it, and a client gets a file through attlsd."""
    try:
        server = Configured(PAGES[name])
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        server.put("hello.txt", b"hello\n")
        listening = subprocess.run(["ss", "-ltnH", f"sport = :{server.port}"], capture_output=True, text=True, check=True).stdout
        assert [line.split()[3] for line in listening.splitlines()] == [f"127.0.0.1:{server.port}"]
        path = os.path.join(folder, "policy.yaml")
        ports = [f"127.0.0.1:{net.free_port('127.0.0.1')}" for _ in range(2)]
        done = subprocess.run([net.ATTLSCTL, "init", "--backend", f"127.0.0.1:{server.port}", "--name", "localhost", "--throwaway", "--port", ports[0],
                               "--implicit-port", ports[1], "-o", path], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert "AUTH TLS: refused" in done.stdout and "problem" not in done.stdout.replace("problem     ports", ""), done.stdout + done.stderr
        with open(path) as f:
            gateway = gateways.Gateway(folder, f.read().replace("daemon: {", "daemon: { control_socket: none, workers: 1,"))
        try:
            gateway.ready()
            got = subprocess.run(["curl", "-sS", "--ipv4", "--cacert", os.path.join(folder, "throwaway.pem"), "--ssl-reqd", "--user",
                                  f"{server.user}:{server.password}", f"ftp://localhost:{gateway.explicit[1]}/{server.where}hello.txt"],
                                 capture_output=True, timeout=net.DEADLINE)
            assert got.stdout == b"hello\n", (got.stderr, gateway.log)
        finally:
            gateway.stop()
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["iis", "zos"])
def test_pages_of_servers_that_were_not_run_say_so(name):
    assert page(name).split("\n\n")[1].startswith("**Not run here.**") and "come from" in page(name)

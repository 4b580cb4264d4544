"""
Servers besides those of tests/system: inetutils-ftpd, Twisted's, aioftp and ftp-srv, unmodified and in cleartext.

inetutils-ftpd is started for each connection, as inetd does it, in a mount namespace with users of its own:
nothing of the machine's /etc is used or changed.
"""
import importlib.util
import os
import socket
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))

import net  # noqa: E402
import npm  # noqa: E402
import servers  # noqa: E402

FTP_SRV = "ftp-srv", "4.6.3"
NAMES = [*servers.NAMES, "inetutils", "twisted", "aioftp", "ftp-srv"]


class Server(servers.Server):
    def start_inetutils(self):
        folder, libpath = servers.fetch("inetutils")
        if not net.IS_ROOT:
            raise servers.Unavailable("inetutils-ftpd must be started as root")
        owner = servers.NOBODY
        self.folder("root", owner=owner)
        etc = self.folder("etc")
        self.file("etc/passwd", f"root:x:0:0::/:/bin/sh\n{self.user}:{self.hashed()}:{owner}:{owner}::{self.root}:/bin/sh\n")
        self.run(["unshare", "--mount", "--propagation", "private", sys.executable, os.path.abspath(__file__), "inetd",
                  self.host, str(self.port), etc, os.path.join(folder, "usr/sbin/ftpd")], libpath)

    def start_python(self, module):
        if importlib.util.find_spec(module) is None:
            raise servers.Unavailable(f"{self.name} needs the Debian package python3-{module}")
        self.run([sys.executable, os.path.abspath(__file__), self.name, self.host, str(self.port), self.root,
                  self.user, self.password])

    def start_twisted(self):
        self.start_python("twisted")

    def start_aioftp(self):
        self.start_python("aioftp")

    def start_ftp_srv(self):
        library = npm.package(*FTP_SRV)
        script = self.file("serve.js", """\
const [library, url, root] = process.argv.slice(2);
const FtpSrv = require(library);
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});  // otherwise each one would end all sessions
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child() { return silent; } };
const server = new FtpSrv({ url, pasv_url: '127.0.0.1', log: silent });
server.on('login', (data, resolve) => resolve({ root }));
server.listen();
""")
        self.run(["node", script, library, f"ftp://{self.host}:{self.port}", self.root])


# --- processes of their own ---
def inetd(host, port, etc, program):
    """In a namespace with its own users: start one ftpd for each connection."""
    subprocess.run(["mount", "--bind", os.path.join(etc, "passwd"), "/etc/passwd"], check=True)
    with socket.create_server((host, int(port)), backlog=100) as listener:
        children = []
        while True:
            sock, _ = listener.accept()
            children = [child for child in children if child.poll() is None]
            children.append(subprocess.Popen([program, "--auth=default"], stdin=sock, stdout=sock, stderr=sock))
            sock.close()


def twisted_main(host, port, root, user, password):
    from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
    from twisted.cred.portal import Portal
    from twisted.internet import reactor
    from twisted.protocols.ftp import FTPFactory, FTPRealm

    class Realm(FTPRealm):
        def getHomeDirectory(self, _):
            from twisted.python.filepath import FilePath
            return FilePath(root)
    users = InMemoryUsernamePasswordDatabaseDontUse()
    users.addUser(user.encode(), password.encode())
    users.addUser(user, password)
    reactor.listenTCP(int(port), FTPFactory(Portal(Realm(root), [users])), interface=host)
    reactor.run()


def aioftp_main(host, port, root, user, password):
    import asyncio

    import aioftp

    async def serve():
        await aioftp.Server([aioftp.User(user, password, base_path=root)]).run(host, int(port))
    asyncio.run(serve())


def fetch():
    """What the tests unpack, in advance; a test that needs what is missing says why."""
    for name in servers.PACKAGES:
        servers.fetched(name)
    npm.fetched(*FTP_SRV)
    import browser  # not above: it takes long, and servers do not need it
    npm.fetched(*browser.AXE)


if __name__ == "__main__":
    {"inetd": inetd, "twisted": twisted_main, "aioftp": aioftp_main, "fetch": fetch}[sys.argv[1]](*sys.argv[2:])

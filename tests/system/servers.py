"""
Real, unmodified cleartext FTP servers behind the gateway.

Run `servers.py NAME` to start one in the foreground and try it by hand, `servers.py --fetch` to fetch all
packages in advance.
"""
import functools
import grp
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

import net

NAMES = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"]
# and more that the tests unpack: a server of tests/differential, a load balancer, a reader of logs, clients
PACKAGES = {"vsftpd": "vsftpd", "proftpd": "proftpd-core", "proftpd-mod-crypto": "proftpd-mod-crypto",
            "pure-ftpd": "pure-ftpd", "inetutils": "inetutils-ftpd",
            "haproxy": "haproxy", "fail2ban": "fail2ban",
            "tnftp": "tnftp", "inetutils-ftp": "inetutils-ftp", "busybox": "busybox-static"}
STORE = os.environ.get("ATTLSD_SERVERS", os.path.join(net.ROOT, "build", "servers"))
NOBODY = net.NOBODY


class Unavailable(Exception):
    """
    This machine cannot have the server, or its user may not start it; the text says why. A server that is there and
    does not start is an AssertionError: a test that needs it has to fail.
    """


@functools.cache
def fetched(name):
    """Fetch and unpack the Debian package, once; returns (its folder, its libraries, None) or why there is none."""
    folder = os.path.join(STORE, PACKAGES[name])
    script = os.path.join(net.ROOT, "contrib", "fetch-server.sh")
    done = subprocess.run(["sh", script, PACKAGES[name], folder], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        lines = done.stdout.strip().splitlines() or ["no output"]
        return None, None, f"{name} could not be fetched: {lines[-1]}"
    with open(os.path.join(folder, "libpath")) as f:
        return folder, f.read().strip(), None


def fetch(name):
    """The folder of the package and the path of its libraries; raises Unavailable."""
    folder, libpath, why_not = fetched(name)
    if why_not:
        raise Unavailable(why_not)
    return folder, libpath


class Server:
    """One running server. The FTP path `where`/NAME is `files`/NAME on disk."""

    user, password, where = "tester", "secret word", ""

    def __init__(self, name, host="127.0.0.1", port=None):
        self.name = name
        self.process = None
        self.base = tempfile.mkdtemp(prefix=f"attlsd-{name}-")
        os.chmod(self.base, 0o755)
        self.root = self.folder("root")
        self.files = self.root
        self.host, self.port = host, port or net.free_port(host)
        try:
            self.begin()
        except BaseException:
            self.stop()
            raise

    def begin(self):
        getattr(self, "start_" + self.name.replace("-", "_"))()
        self.wait()

    def folder(self, name, owner=None):
        path = os.path.join(self.base, name)
        os.makedirs(path, mode=0o755, exist_ok=True)
        if net.IS_ROOT and owner is not None:
            os.chown(path, owner, pwd.getpwuid(owner).pw_gid)
        return path

    def file(self, name, text, mode=0o644):
        path = os.path.join(self.base, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def run(self, argv, libpath=None):
        env = dict(os.environ)
        if libpath:
            env["LD_LIBRARY_PATH"] = libpath
        self.log = open(os.path.join(self.base, "output"), "w+")
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=net.die_with_parent)

    def wait(self):
        """The server is ready when it sends 220."""
        def ready():
            if self.process.poll() is not None:
                self.log.seek(0)
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.log.read().strip()}")
            try:
                return self.greets()
            except OSError:
                return False
        net.until(ready, f"{self.name} says 220", every=0.02)

    def greets(self):
        with net.dial((self.host, self.port)) as s:
            return s.recv(3) == b"220"

    def more(self):
        """What tls_servers.py adds to the configuration or to the arguments."""
        return getattr(self, "more_" + self.name.replace("-", "_"), lambda: None)()

    def stop(self):
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.log.close()
        shutil.rmtree(self.base, ignore_errors=True)

    def put(self, name, data):
        """Create a file that clients may download."""
        path = os.path.join(self.files, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o666)
        return path

    def hashed(self):
        return subprocess.check_output(["openssl", "passwd", "-5", self.password], text=True).strip()

    def start_vsftpd(self):
        folder, libpath = fetch("vsftpd")
        self.user, self.password, self.where = "anonymous", "guest@example.com", "pub/"
        # vsftpd requires the home folder of its FTP user to exist; that of nobody does not
        owner = pwd.getpwnam("daemon") if net.IS_ROOT else pwd.getpwuid(os.geteuid())
        if not os.path.isdir(owner.pw_dir):
            raise Unavailable(f"vsftpd needs the home of {owner.pw_name}, {owner.pw_dir}, to exist")
        self.files = self.folder("root/pub", owner=owner.pw_uid)
        self.run([os.path.join(folder, "usr/sbin/vsftpd"), self.file("vsftpd.conf", f"""\
{"listen_ipv6=YES" if ":" in self.host else "listen=YES"}
background=NO
listen_address{"6" if ":" in self.host else ""}={self.host}
listen_port={self.port}
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_root={self.root}
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
no_anon_password=NO
ftp_username={owner.pw_name}
nopriv_user=nobody
run_as_launching_user={"NO" if net.IS_ROOT else "YES"}
secure_chroot_dir={self.folder("empty")}
connect_from_port_20=NO
xferlog_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
{self.more() or ""}
""")], libpath)

    def start_proftpd(self):
        folder, libpath = fetch("proftpd")
        uid = NOBODY if net.IS_ROOT else os.geteuid()
        owner = pwd.getpwuid(uid)
        self.folder("root", owner=uid)
        modules = os.path.join(folder, "usr/lib/proftpd")
        # built in on Debian 12, files of their own on Debian 13
        shared = [name for name in ("ls", "xfer", "delay") if os.path.exists(os.path.join(modules, f"mod_{name}.so"))]
        users = self.file("passwd", "%s:%s:%d:%d::%s:/bin/sh\n" % (
            self.user, self.hashed(), uid, owner.pw_gid, self.root), 0o600)
        groups = self.file("group", f"testers:x:{owner.pw_gid}:{self.user}\n", 0o600)
        more = self.more() or ""  # it may add to the modules
        conf = self.file("proftpd.conf", f"ModulePath {modules}\n" + "".join(
            f"LoadModule mod_{name}.c\n" for name in shared) + more + f"""\
ServerName legacy
ServerType standalone
DefaultServer on
DefaultAddress {self.host}
Port {self.port}
UseIPv6 {"on" if ":" in self.host else "off"}
UseReverseDNS off
WtmpLog off
TransferLog none
SystemLog {self.base}/proftpd.log
PidFile {self.base}/proftpd.pid
ScoreboardFile {self.base}/proftpd.score
DelayEngine off
User {owner.pw_name}
Group {grp.getgrgid(owner.pw_gid).gr_name}
AuthOrder mod_auth_file.c
AuthPAM off
AuthUserFile {users}
AuthGroupFile {groups}
RequireValidShell off
RootLogin {"on" if uid == 0 else "off"}
AllowOverwrite on
AllowStoreRestart on
Umask 022
MaxInstances 50
SocketBindTight on
{"DefaultRoot ~" if net.IS_ROOT else ""}
""")
        self.run([os.path.join(folder, "usr/sbin/proftpd"), "--nodaemon", "--config", conf],
                 ":".join(filter(None, [libpath, getattr(self, "libpath", None)])))

    def start_pure_ftpd(self):
        folder, libpath = fetch("pure-ftpd")
        if not net.IS_ROOT:
            raise Unavailable("Pure-FTPd as Debian builds it must be started as root")
        self.folder("root", owner=NOBODY)
        # written by hand: pure-pw would choose a hash that takes seconds at each login
        users = self.file("users", f"{self.user}:{self.hashed()}:{NOBODY}:{NOBODY}::{self.root}/./" + ":" * 12 + "\n", 0o600)
        subprocess.run([os.path.join(folder, "usr/bin/pure-pw"), "mkdb", users + ".pdb", "-f", users], check=True,
                       env=dict(os.environ, LD_LIBRARY_PATH=libpath))
        self.run([os.path.join(folder, "usr/sbin/pure-ftpd"), "-4", "-S", f"{self.host},{self.port}", "-H", "-A", "-E",
                  "-l", "puredb:" + users + ".pdb", "-u", "1", "-c", "100", "-C", "100", "-g", self.base + "/pid",
                  "-U", "133:022", *(self.more() or [])], libpath)

    def start_pyftpdlib(self):
        self.run([sys.executable, os.path.abspath(__file__), "--pyftpdlib", self.host, str(self.port), self.root,
                  self.user, self.password])


def pyftpdlib_main(host, port, root, user, password):
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, root, perm="elradfmwMT")
    FTPHandler.authorizer = authorizer
    FTPServer((host, int(port)), FTPHandler).serve_forever(handle_exit=False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pyftpdlib"]:
        pyftpdlib_main(*sys.argv[2:])
    elif sys.argv[1:] == ["--fetch"]:
        for package in PACKAGES:
            fetch(package)
    else:
        server = Server(sys.argv[1])
        print(f"ftp://{server.host}:{server.port}/{server.where}  user {server.user!r} password {server.password!r}"
              f"  files in {server.files}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            server.stop()

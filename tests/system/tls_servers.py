"""
Real FTP servers that speak TLS, for the gateway's other direction.

Run `tls_servers.py NAME [implicit]` to start one in the foreground and try it by hand.
"""
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile

import certs
import net
import servers

# They demand or test that data connections resume the control connection's session, but for pyftpdlib.
NAMES = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"]
IMPLICIT = ["vsftpd", "proftpd", "pyftpdlib"]
# how a log names the command that its server has received
COMMAND = {"vsftpd": r'FTP command: Client "[^"]*", "(\w+)', "proftpd": r"^([A-Z]+)\b", "pyftpdlib": r"^command (\w+)"}


class TlsServer(servers.Server):
    """
    TLS is required on all connections. certificate: as certs.Authority.issue() returns it. options: lines of the
    configuration. required: TLSRequired of ProFTPD.
    """

    def __init__(self, name, certificate, host="127.0.0.1", implicit=False, versions=("1.2", "1.3"), options="", required="on", port=None):
        self.certificate, self.implicit, self.versions = certificate, implicit, versions
        self.options, self.required = options, required
        super().__init__(name, host, port)

    def both(self):
        """Chain and key in one file."""
        text = "".join(open(self.certificate[part]).read() for part in ("key", "chain"))
        return self.file("both.pem", text, 0o600)

    def more_vsftpd(self):
        return f"""\
ssl_enable=YES
rsa_cert_file={self.certificate["chain"]}
rsa_private_key_file={self.certificate["key"]}
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
force_local_logins_ssl=YES
force_local_data_ssl=YES
require_ssl_reuse=YES
strict_ssl_read_eof=YES
strict_ssl_write_shutdown=YES
ssl_ciphers=HIGH
{"implicit_ssl=YES" if self.implicit else ""}
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file={self.commands_file()}
{self.options}
"""

    def more_proftpd(self):
        folder, libpath = servers.fetch("proftpd-mod-crypto")
        modules = self.folder("modules")
        for name in (servers.fetch("proftpd")[0], folder):
            path = os.path.join(name, "usr/lib/proftpd")
            for module in os.listdir(path):
                link = os.path.join(modules, module)
                if not os.path.lexists(link):
                    os.symlink(os.path.join(path, module), link)
        self.libpath = libpath
        return f"""\
ModulePath {modules}
LoadModule mod_tls.c
TLSEngine on
TLSLog {self.base}/tls.log
TLSProtocol {" ".join("TLSv" + v for v in self.versions)}
TLSRSACertificateFile {self.certificate["chain"]}
TLSRSACertificateKeyFile {self.certificate["key"]}
TLSVerifyClient off
TLSRequired {self.required}
TLSRenegotiate none
LogFormat commands "%r"
ExtendedLog {self.commands_file()} ALL commands
{"TLSOptions UseImplicitSSL" if self.implicit else ""}
{self.options}
"""

    def more_pure_ftpd(self):
        return ["-Y", "3", "-2", self.both()]

    def commands_file(self):
        return os.path.join(self.base, "commands")

    def commands(self):
        """The verbs that the server says it has received; None if it does not say so."""
        path = os.path.join(self.base, "output") if self.name == "pyftpdlib" else self.commands_file()
        if not os.path.exists(path):
            return None
        with open(path, errors="replace") as f:
            return re.findall(COMMAND[self.name], f.read(), re.M)

    def start_pyftpdlib(self):
        self.run([sys.executable, os.path.abspath(__file__), "--pyftpdlib", self.host, str(self.port), self.root,
                  self.user, self.password, self.both(), str(self.implicit), ",".join(self.versions)])

    def greets(self):
        """Without TLS this says whether it listens; a TLS server that waits for a ClientHello says nothing."""
        if not self.implicit:
            return super().greets()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with net.dial((self.host, self.port)) as s, context.wrap_socket(s) as tls:
            return tls.recv(3) == b"220"


def pyftpdlib_main(host, port, root, user, password, pem, implicit, versions):
    from OpenSSL import SSL
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    class Handler(TLS_FTPHandler):
        def handle(self):
            if implicit == "True":
                self.secure_connection(self.ssl_context)
            super().handle()

        def pre_process_command(self, line, cmd, arg):
            print("command", cmd, flush=True)
            super().pre_process_command(line, cmd, arg)

    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, root, perm="elradfmwMT")
    Handler.authorizer = authorizer
    Handler.tls_control_required = Handler.tls_data_required = True
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version({"1.0": SSL.TLS1_VERSION, "1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}[versions.split(",")[0]])
    context.set_max_proto_version({"1.0": SSL.TLS1_VERSION, "1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}[versions.split(",")[-1]])
    if "1.0" in versions:
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.use_certificate_chain_file(pem)
    context.use_privatekey_file(pem)
    context.set_session_id(b"test")
    Handler.ssl_context = context
    FTPServer((host, int(port)), Handler).serve_forever(handle_exit=False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pyftpdlib"]:
        pyftpdlib_main(*sys.argv[2:])
    else:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            made = certs.Authority(folder)
            server = TlsServer(sys.argv[1], made.issue("server", ["localhost", "127.0.0.1"], "rsa"), implicit="implicit" in sys.argv)
            print(f"{server.host}:{server.port}/{server.where}  user {server.user!r} password {server.password!r}  CA {made.pem}"
                  f"  files in {server.files}", flush=True)
            try:
                sys.stdin.read()
            finally:
                server.stop()

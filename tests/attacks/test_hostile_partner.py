"""
Servers that have the right certificate, and misuse it. The numbers continue those of test_wrong_server.py; mutants.py
switches the guards off.
"""
import ssl

import bad_server
import client as clients
import outbound


class Withholding(bad_server.BadServer):
    """It finishes the handshake of a data connection, but the client never gets its last messages. `end`: how that ends."""

    end = None

    def protected(self, data):
        received, unsent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(received, unsent, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                data.sendall(unsent.read())
                received.write(data.recv(65536))
        try:
            self.end = "fin" if data.recv(1) == b"" else "bytes"
        except ConnectionResetError:
            self.end = "reset"
        raise OSError


def test_320_a_handshake_that_is_late_here_is_no_empty_file_there(launch, certificates):
    """The server has all that it needs in TLS 1.2: it would take FIN for the end of the upload, and store an empty file."""
    server = Withholding(certificates.rsa, versions=ssl.TLSVersion.TLSv1_2)
    gateway = launch(tree=outbound.policy(certificates, server.address, tls={"handshake_timeout": "1s"},
                                          backend={"secure_session_reuse": "none"}))
    with clients.Client(gateway.address["clear"]) as c:
        c.login()
        data = c.open("STOR file", mode="EPSV")
        data.send(b"content")
        assert c.reply().code == 421  # this server ends the control connection, too
    assert "too long" in gateway.event("data-server-tls-failed").keys["reason"]
    assert server.end == "reset"
    server.close()


def test_321_a_server_that_is_silent_after_ccc_holds_no_session(launch, certificates):
    server = bad_server.BadServer(certificates.rsa, ccc="200 as you like")
    gateway = launch(tree=outbound.policy(certificates, server.address, ftp_actions={"clear": {"inacttime": "1s"}},
                                          backend={"secure_ctrlconn": "clear", "ccc": "after_login"}))
    with clients.Client(gateway.address["clear"]) as c:
        c.login()
        c.send(b"PWD\r\n")
        c.assert_ends(421)
    assert gateway.event("session-end").keys["reason"] == "server-silent"
    server.close()

"""Test the tools of these tests against each other, because a faulty harness proves nothing."""
import ssl
import threading

import pytest

import client as clients
import net


@pytest.mark.parametrize("mode", ["PASV", "EPSV", "PORT", "EPRT"])
def test_client_and_backend_transfer_in_the_clear(backend, mode):
    with clients.Client(backend.address) as c:
        c.login()
        assert c.get("big", mode) == backend.files["big"]
        assert c.put("up", b"x" * 100000, mode).code == 226
        assert backend.upload("up") == (b"x" * 100000, "fin")


def test_backend_tells_reset_from_fin(backend):
    with clients.Client(backend.address) as c:
        data = c.login().open("STOR up")
        data.send(b"half")
        data.abort()
        assert backend.upload("up")[1] == "reset"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("end", ["clean", "fin", "reset"])
def test_client_tells_the_ends_of_tls_apart(certificates, end, version):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(certificates.ecdsa["chain"], certificates.ecdsa["key"])

    def serve(listener):
        raw, _ = listener.accept()
        raw.settimeout(net.DEADLINE)
        tls = ctx.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        assert tls.recv(100) == b"question"
        tls.sendall(b"answer")
        if end == "clean":
            try:
                tls.unwrap().close()
            except (ssl.SSLError, OSError):
                tls.close()
        elif end == "fin":
            tls.close()
        else:
            assert tls.recv(100) == b"got it"  # so that the RST does not overtake data
            net.reset(tls)

    with net.listen() as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        tls = clients.Tls(net.dial(listener.getsockname()), clients.context(certificates, version), name="localhost")
        tls.send(b"question")
        assert tls.recv() == b"answer"
        if end == "reset":
            tls.send(b"got it")
        assert tls.read_all() == b"" and tls.end == end
        tls.close()
        thread.join(net.DEADLINE)


@pytest.mark.parametrize("name", ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"])
def test_real_server_transfers_in_the_clear(real_server, name):
    server = real_server(name)
    server.put("get.bin", b"content" * 1000)
    with clients.Client((server.host, server.port)) as c:
        c.login(server.user, server.password).cmd("TYPE I")
        assert c.get(server.where + "get.bin") == b"content" * 1000
        assert c.put(server.where + "put.bin", b"other").code == 226
    with open(server.files + "/put.bin", "rb") as f:
        assert f.read() == b"other"

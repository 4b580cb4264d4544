"""CCC: back to cleartext after a protected login, with real clients and with every variant of the TLS shutdown."""
import contextlib
import ftplib
import io
import ssl
import subprocess

import pytest

import client as clients
import ftp_clients
import net


@pytest.fixture
def gateway(launch, backend):
    return launch(backend, ftp={"secure_ctrlconn": "clear", "secure_dataconn": "clear"})


def ccc(c):
    """CCC, close_notify in both directions, then cleartext."""
    c.expect("CCC", 200)
    assert c.tls.recv() == b"" and c.tls.end == "clean", "the gateway must send its close_notify at once"
    c.tls.notify()
    c.buffer, c.tls = c.tls.rest(), None
    return c


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("level", ["C", "P"])
def test_commands_and_transfers_go_on(gateway, backend, version, level):
    with clients.explicit(gateway, level, ctx=clients.context(versions=version)) as c:
        ccc(c).expect("PWD", 257)
        for mode in "PASV", "EPSV", "PORT", "EPRT":
            assert c.get("big", mode) == backend.files["big"]
            assert c.put("up", b"x" * 5000, mode).code == 226


@pytest.mark.parametrize("verb,code", [("PASV", 227), ("EPSV", 229)])
def test_the_first_port_in_the_clear_is_primed(gateway, backend, verb, code):
    """A firewall's helper reads the second of two segments; the first must end with a newline."""
    with clients.explicit(gateway, "P") as c:
        ccc(c)
        c.send(verb + "\r\n")
        first = c.recv()
        assert first.startswith(b"%d-" % code) and first.count(b"\r\n") == 1 and first.endswith(b"\r\n"), first
        rest = c.recv()
        assert rest.startswith(b"%d " % code) and rest.count(b"\r\n") == 1, rest
        assert c.expect(verb, code).count("\n") == 0, "only the first is primed"
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_priming_is_not_needed_or_not_wanted(launch, backend):
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear", "secure_dataconn": "clear", "ccc_prime": "off"})
    with clients.explicit(gateway, "P") as c:
        assert ccc(c).expect("PASV", 227).count("\n") == 0
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear", "secure_dataconn": "clear"})
    with clients.explicit(gateway, "P") as c:
        assert c.expect("PASV", 227).count("\n") == 0, "under TLS no firewall reads it"
        ccc(c).expect("NOOP", 200)
        assert c.expect("PASV", 227).count("\n") == 0, "the NOOP was in the clear already"


def test_what_ccc_freezes(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        ccc(c)
        c.expect("PROT C", 503)
        c.expect("PBSZ 0", 503)
        c.expect("AUTH TLS", 503)
        c.expect("CCC", 533)
        assert c.get("hello.txt") == backend.files["hello.txt"]
        c.expect("PWD", 257)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_session_binding_survives_ccc(launch, backend, version):
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear", "secure_session_reuse": "required"})
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        ccc(c)
        assert c.get("hello.txt") == backend.files["hello.txt"]
        try:
            data = c.open("RETR hello.txt", session=None)
            assert data.read_all() == b"" and data.end != "clean"
        except (ssl.SSLError, ConnectionError):
            pass
        assert c.reply().code == 522
        c.expect("PWD", 257)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("how", ["none", "late", "split", "with the next command", "byte by byte"])
def test_dialects_of_the_clients_close_notify(gateway, backend, version, how):
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        c.expect("CCC", 200)
        assert c.tls.recv() == b"" and c.tls.end == "clean"
        tls, c.buffer, c.tls = c.tls, c.tls.rest(), None
        with contextlib.suppress(ssl.SSLError):
            tls.ssl.unwrap()
        notify = tls.outbound.read()
        assert notify
        if how == "none":
            pass  # what curl does
        elif how == "late":
            assert net.quiet(c.sock, 0.2)
            c.sock.sendall(notify)
        elif how == "split":
            c.sock.sendall(notify[:3])
            assert net.quiet(c.sock, 0.1)
            c.sock.sendall(notify[3:])
        elif how == "with the next command":
            c.sock.sendall(notify + b"PWD\r\nNOOP\r\n")
            assert [c.reply().code, c.reply().code] == [257, 200]
        else:
            for byte in notify:
                c.sock.sendall(bytes([byte]))
        before = backend.verbs().count("PWD")
        c.expect("PWD", 257)
        assert backend.verbs().count("PWD") == before + 1
        assert c.get("hello.txt") == backend.files["hello.txt"]


def test_commands_in_the_record_of_ccc_are_never_run(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        c.send("CCC\r\nPWD\r\nDELE precious\r\n")
        try:
            c.reply()
            c.tls.read_all()
        except clients.Closed:
            pass
    assert not {"PWD", "DELE"} & set(backend.verbs())


def test_tls_data_after_ccc_is_never_run(gateway, backend):
    with clients.explicit(gateway, "P") as c:
        c.expect("CCC", 200)
        c.send("DELE precious\r\n")
        c.sock.settimeout(net.DEADLINE)
        assert net.end_of(c.sock)
    assert "DELE" not in backend.verbs()


def test_fin_after_ccc(gateway):
    with clients.explicit(gateway, "P") as c:
        c.expect("CCC", 200)
    gateway.event("session-end")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_nonotify_sends_no_alert(launch, backend, version):
    gateway = launch(backend, ftp={"secure_ctrlconn": "clear", "tlsrfclevel": "cccnonotify"})
    with clients.explicit(gateway, "P", ctx=clients.context(versions=version)) as c:
        c.expect("CCC", 200)
        assert net.quiet(c.sock, 0.3), "an alert where none may be"
        c.tls = None
        c.expect("PWD", 257)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_ftplib(gateway, backend, version):
    ftp = ftplib.FTP_TLS(context=clients.context(versions=version), timeout=net.DEADLINE)
    ftp.connect(*gateway.explicit)
    ftp.login("user", "pass")
    ftp.prot_p()
    ftp.ccc()
    assert ftp.pwd() == "/"
    got = io.BytesIO()
    ftp.retrbinary("RETR big", got.write)
    assert got.getvalue() == backend.files["big"]
    ftp.storbinary("STOR up", io.BytesIO(backend.files["big"]))
    assert backend.upload("up") == (backend.files["big"], "fin")
    ftp.quit()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["passive", "active"])
def test_curl(gateway, backend, certificates, folder, mode, version):
    url = "ftp://%s:%d/" % gateway.explicit
    base = ["curl", "-sS", "--max-time", str(int(net.DEADLINE)), "--cacert", certificates.ca.pem, "--ssl-reqd", "--ftp-ssl-ccc",
            "--ftp-ssl-ccc-mode", mode, f"--tlsv{version}", "--tls-max", version, "-u", "user:pass"]
    done = subprocess.run([*base, url + "big"], capture_output=True)
    if ftp_clients.Curl.keeps_tls():
        # a record after its close_notify, or the refusal of curl's own OpenSSL to write one
        assert done.returncode and not done.stdout
        gateway.event("session-end", reason={"passive": "commands-after-ccc", "active": "client-closed"}[mode])
        assert "PWD" not in backend.verbs()
        return
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout == backend.files["big"]
    path = folder + "/up"
    with open(path, "wb") as f:
        f.write(backend.files["big"])
    done = subprocess.run([*base, "-T", path, url + "up"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert backend.upload("up") == (backend.files["big"], "fin")


def test_lftp(gateway, backend, certificates, folder):
    script = (f"set ssl:ca-file {certificates.ca.pem}; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ftp:ssl-use-ccc yes;"
              f"set net:max-retries 1; set net:timeout {int(net.DEADLINE)}; set xfer:clobber yes; set cmd:fail-exit yes;"
              f"open -u user,pass ftp://localhost:{gateway.explicit[1]}; get big -o {folder}/got; put {folder}/got -o up")
    done = subprocess.run(["lftp", "--norc", "-c", script], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with open(folder + "/got", "rb") as f:
        assert f.read() == backend.files["big"]
    assert backend.upload("up") == (backend.files["big"], "fin")
    assert not {"CCC"} & set(backend.verbs())

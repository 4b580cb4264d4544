"""Policies and clients for sessions in the clear, or under TLS, whose server speaks TLS."""
import ftplib
import io
import os

import ftp_clients
import gateway as gateways
import net

# of servers, so that a tap tells their connections from the client's, and from those of other processes
HOST = "127.%d.%d.2" % (64 + os.getpid() // 250 % 128, os.getpid() % 250)
MARKER = b"this is a byte of the file, "


def content(number, size=200_000):
    return (b"%d: " % number + MARKER * (size // len(MARKER) + 1))[:size]


def policy(certificates, server, tls=None, backend=None, trust=None, action="out", **change):
    """Clients in the clear (listener `clear`) or under TLS (`explicit`); server: (host, port)."""
    base = {
        "version": 1,
        "daemon": {"workers": 1, "control_socket": "none", "log": {"level": "debug"}},
        "keyrings": {"partners": {"trust": trust or certificates.ca.pem}, "ftpd": {"certificates": [certificates.ecdsa]}},
        "tls_actions": {"out": {"handshake_role": "client", "keyring": "partners", **gateways.KTLS, **(tls or {})},
                        "in": {"keyring": "ftpd", **gateways.KTLS}},
        "ftp_actions": {"clear": {"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "clear"},
                        "private": {}},
        "backends": {"partner": {"address": "%s:%d" % server, "tls": "out", "hostname": "localhost"}},
        "listeners": {"clear": {"address": "127.0.0.1:0", "tls": "none"}, "explicit": {"address": "127.0.0.1:0"}},
        "rules": {"outward": {"match": {"listener": "clear"}, "direction": "outbound", "ftp": "clear", "backend": "partner"},
                  "both": {"match": {"listener": "explicit"}, "tls": "in", "ftp": "private", "backend": "partner"}},
    }
    return gateways.merge(gateways.merge(base, {"backends": {"partner": backend or {}}}), change)


def connect(address, user, password):
    ftp = ftplib.FTP(timeout=net.DEADLINE)
    ftp.connect(*address)
    ftp.login(user, password)
    return ftp


def put(ftp, name, data):
    ftp.storbinary("STOR " + name, io.BytesIO(data))


def get(ftp, name):
    got = io.BytesIO()
    ftp.retrbinary("RETR " + name, got.write)
    return got.getvalue()


def with_ftplib(address, user, password, where, folder):
    """Put, get twice, list, and ten transfers in one session."""
    ftp = connect(address, user, password)
    put(ftp, where + "put", content(1))
    assert get(ftp, where + "put") == content(1)
    assert get(ftp, where + "put") == content(1)
    assert any(line.endswith("put") for line in ftp.nlst(where.rstrip("/")))
    for number in range(5):
        put(ftp, where + "ten", content(number, 5000))
        assert get(ftp, where + "ten") == content(number, 5000)
    put(ftp, where + "empty", b"")
    assert get(ftp, where + "empty") == b""
    ftp.quit()
    return {"put": content(1), "ten": content(4, 5000), "empty": b""}


def with_curl(address, user, password, where, folder):
    local, back = os.path.join(folder, "curl"), os.path.join(folder, "curl.back")
    with open(local, "wb") as f:
        f.write(content(2))
    url = f"ftp://{address[0]}:{address[1]}/{where}curl"
    base = ["curl", "-sS", "--max-time", str(ftp_clients.TIMEOUT), "-u", f"{user}:{password}"]
    ftp_clients.call([*base, "-T", local, url])
    ftp_clients.call([*base, "-o", back, url])
    with open(back, "rb") as f:
        assert f.read() == content(2)
    return {"curl": content(2)}


def with_lftp(address, user, password, where, folder):
    local, back = os.path.join(folder, "lftp"), os.path.join(folder, "lftp.back")
    with open(local, "wb") as f:
        f.write(content(3))
    script = ["set ftp:ssl-allow no", "set cmd:fail-exit yes", "set net:max-retries 1", f"set net:timeout {ftp_clients.TIMEOUT}",
              "debug 5", f"open -u '{user}','{password}' ftp://{address[0]}:{address[1]}",
              f"put {local} -o {where}lftp", f"get {where}lftp -o {back}"]
    ftp_clients.call(["lftp", "--norc", "-c", "; ".join(script)])
    with open(back, "rb") as f:
        assert f.read() == content(3)
    return {"lftp": content(3)}


CLIENTS = [with_ftplib, with_curl, with_lftp]

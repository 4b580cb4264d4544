"""Policies and clients for sessions in the clear, or under TLS, whose server speaks TLS."""
import ftplib
import io
import os
import re

import ftp_clients
import gateway as gateways
import net

# of servers, so that a tap tells their connections from the client's, and from those of other processes
HOST = "127.%d.%d.2" % (64 + os.getpid() // 250 % 128, os.getpid() % 250)
MODES = ["EPSV", "PASV", "EPRT", "PORT"]
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


def ways(certificates, server, versions, reuse, **backend):
    """A listener for each leg of a client (clear, TLS), version and command for data connections to the server: their names joined."""
    tree = policy(certificates, server)
    for version in versions:
        tree["tls_actions"][f"out-{version}"] = {**tree["tls_actions"]["out"], "versions": ["tls" + version]}
        for mode in MODES:
            tree["backends"][f"{version}-{mode}"] = {
                **tree["backends"]["partner"], "tls": f"out-{version}", "secure_session_reuse": reuse(version), **backend,
                "data": "passive" if mode in ("EPSV", "PASV") else "active", "epsv": "always" if mode[0] == "E" else "never"}
            for leg, like in ("clear", "outward"), ("TLS", "both"):
                name = f"{leg}-{version}-{mode}"
                tree["listeners"][name] = {"address": "127.0.0.1:0", **({"tls": "none"} if leg == "clear" else {})}
                tree["rules"][name] = {**tree["rules"][like], "match": {"listener": name}, "backend": f"{version}-{mode}"}
    return tree


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


def with_client(client, mode, address, user, password, where, folder):
    """One of clear_clients.ALL puts, gets and lists a file, with this command for its data connections."""
    name = f"{client.name}-{mode}"
    local, back = os.path.join(folder, name), os.path.join(folder, name + ".back")
    data = content(len(name))
    with open(local, "wb") as f:
        f.write(data)
    way = ftp_clients.Way("explicit", mode, "C", address, user, password, "", where)
    verbs, names = client.run(way, local, name, back)
    assert {verb for verb in verbs if verb in MODES} == {mode}, f"{client.name} has used {verbs}"
    assert names is None or re.search(rf"^(\S*/)?{name}\r?$", names, re.M), f"{client.name} has listed {names}"
    with open(back, "rb") as f:
        assert f.read() == data
    return {name: data}

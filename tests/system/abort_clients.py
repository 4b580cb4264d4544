"""
Real clients that stop a download in the middle, each in its own way: they start to download `big`, stop after BYTES
bytes, then download `small`. Each function returns how many control connections its client needs.
"""
import contextlib
import ftplib
import os
import re
import signal
import ssl
import subprocess

import ftp_clients
import net
import script_clients

BYTES = 256 << 10


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def lftp(way, big, small, local):
    """`kill` sends ABOR and closes the data connection."""
    part, script = local + ".part", local + ".lftp"
    with open(script, "w") as f:
        f.write("\n".join([
            f"set ssl:ca-file {way.ca}", "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes", "set cmd:fail-exit yes",
            "set net:timeout 4", "set net:max-retries 2", "set net:reconnect-interval-base 1", "set net:limit-rate 2M", "debug 5",
            f"open -u '{way.user}','{way.password}' ftp://{way.host}:{way.address[1]}",
            f"get {way.where}{big} -o {part} &",
            f"!until [ $(stat -c %s {part} 2>/dev/null || echo 0) -gt {BYTES} ]; do sleep 0.02; done",
            "kill all", f"get {way.where}{small} -o {local}", ""]))
    said = ftp_clients.call(["lftp", "--norc", "-f", script])
    assert "---> ABOR" in said, said
    return 1


def interruptible():
    """A shell starts `make check &` with SIGINT ignored, and so would be every client."""
    net.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def curl(way, big, small, local):
    """SIGINT ends curl, which sends nothing more to the server."""
    part = local + ".part"
    base = ["curl", "-sS", "--max-time", str(way.timeout), "--cacert", way.ca, "--ssl-reqd", "-u", f"{way.user}:{way.password}"]
    url = f"ftp://{way.host}:{way.address[1]}/{way.where}"
    stopped = subprocess.Popen([*base, "--limit-rate", "2M", "-o", part, url + big], preexec_fn=interruptible)
    net.until(lambda: size(part) > BYTES, "curl is in the middle")
    stopped.send_signal(signal.SIGINT)
    assert stopped.wait(way.timeout) == -signal.SIGINT
    ftp_clients.call([*base, "-o", local, url + small])
    return 2


@contextlib.contextmanager
def ftplib_session(way):
    ftp = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=way.ca), timeout=way.timeout)
    try:
        ftp.connect(*way.address)
        ftp.login(way.user, way.password)
        ftp.prot_p()
        yield ftp
        ftp.quit()
    finally:
        ftp.close()


def ftplib_callback(way, big, small, local):
    """abort() while the data connection is open, in the callback of retrbinary."""
    class Stop(Exception):
        pass

    with ftplib_session(way) as ftp:
        came = bytearray()

        def take(piece):
            came.extend(piece)
            if len(came) > BYTES:
                reply = ftp.abort()
                if reply.startswith("4"):
                    ftp.voidresp()
                raise Stop
        with contextlib.suppress(Stop):
            ftp.retrbinary("RETR " + way.where + big, take)
        with open(local, "wb") as f:
            ftp.retrbinary("RETR " + way.where + small, f.write)
    return 1


def ftplib_close(way, big, small, local):
    """The data connection is closed, then abort()."""
    with ftplib_session(way) as ftp:
        ftp.voidcmd("TYPE I")
        data = ftp.transfercmd("RETR " + way.where + big)
        net.exactly(data, BYTES)
        data.close()
        reply = ftp.abort()
        if reply.startswith("4"):
            ftp.voidresp()
        with open(local, "wb") as f:
            ftp.retrbinary("RETR " + way.where + small, f.write)
    return 1


def scripted(client, verb, sessions):
    """Steps of the scripts in clients/."""
    def play(way, big, small, local):
        script_clients.ALL[client].play(way, [(verb, big, local + ".part"), ("get", small, local)], bytes=BYTES)
        return sessions
    return play


def php(verb):
    """
    ftp_close() in the middle of a transfer frees the TLS session first and then reads what is left. If there is a
    session ticket among it, PHP frees the session again, and may crash at any later moment: so the next transfer is
    another process's.
    """
    def play(way, big, small, local):
        try:
            script_clients.ALL["PHP"].play(way, [(verb, big, local + ".part")], bytes=BYTES)
        except ftp_clients.Failed as fault:
            if not re.match(r"php ended with -(6|11);", str(fault)):
                raise
        script_clients.ALL["PHP"].play(way, [("get", small, local)])
        return 2
    return play


ALL = {"lftp": lftp, "curl": curl, "ftplib-callback": ftplib_callback, "ftplib-close": ftplib_close,
       "PHP-abort": php("abort"), "PHP-close": php("close"),
       "Ruby": scripted("Ruby", "abort", 1), "basic-ftp": scripted("basic-ftp", "close", 2)}
CLIENT = {name: name if name == "basic-ftp" else name.partition("-")[0] for name in ALL}

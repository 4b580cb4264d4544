"""A server and an attlsd in front of it, files for any number of plays, and the result of a play."""
import contextlib
import itertools
import os
import shutil
import tempfile
import threading

import client
import gateway
import more_servers
import net
import play

SIZES = {"small": 2000, "medium": 200_000, "big": 24_000_000}
MANY = 20_000
PAST = 1_577_836_800  # 2020, so that listings of what is prepared are the same every day

# Names that look like replies, hold what ends a word or a line elsewhere, or are long.
ODD = ["213 End", "213-More", "226 Transfer complete", " leading", "trailing ", "two  blanks", "tab\tinside", "-l", "*",
       "quote\"d", "percent%n", "back\\slash", "telnet\xff\xf4", "caf\xc3\xa9", "caf\xe9", "escape\x1b[31m", "n" * 250]


# Tens of thousands of files are made for each server: in memory that takes a moment, on a disk it may not.
if os.access("/dev/shm", os.W_OK) and os.statvfs("/dev/shm").f_bavail * os.statvfs("/dev/shm").f_frsize > 1 << 30:
    tempfile.tempdir = "/dev/shm"


class Stage:
    """One server, its attlsd, and files for any number of plays at once."""

    def __init__(self, name, certificates, folder):
        self.server = more_servers.Server(name)
        try:
            os.mkdir(os.path.join(folder, name))
            self.prepare()
            self.gateway = gateway.Gateway(os.path.join(folder, name), gateway.policy(
                certificates, (self.server.host, self.server.port), ftp={"secure_dataconn": "clear", "accesserrormsgs": True, "unknown_commands": "pass"},
                daemon={"limits": {"sessions_per_source": 1000, "unauthenticated_per_source": 1000}})).ready()
        except BaseException:
            self.server.stop()
            raise
        self.name, self.tls = name, client.context(certificates)
        self.numbers = itertools.count()
        self.lock = threading.Lock()  # there is one folder of 20,000 names

    def prepare(self):
        many = self.file("many", None)
        for n in range(MANY):
            os.close(os.open(os.path.join(many, "a-name-of-some-length-%05d.txt" % n), os.O_CREAT | os.O_WRONLY, 0o644))
        self.date(many)
        odd = self.file("odd", None)
        for name in ODD:
            with contextlib.suppress(OSError):
                with open(os.path.join(odd.encode(), name.encode("latin-1")), "wb"):
                    pass
        self.date(odd)
        self.file("big", content("big"))

    def file(self, path, data):
        """Make a folder (data None) or a file of the server's."""
        path = os.path.join(self.server.files, path)
        if data is None:
            os.mkdir(path)
            os.chmod(path, 0o777)
        else:
            with open(path, "wb") as f:
                f.write(data)
            os.chmod(path, 0o666)
            os.utime(path, (PAST, PAST))
        return path

    def date(self, folder):
        for entry in os.scandir(os.fsencode(folder)):
            os.utime(entry.path, (PAST, PAST))

    def revive(self):
        """Start the server again if it has ended: some do not survive every client. It keeps its port and files."""
        with self.lock:
            if self.server.process.poll() is not None:
                self.server.log.close()
                self.server.begin()

    def play(self, steps, through, patience=play.PATIENCE, protect=True):
        """Play the script in a new folder, straight to the server or through attlsd: an Outcome."""
        entries = [entry for entry in ("many", "odd") if any(entry in step for step in steps)]
        with self.lock if entries else contextlib.nullcontext():
            return self.play_in("p%05d" % next(self.numbers), entries, steps, through, patience, protect)

    def play_in(self, name, entries, steps, through, patience, protect):
        folder = self.file(name, None)
        for file in "small", "medium":
            self.file(f"{name}/{file}", content(file))
        os.link(os.path.join(self.server.files, "big"), os.path.join(folder, "big"))
        self.file(f"{name}/sub", None)
        for entry in entries:
            os.rename(os.path.join(self.server.files, entry), os.path.join(folder, entry))
        address = self.gateway.explicit if through else (self.server.host, self.server.port)
        try:
            played = play.Play(self.server, address, steps, name, tls=self.tls if through else None, protect=protect,
                               patience=patience).run()
            assert through or any(reply.startswith("230") for reply in played.replies), \
                f"no login at {self.name}: {played.replies}"
            return Outcome(played, folder)
        finally:
            for entry in entries:
                os.rename(os.path.join(folder, entry), os.path.join(self.server.files, entry))
            shutil.rmtree(folder, ignore_errors=True)

    def stop(self):
        try:
            self.gateway.stop()
        finally:
            self.server.stop()


CONTENT = {}


def content(name):
    if name not in CONTENT:
        CONTENT[name] = play.pattern_bytes(0, SIZES[name])
    return CONTENT[name]


class Outcome:
    """The lines of text that are compared: everything that a client can see."""

    def __init__(self, played, folder):
        self.replies = played.replies
        self.data = [describe(transfer, folder) for transfer in played.transfers]
        self.end = played.end or "open"

    def lines(self):
        return [*self.replies, *("data: " + text for text in self.data), "end: " + self.end]

    def __eq__(self, other):
        return self.lines() == other.lines()


def describe(transfer, folder):
    """The parts of a transfer that must be the same natively and through attlsd."""
    if transfer.refused or not transfer.verb:
        return "none"
    name = f"{transfer.verb} {transfer.name} "
    if transfer.verb in ("RETR", "LIST", "NLST", "MLSD"):
        return name + describe_download(transfer)
    return name + describe_upload(transfer, folder)


def describe_download(transfer):
    data = bytes(transfer.taken).replace(b"\r", b"")  # TYPE A may be in force, and no file has a CR
    if transfer.verb != "RETR":
        lines = sorted(play.normal(line) for line in bytes(transfer.taken).decode("latin-1").split("\r\n"))
        return "\n".join([*([] if transfer.aborted else lines), transfer.end or "left"])
    whole = content(transfer.name) if transfer.name in SIZES else b""
    if data and not whole.startswith(data):
        return "other bytes"
    if transfer.aborted or transfer.end is None:
        return "left"
    return f"{'whole' if data == whole else len(data)} {transfer.end}"


def describe_upload(transfer, folder):
    """The server may still be writing after the client has closed: wait a moment for all bytes."""
    sent = play.pattern_bytes(0, transfer.given)
    path = os.path.join(folder, transfer.name)

    def stored():
        with contextlib.suppress(FileNotFoundError):
            with open(path, "rb") as f:
                return f.read()
        return None
    if not transfer.aborted:
        with contextlib.suppress(AssertionError):
            net.until(lambda: stored() == sent, "the file is whole", 1)
    data = stored()
    if data is not None and data != play.pattern_bytes(0, len(data)):
        return "other bytes"
    if transfer.aborted:
        return "aborted"
    if data is None:
        return "no file"
    return f"{'whole' if data == sent else 'part'} {transfer.end or 'left'}"

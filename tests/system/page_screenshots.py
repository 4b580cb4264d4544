"""
Makes docs/images/page-*.png, from a real attlsd with real sessions. `page_screenshots.py FOLDER [SECONDS]`: traffic
runs for so long first (180), so that the charts have something to show.
"""
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import backend as backends
import browser as browsers
import certs
import client as clients
import gateway as gateways
from test_http import address

USERS = ["anna", "batch-eod", "clearing", "edi.partner7", "mvsops", "payroll", "swift-in", "treasury"]
FILES = {"PAYROLL.D261129.XMIT": 96 << 20, "positions-q4.csv": 40 << 20, "camt053_20261129.xml": 24 << 20}
EARLY = "window.seen = { violations: [], waits: [], errors: [] };"  # with the page's own pace
COLOURS = "256"
IDLE = 9  # sessions


class Throttled(threading.Thread):
    """A client that takes its file slowly, again and again."""

    def __init__(self, gateway, user, name, rate):
        super().__init__(daemon=True)
        self.gateway, self.user, self.name_of_file, self.rate = gateway, user, name, rate

    def run(self):
        while True:
            with clients.Client(self.gateway.explicit) as c:
                c.auth().login(self.user)
                c.prot("P")
                c.cmd("TYPE I")
                c.cmd("SIZE " + self.name_of_file)
                data = c.open("RETR " + self.name_of_file, "EPSV")
                taken, start = 0, time.monotonic()
                while part := data.recv(65536):
                    taken += len(part)
                    time.sleep(max(0, start + taken / self.rate - time.monotonic()))
                data.close()
                c.reply()


def short_visits(gateway):
    """Sessions that come and go, and some that policy refuses."""
    dice = random.Random(3)
    while True:
        with clients.explicit(gateway, "P") as c:
            for _ in range(dice.randrange(1, 4)):
                c.get("note.txt")
            if dice.random() < 0.3:
                c.cmd(dice.choice(["SITE EXEC X", "XYZZY", "PORT 192,0,2,1,4,1"]))
        time.sleep(dice.random())


def shoot(browser, url, path, width, height, theme, scale, top=0, **media):
    browser.open(url)
    browser.screen(width, height, scale)
    browser.media(prefers_color_scheme=theme, **media)
    browser.wait(lambda: browser.text("#summary"))
    time.sleep(3)  # two answers, so that rates are known
    browser.js("document.querySelector('.top').style.position = 'static'")
    y = browser.js("return arguments[0] ? document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY - 20 : 0", top)
    browser.screenshot(path, x=0, y=y, width=width, height=height)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--skip-if-larger", "--strip", "--output", path, COLOURS, path], check=False)
    if shutil.which("optipng"):
        subprocess.run(["optipng", "-quiet", "-o5", "-strip", "all", path], check=True)
    print(path, os.path.getsize(path), "bytes")


@contextlib.contextmanager
def busy(seconds):
    """(folder, gateway, control socket): transfers, short visits and idle sessions, after so many seconds of them."""
    with tempfile.TemporaryDirectory(prefix="attlsd-pictures-") as folder:
        os.chmod(folder, 0o755)
        backend = backends.Backend(files={**{name: os.urandom(size) for name, size in FILES.items()}, "note.txt": b"x" * 20000})
        control = os.path.join(folder, "control")
        tree = gateways.policy(certs.Certificates(folder), backend.address, ftp={"secure_dataconn": "clear"}, backends={
            "legacy": None, "mvs1": {"address": "%s:%d" % backend.address}}, rules={"everyone": {"backend": "mvs1"}},
            daemon={"workers": 2, "control_socket": control, "http": "127.0.0.1:0"})
        os.mkdir(folder + "/gateway")
        gateway = gateways.Gateway(folder + "/gateway", tree).ready()
        for i, (name, rate) in enumerate(zip([*FILES, *FILES], (9e5, 7e5, 2e5, 5e5, 3e5, 4e5))):
            Throttled(gateway, USERS[i], name, rate).start()
        idle = []
        for i in range(IDLE):
            c = clients.Client(gateway.explicit)
            c.auth().login(USERS[-1 - i % 5])
            idle.append(c.prot("P"))
        threading.Thread(target=short_visits, args=(gateway,), daemon=True).start()
        time.sleep(seconds)
        yield folder, gateway, control
        gateway.process.kill()


def main(to, seconds=180):
    with busy(seconds) as (folder, gateway, _):
        browser = browsers.Browser(folder, EARLY)
        url = "http://%s:%d/" % address(gateway)
        shoot(browser, url, os.path.join(to, "page-light.png"), 1200, 800, "light", 1)
        shoot(browser, url, os.path.join(to, "page-dark.png"), 1200, 800, "dark", 1, "#transfers")
        shoot(browser, url, os.path.join(to, "page-phone.png"), 390, 800, "light", 1)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

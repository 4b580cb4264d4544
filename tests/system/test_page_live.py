"""The page of a real attlsd with real sessions: what the stand-in of test_page.py makes up is what attlsd says."""
import os

import browser as browsers
import client as clients
import net
from test_http import address, start


SIZE = 16 << 20
HOSTILE = "<img src=x onerror=seen.errors.push(1)>\u202e".encode().decode("latin-1")  # as the client sends its bytes


def test_a_session_and_its_transfer(chromium, launch, make_backend, folder):
    backend = make_backend(files={"big": os.urandom(SIZE), HOSTILE: os.urandom(SIZE)})
    gateway = start(launch, backend, folder)
    url = "http://%s:%d/" % address(gateway)
    browser = chromium.open(url)
    browser.wait_text("#state", "Serving: ready for sessions")
    browser.wait_text("#session-table", "Nobody is connected.")
    # the certificates of tests are good for two days
    browser.wait_text("#attention-list", "A certificate of the key ring ftpd")

    def row(selector=""):
        return browser.texts("#session-table > tbody:not(.empty) > tr:first-child" + selector)
    with clients.explicit(gateway, "P") as c:
        browser.wait(lambda: row(" th") == ["user"])
        data = c.open("RETR big")
        browser.wait_text("#transfer-list", "big")
        data.recv()
        browser.wait_text("#transfer-list", "iB")
        browser.click("button.open")
        details = browser.text("tr.details")
        for words in "TLSv1.3", "RETR big", "attlsctl trace", "legacy":
            assert words in details, (words, details)
        data.read_all()
        data.close()
        assert c.reply().code == 226
        browser.wait(lambda: browser.text("#transfers-more") == "None now.")
        # names that a client chooses
        with clients.Client(gateway.explicit) as other:
            other.auth().login(HOSTILE)
            other.prot("P")
            data = other.open("RETR " + HOSTILE)
            browser.wait_text("#transfer-list", "onerror")
            assert browser.count("body img") == 0 and "U+202E" in browser.text("#transfer-list")
            browser.wait(lambda: browser.js("return [...document.querySelectorAll('tbody th')].some((each) => each.textContent.includes('<img src=x'))"))
            data.abort()
        browser.type("/", "user:user", browsers.Keys.ENTER)
        browser.wait_text("#filter-says", "user user")
    browser.wait_text("#session-table", "No")
    assert browser.texts("#worker-table tbody td:nth-child(3)") == ["serves", "serves"]
    assert "TLSv1.3" in browser.text("#tls-table") and "legacy" in browser.text("#backend-table")
    browser.assert_clean(url)


def test_the_gateway_ends(chromium, launch, make_backend, folder):
    gateway = start(launch, make_backend(files={"big": os.urandom(SIZE)}), folder)
    url = "http://%s:%d/" % address(gateway)
    browser = chromium.open(url)
    browser.wait_text("#state", "Serving")
    with clients.explicit(gateway, "P") as c:
        browser.wait(lambda: browser.count("#session-table > tbody:not(.empty)") == 1)
        data = c.open("RETR big")  # nobody reads it, so the gateway does not end before the page has asked
        gateway.process.terminate()
        browser.wait_text("#state", "Draining: not ready")
        data.abort()
        c.close()
    gateway.process.wait(net.DEADLINE)
    browser.wait_text("#stale-text", "It cannot be reached.")
    browser.assert_clean(url, ["net::ERR_", "503"])


def test_a_token(chromium, launch, backend, folder):
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="ascii") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("0123456789abcdef0123\n")
    gateway = start(launch, backend, folder, http_token_file=token)
    url = "http://%s:%d/" % address(gateway)
    browser = chromium.open(url)
    browser.wait(lambda: browser.shown("#token-form"))
    browser.type("wrong-wrong-wrong-wrong", browsers.Keys.ENTER)
    browser.wait_text("#token-title", "does not accept this token")
    browser.type("0123456789abcdef0123", browsers.Keys.ENTER)
    browser.wait(lambda: browser.shown("#summary") and not browser.shown("#token-form"))
    browser.assert_clean(url, ["401"])

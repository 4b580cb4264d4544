"""The page of attlsd-http in a headless Chromium, with worlds that a stand-in for the server makes up."""
import time

import pytest

import browser as browsers
import npm
import page_mock
from page_mock import overview, session, transfer

Keys = browsers.Keys

# Contrast as WCAG 2 computes it, of each text that a person can see, against what is painted behind it.
CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(colour) {
	canvas.clearRect(0, 0, 1, 1);
	canvas.fillStyle = colour;
	canvas.fillRect(0, 0, 1, 1);
	const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
	return [r, g, b, a / 255];
}
function light([r, g, b]) {
	const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
	return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
}
function behind(element) {
	for (let each = element; each; each = each.parentElement) {
		const colour = rgba(getComputedStyle(each).backgroundColor);
		if (colour[3] === 1)
			return colour;
		if (colour[3] !== 0)
			throw new Error("half transparent: " + each.outerHTML.slice(0, 80));
	}
	return [255, 255, 255, 1];
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const bad = [];
let seen = 0;
while (walker.nextNode()) {
	const element = walker.currentNode.parentElement;
	if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest(".hidden, .skip, noscript, script"))
		continue;
	const style = getComputedStyle(element);
	const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
	const ratio = (a + 0.05) / (b + 0.05);
	seen++;
	if (ratio < 4.5)
		bad.push(ratio.toFixed(2) + " " + element.tagName + "." + element.className + ": " + walker.currentNode.data.slice(0, 40));
}
return { seen, bad };
"""


@pytest.fixture
def mock():
    mock = page_mock.Mock()
    yield mock
    mock.close()


@pytest.fixture
def page(chromium, mock):
    """page(): the browser shows the world of the mock; what the page must not do is checked after the test."""
    refused = []

    def show(path="", wait="main:not([hidden]) #summary"):
        chromium.open(mock.url + path)
        chromium.wait(lambda: chromium.text(wait))
        return chromium
    show.refused = refused
    yield show
    chromium.assert_clean(mock.url, refused)


def rows(browser):
    return browser.count("#session-table > tbody:not(.empty)")


def users(browser):
    """As the eye sees them."""
    return browser.js("""return [...document.querySelectorAll("#session-table > tbody:not(.empty) > tr:first-child > th")].map((th) => {
        const copy = th.cloneNode(true);
        copy.querySelectorAll(".hidden").forEach((each) => each.remove());
        return copy.textContent; })""")


def assert_fits(browser, width):
    """The page itself must not scroll to the side; wide tables and the list of sections may."""
    browser.screen(width, 740)
    wide = browser.js("""return [...document.querySelectorAll("body *")].filter((each) => !each.closest(".scroll > *, nav ul > *, .hidden, svg")
        && each.getBoundingClientRect().right > arguments[0]).map((each) => each.outerHTML.slice(0, 200))""", width)
    assert browser.js("return document.documentElement.scrollWidth") <= width and not wide, "\n".join(wide)


def test_a_busy_gateway(page, mock):
    page_mock.busy(mock.world)
    browser = page()
    assert browser.text("#state") == "Serving: ready for sessions"
    assert browser.text("#node") == "edge-1"
    assert browser.js("return document.title") == "(!) edge-1: 214 sessions, 13 transfers"
    attention = browser.texts("#attention-list li")
    assert len(attention) == 3 and "mvs2 is not reachable" in attention[0] and "19 days left" in attention[2], attention
    assert "214 sessions of at most 5,000" in browser.text("#summary")
    assert rows(browser) == 25 and browser.count("#transfer-list li") == 8
    assert browser.texts("#certificate-table tbody th") == ["partners", "ftpd", "ftpd"], "the first to expire is the first"
    assert browser.texts("#refusal-table tbody th") == ["PASS", "SITE", "PORT"]
    assert "Fix: open the ports" in browser.text("#event-list li:nth-child(2)")
    assert browser.texts("#backend-table tbody td:nth-child(2)") == ["not reachable", "reachable", "reachable"]
    assert browser.texts("#server-table tbody td:nth-child(2)") == ["disabled by an operator", "up"]
    assert browser.texts("#server-table tbody td:nth-child(4)") == ["3", "40"]
    assert browser.texts("#worker-table tbody td:nth-child(3)") == ["serves", "serves", "retires: keeps its sessions until they end"]
    assert browser.texts("#tls-shares dt") == ["TLSv1.3", "TLSv1.2", "resumed", "TLSv1.2", "resumed"]
    assert browser.count("#charts svg[role=img]") == 6
    for label in browser.js("return [...document.querySelectorAll('#charts svg[role=img]')].map((each) => each.getAttribute('aria-label'))"):
        assert "last hour: now" in label and "most" in label, label


def server(address, state, cause=None, backend="mvs"):
    return {"backend": backend, "address": address, "state": state, "cause": cause, "since": int(time.time()) - 90, "sessions": 2, "chosen": 9}


def test_servers_of_a_backend(page, mock):
    """States are words, and what is wrong comes first; a backend without any server is worse than one that has lost a server."""
    mock.world.overview = overview(backend_servers=[
        server("10.0.0.1:21", "up"), server("10.0.0.2:21", "doubtful", "turned-away"), server("10.0.0.3:21", "down", "connect-timeout"),
        server("10.0.1.1:21", "disabled", backend="archive"), server("10.0.1.2:21", "down", "refused", "archive")])
    browser = page()
    assert browser.texts("#server-table tbody th") == ["10.0.0.3:21\nof mvs", "10.0.1.1:21\nof archive", "10.0.1.2:21\nof archive", "10.0.0.1:21\nof mvs", "10.0.0.2:21\nof mvs"]
    assert browser.texts("#server-table tbody td:nth-child(2)") == [
        "down\nit does not answer", "disabled by an operator", "down\nit refuses connections", "up", "doubtful: others are tried first\nit greets with a refusal"]
    lost, down = browser.texts("#attention-list li")
    assert "All servers of the backend archive are down or disabled." in lost and lost.startswith("Act now")
    assert "The server 10.0.0.3:21 of mvs is down: it does not answer. Sessions get another one." in down and down.startswith("Soon")
    for width in 1280, 360:
        assert_fits(browser, width)


def test_an_idle_gateway(page, mock):
    mock.world.overview = overview(sessions={"now": 0, "limit": 5000, "transfers": 0})
    mock.world.overview["history"]["sessions"] = [1, 2]  # it has just started
    browser = page()
    assert browser.attribute("[data-chart=sessions] .line", "d").startswith("M359.0 "), "at the end of the hour"
    assert browser.text("#attention-title") == "Nothing needs attention"
    assert "Nobody is connected." in browser.text("#session-table")
    assert browser.text("#transfers-more") == "None now."
    assert not browser.shown("#servers") and not browser.shown("#tls-table") and "None since attlsd started." in browser.text("#tls")


def test_it_changes_as_the_gateway_does(page, mock):
    browser = page()
    assert rows(browser) == 0
    mock.world.sessions.append(session(1, user="berta"))
    browser.wait(lambda: users(browser) == ["berta"])
    browser.js("window.kept = document.querySelector('#session-table > tbody:not(.empty)')")
    mock.world.sessions[0]["transfer"] = transfer("RETR big.bin", bytes=1 << 20, size=4 << 20, rate=1 << 19)
    browser.wait_text("#transfer-list", "big.bin")
    assert "25 % of 4.0 MiB" in browser.text("#transfer-list") and "512 KiB/s" in browser.text("#transfer-list") and "6 s left" in browser.text("#transfer-list")
    mock.world.sessions[0]["transfer"] = transfer("RETR big.bin", bytes=3 << 20, size=4 << 20, rate=1 << 19)
    browser.wait(lambda: browser.attribute("#transfer-list progress", "value") == "75")
    mock.world.sessions[0]["transfer"] = None
    browser.wait(lambda: browser.count("#transfer-list li") == 0)
    assert browser.js("return window.kept.isConnected"), "the row of a session stays the same node"
    mock.world.sessions.clear()
    browser.wait(lambda: rows(browser) == 0)


def test_sessions_are_shown_without_the_rest(page, mock):
    mock.world.sessions.append(session(1, user="berta"))
    mock.world.overview = None
    page.refused += ["503"]
    browser = page(wait="main:not([hidden]) #session-table > tbody:not(.empty)")
    assert users(browser) == ["berta"]
    browser.wait_text("#stale-text", "It answers 503")


def test_what_needs_attention(page, mock):
    now = int(time.time())
    mock.world.overview = overview(
        state="draining", failure={"text": "line 7: unknown key", "since": now - 60}, sessions={"now": 4900, "limit": 5000, "transfers": 0},
        certificates=[{"keyring": f"k{i}", "label": "a", "subject": "CN=a", "kind": "certificate", "not_after": now + (i - 1) * 86400} for i in range(6)])
    browser = page()
    assert browser.text("#state") == "Draining: not ready, no new sessions"
    attention = browser.text("#attention")
    for words in "accepts no new session", "line 7: unknown key", "4,900 of at most 5,000", "k0 (a): expired", "3 more certificates":
        assert words in attention, (words, attention)
    mock.world.overview = overview(workers=[])
    browser.wait_text("#attention", "No worker serves")


def numbered(world, n):
    world.sessions = [session(i + 1, user="u%04d" % i, age=float(i), client="10.%d.%d.%d:21" % (i >> 16, i >> 8 & 255, i & 255), idle=float(i % 600),
                              rule="odd" if i % 2 else "even") for i in range(n)]
    world.sessions[77]["transfer"] = transfer("STOR x", bytes=77, rate=1e6)
    world.overview["sessions"] = {"now": n, "limit": 20000, "transfers": 1}


def test_ten_thousand_sessions(page, mock):
    numbered(mock.world, 10000)
    browser = page()
    browser.wait(lambda: users(browser)[:2] == ["u9999", "u9998"])
    assert rows(browser) == 25 and browser.text("#page-says") == "1–25 of 10,000"
    browser.click("#next")
    browser.wait(lambda: users(browser)[0] == "u9974")
    browser.click("#last")
    browser.wait_text("#page-says", "9,976–10,000 of 10,000")
    assert browser.attribute("#next", "aria-disabled") == "true" and browser.attribute("#first", "aria-disabled") is None
    browser.click("th[data-sort=user] button")
    browser.wait(lambda: users(browser)[0] == "u0000")
    assert browser.attribute("th[data-sort=user]", "aria-sort") == "ascending" and browser.attribute("th[data-sort=age]", "aria-sort") is None
    browser.click("th[data-sort=user] button")
    browser.wait(lambda: users(browser)[0] == "u9999")
    browser.js("document.getElementById('size').value = '100'; document.getElementById('size').dispatchEvent(new Event('change'))")
    browser.wait(lambda: rows(browser) == 100)
    assert browser.count("*") < 5000, "only one page of rows is in the document"
    assert not browser.shown("#sessions-part")
    mock.world.whole = False
    browser.wait(lambda: browser.shown("#sessions-part"))
    # sessions that end: the last page does not stay empty
    browser.click("#last")
    browser.wait_text("#page-says", "9,901–10,000 of 10,000")
    del mock.world.sessions[50:]
    browser.wait_text("#page-says", "1–50 of 50")


@pytest.mark.parametrize("text,found,query", [
    ("u0042", 1, "user=u0042"),
    ("10.0.1.0/24", 256, "client=10.0.1.0%2F24"),
    ("rule:odd idle:599", 1, "rule=odd&idle=599"),
    ("RULE:even u0003", 0, "rule=even&user=u0003"),
    ("transfers", 1, "transfers=1"),
    ('user:"no such"', 0, "user=no+such"),
])
def test_filters(page, mock, text, found, query):
    numbered(mock.world, 1000)
    browser = page()
    browser.type("/", text, Keys.ENTER)
    browser.wait_text("#filter-says", f"{found} of 1,000 sessions")
    assert any(each.startswith("/sessions?" + query + "&") for each in mock.world.requests), mock.world.requests[-3:]
    assert rows(browser) == min(25, found)
    browser.type(Keys.ESCAPE)
    browser.wait(lambda: browser.text("#page-says") == "1–25 of 1,000")


@pytest.mark.parametrize("text,says", [("foo:bar", "is not a filter"), ("idle:x", "number of seconds"), ("client:host", "an address or a network"),
                                       ("user:", "needs a value"), ("anna otto", "given twice")])
def test_wrong_filters_say_why(page, mock, text, says):
    browser = page()
    browser.type("/", text, Keys.ENTER)
    browser.wait_text("#filter-says", says)
    assert browser.attribute("#filter", "aria-invalid") == "true"
    assert says in browser.text("#announce")


HOSTILE = [
    "<img src=x onerror=seen.errors.push('injected')>",
    "\"><script>seen.errors.push('injected')</script>",
    "<svg/onload=seen.errors.push('injected')><style>*{display:none}</style>",
    "javascript:seen.errors.push('injected')",
    "{{constructor.constructor('seen.errors.push(1)')()}}${seen.errors.push(1)}",
    "evil\u202egnp.exe\u2066\u2069\u200f",
    "a\u0000b\r\n\u001b[31mred\u0085\u2028",
    "\u200b\ufeff\u00ad\u3164",
    " anna ",
    "👩\u200d👩\u200d👧 😀 Jürgen Ωμέγα 文件 שלום",
    "Z" + "\u0300\u0301\u0302" * 400,
    "W" * 4096,
    "\ud800 lone",
    "__proto__", "constructor", "toString",
    "",
]


def test_hostile_names(page, mock):
    now = int(time.time())
    mock.world.sessions = [session(i + 1, user=name, age=100.0 - i, rule=name[:30], backend=name[:30], listener=name[:30], cipher=name[:40], command="RETR " + name, legs={side: page_mock.leg(**dict.fromkeys(("control", "tls", "group", "data", "mode", "told", "peer"), name[:40])) for side in ("client", "server")},
                                   transfer=transfer("RETR " + name, size=10 << 20, rate=9e5), certificate=dict.fromkeys(("subject", "issuer", "serial", "sha256"), name))
                           for i, name in enumerate(HOSTILE)]
    mock.world.overview = overview(
        node=HOSTILE[0], version=HOSTILE[1], policy={"path": HOSTILE[0], "digest": HOSTILE[5], "generation": 1, "since": now}, failure={"text": HOSTILE[0], "since": now},
        tls=[{"leg": "client", "version": n, "cipher": n, "group": n, "resumed": False, "handshakes": 1} for n in HOSTILE],
        failures=[{"leg": n, "cause": n, "count": 1} for n in HOSTILE], refusals=[{"verb": n, "key": n, "count": 1} for n in HOSTILE],
        transfers=[{"direction": n, "protection": n, "result": n, "count": 1} for n in HOSTILE],
        backends=[{"name": n, "address": n, "state": n, "connects": 1, "failures": 1, "last_failure": {"time": now, "text": n}} for n in HOSTILE],
        backend_servers=[{"backend": n, "address": n, "state": n, "cause": n, "since": now, "sessions": 1, "chosen": 1} for n in HOSTILE],
        certificates=[{"keyring": n, "label": n, "subject": n, "kind": n, "not_after": now + i} for i, n in enumerate(HOSTILE)],
        events=[{"time": now, "level": n, "event": n, "text": n, "fix": n} for n in HOSTILE])
    browser = page()
    assert rows(browser) == len(HOSTILE)
    browser.js("document.querySelectorAll('button.open').forEach((each) => each.click())")
    assert browser.count("tr.details") == len(HOSTILE)
    assert browser.count("body img, body script, body iframe, body object, body style, body a[href^='javascript']") == 0
    assert browser.js("return [...document.querySelectorAll('body *')].every((each) => [...each.attributes].every(({ name }) => !name.startsWith('on') && name !== 'style'))")
    shown = users(browser)
    assert shown[0] == "<img src=x onerror=seen.err…'injected')>"
    assert "evilU+202Egnp.exeU+2066U+2069U+200F" in shown
    assert "aU+0000bU+000DU+000AU+001B[31mredU+0085U+2028" in shown
    assert "U+200BU+FEFFU+00ADU+3164" in shown and "␣anna␣" in shown
    assert "__proto__" in shown and "not logged in" in shown
    hidden = browser.js("return /[\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069\\u200b-\\u200f\\ufeff]/u.exec(document.body.innerText.replace(/[\\n\\t]/g, ''))?.index ?? -1")
    assert hidden == -1, "a character that cannot be seen"
    assert browser.js("return Math.max(...[...document.querySelectorAll('#session-table > tbody > tr:first-child')].map((each) => each.offsetHeight))") < 160
    for width in 1280, 360:
        assert_fits(browser, width)
    # the long one as a whole, and cut again
    browser.screen()
    button = "#session-table > tbody:nth-of-type(13) > tr:first-child th button.cut"
    assert browser.js("return document.querySelector(arguments[0]).textContent.length", button) < 120
    browser.click(button)
    assert browser.js("return document.querySelector(arguments[0]).textContent.length", button) >= 4096
    assert browser.attribute(button, "aria-expanded") == "true"
    browser.click(button)
    assert browser.attribute(button, "aria-expanded") == "false"


def test_bytes_that_attlsd_escapes(page, mock):
    mock.world.sessions = [session(1, user="J\\xc3\\xbcrgen", age=2), session(2, user="a\\xff\\x5cb", age=1), session(3, user="e\\xe2\\x80\\xaef", age=0)]
    browser = page()
    assert users(browser) == ["Jürgen", "a\\xff\\x5cb", "eU+202Ef"]


@pytest.mark.parametrize("how", ["busy", "gone"])
def test_old_figures_say_so(page, mock, how):
    page_mock.busy(mock.world, 3)
    page.refused += ["503", "net::ERR_"]
    browser = page()
    assert not browser.shown("#stale") and "live" in browser.text("#freshness")
    before = browser.js("return seen.waits.length")
    if how == "busy":
        mock.world.status = 503
    else:
        mock.close()
    browser.wait(lambda: browser.shown("#stale"))
    assert "Old: the last answer came" in browser.text("#stale-text")
    assert ("It answers 503" if how == "busy" else "It cannot be reached") in browser.text("#stale-text")
    assert browser.text("#state") == "No answer: what you see is old" and rows(browser) == 3
    browser.wait("return seen.waits.includes(30000)")
    waits = [ms for ms in browser.js("return seen.waits")[before:] if ms != 7000]
    assert [ms for ms in waits if ms > 2000][:4] == [4000, 8000, 16000, 30000], waits
    browser.wait_text("#announce", "does not answer")
    if how == "busy":
        browser.js("seen.slow = true")
        browser.wait("return seen.long", "the last of the short waits")
        mock.world.status = None
        browser.click("#retry")
        browser.wait(lambda: not browser.shown("#stale"))
        browser.wait_text("#announce", "answers again")
        assert browser.text("#state") == "Serving: ready for sessions"


def test_a_hidden_page_asks_seldom(page, mock):
    browser = page()
    browser.js("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))")
    browser.wait("return seen.waits.at(-1) === 30000 || seen.waits.at(-2) === 30000")
    browser.js("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    browser.wait("return seen.waits.at(-1) === 2000")


def test_pause(page, mock):
    browser = page()
    browser.click("#pause")
    assert browser.attribute("#pause", "aria-pressed") == "true" and "paused" in browser.text("#freshness")
    mock.world.sessions.append(session(1))
    browser.click("#sort")
    browser.type("user", Keys.ENTER)
    browser.wait(lambda: rows(browser) == 1, "what the operator asks for is still answered")
    browser.click("#pause")
    browser.wait_text("#freshness", "live")


def test_the_token(page, mock):
    mock.world.token = "s3cret"
    page.refused += ["401"]
    browser = page(wait="#token-form:not([hidden]) #token-title")
    assert browser.text("#token-title") == "attlsd asks for a token" and browser.focus() == "#token" and not browser.shown("main")
    browser.type("wrong", Keys.ENTER)
    browser.wait_text("#token-title", "does not accept this token")
    asked = len(mock.world.requests)
    browser.type("grüß", Keys.ENTER)
    browser.wait("return document.getElementById('token').value === ''")
    assert len(mock.world.requests) == asked, "no header can carry it"
    browser.type("s3cret", Keys.ENTER)
    browser.wait(lambda: browser.shown("#summary"))
    assert not browser.shown("#token-form")
    browser.driver.refresh()
    browser.wait(lambda: browser.shown("#summary"), "this tab keeps it")
    mock.world.token = "another"
    browser.wait_text("#token-title", "does not accept this token")


@pytest.mark.parametrize("link", ["?token=s3cret", "#token=s3cret"])
def test_a_link_with_the_token(page, mock, link):
    mock.world.token = "s3cret"
    browser = page(link)
    assert browser.js("return location.href") == mock.url, "it must not stay in the address"
    assert browser.js("return sessionStorage.getItem('token')") == "s3cret" and browser.js("return localStorage.length") == 0
    assert not any("token" in path for path in mock.world.requests[1:])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_themes(page, mock, theme):
    page_mock.busy(mock.world)
    mock.world.sessions[0].update(user="a\u202eb", age=99999)
    browser = page()
    browser.media(prefers_color_scheme=theme)
    assert browser.js("return getComputedStyle(document.body).colorScheme") == theme
    browser.js("document.querySelectorAll('details').forEach((each) => each.open = true); document.querySelector('button.open').click()")
    browser.js("document.getElementById('stale').hidden = false; document.getElementById('token-form').hidden = false")
    result = browser.js(CONTRAST)
    assert result["seen"] > 300 and not result["bad"], result
    # the choice of the operator wins over the system's, and stays
    other = {"light": "dark", "dark": "light"}[theme]
    browser.js("const e = document.getElementById('theme'); e.value = arguments[0]; e.dispatchEvent(new Event('change'))", other)
    assert browser.js("return getComputedStyle(document.body).colorScheme") == other
    browser.driver.refresh()
    browser.wait(lambda: browser.text("#summary"))
    assert browser.js("return getComputedStyle(document.body).colorScheme") == other
    assert browser.js("return document.getElementById('theme').value") == other


def test_a_phone(page, mock):
    page_mock.busy(mock.world)
    mock.world.sessions[0].update(user="W" * 4000, age=99999, transfer=transfer("RETR " + "W" * 4000))
    browser = page()
    browser.js("document.querySelectorAll('details').forEach((each) => each.open = true); document.querySelector('button.open').click()")
    assert_fits(browser, 360)
    small = browser.js("""return [...document.querySelectorAll("button, select, input, summary, nav a")].filter((each) => each.checkVisibility()).map((each) =>
        [each.getBoundingClientRect(), each]).filter(([box, each]) => (box.width < 24 || box.height < 24) && !each.matches(".cut, input[type=checkbox]"))
        .map(([box, each]) => `${box.width}x${box.height} ${each.outerHTML.slice(0, 80)}`)""")
    assert not small, "too small for a finger (WCAG 2.5.8)"


def test_keyboard_only(page, mock):
    page_mock.busy(mock.world)
    mock.world.sessions[0].update(user="W" * 100, age=99999)
    browser = page()
    browser.js("window.scrollTo(0, 0)")
    browser.type(Keys.TAB)
    assert browser.focus().startswith("a.skip")
    browser.type(Keys.ENTER)
    assert browser.focus() == "#main"
    browser.driver.refresh()
    browser.wait(lambda: rows(browser) == 25)
    seen, order = set(), []
    for _ in range(250):
        browser.type(Keys.TAB)
        here = browser.js("""const e = document.activeElement; if (e === document.body) return null;
            e.number ??= window.numbers = (window.numbers ?? 0) + 1; const style = getComputedStyle(e);
            return [e.number, e.checkVisibility(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, e.outerHTML.slice(0, 90)]""")
        if here is None:
            break
        number, visible, outlined, what = here
        assert visible and outlined, what
        assert number not in seen, f"a trap: {what} again"
        seen.add(number)
        order.append(what)
    else:
        raise AssertionError("the Tab key never leaves the page")
    joined = " ".join(order)
    for a, b in zip(["skip", "pause", "theme", "#hour", "filter", "sort", "button.open", "next"], ["pause", "theme", "#hour", "filter", "sort", "open", "next", "nothing"]):
        if a in joined and b in joined:
            assert joined.index(a) < joined.index(b), (a, b)
    # the details of a session, by keyboard, stay open and focused while the page changes
    browser.js("document.querySelector('button.open').focus()")
    browser.type(Keys.ENTER)
    assert browser.attribute("button.open", "aria-expanded") == "true" and browser.count("tr.details") == 1
    mock.world.sessions[0]["age"], mock.world.sessions[1]["age"] = 99999.0, 999999.0
    asked = len(mock.world.requests)
    browser.wait(lambda: len(mock.world.requests) > asked + 6)
    assert browser.js("return document.activeElement.matches('button.open[aria-expanded=true]')"), browser.focus()
    browser.type("/")
    assert browser.focus() == "#filter" and browser.js("return document.getElementById('filter').value") == ""
    browser.type("a/b")
    assert browser.js("return document.getElementById('filter').value") == "a/b", "in the field, it is a letter"


def test_a_screen_reader_hears_only_news(page, mock):
    page_mock.busy(mock.world)
    browser = page()
    assert "Serving" in browser.text("#announce")
    browser.js("window.said = []; new MutationObserver(() => said.push(announce.textContent)).observe(announce, { childList: true, characterData: true, subtree: true })")
    asked = len(mock.world.requests)
    for s in mock.world.sessions:
        s["age"] += 2
    browser.wait(lambda: len(mock.world.requests) > asked + 9)
    assert browser.js("return said") == [], "numbers that change are not news"
    mock.world.overview = {**mock.world.overview, "state": "draining"}
    browser.wait("return said.length > 0")
    assert browser.js("return said") == ["Draining: not ready, no new sessions. 4 things need attention."]
    live = browser.js("return [...document.querySelectorAll('[aria-live], [role=status], [role=alert], output')].map((each) => each.id)")
    assert live == ["announce"]


def test_media(page, mock):
    page_mock.busy(mock.world)
    browser = page()
    browser.media(prefers_reduced_motion="no-preference")
    assert browser.js("return getComputedStyle(document.documentElement).scrollBehavior") == "smooth"
    browser.media(prefers_reduced_motion="reduce")
    assert browser.js("return getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    browser.media("print", prefers_color_scheme="dark")
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not browser.shown(".top nav") and not browser.shown("#filter") and browser.shown("#session-table")


def test_axe(page, mock):
    """The checks of axe-core for WCAG 2.2 AA and best practices."""
    try:
        package = npm.package(*browsers.AXE)
    except npm.Unavailable as reason:
        pytest.skip(str(reason))
    page_mock.busy(mock.world, 12)
    browser = page()
    browser.js("document.querySelectorAll('details').forEach((each) => each.open = true); document.querySelector('button.open').click()")
    with open(package + "/axe.min.js", encoding="utf-8") as f:
        browser.cdp("Runtime.evaluate", expression=f.read())
    found = browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then((r) => done(r.violations.map((v) => "
        "[v.id, v.help, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120))])))")
    assert found == []

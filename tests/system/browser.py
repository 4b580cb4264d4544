"""
A headless Chromium with one page, as a person at the keyboard has it. It keeps what the page must not do: messages
on the console, violations of the content security policy, requests to other hosts.
"""
import base64
import json
import os
import shutil
import time
import urllib.parse

import net

try:
    from selenium import webdriver
    from selenium.common import exceptions
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = Keys = None

AXE = ("axe-core", "4.10.2")  # finds what WCAG forbids

# Before the page's own scripts: its waits for the next question become short, but not its patience with an answer, and
# what it waited is kept.
EARLY = """
window.seen = { violations: [], waits: [], errors: [], slow: false, long: false };
addEventListener("securitypolicyviolation", (event) => seen.violations.push(event.violatedDirective + " " + event.blockedURI));
addEventListener("error", (event) => seen.errors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => seen.errors.push(String(event.reason)));
const wait = window.setTimeout;
window.setTimeout = (what, ms, ...more) => {
	seen.waits.push(ms);
	seen.long ||= seen.slow && ms === 30000;
	return wait(what, ms >= 1000 && ms !== 7000 && !seen.slow ? 60 : ms, ...more);
};
"""


def why_not():
    """Why this machine has no browser; None if it has one."""
    if webdriver is None:
        return "needs Selenium (python3-selenium)"
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if not shutil.which(program):
            return f"needs {program} ({package})"
    return None


class Browser:
    def __init__(self, folder, early=EARLY):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "disable-extensions", "no-first-run", "disable-background-networking",
                         "disable-component-update", "disable-sync", "force-color-profile=srgb", "hide-scrollbars", f"user-data-dir={folder}/profile",
                         *(["no-sandbox"] if os.getuid() == 0 else [])):
            options.add_argument("--" + argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=early)
        self.requests = []

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def screen(self, width=1280, height=900, scale=1):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 500)

    def media(self, kind="", **features):
        """media("print"), media(prefers_color_scheme="dark")"""
        features = {"prefers_reduced_motion": "reduce", **features}
        self.cdp("Emulation.setEmulatedMedia", media=kind,
                 features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def open(self, url, zone="UTC"):
        """A new page: nothing stored, no messages, a wide and light screen."""
        self.driver.get("about:blank")
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
        self.cdp("Storage.clearDataForOrigin", origin=origin, storageTypes="all")
        self.cdp("Emulation.setTimezoneOverride", timezoneId=zone)
        self.screen()
        self.media(prefers_color_scheme="light")
        self.messages()
        self.network()
        self.driver.get(url)
        return self

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        """What a person reads there; None if there is no such thing."""
        return self.js("return document.querySelector(arguments[0])?.innerText ?? null", selector)

    def texts(self, selector):
        return self.js("return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)", selector)

    def count(self, selector):
        return self.js("return document.querySelectorAll(arguments[0]).length", selector)

    def attribute(self, selector, name):
        return self.js("return document.querySelector(arguments[0])?.getAttribute(arguments[1])", selector, name)

    def shown(self, selector):
        return self.js("return document.querySelector(arguments[0])?.checkVisibility() ?? false", selector)

    def click(self, selector):
        element = self.driver.find_element("css selector", selector)
        self.js("arguments[0].scrollIntoView({ block: 'center' })", element)
        element.click()

    def type(self, *keys):
        """To whatever has the focus."""
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def focus(self):
        """What has the focus, as a selector of the page's own."""
        return self.js("const e = document.activeElement; return e === document.body ? 'body' : e.id ? '#' + e.id : "
                       "e.tagName.toLowerCase() + (e.className ? '.' + e.className.replaceAll(' ', '.') : '') + ':' + e.textContent.slice(0, 30)")

    def wait(self, check, what="the page"):
        """Until check(), or a script that begins with return, says yes."""
        end = time.monotonic() + net.DEADLINE
        while True:
            try:
                value = self.js(check) if isinstance(check, str) else check()
                if value:
                    return value
            except exceptions.JavascriptException:
                value = None
            assert time.monotonic() < end, f"{what}: still {value!r}; the page:\n{self.text('body')[:3000]}"
            time.sleep(0.02)

    def wait_text(self, selector, text):
        self.wait(lambda: text in (self.text(selector) or ""), f"{text!r} in {selector}")

    def messages(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def network(self):
        """The addresses that the page has asked for since the last call."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def assert_clean(self, origin, refused=()):
        """No message, no violation, no request elsewhere. `refused`: what the server was told to answer."""
        messages = [text for text in self.messages() if not any(word in text for word in refused)]
        assert not messages, messages
        assert self.js("return seen.violations") == [] and self.js("return seen.errors") == []
        elsewhere = [url for url in self.network() if not url.startswith((origin, "data:", "about:"))]
        assert not elsewhere, elsewhere

    def screenshot(self, path, **clip):
        """The part {x, y, width, height} of the page, in pixels of the page."""
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={"x": 0, "y": 0, "scale": 1, **clip})
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def close(self):
        self.driver.quit()

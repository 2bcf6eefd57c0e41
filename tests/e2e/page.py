"""The example's page in Debian's Chromium, driven by WebDriver as a user would: by clicks and keys."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from appwrite.id import ID

PATIENCE_S = 30


class Page:
    """A tab. Whatever it waits for comes within `PATIENCE_S`, or the test fails with what was there instead."""

    def __init__(self, driver: "WebDriver", url: str) -> None:  # noqa: F821 imported where there is a browser
        self._driver = driver
        self._url = url

    def visit(self, host: str = "127.0.0.1") -> None:
        """Open the page as one who has never been there; the address is one of this machine."""
        url = urlsplit(self._url)
        self._driver.get(url._replace(netloc=f"{host}:{url.port}").geturl())
        self._driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        self._driver.execute_script("localStorage.clear()")
        self._driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.reload()
        self.shows("#guest h2", "Sign in")

    def reload(self) -> None:
        self._driver.refresh()

    def follow(self, link: str) -> None:
        self._driver.get(link)

    def sign_up(self, name: str, email: str = "") -> None:
        if self._text("#sign-in button") == "Sign in":
            self.click("#other")
        email = email or f"{ID.unique()}@example.org"
        self.fill("#sign-in", name=name, email=email, password="correct horse battery")
        self.shows("#who", name)

    def fill(self, form: str, **fields: str) -> None:
        """Type into the fields of a form, and press its button."""
        for name, text in fields.items():
            field = self._find(f"{form} [name={name}]")
            field.clear()
            field.send_keys(text)
        self.click(f"{form} button")

    def choose(self, selector: str, text: str) -> None:
        from selenium.webdriver.support.ui import Select  # noqa: PLC0415 as below

        Select(self._find(selector)).select_by_visible_text(text)

    def click(self, selector: str) -> None:
        self._find(selector).click()

    def shows(self, selector: str, text: str) -> None:
        """Wait until the first element that a selector chooses shows a text, or nothing if that is empty."""
        from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415 as below

        def is_there(_: object) -> bool:
            shown = self._text(selector)
            return text in shown if text else not shown

        WebDriverWait(self._driver, PATIENCE_S, 0.02).until(is_there, f"{selector} does not show {text!r}")

    def _find(self, selector: str) -> "WebElement":  # noqa: F821 as above
        return self._driver.find_element("css selector", selector)

    def _text(self, selector: str) -> str:
        """The text as it is at one moment: the page replaces its elements."""
        script = "return document.querySelector(arguments[0])?.innerText.trim().replace(/\\n+/g, '\\n') ?? ''"
        return str(self._driver.execute_script(script, selector))


@contextlib.contextmanager
def open_page(url: str) -> Iterator[Page]:
    """Start Chromium; skip where it, or its driver, is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium or its driver is missing (on Debian: apt install chromium chromium-driver)")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService  # noqa: PLC0415 few runs need it

    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--disable-dev-shm-usage", "--window-size=900,1000"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # as root, Chromium has none
    with Chrome(options, ChromeService(driver)) as browser:
        yield Page(browser, url)

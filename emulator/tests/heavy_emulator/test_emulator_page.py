"""The page at `/`, in Chromium as a person uses it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from acs_identity_emulator import IdentityEmulator

from ..conftest import Send


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with Chrome(options, ChromeService("/usr/bin/chromedriver")) as browser:
        yield browser


@pytest.fixture
def page(browser: Chrome, emulator: IdentityEmulator) -> Chrome:
    emulator.reset()
    log_of(browser)  # forgets what earlier tests have logged
    browser.get(emulator.endpoint)
    return browser


def log_of(browser: Chrome) -> list[dict[str, str]]:
    """What the browser has logged since the last call."""
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return entries


def soon(browser: Chrome, condition: Callable[[], object]) -> None:
    WebDriverWait(browser, 20, 0.1).until(lambda _: condition())


def text_of(browser: Chrome, selector: str = "body") -> str:
    # In one step, because the page replaces its elements.
    script = "return document.querySelector(arguments[0]).innerText"
    return str(browser.execute_script(script, selector))


def test_renews_itself(page: Chrome, emulator: IdentityEmulator, send: Send) -> None:
    assert "Calls (0)" in text_of(page)
    user = send("POST", "/identities").json["identity"]["id"]
    soon(page, lambda: "Calls (1)" in text_of(page))
    assert text_of(page).count(user) == 2


def test_connection_strings_on_request(page: Chrome, emulator: IdentityEmulator) -> None:
    assert emulator.access_key not in page.page_source
    page.find_element(By.ID, "reveal").click()
    soon(page, lambda: emulator.connection_string in text_of(page, "#strings"))


def test_actions(page: Chrome, emulator: IdentityEmulator, send: Send) -> None:
    clock, lifetime, faults, reset = page.find_elements(By.CSS_SELECTOR, "form button")
    clock.click()
    soon(page, lambda: "advanced by 1:00:00" in text_of(page))
    field = page.find_element(By.NAME, "tokenLifetimeSeconds")
    field.send_keys("90")
    lifetime.click()
    soon(page, lambda: emulator.token_lifetime == timedelta(seconds=90))
    faults.click()
    soon(page, lambda: "status:429" in text_of(page, "#live"))
    assert send("POST", "/identities").status == 429
    reset.click()
    soon(page, lambda: "Calls (0)" in text_of(page))
    assert emulator.token_lifetime is None


def test_mistakes_are_told(page: Chrome) -> None:
    field = page.find_element(By.NAME, "fault")
    field.clear()
    field.send_keys("flood")
    page.find_elements(By.CSS_SELECTOR, "form button")[2].click()
    soon(page, lambda: "fault must be one of those listed" in text_of(page, "#message"))


def test_nothing_is_blocked_or_fails(page: Chrome, emulator: IdentityEmulator) -> None:
    page.find_element(By.CSS_SELECTOR, "form button").click()
    soon(page, lambda: "advanced by 1:00:00" in text_of(page))
    problems = [entry for entry in log_of(page) if "favicon" not in entry["message"]]
    assert problems == []


def test_every_field_has_a_label(page: Chrome) -> None:
    for field in page.find_elements(By.CSS_SELECTOR, "input, select"):
        assert field.accessible_name

"""The page at `/`, in Chromium as a person uses it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from acs_identity_emulator import IdentityEmulator


@pytest.fixture(scope="module")
def url(_emulator: IdentityEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A program of the service with the development login."""
    database = tmp_path_factory.mktemp("page") / "people.db"
    environment = {
        **os.environ,
        "ACS_TOKEN_RESOURCE_CONNECTION_STRING": _emulator.connection_string,
        "ACS_TOKEN_DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "ACS_TOKEN_DEVELOPMENT_LOGIN": "true",
        "ACS_TOKEN_LOCAL_SECONDS": "0",
        "ACS_TOKEN_PERSON_ISSUE_RATE": "1000/minute",
    }
    command = [sys.executable, "-m", "acs_token_service", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with Chrome(options, ChromeService("/usr/bin/chromedriver")) as browser:
        yield browser


@pytest.fixture
def page(browser: Chrome, url: str, emulator: IdentityEmulator) -> Chrome:
    emulator.token_lifetime = None
    log_of(browser)  # forgets what earlier tests have logged
    browser.get(url)
    return browser


def log_of(browser: Chrome) -> list[dict[str, str]]:
    """What the browser has logged since the last call."""
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return entries


def soon(browser: Chrome, condition: Callable[[], object]) -> None:
    WebDriverWait(browser, 30, 0.1).until(lambda _: condition())


def text_of(browser: Chrome, name: str) -> str:
    return str(
        browser.execute_script("return document.getElementById(arguments[0]).innerText", name)
    )


def said(browser: Chrome, words: str) -> None:
    soon(browser, lambda: words in text_of(browser, "message"))


def press(browser: Chrome, name: str) -> None:
    browser.find_element(By.ID, name).click()


def sign_in(page: Chrome, name: str) -> None:
    field = page.find_element(By.NAME, "name")
    field.clear()
    field.send_keys(name)
    press(page, "do-signin")
    said(page, f"Signed in as {name}.")


def get_token(page: Chrome, name: str) -> str:
    sign_in(page, name)
    press(page, "do-get")
    said(page, "A new token.")
    return str(page.execute_script("return document.getElementById('token').textContent"))


def seconds_left(page: Chrome) -> int:
    hours, _, minutes, _, seconds, _ = text_of(page, "left").split()
    return (int(hours) * 60 + int(minutes)) * 60 + int(seconds)


def test_a_token_with_its_scopes_and_the_time_that_is_left(
    page: Chrome, emulator: IdentityEmulator
) -> None:
    token = get_token(page, "grace")
    assert emulator.is_token_valid(token)
    assert text_of(page, "person") == "grace"
    assert text_of(page, "identity").startswith("8:acs:")
    assert text_of(page, "scopes") == "chat, voip"
    assert text_of(page, "state") == "valid"
    left = seconds_left(page)
    assert 86_000 < left <= 86_400
    soon(page, lambda: seconds_left(page) <= left - 2)


def test_chosen_scopes(page: Chrome) -> None:
    sign_in(page, "chooser")
    page.find_element(By.CSS_SELECTOR, "[value=voip]").click()
    press(page, "do-get")
    said(page, "A new token.")
    assert text_of(page, "scopes") == "voip"


def test_a_guest_may_join_only(page: Chrome) -> None:
    page.find_element(By.NAME, "guest").click()
    get_token(page, "visitor")
    assert text_of(page, "scopes") == "chat.join, voip.join"
    page.find_element(By.CSS_SELECTOR, "[value=chat]").click()
    press(page, "do-get")
    said(page, "Refused: 403 ScopeNotAllowed")


def test_refresh(page: Chrome, emulator: IdentityEmulator) -> None:
    get_token(page, "refresher")
    press(page, "refresh")
    said(page, "The token of before")
    emulator.token_lifetime = timedelta(seconds=3)
    get_token(page, "hasty")
    soon(page, lambda: text_of(page, "state") == "expired")
    assert seconds_left(page) == 0
    press(page, "refresh")
    said(page, "A new token.")


def test_a_revoked_token_is_refused(page: Chrome, emulator: IdentityEmulator) -> None:
    token = get_token(page, "leaver")
    press(page, "revoke")
    said(page, "Revoked.")
    assert text_of(page, "state") == "revoked"
    assert not emulator.is_token_valid(token)
    press(page, "refresh")
    said(page, "Refused: 401 SignedOut")
    assert text_of(page, "state") == "revoked"
    assert page.execute_script("return document.getElementById('token').textContent") == token


def test_deletion(page: Chrome, emulator: IdentityEmulator) -> None:
    token = get_token(page, "departing")
    identity = text_of(page, "identity")
    press(page, "delete")
    said(page, "Deleted")
    assert identity not in [each.id for each in emulator.identities()]
    assert not emulator.is_token_valid(token)


def test_by_keyboard_alone(page: Chrome) -> None:
    def focused() -> str:
        element = page.switch_to.active_element
        return str(element.get_attribute("id") or element.get_attribute("name"))

    def send(key: str) -> None:
        page.switch_to.active_element.send_keys(key)

    def go_to(name: str) -> None:
        for _ in range(30):
            if focused() == name:
                return
            send(Keys.TAB)
        raise AssertionError(f"Tab does not reach {name}")

    go_to("name")
    send(Keys.ENTER)
    soon(page, lambda: focused() == "do-get")
    send(Keys.ENTER)
    soon(page, lambda: text_of(page, "state") == "valid")
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert page.execute_script(outline) == "solid"
    go_to("revoke")
    send(Keys.SPACE)
    soon(page, lambda: text_of(page, "state") == "revoked")
    go_to("refresh")
    send(Keys.ENTER)
    said(page, "Refused: 401 SignedOut")


def test_a_name_is_text_and_no_markup(page: Chrome) -> None:
    name = "<img src=x onerror=alert(1)>"
    get_token(page, name)
    assert text_of(page, "person") == name
    assert page.find_elements(By.CSS_SELECTOR, "img") == []


def test_nothing_is_blocked_or_fails(page: Chrome) -> None:
    get_token(page, "quiet")
    press(page, "refresh")
    said(page, "The token of before")
    assert log_of(page) == []


def test_scripts_of_others_do_not_run(page: Chrome) -> None:
    page.execute_script(
        "const link = document.createElement('a');"
        "link.href = 'javascript:document.title = 1'; document.body.append(link); link.click();"
    )
    soon(page, lambda: any("Content Security Policy" in each["message"] for each in log_of(page)))
    assert page.title == "acs-token-service"


def test_the_nonce_is_another_each_time(page: Chrome) -> None:
    first = page.page_source
    page.refresh()
    nonce = "return document.querySelector('script').nonce"
    second = page.execute_script(nonce)
    page.refresh()
    assert second
    assert page.execute_script(nonce) != second
    assert "8:acs:" not in first


def test_every_field_and_button_has_a_name(page: Chrome) -> None:
    get_token(page, "listener")
    for field in page.find_elements(By.CSS_SELECTOR, "input, button, progress"):
        assert field.accessible_name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_in_dark_and_light(page: Chrome, scheme: str) -> None:
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    get_token(page, f"in-{scheme}")
    colours = page.execute_script(_COLOURS)
    background, *texts = colours
    assert (luminance(background) > 0.5) == (scheme == "light")
    for text in texts:
        lighter, darker = sorted((luminance(text), luminance(background)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, background)
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.set_window_size(900, 1100)
        page.save_screenshot(str(Path(folder, f"token-service-{scheme}.png")))


# What the canvas shows, and the colours of text, as bytes: CSS writes them in many ways.
_COLOURS = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const probe = document.createElement('i');
document.body.append(probe);
return ['Canvas', 'CanvasText', 'var(--good)', 'var(--bad)', 'var(--accent)'].map((colour) => {
  probe.style.color = colour;
  canvas.fillStyle = getComputedStyle(probe).color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
});
"""


def luminance(colour: list[int]) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [part / 255 for part in colour]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

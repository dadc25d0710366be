"""The JavaScript SDK in a page of another origin, in Chromium, over https.

Needs npm and packages from its registry, Chromium with its driver, and certutil (libnss3-tools).
"""

import http.server
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Iterator
from functools import partial

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from acs_identity_emulator import IdentityEmulator

PACKAGES = ("@azure/communication-common@2", "@azure/communication-identity@1.3", "esbuild@0.25")
CREDENTIAL = """
import { AzureCommunicationTokenCredential } from "@azure/communication-common";

window.exchanged = async (resourceEndpoint, scope, entraToken) => {
  const credential = new AzureCommunicationTokenCredential({
    resourceEndpoint,
    scopes: [scope],
    tokenCredential: {
      getToken: async () => ({ token: entraToken, expiresOnTimestamp: Date.now() + 3600000 }),
    },
  });
  return (await credential.getToken()).token;
};
"""
CLIENTS_SCOPE = "https://communication.azure.com/clients/.default"
TEAMS_SCOPE = "https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"
NEEDED = ("npm", "node", "chromium", "chromedriver", "certutil")

pytestmark = [
    pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")
    for program in NEEDED
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(tls=True, open_exchange=True) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a page with the SDK, as a bundler makes it."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    (folder / "credential.mjs").write_text(CREDENTIAL, encoding="utf-8")
    npm = ["npm", "install", "--silent", "--no-fund", "--no-audit"]
    subprocess.run([*npm, *PACKAGES], cwd=folder, check=True, timeout=300)
    bundle = ["node_modules/.bin/esbuild", "credential.mjs", "--bundle", "--log-level=error"]
    subprocess.run([*bundle, "--outfile=bundle.js"], cwd=folder, check=True, timeout=300)
    (folder / "index.html").write_text('<script src="bundle.js"></script>', encoding="utf-8")
    handler = partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser(
    tmp_path_factory: pytest.TempPathFactory, emulator: IdentityEmulator, page: str
) -> Iterator[Chrome]:
    """Chromium, which trusts the authority as a user lets it, with the page open."""
    home = tmp_path_factory.mktemp("home")
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{database}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    trust = ["-A", "-n", "acs-identity-emulator", "-t", "C,,", "-i", emulator.ca_file]
    subprocess.run([*certutil, *trust], check=True)
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    service = ChromeService(
        str(shutil.which("chromedriver")), env={**os.environ, "HOME": str(home)}
    )
    with Chrome(options, service) as browser:
        browser.set_script_timeout(30)
        browser.get(page)
        yield browser


def entra_token(emulator: IdentityEmulator, scope: str) -> str:
    return emulator.issue_entra_token(
        user_object_id=str(uuid.uuid4()), client_id=str(uuid.uuid4()), scopes=[scope]
    )


def run(browser: Chrome, expression: str, *arguments: str) -> object:
    """The value of a promise of the page, or the reason of its rejection."""
    script = f"""
        const [...args] = arguments; const done = args.pop();
        ({expression}).then(done, (error) => done("failed: " + error));
    """
    return browser.execute_async_script(script, *arguments)


@pytest.mark.parametrize("scope", [CLIENTS_SCOPE, TEAMS_SCOPE])
@pytest.mark.parametrize("final_slash", [True, False])
def test_the_credential_of_the_sdk(
    browser: Chrome, emulator: IdentityEmulator, scope: str, final_slash: bool
) -> None:
    endpoint = emulator.endpoint if final_slash else emulator.endpoint.rstrip("/")
    token = run(browser, "window.exchanged(...args)", endpoint, scope, entra_token(emulator, scope))
    assert isinstance(token, str)
    assert emulator.is_token_valid(token), token


def test_a_page_of_another_origin_reads_the_errors_of_the_service(
    browser: Chrome, emulator: IdentityEmulator
) -> None:
    expression = "fetch(args[0], {method: 'POST'}).then((r) => r.json())"
    answer = run(browser, expression, f"{emulator.endpoint}identities?api-version=2025-06-30")
    assert isinstance(answer, dict)
    assert answer["error"]["code"] == "Denied"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_of_another_origin_cannot_use_the_own_paths(
    browser: Chrome, emulator: IdentityEmulator, method: str
) -> None:
    expression = "fetch(args[0], {method: args[1]}).then((r) => r.text())"
    answer = run(browser, expression, f"{emulator.endpoint}.emulator/faults", method)
    assert answer == "failed: TypeError: Failed to fetch"

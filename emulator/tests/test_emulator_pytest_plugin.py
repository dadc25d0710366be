"""The plugin, run as its users run it: pytest inside pytest, by its entry point."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

# The pytest inside runs in this process, where the package is imported already.
IMPORTED = "ignore:Module already imported so cannot be rewritten"

CALL = """
import base64
import email.utils
import hashlib
import hmac
import urllib.error
import urllib.request


def status(emulator):
    host = emulator.endpoint.split("/")[2]
    date = email.utils.formatdate(usegmt=True)
    content_hash = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    target = "/identities?api-version=2025-06-30"
    text = f"POST\\n{target}\\n{date};{host};{content_hash}".encode()
    key = base64.b64decode(emulator.access_key)
    signature = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    signed = "x-ms-date;host;x-ms-content-sha256"
    headers = {
        "x-ms-date": date,
        "x-ms-content-sha256": content_hash,
        "Authorization": f"HMAC-SHA256 SignedHeaders={signed}&Signature={signature}",
    }
    request = urllib.request.Request(f"http://{host}{target}", None, headers, method="POST")
    try:
        with urllib.request.urlopen(request) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.status
"""


def test_entry_point() -> None:
    (found,) = entry_points(group="pytest11", name="acs_identity_emulator")
    assert found.value == "acs_identity_emulator.pytest_plugin"


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makepyfile(CALL + source)
    options = ("-p", "acs_identity_emulator", "--strict-markers", "-W", "error", "-W", IMPORTED)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)


def test_fixtures(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_one(acs_identity_emulator, acs_identity_connection_string):
    assert acs_identity_connection_string == acs_identity_emulator.connection_string
    assert status(acs_identity_emulator) == 201

def test_other(acs_identity_connection_string):
    assert acs_identity_connection_string.startswith("endpoint=http://127.0.0.1:")
""",
    )
    result.assert_outcomes(passed=2)


def test_one_a_session_and_empty_for_each_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

seen = set()

@pytest.mark.parametrize("number", range(3))
def test_empty(acs_identity_emulator, number):
    seen.add(acs_identity_emulator.endpoint)
    assert len(seen) == 1
    assert acs_identity_emulator.identities() == []
    assert status(acs_identity_emulator) == 201
    assert len(acs_identity_emulator.identities()) == 1
""",
    )
    result.assert_outcomes(passed=3)


def test_marker(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

@pytest.mark.acs_identity_fault("create", "status:500", times=2)
@pytest.mark.acs_identity_fault("create", "status:503")
def test_faults(acs_identity_emulator):
    assert [status(acs_identity_emulator) for _ in range(4)] == [500, 500, 503, 201]

@pytest.mark.acs_identity_fault("create", "html", times=2)
def test_used_once(acs_identity_emulator):
    assert status(acs_identity_emulator) == 503

def test_none_is_left(acs_identity_emulator):
    assert status(acs_identity_emulator) == 201
""",
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            '@pytest.mark.acs_identity_fault("create", "html")\ndef test(): pass',
            "is for tests that use acs_identity_emulator",
        ),
        (
            '@pytest.mark.acs_identity_fault("create", "flood")\n'
            "def test(acs_identity_emulator): pass",
            "fault must be one of those listed, not 'flood'",
        ),
    ],
)
def test_marker_refused(pytester: pytest.Pytester, source: str, message: str) -> None:
    result = run(pytester, f"import pytest\n\n{source}\n")
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()


def test_options_may_be_overridden(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

@pytest.fixture(scope="session")
def acs_identity_emulator_options():
    return {"tls": True}

def test_tls(acs_identity_emulator):
    assert acs_identity_emulator.endpoint.startswith("https://")
""",
    )
    result.assert_outcomes(passed=1)


def test_clients_trust_it_for_the_session(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    result = run(
        pytester,
        """
import os, subprocess, sys

CODE = '''
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1])
except urllib.error.HTTPError as error:
    print(error.code)
'''

def test_https(acs_identity_emulator):
    url = acs_identity_emulator.endpoint.replace("http:", "https:")
    done = subprocess.run([sys.executable, "-c", CODE, url], check=True, capture_output=True)
    assert done.stdout.strip() == b"401"
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert os.path.exists(os.environ[name])
""",
    )
    result.assert_outcomes(passed=1)
    assert os.environ["SSL_CERT_FILE"] == ""
    assert "NODE_EXTRA_CA_CERTS" not in os.environ


def test_a_fault_that_no_request_got_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

@pytest.mark.acs_identity_fault("create", "html")
def test_marked(acs_identity_emulator):
    pass

def test_injected(acs_identity_emulator):
    acs_identity_emulator.inject("issue", "reset")

def test_of_the_factory(acs_identity_emulator_factory):
    acs_identity_emulator_factory().inject("delete", "reset")
    stopped = acs_identity_emulator_factory()
    stopped.inject("revoke", "reset")
    stopped.stop()

@pytest.mark.acs_identity_fault("create", "html")
def test_that_fails_anyway(acs_identity_emulator):
    raise OSError("its own")
""",
    )
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "no request got these faults of the emulator: create=html",
            "no request got these faults of the emulator: issue=reset",
            "no request got these faults of the emulator: delete=reset",
            "*OSError: its own",
        ]
    )


@pytest.mark.parametrize("mark", ["@pytest.mark.acs_identity_emulator_keep", ""])
def test_a_fault_that_no_request_got_while_the_state_is_kept(
    pytester: pytest.Pytester, mark: str
) -> None:
    if not mark:
        pytester.makeini("[pytest]\nacs_identity_emulator_keep = true\n")
    source = """
import pytest

def test_empty(acs_identity_emulator):
    assert status(acs_identity_emulator) == 201

MARK
@pytest.mark.acs_identity_fault("create", "html")
def test_marked(acs_identity_emulator):
    pass

MARK
def test_after_marked(acs_identity_emulator):
    assert status(acs_identity_emulator) == 201
    acs_identity_emulator.inject("create", "reset")

MARK
@pytest.mark.acs_identity_fault("create", "status:500")
def test_that_fails_anyway(acs_identity_emulator):
    raise OSError("its own")

@pytest.fixture(scope="module")
def prepared(acs_identity_emulator):
    acs_identity_emulator.inject("create", "status:400")

MARK
@pytest.mark.acs_identity_fault("create", "status:500")
def test_used(prepared, acs_identity_emulator):
    assert acs_identity_emulator.unused_faults()[0].fault == "status:400"
    assert [status(acs_identity_emulator) for _ in range(2)] == [400, 500]
    assert len(acs_identity_emulator.identities()) == 2

@pytest.fixture(scope="module")
def prepared_for_later(acs_identity_emulator):
    acs_identity_emulator.inject("create", "status:400")

MARK
def test_earlier(prepared_for_later, acs_identity_emulator):
    pass

MARK
def test_later(acs_identity_emulator):
    assert [status(acs_identity_emulator) for _ in range(2)] == [400, 201]
"""
    result = run(pytester, source.replace("MARK", mark))
    result.assert_outcomes(passed=4, failed=3)
    result.stdout.fnmatch_lines(
        [
            "no request got these faults of the emulator: create=html",
            "no request got these faults of the emulator: create=reset",
            "*OSError: its own",
        ]
    )


def test_empty_for_tests_that_ask_for_it_by_name(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_empty(request, number):
    emulator = request.getfixturevalue("acs_identity_emulator")
    assert emulator.identities() == []
    assert status(emulator) == 201
""",
    )
    result.assert_outcomes(passed=3)


KEEPING = """
import pytest

class TestStory:
    {marker}
    @pytest.mark.parametrize("number", range(3))
    def test_step(self, acs_identity_emulator, number):
        assert len(acs_identity_emulator.identities()) == number
        assert status(acs_identity_emulator) == 201
"""


def test_a_rotated_key_is_put_back(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

keys = []

@pytest.mark.parametrize("slot", ["primary", "secondary"])
def test_rotates(acs_identity_emulator, acs_identity_connection_string, slot):
    emulator = acs_identity_emulator
    assert acs_identity_connection_string == emulator.connection_string
    keys.append(emulator.secondary_key)
    emulator.rotate_key(slot)
    assert status(emulator) == 201

@pytest.mark.acs_identity_emulator_keep
def test_keeps(acs_identity_emulator):
    assert len(acs_identity_emulator.identities()) == 1
    assert acs_identity_emulator.secondary_key not in keys

def test_next(acs_identity_emulator, acs_identity_connection_string):
    assert acs_identity_connection_string == acs_identity_emulator.connection_string
    assert {acs_identity_emulator.secondary_key} == set(keys)
    assert status(acs_identity_emulator) == 201
""",
    )
    result.assert_outcomes(passed=4)


def test_keeps_its_state_between_marked_tests(pytester: pytest.Pytester) -> None:
    result = run(pytester, KEEPING.format(marker="@pytest.mark.acs_identity_emulator_keep"))
    result.assert_outcomes(passed=3)


def test_keeps_its_state_by_configuration(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nacs_identity_emulator_keep = true\n")
    result = run(pytester, KEEPING.format(marker=""))
    result.assert_outcomes(passed=3)


def test_factory_and_session_fixtures(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import pytest

stopped = []

@pytest.fixture(scope="session")
def app(acs_identity_connection_string):
    return acs_identity_connection_string

def test_two(acs_identity_emulator_factory, acs_identity_emulator, app):
    first = acs_identity_emulator_factory()
    second = acs_identity_emulator_factory(throttle=True)
    assert app == acs_identity_emulator.connection_string
    assert len({first.resource_id, second.resource_id, acs_identity_emulator.resource_id}) == 3
    assert status(first) == 201
    assert second.identities() == []
    stopped.append(first)

def test_they_stop():
    with pytest.raises(RuntimeError, match="stopped"):
        stopped[0].endpoint
""",
    )
    result.assert_outcomes(passed=2)


def test_ports_and_files_are_those_of_the_session(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
import os, socket
import pytest

@pytest.fixture(scope="session")
def acs_identity_emulator_options():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    port, identity_port = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    files = {"database": "a.db", "ca_file": "a.pem"}
    return {"port": port, "identity_port": identity_port, "tls": True, **files}

def test_two(acs_identity_emulator, acs_identity_emulator_factory):
    further = acs_identity_emulator_factory()
    chosen = acs_identity_emulator_factory(ca_file="b.pem")
    assert acs_identity_emulator.ca_file == os.path.abspath("a.pem")
    assert os.path.dirname(further.ca_file) != os.getcwd()
    assert chosen.ca_file == os.path.abspath("b.pem")
    for emulator in (further, chosen):
        assert emulator.endpoint.startswith("https:")
        assert emulator.endpoint != acs_identity_emulator.endpoint
        assert emulator.resource_id != acs_identity_emulator.resource_id
        endpoint = emulator.managed_identity_environment["IDENTITY_ENDPOINT"]
        assert endpoint.startswith(emulator.endpoint.replace("https:", "http:"))
""",
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("fixtures", ["", "acs_identity_emulator, "])
def test_clients_trust_the_emulators_of_the_factory(
    pytester: pytest.Pytester, fixtures: str
) -> None:
    result = run(
        pytester,
        f"""
import os, ssl

NAMES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
seen = {{}}

def test_before({fixtures}request):
    seen["before"] = [os.environ.get(name) for name in NAMES]

def test_https({fixtures}acs_identity_emulator_factory):
    emulators = [acs_identity_emulator_factory(tls=True) for _ in range(2)]
    for emulator in [*emulators, *({fixtures})]:
        url = emulator.endpoint.replace("http:", "https:") + ".emulator/health"
        with urllib.request.urlopen(url, context=ssl.create_default_context()) as response:
            assert response.status == 200
    assert {{os.environ[name] for name in NAMES}} == {{emulators[-1].ca_bundle}}

def test_after():
    assert [os.environ.get(name) for name in NAMES] == seen["before"]
""",
    )
    result.assert_outcomes(passed=3)


def test_marker_is_described(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("-p", "acs_identity_emulator", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.acs_identity_fault(operation, fault, times=1): *"])


@pytest.mark.heavy
def test_unused_it_imports_nothing_and_takes_no_time() -> None:
    """Under 10 ms after the import of pytest; the best of five, as other programs may run."""
    code = (
        "import pytest, sys, time; before = set(sys.modules); started = time.perf_counter();"
        "import acs_identity_emulator.pytest_plugin;"
        "print(time.perf_counter() - started, *sorted(set(sys.modules) - before))"
    )
    seconds = []
    for _ in range(5):
        output = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
        seconds.append(float(output[0]))
        modules = [f"acs_identity_emulator{name}" for name in ("", "._version", ".pytest_plugin")]
        assert output[1:] == modules
    assert min(seconds) < 0.010


@pytest.mark.heavy
def test_the_package_alone_is_as_cheap(tmp_path: Path) -> None:
    code = (
        "import acs_identity_emulator, sys;"
        "assert not {'cryptography', 'httptools', 'jwt'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)

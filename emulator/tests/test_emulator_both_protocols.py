"""One port takes http and https, and the certificate authority counts for this machine only."""

import asyncio
import contextlib
import ipaddress
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import certifi
import pytest
from azure.core.exceptions import AzureError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.state.store import Store
from azure.communication.identity import CommunicationIdentityClient

from .conftest import connect

Send = Callable[..., SimpleNamespace]
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
BEGIN = b"-----BEGIN CERTIFICATE-----"


def status(emulator: IdentityEmulator, scheme: str) -> int:
    """The status of an unsigned request over http or https."""
    _, _, authority = emulator.endpoint.partition("://")
    with connect(f"{scheme}://{authority}", emulator.ca_file) as connection:
        connection.sendall(b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        return int(connection.recv(12).split()[1])


@pytest.mark.parametrize("tls", [False, True])
def test_both_protocols_on_one_port(tls: bool) -> None:
    with IdentityEmulator(tls=tls) as emulator:
        assert emulator.endpoint.startswith("https:" if tls else "http:")
        assert [status(emulator, scheme) for scheme in ("http", "https", "http")] == [401] * 3


async def test_both_protocols_in_the_running_loop() -> None:
    async with IdentityEmulator() as emulator:
        for scheme in ("http", "https"):
            assert await asyncio.to_thread(status, emulator, scheme) == 401


def test_silent_clients_keep_nobody_waiting(emulator: IdentityEmulator) -> None:
    silent = [connect(emulator.endpoint) for _ in range(50)]
    assert status(emulator, "https") == 401
    for connection in silent:
        connection.close()
    assert status(emulator, "http") == 401


def test_a_broken_handshake_is_one_log_line(
    emulator: IdentityEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        with connect(emulator.endpoint) as connection:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + b"x" * 600)
            while connection.recv(100):
                pass
        distrusting = ssl.create_default_context(cafile=certifi.where())
        with (
            connect(emulator.endpoint) as connection,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            distrusting.wrap_socket(connection, server_hostname="127.0.0.1")
        silently_distrusting(emulator, distrusting)
        assert status(emulator, "https") == 401
    lines = [record.message for record in caplog.records if "TLS" in record.message]
    assert len(lines) == 3
    assert lines[1] == "- TLS handshake failed: TLSV1_ALERT_UNKNOWN_CA"
    assert lines[2] == "- TLS handshake failed: the client left"


def silently_distrusting(emulator: IdentityEmulator, context: ssl.SSLContext) -> None:
    """Closes the connection without an alert, as Node.js does."""
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with connect(emulator.endpoint) as connection:
        connection.sendall(outgoing.read())
        assert connection.recv(100)


def certificate_of(path: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(path).read_bytes())


def test_the_authority_is_limited() -> None:
    with IdentityEmulator(tls_names=["emulator.test", "10.1.2.3"]) as emulator:
        authority = certificate_of(emulator.ca_file)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    names = [str(name.value) for name in constraints.value.permitted_subtrees or ()]
    assert sorted(names) == [
        "10.1.2.3/32", "127.0.0.0/8", "127.0.0.1/32", "::1/128", "emulator.test", "localhost",
    ]  # fmt: skip
    left = authority.not_valid_after_utc - datetime.now(timezone.utc)
    assert timedelta(days=29) < left <= timedelta(days=30)


@pytest.mark.parametrize(
    ("name", "is_trusted"),
    [("localhost", True), ("example.com", False), ("10.0.0.1", False), ("127.0.0.9", True)],
)
def test_the_authority_vouches_for_no_other_name(
    tmp_path: Path, name: str, is_trusted: bool
) -> None:
    """A stolen key cannot vouch for another machine."""
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        ca = Path(emulator.ca_file).read_text(encoding="ascii")
    store = Store(tmp_path / "a.db")
    kept_key = store.setting("ca-key")
    store.close()
    assert kept_key is not None
    signer = serialization.load_pem_private_key(kept_key.encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    pem = forged(name, x509.load_pem_x509_certificate(ca.encode()), signer)
    file = tmp_path / "forged.pem"
    file.write_bytes(pem)
    server, client = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    trusting = ssl.create_default_context(cadata=ca)
    speaker = context.wrap_bio(server, client, server_side=True)
    listener = trusting.wrap_bio(client, server, server_hostname=name)

    def shake() -> None:
        for _ in range(3):
            for side in (listener, speaker):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()

    if is_trusted:
        shake()
        assert listener.getpeercert()
    else:
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            shake()


def forged(name: str, ca: x509.Certificate, signer: ec.EllipticCurvePrivateKey) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    alternative: x509.GeneralName = (
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    )
    certificate = (
        x509.CertificateBuilder(
            ca.subject,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a forged server")]),
            key.public_key(),
        )
        .serial_number(x509.random_serial_number())
        .not_valid_before(ca.not_valid_before_utc)
        .not_valid_after(ca.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)


def test_further_names() -> None:
    with IdentityEmulator(tls_names=["emulator.test"]) as emulator:
        port = int(emulator.endpoint.rstrip("/").rpartition(":")[2])
        context = ssl.create_default_context(cafile=emulator.ca_file)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="emulator.test") as connection,
        ):
            assert connection.version()


@pytest.mark.parametrize("names", [["a b"], ["*.test"], [""]])
def test_names_that_a_certificate_cannot_have(names: list[str]) -> None:
    with pytest.raises(ValueError, match="what a certificate can name"):
        IdentityEmulator(tls_names=names).start()


def test_the_authority_is_kept_with_the_database(tmp_path: Path) -> None:
    def authority(*names: str) -> bytes:
        with IdentityEmulator(database=tmp_path / "a.db", tls_names=names) as emulator:
            assert emulator.ca_file == f"{tmp_path / 'a.db'}.ca.pem"
            assert emulator.ca_bundle == f"{tmp_path / 'a.db'}.ca-bundle.pem"
            return Path(emulator.ca_file).read_bytes()

    first = authority()
    assert authority() == first
    # Other names need another authority, as its constraints do not allow them.
    second = authority("emulator.test", "10.1.2.3")
    assert second != first
    assert authority("10.1.2.3", "Emulator.test", "10.1.2.3", "localhost") == second
    assert authority("emulator.test") != second
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db"]


def test_an_authority_that_is_about_to_expire_is_replaced(tmp_path: Path) -> None:
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        first = certificate_of(emulator.ca_file)
    store = Store(tmp_path / "a.db")
    key = serialization.load_pem_private_key((store.setting("ca-key") or "").encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        first.issuer, first.subject, key.public_key(), first.serial_number
    )
    for extension in first.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    soon = datetime.now(timezone.utc) + timedelta(days=14)
    old = builder.not_valid_before(first.not_valid_before_utc).not_valid_after(soon)
    pem = old.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    store.set_setting("ca-certificate", pem.decode())
    store.close()
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        assert certificate_of(emulator.ca_file).serial_number != first.serial_number


def test_a_chosen_file(tmp_path: Path) -> None:
    with IdentityEmulator(ca_file=tmp_path / "trust.pem") as emulator:
        assert emulator.ca_file == str(tmp_path / "trust.pem")
        assert Path(emulator.ca_file).read_bytes().count(BEGIN) == 1
        assert status(emulator, "https") == 401
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for unwritable in (tmp_path / "none" / "trust.pem", tmp_path / "folder"):
        with pytest.raises(ValueError, match="cannot write the CA file"):
            IdentityEmulator(ca_file=unwritable).start()
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with IdentityEmulator() as emulator:
        port = emulator.endpoint.rstrip("/").rpartition(":")[2]
        if sys.platform == "linux":
            folder = tmp_path / "acs-identity-emulator"
            assert emulator.ca_file == str(folder / f"127.0.0.1-{port}.ca.pem")
    monkeypatch.setenv("XDG_DATA_HOME", os.devnull)  # nothing can be written below it
    with IdentityEmulator() as emulator:
        assert status(emulator, "https") == 401
        folder = Path(emulator.ca_file).parent
    assert not folder.exists() or not list(folder.glob("*.ca*.pem"))


def certificates_in(file: str | Path) -> list[str]:
    text = Path(file).read_text(encoding="utf-8")
    return re.findall("-----BEGIN CERT.+?-----END CERT[A-Z]+-----", text, re.DOTALL)


@pytest.fixture
def authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Starts an emulator with variables, and returns the authorities in its bundle but its own.

    Their names are "public", or the first word of the names of files that the fixture makes:
    a.pem and b.pem without an end of line, c.pem with a key, and folder/d.pem, twice.
    """
    for variable in (*BUNDLES, "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"):
        monkeypatch.delenv(variable, raising=False)
    names = dict.fromkeys(certificates_in(certifi.where()), "public")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b", "c", "folder/d"):
        with IdentityEmulator(ca_file=tmp_path / f"{name}.pem") as emulator:
            pem = Path(emulator.ca_file).read_text(encoding="ascii").rstrip()
        names[pem] = name
        if name == "c":
            pem += "\n-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
        (tmp_path / f"{name}.pem").write_text(pem, encoding="ascii")
    (folder / "0123abcd.0").write_bytes((folder / "d.pem").read_bytes())
    (folder / "README").write_text("not a certificate", encoding="ascii")

    def found(**variables: str) -> list[str]:
        with monkeypatch.context() as environment, IdentityEmulator() as unset:
            for variable, files in variables.items():
                paths = [str(tmp_path / file) for file in files.split(os.pathsep)]
                environment.setenv(variable, os.pathsep.join(paths))
            with IdentityEmulator() as emulator:
                assert "PRIVATE" not in Path(emulator.ca_bundle).read_text(encoding="utf-8")
                own, *others = certificates_in(emulator.ca_bundle)
                assert [own] == certificates_in(emulator.ca_file) != certificates_in(unset.ca_file)
                node = emulator.trust_environment["NODE_EXTRA_CA_CERTS"]
                adds = "NODE_EXTRA_CA_CERTS" in variables
                assert node == (emulator.ca_bundle if adds else emulator.ca_file)
                context = ssl.create_default_context(cafile=emulator.ca_bundle)
                assert context.cert_store_stats()["x509"] == 1 + len(others)
                connect(emulator.endpoint.replace("http:", "https:"), emulator.ca_bundle).close()
        return [*dict.fromkeys(names[other] for other in others)]

    return found


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ["public"]),
        ({"REQUESTS_CA_BUNDLE": "a.pem"}, ["a"]),
        ({"REQUESTS_CA_BUNDLE": "a.pem", "SSL_CERT_FILE": "b.pem"}, ["a", "b"]),
        ({"CURL_CA_BUNDLE": "c.pem", "NODE_EXTRA_CA_CERTS": "a.pem"}, ["c", "a"]),
        ({"REQUESTS_CA_BUNDLE": "folder"}, ["folder/d"]),
        ({"REQUESTS_CA_BUNDLE": "missing.pem"}, ["public"]),
        ({"NODE_EXTRA_CA_CERTS": "b.pem"}, ["public", "b"]),
        ({"SSL_CERT_DIR": os.pathsep.join(["missing", "folder"])}, ["public", "folder/d"]),
        (dict.fromkeys((*BUNDLES, "NODE_EXTRA_CA_CERTS"), "a.pem"), ["a"]),
    ],
    ids=lambda value: "-".join(value) or "none" if isinstance(value, dict) else "",
)
def test_the_bundle_keeps_what_was_trusted_before(
    authorities: Callable[..., list[str]], variables: dict[str, str], expected: list[str]
) -> None:
    assert authorities(**variables) == expected


START = (
    "import multiprocessing, os\n"
    "from acs_identity_emulator import IdentityEmulator\n"
    "def start():\n"
    "    global emulator\n"
    "    emulator = IdentityEmulator(ca_file='trust.pem').start()\n"
    "    assert os.path.exists('trust.pem')\n"
)


def standard_error(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stderr


def test_an_emulator_that_nobody_stops_leaves_no_file(tmp_path: Path) -> None:
    code = f"{START}start()\nraise SystemExit('as any program may end')\n"
    assert standard_error(code, tmp_path) == "as any program may end\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_child_that_nobody_stops_leaves_no_file(tmp_path: Path) -> None:
    code = (
        f"{START}"
        "child = multiprocessing.get_context('fork').Process(target=start)\n"
        "child.start(); child.join(); raise SystemExit(child.exitcode)\n"
    )
    assert standard_error(code, tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


def test_emulators_with_the_same_file_remove_their_own_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trust.pem"
    first = IdentityEmulator(ca_file=file).start()
    assert not caplog.messages
    with IdentityEmulator(ca_file=file) as second:
        assert caplog.messages == [f"{file} is replaced: it was not of this emulator"]
        first.stop()
        assert status(second, "https") == 401
        assert certificates_in(second.ca_bundle)[:1] == certificates_in(second.ca_file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_child_that_ends_leaves_the_files(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from acs_identity_emulator import IdentityEmulator\n"
        "with IdentityEmulator(ca_file='trust.pem'):\n"
        "    child = os.fork()\n"
        "    if not child: sys.exit()\n"
        "    os.waitpid(child, 0)\n"
        "    print(sorted(os.listdir()))\n"
    )
    # Python 3.12 and later warn of a fork in a process with threads, which is what is tested here.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "['trust.ca-bundle.pem', 'trust.pem']\n", done.stderr


def test_the_files_are_gone_before_another_emulator_can_have_the_port() -> None:
    with IdentityEmulator() as emulator:
        file, port = Path(emulator.ca_file), urlsplit(emulator.endpoint).port
        assert port is not None
        emulator.inject("create", "delay:1")
        client = CommunicationIdentityClient.from_connection_string(emulator.connection_string)

        def call() -> None:
            with contextlib.suppress(AzureError):
                client.create_user(retry_total=0)

        caller = threading.Thread(target=call)
        caller.start()
        while emulator.unused_faults():
            time.sleep(0.01)
        stopper = threading.Thread(target=emulator.stop)
        stopper.start()
        with contextlib.suppress(OSError):
            while stopper.is_alive():
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
        assert not file.exists()
        stopper.join()
        caller.join()


def test_a_port_for_the_managed_identity() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    with IdentityEmulator(identity_port=port) as emulator:
        variables = emulator.managed_identity_environment
        assert f":{port}/" in variables["IDENTITY_ENDPOINT"]
        assert f":{port}/" not in emulator.endpoint
        request = urllib.request.Request(
            f"{variables['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=x",
            headers={"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.status == 200


def test_a_restart_continues_with_everything_the_same(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])

    def constants() -> list[object]:
        with IdentityEmulator(port=port, database=tmp_path / "a.db") as emulator:
            return [
                emulator.connection_string,
                emulator.secondary_key,
                emulator.managed_identity_environment,
                emulator.trust_environment,
                Path(emulator.ca_file).read_bytes(),
                emulator.tenant_id,
            ]

    assert constants() == constants()


def test_threads_of_other_clients_are_served_meanwhile(emulator: IdentityEmulator) -> None:
    found: list[int] = []
    clients = [
        threading.Thread(target=lambda scheme=scheme: found.append(status(emulator, scheme)))
        for scheme in ("http", "https") * 8
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join(20)
    assert found == [401] * 16

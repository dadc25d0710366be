"""TLS: a short-lived certificate authority that can vouch for this machine only."""

import contextlib
import ipaddress
import logging
import os
import re
import ssl
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from multiprocessing.util import Finalize
from pathlib import Path

import certifi
import platformdirs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..state.store import Store

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")
_LIFETIME = timedelta(days=30)
_LEAST_LIFETIME_LEFT = timedelta(days=15)
_CLOCK_SKEW = timedelta(hours=1)
_HOST_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?", re.ASCII)
_PROGRAM = "acs-identity-emulator"
# Each names a file, or for requests a folder, that replaces what its client trusts by default.
_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# Nothing else is copied: a file may hold a private key as well.
_CERTIFICATE = re.compile(
    rb"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.*?-----END \1-----", re.DOTALL
)

_log = logging.getLogger("acs_identity_emulator")


class Certificates:
    """A server certificate, the authority that signed it, and files with it for clients."""

    def __init__(self, store: Store, host: str, names: Sequence[str]) -> None:
        """The authority comes from the store, so that clients may trust it over restarts.

        :param host: the address to listen on.
        :param names: further names or addresses by which clients reach the emulator.
        :raises ValueError: If a certificate cannot name one of them.
        """
        listened_on = [] if _is_unspecified(host) else [host]
        all_names = map(_general_name, (*_LOOPBACK_NAMES, *listened_on, *names))
        self._names = list(dict.fromkeys(all_names))
        self._key, self._certificate = _kept_authority(store, self._constraints())
        self.ca_file = ""
        self.ca_bundle = ""
        self._remove: Callable[[], object] = lambda: None

    @property
    def ca_pem(self) -> str:
        """The authority without its key."""
        return _pem(self._certificate).decode("ascii")

    def server_context(self) -> ssl.SSLContext:
        """A context with a certificate for all names."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _server_certificate(key, self._names, self._key, self._certificate)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # `ssl` reads certificates from files only.
        with tempfile.TemporaryDirectory(prefix=f"{_PROGRAM}-") as folder:
            file = Path(folder) / "server.pem"
            file.touch(mode=0o600)
            file.write_bytes(_key_pem(key) + _pem(leaf))
            context.load_cert_chain(file)
        return context

    def write_files(self, chosen: str | os.PathLike[str] | None, beside: str) -> None:
        """Writes the authority for clients to trust, alone and together with the public ones.

        The files are removed by `close`, and if that is not called when the process ends. A file
        that another emulator has replaced meanwhile stays.

        :param chosen: the file that the user asks for. None takes one beside the database, or in
            the user's data folder.
        :param beside: the default path without its suffix.
        :raises ValueError: If they cannot be written.
        """
        try:
            files = self._written(chosen, beside)
        except OSError as error:
            raise ValueError(
                f"cannot write the CA file {self.ca_file} ({error.strerror}): "
                "name a file in a writable folder"
            ) from None
        # Other than an exit handler it runs in a child of multiprocessing, and does not run in a
        # forked child that ends while its parent still serves. Children are waited for before.
        own = _pem(self._certificate)
        self._remove = Finalize(self, _remove_files, (files, own), exitpriority=-1)

    def _written(self, chosen: str | os.PathLike[str] | None, beside: str) -> list[str]:
        if chosen is not None:
            self.ca_file = os.path.abspath(chosen)
            if os.path.exists(self.ca_file) and not _is_own(self.ca_file, _pem(self._certificate)):
                # It may also be of an emulator that was killed, so that this is not an error.
                _log.warning("%s is replaced: it was not of this emulator", self.ca_file)
            return self._bundled()
        try:
            self.ca_file = f"{beside}.ca.pem"
            os.makedirs(os.path.dirname(beside), mode=0o700, exist_ok=True)
            return self._bundled()
        except OSError:  # such as a home that is read-only
            folder = tempfile.mkdtemp(prefix=f"{_PROGRAM}-")
            self.ca_file = os.path.join(folder, "ca.pem")
            return [*self._bundled(), folder]

    def close(self) -> None:
        """Removes the files."""
        self._remove()

    def _bundled(self) -> list[str]:
        own = _pem(self._certificate)
        stem = self.ca_file.removesuffix(".pem").removesuffix(".ca")
        self.ca_bundle = f"{stem}.ca-bundle.pem"
        # Bundle first: a client that waits for the CA file finds the bundle too.
        _write(self.ca_bundle, own + b"".join(b"%b\n" % one for one in _other_authorities()))
        _write(self.ca_file, own)
        return [self.ca_file, self.ca_bundle]

    def _constraints(self) -> x509.NameConstraints:
        """The authority is valid for this machine and the given names only."""
        permitted: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_network(network)) for network in _LOOPBACK_NETWORKS
        ]
        for name in self._names:
            if isinstance(name, x509.IPAddress):
                name = x509.IPAddress(ipaddress.ip_network(name.value))
            permitted.append(name)
        return x509.NameConstraints(list(dict.fromkeys(permitted)), None)


def default_stem(database: str | os.PathLike[str] | None, host: str, port: int) -> str:
    """Where the files of an emulator go by default: the path without its suffix."""
    if database is not None:
        return os.path.abspath(database)
    folder = platformdirs.user_data_dir(_PROGRAM, appauthor=False)
    return os.path.join(folder, f"{re.sub(r'[^A-Za-z0-9.-]', '-', host)}-{port}")


def _kept_authority(
    store: Store, constraints: x509.NameConstraints
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The authority of the store; a new one if it is about to expire, or is for other names."""
    kept_certificate, kept_key = store.setting("ca-certificate"), store.setting("ca-key")
    if kept_certificate is not None and kept_key is not None:
        try:
            certificate = x509.load_pem_x509_certificate(kept_certificate.encode())
            key = serialization.load_pem_private_key(kept_key.encode(), password=None)
        except (ValueError, TypeError):  # such as a key that is encrypted
            raise store.damaged() from None
        left = certificate.not_valid_after_utc - _system_time()
        if (
            isinstance(key, ec.EllipticCurvePrivateKey)
            and left > _LEAST_LIFETIME_LEFT
            and _permitted(_constraints_of(certificate)) == _permitted(constraints)
        ):
            return key, certificate
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _new_authority(key, constraints)
    store.set_setting("ca-certificate", _pem(certificate).decode("ascii"))
    store.set_setting("ca-key", _key_pem(key).decode("ascii"))
    return key, certificate


def _new_authority(
    key: ec.EllipticCurvePrivateKey, constraints: x509.NameConstraints
) -> x509.Certificate:
    now = _system_time()
    serial = x509.random_serial_number()
    name = _distinguished(f"{_PROGRAM} {serial:x}"[:40])  # clients tell authorities by name
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder(name, name, key.public_key(), serial)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(constraints, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _server_certificate(
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
) -> x509.Certificate:
    public_key = authority_key.public_key()
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key)
    return (
        x509.CertificateBuilder(authority.subject, _distinguished("localhost"), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(authority.not_valid_before_utc)
        .not_valid_after(authority.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _system_time() -> datetime:
    """The time by which OpenSSL judges certificates.

    Files are dated by it too, while freezegun and time-machine replace the clocks of Python.
    """
    with tempfile.TemporaryFile() as file:
        return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, timezone.utc)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints_of(certificate: x509.Certificate) -> x509.NameConstraints | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def _permitted(constraints: x509.NameConstraints | None) -> set[x509.GeneralName]:
    """The names in any order."""
    return set() if constraints is None else set(constraints.permitted_subtrees or ())


def _distinguished(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _PROGRAM),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _general_name(name: str) -> x509.GeneralName:
    """:raises ValueError: If a certificate cannot hold the name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        pass
    try:
        encoded = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        encoded = ""
    if _HOST_NAME.fullmatch(encoded) is None:
        raise ValueError(
            f"{name!r} is not what a certificate can name: give an address or a DNS name"
        )
    return x509.DNSName(encoded)


def _is_unspecified(host: str) -> bool:
    """Whether the host stands for all addresses of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _other_authorities() -> Iterable[bytes]:
    """What clients trust so far: the bundles of the environment or Mozilla's, and additions."""
    bundles = [os.environ.get(name, "") for name in _BUNDLE_VARIABLES]
    # OpenSSL adds folders to its default file, and Node.js a file to its own authorities.
    additions = os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)
    additions.append(os.environ.get("NODE_EXTRA_CA_CERTS", ""))
    trusted = _certificates_in(bundles) or _certificates_in([certifi.where()])
    return dict.fromkeys([*trusted, *_certificates_in(additions)])


def _certificates_in(paths: Iterable[str]) -> list[bytes]:
    """The certificates in files and in the files of folders, as far as they can be read."""
    found: list[bytes] = []
    for path in filter(None, paths):
        files = sorted(Path(path).iterdir()) if os.path.isdir(path) else [Path(path)]
        for file in files:
            with contextlib.suppress(OSError):
                found.extend(match[0] for match in _CERTIFICATE.finditer(file.read_bytes()))
    return found


def _write(path: str, content: bytes) -> None:
    """All or nothing, as a client may be reading the file of an earlier run."""
    descriptor, draft = tempfile.mkstemp(prefix=".ca-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _remove_files(paths: Iterable[str], own: bytes) -> None:
    """:param own: how a file begins, unless another emulator has replaced it."""
    for path in paths:
        with contextlib.suppress(OSError):
            if os.path.isdir(path):
                os.rmdir(path)
            elif _is_own(path, own):
                os.unlink(path)


def _is_own(path: str, own: bytes) -> bool:
    return Path(path).read_bytes().startswith(own)

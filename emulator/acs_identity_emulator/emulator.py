"""`IdentityEmulator`: the service, started and stopped from Python."""

import functools
import os
from collections.abc import Callable, Sequence
from datetime import timedelta

from .arguments import Arguments, check_type
from .authentication.access_keys import SLOTS, pasted_key
from .contract.faults import Armed
from .entra_directory import EntraDirectory
from .http.certificates import default_stem
from .http.listening import Listener
from .operations.identities import IdentityInfo
from .requests import Requests
from .resource import Resource


class IdentityEmulator(EntraDirectory):
    """The Communication Services Identity service on a port of this machine.

    Use it as a context manager: ``with`` runs it in a thread, ``async with`` in the running event
    loop. An object can be started once.

    :param host: The address to listen on.
    :param port: The port to listen on, 0 for any free port. It accepts both http and https.
    :param database: A file that keeps the resource (its id, keys, signing keys and identities) over
        a restart. None keeps everything in memory. The file holds secrets of the emulator. One
        emulator can use it at a time.
    :param import_state: A file written by `export_state`, to initialize a new database.
    :param access_key: The primary access key, base64. By default the one in the database, or a
        random one. A different key replaces the one in the database. White space and a pair of
        quotes around the key are removed.
    :param secondary_key: The secondary access key, likewise.
    :param resource_id: The GUID of the resource, by default the one of the database, or a random
        one.
    :param tls: Whether `endpoint` is https, which Entra tokens need; clients must trust `ca_file`.
    :param tls_names: Further names and addresses by which clients reach the emulator over https.
    :param ca_file: Where to write the certificate authority, by default beside the database or in
        the user's data folder.
    :param identity_port: A second port for the managed identity, by default the same as `port`.
    :param throttle: Whether to apply the documented limits per 30 seconds.
    :param retry_after: Whether a throttled response has ``Retry-After``. Recorded responses of the
        real service do not have it.
    :param open_exchange: Whether every valid Entra token is exchanged. By default, an assignment
        must allow the user to get tokens through the application.
    :param page_size: The number of Entra assignments in a page of their list, 1 to 10,000, by
        default 100.
    :param encrypted_tokens: Whether Entra users get encrypted tokens (JWE), which clients cannot
        decode.
    :param token_lifetime: The lifetime of every token, whole seconds up to 24 hours, whatever its
        request asks for. By default, each request decides; without a lifetime in the request it is
        24 hours.
    :param control_token: The token that ``/.emulator/`` and the page at ``/`` require, ASCII
        letters and digits. Without one, they are open to the programs of this machine, and `host`
        must be loopback.
    :param clock: Returns the time of the service, in Unix seconds. By default, the machine's clock.
    :raises TypeError: If an argument has the wrong type.
    :raises ValueError: If an argument is invalid. The message never holds a key.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        database: str | os.PathLike[str] | None = None,
        import_state: str | os.PathLike[str] | None = None,
        access_key: str | None = None,
        secondary_key: str | None = None,
        resource_id: str | None = None,
        tls: bool = False,
        tls_names: Sequence[str] = (),
        ca_file: str | os.PathLike[str] | None = None,
        identity_port: int | None = None,
        throttle: bool = False,
        retry_after: bool = False,
        open_exchange: bool = False,
        page_size: int = 100,
        encrypted_tokens: bool = False,
        token_lifetime: timedelta | None = None,
        control_token: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        given = Arguments(
            host=host,
            port=port,
            database=database,
            import_state=import_state,
            access_key=access_key,
            secondary_key=secondary_key,
            resource_id=resource_id,
            tls=tls,
            tls_names=tls_names,
            ca_file=ca_file,
            identity_port=identity_port,
            throttle=throttle,
            retry_after=retry_after,
            open_exchange=open_exchange,
            page_size=page_size,
            encrypted_tokens=encrypted_tokens,
            token_lifetime=token_lifetime,
            control_token=control_token,
            clock=clock,
        ).checked()
        super().__init__(
            lambda: Listener(host, port, identity_port, tls=tls),
            functools.partial(Resource, given),
            ca_file,
            functools.partial(default_stem, database, host),
        )

    @property
    def endpoint(self) -> str:
        """The URL of the service, such as ``http://127.0.0.1:8080/``.

        :raises RuntimeError: If the emulator is not running.
        """
        return self._listening().endpoint

    @property
    def connection_string(self) -> str:
        """Endpoint and primary access key in one string, as the Azure portal shows it.

        :raises RuntimeError: If the emulator is not running.
        """
        return f"endpoint={self.endpoint};accesskey={self.access_key}"

    @property
    def access_key(self) -> str:
        """The primary access key, base64.

        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().keys["primary"]

    @property
    def secondary_key(self) -> str:
        """The secondary access key, base64.

        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().keys["secondary"]

    @property
    def resource_id(self) -> str:
        """The GUID of the resource, which every identity carries in its id.

        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().id

    def rotate_key(self, slot: str, key: str | None = None) -> str:
        """Replaces a key, and revokes every token that was issued with the old one.

        :param slot: ``"primary"`` or ``"secondary"``.
        :param key: The new key, base64; by default a random one.
        :returns: The new key.
        :raises TypeError: If the key is not a str.
        :raises ValueError: If the slot is unknown, or the key is not base64. The message never
            holds the key.
        :raises DatabaseError: If the database cannot be read or written.
        :raises RuntimeError: If the emulator is not running.
        """
        if slot not in SLOTS:
            raise ValueError(f"slot must be one of {', '.join(SLOTS)}, not {slot!r}")
        if key is not None:
            key = pasted_key("key", key)
        return self._running().keys.rotate(slot, key)

    def reset(self) -> None:
        """Removes identities, assignments, faults and recorded calls, and revokes all tokens.

        Limits and clock are reset. Id, keys and endpoint of the resource do not change.

        :raises DatabaseError: If the database cannot be read or written.
        :raises RuntimeError: If the emulator is not running.
        """
        self._running().reset()

    @property
    def requests(self) -> Requests:
        """The calls that the service has answered: iterate, or select with `count` and `matching`.

        For example ``assert emulator.requests.count("issue", user=user) == 1``.

        :raises RuntimeError: If the emulator is not running.
        """
        return Requests(self._running().journal)

    def advance(self, by: timedelta) -> None:
        """Advances the clock of the service: tokens age, and limits are replenished.

        Requests dated by either clock are accepted, so that the client's clock need not change.
        `reset` puts the clock back.

        :param by: How far, at most ten years in all.
        :raises TypeError: If `by` is not a timedelta.
        :raises ValueError: If `by` is negative, or too long.
        :raises RuntimeError: If the emulator is not running.
        """
        self._running().clock.advance(by)

    @property
    def token_lifetime(self) -> timedelta | None:
        """The lifetime of new tokens; None if each request decides.

        :raises ValueError: If it is set to a value that is not whole seconds, or to less than one
            second or more than 24 hours.
        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().service.token_lifetime

    @token_lifetime.setter
    def token_lifetime(self, lifetime: timedelta | None) -> None:
        self._running().service.token_lifetime = lifetime

    def inject(self, operation: str, fault: str, times: int = 1) -> None:
        """Injects a fault into the next requests of an operation.

        :param operation: ``create``, ``get``, ``delete``, ``revoke``, ``issue``,
            ``exchange-teams-user``, ``exchange-teams-extension``, ``exchange-entra``,
            ``get-assignment``, ``put-assignment``, ``delete-assignment``,
            ``list-entra-assignments``, ``update-entra-assignments``, ``get-entra-assignment``,
            ``put-entra-assignment``, ``delete-entra-assignment``, or ``any``.
        :param fault: ``status:CODE``, ``status:CODE:SECONDS``, ``html``, ``delay:SECONDS``,
            ``reset``, ``reset-in-body``, ``truncated``, ``no-fields``, or ``clock:MINUTES``.
        :param times: How many requests get it, at least 1, by default 1. Faults of the same
            operation are used in the order of injection.
        :raises TypeError: If `fault` is not a str.
        :raises ValueError: If operation or fault is unknown, they cannot be combined, or `times` is
            not a positive int.
        :raises RuntimeError: If the emulator is not running.
        """
        self._running().faults.inject(operation, fault, times)

    def unused_faults(self) -> list[Armed]:
        """The injected faults that no request has got.

        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().faults.unused()

    def clear_faults(self) -> None:
        """Removes the faults that wait for their requests.

        :raises RuntimeError: If the emulator is not running.
        """
        self._running().faults.clear()

    def identities(self) -> list[IdentityInfo]:
        """The identities that exist, in the order of their ids.

        :raises DatabaseError: If the database cannot be read or written.
        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().service.identities()

    def is_token_valid(self, token: str) -> bool:
        """Whether this service issued the token, and it is neither expired nor revoked.

        :raises TypeError: If the token is not a str.
        :raises DatabaseError: If the database cannot be read or written.
        :raises RuntimeError: If the emulator is not running.
        """
        check_type("token", token, "a str", str)
        return self._running().service.is_token_valid(token)

    @property
    def ca_file(self) -> str:
        """The path of a PEM file with the authority that clients must trust for https.

        The authority is valid for this machine and `tls_names` only, and for 30 days. With a
        database it is kept over restarts, until less than 15 days are left or the names change. The
        file is removed when the emulator stops.

        :raises RuntimeError: If the emulator is not running.
        """
        self._listening()
        return self._running().certificates.ca_file

    @property
    def ca_bundle(self) -> str:
        """The path of a PEM file with that authority and all public ones.

        It is for clients that trust exactly one file, such as requests.

        :raises RuntimeError: If the emulator is not running.
        """
        self._listening()
        return self._running().certificates.ca_bundle

    @property
    def trust_environment(self) -> dict[str, str]:
        """The environment variables that make Python, curl, the Azure CLI and Node.js trust the CA.

        :raises RuntimeError: If the emulator is not running.
        """
        bundle = self.ca_bundle
        adds_to_others = bool(os.environ.get("NODE_EXTRA_CA_CERTS"))  # the bundle has them too
        return {
            "REQUESTS_CA_BUNDLE": bundle,
            "CURL_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle,
            "NODE_EXTRA_CA_CERTS": bundle if adds_to_others else self.ca_file,
        }

    def export_state(self, path: str | os.PathLike[str]) -> None:
        """Writes the resource with its keys and identities into a file, for `import_state`.

        :raises TypeError: If the path is not a str or an os.PathLike.
        :raises DatabaseError: If the file cannot be written, or is a database in use.
        :raises RuntimeError: If the emulator is not running.
        """
        check_type("path", path, "a str or os.PathLike", str, os.PathLike)
        self._running().export(path)

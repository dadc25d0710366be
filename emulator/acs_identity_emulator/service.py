"""The operations of the service, free of HTTP: a call comes in, an answer goes out or is raised."""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from . import bodies, errors
from .entra import EntraAuthority
from .guids import GUID, is_guid
from .store import Identity, Store
from .tokens import Lineage, TokenIssuer, lineage_of
from .versions import Field, Operation, knows, knows_scope

_ID = re.compile(rf"8:(?:acs|dod-acs|gcch-acs):{GUID}_{GUID}(?:_{GUID})?")
_DEFAULT_MINUTES = 1440
_MINUTES = range(60, 1441)
_CUSTOM_ID_LENGTH = range(1, 257)


class Call(NamedTuple):
    """One call of an operation; `key_id` is the access key that signed it."""

    operation: Operation
    version: str
    identity_id: str
    body: bytes
    key_id: str


class Answer(NamedTuple):
    status: int
    payload: Mapping[str, object] | None = None


class Service:
    """One Communication Services resource."""

    def __init__(
        self,
        resource_id: str,
        store: Store,
        tokens: TokenIssuer,
        entra: EntraAuthority,
        clock: Callable[[], float],
    ) -> None:
        self._prefix = f"8:acs:{resource_id}_"
        self._store = store
        self._tokens = tokens
        self._entra = entra
        self._clock = clock
        self._operations: dict[Operation, Callable[[Call], Answer]] = {
            Operation.CREATE: self._create,
            Operation.GET: self._get,
            Operation.DELETE: self._delete,
            Operation.REVOKE: self._revoke,
            Operation.ISSUE: self._issue,
            Operation.EXCHANGE_TEAMS_USER: self._exchange_teams_user,
        }

    def answer(self, call: Call) -> Answer:
        """:raises ServiceError: the answer is an error."""
        return self._operations[call.operation](call)

    def is_token_valid(self, token: str) -> bool:
        """Whether this service issued the token, and it has neither expired nor been revoked."""
        claims = self._tokens.claims_of(token)
        if claims is None:
            return False
        expires_at, subject, lineage = claims["exp"], str(claims["skypeid"]), lineage_of(claims)
        if lineage is None or not isinstance(expires_at, int) or expires_at <= self._clock():
            return False
        guid = self._own_guid(f"8:{subject}")
        if guid is None:
            return True  # of a Teams user, which is no identity of the resource
        identity = self._store.identity(guid)
        return (
            identity is not None
            and not identity.deleted
            and identity.revocations == lineage.revocations
        )

    def _create(self, call: Call) -> Answer:
        body = bodies.json_object(call.body)
        scopes = bodies.strings(body, "createTokenWithScopes")
        minutes = _minutes_in(body, call.version)
        custom_id = _custom_id_in(body, call.version)
        if scopes:
            _check_scopes(scopes, call.version)
        _check_minutes(minutes)
        identity = self._existing_or_new(custom_id)
        payload: dict[str, object] = {}
        if scopes:
            token, issued_at = self._new_token(identity, scopes, minutes, call.key_id)
            identity = identity._replace(last_token_issued_at=issued_at)
            payload["accessToken"] = token
        shown = self._shown(identity) if custom_id is not None else {"id": self._id_of(identity)}
        return Answer(201, {"identity": shown, **payload})

    def _existing_or_new(self, custom_id: str | None) -> Identity:
        if custom_id is not None:
            existing = self._store.identity_with_custom_id(custom_id)
            if existing is not None:
                return existing
        guid = str(uuid.uuid4())
        self._store.add_identity(guid, custom_id)
        return Identity(guid, 0, False, custom_id, None)

    def _get(self, call: Call) -> Answer:
        return Answer(200, self._shown(self._identity(call.identity_id)))

    def _delete(self, call: Call) -> Answer:
        identity = self._owned(call.identity_id)
        if not identity.deleted:
            self._store.delete_identity(identity.guid)
        return Answer(204)

    def _revoke(self, call: Call) -> Answer:
        self._store.revoke_tokens(self._identity(call.identity_id).guid)
        return Answer(204)

    def _issue(self, call: Call) -> Answer:
        if not call.body:
            raise errors.body_required()
        body = bodies.json_object(call.body)
        scopes = bodies.strings(body, "scopes")
        if scopes is None:
            raise errors.field_required("Scopes")
        minutes = _minutes_in(body, call.version)
        _check_id(call.identity_id)
        _check_scopes(scopes, call.version)
        _check_minutes(minutes)
        identity = self._identity(call.identity_id)
        return Answer(200, self._new_token(identity, scopes, minutes, call.key_id)[0])

    def _exchange_teams_user(self, call: Call) -> Answer:
        try:
            body = bodies.json_object(call.body)
            token = bodies.string(body, "token")
        except errors.ServiceError:
            raise errors.no_token() from None
        if token is None:
            raise errors.no_token()
        user = self._entra.teams_user(token)
        if user is None:
            raise errors.invalid_token()
        app_id = bodies.required_string(body, "appId")
        user_id = bodies.required_string(body, "userId")
        for field, value in (("appId", app_id), ("userId", user_id)):
            if not is_guid(value):
                raise errors.malformed_guid(field)
        if app_id.lower() != user.client_id.lower():
            raise errors.unexpected_application()
        if user_id.lower() != user.user_object_id.lower():
            raise errors.unexpected_user()
        now = int(self._clock())
        subject = f"orgid:{user.user_object_id}"
        lineage = Lineage(call.key_id, 0)
        exchanged = self._tokens.issue(subject, ["chat", "voip"], now, user.expires_at, lineage)
        return Answer(200, _access_token(exchanged, float(user.expires_at)))

    def _new_token(
        self, identity: Identity, scopes: list[str], minutes: int | None, key_id: str
    ) -> tuple[dict[str, object], int]:
        """The token as the answer shows it, and when it was issued."""
        now = self._clock()
        lifetime = 60 * (_DEFAULT_MINUTES if minutes is None else minutes)
        token = self._tokens.issue(
            self._id_of(identity)[2:],
            list(dict.fromkeys(scopes)),
            int(now),
            int(now) + lifetime,
            Lineage(key_id, identity.revocations),
        )
        self._store.token_issued(identity.guid, int(now))
        return _access_token(token, now + lifetime), int(now)

    def _identity(self, identity_id: str) -> Identity:
        """:raises ServiceError: malformed, not owned, or deleted."""
        identity = self._owned(identity_id)
        if identity.deleted:
            raise errors.not_found()
        return identity

    def _owned(self, identity_id: str) -> Identity:
        """:raises ServiceError: malformed, or not owned."""
        _check_id(identity_id)
        guid = self._own_guid(identity_id)
        identity = None if guid is None else self._store.identity(guid)
        if identity is None:
            raise errors.not_owned()
        return identity

    def _own_guid(self, identity_id: str) -> str | None:
        """The last part of an id of this resource, None of any other."""
        prefix, guid = identity_id[: len(self._prefix)], identity_id[len(self._prefix) :]
        return guid.lower() if prefix.lower() == self._prefix else None

    def _id_of(self, identity: Identity) -> str:
        return self._prefix + identity.guid

    def _shown(self, identity: Identity) -> dict[str, object]:
        shown: dict[str, object] = {}
        if identity.custom_id is not None:
            shown["customId"] = identity.custom_id
        if identity.last_token_issued_at is not None:
            shown["lastTokenIssuedAt"] = timestamp(identity.last_token_issued_at)
        shown["id"] = self._id_of(identity)
        return shown


def timestamp(seconds: float) -> str:
    """Unix time as the service writes it: UTC, up to seven fraction digits, none that is idle."""
    whole, ticks = divmod(round(seconds * 10_000_000), 10_000_000)
    text = datetime.fromtimestamp(whole, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{ticks:07d}".rstrip("0") if ticks else ""
    return f"{text}{fraction}+00:00"


def _access_token(token: str, expires_at: float) -> dict[str, object]:
    return {"token": token, "expiresOn": timestamp(expires_at)}


def _minutes_in(body: Mapping[str, object], version: str) -> int | None:
    if not knows(version, Field.EXPIRES_IN_MINUTES):
        return None
    return bodies.int32(body, "expiresInMinutes")


def _custom_id_in(body: Mapping[str, object], version: str) -> str | None:
    if not knows(version, Field.CUSTOM_ID):
        return None
    custom_id = bodies.string(body, "customId")
    if custom_id is not None and len(custom_id) not in _CUSTOM_ID_LENGTH:
        raise errors.field_has_wrong_type("CustomId", "a string of 1 to 256 characters")
    return custom_id


def _check_id(identity_id: str) -> None:
    if _ID.fullmatch(identity_id) is None:
        raise errors.malformed_id()


def _check_scopes(scopes: list[str], version: str) -> None:
    if not scopes:
        raise errors.no_scopes()
    for scope in scopes:
        if not knows_scope(version, scope):
            raise errors.invalid_scopes(f"'{scope}' is not a known scope.")


def _check_minutes(minutes: int | None) -> None:
    if minutes is not None and minutes not in _MINUTES:
        raise errors.invalid_expiry(minutes)

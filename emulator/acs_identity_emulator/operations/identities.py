"""Identities and their access tokens: create, get, delete, revoke, issue."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from ..authentication.tokens import Lineage, TokenIssuer
from ..contract import errors
from ..contract.guids import RAW_ID
from ..contract.lifetimes import TOKEN_SECONDS
from ..contract.versions import Field, Operation, knows, knows_scope
from ..state import unique
from ..state.store import Identity, Store
from . import bodies
from .calls import AccessToken, Answer, Call, Handler, Payload, timestamp

_DEFAULT_MINUTES = 1440
_MINUTES = range(60, 1441)
_CUSTOM_ID_LENGTH = range(1, 257)


class IdentityInfo(NamedTuple):
    """What a test sees of an identity.

    :param id: The raw id.
    :param custom_id: The id that its creator chose, if any.
    :param last_token_issued_at: Unix seconds; None if no token was ever issued.
    """

    id: str
    custom_id: str | None
    last_token_issued_at: int | None


class Identities:
    """The identities of one resource."""

    def __init__(
        self, resource_id: str, store: Store, tokens: TokenIssuer, clock: Callable[[], float]
    ) -> None:
        self._prefix = f"8:acs:{resource_id}_"
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self.token_lifetime: timedelta | None = None
        self.operations: dict[Operation, Handler] = {
            Operation.CREATE: self._create,
            Operation.GET: self._get,
            Operation.DELETE: self._delete,
            Operation.REVOKE: self._revoke,
            Operation.ISSUE: self._issue,
        }

    def all(self, limit: int | None) -> list[IdentityInfo]:
        """The first identities that exist, in the order of their ids; None for all."""
        return [
            IdentityInfo(self._id_of(kept), kept.custom_id, kept.last_token_issued_at)
            for kept in self._store.identities(limit)
        ]

    def honours(self, identity_id: str, lineage: Lineage) -> bool:
        """Whether a token of that lineage is still valid for the identity."""
        guid = self._own_guid(identity_id)
        if guid is None:
            return True  # a Teams user is not an identity of the resource
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
        if not scopes:
            return Answer(201, {"identity": self._shown_when_created(identity)})
        token, issued_at = self._new_token(identity, scopes, minutes, call.caller.key_id)
        shown = self._shown_when_created(identity._replace(last_token_issued_at=issued_at))
        return Answer(201, lambda: {"identity": shown, "accessToken": token.shown()})

    def _existing_or_new(self, custom_id: str | None) -> Identity:
        if custom_id is not None:
            existing = self._store.identity_with_custom_id(custom_id)
            if existing is not None:
                return existing
        guid = unique.guid()
        self._store.add_identity(guid, custom_id)
        return Identity(guid, custom_id=custom_id)

    def _get(self, call: Call) -> Answer:
        return Answer(200, self._shown(self._identity(_path_id(call))))

    def _delete(self, call: Call) -> Answer:
        identity = self._owned(_path_id(call))
        if not identity.deleted:
            self._store.delete_identity(identity.guid)
        return Answer(204)

    def _revoke(self, call: Call) -> Answer:
        self._store.revoke_tokens(self._identity(_path_id(call)).guid)
        return Answer(204)

    def _issue(self, call: Call) -> Answer:
        if not call.body:
            raise errors.body_required()
        body = bodies.json_object(call.body)
        scopes = bodies.strings(body, "scopes")
        if scopes is None:
            raise errors.field_required("Scopes")
        minutes = _minutes_in(body, call.version)
        identity_id = _path_id(call)
        _check_id(identity_id)
        _check_scopes(scopes, call.version)
        _check_minutes(minutes)
        identity = self._identity(identity_id)
        token, _ = self._new_token(identity, scopes, minutes, call.caller.key_id)
        return Answer(200, token.shown)

    def _new_token(
        self, identity: Identity, scopes: list[str], minutes: int | None, key_id: str
    ) -> tuple[AccessToken, int]:
        """The token, and its time of issue in Unix seconds."""
        now = self._clock()
        lifetime = self._lifetime(minutes)
        token = self._tokens.issue(
            self._id_of(identity)[2:],
            list(dict.fromkeys(scopes)),
            int(now),
            int(now) + lifetime,
            Lineage(key_id, identity.revocations),
        )
        if identity.last_token_issued_at != int(now):
            self._store.token_issued(identity.guid, int(now))
        return AccessToken(token, now + lifetime), int(now)

    def _lifetime(self, minutes: int | None) -> int:
        """In seconds."""
        if self.token_lifetime is not None:
            return int(self.token_lifetime.total_seconds())
        return 60 * (_DEFAULT_MINUTES if minutes is None else minutes)

    def _identity(self, identity_id: str) -> Identity:
        """:raises ServiceError: If the id is malformed or not owned, or the identity is deleted."""
        identity = self._owned(identity_id)
        if identity.deleted:
            raise errors.not_found(identity_id)
        return identity

    def _owned(self, identity_id: str) -> Identity:
        """:raises ServiceError: If the id is malformed, or not owned."""
        _check_id(identity_id)
        guid = self._own_guid(identity_id)
        identity = None if guid is None else self._store.identity(guid)
        if identity is None:
            of = "another resource" if guid is None else "this resource, but was never created"
            raise errors.not_owned(f"{identity_id} is of {of}")
        return identity

    def _own_guid(self, identity_id: str) -> str | None:
        """The part after the resource in an id of this resource; None for any other id."""
        prefix, guid = identity_id[: len(self._prefix)], identity_id[len(self._prefix) :]
        return guid.lower() if prefix.lower() == self._prefix else None

    def _id_of(self, identity: Identity) -> str:
        return self._prefix + identity.guid

    def _shown_when_created(self, identity: Identity) -> Payload:
        """The id alone, unless the identity has a custom id."""
        if identity.custom_id is None:
            return {"id": self._id_of(identity)}
        return self._shown(identity)

    def _shown(self, identity: Identity) -> Payload:
        shown: dict[str, object] = {}
        if identity.custom_id is not None:
            shown["customId"] = identity.custom_id
        if identity.last_token_issued_at is not None:
            shown["lastTokenIssuedAt"] = timestamp(identity.last_token_issued_at)
        shown["id"] = self._id_of(identity)
        return shown


def check_token_lifetime(lifetime: timedelta) -> None:
    """Checks the lifetime that all tokens are to have.

    :raises ValueError: If it is not a number of whole seconds between one second and 24 hours.
    """
    if not isinstance(lifetime, timedelta) or lifetime.total_seconds() not in TOKEN_SECONDS:
        raise ValueError(
            "token_lifetime must be a timedelta of whole seconds, from one second to 24 hours"
        )


def _path_id(call: Call) -> str:
    (identity_id,) = call.path_parameters
    return identity_id


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
    if RAW_ID.fullmatch(identity_id) is None:
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

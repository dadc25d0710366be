"""The operations, free of HTTP: a call gets an answer, or an error is raised."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from ..authentication.access_keys import AccessKeys
from ..authentication.encryption import TokenEncryption
from ..authentication.entra import EntraAuthority
from ..authentication.tokens import TokenIssuer, lineage_of
from ..contract.versions import Operation
from ..state.store import Store
from .assignments import TeamsAssignments
from .calls import Answer, Call, Handler
from .entra_assignments import EntraAssignments
from .exchanges import Exchanges
from .gate import Gate
from .identities import Identities, IdentityInfo, check_token_lifetime
from .throttling import Limit, Throttle


class ServiceOptions(NamedTuple):
    """Options that change what the operations answer.

    :param open_exchange: Whether Entra tokens are exchanged without an assignment.
    :param page_size: The number of Entra assignments in a page.
    :param encrypted_tokens: Whether the tokens of Entra users are encrypted.
    """

    open_exchange: bool
    page_size: int
    encrypted_tokens: bool


class Service:
    """One Communication Services resource."""

    def __init__(
        self,
        resource_id: str,
        store: Store,
        keys: AccessKeys,
        tokens: TokenIssuer,
        entra: EntraAuthority,
        clock: Callable[[], float],
        throttle: Throttle | None,
        encryption: TokenEncryption,
        options: ServiceOptions,
    ) -> None:
        self._store = store
        self._keys = keys
        self._tokens = tokens
        self._encryption = encryption
        self._clock = clock
        self._throttle = throttle
        self._emptying = threading.Lock()
        self._identities = Identities(resource_id, store, tokens, clock)
        self._gate = Gate(store.assignments, is_open=options.open_exchange)
        exchanges = Exchanges(
            resource_id,
            store,
            tokens,
            entra,
            self._gate,
            encryption if options.encrypted_tokens else None,
            clock,
        )
        self._operations: dict[Operation, Handler] = {
            **self._identities.operations,
            **exchanges.operations,
            **TeamsAssignments(store.assignments).operations,
            **EntraAssignments(store.assignments, options.page_size).operations,
        }

    def answer(self, call: Call) -> Answer:
        """:raises ServiceError: If the answer is an error."""
        if self._throttle is not None:
            self._throttle.count(call)
        return self._operations[call.operation](call)

    def identities(self, limit: int | None = None) -> list[IdentityInfo]:
        """The first identities that exist, in the order of their ids; None for all."""
        return self._identities.all(limit)

    def identity_count(self) -> int:
        """How many identities exist."""
        return self._store.identity_count()

    @property
    def token_lifetime(self) -> timedelta | None:
        """The lifetime of new tokens; None if each request decides."""
        return self._identities.token_lifetime

    @token_lifetime.setter
    def token_lifetime(self, lifetime: timedelta | None) -> None:
        """:raises ValueError: If it is not between one second and 24 hours."""
        if lifetime is not None:
            check_token_lifetime(lifetime)
        self._identities.token_lifetime = lifetime

    def limits(self) -> Sequence[Limit]:
        """How much of each limit is used; empty if limits are not enforced."""
        return [] if self._throttle is None else self._throttle.usage()

    def reset(self) -> None:
        """Deletes every identity and assignment, and revokes all tokens."""
        with self._emptying:  # if two threads reset, the generation of the later one must stay
            self._tokens.generation = self._store.empty()
        if self._throttle is not None:
            self._throttle.clear()

    def is_token_valid(self, token: str) -> bool:
        """Whether this service issued the token, and it has neither expired nor been revoked."""
        signed = self._encryption.decrypted(token)
        claims = None if signed is None else self._tokens.claims_of(signed)
        if claims is None:
            return False
        lineage = lineage_of(claims)
        return (
            self._clock() < claims["exp"]
            and self._keys.in_force(lineage.key_id)
            and self._gate.holds(lineage.grant)
            and self._identities.honours(f"8:{claims['skypeid']}", lineage)
        )

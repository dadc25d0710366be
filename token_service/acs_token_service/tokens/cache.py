"""The cache of tokens between requests. Losing it only costs calls."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from .resource import IssuedToken

# The fence of a lease if no other process can be kept from issuing.
UNGUARDED = 0


class Slot(NamedTuple):
    """The cache key of a token.

    A sign-out changes the generation, and a rotation of the key of the resource the key id: the
    tokens that either revokes are not found.
    """

    identity: str
    generation: int
    scopes: tuple[str, ...]  # sorted
    key_id: str = ""  # of the key that signs the call; empty with Entra


class Lease(NamedTuple):
    """Of the token of a slot.

    `fence` is None while another process has the lease. It grows with each lease, so that a process
    which lost its lease without noticing cannot overwrite a newer token.

    `held` is the token that was there once the lease was asked for: the process that had it before
    may just have put the token.
    """

    fence: int | None
    held: IssuedToken | None


class TokenCache(Protocol):
    async def get(self, slot: Slot) -> IssuedToken | None: ...

    async def begin(self, slot: Slot) -> Lease:
        """Takes the lease to issue the token, unless another process has it."""
        ...

    async def free(self, slots: Sequence[Slot]) -> dict[Slot, None]:
        """Those of the slots whose lease no process has."""
        ...

    async def extend(self, slot: Slot, fence: int) -> bool:
        """Makes the lease last longer; False if it has run out."""
        ...

    async def put(self, slot: Slot, issued: IssuedToken, fence: int) -> None:
        """Keeps the token and gives the lease back."""

    async def abandon(self, slot: Slot, fence: int) -> None:
        """Gives the lease back without a token."""

    async def drop(self, identity: str, generation: int) -> None: ...

    async def close(self) -> None: ...


class _Kept(NamedTuple):
    key_id: str
    issued: IssuedToken


class MemoryCache:
    """Keeps tokens in the memory of this process, unencrypted as the process itself needs them.

    :param size: How many identities to keep; those that were asked for longest ago go first.
    """

    def __init__(self, size: int = 100_000) -> None:
        self._size = size
        # A token of another key is replaced, not kept beside.
        self._tokens: OrderedDict[tuple[str, int], dict[tuple[str, ...], _Kept]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    async def get(self, slot: Slot) -> IssuedToken | None:
        key = slot.identity, slot.generation
        tokens = self._tokens.get(key)
        if tokens is None:
            return None
        self._tokens.move_to_end(key)
        kept = tokens.get(slot.scopes)
        return kept.issued if kept is not None and kept.key_id == slot.key_id else None

    async def begin(self, slot: Slot) -> Lease:
        return Lease(UNGUARDED, await self.get(slot))

    async def free(self, slots: Sequence[Slot]) -> dict[Slot, None]:
        return dict.fromkeys(slots)

    async def extend(self, slot: Slot, fence: int) -> bool:
        return True

    async def put(self, slot: Slot, issued: IssuedToken, fence: int) -> None:
        tokens = self._tokens.setdefault((slot.identity, slot.generation), {})
        tokens[slot.scopes] = _Kept(slot.key_id, issued)
        if len(self._tokens) > self._size:
            self._tokens.popitem(last=False)

    async def abandon(self, slot: Slot, fence: int) -> None:
        return

    async def drop(self, identity: str, generation: int) -> None:
        self._tokens.pop((identity, generation), None)

    async def close(self) -> None:
        self._tokens.clear()

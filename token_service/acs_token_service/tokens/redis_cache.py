"""The cache that processes share."""

import hashlib
from collections.abc import Sequence

from .cache import UNGUARDED, Lease, MemoryCache, Slot
from .encryption import TokenBox
from .resource import IssuedToken
from .shared import SharedDownError, SharedRedis

_KEEP_SECONDS = 24 * 60 * 60  # no token lives longer

_BEGIN = """
local held = redis.call('HGET', KEYS[1], ARGV[3])
if redis.call('EXISTS', KEYS[2]) == 1 then return {-1, held} end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], fence, 'PX', ARGV[1])
return {fence, held}
"""
_EXTEND = """
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[2], ARGV[1])
"""
_PUT = """
local last = tonumber(redis.call('HGET', KEYS[1], 'by:' .. ARGV[2]) or '0')
local fence = tonumber(ARGV[1])
if fence >= last then
  redis.call('HSET', KEYS[1], 'token:' .. ARGV[2], ARGV[3], 'by:' .. ARGV[2], fence)
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return fence >= last and 1 or 0
"""
_ABANDON = """
if redis.call('GET', KEYS[2]) == ARGV[1] then return redis.call('DEL', KEYS[2]) end
return 0
"""


class RedisCache:
    """Keeps encrypted tokens in Redis: a hash for each identity and generation.

    While Redis is down, tokens are kept in the memory of the process, and processes may issue at
    the same time.

    :param lease: Seconds after which another process may issue, unless the lease is extended.
    """

    def __init__(self, shared: SharedRedis, box: TokenBox, *, lease: float) -> None:
        self._shared = shared
        self._box = box
        self._lease = round(lease * 1000)
        self._meanwhile = MemoryCache()
        register = shared.client.register_script
        self._begin, self._extend = register(_BEGIN), register(_EXTEND)
        self._put, self._abandon = register(_PUT), register(_ABANDON)

    async def get(self, slot: Slot) -> IssuedToken | None:
        tokens, _ = _keys(slot)
        field = f"token:{_field(slot)}"
        try:
            sealed = await self._shared.attempt(lambda: self._shared.client.hget(tokens, field))
        except SharedDownError:
            return await self._meanwhile.get(slot)
        return await self._opened(slot, sealed)

    async def _opened(self, slot: Slot, sealed: bytes | str | None) -> IssuedToken | None:
        if sealed is None:
            return await self._meanwhile.get(slot)
        return self._box.open(sealed)

    async def begin(self, slot: Slot) -> Lease:
        field = f"token:{_field(slot)}"
        try:
            fence, sealed = await self._shared.attempt(
                lambda: self._begin(keys=_keys(slot), args=[self._lease, _KEEP_SECONDS, field])
            )
        except SharedDownError:
            return Lease(UNGUARDED, await self._meanwhile.get(slot))
        return Lease(None if fence == -1 else int(fence), await self._opened(slot, sealed))

    async def free(self, slots: Sequence[Slot]) -> dict[Slot, None]:
        pipeline = self._shared.client.pipeline(transaction=False)
        for slot in slots:
            pipeline.exists(_keys(slot)[1])
        try:
            leased = await self._shared.attempt(pipeline.execute)
        except SharedDownError:
            return dict.fromkeys(slots)
        return {slot: None for slot, taken in zip(slots, leased, strict=True) if not taken}

    async def extend(self, slot: Slot, fence: int) -> bool:
        if fence == UNGUARDED:
            return True
        try:
            extended = await self._shared.attempt(
                lambda: self._extend(keys=_keys(slot), args=[self._lease, fence])
            )
        except SharedDownError:
            return True  # it cannot be told, and a token is worth more than a call saved
        return bool(extended)

    async def put(self, slot: Slot, issued: IssuedToken, fence: int) -> None:
        values = [fence, _field(slot), self._box.seal(issued), _KEEP_SECONDS]
        if not await self._ignoring_failure(self._put, slot, values):
            await self._meanwhile.put(slot, issued, fence)

    async def abandon(self, slot: Slot, fence: int) -> None:
        if fence != UNGUARDED:
            await self._ignoring_failure(self._abandon, slot, [fence])

    async def drop(self, identity: str, generation: int) -> None:
        await self._meanwhile.drop(identity, generation)
        tokens, _ = _keys(Slot(identity, generation, ()))
        try:
            await self._shared.attempt(lambda: self._shared.client.delete(tokens))
        except SharedDownError:
            return  # an old generation is never looked up

    async def close(self) -> None:
        await self._meanwhile.close()

    async def _ignoring_failure(self, script, slot: Slot, values: list) -> bool:  # type: ignore
        try:
            await self._shared.attempt(lambda: script(keys=_keys(slot), args=values))
        except SharedDownError:
            return False
        return True


def _field(slot: Slot) -> str:
    scopes = ",".join(slot.scopes)
    return f"{slot.key_id}:{scopes}" if slot.key_id else scopes


def _keys(slot: Slot) -> tuple[str, str]:
    """The hash of tokens, and the lease. The braces keep both on one node of a cluster.

    The identity is hashed, so that a list of Redis keys does not reveal it.
    """
    owner = hashlib.sha256(f"{slot.identity} {slot.generation}".encode()).hexdigest()
    return f"acs-token:{{{owner}}}", f"acs-token:{{{owner}}}:lease:{_field(slot)}"

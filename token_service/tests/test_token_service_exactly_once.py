"""However many processes a crowd asks: one identity and one token each, within the limits."""

from contextlib import AsyncExitStack

import pytest
from exactly_once import crowd
from processes import environment_of, program
from running_service import Services, Storage

from acs_identity_emulator import IdentityEmulator

PEOPLE = 300


@pytest.mark.heavy
@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("storage", ["servers"], indirect=True)
async def test_a_crowd_gets_one_identity_and_one_token_each(
    storage: Storage, processes: int
) -> None:
    async with (
        IdentityEmulator(throttle=True, retry_after=True) as emulator,
        AsyncExitStack() as stack,
    ):
        # Long time limits: a slow machine must not fail the test.
        settings = Services(emulator, storage, stack).settings(
            request_seconds=60, call_seconds=60, database_seconds=60, cache_seconds=30
        )
        environment = {**environment_of(settings), "ACS_TOKEN_LOG_REQUESTS": "false"}
        programs = [
            await stack.enter_async_context(program(environment=environment))
            for _ in range(processes)
        ]
        outcome = await crowd([each.url for each in programs], PEOPLE, within=3)
        assert outcome.statuses[200] == 3 * PEOPLE
        assert outcome.without_retry_after == 0
        assert set(outcome.statuses) <= {200, 503}
        assert all(len(tokens) == 1 for tokens in outcome.tokens.values())
        assert all(len(identities) == 1 for identities in outcome.identities.values())
        assert len(emulator.identities()) == PEOPLE == len(outcome.tokens)
        assert emulator.requests.count("create") == PEOPLE
        assert emulator.requests.count("issue") == PEOPLE
        assert emulator.requests.count(status=429) == 0

"""A few rounds of `kill_often.py`, whose default is fifty."""

import pytest
from kill_often import MOMENTS, crashing, kill_often
from running_service import Services


@pytest.mark.heavy
async def test_nobody_has_two_identities_and_no_identity_is_left_over(services: Services) -> None:
    rounds = len(MOMENTS)
    async with crashing(services) as crash:
        found = await kill_often(services, crash, rounds)
    assert found.is_right(rounds), found

"""How long an attempt may last."""

import time

import pytest

from azure.communication.identity._transports import _limits
from azure.communication.identity._transports._attempt import Attempt
from azure.communication.identity._transports._settings import Timeouts


def attempt(read: float | None, deadline: float | None, is_streamed: bool = False) -> Attempt:
    return Attempt(set(), Timeouts(None, read), deadline, is_streamed)


@pytest.mark.parametrize(
    ("read", "is_streamed", "seconds"),
    [
        (60, False, _limits.ATTEMPT_SECONDS),
        (600, False, 600),
        (None, False, None),
        (60, True, None),
        (None, True, None),
    ],
)
def test_without_a_deadline(read: float | None, is_streamed: bool, seconds: float | None) -> None:
    made = attempt(read, None, is_streamed)
    assert not made.has_deadline
    if seconds is None:
        assert made.deadline is None
        assert made.within(None) is None
        assert made.within(7) == 7
    else:
        assert made.within(None) == pytest.approx(seconds, abs=1)
        assert made.within(seconds + 7) == pytest.approx(seconds, abs=1)
        assert made.within(7) == 7


@pytest.mark.parametrize("is_streamed", [True, False])
@pytest.mark.parametrize("read", [None, 600])
def test_a_deadline_holds_whatever_the_timeouts_are(read: float | None, is_streamed: bool) -> None:
    made = attempt(read, time.monotonic() + 60, is_streamed)
    assert made.has_deadline
    assert made.within(read) == pytest.approx(60, abs=1)


def test_a_deadline_that_has_passed() -> None:
    with pytest.raises(TimeoutError, match="has passed"):
        attempt(60, time.monotonic() - 0.1).within(7)
    assert attempt(60, time.monotonic() + 0.9).within(7) == pytest.approx(0.9, abs=0.9)


def test_it_is_under_way_from_its_begin_to_its_end() -> None:
    under_way: set[Attempt] = set()
    made = Attempt(under_way, Timeouts(None, None), None, False)
    assert not made.is_begun
    assert not made.is_sent
    assert not made.is_aborted
    made.begin()
    assert under_way == {made}
    made.end()
    made.end()
    assert not under_way

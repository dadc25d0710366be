"""The targets of fuzzing: property tests of hypothesis, by name."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from either_client import KEY, ClientFactory, EitherClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ENDPOINT = "https://my-resource.communication.azure.com"
ID = "8:acs:x"
FLAVOURS = ("sync", "async")

Inputs = dict[str, st.SearchStrategy[Any]]

TARGETS: dict[str, tuple[Callable[..., None], Inputs]] = {}


def target(**inputs: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], None]:
    """Adds a function to the targets. It asserts what holds for all inputs."""

    def add(check: Callable[..., None]) -> None:
        TARGETS[check.__name__] = check, inputs

    return add


def as_test(name: str, **options: Any) -> Any:
    """A target as a test of hypothesis.

    :param options: Settings of hypothesis.
    """
    check, inputs = TARGETS[name]
    how = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], **options)
    return how(given(**inputs)(check))


def near(*pieces: str, length: int = 8) -> st.SearchStrategy[str]:
    """Text that is made of pieces, and of anything else."""
    return st.lists(st.sampled_from(pieces) | st.text(max_size=4), max_size=length).map("".join)


def near_bytes(*pieces: bytes, length: int = 8) -> st.SearchStrategy[bytes]:
    """Bytes that are made of pieces, and of anything else."""
    return st.lists(st.sampled_from(pieces) | st.binary(max_size=4), max_size=length).map(b"".join)


def changed(valid: str, *pieces: str) -> st.SearchStrategy[str]:
    """Valid text, a part of which is replaced."""
    places = st.integers(0, len(valid)), st.integers(0, 6), near(*pieces, length=2)
    return st.tuples(*places).map(
        lambda change: valid[: change[0]] + change[2] + valid[change[0] + change[1] :]
    )


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from([ID, "2124-03-01T12:30:05Z", "user", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


OPEN = ExitStack()
"""Closes what the targets share."""


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The loop of all async clients."""
    loop = asyncio.new_event_loop()
    OPEN.callback(loop.close)
    return loop


class SentError(ServiceRequestError):
    """The request would be sent now."""

    def __init__(self, request: Any) -> None:
        super().__init__("sent")
        self.request = request


class Sink(HttpTransport[Any, Any]):
    """Raises the request."""

    def send(self, request: Any, **kwargs: Any) -> Any:
        raise SentError(request)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...


class AsyncSink(AsyncHttpTransport[Any, Any]):
    """Raises the request."""

    async def send(self, request: Any, **kwargs: Any) -> Any:
        raise SentError(request)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(self, *exception: object) -> None: ...


Make = Callable[..., EitherClient]


def request_of(
    call: Callable[[EitherClient], object],
    make: Callable[[ClientFactory, Any], EitherClient] | None = None,
) -> Any:
    """The request that a call sends. None if the call, or the client, rejects its arguments.

    Both clients must behave alike.

    :param call: Calls a method of a client.
    :param make: Makes a client on a transport.
    """
    outcomes = [_outcome(flavour, call, make or _make_client) for flavour in FLAVOURS]
    assert outcomes[0][:2] == outcomes[1][:2]
    return outcomes[0][2]


def _make_client(factory: ClientFactory, transport: Any) -> EitherClient:
    return factory(ENDPOINT, transport=transport, retry_total=0)


def _outcome(flavour: str, call: Any, make: Any) -> tuple[str, str, Any]:
    factory = ClientFactory(flavour, event_loop())
    try:
        call(make(factory, Sink() if flavour == "sync" else AsyncSink()))
    except SentError as sent:
        return "sent", sent.request.url, sent.request
    except ServiceResponseTimeoutError:  # a timeout of 0 or less
        return "no time", "", None
    except (ValueError, TypeError) as error:
        assert KEY not in str(error)
        return type(error).__name__, str(error), None
    finally:
        factory.close_all()
    raise AssertionError("neither sent nor rejected")

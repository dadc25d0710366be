"""What an exception of a transport says: whether anything was sent, and whether to try again."""

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from urllib3.exceptions import LocationParseError

from azure.communication.identity._transports._aiohttp_response import guess_whether_sent
from azure.communication.identity._transports._attempt import Attempt
from azure.communication.identity._transports._failures import (
    InvalidSettingError,
    ProxyStatusError,
    failure,
)
from azure.communication.identity._transports._settings import Timeouts


def failed(error: Exception, *, is_timeout: bool = False, **state: bool) -> Any:
    attempt = Attempt(set(), Timeouts(None, None), None, is_streamed=False)
    for name, value in state.items():
        setattr(attempt, name, value)
    return failure(error, attempt, "https://host", is_timeout=is_timeout)


@pytest.mark.parametrize(
    ("is_sent", "state", "kind"),
    [
        (False, {}, ServiceRequestError),
        (True, {}, ServiceResponseError),
        (False, {"is_timeout": True}, ServiceRequestTimeoutError),
        (True, {"is_timeout": True}, ServiceResponseTimeoutError),
        (False, {"is_aborted": True}, ServiceRequestError),
        (True, {"is_aborted": True}, ServiceResponseError),
        (True, {"is_aborted": True, "is_timeout": True}, ServiceResponseError),
    ],
)
def test_the_kind_tells_whether_the_request_was_sent(
    is_sent: bool, state: dict[str, bool], kind: type[AzureError]
) -> None:
    error = failed(aiohttp.ClientError(), is_sent=is_sent, **state)
    assert type(error) is kind
    assert ("closed during" in error.message) is ("is_aborted" in state)


@pytest.mark.parametrize(
    "error",
    [
        InvalidSettingError("no such file"),
        UnicodeError(),
        aiohttp.InvalidURL("http://"),
        LocationParseError("http://"),
        *map(ProxyStatusError, [400, 407, 499]),
    ],
    ids=repr,
)
def test_what_cannot_succeed_has_no_cause_and_is_not_repeated(error: Exception) -> None:
    raised = failed(error)
    assert type(raised) is ServiceRequestError
    assert raised.inner_exception is None
    assert raised.__cause__ is None
    assert raised.exc_type is None


@pytest.mark.parametrize(
    "error",
    [aiohttp.ClientError(), ConnectionResetError(), *map(ProxyStatusError, [399, 500, 503])],
    ids=repr,
)
def test_what_may_pass_has_a_cause_of_the_system_and_is_repeated(error: Exception) -> None:
    raised = failed(error)
    assert isinstance(raised.inner_exception, ConnectionError)
    assert raised.__cause__ is raised.exc_value is raised.inner_exception
    assert raised.exc_type is type(raised.inner_exception)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1)")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (untrusted(), "self-signed certificate."),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused."),
        (ConnectionAbortedError("It is over."), "It is over."),
        (ConnectionResetError(), "ConnectionResetError."),
        (aiohttp.ServerDisconnectedError(), "the connection was closed."),
    ],
)
def test_the_reason_is_that_of_the_system(error: Exception, reason: str) -> None:
    assert failed(error).message == f"Could not connect to https://host: {reason}"


def test_the_nearest_error_of_the_system_is_the_cause() -> None:
    near, far = ConnectionRefusedError("near"), ConnectionResetError("far")
    wrapper = aiohttp.ClientError(near)
    wrapper.__cause__ = RuntimeError(far)
    assert failed(wrapper).__cause__ is near


REFUSED: Any = aiohttp.ClientConnectorError(None, OSError(111, "x"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "is_sent"),
    [
        (asyncio.TimeoutError(), True),
        (aiohttp.ServerDisconnectedError(), True),
        (aiohttp.SocketTimeoutError(), True),
        (aiohttp.ClientOSError(), True),
        (REFUSED, False),
        (aiohttp.ConnectionTimeoutError(), False),
        (aiohttp.InvalidURL("x"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_error_of_a_session_of_the_caller_tells_whether_it_has_sent_the_request(
    error: Exception, is_sent: bool
) -> None:
    attempt: Any = SimpleNamespace(is_sent=False)
    guess_whether_sent(error, attempt)
    assert attempt.is_sent is is_sent

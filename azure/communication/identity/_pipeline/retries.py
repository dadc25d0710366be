"""The retry policies: what is repeated, when, and until which deadline."""

from copy import copy
from functools import cache, partial
from time import monotonic
from typing import Any

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy, RetryMode, RetryPolicy

from .deadlines import (
    TIMEOUTS,
    attempt_options,
    deadline_after,
    ended_by,
    with_tokens_until,
    without_zero_timeouts,
)
from .retry_rules import TRANSIENT_STATUSES, is_transient_error, is_transient_status, operation_of

Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]

# The longest Retry-After that a call without a timeout waits for.
_LONGEST_WAIT = 120.0
_TOO_MANY_REQUESTS = 429
_ATTEMPTS = "attempts"
_GRACE = 0.25


class Attempts:
    """The attempts of one call: how many are left, and how much time.

    :param policy: The retry policy.
    :param request: The request.
    """

    def __init__(self, policy: Any, request: Request) -> None:
        options = request.context.options
        mode = options.pop("retry_mode", None)
        if mode is not None:
            policy = copy(policy)
            policy.retry_mode = _mode(mode)
        self._policy = policy
        # Not the request, whose context has this: cycles are left to the garbage collector.
        self.transport: Any = request.context.transport
        self._methods = options.get("retry_on_methods", policy.methods)
        self._statuses = options.pop("retry_on_status_codes", policy.statuses)
        self.settings = policy.configure_retries(options)
        self.deadline = deadline_after(self.settings["timeout"])
        # A transport that takes the deadline ends the attempt itself, and knows what it waited for.
        takes_deadline = getattr(self.transport, "takes_deadline", False)
        self.grace = _GRACE if takes_deadline else 0.0
        self._timeouts = {name: options[name] for name in TIMEOUTS if name in options}
        if self._timeouts:
            self._timeouts = without_zero_timeouts(self._timeouts)
            options.update(self._timeouts)

    def begin(self, request: Request) -> None:
        """Prepares the next attempt.

        :param request: The request.
        :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline has passed.
        """
        context = request.context
        context["retry_count"] = len(self.settings["history"])
        if self.deadline is not None:
            context.options.update(attempt_options(self.transport, self._timeouts, self.deadline))

    def pause_after_response(self, response: Response) -> float | None:
        """The seconds until the next attempt. None if the response ends the call."""
        status = response.http_response.status_code
        if status not in TRANSIENT_STATUSES and status not in self._statuses:
            return None  # before the operation is looked for
        is_repeatable = self._is_repeatable(response.http_request)
        if not is_transient_status(status, is_repeatable, self._statuses):
            return None
        retry_after = self._policy.get_retry_after(response)
        if self.deadline is None and retry_after > _LONGEST_WAIT:
            return None
        if not self._policy.increment(self.settings, response=response):
            return None
        backoff = self._policy.get_backoff_time(self.settings)
        if status == _TOO_MANY_REQUESTS:
            # azure-core repeats at once after the first failure, which a limit would reject again.
            backoff = max(backoff, min(self.settings["backoff"], self.settings["max_backoff"]))
        return self._in_time(retry_after or backoff)

    def pause_after_error(self, error: AzureError, request: Request) -> float | None:
        """The seconds until the next attempt. None if the error ends the call."""
        is_repeatable = self._is_repeatable(request.http_request)
        is_closed = getattr(self.transport, "is_closed", False)
        if is_closed or not is_transient_error(error, is_repeatable):
            return None
        if not isinstance(error, ServiceRequestError):
            # IncompleteReadError is an HttpResponseError, but counts as a read error here.
            error = ServiceResponseError(error.message, error=error)
        if not self._policy.increment(self.settings, response=request, error=error):
            return None
        return self._in_time(self._policy.get_backoff_time(self.settings))

    def _is_repeatable(self, http_request: Any) -> bool:
        if self._methods is not None:
            return http_request.method.upper() in self._methods
        return operation_of(http_request).is_repeatable

    def _in_time(self, pause: float) -> float | None:
        in_time = self.deadline is None or monotonic() + pause < self.deadline
        return pause if in_time else None


class _Policy:
    """What the policies of both clients have in common."""

    retry_mode: RetryMode

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"timeout": None, **kwargs})
        self.retry_mode = _mode(self.retry_mode)
        self.methods = kwargs.get("retry_on_methods")
        self.statuses = kwargs.get("retry_on_status_codes", ())

    def get_retry_after(self, response: Response) -> float:
        """The seconds that a response asks the client to wait.

        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        :return: The seconds. 0 if the header is missing or malformed.
        """
        try:
            return float(super().get_retry_after(response) or 0.0)  # type: ignore[misc]
        except (ValueError, TypeError, OverflowError):  # text, or more than a date can hold
            return 0.0

    def attempts(self, request: Request) -> Attempts:
        """The attempts of a call. A redirect runs the policy again, but does not start it anew."""
        attempts = request.context.get(_ATTEMPTS)
        if not isinstance(attempts, Attempts):
            attempts = request.context[_ATTEMPTS] = Attempts(self, request)
        return attempts


class OperationRetryPolicy(_Policy, RetryPolicy[Any, Any]):
    """Repeats requests of the sync client by what their operations do.

    Options are those of its base class, all of which calls may set, too. The default of ``timeout``
    is None.

    :keyword retry_on_methods: The methods that are repeated after any transient failure. Replaces
        :data:`~.retry_rules.OPERATIONS`.
    :paramtype retry_on_methods: ~collections.abc.Iterable[str]
    """

    def send(self, request: Request) -> Response:
        """Sends a request, and repeats it after transient failures.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.AzureError: If the last attempt has no response.
        :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline passes.
        """
        attempts = self.attempts(request)
        while True:
            try:
                attempts.begin(request)
                response = self._attempt(request, attempts.deadline)
                pause = attempts.pause_after_response(response)
                if pause is None:
                    self.update_context(response.context, attempts.settings)
                    return response
            except AzureError as error:
                pause = attempts.pause_after_error(error, request)
                if pause is None:
                    raise
            if pause:
                attempts.transport.sleep(pause)

    def _attempt(self, request: Request, deadline: float | None) -> Response:
        if deadline is None:
            return self.next.send(request)
        return with_tokens_until(deadline, partial(self.next.send, request))


class AsyncOperationRetryPolicy(_Policy, AsyncRetryPolicy[Any, Any]):
    """Repeats requests of the async client, as :class:`OperationRetryPolicy` does."""

    async def send(self, request: Request) -> Response:
        """Sends a request, and repeats it after transient failures.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.AzureError: If the last attempt has no response.
        :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline passes.
        """
        attempts = self.attempts(request)
        while True:
            try:
                attempts.begin(request)
                if attempts.deadline is None:
                    response: Response = await self.next.send(request)
                else:
                    last_moment = attempts.deadline + attempts.grace
                    response = await ended_by(last_moment, self.next.send(request))
                pause = attempts.pause_after_response(response)
                if pause is None:
                    self.update_context(response.context, attempts.settings)
                    return response
            except AzureError as error:
                pause = attempts.pause_after_error(error, request)
                if pause is None:
                    raise
            if pause:
                await attempts.transport.sleep(pause)


def _mode(mode: str) -> RetryMode:
    if not isinstance(mode, str):
        raise TypeError(
            f"retry_mode must be 'exponential', 'fixed' or a RetryMode, not {type(mode).__name__}."
        )
    return RetryMode(mode.lower())


def new_retry_policy(is_async: bool, **options: Any) -> Any:
    """The retry policy of a client.

    :param bool is_async: Whether the client is the async one.
    :param options: The options of the client.
    """
    if any(option == "timeout" or option.startswith("retry_") for option in options):
        return (AsyncOperationRetryPolicy if is_async else OperationRetryPolicy)(**options)
    # azure-core makes a table of 16 KiB for each policy. A copy shares it.
    return copy(_default_retry_policy(is_async))


@cache
def _default_retry_policy(is_async: bool) -> Any:
    return AsyncOperationRetryPolicy() if is_async else OperationRetryPolicy()

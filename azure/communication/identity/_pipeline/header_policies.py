"""The policies that set headers, with less to do for each request than those of azure-core."""

import os
from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import HeadersPolicy, RequestIdPolicy, UserAgentPolicy

from .._version import SDK_MONIKER


class FixedHeadersPolicy(HeadersPolicy):
    """Sets the headers of the client and of the call, which most do not have.

    Options are those of its base class.
    """

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Sets the headers.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        """
        if self.headers or "headers" in request.context.options:
            super().on_request(request)


class FixedUserAgentPolicy(UserAgentPolicy):
    """Names the client to the service. It reads the environment once, and not for each request.

    Options are those of its base class.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"sdk_moniker": SDK_MONIKER, **kwargs})
        addition = os.environ.get("AZURE_HTTP_USER_AGENT") if self.use_env else None
        self.use_env = False
        if addition is not None:
            self.add_user_agent(addition)


class RandomRequestIdPolicy(RequestIdPolicy):
    """Tells requests apart in the logs of client and service, by random ids.

    Its base class takes those of time and hardware, which cost more to make.

    Options are those of its base class.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._makes_ids = "request_id" not in kwargs and kwargs.get("auto_request_id", True)
        self._header = kwargs.get("request_id_header_name", "x-ms-client-request-id")

    def set_request_id(self, value: str) -> None:
        """Sets the id of all requests.

        :param str value: The id.
        """
        self._makes_ids = False
        super().set_request_id(value)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Sets the header.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        """
        headers = request.http_request.headers
        if not self._makes_ids or "request_id" in request.context.options:
            super().on_request(request)
        elif self._header not in headers:
            headers[self._header] = _random_guid()


def _random_guid() -> str:
    """A GUID of version 4, in half the time of `uuid.uuid4`."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

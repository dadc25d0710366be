"""What has to be done for callers who bring a transport of requests."""

from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport


def without_netrc(transport: object) -> list[SansIOHTTPPolicy[Any, Any]]:
    """The policy that a transport needs, if it is one of requests, sync or async."""
    return [_WithoutNetrcPolicy()] if isinstance(transport, RequestsTransport) else []


class _WithoutNetrcPolicy(SansIOHTTPPolicy[Any, Any]):
    """Keeps requests from reading .netrc, whose entries would take the place of the signature."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        # requests looks for no credentials if there are some, here a callable that adds nothing.
        request.context.options["auth"] = _unchanged

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        self.on_exception(request)

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        # A retry would take it for an option that the caller has misspelt.
        request.context.options.pop("auth", None)


def _unchanged(prepared_request: Any) -> Any:
    return prepared_request

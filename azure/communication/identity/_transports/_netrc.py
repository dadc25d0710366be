"""The policy for callers who pass a transport of requests."""

from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport


def without_netrc(transport: object) -> list[SansIOHTTPPolicy[Any, Any]]:
    """The policy that a transport of requests needs, sync or async; empty for other transports."""
    return [_WithoutNetrcPolicy()] if isinstance(transport, RequestsTransport) else []


class _WithoutNetrcPolicy(SansIOHTTPPolicy[Any, Any]):
    """Keeps requests from reading .netrc, whose entries would replace the signature."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        # requests does not look for credentials if some are set: here, a callable that adds none.
        request.context.options["auth"] = _unchanged

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        self.on_exception(request)

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        # On a retry it would count as a misspelt option of the caller.
        request.context.options.pop("auth", None)


def _unchanged(prepared_request: Any) -> Any:
    return prepared_request

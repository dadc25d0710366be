"""What has to be done for callers who bring a RequestsTransport."""

from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.pipeline.transport import HttpTransport, RequestsTransport


def without_netrc(transport: HttpTransport[Any, Any] | None) -> list[HTTPPolicy[Any, Any]]:
    """The policy that a transport needs, if it is one of requests."""
    return [_WithoutNetrcPolicy()] if isinstance(transport, RequestsTransport) else []


class _WithoutNetrcPolicy(HTTPPolicy[Any, Any]):
    """Keeps requests from reading .netrc, whose entries would take the place of the signature."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        # requests looks for no credentials if there are some, here a callable that adds nothing.
        request.context.options["auth"] = _unchanged
        try:
            return self.next.send(request)
        finally:
            request.context.options.pop("auth", None)


def _unchanged(prepared_request: Any) -> Any:
    return prepared_request

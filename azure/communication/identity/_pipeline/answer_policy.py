"""The check that a response answers its own request."""

from typing import Any

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

_HEADER = "x-ms-client-request-id"


class MatchingAnswerPolicy(SansIOHTTPPolicy[Any, Any]):
    """Rejects a response that echoes the id of another request.

    Extra bytes on a connection, from a server or a proxy, shift every later response by one, and
    with it the tokens of one user to another. The policy stands next to the transport, so that
    nothing else sees such a response. A response without an id is accepted.
    """

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Compares the ids.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.ServiceResponseError: If the ids differ.
        """
        echoed = response.http_response.headers.get(_HEADER)
        if echoed is None:
            return
        sent = request.http_request.headers.get(_HEADER)
        if sent is not None and echoed.strip() != sent.strip():
            raise ServiceResponseError(
                f"The response answers another request: {_HEADER} is not the one that was sent."
            )

"""The check that a response answers its own request, for transports that do not make it."""

from typing import Any

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from .._transports._matching import MISMATCH, REQUEST_ID, is_mismatch


class MatchingAnswerPolicy(SansIOHTTPPolicy[Any, Any]):
    """Rejects a response that echoes the id of another request.

    The policy stands next to the transport, so that nothing else sees such a response. The
    transports of this library check it themselves, and close the connection.
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
        sent = request.http_request.headers.get(REQUEST_ID)
        if is_mismatch(sent, response.http_response.headers.get(REQUEST_ID)):
            raise ServiceResponseError(f"The response is not used: {MISMATCH}")

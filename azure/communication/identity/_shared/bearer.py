"""Authentication with Entra tokens, to which malformed challenges are no challenges."""

import re
from base64 import urlsafe_b64decode
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    BearerTokenCredentialPolicy,
)

Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]


def _is_malformed(response: Response) -> bool:
    """Whether the claims of a challenge cannot be decoded: azure-core raises ValueError."""
    challenge = response.http_response.headers.get("WWW-Authenticate", "")
    match = re.search(r'claims="?([^",]*)', challenge, re.IGNORECASE)
    encoded = "" if match is None else match[1]
    try:
        urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8")
    except ValueError:
        return True
    return False


class EntraPolicy(BearerTokenCredentialPolicy[Any, Any]):
    """Authenticates the sync client."""

    def on_challenge(self, request: Request, response: Response) -> bool:
        """Gets a token with the claims that a 401 asks for.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        :return: Whether to repeat the request. False if the claims are malformed.
        :rtype: bool
        """
        return not _is_malformed(response) and super().on_challenge(request, response)


class AsyncEntraPolicy(AsyncBearerTokenCredentialPolicy[Any, Any]):
    """Authenticates the async client."""

    async def on_challenge(self, request: Request, response: Response) -> bool:
        """Gets a token with the claims that a 401 asks for.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        :return: Whether to repeat the request. False if the claims are malformed.
        :rtype: bool
        """
        return not _is_malformed(response) and await super().on_challenge(request, response)

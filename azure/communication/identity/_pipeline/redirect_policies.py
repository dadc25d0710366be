"""Redirects: off by default. A body or a signature is never sent to another host."""

import re
from typing import Any
from urllib.parse import urljoin

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import AsyncRedirectPolicy, RedirectPolicy

from .._shared.urls import split_url

_ORIGIN = r"https?://[A-Za-z0-9._\[\]:-]+"

Response = PipelineResponse[Any, Any]


class _Guarded:
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"permit_redirects": False, **kwargs})

    def get_redirect_location(self, response: Response) -> Any:
        """The location of a redirect that may be followed, else False.

        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        """
        location = super().get_redirect_location(response)  # type: ignore[misc]
        return location and _is_safe(location, response.http_request) and location


class GuardedRedirectPolicy(_Guarded, RedirectPolicy[Any, Any]):
    """Follows redirects of the sync client if ``permit_redirects`` is True.

    A redirect from https to http is not followed, nor is one that would send a body to another
    host. Requests to another host have no Authorization: SensitiveHeaderCleanupPolicy removes it.
    Options are those of the base class.
    """


class AsyncGuardedRedirectPolicy(_Guarded, AsyncRedirectPolicy[Any, Any]):
    """Follows redirects of the async client, as :class:`GuardedRedirectPolicy` does."""


def _is_safe(location: str, request: Any) -> bool:
    try:
        target = urljoin(request.url, location)
    except ValueError:  # not a URL
        return False
    origin, host, _ = split_url(request.url)
    next_origin, next_host, _ = split_url(target)
    # Characters on which URL parsers disagree could hide another host.
    if not re.fullmatch(_ORIGIN, next_origin):
        return False
    is_downgrade = origin.lower().startswith("https:") and not next_origin.startswith("https:")
    return not is_downgrade and (host == next_host or not request.body)

"""The headers and the body of a request, whichever library sends it."""

from typing import Any

from azure.core.rest import HttpRequest
from azure.core.utils import CaseInsensitiveDict


def body_of(request: Any) -> Any:
    """The body of a request: bytes, None, or an iterable of bytes.

    :raises TypeError: If the body is a form or a file, which these transports do not support.
    """
    # A request of azure.core.rest has its body in content; an older one in data.
    content = request.content if isinstance(request, HttpRequest) else request.data
    if isinstance(content, str):
        return content.encode() or None
    if isinstance(content, dict) or (content is None and getattr(request, "files", None)):
        raise TypeError(
            "Forms and files are not sent to this service. Other requests take another transport, "
            "such as azure.core.pipeline.transport.RequestsTransport()."
        )
    return content or None


def headers_of(request: Any, body: Any) -> dict[str, str]:
    """The headers of a request, by their names in lower case.

    :param request: The request.
    :param body: What :func:`body_of` returned for it.
    :raises ValueError: If a header holds a line break or a null character.
    """
    headers = request.headers
    if isinstance(headers, CaseInsensitiveDict):
        sent = dict(headers.lowerkey_items())
    else:
        sent = {name.lower(): value for name, value in headers.items()}
    if isinstance(body, bytes):
        # azure-core counts the characters of a str.
        sent["content-length"] = str(len(body))
    # The codings that responses decode, whatever the library below supports.
    sent.setdefault("accept-encoding", "gzip, deflate")
    # All at once: most requests have none.
    if _has_forbidden("".join((*sent, *sent.values()))):
        name = next(name for name, value in sent.items() if _has_forbidden(name + value))
        raise ValueError(f"A line break or a null character in the request header {name!r}.")
    return sent


def _has_forbidden(text: str) -> bool:
    return "\r" in text or "\n" in text or "\0" in text

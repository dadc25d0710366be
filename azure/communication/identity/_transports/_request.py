"""What is sent of a request, whichever library sends it."""

from collections.abc import Mapping
from typing import Any

from azure.core.rest import HttpRequest
from azure.core.utils import CaseInsensitiveDict

_EXPECTING_BODY = frozenset(["POST", "PUT", "PATCH"])


def body_of(request: Any) -> Any:
    """The body of a request: bytes, None, or what yields bytes.

    :raises TypeError: It is a form or a file, which these transports do not know.
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
    :param body: What :func:`body_of` made of its body.
    """
    headers = request.headers
    if isinstance(headers, CaseInsensitiveDict):
        sent = dict(headers.lowerkey_items())
    else:
        sent = {name.lower(): value for name, value in headers.items()}
    if isinstance(body, bytes):
        # azure-core counts the characters of a str.
        sent["content-length"] = str(len(body))
    # What responses can be decoded from, and not what the library below could.
    sent.setdefault("accept-encoding", "gzip, deflate")
    return sent


def head_of(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> str:
    """What is sent before the body, up to and including the empty line.

    :param str method: The HTTP method.
    :param str target: The path and the query.
    :param headers: The headers, by their names in lower case.
    :param body: The whole body, or None.
    :raises TypeError: A header is not a str.
    :raises ValueError: A line break in a header, or a space in the target.
    """
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [name + ": " + value for name, value in headers.items()]
    if "content-length" not in headers:
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        elif method in _EXPECTING_BODY:
            lines.append("content-length: 0")
    head = "\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count("\r") != breaks or head.count("\n") != breaks or "\0" in head:
        raise ValueError("A line break or a null character in a header of the request.")
    if lines[0].count(" ") != 2:
        raise ValueError("A space in the target of the request.")
    return head + "\r\n\r\n"

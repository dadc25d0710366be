"""Whether a response answers its own request.

Extra bytes on a connection, from a server or a proxy, shift every later response by one, and with
it the tokens of one user to another. The service echoes the id of the request.
"""

REQUEST_ID = "x-ms-client-request-id"
MISMATCH = f"it answers another request: its {REQUEST_ID} is not the one that was sent."


def is_mismatch(sent: str | None, echoed: str | None) -> bool:
    """Whether a response echoes the id of another request.

    :param sent: The id of the request. None accepts every response.
    :param echoed: The id in the response. None is accepted.
    """
    return (
        echoed != sent and None not in (sent, echoed) and str(echoed).strip() != str(sent).strip()
    )

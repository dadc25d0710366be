"""What may be passed to a user credential, and what it says when it is used wrongly."""

from collections.abc import Collection, Sequence

from .keywords import unknown_keyword
from .token_refresh import Schedule, always, never, on_demand, proactive

_OWNER = "CommunicationTokenCredential"
_KEYWORDS = (
    "token",
    "token_refresher",
    "proactive_refresh",
    "resource_endpoint",
    "token_credential",
    "scopes",
    "clock",
)

# The words of the official package, which programs compare.
CLOSED = "An instance of CommunicationTokenCredential cannot be reused once it has been closed."
_NOTHING_TO_REFRESH = "When 'proactive_refresh' is True, 'token_refresher' must not be None."

REENTERED = (
    "The token_refresher asked the credential that it is about to refresh for a token, and would "
    "wait for itself for ever."
)


def choose_schedule(
    token: object,
    token_refresher: object,
    proactive_refresh: bool,
    from_entra: Sequence[object],
    options: Collection[str],
) -> Schedule:
    """Checks which arguments of a credential go together.

    :param token: The argument of this name, as are the next two.
    :param token_refresher: Returns new tokens.
    :param proactive_refresh: Whether to do so ahead of need.
    :param from_entra: The arguments of a credential that is made from an Entra credential, of
        which those that were not given are None.
    :param options: The names of all other keyword arguments.
    :return: When tokens are refreshed.
    :raises TypeError: The refresher is not one, or a keyword argument is not known.
    :raises ValueError: They do not go together.
    """
    if proactive_refresh and token_refresher is None:
        raise ValueError(_NOTHING_TO_REFRESH)
    if any(argument is not None for argument in from_entra):
        if token is not None or token_refresher is not None:
            raise ValueError(
                "Pass either token or token_refresher, or token_credential: which of them would be "
                "served?"
            )
        return always
    for name in options:
        raise TypeError(unknown_keyword(name, _OWNER, _KEYWORDS))
    if token_refresher is None:
        if token is None:
            raise ValueError("Pass a token, or a token_refresher that gets one.")
        return never
    if not callable(token_refresher):
        raise TypeError(
            "token_refresher must be a function without parameters that returns a token, not "
            f"{type(token_refresher).__name__}."
        )
    return proactive if proactive_refresh else on_demand

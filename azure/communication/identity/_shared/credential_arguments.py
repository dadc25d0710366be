"""The arguments of a user credential, and which of them go together."""

from collections.abc import Collection, Sequence
from datetime import timedelta

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
    "opaque_token_lifetime",
    "clock",
)

# The message of the official package, which programs compare.
_NOTHING_TO_REFRESH = "When 'proactive_refresh' is True, 'token_refresher' must not be None."


def check_values(clock: object, opaque_token_lifetime: timedelta) -> None:
    """Checks the arguments of these names.

    :raises TypeError: If an argument has the wrong type.
    :raises ValueError: If the lifetime is out of range.
    """
    if clock is not None and not callable(clock):
        raise TypeError(
            "clock must be a function that returns the time in Unix seconds, not "
            f"{type(clock).__name__}."
        )
    if not isinstance(opaque_token_lifetime, timedelta):
        raise TypeError(
            "opaque_token_lifetime must be a datetime.timedelta, not "
            f"{type(opaque_token_lifetime).__name__}."
        )
    if not timedelta(seconds=1) <= opaque_token_lifetime <= timedelta(days=1):
        raise ValueError(
            "opaque_token_lifetime must be from one second to one day, not "
            f"{opaque_token_lifetime}."
        )


def choose_schedule(
    token: object,
    token_refresher: object,
    proactive_refresh: bool,
    from_entra: Sequence[object],
    options: Collection[str],
) -> Schedule:
    """Checks which arguments of a credential go together.

    :param token: The first token.
    :param token_refresher: Returns new tokens.
    :param proactive_refresh: Whether tokens are refreshed ahead of need.
    :param from_entra: The arguments for an exchange of Entra tokens. Omitted ones are None.
    :param options: The names of all other keyword arguments.
    :return: When tokens are refreshed.
    :raises TypeError: If the refresher is not callable, or a keyword argument is unknown.
    :raises ValueError: If the arguments exclude each other.
    """
    if proactive_refresh and token_refresher is None:
        raise ValueError(_NOTHING_TO_REFRESH)
    if any(argument is not None for argument in from_entra):
        if token is not None or token_refresher is not None:
            raise ValueError(
                "Pass either token and token_refresher, or token_credential: the credential serves "
                "one token."
            )
        return always
    for name in options:
        raise TypeError(unknown_keyword(name, _OWNER, _KEYWORDS))
    if token_refresher is None:
        if token is None:
            raise ValueError("Pass a token, or a token_refresher that returns one.")
        return never
    if not callable(token_refresher):
        raise TypeError(
            "token_refresher must be a function without parameters that returns a token, not "
            f"{type(token_refresher).__name__}."
        )
    return proactive if proactive_refresh else on_demand

"""The error for an unknown keyword argument."""

from collections.abc import Collection


def unknown_keyword(name: str, owner: str, known: Collection[str]) -> str:
    """The message for an unexpected keyword argument.

    :param str name: The keyword.
    :param str owner: The name of the class or call that got it.
    :param known: The keywords that exist.
    """
    from difflib import get_close_matches  # rarely needed

    # A known name is not misspelt: it belongs to another method.
    nearest = [] if name in known else get_close_matches(name, sorted(known), n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"{owner} got an unexpected keyword argument {name!r}.{hint}"

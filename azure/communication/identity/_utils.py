from datetime import timedelta
from typing import overload

_MINUTE = timedelta(minutes=1)


@overload
def convert_timedelta_to_mins(duration: timedelta) -> int: ...


@overload
def convert_timedelta_to_mins(duration: None) -> None: ...


def convert_timedelta_to_mins(duration: timedelta | None) -> int | None:
    """Converts a duration to minutes, rounded down.

    :param duration: A duration, or None.
    :type duration: ~datetime.timedelta or None
    :return: The whole minutes. None for None.
    :rtype: int or None
    """
    return None if duration is None else duration // _MINUTE

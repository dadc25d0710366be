"""The lifetimes and times that a developer can give to tokens and to the clock."""

from datetime import timedelta

TOKEN_SECONDS = range(1, 24 * 3600 + 1)
FARTHEST = timedelta(days=3660)
"""How far the clock can be moved: ten years, so that dates and expiries stay representable."""

"""The lifetimes that a developer can give to all tokens."""

TOKEN_SECONDS = range(1, 24 * 3600 + 1)

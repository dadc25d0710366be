VERSION = "1.6.0b1"

SDK_MONIKER = f"communication-identity/{VERSION}"
"""What this library calls itself in the User-Agent header."""

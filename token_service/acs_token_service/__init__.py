"""Signs people in and hands out their Azure Communication Services access tokens."""

__version__ = "1.0.0b1"

__all__ = ["__version__"]

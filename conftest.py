"""What holds for all tests, those of the emulator included."""

import sys

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if sys.version_info < (3, 11):
        # asyncio of 3.10 does not close the TLS transport of a connection that breaks.
        unclosed = "ignore:unclosed transport <asyncio.sslproto:ResourceWarning"
        config.addinivalue_line("filterwarnings", unclosed)

"""What is decompressed, and up to which length."""

import gzip
import random
import zlib

import pytest

from azure.communication.identity._transports import _limits
from azure.communication.identity._transports._decompression import decompressor
from azure.communication.identity._transports._failures import InvalidResponseError


def decompressed(coding: str, *blocks: bytes, has_limit: bool = True) -> bytes:
    found = decompressor(coding, has_limit=has_limit)
    assert found is not None
    result = b"".join(map(found.feed, blocks))
    found.finish()
    return result


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


# Its second half refers to the first, almost the whole window of 32 KiB before.
_FAR = 2 * random.Random(0).randbytes(32_000)
# The first byte has the low half of a zlib header but for its last bit: padding, which is ignored.
_STORED = b"\x09\x02\x00\xfd\xff{}"


@pytest.mark.parametrize(
    ("coding", "sent", "body"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0), b"{}"),
        (" X-GZIP ", gzip.compress(b"{}", mtime=0), b"{}"),
        ("gzip", gzip.compress(_FAR, mtime=0), _FAR),
        ("gzip", 2 * gzip.compress(b"1", mtime=0), b"11"),
        ("gzip", 2 * gzip.compress(_FAR, mtime=0), 2 * _FAR),
        ("gzip", gzip.compress(b"1", mtime=0) + b"padding", b"1"),
        ("deflate", 2 * zlib.compress(b"1"), b"1"),
        ("deflate", zlib.compress(b"{}"), b"{}"),
        ("deflate", zlib.compress(_FAR), _FAR),
        ("deflate", raw_deflate(b"{}"), b"{}"),
        ("deflate", _STORED, b"{}"),
    ],
)
def test_a_body_in_one_block_or_in_many(coding: str, sent: bytes, body: bytes) -> None:
    assert decompressed(coding, sent) == body
    assert decompressed(coding, b"", sent[:1], sent[1:]) == body


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_no_body_is_complete(coding: str) -> None:
    assert decompressed(coding) == decompressed(coding, b"") == b""


@pytest.mark.parametrize("coding", [None, "", "identity", "br"])
def test_another_coding_is_left_alone(coding: str | None) -> None:
    assert decompressor(coding, has_limit=True) is None


@pytest.mark.parametrize(
    ("coding", "sent", "text"),
    [
        ("gzip", zlib.compress(b"{}"), "malformed"),
        ("gzip", b"{}", "malformed"),
        ("deflate", b"\xff", "malformed"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-1], "cut short"),
        ("gzip", 2 * gzip.compress(b"{}", mtime=0)[:-1], "malformed"),
        ("gzip", (2 * gzip.compress(b"{}", mtime=0))[:-1], "cut short"),
        ("deflate", zlib.compress(b"{}")[:1], "cut short"),
    ],
)
def test_a_body_that_is_malformed_or_cut_short(coding: str, sent: bytes, text: str) -> None:
    with pytest.raises(InvalidResponseError, match=text):
        decompressed(coding, sent)


class TestLimit:
    @pytest.fixture(autouse=True)
    def _limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_limits, "MAX_BODY_BYTES", 100)

    def test_a_body_of_exactly_the_limit(self) -> None:
        body = b"1" * 100
        sent = gzip.compress(body, mtime=0)
        assert decompressed("gzip", sent) == decompressed("gzip", sent[:20], sent[20:]) == body

    def test_a_byte_more(self) -> None:
        with pytest.raises(InvalidResponseError, match="the body is longer than"):
            decompressed("gzip", gzip.compress(b"1" * 101, mtime=0))

    def test_of_many_members(self) -> None:
        members = 101 * gzip.compress(b"1", mtime=0)
        with pytest.raises(InvalidResponseError, match="the body is longer than"):
            decompressed("gzip", members)

    def test_a_streamed_body_has_none(self) -> None:
        sent = gzip.compress(b"1" * 999)
        assert decompressed("gzip", sent, has_limit=False) == b"1" * 999

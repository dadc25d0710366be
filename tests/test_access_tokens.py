"""The expiry of a token, and conversions of times."""

import base64
import json
import time
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure.communication.identity._shared.utils import (
    _convert_datetime_to_utc_int,
    create_access_token,
    get_current_utc_as_int,
    get_current_utc_time,
)
from azure.communication.identity._utils import convert_timedelta_to_mins

EXPIRY = 1795511100


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token_of(payload: Any) -> str:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"eyJhbGciOiJub25lIn0.{base64url(data)}.c2lnbmF0dXJl"


CLAIMS: dict[str, dict[str, Any]] = {
    "exp alone": {"exp": EXPIRY},
    "a fraction of a second": {"exp": EXPIRY + 0.75},
    "those of a user": {"skypeid": "acs:1_2", "scp": 1792, "exp": EXPIRY, "acsScope": "chat,voip"},
    "not ASCII": {"name": "Zoë Łukasz 佐藤 🙂", "exp": EXPIRY},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_the_expiry_is_that_of_the_claims(claims: dict[str, Any], ensure_ascii: bool) -> None:
    token = token_of(json.dumps(claims, ensure_ascii=ensure_ascii).encode())
    found = create_access_token(token)
    assert found.token == token
    assert found.expires_on == EXPIRY
    assert type(found.expires_on) is int


def test_the_alphabet_is_base64url() -> None:
    token = token_of('{"exp": 1795511100, "a": "~~~???>>>ÿÿÿ"}'.encode())
    assert {"-", "_"} < set(token)
    assert create_access_token(token).expires_on == EXPIRY


@pytest.mark.parametrize("padding", range(4))
def test_the_payload_may_be_of_any_length_and_padded(padding: int) -> None:
    data = json.dumps({"exp": EXPIRY, "a": "a" * padding}).encode()
    for payload in (base64url(data), base64.urlsafe_b64encode(data).decode()):
        assert create_access_token(f"header.{payload}.signature").expires_on == EXPIRY


@pytest.mark.parametrize("space", [" ", "\n ", " \r\n", "    "], ids=repr)
def test_white_space_in_the_payload_is_passed_over(space: str) -> None:
    payload = base64url(b'{"exp": 1795511100}')
    assert create_access_token(f"h.{payload[:9]}{space}{payload[9:]}.s").expires_on == EXPIRY


@given(
    st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4),
    st.integers(0, 2**40),
)
@settings(max_examples=60, deadline=None)
def test_tokens_of_another_library_are_read(claims: dict[str, Any], exp: int) -> None:
    # PyJWT insists on the types of the claims that it knows.
    others = {name: value for name, value in claims.items() if len(name) != 3}
    token = jwt.encode({**others, "exp": exp}, "a" * 32, algorithm="HS256")
    assert create_access_token(token).expires_on == exp


SECRET = "c2VjcmV0"
MALFORMED = {
    "empty": "",
    "one part": SECRET,
    "two parts": f"{SECRET}.{base64url(b'{}')}",
    "four parts": f"a.{base64url(json.dumps({'exp': EXPIRY}).encode())}.b.{SECRET}",
    "an empty payload": f"{SECRET}..{SECRET}",
    "not base64": f"a.{SECRET}A.b",
    "not base64 at all": f"a.é{SECRET}.b",
    "not UTF-8": token_of(b'{"a": "\xff' + SECRET.encode() + b'"}'),
    "not JSON": token_of(b"exp=" + SECRET.encode()),
    "JSON of another shape": token_of([SECRET]),
    "a number": token_of(EXPIRY),
    "null": token_of(None),
    "nested too deep": token_of(b"[" * 200_000),
    "no exp": token_of({"iat": EXPIRY, "a": SECRET}),
    "exp is null": token_of({"exp": None, "a": SECRET}),
    "exp is text": token_of({"exp": SECRET}),
    "exp is a list": token_of({"exp": [EXPIRY, SECRET]}),
    "exp is not a number": token_of(b'{"exp": NaN}'),
    "exp is infinite": token_of(b'{"exp": 1e999}'),
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ValueError, match=r"^The token is not a JWT with an expiry") as caught:
        create_access_token(token)
    assert type(caught.value) is ValueError
    assert caught.value.__suppress_context__
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("token", [None, b"a.b.c", 1])
def test_a_token_of_another_type_is_a_type_error(token: Any) -> None:
    with pytest.raises(TypeError, match=r"^The token must be a str, not "):
        create_access_token(token)


IN_TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 24, 9, 5, tzinfo=timezone.utc), EXPIRY),
        (datetime(2026, 11, 24, 18, 5, tzinfo=IN_TOKYO), EXPIRY),
        (datetime(2026, 11, 24, 9, 5), EXPIRY),  # taken for UTC
        (datetime(2026, 11, 24, 9, 5, 0, 999999, tzinfo=timezone.utc), EXPIRY),
        (datetime(1970, 1, 1, tzinfo=timezone.utc), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=timezone.utc), -1),
        (datetime(1, 1, 1), -62135596800),
    ],
)
def test_a_time_in_unix_seconds(moment: datetime, expected: int) -> None:
    found = _convert_datetime_to_utc_int(moment)
    assert found == expected
    assert type(found) is int


def test_the_current_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: EXPIRY + 0.9)
    assert get_current_utc_as_int() == EXPIRY
    assert get_current_utc_time() == "Tue, 24 Nov 2026 09:05:00 GMT"
    assert parsedate_to_datetime(get_current_utc_time()).timestamp() == EXPIRY


@pytest.mark.parametrize(
    ("duration", "minutes"),
    [
        (None, None),
        (timedelta(0), 0),
        (timedelta(hours=1), 60),
        (timedelta(days=1), 1440),
        (timedelta(minutes=61, seconds=59, microseconds=999999), 61),
        (timedelta(seconds=59), 0),
        (timedelta(seconds=-1), -1),
        (timedelta(days=999999999), 1439999998560),
    ],
)
def test_whole_minutes_of_a_duration(duration: timedelta | None, minutes: int | None) -> None:
    found = convert_timedelta_to_mins(duration)
    assert found == minutes
    assert type(found) is type(minutes)

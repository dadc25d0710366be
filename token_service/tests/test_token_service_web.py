"""Headers, CORS, errors and health, for browsers and operators."""

from typing import Any

import pytest
from running_service import Services

pytestmark = pytest.mark.parametrize("storage", ["embedded"], indirect=True)
ORIGIN = "https://app.example.com"
ROUTES = [
    ("GET", "/token", 401),
    ("POST", "/signout", 401),
    ("DELETE", "/me", 401),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/nowhere", 404),
    ("PUT", "/token", 405),
    ("OPTIONS", "/token", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), ROUTES)
async def test_every_response_has_the_security_headers(
    services: Services, method: str, path: str, status: int
) -> None:
    browser = await services.start(hsts=True)
    reply = await browser.send(method, path)
    assert reply.status == status
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert reply.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Server"] == "acs-token-service"  # and no versions
    assert "Access-Control-Allow-Origin" not in reply.headers
    if status >= 400:
        assert set(reply.body["error"]) == {"code", "message"}


async def test_pages_of_named_origins_may_call(services: Services) -> None:
    browser = await services.start(allowed_origins=f"{ORIGIN},http://localhost:3000")
    preflight = await browser.send(
        "OPTIONS",
        "/token",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert preflight.headers["Access-Control-Allow-Headers"] == (
        "Authorization, Content-Type, traceparent, tracestate"
    )
    assert "DELETE" in preflight.headers["Access-Control-Allow-Methods"]
    # An error can be read by the page as well, with the time to come back.
    refused = await browser.send("GET", "/token", headers={"Origin": ORIGIN})
    assert refused.status == 401
    assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert refused.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert refused.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in refused.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.com.evil.example", "null", "*", ""]
)
async def test_pages_of_other_origins_may_not(services: Services, origin: str) -> None:
    browser = await services.start(allowed_origins=ORIGIN)
    for options in (
        {"method": "GET", "headers": {"Origin": origin}},
        {
            "method": "OPTIONS",
            "headers": {"Origin": origin, "Access-Control-Request-Method": "GET"},
        },
    ):
        reply = await browser.send(path="/token", **options)  # type: ignore[arg-type] # mixed values
        assert not [name for name in reply.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("origin", ["app.example.com", "https://app.example.com/", "*", "https://"])
def test_what_is_not_an_origin_is_refused(services: Services, origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        services.settings(allowed_origins=origin)


@pytest.mark.parametrize("options", [{"data": b"x" * 100_000}, {"headers": {"X": "x" * 40_000}}])
async def test_large_requests_are_refused(services: Services, options: dict[str, Any]) -> None:
    browser = await services.start()
    reply = await browser.send("POST", "/development/signin", **options)
    assert reply.status in (400, 413)


async def test_readiness_tells_what_is_wrong(services: Services) -> None:
    browser = await services.start()
    ready = await browser.send("GET", "/readyz")
    assert (ready.status, ready.body) == (
        200,
        {
            "ready": True,
            "stopping": False,
            "database": "ok",
            "resource": "ok",
            "sharedCache": "none",
        },
    )


async def test_readiness_does_not_use_up_the_limits(services: Services) -> None:
    browser = await services.start(limit_revoke=1, limit_reserve=0)
    assert [(await browser.send("GET", "/readyz")).status for _ in range(5)] == [200] * 5


async def test_metrics_have_routes_and_no_paths(services: Services) -> None:
    browser = await services.start()
    await browser.send("GET", "/secret-path?token=secret")
    await (await browser.sign_in("ada-lovelace")).ask()
    metrics = (await browser.send("GET", "/metrics")).body
    assert 'acs_token_request_seconds_count{method="GET",route="/token",status="200"}' in metrics
    assert 'acs_token_request_seconds_count{method="GET",route="unknown",status="404"}' in metrics
    for secret in ("secret", "ada-lovelace", "8:acs:"):
        assert secret not in metrics


async def test_other_methods_make_no_metrics_of_their_own(services: Services) -> None:
    browser = await services.start()
    assert (await browser.send("PROPFIND", "/token")).status == 405
    metrics = (await browser.send("GET", "/metrics")).body
    assert "PROPFIND" not in metrics
    assert (
        'acs_token_request_seconds_count{method="unknown",route="unknown",status="405"}' in metrics
    )


async def test_metrics_can_be_turned_off(services: Services) -> None:
    browser = await services.start(metrics=False)
    assert (await browser.send("GET", "/metrics")).status == 404

"""The settings, from environment variables that begin with ``ACS_TOKEN_``."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet
from limits import parse
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from yarl import URL

from .people.database import driver_of
from .signin.bearer import IssuerOptions
from .signin.development import is_loopback, load_key
from .signin.scopes import GUESTS_JOIN, ScopeRule
from .tokens.credentials import ConnectionString, check_endpoint

PREFIX = "ACS_TOKEN_"
_OPTIONAL = ("resource_connection_string", "resource_connection_string_file", "resource_endpoint")
List = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Each field is an environment variable: ``ACS_TOKEN_`` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    # The resource
    resource_connection_string: SecretStr | None = Field(
        None, description="Connection string of the Communication Services resource."
    )
    resource_connection_string_file: Path | None = Field(
        None,
        description="File that holds the connection string, such as a mounted secret. It is read "
        "again every few seconds and when the resource rejects the key, so that a key is rotated "
        "without a restart.",
    )
    resource_endpoint: str | None = Field(
        None,
        description="Endpoint of the resource, `https://NAME.communication.azure.com`. The service "
        "signs in to it by `DefaultAzureCredential` (managed identity, workload identity, …); "
        "needs the extra `entra`.",
    )
    custom_ids: bool = Field(
        True,
        description="Create identities with an id of our own, by API version "
        "`2025-03-02-preview`, so that a lost response never leaves a second identity behind. With "
        "`false` only stable API versions are used, and what may be lost is counted by the metric "
        "`acs_token_identities_unaccounted`.",
    )
    call_seconds: float = Field(10, gt=0, description="Seconds for one call to the resource.")

    # Signing in
    issuers: Annotated[tuple[IssuerOptions, ...], NoDecode] = Field(
        (),
        description="OpenID Connect providers as a JSON list of objects with `issuer` and "
        "`audience`, and if need be `jwks_uri` and `subject_claim`. For Microsoft Entra: "
        "`entra_tenant` (a GUID) instead of `issuer`, and the client id of your API as `audience`.",
    )
    allowed_origins: List = Field(
        (), description="Origins whose pages may call the service, separated by commas."
    )
    scope_rules: Annotated[tuple[ScopeRule, ...], NoDecode] = Field(
        GUESTS_JOIN,
        description="Who may have which scopes, as a JSON list of objects with `claim`, `value` "
        "and `scopes`. The first rule that fits decides; one without a claim fits everybody.",
    )
    clock_leeway: float = Field(
        60, ge=0, le=300, description="Seconds by which the clock of an issuer may differ."
    )
    development_login: bool = Field(
        False,
        description="Let anybody sign in by any name, for trying. Rejected unless `host` is a "
        "loopback address.",
    )
    development_key: SecretStr | None = Field(
        None,
        description="Private key (PEM, P-256) that signs development logins; by default a new one "
        "at each start.",
    )

    # Storage
    database_url: SecretStr = Field(
        SecretStr("sqlite+aiosqlite:///token-service.db"),
        description="`sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER:PASSWORD@HOST/NAME` "
        "(extra `postgresql`). Over a network add `?ssl=verify-full`: TLS, and the server is "
        "verified by the authorities in the file that the variable `PGSSLROOTCERT` names.",
    )
    database_seconds: float = Field(5, gt=0, description="Seconds for one use of the database.")
    database_connections: int = Field(
        10, ge=1, description="Connections to the database, for each process."
    )
    cache_url: SecretStr = Field(
        SecretStr("memory://"),
        description="`memory://` keeps tokens in each process; `redis://`, `rediss://` or "
        "`unix://` (extra `redis`) shares them and the limits between processes.",
    )
    cache_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys that encrypt tokens in Redis, separated by commas; the first encrypts, "
        "all decrypt. `acs-token-service new-key` makes one.",
    )
    cache_seconds: float = Field(0.5, gt=0, description="Seconds for one command to Redis.")

    # Tokens
    token_lifetime_minutes: int | None = Field(
        None,
        ge=60,
        le=1440,
        description="Lifetime of tokens; by default the resource's own, a day.",
    )
    min_remaining: float = Field(
        0.25, gt=0, lt=1, description="Part of a token's life that is left when it is handed out."
    )
    refresh_remaining: float = Field(
        0.35,
        gt=0,
        lt=1,
        description="Part of its life at which the token of an active person is renewed ahead.",
    )
    active_seconds: float = Field(
        6 * 3600, ge=0, description="Seconds since a person was here for it to count as active."
    )
    local_seconds: float = Field(
        2,
        ge=0,
        description="Seconds for which a process hands out a token again without asking the "
        "database. A sign-out takes at least as long, so that no process hands out a revoked token "
        "once it is answered.",
    )

    # Limits
    limit_create: int = Field(1000, ge=1, description="Identities in 30 seconds.")
    limit_issue: int = Field(1000, ge=1, description="Tokens in 30 seconds.")
    limit_revoke: int = Field(500, ge=1, description="Revocations in 30 seconds.")
    limit_delete: int = Field(500, ge=1, description="Deletions in 30 seconds.")
    limit_reserve: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Part of the limits that only sign-outs and deletions that a person asks for "
        "may use.",
    )
    processes: int | None = Field(
        None,
        ge=1,
        description="Processes of the service on all machines, among which the limits are divided "
        "without Redis and while it is down; by default `workers`.",
    )
    request_seconds: float = Field(
        15,
        gt=0,
        description="Seconds that a request may wait for its token. One that cannot have it by "
        "then gets 503 with `Retry-After` at once.",
    )
    person_rate: str = Field(
        "60/minute", description="Requests of one person to one process that miss its memory."
    )
    person_issue_rate: str = Field(
        "20/minute", description="Tokens that are issued for one person, over all processes."
    )

    # The process
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(
        8080, ge=0, le=65535, description="Port to listen on; 0 for any that is free."
    )
    workers: int = Field(1, ge=1, description="Processes on this machine.")
    hsts: bool = Field(
        False, description="Tell browsers to use https only. For a service behind a proxy with TLS."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level."
    )
    log_requests: bool = Field(True, description="Log a line for each request, at level info.")
    metrics: bool = Field(True, description="Serve `/metrics` for Prometheus.")
    tracing: bool = Field(
        False,
        description="Send OpenTelemetry spans as the variables `OTEL_EXPORTER_OTLP_…` say (extra "
        "`otlp`).",
    )
    migrate: bool = Field(True, description="Bring the database to this version at the start.")
    upkeep_seconds: float = Field(
        15,
        gt=0,
        description="Seconds between rounds that renew tokens ahead and finish sign-outs and "
        "deletions.",
    )
    shutdown_seconds: float = Field(
        30, gt=0, description="Seconds to finish what is under way when the service is stopped."
    )

    @field_validator("allowed_origins", "cache_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("issuers", "scope_rules", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError:
            raise ValueError("expected a list of objects in JSON") from None

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            url = URL(origin)
            if not url.host or str(url.origin()) != origin:
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.com")
        return origins

    @field_validator("person_rate", "person_issue_rate")
    @classmethod
    def _is_rate(cls, rate: str) -> str:
        try:
            parse(rate)
        except ValueError as error:
            raise ValueError("expected a rate such as 20/minute") from error
        return rate

    @field_validator(*_OPTIONAL, mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("resource_connection_string")
    @classmethod
    def _is_connection_string(cls, text: SecretStr | None) -> SecretStr | None:
        if text is not None:
            ConnectionString.parse(text.get_secret_value())
        return text

    @field_validator("resource_endpoint")
    @classmethod
    def _is_endpoint(cls, endpoint: str | None) -> str | None:
        if endpoint is not None:
            check_endpoint(endpoint, ["https"])  # tokens of Entra are not sent by http
        return endpoint

    @field_validator("development_key")
    @classmethod
    def _is_private_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            load_key(key.get_secret_value())
        return key

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, url: SecretStr) -> SecretStr:
        driver_of(url.get_secret_value())
        return url

    @field_validator("cache_url")
    @classmethod
    def _is_cache(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        try:
            parsed = URL(text)
            is_cache = text == "memory://" or (
                (parsed.scheme in ("redis", "rediss") and bool(parsed.host))
                or (parsed.scheme == "unix" and bool(parsed.path))
            )
        except ValueError:  # quotes a part of the password as the port
            is_cache = False
        if not is_cache:
            raise ValueError(
                "expected memory://, redis://HOST, rediss://HOST or unix://PATH; in a password, "
                "characters such as / and @ are written as %2F and %40"
            )
        return url

    @field_validator("cache_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError("a key must be 32 bytes in URL-safe base64") from None
        return keys

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        resources = (
            self.resource_connection_string,
            self.resource_connection_string_file,
            self.resource_endpoint,
        )
        if sum(given is not None for given in resources) != 1:
            raise ValueError(
                "set one of ACS_TOKEN_RESOURCE_CONNECTION_STRING, "
                "ACS_TOKEN_RESOURCE_CONNECTION_STRING_FILE and ACS_TOKEN_RESOURCE_ENDPOINT, or "
                "try it on an emulated resource with --dev"
            )
        if self.development_login and not is_loopback(self.host):
            raise ValueError(
                "ACS_TOKEN_DEVELOPMENT_LOGIN lets anybody be anybody: it needs a loopback "
                "ACS_TOKEN_HOST such as 127.0.0.1"
            )
        if not self.issuers and not self.development_login:
            raise ValueError("nobody could sign in: set ACS_TOKEN_ISSUERS")
        if self.shares_cache and not self.cache_keys:
            raise ValueError(
                "tokens in Redis are encrypted: set ACS_TOKEN_CACHE_KEYS; "
                "`acs-token-service new-key` makes a key"
            )
        if self.refresh_remaining < self.min_remaining:
            raise ValueError("ACS_TOKEN_REFRESH_REMAINING must be at least ACS_TOKEN_MIN_REMAINING")
        return self

    @property
    def shares_cache(self) -> bool:
        return self.cache_url.get_secret_value() != "memory://"

    @property
    def all_processes(self) -> int:
        return self.processes or self.workers

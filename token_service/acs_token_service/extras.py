"""The packages that the extras of the distribution install."""

_EXTRAS = {
    "acs_identity_emulator": "dev",
    "asyncpg": "postgresql",
    "azure": "entra",
    "opentelemetry": "otlp",
    "redis": "redis",
}


def missing(error: ModuleNotFoundError) -> str:
    """Says which extra to install for a module that was not found."""
    extra = _EXTRAS.get(str(error.name).partition(".")[0], "all")
    return f"{error.name} is not installed: pip install acs-token-service[{extra}]"

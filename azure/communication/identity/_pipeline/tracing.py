"""The name of this library in traces."""

from typing import Any

from .._version import VERSION

INSTRUMENTATION: dict[str, Any] = {
    "library_name": "azure-communication-identity",
    "library_version": VERSION,
    "attributes": {"az.namespace": "Microsoft.Communication"},
}
"""The instrumentation scope: of the clients' ``_instrumentation_config``, which azure-core's
``distributed_trace`` reads, and of the spans of their requests."""

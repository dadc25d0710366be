"""The errors of Microsoft Entra ID: `AADSTS` numbers in the JSON of OAuth 2.0."""

from dataclasses import dataclass
from datetime import datetime, timezone

from ..contract.errors import ServiceError
from ..contract.reasons import Reason, ReasonCode
from ..state import unique


@dataclass(eq=False)
class EntraError(ServiceError):
    """An error response of Entra.

    :param error: The code of OAuth 2.0.
    :param number: The number after `AADSTS`.
    """

    error: str = ""
    number: int = 0
    now: float = 0.0

    def body(self) -> dict[str, object]:
        """The JSON of the response, as clients of Entra parse it."""
        trace_id, correlation_id = unique.guid(), unique.guid()
        date = datetime.fromtimestamp(int(self.now), timezone.utc)
        timestamp = date.strftime("%Y-%m-%d %H:%M:%SZ")
        description = (
            f"{self.code}: {self.message} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}"
        )
        return {
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
        }


def entra_error(
    status: int, error: str, number: int, message: str, why: str, now: float
) -> EntraError:
    """
    :param message: For the client; it may quote what the client sent.
    :param why: For the log; it must not.
    :param now: Unix time.
    """
    return EntraError(
        status,
        f"AADSTS{number}",
        message,
        reports_versions=False,
        reason=Reason(ReasonCode.ENTRA_CLIENT, why),
        error=error,
        number=number,
        now=now,
    )

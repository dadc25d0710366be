"""What the emulator offers besides the service, under `/.emulator/`: no signature is asked for."""

from collections.abc import Callable, Mapping

from . import errors, managed_identity
from .authentication import WireRequest
from .calls import Answer

PREFIX = "/.emulator/"

_Handler = Callable[[WireRequest], Answer]


class OwnPaths:
    """Finds and runs the handler of a path below the prefix."""

    def __init__(
        self, identity: managed_identity.ManagedIdentity, jwks: Callable[[], Mapping[str, object]]
    ) -> None:
        self._handlers: dict[str, dict[str, _Handler]] = {
            managed_identity.PATH: {"GET": identity.answer},
            f"{PREFIX}jwks.json": {"GET": lambda _: Answer(200, jwks())},
        }

    def answer(self, request: WireRequest) -> Answer:
        """:raises ServiceError: unknown path or method, or the handler's own."""
        handlers = self._handlers.get(request.target.partition("?")[0])
        if handlers is None:
            raise errors.unknown_path()
        handler = handlers.get(request.method)
        if handler is None:
            raise errors.wrong_method(request.method, ", ".join(handlers))
        return handler(request)

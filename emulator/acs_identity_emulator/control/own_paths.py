"""What the emulator offers besides the service, under `/.emulator/`: no signature is asked for."""

from collections.abc import Callable, Mapping

from ..authentication.authenticators import WireRequest
from ..contract import errors
from ..contract.errors import ServiceError
from ..contract.faults import FaultQueue
from ..operations import bodies
from ..operations.calls import Answer
from . import managed_identity

PREFIX = "/.emulator/"

_Handler = Callable[[WireRequest], Answer]


class OwnPaths:
    """Finds and runs the handler of a path below the prefix."""

    def __init__(
        self,
        identity: managed_identity.ManagedIdentity,
        jwks: Callable[[], Mapping[str, object]],
        faults: FaultQueue,
        reset: Callable[[], None],
    ) -> None:
        self._faults = faults
        self._reset = reset
        self._handlers: dict[str, dict[str, _Handler]] = {
            managed_identity.PATH: {"GET": identity.answer},
            f"{PREFIX}jwks.json": {"GET": lambda _: Answer(200, jwks())},
            f"{PREFIX}faults": {
                "GET": self._list_faults,
                "POST": self._inject_fault,
                "DELETE": self._clear_faults,
            },
            f"{PREFIX}reset": {"POST": self._reset_all},
        }

    def answer(self, request: WireRequest) -> Answer:
        """:raises ServiceError: unknown path or method, or the handler's own."""
        path = request.target.partition("?")[0]
        handlers = self._handlers.get(path)
        if handlers is None:
            raise errors.unknown_path(path)
        handler = handlers.get(request.method)
        if handler is None:
            raise errors.wrong_method(request.method, ", ".join(handlers))
        return handler(request)

    def _list_faults(self, _: WireRequest) -> Answer:
        return Answer(200, {"faults": [armed._asdict() for armed in self._faults.waiting()]})

    def _inject_fault(self, request: WireRequest) -> Answer:
        body = bodies.json_object(request.body)
        operation = bodies.required_string(body, "operation")
        fault = bodies.required_string(body, "fault")
        times = bodies.int32(body, "times")
        try:
            self._faults.inject(operation, fault, 1 if times is None else times)
        except ValueError as error:
            raise ServiceError(400, "ValidationError", str(error), reports_versions=False) from None
        return Answer(204)

    def _clear_faults(self, _: WireRequest) -> Answer:
        self._faults.clear()
        return Answer(204)

    def _reset_all(self, _: WireRequest) -> Answer:
        self._reset()
        return Answer(204)

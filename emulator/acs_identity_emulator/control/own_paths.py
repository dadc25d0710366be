"""The additions of the emulator to the service: endpoints under `/.emulator/`, a page at `/`."""

import re
from collections.abc import Callable, Iterable, Mapping

from ..authentication.authenticators import WireRequest
from ..contract import errors
from ..operations.calls import Answer, Text
from .endpoints import PREFIX, TEXT, ControlCall, Endpoint
from .guard import Guard
from .managed_identity import PATH as MANAGED_IDENTITY_PATH
from .managed_identity import ManagedIdentity
from .openapi import document

_PEM = "application/x-pem-file"
_PARAMETER = re.compile(r"\\\{\w+\\\}")


class OwnPaths:
    """Finds and runs the handler of a path that the service does not have."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        identity: ManagedIdentity,
        ca_pem: str,
        jwks: Callable[[], Mapping[str, object]],
        page: Callable[[WireRequest], Answer],
        guard: Guard,
    ) -> None:
        self._guard = guard
        self._identity = identity
        self._page = page
        table = [*endpoints, *self._further_endpoints(ca_pem, jwks)]
        self._document = document(table)
        self._paths: dict[str, dict[str, Endpoint]] = {}
        for endpoint in table:
            self._paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._patterns = [
            (re.compile(_PARAMETER.sub("([^/]+)", re.escape(path))), methods)
            for path, methods in self._paths.items()
            if "{" in path
        ]

    def _further_endpoints(
        self, ca_pem: str, jwks: Callable[[], Mapping[str, object]]
    ) -> Iterable[Endpoint]:
        return [
            Endpoint(
                "GET",
                "managed-identity",
                "The environment variables for the managed identity.",
                self._managed_identity,
                response={
                    "type": "object",
                    "properties": {"IDENTITY_ENDPOINT": TEXT, "IDENTITY_HEADER": TEXT},
                },
            ),
            Endpoint(
                "GET",
                "ca.pem",
                "The certificate authority that clients trust for https.",
                lambda _: Answer(200, Text(ca_pem, _PEM)),
                response=TEXT,
                media_type=_PEM,
                is_public=True,
            ),
            Endpoint(
                "GET",
                "jwks.json",
                "The keys that verify the tokens of the service.",
                lambda _: Answer(200, jwks()),
                response={"type": "object"},
                is_public=True,
            ),
            Endpoint(
                "GET",
                "openapi.json",
                "This document.",
                lambda _: Answer(200, self._document),
                response={"type": "object"},
                is_public=True,
            ),
        ]

    @staticmethod
    def has(request: WireRequest) -> bool:
        """Whether a request is for the emulator, and not for the service."""
        return request.target.startswith(PREFIX) or _is_for_page(request)

    def answer(self, request: WireRequest) -> Answer:
        """The answer to a request.

        :raises ServiceError: If the path, the method or a name in the request is unknown, or the
            guard or the handler rejects the request.
        """
        path = request.target.partition("?")[0]
        if path == MANAGED_IDENTITY_PATH:
            return self._of_managed_identity(request)
        if _is_for_page(request):
            self._guard.check(request, is_public=False)
            return self._page(request)
        methods, parameter = self._find(path.removeprefix(PREFIX))
        endpoint = methods.get(request.method)
        self._guard.check(request, is_public=endpoint is not None and endpoint.is_public)
        if endpoint is None:
            raise errors.wrong_method(request.method, ", ".join(methods))
        call = ControlCall(request, parameter)
        endpoint.check_names(call)
        return endpoint.handler(call)

    def _managed_identity(self, call: ControlCall) -> Answer:
        host = call.wire.headers.get("Host", "")
        return Answer(200, self._identity.environment(f"http://{host}"))

    def _find(self, path: str) -> tuple[dict[str, Endpoint], str]:
        if path in self._paths and "{" not in path:
            return self._paths[path], ""
        for pattern, methods in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                return methods, match[1]
        raise errors.unknown_path(f"{PREFIX}{path}")

    def _of_managed_identity(self, request: WireRequest) -> Answer:
        # It has a separate secret, which is in the environment of its clients.
        if request.method != "GET":
            raise errors.wrong_method(request.method, "GET")
        return self._identity.answer(request)


def _is_for_page(request: WireRequest) -> bool:
    # Anything but a browser gets what the service answers there.
    return (
        request.method == "GET"
        and request.target.partition("?")[0] == "/"
        and "text/html" in request.headers.get("Accept", "")
    )

"""All that is shown while a cell runs, and the secrets in it."""

import base64
import json
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import rich.traceback
import sentry_sdk
from either_client import KEY
from faults.server import TOKEN
from sentry_sdk.envelope import Envelope
from sentry_sdk.scrubber import EventScrubber

PASSWORD = "hunter2-of-the-proxy"
ENTRA_TOKEN = "eyJhbGciOiJub25lIn0.ZW50cmEtdG9rZW4tb2YtdGhlLXRlc3Rz.c2ln"
_BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
OF_ENTRA = "Entra token"
_WITH_LOCALS = {"locals", "rich", "Sentry"}
SECRETS = {
    "access key": KEY,
    "token": TOKEN[:30],
    OF_ENTRA: ENTRA_TOKEN[20:],
    "password of the proxy": PASSWORD,
    "password of the proxy in base64": _BASIC,
}
# What is made from the access key for each request.
_PATTERN = re.compile("|".join([*map(re.escape, SECRETS.values()), r"Signature=[A-Za-z0-9+/]{8}"]))


def secret_in(text: str) -> str | None:
    """The name of a secret in a text, or None."""
    found = _PATTERN.search(text)
    if found is None:
        return None
    return next((name for name, secret in SECRETS.items() if secret == found[0]), "signature")


class Shown(logging.Handler):
    """Collects what is logged, warned of, and ignored in destructors.

    :ivar texts: From where something is shown to what.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.texts: dict[str, list[str]] = {"logs": [], "warnings": [], "destructors": []}

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a record, with the traceback of its exception."""
        self.texts["logs"].append(self.format(record))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Collects while the block runs."""
        root = logging.getLogger()
        level, hook = root.level, sys.unraisablehook
        with ExitStack() as stack:
            found = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            stack.callback(root.setLevel, level)
            stack.callback(root.removeHandler, self)
            stack.callback(setattr, sys, "unraisablehook", hook)
            root.setLevel(logging.DEBUG)
            root.addHandler(self)
            sys.unraisablehook = lambda each: self.texts["destructors"].append(
                "".join(traceback.format_exception(each.exc_value))
            )
            yield
            self.texts["warnings"] += [str(each.message) for each in found]
        self.texts["spans"] = finished_spans()

    def add_exception(self, error: BaseException, *, is_detailed: bool) -> None:
        """Adds what shows an exception.

        :param error: The exception.
        :keyword bool is_detailed: Whether to add what rich and Sentry make of it, which takes long.
        """
        with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.texts["str"] = [str(error)]
        self.texts["repr"] = [repr(error), repr(vars(error))]
        self.texts["traceback"] = traceback.format_exception(error)
        self.texts["locals"] = list(with_locals.format())
        if is_detailed:
            self.texts["rich"] = [_by_rich(error)]
            self.texts["Sentry"] = [_by_sentry(error)]

    def secrets(self, *, is_argument: bool) -> Iterator[str]:
        """Which secrets are shown, and where.

        :keyword bool is_argument: Whether the call has the Entra token as an argument, which the
            frames of the caller and of azure-core's ``distributed_trace`` have, too.
        """
        for place, texts in self.texts.items():
            found = {secret_in(text) for text in texts} - {None}
            if is_argument and place in _WITH_LOCALS:
                found.discard(OF_ENTRA)
            for name in sorted(map(str, found)):
                yield f"{name} in {place}"


def _by_rich(error: BaseException) -> str:
    # What rich would render, without the source code, which takes it most of the time.
    trace = rich.traceback.Traceback.extract(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_string=100_000,
        locals_max_length=1_000,
    )
    nodes = [
        f"{name} = {node}"
        for stack in trace.stacks
        for frame in stack.frames
        for name, node in (frame.locals or {}).items()
    ]
    return "\n".join([*(stack.exc_value for stack in trace.stacks), *nodes])


class _Keep(sentry_sdk.Transport):
    """Keeps events in place of sending them."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.events: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keeps an envelope."""
        self.events += [json.dumps(item.payload.json) for item in envelope.items]


@cache
def _sentry() -> tuple[Any, _Keep]:
    transport = _Keep()
    client = sentry_sdk.Client(
        dsn="http://a@127.0.0.1:1/1",
        transport=transport,
        default_integrations=False,
        max_value_length=100_000,
        event_scrubber=EventScrubber(denylist=[]),
    )
    return client, transport


def _by_sentry(error: BaseException) -> str:
    client, transport = _sentry()
    with sentry_sdk.new_scope() as scope:
        scope.set_client(client)
        sentry_sdk.capture_exception(error)
    events, transport.events = transport.events, []
    assert events
    return "\n".join(events)


@cache
def _exporter() -> Any:
    from opentelemetry import trace
    from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
    from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    URLLib3Instrumentor().instrument()
    AioHttpClientInstrumentor().instrument()
    os.environ["AZURE_TRACING_ENABLED"] = "true"
    return exporter


_IS_TRACED: list[bool] = []


def trace_this_process() -> None:
    """Collects spans from now on: those of azure-core, and of the libraries below."""
    _exporter()
    _IS_TRACED.append(True)


def finished_spans() -> list[str]:
    """The spans that ended since the last call."""
    if not _IS_TRACED:
        return []
    spans = [span.to_json() for span in _exporter().get_finished_spans()]
    _exporter().clear()
    return spans

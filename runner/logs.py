"""Logs for machines and for the curious: structlog, one line an event, beside what people are told.

Imported only when a log is asked for. A log is never a reason for a run to stop: lines that cannot be
written are dropped and counted.
"""

import json
import logging
import os
from collections.abc import Mapping, MutableMapping, Sequence
from io import StringIO, TextIOWrapper
from math import isfinite
from pathlib import Path
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from runner.engine.events import Event
from runner.engine.observations import Interrupted, Observation, Order, Trouble
from runner.secrecy import DOTS, hide

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
WARNINGS = frozenset({"run.paused", "run.interrupted", "stage.failed", "rollback.started"})
DETAILS = frozenset({"effect.intended", "effect.done"})
ENVELOPE = frozenset({"v", "prev", "sum", "event"})
BULKY = frozenset({"playbook", "variables", "manifests", "scenario", "evidence", "want", "found"})


class Sink:
    """A stream that never raises; *dropped* counts what it could not take."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.dropped = 0

    def write(self, text: str) -> None:
        """Write what can be written, in the characters that the stream has."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError, RuntimeError):
            self.dropped += 1

    def flush(self) -> None:
        """Hand over what was written."""
        try:
            self.stream.flush()
        except (OSError, ValueError, RuntimeError):
            self.dropped += 1


def _sink(stream: TextIO | Sink) -> Sink:
    return stream if isinstance(stream, Sink) else Sink(stream)


def open_file(path: Path) -> TextIO:
    """*path* to append to, line by line, unbuffered: what a full disk refuses is gone, not kept. OSError.

    A new one is 0600; one that is there, a link or a pipe too, is what the operator made it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return TextIOWrapper(os.fdopen(descriptor, "ab", buffering=0), encoding="utf-8", write_through=True)


def open_log(
    stream: "TextIO | Sink", *, level: str = "info", console: bool = False, color: bool = False
) -> FilteringBoundLogger:
    """A logger that writes to *stream*: JSON lines, or *console* lines for a person at a terminal."""
    logger = structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, _sink(stream))),
        processors=[*_shared(), *(_console(color=color) if console else _json())],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return cast(FilteringBoundLogger, logger)


def cap_libraries(stream: "TextIO | Sink") -> None:
    """Let other packages say only what is at least a warning, as JSON lines on *stream*."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_shared()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_json()],
    )
    handler = logging.StreamHandler(cast(TextIO, _sink(stream)))
    handler.setFormatter(formatter)
    handler.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in tuple(root.manager.loggerDict):
        known = logging.getLogger(name)
        known.setLevel(max(known.level, logging.WARNING))


class EventLog:
    """A listener: one log line an event, bound to its run; effects in detail at level debug."""

    def __init__(self, log: FilteringBoundLogger, **bound: object) -> None:
        self._log = log.bind(**bound)

    def heard(self, event: Event, line: str) -> None:
        """Log what the journal line says, without its bulk."""
        del event
        if not line:
            return
        body = json.loads(line)
        facts = {key: value for key, value in body.items() if key not in ENVELOPE | BULKY}
        self._log.log(_level(body), body["event"], **facts)

    def noticed(self, observation: Observation) -> None:
        """Log what people did and what was out of reach."""
        match observation:
            case Trouble(reason=reason):
                self._log.warning("cluster.unreachable", reason=reason)
            case Order(kind=kind, by=by, reason=reason):
                self._log.info("order.received", kind=kind.value, by=by, reason=reason)
            case Interrupted(name=name):
                self._log.warning("signal.received", signal=name)
            case _:
                return

    def tick(self, now: float) -> None:
        """Time alone is not logged."""

    def close(self) -> None:
        """Every line was handed over when it was written."""


def _level(body: Mapping[str, Any]) -> int:
    """Failures are errors, what asks for attention a warning."""
    bad = body.get("verified") is False or body.get("outcome") == "rollback-failed"
    if bad:
        return logging.ERROR
    if body["event"] in WARNINGS or body.get("verdict") in ("failed", "inconclusive"):
        return logging.WARNING
    return logging.DEBUG if body["event"] in DETAILS else logging.INFO


def _shared() -> Sequence[Processor]:
    return (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="logged"),
    )


def _json() -> Sequence[Processor]:
    """JSON is ASCII: control characters and bidirectional marks leave it spelled out."""
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return (
        structlog.processors.ExceptionRenderer(tracebacks),
        _finite,
        structlog.processors.JSONRenderer(ensure_ascii=True, allow_nan=False, default=str),
        lambda logger, name, line: _without_secrets(logger, name, line).replace(DOTS, json.dumps(DOTS)[1:-1]),
    )


def _console(*, color: bool) -> Sequence[Processor]:
    return (
        _printable,
        structlog.dev.ConsoleRenderer(colors=color, timestamp_key="logged", exception_formatter=_traceback),
        _without_secrets,
    )


def _without_secrets(_: Any, __: str, line: Any) -> str:
    """The last word on every line: what a library quotes, a traceback holds, or a caller forgot."""
    return hide(line)


def _traceback(out: TextIO, failure: structlog.typing.ExcInfo) -> None:
    """As Python prints it, without locals; its lines may hold foreign text."""
    text = StringIO()
    structlog.dev.plain_traceback(text, failure)
    out.write("\n".join(_spelled(line) for line in text.getvalue().split("\n")))


def _finite(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """JSON has no NaN and no infinity: they become null."""
    return {key: _without_nan(value) for key, value in event.items()}


def _without_nan(value: Any) -> Any:
    match value:
        case float() if not isfinite(value):
            return None
        case Mapping():
            return {str(key): _without_nan(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_nan(item) for item in value]
        case _:
            return value


def _printable(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a terminal would obey is spelled out."""
    return {key: _spelled(value) for key, value in event.items()}


def _spelled(value: Any) -> Any:
    if isinstance(value, int | float) or value is None:
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )

"""Structured logs over the standard library's `logging`: for people on a terminal, JSON lines elsewhere.

    with open_logs(level="info", secrets=config.secrets()) as logs:
        with about(room="k3f9", peer=7):
            log.warning("%s was kicked", name)

    23:24:03.120 warning  Ana was kicked  room=k3f9 peer=7
    {"time": "2026-11-23T23:24:03.120Z", "level": "warning", "logger": "...", "message": "Ana was kicked", "room": ...}

Anything in the process that uses `logging` comes out here, with the fields that hold where it was called. Messages are
limited by their template, so what a peer causes cannot fill the log; keys and tokens are taken out; control characters
are written out. Lines are written by a thread of their own: a terminal or pipe that stands still holds up nobody, and
costs the lines that do not fit the queue.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self, TextIO, cast

from engine.server.limiter import Limiter
from engine.server.redaction import Redaction, one_line, printable
from engine.server.secret import Secret

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
MOST_WAITING = 10_000
"""Lines that may wait to be written."""
MOST_TEXT = 16_384
"""Characters of a message, a field, or an exception; of that, the end is kept."""
CLOSE_TIMEOUT = 2.0
"""Seconds that the end waits for the last lines."""

_NONE: Mapping[str, object] = MappingProxyType({})
_fields: ContextVar[Mapping[str, object]] = ContextVar("fields", default=_NONE)
_STANDARD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}
_COLOURS = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


@contextlib.contextmanager
def about(**fields: object) -> Generator[None]:
    """What is logged inside, tasks started inside included, has these fields, such as `room` and `peer`."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


@dataclass(slots=True)
class Entry:
    """One thing logged, with nothing secret in it."""

    time: float
    """Unix time, in seconds."""
    level: str
    logger: str
    message: str
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    """Plain JSON values."""
    exception: str = ""


def as_json(entry: Entry) -> str:
    """A line for programs: one JSON object."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry.time))
    line: dict[str, object] = {
        "time": f"{seconds}.{int(entry.time % 1 * 1000):03d}Z",
        "level": entry.level,
        "logger": entry.logger,
        "message": entry.message,
    }
    line |= {name: value for name, value in entry.fields.items() if name not in line}
    if entry.exception:
        line["exception"] = entry.exception
    return json.dumps(line)


def as_text(entry: Entry, *, colour: bool = False) -> str:
    """A line for people, and more below it for an exception."""
    clock = f"{time.strftime('%H:%M:%S', time.localtime(entry.time))}.{int(entry.time % 1 * 1000):03d}"
    fields = " ".join(f"{name}={_field_text(value)}" for name, value in entry.fields.items())
    level, message = f"{entry.level:<8}", one_line(entry.message)
    if colour:
        clock = f"{_DIM}{clock}{_PLAIN}"
        level = f"{_COLOURS.get(entry.level, '')}{level}{_PLAIN}"
        fields = f"{_DIM}{fields}{_PLAIN}" if fields else ""
    line = f"{clock} {level} {message}" + (f"  {fields}" if fields else "")
    if entry.exception:
        line += "\n" + "\n".join(f"    {below}" for below in printable(entry.exception).splitlines())
    return line


def _field_text(value: object) -> str:
    text = one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or '"' in text else text


def _kind(record: logging.LogRecord) -> str:
    """What counts as the same message again: the template, and for an exception where it was raised."""
    kind = str(record.msg)[:200]
    if kind == "%s" and isinstance(record.args, tuple) and not isinstance(record.args[0], str):
        kind = type(record.args[0]).__name__
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        kind += f" ({type(error).__name__}{_place(error)})"
    return kind


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""


class Logs(logging.Handler):
    """The handler that writes to one stream. `open_logs` makes and installs it; `close` takes it back.

    `clock` gives seconds, for the limits.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        format: str = "auto",
        secrets: Iterable[Secret] = (),
        limiter: Limiter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        terminal = stream.isatty()
        self._stream = stream
        self._json = format == "json" or (format == "auto" and not terminal)
        self._colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._secrets = list(secrets)
        self._redact = Redaction(self._secrets)
        self._limiter = limiter or Limiter()
        self._clock = clock
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._lost = 0
        self._closed = False
        self._before: tuple[int, list[logging.Handler]] | None = None
        self._thread = threading.Thread(target=self._write, name="tickwire-log", daemon=True)
        self._thread.start()

    def install(self, level: str) -> None:
        """Take everything that is logged, from `level` up, until `close`."""
        root = logging.getLogger()
        self._before = (root.level, root.handlers[:])
        root.handlers[:] = [self]
        self.verbosity = level

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Hide these secrets as well: those given before may still be in something that is waiting."""
        self._secrets = [*self._secrets, *secrets]
        self._redact = Redaction(self._secrets)

    @property
    def verbosity(self) -> str:
        """The least level that is written; can be set."""
        return next(name for name, number in LEVELS.items() if number == self.level)

    @verbosity.setter
    def verbosity(self, level: str) -> None:
        self.setLevel(LEVELS[level])
        logging.getLogger().setLevel(LEVELS[level])

    # In, on any thread; `handle` holds the lock

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.sweep()
            if self._limiter.admit((record.levelno, record.name, _kind(record)), self._clock()):
                self._put(self._entry(record))
        except Exception:
            self.handleError(record)

    def sweep(self) -> None:
        """Say how many messages were held back, where their time is over."""
        with self._locked():
            for kind, count in self._limiter.ended(self._clock()):
                self._put(self._held(kind, count))

    def _entry(self, record: logging.LogRecord) -> Entry:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # arguments that do not fit the template
            message = f"{record.msg} {record.args!r}"
        exception = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        own = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        fields = {name: self._plain(value) for name, value in {**_fields.get(), **own}.items()}
        return Entry(
            record.created, record.levelname.lower(), record.name, self._text(message), fields, self._text(exception)
        )

    def _held(self, kind: object, count: int) -> Entry:
        level, logger, shown = cast("tuple[int, str, str]", kind)
        message = f"{count} more like this: {self._text(shown)}"
        return Entry(time.time(), logging.getLevelName(level).lower(), logger, message, {"more": count})

    def _text(self, text: str) -> str:
        return self._redact(text[-MOST_TEXT:])

    def _plain(self, value: object) -> object:
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        return self._text(str(value))

    def _put(self, entry: Entry) -> None:
        try:
            self._waiting.put_nowait(self._line(entry))
        except queue.Full:
            self._lost += 1

    def _line(self, entry: Entry) -> str:
        return as_json(entry) if self._json else as_text(entry, colour=self._colour)

    # Out, on the thread

    def _write(self) -> None:
        while True:
            try:
                line = self._waiting.get(timeout=self._patience())
            except queue.Empty:
                self.sweep()
                continue
            if line is not None:
                self._write_line(line)
            if self._lost and (line is None or self._waiting.empty()):
                self._write_line(self._line(self._loss()))
            if line is None:
                return

    def _loss(self) -> Entry:
        with self._locked():
            lost, self._lost = self._lost, 0
        return Entry(time.time(), "warning", __name__, f"{lost} lines were lost: too many at a time", {"lost": lost})

    def _patience(self) -> float | None:
        """Seconds until messages that were held back are to be told of; None for no such."""
        end = self._limiter.next_end
        return None if end == math.inf else max(0.05, end - self._clock())

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def _write_line(self, line: str) -> None:
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except UnicodeEncodeError:
            self._write_line(line.encode("ascii", "backslashreplace").decode("ascii"))
        except (OSError, ValueError):
            pass  # whoever read the log has gone; the server has not

    def close(self) -> None:
        """Put things back as they were before `install`, write what is left, and end the thread.

        Gives up on a stream that stands still.
        """
        if self._before is not None:
            root = logging.getLogger()
            root.setLevel(self._before[0])
            root.handlers[:] = self._before[1]
            self._before = None
        with self._locked():
            if self._closed:
                return
            self._closed = True
            for kind, count in self._limiter.end_all():
                self._put(self._held(kind, count))
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=CLOSE_TIMEOUT)
        self._thread.join(CLOSE_TIMEOUT)
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def adjust(level: str, secrets: Iterable[Secret] = ()) -> None:
    """Have the logs of this process written from `level` up, and hide these secrets as well."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Logs):
            handler.verbosity = level
            handler.hide(secrets)


def open_logs(
    *,
    level: str = "info",
    format: str = "auto",
    stream: TextIO | None = None,
    secrets: Iterable[Secret] = (),
    limiter: Limiter | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Logs:
    """Send everything logged to `stream`, by default standard error, instead of wherever it went before.

    `level` is one of `LEVELS`; `format` is ``human``, ``json``, or ``auto``, which asks whether it is a terminal.
    """
    logs = Logs(stream or sys.stderr, format=format, secrets=secrets, limiter=limiter, clock=clock)
    logs.install(level)
    return logs

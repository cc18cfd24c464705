"""A trace of which handler ran for which event, when and how long, for Chrome's or Perfetto's viewer.

Format: the JSON object form of the Trace Event Format, complete events (`"ph": "X"`) with start `ts` and
length `dur` in microseconds. On one thread, spans nest where calls did.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from engine.events.subscription import Call, Subscription, event_name


class Span(NamedTuple):
    """One handler call; times in seconds of the trace's clock."""

    handler: str
    event: str
    site: str
    start: float
    length: float
    error: str | None
    """The class of the exception it raised, if it did."""


class Trace:
    """Set it as a dispatcher's `tracer`, run, then `write` it. `clock` gives seconds, e.g. `time.perf_counter`.

    Keeps the first `limit` spans and counts the rest in `dropped`.
    """

    def __init__(self, clock: Callable[[], float], *, limit: int = 1_000_000) -> None:
        self.clock = clock
        self.limit = limit
        self.spans: list[Span] = []
        """In the order the calls ended."""
        self.dropped = 0

    def around(self, subscription: Subscription, call: Call) -> Call:
        """`call`, timed."""
        clock = self.clock
        name, kind, site = subscription.name, event_name(subscription.key), subscription.site

        def traced(context: object, event: object) -> None:
            failed: str | None = None
            start = clock()
            try:
                call(context, event)
            except BaseException as error:
                failed = type(error).__name__
                raise
            finally:
                length = clock() - start
                if len(self.spans) < self.limit:
                    self.spans.append(Span(name, kind, site, start, length, failed))
                else:
                    self.dropped += 1

        return traced

    def write(self, path: Path | str) -> None:
        """Write the spans as a file that chrome://tracing and ui.perfetto.dev open. Raises `OSError`."""
        events: list[dict[str, Any]] = []
        for span in self.spans:
            start = round(span.start * 1e6, 3)
            end = round((span.start + span.length) * 1e6, 3)  # rounded like starts, so that nested spans stay inside
            about = {"event": span.event, "registered": span.site}
            if span.error is not None:
                about["raised"] = span.error
            events.append(
                {
                    "name": span.handler,
                    "cat": span.event,
                    "ph": "X",
                    "ts": start,
                    "dur": round(end - start, 3),
                    "pid": 1,
                    "tid": 1,
                    "args": about,
                }
            )
        document = {"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"dropped": self.dropped}}
        Path(path).write_text(json.dumps(document), encoding="utf-8")

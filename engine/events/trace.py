"""A trace of which handler ran for which event, when and how long, for Chrome's or Perfetto's viewer.

Format: the JSON object form of the Trace Event Format, complete events (`"ph": "X"`), times in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.events.subscription import Subscription, event_name

Call = Callable[[Any, Any], object]


class Trace:
    """Set it as a dispatcher's `tracer`, run, then `write` it. `clock` gives seconds, e.g. `time.perf_counter`."""

    def __init__(self, clock: Callable[[], float], *, limit: int = 1_000_000) -> None:
        self.clock = clock
        self.limit = limit
        self.spans: list[tuple[str, str, str, float, float]] = []
        """Handler, event, registration site, start and length in seconds, in the order the calls ended."""
        self.dropped = 0

    def around(self, subscription: Subscription, call: Call) -> Call:
        clock = self.clock
        name, kind, site = subscription.name, event_name(subscription.key), subscription.site

        def traced(context: object, event: object) -> None:
            start = clock()
            try:
                call(context, event)
            finally:
                self._add((name, kind, site, start, clock() - start))

        return traced

    def _add(self, span: tuple[str, str, str, float, float]) -> None:
        if len(self.spans) < self.limit:
            self.spans.append(span)
        else:
            self.dropped += 1

    def write(self, path: Path | str) -> None:
        """Write the spans as a file that chrome://tracing and ui.perfetto.dev open."""
        events = [
            {
                "name": name,
                "cat": kind,
                "ph": "X",
                "ts": round(start * 1e6, 3),
                "dur": round(length * 1e6, 3),
                "pid": 1,
                "tid": 1,
                "args": {"event": kind, "registered": site},
            }
            for name, kind, site, start, length in self.spans
        ]
        document = {"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"dropped": self.dropped}}
        Path(path).write_text(json.dumps(document), encoding="utf-8")

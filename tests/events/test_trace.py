"""Traces: what they hold, and that their files are what trace viewers read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from engine.events import Dispatcher, OnError, Trace

T = TypeVar("T")


class Clock:
    """Seconds since some start, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Hit:
    n: int = 0


@dataclass
class Added(Generic[T]):
    n: int = 0


def read(path: Path) -> list[dict[str, Any]]:
    """The events of a trace file, checked against the Trace Event Format as far as complete events go."""
    document = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert document["displayTimeUnit"] in ("ms", "ns")
    for event in document["traceEvents"]:
        assert event["ph"] == "X"
        assert isinstance(event["name"], str)
        assert isinstance(event["cat"], str)
        assert isinstance(event["ts"], (int, float))
        assert event["dur"] >= 0
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert isinstance(event["args"], dict)
    return document["traceEvents"]


def traced(**options: Any) -> tuple[Dispatcher[None], Clock, Trace]:
    clock = Clock()
    dispatcher = Dispatcher(None, **options)
    trace = Trace(clock)
    dispatcher.tracer = trace
    return dispatcher, clock, trace


def test_nested_handlers_nest_in_the_file(tmp_path: Path) -> None:
    dispatcher, clock, trace = traced()

    def outer(_: None, event: Hit) -> None:
        clock.now += 0.001
        dispatcher.trigger_as(Added[int], Added[int]())
        clock.now += 0.002

    def inner(_: None, event: Added[int]) -> None:
        clock.now += 0.0005

    first = dispatcher.subscribe(Hit, outer)
    second = dispatcher.subscribe(Added[int], inner)
    dispatcher.post(Hit())
    dispatcher.deliver()
    trace.write(tmp_path / "trace.json")
    [child, parent] = read(tmp_path / "trace.json")
    assert (parent["ts"], parent["dur"]) == (1_000e6, 3500.0)
    assert (child["ts"], child["dur"]) == (1_000e6 + 1000, 500.0)
    assert parent["name"].endswith("outer")
    assert (parent["cat"], child["cat"]) == ("Hit", "Added[int]")
    assert parent["args"] == {"event": "Hit", "registered": first.site}
    assert child["args"]["registered"] == second.site


def test_a_child_that_ends_with_its_parent_never_sticks_out(tmp_path: Path) -> None:
    dispatcher, clock, trace = traced()

    def inner(_: None, event: Added[int]) -> None:
        clock.now += 1e-10 * 7

    def outer(_: None, event: Hit) -> None:
        clock.now += 1e-10 * event.n
        dispatcher.trigger_as(Added[int], Added[int]())

    dispatcher.subscribe(Hit, outer)
    dispatcher.subscribe(Added[int], inner)
    for n in range(50):
        dispatcher.trigger(Hit(n))
    trace.write(tmp_path / "trace.json")
    spans = read(tmp_path / "trace.json")
    for child, parent in zip(spans[::2], spans[1::2], strict=True):
        assert child["ts"] >= parent["ts"]
        assert round(child["ts"] + child["dur"], 3) <= round(parent["ts"] + parent["dur"], 3)


def test_failing_handlers_are_traced_and_still_named(tmp_path: Path) -> None:
    failures: list[Any] = []
    dispatcher, clock, trace = traced(on_error=OnError.ISOLATE, on_failure=failures.append)

    def fail(_: None, event: Hit) -> None:
        clock.now += 0.25
        raise ValueError

    made = dispatcher.subscribe(Hit, fail)
    dispatcher.subscribe(Hit, lambda _, event: None)
    dispatcher.subscribe_batch(Hit, lambda _, events: None)
    dispatcher.trigger(Hit())
    assert failures[0].subscription is made
    assert [(span.length, span.error) for span in trace.spans] == [(0.25, "ValueError"), (0.0, None), (0.0, None)]
    trace.write(tmp_path / "trace.json")
    assert read(tmp_path / "trace.json")[0]["args"]["raised"] == "ValueError"


def test_a_traced_handler_can_be_cancelled_and_tracing_ends_when_unset() -> None:
    dispatcher, _, trace = traced()
    made = dispatcher.subscribe(Hit, lambda _, event: made.cancel())
    lasting = dispatcher.subscribe(Hit, lambda _, event: None)
    dispatcher.trigger(Hit())
    dispatcher.trigger(Hit())
    assert [span.site for span in trace.spans] == [made.site, lasting.site, lasting.site]
    dispatcher.tracer = None
    dispatcher.trigger(Hit())
    assert len(trace.spans) == 3


def test_a_full_trace_counts_what_it_drops(tmp_path: Path) -> None:
    dispatcher, _, _ = traced()
    dispatcher.tracer = trace = Trace(Clock(), limit=2)
    dispatcher.subscribe(Hit, lambda _, event: None)
    for _ in range(5):
        dispatcher.trigger(Hit())
    trace.write(tmp_path / "trace.json")
    assert len(read(tmp_path / "trace.json")) == 2
    assert json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["otherData"] == {"dropped": 3}


def test_cascades_are_told_right_while_tracing() -> None:
    dispatcher, _, trace = traced(on_error=OnError.ISOLATE, patience=1, depth=20, on_failure=print)
    made = dispatcher.subscribe(Hit, lambda _, hit: dispatcher.post(Hit(hit.n + 1)))
    dispatcher.post(Hit())
    dispatcher.deliver()
    assert not made.active
    assert len(trace.spans) == 20

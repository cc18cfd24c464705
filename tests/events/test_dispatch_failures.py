"""What happens when handlers raise, or never stop posting."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import CascadeError, Dispatcher, Failure, OnError

T = TypeVar("T")
Log = list[Any]


@dataclass(slots=True)
class Hit:
    n: int = 0


@dataclass(slots=True)
class Ping:
    n: int = 0


@dataclass(slots=True)
class Pong:
    n: int = 0


@dataclass(slots=True)
class Added(Generic[T]):
    n: int = 0


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def ok(log: Log, event: Any) -> None:
    log.append(("ok", event.n))


def boom(log: Log, event: Any) -> NoReturn:
    log.append(("boom", event.n))
    raise ValueError(f"boom {event.n}")


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def hosting(patience: int = 10, **bounds: int) -> tuple[Dispatcher[Log], list[Failure]]:
    failures: list[Failure] = []
    dispatcher: Dispatcher[Log] = Dispatcher(
        [], on_error=OnError.ISOLATE, patience=patience, on_failure=failures.append, **bounds
    )
    return dispatcher, failures


# OnError.RAISE


def test_raise_names_event_handler_and_site() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])
    made = dispatcher.subscribe(Hit, boom)
    with pytest.raises(ValueError, match="boom 3") as caught:
        dispatcher.trigger(Hit(3))
    assert notes(caught.value) == [f"in boom (registered at {made.site}), handling Hit: Hit(n=3)"]


def test_raise_through_a_nested_trigger_names_both_handlers() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])

    def outer(log: Log, event: Ping) -> None:
        dispatcher.trigger_as(Added[int], Added[int](event.n))

    dispatcher.subscribe(Ping, outer)
    dispatcher.subscribe(Added[int], boom)
    with pytest.raises(ValueError, match="boom 1") as caught:
        dispatcher.trigger(Ping(1))
    inner, outside = notes(caught.value)
    assert inner.startswith("in boom")
    assert inner.endswith("handling Added[int]: Added(n=1)")
    assert "outer" in outside
    assert "handling Ping: Ping(n=1)" in outside


def test_after_a_raise_trigger_is_over_and_the_dispatcher_usable() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])
    failing = dispatcher.subscribe(Hit, boom)
    dispatcher.subscribe(Hit, ok)
    with pytest.raises(ValueError, match="boom"):
        dispatcher.trigger(Hit(1))
    failing.cancel()
    dispatcher.trigger(Hit(2))
    assert dispatcher.context == [("boom", 1), ("ok", 2)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_raise_loses_nothing_of_what_was_queued(error: type[BaseException]) -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])

    def sometimes(log: Log, hit: Hit) -> None:
        log.append(("boom", hit.n))
        dispatcher.post(Ping(hit.n))
        if hit.n == 2:
            raise error

    dispatcher.subscribe(Hit, sometimes)
    dispatcher.subscribe(Hit, ok)
    dispatcher.subscribe(Ping, ok)
    dispatcher.subscribe_batch(Hit, lambda log, hits: log.append([hit.n for hit in hits]))
    same = Hit(2)
    for hit in (Hit(1), same, Hit(3)):
        dispatcher.post(hit)
    with pytest.raises(error):
        dispatcher.deliver()
    assert dispatcher.context == [("boom", 1), ("ok", 1), ("boom", 2)]
    dispatcher.context.clear()
    dispatcher.deliver()
    assert dispatcher.context == [("ok", 2), ("boom", 3), ("ok", 3), ("ok", 1), ("ok", 2), [1, 2, 3], ("ok", 3)]


def test_a_raising_batch_handler_loses_nothing_either() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])

    def fail(log: Log, hits: Sequence[Hit]) -> None:
        raise ValueError(len(hits))

    failing = dispatcher.subscribe_batch(Hit, fail)
    dispatcher.subscribe_batch(Hit, lambda log, hits: log.append(("hits", [hit.n for hit in hits])))
    dispatcher.subscribe_batch(Ping, lambda log, pings: log.append(("pings", [ping.n for ping in pings])))
    for event in (Hit(1), Ping(2), Hit(3)):
        dispatcher.post(event)
    with pytest.raises(ValueError, match="2") as caught:
        dispatcher.deliver()
    assert notes(caught.value)[0].endswith("handling Hit: a batch of 2, first Hit(n=1)")
    failing.cancel()
    dispatcher.deliver()
    assert dispatcher.context == [("hits", [1, 3]), ("pings", [2])]
    assert dispatcher.pending == 0


def test_a_handler_owed_an_event_can_still_be_cancelled() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])
    dispatcher.subscribe(Hit, boom)
    other = dispatcher.subscribe(Hit, ok)
    dispatcher.post(Hit(1))
    with pytest.raises(ValueError, match="boom"):
        dispatcher.deliver()
    other.cancel()
    dispatcher.deliver()
    assert dispatcher.context == [("boom", 1)]


@given(st.lists(st.tuples(st.sampled_from([Hit, Ping]), st.booleans()), max_size=8), st.integers(1, 3))
def test_however_often_a_pass_breaks_off_everyone_sees_everything_once(
    events: list[tuple[type[Any], bool]], handlers: int
) -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])
    singles: list[tuple[int, int]] = []
    batches: list[int] = []

    def single(place: int) -> Any:
        def handler(log: Log, event: Any) -> None:
            singles.append((event.n, place))
            if events[event.n][1]:
                raise ValueError

        return handler

    def batch(log: Log, batch: Sequence[Any]) -> None:
        batches.extend(event.n for event in batch)
        if len(batch) % 2:
            raise ValueError

    for kind in (Hit, Ping):
        for place in range(handlers):
            dispatcher.subscribe(kind, single(place))
        dispatcher.subscribe_batch(kind, batch)
    for n, (kind, _) in enumerate(events):
        dispatcher.post(kind(n))
    for _ in range(100):
        try:
            dispatcher.deliver()
            break
        except ValueError:
            continue
    assert singles == [(n, place) for n in range(len(events)) for place in range(handlers)]
    assert sorted(batches) == list(range(len(events)))
    assert dispatcher.pending == 0


# OnError.ISOLATE


def test_isolate_goes_on_and_reports_event_and_site() -> None:
    dispatcher, failures = hosting()
    dispatcher.subscribe(Hit, ok)
    made = dispatcher.subscribe(Hit, boom)
    dispatcher.subscribe(Hit, ok)
    second = dispatcher.subscribe(Hit, boom)
    dispatcher.post(Hit(1))
    dispatcher.post_as(Hit, Hit(2))
    dispatcher.deliver()
    assert dispatcher.context == [("ok", 1), ("boom", 1)] * 2 + [("ok", 2), ("boom", 2)] * 2
    assert [failure.subscription for failure in failures] == [made, second] * 2
    assert [failure.event for failure in failures] == [Hit(1), Hit(1), Hit(2), Hit(2)]
    assert made.site in str(failures[0])
    assert "boom" in str(failures[0])
    assert "Hit: Hit(n=1)" in str(failures[0])


def test_isolate_disables_after_patience_failures() -> None:
    dispatcher, failures = hosting(patience=3)
    made = dispatcher.subscribe(Hit, boom)
    dispatcher.subscribe(Hit, ok)
    for n in range(5):
        dispatcher.trigger(Hit(n))
    assert [failure.disabled for failure in failures] == [False, False, True]
    assert str(failures[-1]).endswith("disabled after 3 failures")
    assert not made.active
    assert [entry for entry in dispatcher.context if entry[0] == "ok"] == [("ok", n) for n in range(5)]


def test_isolate_tells_two_registrations_of_one_function_apart() -> None:
    dispatcher, failures = hosting()

    def second_time(log: Log, event: Hit) -> None:
        log.append(event.n)
        if len(log) == 2:
            raise ValueError

    dispatcher.subscribe(Hit, second_time)
    second = dispatcher.subscribe(Hit, second_time)
    dispatcher.trigger(Hit(1))
    assert dispatcher.context == [1, 1]
    assert [failure.subscription for failure in failures] == [second]


def test_isolate_names_the_handler_that_cancelled_itself_and_then_raised() -> None:
    dispatcher, failures = hosting(patience=1)

    def once(log: Log, event: Hit) -> None:
        made.cancel()
        raise ValueError("after cancelling")

    made = dispatcher.subscribe(Hit, once)
    dispatcher.subscribe(Hit, ok)
    dispatcher.trigger(Hit(1))
    assert failures[0].subscription is made
    assert not failures[0].disabled
    assert dispatcher.context == [("ok", 1)]


def test_isolate_in_batches_and_nested_triggers() -> None:
    dispatcher, failures = hosting()

    def fail(log: Log, hits: Sequence[Hit]) -> None:
        dispatcher.trigger(Ping(len(hits)))
        raise ValueError("batch")

    dispatcher.subscribe_batch(Hit, fail)
    dispatcher.subscribe_batch(Hit, lambda log, hits: log.append(len(hits)))
    dispatcher.subscribe(Ping, boom)
    for n in range(2):
        dispatcher.post(Hit(n))
    dispatcher.deliver()
    assert dispatcher.context == [("boom", 2), 2]
    assert [str(failure.error) for failure in failures] == ["boom 2", "batch"]
    assert failures[1].event == [Hit(0), Hit(1)]
    assert "a batch of 2, first Hit(n=0)" in str(failures[1])


def test_isolate_lets_interrupts_out_and_keeps_the_rest() -> None:
    dispatcher, failures = hosting()

    def interrupt(log: Log, event: Hit) -> None:
        raise KeyboardInterrupt

    dispatcher.subscribe(Hit, boom)
    stopping = dispatcher.subscribe(Hit, interrupt)
    dispatcher.subscribe(Hit, ok)
    dispatcher.post(Hit(1))
    dispatcher.post(Hit(2))
    with pytest.raises(KeyboardInterrupt):
        dispatcher.deliver()
    stopping.cancel()
    dispatcher.deliver()
    assert dispatcher.context == [("boom", 1), ("ok", 1), ("boom", 2), ("ok", 2)]
    assert len(failures) == 2


def test_many_failing_handlers_of_one_event_are_no_deep_recursion() -> None:
    dispatcher, failures = hosting()
    for _ in range(2000):
        dispatcher.subscribe(Hit, boom)
    dispatcher.trigger(Hit())
    assert len(failures) == 2000


def test_endless_triggering_is_isolated_too() -> None:
    dispatcher, failures = hosting(patience=2)

    def again(log: Log, event: Hit) -> None:
        dispatcher.trigger(event)
        dispatcher.trigger(event)

    made = dispatcher.subscribe(Hit, again)
    dispatcher.trigger(Hit())
    assert isinstance(failures[0].error, RecursionError)
    assert not made.active


def test_reporting_survives_a_raising_report_and_a_raising_repr(caplog: pytest.LogCaptureFixture) -> None:
    def report(failure: Failure) -> None:
        reports.append(str(failure))
        raise OSError("log disk full")

    reports: list[str] = []
    dispatcher: Dispatcher[Log] = Dispatcher([], on_error=OnError.ISOLATE, on_failure=report)
    seen: list[object] = []
    dispatcher.subscribe(Unspeakable, lambda log, event: boom(log, Hit()))
    dispatcher.subscribe(Unspeakable, lambda log, event: seen.append(event))
    dispatcher.trigger(Unspeakable())
    assert len(seen) == 1
    assert "on Unspeakable: <Unspeakable whose repr raised RuntimeError>" in reports[0]
    assert "on_failure raised" in caplog.text


def test_failures_go_to_the_log_by_default(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([], on_error=OnError.ISOLATE)
    made = dispatcher.subscribe(Hit, boom)
    dispatcher.trigger(Hit(8))
    assert "Hit(n=8)" in caplog.text
    assert made.site in caplog.text


# Cascades


def ping(log: Log, event: Any) -> None: ...


def test_a_cascade_names_its_chain() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])

    def answer_ping(log: Log, event: Ping) -> None:
        dispatcher.post(Pong(event.n + 1))

    def answer_pong(log: Log, event: Pong) -> None:
        dispatcher.post_as(Added[int], Added[int](event.n))

    def answer_added(log: Log, event: Added[int]) -> None:
        dispatcher.trigger(Hit(event.n))
        dispatcher.post(Ping(event.n))

    def stand_by(log: Log, event: Any) -> None:
        dispatcher.post(Hit(event.n))

    for kind in (Ping, Pong, Added[int]):
        dispatcher.subscribe(kind, stand_by)
    sites = [dispatcher.subscribe(Ping, answer_ping).site, dispatcher.subscribe(Pong, answer_pong).site]
    dispatcher.subscribe(Added[int], answer_added)
    dispatcher.subscribe(Hit, ok)
    dispatcher.post(Ping())
    with pytest.raises(CascadeError, match="after 64 passes") as caught:
        dispatcher.deliver()
    text = str(caught.value)
    steps = re.findall(r"(\S+) → \S*(answer_\w+|ok|stand_by)", text)
    turns = [("Ping", "answer_ping"), ("Pong", "answer_pong"), ("Added[int]", "answer_added")]
    start = turns.index(steps[0])
    assert steps == turns[start:] + turns[:start], text
    assert all(site in text for site in sites)
    assert dispatcher.pending == 0
    assert max(entry[1] for entry in dispatcher.context) == 21  # in pass 63: noted or not, all ran whole


def test_a_cascade_through_trigger_and_batches_names_them() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([], depth=3)

    def together(log: Log, pings: Sequence[Ping]) -> None:
        dispatcher.trigger(Pong())

    def answer(log: Log, event: Pong) -> None:
        dispatcher.post(Ping())

    dispatcher.subscribe_batch(Ping, together)
    dispatcher.subscribe(Pong, answer)
    dispatcher.post(Ping())
    with pytest.raises(CascadeError) as caught:
        dispatcher.deliver()
    assert re.findall(r"(\w+) → \S*(together|answer) ", str(caught.value)) == [("Ping", "together"), ("Pong", "answer")]


def test_a_cascade_of_the_very_same_object_is_told_right() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([])
    dispatcher.subscribe(Hit, lambda log, event: dispatcher.post(event))
    dispatcher.post(Hit())
    with pytest.raises(CascadeError, match=r"… → Hit → \S*<lambda> \(registered at \S+\) → …;"):
        dispatcher.deliver()


def test_the_depth_itself_is_allowed() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([], depth=5)

    callers: list[str] = []

    def count(log: Log, event: Hit) -> None:
        log.append(event.n)
        callers.append(sys._getframe(1).f_code.co_name)  # pyright: ignore[reportPrivateUsage]
        if event.n < 5:
            dispatcher.post(Hit(event.n + 1))

    dispatcher.subscribe(Hit, count)
    dispatcher.post(Hit(1))
    assert dispatcher.deliver() == 5
    assert dispatcher.context == [1, 2, 3, 4, 5]
    dispatcher.post(Hit(0))
    with pytest.raises(CascadeError):
        dispatcher.deliver()
    callers.clear()
    dispatcher.post(Hit(5))
    assert dispatcher.deliver() == 1
    dispatcher.trigger(Hit(5))
    assert callers == ["noted", "trigger"]  # with so small a depth all passes are noted, but nothing outside them


def test_a_flood_names_its_chain() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([], flood=5000)

    def answer_ping(log: Log, event: Ping) -> None:
        dispatcher.post(Pong())
        dispatcher.post(Pong())

    def answer_pong(log: Log, event: Pong) -> None:
        dispatcher.post(Ping())

    dispatcher.subscribe(Ping, answer_ping)
    dispatcher.subscribe(Pong, answer_pong)
    dispatcher.post(Ping())
    with pytest.raises(CascadeError) as caught:
        dispatcher.deliver()
    assert "answer_ping" in str(caught.value)
    assert "answer_pong" in str(caught.value)


@pytest.mark.parametrize("fan", [2, 3, 200])
def test_a_cascade_that_multiplies_is_stopped_before_it_fills_the_memory(fan: int) -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([], flood=5000)

    def burst(log: Log, event: Hit) -> None:
        for n in range(fan):
            dispatcher.post(Hit(n))

    dispatcher.subscribe(Hit, burst)
    dispatcher.post(Hit())
    with pytest.raises(CascadeError, match=r"Hit → \S*burst \(registered"):
        dispatcher.deliver()
    assert dispatcher.pending == 0


def test_many_events_from_outside_are_no_flood() -> None:
    dispatcher: Dispatcher[Log] = Dispatcher([], flood=10)
    dispatcher.subscribe(Hit, ok)
    for n in range(100):
        dispatcher.post(Hit(n))
    assert dispatcher.deliver() == 1


@pytest.mark.parametrize("fan", [1, 200])
def test_hosting_a_cascade_is_reported_and_its_handler_disabled_in_the_end(fan: int) -> None:
    dispatcher, failures = hosting(patience=2, flood=5000)

    def again(log: Log, event: Hit) -> None:
        for _ in range(fan):
            dispatcher.post(Hit())

    made = dispatcher.subscribe(Hit, again)
    for _ in range(3):
        dispatcher.post(Hit())
        dispatcher.deliver()
        assert dispatcher.pending == 0
    assert [type(failure.error) for failure in failures] == [CascadeError] * 2
    assert failures[0].subscription is made
    assert not made.active


def test_failures_late_in_a_cascade_are_isolated_like_any() -> None:
    dispatcher, failures = hosting(patience=1000, depth=6)

    def again(log: Log, event: Hit) -> None:
        dispatcher.post(Hit(event.n + 1))
        raise ValueError("again")

    dispatcher.subscribe(Hit, again)
    dispatcher.subscribe(Hit, ok)
    dispatcher.post(Hit(0))
    dispatcher.deliver()
    assert dispatcher.context == [("ok", n) for n in range(6)]
    assert [type(failure.error) for failure in failures] == [ValueError] * 6 + [CascadeError]

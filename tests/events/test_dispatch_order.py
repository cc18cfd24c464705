"""Who is called, when, and in which order."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Dispatcher, EventError, Phase, Subscription, call_site, event_name

A = TypeVar("A")
B = TypeVar("B")


@dataclass(slots=True)
class Hit:
    n: int = 0


@dataclass(slots=True)
class Heal:
    n: int = 0


@dataclass(slots=True)
class Met(Generic[A, B]):
    n: int = 0


class HardHit(Hit):
    pass


Log = list[Any]


def logged(log: Log) -> Dispatcher[Log]:
    return Dispatcher(log)


def note(tag: str) -> Callable[[Log, Any], None]:
    return lambda log, event: log.append((tag, event.n))


@given(st.lists(st.tuples(st.sampled_from(Phase), st.integers(-3, 3)), max_size=12))
def test_order_is_phase_then_priority_then_registration(ranks: list[tuple[Phase, int]]) -> None:
    dispatcher = logged([])
    for place, (phase, priority) in enumerate(ranks):
        dispatcher.subscribe(Hit, lambda log, hit, place=place: log.append(place), phase=phase, priority=priority)
    dispatcher.trigger(Hit())
    expected = sorted(range(len(ranks)), key=lambda place: (ranks[place][0], -ranks[place][1], place))
    assert dispatcher.context == expected


def test_trigger_is_immediate_and_post_waits() -> None:
    dispatcher = logged([])
    dispatcher.subscribe(Hit, note("hit"))
    dispatcher.post(Hit(1))
    dispatcher.trigger(Hit(2))
    assert dispatcher.context == [("hit", 2)]
    assert dispatcher.pending == 1
    assert dispatcher.deliver() == 1
    assert dispatcher.context == [("hit", 2), ("hit", 1)]
    assert dispatcher.pending == 0
    assert dispatcher.deliver() == 0


def test_what_handlers_post_goes_to_the_next_pass() -> None:
    dispatcher = logged([])

    def hit(log: Log, event: Hit) -> None:
        log.append(("hit", event.n))
        if event.n < 2:
            dispatcher.post(Hit(event.n + 1))
            dispatcher.post(Heal(event.n))

    dispatcher.subscribe(Hit, hit)
    dispatcher.subscribe(Heal, note("heal"))
    dispatcher.post(Hit(0))
    dispatcher.post(Hit(10))
    assert dispatcher.deliver() == 3
    assert dispatcher.context == [("hit", 0), ("hit", 10), ("hit", 1), ("heal", 0), ("hit", 2), ("heal", 1)]


def test_batches_come_after_the_singles_of_a_pass_one_list_a_key() -> None:
    dispatcher = logged([])
    dispatcher.subscribe_batch(Hit, lambda log, hits: log.append([hit.n for hit in hits]), phase=Phase.EARLY)
    dispatcher.subscribe_batch(Met[int, str], lambda log, mets: log.append(("mets", [met.n for met in mets])))
    dispatcher.subscribe(Hit, note("hit"), phase=Phase.LATE)
    dispatcher.subscribe(Heal, lambda log, heal: dispatcher.post(Hit(heal.n)))
    dispatcher.post_as(Met[int, str], Met[int, str](7))
    for event in (Hit(1), Heal(5), Hit(2)):
        dispatcher.post(event)
    dispatcher.post_as(Met[int, str], Met[int, str](8))
    assert dispatcher.deliver() == 2
    assert dispatcher.context == [("hit", 1), ("hit", 2), ("mets", [7, 8]), [1, 2], ("hit", 5), [5]]


def test_a_triggered_event_is_a_batch_of_one() -> None:
    dispatcher = logged([])
    dispatcher.subscribe_batch(Hit, lambda log, hits: log.append([hit.n for hit in hits]))
    dispatcher.subscribe_batch(Met[int, str], lambda log, mets: log.append([met.n for met in mets]))
    dispatcher.trigger(Hit(3))
    dispatcher.trigger_as(Met[int, str], Met[int, str](4))
    dispatcher.trigger(Heal())
    assert dispatcher.context == [[3], [4]]


def test_keys_are_exact_and_equal_generics_are_one_key() -> None:
    dispatcher = logged([])
    dispatcher.subscribe(Hit, note("hit"))
    dispatcher.subscribe(Met[int, str], note("int str"))
    dispatcher.subscribe(list[int], lambda log, numbers: log.append(sum(numbers)))
    dispatcher.post(HardHit(1))
    generic: Any = Met
    dispatcher.post_as(generic[(int, str)], Met[int, str](2))
    dispatcher.post_as(generic[(str, int)], Met[str, int](3))
    dispatcher.post(Met[int, str](4))
    dispatcher.post_as(list[int], [1, 2, 3])
    dispatcher.deliver()
    assert dispatcher.context == [("int str", 2), 6]
    assert dispatcher.listens(generic[(int, str)])
    assert not dispatcher.listens(Met)


def test_the_same_event_object_may_be_posted_twice_and_the_same_handler_registered_twice() -> None:
    dispatcher = logged([])
    handler = note("hit")
    dispatcher.subscribe(Hit, handler)
    second = dispatcher.subscribe(Hit, handler)
    hit = Hit(1)
    dispatcher.post(hit)
    dispatcher.post(hit)
    dispatcher.deliver()
    assert dispatcher.context == [("hit", 1)] * 4
    second.cancel()
    dispatcher.trigger(hit)
    assert len(dispatcher.context) == 5


# Changing subscriptions from inside handlers


def test_a_handler_may_cancel_itself_and_one_after_it() -> None:
    dispatcher = logged([])
    subscriptions: dict[str, Subscription] = {}

    def first(log: Log, event: Hit) -> None:
        log.append("first")
        subscriptions["first"].cancel()
        subscriptions["third"].cancel()

    subscriptions["first"] = dispatcher.subscribe(Hit, first)
    dispatcher.subscribe(Hit, lambda log, hit: log.append("second"))
    subscriptions["third"] = dispatcher.subscribe(Hit, lambda log, hit: log.append("third"))
    dispatcher.post(Hit())
    dispatcher.post(Hit())
    dispatcher.deliver()
    assert dispatcher.context == ["first", "second", "second"]
    assert not subscriptions["third"].active


def test_cancelling_in_a_nested_trigger_reaches_the_outer_list_too() -> None:
    dispatcher = logged([])

    def outer(log: Log, event: Hit) -> None:
        log.append(("outer", event.n))
        if event.n == 0:
            late = dispatcher.subscribe(Hit, note("new"))  # the nested trigger builds a new list
            dispatcher.trigger(Hit(1))
            victim.cancel()
            late.cancel()

    dispatcher.subscribe(Hit, outer)
    victim = dispatcher.subscribe(Hit, note("victim"))
    dispatcher.trigger(Hit(0))
    assert dispatcher.context == [("outer", 0), ("outer", 1), ("victim", 1), ("new", 1)]


def test_a_batch_handler_may_cancel_the_next() -> None:
    dispatcher = logged([])

    def first(log: Log, hits: Any) -> None:
        log.append("first")
        second.cancel()

    dispatcher.subscribe_batch(Hit, first)
    second = dispatcher.subscribe_batch(Hit, lambda log, hits: log.append("second"))
    dispatcher.post(Hit())
    dispatcher.deliver()
    assert dispatcher.context == ["first"]


def test_a_single_handler_may_cancel_a_batch_handler_of_its_pass() -> None:
    dispatcher = logged([])
    batch = dispatcher.subscribe_batch(Hit, lambda log, hits: log.append("batch"))
    dispatcher.subscribe(Hit, lambda log, hit: batch.cancel())
    dispatcher.post(Hit())
    dispatcher.deliver()
    dispatcher.trigger(Hit())
    assert dispatcher.context == []
    assert dispatcher.keys() == [Hit]


def test_a_handler_subscribed_inside_hears_from_the_next_event_on() -> None:
    dispatcher = logged([])

    def first(log: Log, event: Hit) -> None:
        if event.n == 1:
            dispatcher.subscribe(Hit, note("new"), phase=Phase.EARLY)

    dispatcher.subscribe(Hit, first)
    for n in (1, 2):
        dispatcher.post(Hit(n))
    dispatcher.deliver()
    assert dispatcher.context == [("new", 2)]


def test_nested_delivery_takes_what_was_posted_and_the_outer_pass_goes_on() -> None:
    dispatcher = logged([])

    def hit(log: Log, event: Hit) -> None:
        log.append(("hit", event.n))
        if event.n == 1:
            dispatcher.post(Heal(9))
            dispatcher.deliver()

    dispatcher.subscribe(Hit, hit)
    dispatcher.subscribe(Heal, note("heal"))
    dispatcher.post(Hit(1))
    dispatcher.post(Hit(2))
    assert dispatcher.deliver() == 1
    assert dispatcher.context == [("hit", 1), ("heal", 9), ("hit", 2)]


@given(st.lists(st.tuples(st.sampled_from(["add", "cancel", "trigger", "post", "deliver"]), st.integers(0, 5))))
def test_any_mix_of_subscribing_and_posting_calls_exactly_the_active_handlers(steps: list[tuple[str, int]]) -> None:
    dispatcher = logged([])
    serial = itertools.count()
    active: dict[int, Subscription] = {}
    expected: Log = []
    queued: list[int] = []
    for step, n in steps:
        if step == "add":
            tag = next(serial)
            active[tag] = dispatcher.subscribe(Hit, lambda log, hit, tag=tag: log.append((tag, hit.n)))
        elif step == "cancel" and active:
            active.pop(sorted(active)[n % len(active)]).cancel()
        elif step == "trigger":
            dispatcher.trigger(Hit(n))
            expected += [(tag, n) for tag in active]
        elif step == "post":
            dispatcher.post(Hit(n))
            queued.append(n)
        elif step == "deliver":
            dispatcher.deliver()
            expected += [(tag, n) for n in queued for tag in active]
            queued.clear()
        assert dispatcher.context == expected
        assert dispatcher.listens(Hit) == bool(active)
        assert dispatcher.pending == len(queued)


# Asking


def test_keys_subscriptions_and_version_follow_changes() -> None:
    dispatcher = logged([])
    seen = {dispatcher.version}
    late = dispatcher.subscribe(Heal, note("late"), phase=Phase.LATE)
    seen.add(dispatcher.version)
    early = dispatcher.subscribe(Heal, note("early"), phase=Phase.EARLY)
    batch = dispatcher.subscribe_batch(Hit, lambda log, hits: None)
    seen.add(dispatcher.version)
    assert dispatcher.keys() == [Heal, Hit]
    assert dispatcher.subscriptions(Heal) == [early, late]
    assert dispatcher.subscriptions(Met) == []
    batch.cancel()
    batch.cancel()
    seen.add(dispatcher.version)
    assert dispatcher.keys() == [Heal]
    assert len(seen) == 4
    assert "cancelled" in repr(batch)


def test_churning_subscriptions_leave_nothing_behind() -> None:
    dispatcher = logged([])
    lasting = dispatcher.subscribe(Hit, note("hit"))
    sizes: list[int] = []
    for _ in range(50):
        passing = dispatcher.subscribe(Hit, note("passing"))
        dispatcher.trigger(Hit())
        passing.cancel()
        sizes.append(len(lasting._places))  # pyright: ignore[reportPrivateUsage]
    assert max(sizes) <= 2


# Registration


def test_the_site_is_the_line_that_subscribes() -> None:
    dispatcher = logged([])
    made, here = dispatcher.subscribe(Hit, note("hit")), call_site(1)
    batch, there = dispatcher.subscribe_batch(Hit, lambda log, hits: None), call_site(1)
    assert (made.site, batch.site) == (here, there)
    assert here.startswith(__file__)


def test_a_wrapper_can_give_the_site_of_its_caller() -> None:
    dispatcher = logged([])

    def on(key: type[Any]) -> Callable[[Callable[[Log, Any], None]], Subscription]:
        site = call_site(2)
        return lambda handler: dispatcher.subscribe(key, handler, site=site)

    here = call_site(1)

    @on(Hit)
    def hit(log: Log, event: Hit) -> None: ...

    line = int(here.rpartition(":")[2])
    assert hit.site == f"{__file__}:{line + 2}"
    assert hit.name.endswith("hit")


@pytest.mark.parametrize(
    "key", ["hit", 3, None, Hit(), int | str, "Met[int, str]", TypeVar("X"), Any], ids=lambda key: repr(key)
)
def test_what_is_no_event_type_is_refused_with_its_cure(key: Any) -> None:
    dispatcher = logged([])
    for refuse in (
        lambda: dispatcher.subscribe(key, note("x")),
        lambda: dispatcher.subscribe_batch(key, note("x")),
        lambda: dispatcher.post_as(key, Hit()),
        lambda: dispatcher.trigger_as(key, Hit()),
    ):
        with pytest.raises(EventError, match=r"test_dispatch_order.py:\d+ is no event type; use a class"):
            refuse()
    assert dispatcher.pending == 0


def test_an_open_generic_is_refused_with_its_cure() -> None:
    key: Any = Met
    with pytest.raises(EventError, match=r"Met\[A, str\] .* is open; put a class"):
        logged([]).subscribe(key[(A, str)], note("x"))


def one(event: Hit) -> None: ...


def three(log: Log, event: Hit, more: int) -> None: ...


async def later(log: Log, event: Hit) -> None: ...


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (7, "cannot be called"),
        (one, r"called as handler\(context, event\)"),
        (three, r"called as handler\(context, event\)"),
        (later, "coroutine"),
    ],
)
def test_what_cannot_handle_events_is_refused_when_registered(handler: Any, told: str) -> None:
    with pytest.raises(EventError, match=told):
        logged([]).subscribe(Hit, handler)


def test_builtin_and_bound_handlers_are_welcome() -> None:
    class Ear:
        def hear(self, log: Log, event: Hit) -> None:
            log.append(("heard", event.n))

    dispatcher = logged([])
    dispatcher.subscribe(Hit, list[Any].append)
    dispatcher.subscribe(Hit, Ear().hear)
    dispatcher.trigger(Hit(4))
    assert dispatcher.context == [Hit(4), ("heard", 4)]


@pytest.mark.parametrize("bound", ["patience", "depth", "flood"])
def test_bounds_below_one_are_refused(bound: str) -> None:
    with pytest.raises(EventError, match=f"{bound} is 0"):
        Dispatcher(None, **cast(Any, {bound: 0}))


def test_event_names() -> None:
    assert event_name(Hit) == "Hit"
    assert event_name(Met[int, Met[str, bool]]) == "Met[int, Met[str, bool]]"
    assert event_name(list[int]) == "list[int]"


def test_an_event_posted_between_any_two_lines_of_deliver_is_not_lost() -> None:
    """Another thread may be switched to anywhere; here it is, at every line of `deliver` in turn."""
    seen: list[int] = []
    dispatcher = Dispatcher(seen)
    dispatcher.subscribe(Hit, lambda log, hit: log.append(hit.n))
    posted = itertools.count(1)

    def intrude(frame: FrameType, what: str, argument: object) -> Any:
        if frame.f_code is Dispatcher[Any].deliver.__code__ and what == "line" and (n := next(posted)) <= 40:
            dispatcher.post(Hit(n))
        return intrude

    before = sys.gettrace()
    sys.settrace(intrude)
    try:
        dispatcher.deliver()
    finally:
        sys.settrace(before)
    dispatcher.deliver()
    assert seen == list(range(1, 41))

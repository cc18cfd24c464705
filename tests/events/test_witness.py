"""A witness sees what is about to be delivered, pass by pass, and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.events import Dispatcher
from engine.events.queued import event_of, key_of

T = TypeVar("T")


@dataclass(slots=True)
class Hit:
    strength: int


@dataclass(slots=True)
class Met(Generic[T]):
    strength: int


def test_it_sees_each_pass_before_the_handlers_do() -> None:
    dispatcher: Dispatcher[None] = Dispatcher(None)
    seen: list[object] = []

    def handle(context: None, hit: Hit) -> None:
        seen.append(f"handled {hit.strength}")
        if hit.strength > 1:
            dispatcher.post(Hit(hit.strength - 1))

    def witness(events: Sequence[object]) -> None:
        seen.append([(key_of(event), event_of(event)) for event in events])

    dispatcher.subscribe(Hit, handle)
    dispatcher.witness = witness
    dispatcher.post(Hit(2))
    dispatcher.post_as(Met[Hit], Met[Hit](7))
    dispatcher.deliver()
    assert seen == [[(Hit, Hit(2)), (Met[Hit], Met[Hit](7))], "handled 2", [(Hit, Hit(1))], "handled 1"]

    dispatcher.witness = None
    dispatcher.post(Hit(1))
    dispatcher.deliver()
    assert seen[4:] == ["handled 1"]


def test_events_that_nobody_listens_to_are_seen() -> None:
    dispatcher: Dispatcher[None] = Dispatcher(None)
    counts: list[int] = []
    dispatcher.witness = lambda events: counts.append(len(events))
    dispatcher.post(Hit(1))
    dispatcher.post(Hit(2))
    dispatcher.deliver()
    assert counts == [2]

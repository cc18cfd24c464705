"""A run of events with one generic key: found once, and yet as if each had been looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from engine.events import Dispatcher

A = TypeVar("A")


@dataclass(slots=True)
class Met(Generic[A]):
    n: int


def run_of(dispatcher: Dispatcher[list[Any]], *numbers: int) -> None:
    for n in numbers:
        dispatcher.post_as(Met[int], Met[int](n))
    dispatcher.deliver()


def test_who_subscribes_in_the_middle_of_a_run_hears_the_rest_of_it() -> None:
    heard: list[Any] = []
    dispatcher = Dispatcher(heard)

    def late(heard: list[Any], met: Met[int]) -> None:
        heard.append(("late", met.n))

    def first(heard: list[Any], met: Met[int]) -> None:
        heard.append(("first", met.n))
        if met.n == 2:
            dispatcher.subscribe(Met[int], late)

    dispatcher.subscribe(Met[int], first)
    run_of(dispatcher, 1, 2, 3)
    assert heard == [("first", 1), ("first", 2), ("first", 3), ("late", 3)]


def test_who_cancels_in_the_middle_of_a_run_hears_no_more_of_it() -> None:
    heard: list[Any] = []
    dispatcher = Dispatcher(heard)

    def hear(heard: list[Any], met: Met[int]) -> None:
        heard.append(met.n)
        if met.n == 2:
            subscription.cancel()

    subscription = dispatcher.subscribe(Met[int], hear)
    run_of(dispatcher, 1, 2, 3)
    assert heard == [1, 2]


def test_runs_of_several_keys_reach_their_handlers_in_order() -> None:
    heard: list[Any] = []
    dispatcher = Dispatcher(heard)
    dispatcher.subscribe(Met[int], lambda heard, met: heard.append(("int", met.n)))
    dispatcher.subscribe(Met[str], lambda heard, met: heard.append(("str", met.n)))

    def all_of(heard: list[Any], mets: Sequence[Met[int]]) -> None:
        heard.append([met.n for met in mets])

    dispatcher.subscribe_batch(Met[int], all_of)
    for n, key in enumerate((Met[int], Met[int], Met[str], Met[int], Met[bool], Met[int])):
        dispatcher.post_as(key, Met[Any](n))
    dispatcher.deliver()
    assert heard == [("int", 0), ("int", 1), ("str", 2), ("int", 3), ("int", 5), [0, 1, 3, 5]]


def test_a_delivery_within_a_run_leaves_the_rest_of_it_as_it_was() -> None:
    heard: list[Any] = []
    dispatcher = Dispatcher(heard)

    def hear(heard: list[Any], met: Met[int]) -> None:
        heard.append(met.n)
        if met.n == 1:
            dispatcher.subscribe(Met[str], lambda heard, other: heard.append(("str", other.n)))
            dispatcher.post_as(Met[str], Met[str](7))
            dispatcher.deliver()

    dispatcher.subscribe(Met[int], hear)
    run_of(dispatcher, 1, 2)
    assert heard == [1, ("str", 7), 2]

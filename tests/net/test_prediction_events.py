"""Events of a prediction are told once."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from engine.ecs import Entity, World
from engine.net.replication.forwarding import NEAR, Forwarding
from engine.net.wire.declaration import Told
from engine.net.wire.declaration import told as declared


@dataclass(slots=True)
class Rang:
    bell: int
    volume: float = 1.0


@dataclass(slots=True)
class Threw:
    player: int
    thing: Entity


RANG = declared(Rang, mine="", predicted=True)
THREW = declared(Threw, mine="player", predicted=False)


class Run:
    """A run of ticks, of which some are simulated again."""

    def __init__(self) -> None:
        self.forwarding = Forwarding(0)
        self.world = World()
        self.heard: list[object] = []

    def tick(self, number: int, *events: tuple[Told, object], confirmed: int = 0) -> None:
        for told, event in events:
            self.forwarding.note(told, event)
        self.forwarding.settle(number, lambda id: id)
        self.forwarding.advance(number, confirmed)

    def tell(self) -> list[object]:
        new = self.forwarding.take(self.world, lambda key: key)
        self.heard += new
        return new


def test_an_event_is_told_once_however_often_its_tick_runs() -> None:
    run = Run()
    run.tick(5, (RANG, Rang(1)))
    assert run.tell() == [Rang(1)]
    for _ in range(3):
        run.forwarding.rewind(3)
        run.tick(4)
        run.tick(5, (RANG, Rang(1, volume=0.9)))
        assert run.tell() == []
    assert not run.forwarding.withdrawn


def test_two_alike_in_one_tick_are_two() -> None:
    run = Run()
    run.tick(5, (RANG, Rang(1)), (RANG, Rang(1)))
    assert len(run.tell()) == 2
    run.forwarding.rewind(4)
    run.tick(5, (RANG, Rang(1)), (RANG, Rang(1)), (RANG, Rang(1)))
    assert len(run.tell()) == 1


def test_alike_in_different_ticks_are_two_without_a_correction() -> None:
    run = Run()
    run.tick(5, (RANG, Rang(1)))
    run.tick(6, (RANG, Rang(1)))
    assert len(run.tell()) == 2


def test_an_event_that_moves_a_little_is_the_same() -> None:
    for moved in range(-2, NEAR + 1):
        run = Run()
        run.tick(8, (RANG, Rang(1)))
        run.tell()
        run.forwarding.rewind(5)
        for number in range(6, 13):
            run.tick(number, *[(RANG, Rang(1))] * (number == 8 + moved))
        assert run.tell() == []
        assert not run.forwarding.withdrawn


def test_an_event_put_off_beyond_the_present_is_the_same() -> None:
    run = Run()
    run.tick(8, (RANG, Rang(1)))
    run.tell()
    run.forwarding.rewind(6)
    run.tick(7)
    run.tick(8)
    run.tick(9)
    run.tick(10, (RANG, Rang(1)))
    assert run.tell() == []


def test_another_event_is_another() -> None:
    run = Run()
    run.tick(8, (RANG, Rang(1)))
    run.tell()
    run.forwarding.rewind(7)
    run.tick(8, (RANG, Rang(2)))
    assert run.tell() == [Rang(2)]


def test_what_did_not_happen_after_all_is_withdrawn() -> None:
    run = Run()
    run.tick(15, (RANG, Rang(1)))
    run.tell()
    run.forwarding.rewind(5)
    for number in range(6, 24):
        run.tick(number)
    assert [entry.event for entry in run.forwarding.withdrawn] == [Rang(1)]


def test_what_names_something_that_never_was_is_withdrawn_with_it() -> None:
    run = Run()
    thing = run.world.spawn()
    run.tick(5, (THREW, Threw(0, thing)))
    assert len(run.tell()) == 1
    run.forwarding.withdraw(thing.id)
    assert [entry.event for entry in run.forwarding.withdrawn] == [Threw(0, thing)]


def test_only_ones_own_are_told_of_what_is_declared_so() -> None:
    run = Run()
    thing = run.world.spawn()
    run.tick(5, (THREW, Threw(1, thing)))
    assert run.tell() == []


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=40), st.data())
def test_whatever_is_run_again_unchanged_is_told_once(happened: list[tuple[int, int]], data: st.DataObject) -> None:
    """Each tick always has the same events; how often it is run does not matter."""
    by_tick = {tick: [(RANG, Rang(bell)) for at, bell in happened if at == tick] for tick in range(13)}
    run = Run()
    for now in range(13):
        run.tick(now, *by_tick[now])
        run.tell()
        if data.draw(st.booleans()):
            start = data.draw(st.integers(max(-1, now - 6), now))
            run.forwarding.rewind(start)
            for again in range(start + 1, now + 1):
                run.tick(again, *by_tick[again])
            run.tell()
    assert not run.forwarding.withdrawn
    assert len(run.heard) <= len(happened)
    if len({bell for _, bell in happened}) == len(happened):
        assert len(run.heard) == len(happened)

"""Garbage is found in small steps, and all of it in the end."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from engine.app.garbage import Sweeper
from engine.testing import ManualClock


class Knot:
    """Refers to itself, so that only a collection finds it."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def knot() -> tuple[Knot, weakref.ref[Knot]]:
    made = Knot()
    return made, weakref.ref(made)


def test_a_step_finds_what_is_new_and_sets_the_rest_aside():
    clock = ManualClock()
    sweeper = Sweeper(clock)
    gone = knot()[1]
    stays, later = knot()
    clock.advance(0.03)
    sweeper.sweep()
    assert gone() is None
    assert gc.get_freeze_count() > 0
    del stays
    for _ in range(1000):
        clock.advance(0.03)
        sweeper.sweep()
    assert later() is not None, "it is not looked at again"
    sweeper.sweep(idle=True)
    assert later() is None
    assert (sweeper.steps, sweeper.fulls) == (1001, 1)


def test_steps_are_no_more_often_than_due_and_nothing_is_swept_twice_in_idle_times():
    clock = ManualClock()
    sweeper = Sweeper(clock, full=60.0)
    for _ in range(10):
        sweeper.sweep()
    assert sweeper.steps == 0
    clock.advance(0.03)
    sweeper.sweep()
    for _ in range(10):
        clock.advance(100.0)
        sweeper.sweep(idle=True)
    assert (sweeper.steps, sweeper.fulls) == (1, 1)


def test_busy_for_long_it_looks_at_all_now_and_then():
    clock = ManualClock()
    sweeper = Sweeper(clock, full=60.0)
    for _ in range(121):
        clock.advance(0.5)
        sweeper.sweep()
    assert sweeper.fulls == 1

"""The ball, and pickups on their pads."""

# pytest.approx has no full types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.ecs import Entity
from engine.physics import Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.components import Ball, Boosts, Crate, Dash, Disc, Hull, Pad, Pickup
from games.ricochet.events import BallStruck, Cause, CrateBroken, Hurt, Killed, Left, PickedUp, PickupAppeared, Thrown

Tables = Callable[..., Any]

BALL = {"ball": {"at": [800, 500], "radius": 48}}


def ball_in(game: Any) -> Entity:
    ball: Entity = game.world.only(Entity, having=(Ball,))
    return ball


def test_a_fast_ball_hurts_the_more_the_faster(table: Tables) -> None:
    taken: list[float] = []
    for speed in (200.0, 400.0, 800.0):
        game = table(changes=BALL)
        ship = game.place(0, 1000, 500)
        hurt = game.hear(Hurt)
        ball_in(game)[Velocity].vx = speed
        game.run(60)
        assert all(event.cause is Cause.BALL for event in hurt)
        taken.append(sum(event.damage for event in hurt))
        if ship.alive:
            assert ship[Hull].points == pytest.approx(tuning.HULL - taken[-1])
    assert taken[0] == 0
    assert 0 < taken[1] < taken[2]


def test_flying_into_a_ball_at_rest_is_harmless(table: Tables) -> None:
    game = table(changes=BALL)
    game.place(0, 500, 500)
    hurt, struck = game.hear(Hurt), game.hear(BallStruck)
    game.hold(0, thrust_x=1.0, dash=True)
    game.run(60)
    assert struck
    assert not hurt


def test_who_sent_the_ball_gets_the_kill(table: Tables) -> None:
    game = table(changes=BALL)
    ship = game.place(0, 1000, 500)
    ship[Hull].points = 1.0
    game.place(1, 300, 200)
    killed = game.hear(Killed)
    game.throw(1, 700, 500, 0.0)
    game.run(10)
    ball_in(game)[Velocity].vx = 600.0
    game.run(60)
    assert [(event.seat, event.by) for event in killed] == [(0, 1)]
    assert game.score(1).kills == 1


def test_a_fast_ball_breaks_crates(table: Tables) -> None:
    game = table(changes={**BALL, "crates": [{"at": [1000, 500], "size": 48, "degrees": 0}]})
    broken = game.hear(CrateBroken)
    ball_in(game)[Velocity].vx = 500.0
    game.run(60)
    assert len(broken) == 1
    assert game.world.count(Crate) == 0


def test_pickups_come_in_turn_and_go_to_who_is_there(table: Tables) -> None:
    pads = [{"at": [800, 500], "kinds": ["triple", "overcharge", "repair", "dash"], "every_seconds": 2}]
    game = table(changes={"pads": pads})
    appeared, taken = game.hear(PickupAppeared), game.hear(PickedUp)
    game.run_seconds(1)
    assert [event.kind for event in appeared] == [Pickup.TRIPLE]
    ship = game.place(0, 800, 500)
    ship[Hull].points = 10.0
    ship[Dash].cooldown = 1.0
    game.run()
    assert [(event.seat, event.kind) for event in taken] == [(0, Pickup.TRIPLE)]
    assert ship[Boosts].triple == tuning.TRIPLE_THROWS
    game.run_seconds(2.1)
    assert ship[Boosts].overcharge > 0
    game.run_seconds(2.1)
    assert ship[Hull].points == tuning.HULL
    game.run_seconds(2.1)
    assert ship[Boosts].phases == tuning.PHASE_DASHES
    assert ship[Dash].cooldown == 0
    assert [event.kind for event in taken] == list(Pickup)


def test_a_pickup_nobody_takes_lies_there(table: Tables) -> None:
    game = table(changes={"pads": [{"at": [800, 500], "kinds": ["repair"], "every_seconds": 1}]})
    game.place(0, 300, 200)
    game.place(1, 300, 300)
    appeared = game.hear(PickupAppeared)
    game.run_seconds(4)
    assert len(appeared) == 1
    assert game.world.only(Pad).wait == 0


def test_who_leaves_on_a_pad_takes_nothing(table: Tables) -> None:
    game = table(changes={"pads": [{"at": [800, 500], "kinds": ["repair"], "every_seconds": 1}]})
    taken = game.hear(PickedUp)
    game.place(1, 300, 200)
    game.run_seconds(tuning.FIRST_PICKUP - 0.1)
    game.world.only(Pad).wait = 0.0
    game.place(0, 800, 500)
    game.scene.receive(Left(0))
    game.run(2)
    assert not taken


def test_a_triple_throw_sends_three_discs(table: Tables) -> None:
    game = table()
    ship = game.place(0, 300, 500)
    game.place(1, 1300, 200)
    ship[Boosts].triple = 1
    thrown = game.hear(Thrown)
    game.tap(0, fire=True)
    game.run(2)
    assert len(thrown) == 3
    assert ship[Boosts].triple == 0
    assert all(event.disc[Transform].x > 300 and event.disc[Disc].bounces == 0 for event in thrown)

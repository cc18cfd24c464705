"""Discs: three bounces, what they do to ships, and what shields and dashes do about them."""

# pytest.approx has no full types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from math import hypot, pi
from typing import Any

import pytest

from engine.physics import ContactBegan, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.components import Boosts, Crate, Disc, Hull, Magazine, Protection, Shield, Ship
from games.ricochet.events import (
    Bounced,
    BumperKicked,
    Cause,
    ClickedEmpty,
    CrateBroken,
    CrateHit,
    Hurt,
    Killed,
    Reflected,
    Reloaded,
    Scored,
    Spent,
    Surface,
    Thrown,
)

Tables = Callable[..., Any]


def test_a_disc_bounces_thrice_and_ends_on_the_fourth_wall(table: Tables) -> None:
    game = table()
    bounced, spent = game.hear(Bounced), game.hear(Spent)
    disc = game.throw(0, 400, 900, pi * 0.27)
    game.run_seconds(5.9)
    assert [bounce.bounces for bounce in bounced] == [1, 2, 3]
    assert {bounce.surface for bounce in bounced} == {Surface.WALL}
    assert len(spent) == 1
    assert not disc.alive


def test_a_bounce_keeps_the_speed_and_mirrors_the_direction(table: Tables) -> None:
    game = table()
    bounced = game.hear(Bounced)
    disc = game.throw(0, 800, 300, -pi / 4)
    while not bounced:
        game.run()
    motion = disc[Velocity]
    assert motion.vx == pytest.approx(motion.vy, rel=0.02)
    assert hypot(motion.vx, motion.vy) == pytest.approx(tuning.DISC_SPEED, rel=0.02)
    assert (bounced[0].nx, bounced[0].ny) == pytest.approx((0, 1), abs=0.01)


def test_a_direct_hit_hurts_and_two_kill(table: Tables) -> None:
    game = table()
    game.place(0, 300, 500)
    game.place(1, 700, 500)
    hurt, killed = game.hear(Hurt), game.hear(Killed)
    game.throw(0, 600, 500, 0.0)
    game.run(20)
    assert [(event.seat, event.by, event.hull) for event in hurt] == [(1, 0, tuning.HULL - tuning.DIRECT_DAMAGE)]
    assert not killed
    game.place(1, 700, 500)
    game.throw(0, 600, 500, 0.0)
    game.run(20)
    assert [(event.seat, event.by, event.bounces, event.cause) for event in killed] == [(1, 0, 0, Cause.DISC)]
    assert not game.has_ship(1)


@pytest.mark.parametrize("bounces", [1, 2, 3])
def test_a_disc_that_has_bounced_kills_and_each_bounce_counts(table: Tables, bounces: int) -> None:
    game = table()
    game.place(0, 300, 500)
    game.place(1, 700, 500)
    killed, scored = game.hear(Killed), game.hear(Scored)
    game.throw(0, 600, 500, 0.0, bounces=bounces)
    game.run(20)
    assert [event.bounces for event in killed] == [bounces]
    assert scored[0].points == tuning.KILL_POINTS + bounces * tuning.BOUNCE_POINTS
    score = game.score(0)
    assert (score.kills, score.ricochets, score.best) == (1, 1, bounces)
    assert game.score(1).deaths == 1


def test_an_overcharged_disc_kills_directly(table: Tables) -> None:
    game = table()
    game.place(0, 300, 500)[Boosts].overcharge = 5.0
    game.place(1, 700, 500)
    killed, thrown = game.hear(Killed), game.hear(Thrown)
    game.tap(0, fire=True)
    game.run(40)
    assert thrown[0].overcharged
    assert [event.seat for event in killed] == [1]


def test_the_own_disc_comes_back_and_kills_and_costs_points(table: Tables) -> None:
    game = table()
    game.place(0, 300, 500)
    game.place(1, 300, 900)
    killed = game.hear(Killed)
    game.tap(0, aim=pi, fire=True)
    assert game.has_ship(0), "the disc must leave its own ship in peace"
    game.run_seconds(1)
    assert [(event.seat, event.by, event.own_goal, event.credited) for event in killed] == [(0, 0, True, False)]
    assert game.score(0).points == tuning.SUICIDE_POINTS
    assert game.score(0).suicides == 1


def test_a_shield_reflects_and_the_disc_changes_hands(table: Tables) -> None:
    game = table()
    game.place(0, 300, 500)
    game.place(1, 900, 500)
    game.hold(1, shield=True, aim=pi)
    game.run(2)
    reflected, killed = game.hear(Reflected), game.hear(Killed)
    disc = game.throw(0, 700, 500, 0.0, bounces=2)
    game.run(25)
    assert [(event.seat, event.before) for event in reflected] == [(1, 0)]
    assert disc[Disc].owner == 1
    assert disc[Velocity].vx == pytest.approx(-tuning.DISC_SPEED, rel=0.02)
    game.hold(1, aim=pi)
    game.run(60)
    assert [(event.seat, event.by) for event in killed] == [(0, 1)]


def test_a_shield_reflects_what_is_too_fast_for_it_to_see_coming(table: Tables) -> None:
    game = table()
    game.place(0, 300, 500)
    game.place(1, 900, 500)
    game.hold(1, shield=True, aim=pi)
    game.run(2)
    reflected = game.hear(Reflected)
    disc = game.throw(0, 900 - 47, 500, 0.0, bounces=2, speed=tuning.DISC_TOP_SPEED)
    game.run(2)
    assert [event.seat for event in reflected] == [1]
    assert disc[Disc].owner == 1
    assert disc[Velocity].vx < 0


def test_a_shield_throws_back_what_hit_its_ship_where_the_thrower_saw_it(table: Tables) -> None:
    game = table()
    game.place(0, 300, 500)
    ship = game.place(1, 900, 500)
    game.hold(1, shield=True)
    game.run(2)
    reflected = game.hear(Reflected)
    disc = game.throw(0, 1000, 500, 0.0, bounces=2)
    contact = ContactBegan[Disc, Ship](disc, ship, 1000.0, 500.0, 1.0, 0.0, 1.0, 0.0)  # where it was
    game.world.post_as(ContactBegan[Disc, Ship], contact)
    game.run(2)
    assert [event.seat for event in reflected] == [1]
    assert disc[Velocity].vx == pytest.approx(-tuning.DISC_SPEED, rel=0.02)


def test_a_shield_drains_and_falls_and_blocks_throwing(table: Tables) -> None:
    game = table()
    ship = game.ship(1)
    thrown = game.hear(Thrown)
    game.hold(1, shield=True, fire=True)
    game.run(3)
    assert ship[Shield].raised
    game.run_seconds(tuning.SHIELD_ENERGY - 0.1)
    assert not thrown
    game.run(10)
    assert not ship[Shield].raised


def test_a_dashing_ship_lets_discs_through(table: Tables) -> None:
    game = table()
    game.place(0, 300, 200)
    game.place(1, 740, 500)
    hurt = game.hear(Hurt)
    disc = game.throw(0, 700, 500, 0.0, bounces=1)
    game.tap(1, thrust_x=-1.0, dash=True)
    game.run(6)
    assert not hurt
    assert disc.alive
    assert disc[Transform].x > game.ship(1)[Transform].x


def test_spawn_protection_holds_until_the_first_throw(table: Tables) -> None:
    game = table()
    game.place(0, 300, 200)
    ship = game.place(1, 900, 500)
    ship[Protection].seconds = 5.0
    hurt = game.hear(Hurt)
    game.throw(0, 800, 500, 0.0, bounces=1)
    game.run(20)
    assert not hurt
    game.tap(1, fire=True, aim=-1.0)
    game.throw(0, 800, 500, 0.0, bounces=1)
    game.run(20)
    assert [event.seat for event in hurt] == [1]


def test_the_magazine_holds_three_and_refills(table: Tables) -> None:
    game = table()
    ship = game.place(0, 300, 500)
    thrown, empty, reloaded = game.hear(Thrown), game.hear(ClickedEmpty), game.hear(Reloaded)
    game.hold(0, fire=True, aim=-0.4)
    game.run_seconds(tuning.REFILL - 0.1)
    assert len(thrown) == tuning.MAGAZINE
    assert len(empty) == 1
    game.hold(0)
    game.run_seconds(tuning.REFILL * 3 + 0.2)
    assert [event.discs for event in reloaded] == [1, 2, 3]
    assert ship[Magazine].discs == tuning.MAGAZINE


def test_nobody_throws_before_the_round_starts(table: Tables) -> None:
    game = table(playing=False)
    thrown = game.hear(Thrown)
    game.hold(0, fire=True)
    game.run_seconds(tuning.COUNTDOWN - 0.2)
    assert not thrown
    game.run_seconds(0.5)
    assert thrown


def test_a_bumper_makes_a_disc_faster(table: Tables) -> None:
    game = table(changes={"bumpers": [{"at": [800, 500], "radius": 40, "kick": 1.3}]})
    kicked, bounced = game.hear(BumperKicked), game.hear(Bounced)
    disc = game.throw(0, 600, 500, 0.0)
    game.run(20)
    assert len(kicked) == 1
    assert bounced[0].surface is Surface.BUMPER
    assert disc[Velocity].vx == pytest.approx(-tuning.DISC_SPEED * 1.3, rel=0.02)


def test_no_disc_gets_faster_than_walls_can_hold(table: Tables) -> None:
    game = table(changes={"bumpers": [{"at": [800, 500], "radius": 40, "kick": 3.0}]})
    disc = game.throw(0, 600, 500, 0.0, overcharged=True)
    game.run(20)
    assert disc[Disc].speed == tuning.DISC_TOP_SPEED


def test_a_crate_breaks_on_the_second_hit(table: Tables) -> None:
    game = table(changes={"crates": [{"at": [800, 500], "size": 48, "degrees": 0}]})
    game.place(0, 300, 100)
    game.place(1, 300, 200)
    hit, broken = game.hear(CrateHit), game.hear(CrateBroken)
    game.throw(0, 600, 500, 0.0)
    game.run(20)
    assert [event.points for event in hit] == [1]
    game.throw(1, 800, 700, -pi / 2)
    game.run(20)
    assert [event.by for event in broken] == [1]
    assert game.world.count(Crate) == 0


def test_discs_pass_each_other(table: Tables) -> None:
    game = table()
    game.place(0, 300, 200)
    game.place(1, 300, 300)
    bounced = game.hear(Bounced)
    disc = game.throw(0, 600, 500, 0.0)
    game.throw(1, 800, 500, pi)
    game.run(20)
    assert not bounced
    assert disc[Transform].x > 800


def test_damage_without_a_round_counts_for_nothing(table: Tables) -> None:
    game = table(playing=False)
    game.run(2)
    ship = game.place(1, 900, 500)
    ship[Protection].seconds = 0.0
    game.throw(0, 800, 500, 0.0, bounces=3)
    game.run(20)
    assert ship[Hull].points == tuning.HULL

"""Flight: drift, dashes, and commands that try more than they may."""

# pytest.approx has no full types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from math import hypot, inf, nan, pi
from typing import Any

import pytest

from engine.app import Commanded
from engine.physics import Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.commands import Fly
from games.ricochet.components import Boosts, Controls, Dash
from games.ricochet.events import Dashed

Tables = Callable[..., Any]


def test_thrust_accelerates_and_the_ship_drifts_on(table: Tables) -> None:
    game = table()
    ship = game.place(0, 300, 500)
    game.hold(0, thrust_x=1.0)
    game.run(20)
    speed = ship[Velocity].vx
    assert speed > 200
    game.hold(0)
    game.run(10)
    assert 0 < ship[Velocity].vx < speed


def test_top_speed_is_thrust_over_drag(table: Tables) -> None:
    game = table(changes={"size": [9000, 1000]})
    ship = game.place(0, 100, 500)
    game.hold(0, thrust_x=1.0)
    game.run_seconds(1.8)
    assert ship[Velocity].vx < tuning.THRUST / tuning.DRAG


def test_a_diagonal_is_no_faster(table: Tables) -> None:
    game = table()
    one, other = game.place(0, 300, 300), game.place(1, 300, 600)
    game.hold(0, thrust_x=1.0)
    game.hold(1, thrust_x=1.0, thrust_y=1.0)
    game.run(15)
    assert hypot(other[Velocity].vx, other[Velocity].vy) == pytest.approx(one[Velocity].vx, rel=1e-6)


def test_aim_turns_the_ship_and_not_its_course(table: Tables) -> None:
    game = table()
    ship = game.place(0, 300, 500)
    game.hold(0, thrust_x=1.0, aim=pi / 2)
    game.run(10)
    assert ship[Transform].angle == pytest.approx(pi / 2)
    assert ship[Velocity].vy == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e300])
def test_wild_numbers_do_no_harm(table: Tables, value: float) -> None:
    game = table()
    ship = game.place(0, 300, 500)
    game.hold(0, thrust_x=value, thrust_y=value, aim=value)
    game.run(5)
    controls = ship[Controls]
    assert hypot(controls.thrust_x, controls.thrust_y) <= 1.0001
    assert abs(controls.aim) <= pi
    assert abs(ship[Transform].x) < 2000


def test_ten_commands_a_tick_move_no_farther_than_one(table: Tables) -> None:
    def flown(times: int) -> float:
        game = table()
        ship = game.place(0, 300, 500)
        for _ in range(10):
            for _ in range(times):
                game.scene.receive(Commanded(0, Fly(thrust_x=1.0)))
            game.hold(0, thrust_x=1.0)
            game.run()
        return ship[Transform].x

    assert flown(10) == flown(1)


def test_a_dash_leaps_and_has_to_cool_down(table: Tables) -> None:
    game = table()
    ship = game.place(0, 300, 500)
    dashed = game.hear(Dashed)
    game.hold(0, thrust_x=1.0, dash=True)
    game.run(8)
    assert ship[Transform].x > 300 + 0.8 * tuning.DASH_SPEED * 8 / 60
    game.run_seconds(tuning.DASH_COOLDOWN - 0.3)
    assert len(dashed) == 1
    game.run_seconds(0.4)
    assert len(dashed) == 2


def test_a_phase_dash_passes_a_wall_but_not_the_border(table: Tables) -> None:
    wall = {"kind": "segment", "from": [500, 100], "to": [500, 900], "thickness": 20}
    border = {
        "kind": "polyline",
        "points": [[20, 20], [1580, 20], [1580, 980], [20, 980]],
        "closed": True,
        "thickness": 40,
    }
    game = table(changes={"walls": [border, wall]})
    ship = game.place(0, 469, 500)
    game.tap(0, thrust_x=1.0, dash=True)
    game.run(20)
    assert ship[Transform].x < 475
    ship = game.place(0, 469, 500)
    ship[Dash].cooldown = 0.0
    ship[Boosts].phases = 1
    game.tap(0, thrust_x=1.0, dash=True)
    game.run(20)
    assert ship[Transform].x > 525
    assert ship[Boosts].phases == 0
    ship = game.place(0, 60, 500)
    ship[Dash].cooldown = 0.0
    ship[Boosts].phases = 1
    game.tap(0, thrust_x=-1.0, dash=True)
    game.run(20)
    assert ship[Transform].x > 40


def test_commands_for_seats_without_a_ship_are_passed_over(table: Tables) -> None:
    game = table()
    for seat in (-1, 7, 32, 10**9):
        game.hold(seat, thrust_x=1.0)
    game.run(3)

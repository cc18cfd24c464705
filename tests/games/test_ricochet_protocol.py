"""What of Ricochet crosses the wire, and what a client makes of it ahead of its server."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, hypot, inf, pi, sin
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import Commanded, Options, Plugin, Scene
from engine.ecs import Component, Entity, World
from engine.net.multiplayer import Multiplayer, multiplayer_of
from engine.net.wire import EncodeError
from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.declaration import Audience
from engine.physics import Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.commands import Fly
from games.ricochet.components import Ball, Controls, Crate, Disc, Hull, Magazine, Player, Ready, Ship
from games.ricochet.events import Bounced, Killed, Thrown, WantedOn
from games.ricochet.game import GAME, prediction, told_elsewhere
from games.ricochet.match import Match, Part
from games.ricochet.protocol import PROTOCOL
from games.ricochet.seats import Roster

Tables = Callable[..., Any]
MULTIPLAYER: Multiplayer = multiplayer_of(GAME)


def shared_components(world: World) -> set[type[Component]]:
    return {type(c) for entity in world if not entity.local for c in world.components(entity) if not type(c).local}


def test_every_component_of_a_match_is_declared_or_hidden() -> None:
    scene = GAME.scene(Options(seed=3, bots=9, humans=2))
    scene.world.resource(Match).left = 0.0
    told = PROTOCOL.declarations
    seen: set[type[Component]] = set()
    for _ in range(600):
        scene.run_tick()
        seen |= shared_components(scene.world)
    assert {Disc, Ball, Ship, Magazine, Player} <= seen
    assert not {kind.__name__ for kind in seen - told.components.keys() - set(told.hidden)}


def test_the_contract_is_complete() -> None:
    assert PROTOCOL.id == PROTOCOL.id
    told = PROTOCOL.declarations
    names = {field.name for field in told.components[Controls].fields}
    assert names == {"thrust_x", "thrust_y", "aim", "shield"}  # else ships would throw in a prediction of others
    assert told.components[Magazine].audience is Audience.OWNER


def wire(fly: Fly) -> Fly:
    codec = PROTOCOL.declarations.commands[Fly]
    writer = BitWriter()
    codec.write(writer, fly)
    return codec.read(BitReader(writer.getvalue()))


@given(st.floats(-1, 1), st.floats(-pi, pi), st.booleans())
def test_a_command_comes_through_finely_enough(thrust: float, aim: float, button: bool) -> None:
    there = wire(Fly(thrust, -thrust, aim, fire=button, shield=not button))
    assert there.thrust_x == pytest.approx(thrust, abs=1 / 250)
    assert there.thrust_y == pytest.approx(-thrust, abs=1 / 250)
    assert there.aim == pytest.approx(aim, abs=pi / 4000)
    assert (there.fire, there.dash, there.shield) == (button, False, not button)
    assert wire(there) == there


def test_wild_commands_are_held_within_bounds_and_none_that_is_no_number_goes_out() -> None:
    assert wire(Fly(1e9, -50.0, 40.0)) == Fly(1.0, -1.0, wire(Fly(aim=pi)).aim)
    with pytest.raises(EncodeError, match="thrust_x"):
        wire(Fly(inf))


def client(options: Options) -> tuple[Scene, dict[int, Fly]]:
    """The world in which a client simulates ahead, and what its pilots hold."""
    held: dict[int, Fly] = {}
    hands = Plugin("hands")

    @hands.commands()
    def sample(world: World) -> list[Commanded[Fly]]:  # pyright: ignore[reportUnusedFunction]
        return [Commanded(seat, fly) for seat, fly in held.items()]

    scene = Scene(*prediction(options), hands, resources=told_elsewhere(options))
    scene.world.mirror(1 << 16)
    return scene, held


def copy_into(world: World, match: World, own: int) -> None:
    """What the client in seat `own` is told of a match, but exactly."""
    told = PROTOCOL.declarations.components
    for entity in match:
        components: list[Component] = []
        for component in match.components(entity):
            declared = told.get(type(component))
            if declared is None or (declared.audience is Audience.OWNER and _seat(entity) != own):
                continue
            copied = component.copy()
            if not declared.constant:
                for name in set(type(copied).columns) - {field.name for field in declared.fields}:
                    setattr(copied, name, 0)
            components.append(copied)
        if components:
            world.adopt(entity.id, *components)
    for kind in PROTOCOL.declarations.resources:
        world.insert(match.resource(kind))


def _seat(entity: Entity) -> int:
    return entity[Ship].seat if Ship in entity else -1


def test_what_a_client_simulates_begins_empty_and_makes_nothing_of_its_own() -> None:
    scene, _ = client(Options())
    for _ in range(10):
        scene.run_tick()
    assert len(scene.world) == 0
    assert scene.world.resource(Roster).players == [0] * tuning.MAX_SEATS


def test_a_client_flies_its_ship_as_the_server_will(table: Tables) -> None:
    game = table(people=2)
    ahead, held = client(Options())
    copy_into(ahead.world, game.world, own=0)
    thrown = ahead_thrown = 0

    def count(_: World, event: Thrown) -> None:
        nonlocal ahead_thrown
        ahead_thrown += 1
        assert event.seat == 0

    ahead.dispatcher.subscribe(Thrown, count)
    heard = game.hear(Thrown)
    for tick in range(90):
        fly = Fly(cos(tick / 20), sin(tick / 20), tick / 40, fire=tick % 30 == 5, dash=tick == 40, shield=tick > 80)
        game.held[0] = held[0] = fly
        game.run()
        ahead.run_tick()
        theirs, mine = game.ship(0), ahead.world.entity(game.ship(0).id)
        assert hypot(theirs[Transform].x - mine[Transform].x, theirs[Transform].y - mine[Transform].y) < 1e-9
        assert theirs[Velocity].vx == pytest.approx(mine[Velocity].vx)
        assert theirs[Magazine].discs == mine[Magazine].discs
    thrown = len(heard)
    assert thrown == ahead_thrown > 1
    assert ahead.world.count(Disc) == game.world.count(Disc)


def test_ships_of_others_do_nothing_in_a_clients_own_simulation(table: Tables) -> None:
    game = table(people=2)
    game.hold(1, fire=True, dash=True, thrust_x=1.0, aim=1.0)
    game.run()
    ahead, _ = client(Options())
    copy_into(ahead.world, game.world, own=0)
    discs = ahead.world.count(Disc)
    for _ in range(60):
        ahead.run_tick()
    assert ahead.world.count(Disc) == discs


def test_in_a_clients_simulation_discs_bounce_and_hit_but_crates_and_scores_wait_for_the_server(table: Tables) -> None:
    game = table(people=2, changes={"crates": [{"at": [800, 500], "size": 48, "degrees": 0}]})
    game.place(0, 300, 500)
    game.place(1, 300, 800)
    game.throw(0, 500, 500, 0.0)
    game.throw(0, 300, 700, pi / 2, bounces=1)
    ahead, _ = client(Options())
    copy_into(ahead.world, game.world, own=0)
    bounced: list[Bounced] = []
    killed: list[Killed] = []
    ahead.dispatcher.subscribe(Bounced, lambda _, event: bounced.append(event))
    ahead.dispatcher.subscribe(Killed, lambda _, event: killed.append(event))
    for _ in range(60):
        ahead.run_tick()
    assert [event.bounces for event in bounced][:1] == [1]
    assert (killed[0].seat, killed[0].by) == (1, 0)
    crate = ahead.world.only(Crate)
    assert crate.points == tuning.CRATE_POINTS
    assert game.score(0).kills == 0
    assert game.ship(1)[Hull].points == tuning.HULL


def test_waits_for_the_next_ship_run_down_on_both_sides_alike(table: Tables) -> None:
    game = table(people=2)
    game.ship(1).despawn()
    player = game.player(1)
    player.ship, player.respawn = 0, 1.0
    ahead, _ = client(Options())
    copy_into(ahead.world, game.world, own=1)
    for _ in range(30):
        game.run()
        ahead.run_tick()
    mine = next(p for p in ahead.world.rows(Player) if p.seat == 1)
    assert mine.respawn == game.player(1).respawn
    assert mine.respawn == pytest.approx(0.5, abs=0.02)


def test_the_podium_is_over_when_all_people_have_seen_enough(table: Tables) -> None:
    game = table(people=2, bots_too=2, arenas=2, round_time=1.0)
    game.scene.receive(WantedOn(0))  # nothing to see yet
    game.run_seconds(1.1)
    assert game.match.part is Part.PODIUM
    for seat in (0, 0, 2, 9, -1):
        game.scene.receive(WantedOn(seat))
    game.run(3)
    assert game.match.part is Part.PODIUM
    assert game.world.count(Ready) == 1
    game.scene.receive(WantedOn(1))
    game.run(2)
    assert game.match.part is Part.COUNTDOWN
    assert game.match.round == 2
    assert game.world.count(Ready) == 0


def test_all_at_once_will_do_and_who_leaves_keeps_nobody_waiting(table: Tables) -> None:
    for leaving in (False, True):
        game = table(people=2, round_time=1.0)
        game.run_seconds(1.1)
        game.scene.receive(WantedOn(0))
        if leaving:
            game.scene.receive(MULTIPLAYER.left(1))
        else:
            game.scene.receive(WantedOn(1))
        game.run(3)
        assert game.match.part is Part.COUNTDOWN

"""Rules whose setup builds a world play over a network as they stand: what they built comes from the server."""

from dataclasses import replace
from typing import Any

import pytest

from engine.app import Game, Plugin
from engine.ecs import World
from engine.net.multiplayer import multiplayer_of
from engine.net.transport.presets import PRESETS
from engine.physics import Body, BodyKind, Circle, Collider, Velocity
from engine.scene import Transform
from engine.testing.netplay import Netplay
from games import tag

PILLARS = 5


def with_pillars() -> Game:
    pillars = Plugin("pillars")

    @pillars.setup
    def build(world: World) -> None:
        for number in range(PILLARS):
            world.spawn(Transform(100.0 * number, 300.0), Body(BodyKind.STATIC), Collider(Circle(20.0)))
        world.spawn(Transform(0.0, -200.0), Velocity(60.0), Body(mass=1.0), Collider(Circle(10.0)))

    def rules(options: Any) -> list[Plugin]:
        return [*tag.GAME.rules(options), pillars]

    return replace(tag.GAME, rules=rules, multiplayer=replace(multiplayer_of(tag.GAME), prediction=None))


@pytest.mark.parametrize("preset", ["lan", "mobile"])
def test_what_the_setup_spawns_is_there_once_and_moves_as_on_the_server(preset: str) -> None:
    with Netplay(with_pillars(), seed=4, conditions=PRESETS[preset]) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        match.run_until(lambda: all(client.playing for client in (ana, ben)))
        match.run(3.0)
        for client in (ana, ben):
            assert client.world.count(Transform) == match.world.count(Transform) == PILLARS + 3
            assert client.showing.prediction.scene.world.count(Transform) == PILLARS + 3
            assert client.participant.figures.desyncs == 0
            moving = max(at.x for at, _ in client.world.rows(Transform, Velocity) if at.y < -100.0)
            assert moving > 60.0
        assert ana.player in {runner.player for runner in ana.world.rows(tag.Runner)}

"""Whatever befalls the clients of a match, in the end all show what there is, each once, where the server has it."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from engine.app import Options
from engine.ecs import Component, World
from engine.net.multiplayer import multiplayer_of
from engine.net.transport.conditioner import Conditions
from engine.net.transport.presets import PRESETS
from engine.scene import Transform
from engine.testing.netplay import Netplay, NetplayClient
from games.ricochet.commands import Fly
from games.ricochet.components import Ball, Crate, Disc, Hull, Pad, Player, Score, Ship, Wall
from games.ricochet.game import GAME

SILENCE = Conditions(loss=1.0)
KINDS: tuple[type[Component], ...] = (Player, Score, Ship, Hull, Disc, Ball, Crate, Pad, Wall, Transform)


def autopilot(client: NetplayClient, rng: random.Random) -> Callable[[int], list[Any]]:
    fly = multiplayer_of(GAME).autopilot
    assert fly is not None
    return lambda tick: [] if (s := client.participant.latest) is None else [fly(s, client.player, rng, tick)]


def ships(world: World) -> dict[str, float]:
    """Where they are."""
    places: dict[str, float] = {}
    for ship, at in world.rows(Ship, Transform):
        places[f"{ship.seat} x"], places[f"{ship.seat} y"] = at.x, at.y
    return places


@pytest.mark.parametrize("seed", [0, 13, 22])
def test_after_standstills_and_silences_all_show_what_there_is(seed: int) -> None:
    rng = random.Random(seed)
    with Netplay(GAME, Options(seed=seed, bots=0), seed=seed, conditions=PRESETS["wifi"]) as match:
        clients = [match.join("Ana"), match.join("Ben")]
        stands_until = dict.fromkeys(clients, 0.0)
        for client in clients:
            client.wants = autopilot(client, rng)

            def unless_standing(now: float, client: NetplayClient = client, advance: Any = client.advance) -> None:
                if now >= stands_until[client]:
                    advance(now)

            client.advance = unless_standing  # type: ignore[method-assign]
        match.run_until(lambda: all(client.playing for client in clients))
        for _ in range(8):
            match.run(rng.uniform(0.2, 1.5))
            client = rng.choice(clients)
            mishap = rng.choice(("standstill", "another network", "silence"))
            if mishap == "standstill":
                stands_until[client] = match.network.now + rng.choice((0.1, 0.4, 0.7, 1.5))
            elif mishap == "another network":
                client.way.set_conditions(PRESETS[rng.choice(list(PRESETS))])
            else:
                client.way.set_conditions(SILENCE)
                match.run(rng.uniform(0.2, 1.5))
                client.way.set_conditions(PRESETS["wifi"])
        for client in clients:
            client.wants = lambda tick: [Fly()]
        match.run(9.0)
        for client in clients:
            assert client.ended is None
            assert client.participant.figures.desyncs == client.participant.malformed == 0
            counts = {kind.__name__: client.world.count(kind) for kind in KINDS}
            assert counts == {kind.__name__: match.world.count(kind) for kind in KINDS}
            assert ships(client.world) == pytest.approx(ships(match.world), abs=2)

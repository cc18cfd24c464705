"""What events sound like. A bounce's pitch rises with every bounce.

Over a network some are heard before the server says so; what it then does not say is cut short.
"""

from __future__ import annotations

from engine.app import Plugin, SceneEntered
from engine.ecs import World
from engine.net import Withdrawn
from engine.sound import PlayMusic, PlaySound, StopSound
from games.ricochet.components import Pickup
from games.ricochet.events import (
    BallStruck,
    Bounced,
    BumperKicked,
    ClickedEmpty,
    CountedDown,
    CrateBroken,
    CrateHit,
    Dashed,
    Hurt,
    Killed,
    Launched,
    PickedUp,
    PickupAppeared,
    Reflected,
    Reloaded,
    RoundEnded,
    RoundStarted,
    ShieldRaised,
    Thrown,
)
from games.ricochet.presentation.viewer import Viewer

music = Plugin("ricochet.presentation.music")
sounds = Plugin("ricochet.presentation.sounds", needs=[music])

PICKUP_SOUNDS = {
    Pickup.TRIPLE: "pickup_triple",
    Pickup.OVERCHARGE: "pickup_overcharge",
    Pickup.REPAIR: "pickup_repair",
    Pickup.DASH: "pickup_dash",
}
LOW_HULL = 55.0
MUSIC_VOLUME = 0.4


@music.on(SceneEntered)
def play_music(world: World, entered: SceneEntered) -> None:
    """The same music in all scenes: it goes on from one to the next."""
    world.post(PlayMusic("music", MUSIC_VOLUME))


def _at(world: World, name: str, x: float, y: float, volume: float = 1.0) -> None:
    world.post(PlaySound(name, volume, x=x, y=y))


def _own(world: World, seat: int) -> bool:
    return world.resource(Viewer).watched == seat


@sounds.on(Thrown)
def thrown(world: World, thrown: Thrown) -> None:
    _at(world, "throw", thrown.x, thrown.y, 1.0 if _own(world, thrown.seat) else 0.6)


@sounds.on(ClickedEmpty)
def empty(world: World, clicked: ClickedEmpty) -> None:
    if _own(world, clicked.seat):
        world.post(PlaySound("empty"))


@sounds.on(Reloaded)
def reloaded(world: World, reloaded: Reloaded) -> None:
    if _own(world, reloaded.seat):
        world.post(PlaySound("reload", 0.6))


@sounds.on(Bounced)
def bounced(world: World, bounced: Bounced) -> None:
    _at(world, _bounce(bounced), bounced.x, bounced.y, 1.0 if _own(world, bounced.owner) else 0.7)


def _bounce(bounced: Bounced) -> str:
    return f"bounce_{min(3, bounced.bounces)}"


@sounds.on(BumperKicked)
def bumper(world: World, kicked: BumperKicked) -> None:
    _at(world, "bumper", kicked.x, kicked.y)


@sounds.on(Reflected)
def reflected(world: World, reflected: Reflected) -> None:
    _at(world, "shield_reflect", reflected.x, reflected.y)


@sounds.on(ShieldRaised)
def shield(world: World, raised: ShieldRaised) -> None:
    _at(world, "shield_up", raised.x, raised.y, 0.8)


@sounds.on(Dashed)
def dashed(world: World, dashed: Dashed) -> None:
    _at(world, "dash", dashed.x, dashed.y)


@sounds.on(Launched)
def launched(world: World, launched: Launched) -> None:
    _at(world, "spawn", launched.x, launched.y, 1.0 if _own(world, launched.seat) else 0.4)


@sounds.on(Hurt)
def hurt(world: World, hurt: Hurt) -> None:
    if _own(world, hurt.seat):
        world.post(PlaySound("low_hull" if 0 < hurt.hull <= LOW_HULL else "hurt"))
    elif _own(world, hurt.by):
        world.post(PlaySound("hit"))
    else:
        _at(world, "hit", hurt.x, hurt.y, 0.5)


@sounds.on(Killed)
def killed(world: World, killed: Killed) -> None:
    """A kill off the third bounce is the best moment of the game, heard by everyone."""
    if killed.credited and killed.bounces >= 3:
        world.post(PlaySound("kill_ricochet"))
    else:
        _at(world, "kill", killed.x, killed.y)


@sounds.on(CrateHit)
def crate_hit(world: World, hit: CrateHit) -> None:
    _at(world, "crate_hit", hit.x, hit.y)


@sounds.on(CrateBroken)
def crate_broken(world: World, broken: CrateBroken) -> None:
    _at(world, "crate_break", broken.x, broken.y)


@sounds.on(BallStruck)
def ball(world: World, struck: BallStruck) -> None:
    _at(world, "ball_hit", struck.x, struck.y, min(1.0, struck.speed / 400.0))


@sounds.on(PickupAppeared)
def appeared(world: World, appeared: PickupAppeared) -> None:
    _at(world, "pickup_spawn", appeared.x, appeared.y, 0.6)


@sounds.on(PickedUp)
def picked_up(world: World, taken: PickedUp) -> None:
    _at(world, PICKUP_SOUNDS[taken.kind], taken.x, taken.y)


@sounds.on(CountedDown)
def counted(world: World, counted: CountedDown) -> None:
    world.post(PlaySound("countdown"))


@sounds.on(RoundStarted)
def started(world: World, started: RoundStarted) -> None:
    world.post(PlaySound("round_start"))


@sounds.on(RoundEnded)
def ended(world: World, ended: RoundEnded) -> None:
    world.post(PlaySound("round_end"))


# Taken back


@sounds.on(Withdrawn[Thrown])
def not_thrown(world: World, withdrawn: Withdrawn[Thrown]) -> None:
    world.post(StopSound("throw"))


@sounds.on(Withdrawn[Bounced])
def not_bounced(world: World, withdrawn: Withdrawn[Bounced]) -> None:
    world.post(StopSound(_bounce(withdrawn.event)))


@sounds.on(Withdrawn[BumperKicked])
def not_kicked(world: World, withdrawn: Withdrawn[BumperKicked]) -> None:
    world.post(StopSound("bumper"))


@sounds.on(Withdrawn[Reflected])
def not_reflected(world: World, withdrawn: Withdrawn[Reflected]) -> None:
    world.post(StopSound("shield_reflect"))


@sounds.on(Withdrawn[BallStruck])
def not_struck(world: World, withdrawn: Withdrawn[BallStruck]) -> None:
    world.post(StopSound("ball_hit"))


@sounds.on(Withdrawn[Dashed])
def not_dashed(world: World, withdrawn: Withdrawn[Dashed]) -> None:
    world.post(StopSound("dash"))


@sounds.on(Withdrawn[ShieldRaised])
def not_raised(world: World, withdrawn: Withdrawn[ShieldRaised]) -> None:
    world.post(StopSound("shield_up"))

"""Makes the pictures of the README: plays a match of bots, finds its finest kill, and draws it.

    python tools/make_media.py docs/media

Needs ffmpeg for the moving picture.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.app import Options, Plugin, Scene
from engine.desktop.offscreen import Offscreen
from engine.ecs import World
from engine.scene import Transform
from games.ricochet.events import Killed
from games.ricochet.game import GAME
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.seats import ship_of

BEFORE, AFTER = 3.2, 2.3
"""Seconds shown around the kill."""
FRAMES_PER_SECOND = 25
WIDTH = 640
PICTURE_AFTER = 0.15
"""Seconds after the kill at which the still picture is taken."""


NEAR = 430.0
"""Units from the killer within which a kill is seen whole."""


@dataclass
class Moment:
    """A kill worth seeing."""

    tick: int
    killer: int
    bounces: int


def finest_kill(options: Options, seconds: float) -> Moment:
    """The first kill off the most bounces near its killer, once the match has warmed up."""
    found: list[Moment] = []
    watch = Plugin("watch")

    @watch.on(Killed)
    def note(world: World, killed: Killed) -> None:
        killer = ship_of(world, killed.by)
        if not (killed.credited and scene.tick > 600 and killer is not None):
            return
        at = killer[Transform]
        if abs(at.x - killed.x) < NEAR and abs(at.y - killed.y) < NEAR / 2:
            found.append(Moment(scene.tick, killed.by, killed.bounces))

    scene = GAME.scene(options, [watch])
    while scene.time.seconds < seconds:
        scene.run_tick()
    if not found:
        raise SystemExit(f"nobody was killed in {seconds:g} s; try another seed")
    return max(found, key=lambda moment: (moment.bounces, -moment.tick))


def shown(options: Options, seat: int) -> tuple[Scene, Offscreen]:
    """The same match again, seen over the shoulder of one seat."""
    offscreen = Offscreen()
    scene = GAME.scene(options, GAME.view(options), resources=[*offscreen.resources(), Viewer(seat=seat, watched=seat)])
    return scene, offscreen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bots", type=int, default=12)
    parser.add_argument("--level", default="hard")
    parser.add_argument("--seconds", type=float, default=90.0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    options = Options(seed=arguments.seed, bots=arguments.bots, level=arguments.level)
    moment = finest_kill(options, arguments.seconds)
    print(f"tick {moment.tick}: seat {moment.killer} kills after {moment.bounces} bounces")
    scene, offscreen = shown(options, moment.killer)
    rate = round(1 / scene.time.dt)
    first, last = moment.tick - round(BEFORE * rate), moment.tick + round(AFTER * rate)
    still = moment.tick + round(PICTURE_AFTER * rate)
    with tempfile.TemporaryDirectory() as frames:
        drawn = 0
        while scene.tick < last:
            scene.run_tick()
            if scene.tick >= first - offscreen.warm_up_ticks:
                offscreen.draw(scene)
            if scene.tick == still:
                offscreen.save(arguments.folder / "ricochet.png")
            due = int((scene.tick - first) / rate * FRAMES_PER_SECOND)
            if scene.tick >= first and due >= drawn:
                offscreen.save(Path(frames) / f"{drawn:04d}.png")
                drawn += 1
        print(f"{drawn} frames drawn")
        if shutil.which("ffmpeg") is None:
            raise SystemExit("ffmpeg is not installed; the moving picture is left out")
        source = ["-framerate", str(FRAMES_PER_SECOND), "-i", f"{frames}/%04d.png"]
        form = ["-vf", f"scale={WIDTH}:-1:flags=lanczos", "-c:v", "libwebp_anim", "-quality", "55", "-loop", "0"]
        subprocess.run(
            ["ffmpeg", "-y", "-loglevel", "error", *source, *form, str(arguments.folder / "ricochet.webp")],
            check=True,
        )
    for path in sorted(arguments.folder.iterdir()):
        print(f"{path.stat().st_size / 1e6:.2f} MB  {path}")


if __name__ == "__main__":
    main()

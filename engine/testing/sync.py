"""The sync test: whatever a rollback would need to go right is tried on every stretch of a run.

A stretch of ticks is run and noted, the checkpoint before it is restored, and the stretch is run again from its
inputs: every component must hash the same after every tick. The idea is GGRS's SyncTest session. Capturing may
rebuild a physics space, so both runs of a stretch start from the captured state.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from engine.app import Frame, Recorder, Replay, Scene
from engine.ecs import component_hashes
from engine.events import parse_journal
from engine.testing.executor import InlineExecutor


class SyncError(AssertionError):
    """Running a stretch again came out differently."""

    def __init__(self, tick: int, component: str, cause: str) -> None:
        super().__init__(f"tick {tick}: {component} {cause}")
        self.tick = tick
        self.component = component


def sync_test(
    build: Callable[[], Scene],
    ticks: int = 300,
    check_distance: int = 10,
    *,
    drive: Callable[[Scene, int], object] | None = None,
    frames: bool = False,
) -> int:
    """Run the scene that `build` makes, going back and running again every `check_distance` ticks.

    `drive(scene, tick)` is called before each new tick and may give input with `scene.receive`. With `frames`, a
    frame is prepared after each tick, and must not change the state. Returns the ticks checked; raises `SyncError`
    naming the first tick and component that differ. External events must be ones a journal can hold.
    """
    scene = build()
    scene.executor = scene.executor or InlineExecutor()
    while scene.tick < ticks:
        _check_stretch(scene, min(check_distance, ticks - scene.tick), drive, frames)
    return scene.tick


def _check_stretch(scene: Scene, length: int, drive: Callable[[Scene, int], object] | None, frames: bool) -> None:
    checkpoint = scene.capture()
    start = scene.tick
    tape = io.BytesIO()
    recorder = scene.recorder = Recorder(tape, {})
    for _ in range(length):
        if drive is not None:
            drive(scene, scene.tick + 1)
        scene.run_tick()
        if frames:
            _check_frame(scene)
    scene.recorder = None
    if recorder.stopped is not None:
        raise AssertionError(f"the inputs could not be noted: {recorder.stopped}")
    scene.take_waiting()  # what work brought back after the last tick comes back once more in the second run

    scene.restore(checkpoint)
    replay = scene.replay = Replay(parse_journal(tape.getvalue()))
    while scene.tick < start + length:
        scene.run_tick()
        if replay.difference is not None:
            raise SyncError(*replay.difference, f"differs when run again from the checkpoint at tick {start}")
    scene.replay = None


def _check_frame(scene: Scene) -> None:
    before = component_hashes(scene.world)
    scene.run_frame(Frame(0.5, scene.time.dt, scene.time.seconds))
    after = component_hashes(scene.world)
    for name in (*before, *(name for name in after if name not in before)):
        if before.get(name) != after.get(name):
            raise SyncError(scene.tick, name, "was changed by a handler of Frame, which must only look")

"""The loop: fixed steps, stages, plugins, scenes. Composes worlds and events; reads no clock."""

from engine.app.app import App
from engine.app.clock import FixedStep
from engine.app.command import Commanded
from engine.app.errors import AppError, ReplayError
from engine.app.game import Game, Options, Standing
from engine.app.plugin import Plugin
from engine.app.reactor import run
from engine.app.recording import Recorder, Replay
from engine.app.scene import Scene, SceneCovered, SceneEntered, SceneLeft, SceneUncovered, Time, WorkFailed
from engine.app.stages import Begin, Commands, End, Frame, Physics, Stage, Tick
from engine.app.watchdog import Overrun, Watchdog

__all__ = [
    "App",
    "AppError",
    "Begin",
    "Commanded",
    "Commands",
    "End",
    "FixedStep",
    "Frame",
    "Game",
    "Options",
    "Overrun",
    "Physics",
    "Plugin",
    "Recorder",
    "Replay",
    "ReplayError",
    "Scene",
    "SceneCovered",
    "SceneEntered",
    "SceneLeft",
    "SceneUncovered",
    "Stage",
    "Standing",
    "Tick",
    "Time",
    "Watchdog",
    "WorkFailed",
    "run",
]

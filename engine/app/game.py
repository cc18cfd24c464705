"""A game as the command line, the replay and the test kit see it: how to build its scene from a few options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from engine.app.app import App
from engine.app.errors import AppError
from engine.app.plugin import Plugin
from engine.app.scene import Scene
from engine.ecs import World
from engine.events import OnError


@dataclass(frozen=True, slots=True)
class Options:
    """What a match depends on besides its inputs. Kept in the header of a recording, so a replay builds it alike."""

    seed: int = 0
    bots: int = 7
    level: str = "normal"
    """How well bots play; the names are the game's own, see `Game.levels`."""
    humans: int = 0
    """Players whose commands come from outside."""
    arena: str = ""
    """The game's map; empty for its first."""
    mode: str = ""
    """The way it is played, such as in teams; empty for the game's first."""
    name: str = ""
    """What the first of the players is called; empty for the game's own choice."""

    def to_header(self) -> dict[str, Any]:
        """As plain values for a journal's header."""
        return asdict(self)

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> Options:
        """Back from a header. Raises `AppError` if it is no mapping or a value has the wrong type."""
        if not isinstance(header, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  (read from a file)
            raise AppError(f"the options of the recording are {header!r}, not a JSON object")
        known: dict[str, Any] = {}
        for field in fields(cls):
            default = field.default
            value = header.get(field.name, default)
            if type(value) is not type(default):
                raise AppError(
                    f"option {field.name} of the recording is {value!r}, not of type {type(default).__name__}"
                )
            known[field.name] = value
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of a game's score table."""

    name: str
    columns: tuple[str, ...]


def _nothing(options: Options) -> Sequence[Any]:
    return ()


@dataclass(slots=True)
class Game:
    """What a game package offers as `GAME`. What draws is behind `view` and `opening`, and imported only there."""

    name: str
    title: str
    version: int
    """Raised when rules change so that old recordings no longer replay."""
    rules: Callable[[Options], Sequence[Plugin]]
    """The simulation: rules and bots."""
    resources: Callable[[Options], Sequence[object]] = _nothing
    """The simulation's options and data, inserted before set-up."""
    view: Callable[[Options], Sequence[Plugin]] = _nothing
    """What shows the simulation; also made for screenshots and replays, so it takes no input."""
    pilot: Callable[[Options], Sequence[Plugin]] = _nothing
    """What turns a local player's input into commands."""
    opening: Callable[[App, Options], Scene] | None = None
    """The scene a window starts with, usually a menu; None starts a match at once."""
    levels: tuple[str, ...] = ("easy", "normal", "hard")
    arenas: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    standings: Callable[[World], list[Standing]] = lambda world: []
    """The score table, best first, one column a heading after the name."""
    status: Callable[[World], str] = lambda world: ""
    """One line about the match: round, time left."""
    journalled: tuple[type, ...] = ()
    """External events that matter to the rules, besides commands."""
    multiplayer: object = None
    """An `engine.net.multiplayer.Multiplayer`, if it can be played over a network."""

    def scene(
        self,
        options: Options,
        extra: Sequence[Plugin] = (),
        *,
        resources: Sequence[object] = (),
        on_error: OnError = OnError.RAISE,
    ) -> Scene:
        """A match: the rules for `options`, and what `extra` plugins show or steer it."""
        if options.level not in self.levels:
            raise AppError(f"{self.title} has no level {options.level!r}; choose one of {', '.join(self.levels)}")
        if options.arena and options.arena not in self.arenas:
            raise AppError(f"{self.title} has no arena {options.arena!r}; choose one of {', '.join(self.arenas)}")
        if options.mode and options.mode not in self.modes:
            raise AppError(f"{self.title} has no mode {options.mode!r}; choose one of {', '.join(self.modes)}")
        return Scene(
            *self.rules(options),
            *extra,
            name=self.name,
            seed=options.seed,
            resources=[*self.resources(options), *resources],
            on_error=on_error,
        )

"""A game under test: ticks on demand, input by hand, its state and its events to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.app import App, AppError, Game, Options, Plugin, Scene
from engine.ecs import World, component_hashes, state_hash
from engine.events import Phase
from engine.input import (
    BindingsFile,
    Controls,
    Key,
    KeyPressed,
    KeyReleased,
    MouseButton,
    PadAxis,
    PadButton,
    PadConnected,
    PadDisconnected,
    PadMoved,
    PadPressed,
    PadReleased,
    PointerMoved,
    PointerPressed,
    PointerReleased,
    PointerScrolled,
    Stick,
    TextEntered,
)
from engine.testing.clock import ManualClock
from engine.testing.executor import InlineExecutor

if TYPE_CHECKING:
    from engine.desktop.offscreen import Offscreen

E = TypeVar("E")
C = TypeVar("C", bound=Controls)

LAST = -1_000_000
"""Priority within `Phase.LATE` of a recorder: it sees what the game's own handlers made of an event."""


def play(
    game: Game,
    options: Options | None = None,
    *,
    pilot: bool = True,
    draw: bool = False,
    extra: Sequence[Plugin] = (),
    resources: Sequence[object] = (),
) -> Harness:
    """A match of `game` as a window would start it, but without one and without the player's own key bindings.

    The match has one player at the machine unless `options` say otherwise. Without `pilot` there are the rules alone,
    as on a server, and `options` are as they are by default. `draw` has images drawn off screen, which
    `Harness.screenshot` needs. `extra` plugins come after the game's.
    """
    options = options or Options(humans=1 if pilot else 0)
    plugins = [*game.view(options)] if pilot or draw else []
    if pilot:
        plugins += game.pilot(options)
    found: list[object] = [BindingsFile(None), *resources]
    offscreen: Offscreen | None = None
    if draw:
        from engine.desktop.offscreen import Offscreen  # here, as most tests draw nothing

        offscreen = Offscreen()
        found.extend(offscreen.resources())
    app = App(executor=InlineExecutor())
    app.push(game.scene(options, [*plugins, *extra], resources=found))
    return Harness(app, offscreen=offscreen)


def harness(app: App | Scene | Plugin, *more: Plugin, seed: int = 0, resources: Sequence[object] = ()) -> Harness:
    """An app, a scene or some plugins under test; `seed` and `resources` go to the scene made from plugins."""
    if isinstance(app, App):
        return Harness(app)
    made = App(executor=InlineExecutor())
    if isinstance(app, Scene):
        made = App(executor=InlineExecutor(), rate=round(1 / app.time.dt, 9))
        made.push(app)
    else:
        made.push(Scene(app, *more, name="test", seed=seed, resources=[BindingsFile(None), *resources]))
    return Harness(made)


class Harness:
    """Drives an app in a test. Input is handed to the scene on top and takes effect in its next tick."""

    def __init__(self, app: App, *, clock: ManualClock | None = None, offscreen: Offscreen | None = None) -> None:
        self.app = app
        self.clock = clock or ManualClock()
        self._offscreen = offscreen
        self._pointer = (0.0, 0.0)
        self._pads: dict[int, VirtualPad] = {}

    # What there is

    @property
    def scene(self) -> Scene:
        """The scene on top."""
        return self.app.scene

    @property
    def world(self) -> World:
        """Its world."""
        return self.app.world

    @property
    def tick(self) -> int:
        """The number of its last tick."""
        return self.app.scene.tick

    def controls(self, kind: type[C]) -> C:
        """The player's controls of that class."""
        return self.world.resource(kind)

    def events(self, kind: type[E]) -> list[E]:
        """A list that fills with the events of type `kind`, as they are delivered in the scene now on top."""
        heard: list[E] = []

        def hear(world: World, event: E) -> None:
            heard.append(event)

        self.scene.dispatcher.subscribe(kind, hear, phase=Phase.LATE, priority=LAST)
        return heard

    def state_hash(self) -> int:
        """The 64-bit hash of the simulation's state."""
        return state_hash(self.world)

    def component_hashes(self) -> dict[str, int]:
        """The hash of each component, resource and participant, to find what differs."""
        return component_hashes(self.world)

    def screenshot(self, path: Path | str) -> Path:
        """Draw the visible scenes into a picture file. Raises `AppError` if `play` was not told to `draw`."""
        if self._offscreen is None:
            raise AppError("there is nothing that draws; use play(game, draw=True) to take pictures")
        self._offscreen.draw(*self.app.visible())
        self._offscreen.save(Path(path))
        return Path(path)

    # Time

    def run_ticks(self, count: int = 1) -> None:
        """Run this many ticks."""
        self.app.run_ticks(count)

    def run_seconds(self, seconds: float) -> None:
        """Run the ticks of this many simulated seconds."""
        self.app.run_ticks(round(seconds * self.app.step.rate))

    def advance(self, seconds: float) -> int:
        """Let real time pass, as a window would: pause, speed and the catch-up cap apply. Returns the ticks run."""
        return self.app.advance(self.clock.advance(seconds))

    def frame(self) -> None:
        """Let the scenes prepare an image."""
        self.app.frame(self.clock())

    def close(self) -> None:
        """Leave all scenes."""
        self.app.close()

    # Input

    def post(self, event: object) -> None:
        """Hand any event in from outside."""
        self.app.post(event)

    def press(self, *inputs: Key | MouseButton) -> None:
        """Press keys or mouse buttons and keep them down."""
        for pressed in inputs:
            if isinstance(pressed, Key):
                self.post(KeyPressed(pressed))
            else:
                self.post(PointerPressed(*self._pointer, pressed))

    def release(self, *inputs: Key | MouseButton) -> None:
        """Let go of keys or mouse buttons."""
        for released in inputs:
            if isinstance(released, Key):
                self.post(KeyReleased(released))
            else:
                self.post(PointerReleased(*self._pointer, released))

    def tap(self, *inputs: Key | MouseButton) -> None:
        """Press and let go, both before the next tick."""
        self.press(*inputs)
        self.release(*reversed(inputs))

    def hold(self, *inputs: Key | MouseButton, ticks: int) -> None:
        """Press, run `ticks` ticks, and let go."""
        self.press(*inputs)
        self.run_ticks(ticks)
        self.release(*reversed(inputs))

    def move_pointer(self, x: float, y: float) -> None:
        """Move the pointer, in virtual screen units."""
        dx, dy = x - self._pointer[0], y - self._pointer[1]
        self._pointer = (x, y)
        self.post(PointerMoved(x, y, dx, dy))

    def click(self, x: float, y: float, button: MouseButton = MouseButton.LEFT) -> None:
        """Move the pointer there, press and let go."""
        self.move_pointer(x, y)
        self.tap(button)

    def scroll(self, dy: float, dx: float = 0.0) -> None:
        """Turn the wheel by notches; positive is away from the player, and to the right."""
        self.post(PointerScrolled(*self._pointer, dx, dy))

    def type_text(self, text: str) -> None:
        """Enter text, character by character, without the keys that would make it."""
        for character in text:
            self.post(TextEntered(character))

    def pad(self, seat: int = 0) -> VirtualPad:
        """The gamepad in a seat; it is plugged in when first asked for."""
        if seat not in self._pads:
            self._pads[seat] = VirtualPad(self, seat)
            self._pads[seat].connect()
        return self._pads[seat]


class VirtualPad:
    """A gamepad that a test plays on."""

    def __init__(self, harness: Harness, seat: int) -> None:
        self.seat = seat
        self._post = harness.post

    def connect(self, name: str = "Virtual pad") -> None:
        """Plug it in."""
        self._post(PadConnected(self.seat, name))

    def disconnect(self) -> None:
        """Unplug it."""
        self._post(PadDisconnected(self.seat))

    def press(self, *buttons: PadButton) -> None:
        """Press buttons and keep them down."""
        for button in buttons:
            self._post(PadPressed(self.seat, button))

    def release(self, *buttons: PadButton) -> None:
        """Let go of buttons."""
        for button in buttons:
            self._post(PadReleased(self.seat, button))

    def tap(self, *buttons: PadButton) -> None:
        """Press and let go, both before the next tick."""
        self.press(*buttons)
        self.release(*reversed(buttons))

    def push(self, stick: Stick, x: float, y: float) -> None:
        """Push a stick; it stays there. x to the right, y down, each -1 to 1."""
        for axis, value in zip(stick.axes, (x, y), strict=True):
            self.move(axis, value)

    def move(self, axis: PadAxis, value: float) -> None:
        """Move one axis: -1 to 1 for a stick's, 0 to 1 for a trigger."""
        self._post(PadMoved(self.seat, axis, value))

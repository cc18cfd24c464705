"""Controls: a player's actions, fed with input events and sampled once a tick."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Any, ClassVar, TypeAlias

from engine.input.action import DEAD_ZONE, Action, Level, Part, Slot, State, beyond
from engine.input.bindings import Bindings
from engine.input.errors import InputError
from engine.input.events import (
    FocusLost,
    InputEvent,
    KeyPressed,
    KeyReleased,
    PadConnected,
    PadDisconnected,
    PadMoved,
    PadPressed,
    PadReleased,
    PointerMoved,
    PointerPressed,
    PointerReleased,
    PointerScrolled,
    TouchBegan,
    TouchEnded,
    TouchMoved,
)
from engine.input.source import (
    Atom,
    Chord,
    Device,
    HalfAxis,
    Key,
    MouseButton,
    PadAxis,
    PadButton,
    Source,
    Stick,
    Wheel,
    device_of,
    label,
)

PRESS_AT = 0.5
"""How far an analog source must go to count as pressed ..."""
RELEASE_AT = 0.4
"""... and come back to count as released: apart, so that a trembling finger makes one press."""
CAPTURE_AT = 0.7
"""How far an axis must go to be taken by a capture."""
NOTICE_AT = 0.3
"""How far an axis must go to count as playing with the pad: above what a worn stick drifts."""
TRIGGER_DEAD_ZONE = 0.05

DESK = -1
"""Stands in for the seat of the keyboard and the mouse."""

Switch: TypeAlias = Key | MouseButton | Wheel | PadButton | PadAxis
"""What a device reports on: all atoms but `HalfAxis`, which is read off its axis."""


@dataclass(slots=True)
class Captured:
    """The input the player gave for a slot; `source` is None if the player cancelled with Esc."""

    slot: Slot
    source: Source | None
    conflicts: list[Slot]
    """Other slots that have the source already."""


Then: TypeAlias = Callable[[Captured], object]


@dataclass(slots=True)
class _Capture:
    slot: Slot
    then: Then | None


class Controls:
    """Base of a player's controls::

        class RicochetControls(Controls):
            thrust = axis2(keys=(Key.A, Key.D, Key.W, Key.S), pad=Stick.LEFT)
            fire = button(MouseButton.LEFT, PadAxis.RIGHT_TRIGGER)

    `input_plugin` feeds one of each class in a scene, found with `world.resource(RicochetControls)`. Without it, call
    `handle` with every event and `sample` once a tick. For two players at one machine, derive a class for each.
    """

    actions: ClassVar[dict[str, Action[Any]]] = {}
    """The declared actions by name, inherited ones first."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own: dict[str, Action[Any]] = {name: value for name, value in vars(cls).items() if isinstance(value, Action)}
        reserved = {*dir(Controls), *vars(Controls())}
        for name in own:
            if name in reserved:
                raise InputError(f"{cls.__name__}.{name} hides what Controls itself calls {name!r}; rename the action")
        cls.actions = {**cls.actions, **own}

    def __init__(self) -> None:
        self.bindings = Bindings(self.actions.values())
        self.pads: Container[int] | None = None
        """The seats whose gamepads count; None for all."""
        self.keyboard = True
        """Whether keyboard and mouse count."""
        self.connected: dict[int, str] = {}
        """The gamepads plugged in, by seat, with their names."""
        self.device = Device.KEYBOARD
        """What the player last played with."""
        self.pointer = (0.0, 0.0)
        """Where the pointer is, in virtual screen units."""
        self.pointer_moved = False
        """Whether the pointer was moved in this tick."""
        self._states: dict[Action[Any], State] = {action: action.state() for action in self.actions.values()}
        self._levels: dict[Slot, Level] = {slot: Level() for slot in self.bindings.slots}
        self._sampled = [
            (state, {slot.part: self._levels[slot] for slot in action.slots}, action.dead_zone)
            for action, state in self._states.items()
        ]
        self._values: dict[tuple[int, Switch], float] = {}
        self._taken: dict[Atom, int] = {}
        self._enabled = True
        self._capture: _Capture | None = None
        self._moved = False
        self._driven: dict[Switch, list[Slot]] = {}
        self._chords: list[Chord] = []
        self._version = -1

    # Settings

    @property
    def enabled(self) -> bool:
        """Switch off while the player types into a text field: all actions are released and stay so."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        if not enabled:
            self._let_go()
        elif not self._enabled:
            self._block_held()
        self._enabled = enabled

    def rebind(self, action: Action[Any] | Slot, *sources: Source, part: Part | None = None) -> None:
        """Bind these sources and no others, from now on. `part` names the part of an axis, e.g. `Part.LEFT`.

        Raises `InputError` if the part is missing or a source cannot drive it.
        """
        self.bindings.bind(_slot(action, part), *sources)
        self._block_held()

    def capture(self, action: Action[Any] | Slot, then: Then | None = None, *, part: Part | None = None) -> None:
        """Take the next fitting input for this slot; Esc cancels. Until then no action reacts.

        `then` decides what to do with it, e.g. ask about conflicts and call `bindings.assign`; without `then` it is
        assigned and taken away from slots it conflicts with.
        """
        self._let_go()
        self._capture = _Capture(_slot(action, part), then)

    @property
    def capturing(self) -> Slot | None:
        """The slot that waits for an input."""
        return self._capture.slot if self._capture else None

    def cancel_capture(self) -> None:
        """Stop waiting for an input."""
        if self._capture is not None:
            self._captured(None)

    def labels(self, action: Action[Any] | Slot, *, device: Device | None = None) -> list[str]:
        """What to call the sources of an action or slot, e.g. for a settings page; only those on `device` if given."""
        slots = (action,) if isinstance(action, Slot) else action.slots
        sources = [source for slot in slots for source in self.bindings[slot]]
        return [label(source) for source in sources if device is None or device_of(source) is device]

    def prompt(self, action: Action[Any] | Slot) -> str:
        """What to press for an action, on what the player last played with: `Space`, `RT`, `A / D / W / S`.

        Empty if nothing is bound.
        """
        wanted = Device.PAD if self.device is Device.PAD else Device.KEYBOARD
        labels = self.labels(action, device=wanted) or self.labels(action)
        several = isinstance(action, Action) and len(action.slots) > 1
        return " / ".join(labels) if several else labels[0] if labels else ""

    # Feeding

    def handle(self, event: InputEvent) -> None:
        """Take what a device did."""
        match event:
            case KeyPressed(key, repeat):
                if self.keyboard and not repeat:
                    self.device = Device.KEYBOARD
                    self._switch(DESK, key, 1.0)
            case KeyReleased(key):
                self._switch(DESK, key, 0.0)
            case PointerMoved(x, y, dx, dy, touch):
                self._point(x, y, touch)
                self._moved |= bool(dx or dy)
            case PointerPressed(x, y, pressed, _, touch):
                self._point(x, y, touch)
                if self.keyboard:
                    self.device = Device.TOUCH if touch else Device.KEYBOARD
                    self._switch(DESK, pressed, 1.0)
            case PointerReleased(x, y, released, touch):
                self._point(x, y, touch)
                self._switch(DESK, released, 0.0)
            case PointerScrolled(x, y, dx, dy):
                if self.keyboard:
                    self.device = Device.KEYBOARD
                    self._turn(dx, dy)
            case PadPressed(pad, pressed):
                if self.takes(pad):
                    self.device = Device.PAD
                    self._switch(pad, pressed, 1.0)
            case PadReleased(pad, released):
                self._switch(pad, released, 0.0)
            case PadMoved(pad, axis, value):
                if self.takes(pad) and isfinite(value):
                    if abs(value) >= NOTICE_AT:
                        self.device = Device.PAD
                    self._switch(pad, axis, max(-1.0, min(1.0, value)))
            case PadConnected(pad, name):
                self.connected[pad] = name
            case PadDisconnected(pad):
                self.connected.pop(pad, None)
                self._unplug(pad)
            case TouchBegan() | TouchMoved() | TouchEnded():
                self.device = Device.TOUCH
            case FocusLost():
                self.release_all()
            case _:
                pass

    def takes(self, pad: int) -> bool:
        """Whether the gamepad in this seat counts."""
        return self.pads is None or pad in self.pads

    def release_all(self) -> None:
        """Let go of everything, as when the window loses the keyboard."""
        self._values.clear()
        self._taken.clear()
        for slot in self._levels:
            self._update(slot)

    def _let_go(self) -> None:
        """Release the actions, and still know what the player's hands hold."""
        values = self._values.copy()
        self.release_all()
        self._values = values

    def sample(self) -> None:
        """Work out the actions' values for this tick from what happened since the last."""
        if self._version != self.bindings.version:
            self._block_held()
        for state, parts, dead_zone in self._sampled:
            state.sample(parts, dead_zone)
        for level in self._levels.values():
            level.peak = 0.0
            level.went_down = level.went_up = False
        self.pointer_moved, self._moved = self._moved, False

    # From switches to slots

    def _point(self, x: float, y: float, touch: bool) -> None:
        if self.keyboard:
            if (x, y) != self.pointer and not touch:
                self.device = Device.KEYBOARD
            self.pointer = (x, y)

    def _switch(self, pad: int, switch: Switch, value: float) -> None:
        if self._version != self.bindings.version:
            self._block_held()
        before = self._value(switch)
        if value:
            self._values[pad, switch] = value
        else:
            self._values.pop((pad, switch), None)
        if self._capture is not None:
            self._offer(switch, before, self._value(switch))
            return
        if not self._enabled:
            return
        atoms: tuple[Atom, ...] = (switch,)
        if isinstance(switch, PadAxis) and not switch.is_trigger:
            atoms = (switch.negative, switch.positive)
        for atom in atoms:
            self._take(atom)
        for slot in self._driven.get(switch, ()):
            self._update(slot)

    def _turn(self, dx: float, dy: float) -> None:
        for amount, negative, positive in ((dx, Wheel.LEFT, Wheel.RIGHT), (dy, Wheel.DOWN, Wheel.UP)):
            if amount:
                self._switch(DESK, positive if amount > 0 else negative, 1.0)
                self._switch(DESK, positive if amount > 0 else negative, 0.0)

    def _unplug(self, pad: int) -> None:
        for held in [switch for seat, switch in self._values if seat == pad]:
            self._switch(pad, held, 0.0)
        if self.device is Device.PAD and not any(self.takes(seat) for seat in self.connected):
            self.device = Device.KEYBOARD

    def _take(self, atom: Atom) -> None:
        """Give a press to the longest chord that it completes, until it is released."""
        raw = self._raw(atom)
        if raw < RELEASE_AT:
            self._taken.pop(atom, None)
        elif raw >= PRESS_AT and atom not in self._taken:
            complete = [
                len(chord.atoms)
                for chord in self._chords
                if chord.trigger == atom and all(self._raw(held) >= PRESS_AT for held in chord.held)
            ]
            self._taken[atom] = max(complete, default=1)

    def _block_held(self) -> None:
        """What is held now counts only after it was let go: a press has one meaning."""
        for _, switch in list(self._values):
            atoms = (switch.negative, switch.positive) if isinstance(switch, PadAxis) else ()
            for atom in (switch, *atoms):
                if self._raw(atom) >= RELEASE_AT:
                    self._taken[atom] = 0
        self._index()
        for slot in self._levels:
            self._update(slot)

    def _index(self) -> None:
        """Note which slots a switch drives."""
        self._version = self.bindings.version
        self._driven = {}
        self._chords = []
        for slot in self._levels:
            for source in self.bindings[slot]:
                if isinstance(source, Chord):
                    self._chords.append(source)
                for switch in _switches(source):
                    slots = self._driven.setdefault(switch, [])
                    if slot not in slots:
                        slots.append(slot)

    def _update(self, slot: Slot) -> None:
        level = self._levels[slot]
        sources = self.bindings[slot]
        if slot.part is Part.ANALOG:
            level.x, level.y = max((self._analog(s) for s in sources), key=lambda p: hypot(*p), default=(0.0, 0.0))
            return
        strength = max(map(self._strength, sources), default=0.0)
        if strength > level.strength:
            level.peak = max(level.peak, strength)
        level.strength = strength
        if not level.down and strength >= PRESS_AT:
            level.down = level.went_down = True
        elif level.down and strength < RELEASE_AT:
            level.down = False
            level.went_up = True

    def _analog(self, source: Source) -> tuple[float, float]:
        """The push of a stick or an axis, of the pad that pushes it furthest."""
        if isinstance(source, Stick):
            x, y = source.axes
            seats = dict.fromkeys(seat for seat, switch in self._values if switch in source.axes)
            pushes = ((self._values.get((seat, x), 0.0), self._values.get((seat, y), 0.0)) for seat in seats)
            return max(pushes, key=lambda push: hypot(*push), default=(0.0, 0.0))
        assert isinstance(source, PadAxis)
        return self._value(source), 0.0

    def _strength(self, source: Source) -> float:
        """How strongly a source is driven, from 0 to 1, after chords and dead zones."""
        assert not isinstance(source, Stick)
        if isinstance(source, Chord):
            if self._taken.get(source.trigger) != len(source.atoms):
                return 0.0
            return min(1.0 if self._raw(atom) >= RELEASE_AT else 0.0 for atom in source.atoms)
        if self._taken.get(source, 1) != 1:
            return 0.0
        raw = self._raw(source)
        if isinstance(source, HalfAxis):
            return beyond(raw, DEAD_ZONE)
        return beyond(raw, TRIGGER_DEAD_ZONE) if isinstance(source, PadAxis) else raw

    def _raw(self, atom: Atom) -> float:
        if isinstance(atom, HalfAxis):
            return max(0.0, self._value(atom.axis) * atom.sign)
        return self._value(atom)

    def _value(self, switch: Switch) -> float:
        return max((value for (_, own), value in self._values.items() if own is switch), key=abs, default=0.0)

    # Capturing

    def _offer(self, switch: Switch, before: float, now: float) -> None:
        """While capturing: see whether a change of a switch is what the slot waits for."""
        assert self._capture is not None
        if switch is Key.ESCAPE and now:
            self._captured(None)
            return
        part, axis2 = self._capture.slot.part, self._capture.slot.action.takes_stick
        if isinstance(switch, PadAxis):
            if abs(before) >= CAPTURE_AT or abs(now) < CAPTURE_AT:
                return
            if part is not Part.ANALOG:
                self._captured(switch if switch.is_trigger else HalfAxis(switch, 1 if now > 0 else -1))
            elif not axis2:
                self._captured(switch)
            elif not switch.is_trigger:
                self._captured(next(stick for stick in Stick if switch in stick.axes))
        elif part is Part.ANALOG:
            return
        elif isinstance(switch, Key) and switch.is_modifier:
            if before and not now:
                self._captured(switch)
        elif now and not before:
            held = [key for _, key in self._values if isinstance(key, Key) and key.is_modifier]
            self._captured(Chord(*held, switch) if held and isinstance(switch, Key) else switch)

    def _captured(self, source: Source | None) -> None:
        capture, self._capture = self._capture, None
        assert capture is not None
        conflicts = self.bindings.conflicts(capture.slot, source) if source is not None else []
        if capture.then is not None:
            capture.then(Captured(capture.slot, source, conflicts))
        elif source is not None:
            self.bindings.assign(capture.slot, source, steal=True)
        self._block_held()


def _slot(action: Action[Any] | Slot, part: Part | None) -> Slot:
    return action if isinstance(action, Slot) else action.slot(part)


def _switches(source: Source) -> tuple[Switch, ...]:
    """What devices report on that bears on a source."""
    if isinstance(source, Chord):
        return tuple(switch for atom in source.atoms for switch in _switches(atom))
    if isinstance(source, Stick):
        return source.axes
    return (source.axis if isinstance(source, HalfAxis) else source,)

"""The ui: what is shown, where the focus is, and what input means to it. Knows no device and no renderer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.graphics import Canvas, Rect
from engine.input import (
    FocusLost,
    InputEvent,
    Key,
    KeyPressed,
    KeyReleased,
    MouseButton,
    PadAxis,
    PadButton,
    PadDisconnected,
    PadMoved,
    PadPressed,
    PadReleased,
    PointerMoved,
    PointerPressed,
    PointerReleased,
    PointerScrolled,
    TextEntered,
)
from engine.sound import PlaySound
from engine.widgets.clipboard import Clipboard
from engine.widgets.errors import WidgetError
from engine.widgets.events import Cancelled
from engine.widgets.focus import neighbour, next_stop, stops
from engine.widgets.painter import Ease, Painter
from engine.widgets.theme import NEON, Theme
from engine.widgets.widget import Direction, Widget

REPEAT_AFTER = 0.4
"""Seconds a direction is held on a gamepad until it repeats ..."""
REPEAT_EVERY = 0.09
"""... and between repeats."""
TILT_ON = 0.6
"""How far the stick must go to count as a direction ..."""
TILT_OFF = 0.35
"""... and come back to count as let go."""
NOWHERE = (-1.0, -1.0)
"""Where the pointer is before it was seen: outside of the screen."""
RISE = 14.0
"""Pixels that what is shown comes up by."""

_ARROWS = {
    Key.LEFT: Direction.LEFT,
    Key.RIGHT: Direction.RIGHT,
    Key.UP: Direction.UP,
    Key.DOWN: Direction.DOWN,
}
_PAD_ARROWS = {
    PadButton.LEFT: Direction.LEFT,
    PadButton.RIGHT: Direction.RIGHT,
    PadButton.UP: Direction.UP,
    PadButton.DOWN: Direction.DOWN,
}
_ENTER = (Key.ENTER, Key.KEYPAD_ENTER)
_NO_LETTER = (
    *_ENTER,
    *_ARROWS,
    Key.TAB,
    Key.ESCAPE,
    Key.BACKSPACE,
    Key.DELETE,
    Key.HOME,
    Key.END,
)


@dataclass(slots=True)
class _Shown:
    """A tree of widgets on the screen."""

    root: Widget
    modal: bool
    dim: bool
    on_cancel: Callable[[], object] | None
    focus: Widget | None
    """What had the focus when something else was shown above."""
    opening: Ease = field(default_factory=Ease)


class Ui:
    """What widgets are shown in a world, and where its input goes: a resource of every world with the plugin::

        ui = world.resource(Ui)
        ui.show(Panel(Column(play, quit), title="RICOCHET"))

    The sounds are played when the focus moves, when something is pressed, and when the player cancels; an empty name
    is silence.
    """

    def __init__(
        self,
        theme: Theme = NEON,
        *,
        width: float = 1280.0,
        height: float = 720.0,
        move_sound: str = "",
        press_sound: str = "",
        cancel_sound: str = "",
    ) -> None:
        self.theme = theme
        self.width = width
        """Of the screen in virtual pixels; the plugin keeps it to the renderer's."""
        self.height = height
        self.move_sound = move_sound
        self.press_sound = press_sound
        self.cancel_sound = cancel_sound
        self.clipboard = Clipboard()
        """Where text fields cut to and paste from; the plugin sets it to the world's if there is one."""
        self.post: Callable[[object], None] = _nowhere
        """Where events go; the plugin sets it to the world's."""
        self.pointer = NOWHERE
        """Where the pointer is, in virtual pixels."""
        self.pointing = False
        """Whether the player last used a pointer, not keys or a gamepad."""
        self.hovered: Widget | None = None
        """What can be used under the pointer."""
        self.pressed_at: tuple[float, float] | None = None
        """Where the pointer was let go, while what that activates is told; None when a key does it."""
        self._shown: list[_Shown] = []
        self._focus: Widget | None = None
        self._held: Widget | None = None
        """What the pointer was pressed on and has not been let go of."""
        self._keys: set[Key] = set()
        self._directions: dict[object, _Repeat] = {}
        self._capturing: _Capturing | None = None
        self._stray_text = False
        """Whether text may come from a key that was pressed before there was anywhere to type."""
        self._taken: object = None
        self._canvas: Canvas | None = None

    # What is shown

    def show(
        self,
        widget: Widget,
        *,
        modal: bool = True,
        dim: bool | None = None,
        on_cancel: Callable[[], object] | None = None,
    ) -> None:
        """Show a widget above everything else, with the focus on the first in it that takes it.

        What is `modal` keeps the pointer from what is below, and dims it unless `dim` says otherwise. `on_cancel()` is
        called for Esc, or B on a gamepad, before `Cancelled` is posted. Raises `WidgetError` if the widget is shown
        already or in a container.
        """
        if widget.parent is not None:
            raise WidgetError(
                f"a {type(widget).__name__} in a {type(widget.parent).__name__} cannot be shown by itself; "
                f"show the outermost widget"
            )
        if any(shown.root is widget for shown in self._shown):
            raise WidgetError(f"this {type(widget).__name__} is shown already; hide it first")
        if self._shown:
            self._shown[-1].focus = self._focus
        self._let_go()
        self._shown.append(_Shown(widget, modal, modal if dim is None else dim, on_cancel, None))
        self._shown[-1].opening.target = 1.0
        self._lay_out(self._shown[-1])
        self._set_focus(next(iter(stops(widget)), None))
        self._hover()

    def hide(self, widget: Widget | None = None) -> None:
        """Take a widget off the screen, or what was shown last. The focus goes back to where it was below.

        Nothing happens if it is not shown.
        """
        at = len(self._shown) - 1
        if widget is not None:
            at = next((n for n, shown in enumerate(self._shown) if shown.root is widget), -1)
        if at < 0:
            return
        was_on_top = at == len(self._shown) - 1
        self._let_go()
        del self._shown[at]
        if was_on_top:
            below = self._shown[-1] if self._shown else None
            self._set_focus(below.focus if below is not None and below.focus is not None else None)
            if below is not None and self._focus is None:
                self._set_focus(next(iter(stops(below.root)), None))
        self._hover()

    def replace(
        self,
        widget: Widget,
        *,
        modal: bool = True,
        dim: bool | None = None,
        on_cancel: Callable[[], object] | None = None,
    ) -> None:
        """Show a widget instead of what was shown last."""
        self.hide()
        self.show(widget, modal=modal, dim=dim, on_cancel=on_cancel)

    def clear(self) -> None:
        """Take everything off the screen."""
        while self._shown:
            self.hide()

    @property
    def shown(self) -> list[Widget]:
        """What is on the screen, lowest first."""
        return [shown.root for shown in self._shown]

    @property
    def is_open(self) -> bool:
        """Whether anything modal is shown, so that the game should leave the input alone."""
        return any(shown.modal for shown in self._shown)

    @property
    def typing(self) -> bool:
        """Whether typed text goes into a widget, so that letters should not fly the ship."""
        return self._focus is not None and self._focus.takes_text

    # Focus

    @property
    def focus(self) -> Widget | None:
        """The widget that keys and gamepad act on."""
        return self._focus

    @focus.setter
    def focus(self, widget: Widget | None) -> None:
        if widget is not None and (not self._shown or widget.root is not self._shown[-1].root):
            raise WidgetError(
                f"this {type(widget).__name__} is not in what is shown on top, so it cannot have the focus"
            )
        self._set_focus(widget)

    @property
    def ring_visible(self) -> bool:
        """Whether the widget with the focus is ringed: not while the player points."""
        return not self.pointing

    def _set_focus(self, widget: Widget | None) -> None:
        if widget is self._focus:
            return
        if self._focus is not None:
            self._focus.focus_changed(False)
        self._focus = widget
        if widget is not None:
            widget.focus_changed(True)
            inner: Widget = widget
            while inner.parent is not None:
                inner.parent.reveal(widget)
                inner = inner.parent

    def _move_focus(self, widget: Widget | None) -> None:
        if widget is not None and widget is not self._focus:
            self._set_focus(widget)
            self._sound(self.move_sound)

    # Time

    def advance(self, dt: float) -> None:
        """Let `dt` seconds of animation and repeats pass."""
        self._stray_text = False
        for repeat in list(self._directions.values()):
            repeat.left -= dt
            if repeat.left <= 0:
                repeat.left += max(REPEAT_EVERY, dt)
                self._go(repeat.direction)
        for shown in self._shown:
            shown.opening.advance(dt, self.theme.quickness)
            for widget in shown.root.walk():
                lit = widget is (self.hovered if self.pointing else self._focus)
                widget.hot.target = float(lit and widget.usable)
                widget.down.target = float(widget is self._held and widget is self.hovered)
                widget.advance(dt, self.theme)

    def tick(self) -> None:
        """Note the end of a tick: text that comes from now on belongs to keys pressed from now on."""
        self._stray_text = False

    # Input

    def took(self, event: object) -> bool:
        """Whether an event that is being handled was meant for widgets, so that the game should leave it alone.

        Ask before reacting to a key that may have closed a panel a moment ago.
        """
        return event is self._taken

    def handle(self, event: InputEvent) -> None:
        """Take what a device did."""
        self._taken = event if self._is_ours(event) else None
        if self._capturing is not None:
            # The controls have seen this event already; when it ended the capture it must do nothing else.
            self._note_keys(event)
            if not self._capturing.waiting():
                self._capturing = None
            return
        self._note_keys(event)
        self._refresh()
        match event:
            case KeyPressed(key, repeat):
                self._key(key, repeat)
            case TextEntered(text):
                self._text(text)
            case PointerMoved(x, y):
                self._pointer_moved(x, y)
            case PointerPressed(x, y, MouseButton.LEFT, clicks):
                self._pointer_pressed(x, y, clicks)
            case PointerReleased(x, y, MouseButton.LEFT, touch):
                self._pointer_released(x, y)
                if touch:
                    self.pointer = NOWHERE  # a lifted finger hovers over nothing
                    self._hover()
            case PointerScrolled(x, y, _, dy):
                self._wheel(x, y, dy)
            case PadPressed(pad, button):
                self._pad(pad, button)
            case PadReleased(pad, button):
                self._directions.pop((pad, button), None)
            case PadMoved(pad, axis, value):
                self._tilt(pad, axis, value)
            case PadDisconnected(pad):
                self._directions = {key: held for key, held in self._directions.items() if held.pad != pad}
            case FocusLost():
                self.release_all()
            case _:
                pass

    def _is_ours(self, event: InputEvent) -> bool:
        if self.is_open or self._capturing is not None or self._held is not None:
            return True
        match event:
            case KeyPressed() | KeyReleased() | TextEntered():
                return self.typing
            case PointerPressed(x, y) | PointerReleased(x, y) | PointerScrolled(x, y):
                return self._widget_at(x, y) is not None
            case _:
                return False

    def release_all(self) -> None:
        """Let go of everything that is held."""
        self._keys.clear()
        self._let_go()

    def capture(self, waiting: Callable[[], bool]) -> None:
        """Leave all input alone as long as `waiting()`, and the event that ends it too."""
        self._directions.clear()
        self._capturing = _Capturing(waiting)

    @property
    def shift(self) -> bool:
        """Whether a shift key is held."""
        return not self._keys.isdisjoint((Key.SHIFT_LEFT, Key.SHIFT_RIGHT))

    @property
    def ctrl(self) -> bool:
        """Whether a key is held that makes letters commands: ctrl, or the meta key that is used for it on a Mac."""
        alt = not self._keys.isdisjoint((Key.ALT_LEFT, Key.ALT_RIGHT))
        return not alt and not self._keys.isdisjoint((Key.CTRL_LEFT, Key.CTRL_RIGHT, Key.META_LEFT, Key.META_RIGHT))

    def measure(self, text: str, size: float) -> float:
        """How wide a text is: as last drawn with, or nearly so if nothing was drawn yet."""
        if self._canvas is None:
            return self.theme.text_width(text, size)
        return self._canvas.measure(text, size=size, font=self.theme.font)[0]

    def _note_keys(self, event: InputEvent) -> None:
        if isinstance(event, KeyPressed):
            self._keys.add(event.key)
        elif isinstance(event, KeyReleased):
            self._keys.discard(event.key)

    def _key(self, key: Key, repeat: bool) -> None:
        if not self._shown:
            self._stray_text = True
            return
        focus = self._usable_focus()
        if not self.typing and key not in _NO_LETTER:
            self._stray_text = True
        if key in _ARROWS:
            self.pointing = False
            self._go(_ARROWS[key])
        elif key is Key.TAB:
            self.pointing = False
            self._move_focus(next_stop(self._shown[-1].root, focus, -1 if self.shift else 1))
        elif (focus is not None and focus.edit(self, key)) or repeat:
            pass
        elif key is Key.ESCAPE:
            self._cancel()
        elif key in _ENTER or (key is Key.SPACE and not self.typing):
            self.pointing = False
            self._activate()

    def _text(self, text: str) -> None:
        focus = self._usable_focus()
        if focus is not None and focus.takes_text and not self._stray_text and not self.ctrl:
            focus.enter(self, text)

    def _pad(self, pad: int, button: PadButton) -> None:
        if not self._shown:
            return
        self.pointing = False
        if button in _PAD_ARROWS:
            self._directions[pad, button] = _Repeat(_PAD_ARROWS[button], pad)
            self._go(_PAD_ARROWS[button])
        elif button is PadButton.A:
            self._activate()
        elif button is PadButton.B:
            self._cancel()
        elif button in (PadButton.LEFT_SHOULDER, PadButton.RIGHT_SHOULDER):
            focus = self._usable_focus()
            if focus is not None:
                focus.edit(self, Key.PAGE_UP if button is PadButton.LEFT_SHOULDER else Key.PAGE_DOWN)

    def _tilt(self, pad: int, axis: PadAxis, value: float) -> None:
        if axis not in (PadAxis.LEFT_X, PadAxis.LEFT_Y):
            return
        held = self._directions.get((pad, axis))
        sideways = axis is PadAxis.LEFT_X
        toward = (
            (Direction.RIGHT if sideways else Direction.DOWN)
            if value > 0
            else (Direction.LEFT if sideways else Direction.UP)
        )
        if held is not None and (abs(value) < TILT_OFF or held.direction is not toward):
            del self._directions[pad, axis]
            held = None
        if held is None and abs(value) >= TILT_ON and self._shown:
            self.pointing = False
            self._directions[pad, axis] = _Repeat(toward, pad)
            self._go(toward)

    def _go(self, direction: Direction) -> None:
        if not self._shown:
            return
        focus = self._usable_focus()
        if focus is None or not focus.nudge(self, direction):
            self._move_focus(neighbour(self._shown[-1].root, focus, direction))

    def _activate(self) -> None:
        focus = self._usable_focus()
        if focus is not None:
            self._sound(self.press_sound)
            focus.activate(self)

    def _cancel(self) -> None:
        top = self._shown[-1]
        self._sound(self.cancel_sound)
        if top.on_cancel is not None:
            top.on_cancel()
        self.post(Cancelled(top.root))

    def _usable_focus(self) -> Widget | None:
        return self._focus if self._focus is not None and self._focus.usable else None

    # The pointer

    def _pointer_moved(self, x: float, y: float) -> None:
        if (x, y) != self.pointer:
            self.pointing = True
        self.pointer = (x, y)
        self._hover()
        if self._held is not None:
            self._held.drag(self, x, y)

    def _pointer_pressed(self, x: float, y: float, clicks: int) -> None:
        self.pointer = (x, y)
        self.pointing = True
        self._hover()
        widget = self.hovered
        if widget is None:
            return
        self._held = widget
        if self._shown and widget.root is self._shown[-1].root:
            self._set_focus(widget)
        widget.press(self, x, y, clicks)

    def _pointer_released(self, x: float, y: float) -> None:
        self.pointer = (x, y)
        self._hover()
        held, self._held = self._held, None
        if held is not None and held is self.hovered and held.usable:
            self.pressed_at = (x, y)
            try:
                self._sound(self.press_sound)
                held.activate(self)
            finally:
                self.pressed_at = None

    def _wheel(self, x: float, y: float, notches: float) -> None:
        self.pointer = (x, y)
        self._hover()
        widget = self._widget_at(x, y)
        while widget is not None and notches:
            if widget.usable and widget.scroll(self, notches):
                break
            widget = widget.parent
        self._hover()

    def _hover(self) -> None:
        before = self.hovered
        widget = self._widget_at(*self.pointer)
        while widget is not None and not widget.takes_focus:
            widget = widget.parent
        self.hovered = widget if widget is not None and widget.usable else None
        if self.hovered is not None and self.hovered is not before and self.pointing:
            self._sound(self.move_sound)

    def _widget_at(self, x: float, y: float) -> Widget | None:
        """The innermost widget in sight there, above the first modal thing from the top."""
        for shown in reversed(self._shown):
            found = [w for w in shown.root.walk() if w.rect.contains(x, y) and w.in_sight]
            if found:
                return found[-1]
            if shown.modal:
                return None
        return None

    def _let_go(self) -> None:
        self._held = None
        self._directions.clear()

    def _sound(self, name: str) -> None:
        if name:
            self.post(PlaySound(name))

    # Layout and drawing

    def resize(self, width: float, height: float) -> None:
        """Note the size of the screen in virtual pixels."""
        if (width, height) != (self.width, self.height):
            self.width, self.height = width, height
            for shown in self._shown:
                shown.root.stale = True

    def _refresh(self) -> None:
        """Lay out what has changed, and move the focus off what can no longer have it."""
        for shown in self._shown:
            if shown.root.stale:
                self._lay_out(shown)
        if self._focus is not None and not (
            self._focus.usable and self._shown and self._focus.root is self._shown[-1].root
        ):
            self._set_focus(next(iter(stops(self._shown[-1].root)), None) if self._shown else None)

    def _lay_out(self, shown: _Shown) -> None:
        root = shown.root
        width, height = root.size(self.theme)
        width = min(width, max(0.0, self.width - 2 * root.margin))
        height = min(height, max(0.0, self.height - 2 * root.margin))
        across, down = root.anchor.value
        x = root.margin + (self.width - 2 * root.margin - width) * across
        y = root.margin + (self.height - 2 * root.margin - height) * down
        root.stale = False
        root.place(Rect(round(x), round(y), round(width), round(height)), self.theme)

    def draw(self, canvas: Canvas) -> None:
        """Draw everything that is shown."""
        self._canvas = canvas
        self.resize(canvas.width, canvas.height)
        self._refresh()
        painter = Painter(canvas, self.theme)
        for shown in self._shown:
            opening = shown.opening.level
            painter.opacity, painter.dy = opening, 0.0
            if shown.dim:
                painter.box(Rect(0.0, 0.0, self.width, self.height), fill=self.theme.scrim, radius=0.0)
            painter.dy = round((1.0 - opening) * RISE)
            if opening > 0 and shown.root.visible:
                shown.root.paint(painter, self)


@dataclass(slots=True)
class _Repeat:
    """A direction held on a gamepad."""

    direction: Direction
    pad: int
    left: float = REPEAT_AFTER
    """Seconds to the next repeat."""


@dataclass(slots=True)
class _Capturing:
    """Somebody else takes the input."""

    waiting: Callable[[], bool]


def _nowhere(event: object) -> None:
    """Takes the events of a ui that is in no world."""

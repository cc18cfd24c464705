"""What menus have in common: the scene, its look, and the way into a page and back to where one was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.app import App, End, Plugin, Scene, SceneLeft
from engine.assets import Assets
from engine.ecs import World
from engine.events import OnError, Phase
from engine.graphics import DrawOverlay
from engine.input import Bindings, BindingsFile, Device
from engine.net.networking import Guest, Host
from engine.net.session import Hosting, Joining
from engine.widgets import NEON, Ui, Widget, widgets
from games.ricochet.presentation.base import base
from games.ricochet.presentation.controls import RicochetControls, controls
from games.ricochet.presentation.looks import CALM
from games.ricochet.presentation.settings import Settings, SettingsFile
from games.ricochet.presentation.sounds import music

HINTS = {
    Device.PAD: "D-pad or stick: choose     A: press     B: back",
    Device.KEYBOARD: "Arrows or Tab: choose     Enter: press     Esc: back",
}
TITLE_Y = 168.0

menus = Plugin("ricochet.menus", needs=[base, music, widgets, controls])
"""What a scene of menus is made from."""


def menu_scene(
    app: App, name: str, *extra: Plugin, over: World | None = None, on_error: OnError = OnError.RAISE
) -> Scene:
    """A scene with a `Menu`, over others; over the world of a match it shares what that has of the player's."""
    ui = Ui(NEON, move_sound="ui_move", press_sound="ui_press", cancel_sound="ui_move")
    own: list[object] = list(app.shared)
    for kind in (BindingsFile, Bindings, SettingsFile, Settings, Assets, Guest, Host, Joining, Hosting):
        found = over.find_resource(kind) if over is not None else None
        if found is not None:
            own.append(found)
    scene = Scene(
        menus, *extra, name=name, rate=app.step.rate, resources=[*own, ui], shows_below=True, on_error=on_error
    )
    scene.world.insert(Menu(app, scene.world))
    return scene


@menus.on(End)
def tick(world: World, stage: End) -> None:
    """What was changed is kept at once."""
    world.resource(Menu).tick()
    world.resource(SettingsFile).keep(world.resource(Settings))


@menus.on(SceneLeft)
def keep_last_settings(world: World, event: SceneLeft) -> None:
    world.resource(SettingsFile).keep(world.resource(Settings))


@menus.on(DrawOverlay)
def draw_face(world: World, overlay: DrawOverlay) -> None:
    canvas = overlay.canvas
    if world.resource(Menu).titled:
        canvas.rect(0, 0, canvas.width, canvas.height, fill=0x04060C78)
        canvas.sprite("sprites/title.png", canvas.width / 2, TITLE_Y)


@menus.on(DrawOverlay, phase=Phase.LATE, priority=-1)
def draw_hint(world: World, overlay: DrawOverlay) -> None:
    canvas, ui = overlay.canvas, world.resource(Ui)
    hint = HINTS.get(world.resource(RicochetControls).device, "")
    if not (ui.pointing or ui.typing):
        canvas.text(hint, canvas.width / 2, canvas.height - 34, size=20, color=CALM, align="center")


class Menu:
    """The pages of a menu scene."""

    def __init__(self, app: App, world: World) -> None:
        self.app = app
        self.world = world
        self.ui = world.resource(Ui)
        self.settings = world.resource(Settings)
        self._trail: list[_Page] = []
        self._closed = False

    def open(
        self,
        page: Widget,
        *,
        title: bool = False,
        focus: Widget | None = None,
        on_back: Callable[[], object] | None = None,
        each_tick: Callable[[], object] | None = None,
    ) -> None:
        """Go into a page, with the `focus` on a widget in it, else on the first.

        `title` stands the game's name above it. Back means `on_back`, else the page before. `each_tick()` is called
        while the page is shown.
        """
        if self._trail:
            self._trail[-1].focus = self.ui.focus
        self._trail.append(_Page(page, title, on_back, each_tick, focus))
        self._show()

    def back(self) -> None:
        """Leave the page for the one before, to the button that was pressed there; on the first, nothing happens."""
        on_back = self._trail[-1].on_back
        if on_back is not None:
            on_back()
        else:
            self.up()

    def up(self) -> None:
        """Leave the page for the one before, whatever it says of going back."""
        if len(self._trail) > 1:
            self._trail.pop()
            self._show()

    def close(self) -> None:
        """Take the menu off, once, however often it is asked for in a tick."""
        if not self._closed:
            self._closed = True
            self.app.pop()

    def tick(self) -> None:
        """Let the page that is shown look at what has come of things."""
        if self._trail and self._trail[-1].each_tick is not None:
            self._trail[-1].each_tick()

    @property
    def titled(self) -> bool:
        """Whether the game's name stands above the page."""
        return bool(self._trail) and self._trail[-1].title

    def _show(self) -> None:
        page = self._trail[-1]
        self.ui.replace(page.widget, dim=not page.title, on_cancel=self.back)
        if page.focus is not None and page.focus.usable:
            self.ui.focus = page.focus


@dataclass
class _Page:
    widget: Widget
    title: bool
    on_back: Callable[[], object] | None
    each_tick: Callable[[], object] | None
    focus: Widget | None = None
    """What gets the focus when the page is shown: what had it when another was opened from here."""

"""The settings page. Everything takes effect and is kept at once."""

from __future__ import annotations

from engine.graphics import Display
from engine.sound import PlaySound
from engine.widgets import Button, Column, Panel, Slider, Toggle, Widget
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.presentation.menus.play_page import name_field


def settings_page(menu: Menu) -> Widget:
    """Volumes, camera kick, hit-stop, fullscreen where there is a window, and the pilot's name."""
    settings, world = menu.settings, menu.world

    def effects(volume: float) -> None:
        settings.effects_volume = volume
        world.post(PlaySound("throw"))

    def music(volume: float) -> None:
        settings.music_volume = volume

    def camera_kick(on: bool) -> None:
        settings.camera_kick = on

    def hit_stop(on: bool) -> None:
        settings.hit_stop = on

    rows: list[Widget] = [
        Slider(0.0, 1.0, settings.effects_volume, label="Effects", on_change=effects),
        Slider(0.0, 1.0, settings.music_volume, label="Music", on_change=music),
        Toggle("Camera kicks and shakes", settings.camera_kick, camera_kick),
        Toggle("Hit-stop on kills", settings.hit_stop, hit_stop),
    ]
    display = world.find_resource(Display)
    if display is not None:
        rows.append(_fullscreen(menu, display))
    return Panel(Column(*rows, name_field(menu), Button("BACK", menu.back)), title="SETTINGS", width=640.0)


def _fullscreen(menu: Menu, display: Display) -> Toggle:
    def change(on: bool) -> None:
        if display.is_fullscreen() != on:
            display.toggle_fullscreen()
        menu.settings.fullscreen = display.is_fullscreen()

    return Toggle("Fullscreen", display.is_fullscreen(), change)

"""The controls page: what every action is bound to, by keyboard and mouse on the left and by gamepad on the right."""

from __future__ import annotations

import logging

from engine.input import BindingsFile, Controls, Device, Slot, label
from engine.input.source import device_of
from engine.widgets import Button, Column, KeyButton, Label, Panel, Row, Space, Widget
from games.ricochet.presentation.controls import RicochetControls
from games.ricochet.presentation.menus.menu import Menu

log = logging.getLogger("tickwire.ricochet")

DEVICES = (Device.KEYBOARD, Device.PAD)
KEY_WIDTH, ROW = 230.0, 34.0
HELP = "Press one, then the new key or button. Del clears it."


def controls_page(menu: Menu) -> Widget:
    """A row for each slot that an action has by default, with a button for each device it fits."""
    theme = menu.ui.theme
    controls = menu.world.resource(RicochetControls)
    note = Label("", size=theme.small, color=theme.faint)

    def tell() -> None:
        shared = _shared(controls)
        note.text = shared or HELP
        note.color = theme.warning if shared else theme.faint

    def changed(source: object = None) -> None:
        _keep(menu, controls)
        tell()

    def reset() -> None:
        controls.bindings.reset()
        changed()

    tell()
    head = Row(
        Label("", size=theme.small),
        Label("keyboard and mouse", size=theme.small, color=theme.faint, align="center", width=KEY_WIDTH),
        Label("gamepad", size=theme.small, color=theme.faint, align="center", width=KEY_WIDTH),
        weights=(1, 0, 0),
    )
    rows: list[Widget] = []
    for slot in controls.bindings.slots:
        devices = {device_of(source) for source in slot.action.defaults[slot.part]}
        if not devices:
            continue
        cells: list[Widget] = [Label(_name(slot))]
        for device in DEVICES:
            cell: Widget = Space(width=KEY_WIDTH)
            if device in devices:
                cell = KeyButton(controls, slot, device=device, label="", on_change=changed, width=KEY_WIDTH)
                cell.height = ROW
            cells.append(cell)
        rows.append(Row(*cells, weights=(1, 0, 0)))
    buttons = Row(Button("DEFAULTS", reset), Button("BACK", menu.back))
    return Panel(Column(head, *rows, note, buttons, spacing=5.0), title="CONTROLS", width=860.0)


def _name(slot: Slot) -> str:
    return slot.action.label if slot.part.value == "analog" else slot.label


def _keep(menu: Menu, controls: Controls) -> None:
    try:
        menu.world.resource(BindingsFile).save(controls)
    except OSError as error:
        log.warning("the controls cannot be kept: %s", error.strerror)


def _shared(controls: Controls) -> str:
    """Which input does two things, in words; empty if none does."""
    found = controls.bindings.all_conflicts()
    if not found:
        return ""
    source, slots = found[0]
    names = " and ".join(_name(slot) for slot in slots)
    return f"{label(source)} does both: {names}"

"""The page on which a bad network is dialled in, to feel at home what others put up with."""

from __future__ import annotations

from collections.abc import Callable

from engine.net.session import Joining
from engine.net.transport.presets import PRESETS
from engine.widgets import Button, Choice, Column, Label, Panel, Row, Slider, Widget
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.presentation.menus.trial import Trial
from games.ricochet.presentation.settings import (
    HIGHEST_JITTER,
    HIGHEST_LATENCY,
    HIGHEST_LOSS,
    NETWORKS,
    OWN_NETWORK,
)

WIDTH = 720.0
NAMES = {
    "none": "as it is",
    "lan": "wired",
    "home": "at home",
    "wifi": "crowded Wi-Fi",
    "mobile": "on a phone",
    OWN_NETWORK: "your own",
}
HELP = "What is sent to a server and comes from it passes such a network, wherever you join. Ping is there and back."


def open_network_page(menu: Menu, try_it: Callable[[], Trial] | None = None) -> None:
    """Networks by name, and one's own by number. In a match, it takes effect at once; before, it can be tried."""
    settings, theme = menu.settings, menu.ui.theme
    trial: Trial | None = None

    def begin() -> None:
        nonlocal trial
        if try_it is not None and (trial is None or trial.failed):
            trial = try_it()

    def go_back() -> None:
        if trial is not None:
            trial.cancel()
        menu.up()

    def look() -> None:
        if trial is not None:
            note.text = trial.failed or "joining a match of bots over it ..."
            note.color = theme.warning if trial.failed else theme.accent

    def apply() -> None:
        joining = menu.world.find_resource(Joining)
        if joining is not None:
            joining.condition(settings.conditions())

    def choose(name: str) -> None:
        if name != OWN_NETWORK:
            latency.value, jitter.value, loss.value = _figures(name)
            settings.latency, settings.jitter, settings.loss = latency.value, jitter.value, loss.value
        settings.network = name
        apply()

    def turn(setting: str) -> Callable[[float], None]:
        def turned(value: float) -> None:
            setattr(settings, setting, value)
            settings.network = network.value = OWN_NETWORK
            apply()

        return turned

    network = Choice(
        list(NETWORKS), settings.network, label="Network", shown=lambda name: NAMES[name], on_change=choose
    )
    shown = settings.latency, settings.jitter, settings.loss
    if settings.network != OWN_NETWORK:
        shown = _figures(settings.network)
    latency = _slider("Ping", HIGHEST_LATENCY, shown[0], 2.0, "ms", turn("latency"))
    jitter = _slider("Jitter", HIGHEST_JITTER, shown[1], 5.0, "ms", turn("jitter"))
    loss = _slider("Loss", HIGHEST_LOSS, shown[2], 0.5, "%", turn("loss"))
    buttons: list[Widget] = [Button("BACK", menu.back)]
    if try_it is not None:
        buttons.insert(0, Button("TRY IT", begin, color=theme.focus))
    note = Label(HELP, width=WIDTH - 2 * theme.inset, size=theme.small, color=theme.faint)
    page = Panel(
        Column(
            note,
            network,
            latency,
            jitter,
            loss,
            Row(*buttons),
        ),
        title="NETWORK",
        width=WIDTH,
    )
    menu.open(page, each_tick=look, on_back=go_back)


def _figures(name: str) -> tuple[float, float, float]:
    """Ping and jitter in ms, and per cent lost, of a network known by name."""
    conditions = PRESETS.get(name)
    if conditions is None:
        return 0.0, 0.0, 0.0
    bad = conditions.burst / (conditions.burst + 1 / conditions.burst_length)
    lost = conditions.loss + bad * conditions.burst_loss
    return conditions.latency * 2000, conditions.jitter * 2000, lost * 100


def _slider(label: str, high: float, value: float, step: float, unit: str, turned: Callable[[float], object]) -> Slider:
    return Slider(0.0, high, value, step=step, label=label, shown=lambda number: f"{number:g} {unit}", on_change=turned)

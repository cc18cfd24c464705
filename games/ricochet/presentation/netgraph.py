"""F1: how the network does, as moving plots; at the host, how it does to everyone. While it is off, nothing runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.app import Frame, Plugin
from engine.ecs import Resource, World
from engine.graphics import Canvas, Color, DrawOverlay
from engine.input import Key, KeyPressed
from engine.net.networking import Guest, Host
from engine.net.replication.authority import Authority
from engine.net.replication.figures import NetFigures
from games.ricochet.presentation.hud import Feed, hud
from games.ricochet.presentation.looks import BRIGHT, CALM, DANGER, GOLD
from games.ricochet.seats import clean_name

netgraph = Plugin("ricochet.presentation.netgraph", needs=[hud])

EVERY = 0.1
"""Seconds from one sample to the next."""
SAMPLES = 100
RIGHT, TOP, WIDTH, INSET = 14.0, 190.0, 380.0, 14.0
STEP, HEIGHT, PLOT = 44.0, 34.0, 210.0
"""From one plot to the next, a plot's height and width."""
ROW = 20.0
MOST_PEERS = 12
ICE = Color.parse("#38e1ff")
ROSE = Color.parse("#ff5fd2")
LEAF = Color.parse("#4dff88")


@dataclass(slots=True)
class Line:
    """One curve: what it is called, how a value is said, and its samples, newest last."""

    name: str
    color: Color
    shown: Callable[[float], str]
    samples: deque[float] = field(default_factory=lambda: deque[float](maxlen=SAMPLES))

    @property
    def newest(self) -> float:
        return self.samples[-1] if self.samples else 0.0


@dataclass(slots=True)
class Plot:
    """Curves that share a scale, which reaches at least to `least`."""

    lines: tuple[Line, ...]
    least: float

    @property
    def top(self) -> float:
        return max(self.least, *(max(line.samples, default=0.0) for line in self.lines))


def _ms(value: float) -> str:
    return f"{value * 1000:.0f} ms"


def _kb(value: float) -> str:
    return f"{value / 1000:.1f} kB/s"


class NetGraph(Resource, local=True):
    """What is plotted, while it is."""

    shown: bool = False
    since: float = 0.0
    """Seconds since the last sample."""
    plots: dict[str, Plot] = field(default_factory=dict[str, Plot])
    before: tuple[int, int, int] = (0, 0, 0)
    """Bytes in and out, and corrections, at the last sample."""


def _traffic() -> Plot:
    return Plot((Line("in", ICE, _kb), Line("out", ROSE, _kb)), 4_000.0)


def _plots_of_a_guest() -> dict[str, Plot]:
    return {
        "way": Plot((Line("round trip", ICE, _ms), Line("jitter", GOLD, _ms)), 0.05),
        "loss": Plot((Line("loss", DANGER, lambda value: f"{value:.1%}"),), 0.05),
        "buffers": Plot((Line("lead", LEAF, _ms), Line("shown late", ROSE, _ms)), 0.05),
        "underruns": Plot((Line("underruns", DANGER, lambda value: f"{value:.2%}"),), 0.01),
        "traffic": _traffic(),
        "error": Plot((Line("error", GOLD, lambda value: f"{value:.1f} u"),), 4.0),
        "corrections": Plot((Line("corrections", DANGER, lambda value: f"{value:.0f} /s"),), 5.0),
    }


@netgraph.setup
def prepare(world: World) -> None:
    world.insert(NetGraph())


@netgraph.on(KeyPressed)
def toggle(world: World, pressed: KeyPressed) -> None:
    if pressed.key is not Key.F1 or pressed.repeat:
        return
    graph = world.resource(NetGraph)
    graph.shown, graph.since = not graph.shown, 0.0
    graph.plots = {"traffic": _traffic()} if world.find_resource(NetFigures) is None else _plots_of_a_guest()
    graph.before = _counts(world)


def _counts(world: World) -> tuple[int, int, int]:
    """Bytes in and out and corrections since the start."""
    wire = world.find_resource(Guest) or world.find_resource(Host)
    figures = world.find_resource(NetFigures)
    corrections = figures.corrections if figures is not None else 0
    if wire is not None:
        return wire.udp.bytes_in, wire.udp.bytes_out, corrections
    return (figures.bytes_in, figures.bytes_out, corrections) if figures is not None else (0, 0, 0)


@netgraph.on(Frame)
def sample(world: World, frame: Frame) -> None:
    graph = world.resource(NetGraph)
    if not graph.shown:
        return
    graph.since += frame.dt
    if graph.since < EVERY:
        return
    seconds, graph.since = graph.since, 0.0
    now = _counts(world)
    came, went, corrected = (max(0, new - old) / seconds for new, old in zip(now, graph.before, strict=True))
    values: dict[str, tuple[float, ...]] = {"traffic": (came, went), "corrections": (corrected,)}
    figures = world.find_resource(NetFigures)
    if figures is not None:
        values["way"] = figures.rtt, figures.jitter
        values["loss"] = (figures.loss,)
        values["buffers"] = figures.lead, figures.playout_delay
        values["underruns"] = (figures.underruns,)
        values["error"] = (figures.prediction_error if corrected else 0.0,)
    graph.before = now
    for name, plot in graph.plots.items():
        for line, value in zip(plot.lines, values[name], strict=True):
            line.samples.append(value)


@netgraph.on(DrawOverlay)
def draw(world: World, overlay: DrawOverlay) -> None:
    graph, canvas = world.resource(NetGraph), overlay.canvas
    if not graph.shown or world.resource(Feed).board_shown(world):
        return
    peers = _peers(world)
    left = canvas.width - RIGHT - WIDTH
    height = 2 * INSET - 6 + STEP * len(graph.plots) + ROW * len(peers)
    canvas.rect(left, TOP, WIDTH, height, fill=0x04060CD8, color=CALM.fade(0.4), line=1, radius=10)
    y = TOP + INSET
    for plot in graph.plots.values():
        _draw_plot(canvas, plot, left + WIDTH - INSET - PLOT, y)
        for number, line in enumerate(plot.lines):
            row = y + (HEIGHT / 2 - 7 if len(plot.lines) == 1 else 2 + number * 17)
            canvas.text(line.name, left + INSET, row, size=16, color=line.color)
            canvas.text(line.shown(line.newest), left + INSET + 134, row, size=16, color=BRIGHT, align="right")
        y += STEP
    for name, told, late in peers:
        canvas.text(name, left + INSET, y, size=16, color=CALM)
        canvas.text(told, left + WIDTH - INSET, y, size=16, color=DANGER if late else BRIGHT, align="right")
        y += ROW


def _draw_plot(canvas: Canvas, plot: Plot, x: float, y: float) -> None:
    canvas.rect(x, y, PLOT, HEIGHT, fill=CALM.fade(0.07), radius=4)
    canvas.line(x, y + HEIGHT, x + PLOT, y + HEIGHT, CALM.fade(0.35))
    top = plot.top
    for line in plot.lines:
        first = x + PLOT * (1 - (len(line.samples) - 1) / (SAMPLES - 1))
        points = [
            (first + PLOT * place / (SAMPLES - 1), y + HEIGHT - (HEIGHT - 2) * min(1.0, value / top))
            for place, value in enumerate(line.samples)
        ]
        if len(points) > 1:
            canvas.polyline(points, line.color, width=1.5)


def _peers(world: World) -> list[tuple[str, str, bool]]:
    """At the host: everyone, in words, and whether something is wrong with the way to them."""
    authority = world.find_resource(Authority)
    if authority is None:
        return []
    rows: list[tuple[str, str, bool]] = []
    for peer, name in list(authority.peers.items())[:MOST_PEERS]:
        known = authority.server.peers.get(peer)
        if known is not None:
            way = known.delivery.estimate
            told = f"{way.rtt * 1000:.0f} ms  ± {way.deviation * 1000:.0f}   loss {way.loss:.1%}"
            rows.append((clean_name(name) or "someone", told, way.rtt > 0.15 or way.loss > 0.05))
    return rows

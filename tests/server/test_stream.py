"""The stream of events: everything is counted, and a few of each kind are shown to whoever looks."""

from dataclasses import dataclass
from enum import Enum

from engine.app import Commanded, Plugin, Scene, Tick
from engine.ecs import World
from engine.server.stream import ATTENTION, MOST_OF_A_KIND, MOST_TEXT, Stream, described


class Colour(Enum):
    RED = 1


@dataclass(slots=True)
class Hit:
    strength: float
    address: str = "203.0.113.5:7"


@dataclass(slots=True)
class Fly:
    x: float


@dataclass(slots=True)
class Painted:
    colour: Colour
    by: Hit
    key: bytes = b"12345"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def busy(hits: int = 5) -> Scene:
    plugin = Plugin("busy")

    @plugin.on(Tick)
    def strike(world: World, tick: Tick) -> None:  # pyright: ignore[reportUnusedFunction]
        for strength in range(hits):
            world.post(Hit(strength))

    plugin.commands()(lambda world: [Commanded(1, Fly(0.5))])
    return Scene(plugin)


def tapped(stream: Stream, room: str = "k3f9", hits: int = 5) -> Scene:
    scene = busy(hits)
    scene.dispatcher.witness = stream.tap(room, lambda: scene.tick)
    return scene


def test_everything_is_counted_and_nothing_is_shown_to_nobody() -> None:
    stream = Stream()
    one, other = tapped(stream, "k3f9"), tapped(stream, "m2x7")
    for scene in (one, other, one):
        scene.run_tick()
    assert stream.counts == {"Hit": 15, "Commanded[Fly]": 3}
    assert stream.total == 18
    assert stream.after(0) == []
    stream.untap("k3f9")
    assert stream.counts["Hit"] == 15, "what was counted stays when a room is gone"


def test_some_of_each_kind_are_shown_while_somebody_looks() -> None:
    stream = Stream()
    scene = tapped(stream)
    stream.attend(["k3f9", "no such room"])
    for _ in range(5):
        scene.run_tick()
    seen = stream.after(0)
    assert [each.kind for each in seen] == ["Commanded[Fly]", "Hit", "Hit", "Commanded[Fly]"]
    assert [each.number for each in seen] == [1, 2, 3, 4]
    assert (seen[0].room, seen[0].tick, seen[0].text) == ("k3f9", 1, "player=1 command=(x=0.5)")
    assert seen[1].text == "strength=0", "and no address"
    assert stream.after(2) == seen[2:]


def test_what_is_left_out_is_told() -> None:
    stream = Stream()
    scene = tapped(stream, hits=100)
    stream.attend()
    for _ in range(16):
        scene.run_tick()
    hits = [each for each in stream.after(0) if each.kind == "Hit"]
    assert len(hits) == 2 * MOST_OF_A_KIND
    assert [each.skipped for each in hits] == [0, 0, 15 * 100 - MOST_OF_A_KIND, 0]


def test_attention_ends() -> None:
    stream = Stream()
    scene = tapped(stream)
    stream.attend()
    for _ in range(ATTENTION + 1):
        scene.run_tick()
    last = stream.after(0)[-1].number
    for _ in range(60):
        scene.run_tick()
    assert stream.after(last) == []
    stream.attend()
    scene.run_tick()
    assert stream.after(last)[0].skipped == 0, "what nobody looked at was not left out"


def test_the_last_are_kept_and_told() -> None:
    stream = Stream()
    scene = tapped(stream)
    for _ in range(1_000):
        stream.attend()
        scene.run_tick()
    assert len(stream.after(0, most=10)) == 10
    assert stream.after(0, most=10)[-1] == stream.after(0)[-1]


def test_events_are_described_in_a_line() -> None:
    assert described(Painted(Colour.RED, Hit(1 / 3))) == "colour=RED by=(strength=0.3333) key=5 bytes"
    assert described(Hit(0)) == "strength=0"
    assert described("plain") == "'plain'"
    assert described(Broken()) == "(cannot be shown: RuntimeError)"
    assert len(described("long" * 1_000)) <= MOST_TEXT

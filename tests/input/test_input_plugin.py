"""Controls in a running scene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.app import App, Commanded, Plugin, Scene
from engine.ecs import World
from engine.input import (
    BindingsFile,
    Controls,
    Key,
    KeyPressed,
    KeyReleased,
    PadButton,
    PadPressed,
    button,
    input_plugin,
)


class Hop(Controls):
    jump = button(Key.SPACE, PadButton.A)


class Hop2(Hop):
    """The same for a second player."""


@dataclass(slots=True)
class Jump:
    height: int


def jumping(kind: type[Hop], controls: Plugin) -> tuple[Plugin, list[int]]:
    pilot = Plugin("pilot", needs=[controls])
    jumps: list[int] = []

    @pilot.commands()
    def sample(world: World) -> Iterable[Commanded[Jump]]:
        if world.resource(kind).jump.pressed:
            yield Commanded(1, Jump(2))

    @pilot.on(Commanded[Jump])
    def jump(world: World, command: Commanded[Jump]) -> None:
        jumps.append(world.resource(Scene).tick)

    return pilot, jumps


def test_a_press_becomes_a_command_of_the_next_tick() -> None:
    pilot, jumps = jumping(Hop, input_plugin(Hop))
    app = App(pilot, resources=[BindingsFile(None)])
    app.run_ticks(2)
    app.post(KeyPressed(Key.SPACE))
    app.post(KeyReleased(Key.SPACE))
    app.run_ticks(3)
    assert jumps == [3]


def test_a_scene_that_is_covered_lets_go() -> None:
    pilot, _ = jumping(Hop, input_plugin(Hop))
    app = App(pilot, resources=[BindingsFile(None)])
    app.post(KeyPressed(Key.SPACE))
    app.run_ticks(1)
    controls = app.world.resource(Hop)
    assert controls.jump.held
    app.push(Scene(name="menu"))
    app.post(KeyReleased(Key.SPACE))  # goes to the menu
    app.run_ticks(1)
    app.pop()
    app.run_ticks(1)
    assert not controls.jump.held


def test_each_player_has_a_class_of_controls() -> None:
    first, first_jumps = jumping(Hop, input_plugin(Hop, pads=(0,)))
    second, second_jumps = jumping(Hop2, input_plugin(Hop2, pads=(1,), keyboard=False))
    app = App(first, resources=[BindingsFile(None)])
    app.push(Scene(first, second, resources=[BindingsFile(None)]))
    app.post(KeyPressed(Key.SPACE))
    app.run_ticks(1)
    app.post(PadPressed(1, PadButton.A))
    app.run_ticks(1)
    assert app.world.resource(Hop).jump.held
    assert app.world.resource(Hop2).jump.held
    assert (len(first_jumps), len(second_jumps)) == (2, 2)  # both hear the commands of both, one a player


def test_saved_bindings_are_loaded_with_the_scene(tmp_path: Path) -> None:
    path = tmp_path / "controls.json"
    controls = Hop()
    controls.rebind(Hop.jump, Key.J)
    BindingsFile(path).save(controls)
    app = App(input_plugin(Hop, file=path))
    assert app.world.resource(Hop).labels(Hop.jump) == ["J"]
    assert app.world.resource(BindingsFile).path == path
    app = App(input_plugin(Hop, file=path), resources=[BindingsFile(None)])
    assert app.world.resource(Hop).labels(Hop.jump) == ["Space", "A"], "what the world has comes first"


def test_two_scenes_of_one_plugin_share_nothing() -> None:
    plugin = input_plugin(Hop)
    one, two = Scene(plugin), Scene(plugin)
    one.world.resource(Hop).rebind(Hop.jump, Key.J)
    assert two.world.resource(Hop).labels(Hop.jump) == ["Space", "A"]

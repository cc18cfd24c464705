"""What reaches the renderer: where, in which order, and what is left out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import Frame, Plugin, Scene, Tick
from engine.assets import Assets
from engine.ecs import ChildOf, World
from engine.graphics import (
    Animation,
    Camera,
    Color,
    DrawOverlay,
    DrawWorld,
    Lines,
    NullRenderer,
    Screen,
    Sprite,
    Text,
    Tiling,
    graphics,
    strip,
)
from engine.graphics.picture import picture_name
from engine.scene import Interpolation, Offset, Transform


class Shown:
    """A scene on a renderer that keeps what it is given."""

    def __init__(self, *plugins: Plugin) -> None:
        self.renderer = NullRenderer(640, 360, radius=10.0)
        self.scene = Scene(graphics, *plugins, resources=[Screen(self.renderer)])
        self.world = self.scene.world
        self.camera = self.world.resource(Camera)
        self.camera.look_at(0.0, 0.0)

    def frame(self, alpha: float = 1.0, dt: float = 1 / 60) -> NullRenderer:
        self.renderer.begin()
        self.scene.run_frame(Frame(alpha, dt, 0.0))
        return self.renderer

    def images(self) -> list[str]:
        """The names of the pictures drawn, in order."""
        return [picture_name(number) for batch in self.renderer.batches for number in batch.picture.tolist()]


def test_a_sprite_is_drawn_where_its_transform_is():
    shown = Shown()
    shown.world.spawn(Transform(10.0, -20.0, 0.5), Sprite("a.png", scale=2.0, angle=0.25))
    (batch,) = shown.frame().batches
    assert (batch.x[0], batch.y[0]) == (330.0, 160.0)
    assert batch.angle[0] == pytest.approx(0.75)
    assert batch.scale[0] == 2.0


def test_zoom_scales_places_and_pictures():
    shown = Shown()
    shown.camera.zoom = 2.0
    shown.world.spawn(Transform(10.0, 0.0), Sprite("a.png"))
    (batch,) = shown.frame().batches
    assert (batch.x[0], batch.scale[0]) == (340.0, 2.0)


def test_between_ticks_a_sprite_is_between_its_places():
    move = Plugin("move")

    @move.on(Tick)
    def _(world: World, tick: Tick) -> None:
        for place in world.rows(Transform):
            place.x += 8.0

    shown = Shown(move)
    shown.world.spawn(Transform(0.0, 0.0), Sprite("a.png"))
    shown.scene.run_tick()
    assert shown.frame(alpha=0.25).batches[0].x[0] == pytest.approx(322.0)
    assert shown.frame(alpha=1.0).batches[0].x[0] == pytest.approx(328.0)


def test_a_snapped_sprite_does_not_travel():
    shown = Shown()
    entity = shown.world.spawn(Transform(0.0, 0.0), Sprite("a.png"))
    shown.scene.run_tick()
    entity[Transform].x = 100.0
    shown.world.resource(Interpolation).snap(entity)
    assert shown.frame(alpha=0.5).batches[0].x[0] == pytest.approx(420.0)


@pytest.mark.parametrize(
    ("x", "y", "drawn"),
    [(0, 0, 1), (329, 0, 1), (331, 0, 0), (-329, 0, 1), (-331, 0, 0), (0, 189, 1), (0, 191, 0), (0, -191, 0)],
)
def test_what_the_camera_cannot_see_is_left_out(x: float, y: float, drawn: int):
    shown = Shown()
    shown.world.spawn(Transform(x, y), Sprite("a.png"))
    assert shown.frame().sprite_count == drawn


@given(st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), max_size=20), st.floats(0.25, 4.0))
def test_culling_keeps_exactly_what_touches_the_view(places: list[tuple[float, float]], zoom: float):
    shown = Shown()
    shown.camera.zoom = zoom
    for x, y in places:
        shown.world.spawn(Transform(x, y), Sprite("a.png"))
    width, height = 320 / zoom + 10, 180 / zoom + 10
    near = sum(abs(x) < width * 1.001 and abs(y) < height * 1.001 for x, y in places)
    sure = sum(abs(x) < width * 0.999 and abs(y) < height * 0.999 for x, y in places)
    assert sure <= shown.frame().sprite_count <= near


def test_hidden_and_nameless_sprites_are_left_out():
    shown = Shown()
    shown.world.spawn(Transform(), Sprite("a.png", visible=False))
    shown.world.spawn(Transform(), Sprite(""))
    assert shown.frame().sprite_count == 0


def test_a_place_that_is_no_number_is_left_out():
    shown = Shown()
    shown.world.spawn(Transform(float("nan"), 0.0), Sprite("a.png"))
    shown.world.spawn(Transform(0.0, float("inf")), Sprite("a.png"))
    assert shown.frame().sprite_count == 0


def test_layers_then_light_then_age_order_sprites():
    shown = Shown()
    world = shown.world
    world.spawn(Transform(), Sprite("top", layer=2))
    world.spawn(Transform(), Sprite("light", layer=0, additive=True))
    world.spawn(Transform(), Sprite("low", layer=-5))
    gone = world.spawn(Transform(), Sprite("gone"))
    world.spawn(Transform(), Sprite("first"))
    world.spawn(Transform(), Sprite("second"))
    gone.despawn()  # the last row moves into its place, which must not be seen
    shown.frame()
    assert shown.images() == ["low", "first", "second", "light", "top"]


def test_sprites_of_several_tables_are_drawn_in_one_order():
    shown = Shown()
    world = shown.world
    world.spawn(Transform(), Sprite("upper", layer=1))
    parent = world.spawn(Transform(), Sprite("lower", layer=0))
    world.spawn(Transform(), ChildOf(parent.id), Sprite("middle", layer=0))
    shown.frame()
    assert shown.images() == ["lower", "middle", "upper"]


def test_other_things_are_drawn_between_layers_of_sprites():
    shown = Shown()
    world = shown.world
    world.spawn(Transform(), Sprite("floor", layer=0))
    world.spawn(Transform(), Sprite("carpet", layer=1))
    world.spawn(Lines(points=((0.0, 0.0), (9.0, 9.0)), layer=2))
    world.spawn(Transform(), Sprite("ship", layer=3))
    world.spawn(Transform(), Text("name", layer=4))
    world.spawn(Tiling("grid", layer=-1))
    renderer = shown.frame()
    assert renderer.calls == ["fill", "tiling", "sprites", "geometry", "sprites"]
    assert renderer.world_canvas.texts == ["name"]
    assert shown.images() == ["floor", "carpet", "ship"]


def test_lines_with_a_transform_move_and_others_stand():
    shown = Shown()
    shown.world.spawn(Lines(points=((0.0, 0.0), (9.0, 9.0))))
    shown.world.spawn(Transform(5.0, 5.0), Lines(points=((0.0, 0.0), (9.0, 9.0))))
    assert sorted(call for call in shown.frame().calls if call != "fill") == ["geometry", "stroke"]


def test_a_child_without_transform_rides_on_its_parent():
    shown = Shown()
    ship = shown.world.spawn(Transform(100.0, 0.0, np.pi / 2), Sprite("ship"))
    shown.world.spawn(Sprite("flame", layer=1), Offset(x=-30.0), ChildOf(ship.id), local=True)
    (batch,) = shown.frame().batches
    assert (batch.x[1], batch.y[1], batch.angle[1]) == pytest.approx((420.0, 150.0, np.pi / 2))
    ship.despawn()
    assert shown.frame().sprite_count == 0


def test_changing_the_image_shows_in_the_next_frame():
    shown = Shown()
    entity = shown.world.spawn(Transform(), Sprite("before"))
    shown.frame()
    entity[Sprite].image = "after"
    shown.frame()
    assert shown.images() == ["after"]
    assert entity[Sprite].image == "after"


def test_an_animation_follows_the_time_of_its_world():
    shown = Shown()
    entity = shown.world.spawn(Transform(), Sprite(""), Animation(strip("flame.png", 3), fps=30.0))
    seen: list[str] = []
    for _ in range(6):
        shown.scene.run_tick()
        shown.scene.run_tick()
        shown.frame()
        seen += shown.images()
    assert seen == [f"flame.png#{place}/3" for place in (1, 2, 0, 1, 2, 0)]
    shown.frame()
    shown.frame()  # no tick in between: the world stands still, and so does what moves in it
    assert shown.images() == ["flame.png#0/3"]
    assert not entity[Animation].finished


def test_an_animation_that_does_not_loop_stays_on_its_last_frame():
    shown = Shown()
    entity = shown.world.spawn(Transform(), Sprite(""), Animation(("a", "b"), fps=60.0, loop=False))
    for _ in range(10):
        shown.scene.run_tick()
        shown.frame()
    assert shown.images() == ["b"]
    assert entity[Animation].finished
    entity[Animation].frames = ("c", "d")
    entity[Animation].seconds = 0.0
    shown.frame()
    assert shown.images() == ["c"]


def test_overlays_come_after_the_world():
    order: list[str] = []
    hud = Plugin("hud")

    @hud.on(DrawOverlay)
    def _(world: World, draw: DrawOverlay) -> None:
        order.append(f"overlay after {len(shown.renderer.batches)} batch")
        draw.canvas.text("score", 0, 0)

    @hud.on(DrawWorld)
    def _(world: World, draw: DrawWorld) -> None:
        order.append("world")
        draw.canvas.circle(0, 0, 5)

    shown = Shown(hud)
    shown.world.spawn(Transform(), Sprite("ship"))
    renderer = shown.frame()
    assert order == ["world", "overlay after 1 batch"]
    assert renderer.overlay.texts == ["score"]
    assert renderer.world_canvas.calls == ["circle"]


def test_without_a_screen_frames_still_run():
    scene = Scene(graphics)
    entity = scene.world.spawn(Transform(), Sprite(""), Animation(("a", "b"), fps=60.0))
    scene.run_tick()
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert entity[Animation].seconds > 0


def test_only_the_lowest_scene_fills_the_image():
    below, above = Shown(), Shown()
    above.scene.world.insert(Screen(below.renderer))
    below.camera.background = Color(1, 2, 3)
    below.frame()
    above.scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert below.renderer.filled == [Color(1, 2, 3)]


def test_the_worlds_assets_are_used(tmp_path: Path):
    shown = Shown()
    assets = shown.world.insert(Assets(tmp_path))
    assert shown.frame().assets is assets


def test_drawing_leaves_the_simulation_alone():
    from engine.ecs import state_hash
    from engine.graphics import Burst, Particles, Trail

    plain, drawn = Scene(graphics, seed=5), Shown()
    for scene in (plain, drawn.scene):
        scene.world.spawn(Transform(1.0, 2.0), Sprite("a"), Trail())
    for _ in range(5):
        plain.run_tick()
        drawn.scene.run_tick()
        drawn.world.resource(Particles).burst(Burst(), 0.0, 0.0)
        drawn.camera.shake(5.0, 1.0)
        drawn.frame(alpha=0.3)
    reference = Scene(graphics, seed=0)
    reference.world.spawn(Transform(1.0, 2.0), Sprite("a"), Trail())
    for _ in range(5):
        reference.run_tick()
    assert state_hash(drawn.world) == state_hash(reference.world)

"""The software renderer, by what its pixels are like. No display is needed for any of it."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

from engine.app import Scene
from engine.assets import Assets
from engine.desktop.offscreen import Offscreen
from engine.desktop.software import SoftwareRenderer
from engine.graphics import Align, Burst, Camera, Color, Lines, Particles, Sprite, Text, Tiling, Trail, View, graphics
from engine.graphics.picture import DOT, GLOW
from engine.scene import Transform

WIDTH, HEIGHT = 320, 200
Paint = tuple[int, int, int] | tuple[int, int, int, int]
ALPHA = pygame.SRCALPHA
SIDE = (20, 20)
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def pictures(tmp_path: Path):
    """`plain` is 20 × 20 and white, `half` 20 × 20 with its right half red, `low` the same at half opacity."""

    def save(
        name: str, *parts: tuple[Paint, pygame.Rect], size: tuple[int, int] = (20, 20), flags: int = ALPHA
    ) -> None:
        surface = pygame.Surface(size, flags, 32)
        for color, area in parts:
            surface.fill(color, area)
        pygame.image.save(surface, tmp_path / name)

    whole, right = pygame.Rect(0, 0, 20, 20), pygame.Rect(10, 0, 10, 20)
    save("plain.png", (WHITE, whole))
    save("half.png", (RED, right))
    save("low.png", ((255, 255, 255, 128), whole))
    save("lamp.png", ((60, 60, 60), whole), flags=0)
    save("body.png", (WHITE, whole))
    save("body_core.png", (WHITE, pygame.Rect(8, 8, 4, 4)))
    save("strip.png", (RED, whole), (BLUE, whole.move(20, 0)), size=(40, 20))
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "font.ttf").write_bytes(b"not a font")
    return Assets(tmp_path)


class Picture:
    """A scene drawn offscreen, its camera at the world's origin."""

    def __init__(self, assets: Assets):
        self.offscreen = Offscreen((WIDTH, HEIGHT), assets)
        self.scene = Scene(graphics, resources=self.offscreen.resources())
        self.world = self.scene.world
        self.camera = self.world.resource(Camera)
        self.camera.look_at(0.0, 0.0)

    def draw(self, ticks: int = 0):
        for _ in range(ticks):
            self.scene.run_tick()
        self.offscreen.draw(self.scene)
        return self

    def at(self, x: float, y: float):
        """The colour at a world point."""
        place = (
            round((x - self.camera.x) * self.camera.zoom + WIDTH / 2),
            round((y - self.camera.y) * self.camera.zoom + HEIGHT / 2),
        )
        return tuple(self.offscreen.renderer.surface.get_at(place))[:3]

    def pixels(self):
        """All of them, shape (width, height, 3)."""
        return pygame.surfarray.array3d(self.offscreen.renderer.surface).astype(int)


@pytest.fixture
def picture(pictures: Assets):
    return Picture(pictures)


def test_a_sprite_covers_its_place_and_nothing_else(picture: Picture):
    picture.camera.background = Color(1, 2, 3)
    picture.world.spawn(Transform(30.0, 10.0), Sprite("plain.png"))
    picture.draw()
    assert picture.at(30, 10) == WHITE
    assert picture.at(21, 1) == picture.at(38, 18) == WHITE
    assert picture.at(18, 10) == picture.at(42, 10) == picture.at(30, 22) == (1, 2, 3)


def test_a_sprite_may_hang_over_the_edge(picture: Picture):
    for x, y in ((-160.0, -100.0), (160.0, 100.0), (-165.0, 0.0)):
        picture.world.spawn(Transform(x, y), Sprite("plain.png"))
    picture.draw()
    assert picture.at(-160, -100) == picture.at(159, 99) == picture.at(-157, 0) == WHITE


@pytest.mark.parametrize(("turns", "red"), [(0, (6, 0)), (1, (0, 6)), (2, (-6, 0)), (3, (0, -6))])
def test_angles_turn_clockwise(picture: Picture, turns: int, red: tuple[int, int]):
    picture.world.spawn(Transform(0.0, 0.0, turns * np.pi / 2), Sprite("half.png"))
    picture.draw()
    assert picture.at(*red) == RED
    assert picture.at(-red[0], -red[1]) == (0, 0, 0)


def test_flip_mirrors_before_turning(picture: Picture):
    picture.world.spawn(Transform(0.0, 0.0, np.pi / 2), Sprite("half.png", flip_x=True))
    picture.draw()
    assert picture.at(0, -6) == RED
    assert picture.at(0, 6) == (0, 0, 0)


def test_tint_and_opacity_multiply(picture: Picture):
    picture.world.spawn(Transform(-40.0, 0.0), Sprite("plain.png", tint=Color(255, 128, 0)))
    picture.world.spawn(Transform(0.0, 0.0), Sprite("plain.png", opacity=0.5))
    picture.world.spawn(Transform(40.0, 0.0), Sprite("low.png"))
    picture.world.spawn(Transform(80.0, 0.0), Sprite("plain.png", opacity=0.0))
    picture.draw()
    assert picture.at(-40, 0) == pytest.approx((255, 128, 0), abs=2)
    assert picture.at(0, 0) == pytest.approx((128, 128, 128), abs=9)
    assert picture.at(40, 0) == pytest.approx((128, 128, 128), abs=3)
    assert picture.at(80, 0) == (0, 0, 0)


def test_a_tint_that_changes_is_seen(picture: Picture):
    entity = picture.world.spawn(Transform(), Sprite("plain.png"))
    picture.draw()
    entity[Sprite].tint = Color(255, 0, 0)
    picture.draw()
    assert picture.at(0, 0) == RED


def test_additive_sprites_add_up_and_saturate(picture: Picture):
    for x in (0.0, 0.0, 10.0):
        picture.world.spawn(Transform(x, 0.0), Sprite("lamp.png", additive=True))
    picture.world.spawn(Transform(60.0, 0.0), Sprite("plain.png"))
    picture.world.spawn(Transform(60.0, 0.0), Sprite("plain.png", additive=True))
    picture.draw()
    assert picture.at(-5, 0) == (120, 120, 120)
    assert picture.at(5, 0) == (180, 180, 180)
    assert picture.at(60, 0) == WHITE


def test_higher_layers_cover_lower_ones(picture: Picture):
    picture.world.spawn(Transform(), Sprite("plain.png", layer=2, tint=Color(255, 0, 0)))
    picture.world.spawn(Transform(), Sprite("plain.png", layer=1))
    picture.draw()
    assert picture.at(0, 0) == RED


def test_scale_and_zoom_enlarge(picture: Picture):
    picture.world.spawn(Transform(), Sprite("plain.png", scale=2.0))
    picture.camera.zoom = 2.0
    picture.draw()
    assert picture.at(19, 19) == WHITE
    assert picture.at(22, 0) == (0, 0, 0)


def test_a_core_takes_no_tint(picture: Picture):
    picture.world.spawn(Transform(), Sprite("body.png", tint=Color(0, 0, 255)))
    picture.draw()
    assert picture.at(0, 0) == WHITE
    assert picture.at(7, 7) == BLUE


def test_frames_of_a_strip(picture: Picture):
    picture.world.spawn(Transform(), Sprite("strip.png#1/2"))
    picture.draw()
    assert picture.at(0, 0) == BLUE
    assert picture.at(14, 0) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("plian.png", "'plain.png'"),
        ("broken.png", "PNG"),
        ("strip.png#2/2", "frame 2 of 2"),
        ("../up.png", "leads out"),
        (":glwo", ":glow"),
    ],
)
def test_what_cannot_be_drawn_is_a_checker_and_one_line(
    picture: Picture, caplog: pytest.LogCaptureFixture, name: str, said: str
):
    caplog.set_level(logging.WARNING, "tickwire.desktop")
    picture.world.spawn(Transform(), Sprite(name))
    picture.world.spawn(Transform(50.0, 0.0), Sprite(name, tint=Color(255, 255, 255)))
    picture.draw()
    picture.draw()
    assert (255, 0, 255) in {picture.at(-8, 8), picture.at(8, 8)}
    assert [record.message for record in caplog.records if said in record.message] != []
    assert len(caplog.records) == 1


def test_pictures_drawn_by_the_engine(picture: Picture):
    picture.world.spawn(Transform(-60.0, 0.0), Sprite(GLOW, tint=Color(255, 0, 0), additive=True))
    picture.world.spawn(Transform(60.0, 0.0), Sprite(DOT, tint=Color(0, 0, 255)))
    picture.draw()
    assert min(picture.at(-60, 0)) > 220
    ring = picture.at(-60 + 18, 0)
    assert 0 < ring[0] < 255
    assert ring[1] == ring[2] == 0
    assert picture.at(60 + 28, 0) == BLUE
    assert picture.at(60 + 34, 0) == (0, 0, 0)


def test_a_glowing_line_is_white_at_heart_and_fades(picture: Picture):
    picture.world.spawn(Lines(points=((-100.0, 0.0), (100.0, 0.0)), color=Color(0, 200, 255), width=4.0, glow=30.0))
    picture.draw(ticks=1).draw()
    red = [picture.at(0, y)[0] for y in (0, 4, 12, 40)]
    blue = [picture.at(0, y)[2] for y in (0, 4, 12, 24, 40)]
    assert red[0] > 100 > red[1]
    assert blue == sorted(blue, reverse=True)
    assert blue[0] == 255
    assert blue[3] > 0
    assert blue[4] == 0


def test_standing_lines_keep_to_the_world_as_the_camera_moves(picture: Picture):
    points = tuple((float(x), 60.0 * np.sin(x / 40)) for x in range(-600, 600, 20))
    picture.world.spawn(Lines(points=points, color=Color(255, 255, 255), width=6.0, glow=20.0))
    picture.draw().draw()
    before = picture.pixels()
    picture.camera.look_at(37.0, 11.0)
    picture.draw()
    after = picture.pixels()
    assert (before[37:, 11:] == after[:-37, :-11]).all()
    assert before.max() == 255


def test_standing_lines_that_change_are_drawn_anew(picture: Picture):
    entity = picture.world.spawn(Lines(points=((-50.0, 0.0), (50.0, 0.0)), width=4.0, glow=8.0))
    keep = picture.world.spawn(Lines(points=((-50.0, 80.0), (50.0, 80.0)), width=4.0, glow=8.0))
    picture.draw().draw()
    entity[Lines].points = ((-50.0, 50.0), (50.0, 50.0))
    picture.draw()
    assert picture.at(0, 0) == (0, 0, 0)
    assert min(picture.at(0, 50)) > 200
    assert min(picture.at(0, 80)) > 200
    keep[Lines].visible = False
    picture.draw()
    assert picture.at(0, 80) == (0, 0, 0)


@pytest.mark.parametrize("images", [1, 200])
def test_standing_lines_look_the_same_whenever_they_come_into_view(pictures: Assets, images: int):
    def shown() -> Picture:
        picture = Picture(pictures)
        for x in (0.0, 1500.0):
            points = tuple((x + 130.0 * np.cos(turn), 80.0 * np.sin(turn)) for turn in np.arange(0.0, 6.0, 0.2))
            picture.world.spawn(Lines(points=points, color=Color(90, 160, 255), width=6.0, glow=30.0, closed=True))
            picture.world.spawn(Lines(points=points, color=Color(20, 30, 40), width=14.0, closed=True))
        return picture

    seen_late, seen_first = shown(), shown()
    for _ in range(images):
        seen_late.draw()
    for picture in (seen_late, seen_first):
        picture.camera.look_at(1500.0, 0.0)
        picture.draw()
    assert (seen_late.pixels() == seen_first.pixels()).all()
    assert seen_first.pixels().max() == 255


def test_plain_lines_paint_over_what_is_below(picture: Picture):
    picture.world.spawn(Transform(), Sprite("plain.png"))
    picture.world.spawn(Lines(points=((-50.0, 0.0), (50.0, 0.0)), color=Color(255, 0, 0), width=6.0, layer=1))
    picture.draw().draw()
    assert picture.at(0, 0) == RED
    assert picture.at(0, 6) == WHITE


def test_while_the_zoom_changes_lines_are_still_where_they_belong(picture: Picture):
    picture.world.spawn(Lines(points=((-500.0, 30.0), (500.0, 30.0)), color=Color(255, 255, 255), width=6.0, glow=10.0))
    picture.draw()
    for zoom in (1.1, 1.2, 1.3, 1.3, 1.3, 1.3):
        picture.camera.zoom = zoom
        picture.draw()
        assert min(picture.at(0, 30)) > 150
        assert picture.at(0, 0) == (0, 0, 0)


def test_moving_lines_turn_with_their_entity(picture: Picture):
    picture.world.spawn(Transform(20.0, 0.0, np.pi / 2), Lines(points=((0.0, 0.0), (60.0, 0.0)), width=4.0, glow=10.0))
    for _ in range(3):
        picture.draw()
        assert min(picture.at(20, 50)) > 150
        assert picture.at(70, 0) == (0, 0, 0)


def test_quick_light_looks_like_exact_light():
    exact, quick = SoftwareRenderer((200, 100)), SoftwareRenderer((200, 100))
    points = [(30.0, 30.0), (170.0, 60.0)]
    for renderer in (exact, quick):
        renderer.begin()
        renderer.fill(0)
    quick.quick_stroke(points, 0x40C0FFFF, 4.0, 20.0, False)
    canvas = exact.canvas()
    for _ in range(2):  # the first time it is drawn quickly
        exact.fill(0)
        canvas.polyline(points, 0x40C0FFFF, width=4.0, glow=20.0)
    a = pygame.surfarray.array3d(exact.surface).astype(float)
    b = pygame.surfarray.array3d(quick.surface).astype(float)
    assert a.sum() == pytest.approx(b.sum(), rel=0.15)
    assert np.abs(a - b).mean() < 4.0


def test_a_tiling_repeats_without_seams_and_moves_with_the_world(picture: Picture):
    picture.world.spawn(Tiling("half.png"))
    picture.draw()
    before = picture.pixels()
    assert (before[:-20] == before[20:]).all()
    assert picture.at(15, 5) == RED
    assert picture.at(5, 5) == (0, 0, 0)
    picture.camera.look_at(7.0, -3.0)
    picture.draw()
    assert picture.at(15, 5) == RED


def test_a_far_tiling_moves_less(picture: Picture):
    picture.world.spawn(Tiling("half.png", parallax=0.5))
    picture.draw()
    before = picture.pixels()
    picture.camera.look_at(20.0, 0.0)
    picture.draw()
    assert (picture.pixels()[:-10] == before[10:]).all()


def test_words_are_drawn_in_their_colour_and_place(picture: Picture):
    picture.world.spawn(Transform(), Text("HHHHH", size=40.0, color=Color(0, 255, 0)))
    picture.draw()
    lit = np.argwhere(picture.pixels()[:, :, 1] > 200)
    assert lit.mean(axis=0) == pytest.approx((WIDTH / 2, HEIGHT / 2), abs=8)
    assert picture.pixels()[:, :, 0].max() == 0


def test_alignment_and_measure_agree(pictures: Assets):
    renderer = SoftwareRenderer((WIDTH, HEIGHT), pictures)
    canvas = renderer.canvas()
    width, height = canvas.measure("Hamburg", size=30)
    places: dict[Align, float] = {"left": 100.0, "center": 100.0 - width / 2, "right": 100.0 - width}
    for align, left in places.items():
        renderer.begin()
        renderer.fill(0)
        canvas.text("Hamburg", 100.0, 20.0, size=30, align=align)
        lit = np.argwhere(pygame.surfarray.array3d(renderer.surface)[:, :, 0] > 100)
        assert lit[:, 0].min() == pytest.approx(left, abs=5)
        assert lit[:, 0].max() == pytest.approx(left + width, abs=5)
        assert 20 <= lit[:, 1].min() <= lit[:, 1].max() <= 20 + height


@pytest.mark.parametrize("font", ["nowhere.ttf", "font.ttf"])
def test_a_missing_font_is_the_default_font_and_one_line(pictures: Assets, caplog: pytest.LogCaptureFixture, font: str):
    renderer = SoftwareRenderer((WIDTH, HEIGHT), pictures)
    canvas = renderer.canvas()
    for size in (20, 30):
        assert canvas.measure("abc", size=size, font=font) == canvas.measure("abc", size=size)
    assert len(caplog.records) == 1
    assert font in caplog.records[0].message
    assert "default font" in caplog.records[0].message


def test_odd_words_are_no_trouble(pictures: Assets):
    canvas = SoftwareRenderer((WIDTH, HEIGHT), pictures).canvas()
    for text in ("", "a\x00b", "a\nb", "日本語 🎮", "\udcff", "x" * 5000):
        canvas.text(text, 0.0, 0.0, glow=4.0)
        canvas.measure(text)


def test_trails_and_particles_give_light_and_then_none(picture: Picture):
    entity = picture.world.spawn(Transform(-100.0, 0.0), Trail(color=Color(0, 255, 0), width=10.0, seconds=0.3))
    picture.draw(ticks=1)
    for _ in range(10):
        entity[Transform].x += 8.0
        picture.draw(ticks=1)
    assert picture.at(-30, 0)[1] > 100
    assert picture.at(-30, 0)[1] > picture.at(-80, 0)[1] > 0
    picture.world.resource(Particles).burst(Burst(count=50, color=Color(255, 0, 0), life=(0.2, 0.2)), 80.0, 0.0)
    picture.draw(ticks=3)
    assert picture.pixels()[WIDTH // 2 :, :, 0].max() > 100
    entity.despawn()
    for _ in range(40):
        picture.draw(ticks=1)
    assert picture.pixels().max() == 0


# Canvas


@pytest.fixture
def renderer(pictures: Assets):
    renderer = SoftwareRenderer((WIDTH, HEIGHT), pictures)
    renderer.begin()
    renderer.fill(0)
    return renderer


def color_at(renderer: SoftwareRenderer, x: float, y: float):
    return tuple(renderer.surface.get_at((x, y)))[:3]


def test_shapes_are_filled_and_outlined(renderer: SoftwareRenderer):
    canvas = renderer.canvas()
    canvas.rect(10, 10, 40, 20, fill=Color(255, 0, 0), color=Color(0, 0, 255), line=4)
    canvas.rect(70, 10, 40, 20, fill=Color(255, 0, 0), radius=8)
    canvas.circle(40, 80, 20, fill=Color(255, 0, 0), color=Color(0, 0, 255), width=4)
    canvas.polygon([(100, 60), (140, 60), (120, 100)], fill=Color(255, 0, 0))
    assert color_at(renderer, 30, 20) == color_at(renderer, 90, 20) == color_at(renderer, 40, 80) == RED
    assert color_at(renderer, 120, 75) == RED
    assert color_at(renderer, 10, 20) == color_at(renderer, 40, 60) == BLUE
    assert color_at(renderer, 70, 10) == (0, 0, 0)  # the rounded corner
    assert color_at(renderer, 102, 90) == (0, 0, 0)


def test_an_arc_goes_clockwise_from_the_right(renderer: SoftwareRenderer):
    renderer.canvas().arc(100, 100, 50, 0.0, np.pi / 2, Color(255, 255, 255), width=6)
    assert color_at(renderer, 100 + 35, 100 + 35) == WHITE
    assert color_at(renderer, 100 + 35, 100 - 35) == color_at(renderer, 100 - 35, 100 + 35) == (0, 0, 0)


def test_translucent_fills_dim_what_is_below(renderer: SoftwareRenderer):
    canvas = renderer.canvas()
    canvas.rect(0, 0, WIDTH, HEIGHT, fill=Color(200, 200, 200))
    canvas.rect(0, 0, 100, HEIGHT, fill=Color(0, 0, 0, 128))
    assert color_at(renderer, 50, 50) == pytest.approx((100, 100, 100), abs=2)
    assert color_at(renderer, 150, 50) == (200, 200, 200)


@pytest.mark.parametrize(("share", "ends"), [(0.0, 9), (0.5, 60), (1.0, 110), (7.0, 110), (-1.0, 9)])
def test_a_bar_is_filled_by_its_share(renderer: SoftwareRenderer, share: float, ends: int):
    renderer.canvas().bar(10, 10, 100, 10, share, Color(255, 0, 0), back=Color(0, 0, 255))
    reds = [x for x in range(WIDTH) if color_at(renderer, x, 15) == RED]
    assert max(reds, default=9) == pytest.approx(ends, abs=1)
    assert color_at(renderer, 109, 15) == (RED if share >= 1.0 else BLUE)


def test_a_canvas_in_the_world_follows_the_view(renderer: SoftwareRenderer):
    canvas = renderer.canvas(View(1000.0, 500.0, 2.0, WIDTH, HEIGHT))
    canvas.circle(1000.0, 500.0, 10.0, fill=Color(255, 0, 0), width=0.0)
    assert color_at(renderer, 160 + 18, 100) == RED
    assert color_at(renderer, 160 + 23, 100) == (0, 0, 0)
    assert canvas.width == WIDTH / 2


def test_pictures_are_stretched_and_faded(renderer: SoftwareRenderer):
    canvas = renderer.canvas()
    canvas.picture("plain.png", 10, 10, 100, 50, opacity=0.5)
    assert color_at(renderer, 105, 55) == pytest.approx((128, 128, 128), abs=3)
    canvas.sprite("half.png", 200, 100, angle=np.pi)
    assert color_at(renderer, 194, 100) == RED


def test_degenerate_shapes_are_no_trouble(renderer: SoftwareRenderer):
    canvas = renderer.canvas()
    canvas.polyline([])
    canvas.polyline([(5, 5)], width=3, glow=5)
    canvas.line(9, 9, 9, 9, width=3, glow=3)
    canvas.polygon([(1, 1), (2, 2)], fill=Color(255, 0, 0))
    canvas.circle(10, 10, 0, fill=Color(255, 0, 0), glow=2)
    canvas.arc(10, 10, 5, 1.0, 1.0)
    canvas.rect(5, 5, 0, 0, fill=Color(255, 0, 0), line=1, radius=9)
    canvas.text("far away", -1e6, 1e6)
    canvas.sprite("plain.png", 1e15, -1e15)


def test_what_was_not_used_for_long_gives_way(pictures: Assets):
    renderer = SoftwareRenderer((WIDTH, HEIGHT), pictures)
    renderer.frames.budget = 1 << 20
    canvas = renderer.canvas()
    for number in range(400):
        renderer.begin()
        canvas.sprite("plain.png", 100, 100, scale=4.0, tint=Color(number % 256, 255, 255 - number % 256))
    assert renderer.frames.bytes <= (1 << 20) + 4 * 88 * 88
    renderer.fill(0)
    canvas.sprite("plain.png", 100, 100, tint=Color(255, 0, 0))
    assert color_at(renderer, 100, 100) == RED


def test_what_gives_way_little_by_little_leaves_what_is_drawn_alone(pictures: Assets):
    renderer = SoftwareRenderer((WIDTH, HEIGHT), pictures)
    renderer.frames.budget = 1 << 20
    canvas = renderer.canvas()
    for image in range(12):
        renderer.begin()
        for number in range(60):
            tint = Color(image * 20, number * 4, 255)
            canvas.sprite("plain.png", 20 + 5 * number, 100, scale=3.0, tint=tint)
            assert color_at(renderer, 20 + 5 * number, 100) == (image * 20, number * 4, 255)
    for _ in range(100):
        renderer.begin()
        canvas.sprite("plain.png", 100, 100, tint=Color(255, 0, 0))
        assert color_at(renderer, 100, 100) == RED
    assert renderer.frames.bytes <= 1 << 20


def test_an_image_can_be_saved(renderer: SoftwareRenderer, tmp_path: Path):
    renderer.fill(Color(10, 20, 30))
    renderer.save(tmp_path / "image.png")
    saved = pygame.image.load(tmp_path / "image.png")
    assert saved.get_size() == (WIDTH, HEIGHT)
    assert tuple(saved.get_at((5, 5)))[:3] == (10, 20, 30)
    with pytest.raises(OSError, match="nowhere"):
        renderer.save(tmp_path / "nowhere" / "image.png")


def test_the_same_scene_gives_the_same_image(pictures: Assets):
    images: list[Any] = []
    for _ in range(2):
        picture = Picture(pictures)
        for number in range(30):
            picture.world.spawn(
                Transform(number * 10.0 - 150.0, number % 7 * 20.0 - 70.0, number / 3.0),
                Sprite("half.png", layer=number % 3, additive=number % 4 == 0),
                Trail(),
            )
        picture.world.resource(Particles).burst(Burst(), 0.0, 0.0)
        images.append(picture.draw(ticks=3).draw(ticks=2).pixels())
    assert (images[0] == images[1]).all()


def test_a_scene_without_a_screen_gets_one_when_drawn(pictures: Assets):
    offscreen = Offscreen((WIDTH, HEIGHT), pictures)
    scene = Scene(graphics)
    scene.world.spawn(Transform(), Sprite("plain.png"))
    scene.world.resource(Camera).look_at(0.0, 0.0)
    offscreen.draw(scene)
    assert tuple(offscreen.renderer.surface.get_at((160, 100)))[:3] == WHITE

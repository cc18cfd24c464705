"""The camera: maps points both ways, follows, stays in bounds, shakes only if allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import Frame, Scene
from engine.graphics import Camera, NullRenderer, Rect, Screen, graphics
from engine.scene import Transform

COORDINATES = st.floats(-1e5, 1e5)


@given(COORDINATES, COORDINATES, COORDINATES, COORDINATES, st.floats(0.05, 20.0))
def test_screen_and_world_map_both_ways(camera_x: float, camera_y: float, x: float, y: float, zoom: float):
    camera = Camera(1280, 720)
    camera.x, camera.y, camera.zoom = camera_x, camera_y, zoom
    assert camera.world_to_screen(*camera.screen_to_world(x, y)) == pytest.approx((x, y), abs=1e-4)


def test_the_middle_of_the_screen_is_the_cameras_place():
    camera = Camera(800, 600)
    camera.look_at(50.0, 70.0)
    assert camera.screen_to_world(400, 300) == (50.0, 70.0)
    assert camera.view == Rect(-350.0, -230.0, 800.0, 600.0)
    assert camera.sees(449, 70)
    assert not camera.sees(460, 70)
    assert camera.sees(460, 70, margin=20)


def followed(stiffness: float):
    scene = Scene(graphics, resources=[Screen(NullRenderer(1280, 720))])
    camera = scene.world.resource(Camera)
    ship = scene.world.spawn(Transform(1000.0, 500.0))
    camera.follow(ship, stiffness=stiffness)
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    return scene, camera, ship


def test_following_starts_at_the_entity():
    _, camera, _ = followed(8.0)
    assert (camera.x, camera.y) == (1000.0, 500.0)


def test_following_closes_in_without_overshooting():
    scene, camera, ship = followed(8.0)
    ship[Transform].x = 1100.0
    xs: list[float] = []
    for _ in range(60):
        scene.run_frame(Frame(1.0, 1 / 60, 0.0))
        xs.append(camera.x)
    assert xs == sorted(xs)
    assert 1000.0 < xs[0] < 1020.0
    assert 1099.0 < xs[-1] <= 1100.0


def test_following_does_not_depend_on_the_frame_rate():
    places: list[float] = []
    for rate in (30, 120):
        scene, camera, ship = followed(5.0)
        ship[Transform].x = 1100.0
        for _ in range(rate // 10):
            scene.run_frame(Frame(1.0, 1 / rate, 0.0))
        places.append(camera.x)
    assert places[0] == pytest.approx(places[1])


def test_endless_stiffness_holds_the_entity_in_the_middle():
    scene, camera, ship = followed(float("inf"))
    ship[Transform].x = 2000.0
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert camera.x == 2000.0


def test_lead_keeps_ahead_of_the_entity():
    scene, camera, _ = followed(float("inf"))
    camera.lead = (100.0, -50.0)
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert (camera.x, camera.y) == (1100.0, 450.0)


def test_a_followed_entity_that_goes_leaves_the_camera_where_it_is():
    scene, camera, ship = followed(8.0)
    ship.despawn()
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert (camera.x, camera.y) == (1000.0, 500.0)


def test_bounds_hold_the_view_inside():
    camera = Camera(100, 100)
    camera.bounds = Rect(0.0, 0.0, 1000.0, 50.0)
    camera.look_at(-500.0, 900.0)
    assert camera.view == Rect(0.0, -25.0, 100.0, 100.0)  # held at the left, centred where the bounds are too small
    camera.look_at(5000.0, 0.0)
    assert camera.view.right == 1000.0


def test_shake_and_kick_move_what_is_shown_but_not_aim():
    scene, camera, _ = followed(8.0)
    camera.shake(20.0, 0.5)
    camera.kick(30.0, 0.0)
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert (camera.shown.x, camera.shown.y) != (camera.steady.x, camera.steady.y)
    assert camera.screen_to_world(640, 360) == (1000.0, 500.0)
    camera.effects = False
    assert camera.shown == camera.steady


def test_shake_dies_away_within_its_time():
    scene, camera, _ = followed(8.0)
    camera.shake(20.0, 0.2)
    for _ in range(13):
        scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert camera.shown == camera.steady


def test_a_weak_shake_does_not_cut_a_strong_one_short():
    scene, camera, _ = followed(8.0)
    camera.shake(20.0, 1.0)
    camera.shake(1.0, 0.01)
    scene.run_frame(Frame(1.0, 1 / 30, 0.0))
    assert camera.shown != camera.steady


def test_the_camera_takes_the_renderers_size():
    scene = Scene(graphics, resources=[Screen(NullRenderer(320, 200))])
    scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    camera = scene.world.resource(Camera)
    assert (camera.width, camera.height) == (320, 200)

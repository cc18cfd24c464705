"""What is drawn of a room, from nothing but its world and its protocol."""

import json
from typing import Any

from engine.app import Scene
from engine.ecs import I32, Component, Obj, World, i32, obj
from engine.net.wire import Protocol
from engine.physics import Body, Box, Chain, Circle, Collider, Compound, Polygon, Segment
from engine.scene import Transform
from engine.server.ops.picture import DOT, MOST_SHAPES, MOST_THINGS, NOBODY, Picture, parts_of


class Pilot(Component):
    seat: I32 = i32()
    name: Obj[str] = obj(default="")


class Disc(Component):
    owner: I32 = i32(default=-1)


DECLARATIONS = Protocol("drawn").component(Pilot).component(Disc).owner(Pilot.seat).owner(Disc.owner).declarations


def arena() -> World:
    world = Scene().world
    world.spawn(Transform(0.0, 0.0), Collider(Chain(((0, 0), (100, 0), (100, 50)), 2.0, True)))
    world.spawn(Transform(10.0, 20.0, 1.5), Collider(Circle(8.0), sensor=True))
    world.spawn(Transform(30.04, 40.0), Body(), Collider(Circle(5.0)), Disc(3))
    world.spawn(Transform(35.0, 45.0), Body(), Collider(Circle(5.0)), Disc(-1))
    world.spawn(Pilot(3, "Ana"))
    return world


def look(picture: Picture, world: World, **known: int) -> dict[str, Any]:
    return json.loads(json.dumps(picture.look(world, 7, **known), allow_nan=False))


def test_everything_with_a_place_is_in_it() -> None:
    found = look(Picture(DECLARATIONS), arena())
    assert [row[2:] for row in found["still"]] == [[NOBODY, 0, 0, 0, 0], [NOBODY, 10, 20, 1.5, 1]]
    assert [row[2:5] for row in found["moving"]] == [[3, 30, 40], [NOBODY, 35, 45]]
    assert found["moving"][0][1] == found["moving"][1][1], "equal shapes are one"
    assert found["names"] == {"3": "Ana"}
    assert found["tick"] == 7
    assert [["c", 0, 0, 5]] in found["shapes"]
    assert [["p", 4, 1, 0, 0, 100, 0, 100, 50]] in found["shapes"]


def test_what_is_known_is_not_sent_again() -> None:
    world, picture = arena(), Picture(DECLARATIONS)
    first = look(picture, world)
    known = {"epoch": first["epoch"], "shapes": len(first["shapes"]), "stills": first["stills"]}
    again = look(picture, world, **known)
    assert "still" not in again
    assert again["shapes"] == []
    world.spawn(Transform(1.0, 1.0), Collider(Box(4.0, 2.0)))
    more = look(picture, world, **known)
    assert more["from"] == 3
    assert more["shapes"] == [[["f", -2, -1, 2, -1, 2, 1, -2, 1]]]
    assert len(more["still"]) == 3
    other = look(picture, world, epoch=known["epoch"] + 1, shapes=2, stills=more["stills"])
    assert other["from"] == 0, "who knows another epoch knows nothing"
    assert "still" in other


def test_ever_new_shapes_are_counted_anew() -> None:
    world, picture = Scene().world, Picture(DECLARATIONS)
    first = found = look(picture, world)
    for batch in range(3):
        for each in range(MOST_SHAPES // 2 + 1):
            world.spawn(Transform(), Collider(Circle(1.0 + batch * MOST_SHAPES + each)))
        found = look(picture, world)
    assert found["epoch"] > first["epoch"]
    assert all(found["shapes"][row[1]] for row in found["still"])


def test_what_cannot_be_drawn_is_left_out_and_there_is_an_end_to_it() -> None:
    world = Scene().world
    world.spawn(Transform(float("nan"), 0.0))
    world.spawn(Transform(0.0, float("inf")))
    world.spawn(Transform(2.0, 3.0))
    assert [row[1:] for row in look(Picture(DECLARATIONS), world)["still"]] == [[DOT, NOBODY, 2, 3, 0, 0]]
    for place in range(MOST_THINGS):
        world.spawn(Transform(float(place)))
    assert len(look(Picture(DECLARATIONS), world)["still"]) == MOST_THINGS


def test_shapes_of_all_kinds() -> None:
    triangle = Polygon(((0, 0), (4, 0), (0, 4)))
    assert parts_of(triangle) == [["f", 0, 0, 4, 0, 0, 4]]
    assert parts_of(Segment(0, 0, 3, 4, 0.5)) == [["p", 1.0, 0, 0, 0, 3, 4]]
    assert parts_of(Compound((Circle(1.0), triangle))) == [["c", 0, 0, 1.0], ["f", 0, 0, 4, 0, 0, 4]]

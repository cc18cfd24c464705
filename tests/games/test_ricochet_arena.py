"""Map files: what is read, and what is said about a bad one."""

# pytest.approx has no full types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.ricochet.arena import MAPS, ArenaError, arena_keys, load_arenas, parse_arena, read_arena
from games.ricochet.components import Pickup, Team


def box() -> dict[str, Any]:
    return {
        "format": "ricochet-map",
        "version": 1,
        "name": "Box",
        "size": [800, 600],
        "wall_color": "#aabbcc",
        "ball": {"at": [400, 300], "radius": 40},
        "walls": [
            {
                "kind": "polyline",
                "points": [[10, 10], [790, 10], [790, 590], [10, 590]],
                "closed": True,
                "thickness": 20,
            },
            {"kind": "segment", "from": [100, 100], "to": [200, 100], "thickness": 10},
            {
                "kind": "arc",
                "center": [400, 300],
                "radius": 100,
                "start_degrees": 0,
                "end_degrees": 90,
                "thickness": 10,
            },
        ],
        "bumpers": [{"at": [300, 300], "radius": 30, "kick": 1.2}],
        "crates": [{"at": [500, 300], "size": 40, "degrees": 90}],
        "spawns": [{"at": [100, 300], "degrees": 0, "team": "a"}, {"at": [700, 300], "degrees": 180, "team": None}],
        "pads": [{"at": [400, 500], "kinds": ["repair", "dash"], "every_seconds": 10}],
    }


def test_a_map_becomes_plain_spots_and_chains() -> None:
    arena = parse_arena(json.dumps(box()), "box.json")
    assert (arena.key, arena.name, arena.width, arena.height) == ("box", "Box", 800, 600)
    assert arena.walls[0].points[0] == arena.walls[0].points[-1]
    assert arena.walls[1].points == ((100, 100), (200, 100))
    assert arena.walls[2].points[0] == (500, 300)
    assert arena.walls[2].points[-1] == pytest.approx((400, 400))
    assert len(arena.walls[2].points) == 16
    assert [spot.team for spot in arena.spawns] == [Team.A, Team.NONE]
    assert arena.pads[0].kinds == (Pickup.REPAIR, Pickup.DASH)


def test_the_arenas_of_the_game_can_be_read() -> None:
    assert len(arena_keys()) >= 2
    for key in arena_keys():
        assert len(read_arena(MAPS / f"{key}.json").spawns) >= 8
    assert load_arenas(arena_keys()[1])[0].key == arena_keys()[1]


@pytest.mark.parametrize(
    ("where", "value", "complaint"),
    [
        (("format",), "tetris", "is no map of version 1"),
        (("version",), 2, "is no map of version 1"),
        (("size",), [800], "size is no point; give two numbers"),
        (("size",), [100, 100], "at least 200"),
        (("wall_color",), "red", "wall_color is 'red'; give a colour as \"#rrggbb\""),
        (("walls",), [], "walls[0] must be the border"),
        (("walls",), {}, "walls is no list"),
        (("walls", 0, "closed"), False, "walls[0] must be the border"),
        (("walls", 1, "kind"), "spiral", 'walls[1].kind is "spiral"; choose one of "segment", "polyline", "arc"'),
        (("walls", 1, "thickness"), -2, "walls[1].thickness is -2; give a number from 1 to 500"),
        (("walls", 1, "from"), [1, "2"], "walls[1].from[1] is '2'; give a number"),
        (("walls", 1, "form"), [1, 2], "walls[1] has a key 'form' that means nothing"),
        (("walls", 2, "end_degrees"), -10, "walls[2] goes from 0° to -10°"),
        (("bumpers", 0, "kick"), True, "bumpers[0].kick is True; give a number"),
        (("crates", 0), 7, "crates[0] is no object"),
        (("spawns", 1, "team"), "c", 'spawns[1].team is "c"; choose one of "a", "b", null'),
        (("spawns", 1, "at"), [900, 300], "spawns[1].at [900, 300] lies outside the border"),
        (("pads", 0, "kinds"), ["gold"], 'pads[0].kinds[0] is "gold"; choose one of "triple"'),
        (("pads", 0, "kinds"), [], "pads[0] has no kinds"),
        (("pads", 0, "every_seconds"), 0, "pads[0].every_seconds is 0"),
        (("ball", "at"), [-50, 0], "ball.at [-50, 0] lies outside the border"),
    ],
)
def test_a_complaint_names_the_file_the_place_and_the_cure(where: tuple[Any, ...], value: Any, complaint: str) -> None:
    content: Any = box()
    inner = content
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    with pytest.raises(ArenaError) as caught:
        parse_arena(json.dumps(content), "box.json")
    assert str(caught.value).startswith("box.json: ")
    assert complaint in str(caught.value)


def test_a_missing_key_is_named() -> None:
    content = box()
    del content["spawns"]
    with pytest.raises(ArenaError, match="has no 'spawns'; add it"):
        parse_arena(json.dumps(content), "box.json")


def test_a_file_that_is_no_json_or_is_not_there(tmp_path: Any) -> None:
    with pytest.raises(ArenaError, match=r"box\.json: is no JSON"):
        parse_arena("{", "box.json")
    with pytest.raises(ArenaError, match=r"nowhere\.json: cannot be read"):
        read_arena(tmp_path / "nowhere.json")


plain = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(box())), plain)
def test_whatever_stands_in_a_map_the_complaint_is_an_arena_error(key: str, value: Any) -> None:
    try:
        parse_arena(json.dumps({**box(), key: value}), "box.json")
    except ArenaError as error:
        assert str(error).startswith("box.json: ")  # noqa: PT017

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graphics import Color

CHANNEL = st.integers(0, 255)


@given(CHANNEL, CHANNEL, CHANNEL, CHANNEL)
def test_channels_come_back(r: int, g: int, b: int, a: int):
    color = Color(r, g, b, a)
    assert color.rgba == (r, g, b, a)
    assert Color.of(int(color)) == color
    assert Color.parse(f"#{r:02x}{g:02x}{b:02x}{a:02x}") == color
    assert copy.deepcopy(color) == color


def test_colours_are_plain_integers():
    assert Color(255, 0, 16) == 0xFF0010FF


@pytest.mark.parametrize("text", ["", "ff0000", "#ff00", "#gg0000", "#ff0000ff0", "red", "#ff0000\n"])
def test_what_is_no_colour_says_how_one_is_written(text: str):
    with pytest.raises(ValueError, match="#rrggbb"):
        Color.parse(text)


def test_a_channel_out_of_range_is_named():
    with pytest.raises(ValueError, match="256"):
        Color(0, 256, 0)


def test_fading_and_mixing():
    assert Color(10, 20, 30, 200).fade(0.5) == Color(10, 20, 30, 100)
    assert Color(0, 0, 0).mix(Color(255, 255, 255), 0.2) == Color(51, 51, 51)
    assert Color(1, 2, 3).mix(Color(9, 9, 9), 7.0) == Color(9, 9, 9)

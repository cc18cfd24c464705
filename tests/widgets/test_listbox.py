"""Lists: chosen from by pointer, wheel, keys and gamepad."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.input import Key, PadButton
from engine.widgets import NEON, Button, Changed, Column, ListBox, Submitted, Ui, WidgetError

ARENAS = [f"Arena {number}" for number in range(20)]


@pytest.fixture
def arenas(player: Any) -> ListBox[str]:
    arenas = ListBox(ARENAS, rows=5)
    player.ui.show(Column(arenas, Button("JOIN")))
    return arenas


def click_entry(player: Any, arenas: ListBox[str], index: int, clicks: int = 1) -> None:
    rect = arenas.entry_rect(index, NEON)
    player.press(rect.x + 10, rect.y + 10, clicks)
    player.release(rect.x + 10, rect.y + 10)


def test_keys_and_pad_choose(player: Any, arenas: ListBox[str]) -> None:
    player.key(Key.DOWN, Key.PAGE_DOWN)
    player.pad(PadButton.DOWN)
    assert arenas.value == "Arena 7"
    player.key(Key.END)
    assert arenas.value == "Arena 19"
    player.key(Key.HOME)
    player.pad(PadButton.RIGHT_SHOULDER)
    assert arenas.value == "Arena 5"
    assert player.heard[-1] == Changed(arenas, "Arena 5")


def test_the_ends_let_the_focus_out(player: Any, arenas: ListBox[str]) -> None:
    player.key(Key.END)
    assert player.ui.focus is arenas
    player.key(Key.DOWN)
    assert player.ui.focus is not arenas
    player.key(Key.UP)
    assert player.ui.focus is arenas


def test_enter_a_and_double_click_submit(player: Any) -> None:
    seen: list[str] = []
    arenas = ListBox(ARENAS, on_submit=seen.append)
    player.ui.show(arenas)
    player.key(Key.ENTER)
    player.pad(PadButton.A)
    click_entry(player, arenas, 2)
    assert len(seen) == 2
    click_entry(player, arenas, 2, clicks=2)
    assert seen == ["Arena 0", "Arena 0", "Arena 2"]
    assert player.heard[-1] == Submitted(arenas, "Arena 2")


def test_the_wheel_scrolls_without_choosing(player: Any, arenas: ListBox[str]) -> None:
    for _ in range(3):
        player.wheel(arenas, -1.0)
    assert (arenas.first, arenas.value) == (3, "Arena 0")
    click_entry(player, arenas, 4)
    assert arenas.value == "Arena 4"
    for _ in range(40):
        player.wheel(arenas, -1.0)
    assert arenas.first == 15
    for _ in range(40):
        player.wheel(arenas, 1.0)
    assert arenas.first == 0


def test_other_entries_keep_the_choice(player: Any, arenas: ListBox[str]) -> None:
    player.key(Key.DOWN, Key.DOWN)
    arenas.entries = ["new", *ARENAS]
    assert arenas.value == "Arena 2"
    arenas.entries = ["new", "newer"]
    assert arenas.value == "newer"
    arenas.entries = []
    assert arenas.value is None
    player.key(Key.DOWN, Key.ENTER)  # nothing to choose, so the focus goes on
    assert not any(isinstance(event, Submitted) for event in player.heard)


def test_an_empty_list_says_so(player: Any) -> None:
    player.ui.show(ListBox[str](empty="no servers yet"))
    player.wait(0.2)
    assert "no servers yet" in player.canvas.texts


def test_parts_after_a_tab_are_set_apart(player: Any) -> None:
    player.ui.show(ListBox(["Foundry\t3/8"]))
    player.wait(0.2)
    assert player.canvas.texts == ["3/8", "Foundry"]


def test_no_rows() -> None:
    with pytest.raises(WidgetError, match="at least one row"):
        ListBox(ARENAS, rows=0)


@given(
    st.integers(0, 12),
    st.integers(1, 5),
    st.lists(
        st.one_of(
            st.sampled_from((Key.HOME, Key.END, Key.PAGE_UP, Key.PAGE_DOWN)),
            st.sampled_from((1.0, -1.0)),
            st.integers(0, 12),
        )
    ),
)
def test_what_is_in_sight_exists(count: int, rows: int, acts: list[Any]) -> None:
    ui = Ui()
    box = ListBox(range(count), rows=rows)
    ui.show(box)
    for act in acts:
        if isinstance(act, Key):
            box.edit(ui, act)
            assert box.index is None or box.first <= box.index < box.first + rows
        elif isinstance(act, float):
            box.scroll(ui, act)
        else:
            box.entries = range(act)
        assert 0 <= box.first <= max(0, len(box.entries) - rows)
        assert box.index is None or 0 <= box.index < len(box.entries)

"""Layouts: nothing overlaps, nothing sticks out, and the room is shared as asked."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graphics import Rect
from engine.input import Key, KeyPressed, PointerMoved
from engine.widgets import (
    NEON,
    Anchor,
    Button,
    Choice,
    Column,
    Container,
    Grid,
    Label,
    ListBox,
    Panel,
    Row,
    Scroll,
    Slider,
    Space,
    TextField,
    Toggle,
    Ui,
    Widget,
    WidgetError,
)

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=14)
leaves = st.one_of(
    words.map(Button),
    words.map(Label),
    words.map(lambda text: Slider(0.0, 1.0, 0.5, label=text)),
    words.map(lambda text: Toggle(text)),
    words.map(lambda text: TextField(label=text)),
    words.map(lambda text: Choice([text, "other"], label="One")),
    st.lists(words, max_size=4).map(lambda entries: ListBox(entries, rows=3)),
    st.floats(0.0, 60.0).map(lambda height: Space(height=height)),
)


def containers(inner: st.SearchStrategy[Widget]) -> st.SearchStrategy[Widget]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        several.map(lambda children: Column(*children)),
        several.map(lambda children: Row(*children)),
        several.map(lambda children: Row(*children, weights=[n % 3 for n in range(len(children))])),
        several.map(lambda children: Grid(*children, columns=1 + len(children) // 2)),
        several.map(lambda children: Scroll(*children, height=150.0)),
        inner.map(lambda child: Panel(child, title="A title")),
    )


trees = st.recursive(leaves, containers, max_leaves=10)


def overlap(a: Rect, b: Rect) -> bool:
    slack = 0.01
    return (
        a.x < b.right - slack and b.x < a.right - slack and a.y < b.bottom - slack and b.y < a.bottom - slack
    ) and min(a.width, a.height, b.width, b.height) > slack


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.x >= outer.x - 0.01
        and inner.y >= outer.y - 0.01
        and inner.right <= outer.right + 0.01
        and inner.bottom <= outer.bottom + 0.01
    )


@given(trees)
def test_nothing_overlaps_and_nothing_sticks_out(tree: Widget) -> None:
    width, height = tree.size(NEON)
    tree.place(Rect(10.0, 20.0, width, height), NEON)
    for widget in tree.walk():
        seen = [child for child in widget.children if not child.hidden]
        for a, b in combinations(seen, 2):
            assert not overlap(a.rect, b.rect)
        if widget.in_sight:
            for child in seen:
                if isinstance(widget, Scroll) and child.rect.height > widget.rect.height:
                    continue
                assert inside(child.rect, widget.rect)


@given(trees)
def test_the_focus_goes_through_everything_once(tree: Widget) -> None:
    ui = Ui()
    ui.show(tree)
    stops = [widget for widget in tree.walk() if widget.takes_focus]
    if not stops:
        assert ui.focus is None
        return
    seen: list[Widget] = []
    for _ in stops:
        assert ui.focus is not None
        seen.append(ui.focus)
        ui.handle(KeyPressed(Key.TAB))
    assert seen == stops
    assert ui.focus is stops[0]


def test_a_row_shares_its_width_by_weights() -> None:
    label, slider, button = Label("x"), Slider(0.0, 1.0, 0.0), Button("GO", width=100.0)
    Row(label, slider, button, weights=(1, 3, 1), spacing=10.0).place(Rect(0, 0, 520, 44), NEON)
    assert [child.rect.width for child in (label, slider, button)] == pytest.approx([100.0, 300.0, 100.0])
    assert button.rect.x == pytest.approx(420.0)


def test_a_space_takes_what_is_left() -> None:
    top, bottom = Button("top"), Button("bottom")
    Column(top, Space(), bottom, spacing=0.0).place(Rect(0, 0, 200, 400), NEON)
    assert (top.rect.y, bottom.rect.bottom) == (0.0, 400.0)


def test_anchors() -> None:
    ui = Ui(width=1000.0, height=500.0)
    panel = Panel(Button("x"), width=200.0, height=100.0, anchor=Anchor.BOTTOM_RIGHT, margin=10.0)
    ui.show(panel)
    assert panel.rect == Rect(790, 390, 200, 100)
    ui.resize(800.0, 400.0)
    ui.handle(_moved())
    assert panel.rect == Rect(590, 290, 200, 100)


def test_what_is_invisible_takes_no_room() -> None:
    a, b, c = Button("a"), Button("b"), Button("c")
    column = Column(a, b, c, spacing=0.0)
    ui = Ui()
    ui.show(column)
    assert column.rect.height == 3 * NEON.row
    b.visible = False
    ui.handle(_moved())
    assert column.rect.height == 2 * NEON.row
    assert c.rect.y == a.rect.bottom


def _moved() -> Any:
    return PointerMoved(1.0, 1.0)


def test_a_label_wraps_to_its_width() -> None:
    label = Label("one two three four five six seven", width=120.0)
    assert label.size(NEON)[1] >= 3 * NEON.text_height()


def test_the_focus_scrolls(player: Any) -> None:
    buttons = [Button(f"{number}") for number in range(10)]
    scroll = Scroll(*buttons, height=200.0)
    player.ui.show(scroll)
    player.key(*[Key.DOWN] * 9)
    assert player.ui.focus is buttons[9]
    assert buttons[9].in_sight
    assert not buttons[0].in_sight
    player.key(Key.DOWN)  # around the end
    assert player.ui.focus is buttons[0]
    assert buttons[0].in_sight
    player.wheel(scroll, -1.0)
    assert not buttons[0].in_sight
    player.click(buttons[3])
    assert len(player.heard) == 1


def test_what_is_scrolled_away_cannot_be_clicked(player: Any) -> None:
    buttons = [Button(f"{number}") for number in range(10)]
    player.ui.show(Column(Scroll(*buttons, height=200.0), Button("below")))
    player.click(buttons[4])  # lies where "below" is, or under the edge
    assert all(event.widget not in buttons for event in player.heard)


def test_a_widget_in_two_places_is_refused() -> None:
    button = Button("x")
    Column(button)
    with pytest.raises(WidgetError, match="a Button was put into a Row but is in a Column already"):
        Row(button)
    column: Container = Column()
    with pytest.raises(WidgetError, match="make a second widget"):
        column.add(column)


def test_weights_that_do_not_match() -> None:
    with pytest.raises(WidgetError, match="as many weights"):
        Row(Button("a"), Button("b"), weights=(1,))

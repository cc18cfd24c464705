"""Where the focus goes: in order with Tab, to what lies in a direction with arrows and gamepad."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graphics import Rect
from engine.widgets.widget import Direction, Widget

ASIDE = 3.0
"""How much worse a pixel to the side is than one straight ahead."""


def stops(root: Widget) -> list[Widget]:
    """The widgets in `root` that can have the focus, in order."""
    return [widget for widget in root.walk() if widget.takes_focus and widget.usable]


def next_stop(root: Widget, focus: Widget | None, steps: int) -> Widget | None:
    """The stop that many steps on from `focus`, around the end; None if there are no stops."""
    order = stops(root)
    if not order:
        return None
    if focus not in order:
        return order[0 if steps > 0 else -1]
    return order[(order.index(focus) + steps) % len(order)]


def neighbour(root: Widget, focus: Widget | None, direction: Direction) -> Widget | None:
    """The stop that lies nearest to `focus` in a direction. Up and down go around; None if there is nowhere to go."""
    order = stops(root)
    if focus not in order:
        return order[0] if order else None
    others = [widget for widget in order if widget is not focus]
    ahead = _nearest(focus.rect, others, direction)
    if ahead is None and direction in (Direction.UP, Direction.DOWN):
        ahead = _farthest(focus.rect, others, direction)
    return ahead


def _nearest(here: Rect, others: Sequence[Widget], direction: Direction) -> Widget | None:
    ranked = [
        (along + ASIDE * aside, number)
        for number, widget in enumerate(others)
        for along, aside in [_way(here, widget.rect, direction)]
        if along >= -1.0
    ]
    return others[min(ranked)[1]] if ranked else None


def _farthest(here: Rect, others: Sequence[Widget], direction: Direction) -> Widget | None:
    """What lies at the other end, straight back if possible."""
    back = Direction.UP if direction is Direction.DOWN else Direction.DOWN
    ranked = [
        (ASIDE * aside - along, number)
        for number, widget in enumerate(others)
        for along, aside in [_way(here, widget.rect, back)]
        if along >= -1.0
    ]
    return others[min(ranked)[1]] if ranked else None


def _way(here: Rect, there: Rect, direction: Direction) -> tuple[float, float]:
    """How far `there` begins ahead of where `here` ends, and how far it lies aside."""
    if direction in (Direction.LEFT, Direction.RIGHT):
        along = there.x - here.right if direction is Direction.RIGHT else here.x - there.right
        return along, _apart(here.y, here.bottom, there.y, there.bottom)
    along = there.y - here.bottom if direction is Direction.DOWN else here.y - there.bottom
    return along, _apart(here.x, here.right, there.x, there.right)


def _apart(a: float, b: float, c: float, d: float) -> float:
    """The room between two stretches; where they overlap, a little for how far their middles are apart."""
    return max(0.0, c - b, a - d) + abs((a + b) - (c + d)) * 0.005

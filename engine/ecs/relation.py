"""Parent and child."""

from __future__ import annotations

from engine.ecs.column import Ref, ref
from engine.ecs.component import Component


class ChildOf(Component):
    """The entity belongs to another: it goes when that one goes.

    Set it with `World.attach`, by spawning with it, or by adding it; a parent written straight into the column is
    not noticed.
    """

    parent: Ref = ref()

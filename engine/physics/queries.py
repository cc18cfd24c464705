"""Questions to a space. Answers are in an order that depends on positions and entity ids alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

import pymunk

from engine.ecs import Entity
from engine.physics.bodies import Bodies, SlotBody
from engine.physics.components import EVERYTHING
from engine.physics.errors import PhysicsError
from engine.physics.inertia import solver_shapes
from engine.physics.shapes import Point, Shape


@dataclass(slots=True)
class Hit:
    """Where a ray met an entity."""

    entity: Entity
    x: float
    y: float
    nx: float
    """Unit normal of the surface, towards where the ray came from."""
    ny: float
    fraction: float
    """How far along the ray: 0 at its start, which lies inside the entity then, 1 at its end."""


class Queries:
    """Asks one solver's space."""

    def __init__(self, space: pymunk.Space, bodies: Bodies) -> None:
        self._space = space
        self._bodies = bodies

    def raycast(
        self, start: Point, end: Point, radius: float, mask: int, ignore: Iterable[Entity], sensors: bool
    ) -> Hit | None:
        """The nearest hit."""
        if radius == 0 and not ignore:
            _check("a ray", *start, *end)
            found = self._space.segment_query_first(start, end, radius, _filter(mask))
            if found is None:
                return None
            entity = self._entity(found.shape, sensors)
            if entity is not None:
                return _hit(entity, found, start, end)
        hits = self.raycast_all(start, end, radius, mask, ignore, sensors)
        return hits[0] if hits else None

    def raycast_all(
        self, start: Point, end: Point, radius: float, mask: int, ignore: Iterable[Entity], sensors: bool
    ) -> list[Hit]:
        """Hits from near to far, one an entity."""
        _check("a ray", *start, *end, radius)
        skipped = {entity.id for entity in ignore}
        nearest: dict[int, Hit] = {}
        for found in self._along(start, end, radius, mask):
            entity = self._entity(found.shape, sensors)
            if entity is None or entity.id in skipped:
                continue
            hit = _hit(entity, found, start, end)
            known = nearest.get(entity.id)
            if known is None or _rank(hit) < _rank(known):
                nearest[entity.id] = hit
        return sorted(nearest.values(), key=_rank)

    def _along(self, start: Point, end: Point, radius: float, mask: int) -> Iterable[pymunk.SegmentQueryInfo]:
        if radius == 0:
            return self._space.segment_query(start, end, 0.0, _filter(mask))
        # The solver looks for shapes near the bare line only, so a thick ray looks for them itself.
        (x0, y0), (x1, y1) = start, end
        box = pymunk.BB(min(x0, x1) - radius, min(y0, y1) - radius, max(x0, x1) + radius, max(y0, y1) + radius)
        shapes = self._space.bb_query(box, _filter(mask))
        return [found for shape in shapes if (found := shape.segment_query(start, end, radius))]

    def at(self, x: float, y: float, mask: int, sensors: bool) -> list[Entity]:
        """Entities a point lies in, in order of id."""
        return [entity for _, entity in sorted(self._around(x, y, 0.0, mask, sensors), key=lambda found: found[1].id)]

    def within(self, x: float, y: float, radius: float, mask: int, sensors: bool) -> list[Entity]:
        """Entities whose shape comes within `radius`, nearest first."""
        found = self._around(x, y, radius, mask, sensors)
        return [entity for _, entity in sorted(found, key=lambda found: (found[0], found[1].id))]

    def _around(self, x: float, y: float, radius: float, mask: int, sensors: bool) -> list[tuple[float, Entity]]:
        _check("a point", x, y, radius)
        nearest: dict[int, tuple[float, Entity]] = {}
        for found in self._space.point_query((x, y), radius, _filter(mask)):
            entity = self._entity(found.shape, sensors)
            if entity is not None:
                distance = max(0.0, found.distance)
                known = nearest.get(entity.id)
                if known is None or distance < known[0]:
                    nearest[entity.id] = distance, entity
        return list(nearest.values())

    def overlap(self, shape: Shape, x: float, y: float, angle: float, mask: int, sensors: bool) -> list[Entity]:
        """Entities that a shape at a place would touch, in order of id."""
        _check("a shape", x, y, angle)
        body = pymunk.Body(body_type=pymunk.Body.KINEMATIC)
        body.angle = angle
        body.position = x, y
        entities: dict[int, Entity] = {}
        for piece in solver_shapes(shape, body):
            piece.filter = _filter(mask)
            for found in self._space.shape_query(piece):
                self._note(entities, found.shape, sensors)
        return [entities[id] for id in sorted(entities)]

    def area(self, x0: float, y0: float, x1: float, y1: float, mask: int, sensors: bool) -> list[Entity]:
        """Entities whose bounding box meets a rectangle, in order of id."""
        _check("an area", x0, y0, x1, y1)
        box = pymunk.BB(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        entities: dict[int, Entity] = {}
        for shape in self._space.bb_query(box, _filter(mask)):
            self._note(entities, shape, sensors)
        return [entities[id] for id in sorted(entities)]

    def _note(self, entities: dict[int, Entity], shape: pymunk.Shape | None, sensors: bool) -> None:
        entity = self._entity(shape, sensors)
        if entity is not None:
            entities[entity.id] = entity

    def _entity(self, shape: pymunk.Shape | None, sensors: bool) -> Entity | None:
        if shape is None or (shape.sensor and not sensors):
            return None
        body = shape.body
        return self._bodies.handles[body.slot] if isinstance(body, SlotBody) else None


def _filter(mask: int) -> pymunk.ShapeFilter:
    return pymunk.ShapeFilter(categories=EVERYTHING, mask=int(mask) & EVERYTHING)


def _hit(entity: Entity, found: pymunk.SegmentQueryInfo, start: Point, end: Point) -> Hit:
    if found.alpha <= 0.0:  # the solver gives the ray's end and no normal for a ray that starts inside
        dx, dy = start[0] - end[0], start[1] - end[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1.0
        return Hit(entity, start[0], start[1], dx / length, dy / length, 0.0)
    return Hit(entity, found.point.x, found.point.y, found.normal.x, found.normal.y, found.alpha)


def _rank(hit: Hit) -> tuple[float, int, float, float]:
    return hit.fraction, hit.entity.id, hit.x, hit.y


def _check(what: str, *numbers: float) -> None:
    if not all(isfinite(number) for number in numbers):
        raise PhysicsError(f"{what} for a query is made of finite numbers, not {', '.join(map(str, numbers))}")

"""The space, as a game sees it: filters, pushes and queries. It is a resource of the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import cos, isfinite, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ecs import Component, Entity, World
from engine.physics.bodies import ABSENT
from engine.physics.components import EVERYTHING, Body, BodyKind, Collider, Velocity
from engine.physics.delivery import Delivery
from engine.physics.errors import PhysicsError
from engine.physics.events import ContactBegan
from engine.physics.gate import Filter
from engine.physics.inertia import Inertia, inertia
from engine.physics.mark import Mark, mark, revert
from engine.physics.queries import Hit, Queries
from engine.physics.settings import PhysicsSettings
from engine.physics.shapes import Shape
from engine.physics.simulation import Gone, Simulation, SimulationState
from engine.scene import Transform


class Space:
    """Where bodies move and meet.

    Queries see the bodies where the last step left them and what was spawned and written before the tick began;
    `sync()` takes in the rest. `mask` chooses by the colliders' layers; sensors are passed over unless asked for.
    """

    def __init__(self, world: World, settings: PhysicsSettings) -> None:
        self.world = world
        self.simulation = Simulation(world, settings)
        """The machinery; not for games."""
        self._delivery = Delivery(world)

    @property
    def settings(self) -> PhysicsSettings:
        """The settings in force; fields may be changed."""
        return self.simulation.settings

    # The tick

    def sync(self) -> None:
        """Take in entities that came and went, and Transforms and Velocities that were written. Done every tick.

        Simulation code may call it to query what it has just built; drawing code must not, as taking things in at
        another time can change the simulation's course.
        """
        self.simulation.sync()

    def look(self) -> None:
        """Take in what queries ask for, and leave the rest to the step. The plugin does this as a tick begins."""
        self.simulation.sync_places()

    def step(self, dt: float) -> None:
        """Step by `dt` seconds and post the contacts. The plugin does this once a tick."""
        self.simulation.step(dt)
        self._delivery.post(self.simulation)

    # Filters

    def refuse(self, a: type[Component], b: type[Component]) -> Callable[[Filter], Filter]:
        """Ask the decorated `filter(world, a, b)` about each new contact of an entity with `a` and one with `b`.

        It is asked when the two begin to touch, before the contact is solved; True lets them pass through each other
        until they part, without any event. It must not change the world's structure. Raises `PhysicsError` for a
        local component::

            @rules.setup
            def build(world: World) -> None:
                @world.resource(Space).refuse(Disc, Ship)
                def is_own(world: World, disc: Entity, ship: Entity) -> bool:
                    return disc[Disc].owner == ship.id
        """

        def register(refuses: Filter) -> Filter:
            self.simulation.gate.refuse(a, b, refuses)
            return refuses

        return register

    def refuses(self, a: Entity, b: Entity, *, besides: Filter | None = None) -> bool:
        """Whether a filter, other than `besides`, lets these two pass through each other."""
        refused = self.simulation.gate.refuses(a, b, besides)
        self.simulation.post_errors()
        return refused

    # Contacts found by other means than a step

    def tell(self, began: Iterable[ContactBegan[Any, Any]], ended: Iterable[Gone] = ()) -> None:
        """Post contacts to those that subscribed to them, as `step` does. In either order; nothing is remembered."""
        self._delivery.tell(began, ended)

    def reach(self, ids: NDArray[np.uint64]) -> NDArray[np.float64]:
        """How far from their places entities' shapes go at most, by ids; same shape. 0 if not taken in yet."""
        slots = self.simulation.bodies.slots_of(ids)
        return np.where(slots == ABSENT, 0.0, self.simulation.bodies.reach[slots])

    # Pushes

    def impulse(self, entity: Entity, x: float, y: float, at: tuple[float, float] | None = None) -> None:
        """Change a body's velocity at once by an impulse (mass × speed), at a point of the world or at its centre.

        Shows in its Velocity now, or after the step if it has none. Raises `PhysicsError` if a number is not finite
        or the entity has no dynamic body.
        """
        self._check(entity, "an impulse", x, y, *(at or ()))
        weight = self._inertia(entity, "an impulse")
        turn = self._moment(entity, weight, x, y, at)
        velocity = entity.get(Velocity)
        if velocity is None:
            push = self._pending(entity)
            push[3] += x
            push[4] += y
            push[5] += turn
        else:
            velocity.vx += x / weight.mass
            velocity.vy += y / weight.mass
            velocity.angular += turn / weight.moment

    def force(self, entity: Entity, x: float, y: float, at: tuple[float, float] | None = None) -> None:
        """Push a body during the next step. Raises like `impulse`."""
        self._check(entity, "a force", x, y, *(at or ()))
        turn = self._moment(entity, self._inertia(entity, "a force"), x, y, at)
        push = self._pending(entity)
        push[0] += x
        push[1] += y
        push[2] += turn

    def torque(self, entity: Entity, torque: float) -> None:
        """Turn a body during the next step. Raises like `impulse`."""
        self._check(entity, "a torque", torque)
        self._inertia(entity, "a torque")
        self._pending(entity)[2] += torque

    def mass(self, entity: Entity) -> float:
        """What an entity with a dynamic body weighs."""
        return self._inertia(entity, "a mass").mass

    def _pending(self, entity: Entity) -> list[float]:
        return self.simulation.pushes.setdefault(entity.id, [0.0] * 6)

    def _check(self, entity: Entity, what: str, *numbers: float) -> None:
        if not all(isfinite(number) for number in numbers):
            raise PhysicsError(
                f"{entity} was given {what} of {', '.join(map(str, numbers))}; all numbers must be finite"
            )

    def _inertia(self, entity: Entity, what: str) -> Inertia:
        body = entity.get(Body)
        if body is None or body.kind != BodyKind.DYNAMIC:
            raise PhysicsError(f"{entity} has no dynamic body to take {what}; add Body(BodyKind.DYNAMIC)")
        collider = entity.get(Collider)
        shape, material = (collider.shape, collider.material) if collider is not None else (None, None)
        return inertia(shape, material, body.mass, body.moment, body.fixed_rotation)

    def _moment(self, entity: Entity, weight: Inertia, x: float, y: float, at: tuple[float, float] | None) -> float:
        if at is None:
            return 0.0
        place = entity[Transform]
        c, s = cos(place.angle), sin(place.angle)
        rx = at[0] - place.x - (weight.x * c - weight.y * s)
        ry = at[1] - place.y - (weight.x * s + weight.y * c)
        return rx * y - ry * x

    # Queries

    def raycast(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        radius: float = 0.0,
        mask: int = EVERYTHING,
        ignore: Iterable[Entity] = (),
        sensors: bool = False,
    ) -> Hit | None:
        """The first thing on the way from (x0, y0) to (x1, y1), for a ray or a circle of `radius` moving along it."""
        return self._queries().raycast((x0, y0), (x1, y1), radius, mask, ignore, sensors)

    def raycast_all(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        radius: float = 0.0,
        mask: int = EVERYTHING,
        ignore: Iterable[Entity] = (),
        sensors: bool = False,
    ) -> list[Hit]:
        """All entities on the way, nearest first, each once."""
        return self._queries().raycast_all((x0, y0), (x1, y1), radius, mask, ignore, sensors)

    def at(self, x: float, y: float, mask: int = EVERYTHING, *, sensors: bool = False) -> list[Entity]:
        """The entities a point lies in, in order of id."""
        return self._queries().at(x, y, mask, sensors)

    def within(
        self, x: float, y: float, radius: float, mask: int = EVERYTHING, *, sensors: bool = False
    ) -> list[Entity]:
        """The entities whose shape is no farther than `radius` from a point, nearest first."""
        return self._queries().within(x, y, radius, mask, sensors)

    def overlap(
        self,
        shape: Shape,
        x: float,
        y: float,
        angle: float = 0.0,
        mask: int = EVERYTHING,
        *,
        sensors: bool = False,
    ) -> list[Entity]:
        """The entities a shape placed there would touch, in order of id."""
        return self._queries().overlap(shape, x, y, angle, mask, sensors)

    def area(
        self, x0: float, y0: float, x1: float, y1: float, mask: int = EVERYTHING, *, sensors: bool = False
    ) -> list[Entity]:
        """The entities whose bounding box meets a rectangle, in order of id."""
        return self._queries().area(x0, y0, x1, y1, mask, sensors)

    def touching(self, entity: Entity) -> list[Entity]:
        """The entities that touch this one as of the last step, in order of id."""
        ids = self.simulation.touching_ids_of(entity.id)
        return [found for id in ids if (found := self.world.find(id)) is not None]

    def touches(self, a: Entity, b: Entity) -> bool:
        """Whether these two touch as of the last step."""
        return self.simulation.touches(a.id, b.id)

    def _queries(self) -> Queries:
        if self.simulation.is_fresh:
            raise PhysicsError(
                "the space has not taken in the world yet; call space.sync() after building it, or query inside a tick"
            )
        return Queries(self.simulation.space, self.simulation.bodies)

    # Participant of snapshots

    def capture(self) -> SimulationState:
        """What no component holds. Also makes the live space anew, so that going on equals restoring."""
        return self.simulation.capture()

    def restore(self, state: SimulationState) -> None:
        """Make the space anew from the world's columns and `state`."""
        self.simulation.restore(state)

    def digest(self) -> int:
        """The hash of what no component holds."""
        return self.simulation.digest()

    # Going back without a snapshot

    def mark(self) -> Mark:
        """What no component holds, at the end of a tick; cheap enough for every tick. See `revert`."""
        return mark(self.simulation)

    def revert(self, mark: Mark) -> None:
        """Go back to a mark of this space, between ticks, once the world's components are as they were then.

        Contacts then go on, begin and end as they did after the mark, without events for the way back. Faster than
        `restore`, and less exact: the solver keeps what it knows about contacts, so results differ a little.
        """
        revert(self.simulation, mark)

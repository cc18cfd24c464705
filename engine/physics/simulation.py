"""The simulation behind a space: takes in what the game wrote, steps the solver, and writes back where things are.

Order of a step: entities that came or went, values the game wrote, forces, the solver, contacts, the columns.
Bodies are made and removed in the order of entity ids, as the solver's results depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import hypot, inf, isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pymunk
from numpy.typing import NDArray
from pymunk import batch

from engine.ecs import Entity, World, digest
from engine.ecs.table import Table
from engine.physics import direct
from engine.physics.bodies import ABSENT, Bodies, SlotBody
from engine.physics.columns import floats_of, ints_of
from engine.physics.components import Body, BodyKind, Collider, Material, Velocity
from engine.physics.contacts import ContactReader, Pairs, Touches, contained, firsts, paired, seconds, without
from engine.physics.errors import PhysicsError
from engine.physics.events import FilterFailed, Quarantined, Rejected
from engine.physics.gate import Gate
from engine.physics.inertia import inertia, solver_shapes
from engine.physics.joints import Joints
from engine.physics.layout import Block, Components, watched_tables
from engine.physics.settings import PhysicsSettings
from engine.physics.shapes import Circle
from engine.physics.touch import reach
from engine.scene import Transform

if TYPE_CHECKING or direct.CALLS is not None:
    from engine.physics import kernel

# Layout of the floats of one body: x, y, angle, vx, vy, angular, as in Transform and Velocity.
_PLACE_FIELDS = batch.BodyFields.POSITION | batch.BodyFields.ANGLE
_VELOCITY_FIELDS = batch.BodyFields.VELOCITY | batch.BodyFields.ANGULAR_VELOCITY
_WIDTH = 6
_PLACE, _MOTION = slice(0, 3), slice(3, 6)

_KINDS: dict[int, Any] = {
    BodyKind.DYNAMIC: pymunk.Body.DYNAMIC,
    BodyKind.KINEMATIC: pymunk.Body.KINEMATIC,
    BodyKind.STATIC: pymunk.Body.STATIC,
}
_PLACE_NAMES = ("Transform.x", "Transform.y", "Transform.angle")
_VELOCITY_NAMES = ("Velocity.vx", "Velocity.vy", "Velocity.angular")

MANY = 64
"""From this many velocities on, one batch of all bodies is cheaper than setting them one by one."""
FEW = 8
"""Below this many places, it is not."""
SHORT = 128
"""Up to this many bodies, taking them all is cheaper than finding out which were written."""


_NO_PAIRS: Pairs = np.empty(0, np.int64)
_NOTHING_HIDDEN = np.empty(0, np.uint64), np.empty((0, 3))
_NO_TOUCHES = Touches(_NO_PAIRS, np.empty((6, 0)))


@dataclass(slots=True, frozen=True)
class Gone:
    """A contact that ended because an entity left the space: ids, and the components each had last."""

    a: int
    b: int
    components_a: Components
    components_b: Components


@dataclass(slots=True, frozen=True)
class SimulationState:
    """All of the state that no component holds: plain values and entity ids, no slots and no solver objects."""

    touching: NDArray[np.uint64]
    """Ids of the entities that touch, shape (pairs, 2), sorted."""
    gone: tuple[Gone, ...]
    decided: dict[tuple[int, int], int]
    """By pair of ids: whether the contact is refused."""
    velocities: dict[int, tuple[float, float, float]]
    """Of bodies without a Velocity."""
    pushes: dict[int, tuple[float, ...]]
    absent: tuple[int, ...]
    """Entities that should have a body but are in quarantine or were rejected."""


class Simulation:
    """A solver's space kept in step with a world's columns."""

    def __init__(self, world: World, settings: PhysicsSettings) -> None:
        self.world = world
        self.settings = settings
        self.bodies = Bodies()
        self.gate = Gate(world, self.bodies)
        self.joints = Joints(world, self.bodies)
        self.calls = direct.CALLS
        """The solver's functions for the kernel; None where it is done without."""
        self.archetypes: list[Components] = []
        self.blocks: list[Block] = []
        """In the order of their tables."""
        self._buffers: tuple[kernel.Block, ...] = ()
        """Theirs, for the kernel."""
        self._moving: tuple[kernel.Block, ...] = ()
        """Those of them that have a Body."""
        self.touching: Pairs = _NO_PAIRS
        """The pairs that touch, sorted."""
        self.began: list[Touches] = []
        self.ended: list[Pairs] = []
        self.gone: list[Gone] = []
        self.pushes: dict[int, list[float]] = {}
        """By entity id, for the next step: force x, y, torque, and impulse x, y, angular."""
        self.is_fresh = True
        """Whether the world has never been taken in."""
        self.is_stepped = False
        """Whether `reader` holds the contacts of the last step."""
        self._layout = -1
        """Of the world, when `_tables` were found."""
        self._tables: list[Table] = []
        """Those that physics looks after, empty ones as well."""
        self._revisions: list[int] = []
        """Theirs, when the blocks were arranged."""
        self._order_read = batch.Buffer()
        self._bodies_read = batch.Buffer()
        self._places_written = batch.Buffer()  # apart: a buffer that was given memory cannot be read into
        self._velocities_written = batch.Buffer()
        self._written: NDArray[np.float64] = np.empty((0, 3))
        """What `_velocities_written` lies over; rows of bodies that have no velocity of their own are 0."""
        self._addresses: NDArray[np.uintp] = np.empty(0, np.uintp)
        """The solver's bodies in its order, at the last reading."""
        self._placed = -1
        """The version of `bodies` that what follows is good for."""
        self._place_of: NDArray[np.intp] = np.empty(0, np.intp)
        """By slot: the place in the solver's list of bodies, `ABSENT` without one."""
        self._order: NDArray[np.intp] = np.empty(0, np.intp)
        """The same by row of the blocks that have a Body, one block after the other."""
        self._is_whole = False
        """Whether all these rows have a body."""
        self._driven: tuple[NDArray[np.intp] | None, NDArray[np.intp]] = None, self._order
        """Which of these rows have a body that can have a velocity, None for all; and their places."""
        self._hidden: dict[int, tuple[float, float, float]] = {}
        self._kept_out: tuple[int, ...] = ()
        self._damped = False
        self._filters_known = 0
        self.space = self._fresh_space()

    def _fresh_space(self) -> pymunk.Space:
        space = pymunk.Space()
        self._applied: tuple[Any, ...] = ()
        self.gate.watch_all(space)
        self.joints.space = space
        self.space = space
        self._address = direct.address_of(space) if self.calls is not None else 0
        self.reader = ContactReader(space, self.calls)
        self.apply_settings()
        return space

    def apply_settings(self) -> None:
        """Give the solver the settings. Raises `PhysicsError` if they are wrong."""
        settings = self.settings = self.world.find_resource(PhysicsSettings) or self.settings
        space = self.space
        wanted = tuple(vars(settings).values())
        if wanted == self._applied:
            return
        settings.check()
        self._applied = wanted
        space.gravity = settings.gravity
        space.iterations = settings.iterations
        space.damping = settings.damping
        space.sleep_time_threshold = settings.sleep_after
        space.idle_speed_threshold = settings.sleep_speed
        space.collision_slop = settings.slop
        space.collision_bias = settings.bias

    # Taking in

    def sync(self) -> None:
        """Take in everything that has come, gone and been written since the last time."""
        self.sync_places()
        self._take_in_changes()
        self._take_in_velocities()
        self.joints.sync()

    def sync_places(self) -> None:
        """Take in what queries ask for: who is there, and where."""
        self.sync_entities()
        if self.calls is None or self.settings.sleep_after < inf:
            for block in self.blocks:
                self._take_in_places(block)
            return
        calls, space, bodies, first = self.calls, self._address, self.bodies, 0
        while first < len(self.blocks):
            first = kernel.move(calls, space, bodies.pointer, bodies.is_round, self._buffers, first, SHORT)
            for block in self.blocks[first : first + 1]:  # of which more is to be done
                self._take_in_places(block)
            first += 1

    def sync_entities(self) -> None:
        """Take in who is there."""
        self.is_fresh = False
        if self._layout != self.world.layout:
            self._layout = self.world.layout
            self._tables, self._revisions = watched_tables(self.world), [ABSENT]
        revisions = [table.revision for table in self._tables]
        if revisions != self._revisions:
            self._revisions = revisions
            self._arrange()
        if len(self.gate.filters) != self._filters_known:
            self._filters_known = len(self.gate.filters)
            for block in self.blocks:
                for row in range(len(block)):
                    self._classify(block, row)

    def move_all(self) -> None:
        """Move the bodies whose Transform the game wrote, as `sync_places` does, but in one go.

        It also sets those that were not written, which may change them by a rounding error where the centre of gravity
        is not the place: nothing for a simulation that is to go the same way everywhere.
        """
        if (
            self.calls is not None
            and self.settings.sleep_after == inf
            and kernel.move_all(self.calls, self._address, self.bodies.pointer, self._buffers, FEW)
        ):
            return
        moved = [(block, rows) for block in self.blocks if len(rows := block.moved_rows())]
        if sum(len(rows) for _, rows in moved) < FEW or self.settings.sleep_after < inf:
            for block, _ in moved:
                self._take_in_places(block)
            return
        moved = [
            (block, self._accept(block, rows, block.rows[Transform], block.places, _PLACE_NAMES))
            for block, rows in moved
        ]
        self._write_places()
        for block, rows in moved:
            for row in rows.tolist():
                body = self.bodies.live[int(block.slots[row])]
                if body is None:
                    self._build(block, row)
                else:
                    self.space.reindex_shapes_for_body(body)

    def _arrange(self) -> None:
        """Entities have come or gone: keep, make and remove bodies so that each row of the tables has one."""
        bodies = self.bodies
        old = {block.table: block for block in self.blocks}
        self.blocks = []
        left: set[int] = set()
        taken: list[tuple[Block, int, int]] = []
        for table in self._tables:
            block = old.get(table)
            if table.count and (block is None or block.capacity != table.capacity):
                block = Block(self.world, table)
                block.archetype = self._archetype(block.components)
            elif block is not None and table.count:
                del old[table]
            if block is None or not table.count:
                continue
            self.blocks.append(block)
            if block.revision != table.revision:
                gone, rows = block.follow(bodies)
                left.update(gone)
                ids = block.ids
                taken += [(block, row, int(ids[row])) for row in rows]
        for block in old.values():
            left.update(block.vacate(bodies))
        self._dismiss([bodies.slot_of[id] for id in sorted(left.difference(id for _, _, id in taken))])
        self._placed = -1  # the rows have another order, even if all bodies stay
        self._move_in(taken)
        bodies.kept.clear()
        self._buffers = tuple(block.buffers for block in self.blocks)
        self._moving = tuple(block.buffers for block in self.blocks if block.has_body)

    def _move_in(self, taken: list[tuple[Block, int, int]]) -> None:
        """Give rows to the entities, by id, that have come to them."""
        bodies = self.bodies
        new: list[tuple[Block, int, int]] = []
        moved: list[tuple[Block, int]] = []
        for block, row, id in taken:
            slot = bodies.slot_of.get(id)
            if slot is None:
                slot = bodies.take(Entity(self.world, id))
                bodies.archetype[slot] = block.archetype
                new.append((block, row, id))
            elif bodies.archetype[slot] != block.archetype:
                moved.append((block, row))
            block.move_in(row, slot, bodies.kept.get(slot))
        for block, row in moved:
            self._move(block, row)
        for block, row, id in sorted(new, key=itemgetter(2)):
            block.see(row)
            block.places[row] = block.rows[Transform][row]
            block.velocities[row] = (
                block.rows[Velocity][row] if block.has_velocity else self._hidden.pop(id, (0.0, 0.0, 0.0))
            )
            if id not in self._kept_out:
                self._build(block, row)

    def _archetype(self, components: Components) -> int:
        if components not in self.archetypes:
            self.archetypes.append(components)
        return self.archetypes.index(components)

    def _dismiss(self, slots: list[int]) -> None:
        """Entities are gone, or have lost the components: so are their bodies, and their contacts end."""
        bodies = self.bodies
        if slots and len(self.touching):
            ending = self._touched_by(slots)
            gone: list[Gone] = []
            for pair in self.touching[ending].tolist():
                components_a, components_b = (
                    self.archetypes[bodies.archetype[slot]] for slot in (pair >> 32, pair & 0xFFFF_FFFF)
                )
                gone.append(Gone(*self.pair_of_ids(pair), components_a, components_b))
            self.gone += sorted(gone, key=lambda gone: (gone.a, gone.b))
            self.touching = self.touching[~ending]
        for slot in slots:
            self._take_out(slot)
            self.gate.forget(slot)
            self.pushes.pop(bodies.ids[slot], None)
            bodies.release(slot)

    def _touched_by(self, slots: list[int]) -> NDArray[np.bool_]:
        """Which of the pairs that touch have one of these slots."""
        among = np.zeros(len(self.bodies.live), np.bool_)
        among[slots] = True
        return among[firsts(self.touching)] | among[seconds(self.touching)]

    def _move(self, block: Block, row: int) -> None:
        """An entity that has a slot came to another table: it has got or lost a component."""
        bodies, slot = self.bodies, block.slots[row]
        before = self.archetypes[bodies.archetype[slot]]
        bodies.archetype[slot] = block.archetype
        if any((kind in before) != (kind in block.components) for kind in (Body, Collider)):
            block.see(row)
            self._build(block, row)
        else:
            self._classify(block, row)

    def _take_in_places(self, block: Block) -> None:
        """Move the bodies whose Transform the game wrote."""
        if not block.is_moved:
            return
        column = block.rows[Transform]
        if len(block) > SHORT or self.settings.sleep_after < inf or not _are_finite(column):
            rows = self._accept(block, block.moved_rows(), column, block.places, _PLACE_NAMES)
            for row in rows.tolist():
                self._teleport(block, row)
            return
        before: list[list[float]] = block.places.tolist()
        block.keep_places()
        for row, ((x, y, angle), then) in enumerate(zip(column.tolist(), before, strict=True)):
            if x != then[0] or y != then[1]:
                self._teleport(block, row)
            elif angle != then[2]:
                self._turn(block, row, angle)

    def _take_in_velocities(self) -> None:
        """Give bodies the velocities the game wrote."""
        if self.calls is not None and self.settings.sleep_after == inf:
            calls, bodies, first = self.calls, self.bodies, 0
            while first < len(self.blocks):
                first = kernel.drive(calls, bodies.pointer, bodies.is_static, self._buffers, first)
                for block in self.blocks[first : first + 1]:
                    rows = self._driven_rows(block)
                    self._drive([(block, rows, block.velocities[rows])])
                first += 1
            return
        written = [block for block in self.blocks if block.is_driven]
        if written and not self._take_in_all_velocities(written):
            driven = [(block, rows) for block in written if len(rows := self._driven_rows(block))]
            self._drive([(block, rows, block.velocities[rows]) for block, rows in driven])

    def _take_in_all_velocities(self, written: list[Block]) -> bool:
        """Take what was not written for written, too: it makes no difference, and of few it is quicker.

        Returns whether it could be done so.
        """
        self._find_order()
        if not self._is_whole or len(self._order) > SHORT or self.settings.sleep_after < inf:
            return False
        velocities = [b.rows[Velocity] if b.has_velocity else b.velocities for b in self.blocks if b.has_body]
        values = np.concatenate(velocities) if velocities else np.empty((0, 3))
        if not _are_finite(values) or not all(block.has_body or _are_finite(block.rows[Velocity]) for block in written):
            return False
        for block in written:
            block.keep_velocities()
        self._write_velocities(values)
        return True

    def _driven_rows(self, block: Block) -> NDArray[np.intp]:
        """Note the velocities the game wrote. Returns their rows."""
        rows = block.driven_rows()
        if len(rows):
            rows = self._accept(block, rows, block.rows[Velocity], block.velocities, _VELOCITY_NAMES)
            for row in rows[self.bodies.address[block.slots[rows]] == 0].tolist():
                self._build(block, row)
        return rows

    def _take_in_changes(self) -> None:
        """Adjust the bodies whose Body or Collider the game changed, or make them anew."""
        for block in self.blocks:
            changed = block.changed_rows() if block.is_changed else {}
            for row in sorted(changed):
                if changed[row] or self.bodies.live[int(block.slots[row])] is None:
                    self._build(block, row)
                else:
                    self._adjust(block, row)

    def _accept(
        self,
        block: Block,
        rows: NDArray[np.intp],
        column: NDArray[np.float64],
        kept: NDArray[np.float64],
        names: tuple[str, ...],
    ) -> NDArray[np.intp]:
        """Keep what was written where it is finite, and undo it where it is not. Returns the rows kept."""
        values = column[rows]
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            for row in rows[~finite].tolist():
                wrong = int(np.flatnonzero(~np.isfinite(column[row]))[0])
                entity = Entity(self.world, int(block.ids[row]))
                self._reject(entity, f"{entity} was given {names[wrong]} = {column[row, wrong]}; write finite numbers")
                column[row] = kept[row]
            rows, values = rows[finite], values[finite]
        kept[rows] = values
        return rows

    def _turn(self, block: Block, row: int, angle: float) -> None:
        """Turn a body where it is. Nothing of a round one moves by it."""
        slot = int(block.slots[row])
        body = self.bodies.live[slot]
        if body is not None and self.bodies.is_round[slot]:
            body.angle = angle
        else:
            self._teleport(block, row)

    def _teleport(self, block: Block, row: int) -> None:
        body = self.bodies.live[int(block.slots[row])]
        if body is None or (body.body_type == pymunk.Body.STATIC and self.settings.sleep_after < inf):
            self._build(block, row)  # something static that is made anew wakes what rests on it
            return
        x, y, angle = block.places[row].tolist()
        body.angle = angle
        body.position = x, y
        self.space.reindex_shapes_for_body(body)

    def _drive(self, driven: list[tuple[Block, NDArray[np.intp], NDArray[np.float64]]]) -> None:
        """Give rows' bodies velocities."""
        if sum(len(rows) for _, rows, _ in driven) < MANY or self.settings.sleep_after < inf:
            for block, rows, values in driven:
                chosen: list[int] = block.slots[rows].tolist()
                for slot, (vx, vy, angular) in zip(chosen, values.tolist(), strict=True):
                    body = self.bodies.live[slot]
                    if body is not None and body.body_type != pymunk.Body.STATIC:
                        body.velocity = vx, vy
                        body.angular_velocity = angular
            return
        self._find_order()
        velocities = {block: block.velocities for block in self.blocks if block.has_body}
        for block, rows, values in driven:
            if block in velocities:
                velocities[block] = velocities[block].copy()
                velocities[block][rows] = values
        self._write_velocities(np.concatenate(list(velocities.values())))

    def _write_velocities(self, velocities: NDArray[np.float64]) -> None:
        """Give all bodies velocities, one a row of the blocks that have a Body."""
        chosen, places = self._driven
        self._written[places] = velocities if chosen is None else velocities[chosen]
        batch.set_space_bodies(self.space, _VELOCITY_FIELDS, self._velocities_written)

    def _write_places(self) -> None:
        """Put all bodies to where their blocks have noted: angles first, as bodies turn about their centres."""
        self._find_order()
        order = self._place_of[np.concatenate([block.slots for block in self.blocks])]
        places = np.concatenate([block.places for block in self.blocks])
        present = order != ABSENT
        for field, columns in ((batch.BodyFields.ANGLE, slice(2, 3)), (batch.BodyFields.POSITION, slice(0, 2))):
            written = np.zeros((len(self._addresses), columns.stop - columns.start))
            written[order[present]] = places[present, columns]
            self._places_written.set_float_buf(written)
            batch.set_space_bodies(self.space, field, self._places_written)

    def _reject(self, entity: Entity, reason: str) -> None:
        self.world.post(Rejected(entity, reason))

    # Bodies

    def _build(self, block: Block, row: int) -> None:
        """Make the body of a row anew, from its components and what is synced."""
        slot = int(block.slots[row])
        self._take_out(slot)
        try:
            body, shapes = self._make(block, row)
        except PhysicsError as error:
            entity = Entity(self.world, int(block.ids[row]))
            self._reject(entity, f"{entity} cannot be simulated: {error}")
            return
        self.space.add(body, *shapes)
        self.bodies.put(slot, body, shapes)

    def _make(self, block: Block, row: int) -> tuple[SlotBody, list[pymunk.Shape]]:
        x, y, angle = block.places[row].tolist()
        vx, vy, angular = block.velocities[row].tolist()
        for name, value in zip(_PLACE_NAMES + _VELOCITY_NAMES, (x, y, angle, vx, vy, angular), strict=True):
            if not isfinite(value):
                raise PhysicsError(f"{name} is {value}; write finite numbers")
        shape, material, layer, mask, sensor = block.collider(row) or (None, Material(), 0, 0, False)
        if not isinstance(material, Material):
            raise PhysicsError(f"{material!r} is no Material")
        found = block.body(row)
        if found is None:
            kind, mass, moment, fixed, damping = BodyKind.STATIC, 0.0, 0.0, False, (1.0, 1.0)
        else:
            kind, mass, moment, fixed, *damping = found
        _check_body(kind, mass, moment, damping)
        if kind == BodyKind.DYNAMIC:
            weight = inertia(shape, material, mass, moment, fixed)
            body = SlotBody(weight.mass, weight.moment)
            if weight.x or weight.y:
                body.center_of_gravity = weight.x, weight.y
        else:
            body = SlotBody(body_type=_KINDS[kind])
        slot = int(block.slots[row])
        body.slot = slot
        body.angle = angle
        body.position = x, y
        if kind != BodyKind.STATIC:
            body.velocity = vx, vy
            body.angular_velocity = angular
        shapes = list(solver_shapes(shape, body)) if shape is not None else []
        number = self.gate.class_of(block.components, sensor, kind != BodyKind.DYNAMIC, self.space)
        layers = _layers(layer, mask)
        for piece in shapes:
            piece.elasticity = material.elasticity
            piece.friction = material.friction
            if material.surface_vx or material.surface_vy:
                piece.surface_velocity = material.surface_vx, material.surface_vy
            piece.filter = layers
            piece.sensor = sensor
            piece.collision_type = number
        self._set_damping(slot, damping)
        self.bodies.reach[slot] = reach(shape) if shape is not None else 0.0
        self.bodies.is_round[slot] = shape is None or (isinstance(shape, Circle) and not (shape.x or shape.y))
        return body, shapes

    def _take_out(self, slot: int) -> None:
        """Remove a slot's body from the solver, with the joints that hold it."""
        body = self.bodies.live[slot]
        if body is not None:
            self.joints.detach(body)
            shapes = self.bodies.shapes[slot]
            self.space.remove(*shapes, body)
            self.bodies.put(slot, None, [])
            _let_go(body, shapes)

    def _adjust(self, block: Block, row: int) -> None:
        """Take over changes that need no new body."""
        slot = int(block.slots[row])
        if (found := block.body(row)) is not None:
            try:
                _check_body(found[0], found[1], found[2], found[4:])
            except PhysicsError as error:
                entity = Entity(self.world, int(block.ids[row]))
                self._reject(entity, f"{entity} cannot be simulated: {error}")
                self._take_out(slot)
                return
            self._set_damping(slot, found[4:])
        if (collider := block.collider(row)) is not None:
            for piece in self.bodies.shapes[slot]:
                piece.filter = _layers(collider[2], collider[3])

    def _set_damping(self, slot: int, damping: Any) -> None:
        self.bodies.damping[slot] = damping
        self._damped = self._damped or tuple(damping) != (1.0, 1.0)

    def _classify(self, block: Block, row: int) -> None:
        """Bring the collision class of a row up to date."""
        slot = int(block.slots[row])
        body = self.bodies.live[slot]
        collider = block.collider(row)
        if body is not None and collider is not None:
            immovable = body.body_type != pymunk.Body.DYNAMIC
            number = self.gate.class_of(block.components, collider[4], immovable, self.space)
            for piece in self.bodies.shapes[slot]:
                if piece.collision_type != number:
                    piece.collision_type = number

    # The step

    def step(self, dt: float) -> None:
        """Take in, step by `dt` seconds, write back. Contacts are left in `began`, `ended` and `gone`."""
        self.sync()
        self.apply_settings()
        self.gate.has_asked = False
        if self._damped:
            self._damp(dt)
        substeps = self.settings.substeps
        self.began, self.ended = [], []
        for number in range(substeps):
            if self.pushes:
                self._push(with_impulse=number == 0)
            self.space.step(dt / substeps)
            self._read_contacts()
        self.pushes.clear()
        self._write_back()
        self.post_errors()
        if self.gate.interrupt is not None:
            interrupt, self.gate.interrupt = self.gate.interrupt, None
            raise interrupt

    def post_errors(self) -> None:
        """Tell of the filters that failed."""
        for error in self.gate.errors:
            self.world.post(FilterFailed(error))
        self.gate.errors.clear()

    def _damp(self, dt: float) -> None:
        """Slow bodies down. What was last seen of them stays, as it tells what the game writes."""
        driven: list[tuple[Block, NDArray[np.intp], NDArray[np.float64]]] = []
        slowest = self._sleep_speed(dt)
        for block in self.blocks:
            damping = self.bodies.damping[block.slots]
            damped = (damping != 1.0).any(axis=1)
            if slowest > 0:
                damped &= np.hypot(block.velocities[:, 0], block.velocities[:, 1]) > slowest
            rows = np.flatnonzero(damped)
            if len(rows):
                left = damping[rows] ** dt
                driven.append((block, rows, block.velocities[rows] * left[:, [0, 0, 1]]))
        if driven:
            self._drive(driven)

    def _sleep_speed(self, dt: float) -> float:
        """The speed below which a body is about to sleep, from which a new velocity would keep it; 0 if none sleeps."""
        settings = self.settings
        if settings.sleep_after == inf:
            return 0.0
        return settings.sleep_speed or hypot(*settings.gravity) * dt

    def _push(self, *, with_impulse: bool) -> None:
        for id in sorted(self.pushes):
            slot = self.bodies.slot_of.get(id)
            body = None if slot is None else self.bodies.live[slot]
            if body is None or body.body_type != pymunk.Body.DYNAMIC:
                continue
            fx, fy, torque, jx, jy, turn = self.pushes[id]
            body.force = fx, fy
            body.torque = torque
            if with_impulse and (jx or jy or turn):
                vx, vy = body.velocity
                body.velocity = vx + jx / body.mass, vy + jy / body.mass
                body.angular_velocity += turn / body.moment

    def _read_contacts(self) -> None:
        before, now = self.touching, self.reader.read(self.space, self.bodies, self.gate.ghosts, self.touching)
        self.is_stepped = True
        self.gate.carried.clear()
        new, parted = (without(now, before), without(before, now)) if now is not before else (_NO_PAIRS, _NO_PAIRS)
        if not len(new) and not len(parted):
            self.began.append(_NO_TOUCHES)
            self.ended.append(_NO_PAIRS)
            return
        reader = self.reader
        self.began.append(
            reader.touches_of(self.space, self.bodies, self.gate.ghosts, new) if len(new) else _NO_TOUCHES
        )
        if len(parted) and self.settings.sleep_after < inf:
            asleep = self._both_rest(parted)
            now = np.sort(np.concatenate((now, parted[asleep])))
            parted = parted[~asleep]
        self.ended.append(parted)
        self.touching = now

    def _both_rest(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Of which pairs both bodies sleep or are static: the solver puts their contacts away until they wake."""
        slots_a, slots_b = firsts(pairs), seconds(pairs)
        resting = np.zeros(len(self.bodies.live), np.bool_)
        slots: set[int] = {*slots_a.tolist(), *slots_b.tolist()}
        for slot in sorted(slots):
            body = self.bodies.live[slot]
            resting[slot] = body is not None and (body.is_sleeping or body.body_type == pymunk.Body.STATIC)
        return resting[slots_a] & resting[slots_b]

    # Writing back

    def _find_order(self) -> None:
        """Bring `_place_of` and `_order` up to date with the solver's list of bodies.

        The list changes when bodies are put in or taken out, fall asleep or wake.
        """
        if self._placed == self.bodies.version and self.settings.sleep_after == inf:
            return
        buffer = self._order_read
        buffer.clear()
        batch.get_space_bodies(self.space, batch.BodyFields.BODY_ID, buffer)
        addresses = ints_of(buffer)
        if self._placed != self.bodies.version or not np.array_equal(addresses, self._addresses):
            self._note_order(addresses.copy())

    def _note_order(self, addresses: NDArray[np.uintp]) -> None:
        self._addresses = addresses
        self._placed = self.bodies.version
        slots = self.bodies.slots_at(addresses)
        self._place_of = np.full(len(self.bodies.live) + 1, ABSENT, np.intp)
        self._place_of[slots] = np.arange(len(slots))
        self._place_of[ABSENT] = ABSENT
        moving = [block.slots for block in self.blocks if block.has_body]
        slots = np.concatenate(moving) if moving else np.empty(0, np.intp)
        self._order = self._place_of[slots]
        present = self._order != ABSENT
        self._is_whole = bool(present.all())
        driven = present & ~self.bodies.is_static[slots]
        self._driven = (None, self._order) if driven.all() else (driven.nonzero()[0], self._order[driven])
        self._written = np.zeros((len(addresses), 3))
        self._velocities_written.set_float_buf(self._written)

    def _write_back(self) -> None:
        # A filter may have written while the solver ran; what it wrote stays, and is taken in before the next step.
        is_written = self.gate.has_asked and any(block.is_moved or block.is_driven for block in self.blocks)
        if (
            self.calls is not None
            and not is_written
            and kernel.write_back(self.calls, self.bodies.pointer, self._moving)
        ):
            return
        self._find_order()
        buffer = self._bodies_read
        buffer.clear()
        batch.get_space_bodies(self.space, _PLACE_FIELDS | _VELOCITY_FIELDS, buffer)
        read = floats_of(buffer).reshape(-1, _WIDTH)
        if self._is_whole and not is_written:
            values = read.take(self._order, axis=0)
            if _are_finite(values):
                start = 0
                for block in self.blocks:
                    if block.has_body:
                        block.write(values[start : start + len(block)])
                        start += len(block)
                return
        self._write_back_with_care(read)

    def _write_back_with_care(self, read: NDArray[np.float64]) -> None:
        """The same where rows may lack a body, values may not be finite, or the game may have written to columns."""
        if not _are_finite(read):
            self._quarantine(np.logical_and.reduce(np.isfinite(read), axis=1))
            self._note_order(self._addresses)
            self._placed = -1  # what was read has the bodies just taken out; the next reading has not
        for block in self.blocks:
            if not block.has_body:
                continue
            places = self._place_of[block.slots]
            present = places != ABSENT
            values = read[places[present]]
            for component, kept, columns in ((Transform, block.places, _PLACE), (Velocity, block.velocities, _MOTION)):
                before = kept.copy()
                kept[present] = values[:, columns]
                if component is Transform or block.has_velocity:
                    _overwrite(block.rows[component], kept, before)

    def _quarantine(self, sane: NDArray[np.bool_]) -> None:
        """Take out the bodies that are not `sane`, given in the solver's order."""
        slots = self.bodies.slots_at(self._addresses[~sane])
        slots = slots[slots != ABSENT]
        if not len(slots):
            return
        in_order: list[int] = slots[np.argsort(self.bodies.entity[slots])].tolist()
        for slot in in_order:
            self._take_out(slot)
            entity = self.bodies.handles[slot]
            assert entity is not None
            self.world.post(Quarantined(entity))
        ending = self._touched_by(in_order)
        self.ended.append(self.touching[ending])
        self.touching = self.touching[~ending]

    # State

    def capture(self) -> SimulationState:
        """The state no component holds; the live space is made anew from it, as it is when restoring."""
        self.sync()
        state = self.state()
        self.restore(state)
        return state

    def state(self) -> SimulationState:
        """What `capture` gives, without touching the live space."""
        ids, velocities = self._hidden_velocities()
        hidden: list[Any] = [tuple(row) for row in velocities.tolist()]
        return SimulationState(
            touching=self._touching_ids(),
            gone=tuple(self.gone),
            decided=self._decided(),
            velocities=dict(zip(ids.tolist(), hidden, strict=True)),
            pushes={id: tuple(push) for id, push in sorted(self.pushes.items())},
            absent=self._absent(),
        )

    def digest(self) -> int:
        """The hash of `state`."""
        gone = [(gone.a, gone.b) for gone in self.gone]
        pushes = sorted(self.pushes.items())
        return digest((self._touching_ids(), *self._hidden_velocities(), gone, self._decided(), pushes, self._absent()))

    def _touching_ids(self) -> NDArray[np.uint64]:
        entity = self.bodies.entity
        ids = np.stack((entity[firsts(self.touching)], entity[seconds(self.touching)]), axis=1)
        return ids[np.lexsort((ids[:, 1], ids[:, 0]))]

    def _hidden_velocities(self) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
        """Ids and velocities of moving entities without a Velocity, in order of id."""
        blocks = [block for block in self.blocks if block.has_body and not block.has_velocity]
        if not blocks:
            return _NOTHING_HIDDEN
        ids = np.concatenate([block.ids for block in blocks])
        order = ids.argsort()
        return ids[order], np.concatenate([block.velocities for block in blocks])[order]

    def _decided(self) -> dict[tuple[int, int], int]:
        decided = {pair: decision[0] for pair, decision in self.gate.decided.items()} | self.gate.carried
        by_id = {self.pair_of_ids(pair): each for pair, each in decided.items()}
        return dict(sorted(by_id.items()))

    def pair_of_ids(self, pair: int) -> tuple[int, int]:
        """A pair of slots as one of ids."""
        ids = self.bodies.ids
        return ids[pair >> 32], ids[pair & 0xFFFF_FFFF]

    def _absent(self) -> tuple[int, ...]:
        missing = [block.ids[self.bodies.address[block.slots] == 0] for block in self.blocks]
        return tuple(sorted(np.concatenate(missing).tolist())) if missing else ()

    def touching_ids_of(self, id: int) -> list[int]:
        """The ids of the entities that touch this one, sorted."""
        pairs = self._touching_ids()
        return sorted([*pairs[pairs[:, 0] == id, 1].tolist(), *pairs[pairs[:, 1] == id, 0].tolist()])

    def touches(self, a: int, b: int) -> bool:
        """Whether two entities touch, by ids."""
        slots = self.bodies.slot_of
        if a not in slots or b not in slots:
            return False
        return bool(contained(np.array([slots[min(a, b)] << 32 | slots[max(a, b)]]), self.touching)[0])

    def restore(self, state: SimulationState) -> None:
        """Make the space anew from the world's columns and `state`."""
        self.bodies = Bodies()
        filters = self.gate.filters
        self.gate = Gate(self.world, self.bodies)
        self.gate.filters = filters
        self.joints = self.joints.renewed(self.bodies)
        self.archetypes = []
        self.blocks = []
        self._layout = -1
        self.touching = _NO_PAIRS
        self.began, self.ended = [], []
        self.gone = list(state.gone)
        self.pushes = {id: list(push) for id, push in state.pushes.items()}
        self.is_stepped = False
        self._damped = False
        self._placed = -1
        self._hidden, self._kept_out = dict(state.velocities), state.absent
        self._fresh_space()
        self.sync()
        self._hidden, self._kept_out = {}, ()
        slots = self.bodies.slots_of(state.touching.ravel()).reshape(-1, 2)
        self.touching = paired(slots[:, 0], slots[:, 1])
        for (a, b), refused in state.decided.items():
            slot_of = self.bodies.slot_of
            if a in slot_of and b in slot_of:
                self.gate.carried[slot_of[a] << 32 | slot_of[b]] = refused


@lru_cache(maxsize=256)
def _layers(layer: int, mask: int) -> pymunk.ShapeFilter:
    return pymunk.ShapeFilter(categories=layer, mask=mask)


def _are_finite(floats: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(floats).all())


def _overwrite(column: NDArray[np.float64], now: NDArray[np.float64], before: NDArray[np.float64]) -> None:
    """Write the solver's values into a column, except where it is no longer what it was `before`."""
    np.copyto(column, now, where=column.view(np.int64) == before.view(np.int64))


def _let_go(body: pymunk.Body, shapes: Sequence[pymunk.Shape]) -> None:
    """Drop the handles by which a body and its shapes, out of the space by now, refer to themselves.

    The solver asks for a handle only while its thing is in the space. Else garbage collections would have to find what
    was removed, and freeing much of that at once takes longer than a tick.
    """
    body._data_handle = None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    for shape in shapes:
        shape._h = None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def _check_body(kind: int, mass: float, moment: float, damping: Any) -> None:
    if kind not in _KINDS:
        raise PhysicsError(f"Body.kind is {kind}; it must be one of BodyKind")
    for name, value in (("mass", mass), ("moment", moment)):
        if not 0 <= value < inf:
            raise PhysicsError(f"Body.{name} is {value}; it must be finite and not negative")
    for name, value in (("damping", damping[0]), ("angular_damping", damping[1])):
        if not 0 <= value < inf:
            raise PhysicsError(f"Body.{name} is {value}; it is the part of the velocity left after a second, 0 to 1")

"""Going back a few ticks without making the space anew, as a client does that had predicted wrongly.

Whoever goes back writes Transforms, Velocities and the other components themselves. What is left is known to no
component: who touches whom, what filters have decided, velocities of bodies without a `Velocity`, pushes. The solver
keeps the impulses, and the push out of overlaps, that it has at present: bodies in contact come out a little elsewhere.
"""

# Part of the simulation in a file of its own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.physics.bodies import ABSENT
from engine.physics.contacts import Pairs, firsts, paired, seconds

if TYPE_CHECKING:
    from engine.physics.simulation import Gone, Simulation


@dataclass(slots=True, frozen=True)
class Mark:
    """What no component holds, at the end of a tick."""

    entity: NDArray[np.uint64]
    """Ids by slot."""
    touching: Pairs
    """By these slots."""
    gone: tuple[Gone, ...]
    decided: dict[tuple[int, int], int]
    """By pair of ids: whether the contact is refused."""
    ghosts: frozenset[tuple[int, int]]
    """Pairs of ids that touch without being solved."""
    hidden: tuple[NDArray[np.uint64], NDArray[np.float64]]
    """Ids and velocities of bodies without a Velocity."""
    pushes: dict[int, list[float]]


def mark(simulation: Simulation) -> Mark:
    """Note the state that no component holds. Cheap: arrays are shared, as each step makes new ones."""
    gate = simulation.gate
    return Mark(
        simulation.bodies.census,
        simulation.touching,
        tuple(simulation.gone),
        simulation._decided() if gate.decided or gate.carried else {},
        frozenset(map(simulation.pair_of_ids, gate.ghosts)) if gate.ghosts else frozenset(),
        simulation._hidden_velocities(),
        {id: list(push) for id, push in simulation.pushes.items()} if simulation.pushes else {},
    )


def revert(simulation: Simulation, mark: Mark) -> None:
    """Go back to a mark; the world's columns are back already. Entities that are gone since are left out."""
    simulation.sync_entities()
    simulation.move_all()
    bodies = simulation.bodies
    _renew_contacts(simulation, mark)
    simulation.touching = _touching(simulation, mark)
    simulation.gone[:] = mark.gone
    simulation.began, simulation.ended = [], []
    slot_of = bodies.slot_of
    simulation.gate.carried = {
        slot_of[a] << 32 | slot_of[b]: refused
        for (a, b), refused in mark.decided.items()
        if a in slot_of and b in slot_of
    }
    simulation.pushes = {id: list(push) for id, push in mark.pushes.items()}
    ids, velocities = mark.hidden
    if len(ids):
        _give_velocities(simulation, ids, velocities)


def _touching(simulation: Simulation, mark: Mark) -> Pairs:
    """The pairs of a mark by the slots of now, sorted."""
    bodies = simulation.bodies
    if bodies.census is mark.entity or not len(mark.touching):
        return mark.touching
    slots = bodies.slots_of(mark.entity)
    first, second = slots[firsts(mark.touching)], slots[seconds(mark.touching)]
    here = (first != ABSENT) & (second != ABSENT)
    return paired(first[here], second[here])


def _renew_contacts(simulation: Simulation, mark: Mark) -> None:
    """Make the solver forget contacts of which it would not call back, or only with what was decided since.

    It calls when shapes begin to touch. A pair that touches now and did not then must begin again, and so must one
    that was decided otherwise.
    """
    gate = simulation.gate
    changed: list[int] = []
    for pair in sorted({*gate.decided, *gate.ghosts}):
        ids, decision = simulation.pair_of_ids(pair), gate.decided.get(pair)
        decided_alike = mark.decided.get(ids) == (None if decision is None else decision[0])
        if not decided_alike or (pair in gate.ghosts) != (ids in mark.ghosts):
            changed.append(pair)
    for slot in sorted({_lighter(simulation, pair) for pair in changed}):
        shapes = simulation.bodies.shapes[slot]
        simulation.space.remove(*shapes)
        simulation.space.add(*shapes)


def _lighter(simulation: Simulation, pair: int) -> int:
    """The slot of a pair whose body has fewer shapes."""
    a, b = pair >> 32, pair & 0xFFFF_FFFF
    return a if len(simulation.bodies.shapes[a]) <= len(simulation.bodies.shapes[b]) else b


def _give_velocities(simulation: Simulation, ids: NDArray[np.uint64], velocities: NDArray[np.float64]) -> None:
    known = dict(zip(ids.tolist(), velocities, strict=True))
    for block in simulation.blocks:
        if block.has_body and not block.has_velocity:
            for row, id in enumerate(block.ids.tolist()):
                velocity = known.get(id)
                body = simulation.bodies.live[int(block.slots[row])]
                if velocity is not None:
                    block.velocities[row] = velocity
                    if body is not None and body.body_type != body.STATIC:
                        vx, vy, angular = velocity.tolist()
                        body.velocity = vx, vy
                        body.angular_velocity = angular

"""A world against a plain model, a dict of dicts, under random operations."""

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from engine.ecs import (
    F32,
    I32,
    ChildOf,
    Component,
    Entity,
    Flag,
    Obj,
    Snapshot,
    World,
    capture,
    component_hashes,
    f32,
    flag,
    i32,
    obj,
    restore,
    state_hash,
)


class Num(Component):
    a: I32 = i32()
    b: Flag = flag()


class Text(Component):
    text: Obj[str] = obj(default="")
    weight: F32 = f32()


class Tag(Component):
    pass


class Mark(Component, local=True):
    number: I32 = i32()
    text: Obj[str] = obj(default="")


Kind = type[Num] | type[Text] | type[Tag] | type[Mark]
KINDS: list[Kind] = [Num, Text, Tag, Mark]


def build(kind: Kind, number: int) -> Component:
    if kind is Num:
        return Num(number, number % 2 == 0)
    if kind is Text:
        return Text(str(number), float(number))
    return Mark(number, str(number)) if kind is Mark else Tag()


components = st.dictionaries(st.sampled_from(KINDS), st.integers(0, 999))
Model = dict[int, dict[Kind, Component]]


class Worlds(RuleBasedStateMachine):
    """`model` says what there is now; in a stage, `world` must still show `model` and only at its end the changes."""

    entities: Bundle[Entity] = Bundle("entities")
    snapshots: Bundle[tuple[Snapshot, int, Model, dict[int, int]]] = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model: Model = {}
        self.parents: dict[int, int] = {}
        self.later: list[Any] = []
        self.stage: Any = None

    def do(self, change: Any) -> None:
        if self.stage is None:
            change()
        else:
            self.later.append(change)

    def alive(self, entity: Entity) -> bool:
        return entity.id in self.model and entity.alive

    # Coming and going

    @rule(target=entities, given=components, local=st.booleans())
    def spawn(self, given: dict[Kind, int], local: bool) -> Entity:
        made = [build(kind, number) for kind, number in given.items()]
        entity = self.world.spawn(*made, local=local)
        kept: Any = {type(component): component.copy() for component in made}
        self.do(lambda: self.model.update({entity.id: kept}))
        if made and not isinstance(made[0], Tag):
            (made[0].__setattr__("a", 7) if isinstance(made[0], Num) else made[0].__setattr__("text", "changed"))
        return entity

    @precondition(lambda self: self.stage is None)
    @rule(target=entities, given=components, count=st.integers(0, 40), base=st.integers(0, 99))
    def spawn_many(self, given: dict[Kind, int], count: int, base: int) -> Any:
        made = [build(kind, number) for kind, number in given.items()]
        values = {Num.a: np.arange(count) + base} if Num in given else {}
        ids = self.world.spawn_many(count, *made, values=values).tolist()
        for place, id in enumerate(ids):
            mine: Any = {type(component): component.copy() for component in made}
            if Num in mine:
                mine[Num].a = base + place
            self.model[id] = mine
        return multiple(*(self.world.entity(id) for id in ids[:3]))

    def gone(self, id: int) -> None:
        for child in [child for child, parent in self.parents.items() if parent == id]:
            self.gone(child)
        self.model.pop(id, None)
        self.parents.pop(id, None)

    @rule(entity=consumes(entities))
    def despawn(self, entity: Entity) -> None:
        if self.alive(entity):
            entity.despawn()
            self.do(lambda: self.gone(entity.id))

    @rule(chosen=st.lists(entities, max_size=5), every=st.integers(1, 4))
    def despawn_many(self, chosen: list[Entity], every: int) -> None:
        ids = [entity.id for entity in chosen] + sorted(self.model)[::every][:10]
        self.world.despawn_many(np.array(ids, np.uint64))
        self.do(lambda: [self.gone(id) for id in ids])

    # Changing

    @rule(entity=entities, kind=st.sampled_from(KINDS), number=st.integers(0, 999))
    def add(self, entity: Entity, kind: Kind, number: int) -> None:
        if self.alive(entity):
            component = build(kind, number)
            entity.add(component)
            self.do(lambda: entity.id in self.model and self.model[entity.id].update({kind: component}))

    @rule(entity=entities, kind=st.sampled_from(KINDS))
    def remove(self, entity: Entity, kind: Kind) -> None:
        if self.alive(entity) and kind in entity:
            entity.remove(kind)
            self.do(lambda: entity.id in self.model and self.model[entity.id].pop(kind, None))

    @rule(entity=entities, number=st.integers(0, 999))
    def write(self, entity: Entity, number: int) -> None:
        if self.alive(entity) and Num in self.model[entity.id]:
            entity[Num].a = number
            mine: Any = self.model[entity.id][Num]
            mine.a = number
        if self.alive(entity) and Text in self.model[entity.id]:
            entity[Text].text = str(number)
            text: Any = self.model[entity.id][Text]
            text.text = str(number)

    @rule(number=st.integers(1, 9), marked=st.booleans())
    def write_columns(self, number: int, marked: bool) -> None:
        kinds: list[Kind] = [Num, Mark] if marked else [Num]
        for rows in self.world.tables(*kinds):
            rows[Num.a] += number
        for mine in self.model.values():
            if all(kind in mine for kind in kinds):
                num: Any = mine[Num]
                num.a += number

    @precondition(lambda self: self.stage is None)
    @rule(child=entities, parent=entities)
    def attach(self, child: Entity, parent: Entity) -> None:
        if not (self.alive(child) and self.alive(parent)) or (parent.local and not child.local):
            return
        above: int | None = parent.id
        while above is not None:
            if above == child.id:
                return
            above = self.parents.get(above)
        self.world.attach(child, parent)
        self.parents[child.id] = parent.id

    # Stages

    @precondition(lambda self: self.stage is None)
    @rule()
    def begin_stage(self) -> None:
        self.stage = self.world.deferred()
        self.stage.__enter__()

    @precondition(lambda self: self.stage is not None)
    @rule()
    def end_stage(self) -> None:
        self.stage.__exit__(None, None, None)
        self.stage = None
        for change in self.later:
            change()
        self.later.clear()

    # Snapshots

    @precondition(lambda self: self.stage is None)
    @rule(target=snapshots)
    def capture(self) -> tuple[Snapshot, int, Model, dict[int, int]]:
        model = {id: mine for id, mine in self.model.items() if not id >> 31 & 1}
        return capture(self.world), state_hash(self.world), copy.deepcopy(model), self.parents.copy()

    @precondition(lambda self: self.stage is None)
    @rule(saved=snapshots)
    def restore(self, saved: tuple[Snapshot, int, Model, dict[int, int]]) -> None:
        snapshot, before, model, parents = saved
        restore(self.world, snapshot)
        assert state_hash(self.world) == before
        now = self.model
        self.model = copy.deepcopy(model)
        for id, mine in self.model.items():
            mine.pop(Mark, None)
            if id in now and Mark in now[id]:
                mine[Mark] = now[id][Mark]
        links = {child: parent for child, parent in self.parents.items() if child >> 31 & 1}
        self.parents = {child: parent for child, parent in parents.items() if not child >> 31 & 1}
        self.parents.update(links)
        for id, mine in now.items():
            if id >> 31 & 1:
                self.model[id] = mine
        for child, parent in links.items():
            if parent not in self.model:
                self.gone(child)

    @precondition(lambda self: self.stage is None)
    @rule()
    def another_world_gets_there_too(self) -> None:
        other = World(seed=1)
        restore(other, capture(self.world))
        assert component_hashes(other) == component_hashes(self.world)
        assert [e.id for e in other] == [e.id for e in self.world if not e.local]
        assert other.spawn(Num()).id == World.spawn(self.world, Num()).id
        self.world.despawn(next(e for e, _ in self.world.rows(Entity, Num) if e.id not in self.model))

    # What must always hold

    @invariant()
    def world_shows_the_model(self) -> None:
        world = self.world
        assert len(world) == len(self.model)
        assert {entity.id for entity in world} == set(self.model)
        for id, mine in self.model.items():
            entity = world.entity(id)
            shown = {type(row): row for row in world.components(entity) if type(row) is not ChildOf}
            assert shown == mine
            for kind in KINDS:
                assert entity.get(kind) == mine.get(kind)
            parent = self.parents.get(id)
            assert (entity.parent.id if entity.parent else None) == parent

    @invariant()
    def rows_and_columns_agree(self) -> None:
        world = self.world
        by_row = {entity.id: num.a for entity, num in world.rows(Entity, Num)}
        by_column: dict[int, int] = {}
        for rows in world.tables(Num):
            by_column.update(zip(rows.ids.tolist(), rows[Num.a].tolist(), strict=True))
        assert by_row == by_column == {id: num.a for id, mine in self.model.items() if (num := self.num(mine))}
        texts: dict[int, str] = {}
        for rows in world.tables(Text, Mark, without=(Tag,)):
            texts.update(zip(rows.ids.tolist(), rows[Text.text], strict=True))
        assert texts == {
            entity.id: text.text for entity, text in world.rows(Entity, Text, having=(Mark,), without=(Tag,))
        }

    def num(self, mine: dict[Kind, Component]) -> Num | None:
        found = mine.get(Num)
        return found if isinstance(found, Num) else None

    @invariant()
    def children_mirror_parents(self) -> None:
        for id in self.model:
            children = {child.id for child in self.world.entity(id).children}
            assert children == {child for child, parent in self.parents.items() if parent == id}


TestWorlds = cast(Any, Worlds).TestCase
TestWorlds.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

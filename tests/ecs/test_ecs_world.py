"""Entities and their components: spawning, despawning, adding, removing; at once and deferred."""

import numpy as np
import pytest

from engine.ecs import (
    F32,
    F64,
    Component,
    EcsError,
    Entity,
    MissingComponentError,
    MissingResourceError,
    Obj,
    Ref,
    Resource,
    StaleEntityError,
    StaleRowError,
    World,
    f32,
    f64,
    obj,
    ref,
)


class Pos(Component):
    x: F64 = f64()
    y: F64 = f64()


class Hull(Component):
    points: F32 = f32(default=100.0)


class Named(Component):
    name: Obj[str] = obj(default="")


class Frozen(Component):
    pass


class Glow(Component, local=True):
    size: F32 = f32(default=1.0)
    colour: Obj[str] = obj(default="red")


class Target(Component):
    entity: Ref = ref()


@pytest.fixture
def world() -> World:
    return World(seed=1)


def test_a_spawned_entity_has_copies_of_what_it_was_given(world: World) -> None:
    template = Pos(1.0, 2.0)
    first = world.spawn(template, Named("a"))
    template.x = 5.0
    second = world.spawn(template)
    assert (first[Pos].x, first[Named].name, second[Pos].x) == (1.0, "a", 5.0)
    assert Pos in first
    assert Hull not in first
    assert first.get(Hull) is None
    assert len(world) == 2
    assert {first, second} == set(world)


def test_rows_write_through(world: World) -> None:
    entity = world.spawn(Pos(), Named("a"))
    entity[Pos].x += 3.0
    entity[Named].name += "b"
    assert entity.world.only(Pos).x == 3.0
    assert entity[Named].name == "ab"


def test_despawning_moves_the_last_row_without_mixing_entities(world: World) -> None:
    entities = [world.spawn(Pos(float(i)), Named(str(i)), Glow(float(i), str(i))) for i in range(40)]
    for entity in entities[::3]:
        entity.despawn()
    for i, entity in enumerate(entities):
        assert entity.alive == (i % 3 != 0)
        if entity.alive:
            assert (entity[Pos].x, entity[Named].name) == (float(i), str(i))
            assert (entity[Glow].size, entity[Glow].colour) == (float(i), str(i))


def test_every_use_of_a_stale_handle_names_it(world: World) -> None:
    entity, other = world.spawn(Pos()), world.spawn(Pos())
    entity.despawn()
    uses = [
        lambda: entity[Pos],
        lambda: entity.get(Pos),
        lambda: Pos in entity,
        lambda: entity.add(Hull()),
        lambda: entity.remove(Pos),
        lambda: entity.despawn(),
        lambda: entity.parent,
        lambda: entity.children,
        lambda: world.components(entity),
        lambda: world.attach(entity, other),
        lambda: world.attach(other, entity),
        lambda: world.entity(entity.id),
    ]
    for use in uses:
        with pytest.raises(StaleEntityError, match=r"entity 0 generation 1> is gone .*generation 2"):
            use()
    assert not entity.alive
    assert world.find(entity.id) is None


def test_a_reused_index_does_not_revive_old_handles(world: World) -> None:
    old = world.spawn(Pos())
    old.despawn()
    new = world.spawn(Pos())
    assert new.id != old.id
    assert new.alive
    assert not old.alive
    assert old != new


def test_an_id_never_given_out(world: World) -> None:
    assert world.find(0) is None
    assert world.find(10**6) is None
    assert world.find(2**64 - 1) is None
    with pytest.raises(StaleEntityError, match="does not exist in this world"):
        world.entity(1 << 32 | 12345)
    with pytest.raises(StaleEntityError):
        world.row(Entity(world, 1 << 32 | 12345), Pos)


def test_handles_of_another_world_are_refused(world: World) -> None:
    foreign = World().spawn(Pos())
    mine = world.spawn(Pos())
    assert foreign.id == mine.id
    with pytest.raises(EcsError, match="another world"):
        world.despawn(foreign)
    with pytest.raises(EcsError, match="another world"):
        world.add(foreign, Hull())
    with pytest.raises(EcsError, match="another world"):
        world.remove(foreign, Pos)
    assert mine.alive


def test_a_missing_component_is_named_with_those_there(world: World) -> None:
    entity = world.spawn(Pos(), Hull())
    with pytest.raises(MissingComponentError, match=r"has no Named; it has Hull, Pos\. Add it with entity\.add\(Named"):
        entity[Named]
    with pytest.raises(MissingComponentError):
        entity.remove(Named)


def test_wrong_things_given_for_components(world: World) -> None:
    with pytest.raises(EcsError, match=r"write Pos\(\), not Pos"):
        world.spawn(Pos)  # type: ignore[arg-type]
    with pytest.raises(EcsError, match="3 is no component"):
        world.spawn(3)  # type: ignore[arg-type]
    with pytest.raises(EcsError, match="two Pos were given"):
        world.spawn(Pos(), Pos())
    entity = world.spawn(Pos())
    with pytest.raises(EcsError, match=r"write Hull\(\), not Hull"):
        entity.add(Hull)  # type: ignore[arg-type]
    assert len(world) == 1


def test_adding_and_removing_keeps_the_rest(world: World) -> None:
    entity = world.spawn(Pos(1.0), Named("a"), Glow(2.0, "blue"))
    other = world.spawn(Pos(9.0), Named("z"))
    entity.add(Hull(5.0))
    entity.add(Frozen())
    assert (entity[Pos].x, entity[Named].name, entity[Glow].colour, entity[Hull].points) == (1.0, "a", "blue", 5.0)
    entity.add(Hull(6.0))
    assert entity[Hull].points == 6.0
    entity.remove(Pos)
    entity.remove(Glow)
    assert {type(row) for row in world.components(entity)} == {Named, Hull, Frozen}
    assert (other[Pos].x, other[Named].name) == (9.0, "z")
    entity.add(Glow())
    assert entity[Glow].colour == "red"


def test_local_components_move_no_rows(world: World) -> None:
    entities = [world.spawn(Pos(float(i))) for i in range(5)]
    row = entities[2][Pos]
    entities[2].add(Glow(7.0))
    entities[4].add(Glow(8.0))
    entities[2].remove(Glow)
    assert row.x == 2.0
    assert [glow.size for glow in world.rows(Glow)] == [8.0]
    assert Glow not in entities[2]


def test_an_entity_may_be_bare(world: World) -> None:
    entity = world.spawn()
    assert world.components(entity) == []
    entity.add(Pos(1.0))
    entity.remove(Pos)
    entity.despawn()
    assert len(world) == 0
    assert world, "an empty world is still a world"


def test_local_entities_have_ids_of_their_own(world: World) -> None:
    here = world.spawn(Pos(), local=True)
    shared = world.spawn(Pos())
    assert (here.local, shared.local) == (True, False)
    assert world.count(Pos) == 2
    here.despawn()
    assert world.spawn(Pos()).id == 1 << 32 | 1


# Many at once


def test_spawn_many_gives_columns_values_and_rows_copies(world: World) -> None:
    ids = world.spawn_many(20, Pos(y=1.0), Named("n"), Glow(3.0), values={Pos.x: np.arange(20), Glow.size: 4.0})
    assert [row.x for row in world.rows(Pos)] == list(range(20))
    assert {glow.size for glow in world.rows(Glow)} == {4.0}
    world.entity(int(ids[3]))[Named].name = "changed"
    assert [named.name for named in world.rows(Named)].count("n") == 19


def test_spawn_many_gives_the_ids_that_spawn_would() -> None:
    one, many = World(), World()
    for world in (one, many):
        old = [world.spawn(Pos()) for _ in range(5)]
        for entity in old[1:4]:
            entity.despawn()
    assert many.spawn_many(5, Pos()).tolist() == [one.spawn(Pos()).id for _ in range(5)]


def test_spawn_many_refuses_before_it_changes_anything(world: World) -> None:
    with pytest.raises(MissingComponentError, match="no numeric column of its components Pos"):
        world.spawn_many(3, Pos(), values={Hull.points: 3.0})
    with pytest.raises(ValueError, match="broadcast"):
        world.spawn_many(3, Pos(), values={Pos.x: [1.0, 2.0]})
    with pytest.raises(ValueError, match="-1"):
        world.spawn_many(-1, Pos())
    with pytest.raises(EcsError, match="inside a stage"), world.deferred():
        world.spawn_many(3, Pos())
    assert len(world) == 0


def test_despawn_many_passes_over_those_gone(world: World) -> None:
    ids = world.spawn_many(30, Pos(), Named("x"), values={Pos.x: np.arange(30)})
    local = world.spawn(Pos(-1.0), local=True)
    world.entity(int(ids[4])).despawn()
    world.despawn_many(np.concatenate([ids[:20], ids[:3], np.array([local.id, 99, 1 << 60], np.uint64)]))
    assert sorted(row.x for row in world.rows(Pos)) == list(range(20, 30))
    for id in ids[20:].tolist():
        assert world.entity(id)[Named].name == "x"
    world.despawn_many(np.empty(0, np.uint64))


def test_ids_freed_in_bulk_come_back_with_a_new_generation(world: World) -> None:
    ids = world.spawn_many(5, Pos())
    old = [world.entity(id) for id in ids.tolist()]
    world.despawn_many(ids)
    world.spawn_many(5, Pos())
    assert not any(entity.alive for entity in old)
    assert len({entity.id for entity in world} - set(ids.tolist())) == 5


def test_components_come_in_one_order_by_whatever_way_they_came(world: World) -> None:
    first = world.spawn(Pos(), Hull(), Named())
    other = World()
    second = other.spawn(Named())
    second.add(Hull())
    second.add(Pos())
    assert [type(row) for row in world.components(first)] == [type(row) for row in other.components(second)]


def test_rows_ids_may_be_given_to_despawn_many(world: World) -> None:
    world.spawn_many(10, Pos())
    world.spawn_many(10, Pos(), Hull())
    for rows in world.tables(Pos):
        world.despawn_many(rows.ids)
    assert len(world) == 0


# Deferral


def test_a_stage_sees_a_fixed_set_of_entities(world: World) -> None:
    old = world.spawn(Pos())
    with world.deferred():
        new = world.spawn(Pos(5.0))
        old.despawn()
        assert (old[Pos].x, new[Pos].x) == (0.0, 5.0)
        assert (old.alive, new.alive) == (False, True)
        assert list(world.rows(Entity, Pos)) == [(old, old[Pos])]
    assert list(world.rows(Entity)) == [new]


def test_a_template_may_be_reused_in_a_stage(world: World) -> None:
    template = Named("first")
    with world.deferred():
        first = world.spawn(template)
        template.name = "second"
        second = world.spawn(template)
        second[Named].name += "!"
    assert (first[Named].name, second[Named].name, template.name) == ("first", "second!", "second")


def test_a_pending_entity_is_changed_at_once(world: World) -> None:
    with world.deferred():
        entity = world.spawn(Pos(), Hull(), Glow())
        entity.add(Named("n"))
        entity.add(Pos(4.0))
        entity.remove(Hull)
        entity[Named].name = "m"
        assert {type(row) for row in world.components(entity)} == {Pos, Named, Glow}
        with pytest.raises(MissingComponentError, match="has no Hull"):
            entity[Hull]
    assert (entity[Pos].x, entity[Named].name, Hull in entity) == (4.0, "m", False)


def test_changes_wait_and_come_in_order(world: World) -> None:
    entity = world.spawn(Pos())
    with world.deferred():
        entity.add(Hull(1.0))
        entity.add(Hull(2.0))
        entity.remove(Pos)
        entity.remove(Pos)
        assert Hull not in entity
        assert Pos in entity
    assert entity[Hull].points == 2.0
    assert Pos not in entity


def test_spawned_and_despawned_in_one_stage(world: World) -> None:
    with world.deferred():
        entity = world.spawn(Pos())
        entity.despawn()
        entity.despawn()
        entity.add(Hull())
        assert not entity.alive
    assert len(world) == 0
    with pytest.raises(StaleEntityError):
        entity[Pos]


def test_despawn_many_waits_for_the_end_of_the_stage(world: World) -> None:
    ids = world.spawn_many(3, Pos())
    with world.deferred():
        world.despawn_many(ids[:2])
        assert len(world) == 3
        assert not world.entity(int(ids[0])).alive
    assert len(world) == 1


def test_blocks_nest_and_survive_errors(world: World) -> None:
    def stage() -> None:
        with world.deferred():
            with world.deferred():
                world.spawn(Pos())
            assert len(world) == 0
            with pytest.raises(EcsError, match="flush"):
                world.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stage()
    assert len(world) == 1
    assert not world.is_deferred


@pytest.mark.parametrize("query", ["rows", "tables", "iter"])
def test_iteration_defers_until_it_ends_or_is_left(world: World, query: str) -> None:
    for _ in range(4):
        world.spawn(Pos())
    matches = {"rows": lambda: world.rows(Pos), "tables": lambda: world.tables(Pos), "iter": lambda: iter(world)}[query]
    for _ in matches():
        world.spawn(Pos())
        assert len(world) == 4
        break
    assert len(world) == 5
    for _ in matches():
        world.spawn(Pos())
    assert len(world) in (6, 10)
    assert not world.is_deferred


def test_despawning_what_one_iterates_over(world: World) -> None:
    for i in range(10):
        world.spawn(Pos(float(i)))
    seen: list[float] = []
    for entity, pos in world.rows(Entity, Pos):
        seen.append(pos.x)
        entity.despawn()
    assert seen == list(range(10))
    assert len(world) == 0


# Rows that were kept


def test_a_row_kept_past_its_entity_says_so(world: World) -> None:
    entity = world.spawn(Pos(1.0), Named("a"))
    other = world.spawn(Pos(2.0), Named("b"))
    row, name, moved = entity[Pos], entity[Named], other[Pos]
    entity.despawn()
    for use in (lambda: row.x, lambda: name.name, lambda: moved.x, lambda: row.copy(), lambda: row == moved):
        with pytest.raises(StaleRowError, match=r"was kept while its table changed"):
            use()
    with pytest.raises(StaleRowError, match="row of Pos"):
        row.x = 3.0
    for use in (lambda: other.add(row), lambda: world.spawn(row)):
        with pytest.raises(StaleRowError, match="was kept"):
            use()
    assert repr(row) == "<stale row of Pos>"
    assert (other[Pos].x, other[Named].name) == (2.0, "b")


def test_a_row_kept_while_its_table_grew_says_so(world: World) -> None:
    entity = world.spawn(Pos(1.0))
    row = entity[Pos]
    for _ in range(100):
        world.spawn(Pos())
    with pytest.raises(StaleRowError):
        row.x = 3.0
    assert entity[Pos].x == 1.0


def test_a_row_kept_while_its_entity_changed_components_says_so(world: World) -> None:
    entity = world.spawn(Pos(1.0), Glow())
    row, glow = entity[Pos], entity[Glow]
    entity.remove(Glow)
    assert row.x == 1.0
    with pytest.raises(StaleRowError):
        glow.size = 2.0
    entity.add(Hull())
    with pytest.raises(StaleRowError):
        row.x = 3.0


def test_a_row_of_a_pending_entity_ends_with_the_stage(world: World) -> None:
    with world.deferred():
        entity = world.spawn(Pos(1.0))
        row = entity[Pos]
        row.x = 2.0
    with pytest.raises(StaleRowError):
        row.x = 3.0
    assert entity[Pos].x == 2.0


def test_rows_stay_good_while_others_come(world: World) -> None:
    entity = world.spawn(Pos(1.0))
    row = entity[Pos]
    world.spawn(Pos())
    world.spawn(Hull())
    row.x = 3.0
    assert entity[Pos].x == 3.0
    assert entity[Pos] is row


# References and resources


def test_a_ref_holds_an_id(world: World) -> None:
    prey = world.spawn(Pos())
    hunter = world.spawn(Target(prey.id))
    assert world.find(hunter[Target].entity) == prey
    prey.despawn()
    assert world.find(hunter[Target].entity) is None


class Score(Resource):
    points: int = 0


class Meter(Resource, local=True):
    value: float = 0.0


class FineMeter(Meter):
    pass


def test_resources_are_found_by_type(world: World) -> None:
    with pytest.raises(MissingResourceError, match=r"no resource Score; insert one with world\.insert\(Score"):
        world.resource(Score)
    assert world.find_resource(Score) is None
    score = world.insert(Score(points=3))
    meter = world.insert(FineMeter())
    assert world.resource(Score) is score
    assert world.resources() == [score, meter]
    assert world.state_resources == [score]
    assert FineMeter.local


def test_a_mirror_keeps_the_ids_of_the_world_it_mirrors_and_gives_out_others() -> None:
    source, mirror = World(), World()
    mirror.mirror(1 << 10)
    originals = [source.spawn(Pos(x)) for x in range(3)]
    originals[1].despawn()
    late = source.spawn(Pos(7))
    for entity in (originals[0], originals[2], late):
        mirror.adopt(entity.id, entity[Pos])
    assert [(e.id, e[Pos].x) for e in mirror] == [(e.id, e[Pos].x) for e in source]
    own = mirror.spawn(Pos(9))
    assert own.id & 0xFFFF_FFFF == 1 << 10
    mirror.entity(late.id).despawn()
    assert mirror.spawn(Pos()).id not in {late.id, originals[1].id}
    own.despawn()
    assert mirror.spawn(Pos()).id & 0xFFFF_FFFF == 1 << 10


def test_a_mirror_refuses_ids_that_are_not_the_other_worlds_or_in_use() -> None:
    mirror = World()
    with pytest.raises(EcsError, match="left to another world"):
        mirror.adopt(1 << 32 | 5, Pos())
    mirror.mirror(64)
    mirror.adopt(1 << 32 | 5, Pos())
    with pytest.raises(EcsError, match="lives"):
        mirror.adopt(2 << 32 | 5, Pos())
    with mirror.deferred():
        mirror.adopt(1 << 32 | 6, Pos(3))
        with pytest.raises(EcsError, match="lives"):
            mirror.adopt(2 << 32 | 6, Pos())
    assert mirror.entity(1 << 32 | 6)[Pos].x == 3
    with pytest.raises(EcsError, match="of its own"):
        mirror.mirror(32)


def test_archetypes_are_the_tables_of_shared_entities() -> None:
    world = World()
    shared = world.spawn(Pos(1.0, 2.0))
    world.spawn(Pos(3.0, 4.0), local=True)
    tables = [table for table in world.archetypes() if table.count]
    assert [table.ids[: table.count].tolist() for table in tables] == [[shared.id]]
    assert tables[0].columns[Pos.x][0] == 1.0

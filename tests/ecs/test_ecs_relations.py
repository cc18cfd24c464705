"""Parents and children, and what a world tells about comings and goings."""

from typing import Any

import numpy as np
import pytest

from engine.ecs import (
    F64,
    Added,
    ChildOf,
    Component,
    Despawned,
    EcsError,
    Entity,
    Obj,
    Removed,
    Restored,
    Spawned,
    StaleEntityError,
    World,
    capture,
    f64,
    obj,
    restore,
)


class Pos(Component):
    x: F64 = f64()


class Named(Component):
    name: Obj[str] = obj(default="")


class Glow(Component, local=True):
    colour: Obj[str] = obj(default="red")


class Ear:
    """An outlet that keeps what it is told."""

    def __init__(self, *keys: Any) -> None:
        self.version = 0
        self.keys: set[Any] = set()
        self.heard: list[Any] = []
        self.listen(*keys)

    def listen(self, *keys: Any) -> None:
        self.keys = set(keys)
        self.version += 1

    def post(self, event: object) -> None:
        self.post_as(type(event), event)

    def post_as(self, key: Any, event: object) -> None:
        assert key in self.keys, f"nobody wanted {key}"
        self.heard.append((key, event))

    def listens(self, key: Any) -> bool:
        return key in self.keys

    def told(self) -> list[tuple[Any, Entity]]:
        told = [(key, event.entity) for key, event in self.heard]
        self.heard.clear()
        return told


@pytest.fixture
def world() -> World:
    return World()


# Parents and children


def test_children_go_with_their_parents(world: World) -> None:
    root, child, grandchild, other = (world.spawn(Pos()) for _ in range(4))
    world.attach(child, root)
    world.attach(grandchild, child)
    assert child.parent == root
    assert root.children == [child]
    assert root.parent is None
    assert other.children == []
    root.despawn()
    assert list(world) == [other]


def test_spawning_and_adding_with_a_parent_attach_too(world: World) -> None:
    root = world.spawn()
    first = world.spawn(Pos(), ChildOf(root.id))
    second = world.spawn(Pos())
    second.add(ChildOf(root.id))
    many = world.spawn_many(2, ChildOf(root.id))
    assert [child.id for child in root.children] == [first.id, second.id, *many.tolist()]
    world.spawn(ChildOf())
    root.despawn()
    assert len(world) == 1


def test_attaching_anew_and_detaching(world: World) -> None:
    a, b, child = world.spawn(), world.spawn(), world.spawn(Pos())
    world.attach(child, a)
    world.attach(child, b)
    assert (a.children, b.children, child.parent) == ([], [child], b)
    a.despawn()
    assert child.alive
    child.remove(ChildOf)
    assert (b.children, child.parent) == ([], None)
    b.despawn()
    assert child.alive


def test_a_despawned_child_leaves_its_siblings(world: World) -> None:
    root = world.spawn()
    children = [world.spawn(ChildOf(root.id)) for _ in range(4)]
    children[1].despawn()
    world.despawn_many(np.array([children[3].id], np.uint64))
    assert root.children == [children[0], children[2]]


def test_despawn_many_takes_children_along(world: World) -> None:
    roots = [world.spawn(Pos()) for _ in range(3)]
    for root in roots:
        world.spawn(Named("child"), ChildOf(root.id))
    world.despawn_many(np.array([roots[0].id, roots[2].id], np.uint64))
    assert len(world) == 2
    assert roots[1].children[0][Named].name == "child"


def test_cycles_are_refused_also_within_a_stage(world: World) -> None:
    a, b, c = world.spawn(), world.spawn(), world.spawn()
    world.attach(b, a)
    for child, parent in ((a, b), (a, a)):
        with pytest.raises(EcsError, match="itself or already below it"):
            world.attach(child, parent)
    with world.deferred():
        world.attach(c, b)
        with pytest.raises(EcsError, match="already below it"):
            world.attach(a, c)
        b.remove(ChildOf)
        world.attach(a, c)
        fresh = world.spawn(ChildOf(a.id))
        with pytest.raises(EcsError, match="already below it"):
            world.attach(b, fresh)
    assert (fresh.parent, a.parent, c.parent, b.parent) == (a, c, b, None)
    b.despawn()
    assert len(world) == 0


def test_a_deep_chain_goes_at_once(world: World) -> None:
    root = entity = world.spawn()
    for _ in range(3000):
        entity = world.spawn(ChildOf(entity.id))
    root.despawn()
    assert len(world) == 0


def test_a_parent_that_is_gone_is_refused(world: World) -> None:
    gone = world.spawn()
    gone.despawn()
    with pytest.raises(StaleEntityError):
        world.spawn(ChildOf(gone.id))
    with pytest.raises(StaleEntityError):
        world.spawn_many(2, ChildOf(gone.id))
    assert len(world) == 0


@pytest.mark.parametrize("despawn_first", [False, True])
def test_a_child_attached_in_the_stage_its_parent_goes(world: World, despawn_first: bool) -> None:
    parent, child = world.spawn(), world.spawn(Pos())
    with world.deferred():
        if despawn_first:
            parent.despawn()
        world.attach(child, parent)
        fresh = world.spawn(ChildOf(parent.id))
        if not despawn_first:
            parent.despawn()
    assert not child.alive
    assert not fresh.alive
    assert len(world) == 0


def test_children_told_to_go_with_their_parent_are_not_alive(world: World) -> None:
    parent = world.spawn()
    child = world.spawn(ChildOf(parent.id))
    with world.deferred():
        parent.despawn()
        assert not child.alive
        child.despawn()
    assert len(world) == 0


def test_a_shared_entity_cannot_have_a_local_parent(world: World) -> None:
    shared, here = world.spawn(), world.spawn(local=True)
    with pytest.raises(EcsError, match="spawn the child with local=True"):
        world.attach(shared, here)
    world.attach(here, shared)
    shared.despawn()
    assert len(world) == 0


# What is told


def test_comings_and_goings_are_told_in_order(world: World) -> None:
    ear = Ear(Spawned, Despawned, Added[Pos], Removed[Pos], Removed[Named])
    world = World(outlet=ear)
    entity = world.spawn(Named("a"), Pos(2.0), Glow())
    assert ear.told() == [(Spawned, entity), (Added[Pos], entity)]
    entity.add(Pos(3.0))
    assert ear.told() == []
    entity.remove(Pos)
    ((key, removed),) = ear.heard
    assert (key, removed.entity, removed.value) == (Removed[Pos], entity, Pos(3.0))
    ear.heard.clear()
    entity.add(Pos(4.0))
    assert ear.told() == [(Added[Pos], entity)]
    entity.despawn()
    assert [event.value for _, event in ear.heard[:2]] == [Named("a"), Pos(4.0)]
    assert [key for key, _ in ear.told()] == [Removed[Named], Removed[Pos], Despawned]


def test_only_what_is_wanted_now_is_told() -> None:
    ear = Ear()
    world = World(outlet=ear)
    entity = world.spawn(Pos())
    ear.listen(Added[Glow], Removed[Glow])
    entity.add(Glow())
    entity.add(Glow())
    assert ear.told() == [(Added[Glow], entity)]
    entity.despawn()
    assert ear.told() == [(Removed[Glow], entity)]
    ear.listen()
    world.spawn(Pos(), Glow()).despawn()
    assert ear.heard == []


def test_a_new_table_is_listened_to_as_well() -> None:
    ear = Ear(Despawned, Removed[Pos])
    world = World(outlet=ear)
    first = world.spawn(Named())
    first.add(Pos())
    first.despawn()
    assert ear.told() == [(Removed[Pos], first), (Despawned, first)]


def test_in_a_stage_it_is_told_at_the_end() -> None:
    ear = Ear(Spawned, Added[Pos], Despawned)
    world = World(outlet=ear)
    with world.deferred():
        entity = world.spawn()
        entity.add(Pos())
        gone = world.spawn()
        gone.despawn()
        assert ear.heard == []
    assert ear.told() == [(Spawned, entity), (Added[Pos], entity), (Spawned, gone), (Despawned, gone)]


def test_many_are_told_one_by_one() -> None:
    ear = Ear(Spawned, Added[Pos], Despawned, Removed[Pos])
    world = World(outlet=ear)
    ids = world.spawn_many(2, Pos())
    a, b = (world.entity(id) for id in ids.tolist())
    assert ear.told() == [(Spawned, a), (Added[Pos], a), (Spawned, b), (Added[Pos], b)]
    world.despawn_many(ids)
    assert ear.told() == [(Removed[Pos], a), (Despawned, a), (Removed[Pos], b), (Despawned, b)]


def test_listening_does_not_change_the_order_of_rows() -> None:
    orders: list[list[int]] = []
    for ear in (Ear(), Ear(Spawned, Despawned, Added[Pos], Removed[Pos])):
        world = World(outlet=ear)
        ids = world.spawn_many(20, Pos())
        world.attach(world.entity(int(ids[5])), world.entity(int(ids[9])))
        world.despawn_many(ids[3:12:2])
        world.spawn_many(3, Pos())
        orders.append([entity.id for entity in world])
    assert orders[0] == orders[1]


def test_restoring_tells_only_that() -> None:
    ear = Ear(Restored, Spawned, Despawned, Added[Pos], Added[Glow])
    world = World(outlet=ear)
    entity = world.spawn(Pos(), Glow())
    snapshot = capture(world)
    world.spawn(Pos())
    ear.heard.clear()
    restore(world, snapshot)
    assert [key for key, _ in ear.heard] == [Restored]
    assert Glow in entity

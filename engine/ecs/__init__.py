"""Entities, components and queries: the state of a simulation, in columns. Knows numpy and nothing else."""

from engine.ecs.column import (
    F32,
    F64,
    I32,
    I64,
    U8,
    U32,
    U64,
    Column,
    Flag,
    Obj,
    ObjectColumn,
    Ref,
    f32,
    f64,
    flag,
    i32,
    i64,
    obj,
    ref,
    u8,
    u32,
    u64,
)
from engine.ecs.component import Component
from engine.ecs.digest import digest
from engine.ecs.entity import Entity
from engine.ecs.errors import (
    ComponentError,
    EcsError,
    MissingComponentError,
    MissingResourceError,
    SnapshotError,
    StaleEntityError,
)
from engine.ecs.lifecycle import Added, Despawned, Outlet, Removed, Restored, Spawned
from engine.ecs.relation import ChildOf
from engine.ecs.resource import Resource
from engine.ecs.rows import Rows
from engine.ecs.snapshot import Snapshot, capture, combine, component_hashes, restore, state_hash
from engine.ecs.world import Participant, World

__all__ = [
    "F32",
    "F64",
    "I32",
    "I64",
    "U8",
    "U32",
    "U64",
    "Added",
    "ChildOf",
    "Column",
    "Component",
    "ComponentError",
    "Despawned",
    "EcsError",
    "Entity",
    "Flag",
    "MissingComponentError",
    "MissingResourceError",
    "Obj",
    "ObjectColumn",
    "Outlet",
    "Participant",
    "Ref",
    "Removed",
    "Resource",
    "Restored",
    "Rows",
    "Snapshot",
    "SnapshotError",
    "Spawned",
    "StaleEntityError",
    "World",
    "capture",
    "combine",
    "component_hashes",
    "digest",
    "f32",
    "f64",
    "flag",
    "i32",
    "i64",
    "obj",
    "ref",
    "restore",
    "state_hash",
    "u8",
    "u32",
    "u64",
]

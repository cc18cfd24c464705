"""Tickwire: a 2D game engine in which input, physics and the network are one stream of events.

The names most games use can be imported from here: `from engine import Plugin, Sprite, Tick, Transform, play`. Each is
loaded from its package when it is first asked for, so a server that never asks for a picture never loads pygame. The
plugins `physics` and `sound` bear their packages' names: `from engine.physics import physics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.facade import loader

if TYPE_CHECKING:
    from engine.app import App, Begin, Commanded, Commands, End, Frame, Game, Physics, Plugin, Scene, Tick, Time
    from engine.assets import Assets
    from engine.desktop.play import play
    from engine.ecs import (
        F32,
        F64,
        I32,
        I64,
        Added,
        Component,
        Despawned,
        Entity,
        Flag,
        Obj,
        Ref,
        Removed,
        Resource,
        Rows,
        Spawned,
        World,
        f32,
        f64,
        flag,
        i32,
        i64,
        obj,
        ref,
        state_hash,
    )
    from engine.events import Phase
    from engine.graphics import (
        Animation,
        Burst,
        Camera,
        Color,
        DrawOverlay,
        DrawWorld,
        Lines,
        Particles,
        Sprite,
        Text,
        Trail,
    )
    from engine.input import (
        Controls,
        Key,
        KeyPressed,
        KeyReleased,
        MouseButton,
        PadAxis,
        PadButton,
        PointerMoved,
        PointerPressed,
        PointerReleased,
        Stick,
        axis,
        axis2,
        button,
        input_plugin,
    )
    from engine.physics import (
        Body,
        BodyKind,
        Box,
        Circle,
        Collider,
        ContactBegan,
        ContactEnded,
        Material,
        PhysicsSettings,
        Polygon,
        Segment,
        Space,
        Velocity,
    )
    from engine.scene import Timers, Transform, timers
    from engine.sound import PlayMusic, PlaySound

__version__ = "0.1.0"

_WHERE = {
    "engine.app": "App Begin Commanded Commands End Frame Game Physics Plugin Scene Tick Time",
    "engine.assets": "Assets",
    "engine.desktop.play": "play",
    "engine.ecs": (
        "F32 F64 I32 I64 Added Component Despawned Entity Flag Obj Ref Removed Resource Rows Spawned "
        "World f32 f64 flag i32 i64 obj ref state_hash"
    ),
    "engine.events": "Phase",
    "engine.graphics": "Animation Burst Camera Color DrawOverlay DrawWorld Lines Particles Sprite Text Trail",
    "engine.input": (
        "Controls Key KeyPressed KeyReleased MouseButton PadAxis PadButton PointerMoved PointerPressed "
        "PointerReleased Stick axis axis2 button input_plugin"
    ),
    "engine.physics": (
        "Body BodyKind Box Circle Collider ContactBegan ContactEnded Material PhysicsSettings Polygon "
        "Segment Space Velocity"
    ),
    "engine.scene": "Timers Transform timers",
    "engine.sound": "PlayMusic PlaySound",
}

__all__ = [
    "F32",
    "F64",
    "I32",
    "I64",
    "Added",
    "Animation",
    "App",
    "Assets",
    "Begin",
    "Body",
    "BodyKind",
    "Box",
    "Burst",
    "Camera",
    "Circle",
    "Collider",
    "Color",
    "Commanded",
    "Commands",
    "Component",
    "ContactBegan",
    "ContactEnded",
    "Controls",
    "Despawned",
    "DrawOverlay",
    "DrawWorld",
    "End",
    "Entity",
    "Flag",
    "Frame",
    "Game",
    "Key",
    "KeyPressed",
    "KeyReleased",
    "Lines",
    "Material",
    "MouseButton",
    "Obj",
    "PadAxis",
    "PadButton",
    "Particles",
    "Phase",
    "Physics",
    "PhysicsSettings",
    "PlayMusic",
    "PlaySound",
    "Plugin",
    "PointerMoved",
    "PointerPressed",
    "PointerReleased",
    "Polygon",
    "Ref",
    "Removed",
    "Resource",
    "Rows",
    "Scene",
    "Segment",
    "Space",
    "Spawned",
    "Sprite",
    "Stick",
    "Text",
    "Tick",
    "Time",
    "Timers",
    "Trail",
    "Transform",
    "Velocity",
    "World",
    "axis",
    "axis2",
    "button",
    "f32",
    "f64",
    "flag",
    "i32",
    "i64",
    "input_plugin",
    "obj",
    "play",
    "ref",
    "state_hash",
    "timers",
]


__getattr__ = loader(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

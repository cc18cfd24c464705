"""The solver's functions by their addresses: the kernel calls them body by body, with no batch or buffer between.

They are asked for by name and signature, as pymunk's own bindings declare them, and the one struct that is passed must
be a vector of two doubles. Where anything is otherwise there are none, and everything goes the way of batches.
"""

# pymunk keeps its bindings to itself.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from array import array
from typing import Any, cast

import pymunk

from engine.compiled import has

_ffi: Any = None


def _calls() -> bytes | None:
    global _ffi
    if not has("engine.physics.kernel"):
        return None
    try:
        from pymunk import _chipmunk_cffi as chipmunk  # pyright: ignore[reportMissingTypeStubs]

        from engine.physics import kernel

        ffi, lib = cast(Any, chipmunk).ffi, cast(Any, chipmunk).lib
        vector = ffi.typeof("cpVect")
        if [(name, field.type.cname, field.offset) for name, field in vector.fields] != _VECTOR:
            return None
        addresses: list[int] = []
        for name, signature in kernel.SIGNATURES.items():
            function = ffi.addressof(lib, name)
            if ffi.typeof(function) != ffi.typeof(signature):
                return None
            addresses.append(int(ffi.cast("uintptr_t", function)))
        body, space = cast(Any, pymunk.Body(1.0, 1.0))._body, cast(Any, pymunk.Space())._space
        if [ffi.typeof(body), ffi.typeof(space)] != [ffi.typeof("cpBody *"), ffi.typeof("cpSpace *")]:
            return None
        _ffi = ffi
        return array("Q" if ffi.sizeof("void *") == 8 else "L", addresses).tobytes()
    except Exception:  # another pymunk, another Python: whatever it is, there is the other way
        return None


_VECTOR = [("x", "double", 0), ("y", "double", 8)]

CALLS = _calls()
"""The addresses, for the kernel; None where there is none, or the solver's functions are not those it knows."""


def address_of(thing: pymunk.Body | pymunk.Space) -> int:
    """Where the solver has a body or a space. Good while that object is there."""
    known: Any = thing
    return int(_ffi.cast("uintptr_t", known._body if isinstance(thing, pymunk.Body) else known._space))

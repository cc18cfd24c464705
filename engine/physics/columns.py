"""The solver's batch buffers as numpy columns."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pymunk import batch


def ints_of(buffer: batch.Buffer) -> NDArray[np.uintp]:
    """The integers in a buffer. A view: the next reading into the buffer overwrites or frees it."""
    return np.frombuffer(cast(Any, buffer).int_buf(), np.uintp)


def bytes_of(buffer: batch.Buffer) -> bytes:
    """A copy of the integers in a buffer, as bytes."""
    return bytes(cast(Any, buffer).int_buf())


def floats_of(buffer: batch.Buffer) -> NDArray[np.float64]:
    """The floats in a buffer, as a view like `ints_of`."""
    return np.frombuffer(cast(Any, buffer).float_buf(), np.float64)

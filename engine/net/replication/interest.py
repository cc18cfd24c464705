"""Which part of the state a client is told of."""

from __future__ import annotations

import numpy as np

from engine.net.replication.layout import Ids, Layout
from engine.net.replication.state import State


class Interest:
    """One client's."""

    def __init__(self, layout: Layout, budget: float | None, every: int) -> None:
        self.layout = layout
        self._budget = budget
        self._every = every

    def choose(self, base: State | None, now: State, owned: Ids) -> State:
        """The state the client is to have."""
        return now


_ = np

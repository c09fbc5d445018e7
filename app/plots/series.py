"""Numbers that keep arriving: arrays that grow in place, so that a long run is not copied at every tick."""

from __future__ import annotations

from math import inf

import numpy as np

from engine.ports import F64

_FIRST = 1024


class Series:
    """Pairs of x and y in the order they came.

    Attributes:
        low, high: the least and the largest y so far; inf and -inf before there is one.
    """

    def __init__(self) -> None:
        self._pairs: F64 = np.empty((2, _FIRST), np.float64)
        self._count = 0
        self.low, self.high = inf, -inf

    def __len__(self) -> int:
        return self._count

    def add(self, x: float, y: float) -> None:
        """Take one more pair."""
        if self._count == self._pairs.shape[1]:
            self._pairs = np.concatenate([self._pairs, np.empty_like(self._pairs)], axis=1)
        self._pairs[:, self._count] = x, y
        self._count += 1
        self.low, self.high = min(self.low, y), max(self.high, y)

    def clear(self) -> None:
        """Forget all pairs."""
        self._count = 0
        self.low, self.high = inf, -inf

    @property
    def x(self) -> F64:
        """Return x, float64 (pairs,), a view."""
        return self._pairs[0, : self._count]

    @property
    def y(self) -> F64:
        """Return y, float64 (pairs,), a view."""
        return self._pairs[1, : self._count]

"""Where wires run: straight from port to port where nothing is in the way, else along a free lane."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

OUT = 26.0  # px that a wire runs out of a port before it turns
HANDLE = 170.0  # the longest handle of a curve, or bounding boxes of long wires cover the scene
_SHORTEST = 36.0
_CLEAR = 14.0  # px between a lane and a node
_APART = 9.0  # px between two lanes
_SAMPLES = np.linspace(0.0, 1.0, 33)[2:-2]


def handle(start: QPointF, end: QPointF) -> float:
    """Return how far the control points of a direct curve stand from its ends."""
    return min(HANDLE, max(_SHORTEST, abs(end.x() - start.x()) * 0.5))


class Router:
    """Finds lanes between boxes; every lane that is given is kept clear of the ones given before."""

    def __init__(self, boxes: Iterable[QRectF]) -> None:
        rows = [(b.left(), b.top(), b.right(), b.bottom()) for b in boxes]
        self._boxes: npt.NDArray[np.float64] = np.array(rows, np.float64).reshape(-1, 4)
        self._used: list[tuple[float, float, float]] = []

    def lane(self, start: QPointF, end: QPointF) -> float | None:
        """Return the y a wire goes along, or None where it can go straight from `start` to `end`."""
        back = end.x() < start.x() + OUT
        if not back and not self._meets(start, end):
            return None
        left, right = (end.x() - OUT, start.x() + OUT) if back else (start.x() + OUT, end.x() - OUT)
        if left >= right:
            return None
        free = [y for y in self._candidates(left, right, start.y(), end.y()) if self._free(left, right, y)]
        if not free:
            return None
        best = min(free, key=lambda y: abs(y - start.y()) + abs(y - end.y()))
        self._used.append((left, right, best))
        return best

    def _meets(self, start: QPointF, end: QPointF) -> bool:
        """Whether the direct curve runs through a box."""
        t, reach = _SAMPLES, handle(start, end)
        s = 1 - t
        x0, x3 = start.x(), end.x()
        x = s**3 * x0 + 3 * s**2 * t * (x0 + reach) + 3 * s * t**2 * (x3 - reach) + t**3 * x3
        y = (s**3 + 3 * s**2 * t) * start.y() + (3 * s * t**2 + t**3) * end.y()
        b = self._boxes[:, :, None]
        inside = (x > b[:, 0] + 1) & (x < b[:, 2] - 1) & (y > b[:, 1]) & (y < b[:, 3])
        return bool(inside.any())

    def _candidates(self, left: float, right: float, *near: float) -> list[float]:
        spanned = self._spanned(left, right)
        edges = [e for box in spanned for e in (box[1] - _CLEAR, box[3] + _CLEAR)]
        levels = [*near, sum(near) / len(near), *edges]
        return [y + k * _APART for y in levels for k in range(-3, 4)]

    def _free(self, left: float, right: float, y: float) -> bool:
        spanned = self._spanned(left, right)
        if ((y > spanned[:, 1] - _CLEAR + 4) & (y < spanned[:, 3] + _CLEAR - 4)).any():
            return False
        return all(abs(y - other) >= _APART - 0.01 or right < a or left > b for a, b, other in self._used)

    def _spanned(self, left: float, right: float) -> npt.NDArray[np.float64]:
        return self._boxes[(self._boxes[:, 2] > left) & (self._boxes[:, 0] < right)]

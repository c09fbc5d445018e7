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
_OFFSETS = _APART * np.arange(-3, 4)
_Floats = npt.NDArray[np.float64]
_SAMPLES = np.linspace(0.0, 1.0, 33)[2:-2]


def handle(start: QPointF, end: QPointF) -> float:
    """Return how far the control points of a direct curve stand from its ends."""
    return min(HANDLE, max(_SHORTEST, abs(end.x() - start.x()) * 0.5))


class Router:
    """Finds lanes between boxes; every lane that is given is kept clear of the ones given before."""

    def __init__(self, boxes: Iterable[QRectF]) -> None:
        rows = [(b.left(), b.top(), b.right(), b.bottom()) for b in boxes]
        self._boxes: _Floats = np.array(rows, np.float64).reshape(-1, 4)
        self._used: list[tuple[float, float, float]] = []

    def lane(self, start: QPointF, end: QPointF) -> float | None:
        """Return the y a wire goes along, or None where it can go straight from `start` to `end`."""
        back = end.x() < start.x() + OUT
        if not back and not self._meets(start, end):
            return None
        left, right = (end.x() - OUT, start.x() + OUT) if back else (start.x() + OUT, end.x() - OUT)
        if left >= right:
            return None
        free = self._free(left, right, self._candidates(left, right, start.y(), end.y()))
        if not len(free):
            return None
        cost = np.abs(free - start.y()) + np.abs(free - end.y())
        best = float(free[cost.argmin()])
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

    def _candidates(self, left: float, right: float, start: float, end: float) -> _Floats:
        spanned = self._spanned(left, right)
        own = np.array([start, end, (start + end) / 2])
        levels = np.concatenate([own, spanned[:, 1] - _CLEAR, spanned[:, 3] + _CLEAR])
        lanes: _Floats = (levels[:, None] + _OFFSETS).ravel()
        return lanes

    def _free(self, left: float, right: float, lanes: _Floats) -> _Floats:
        """Return the lanes that meet no box and no lane that is taken."""
        spanned, y = self._spanned(left, right), lanes[:, None]
        near = _CLEAR - 4
        blocked = ((y > spanned[:, 1] - near) & (y < spanned[:, 3] + near)).any(1)
        taken = np.array([lane for a, b, lane in self._used if right >= a and left <= b], np.float64)
        crowded = (np.abs(y - taken) < _APART - 0.01).any(1)
        return lanes[~(blocked | crowded)]

    def _spanned(self, left: float, right: float) -> _Floats:
        return self._boxes[(self._boxes[:, 2] > left) & (self._boxes[:, 0] < right)]

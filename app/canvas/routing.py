"""Where wires run: straight from port to port where nothing is in the way, else square along a free lane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

OUT = 26.0  # px that a wire runs out of a port before it turns
HANDLE = 170.0  # the longest handle of a curve, or bounding boxes of long wires cover the scene
_SHORTEST = 36.0
_CLEAR = 14.0  # px between a lane and a node
_APART = 9.0  # px between two lanes
_HIT, _CROWD = 600.0, 60.0  # px of detour that going behind a node, or along another wire, is worth
_OUTS = (OUT, OUT - _APART, OUT + _APART, OUT + 2 * _APART)
_OFFSETS = _APART * np.arange(-3, 4)
_Floats = npt.NDArray[np.float64]
_SAMPLES = np.linspace(0.0, 1.0, 33)[2:-2]


@dataclass(frozen=True)
class Route:
    """A square way: out of the port to x = `leave`, along y = `lane`, to x = `arrive` and into the port."""

    leave: float
    lane: float
    arrive: float


def handle(start: QPointF, end: QPointF) -> float:
    """Return how far the control points of a direct curve stand from its ends."""
    return min(HANDLE, max(_SHORTEST, abs(end.x() - start.x()) * 0.5))


class Router:
    """Finds ways between boxes; every way that is given is kept apart from the ones given before."""

    def __init__(self, boxes: Iterable[QRectF]) -> None:
        rows = [(b.left(), b.top(), b.right(), b.bottom()) for b in boxes]
        self._boxes: _Floats = np.array(rows, np.float64).reshape(-1, 4)
        self._lanes: list[tuple[float, float, float]] = []  # left, right, y
        self._falls: list[tuple[float, float, float]] = []  # top, bottom, x

    def route(self, start: QPointF, end: QPointF) -> Route | None:
        """Return the way from an output to an input, or None where it can go straight."""
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
        cost += _HIT * (
            self._hits(start.x() + OUT, start.y(), free) + self._hits(end.x() - OUT, end.y(), free)
        )
        lane = float(free[cost.argmin()])
        leave = self._fall(start.x(), 1.0, start.y(), lane)
        arrive = self._fall(end.x(), -1.0, lane, end.y())
        self._lanes.append((min(leave, arrive), max(leave, arrive), lane))
        return Route(leave, lane, arrive)

    # Inside

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
        taken = np.array([lane for a, b, lane in self._lanes if right >= a and left <= b], np.float64)
        crowded = (np.abs(y - taken) < _APART - 0.01).any(1)
        return lanes[~(blocked | crowded)]

    def _hits(self, x: float, y: float, lanes: _Floats) -> npt.NDArray[np.int64]:
        """Return how many boxes the way up or down at `x` from `y` to each lane runs behind."""
        across = self._boxes[(self._boxes[:, 0] < x + 4) & (self._boxes[:, 2] > x - 4)]
        low, high = np.minimum(y, lanes)[:, None], np.maximum(y, lanes)[:, None]
        hits: npt.NDArray[np.int64] = ((across[:, 1] < high) & (across[:, 3] > low)).sum(1)
        return hits

    def _fall(self, port: float, way: float, y: float, to: float) -> float:
        """Return the x of the way up or down beside a port: where it is least crowded."""
        top, bottom = min(y, to), max(y, to)

        def cost(out: float) -> float:
            x = port + way * out
            close = [f for f in self._falls if f[0] < bottom and f[1] > top and abs(f[2] - x) < _APART - 0.01]
            hits = float(self._hits(x, y, np.array([to]))[0])
            return _CROWD * len(close) + _HIT * hits + abs(out - OUT)

        x = port + way * min(_OUTS, key=cost)
        self._falls.append((top, bottom, x))
        return x

    def _spanned(self, left: float, right: float) -> _Floats:
        return self._boxes[(self._boxes[:, 2] > left) & (self._boxes[:, 0] < right)]

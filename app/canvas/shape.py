"""How large a node is and where its ports stand: geometry alone, from its face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from app.canvas.face import Face
from app.theme.fonts import BODY, font, mono

HEADER, ROW, FOOTER, EDGE = 34, 24, 28, 12  # px
RADIUS = 9
STEP = 24  # widths are multiples of it
NARROWEST = 168
PORT = 5.5  # half the size of a port
REACH = 13  # how near a press must be to take a port
_BODY_GAP = 5


@dataclass(frozen=True)
class Shape:
    """Sizes of one node, in its own coordinates.

    Attributes:
        width, height: of the box.
        inputs, outputs: centre of each port.
        rows: top of the first value row.
    """

    width: float
    height: float
    inputs: tuple[QPointF, ...]
    outputs: tuple[QPointF, ...]
    rows: float

    @property
    def box(self) -> QRectF:
        """Return the box."""
        return QRectF(0, 0, self.width, self.height)

    def port(self, index: int, *, output: bool) -> QPointF:
        """Return the centre of a port."""
        return (self.outputs if output else self.inputs)[index]

    def port_at(self, at: QPointF) -> tuple[int, bool] | None:
        """Return the port under a point as (index, whether it is an output), or None."""
        near = [
            (_distance(at, centre), index, output)
            for output, centres in ((False, self.inputs), (True, self.outputs))
            for index, centre in enumerate(centres)
        ]
        best = min(near, default=(REACH + 1.0, 0, False))
        return (best[1], best[2]) if best[0] <= REACH else None


def shape_of(face: Face) -> Shape:
    """Return the sizes of a node with that face."""
    pairs = zip_longest((p.name for p in face.inputs), (p.name for p in face.outputs), fillvalue="")
    labels = tuple(pairs)
    return _shape(face.name, face.chip, labels, len(face.inputs), len(face.outputs), face.rows)


@lru_cache(maxsize=4096)
def _shape(
    name: str,
    chip: str,
    labels: tuple[tuple[str, str], ...],
    inputs: int,
    outputs: int,
    rows: tuple[tuple[str, str], ...],
) -> Shape:
    width = _width(name, chip, labels, rows)
    top = HEADER + _BODY_GAP + ROW / 2
    below = HEADER + _BODY_GAP + ROW * len(labels)
    height = below + ROW * len(rows) + _BODY_GAP + FOOTER
    return Shape(
        width,
        height,
        tuple(QPointF(0, top + ROW * i) for i in range(inputs)),
        tuple(QPointF(width, top + ROW * i) for i in range(outputs)),
        below,
    )


def _width(
    name: str, chip: str, labels: tuple[tuple[str, str], ...], rows: tuple[tuple[str, str], ...]
) -> float:
    """Return the least multiple of STEP that cuts neither title nor labels nor values."""
    title = EDGE + 24 + _advance(name, 600) + EDGE
    if chip:
        title += QFontMetricsF(mono(11, 600)).horizontalAdvance(chip) + 22
    pairs = [_advance(a, 400) + _advance(b, 400) for a, b in labels]
    pairs += [_advance(a, 400) + _advance(b, 600) for a, b in rows]
    needed = max([title, NARROWEST, *(p + 2 * EDGE + 16 for p in pairs)])
    return -(-needed // STEP) * STEP


def _advance(words: str, weight: int) -> float:
    return QFontMetricsF(font(BODY, weight)).horizontalAdvance(words)


def _distance(a: QPointF, b: QPointF) -> float:
    gap = a - b
    return float((gap.x() ** 2 + gap.y() ** 2) ** 0.5)

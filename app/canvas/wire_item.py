"""One wire on the canvas: a path of Qt's own, with a halo under it so that crossings can be read."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QGraphicsSimpleTextItem

from app.canvas.routing import Route, handle
from app.theme.current import theme
from app.theme.fonts import CAPTION, font
from engine.graph import Wire
from engine.ports import PortType

_HALO = 3.0
_BEND = 14.0  # corner radius, px
_TURN = 64.0  # px in which a wire gets from a port to its lane
_THICKNESS = {1: 1.8, 2: 2.2, 3: 2.35, 4: 2.5, 8: 2.8, 16: 3.2, 32: 3.6}  # bits an element -> px
_LABEL_ROOM = 120.0  # px between the ends that a label needs beyond its own width


@dataclass(frozen=True)
class WireFace:
    """What a wire shows.

    Attributes:
        type: port type, which gives the colour.
        bits: bits of one element, which give the thickness.
        conversion: what happens on it, in words, or "".
        words: what it carries, in words.
    """

    type: PortType
    bits: int
    conversion: str = ""
    words: str = ""


class WireItem(QGraphicsPathItem):
    """The line of a wire; the halo and the label are its children."""

    def __init__(self, wire: Wire | None, face: WireFace) -> None:
        super().__init__()
        self.wire, self.face = wire, face
        self.chosen = False
        self._ends: tuple[QPointF, QPointF, Route | None] | None = None
        self._halo = QGraphicsPathItem(self)
        self._halo.setFlag(QGraphicsItem.GraphicsItemFlag.ItemStacksBehindParent)
        self._label = QGraphicsSimpleTextItem(self)
        self._label.setFont(font(CAPTION))
        self._plate = QGraphicsPathItem(self._label)
        self._plate.setFlag(QGraphicsItem.GraphicsItemFlag.ItemStacksBehindParent)
        self._plate.setPen(Qt.PenStyle.NoPen)
        self.setZValue(1)
        self.dress()

    def show_face(self, face: WireFace) -> None:
        """Show another face; nothing is repainted where it is equal."""
        if face != self.face:
            self.face = face
            self.dress()

    def choose(self, chosen: bool) -> None:
        """Show whether it is the chosen wire."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.dress()

    def dress(self) -> None:
        """Take colour and thickness from the face and the theme."""
        t = theme().tokens
        thick = _THICKNESS.get(self.face.bits, 3.6)
        colour = QColor(t.accent if self.chosen else t.port(self.face.type))
        colour.setAlphaF(1.0 if self.chosen else 0.85)
        pen = QPen(colour, thick + (1.2 if self.chosen else 0.0))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if self.wire is None:
            pen.setStyle(Qt.PenStyle.DashLine)
        self.setPen(pen)
        self._halo.setPen(QPen(QColor(t.canvas), thick + 2 * _HALO))
        self._label.setBrush(QColor(t.low))
        self._plate.setBrush(QColor(t.canvas))
        self._label.setText(self.face.conversion)
        if self._ends:
            self._place_label()

    def lay(self, start: QPointF, end: QPointF, route: Route | None = None) -> None:
        """Run from an output at `start` to an input at `end`, straight or by a route."""
        if (start, end, route) == self._ends:
            return
        self._ends = (start, end, route)
        path = wire_path(start, end, route)
        self.setPath(path)
        self._halo.setPath(path)
        self._place_label()

    def near(self, area: QRectF) -> bool:
        """Whether the line itself, not the area it spans, runs through `area` of the scene."""
        spanned = self.path().boundingRect().adjusted(-1, -1, 1, 1)
        return spanned.intersects(area) and _touches(self.path(), area)

    def _place_label(self) -> None:
        path, box = self.path(), self._label.boundingRect()
        room = abs(self._ends[1].x() - self._ends[0].x()) if self._ends else 0.0
        shown = bool(self.face.conversion) and room >= box.width() + _LABEL_ROOM
        self._label.setVisible(shown)
        if shown:
            middle = path.pointAtPercent(0.5)
            self._label.setPos(middle.x() - box.width() / 2, middle.y() - box.height() / 2)
            plate = QPainterPath()
            plate.addRoundedRect(box.adjusted(-6, -2, 6, 2), 6, 6)
            self._plate.setPath(plate)


def wire_path(start: QPointF, end: QPointF, route: Route | None = None) -> QPainterPath:
    """Return the line of a wire: a curve, or by way of a route with round corners."""
    path = QPainterPath(start)
    if route is None:
        reach = QPointF(handle(start, end), 0)
        path.cubicTo(start + reach, end - reach, end)
        return path
    corners = [
        QPointF(route.leave, start.y()),
        QPointF(route.leave, route.lane),
        QPointF(route.arrive, route.lane),
        QPointF(route.arrive, end.y()),
    ]
    points = [start, *corners, end]
    for before, corner, after in zip(points, corners, points[2:], strict=False):
        path.lineTo(_towards(corner, before))
        path.quadTo(corner, _towards(corner, after))
    path.lineTo(end)
    return path


def _towards(corner: QPointF, other: QPointF) -> QPointF:
    gap = other - corner
    long = max(1e-6, (gap.x() ** 2 + gap.y() ** 2) ** 0.5)
    share = min(_BEND, long / 2) / long
    return QPointF(corner.x() + gap.x() * share, corner.y() + gap.y() * share)


def _touches(path: QPainterPath, area: QRectF) -> bool:
    steps = max(8, int(path.length() / 6))
    return any(area.contains(path.pointAtPercent(i / steps)) for i in range(steps + 1))

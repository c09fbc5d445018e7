"""The shapes of ports: each type has its own, so that colour is never the only sign."""

from __future__ import annotations

from functools import cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from app.canvas.shape import PORT
from engine.ports import PortType

_HOLLOW: tuple[PortType, ...] = ("real", "labels")


@cache
def port_path(given: PortType, grown: float = 0.0) -> QPainterPath:
    """Return the outline of a port type around (0, 0), grown by some pixels on each side."""
    r = PORT + grown
    path = QPainterPath()
    if given in ("real", "bits"):
        path.addEllipse(QPointF(0, 0), r, r)
    elif given == "hypervector":
        path.addPolygon(_ring(4, r * 1.25, 0.0))
    elif given == "spikes":
        path.addPolygon(_ring(3, r * 1.35, 0.0))
    elif given == "scores":
        path.addPolygon(_ring(6, r * 1.12, pi / 6))
    else:
        path.addRoundedRect(QRectF(-r * 0.9, -r * 0.9, 1.8 * r, 1.8 * r), 1.5, 1.5)
    path.closeSubpath()
    return path


def draw_port(painter: QPainter, at: QPointF, given: PortType, colour: QColor, ground: QColor) -> None:
    """Draw a port with a gap in the colour of the ground around it."""
    painter.save()
    painter.translate(at)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillPath(port_path(given, 2.5), ground)
    if given in _HOLLOW:
        painter.setPen(QPen(colour, 2))
        painter.setBrush(ground)
        painter.drawPath(port_path(given, -1.0))
    else:
        painter.fillPath(port_path(given), colour)
    painter.restore()


def _ring(corners: int, radius: float, start: float) -> QPolygonF:
    turn = 2 * pi / corners
    points = [QPointF(radius * cos(start + turn * i), radius * sin(start + turn * i)) for i in range(corners)]
    return QPolygonF([*points, points[0]])

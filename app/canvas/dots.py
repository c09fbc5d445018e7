"""The grid of dots under the graph, as a brush of one tile: what repaints fastest."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPixmap

from app.theme.current import theme

_GAP = 24  # px between dots


def dots() -> QBrush:
    """Return the brush in the colours of the theme."""
    t = theme().tokens
    tile = QPixmap(_GAP, _GAP)
    tile.fill(QColor(t.canvas))
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(t.dot))
    painter.drawEllipse(QPointF(_GAP / 2, _GAP / 2), 1.2, 1.2)
    painter.end()
    return QBrush(tile)

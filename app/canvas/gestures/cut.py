"""Cutting wires with a stroke."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from app.canvas.edits import unwire
from app.canvas.gestures.gesture import Gesture, Ground
from app.theme.current import theme


class Cut(Gesture):
    """Removes every wire that the stroke crosses."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, ground: Ground, at: QPointF) -> None:
        super().__init__(ground)
        self._stroke = QPainterPath(at)
        self._line = QGraphicsPathItem(self._stroke)
        pen = QPen(theme().colour("error"), 1.6, Qt.PenStyle.DashLine)
        pen.setCosmetic(True)
        self._line.setPen(pen)
        self._line.setZValue(9)
        self.scene.addItem(self._line)

    def move(self, at: QPointF, screen: QPoint, keys: Qt.KeyboardModifier) -> None:
        self._stroke.lineTo(at)
        self._line.setPath(self._stroke)

    def release(self, at: QPointF) -> None:
        self.scene.removeItem(self._line)
        blade = QPainterPathStroker(QPen(Qt.GlobalColor.black, 1.0)).createStroke(self._stroke)
        cut = [wire for wire, item in self.scene.wires.items() if _crosses(item.path(), blade)]
        if cut:
            unwire(self.document, cut)

    def cancel(self) -> None:
        self.scene.removeItem(self._line)


def _crosses(line: QPainterPath, blade: QPainterPath) -> bool:
    if not line.boundingRect().adjusted(-1, -1, 1, 1).intersects(blade.boundingRect()):
        return False
    return QPainterPathStroker(QPen(Qt.GlobalColor.black, 1.0)).createStroke(line).intersects(blade)

"""Selecting nodes with a box."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QGraphicsRectItem

from app.canvas.gestures.gesture import Gesture, Ground
from app.theme.current import theme


class BoxSelect(Gesture):
    """Selects the nodes that a box touches, on top of `kept`."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, ground: Ground, at: QPointF, kept: tuple[str, ...]) -> None:
        super().__init__(ground)
        self._from, self._kept, self._before = at, kept, self.document.selection
        self._box = QGraphicsRectItem()
        pen = QPen(theme().colour("accent"), 1)
        pen.setCosmetic(True)
        self._box.setPen(pen)
        self._box.setBrush(theme().colour("accent", 0.12))
        self._box.setZValue(9)
        self.scene.addItem(self._box)

    def move(self, at: QPointF, screen: QPoint, keys: Qt.KeyboardModifier) -> None:
        area = QRectF(self._from, at).normalized()
        self._box.setRect(area)
        self.document.select((*self._kept, *self.scene.within(area)))

    def release(self, at: QPointF) -> None:
        self.scene.removeItem(self._box)

    def cancel(self) -> None:
        self.scene.removeItem(self._box)
        self.document.select(self._before)

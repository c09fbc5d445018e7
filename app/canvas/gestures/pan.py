"""Moving what is shown."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt

from app.canvas.gestures.gesture import Gesture, Ground


class Pan(Gesture):
    """Drags the canvas along with the pointer."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, ground: Ground, screen: QPoint) -> None:
        super().__init__(ground)
        self._last = screen

    def move(self, at: QPointF, screen: QPoint, keys: Qt.KeyboardModifier) -> None:
        self.ground.scroll_by(screen - self._last)
        self._last = screen

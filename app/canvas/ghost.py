"""Where a node that is dragged from the palette would go."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsScene

from app.canvas.edits import snapped
from app.canvas.face import Face
from app.canvas.node_item import NodeItem


class Ghost:
    """Draws the node faintly on the canvas, on the grid."""

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self._item: NodeItem | None = None

    def show_at(self, face: Face | None, centre: QPointF) -> None:
        """Show a face around a point; None takes it away."""
        if self._item and (face is None or face != self._item.face):
            self._scene.removeItem(self._item)
            self._item = None
        if face is None:
            return
        if self._item is None:
            self._item = NodeItem(face)
            self._item.setOpacity(0.6)
            self._item.setZValue(8)
            self._scene.addItem(self._item)
        self._item.setPos(snapped(centre - self._item.shape_.box.center()))

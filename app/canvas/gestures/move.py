"""Moving nodes."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt

from app.canvas.edits import snapped
from app.canvas.gestures.gesture import Gesture, Ground
from app.theme.figures import plural
from engine.graph import Graph

_STILL = 4.0  # px of the window that a press may wander without being a drag


class MoveNodes(Gesture):
    """Drags the selected nodes on the grid; Alt lets go of the grid. The document hears of it at the end."""

    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, ground: Ground, at: QPointF, grabbed: str) -> None:
        super().__init__(ground)
        self._from, self._grabbed, self._moving = at, grabbed, False
        names = self.document.selection
        self._places = {name: self.scene.nodes[name].pos() for name in names}

    def move(self, at: QPointF, screen: QPoint, keys: Qt.KeyboardModifier) -> None:
        gap = at - self._from
        if not self._moving and (abs(gap.x()) + abs(gap.y())) * self.ground.zoom() < _STILL:
            return
        self._moving = True
        start = self._places[self._grabbed]
        free = bool(keys & Qt.KeyboardModifier.AltModifier)
        step = gap if free else snapped(start + gap) - start
        for name, place in self._places.items():
            self.scene.nodes[name].setPos(place + step)
        self.scene.lay_wires(self._places)

    def release(self, at: QPointF) -> None:
        if self._moving:
            places = {name: self.scene.nodes[name].pos() for name in self._places}
            graph = self.document.graph.move({name: (p.x(), p.y()) for name, p in places.items()})
            self.document.edit(f"Move {plural(len(places), 'node')}", graph)
            self.scene.lay_wires()
            self.scene.laid_out.emit()

    def cancel(self) -> None:
        for name, place in self._places.items():
            self.scene.nodes[name].setPos(place)
        self.scene.lay_wires()

    def outlives(self, after: Graph) -> bool:
        there = {name: after.placed(name) for name in self._places if name in after.nodes}
        return {name: QPointF(at.x, at.y) for name, at in there.items()} == self._places

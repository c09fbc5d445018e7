"""What every gesture is, and the canvas as a gesture sees it."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, Qt

from app.canvas.scene import Scene
from app.document import Document
from engine.graph import Graph


class Ground(Protocol):
    """The canvas under a gesture."""

    document: Document
    graph_scene: Scene

    def zoom(self) -> float:
        """Return the zoom."""
        ...

    def scroll_by(self, gap: QPoint) -> None:
        """Move what is shown by some pixels of the window."""
        ...

    def hint(self, words: str) -> None:
        """Show a sentence beside the pointer, none where empty."""
        ...

    def refuse(self, words: str) -> None:
        """Say why something was not done."""
        ...

    def ask_for_node(self, at: QPointF, wired_to: tuple[str, str, bool] | None = None) -> None:
        """Open quick add at a point of the scene."""
        ...


class Gesture:
    """Base of the gestures."""

    cursor = Qt.CursorShape.ArrowCursor

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    @property
    def scene(self) -> Scene:
        """Return the scene."""
        return self.ground.graph_scene

    @property
    def document(self) -> Document:
        """Return the document."""
        return self.ground.document

    def move(self, at: QPointF, screen: QPoint, keys: Qt.KeyboardModifier) -> None:
        """The pointer moved to `at` in the scene, `screen` in the window."""
        raise NotImplementedError

    def release(self, at: QPointF) -> None:
        """The button was released: do it."""

    def cancel(self) -> None:
        """Leave everything as it was."""

    def outlives(self, after: Graph) -> bool:
        """Return whether it may go on once the graph is `after`: whether all that it holds on to is there."""
        return True

"""A field over a node's title."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGraphicsView, QLineEdit

from app.canvas import edits
from app.canvas.node_item import NodeItem
from app.canvas.shape import HEADER
from app.document import Document
from app.theme.fonts import BASE, font
from engine.errors import GraphError


class RenameField(QLineEdit):
    """Renames a node on Enter or when it loses the focus; Escape leaves the name as it was."""

    def __init__(self, view: QGraphicsView, document: Document, name: str) -> None:
        super().__init__(name, view)
        self._view, self._document, self._name = view, document, name
        self._refuse: Callable[[str], None] = lambda _words: None
        self._done = False
        self.setFont(font(BASE, 600))
        self.setObjectName("rename")
        self.setAccessibleName("Name of the node")
        self.editingFinished.connect(self._finish)
        self.installEventFilter(self)

    def open_over(self, item: NodeItem, refuse: Callable[[str], None]) -> None:
        """Show it over a node's title; `refuse` hears why a name cannot be."""
        self._refuse = refuse
        corner = self._view.mapFromScene(item.pos())
        self.setGeometry(corner.x() + 6, corner.y() + 2, max(180, int(item.shape_.width)), HEADER)
        self.selectAll()
        self.show()
        self.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self._close()
            return True
        return super().eventFilter(watched, event)

    def _finish(self) -> None:
        if self._done:
            return
        words = self.text()
        self._close()
        try:
            edits.rename(self._document, self._name, words)
        except GraphError as error:
            self._refuse(str(error))

    def _close(self) -> None:
        self._done = True
        self.hide()
        self.deleteLater()
        self._view.setFocus()

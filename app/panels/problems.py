"""The problems panel: everything wrong with the graph and what to do; a click selects the node."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.document import Document
from app.panels.checks import ICONS, TONES
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import on_theme
from app.theme.fonts import BASE, font
from app.theme.icons import icon
from engine.graph import Problem


class ProblemsPanel(Emptiable):
    """Lists the problems of the document's graph, and what was odd about its data files.

    Signals:
        counted: how many problems there are now.
    """

    counted = Signal(int)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(EmptyState("ph.check-circle", "", ""), parent)
        self._document = document
        self._shown: tuple[Problem, ...] = ()
        self.list = QListWidget()
        self.list.setFont(font(BASE))
        self.list.setIconSize(QSize(16, 16))
        self.list.setWordWrap(True)
        self.list.setAccessibleName("Problems")
        column = QVBoxLayout(self.content)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.list)
        self.list.itemClicked.connect(self._select)
        self.list.itemActivated.connect(self._select)
        document.changed.connect(self._refresh)
        document.file_changed.connect(self._refresh)
        on_theme(self, self._fill)
        self._refresh()

    @property
    def count(self) -> int:
        """Return how many problems are shown; the tab shows it."""
        return len(self._shown)

    def _refresh(self) -> None:
        notes = tuple(Problem("", words, level="warning") for words in self._document.project.notes)
        found = (*self._document.problems(), *notes)
        if found != self._shown:
            self._shown = found
            self._fill()
            self.counted.emit(len(found))
        self.show_empty(not found)
        if self._document.graph.nodes:
            self.empty.say("No problems", "The graph is whole and can be trained.")
        else:
            self.empty.say("Nothing to check yet", "Drag a node from the palette onto the canvas.")

    def _fill(self) -> None:
        self.list.clear()
        for problem in self._shown:
            item = QListWidgetItem(icon(ICONS[problem.level], TONES[problem.level]), str(problem))
            item.setData(Qt.ItemDataRole.UserRole, problem.node)
            where = f"Click to select {problem.node}" if problem.node else ""
            item.setToolTip(where)
            self.list.addItem(item)

    def _select(self, item: QListWidgetItem) -> None:
        name = item.data(Qt.ItemDataRole.UserRole)
        if name:
            self._document.select((name,))

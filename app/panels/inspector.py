"""The inspector: a page for what is selected, built from declared fields, kept in step with the document."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.document import Document
from app.panels.node_page import NodePage
from app.panels.probing import Probing
from app.panels.project_page import ProjectPage
from app.panels.several_page import SeveralPage, common_widths

Page = NodePage | SeveralPage | ProjectPage
_WIDTH = 328


class InspectorPanel(QWidget):
    """Shows and edits what is selected; the project itself while nothing is.

    Signals:
        rules_wanted: the name of a node, and whether its `rules` or `packs` are to be edited on a page.
        quantizing_wanted: the trained run is to be quantized.
    """

    rules_wanted = Signal(str, str)
    quantizing_wanted = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(280)
        self.probing = Probing(document, self)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.viewport().setAutoFillBackground(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)
        self.page: Page = self._made()
        self._put(self.page)
        document.selection_changed.connect(self._refresh)
        document.changed.connect(self._refresh)
        document.file_changed.connect(self._refresh)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, 600)

    def wait(self) -> None:
        """Let go of what runs beside the window; it calls this when it closes."""
        self.probing.wait()

    def _refresh(self) -> None:
        if self._fits(self.page):
            self.page.refresh()
            return
        self.page = self._made()
        self._put(self.page)

    def _put(self, page: Page) -> None:
        before = self._scroll.takeWidget()
        if before is not None:
            before.hide()
            before.deleteLater()
        self._scroll.setWidget(page)
        page.setAutoFillBackground(False)  # setWidget turns it on, in the colour of the window

    def _fits(self, page: Page) -> bool:
        names, graph = self._names(), self._document.graph
        if isinstance(page, NodePage):
            return (
                names == (page.name,)
                and page.name in graph.nodes
                and type(graph.node(page.name)) is page.kind
            )
        if isinstance(page, SeveralPage):
            return names == page.names and page.shared == common_widths(graph, names)
        return not names

    def _made(self) -> Page:
        names = self._names()
        if len(names) == 1:
            page = NodePage(self._document, names[0], self.probing)
            page.rules_wanted.connect(lambda form: self.rules_wanted.emit(page.name, form))
            return page
        if names:
            return SeveralPage(self._document, names)
        whole = ProjectPage(self._document)
        whole.quantizing_wanted.connect(self.quantizing_wanted)
        return whole

    def _names(self) -> tuple[str, ...]:
        """Return what is selected and still there: the document says `changed` before it selects anew."""
        return tuple(name for name in self._document.selection if name in self._document.graph.nodes)

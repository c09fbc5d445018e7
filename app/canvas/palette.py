"""The palette: every kind of node by section, to filter, drag onto the canvas, or add by double click."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSettings, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.canvas.blocks import PREFIX, SHELF, block_of
from app.canvas.quick_add import kind_aside
from app.search import matches
from app.theme.current import theme
from app.theme.fonts import BASE, font, section
from app.theme.icons import icon
from engine.catalog import NODES, SECTIONS, shelf_of
from engine.node import Node
from engine.templates import TEMPLATES, Template

_KIND = Qt.ItemDataRole.UserRole
_SHELF = Qt.ItemDataRole.UserRole + 1
_ROW, _HEADING = 26, 28  # px
_KEY = "palette/closed"
_LAST_LAYER = [kind for kind, node in NODES.items() if node.family == "bnn"][-1]  # blocks come after it


class Palette(QWidget):
    """Lists the kinds of nodes under headings that open and close; a search opens what it finds.

    Signals:
        chosen: a kind was double-clicked, or Enter was pressed on it.
        dragged: (kind, point of the screen) while one is dragged.
        dropped: (kind, point of the screen) where it was let go.
        given_up: a drag ended with Escape.
    """

    chosen = Signal(str)
    dragged = Signal(str, QPoint)
    dropped = Signal(str, QPoint)
    given_up = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        heading = QLabel("Nodes")
        heading.setFont(section())
        heading.setProperty("tone", "low")
        self.filter = QLineEdit(placeholderText="Filter", clearButtonEnabled=True)
        self.filter.setAccessibleName("Filter the nodes")
        self._lead = self.filter.addAction(
            icon("ph.funnel-simple", "low"), QLineEdit.ActionPosition.LeadingPosition
        )
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(8)
        self.tree.setRootIsDecorated(False)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.setIconSize(QSize(17, 17))
        self.tree.setAccessibleName("Kinds of nodes")
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._closed = _kept()
        self._none = QLabel("No node has that name, paradigm or paper.")
        self._none.setProperty("tone", "low")
        self._none.setWordWrap(True)
        self._none.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 14, 8, 8)
        column.setSpacing(8)
        for widget in (heading, self.filter, self._none, self.tree):
            column.addWidget(widget, 1 if widget is self.tree else 0)
        self._drag = _Drag(self)
        self.tree.viewport().installEventFilter(self._drag)
        self.tree.installEventFilter(self._drag)
        self.filter.textChanged.connect(self._sift)
        self.filter.returnPressed.connect(self._choose_first)
        self.tree.itemActivated.connect(self._activate)
        self.tree.itemClicked.connect(self._press)
        theme().changed.connect(self._fill)
        self._fill()

    def kind_at(self, at: QPoint) -> str:
        """Return the kind under a point of the list, "" where there is none."""
        item = self.tree.itemAt(at)
        return str(item.data(0, _KIND) or "") if item else ""

    def row_of(self, kind: str) -> QPoint:
        """Return the middle of the row of a kind, in the list's viewport."""
        return self.tree.visualItemRect(self._items[kind]).center()

    def _fill(self) -> None:
        self.tree.clear()
        self._items: dict[str, QTreeWidgetItem] = {}
        self._lead.setIcon(icon("ph.funnel-simple", "low"))
        heads: dict[str, QTreeWidgetItem] = {}
        for kind, node in NODES.items():
            shelf = shelf_of(node)
            if shelf not in heads:
                heads[shelf] = self._head(shelf)
            self._add(heads[shelf], kind, node)
            if kind == _LAST_LAYER:
                heads[SHELF] = self._head(SHELF)
                for key, block in TEMPLATES.items():
                    self._add(heads[SHELF], PREFIX + key, block)
        self._heads = list(heads.values())
        self._sift(self.filter.text())

    def _head(self, title: str) -> QTreeWidgetItem:
        head = QTreeWidgetItem([title])
        head.setData(0, _SHELF, title)
        head.setFont(0, section())
        head.setForeground(0, theme().colour("low"))
        head.setSizeHint(0, QSize(0, _HEADING))
        head.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.tree.addTopLevelItem(head)
        return head

    def _add(self, head: QTreeWidgetItem, kind: str, node: type[Node] | Template) -> None:
        item = QTreeWidgetItem([node.title])
        item.setData(0, _KIND, kind)
        item.setFont(0, font(BASE))
        item.setIcon(0, icon(node.icon, theme().tokens.family(node.family)))
        item.setSizeHint(0, QSize(0, _ROW))
        item.setToolTip(0, "\n".join(t for t in (node.summary, _aside(node), node.citation) if t))
        head.addChild(item)
        self._items[kind] = item

    def _sift(self, words: str) -> None:
        for kind, item in self._items.items():
            item.setHidden(not matches(words, *_texts(kind)))
        for head in self._heads:
            children = [item for item in self._items.values() if item.parent() is head]
            head.setHidden(all(item.isHidden() for item in children))
            self._open(head, bool(words) or head.data(0, _SHELF) not in self._closed)
        self._none.setVisible(all(item.isHidden() for item in self._items.values()))

    def _choose_first(self) -> None:
        shown = [kind for kind, item in self._items.items() if not item.isHidden()]
        titled = [kind for kind in shown if matches(self.filter.text(), _texts(kind)[0])]
        for kind in (titled or shown)[:1]:
            self.chosen.emit(kind)

    def _activate(self, item: QTreeWidgetItem) -> None:
        kind = item.data(0, _KIND)
        if kind:
            self.chosen.emit(kind)
        else:
            self._press(item)

    def _press(self, item: QTreeWidgetItem) -> None:
        """Open or close a section, and remember that unless a search is what opened it."""
        if item.parent() is not None:
            return
        wanted = not item.isExpanded()
        self._open(item, wanted)
        if not self.filter.text():
            shelf = item.data(0, _SHELF)
            self._closed = self._closed - {shelf} if wanted else self._closed | {shelf}
            QSettings().setValue(_KEY, sorted(self._closed))

    def _open(self, head: QTreeWidgetItem, wanted: bool) -> None:
        """Open or close a section; a closed one says how many kinds are in it."""
        head.setExpanded(wanted)
        title = head.data(0, _SHELF)
        head.setText(0, title if wanted else f"{title} · {head.childCount()}")
        head.setIcon(0, icon("ph.caret-down" if wanted else "ph.caret-right", "low"))


def _kept() -> frozenset[str]:
    """Return the sections that were closed when the program ran last."""
    kept = QSettings().value(_KEY, [])
    return frozenset([kept] if isinstance(kept, str) else kept if isinstance(kept, list) else [])


def _texts(kind: str) -> tuple[str, ...]:
    """Return what a kind is found by: its name first, then what it does, its paradigm, its paper."""
    block = block_of(kind)
    node = block or NODES[kind]
    paper = node.citation.replace(":", " ")
    shelf = SHELF if block else shelf_of(NODES[kind])
    return node.title, node.summary, SECTIONS[node.family], shelf, kind, paper


def _aside(node: type[Node] | Template) -> str:
    return "A block of several nodes" if isinstance(node, Template) else kind_aside(node)


class _Drag(QObject):
    """Dragging a row: the pointer is followed by hand, so that the canvas can show where it would go."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._palette = palette
        self._kind, self._from, self._going = "", QPoint(), False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self._going:
            self._kind, self._going = "", False
            self._palette.given_up.emit()
            return True
        return False

    def _mouse(self, event: QMouseEvent) -> bool:
        at = event.position().toPoint()
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._kind, self._from, self._going = self._palette.kind_at(at), at, False
        elif kind == QEvent.Type.MouseMove and self._kind and event.buttons() & Qt.MouseButton.LeftButton:
            far = (at - self._from).manhattanLength() >= QApplication.startDragDistance()
            self._going = self._going or far
            if self._going:
                self._palette.dragged.emit(self._kind, event.globalPosition().toPoint())
                return True
        elif kind == QEvent.Type.MouseButtonRelease and self._going:
            dropped, self._kind, self._going = self._kind, "", False
            self._palette.dropped.emit(dropped, event.globalPosition().toPoint())
        return False

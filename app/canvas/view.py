"""The canvas itself: shows the scene, and turns mouse and keys into gestures."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QToolTip

from app.canvas import edits
from app.canvas.blocks import block_of, ghost_face, insert_block
from app.canvas.dots import dots
from app.canvas.empty import EmptyCanvas
from app.canvas.gestures.cut import Cut
from app.canvas.gestures.gesture import Gesture
from app.canvas.gestures.move import MoveNodes
from app.canvas.gestures.pan import Pan
from app.canvas.gestures.select import BoxSelect
from app.canvas.gestures.wire import DragWire, End
from app.canvas.ghost import Ghost
from app.canvas.overlays import Hint, Legend, Minimap
from app.canvas.quick_add import find_kinds
from app.canvas.rename import RenameField
from app.canvas.scene import Scene
from app.canvas.tooltips import tooltip
from app.document import Document
from app.search import SearchPopup
from app.theme.current import theme
from engine.graph import Graph

_LEAST, _MOST, _STEP = 0.1, 3.0, 1.0015  # zooms; per unit of the wheel
_DOTS_FROM = 0.45  # the zoom below which the dots of the grid are left out
_WORLD = QRectF(-40_000, -40_000, 80_000, 80_000)
_MARGIN = 16
_MAP_FROM = 640, 360  # px across and down; in a smaller canvas the map would hide what it is a map of
_NUDGES = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}


class CanvasView(QGraphicsView):
    """Shows and edits the graph of a document.

    Signals:
        zoom_changed: the zoom, 1.0 is 100 %.
        refused: why something was not done, in a sentence.
        menu_wanted: (point of the screen, node or "") where a context menu is asked for.
        opened: a node was double-clicked.
    """

    zoom_changed = Signal(float)
    refused = Signal(str)
    menu_wanted = Signal(QPoint, str)
    opened = Signal(str)

    def __init__(self, document: Document) -> None:
        self.document = document
        self.graph_scene = Scene(document)
        super().__init__(self.graph_scene)
        self.graph_scene.setParent(self)  # they go together
        self._gesture: Gesture | None = None
        self._space = False
        self._pointer = QPoint()
        self.popup: SearchPopup | None = None
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self._ghost = Ghost(self.graph_scene)
        self.legend, self.minimap = Legend(self), Minimap(self, self.graph_scene)
        self._hint, self.empty = Hint(self), EmptyCanvas(self)
        self.minimap.asked.connect(self.centerOn)
        self.graph_scene.laid_out.connect(self._outline)
        document.changed.connect(self._show_empty)
        document.about_to_change.connect(self._let_go)
        theme().changed.connect(self._dress)
        self.setSceneRect(_WORLD)  # scrolls, and so needs everything above
        self._dress()
        self._show_empty()

    # What is shown

    def zoom(self) -> float:
        """Return the zoom, 1.0 is 100 %."""
        return self.transform().m11()

    def set_zoom(self, zoom: float) -> None:
        """Zoom around the middle of what is shown."""
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self._scale_to(zoom)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)

    def fit(self, *, selection: bool = False) -> None:
        """Show the whole graph, or the selected nodes, at 100 % at most."""
        names = self.document.selection if selection and self.document.selection else None
        area = self.graph_scene.extent(names)
        if area.isEmpty():
            area = QRectF(0, 0, 10, 10)
        below = self.legend.height() + 2 * _MARGIN if self.legend.isVisibleTo(self) else 28
        room = self.viewport().rect().adjusted(28, 28, -28, -below)
        zoom = min(1.0, room.width() / area.width(), room.height() / area.height())
        self.set_zoom(max(zoom, _LEAST))
        lower = (self.viewport().rect().center() - room.center()).y() / self.zoom()
        self.centerOn(area.center() + QPointF(0, lower))

    def scroll_by(self, gap: QPoint) -> None:
        """Move what is shown by some pixels of the window."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - gap.x())
        down.setValue(down.value() - gap.y())

    def scene_point(self, screen: QPoint) -> QPointF | None:
        """Return the point of the scene under a point of the screen, or None outside the canvas."""
        at = self.viewport().mapFromGlobal(screen)
        return self.mapToScene(at) if self.viewport().rect().contains(at) else None

    def pointer(self) -> QPointF:
        """Return where the pointer is in the scene; the middle of what is shown where it is elsewhere."""
        inside = self.viewport().rect().contains(self._pointer) and not self._pointer.isNull()
        return self.mapToScene(self._pointer if inside else self.viewport().rect().center())

    # What gestures ask for

    def hint(self, words: str) -> None:
        """Show a sentence beside the pointer, none where empty."""
        self._hint.say(words, self._pointer)

    def refuse(self, words: str) -> None:
        """Say why something was not done."""
        self.refused.emit(words)

    def ask_for_node(self, at: QPointF, wired_to: tuple[str, str, bool] | None = None) -> None:
        """Open quick add at a point of the scene, among the kinds that a port fits where one is given."""
        choose = partial(self._add, at=at, wired_to=wired_to)
        if wired_to:
            name, port_name, output = wired_to
            port = self.document.graph.node(name).port(port_name, output=output)
            find = partial(find_kinds, choose=choose, port=port, output=output)
        else:
            find = partial(find_kinds, choose=choose)
        self.popup = SearchPopup(self, find, "Search nodes")
        self.popup.closed.connect(self._popup_gone)
        self.popup.open_at(self.mapFromScene(at))

    def add_kind(self, kind: str) -> str:
        """Add a node, or a block, where there is room, and bring it into view."""
        block = block_of(kind)
        if block:
            middle = self.mapToScene(self.viewport().rect().center())
            names = insert_block(self.document, block, middle, feed=True)
            self.ensureVisible(self.graph_scene.extent(names), 24, 24)
            return names[0]
        centre = edits.free_place(self.document, kind, self.mapToScene(self.viewport().rect().center()))
        name = edits.add(self.document, kind, centre)
        self.ensureVisible(self.graph_scene.nodes[name].box(), 24, 24)
        return name

    def drag_kind(self, kind: str, screen: QPoint) -> bool:
        """Show where a node would go while it is dragged over; return whether it may be dropped here."""
        at = self.scene_point(screen)
        self._ghost.show_at(ghost_face(kind) if at else None, at or QPointF())
        return at is not None

    def drop_kind(self, kind: str, screen: QPoint) -> str | None:
        """Add a node where it was dropped, and return its name; None outside the canvas."""
        self.end_drag()
        at = self.scene_point(screen)
        if at is None:
            return None
        self.setFocus()
        block = block_of(kind)
        return insert_block(self.document, block, at)[0] if block else edits.add(self.document, kind, at)

    def end_drag(self) -> None:
        """Take the picture of a dragged node away."""
        self._ghost.show_at(None, QPointF())

    def rename(self, name: str) -> None:
        """Open a field over a node's title."""
        if name in self.graph_scene.nodes:
            RenameField(self, self.document, name).open_over(self.graph_scene.nodes[name], self.refuse)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None:
            return
        screen, at = event.position().toPoint(), self.mapToScene(event.position().toPoint())
        self._pointer = screen
        if event.button() == Qt.MouseButton.MiddleButton or (
            self._space and event.button() == Qt.MouseButton.LeftButton
        ):
            self._begin(Pan(self, screen))
        elif event.button() == Qt.MouseButton.LeftButton:
            self._begin(self._gesture_for(at, event.modifiers()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().toPoint()
        at = self.mapToScene(self._pointer)
        if self._gesture:
            self._gesture.move(at, self._pointer, event.modifiers())
            return
        over_port = self.graph_scene.port_at(at) is not None
        self.viewport().setCursor(Qt.CursorShape.CrossCursor if over_port else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().toPoint()
        if self._gesture:
            gesture, self._gesture = self._gesture, None
            gesture.release(self.mapToScene(self._pointer))
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = self.mapToScene(event.position().toPoint())
        name = self.graph_scene.node_at(at)
        if event.button() != Qt.MouseButton.LeftButton or self.graph_scene.port_at(at):
            return
        if name:
            self.opened.emit(name)
        elif self.graph_scene.wire_at(at, self.zoom()) is None:
            self.ask_for_node(at)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.scroll_by(QPoint(turned.y() or turned.x(), 0))
        else:
            self._scale_to(self.zoom() * _STEP ** turned.y())
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        at = self.mapToScene(event.pos())
        name = self.graph_scene.node_at(at) or ""
        if name and name not in self.document.selection:
            self.document.select([name])
        if not name:
            self.graph_scene.choose(self.graph_scene.wire_at(at, self.zoom()))
        self._pointer = event.pos()
        self.menu_wanted.emit(event.globalPos(), name)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self._escape()
        elif key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = True
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif key in _NUDGES:
            far = edits.GRID * (4 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
            edits.nudge(self.document, _NUDGES[key] * far)
        elif key == Qt.Key.Key_Tab:
            self.ask_for_node(self.pointer())
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return False if forward else super().focusNextPrevChild(forward)

    # Qt's calls

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = tooltip(self.graph_scene, self.mapToScene(event.pos()), self.zoom())
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.rect()
        self.legend.move(_MARGIN, room.bottom() - self.legend.height() - _MARGIN)
        corner = QPoint(self.minimap.width() + _MARGIN, self.minimap.height() + _MARGIN)
        self.minimap.move(room.bottomRight() - corner)
        self.legend.setVisible(room.width() > self.legend.width() + self.minimap.width() + 3 * _MARGIN)
        self.empty.put_in_the_middle()
        self._outline()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._outline()

    # Inside

    def _gesture_for(self, at: QPointF, keys: Qt.KeyboardModifier) -> Gesture | None:
        scene, more = self.graph_scene, bool(keys & Qt.KeyboardModifier.ShiftModifier)
        port = scene.port_at(at)
        if port:
            return DragWire(self, End(*port))
        name = scene.node_at(at)
        wire = None if name else scene.wire_at(at, self.zoom())
        scene.choose(wire)
        if name:
            return self._press_node(name, at, toggle=more or bool(keys & Qt.KeyboardModifier.ControlModifier))
        if wire:
            self.document.select(())
            return None
        if keys & Qt.KeyboardModifier.ControlModifier:
            return Cut(self, at)
        kept = self.document.selection if more else ()
        self.document.select(kept)
        return BoxSelect(self, at, kept)

    def _press_node(self, name: str, at: QPointF, *, toggle: bool) -> Gesture | None:
        chosen = self.document.selection
        if toggle:
            self.document.select([n for n in chosen if n != name] if name in chosen else [*chosen, name])
            return None
        if name not in chosen:
            self.document.select([name])
        return MoveNodes(self, at, name)

    def _begin(self, gesture: Gesture | None) -> None:
        self._gesture = gesture
        if gesture:
            self.viewport().setCursor(gesture.cursor)

    def _escape(self) -> None:
        if self._gesture:
            self._give_up()
        else:
            self.document.select(())
            self.graph_scene.choose(None)

    def _let_go(self, after: Graph) -> None:
        """End a gesture whose nodes are about to change under it: by an undo, a delete, another project."""
        if self._gesture and not self._gesture.outlives(after):
            self._give_up()

    def _give_up(self) -> None:
        if self._gesture:
            self._gesture.cancel()
            self._gesture = None
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)

    def _add(self, kind: str, at: QPointF, wired_to: tuple[str, str, bool] | None) -> None:
        edits.add(self.document, kind, at, wired_to)
        self.setFocus()

    def _popup_gone(self) -> None:
        self.popup = None
        self.setFocus()

    def _scale_to(self, zoom: float) -> None:
        before = self.zoom()
        after = min(_MOST, max(_LEAST, zoom))
        self.scale(after / before, after / before)
        if (before < _DOTS_FROM) != (after < _DOTS_FROM):
            self._dress()
        self._outline()
        self.zoom_changed.emit(after)

    def _outline(self) -> None:
        seen = self.mapToScene(self.viewport().rect()).boundingRect()
        self.minimap.show_view(seen)
        self._show_minimap(seen)

    def _show_minimap(self, seen: QRectF) -> None:
        """Show the map where it helps: not in a small canvas, nor over nodes while all of them are seen."""
        room, under = self.rect(), self.mapToScene(self.minimap.geometry()).boundingRect()
        scene = self.graph_scene
        covers = any(item.box().intersects(under) for item in scene.nodes.values())
        wanted = room.width() > _MAP_FROM[0] and room.height() > _MAP_FROM[1]
        self.minimap.setVisible(wanted and not (covers and seen.contains(scene.extent())))

    def _show_empty(self) -> None:
        self.empty.setVisible(not self.document.graph.nodes)

    def _dress(self) -> None:
        plain = self.zoom() < _DOTS_FROM
        self.setBackgroundBrush(QColor(theme().tokens.canvas) if plain else dots())

"""The scene: follows the document, item for item, and never rebuilds what has not changed."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtWidgets import QGraphicsScene

from app.canvas.face import faces
from app.canvas.node_item import NodeItem
from app.canvas.routing import Router
from app.canvas.wire_item import WireFace, WireItem
from app.document import Document
from app.theme.current import theme
from engine.graph import Graph, Wire

_NEAR = 6.0  # px around a press that take a wire


class Scene(QGraphicsScene):
    """Shows the graph of a document.

    Signals:
        laid_out: items were added, removed or moved.
    """

    laid_out = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.nodes: dict[str, NodeItem] = {}
        self.wires: dict[Wire, WireItem] = {}
        self.chosen: Wire | None = None
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        document.changed.connect(self.follow)
        document.selection_changed.connect(self._follow_selection)
        theme().changed.connect(self._dress)
        self.follow()

    # Following the document

    def follow(self) -> None:
        """Show the graph as it is now; only what differs is touched."""
        graph = self.document.graph
        moved = self._follow_nodes(graph)
        moved = self._follow_wires(graph) or moved
        self._follow_selection()
        if moved:
            self.lay_wires()
            self.laid_out.emit()

    def lay_wires(self, names: Iterable[str] | None = None) -> None:
        """Run the wires of these nodes (all where None) between their ports as they stand now."""
        wanted = None if names is None else set(names)
        router = Router(item.box() for item in self.nodes.values())
        for wire, item in self.wires.items():
            if wanted is None or wire.source in wanted or wire.target in wanted:
                start = self.nodes[wire.source].port_scene(wire.output, output=True)
                end = self.nodes[wire.target].port_scene(wire.input, output=False)
                item.lay(start, end, router.route(start, end))

    def choose(self, wire: Wire | None) -> None:
        """Choose one wire, or none."""
        self.chosen = wire
        for key, item in self.wires.items():
            item.choose(key == wire)

    # Questions

    def node_at(self, at: QPointF) -> str | None:
        """Return the node under a point of the scene, the topmost, or None."""
        hit = [item for item in self.nodes.values() if item.box().contains(at)]
        return max(hit, key=lambda item: item.zValue()).face.name if hit else None

    def port_at(self, at: QPointF) -> tuple[str, str, bool] | None:
        """Return the port near a point as (node, port, is output), or None."""
        for name, item in self.nodes.items():
            if item.sceneBoundingRect().contains(at):
                found = item.port_at(at)
                if found:
                    return name, *found
        return None

    def wire_at(self, at: QPointF, zoom: float = 1.0) -> Wire | None:
        """Return the wire under a point, or None."""
        reach = _NEAR / max(zoom, 0.1)
        area = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)
        return next((wire for wire, item in self.wires.items() if item.near(area)), None)

    def within(self, area: QRectF) -> tuple[str, ...]:
        """Return the nodes that an area of the scene touches."""
        return tuple(name for name, item in self.nodes.items() if item.box().intersects(area))

    def extent(self, names: Iterable[str] | None = None) -> QRectF:
        """Return the area that these nodes (all where None) take."""
        area = QRectF()
        for name in self.nodes if names is None else names:
            area = area.united(self.nodes[name].box())
        return area

    # Inside

    def _follow_nodes(self, graph: Graph) -> bool:
        moved = False
        for name in [name for name in self.nodes if name not in graph.nodes]:
            self.removeItem(self.nodes.pop(name))
            moved = True
        for name, face in faces(graph, self.document.estimate()).items():
            placed, item = graph.nodes[name], self.nodes.get(name)
            if item is None:
                item = self.nodes[name] = NodeItem(face)
                self.addItem(item)
            before = item.box()
            item.show_face(face)
            item.setPos(placed.x, placed.y)
            moved = moved or item.box() != before
        return moved

    def _follow_wires(self, graph: Graph) -> bool:
        wanted = set(graph.wires)
        gone = [wire for wire in self.wires if wire not in wanted]
        for wire in gone:
            self.removeItem(self.wires.pop(wire))
        if self.chosen not in wanted:
            self.chosen = None
        new = [wire for wire in graph.wires if wire not in self.wires]
        for wire in graph.wires:
            face = _wire_face(graph, wire)
            if wire in self.wires:
                self.wires[wire].show_face(face)
            else:
                self.wires[wire] = WireItem(wire, face)
                self.addItem(self.wires[wire])
        return bool(gone or new)

    def _follow_selection(self) -> None:
        for name, item in self.nodes.items():
            item.show_selected(name in self.document.selection)

    def _dress(self) -> None:
        for node in self.nodes.values():
            node.update()
        for wire in self.wires.values():
            wire.dress()
        self.update()


def _wire_face(graph: Graph, wire: Wire) -> WireFace:
    spec = graph.spec(wire)
    port = graph.node(wire.source).port(wire.output, output=True)
    given = port.accepts[0] if port else "real"
    bits = spec.bits_per_element if spec else 1 if given in ("bits", "hypervector", "spikes") else 32
    return WireFace(given, bits, graph.conversion(wire), spec.words() if spec else given)

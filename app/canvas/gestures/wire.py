"""Drawing a wire from port to port."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, Qt

from app.canvas.edits import first_fit
from app.canvas.gestures.gesture import Gesture, Ground
from app.canvas.wire_item import WireFace, WireItem
from engine.graph import Graph, Wire
from engine.ports import Port

_BOTH = {
    True: "Both are outputs. A wire goes from an output to an input.",
    False: "Both are inputs. A wire goes from an output to an input.",
}


@dataclass(frozen=True)
class End:
    """One end of a wire: a port of a node."""

    node: str
    port: str
    output: bool


class DragWire(Gesture):
    """Draws a wire from the port that was pressed; from a wired input it picks up the wire that ends there.

    While it is drawn every port that fits is marked, and over one that does not the reason is shown.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, ground: Ground, end: End) -> None:
        super().__init__(ground)
        graph = self.document.graph
        self._picked = None if end.output else _wire_into(graph, end)
        self._from = End(self._picked.source, self._picked.output, True) if self._picked else end
        self._graph = graph.unwire(self._picked) if self._picked else graph
        port = graph.node(self._from.node).port(self._from.port, output=self._from.output)
        if port is None:
            raise ValueError(f"{self._from.node} has no port {self._from.port}")
        self._port: Port = port
        given = port.accepts[0]
        self._line = WireItem(None, WireFace(given, 2))
        self._line.setZValue(5)
        self.scene.addItem(self._line)
        if self._picked:
            self.scene.wires[self._picked].hide()
        self._moved = False
        self._mark()

    def move(self, at: QPointF, screen: QPoint, keys: Qt.KeyboardModifier) -> None:
        self._moved = True
        to = self._end_at(at)
        reason = self._reason(to) if to else ""
        tip = at
        if to and not reason:
            tip = self.scene.nodes[to.node].port_scene(to.port, output=to.output)
        here = self.scene.nodes[self._from.node].port_scene(self._from.port, output=self._from.output)
        self._line.lay(*((here, tip) if self._from.output else (tip, here)))
        self.ground.hint(reason)

    def release(self, at: QPointF) -> None:
        self._clear()
        to = self._end_at(at)
        if to is None:
            self._drop(at)
        elif to == self._from:
            return
        elif reason := self._reason(to):
            self.ground.refuse(reason)
        else:
            wire = self._wire(to)
            if wire != self._picked:
                after = self._graph.wire(*wire)
                self.document.edit(f"Wire {wire.source} to {wire.target}", after)

    def cancel(self) -> None:
        self._clear()

    def outlives(self, after: Graph) -> bool:
        return False  # it would wire the graph as that was when it began

    # Inside

    def _drop(self, at: QPointF) -> None:
        """Over empty canvas a picked-up wire is removed; a new one asks which node shall take it."""
        if self._picked and self._moved:
            self.document.edit("Remove a wire", self._graph)
        elif self._moved:
            self.ground.ask_for_node(at, (self._from.node, self._from.port, self._from.output))

    def _end_at(self, at: QPointF) -> End | None:
        """Return the port under the pointer; over the body of a node, its first free port that fits."""
        found = self.scene.port_at(at)
        if found:
            return End(*found)
        name = self.scene.node_at(at)
        if name is None or name == self._from.node:
            return None
        node = self._graph.node(name)
        ports = node.inputs if self._from.output else node.outputs
        taken = {w.input for w in self._graph.wires if w.target == name} if self._from.output else set()
        for port in sorted(ports, key=lambda p: p.name in taken):
            end = End(name, port.name, not self._from.output)
            if not self._reason(end):
                return end
        fit = first_fit(node, self._port, output=self._from.output) or (ports[0] if ports else None)
        return End(name, fit.name, not self._from.output) if fit else None

    def _wire(self, to: End) -> Wire:
        a, b = (self._from, to) if self._from.output else (to, self._from)
        return Wire(a.node, a.port, b.node, b.port)

    def _reason(self, to: End) -> str:
        if to == self._from:
            return ""
        if to.output == self._from.output:
            return _BOTH[to.output]
        return self._graph.refusal(self._wire(to))

    def _mark(self) -> None:
        closed = _reach(self._graph, self._from.node, forward=not self._from.output)
        for name, item in self.scene.nodes.items():
            node = self._graph.node(name)
            fits = {(p.name, True): False for p in node.outputs}
            fits |= {(p.name, False): False for p in node.inputs}
            for port in node.inputs if self._from.output else node.outputs:
                giver, taker = (self._port, port) if self._from.output else (port, self._port)
                takes = taker.takes(giver.accepts[0])
                fits[port.name, not self._from.output] = takes and name not in closed
            if name == self._from.node:
                fits[self._from.port, self._from.output] = True
            item.show_fits(fits)

    def _clear(self) -> None:
        self.scene.removeItem(self._line)
        if self._picked and self._picked in self.scene.wires:
            self.scene.wires[self._picked].show()
        for item in self.scene.nodes.values():
            item.show_fits({})
        self.ground.hint("")


def _wire_into(graph: Graph, end: End) -> Wire | None:
    return next((w for w in graph.wires if (w.target, w.input) == (end.node, end.port)), None)


def _reach(graph: Graph, name: str, *, forward: bool) -> set[str]:
    """Return `name` and all that it feeds (`forward`) or that feed it: wires there close circles."""
    beside: dict[str, list[str]] = {}
    for wire in graph.wires:
        a, b = (wire.source, wire.target) if forward else (wire.target, wire.source)
        beside.setdefault(a, []).append(b)
    found, look = {name}, [name]
    while look:
        new = [n for n in beside.get(look.pop(), []) if n not in found]
        found.update(new)
        look.extend(new)
    return found

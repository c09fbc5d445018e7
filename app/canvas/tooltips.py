"""What the pointer is told over a port, a node or a wire."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QPointF

from app.canvas.scene import Scene
from engine.graph import Graph, Wire
from engine.ports import Spec


def tooltip(scene: Scene, at: QPointF, zoom: float) -> str:
    """Return the words for a point of the scene, "" where there is nothing to say."""
    graph = scene.document.graph
    port = scene.port_at(at)
    if port:
        return _port(graph, *port)
    name = scene.node_at(at)
    if name:
        return _node(scene, name)
    wire = scene.wire_at(at, zoom)
    return _wire(graph, wire) if wire else ""


def _port(graph: Graph, name: str, port_name: str, output: bool) -> str:
    port = graph.node(name).port(port_name, output=output)
    if port is None:
        return ""
    verb = "gives" if output else "takes"
    lines = [f"<b>{escape(port.name)}</b> {verb} {' or '.join(port.accepts)}", escape(port.help)]
    spec = _spec(graph, name, port_name, output=output)
    if spec:
        lines.append(f"Now: {escape(spec.words())}")
    elif not output and not port.required:
        lines.append("It may stay without a wire.")
    return "<br>".join(lines)


def _spec(graph: Graph, name: str, port_name: str, *, output: bool) -> Spec | None:
    if output:
        specs = graph.output_specs(name)
        names = [p.name for p in graph.node(name).outputs]
        return specs[names.index(port_name)] if specs else None
    return graph.input_specs(name)[[p.name for p in graph.node(name).inputs].index(port_name)]


def _node(scene: Scene, name: str) -> str:
    node, face = scene.document.graph.node(name), scene.nodes[name].face
    lines = [f"<b>{escape(name)}</b> · {escape(node.title)}", escape(node.summary)]
    lines += [escape(problem) for problem in face.problems]
    return "<br>".join(line for line in lines if line)


def _wire(graph: Graph, wire: Wire) -> str:
    spec, conversion = graph.spec(wire), graph.conversion(wire)
    carries = spec.words() if spec else "not known yet"
    lines = [f"<b>{escape(wire.source)}</b> → <b>{escape(wire.target)}</b>", f"Carries: {escape(carries)}"]
    if conversion:
        lines.append(f"It is {escape(conversion)}.")
    return "<br>".join(lines)

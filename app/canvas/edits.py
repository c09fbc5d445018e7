"""What can be done to a document from the canvas, each one undo step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QGuiApplication

from app.canvas.face import plain_face
from app.canvas.layout import arrange
from app.canvas.shape import shape_of
from app.document import Document
from app.theme.figures import plural
from engine.catalog import NODES
from engine.errors import ProjectError
from engine.files.project import probed, project_text, read_project
from engine.graph import Graph, Placed, Wire
from engine.node import Node
from engine.ports import Port

GRID = 12.0
_BESIDE = 72.0  # px between a selected node and one that is added without a place
_SHIFT = 36.0  # px that copies stand off from what they were made of


def snapped(at: QPointF) -> QPointF:
    """Return the point of the grid nearest to `at`."""
    return QPointF(round(at.x() / GRID) * GRID, round(at.y() / GRID) * GRID)


def add(document: Document, kind: str, centre: QPointF, wired_to: tuple[str, str, bool] | None = None) -> str:
    """Add a node of `kind` around a point, wired to a port where one is given, and select it.

    Args:
        document: what is edited.
        kind: key of the node's kind.
        centre: where its middle goes, in the scene.
        wired_to: (node, port, is output), which the new node's first fitting port is wired to.

    Returns:
        the new node's name.
    """
    node = NODES[kind]()
    name = document.graph.free_name(node.title)
    shape = shape_of(plain_face(node, name))
    at = snapped(centre - QPointF(shape.width / 2, shape.height / 2))
    graph = document.graph.add(name, node, at.x(), at.y())
    if wired_to and wired_to[0] in graph.nodes:  # an undo may have taken it since it was asked for
        graph = _wired(graph, name, node, wired_to)
    document.edit(f"Add {name}", graph)
    document.select([name])
    return name


def free_place(document: Document, kind: str, centre: QPointF) -> QPointF:
    """Return where a new node's middle can go: beside the selected node, else near `centre`, on no other."""
    shape = shape_of(plain_face(NODES[kind]()))
    boxes = [_box(name, placed) for name, placed in document.graph.nodes.items()]
    if len(document.selection) == 1:
        name = document.selection[0]
        beside = _box(name, document.graph.placed(name))
        centre = QPointF(beside.right() + _BESIDE + shape.width / 2, beside.top() + shape.height / 2)
    while any(_around(centre, shape.box).intersects(box) for box in boxes):
        centre = centre + QPointF(0, 2 * GRID)
    return centre


def first_fit(node: Node | type[Node], port: Port, *, output: bool) -> Port | None:
    """Return the port of `node` that a wire of `port` (an output where `output`) can take, or None.

    A port of the same type comes before one that a conversion is needed for.
    """
    if output:
        given = port.accepts[0]
        fits = [p for p in node.inputs if p.takes(given)]
        return min(fits, key=lambda p: given not in p.accepts, default=None)
    fits = [p for p in node.outputs if port.takes(p.accepts[0])]
    return min(fits, key=lambda p: p.accepts[0] not in port.accepts, default=None)


def remove(document: Document, names: Iterable[str], wire: Wire | None = None) -> None:
    """Remove nodes with their wires, or one wire where no node is named."""
    gone = tuple(names)
    if gone:
        words = f"Remove {gone[0]}" if len(gone) == 1 else f"Remove {plural(len(gone), 'node')}"
        document.edit(words, document.graph.remove(*gone))
    elif wire in document.graph.wires:
        document.edit("Remove a wire", document.graph.unwire(wire))


def unwire(document: Document, wires: Iterable[Wire]) -> None:
    """Remove wires as one step."""
    gone = tuple(wires)
    graph = document.graph
    for wire in gone:
        graph = graph.unwire(wire)
    document.edit(f"Cut {plural(len(gone), 'wire')}", graph)


def nudge(document: Document, by: QPointF) -> None:
    """Move the selected nodes by some pixels; nudges in a row are undone as one."""
    if document.selection:
        places = {name: document.graph.placed(name) for name in document.selection}
        moved = {name: (p.x + by.x(), p.y + by.y()) for name, p in places.items()}
        document.edit("Move nodes", document.graph.move(moved), merge=f"nudge {document.selection}")


def rename(document: Document, old: str, new: str) -> None:
    """Give a node another name.

    Raises:
        GraphError: the name is taken or cannot be one.
    """
    graph = document.graph.rename(old, new.strip())
    if graph is not document.graph:
        document.edit(f"Rename {old}", graph)
        document.select([new.strip()])


def copy(document: Document) -> None:
    """Put the selected nodes and the wires between them on the clipboard, as project text."""
    if document.selection:
        part = _part(document.graph, document.selection)
        QGuiApplication.clipboard().setText(project_text(replace(document.project, graph=part)))


def paste(document: Document) -> None:
    """Add the nodes on the clipboard.

    Raises:
        ProjectError: the clipboard holds no Polybit nodes.
    """
    text = QGuiApplication.clipboard().text()
    try:
        project = read_project(text, "clipboard")
    except ProjectError as error:
        raise ProjectError("The clipboard holds no nodes.", do="Copy some first.") from error
    found = probed(replace(project, path=document.project.path))
    insert(document, found.graph, "Paste")


def duplicate(document: Document) -> None:
    """Add copies of the selected nodes and of the wires between them."""
    if document.selection:
        insert(document, _part(document.graph, document.selection), "Duplicate")


def insert(document: Document, part: Graph, words: str) -> None:
    """Add the nodes of another graph, a little off their places, under free names, and select them."""
    graph, names = document.graph, {}
    for name, placed in part.nodes.items():
        base = name.rstrip("0123456789").rstrip() or name
        names[name] = graph.free_name(base)
        graph = graph.add(names[name], placed.node, placed.x + _SHIFT, placed.y + _SHIFT)
    for wire in part.wires:
        graph = graph.wire(names[wire.source], wire.output, names[wire.target], wire.input)
    document.edit(f"{words} {plural(len(names), 'node')}", graph)
    document.select(names.values())


def tidy(document: Document) -> None:
    """Give every node a good place."""
    document.edit("Arrange the nodes", arrange(document.graph))


def _part(graph: Graph, names: Iterable[str]) -> Graph:
    wanted = set(names)
    nodes = {name: placed for name, placed in graph.nodes.items() if name in wanted}
    return Graph(nodes, tuple(w for w in graph.wires if w.source in wanted and w.target in wanted))


def _wired(graph: Graph, name: str, node: Node, wired_to: tuple[str, str, bool]) -> Graph:
    other, port_name, output = wired_to
    port = graph.node(other).port(port_name, output=output)
    fit = first_fit(node, port, output=output) if port else None
    if fit is None:
        return graph
    ends = (other, port_name, name, fit.name) if output else (name, fit.name, other, port_name)
    return graph.wire(*ends)


def _box(name: str, placed: Placed) -> QRectF:
    return shape_of(plain_face(placed.node, name)).box.translated(placed.x, placed.y)


def _around(centre: QPointF, box: QRectF) -> QRectF:
    return box.translated(centre - box.center()).adjusted(-GRID, -GRID, GRID, GRID)

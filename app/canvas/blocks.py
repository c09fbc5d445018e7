"""Blocks of the literature, inserted as a whole: what the palette offers beside single nodes."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from app.canvas.edits import GRID, snapped
from app.canvas.face import Face, plain_face
from app.canvas.layout import arrange
from app.canvas.shape import shape_of
from app.document import Document
from engine.catalog import NODES
from engine.errors import PolybitError
from engine.graph import Graph
from engine.templates import TEMPLATES, Template
from engine.templates.sketch import End
from engine.templates.template import Inserted

PREFIX = "block:"  # how the palette names a template among the kinds of nodes
SHELF = "Blocks"
_BESIDE = 72.0  # px between a selected node and a block that it feeds


def block_of(key: str) -> Template | None:
    """Return the template that the palette calls `key`; None for a kind of node."""
    return TEMPLATES.get(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None


def ghost_face(kind: str) -> Face:
    """Return what is shown of a kind while it is dragged; a block looks like one node of its name."""
    block = block_of(kind)
    return plain_face(NODES["bnn.dense"](), block.title) if block else plain_face(NODES[kind]())


def insert_block(
    document: Document, block: Template, centre: QPointF, *, feed: bool = False
) -> tuple[str, ...]:
    """Insert a block as one undo step, select its nodes, and return their names.

    Args:
        document: what is edited.
        block: the template.
        centre: where its middle goes.
        feed: whether the one selected node feeds it and it goes beside that, where the block takes it.
    """
    graph, beside = document.graph, _selected(document) if feed else None
    inserted = _fed(block, graph, beside)
    fed = any(w.target in inserted.names and w.source in graph.nodes for w in inserted.graph.wires)
    inside = tuple(w for w in inserted.graph.wires if {w.source, w.target} <= set(inserted.names))
    part = arrange(Graph({name: inserted.graph.nodes[name] for name in inserted.names}, inside))
    area = _area(part)
    corner = centre - area.center() + area.topLeft()
    if beside and fed:
        box = _box(graph, beside.node)
        corner = QPointF(box.right() + _BESIDE, box.top())
    corner = _free(graph, QRectF(corner, area.size())).topLeft()
    step = snapped(corner - area.topLeft())
    moved = {name: (p.x + step.x(), p.y + step.y()) for name, p in part.nodes.items()}
    document.edit(f"Insert {block.title}", inserted.graph.move(moved))
    document.select(inserted.names)
    return inserted.names


def _selected(document: Document) -> End | None:
    if len(document.selection) != 1:
        return None
    name = document.selection[0]
    outputs = document.graph.node(name).outputs
    return End(name, outputs[0].name) if outputs else None


def _fed(block: Template, graph: Graph, feed: End | None) -> Inserted:
    """Return the graph with the block, fed where it takes what is given, else with its inputs open."""
    if feed is None:
        return block.insert(graph)
    try:
        return block.insert(graph, feed)
    except PolybitError:
        return block.insert(graph)


def _area(graph: Graph) -> QRectF:
    area = QRectF()
    for name in graph.nodes:
        area = area.united(_box(graph, name))
    return area


def _free(graph: Graph, area: QRectF) -> QRectF:
    """Return the area, moved down until no node is under it."""
    boxes = [_box(graph, name) for name in graph.nodes]
    while any(area.adjusted(-GRID, -GRID, GRID, GRID).intersects(box) for box in boxes):
        area = area.translated(0, 2 * GRID)
    return area


def _box(graph: Graph, name: str) -> QRectF:
    placed = graph.placed(name)
    return shape_of(plain_face(placed.node, name)).box.translated(placed.x, placed.y)

"""The command palette: every command, every kind of node, and every node of the graph, by typing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from app.canvas.blocks import PREFIX
from app.canvas.quick_add import kind_aside
from app.canvas.view import CanvasView
from app.document import Document
from app.search import Entry, SearchPopup, matches, rank
from app.theme.current import theme
from app.window.actions import Actions
from engine.catalog import NODES
from engine.templates import TEMPLATES

_FIRST = ("train", "open", "save", "arrange", "fit", "quick_add", "export")


def open_palette(
    window: QWidget, at: QPoint, document: Document, canvas: CanvasView, actions: Actions
) -> SearchPopup:
    """Open the command palette with its corner at a point of the window."""
    find = partial(find_commands, document=document, canvas=canvas, actions=actions)
    popup = SearchPopup(window, find, "Search nodes and commands")
    popup.closed.connect(canvas.setFocus)
    popup.open_at(at)
    return popup


def find_commands(words: str, document: Document, canvas: CanvasView, actions: Actions) -> Sequence[Entry]:
    """Return what matches: commands, then nodes of the graph to go to, then kinds to add."""
    found = [_command(name, actions) for name, action in actions.items() if action.isEnabled()]
    if not words:
        return [entry for name in _FIRST for entry in found if entry.words == name]
    here = [_node(name, document, canvas) for name in document.graph.nodes]
    kinds = [_kind(kind, canvas) for kind in NODES]
    kinds += [_block(key, canvas) for key in TEMPLATES]
    groups = ([e for e in group if matches(words, e.title, e.words)] for group in (found, here, kinds))
    return [e for group in groups for e in sorted(group, key=lambda e: rank(words, e.title))]


def _command(name: str, actions: Actions) -> Entry:
    action = actions[name]
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    title = action.text().replace("&", "").rstrip("…")
    return Entry(
        title, action.trigger, "Commands", actions.icon_of(name) or "ph.caret-right", "mid", keys, name
    )


def _node(name: str, document: Document, canvas: CanvasView) -> Entry:
    node = document.graph.node(name)

    def go() -> None:
        document.select([name])
        canvas.centerOn(canvas.graph_scene.nodes[name].box().center())

    colour = theme().tokens.family(node.family)
    return Entry(name, go, "Nodes of this graph", node.icon, colour, node.title, node.title)


def _kind(kind: str, canvas: CanvasView) -> Entry:
    node = NODES[kind]
    colour = theme().tokens.family(node.family)
    return Entry(
        title=f"Add {node.title}",
        run=lambda: canvas.add_kind(kind),
        section="Add a node",
        icon=node.icon,
        colour=colour,
        aside=kind_aside(node),
        words=f"{node.summary} {kind}",
    )


def _block(key: str, canvas: CanvasView) -> Entry:
    block = TEMPLATES[key]
    return Entry(
        title=f"Add {block.title}",
        run=lambda: canvas.add_kind(PREFIX + key),
        section="Add a node",
        icon=block.icon,
        colour=theme().tokens.family(block.family),
        aside="several nodes",
        words=f"{block.summary} {block.citation.replace(':', ' ')}",
    )

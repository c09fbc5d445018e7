"""The inspector's field of rules: the text with its colours, and the way to the page where there is room."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QFontMetrics, QHideEvent

from app.editor.settling import Settling
from app.editor.text import RulesText, plain
from app.panels.editors import Editor
from app.panels.labels import IconButton, note, row
from app.theme.fonts import BODY, mono
from engine.errors import PolybitError
from engine.fields import About
from engine.graph import Graph
from engine.logic.rules import Rules
from engine.logic.sequence import Sequence
from engine.logic.vocabulary import Vocabulary

_LINES = 12
_PLACE = re.compile(r"\bline (\d+)(?:, column (\d+))?")


class RulesEditor(Editor):
    """Rules, edited in the panel.

    Signals:
        opened: the page of rules is wanted.
    """

    opened = Signal()

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        self.box = RulesText()
        self.box.setFixedHeight(_LINES * QFontMetrics(mono(BODY)).lineSpacing() + 16)
        self.hold(self.box)
        self.box.setFont(plain())
        words = "Edit the rules on a page of their own (Ctrl+Shift+E)"
        self.button = IconButton("ph.arrows-out-simple", words)
        self.button.clicked.connect(self._open)
        self._layout.addWidget(
            row(note("A rule begins with the word rule, a remark with #."), self.button, stretch=0)
        )
        self._shown = ""
        self._settling = Settling(self._hand_on, self)
        self.box.textChanged.connect(self._typed)
        self.box.installEventFilter(self)

    def show_value(self, value: Any) -> None:
        if self._settling.waiting:
            return  # what is typed is newer
        self._shown = value
        if value != self.box.toPlainText():
            self.box.setPlainText(value)

    def show_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Complete from these names."""
        self.box.show_vocabulary(vocabulary)

    def show_problem(self, words: str) -> None:
        """Mark the place that a sentence names."""
        line, column = place_in(words)
        self.box.mark(line, column, words)

    def settle(self) -> None:
        """Hand on now what was typed."""
        self._settling.settle()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.settle()
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.settle()
        super().hideEvent(event)

    def _typed(self) -> None:
        if self.box.toPlainText() != self._shown:
            self._settling.touch()

    def _hand_on(self) -> None:
        text = self.box.toPlainText()
        if text != self._shown:
            self._shown = text
            self.edited.emit(text)

    def _open(self) -> None:
        self.settle()
        self.opened.emit()


RuleNode = Rules | Sequence


def ruled(graph: Graph) -> tuple[str, ...]:
    """Return the names of the nodes that hold rules, in running order."""
    return tuple(name for name in graph.order if isinstance(graph.node(name), RuleNode))


def tried_on_records(graph: Graph, name: str) -> bool:
    """Whether the page of rules can try the rules of a node on a record, with its facts to change."""
    return name in graph.nodes and isinstance(graph.node(name), Rules)


def vocabulary_at(graph: Graph, name: str, *, packs: bool = True) -> Vocabulary:
    """Return what the rules of a node may speak of: nothing for a node that holds no rules.

    Args:
        graph: the graph.
        name: the node.
        packs: whether the variables of its packs are among it.
    """
    node, inputs = graph.node(name), graph.input_specs(name)
    if not isinstance(node, RuleNode) or not any(inputs[:1]):
        return Vocabulary(())
    values = {key: value for key, value in node.values().items() if key not in ("rules", "packs")}
    taken = {"packs": node.packs} if packs and node.packs else {}
    for more in (taken, {}):
        try:
            return type(node)(**{**values, **more}).rule_set(*inputs).vocabulary
        except PolybitError:
            continue  # packs that do not go together are told elsewhere
    return Vocabulary(())


def place_in(words: str) -> tuple[int, int]:
    """Return line and column, from 1, that a sentence names; 0 for what it does not."""
    found = _PLACE.search(words)
    return (int(found.group(1)), int(found.group(2) or 0)) if found else (0, 0)

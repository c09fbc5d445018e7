"""The inspector's page of one node: name, shapes, bit widths, costs, parameters, checks, help."""

from __future__ import annotations

import inspect
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.document import Document
from app.panels.checks import Checks, checks_of
from app.panels.form import Form
from app.panels.labels import IconLabel, caption, line, note, on_theme, section_label
from app.panels.probing import Probing
from app.panels.rules_editor import vocabulary_at
from app.panels.widths import CostSection, WidthSection, costs
from app.theme.current import theme
from app.theme.fonts import CAPTION, TITLE, font, mono
from app.theme.tokens import family_token
from engine.catalog import SECTIONS
from engine.errors import PolybitError
from engine.fields import label
from engine.node import Node
from engine.precision import PRECISIONS
from engine.source import Source


class NodePage(QWidget):
    """Everything about one node.

    Signals:
        rules_wanted: `rules` or `packs` of this node are to be edited on a page of their own.
    """

    rules_wanted = Signal(str)

    def __init__(self, document: Document, name: str, probing: Probing) -> None:
        super().__init__()
        self._document, self._probing = document, probing
        self.name, self.kind = name, type(document.graph.node(name))
        self._refused: dict[str, tuple[Any, str]] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(16, 14, 16, 16)
        self._layout.setSpacing(10)
        self._add_head()
        self._add_widths()
        self._add_costs()
        self.form = Form(self.kind, document.project.folder, family_token(self.kind.family))
        self.form.edited.connect(self._set)
        self.form.opened.connect(self.rules_wanted)
        document.settling.connect(self.form.settle)
        if self.form.editors:
            self._section("Parameters", self.form)
        self.checks = Checks()
        self._section("Checks", self.checks)
        self._section("Help", help_of(self.kind))
        self._layout.addStretch(1)
        probing.told.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the node as the document has it now."""
        graph = self._document.graph
        if self.name not in graph.nodes or type(graph.node(self.name)) is not self.kind:
            return
        node = graph.node(self.name)
        if not self.title.hasFocus():
            self.title.setText(self.name)
        self._shapes.setText(self._kind_line(node))
        widths = {field: getattr(node, field) for field in self.kind.bit_fields()}
        if self.widths:
            self.widths.show_widths(widths)
        if self.costs:
            given = costs(graph, (self.name,))
            main = next(iter(widths.values()), "")
            self.costs.show_costs(given, self._document.estimate().total, main)
            if given and self.widths:
                self.widths.show_sizes(given.sizes)
        self.form.show_vocabulary(vocabulary_at(graph, self.name))
        self.form.show_values(node)
        self.form.show_wrong(self._wrong(node))
        self.checks.show_lines(self._check_lines(node))

    # Pieces

    def _add_head(self) -> None:
        tokens = theme().tokens
        self._icon = IconLabel(self.kind.icon, tokens.family(self.kind.family), 20)
        self.title = QLineEdit(self.name)
        self.title.setFont(font(TITLE, 600))
        self.title.setAccessibleName("Name of the node")
        self.title.setToolTip("The node's name; click to change it")
        self.title.editingFinished.connect(self._rename)
        on_theme(self, self._dress)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._icon)
        head.addWidget(self.title, 1)
        self._refusal = note("", "error")
        self._refusal.hide()
        self._shapes = caption("", wrap=True)
        self._layout.addLayout(head)
        self._layout.addWidget(self._refusal)
        self._layout.addWidget(self._shapes)

    def _add_widths(self) -> None:
        about = self.kind.about()
        fields = {field: about[field].help for field in self.kind.bit_fields()}
        self.widths = WidthSection(fields) if fields else None
        if self.widths:
            self.widths.chosen.connect(self._set_width)
            self._layout.addWidget(line())
            self._layout.addWidget(self.widths)

    def _add_costs(self) -> None:
        free = self.kind.cost is Node.cost
        self.costs = None if free else CostSection()
        if self.costs:
            if not self.widths:
                self._layout.addWidget(line())
                self._layout.addWidget(section_label("Cost"))
            self._layout.addWidget(self.costs)

    def _section(self, title: str, content: QWidget) -> None:
        self._layout.addWidget(line())
        self._layout.addWidget(section_label(title))
        self._layout.addWidget(content)

    def _dress(self) -> None:
        tokens = theme().tokens
        self._icon.show_icon(self.kind.icon, tokens.family(self.kind.family))
        self.title.setStyleSheet(
            "QLineEdit { background: transparent; border: 1px solid transparent; padding: 0 4px; }"
            f"QLineEdit:hover {{ border-color: {tokens.line_strong}; }}"
            f"QLineEdit:focus {{ background: {tokens.field}; border: 2px solid {tokens.accent};"
            " padding: 0 3px; }"
        )

    # Words

    def _kind_line(self, node: Node) -> str:
        graph = self._document.graph
        given = [spec.words() for spec in graph.input_specs(self.name) if spec]
        made = [spec.words() for spec in graph.output_specs(self.name)]
        ends = " → ".join(", ".join(side) for side in (given, made) if side)
        parts = (node.title, SECTIONS[node.family], ends)
        return " · ".join(part for part in parts if part)

    def _wrong(self, node: Node) -> dict[str, str]:
        """Return what is wrong with each field: what the graph says, the file, or a refused value."""
        found = {
            problem.parameter: f"{problem.what} {problem.do}".strip()
            for problem in self._document.problems()
            if problem.node == self.name and problem.parameter
        }
        if isinstance(node, Source):
            path = node.path_field
            if self._probing.wrong(self.name):
                found[path] = self._probing.wrong(self.name)
            elif self._probing.busy(self.name):
                found.pop(path, None)
        for name, (value, words) in self._refused.items():
            if getattr(node, name) == value:
                found[name] = words
        return found

    def _check_lines(self, node: Node) -> list[tuple[str, str, str]]:
        if isinstance(node, Source):
            if self._probing.busy(self.name):
                return [("warning", "Reading the file.", "")]
            if self._probing.wrong(self.name):
                return [("error", self._probing.wrong(self.name), "")]
        return checks_of(self._document.graph, self.name)

    # Edits

    def _set(self, field: str, value: Any) -> None:
        graph = self._document.graph
        merge = f"set {self.name}.{field}"
        try:
            after = graph.change(self.name, **{field: value})
        except PolybitError as error:
            self._refused[field] = (getattr(graph.node(self.name), field), str(error))
            self.refresh()
            return
        self._refused.pop(field, None)
        self._document.edit(f"Set {label(field).lower()} of {self.name}", after, merge)
        if issubclass(self.kind, Source):
            self._probing.want(self.name, merge)

    def _set_width(self, field: str, width: str) -> None:
        after = self._document.graph.change(self.name, **{field: width})
        words = f"{label(field)} of {self.name}: {PRECISIONS[width].title}"
        self._document.edit(words, after)

    def _rename(self) -> None:
        wanted = self.title.text().strip()
        if wanted == self.name:
            return
        try:
            after = self._document.graph.rename(self.name, wanted)
        except PolybitError as error:
            self._refusal.setText(str(error))
            self._refusal.show()
            return
        self._refusal.hide()
        before, self.name = self.name, wanted
        self._document.edit(f"Rename {before} to {wanted}", after)
        self._document.select((wanted,))


def help_of(kind: type[Node]) -> QWidget:
    """Return summary, formula and paper of a kind of node."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    layout.addWidget(note(f"{kind.summary}."))
    formula, rest = formula_of(kind)
    if formula:
        shown = note(formula, "hi")
        shown.setFont(mono(CAPTION))
        layout.addWidget(shown)
    if rest:
        layout.addWidget(note(rest, "mid"))
    if kind.citation:
        layout.addWidget(_cited(kind.citation))
    for port in (*kind.inputs, *kind.outputs):
        layout.addWidget(caption(f"{port.name}: {port.help}.", "low", wrap=True))
    return holder


def formula_of(kind: type[Node]) -> tuple[str, str]:
    """Return the first sentence of a kind's docstring, which is its formula, and the rest of its text."""
    text = (inspect.getdoc(kind) or "").split("\n\nAttributes:")[0].replace("`", "")
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    first, rest = parts[0], " ".join(parts[1:])
    return (first, rest) if "=" in first else ("", " ".join(parts))


def _cited(citation: str) -> QLabel:
    made = caption(citation, "mid", wrap=True)
    made.setToolTip("The paper this kind of node comes from")
    return made

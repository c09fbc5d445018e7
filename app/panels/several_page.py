"""The inspector's page of several nodes: what they cost together, and the widths they share."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.document import Document
from app.panels.checks import Checks
from app.panels.labels import caption, heading, line, section_label
from app.panels.widths import CostSection, WidthSection, costs
from app.theme.figures import plural
from engine.fields import label
from engine.graph import Graph
from engine.precision import PRECISIONS


class SeveralPage(QWidget):
    """Common editing of the selected nodes."""

    def __init__(self, document: Document, names: tuple[str, ...]) -> None:
        super().__init__()
        self._document, self.names = document, names
        self.shared = common_widths(document.graph, names)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(heading(plural(len(names), "node")))
        layout.addWidget(caption(" · ".join(names), wrap=True))
        self.widths = WidthSection(dict.fromkeys(self.shared, "")) if self.shared else None
        if self.widths:
            self.widths.chosen.connect(self._set_width)
            layout.addWidget(line())
            layout.addWidget(self.widths)
            layers = sorted({n for found in self.shared.values() for n in found}, key=names.index)
            layout.addWidget(caption(f"Sets {' and '.join(layers[:3])}{_more(layers)}.", "low", wrap=True))
        layout.addWidget(line())
        layout.addWidget(section_label("Together"))
        self.costs = CostSection()
        layout.addWidget(self.costs)
        self.checks = Checks()
        layout.addWidget(line())
        layout.addWidget(section_label("Checks"))
        layout.addWidget(self.checks)
        layout.addStretch(1)
        self.refresh()

    def refresh(self) -> None:
        """Show the nodes as the document has them now."""
        graph = self._document.graph
        if not all(name in graph.nodes for name in self.names):
            return
        shown = {
            field: _same({getattr(graph.node(name), field) for name in holders})
            for field, holders in self.shared.items()
        }
        if self.widths:
            self.widths.show_widths(shown)
        self.costs.show_costs(
            costs(graph, self.names), self._document.estimate().total, next(iter(shown.values()), "")
        )
        wrong = [p for p in graph.problems() if p.node in self.names]
        lines = [(p.level, f"{p.node}: {p.what}", p.do) for p in wrong]
        self.checks.show_lines(lines or [("ok", "No problems.", "")])

    def _set_width(self, field: str, width: str) -> None:
        graph = self._document.graph
        for name in self.shared[field]:
            graph = graph.change(name, **{field: width})
        count = plural(len(self.shared[field]), "layer")
        self._document.edit(f"{label(field)} of {count}: {PRECISIONS[width].title}", graph)


def common_widths(graph: Graph, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the width fields that at least two of the nodes have, and which nodes have each."""
    holders: dict[str, list[str]] = {}
    for name in names:
        for field in graph.node(name).bit_fields():
            holders.setdefault(field, []).append(name)
    return {field: tuple(found) for field, found in holders.items() if len(found) > 1}


def _same(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _more(layers: list[str]) -> str:
    return f" and {len(layers) - 3} more" if len(layers) > 3 else ""

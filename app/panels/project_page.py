"""The inspector's page while nothing is selected: the project, what it costs, how it is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.document import Document
from app.panels.checks import Checks
from app.panels.form import Form
from app.panels.labels import caption, heading, line, note, section_label
from app.panels.widths import CostSection, show_totals
from app.plots.schedule_curve import ScheduleCurve
from app.theme.figures import plural
from app.theme.fonts import BODY, font
from engine.errors import PolybitError
from engine.fields import label
from engine.schedules import factor
from engine.settings import Training
from engine.train.quantizing import float_layers


class ProjectPage(QWidget):
    """Totals and training settings.

    Signals:
        quantizing_wanted: the trained run is to be quantized.
    """

    quantizing_wanted = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._refused: dict[str, str] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 16)
        layout.setSpacing(10)
        self._title, self._count, self._about = heading(""), caption(""), note("")
        for widget in (self._title, self._count, self._about, line()):
            layout.addWidget(widget)
        layout.addWidget(section_label("Whole model, one record"))
        self.costs = CostSection()
        layout.addWidget(self.costs)
        self.quantize = QPushButton("Quantize the trained run…")
        self.quantize.setFont(font(BODY))
        self.quantize.setToolTip("Give layers of 32 bits fewer, without training anew")
        self.quantize.clicked.connect(self.quantizing_wanted)
        layout.addWidget(self.quantize)
        layout.addWidget(line())
        layout.addWidget(section_label("Training"))
        self.form = Form(Training, document.project.folder)
        self.form.edited.connect(self._set)
        self.schedule = ScheduleCurve()
        self.form.add_under("Schedule", self.schedule)
        layout.addWidget(self.form)
        layout.addWidget(line())
        layout.addWidget(section_label("Checks"))
        self.checks = Checks()
        layout.addWidget(self.checks)
        layout.addWidget(line())
        layout.addWidget(caption("Select a node to see and change what it is made of.", "low", wrap=True))
        layout.addStretch(1)
        self.refresh()

    def refresh(self) -> None:
        """Show the project as the document has it now."""
        project, graph = self._document.project, self._document.graph
        self._title.setText(project.name)
        self._count.setText(f"{plural(len(graph.nodes), 'node')}, {plural(len(graph.wires), 'wire')}")
        self._about.setText(project.about)
        self._about.setVisible(bool(project.about))
        self.quantize.setVisible(bool(float_layers(graph)))
        show_totals(self.costs, self._document.estimate().total)
        self.form.show_values(project.training)
        self.form.show_wrong(self._refused)
        settings = project.training
        warm = min(1.0, settings.warm_up / settings.epochs)

        def rate_at(share: float) -> float:
            return settings.rate * factor(settings.schedule, share, warm=warm, floor=settings.floor)

        self.schedule.show_rates(rate_at, settings.epochs)
        wrong = self._document.problems()
        lines = [(p.level, f"{p.node}: {p.what}" if p.node else p.what, p.do) for p in wrong]
        lines += [("warning", words, "") for words in project.notes]
        fine = [("ok", "The graph can be trained.", "")] if graph.nodes else []
        self.checks.show_lines(
            lines or fine or [("warning", "The graph is empty.", "Drag a node onto the canvas.")]
        )

    def _set(self, field: str, value: Any) -> None:
        try:
            after = replace(self._document.training, **{field: value})
        except PolybitError as error:
            self._refused = {field: str(error)}
            self.refresh()
            return
        self._refused = {}
        self._document.edit_training(f"Set {label(field).lower()}", after, f"training {field}")

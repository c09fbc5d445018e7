"""The status bar: what goes on, what the graph is and costs, what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.document import Document
from app.panels.labels import note, set_tone
from app.theme.current import theme
from app.theme.figures import count, energy, plural, size
from app.worker import Trainer
from engine.estimate import ENERGY_TABLE

_TONES = {
    "preparing": "warn",
    "running": "accent",
    "paused": "warn",
    "quantizing": "accent",
    "stopping": "warn",
}


class StatusPanel(QWidget):
    """One line of figures, up to date after every edit."""

    def __init__(self, document: Document, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._trainer = document, trainer
        self._dot = _Dot()
        self._state, self._graph, self._costs = (note("", wrap=False) for _ in range(3))
        self._problems, self._zoom = note("", wrap=False), note("", wrap=False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 3, 12, 3)
        layout.setSpacing(24)
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self._dot)
        first.addWidget(self._state)
        layout.addLayout(first)
        layout.addWidget(self._graph)
        layout.addWidget(self._costs)
        layout.addStretch(1)
        layout.addWidget(self._problems)
        layout.addWidget(self._zoom)
        document.changed.connect(self._count)
        trainer.state_changed.connect(self._show_state)
        self._show_state()
        self._count()

    def show_zoom(self, share: float) -> None:
        """Show the zoom of the canvas, 1 at its own size."""
        self._zoom.setText(f"Zoom {100 * share:.0f} %")

    @property
    def words(self) -> str:
        """Return everything it says."""
        labels = (self._state, self._graph, self._costs, self._problems, self._zoom)
        return " | ".join(label.text() for label in labels if label.text())

    def _show_state(self) -> None:
        cores = plural(self._trainer.threads, "core")
        words = {
            "idle": "Ready",
            "preparing": "Preparing kernels",
            "running": f"Training on {cores}",
            "paused": "Paused",
            "quantizing": "Quantizing",
            "stopping": "Stopping",
        }
        self._state.setText(words[self._trainer.state])
        self._dot.show_tone(_TONES.get(self._trainer.state, "ok"))

    def _count(self) -> None:
        graph, total = self._document.graph, self._document.estimate().total
        self._graph.setText(f"{plural(len(graph.nodes), 'node')}, {plural(len(graph.wires), 'wire')}")
        parts = (size(total.weight_bytes), f"{count(total.operations)} operations", energy(total.energy_pj))
        self._costs.setText(" · ".join(parts) if total.operations else "")
        self._costs.setToolTip(
            f"Counted for one record: {count(total.operations)} multiply-accumulates, "
            f"{count(total.steps)} steps of this computer; energy by {ENERGY_TABLE}"
        )
        self._show_problems()

    def _show_problems(self) -> None:
        levels = [problem.level for problem in self._document.problems()]
        errors, warnings = levels.count("error"), levels.count("warning")
        parts = [plural(errors, "error")] if errors else []
        parts += [plural(warnings, "warning")] if warnings else []
        self._problems.setText(", ".join(parts) or "No problems")
        set_tone(self._problems, "error" if errors else "warn" if warnings else "mid")


class _Dot(QWidget):
    """A dot in the colour of the state; the words beside it say the same."""

    def __init__(self) -> None:
        super().__init__()
        self._tone = "ok"
        self.setFixedSize(QSize(8, 18))
        theme().changed.connect(self.update)

    def show_tone(self, tone: str) -> None:
        """Take another colour."""
        self._tone = tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour(self._tone))
        painter.drawEllipse(QRectF(0.5, 5.5, 7, 7))

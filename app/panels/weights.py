"""The weights panel: the shipped weights of a layer, bit for bit."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.document import Document
from app.panels.durations import percent
from app.panels.elided import Elided, set_beside
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import note
from app.panels.segments import Segments
from app.plots.weights import WeightChart, colours
from app.theme.current import theme
from app.theme.figures import size, whole
from app.theme.fonts import BASE, CAPTION, font
from app.worker import Trainer
from engine.look import WeightMap
from engine.precision import PRECISIONS

_ROOMY = 900  # px; in less what is said of the weights stands in a line of its own


class WeightsPanel(Emptiable):
    """Shows the weight maps of the trainer's last look."""

    def __init__(self, document: Document, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(EmptyState("ph.squares-four", "", ""), parent)
        self._document, self._trainer = document, trainer
        self.nodes = QComboBox()
        self.nodes.setFont(font(BASE))
        self.nodes.setAccessibleName("Layer")
        self.nodes.setMinimumWidth(140)
        self.nodes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.chart, self._key = WeightChart(), LevelKey()
        self._words = Elided()
        tips = {"kernels": "The kernel of each filter and channel as a tile", "rows": "A row for each filter"}
        self.layout_ = Segments(
            {"kernels": "Kernels", "rows": "Rows"}, tips, "How weights are laid out", small=True
        )
        self.layout_.setFixedWidth(136)
        self.layout_.show_value("kernels")
        self.layout_.chosen.connect(self._lay_out)
        bar = self._bar = QHBoxLayout()
        bar.setSpacing(8)
        for widget in (note("Layer", wrap=False), self.nodes):
            bar.addWidget(widget)
        bar.addSpacing(8)
        bar.addWidget(self.layout_)
        bar.addWidget(self._words, 1)
        bar.addStretch(0)
        bar.addWidget(self._key)
        column = self._column = QVBoxLayout(self.content)
        column.setContentsMargins(12, 8, 16, 8)
        column.setSpacing(6)
        column.addLayout(bar)
        column.addWidget(self.chart, 1)
        self.nodes.activated.connect(self._draw)
        trainer.looked.connect(lambda: self.when_seen(self._refresh))
        document.changed.connect(self._say_empty)
        document.selection_changed.connect(self._follow)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        set_beside(self._words, self._bar, self._column, 4, beside=self.width() >= _ROOMY)

    @property
    def shown(self) -> WeightMap | None:
        """Return the map that is shown."""
        seen = self._trainer.look
        place = self.nodes.currentIndex()
        return seen.weights[place] if seen and 0 <= place < len(seen.weights) else None

    @property
    def words(self) -> str:
        """Return what it says of the weights."""
        return self._words.text()

    def _refresh(self) -> None:
        seen = self._trainer.look
        maps = seen.weights if seen else ()
        self.show_empty(not maps)
        self._say_empty()
        names = [one.node for one in maps]
        if names != [self.nodes.itemText(i) for i in range(self.nodes.count())]:
            before = self.nodes.currentText()
            self.nodes.clear()
            self.nodes.addItems(names)
            self.nodes.setCurrentIndex(max(0, self.nodes.findText(before)) if names else -1)
            self._follow()
        self._draw()

    def _draw(self) -> None:
        shown = self.shown
        if shown is None:
            return
        row = PRECISIONS[shown.precision]
        self.layout_.setVisible(bool(shown.kernel))
        axes = (shown.rows, *shown.kernel) if shown.kernel else (shown.rows, shown.columns)
        self.chart.set_title(f"Weights · {shown.node} · {' × '.join(whole(n) for n in axes)}")
        self.chart.show_weights(shown, kernels=self.layout_.value == "kernels")
        below, zero, above = shown.shares
        parts = [f"{percent(above)} above zero", f"{percent(below)} below"]
        if zero:
            parts.insert(1, f"{percent(zero)} at zero")
        count = shown.rows * shown.columns
        stored = size(-(-count * row.bits // 8))
        self._words.setText(f"{row.title} · {whole(count)} weights, {stored} · {', '.join(parts)}")
        self._key.show_levels(shown)

    def _lay_out(self, layout: str) -> None:
        self.layout_.show_value(layout)
        self._draw()

    def _follow(self) -> None:
        """Show the selected node, where it has weights."""
        place = next((p for n in self._document.selection if (p := self.nodes.findText(n)) >= 0), -1)
        if place >= 0 and place != self.nodes.currentIndex():
            self.nodes.setCurrentIndex(place)
            self._draw()

    def _say_empty(self) -> None:
        if not self._document.graph.nodes:
            self.empty.say("No weights yet", "Build a graph with a layer or a class memory, then train it.")
        else:
            self.empty.say("No weights yet", "Press Train: after each epoch the packed weights show here.")


class LevelKey(QWidget):
    """What the colours of a weight map mean."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: tuple[str, ...] = ()
        self._steps = 1
        self.setFixedHeight(20)
        theme().changed.connect(self.update)

    def show_levels(self, shown: WeightMap) -> None:
        """Show the levels of a map."""
        top = f"{shown.largest:.3g}" if shown.largest else str(shown.high)
        self._ends = (f"−{top}", f"+{top}") if shown.packed else (f"−{top}", "0", f"+{top}")
        self.setAccessibleName(f"Colours from {self._ends[0]} to {self._ends[-1]}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(64 * len(self._ends), 20)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(CAPTION))
        table = colours(1)
        shown = (table[0], table[2]) if len(self._ends) == 2 else table
        for place, (words, colour) in enumerate(zip(self._ends, shown, strict=False)):
            left = 64.0 * place
            painter.setPen(theme().colour("line_strong"))
            painter.setBrush(QColor.fromRgba(colour))
            painter.drawRoundedRect(QRectF(left + 0.5, 4.5, 11, 11), 2, 2)
            painter.setPen(theme().colour("mid"))
            painter.drawText(QPointF(left + 18, 14), words)

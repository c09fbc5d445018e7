"""The spikes panel: which neuron of a layer spikes when, for one record or several."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.document import Document
from app.panels.durations import percent
from app.panels.elided import Elided, set_beside
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import note
from app.plots.raster import RasterChart
from app.theme.figures import plural
from app.theme.fonts import BASE, font
from app.worker import Trainer
from engine.look import Raster
from engine.ports import I32

_ALL = -1
_ROOMY = 900  # px; in less what is said of the spikes stands in a line of its own


class SpikesPanel(Emptiable):
    """Shows the rasters of the trainer's last look."""

    def __init__(self, document: Document, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(EmptyState("ph.activity", "", ""), parent)
        self._document, self._trainer = document, trainer
        self.nodes, self.records = _chooser("Layer"), _chooser("Record")
        self.chart = RasterChart()
        self._words = Elided()
        bar = self._bar = QHBoxLayout()
        bar.setSpacing(8)
        for widget in (note("Layer", wrap=False), self.nodes, note("Record", wrap=False), self.records):
            bar.addWidget(widget)
        bar.addSpacing(8)
        bar.addWidget(self._words, 1)
        bar.addStretch(0)
        column = self._column = QVBoxLayout(self.content)
        column.setContentsMargins(12, 8, 16, 8)
        column.setSpacing(6)
        column.addLayout(bar)
        column.addWidget(self.chart, 1)
        self.nodes.activated.connect(self._fill_records)
        self.records.activated.connect(self._draw)
        trainer.looked.connect(lambda: self.when_seen(self._refresh))
        document.changed.connect(self._say_empty)
        document.selection_changed.connect(self._follow)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        set_beside(self._words, self._bar, self._column, 5, beside=self.width() >= _ROOMY)

    @property
    def raster(self) -> Raster | None:
        """Return the raster that is shown."""
        shown = self._trainer.look
        place = self.nodes.currentIndex()
        return shown.rasters[place] if shown and 0 <= place < len(shown.rasters) else None

    def _refresh(self) -> None:
        shown = self._trainer.look
        rasters = shown.rasters if shown else ()
        self.show_empty(not rasters)
        self._say_empty()
        names = [raster.node for raster in rasters]
        if names != [self.nodes.itemText(i) for i in range(self.nodes.count())]:
            before = self.nodes.currentText()
            self.nodes.clear()
            self.nodes.addItems(names)
            place = self.nodes.findText(before)
            self.nodes.setCurrentIndex(place if place >= 0 else len(names) - 1)
        self._fill_records()

    def _fill_records(self) -> None:
        """Say what the program answers now, in place where the records are the same: the list may be open."""
        raster = self.raster
        if raster is None:
            return
        titles = [("All, one after another", _ALL)]
        titles += [(_title(raster, place), place) for place in range(len(raster.records))]
        if self.records.count() != len(titles):
            self.records.clear()
            for words, place in titles:
                self.records.addItem(words, place)
        for at, (words, _) in enumerate(titles):
            self.records.setItemText(at, words)
        self._draw()

    def _draw(self) -> None:
        raster, place = self.raster, self.records.currentData()
        if raster is None or place is None:
            return
        self.chart.set_title(f"Spike raster · {raster.node}")
        if place == _ALL:
            times, neurons = side_by_side(raster)
            steps = raster.steps * len(raster.records)
            titles = {raster.steps * i: _short(raster, i) for i in range(len(raster.records))}
        else:
            times, neurons = raster.of(place)
            steps, titles = raster.steps, {}
        self.chart.show_spikes(times, neurons, steps, raster.neurons, titles)
        rate = len(times) / max(1, steps * raster.neurons)
        self._words.setText(
            f"{plural(len(times), 'spike')} · {plural(raster.neurons, 'neuron')}, of which {percent(rate)} "
            f"spike in a step · {plural(raster.steps, 'step')} a record"
        )

    def _follow(self) -> None:
        """Show the selected node, where it spikes."""
        place = next((p for n in self._document.selection if (p := self.nodes.findText(n)) >= 0), -1)
        if place >= 0 and place != self.nodes.currentIndex():
            self.nodes.setCurrentIndex(place)
            self._fill_records()

    def _say_empty(self) -> None:
        graph = self._document.graph
        spiking = any(spec.type == "spikes" for name in graph.nodes for spec in graph.output_specs(name))
        if not spiking:
            self.empty.say(
                "No spiking layer in this graph", "Add a spike encoder and a LIF layer, then train."
            )
        else:
            self.empty.say(
                "No spikes seen yet", "Press Train: the spikes of a few records show here after each epoch."
            )


def side_by_side(raster: Raster) -> tuple[I32, I32]:
    """Return the spikes of all records, each record's times after those of the one before."""
    counts = np.diff(raster.starts)
    shifts = np.repeat(np.arange(len(raster.records), dtype=np.int32) * raster.steps, counts)
    return (raster.times + shifts).astype(np.int32), raster.indices


def _title(raster: Raster, place: int) -> str:
    label, answer = raster.labels[place], raster.answers[place]
    words = label or "unlabelled"
    said = f", answered {answer}" if answer != label else ""
    return f"{raster.records[place]}: {words}{said}"


def _short(raster: Raster, place: int) -> str:
    label, answer = raster.labels[place], raster.answers[place]
    return f"class {label}" if answer == label else f"class {label} → {answer}"


def _chooser(name: str) -> QComboBox:
    made = QComboBox()
    made.setFont(font(BASE))
    made.setAccessibleName(name)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    made.setMinimumWidth(140)
    return made

"""The spike raster: one tick a spike while there are few, a picture of how many a pixel holds above that."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPen
from PySide6.QtWidgets import QWidget

from app.plots.chart import Chart, literal
from app.theme.current import theme
from app.theme.fonts import CAPTION, font
from engine.ports import F32, I32, I64

TICKS_TO = 20_000  # spikes in view; above, ticks take longer to paint than a picture
_TICK = 0.8  # height of a tick, in neurons
_LEAST = 3.0  # height of a tick at least, in pixels
_THINNEST, _WIDEST = 2.0, 4.0  # its width, in pixels
_NONE: Mapping[int, str] = MappingProxyType({})
_TITLE_GAP = 10  # px between the title of a record and the next record
_UNDER_TITLE = 0.75  # how far a title covers the spikes behind it
_SETTLE = 40  # ms after the last move of the view


class RasterChart(Chart):
    """Spikes by time step and neuron."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._times: I32 = np.zeros(0, np.int32)
        self._neurons: I32 = np.zeros(0, np.int32)
        self._size = (1, 1)
        self._borders: list[Any] = []
        self._records: Mapping[int, str] = {}
        self._ticks = pg.PlotCurveItem(connect="pairs")
        self._picture = pg.ImageItem(axisOrder="row-major")
        super().__init__("Spikes", "Time step", "Neuron", parent)
        self.plot.addItem(self._picture)
        self.plot.addItem(self._ticks)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE)
        self._settle.timeout.connect(self._draw)
        self.view.sigRangeChanged.connect(lambda *_: self._settle.start())
        self.dressed.connect(self._draw)

    @property
    def ticks(self) -> bool:
        """Whether every spike in view is a tick of its own."""
        return bool(self._ticks.isVisible())

    def show_spikes(
        self, times: I32, neurons: I32, steps: int, width: int, records: Mapping[int, str] = _NONE
    ) -> None:
        """Show spikes.

        Args:
            times: int32 (spikes,), ascending, from 0.
            neurons: int32 (spikes,).
            steps: time steps there are.
            width: neurons there are.
            records: where several records stand one after another, the step each begins at and its title.
        """
        changed = self._size != (steps, width)
        self._times, self._neurons, self._size = times, neurons, (steps, width)
        self._part(records)
        self.view.setLimits(xMin=-0.5, xMax=steps, yMin=-0.5, yMax=width, minXRange=2, minYRange=2)
        if changed:
            self.view.setRange(xRange=(-0.5, steps), yRange=(-0.5, width), padding=0)
        self._draw()

    def _part(self, records: Mapping[int, str]) -> None:
        """Draw a line and a title where each record begins; lines that stand there already are kept."""
        there = list(records) == list(self._records)
        self._records = dict(records)
        if there:
            return
        for line in self._borders:
            self.plot.removeItem(line)
        self._borders = []
        for step in records:
            options = {"position": 0.93, "anchors": [(0, 0.5), (0, 0.5)]}
            line = pg.InfiniteLine(step - 0.5, angle=90, label="", labelOpts=options)
            line.label.setFont(font(CAPTION))
            self.plot.addItem(line, ignoreBounds=True)
            self._borders.append(line)

    def _draw(self) -> None:
        for line in self._borders:
            line.setPen(pg.mkPen(theme().colour("line_strong")))
            line.label.setColor(theme().colour("mid"))
            line.label.fill = pg.mkBrush(theme().colour("panel", _UNDER_TITLE))
        (left, right), (low, high) = self.view.viewRange()
        self._title_records(right)
        first, last = np.searchsorted(self._times, [np.floor(left), np.ceil(right) + 1])
        times, neurons = self._times[first:last], self._neurons[first:last]
        shown = (neurons >= low - 1) & (neurons <= high + 1)
        times, neurons = times[shown], neurons[shown]
        self._ticks.setVisible(len(times) <= TICKS_TO)
        self._picture.setVisible(len(times) > TICKS_TO)
        if len(times) <= TICKS_TO:
            self._draw_ticks(times, neurons)
        else:
            self._draw_picture(times, neurons, (left, right, low, high))

    def _title_records(self, right: float) -> None:
        """Write each record's title as far as there is room up to the next record."""
        metrics = QFontMetrics(font(CAPTION))
        pixel = max(self.view.viewPixelSize()[0], 1e-9)
        begins = [*self._records, right]
        for at, (line, title) in enumerate(zip(self._borders, self._records.values(), strict=True)):
            room = int((begins[at + 1] - begins[at]) / pixel) - _TITLE_GAP
            brief = title.partition(" ")[2]  # the class alone
            fits = next((one for one in (title, brief) if one and metrics.horizontalAdvance(one) <= room), "")
            shown = fits or metrics.elidedText(brief or title, Qt.TextElideMode.ElideRight, room)
            words = literal(shown) if shown != "…" else ""
            if line.label.format != words:
                line.label.setFormat(words)

    def _draw_ticks(self, times: I32, neurons: I32) -> None:
        across, up = (
            side / max(1.0, span)
            for side, span in (
                (self.view.width(), self.view.viewRect().width()),
                (self.view.height(), self.view.viewRect().height()),
            )
        )
        height = max(_TICK, _LEAST / max(up, 1e-9))
        x = np.repeat(times.astype(np.float64), 2)
        y = np.repeat(neurons.astype(np.float64), 2)
        y[0::2] -= height / 2
        y[1::2] += height / 2
        width = min(_WIDEST, max(_THINNEST, across * 0.3))
        self._ticks.setPen(_pen(width))
        self._ticks.setData(x, y)

    def _draw_picture(self, times: I32, neurons: I32, area: tuple[float, ...]) -> None:
        left, right, low, high = area
        columns = max(1, min(int(self.view.width()), int(np.ceil(right - left))))
        rows = max(1, min(int(self.view.height()), int(np.ceil(high - low))))
        x = ((times - left) * (columns / (right - left))).astype(np.int64).clip(0, columns - 1)
        y = ((neurons - low) * (rows / (high - low))).astype(np.int64).clip(0, rows - 1)
        counts = binned(x, y, columns, rows)
        self._picture.setLookupTable(_shades())
        self._picture.setImage(counts, autoLevels=False, levels=(0.0, max(1.0, float(counts.max()))))
        self._picture.setRect(QRectF(left, low, right - left, high - low))


def _pen(width: float) -> QPen:
    made = QPen(theme().colour("spikes"), width)
    made.setCosmetic(True)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    return made


def binned(x: I64, y: I64, columns: int, rows: int) -> F32:
    """Return how many points fall on each cell, float32 (rows, columns), square-rooted to show the few."""
    counts = np.bincount(y * columns + x, minlength=rows * columns).reshape(rows, columns)
    return np.sqrt(counts).astype(np.float32)


def _shades() -> Any:
    """Return 256 colours from the panel to the colour of spikes."""
    ends = [theme().colour(token) for token in ("panel", "spikes")]
    under, over = (np.array([c.red(), c.green(), c.blue()]) for c in ends)
    share = np.linspace(0, 1, 256)[:, None]
    share[1:] = 0.18 + 0.82 * share[1:]  # a single spike is seen
    return np.rint(under + (over - under) * share).astype(np.uint8)

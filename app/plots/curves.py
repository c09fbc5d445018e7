"""Curves over epochs, with the stages of a run marked in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.plots.chart import Chart, draw, literal, pen
from app.plots.following import Range, ahead, fitted, held
from app.plots.legend_row import LegendRow
from app.plots.series import Series
from app.theme.current import theme
from app.theme.fonts import BODY, CAPTION, font

_ROUND, _INSIDE, _OVER = 8, 32, 22  # px around the legend; from above, where there is no title; for it
_TITLE_FROM = 76  # px from the left edge to the end of a title of no letters, with some air
_UNDER_WORDS = 0.7  # how far the words of a mark cover the curves behind them
_PLACES = (0.4, 0.25, 0.1)  # heights, of the plot, at which the words of marks in a row stand
_LEAST = 1e-6  # what is drawn for smaller values on a logarithmic axis


@dataclass
class Curve:
    """One named series on a chart.

    Attributes:
        title: its name in the legend.
        token: its colour.
        thin: drawn faint, behind the others, as what a mean is taken of.
        dashed: drawn thin and dashed, without marks: what the others are measured against.
        series: its points.
    """

    title: str
    token: str
    thin: bool = False
    dashed: bool = False
    series: Series = field(default_factory=Series)


class Curves(Chart):
    """Several curves over one axis of epochs; the ranges follow until the user zooms."""

    def __init__(
        self,
        title: str,
        y: str,
        curves: dict[str, Curve],
        parent: QWidget | None = None,
        *,
        decades: bool = False,
    ) -> None:
        """Take title, words of the y axis and the curves; `decades` makes the y axis logarithmic."""
        self._curves = curves
        self._items: dict[str, Any] = {}
        self._phases: list[tuple[float, str, Any]] = []
        self._decades = decades
        self._late: set[str] = set()
        self._ranges: tuple[Range, Range] | None = None  # as they were chosen here last
        super().__init__(title, "Epoch", y, parent)
        self.plot.getAxis("left").setLogMode(decades)
        self.plot.getAxis("bottom").least = 1.0
        if decades:  # the legend stands over the plot, where a control has the place of the title
            self.plot.layout.setContentsMargins(0, _OVER, 8, 0)
        self.view.disableAutoRange()
        self.legend = LegendRow(self)
        for key in curves:
            self._items[key] = self.curve()
            self._items[key].setZValue(-1 if curves[key].thin or curves[key].dashed else 0)
        self.dressed.connect(self._dress_curves)
        self._dress_curves()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_legend()

    def add(self, key: str, x: float, y: float) -> None:
        """Take one more point of a curve; `show_points` paints it."""
        self._curves[key].series.add(x, log10(max(y, _LEAST)) if self._decades else y)
        self._late.add(key)

    def points(self, key: str) -> int:
        """Return how many points a curve has."""
        return len(self._curves[key].series)

    def mark(self, x: float, words: str) -> None:
        """Draw a dotted line at x with words beside it."""
        place = _PLACES[len(self._phases) % len(_PLACES)]
        line = pg.InfiniteLine(
            x, angle=90, label=literal(words), labelOpts={"position": place, "anchors": [(0, 1), (0, 1)]}
        )
        line.label.setFont(font(CAPTION))
        self.plot.addItem(line, ignoreBounds=True)
        self._phases.append((x, words, line))
        self._dress_phase(line)

    def clear(self) -> None:
        """Show nothing: a new run begins."""
        for one in self._curves.values():
            one.series.clear()
        for _, _, line in self._phases:
            self.plot.removeItem(line)
        self._phases.clear()
        self._late = set(self._curves)
        self._ranges = None
        self.show_points()

    def show_points(self, *, over: bool = False) -> None:
        """Paint what came since the last time; called by a timer, not per batch.

        Args:
            over: nothing more will come: the axes fit what there is.
        """
        late, self._late = self._late, set()
        if late or over:
            self._follow(over=over)
        for key in late:
            one, item = self._curves[key], self._items[key]
            draw(item, one.series.x, one.series.y, one.token, faint=one.thin, dashed=one.dashed)
        if late:
            self._list()

    def show_all(self) -> None:
        self._ranges = None
        self._follow(over=True)

    def _follow(self, *, over: bool) -> None:
        """Let the axes follow what there is, unless the user has zoomed."""
        if self._ranges and self.view.viewRange() != [list(one) for one in self._ranges]:
            return
        there = [one.series for one in self._curves.values() if len(one.series)]
        if there:
            first, last = min(s.x[0] for s in there), max(s.x[-1] for s in there)
            low, high = min(s.low for s in there), max(s.high for s in there)
            across = fitted(first, last) if over else ahead(first, last)
            ranges = across, held(self._ranges[1] if self._ranges and not over else None, low, high)
        else:
            ranges = (0.0, 1.0), (-1.0, 0.0) if self._decades else (0.0, 100.0)
        if ranges != self._ranges:
            self.view.setRange(xRange=ranges[0], yRange=ranges[1], padding=0)
            across_now, up_now = self.view.viewRange()
            self._ranges = (across_now[0], across_now[1]), (up_now[0], up_now[1])

    def _list(self) -> None:
        """Name in the legend the curves that have points, and those that always will."""
        wanted = [one for one in self._curves.values() if len(one.series) or not one.dashed]
        if [one.title for one in wanted] != self.legend.titles:
            self.legend.show_pens({c.title: pen(c.token, faint=c.thin, dashed=c.dashed) for c in wanted})
            self._place_legend()

    def _place_legend(self) -> None:
        """Put it beside the title, or under where that would be."""
        room = self.width() - self.legend.width() - _ROUND
        self.legend.move(room, _INSIDE if self._decades else _ROUND)
        title = QFontMetrics(font(BODY, 600)).horizontalAdvance(self._title) + _TITLE_FROM
        self.plot.titleLabel.setVisible(self._decades or room >= title)

    def _dress_curves(self) -> None:
        self._late = set(self._curves)
        for _, _, line in self._phases:
            self._dress_phase(line)
        self.legend.show_pens({})  # to be listed anew, in the colours of the theme
        self.show_points()

    def _dress_phase(self, line: Any) -> None:
        line.setPen(pg.mkPen(theme().colour("low", 0.7), width=1, style=Qt.PenStyle.DotLine))
        line.label.setColor(theme().colour("mid"))
        line.label.fill = pg.mkBrush(theme().colour("panel", _UNDER_WORDS))

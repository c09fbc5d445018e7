"""Curves over epochs, with the stages of a run marked in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.plots.chart import Chart, draw
from app.plots.series import Series
from app.theme.current import theme
from app.theme.fonts import CAPTION, font

_LEGEND_FROM = 200  # px across below which the legend would hide the curves
_LEAST = 1e-6  # what is drawn for smaller values on a logarithmic axis


@dataclass
class Curve:
    """One named series on a chart.

    Attributes:
        title: its name in the legend.
        token: its colour.
        thin: drawn faint, behind the others, as what a mean is taken of.
        series: its points.
    """

    title: str
    token: str
    thin: bool = False
    series: Series = field(default_factory=Series)


class Curves(Chart):
    """Several curves over one axis of epochs; the x range follows until the user zooms."""

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
        super().__init__(title, "Epoch", y, parent)
        self.plot.getAxis("left").setLogMode(decades)
        self._legend = pg.LegendItem(
            labelTextSize=f"{CAPTION}px",
            verSpacing=-2,
            horSpacing=12,
            sampleType=_Stroke,
            offset=(-8, 8) if decades else (-8, -8),
        )
        self._legend.setParentItem(self.view)
        for key, one in curves.items():
            self._items[key] = self.curve()
            self._legend.addItem(self._items[key], one.title)
        self.dressed.connect(self._dress_curves)
        self._dress_curves()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._legend.setVisible(self.width() >= _LEGEND_FROM)

    def add(self, key: str, x: float, y: float) -> None:
        """Take one more point of a curve; `show_points` paints it."""
        self._curves[key].series.add(x, log10(max(y, _LEAST)) if self._decades else y)
        self._late.add(key)

    def points(self, key: str) -> int:
        """Return how many points a curve has."""
        return len(self._curves[key].series)

    def mark(self, x: float, words: str) -> None:
        """Draw a dotted line at x with words beside it."""
        line = pg.InfiniteLine(
            x, angle=90, label=words, labelOpts={"position": 0.4, "anchors": [(0, 1), (0, 1)]}
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
        self.view.enableAutoRange()
        self.show_points()

    def show_points(self) -> None:
        """Paint what came since the last time; called by a timer, not per batch."""
        late, self._late = self._late, set()
        for key in late:
            one, item = self._curves[key], self._items[key]
            faint = one.thin
            draw(item, one.series.x, one.series.y, one.token, faint=faint)
            item.setZValue(-1 if faint else 0)

    def _dress_curves(self) -> None:
        self._late = set(self._curves)
        for _, _, line in self._phases:
            self._dress_phase(line)
        self._legend.setLabelTextColor(theme().colour("mid"))
        for _, label in self._legend.items:
            label.item.setFont(font(CAPTION))
            label.setText(label.text, color=theme().tokens.mid)
            label.item.setFont(font(CAPTION))
        self.show_points()

    def _dress_phase(self, line: Any) -> None:
        line.setPen(pg.mkPen(theme().colour("low", 0.7), width=1, style=Qt.PenStyle.DotLine))
        line.label.setColor(theme().colour("mid"))
        line.label.fill = pg.mkBrush(theme().tokens.panel)


class _Stroke(pg.ItemSample):  # type: ignore[misc]
    """The short line of a legend, drawn as its curve is."""

    def paint(self, painter: Any, option: Any, widget: Any = None) -> None:
        made = pg.mkPen(self.item.opts["pen"])
        made.setWidth(max(2, made.width()))
        painter.setPen(made)
        painter.drawLine(1, 10, 19, 10)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, 20, 20)

    def mouseClickEvent(self, event: Any) -> None:
        event.ignore()

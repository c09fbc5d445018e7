"""The plain chart that every plot is drawn on: the theme's colours, quiet grid, no box, no menu."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, log10
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtGui import QFontMetricsF, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme.current import theme
from app.theme.figures import whole
from app.theme.fonts import BODY, CAPTION, font

_GRID = {"dark": 0.10, "light": 0.16}
_FAINT = 0.28  # opacity of what a mean is taken of
_TICK_ACROSS, _TICK_UP = 44, 26  # px from one tick to the next, at least
_DOTS_TO = 40  # points up to which each is marked
SMOOTH_TO = 2_000  # points up to which a curve is drawn two pixels wide and smoothed


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis whose large whole numbers have thin spaces, and whose ticks are as far apart as each other.

    Attributes:
        counts: how many things it counts: then only whole numbers up to it are written; None for any number.
        least: the least from one tick to the next.
    """

    counts: int | None = None
    least: float = 0.0

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        across = self.orientation in ("bottom", "top")
        room = (_TICK_ACROSS if across else _TICK_UP) / max(size, 1.0)
        return [(max(spacing_for(abs(high - low) * room), self.least), 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.counts is not None:
            every = self._every(spacing, self.counts)
            fits = (v == round(v) and 0 <= v <= self.counts and not round(v) % every for v in values)
            return [whole(round(v)) if fit else "" for v, fit in zip(values, fits, strict=True)]
        if not self.logMode and spacing >= 1 and all(float(v * scale).is_integer() for v in values):
            every = self._every(spacing, max(map(abs, values), default=0))
            said = [whole(round(v * scale)).replace("-", "−") for v in values]
            return [words if not round(v) % every else "" for words, v in zip(said, values, strict=True)]
        said = [str(s).replace("-", "−") for s in super().tickStrings(values, scale, spacing)]
        if self.logMode:  # of a decade 1, 2 and 5 alone: the others would touch
            said = [
                s if round(10 ** (v - floor(v + 1e-9))) in (1, 2, 5) else ""
                for s, v in zip(said, values, strict=True)
            ]
        return said

    def _every(self, spacing: float, most: float) -> int:
        """Return of how many whole numbers one is written, so that none touches the next."""
        low, high = self.range
        widest = QFontMetricsF(font(CAPTION)).horizontalAdvance(whole(round(most))) + 6
        room = self.size().width() * spacing / max(high - low, 1e-9)
        across = self.orientation in ("bottom", "top") and room > 0
        crowd = ceil(widest / room) if across else 1
        return round(spacing) * crowd if crowd > 1 else 1


def spacing_for(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times powers of ten that is at least `least`."""
    if not least > 0:
        return 1.0
    decade = 10.0 ** floor(log10(least))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= least * (1 - 1e-9))


class _View(pg.ViewBox):  # type: ignore[misc]
    """A view without a menu; a double click asks to show everything again."""

    def __init__(self, show_all: Callable[[], None]) -> None:
        super().__init__(enableMenu=False)
        self._show_all = show_all

    def mouseDoubleClickEvent(self, event: Any) -> None:
        event.accept()
        self._show_all()


class Chart(QWidget):
    """A titled plot area with two axes; double click shows everything again.

    Signals:
        dressed: the theme changed; curves take their colours anew.
    """

    dressed = Signal()

    def __init__(self, title: str, x: str, y: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._labels = title, {"bottom": x, "left": y}
        self.view = _View(self.show_all)
        axes = {side: Axis(side) for side in ("bottom", "left")}
        for axis in axes.values():  # painting words and grid anew for every point takes most of the time
            axis.setCacheMode(axis.CacheMode.DeviceCoordinateCache)
        self.plot = pg.PlotItem(viewBox=self.view, axisItems=axes)
        self._canvas = pg.GraphicsView(useOpenGL=False)
        self._canvas.setCentralItem(self.plot)
        self._canvas.setFrameShape(self._canvas.Shape.NoFrame)
        self.plot.hideButtons()
        self.plot.layout.setContentsMargins(0, 0, 8, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._canvas)
        self._canvas.setAccessibleName(title)
        theme().changed.connect(self._dress)
        self._dress()

    def show_all(self) -> None:
        """Show everything again, after the user looked closer."""
        self.view.enableAutoRange()

    def set_title(self, title: str) -> None:
        """Show another title; the same one is left as it is."""
        if title != self._title:
            self._title = title
            self._write_title()

    def name_axes(self, x: str, y: str) -> None:
        """Write other words along the axes."""
        self._labels = {"bottom": x, "left": y}
        for side, words in self._labels.items():
            axis = self.plot.getAxis(side)
            axis.setLabel(words, color=theme().tokens.low)
            axis.label.setFont(font(CAPTION))

    def curve(self) -> Any:
        """Return a new curve that stays quick with many points."""
        made = pg.PlotDataItem()
        made.setDownsampling(auto=True, method="peak")
        made.setClipToView(True)
        self.plot.addItem(made)
        return made

    def _write_title(self) -> None:
        text = self._title.replace("&", "&amp;").replace("<", "&lt;")
        self.plot.setTitle(text, size=f"{BODY}px", color=theme().tokens.hi, justify="left")
        self.plot.titleLabel.item.setFont(font(BODY, 600))

    def _dress(self) -> None:
        tokens = theme().tokens
        self._canvas.setBackground(tokens.panel)
        self.plot.showGrid(x=True, y=True, alpha=_GRID[tokens.name])
        for side in self._labels:
            axis = self.plot.getAxis(side)
            axis.setPen(pg.mkPen(tokens.line_strong))
            axis.setTextPen(pg.mkPen(tokens.low))
            axis.setStyle(tickFont=font(CAPTION), tickLength=-4, tickTextOffset=6)
        self.name_axes(self._labels["bottom"], self._labels["left"])
        self._write_title()
        self.dressed.emit()


def pen(token: str, points: int = 0, *, faint: bool = False, dashed: bool = False) -> QPen:
    """Return the pen of a curve: two pixels while it has few points, one from SMOOTH_TO on or if faint."""
    width = 1 if faint or points > SMOOTH_TO else 1.5 if dashed else 2
    made: QPen = pg.mkPen(theme().colour(token, _FAINT if faint else 1.0), width=width)
    if dashed:
        made.setDashPattern([4.0, 3.0])
    return made


def literal(words: str) -> str:
    """Return words as the label of a line takes them, which reads braces as places for numbers."""
    return words.replace("{", "{{").replace("}", "}}")


def draw(curve: Any, x: Any, y: Any, token: str, *, faint: bool = False, dashed: bool = False) -> None:
    """Show `y` over `x` on a curve in a colour of the theme; few points are marked, faint or dashed never."""
    points = len(x)
    marked = points <= _DOTS_TO and not (faint or dashed)
    curve.setData(
        np.array(x, np.float64),
        np.array(y, np.float64),
        antialias=points <= SMOOTH_TO,
        pen=pen(token, points, faint=faint, dashed=dashed),
        symbol="o" if marked else None,
        symbolSize=4,
        symbolPen=None,
        symbolBrush=theme().colour(token),
    )

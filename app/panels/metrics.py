"""Figures of every layer while it trains: flipped signs, dead channels, saturation; a small curve each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.panels.durations import percent
from app.panels.labels import note
from app.plots.series import Series
from app.theme.current import theme
from app.theme.fonts import BODY, font

_TITLES = {
    "flipped": "Signs flipped in an epoch",
    "flipped at once": "Signs flipped in a step",
    "dead": "Dead channels",
    "saturated": "Saturated activations",
    "followed": "Signs followed where turned",
    "at limit": "Weights at their limit",
    "gradient": "Length of the gradient",
    "bits": "Bits of a learned width",
    "spike rate": "Spike rate",
    "silent neurons": "Silent neurons",
    "flat": "Activations without a gradient",
    "kept": "Chance that rules are kept",
    "broken": "Answers that break a rule",
    "labels right": "Labels answered rightly",
}
_SHARES = set(_TITLES) - {"gradient", "bits"}  # what is said in percent
_FIRST = "flipped"  # what is shown until another is chosen
_ALL = "all layers"  # the row of a figure that belongs to no node
_UNDER_CHOICE = 34  # px that are left to the control above
_ROW, _VALUE, _PAD = 26, 62, 8  # px
_NAMES = 0.36  # share of the width that names may take
_POINTS = 240  # of a small curve, at most


class MetricsView(QWidget):
    """One kind of figure at a time, for every layer that has it."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.rows = QComboBox(), _Rows()
        self._found: dict[str, dict[str, Series]] = {}
        self._wanted = _FIRST
        self.kinds.setAccessibleName("Which figure of the layers")
        self.kinds.setFont(font(BODY))
        self.kinds.setFixedWidth(196)
        self._none = note("Figures of the layers come with the first steps.", "low")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.viewport().setAutoFillBackground(False)
        self._area.setWidget(self.rows)
        self.rows.setAutoFillBackground(False)
        line = QHBoxLayout()
        line.addWidget(self.kinds)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, _UNDER_CHOICE, 0, 0)
        column.setSpacing(6)
        column.addLayout(line)
        column.addWidget(self._none)
        column.addWidget(self._area, 1)
        self.kinds.activated.connect(self._choose)
        self._show_there()

    def take(self, x: float, metrics: Mapping[str, float], *, of_step: bool = False) -> None:
        """Take figures `NODE: KIND` at an epoch; `of_step` where flips are those of a single step."""
        for key, value in metrics.items():
            name, colon, kind = key.rpartition(": ")
            if of_step and kind == "flipped":
                kind = "flipped at once"
            series = self._found.setdefault(kind, {}).setdefault(name if colon else _ALL, Series())
            series.add(x, value)
            if self.kinds.findData(kind) < 0:
                self._offer(kind)

    def clear(self) -> None:
        """Show nothing: a new run begins."""
        self._found.clear()
        self.kinds.clear()
        self.show_points()

    def show_points(self) -> None:
        """Paint what came since the last time; called by a timer, not per batch."""
        kind = self.kinds.currentData()
        self.rows.show_series(self._found.get(kind, {}), kind or "")
        self._show_there()

    def _offer(self, kind: str) -> None:
        order = [*_TITLES, kind]
        places = [order.index(k) if k in order else len(order) for k in self._kinds()]
        at = next((i for i, place in enumerate(places) if place > order.index(kind)), len(places))
        self.kinds.insertItem(at, _TITLES.get(kind, kind.capitalize()), kind)
        self.kinds.setCurrentIndex(max(0, self.kinds.findData(self._wanted)))

    def _choose(self) -> None:
        self._wanted = self.kinds.currentData()
        self.show_points()

    def _kinds(self) -> list[str]:
        return [self.kinds.itemData(i) for i in range(self.kinds.count())]

    def _show_there(self) -> None:
        there = bool(self._found)
        self.kinds.setVisible(there)
        self._area.setVisible(there)
        self._none.setVisible(not there)


class _Rows(QWidget):
    """A row for each layer: its name, its curve on the scale of all, its last figure."""

    def __init__(self) -> None:
        super().__init__()
        self._series: Mapping[str, Series] = {}
        self._kind = ""
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        theme().changed.connect(self.update)

    def show_series(self, series: Mapping[str, Series], kind: str) -> None:
        """Show the curves of a kind of figure."""
        if len(series) != len(self._series):
            self.updateGeometry()
        self._series, self._kind = dict(series), kind
        self.setMinimumHeight(_ROW * len(series))
        said = ", ".join(f"{name} {self._value(one.y[-1])}" for name, one in series.items())
        self.setAccessibleName(f"{_TITLES.get(kind, kind)}: {said}" if said else "")
        self.update()

    def words_at(self, place: QPointF) -> str:
        """Return what a row says, in a sentence, or ""."""
        row = int(place.y() // _ROW)
        if not 0 <= row < len(self._series):
            return ""
        name, series = list(self._series.items())[row]
        low, high = float(series.y.min()), float(series.y.max())
        span = f"from {self._value(low)} to {self._value(high)} so far"
        return f"{name}: {self._value(series.y[-1])}, {span}"

    def sizeHint(self) -> QSize:
        return QSize(240, _ROW * len(self._series))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), self.words_at(event.position()), self)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._series:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = min(float(one.x[0]) for one in self._series.values())
        last = max(float(one.x[-1]) for one in self._series.values())
        top = max(float(one.y.max()) for one in self._series.values())
        span = QRectF(first, 0.0, max(last - first, 1e-9), max(top, 1e-9))
        for row, (name, series) in enumerate(self._series.items()):
            self._paint_row(painter, row * _ROW, name, series, span)

    def _paint_row(self, painter: QPainter, top: int, name: str, series: Series, span: QRectF) -> None:
        names, middle = int(_NAMES * self.width()), Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(BODY))
        painter.setPen(theme().colour("mid"))
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, names)
        painter.drawText(QRectF(0, top, names, _ROW), middle | Qt.AlignmentFlag.AlignLeft, shown)
        painter.setPen(theme().colour("hi"))
        value = QRectF(self.width() - _VALUE, top, _VALUE, _ROW)
        painter.drawText(value, middle | Qt.AlignmentFlag.AlignRight, self._value(series.y[-1]))
        area = QRectF(names + _PAD, top + 4, self.width() - names - _VALUE - 2 * _PAD, _ROW - 8)
        painter.setPen(QPen(theme().colour("line"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(QPen(theme().colour("accent"), 1.5))
        points = _points(series, area, span)
        if len(points) > 1:
            painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("accent"))
        painter.drawEllipse(points[-1], 2.2, 2.2)

    def _value(self, value: float) -> str:
        return percent(value) if self._kind in _SHARES else f"{value:.3g}".replace("-", "−")


def _points(series: Series, area: QRectF, span: QRectF) -> list[QPointF]:
    """Return a curve in pixels, thinned out where it has more points than can be seen."""
    at = np.unique(np.linspace(0, len(series) - 1, min(len(series), _POINTS)).astype(np.int64))
    across = area.left() + (series.x[at] - span.left()) / span.width() * area.width()
    down = area.bottom() - series.y[at] / span.height() * area.height()
    return [QPointF(x, y) for x, y in zip(across.tolist(), down.tolist(), strict=True)]

"""What an option of a family computes, as a small picture: its forward pass and its gradient."""

from __future__ import annotations

from math import floor, log10

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.plots.curve_store import XS, Drawn, curve_store
from app.theme.current import theme
from app.theme.fonts import CAPTION, font
from engine.options import F64, Curve

_HEIGHT = 124  # px
_LEFT, _TOP, _RIGHT, _BOTTOM = 26, 20, 12, 18  # px around the plot
_AIR = 0.08  # of the range above and below the curves
_DASHES = [4.0, 3.0]
_TICKS = 4  # at most, between the lowest and the highest
_SWATCH, _GAP = 18, 6  # px of the legend


def thumbnail(painter: QPainter, area: QRectF, curve: Curve, colour: str) -> None:
    """Paint both lines of a curve and nothing else; nothing at all while they are on their way."""
    found = curve_store().of(curve)
    if found is None:
        return
    forward, gradient = found
    low, high = _range(forward, gradient)
    _line(painter, area, gradient, low, high, QPen(theme().colour("low"), 1.2))
    _line(painter, area, forward, low, high, QPen(theme().colour(colour), 1.6))


class OptionCurve(QWidget):
    """Draws the forward pass in the colour of a paradigm, the gradient dashed; says both by its tooltip."""

    def __init__(self, colour: str) -> None:
        """Take the token of the colour of the forward pass."""
        super().__init__()
        self._colour = colour
        self._curve: Curve | None = None
        self.setMouseTracking(True)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)
        curve_store().ready.connect(self.update)

    def show_curve(self, curve: Curve | None, title: str) -> None:
        """Show a curve under the name of its option; nothing where there is none."""
        self._curve = curve
        self.setAccessibleName(f"Forward and gradient of {title}")
        self.update()

    def words_at(self, place: QPointF) -> str:
        """Return what both lines are above a place, in a sentence, or ""."""
        area = self._area()
        found = self._drawn()
        if found is None or not area.left() <= place.x() <= area.right():
            return ""
        at = round((place.x() - area.left()) / area.width() * (len(XS) - 1))
        forward, gradient = found
        return f"x {_short(XS[at])}: forward {_short(forward[at])}, gradient {_short(gradient[at])}"

    def sizeHint(self) -> QSize:
        return QSize(240, _HEIGHT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), self.words_at(event.position()), self)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()

    def paintEvent(self, event: QPaintEvent) -> None:
        found = self._drawn()
        if found is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(CAPTION))
        forward, gradient = found
        low, high = _range(forward, gradient)
        self._paint_axes(painter, low, high)
        dashed = QPen(theme().colour("mid"), 1.6)
        dashed.setDashPattern(_DASHES)
        solid = QPen(theme().colour(self._colour), 2)
        _line(painter, self._area(), gradient, low, high, dashed)
        _line(painter, self._area(), forward, low, high, solid)
        self._paint_legend(painter, {"forward": solid, "gradient": dashed})

    # Inside

    def _drawn(self) -> Drawn | None:
        return curve_store().of(self._curve) if self._curve else None

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def _paint_axes(self, painter: QPainter, low: float, high: float) -> None:
        area, down, across = self._area(), Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignHCenter
        for value in _ticks(low, high):
            y = _up(area, value, low, high)
            self._paint_line(painter, QLineF(area.left(), y, area.right(), y), zero=value == 0)
            place = QRectF(0, y - 8, _LEFT - 6, 16)
            painter.drawText(place, down | Qt.AlignmentFlag.AlignVCenter, _short(value))
        for value in range(int(XS[0]), int(XS[-1]) + 1):
            x = area.left() + (value - XS[0]) / (XS[-1] - XS[0]) * area.width()
            self._paint_line(painter, QLineF(x, area.top(), x, area.bottom()), zero=value == 0)
            words = "x" if value == int(XS[-1]) else _short(value)
            painter.drawText(QRectF(x - 14, area.bottom() + 2, 28, 16), across, words)

    def _paint_line(self, painter: QPainter, line: QLineF, *, zero: bool) -> None:
        painter.setPen(QPen(theme().colour("line_strong" if zero else "line"), 1))
        painter.drawLine(line)
        painter.setPen(theme().colour("low"))

    def _paint_legend(self, painter: QPainter, lines: dict[str, QPen]) -> None:
        left = float(_LEFT)
        for words, pen in lines.items():
            painter.setPen(pen)
            painter.drawLine(QLineF(left, 8, left + _SWATCH, 8))
            painter.setPen(theme().colour("mid"))
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QPointF(left + _SWATCH + _GAP, 12), words)
            left += _SWATCH + _GAP + wide + 2 * _GAP


def _line(painter: QPainter, area: QRectF, ys: F64, low: float, high: float, pen: QPen) -> None:
    xs = area.left() + (XS - XS[0]) / (XS[-1] - XS[0]) * area.width()
    ups = area.bottom() - (ys - low) / (high - low) * area.height()
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in zip(xs.tolist(), ups.tolist(), strict=True)]))


def _up(area: QRectF, value: float, low: float, high: float) -> float:
    return area.bottom() - (value - low) / (high - low) * area.height()


def _range(forward: F64, gradient: F64) -> tuple[float, float]:
    """Return the lowest and highest number of the picture: 0 is always in it, and some air."""
    low = min(0.0, float(forward.min()), float(gradient.min()))
    high = max(0.0, float(forward.max()), float(gradient.max()))
    air = _AIR * max(high - low, 0.5)
    return low - air, high + air


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two numbers, 0 among them."""
    rough = (high - low) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first = int(np.ceil(low / step))
    return [step * i for i in range(first, int(np.floor(high / step)) + 1)]


def _short(number: float) -> str:
    return f"{number:.3g}".replace("-", "−")

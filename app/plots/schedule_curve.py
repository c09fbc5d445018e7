"""How the learning rate goes over a run: the schedule with its warm-up and floor, as a small curve."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.current import theme
from app.theme.fonts import CAPTION, font

_HEIGHT, _POINTS = 92, 160
_LEFT, _TOP, _RIGHT, _BOTTOM = 8, 18, 8, 18  # px around the plot


class ScheduleCurve(QWidget):
    """Draws a rate over epochs; says both by its tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._rates: list[float] = []
        self._epochs = 1
        self.setMouseTracking(True)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def show_rates(self, rate_at: Callable[[float], float], epochs: int) -> None:
        """Show `rate_at`, of the share of the run that is over, 0 to 1, for a run of `epochs`."""
        self._rates = [rate_at(i / (_POINTS - 1)) for i in range(_POINTS)]
        self._epochs = epochs
        low, high = min(self._rates), max(self._rates)
        self.setAccessibleName(f"Learning rate over {epochs} epochs, {low:.3g} to {high:.3g}")
        self.update()

    def words_at(self, place: QPointF) -> str:
        """Return the rate at a place, in words, or ""."""
        area = self._area()
        if not self._rates or not area.left() <= place.x() <= area.right():
            return ""
        share = (place.x() - area.left()) / area.width()
        return f"epoch {share * self._epochs:.3g}: {self._rates[round(share * (_POINTS - 1))]:.3g}"

    def sizeHint(self) -> QSize:
        return QSize(240, _HEIGHT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), self.words_at(event.position()), self)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._rates:
            return
        painter, area = QPainter(self), self._area()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(CAPTION))
        painter.setPen(QPen(theme().colour("line_strong"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        top = max(self._rates) or 1.0
        steps = len(self._rates) - 1
        points = [
            QPointF(area.left() + i / steps * area.width(), area.bottom() - rate / top * area.height())
            for i, rate in enumerate(self._rates)
        ]
        painter.setPen(QPen(theme().colour("accent"), 2))
        painter.drawPolyline(QPolygonF(points))
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setPen(theme().colour("low"))
        painter.drawText(QRectF(area.left(), 1, area.width(), 14), left, f"learning rate, up to {top:.3g}")
        under = QRectF(area.left(), area.bottom() + 2, area.width(), 14)
        painter.drawText(under, left, "0")
        painter.drawText(under, right, f"{self._epochs} epochs")

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

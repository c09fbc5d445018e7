"""A legend in one line above a plot, where no curve runs behind it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QLineF, QPointF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.theme.current import theme
from app.theme.fonts import CAPTION, font

_STROKE, _INSIDE, _BETWEEN, _HEIGHT = 16, 5, 12, 18  # px


class LegendRow(QWidget):
    """Names curves beside short strokes of their pens, from right to left as wide as they need."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pens: dict[str, QPen] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    @property
    def titles(self) -> list[str]:
        """Return the names it shows."""
        return list(self._pens)

    def show_pens(self, pens: Mapping[str, QPen]) -> None:
        """Show these curves, title -> pen."""
        self._pens = dict(pens)
        self.setAccessibleName("Curves: " + ", ".join(pens))
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        wide = sum(self._width(title) for title in self._pens) + _BETWEEN * max(0, len(self._pens) - 1)
        return QSize(round(wide) + 2, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(CAPTION))
        left = 0.0
        for title, pen in self._pens.items():
            painter.setPen(pen)
            painter.drawLine(QLineF(left, _HEIGHT / 2, left + _STROKE, _HEIGHT / 2))
            painter.setPen(theme().colour("mid"))
            painter.drawText(QPointF(left + _STROKE + _INSIDE, _HEIGHT / 2 + 4), title)
            left += self._width(title) + _BETWEEN

    @staticmethod
    def _width(title: str) -> float:
        return _STROKE + _INSIDE + QFontMetricsF(font(CAPTION)).horizontalAdvance(title)

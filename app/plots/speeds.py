"""Speeds of several kernels as bars; the one that serves stands out by weight, colour and a word."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.current import theme
from app.theme.figures import count
from app.theme.fonts import BODY, font

_ROW, _BAR = 26, 8  # px
_NAMES, _FIGURES, _GAP = 0.42, 128, 12  # share of the width that names may take; px
_SERVES = "serves"


class SpeedBars(QWidget):
    """A bar for each kernel, fastest first."""

    def __init__(self, speeds: Mapping[str, float], serving: str, unit: str) -> None:
        """Take the speeds by kernel, the kernel that serves, and the unit of a speed."""
        super().__init__()
        self._speeds = dict(sorted(speeds.items(), key=lambda pair: -pair[1]))
        self._serving, self._unit = serving, unit
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        said = ", ".join(f"{name} {self._figure(speed)}" for name, speed in self._speeds.items())
        self.setAccessibleName(f"{serving} serves; {said}")
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(480, _ROW * len(self._speeds))

    def minimumSizeHint(self) -> QSize:
        return QSize(280, _ROW * len(self._speeds))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, (name, speed) in enumerate(self._speeds.items()):
            self._paint_row(painter, row * _ROW, name, speed)

    def _paint_row(self, painter: QPainter, top: int, name: str, speed: float) -> None:
        serves, middle = name == self._serving, Qt.AlignmentFlag.AlignVCenter
        face = font(BODY, 600 if serves else 400)
        names = self._names()
        painter.setFont(face)
        painter.setPen(theme().colour("hi" if serves else "mid"))
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(names))
        painter.drawText(QRectF(0, top, names, _ROW), middle | Qt.AlignmentFlag.AlignLeft, shown)
        left = names + _GAP
        room = self.width() - left - _FIGURES - _GAP
        share = speed / max(self._speeds.values())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("accent") if serves else theme().colour("low", 0.55))
        painter.drawRoundedRect(QRectF(left, top + (_ROW - _BAR) / 2, max(2.0, room * share), _BAR), 3, 3)
        painter.setPen(theme().colour("hi" if serves else "mid"))
        figures = QRectF(self.width() - _FIGURES, top, _FIGURES, _ROW)
        painter.drawText(figures, middle | Qt.AlignmentFlag.AlignLeft, self._figure(speed))
        if serves:
            painter.setPen(theme().colour("accent"))
            painter.drawText(figures, middle | Qt.AlignmentFlag.AlignRight, _SERVES)

    def _names(self) -> float:
        metrics = QFontMetricsF(font(BODY, 600))
        widest = max((metrics.horizontalAdvance(name) for name in self._speeds), default=0.0)
        return min(widest + 2, _NAMES * self.width())

    def _figure(self, speed: float) -> str:
        return f"{count(speed)}{self._unit}"

"""A line of text that ends in … where there is no room for all of it; its tooltip has the whole."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from app.theme.fonts import BODY, font


def set_beside(words: QLabel, bar: QHBoxLayout, column: QVBoxLayout, at: int, *, beside: bool) -> None:
    """Put a line of words into a bar, at a place, or under it where there is too little room."""
    if beside == (bar.indexOf(words) >= 0):
        return
    (column if beside else bar).removeWidget(words)
    if beside:
        bar.insertWidget(at, words, 1)
    else:
        column.insertWidget(1, words)


class Elided(QLabel):
    """A sentence of the second rank on one line; it takes what room is left and asks for none."""

    def __init__(self, tone: str = "mid") -> None:
        super().__init__()
        self.setFont(font(BODY))
        self.setProperty("tone", tone)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def shown(self) -> str:
        """Return what is painted of the text."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())

    def setText(self, text: str) -> None:
        super().setText(text)
        self._explain()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._explain()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), left, self.shown)

    def _explain(self) -> None:
        self.setToolTip("" if self.shown == self.text() else self.text())

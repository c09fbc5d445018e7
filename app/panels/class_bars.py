"""Probabilities of classes as bars, the answer in front, what a rule forbids struck out."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.current import theme
from app.theme.fonts import BODY, CAPTION, font
from engine.ports import F64

_ROW, _HEAD, _PAD = 22, 42, 12  # px
MOST = 5  # classes shown


class ClassBars(QWidget):
    """A card of one answer."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title, self._answer, self._tone = title, "–", "hi"
        self._rows: list[tuple[str, float, bool]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    @property
    def words(self) -> str:
        """Return what it says."""
        rows = [f"{name} {percent(share)}{' forbidden' if out else ''}" for name, share, out in self._rows]
        return "\n".join([f"{self._title}: {self._answer}", *rows])

    def show_answer(self, answer: str, tone: str, names: tuple[str, ...], shares: F64, out: set[int]) -> None:
        """Show an answer in a tone, the classes' shares, and which of them are ruled out."""
        self._answer, self._tone = answer, tone
        order = np.argsort(-shares, kind="stable")[:MOST]
        self._rows = [(names[i], float(shares[i]), int(i) in out) for i in order]
        self.setAccessibleName(self.words.replace("\n", ", "))
        self.setToolTip(self.words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, _HEAD + _ROW * len(self._rows) + _PAD)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colour = QPainter(self), theme().colour
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour("line"))
        painter.setBrush(colour("card"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        room = self.width() - 2 * _PAD
        _write(painter, QRectF(_PAD, 7, room, 14), self._title, "mid", (CAPTION, 400))
        _write(painter, QRectF(_PAD, 22, room, 18), self._answer, self._tone, (BODY, 600))
        for i, (name, share, out) in enumerate(self._rows):
            self._paint_row(painter, _HEAD + i * _ROW, name, share, out=out)

    def _paint_row(self, painter: QPainter, top: int, name: str, share: float, *, out: bool) -> None:
        colour, room = theme().colour, self.width() - 2 * _PAD
        figure = "forbidden" if out else percent(share)
        _write(painter, QRectF(_PAD, top, room, 14), figure, "low" if out else "mid", right=True)
        taken = painter.fontMetrics().horizontalAdvance(figure) + 8
        shown = QRectF(_PAD, top, room - taken, 14)
        _write(painter, shown, name, "low" if out else "hi")
        if out:
            wide = min(shown.width(), painter.fontMetrics().horizontalAdvance(name))
            painter.setPen(colour("low"))
            painter.drawLine(QPointF(_PAD, top + 7.5), QPointF(_PAD + wide, top + 7.5))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("line"))
        painter.drawRoundedRect(QRectF(_PAD, top + 15, room, 3), 1.5, 1.5)
        painter.setBrush(colour("accent"))
        if share > 0 and not out:
            painter.drawRoundedRect(QRectF(_PAD, top + 15, max(3.0, room * share), 3), 1.5, 1.5)


def percent(share: float) -> str:
    """Return a probability as it is read: `97.1 %`, `<0.1 %`."""
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f} %"


def _write(
    painter: QPainter,
    area: QRectF,
    words: str,
    tone: str,
    size: tuple[int, int] = (CAPTION, 400),
    *,
    right: bool = False,
) -> None:
    painter.setFont(font(*size))
    painter.setPen(theme().colour(tone))
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(area.width()))
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)

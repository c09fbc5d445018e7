"""Which class is taken for which: a table of counts, shaded by the share of its row."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.current import theme
from app.theme.figures import whole
from app.theme.fonts import CAPTION, font
from engine.look import LABELLED, RIGHT
from engine.ports import I64

_HEAD, _UNDER = 30, 34  # px above and below the table
_WIDEST_NAME = 96
_NARROWEST = 18  # px of a cell that still has room for its count
_ALPHA = 0.85


class ConfusionChart(QWidget):
    """Rows are true classes, columns answers; what lies off the diagonal is wrong.

    Of several labels a record, rows are labels and columns what became of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._classes: tuple[str, ...] = ()
        self._counts: I64 = np.zeros((0, 1), np.int64)
        self._several = False
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    def show_counts(self, classes: tuple[str, ...], counts: I64, *, several: bool = False) -> None:
        """Show counts, int64 (classes, classes + 1), the last column answers of no class.

        Of `several` labels (labels, 4), the columns as LABELLED of engine/look.py.
        """
        self._classes, self._counts, self._several = classes, counts, several
        right = int(counts[:, list(RIGHT)].sum() if several else np.trace(counts[:, : len(classes)]))
        kind = "label" if several else "class"
        self.setAccessibleName(f"Answers by {kind}: {right} of {int(counts.sum())} right")
        self.update()

    def words_at(self, place: QPointF) -> str:
        """Return what the cell at a place says, in a sentence, or ""."""
        cell = self._cell_at(place)
        if cell is None:
            return ""
        row, column = cell
        said = self._columns()[column]
        count, total = int(self._counts[row, column]), int(self._counts[row].sum())
        if self._several:
            return f"{self._classes[row]} is {said} in {whole(count)} of {whole(total)} records"
        return f"{whole(count)} of {whole(total)} records of {self._classes[row]} are answered {said}"

    def sizeHint(self) -> QSize:
        return QSize(320, 240)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), self.words_at(event.position()), self)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._classes:
            return
        for row in range(len(self._classes)):
            self._paint_row(painter, row)
        self._paint_names(painter)

    # Inside

    def _paint_row(self, painter: QPainter, row: int) -> None:
        total = max(1, int(self._counts[row].sum()))
        for column in range(len(self._columns())):
            rect, count = self._rect(row, column), int(self._counts[row, column])
            share = count / total
            right = column in RIGHT if self._several else row == column
            token = "accent" if right else "error"
            painter.fillRect(rect, theme().colour("line", 0.35))
            if count:
                painter.fillRect(rect, theme().colour(token, 0.12 + (_ALPHA - 0.12) * share))
            if count and min(rect.width(), rect.height() + 6) >= _NARROWEST:
                strong = share > 0.5
                token = "on_accent" if strong else "hi"
                painter.setFont(font(CAPTION))
                painter.setPen(QPen(theme().colour(token)))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, whole(count))

    def _paint_names(self, painter: QPainter) -> None:
        metrics = QFontMetrics(font(CAPTION))
        for row, name in enumerate(self._classes):
            rect = self._rect(row, 0)
            if rect.height() >= metrics.height() - 3:
                shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, _WIDEST_NAME)
                place = QRectF(0, rect.top(), self._left() - 8, rect.height())
                _say(painter, place, shown, "low", font(CAPTION), Qt.AlignmentFlag.AlignRight)
        last = len(self._classes) - 1
        for column, name in enumerate(self._columns()):
            rect = self._rect(last, column)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(rect.width()))
            place = QRectF(rect.left(), rect.bottom() + 3, rect.width(), 14)
            _say(painter, place, shown, "low", font(CAPTION), Qt.AlignmentFlag.AlignHCenter)
        under = QRectF(self._left(), self.height() - 15, self.width() - self._left(), 14)
        _say(
            painter,
            under,
            "What becomes of each label" if self._several else "Answer; rows are the true class",
            "low",
            font(CAPTION),
            Qt.AlignmentFlag.AlignHCenter,
        )

    def _columns(self) -> tuple[str, ...]:
        """Return the answers there are; none stands among them where it was ever given."""
        if self._several:
            return LABELLED
        given = bool(self._counts.size and self._counts[:, -1].any())
        return (*self._classes, "none") if given else self._classes

    def _left(self) -> float:
        metrics = QFontMetrics(font(CAPTION))
        widest = max((metrics.horizontalAdvance(name) for name in self._classes), default=0)
        return min(widest, _WIDEST_NAME) + 10.0

    def _rect(self, row: int, column: int) -> QRectF:
        left = self._left()
        width = (self.width() - left - 4) / len(self._columns())
        height = (self.height() - _HEAD - _UNDER) / len(self._classes)
        return QRectF(left + column * width, _HEAD + row * height, width - 1, height - 1)

    def _cell_at(self, place: QPointF) -> tuple[int, int] | None:
        for row in range(len(self._classes)):
            for column in range(len(self._columns())):
                if self._rect(row, column).contains(place):
                    return row, column
        return None


def _say(
    painter: QPainter,
    place: QRectF,
    words: str,
    token: str,
    face: QFont,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    painter.setFont(face)
    painter.setPen(theme().colour(token))
    painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, words)

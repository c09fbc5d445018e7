"""The margin of the editor: line numbers, a mark for each rule, and what it says of a record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QToolTip, QWidget

from app.editor.marks import STATES, TRUTHS, Mark, Truth
from app.theme.current import theme
from app.theme.fonts import CAPTION, mono
from app.theme.icons import pixmap

_SIGN, _PAD = 14, 6  # px


class Lined(Protocol):
    """A text as its margin sees it."""

    def blockCount(self) -> int: ...
    def textCursor(self) -> QTextCursor: ...
    def line_at(self, y: int) -> int: ...
    def lines_shown(self) -> Iterator[tuple[int, int, int]]: ...


class Gutter(QWidget):
    """Stands at the left of a text and scrolls with it.

    Signals:
        pressed: a line, from 1.
    """

    pressed = Signal(int)

    def __init__(self, text: Lined, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = text
        self.marks: dict[int, Mark] = {}
        self.truths: dict[int, tuple[Truth, str]] = {}
        self.setAccessibleName("Marks of the rules")
        theme().changed.connect(self.update)

    def wide(self) -> int:
        """Return how wide it has to be."""
        digits = max(2, len(str(self._text.blockCount())))
        numbers = self.fontMetrics().horizontalAdvance("0") * digits
        return numbers + 2 * _SIGN + 4 * _PAD

    def sizeHint(self) -> QSize:
        return QSize(self.wide(), 0)

    def shift(self, line: int, by: int) -> None:
        """Move the signs of lines after `line` with their lines, until better ones come."""
        self.marks = {(n + by if n > line else n): mark for n, mark in self.marks.items()}
        self.truths = {(n + by if n > line else n): truth for n, truth in self.truths.items()}

    def words_at(self, at: QPoint) -> str:
        """Return what the tooltip says at a point."""
        line = self._text.line_at(at.y())
        mark, truth = self.marks.get(line), self.truths.get(line)
        words = [mark.words] if mark else []
        if truth:
            words.append(truth[1])
        return "\n".join(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme().colour("window"))
        painter.setPen(theme().colour("line"))
        painter.drawLine(self.width() - 1, event.rect().top(), self.width() - 1, event.rect().bottom())
        painter.setFont(mono(CAPTION))
        here = self._text.textCursor().blockNumber() + 1
        numbers = QRect(0, 0, self.width() - 2 * _SIGN - 3 * _PAD, 0)
        for line, top, high in self._text.lines_shown():
            painter.setPen(theme().colour("hi" if line == here else "low"))
            numbers.moveTop(top)
            numbers.setHeight(high)
            painter.drawText(numbers, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(line))
            left = numbers.right() + _PAD
            middle = top + (high - _SIGN) // 2
            if mark := self.marks.get(line):
                self._sign(painter, STATES[mark.state], left, middle)
            if truth := self.truths.get(line):
                self._sign(painter, TRUTHS[truth[0]], left + _SIGN + _PAD - 2, middle)

    def _sign(self, painter: QPainter, drawn: tuple[str, str, str], left: int, top: int) -> None:
        ratio = self.devicePixelRatioF()
        painter.drawPixmap(left, top, pixmap(drawn[0], drawn[1], _SIGN, ratio))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit(self._text.line_at(event.position().toPoint().y()))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

"""The segmented control: a row of choices of which one is taken; how a bit width is set everywhere."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.current import theme
from app.theme.fonts import BASE, BODY, font

_HEIGHT, _SMALL = 32, 24
_INSET = 1.5


class Segments(QWidget):
    """A row of choices.

    Signals:
        chosen: the key that the user took.
    """

    chosen = Signal(str)

    def __init__(
        self, choices: Mapping[str, str], tips: Mapping[str, str], name: str, *, small: bool = False
    ) -> None:
        """Take the choices, key -> text shown, the sentence for each key, and what is chosen."""
        super().__init__()
        self._height, self._size = (_SMALL, BODY) if small else (_HEIGHT, BASE)
        self._choices, self._tips, self._name = dict(choices), dict(tips), name
        self._value, self._under = "", ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme().changed.connect(self.update)

    @property
    def value(self) -> str:
        """Return the key that is taken, "" where several values are mixed."""
        return self._value

    def show_value(self, key: str) -> None:
        """Show what is taken; nothing is emitted."""
        if key != self._value:
            self._value = key
            self.setAccessibleDescription(self._tips.get(key, "mixed"))
            self.update()

    def show_tips(self, tips: Mapping[str, str]) -> None:
        """Show other sentences while the pointer rests on a choice."""
        self._tips = dict(tips)

    def rect_of(self, key: str) -> QRectF:
        """Return where a choice stands."""
        place = list(self._choices).index(key)
        width = (self.width() - 2 * _INSET) / len(self._choices)
        return QRectF(_INSET + place * width, _INSET, width, self.height() - 2 * _INSET)

    def sizeHint(self) -> QSize:
        return QSize(28 * len(self._choices), self._height)

    def minimumSizeHint(self) -> QSize:
        return QSize(24 * len(self._choices), self._height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = self.hasFocus()
        painter.setPen(QPen(theme().colour("accent" if focused else "line_strong"), 2 if focused else 1))
        painter.setBrush(theme().colour("field"))
        inset = 1.0 if focused else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 7, 7)
        keys = list(self._choices)
        for before, key in itertools.pairwise(keys):
            if self._value not in (before, key):
                x = self.rect_of(key).left()
                painter.setPen(QPen(theme().colour("line"), 1))
                painter.drawLine(QPointF(x, 8), QPointF(x, self.height() - 8))
        for key in keys:
            self._paint_choice(painter, key)

    def _paint_choice(self, painter: QPainter, key: str) -> None:
        rect, taken = self.rect_of(key), key == self._value
        if taken or key == self._under:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour("accent" if taken else "hover"))
            painter.drawRoundedRect(rect.adjusted(1.5, 1.5, -1.5, -1.5), 5, 5)
        painter.setFont(font(self._size, 600 if taken else 400))
        painter.setPen(theme().colour("on_accent" if taken else "hi" if self.isEnabled() else "low"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._choices[key])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        key = self._key_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and key:
            self._take(key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._key_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        keys = list(self._choices)
        place = keys.index(self._value) + step if self._value in keys else 0
        if 0 <= place < len(keys):
            self._take(keys[place])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            words = self._tips.get(self._key_at(QPointF(event.pos())), "")
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def _take(self, key: str) -> None:
        if key != self._value:
            self.show_value(key)
            self.chosen.emit(key)

    def _hover(self, key: str) -> None:
        if key != self._under:
            self._under = key
            self.update()

    def _key_at(self, place: QPointF) -> str:
        return next((key for key in self._choices if self.rect_of(key).contains(place)), "")

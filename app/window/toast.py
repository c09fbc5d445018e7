"""Short messages over the window that nobody has to click away; errors stay until they are read."""

from __future__ import annotations

from functools import partial
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from app.theme.fonts import BASE, font
from app.theme.icons import icon, pixmap

Level = Literal["good", "plain", "warning", "error"]
_LOOKS = {
    "good": ("ph.check-circle-fill", "ok"),
    "plain": ("ph.info-fill", "accent"),
    "warning": ("ph.warning-fill", "warn"),
    "error": ("ph.warning-circle-fill", "error"),
}
_SECONDS = {"good": 5.0, "plain": 6.0, "warning": 12.0, "error": 0.0}  # 0: until it is closed
_WIDE, _MARGIN, _MOST = 460, 16, 3


class Toast(QFrame):
    """One message.

    Signals:
        closed: it was closed, by hand or by time.
    """

    closed = Signal()

    def __init__(self, parent: QWidget, words: str, level: Level, *, stays: bool = False) -> None:
        super().__init__(parent)
        self.words, self.level = words, level
        self.setProperty("surface", "popup")
        self.setAccessibleName(words)
        name, colour = _LOOKS[level]
        mark = QLabel()
        mark.setPixmap(pixmap(name, colour, 18, self.devicePixelRatioF()))
        text = QLabel(words)
        text.setFont(font(BASE))
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setTextFormat(Qt.TextFormat.PlainText)
        close = QToolButton()
        close.setIcon(icon("ph.x", "mid"))
        close.setToolTip("Close")
        close.setAccessibleName("Close the message")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(14, 10, 8, 10)
        self._row.setSpacing(10)
        self._row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addWidget(text, 1, Qt.AlignmentFlag.AlignVCenter)
        self._row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        close.clicked.connect(self.leave)
        if _SECONDS[level] and not stays:
            QTimer.singleShot(int(_SECONDS[level] * 1000), self, self.leave)

    def leave(self) -> None:
        """Close the message."""
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def add_button(self, words: str) -> QPushButton:
        """Add a button before the closing cross and return it; pressing it closes the message too."""
        button = QPushButton(words)
        button.clicked.connect(self.leave)
        self._row.insertWidget(self._row.count() - 1, button, 0, Qt.AlignmentFlag.AlignVCenter)
        return button


class Toasts(QObject):
    """Shows messages at the top of a widget, newest first."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._shown: list[Toast] = []
        over.installEventFilter(self)

    def say(self, words: str, level: Level = "plain", *, stays: bool = False) -> Toast:
        """Show a message and return it; one that `stays` is closed by hand alone, as errors are."""
        for old in [t for t in self._shown if t.words == words]:
            self._drop(old)
        for old in self._shown[: max(0, len(self._shown) - _MOST + 1)]:
            self._drop(old)
        toast = Toast(self._over, words, level, stays=stays)
        toast.closed.connect(partial(self._gone, toast))
        self._shown.append(toast)
        toast.show()
        self._place()
        QTimer.singleShot(0, self, self._place)
        return toast

    def words(self) -> list[str]:
        """Return what is shown, oldest first."""
        return [toast.words for toast in self._shown]

    def clear(self) -> None:
        """Take all messages away."""
        for toast in list(self._shown):
            self._drop(toast)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _drop(self, toast: Toast) -> None:
        self._shown.remove(toast)
        toast.hide()
        toast.deleteLater()

    def _gone(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            self._place()

    def _place(self) -> None:
        top, wide = _MARGIN, min(_WIDE, self._over.width() - 2 * _MARGIN)
        for toast in reversed(self._shown):
            toast.setFixedWidth(wide)
            toast.ensurePolished()
            tall = toast.heightForWidth(wide)
            toast.resize(wide, tall)
            toast.move((self._over.width() - wide) // 2, top)
            toast.raise_()
            top += tall + 8

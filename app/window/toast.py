"""Short messages at the window's corner that nobody has to click away; errors stay until they are read."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
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
_WIDE, _MARGIN, _MOST = 420, 16, 3


class Toast(QFrame):
    """One message."""

    def __init__(self, parent: QWidget, words: str, level: Level) -> None:
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
        self._row.addWidget(text, 1)
        self._row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        close.clicked.connect(self.deleteLater)
        if _SECONDS[level]:
            QTimer.singleShot(int(_SECONDS[level] * 1000), self, self.deleteLater)

    def add_button(self, words: str) -> QPushButton:
        """Add a button before the closing cross and return it; pressing it closes the message too."""
        button = QPushButton(words)
        button.clicked.connect(self.deleteLater)
        self._row.insertWidget(self._row.count() - 1, button, 0, Qt.AlignmentFlag.AlignVCenter)
        return button


class Toasts(QObject):
    """Shows messages above one corner of a widget, newest at the bottom."""

    def __init__(self, over: QWidget, lift: int = 32) -> None:
        super().__init__(over)
        self._over, self._lift = over, lift
        self._shown: list[Toast] = []
        over.installEventFilter(self)

    def say(self, words: str, level: Level = "plain") -> Toast:
        """Show a message and return it."""
        for old in [t for t in self._shown if t.words == words]:
            self._drop(old)
        for old in self._shown[: max(0, len(self._shown) - _MOST + 1)]:
            self._drop(old)
        toast = Toast(self._over, words, level)
        toast.destroyed.connect(lambda _=None, t=toast: self._gone(t))
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
        bottom = self._over.height() - self._lift - _MARGIN
        wide = min(_WIDE, self._over.width() - 2 * _MARGIN)
        for toast in reversed(self._shown):
            toast.setFixedWidth(wide)
            tall = max(toast.heightForWidth(wide), toast.sizeHint().height())
            toast.resize(wide, tall)
            toast.move((self._over.width() - wide) // 2, bottom - tall)
            toast.raise_()
            bottom -= tall + 8

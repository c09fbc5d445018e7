"""The few kinds of text a panel has, each in the font and tone of the look."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.theme.current import theme
from app.theme.fonts import BASE, BODY, CAPTION, FIGURE, TITLE, font, section
from app.theme.icons import icon, pixmap

_BREAK = "\u200b"  # a line may end here
_LONG = re.compile(r"\S{20,}")
_PART = re.compile(r"[_./\\:;,=-]+|[^_./\\:;,=-]{20}")


class Wrapped(QLabel):
    """Text that goes on in the next line, within long names too, which Qt would cut off."""

    def setText(self, text: str) -> None:
        super().setText(_LONG.sub(lambda word: _PART.sub(lambda part: part[0] + _BREAK, word[0]), text))

    def text(self) -> str:
        return super().text().replace(_BREAK, "")


def _label(text: str, made: QFont, tone: str, *, wrap: bool = False) -> QLabel:
    label = Wrapped() if wrap else QLabel()
    label.setText(text)
    label.setFont(made)
    label.setProperty("tone", tone)
    label.setWordWrap(wrap)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if wrap:
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        label.setMinimumWidth(1)
    return label


def heading(text: str) -> QLabel:
    """Return a panel's title."""
    return _label(text, font(TITLE, 600), "hi", wrap=True)


def section_label(text: str) -> QLabel:
    """Return the label of a section, in small capitals."""
    return _label(text, section(), "low")


def body(text: str = "", tone: str = "hi", *, wrap: bool = False) -> QLabel:
    """Return plain text."""
    return _label(text, font(BASE), tone, wrap=wrap)


def strong(text: str = "", tone: str = "hi", *, wrap: bool = False) -> QLabel:
    """Return text of the plain size that stands out."""
    return _label(text, font(BODY, 600), tone, wrap=wrap)


def note(text: str = "", tone: str = "mid", *, wrap: bool = True) -> QLabel:
    """Return a sentence of the second rank."""
    return _label(text, font(BODY), tone, wrap=wrap)


def caption(text: str = "", tone: str = "low", *, wrap: bool = False) -> QLabel:
    """Return small text."""
    return _label(text, font(CAPTION), tone, wrap=wrap)


def figure(text: str = "") -> QLabel:
    """Return a number that is looked at from afar."""
    return _label(text, font(FIGURE, 600), "hi")


def set_tone(label: QWidget, tone: str) -> None:
    """Colour a label by another tone."""
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().unpolish(label)
        label.style().polish(label)


def line() -> QFrame:
    """Return the hairline between two sections."""
    made = QFrame()
    made.setFixedHeight(1)
    made.setProperty("surface", "line")
    return made


def on_theme(owner: QObject, dress: Callable[[], None]) -> None:
    """Call `dress` now and whenever the theme changes, for as long as `owner` lives."""
    listener = _Listener(owner, dress)
    theme().changed.connect(listener.dress)
    dress()


class _Listener(QObject):
    """A child of its owner, so that the connection ends with it."""

    def __init__(self, owner: QObject, dress: Callable[[], None]) -> None:
        super().__init__(owner)
        self._dress = dress

    def dress(self) -> None:
        """Dress the owner in the theme in force."""
        self._dress()


class IconLabel(QLabel):
    """An icon of the theme that follows it."""

    def __init__(self, name: str = "", tone: str = "mid", size: int = 16) -> None:
        super().__init__()
        self._name, self._tone, self._size = name, tone, size
        self.setFixedSize(size, size)
        on_theme(self, self._dress)

    def show_icon(self, name: str, tone: str) -> None:
        """Show another icon, coloured by a token of the theme or `#RRGGBB`."""
        self._name, self._tone = name, tone
        self._dress()

    def _dress(self) -> None:
        if self._name:
            self.setPixmap(pixmap(self._name, self._tone, self._size, self.devicePixelRatioF()))


class IconButton(QToolButton):
    """A flat button with an icon that follows the theme."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__()
        self._name = name
        self.setIconSize(QSize(16, 16))
        self.setToolTip(words)
        self.setAccessibleName(words)
        on_theme(self, self._dress)

    def _dress(self) -> None:
        self.setIcon(icon(self._name, "mid"))


def row(*widgets: QWidget, spacing: int = 8, stretch: int = -1) -> QWidget:
    """Return widgets side by side; `stretch` is the place of the one that takes the room left."""
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for i, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if i == stretch else 0)
    if stretch < 0:
        layout.addStretch(1)
    return holder

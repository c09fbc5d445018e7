"""The theme in force: follows the system until the user chooses, and says when it changes."""

from __future__ import annotations

from functools import cache
from typing import Literal

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.theme.fonts import font
from app.theme.palette import palette
from app.theme.style import style
from app.theme.tokens import DARK, LIGHT, Tokens

Mode = Literal["system", "dark", "light"]
MODES: dict[Mode, str] = {"system": "Like the system", "dark": "Dark", "light": "Light"}
_KEY = "theme"
_SYSTEM: Mode = "system"


class Theme(QObject):
    """Holds the tokens in force.

    Signals:
        changed: other tokens are in force; whatever paints itself paints anew.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._mode: Mode = "system"
        self._tokens = DARK
        self._applied: Tokens | None = None

    @property
    def tokens(self) -> Tokens:
        """Return the colours in force."""
        return self._tokens

    @property
    def mode(self) -> Mode:
        """Return what was chosen."""
        return self._mode

    def colour(self, token: str, alpha: float = 1.0) -> QColor:
        """Return a token as a colour with an opacity of 0 to 1."""
        made = QColor(getattr(self._tokens, token))
        made.setAlphaF(alpha)
        return made

    def start(self, mode: Mode | None = None) -> None:
        """Dress the application; without a mode the one kept in the settings holds."""
        kept = QSettings().value(_KEY, "system")
        self._mode = mode if mode else next((m for m in MODES if m == kept), _SYSTEM)
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._follow, Qt.ConnectionType.UniqueConnection)
        self._apply()

    def choose(self, mode: Mode) -> None:
        """Change the theme and keep the choice."""
        self._mode = mode
        QSettings().setValue(_KEY, mode)
        self._apply()

    def _follow(self) -> None:
        if self._mode == "system":
            self._apply()

    def _apply(self) -> None:
        application = QApplication.instance()
        if not isinstance(application, QApplication):
            raise TypeError("a theme needs a QApplication")
        # Native parts, such as title bars and file dialogs, follow where the platform can.
        schemes = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
        QGuiApplication.styleHints().setColorScheme(schemes.get(self._mode, Qt.ColorScheme.Unknown))
        self._tokens = LIGHT if self._mode == "light" or self._system_is_light() else DARK
        if self._tokens is self._applied:
            return
        self._applied = self._tokens
        application.setStyle(QStyleFactory.create("Fusion"))
        application.setPalette(palette(self._tokens))
        application.setFont(font())
        application.setStyleSheet(style(self._tokens))
        self.changed.emit()

    def _system_is_light(self) -> bool:
        scheme = QGuiApplication.styleHints().colorScheme()
        return self._mode == "system" and scheme == Qt.ColorScheme.Light


@cache
def theme() -> Theme:
    """Return the one theme of the program."""
    return Theme()

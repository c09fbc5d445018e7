"""A section of a form that opens and closes; which ones are open is remembered."""

from __future__ import annotations

from PySide6.QtCore import QSettings, QSize
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.panels.labels import caption, on_theme
from app.theme.fonts import section
from app.theme.icons import icon

_KEY = "folds"


class Fold(QWidget):
    """A heading that is pressed to show or hide what stands under it."""

    def __init__(self, title: str, name: str, content: QWidget) -> None:
        """Take the heading, the name it is remembered by, and what stands under it."""
        super().__init__()
        self._name, self.content = f"{_KEY}/{name}", content
        self.head = QPushButton(title)
        self.head.setProperty("role", "fold")
        self.head.setFont(section())
        self.head.setIconSize(QSize(12, 12))
        self.head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._aside = caption("")
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.head, 1)
        line.addWidget(self._aside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(line)
        column.addWidget(content)
        self._open = QSettings().value(self._name, "false") == "true"
        self.head.clicked.connect(lambda: self.set_open(not self._open, keep=True))
        on_theme(self, self._dress)
        self.set_open(self._open)

    @property
    def open(self) -> bool:
        """Return whether what stands under it is shown."""
        return self._open

    def set_open(self, wanted: bool, *, keep: bool = False) -> None:
        """Open or close it, and remember that where `keep`."""
        self._open = wanted
        if keep:
            QSettings().setValue(self._name, "true" if wanted else "false")
        self.content.setVisible(wanted)
        self.head.setAccessibleDescription("open" if wanted else "closed")
        self._dress()

    def say(self, words: str) -> None:
        """Show a few words at the right of the heading."""
        self._aside.setText(words)

    def _dress(self) -> None:
        self.head.setIcon(icon("ph.caret-down" if self._open else "ph.caret-right", "low"))

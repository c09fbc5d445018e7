"""The inspector's field of domain packs: those that are taken, and the way to the picker."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from app.panels.editors import Editor
from app.panels.labels import note
from app.theme.fonts import BASE, font
from engine.fields import About
from engine.logic.matching import pack_keys


class PacksEditor(Editor):
    """Says which packs are taken; they are chosen in the picker.

    Signals:
        opened: the picker is wanted.
    """

    opened = Signal()

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        self.button = QPushButton("Choose packs…")
        self.hold(self.button)
        self.button.setFont(font(BASE))
        self.button.clicked.connect(self.opened)
        self.words = note("", "mid")
        self._layout.addWidget(self.words)

    def show_value(self, value: Any) -> None:
        keys = pack_keys(value)
        self.words.setText(", ".join(keys) if keys else "None is taken.")
        self.button.setAccessibleDescription(f"{self.about.help}. {self.words.text()}")

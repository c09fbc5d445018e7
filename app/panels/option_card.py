"""What the chosen option of a family computes: its curve, its formula, the paper it comes from."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.panels.labels import caption
from app.plots.option_curve import OptionCurve
from app.theme.fonts import CAPTION, mono
from engine.options import Family


class OptionCard(QFrame):
    """Stands under the editor of a choice among the options of a family."""

    def __init__(self, family: Family[Any], colour: str) -> None:
        """Take the family, and the token of the colour its curves are drawn in."""
        super().__init__()
        self._family = family
        self.setProperty("surface", "card")
        self.curve = OptionCurve(colour)
        self._formula, self._citation = caption("", "hi", wrap=True), caption("", "low", wrap=True)
        self._formula.setFont(mono(CAPTION))
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        for widget in (self.curve, self._formula, self._citation):
            column.addWidget(widget)

    def show_option(self, key: str) -> None:
        """Show the option of this key."""
        option = self._family.get_option(key)
        self.curve.setVisible(option.curve is not None)
        self.curve.show_curve(option.curve, option.title)
        self._formula.setText(option.formula)
        self._citation.setText(option.citation)
        self._citation.setVisible(bool(option.citation))

    def words(self) -> str:
        """Return what is written on it."""
        return "\n".join(label.text() for label in (self._formula, self._citation) if label.text())

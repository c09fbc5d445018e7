"""What the chosen option of a family computes: its curve, its formula, the paper it comes from."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.panels.labels import caption
from app.plots.option_curve import OptionCurve
from app.theme.fonts import CAPTION, mono
from engine.options import Option


class OptionCard(QFrame):
    """Stands under the editor of a choice among the options of a family.

    Attributes:
        empty: whether it has nothing to say; it is hidden then.
    """

    def __init__(self, colour: str) -> None:
        """Take the token of the colour that curves are drawn in."""
        super().__init__()
        self.empty = True
        self.setProperty("surface", "card")
        self.curve = OptionCurve(colour)
        self._formula, self._citation = caption("", "hi", wrap=True), caption("", "low", wrap=True)
        self._formula.setFont(mono(CAPTION))
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        for widget in (self.curve, self._formula, self._citation):
            column.addWidget(widget)

    def show_option(self, option: Option[Any] | None) -> None:
        """Show another option; the card is empty where there is nothing to say of it."""
        self.empty = option is None or not (option.formula or option.curve)
        self.setVisible(not self.empty)
        if option is None:
            return
        self.curve.setVisible(option.curve is not None)
        self.curve.show_curve(option.curve, option.title)
        self._formula.setText(option.formula)
        self._formula.setVisible(bool(option.formula))
        self._citation.setText(option.citation)
        self._citation.setVisible(bool(option.citation))

    def words(self) -> str:
        """Return what is written on it."""
        return "\n".join(label.text() for label in (self._formula, self._citation) if label.text())

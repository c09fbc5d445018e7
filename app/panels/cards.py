"""A card: a caption, a figure, and what it is measured against."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.panels.labels import caption, figure, set_tone


class Card(QFrame):
    """One figure."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        self._figure, self._under = figure("–"), caption("")
        self._title = title
        layout = QVBoxLayout(self)
        layout.setContentsMargins(9, 7, 6, 8)
        layout.setSpacing(2)
        layout.addWidget(caption(title, "mid"))
        layout.addWidget(self._figure)
        layout.addWidget(self._under)

    def show_figure(self, text: str, under: str = "", tone: str = "low", tip: str = "") -> None:
        """Show a figure, and a line under it in a tone."""
        self._figure.setText(text)
        self._under.setText(under)
        self._under.setVisible(bool(under))
        set_tone(self._under, tone)
        self.setToolTip(tip)
        self.setAccessibleName(f"{self._title}: {text} {under}".strip())

    @property
    def text(self) -> str:
        """Return the figure as shown."""
        return self._figure.text()

    @property
    def under(self) -> str:
        """Return the line under it as shown."""
        return self._under.text()


class Cards(QWidget):
    """Cards of equal width in a row."""

    def __init__(self, *cards: Card) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for card in cards:
            layout.addWidget(card, 1)

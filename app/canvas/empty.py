"""What an empty canvas says, and its way to an example."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.theme.fonts import BASE, font

_WORDS = "Drag a node here from the list, or press Tab to search for one."


class EmptyCanvas(QWidget):
    """Stands in the middle of a canvas without nodes; what is beside its button falls through to the canvas.

    Signals:
        example_wanted: the button was pressed.
    """

    example_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        words = QLabel(_WORDS)
        words.setFont(font(BASE))
        words.setProperty("tone", "low")
        words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.button = QPushButton("Open an example…")
        self.button.setFont(font(BASE))
        self.button.clicked.connect(self.example_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(words)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)

    def put_in_the_middle(self) -> None:
        """Stand in the middle of the canvas, whose size is another one now."""
        self.adjustSize()
        parent = self.parentWidget()
        if parent:
            self.move(parent.rect().center() - self.rect().center())

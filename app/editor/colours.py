"""The colours of rules, from the tokens of the theme."""

from __future__ import annotations

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app.editor.words import pieces
from app.theme.current import theme

KINDS = {
    "keyword": "bits",
    "class": "hyper",
    "form": "scores",
    "number": "spikes",
    "text": "logic",
    "open text": "warn",
    "comment": "low",
    "operator": "mid",
    "mark": "mid",
    "title": "hi",
    "name": "hi",
    "strange": "error",
}


class Colours(QSyntaxHighlighter):
    """Colours a document of rules, line by line."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        self.dress()

    def dress(self) -> None:
        """Take the colours of the theme in force."""
        self._formats = {kind: _format(theme().colour(token)) for kind, token in KINDS.items()}
        self._formats["comment"].setFontItalic(True)
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        for piece in pieces(text):
            self.setFormat(piece.start, piece.length, self._formats[piece.kind])


def _format(colour: QColor) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(colour)
    return made

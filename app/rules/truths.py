"""The list of rules with what each says of a record."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from app.editor.marks import TRUTHS, Truth
from app.theme.current import theme
from app.theme.fonts import BODY, font
from app.theme.icons import icon
from engine.logic.ruleset import Rule

_ORDER: dict[Truth, int] = {"false": 0, "unknown": 1, "true": 2}
_ROW = 28


class TruthList(QListWidget):
    """Rules, the broken ones first.

    Signals:
        chosen: the line, from 1, that a rule begins on.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFont(font(BODY))
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(14, 14))
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Rules, with what each says of this record")
        self._shown: tuple[tuple[Rule, Truth, bool], ...] = ()
        self.itemClicked.connect(self._go)
        self.itemActivated.connect(self._go)
        theme().changed.connect(self._fill)

    def show_truths(self, rules: Sequence[Rule], truths: Sequence[Truth], own: int) -> None:
        """Show other rules, or other truths of them; those after the first `own` are of packs."""
        from_packs = [place >= own for place in range(len(rules))]
        shown = tuple(zip(rules, truths, from_packs, strict=True))
        if shown != self._shown:
            self._shown = shown
            self._fill()

    def _fill(self) -> None:
        top = self.verticalScrollBar().value()
        self.clear()
        for rule, said, pack in sorted(self._shown, key=lambda pair: _ORDER[pair[1]]):
            drawn, tone, word = TRUTHS[said]
            item = QListWidgetItem(icon(drawn, tone), f"{rule.name} · {word}{' · pack' if pack else ''}")
            item.setToolTip(f"{rule.words[:1].upper()}{rule.words[1:]}.\nFor this record: {word}.")
            item.setData(Qt.ItemDataRole.UserRole, 0 if pack else rule.line)
            item.setSizeHint(QSize(0, _ROW))
            self.addItem(item)
        self.verticalScrollBar().setValue(top)

    def _go(self, item: QListWidgetItem) -> None:
        line = item.data(Qt.ItemDataRole.UserRole)
        if line:
            self.chosen.emit(line)


def counted(truths: Sequence[Truth]) -> str:
    """Return how many rules are true, false and unknown, in words."""
    words = {"false": "broken", "unknown": "unknown", "true": "kept"}
    parts = [f"{truths.count(key)} {word}" for key, word in words.items() if key in truths]
    return " · ".join(parts) or "no rules"

"""What of the violations is shown: a rule, a class, a status, a pack, and words they hold."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from app.panels.violations import cells
from app.theme.fonts import BODY, font
from app.theme.icons import icon
from engine.violations import Violation

_ANY = {"label": "Any class", "status": "Any status", "pack": "All packs"}


class ViolationFilter(QWidget):
    """The row of filters.

    Signals:
        changed: something else is wanted.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = QLineEdit(placeholderText="Find in answers, rules, reasons")
        self.words.setFont(font(BODY))
        self.words.setClearButtonEnabled(True)
        self.words.addAction(icon("ph.magnifying-glass", "low"), QLineEdit.ActionPosition.LeadingPosition)
        self.words.setAccessibleName("Find violations by words")
        self.words.textChanged.connect(self.changed)
        self.boxes = {key: _box(key, any_) for key, any_ in _ANY.items()}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.words, 2)
        for box in self.boxes.values():
            box.currentIndexChanged.connect(self.changed)
            row.addWidget(box, 1)

    def sizeHint(self) -> QSize:
        return QSize(420, 30)

    def offer(self, rows: Sequence[Violation], packs: dict[str, str]) -> None:
        """Offer what stands in `rows`; `packs` gives the pack of a rule by its name."""
        self._packs = packs
        found = {
            "label": sorted({x for v in rows for x in (v.label, v.explained.said, v.explained.fixed) if x}),
            "status": sorted({v.explained.status for v in rows}),
            "pack": sorted(set(packs.values())),
        }
        for key, box in self.boxes.items():
            kept = box.currentData()
            box.blockSignals(True)
            box.clear()
            box.addItem(_ANY[key], "")
            for value in found[key]:
                box.addItem(value, value)
            box.setCurrentIndex(max(0, box.findData(kept)))
            box.setVisible(len(found[key]) > 1 or (key == "pack" and bool(found[key])))
            box.blockSignals(False)

    def passes(self, violation: Violation, rule: str) -> bool:
        """Whether a violation is wanted, beside a rule chosen elsewhere, "" for any."""
        told = violation.explained
        names = {broken.name for broken in told.broken}
        label, status, pack = (self.boxes[key].currentData() or "" for key in ("label", "status", "pack"))
        if rule and rule not in names:
            return False
        if label and label not in (violation.label, told.said, told.fixed):
            return False
        if status and status != told.status:
            return False
        if pack and pack not in {self._packs.get(name, "") for name in names}:
            return False
        typed = self.words.text().lower().split()
        return not typed or all(word in _text(violation) for word in typed)

    _packs: dict[str, str] = {}  # noqa: RUF012 - replaced whole, never changed


def _box(key: str, any_: str) -> QComboBox:
    made = QComboBox()
    made.setFont(font(BODY))
    made.addItem(any_, "")
    made.setMinimumWidth(92)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    words = {"label": "class", "status": "status", "pack": "pack"}[key]
    made.setAccessibleName(f"Show violations of one {words}")
    made.setToolTip(f"Show violations of one {words}")
    made.hide()
    return made


def _text(violation: Violation) -> str:
    told = violation.explained
    parts = [*cells(violation), told.why, told.status]
    for rule in told.broken:
        parts += [rule.name, rule.words, rule.reason, rule.source, *rule.facts]
    return " ".join(parts).lower()

"""Which cases are shown: those of a rule, a class, a status, a pack, and words they hold."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from app.panels.violations import cells
from app.theme.fonts import BODY, font
from app.theme.icons import icon
from engine.guard import Bars, Case
from engine.violations import RuleCount

_ANY = {"rule": "Any rule", "label": "Any class", "status": "Any status", "pack": "All packs"}
_LEAST, _MOST = 96, 180  # px a box takes
_WORDS = 80, 300  # px the field takes


class ViolationFilter(QWidget):
    """The row of filters.

    Signals:
        changed: something else is wanted.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._packs: dict[str, str] = {}
        self._worth: dict[str, bool] = {}
        self._ruled, self._all = True, True
        self.words = QLineEdit(placeholderText="Find in answers, rules, reasons")
        self.words.setFont(font(BODY))
        self.words.setClearButtonEnabled(True)
        self.words.addAction(icon("ph.magnifying-glass", "low"), QLineEdit.ActionPosition.LeadingPosition)
        self.words.setAccessibleName("Find answers by words")
        self.words.textChanged.connect(self.changed)
        self.boxes = {key: _box(key, any_) for key, any_ in _ANY.items()}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.words.setMinimumWidth(_WORDS[0])
        self.words.setMaximumWidth(_WORDS[1])
        row.addWidget(self.words, 2)
        for box in self.boxes.values():
            box.currentIndexChanged.connect(self.changed)
            row.addWidget(box, 1)
        row.addStretch(0)

    def sizeHint(self) -> QSize:
        return QSize(420, 30)

    def offer(self, rows: Sequence[Case], rules: Sequence[RuleCount]) -> None:
        """Offer what stands in `rows`, and the rules with their packs."""
        self._packs = {rule.name: rule.pack for rule in rules if rule.pack}
        found = {
            "rule": [rule.name for rule in rules if rule.raw],
            "label": sorted({named for case in rows for named in _named(case)}),
            "status": sorted({case.status for case in rows}),
            "pack": sorted(set(self._packs.values())),
        }
        for key, box in self.boxes.items():
            kept = box.currentData()
            box.blockSignals(True)
            box.clear()
            box.addItem(_ANY[key], "")
            for value in found[key]:
                box.addItem(value, value)
            box.setCurrentIndex(max(0, box.findData(kept)))
            self._worth[key] = len(found[key]) > 1 or (key == "pack" and bool(found[key]))
            box.blockSignals(False)
        self._show_boxes()

    def make_room(self, *, rule: bool, others: bool) -> None:
        """Show or hide the box of rules, which a list beside the table may stand for, and the others."""
        self._ruled, self._all = rule, others
        self._show_boxes()

    def _show_boxes(self) -> None:
        for key, box in self.boxes.items():
            # One in use stays: what it leaves out would be missed.
            wanted = self._ruled if key == "rule" else self._all or bool(box.currentData())
            box.setVisible(wanted and self._worth.get(key, False))

    @property
    def rule(self) -> str:
        """Return the name of the rule that is chosen, "" for any."""
        return str(self.boxes["rule"].currentData() or "")

    def choose_rule(self, name: str) -> None:
        """Choose a rule, "" for any."""
        self.boxes["rule"].setCurrentIndex(max(0, self.boxes["rule"].findData(name)))

    def passes(self, case: Case) -> bool:
        """Whether a case is wanted."""
        label, status, pack = (self.boxes[key].currentData() or "" for key in ("label", "status", "pack"))
        if self.rule and self.rule not in case.names:
            return False
        if label and label not in _named(case):
            return False
        if status and status != case.status:
            return False
        if pack and pack not in {self._packs.get(name, "") for name in case.names}:
            return False
        typed = self.words.text().lower().split()
        return not typed or all(word in _text(case) for word in typed)


def _box(key: str, any_: str) -> QComboBox:
    made = QComboBox()
    made.setFont(font(BODY))
    made.addItem(any_, "")
    made.setMinimumWidth(_LEAST)
    made.setMaximumWidth(_MOST)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    words = "class" if key == "label" else key
    made.setAccessibleName(f"Show answers of one {words}")
    made.setToolTip(f"Show answers of one {words}")
    made.hide()
    return made


def _named(case: Case) -> tuple[str, ...]:
    """Return the classes that a case speaks of."""
    named = (case.label, case.said, case.fixed) if isinstance(case.picture, Bars) else (case.label,)
    return tuple(name for name in named if name)


def _text(case: Case) -> str:
    parts = [*cells(case), case.title, case.why, case.status]
    for rule in case.broken:
        parts += [rule.name, rule.words, rule.reason, rule.source, *rule.facts]
    return " ".join(parts).lower()

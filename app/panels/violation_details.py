"""Everything about one case: the answer before and after, side by side, why, and what else it could be."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.panels.class_bars import ClassBars
from app.panels.facts_table import FactsModel, FactsTable
from app.panels.fold import Fold
from app.panels.labels import body, caption, line, note, row, strong
from app.panels.parts_view import PartsView
from app.task import Latest
from app.theme.figures import plural, whole
from engine.guard import Bars, BrokenRule, Case, Grid, Showing
from engine.logic.pipeline import NONE, STATUS, UNKNOWN

STATUSES = {
    "allowed": "the raw answer breaks no rule and stands",
    "optimal": "the most probable answer that keeps every rule, proven",
    "unknown": "no answer was found in time",
    "feasible, not proven": "it keeps every rule; a more probable answer that does may exist",
    "none": "the rules allow no answer for these facts",
}
_FREE = "Let the rules decide"
_FACTS = 28 * 5  # px the table of facts takes at most


class Details(QScrollArea):
    """Shows one case, or nothing, and what would become of it with other facts or with parts fixed.

    Signals:
        failed: a what-if could not be answered: why, in a sentence.
    """

    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("The chosen answer: before and after repair, and why")
        self.case: Case | None = None
        self.answer: Case | None = None
        self.pins: dict[str, str] = {}
        self._showing: Showing | None = None
        self._again = Latest(self)
        self._again.done.connect(self._take)
        self._again.failed.connect(self.failed)
        self.parts, self.facts = PartsView(), FactsModel()
        self.bars = ClassBars("Raw answer"), ClassBars("After the rules")
        self.table = FactsTable(self.facts)
        self.reset = QPushButton("Reset")
        self._build()
        self.parts.picked.connect(self._offer)
        self.facts.edited.connect(self._ask)
        self.reset.clicked.connect(self.put_back)
        self.show_case(None, None)

    @property
    def words(self) -> str:
        """Return everything it says."""
        drawn = [self.parts.words] if not self.parts.isHidden() else []
        drawn += [bars.words for bars in self.bars if not bars.isHidden()]
        said = [label.text() for label in self._said if not label.isHidden()]
        said += [label.text() for label in self._broken]  # fresh ones count as hidden until they are laid out
        return "\n".join([*said, *drawn])

    @property
    def busy(self) -> bool:
        """Whether a what-if is being answered."""
        return self._again.busy

    def show_case(self, case: Case | None, showing: Showing | None) -> None:
        """Show another case of a guard; None shows nothing."""
        if case is not None and case == self.case and showing is self._showing:
            return
        self.case, self._showing, self.pins = case, showing, {}
        self._again.wait()
        self._holder.setVisible(case is not None)
        if case is None or showing is None:
            return
        columns = showing.columns
        self._fold.setVisible(bool(columns))
        if columns:
            self.facts.show_facts(columns, showing.facts(case), set(showing.used()))
            self.table.setFixedHeight(min(28 * len(columns) + 2, _FACTS))
        self._show(case)
        self.verticalScrollBar().setValue(0)

    def pin(self, name: str, value: str) -> None:
        """Fix a part to a value; "" lets the rules decide it again."""
        self.pins.pop(name, None)
        if value:
            self.pins[name] = value
        self._ask()

    def put_back(self) -> None:
        """Take facts and parts back to what the record has."""
        self.pins = {}
        self.facts.reset_values()

    def wait(self) -> None:
        """End what runs beside the window."""
        self._again.wait()

    # Putting together

    def _build(self) -> None:
        self._holder = QWidget()
        column = QVBoxLayout(self._holder)
        column.setContentsMargins(4, 0, 8, 4)
        column.setSpacing(6)
        self._title, self._why = strong(wrap=True), body("", "hi", wrap=True)
        self._hint, self._note, self._status = caption("", "mid", wrap=True), note(), note()
        self._what_if = caption("", "accent", wrap=True)
        self._said: list[QLabel] = [
            self._title,
            self._what_if,
            self._why,
            self._note,
            self._status,
            self._hint,
        ]
        self._broken: list[QLabel] = []
        column.addWidget(self._title)
        self.reset.setProperty("role", "flat")
        self.reset.setToolTip("Take everything back to what the record has")
        self._tried = row(self._what_if, self.reset, stretch=0)
        column.addWidget(self._tried)
        column.addWidget(self.parts)
        column.addWidget(self._hint)
        column.addWidget(self._why)
        across = QHBoxLayout()
        across.setSpacing(8)
        for bars in self.bars:
            across.addWidget(bars, 1)
        column.addLayout(across)
        for label in (self._note, self._status):
            column.addWidget(label)
        self._rules = QVBoxLayout()
        self._rules.setSpacing(4)
        column.addLayout(self._rules)
        self._fold = Fold("Facts: what if", "violations-facts", self.table)
        column.addWidget(self._fold)
        column.addStretch(1)
        self.setWidget(self._holder)
        self._holder.setAutoFillBackground(False)

    # What is shown

    def _show(self, case: Case) -> None:
        self.answer = case
        picture = case.picture
        self._title.setText(self._heading(case))
        self._why.setText(case.why)
        self._status.setText(status_words(case))
        tried = self._tried_words()
        self._tried.setVisible(bool(tried))
        self._what_if.setText(tried)
        self.parts.setVisible(isinstance(picture, Grid))
        for bars in self.bars:
            bars.setVisible(isinstance(picture, Bars))
        pinnable = isinstance(picture, Grid) and any(part.pins for part in picture.parts)
        self._hint.setText("Click a value after the rules to fix it, and see the others follow.")
        self._hint.setVisible(pinnable)
        if isinstance(picture, Grid):
            self.parts.show_grid(picture)
        if isinstance(picture, Bars):
            self._show_bars(case, picture)
        self._note.setText(picture.note if isinstance(picture, Bars) else "")
        self._note.setVisible(bool(self._note.text()))
        self._show_rules(case.broken)

    def _heading(self, case: Case) -> str:
        unit = self._showing.unit if self._showing else "answer"
        named = f"{'Record' if unit == 'answer' else unit.capitalize()} {whole(case.record)}"
        picture = case.picture
        if not isinstance(picture, Grid):
            return f"{case.title or named}: {case.said} → {case.fixed}"
        if case.status in (STATUS[NONE], STATUS[UNKNOWN]):
            return f"{case.title or named}: {case.fixed}"
        changed, every = len(picture.changed), plural(len(picture.parts), picture.noun)
        return f"{case.title or named}: {whole(changed) if changed else 'none'} of {every} changed"

    def _show_bars(self, case: Case, picture: Bars) -> None:
        tone = "warn" if case.status == STATUS[NONE] else "ok"
        self.bars[0].show_answer(
            case.said, "error" if case.broken else "hi", picture.values, picture.raw, set()
        )
        self.bars[1].show_answer(case.fixed, tone, picture.values, picture.after, set(picture.out))

    def _show_rules(self, broken: tuple[BrokenRule, ...]) -> None:
        while (item := self._rules.takeAt(0)) is not None:
            gone = item.widget()
            if gone:
                gone.hide()
                gone.deleteLater()
        self._broken = []
        for rule in broken:
            self._rules.addWidget(line())
            for label in _rule_labels(rule):
                self._broken.append(label)
                self._rules.addWidget(label)

    # What if

    def _offer(self, name: str, at: QPoint) -> None:
        menu = self.menu_of(name)
        menu.popup(at)

    def menu_of(self, name: str) -> QMenu:
        """Return the menu of the values that a part may be fixed to."""
        shown = self.parts.grid.parts
        part = next(part for part in shown if part.name == name)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for value, words in part.pins.items():
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(part.pinned == value)
            action.triggered.connect(lambda _on=False, value=value: self.pin(name, value))
        menu.addSeparator()
        free = menu.addAction(_FREE)
        free.setEnabled(bool(part.pinned))
        free.triggered.connect(lambda: self.pin(name, ""))
        return menu

    def _tried_words(self) -> str:
        fixed = [f"{name} = {value}" for name, value in self.pins.items()]
        changed = len(self.facts.changed) if self._showing and self._showing.columns else 0
        fixed += [f"{plural(changed, 'fact')} changed"] * bool(changed)
        return f"What if: {', '.join(fixed)}" if fixed else ""

    def _ask(self) -> None:
        case, showing, pins = self.case, self._showing, dict(self.pins)
        if case is None or showing is None:
            return
        if not self._tried_words():
            self._again.wait()
            self._show(case)
            return
        self._what_if.setText(f"{self._tried_words()} …")
        self._tried.show()
        facts = self.facts.values.copy() if showing.columns else np.zeros(0)
        self._again.want(lambda _task: (case, showing.again(case, facts, pins)))

    def _take(self, found: tuple[Case, Case]) -> None:
        case, answer = found
        if case is self.case:
            self._show(answer)


def _rule_labels(rule: BrokenRule) -> list[QLabel]:
    found = [strong(rule.name, "logic", wrap=True), note(f"{rule.words[:1].upper()}{rule.words[1:]}.", "hi")]
    if rule.facts:
        found.append(note(f"Here: {', '.join(rule.facts)}", "mid"))
    if rule.reason:
        found.append(note(f"Because: {rule.reason}", "mid"))
    if rule.source:
        found.append(caption(f"Source: {rule.source}", "low", wrap=True))
    return found


def status_words(case: Case) -> str:
    """Return the status of an answer with what it means."""
    by = f", by {case.engine}" if case.engine else ""
    still = f" It breaks {', '.join(case.left)} still." if case.left else ""
    return f"Status: {case.status}{by}: {STATUSES.get(case.status, 'not explained')}.{still}"

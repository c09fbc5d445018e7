"""A typed sequence to try rules over events on: what each rule says of it, and its repair."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from app.editor.marks import TRUTHS, Truth
from app.panels.labels import caption, note, row, section_label, set_tone
from app.panels.violation_details import Details
from app.rules.checking import Bound
from app.rules.truths import TruthList, counted
from app.task import Latest
from app.theme.figures import plural
from app.theme.fonts import BASE, BODY, font
from engine.logic.ruleset import RuleSet
from engine.logic.sequence_guard import SequenceGuard
from engine.logic.sequence_trial import TriedSequence, read_steps, try_steps

_AFTER = 200  # ms without a further letter
_TYPED, _PART = 76, 110  # px
_SHOWN = 3  # events of the sentence that says how to type


class SequencePane(QWidget):
    """Tries a typed sequence.

    Signals:
        truths_found: what each rule of the text says, by its line.
        line_wanted: the line of a rule.
    """

    truths_found = Signal(object)
    line_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rules: RuleSet | None = None
        self._own = 0
        self.tried: TriedSequence | None = None
        self._judging = Latest(self)
        self._soon = QTimer(self, singleShot=True, interval=_AFTER)
        self.text, self.details, self.truths = QPlainTextEdit(), Details(), TruthList()
        self._build()
        self.text.textChanged.connect(self._soon.start)
        self._soon.timeout.connect(self._judge)
        self._judging.done.connect(self._take)
        self._judging.failed.connect(self._refuse)
        self.truths.chosen.connect(self.line_wanted)
        self.details.failed.connect(self._refuse)

    @property
    def busy(self) -> bool:
        """Whether what is typed is still to be judged."""
        return self._soon.isActive() or self._judging.busy or self.details.busy

    @property
    def words(self) -> str:
        """Return what it says of the sequence under the field."""
        return self._said.text()

    def wait(self) -> None:
        """End what runs beside the window."""
        self._soon.stop()
        self._judging.wait()
        self.details.wait()

    def show_rules(self, bound: Bound) -> None:
        """Try other rules, on what is typed already."""
        self._rules, self._own = bound.rules, bound.own
        events = self._events()
        first = ", ".join(events[:_SHOWN])
        when = f"{events[0]} at 0 h, {events[-1]} at 2 h"
        self.text.setPlaceholderText(f"Type events in their order, like {first}.\nSay when with at: {when}.")
        menu = QMenu(self.add)
        for event in events:
            menu.addAction(event).triggered.connect(partial(self.append, event))
        self.add.setMenu(menu)
        self._judge()

    def append(self, event: str, _on: bool = False) -> None:
        """Put one more event at the end."""
        typed = self.text.toPlainText().rstrip().rstrip(",")
        self.text.setPlainText(f"{typed}, {event}" if typed else event)

    def _events(self) -> tuple[str, ...]:
        return self._rules.vocabulary.sequences[0].values if self._rules else ()

    # Putting together

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        self.text.setFont(font(BASE))
        self.text.setFixedHeight(_TYPED)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Sequence to try: events in their order")
        self.add = QPushButton("Add an event")
        self.add.setFont(font(BODY))
        self._said = note("", "mid")
        column.addWidget(row(section_label("Sequence: what if"), self.add, stretch=0))
        column.addWidget(self.text)
        column.addWidget(self._said)
        parts = self._parts = QSplitter(Qt.Orientation.Vertical)
        parts.setHandleWidth(9)
        parts.setStyleSheet("QSplitter::handle { background: transparent; }")
        parts.setChildrenCollapsible(False)
        under = QWidget()
        inside = QVBoxLayout(under)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        self._counted = caption("", "mid")
        inside.addWidget(row(section_label("Rules"), self._counted))
        inside.addWidget(self.truths, 1)
        for part in (self.details, under):
            part.setMinimumHeight(_PART)
            parts.addWidget(part)
        column.addWidget(parts, 1)
        column.addStretch(0)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 3 * _PART)

    # Judging

    def _judge(self) -> None:
        rules, text = self._rules, self.text.toPlainText()
        if rules is None:
            return
        if not text.strip():
            self._judging.wait()
            self._say_nothing("Nothing is typed yet: the rules are judged as you type.")
            return
        self._judging.want(lambda _task: (text, _tried(rules, text)))

    def _take(self, found: tuple[str, TriedSequence]) -> None:
        text, tried = found
        if text != self.text.toPlainText() or self._rules is None:
            return
        self.tried = tried
        self._parts.show()
        rules = self._rules.rules
        self.details.show_case(tried.case, tried.showing)
        self.truths.show_truths(rules, tried.truths, self._own)
        self._counted.setText(counted(tried.truths))
        steps = plural(len(getattr(tried.case.picture, "parts", ())), "step")
        self._say(f"{steps}. Each step may be another event at the same price.", "mid")
        lines: dict[int, tuple[Truth, str]] = {}
        for rule, said in list(zip(rules, tried.truths, strict=True))[: self._own]:
            lines[rule.line] = said, f"{rule.name} is {TRUTHS[said][2]} for this sequence."
        self.truths_found.emit(lines)

    def _refuse(self, words: str) -> None:
        self._say_nothing(words, "error")

    def _say_nothing(self, words: str, tone: str = "mid") -> None:
        self.tried = None
        self._parts.hide()
        self.details.show_case(None, None)
        self.truths.show_truths((), (), 0)
        self._counted.setText("")
        self.truths_found.emit({})
        self._say(words, tone)

    def _say(self, words: str, tone: str) -> None:
        self._said.setText(words)
        set_tone(self._said, tone)


def _tried(rules: RuleSet, text: str) -> TriedSequence:
    guard = SequenceGuard(rules)
    return try_steps(guard, read_steps(text, guard.events), np.full(len(rules.columns), np.nan))

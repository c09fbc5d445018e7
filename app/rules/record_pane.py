"""A record to try the rules on: which one, its facts to change, the answer, and what each rule says of it."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.editor.marks import TRUTHS, Truth
from app.panels.class_bars import ClassBars
from app.panels.empty import Emptiable, EmptyState
from app.panels.facts_table import FactsModel, FactsTable
from app.panels.labels import IconButton, caption, note, row, section_label
from app.panels.rules_editor import ruled
from app.rules.answers_table import AnswersTable
from app.rules.checking import Bound, Example
from app.rules.judging import FIXED, LABELLED, NAMED, OPEN, RAW, Judge, Judged, accounted, scores_of
from app.rules.sample import PARTS, Sample, facts_at, raw_scores, read_sample
from app.rules.truths import TruthList, counted
from app.task import Latest
from app.theme.figures import plural, whole
from app.theme.fonts import BASE, font
from app.worker import Trainer
from engine.logic.account import Account
from engine.logic.pipeline import NONE, STATUS
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import CLASS
from engine.ports import F32
from engine.records import Records

_ANSWERS = {LABELLED: "The class in the data", RAW: "The model's raw answer", FIXED: "After the rules"}

_ANSWERED = 240  # px the table of answers takes at most
_HEAD, _ROW = 36, 28  # px over the table of facts, and of one
_PART = 116  # px the table of answers, that of facts and the list of rules each take at least
_UNTRAINED = "Train the model to see its answer here, before the rules and after."


class RecordPane(Emptiable):
    """Shows one record under the rules.

    Signals:
        truths_found: what each rule says of the record, by the line the rule begins on.
        line_wanted: a line of the rules was asked for.
    """

    truths_found = Signal(object)
    line_wanted = Signal(int)

    def __init__(self, document: Document, trainer: Trainer) -> None:
        super().__init__(EmptyState("ph.table", "", ""))
        self._document, self._trainer = document, trainer
        self._name, self._own, self._sample = "", 0, Sample({})
        self._judge_of: Judge | None = None
        self._spoken: set[int] = set()
        self._key: object = None
        self._wanted: int | None = None
        self.judged: Judged | None = None
        self._scores: F32 | None = None
        self._reading, self._judging = Latest(self), Latest(self)
        self.facts = FactsModel()
        self._build()
        self._reading.done.connect(self._take_sample)
        self._reading.failed.connect(self._say_no_data)
        self._judging.done.connect(self._take_judged)
        self.facts.edited.connect(self._judge)
        trainer.looked.connect(self._load)
        self.show_empty(True)
        self.empty.say("Reading the records", "The data of this project is being read.")

    # What is shown

    def show_rules(self, name: str, bound: Bound) -> None:
        """Try other rules of a node."""
        self._name, self._own = name, bound.own
        rules = bound.rules
        if rules.vocabulary.sequences:
            self._key = None
            self._judge_of = None
            self.truths_found.emit({})
            self.show_empty(True)
            self.empty.say(
                "Rules over events", "Train, and see in the constraints panel what sequences broke."
            )
            return
        self._read()
        before = self._rules
        again = before is None or before.columns != rules.columns
        if before is not rules:
            self._judge_of = Judge(rules)
        self._offer_answers()
        if again or self._used() != self._spoken:
            self._load(keep=not again)
        else:
            self._judge()

    def take_example(self, example: Example) -> None:
        """Give the record the facts and the answer of an example; other facts stay as they are."""
        for name, text in example.facts.items():
            row = self.facts.row_of(name)
            if row >= 0:
                self.facts.set_text(row, text)
        place = self.answer.findData(NAMED + example.answer.get(CLASS, ""))
        if place >= 0:
            self.answer.setCurrentIndex(place)

    @property
    def _rules(self) -> RuleSet | None:
        return self._judge_of.rules if self._judge_of else None

    def show_record(self, index: int) -> None:
        """Go to a record of those that the trainer looks at, now or as soon as it is read."""
        self._wanted = index
        if self._sample.parts:
            self.part.setCurrentIndex(max(0, self.part.findData(self._looked)))
            self.index.setValue(index)
            self._wanted = None

    def jump_to_broken(self, by: int) -> None:
        """Go to the next record whose raw answer broke a rule, or to the one before."""
        records = self._broken()
        if records:
            inside, here = self.part.currentData() == self._looked, self.index.value()
            ahead = [r for r in records if (r - here) * by > 0 or not inside]
            self.show_record((ahead or records)[0 if by > 0 else -1])

    @property
    def _looked(self) -> str:
        """Return the part that the trainer looks at."""
        return "validation" if self._sample.count("validation") else "train"

    def _broken(self) -> list[int]:
        """Return the records, among those looked at, whose raw answer broke a rule of this node."""
        guard = self._trainer.look.guard if self._trainer.look else None
        return sorted({case.record for case in guard.cases}) if guard and guard.guard == self._name else []

    @property
    def busy(self) -> bool:
        """Whether records are being read or one is being judged."""
        return self._reading.busy or self._judging.busy

    def wait(self) -> None:
        """End what runs beside the window."""
        self._reading.wait()
        self._judging.wait()

    # Putting together

    def _build(self) -> None:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(self._chooser())
        self.bars = ClassBars("Raw answer"), ClassBars("After the rules")
        across = QHBoxLayout()
        across.setSpacing(8)
        for bars in self.bars:
            across.addWidget(bars, 1)
        column.addLayout(across)
        self.answers = AnswersTable()
        self.answers.setMinimumHeight(_PART)
        self.answers.setMaximumHeight(_ANSWERED)
        self.answers.hide()
        column.addWidget(self.answers)
        self.why, self.how = note("", "hi"), caption("", "mid", wrap=True)
        column.addWidget(self.why)
        column.addWidget(self.how)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setHandleWidth(9)
        self.split.setStyleSheet("QSplitter::handle { background: transparent; }")
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self._facts_part())
        self.split.addWidget(self._rules_part())
        column.addWidget(self.split, 1)
        self.let_scroll(holder)

    def _chooser(self) -> QGridLayout:
        self.part, self.answer, self.index = QComboBox(), QComboBox(), QSpinBox()
        self.part.setAccessibleName("Which records")
        self.answer.setAccessibleName("Which answer the rules judge")
        self.answer.setToolTip("Which answer the rules judge")
        self.index.setAccessibleName("Number of the record")
        self.index.lineEdit().setTextMargins(6, 0, 0, 0)
        for box in (self.part, self.answer, self.index):
            box.setFont(font(BASE))
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.back = IconButton("ph.caret-left", "The record before (Alt+Left)")
        self.on = IconButton("ph.caret-right", "The next record (Alt+Right)")
        self.back.setShortcut("Alt+Left")
        self.on.setShortcut("Alt+Right")
        self.back.clicked.connect(partial(self._step, -1))
        self.on.clicked.connect(partial(self._step, 1))
        self.count = caption("")
        self.broken = IconButton("ph.shield-warning", "The next record that broke a rule (F8)")
        self.broken.clicked.connect(partial(self.jump_to_broken, 1))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.addWidget(self.part, 0, 0)
        chosen = row(self.back, self.index, self.on, self.count, self.broken, spacing=4, stretch=1)
        grid.addWidget(chosen, 0, 1)
        grid.addWidget(caption("Answer judged", "mid"), 1, 0)
        grid.addWidget(self.answer, 1, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        self.part.currentIndexChanged.connect(self._choose_part)
        self.index.valueChanged.connect(lambda _value: self._load())
        self.answer.currentIndexChanged.connect(lambda _place: self._judge())
        return grid

    def _facts_part(self) -> QWidget:
        self.table = FactsTable(self.facts)
        self.reset = QPushButton("Reset")
        self.reset.setProperty("role", "flat")
        self.reset.setToolTip("Take every fact back to what the record has")
        self.reset.clicked.connect(self.facts.reset_values)
        self._changed = caption("", "low")
        holder = self._facts = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        head = section_label("Facts: what if")
        holder.setMinimumHeight(_PART)
        column.addWidget(row(head, self._changed, self.reset, stretch=1))
        column.addWidget(self.table, 1)
        return holder

    def _rules_part(self) -> QWidget:
        self.truths = TruthList()
        self.truths.chosen.connect(self.line_wanted)
        self._counted = caption("", "mid")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        holder.setMinimumHeight(_PART)
        column.addWidget(row(section_label("Rules"), self._counted))
        column.addWidget(self.truths, 1)
        return holder

    # Records

    def _read(self) -> None:
        """Read the records, once for each state of the data nodes."""
        graph, folder = self._document.graph, self._document.project.folder
        sources = [graph.node(n) for n in graph.order if graph.node(n).family in ("data", "flow")]
        key = (tuple(node for node in sources if not node.inputs or node.kind == "flow.split"), folder)
        if key != self._key:
            self._key = key
            self._reading.want(lambda _task: read_sample(graph, folder))

    def _take_sample(self, sample: Sample) -> None:
        self._sample = sample
        kept = self.part.currentData()
        self.part.blockSignals(True)
        self.part.clear()
        for name, title in PARTS.items():
            if sample.count(name):
                self.part.addItem(f"{title} · {whole(sample.count(name))}", name)
        self.part.setCurrentIndex(max(0, self.part.findData(kept)))
        self.part.blockSignals(False)
        self.show_empty(not sample.parts)
        self.empty.say("No records", "The data of this project holds none.")
        self._choose_part()
        if self._wanted is not None:
            self.show_record(self._wanted)

    def _say_no_data(self, words: str) -> None:
        self.show_empty(True)
        self.empty.say("No records to try the rules on", words)

    def _choose_part(self) -> None:
        count = self._sample.count(self.part.currentData() or "")
        self.index.setRange(0, max(0, count - 1))
        self.count.setText(f"of {whole(count)}")
        self._load()

    def _step(self, by: int) -> None:
        self.index.setValue(self.index.value() + by)

    def _record(self) -> Records | None:
        records = self._sample.parts.get(self.part.currentData() or "")
        place = self.index.value()
        return records.take(slice(place, place + 1)) if records and place < len(records) else None

    def _load(self, *, keep: bool = False) -> None:
        """Show the record chosen; `keep` keeps facts that were changed."""
        record, rules = self._record(), self._rules
        if record is None or rules is None or self._name not in ruled(self._document.graph):
            return  # nothing to show, or another project is open since
        before = self.facts.values.copy() if keep else None
        facts = rules.padded(facts_at(self._document.graph, self._name, record))
        if len(facts) == len(rules.columns):
            self._spoken = self._used()
            self.facts.show_facts(rules.columns, facts, self._spoken)
            self._facts.setMaximumHeight(max(_PART, _HEAD + _ROW * len(facts)))
            if before is not None and len(before) == len(facts):
                self.facts.values = before
        self.broken.setVisible(bool(self._broken()))
        self._scores = raw_scores(self._trainer.program, self._name, scores_of(rules), record)
        self._offer_answers()
        self._judge()

    def _used(self) -> set[int]:
        return {column for test in self._rules.tests for column in test.columns} if self._rules else set()

    def _offer_answers(self) -> None:
        rules = self._rules
        modelled = self._scores is not None
        classes = rules.classes if rules else ()
        wanted = [(t, k) for k, t in _ANSWERS.items() if (bool(classes) if k == LABELLED else modelled)]
        wanted.append(("No answer: the facts alone", OPEN))
        wanted += [(f"If it were {name}", NAMED + name) for name in classes]
        if [(self.answer.itemText(i), self.answer.itemData(i)) for i in range(self.answer.count())] == wanted:
            return
        kept = self.answer.currentData()
        self.answer.blockSignals(True)
        self.answer.clear()
        for title, key in wanted:
            self.answer.addItem(title, key)
        first = RAW if modelled else LABELLED
        place = self.answer.findData(kept if kept and kept != LABELLED else first)
        self.answer.setCurrentIndex(max(0, place))
        self.answer.blockSignals(False)

    # Judging

    def _judge(self) -> None:
        record, judge = self._record(), self._judge_of
        changed = len(self.facts.changed)
        self.reset.setVisible(bool(changed))
        self._changed.setText(
            f"{plural(changed, 'fact')} changed" if changed else "double-click to change one"
        )
        if record is None or judge is None or len(self.facts.values) != len(judge.rules.columns):
            return
        facts, scores = self.facts.values.copy(), self._scores
        wanted, labelled = self.answer.currentData() or OPEN, int(record.labels[0])
        self._judging.want(lambda _task: (judge.rules, judge(facts, scores, wanted, labelled)))

    def _take_judged(self, found: tuple[RuleSet, Judged]) -> None:
        rules, judged = found
        if self._judge_of is None:
            return  # the rules shown since are over events
        self.judged = judged
        self.truths.show_truths(rules.rules, judged.truths, self._own)
        self._counted.setText(counted(judged.truths))
        self._show_answers(rules, judged)
        lines: dict[int, tuple[Truth, str]] = {}
        for rule, said in list(zip(rules.rules, judged.truths, strict=True))[: self._own]:
            lines[rule.line] = said, f"{rule.name} is {TRUTHS[said][2]} for this record."
        self.truths_found.emit(lines)

    def _show_answers(self, rules: RuleSet, judged: Judged) -> None:
        told = judged.account
        one = told is not None and CLASS in told.answer
        for bars in self.bars:
            bars.setVisible(one)
        self.answers.setVisible(told is not None and set(told.answer) != {CLASS})
        self.how.setVisible(told is not None)
        if told is None:
            self.why.setText(judged.failed or _UNTRAINED)
            return
        if one:
            self._show_bars(rules, judged, told)
        self.answers.show_account(told)
        self.why.setText(told.why)
        self.how.setText(accounted(told))

    def _show_bars(self, rules: RuleSet, judged: Judged, told: Account) -> None:
        after = np.array(told.confidence.get(CLASS, ()), np.float64)
        tone = "warn" if told.status == STATUS[NONE] else "ok"
        said, fixed = told.raw[CLASS], told.answer[CLASS] if tone == "ok" else STATUS[NONE]
        self.bars[0].show_answer(
            said, "error" if told.broken else "hi", rules.classes, judged.raw[CLASS], set()
        )
        out = {int(i) for i in np.flatnonzero(after == 0)}
        if not len(after):
            after = np.zeros(len(rules.classes))
        self.bars[1].show_answer(fixed, tone, rules.classes, after, out)

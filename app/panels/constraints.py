"""The constraints panel: which answers broke which rules, what they became, and why.

It shows whatever guard the graph has, by what the guard itself says it can show (engine/guard.py).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QItemSelection, Qt, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.panels.elided import Elided, set_beside
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import IconButton
from app.panels.rule_bars import RuleBars, RuleRow
from app.panels.rules_editor import tried_on_records
from app.panels.violation_details import Details
from app.panels.violation_filter import ViolationFilter
from app.panels.violations import (
    BROKEN,
    COLUMNS,
    EXPORTED,
    LABEL,
    REPAIRED,
    ViolationTable,
    exported,
)
from app.task import Latest
from app.theme.figures import plural, whole
from app.theme.fonts import BODY, font
from app.theme.icons import icon
from app.worker import Trainer
from engine.data.dataset import open_data
from engine.errors import PolybitError
from engine.files.project import Project
from engine.files.tables import write_table
from engine.guard import Agreement
from engine.runtime.program import Program, guards_of
from engine.violations import Shown, agreement

_RULES, _DETAILS = (150, 240), (232, 560)  # px, at least and at most
_BESIDE = 240  # px that the details get where there is room for more columns
_ROOMY = 860  # px; in less the list of rules makes room for the answers, and a box filters by rule
_WIDE = 1100  # px; in less the summary stands in a line of its own
_LABELLED = 480  # px of the table; in less the column of the true class makes room
_SAMPLE = 200  # records that are solved once more
_COLUMN = 120  # px a column takes at most
_TABLE = 170  # px the table takes at least
_TOLD = 300  # px of the table; in less the rules broken are told beside it alone
_BOTH = 200  # px of the table; in less the repaired answer is told beside it alone
_TIGHT = 640  # px; in less buttons have icons
_FEW = 520  # px; in less rules alone have a box that filters


class ConstraintsPanel(Emptiable):
    """Shows the cases of the trainer's last look.

    Signals:
        what_if_wanted: the facts of a record, by its index in the look, are to be played with.
        said: a sentence for the window to say, and its tone.
    """

    what_if_wanted = Signal(int)
    said = Signal(str, str)

    def __init__(self, document: Document, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(EmptyState("ph.shield-check", "", ""), parent)
        self._document, self._trainer = document, trainer
        self.table = ViolationTable()
        self.rules, self.view = RuleBars(), _table_view(self.table)
        self.filter, self.details = ViolationFilter(), Details()
        self._count = Elided()
        self.save = IconButton("ph.download-simple", "Export what is listed as CSV")
        self.before = IconButton("ph.caret-up", "The answer before that broke a rule (Shift+F8)")
        self.next = IconButton("ph.caret-down", "The next answer that broke a rule (F8)")
        self.verify = QPushButton("Verify")
        self.verify.setFont(font(BODY))
        self.verify.setToolTip(
            f"Solve {_SAMPLE} records once more with python-sat's RC2, and compare the costs"
        )
        self._verified, self._agreed = Latest(self), ""
        self._verified.done.connect(self._take_agreement)
        self._verified.failed.connect(lambda words: self.said.emit(words, "error"))
        self.try_ = QPushButton("What if…")
        self.try_.setFont(font(BODY))
        self.try_.setToolTip("Change the facts of the chosen record and see the answer change")
        self._build()
        self.rules.currentRowChanged.connect(lambda _row: self.filter.choose_rule(self.rules.chosen))
        self.filter.changed.connect(self._filter)
        self.view.selectionModel().selectionChanged.connect(self._show_details)
        self.view.doubleClicked.connect(lambda _index: self._ask_what_if())
        self.try_.clicked.connect(self._ask_what_if)
        self.save.clicked.connect(self.export)
        self.before.clicked.connect(partial(self.jump, -1))
        self.next.clicked.connect(partial(self.jump, 1))
        self.verify.clicked.connect(self.check_again)
        self.details.failed.connect(lambda words: self.said.emit(words, "error"))
        trainer.looked.connect(lambda: self.when_seen(self._refresh))
        trainer.state_changed.connect(lambda _state: self._say_empty())
        document.changed.connect(self._say_empty)
        self._refresh()

    @property
    def shown(self) -> Shown | None:
        """Return what the guard shows, None before there is an answer or without one."""
        return self._trainer.look.guard if self._trainer.look else None

    @property
    def count(self) -> int:
        """Return how many answers broke a rule before repair; the tab shows it."""
        return self.shown.raw if self.shown else 0

    def jump(self, by: int) -> None:
        """Choose the next answer listed, or the one before; from the last on to the first."""
        count = self.table.rowCount()
        if count:
            self.view.selectRow((self.view.currentIndex().row() + by) % count)
            self.view.scrollTo(self.view.currentIndex())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    # Agreement

    def check_again(self) -> None:
        """Let RC2 solve a sample of the records once more, beside the window."""
        program, project = self._trainer.program, self._trainer.project
        if program is None or project is None:
            return
        self.verify.setEnabled(False)
        self._verified.want(lambda _task: _agreement(program, project))
        self._share_room()

    def wait(self) -> None:
        """End what runs beside the window; it calls this when it closes."""
        self._verified.wait()
        self.details.wait()

    def _take_agreement(self, found: Agreement | None) -> None:
        self.verify.setEnabled(True)
        self._share_room()
        if found is None:
            return
        self._agreed = agreed_words(found)
        self.said.emit(f"{self._agreed}.", "good" if found.agreed == found.solved else "error")
        self._filter()

    # Export

    def export(self) -> None:
        """Ask for a place and write there what is listed."""
        start = str(self._document.project.folder / f"{self._document.title}.violations.csv")
        chosen, _ = QFileDialog.getSaveFileName(self, "Export the violations", start, "CSV table (*.csv)")
        if chosen:
            self.export_to(Path(chosen))

    def export_to(self, path: Path) -> None:
        """Write what is listed to a CSV file, whole or not at all, and say so."""
        path = path if path.suffix else path.with_suffix(".csv")
        try:
            count = write_table(path, EXPORTED, map(exported, self.table.rows))
        except PolybitError as error:
            self.said.emit(str(error), "error")
            return
        unit = self.shown.showing.unit if self.shown else "answer"
        self.said.emit(f"Wrote {plural(count, unit)} to {path.name}.", "good")

    # Putting together

    def _build(self) -> None:
        column = self._column = QVBoxLayout(self.content)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        top = self._top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.filter, 1)
        for button in (self.before, self.next, self.verify, self.try_, self.save):
            top.addWidget(button)
        column.addLayout(top)
        column.addWidget(self._count)
        across = QHBoxLayout()
        across.setSpacing(12)
        _set_widths(self.rules, *_RULES)
        _set_widths(self.details, *_DETAILS)
        across.addWidget(self.rules, 2)
        across.addWidget(self.view, 5)
        across.addWidget(self.details, 4)
        column.addLayout(across, 1)
        self._share_room()

    def _share_room(self) -> None:
        """Let the list of rules and the true class make room where there is little."""
        roomy, wide = self.width() >= _ROOMY, self.width() >= _WIDE
        set_beside(self._count, self._top, self._column, 1, beside=wide)
        self._top.setStretch(0, 0 if wide else 1)
        self.rules.setVisible(roomy)
        self.filter.make_room(rule=not roomy, others=self.width() >= _FEW)
        labelled = any(case.label for case in self.table.rows)
        room = self.width() - _BESIDE - 36 - (_RULES[0] + 12) * roomy
        self.view.setColumnHidden(LABEL, not labelled or room < _LABELLED)
        self.view.setColumnHidden(BROKEN, room < _TOLD)
        self.view.setColumnHidden(REPAIRED, room < _BOTH)
        tight = self.width() < _TIGHT
        busy = "Verify" if self.verify.isEnabled() else "Verifying …"
        for button, drawn, words in (
            (self.verify, "ph.check-circle", busy),
            (self.try_, "ph.flask", "What if…"),
        ):
            button.setText("" if tight else words)
            button.setIcon(icon(drawn, "mid") if tight else QIcon())
            button.setAccessibleName(words)

    # What is shown

    def _refresh(self) -> None:
        self._agreed, seen = "", self.shown
        self.show_empty(not seen or not seen.raw)
        self._say_empty()
        if not seen:
            return
        rows = [RuleRow("All rules", "", seen.raw, seen.left)]
        rows += [RuleRow(r.name, r.name, r.raw, r.left, f"{r.words}.") for r in seen.rules]
        self.rules.show_rows(rows)
        self.verify.setVisible(seen.showing.verified)
        self.try_.setVisible(tried_on_records(self._document.graph, seen.guard))
        self.filter.offer(seen.cases, seen.rules)
        self._filter()

    def _filter(self) -> None:
        seen = self.shown
        if not seen:
            return
        self.rules.choose(self.filter.rule)
        rows = tuple(case for case in seen.cases if self.filter.passes(case))
        said = _summary(seen, len(rows))
        self._count.setText(f"{said} · {self._agreed}" if self._agreed else said)
        if rows == self.table.rows:
            return
        before = self.table.case(self.view.currentIndex().row())
        self.table.show_rows(rows, "" if seen.showing.unit == "answer" else seen.showing.unit)
        self._share_room()
        records = [case.record for case in rows]
        for button in (self.try_, self.save, self.before, self.next):
            button.setEnabled(bool(rows))
        if rows:
            self.view.selectRow(records.index(before.record) if before and before.record in records else 0)
        else:
            self.details.show_case(None, None)

    def _show_details(self, selected: QItemSelection) -> None:
        indexes, seen = selected.indexes(), self.shown
        if indexes and seen:
            self.details.show_case(self.table.case(indexes[0].row()), seen.showing)

    def _ask_what_if(self) -> None:
        chosen = self.table.case(self.view.currentIndex().row())
        if chosen and not self.try_.isHidden():
            self.what_if_wanted.emit(chosen.record)

    def _say_empty(self) -> None:
        seen, graph = self.shown, self._document.graph
        if not guards_of(graph, graph.order):
            self.empty.say(
                "No rules in this graph", "Add a Constraint guard and write what no answer may break."
            )
        elif seen and not seen.total:
            unit = seen.showing.unit
            self.empty.say(
                f"No {unit} among these records",
                f"The guard decides each {unit} as a whole; the records looked at hold none. "
                "When the training ends, those of the test part show here.",
            )
        elif seen:
            every = plural(seen.total, seen.showing.unit)
            self.empty.say("No rule is broken", f"All {every} looked at keep every rule as they are.")
        elif self._trainer.look:
            self.empty.say("This guard is counted, not listed", "The training panel tells before and after.")
        elif self._trainer.busy:
            self.empty.say("Answers are on their way", "Those that break a rule show here once seen.")
        else:
            self.empty.say(
                "No answers seen yet", "Press Train: answers that break a rule show here after each epoch."
            )


def agreed_words(found: Agreement) -> str:
    """Return what came of solving records once more."""
    if not found.sampled:
        return "None of these needed repair, so there is nothing to solve again"
    words = f"RC2 agrees on {whole(found.agreed)} of {whole(found.solved)}"
    if found.solved == found.sampled:
        return words
    return f"{words}, {whole(found.sampled - found.solved)} not checked in {found.seconds:.0f} s"


def _agreement(program: Program, project: Project) -> Agreement | None:
    splits = open_data(program.graph, project.folder)
    return agreement(program, splits.validation if len(splits.validation) else splits.train, _SAMPLE)


def _summary(seen: Shown, shown: int) -> str:
    left, unit = whole(seen.left) if seen.left else "none", seen.showing.unit
    said = f"{whole(seen.raw)} of {plural(seen.total, unit)} broke a rule; after repair {left}"
    if shown < len(seen.cases):
        return f"{whole(shown)} listed · {said}"
    if len(seen.cases) < seen.raw:
        said = f"{said} · the first {whole(shown)} are listed"
    return f"{said} · {seen.showing.alone}" if seen.showing.alone else said


def _set_widths(widget: QWidget, least: int, most: int) -> None:
    widget.setMinimumWidth(least)
    widget.setMaximumWidth(most)


def _table_view(table: ViolationTable) -> QTableView:
    made = QTableView()
    made.setModel(table)
    made.setMinimumWidth(_TABLE)
    made.setShowGrid(False)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.setWordWrap(False)
    made.setTextElideMode(Qt.TextElideMode.ElideRight)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # the details hold the words
    made.setCornerWidget(QWidget())  # the style draws a stub of a frame there
    made.verticalHeader().hide()
    made.verticalHeader().setDefaultSectionSize(28)
    header = made.horizontalHeader()
    header.setHighlightSections(False)
    header.setMinimumSectionSize(56)
    header.setMaximumSectionSize(_COLUMN)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(BROKEN, QHeaderView.ResizeMode.Stretch)
    made.setAccessibleName(f"Answers that broke a rule: {', '.join(COLUMNS)}")
    return made

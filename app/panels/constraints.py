"""The constraints panel: answers that broke a rule, what they became, and why, in words."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelection, Qt, Signal
from PySide6.QtGui import QResizeEvent
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
from app.panels.elided import Elided
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import IconButton
from app.panels.rule_bars import RuleBars, RuleRow
from app.panels.violation_details import Details
from app.panels.violation_filter import ViolationFilter
from app.panels.violations import COLUMNS, EXPORTED, ViolationTable, exported
from app.task import Latest
from app.theme.figures import plural, whole
from app.theme.fonts import BODY, font
from app.worker import Trainer
from engine.data.dataset import open_data
from engine.errors import PolybitError
from engine.files.project import Project
from engine.files.tables import write_table
from engine.logic.agreement import Agreement
from engine.logic.matching import pack_keys
from engine.logic.packs import pack_of
from engine.look import Look
from engine.runtime.program import Program
from engine.violations import agreement

_RULES, _DETAILS = (150, 240), (230, 420)  # px, at least and at most
_ROOMY = 620  # px; in less the list of rules makes room for the answers, and words filter by rule
_SAMPLE = 200  # records that are solved once more
_UNLISTED = {
    "logic.boards": "A Board guard mends whole boards: the training panel tells before and after.",
    "logic.sequence": "A Sequence guard mends whole sequences: its ports broken and left tell which rules.",
}
_TABLE = 116  # px the table takes at least


class ConstraintsPanel(Emptiable):
    """Shows the violations of the trainer's last look.

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
        self.rules.currentRowChanged.connect(self._filter)
        self.filter.changed.connect(self._filter)
        self.view.selectionModel().selectionChanged.connect(self._show_details)
        self.view.doubleClicked.connect(lambda _index: self._ask_what_if())
        self.try_.clicked.connect(self._ask_what_if)
        self.save.clicked.connect(self.export)
        self.verify.clicked.connect(self.check_again)
        trainer.looked.connect(self._refresh)
        document.changed.connect(self._say_empty)
        self._refresh()

    @property
    def count(self) -> int:
        """Return how many answers broke a rule before repair; the tab shows it."""
        return self._trainer.look.violations_raw if self._trainer.look else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = self.width() >= _ROOMY
        if roomy == self.rules.isHidden():
            self.rules.setCurrentRow(0)
            self.rules.setVisible(roomy)

    # Agreement

    def check_again(self) -> None:
        """Let RC2 solve a sample of the records once more, beside the window."""
        program, project = self._trainer.program, self._trainer.project
        if program is None or project is None:
            return
        self.verify.setEnabled(False)
        self.verify.setText("Verifying …")
        self._verified.want(lambda _task: _agreement(program, project))

    def wait(self) -> None:
        """End what runs beside the window; it calls this when it closes."""
        self._verified.wait()

    def _take_agreement(self, found: Agreement | None) -> None:
        self.verify.setEnabled(True)
        self.verify.setText("Verify")
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
        self.said.emit(f"Wrote {plural(count, 'answer')} to {path.name}.", "good")

    # Putting together

    def _build(self) -> None:
        column = QVBoxLayout(self.content)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.filter, 3)
        top.addWidget(self._count, 2)
        top.addWidget(self.verify)
        top.addWidget(self.try_)
        top.addWidget(self.save)
        column.addLayout(top)
        across = QHBoxLayout()
        across.setSpacing(12)
        _set_widths(self.rules, *_RULES)
        self.rules.hide()
        _set_widths(self.details, *_DETAILS)
        across.addWidget(self.rules, 2)
        across.addWidget(self.view, 5)
        across.addWidget(self.details, 4)
        column.addLayout(across, 1)

    # What is shown

    def _refresh(self) -> None:
        seen, self._agreed = self._trainer.look, ""
        self.show_empty(not seen or not seen.violations_raw)
        self._say_empty()
        if not seen:
            return
        rows = [RuleRow("All rules", "", seen.violations_raw, seen.violations_left)]
        rows += [RuleRow(r.name, r.name, r.raw, r.left, f"{r.words}.") for r in seen.rules]
        self.rules.show_rows(rows)
        self.filter.offer(seen.violations, packs_of(seen))
        self._filter()

    def _filter(self) -> None:
        seen = self._trainer.look
        if not seen:
            return
        rule = self.rules.chosen
        rows = tuple(v for v in seen.violations if self.filter.passes(v, rule))
        said = _summary(seen, len(rows))
        self._count.setText(f"{said} · {self._agreed}" if self._agreed else said)
        if rows == self.table.rows:
            return
        before = self.table.violation(self.view.currentIndex().row())
        self.table.show_rows(rows)
        records = [v.record for v in rows]
        self.try_.setEnabled(bool(rows))
        self.save.setEnabled(bool(rows))
        if rows:
            self.view.selectRow(records.index(before.record) if before and before.record in records else 0)
        else:
            self.details.show_violation(None, ())

    def _show_details(self, selected: QItemSelection) -> None:
        indexes, seen = selected.indexes(), self._trainer.look
        if indexes and seen:
            self.details.show_violation(
                self.table.violation(indexes[0].row()), seen.classes, several=seen.several
            )

    def _ask_what_if(self) -> None:
        chosen = self.table.violation(self.view.currentIndex().row())
        if chosen:
            self.what_if_wanted.emit(chosen.record)

    def _say_empty(self) -> None:
        seen = self._trainer.look
        others = [words for kind, words in _UNLISTED.items() if self._document.graph.of_kind(kind)]
        if others and not self._document.graph.of_kind("logic.rules"):
            self.empty.say("This guard is counted, not listed", others[0])
        elif not self._document.graph.of_kind("logic.rules"):
            self.empty.say(
                "No rules in this graph", "Add a Constraint guard and write what no answer may break."
            )
        elif seen and seen.guarded:
            records = plural(seen.records, "record")
            self.empty.say(
                "No rule is broken", f"The raw answers to all {records} looked at keep every rule."
            )
        else:
            self.empty.say(
                "No answers seen yet", "Press Train: answers that break a rule show here after each epoch."
            )


def packs_of(seen: Look) -> dict[str, str]:
    """Return the title of the domain pack that a rule comes from, by the rule's name."""
    graph = seen.program.graph
    keys = [k for n in graph.of_kind("logic.rules") for k in pack_keys(str(graph.node(n).values()["packs"]))]
    named = {s.name: pack_of(key).title for key in keys for s in pack_of(key).statements if s.name}
    return {rule.name: named[name] for rule in seen.rules if (name := rule.name.split(": ")[-1]) in named}


def agreed_words(found: Agreement) -> str:
    """Return what came of solving records once more."""
    words = f"RC2 agrees on {whole(found.agreed)} of {whole(found.solved)}"
    if found.solved == found.sampled:
        return words
    return f"{words}, {whole(found.sampled - found.solved)} not checked in {found.seconds:.0f} s"


def _agreement(program: Program, project: Project) -> Agreement | None:
    splits = open_data(program.graph, project.folder)
    return agreement(program, splits.validation if len(splits.validation) else splits.train, _SAMPLE)


def _summary(seen: Look, shown: int) -> str:
    left = whole(seen.violations_left) if seen.violations_left else "none"
    said = f"{whole(seen.violations_raw)} of {whole(seen.records)} answers broke a rule; after repair {left}"
    if shown < len(seen.violations):
        return f"{whole(shown)} listed · {said}"
    cut = len(seen.violations) < seen.violations_raw
    return f"{said} · the first {whole(shown)} are listed" if cut else said


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
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
    header.setMinimumSectionSize(62)
    made.setAccessibleName(f"Answers that broke a rule: {', '.join(COLUMNS)}")
    return made

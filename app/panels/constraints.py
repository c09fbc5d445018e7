"""The constraints panel: answers that broke a rule, what they became, and why, in words."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.panels.elided import Elided
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import body, caption, line, note, section_label, strong
from app.panels.violations import COLUMNS, ViolationTable
from app.theme.figures import plural, whole
from app.theme.fonts import BASE, font
from app.worker import Trainer
from engine.look import Look, Violation

_RULES, _DETAILS = (100, 200), (170, 300)  # px, at least and at most
_TABLE = 116  # px the table takes at least


class ConstraintsPanel(Emptiable):
    """Shows the violations of the trainer's last look."""

    def __init__(self, document: Document, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(EmptyState("ph.shield-check", "", ""), parent)
        self._document, self._trainer = document, trainer
        self.table = ViolationTable()
        self.rules, self.view = _rule_list(), _table_view(self.table)
        self._count = Elided()
        self.details = Details()
        self._build()
        self.rules.currentRowChanged.connect(self._filter)
        self.view.selectionModel().selectionChanged.connect(self._show_details)
        trainer.looked.connect(self._refresh)
        document.changed.connect(self._say_empty)
        self._refresh()

    @property
    def count(self) -> int:
        """Return how many answers broke a rule before repair; the tab shows it."""
        return self._trainer.look.violations_raw if self._trainer.look else 0

    def _build(self) -> None:
        across = QHBoxLayout(self.content)
        across.setContentsMargins(12, 8, 12, 8)
        across.setSpacing(12)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(section_label("Rules"))
        left.addWidget(self.rules, 1)
        across.addLayout(left, 2)
        middle = QVBoxLayout()
        middle.setSpacing(4)
        middle.addWidget(self._count)
        middle.addWidget(self.view, 1)
        across.addLayout(middle, 3)
        across.addWidget(self.details, 3)

    def _refresh(self) -> None:
        seen = self._trainer.look
        self.show_empty(not seen or not seen.violations_raw)
        self._say_empty()
        if not seen:
            return
        chosen = self.rules.currentItem()
        before = chosen.data(Qt.ItemDataRole.UserRole) if chosen else ""
        self.rules.blockSignals(True)
        self.rules.clear()
        _add_rule(self.rules, f"All rules · {whole(seen.violations_raw)}", "", "")
        for rule in seen.rules:
            _add_rule(self.rules, f"{rule.name} · {whole(rule.raw)}", rule.name, f"{rule.words}.")
        rows = [self.rules.item(i).data(Qt.ItemDataRole.UserRole) for i in range(self.rules.count())]
        self.rules.setCurrentRow(rows.index(before) if before in rows else 0)
        self.rules.blockSignals(False)
        self._filter()

    def _filter(self) -> None:
        seen, item = self._trainer.look, self.rules.currentItem()
        if not seen or item is None:
            return
        name = item.data(Qt.ItemDataRole.UserRole)
        rows = tuple(v for v in seen.violations if not name or name in {r.name for r in v.explained.broken})
        self._count.setText(_summary(seen, len(rows)))
        if rows == self.table.rows:
            return
        before = self.table.violation(self.view.currentIndex().row())
        self.table.show_rows(rows)
        records = [v.record for v in rows]
        if rows:
            self.view.selectRow(records.index(before.record) if before and before.record in records else 0)
        else:
            self.details.show_violation(None)

    def _show_details(self, selected: QItemSelection) -> None:
        indexes = selected.indexes()
        if indexes:
            self.details.show_violation(self.table.violation(indexes[0].row()))

    def _say_empty(self) -> None:
        seen = self._trainer.look
        if not self._document.graph.of_kind("logic.rules"):
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


class Details(QScrollArea):
    """Everything about one violation."""

    def __init__(self) -> None:
        super().__init__()
        _set_widths(self, *_DETAILS)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self._texts: list[str] = []
        self.show_violation(None)

    @property
    def words(self) -> str:
        """Return everything it says."""
        return "\n".join(self._texts)

    def show_violation(self, violation: Violation | None) -> None:
        """Show another violation; None shows nothing."""
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(4, 0, 8, 0)
        column.setSpacing(4)
        self._texts = []
        if violation:
            self._fill(column, violation)
        column.addStretch(1)
        self.setWidget(holder)
        holder.setAutoFillBackground(False)

    def _fill(self, column: QVBoxLayout, violation: Violation) -> None:
        told = violation.explained
        self._say(column, strong(f"Record {whole(violation.record)}: {told.said} → {told.fixed}"))
        self._say(column, body(told.why, "hi", wrap=True))
        for rule in told.broken:
            column.addWidget(line())
            self._say(column, strong(rule.name, "logic"))
            self._say(column, note(f"{rule.words[:1].upper()}{rule.words[1:]}.", "hi"))
            if rule.facts:
                self._say(column, note(f"Here: {', '.join(rule.facts)}", "mid"))
            if rule.reason:
                self._say(column, note(f"Because: {rule.reason}", "mid"))
            if rule.source:
                self._say(column, caption(f"Source: {rule.source}", "low", wrap=True))

    def _say(self, column: QVBoxLayout, label: QWidget) -> None:
        self._texts.append(label.property("text"))
        column.addWidget(label)


def _summary(seen: Look, shown: int) -> str:
    left = whole(seen.violations_left) if seen.violations_left else "no"
    said = (
        f"{plural(seen.violations_raw, 'answer')} of {whole(seen.records)} broke a rule; "
        f"after repair {left} {'answer does' if seen.violations_left in (0, 1) else 'answers do'}"
    )
    cut = (
        f" · the first {whole(shown)} are shown"
        if shown == len(seen.violations) < seen.violations_raw
        else ""
    )
    return said + cut


def _set_widths(widget: QWidget, least: int, most: int) -> None:
    widget.setMinimumWidth(least)
    widget.setMaximumWidth(most)


def _rule_list() -> QListWidget:
    made = QListWidget()
    made.setFont(font(BASE))
    _set_widths(made, *_RULES)
    made.setUniformItemSizes(True)
    made.setAccessibleName("Rules, with how many answers broke each")
    return made


def _add_rule(rules: QListWidget, words: str, name: str, tip: str) -> None:
    item = QListWidgetItem(words)
    item.setData(Qt.ItemDataRole.UserRole, name)
    item.setToolTip(tip)
    item.setSizeHint(QSize(0, 28))
    rules.addItem(item)


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

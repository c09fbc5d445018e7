"""The page of rules: the editor, and beside it what is known of the rules and a record to try them on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.editor.text import RulesText, plain
from app.editor.words import suggestions
from app.panels.checks import ICONS, TONES
from app.panels.elided import Elided
from app.panels.empty import EmptyState
from app.panels.labels import IconLabel, caption, set_tone
from app.panels.rules_editor import ruled, vocabulary_at
from app.panels.segments import Segments
from app.rules.checking import Bound, Checked, Example, bound, check
from app.rules.checks_pane import ChecksPane
from app.rules.packs_view import PacksView
from app.rules.record_pane import RecordPane
from app.rules.sequence_pane import SequencePane
from app.task import Latest
from app.theme.fonts import BASE, font
from app.worker import Trainer
from engine.graph import Graph
from engine.logic.checking import get_ready
from engine.logic.matching import pack_keys
from engine.logic.vocabulary import Vocabulary
from engine.node import Node
from engine.runtime.program import guards_of

_CHECK_AFTER, _KEEP_AFTER = 140, 700  # ms without a further letter
_SAY_AFTER = 250  # ms of a check, after which it is said that it goes on
_SIDE = 440  # px
_VIEWS = {"write": "Write", "packs": "Packs"}
_VIEW_TIPS = {"write": "The rules of this node as text", "packs": "Rules of whole domains, ready to take"}
_NO_RULES = (
    "No rules in this graph",
    "Add a Constraint guard from the list of nodes, then write here what no answer may break.",
)


class RulesPage(QWidget):
    """Edits the rules of one node of the document.

    Signals:
        left: it is done with.
    """

    left = Signal()

    def __init__(self, document: Document, trainer: Trainer) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._document = document
        self.name, self.checked = "", Checked("", True, "", "ok")
        self._shown = ""
        self._typing = False  # whether something is typed that the document does not have yet
        self._wanted = False  # whether it is seen
        self._checking, self._binding = Latest(self), Latest(self)
        self._check_soon = QTimer(self, singleShot=True, interval=_CHECK_AFTER)
        self._keep_soon = QTimer(self, singleShot=True, interval=_KEEP_AFTER)
        self._slow = QTimer(self, singleShot=True, interval=_SAY_AFTER)
        self.text = RulesText(margin=True)
        self.checks, self.record = ChecksPane(), RecordPane(document, trainer)
        self.sequence, self.packs = SequencePane(), PacksView()
        self._build()
        self._connect()

    # What is shown

    def show_node(self, name: str = "", view: str = "write") -> None:
        """Show the rules of a node; without a name the ones last shown, or the first there are."""
        self._keep()  # what is typed is the rules of the node before
        there = ruled(self._document.graph)
        self.name = next((n for n in (name, self.name, *there) if n in there), "")
        self.show_view(view)
        self.text.setFocus()

    def show_record(self, index: int) -> None:
        """Show a record of those that the trainer looks at, with its facts to change."""
        self.tabs.setCurrentWidget(self.record)
        self.record.show_record(index)

    @property
    def busy(self) -> bool:
        """Whether the last letter typed is still being checked, or the record judged."""
        waiting = self._check_soon.isActive() or self._keep_soon.isActive()
        parts = (self._checking, self._binding, self.record, self.sequence, self.packs)
        return waiting or any(part.busy for part in parts)

    def wait(self) -> None:
        """End what runs beside the window; it calls this when it closes."""
        self._check_soon.stop()
        self._slow.stop()
        self._checking.wait()
        self._binding.wait()
        self.record.wait()
        self.sequence.wait()
        self.packs.wait()

    # Putting together

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._heading())
        left = QWidget()
        under = QVBoxLayout(left)
        under.setContentsMargins(16, 0, 8, 12)
        under.setSpacing(8)
        self.text.setFont(plain(BASE))
        self.text.setAccessibleName("Rules")
        under.addWidget(self.text, 1)
        under.addLayout(self._foot())
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setFont(font(BASE))
        self.tabs.addTab(self.record, "Record")
        self.tabs.addTab(self.sequence, "Sequence")
        self.tabs.addTab(self.checks, "Checks")
        self.tabs.setTabVisible(self.tabs.indexOf(self.sequence), False)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(1)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(left)
        self.split.addWidget(self.tabs)
        self.split.setStretchFactor(0, 1)
        self.tabs.setMinimumWidth(320)
        left.setMinimumWidth(360)
        self.split.setSizes([1600 - _SIDE, _SIDE])
        self.empty = EmptyState("ph.shield-check", *_NO_RULES)
        column.addWidget(self.split, 1)
        column.addWidget(self.packs, 1)
        self.packs.hide()
        column.addWidget(self.empty, 1)

    def _heading(self) -> QHBoxLayout:
        title = QLabel("Rules")
        title.setFont(font(22, 600))
        self.views = Segments(_VIEWS, _VIEW_TIPS, "What of the rules is shown")
        self.views.setFixedWidth(220)
        self.views.show_value("write")
        self.node = QComboBox()
        self.node.setFont(font(BASE))
        self.node.setAccessibleName("The node whose rules are shown")
        self.node.setMinimumWidth(180)
        self.back = QPushButton("Back")
        self.back.setFont(font(BASE))
        self.back.setToolTip("Back to the graph (Escape)")
        across = QHBoxLayout()
        across.setContentsMargins(16, 16, 16, 12)
        across.setSpacing(14)
        across.addWidget(title)
        across.addWidget(self.views)
        across.addWidget(self.node)
        across.addStretch(1)
        across.addWidget(self.back)
        return across

    def _foot(self) -> QHBoxLayout:
        self._state, self.says, self._place = IconLabel(ICONS["ok"], "ok"), Elided("mid"), caption("")
        across = QHBoxLayout()
        across.setSpacing(8)
        across.addWidget(self._state)
        across.addWidget(self.says, 1)
        across.addWidget(self._place)
        return across

    def _connect(self) -> None:
        self.text.textChanged.connect(self._typed)
        self.text.cursorPositionChanged.connect(self._say_place)
        self._check_soon.timeout.connect(self._check)
        self._keep_soon.timeout.connect(self._bind)
        self._slow.timeout.connect(self._say_checking)
        self._binding.done.connect(self._take_bound)
        self._binding.failed.connect(lambda _words: self._keep())
        self._checking.done.connect(self._take)
        self._checking.failed.connect(lambda words: self._say("error", words))
        self.checks.place_wanted.connect(self.text.go_to)
        self.checks.example_wanted.connect(self._try)
        self.record.line_wanted.connect(self.text.go_to)
        self.record.truths_found.connect(self.text.show_truths)
        self.sequence.line_wanted.connect(self.text.go_to)
        self.sequence.truths_found.connect(self.text.show_truths)
        self.node.activated.connect(lambda place: self.show_node(self.node.itemData(place)))
        self.back.clicked.connect(self._leave)
        self.views.chosen.connect(self.show_view)
        self.packs.taken.connect(self._take_packs)
        self._document.changed.connect(self._follow)
        self._document.settling.connect(self._keep)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def _leave(self) -> None:
        self._keep()
        self.left.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wanted = True
        self._follow()

    def hideEvent(self, event: QHideEvent) -> None:
        self._keep()
        self._wanted = False
        super().hideEvent(event)

    # Following the document

    def _follow(self) -> None:
        graph = self._document.graph
        there = ruled(graph)
        if there:
            get_ready()  # the first check of a text then waits for the text alone
        if not self._wanted:
            return
        if self.name not in there:
            self.name = next(iter(there), "")
        several = bool(self.name) and "packs" in type(graph.node(self.name)).about()
        writing = self.views.value == "write" or not several
        self.split.setVisible(bool(self.name) and writing)
        self.packs.setVisible(bool(self.name) and not writing)
        self.views.setVisible(several)
        self.empty.setVisible(not self.name)
        self.node.setVisible(len(there) > 1)
        if not self.name:
            self._say_none(guards_of(graph, graph.order))
            return
        if [self.node.itemData(i) for i in range(self.node.count())] != list(there):
            self.node.clear()
            for name in there:
                self.node.addItem(name, name)
        self.node.setCurrentIndex(self.node.findData(self.name))
        self.text.show_vocabulary(vocabulary_at(graph, self.name))
        if not writing:
            self._show_packs()
        held = str(graph.node(self.name).values()["rules"])
        if self._keep_soon.isActive() or (self._binding.busy and self._typing):
            return  # what is typed is newer
        if held != self.text.toPlainText():
            self._shown = held
            self.text.setPlainText(held)
        self._shown = held
        self._check_soon.start(0)
        self._bind()

    def _say_none(self, guards: Sequence[str]) -> None:
        """Say why there is nothing to write: a guard may bring its rules along."""
        if guards:
            self.empty.say(
                f"The rules of {guards[0]} are built in",
                "What broke them stands in the constraints panel. "
                "Add a Constraint guard to write rules of your own.",
            )
        else:
            self.empty.say(*_NO_RULES)

    def _show_packs(self) -> None:
        graph = self._document.graph
        own, taken = self.text.toPlainText(), taken_packs(graph.node(self.name))
        self.packs.show_taken(taken, vocabulary_at(graph, self.name, packs=False), own)

    def _take_packs(self, keys: tuple[str, ...]) -> None:
        after = with_packs(self._document.graph, self.name, keys)
        self._document.edit(f"Choose packs of {self.name}", after)

    def show_view(self, view: str) -> None:
        """Show `write`, the text, or `packs`, the picker."""
        self._keep()
        self.views.show_value(view)
        self._follow()
        (self.text if view == "write" else self.packs.cards).setFocus()

    def _typed(self) -> None:
        if self.text.toPlainText() != self._shown:
            self._typing = True
            self._check_soon.start()
            self._keep_soon.start()

    def _bind(self) -> None:
        """Read what is typed in a thread, so that the graph takes it at once."""
        graph, name, text = self._document.graph, self.name, self.text.toPlainText()
        if name in graph.nodes:
            self._binding.want(lambda _task: _read(graph, name, text))

    def _take_bound(self, found: tuple[str, Bound | Checked]) -> None:
        text, rules = found
        if text != self.text.toPlainText():
            return
        self._keep()
        if isinstance(rules, Bound):
            self._show_bound(rules)
        elif not self._checking.busy:
            self._take(rules)

    def _show_bound(self, rules: Bound) -> None:
        """Try rules on a record, or on a sequence where they are over events."""
        events = bool(rules.rules.vocabulary.sequences)
        shown, other = (self.sequence, self.record) if events else (self.record, self.sequence)
        in_front = self.tabs.currentWidget() is other
        self.tabs.setTabVisible(self.tabs.indexOf(shown), True)
        self.tabs.setTabVisible(self.tabs.indexOf(other), False)
        if in_front:
            self.tabs.setCurrentWidget(shown)
        self.record.show_rules(self.name, rules)
        if events:
            self.sequence.show_rules(rules)

    def _keep(self) -> None:
        """Make what is typed the node's rules."""
        self._keep_soon.stop()
        self._typing = False
        text = self.text.toPlainText()
        graph = self._document.graph
        if text == self._shown or self.name not in graph.nodes:
            return
        self._shown = text
        after = graph.change(self.name, rules=text)
        self._document.edit(f"Set rules of {self.name}", after, f"set {self.name}.rules")

    # Checking

    def _check(self) -> None:
        graph, text = self._document.graph, self.text.toPlainText()
        if self.name in graph.nodes:
            vocabulary = vocabulary_at(graph, self.name)
            if not vocabulary.variables:
                return  # nothing is wired, which binding says
            keys = taken_packs(graph.node(self.name))
            self._checking.want(lambda task: check(text, vocabulary, keys, lambda: task.stopped))
            self._slow.start()

    def _take(self, checked: Checked) -> None:
        if checked.text != self.text.toPlainText():
            return
        self.checked = checked
        wrong = checked.error
        self.text.mark(wrong.line if wrong else 0, wrong.column if wrong else 0, wrong.what if wrong else "")
        if checked.readable and (checked.finished or checked.marks):
            self.text.show_marks(checked.marks)
        self._say(checked.level, f"{checked.summary} {wrong.do}".rstrip() if wrong else checked.summary)
        self.checks.show_checked(checked)
        count = sum(finding.level != "ok" for finding in checked.findings)
        self.tabs.setTabText(self.tabs.indexOf(self.checks), f"Checks  {count}" if count else "Checks")

    def _try(self, example: Example) -> None:
        """Give the record that is looked at the facts of an example."""
        self.tabs.setCurrentWidget(self.record)
        self.record.take_example(example)

    def _say(self, level: str, words: str) -> None:
        self._state.show_icon(ICONS[level], TONES[level])
        self.says.setText(words)
        set_tone(self.says, "error" if level == "error" else "mid")

    def _say_checking(self) -> None:
        if self._checking.busy:
            self._state.show_icon("ph.hourglass-medium", "mid")
            self.says.setText("Checking the rules …")
            set_tone(self.says, "mid")

    def _say_place(self) -> None:
        cursor = self.text.textCursor()
        self._place.setText(f"line {cursor.blockNumber() + 1}, column {cursor.positionInBlock() + 1}")


def _read(graph: Graph, name: str, text: str) -> tuple[str, Bound | Checked]:
    suggestions("rule a: if ", Vocabulary(()))  # the first takes 90 ms, which no letter typed must wait for
    return text, bound(graph, name, text)


def taken_packs(node: Node) -> tuple[str, ...]:
    """Return the keys of the domain packs that a node takes."""
    return pack_keys(str(node.values().get("packs", "")))


def with_packs(graph: Graph, name: str, keys: tuple[str, ...]) -> Graph:
    """Return `graph` with a node that takes the domain packs `keys`."""
    return graph.change(name, packs=", ".join(keys))

"""The page of this machine: its processor, what kernels may use of it, which kernel serves what, and why."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.panels.host import Step, choice_card, feature_row, host_cards, step_table
from app.panels.labels import note, section_label
from app.task import Task
from app.theme.figures import plural
from app.theme.fonts import BASE, font
from engine.errors import PolybitError
from engine.files.project import Project
from engine.files.store import packed, started
from engine.hardware import Choice, Host, host, profile
from engine.runtime.program import Program

_WIDEST, _MARGIN = 1080, 32  # px
_MEASURED = "Measured once on this host, checked against the plain kernel, and kept beside the machine code."
_SHIPPED = "Layers of this project as they would be shipped"


@dataclass(frozen=True)
class Told:
    """Everything the page says."""

    host: Host
    choices: tuple[Choice, ...]
    steps: tuple[Step, ...]


def look_around(project: Project, program: Program | None) -> Told:
    """Return what there is to say; a host's first time takes seconds of compiling and timing.

    Args:
        project: the project whose layers are listed, where it has no errors.
        program: its trained model; None takes fresh weights, which the same kernels serve.
    """
    return Told(host(), profile(), _steps(project, program))


def _steps(project: Project, program: Program | None) -> tuple[Step, ...]:
    graph = project.graph
    if not graph.nodes or any(problem.level == "error" for problem in graph.problems()):
        return ()
    try:
        program = program or Program(graph, packed(graph, started(graph)))
        steps = program.compiled(program.ends, "float32").steps
    except PolybitError:
        return ()
    return tuple(Step(", ".join(step.nodes), step.words, step.kernel) for step in steps)


class Machine(QScrollArea):
    """The page.

    Signals:
        left: it is done with.
    """

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("surface", "panel")
        page = QWidget()
        page.setProperty("surface", "panel")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(page)
        self._column.setSpacing(12)
        self._name = note("", "mid")
        self._name.setFont(font(BASE))
        self._column.addLayout(self._heading())
        self._found = QWidget()
        self._column.addWidget(self._found)
        self._column.addStretch(1)
        self.setWidget(page)
        self.told: Told | None = None
        self._task: Task | None = None

    @property
    def words(self) -> str:
        """Return everything it says, a line for each label."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if label.text())

    def refresh(self, project: Project, program: Program | None) -> None:
        """Look around anew, in a thread."""
        self.wait()
        self._name.setText("Looking around and measuring the kernels …")
        self._task = Task(lambda _task: look_around(project, program), self)
        self._task.done.connect(self.show_told)
        self._task.failed.connect(self._name.setText)
        self._task.start()

    def wait(self) -> None:
        """Wait for what is under way; the window calls it when it closes."""
        if self._task:
            self._task.wait()
            self._task = None

    def show_told(self, told: Told) -> None:
        """Show what was found."""
        self.told = told
        there = told.host
        self._name.setText(f"{there.name} · {there.cpu} · {plural(there.cores, 'core')}")
        before = self._found
        self._found = QWidget()
        column = QVBoxLayout(self._found)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(10)
        vectors = section_label("Vector instructions that kernels ask for")
        for part in (host_cards(there), vectors, feature_row(there)):
            column.addWidget(part)
        column.addSpacing(6)
        column.addWidget(section_label("Which kernel serves which product"))
        column.addWidget(note(_MEASURED, "low"))
        for choice in told.choices:
            column.addWidget(choice_card(choice))
        if told.steps:
            column.addSpacing(6)
            column.addWidget(section_label(_SHIPPED))
            column.addWidget(step_table(told.steps))
        self._column.replaceWidget(before, self._found)
        before.hide()
        before.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = min(_WIDEST, self.viewport().width() - 2 * _MARGIN)
        margin = max(_MARGIN, (self.viewport().width() - room) // 2)
        self._column.setContentsMargins(margin, 40, margin, 32)

    def _heading(self) -> QHBoxLayout:
        title = QLabel("This machine")
        title.setFont(font(22, 600))
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(title)
        words.addWidget(self._name)
        self.back = QPushButton("Back")
        self.back.setFont(font(BASE))
        self.back.clicked.connect(self.left)
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(self.back, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

"""What is right and wrong, as a list of icons and sentences."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.panels.labels import IconLabel, body, note
from engine.graph import Graph, Problem

ICONS = {"error": "ph.warning-circle-fill", "warning": "ph.warning-fill", "ok": "ph.check-circle-fill"}
TONES = {"error": "error", "warning": "warn", "ok": "ok"}


class Checks(QWidget):
    """Problems with what to do about them; where there are none, what agrees."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._shown: tuple[tuple[str, str, str], ...] = ()

    def show_lines(self, lines: Iterable[tuple[str, str, str]]) -> None:
        """Show (level, what, do) for each line; unchanged lines are not built anew."""
        wanted = tuple(lines)
        if wanted == self._shown:
            return
        self._shown = wanted
        while self._layout.count():
            item = self._layout.takeAt(0)
            widget = item.widget() if item else None
            if widget:
                widget.deleteLater()
        for level, what, do in wanted:
            self._layout.addWidget(_line(level, what, do))

    def words(self) -> str:
        """Return everything it says."""
        return "\n".join(f"{what} {do}".strip() for _, what, do in self._shown)


def checks_of(graph: Graph, name: str) -> list[tuple[str, str, str]]:
    """Return the lines of one node."""
    wrong = [problem for problem in graph.problems() if problem.node == name]
    if wrong:
        return [_of(problem) for problem in wrong]
    if name not in graph.nodes:
        return []
    inputs = [spec.words() for spec in graph.input_specs(name) if spec]
    outputs = [spec.words() for spec in graph.output_specs(name)]
    if not outputs and graph.node(name).outputs:
        return [("warning", "Its shapes are not known yet.", "Mend what stands before it.")]
    ends = " → ".join(", ".join(side) for side in (inputs, outputs) if side)
    return [("ok", "Shapes agree.", ends)]


def _of(problem: Problem) -> tuple[str, str, str]:
    return problem.level, problem.what, problem.do


def _line(level: str, what: str, do: str) -> QWidget:
    holder = QWidget()
    across = QHBoxLayout(holder)
    across.setContentsMargins(0, 0, 0, 0)
    across.setSpacing(8)
    icon = IconLabel(ICONS[level], TONES[level])
    icon.setAccessibleName(level)
    top = QVBoxLayout()
    top.setContentsMargins(0, 1, 0, 0)
    top.addWidget(icon)
    top.addStretch(1)
    across.addLayout(top)
    words = QVBoxLayout()
    words.setSpacing(1)
    words.addWidget(body(what, "hi", wrap=True))
    if do:
        words.addWidget(note(do, "mid"))
    across.addLayout(words, 1)
    return holder

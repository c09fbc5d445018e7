"""Everything about one violation: the answer before and after, side by side, and why, in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.panels.class_bars import ClassBars, percent
from app.panels.labels import body, caption, line, note, strong
from app.theme.figures import whole
from engine.logic.pipeline import NONE, STATUS
from engine.ports import F32, F64
from engine.violations import Violation

STATUSES = {
    "allowed": "the raw answer breaks no rule and stands",
    "optimal": "the most probable answer that keeps every rule, proven",
    "unknown": "no answer was found in time",
    "feasible, not proven": "it keeps every rule; a more probable answer that does may exist",
    "none": "the rules allow no answer for these facts",
}


class Details(QScrollArea):
    """Shows one violation, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("The chosen answer: before and after repair, and why")
        self._texts: list[str] = []
        self.show_violation(None, ())

    @property
    def words(self) -> str:
        """Return everything it says."""
        return "\n".join(self._texts)

    def show_violation(
        self, violation: Violation | None, classes: tuple[str, ...], *, several: bool = False
    ) -> None:
        """Show another violation; None shows nothing. `several`: each class is a label of its own."""
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(4, 0, 8, 0)
        column.setSpacing(4)
        self._texts = []
        if violation:
            self._fill(column, violation, classes, several=several)
        column.addStretch(1)
        self.setWidget(holder)
        holder.setAutoFillBackground(False)

    def _fill(
        self, column: QVBoxLayout, violation: Violation, classes: tuple[str, ...], *, several: bool
    ) -> None:
        told = violation.explained
        self._say(column, strong(f"Record {whole(violation.record)}: {told.said} → {told.fixed}", wrap=True))
        self._say(column, body(told.why, "hi", wrap=True))
        if several and len(violation.raw) == len(classes):
            self._side_by_side(column, violation, classes, chances)
        elif told.said in classes and len(violation.raw) == len(classes):
            self._side_by_side(column, violation, classes, shares)
            self._say(column, note(alternative(violation, classes), "mid"))
        self._say(column, note(status_words(violation), "mid"))
        for rule in told.broken:
            column.addWidget(line())
            self._say(column, strong(rule.name, "logic", wrap=True))
            self._say(column, note(f"{rule.words[:1].upper()}{rule.words[1:]}.", "hi"))
            if rule.facts:
                self._say(column, note(f"Here: {', '.join(rule.facts)}", "mid"))
            if rule.reason:
                self._say(column, note(f"Because: {rule.reason}", "mid"))
            if rule.source:
                self._say(column, caption(f"Source: {rule.source}", "low", wrap=True))

    def _side_by_side(
        self,
        column: QVBoxLayout,
        violation: Violation,
        classes: tuple[str, ...],
        probable: Callable[[F32], F64],
    ) -> None:
        told = violation.explained
        raw, fixed = ClassBars("Raw answer"), ClassBars("After the rules")
        out = set(np.flatnonzero(np.isneginf(violation.scores)).tolist())
        raw.show_answer(told.said, "error", classes, probable(violation.raw), set())
        tone = "warn" if told.status == STATUS[NONE] else "ok"
        fixed.show_answer(told.fixed, tone, classes, probable(violation.scores), out)
        across = QHBoxLayout()
        across.setSpacing(8)
        for bars in (raw, fixed):
            across.addWidget(bars, 1)
            self._texts.append(bars.words)
        column.addSpacing(2)
        column.addLayout(across)
        column.addSpacing(2)

    def _say(self, column: QVBoxLayout, label: QLabel) -> None:
        self._texts.append(label.text())
        column.addWidget(label)


def shares(scores: F32) -> F64:
    """Return the probabilities of classes by their scores, all 0 where every class is ruled out."""
    top = scores.max(initial=-np.inf)
    if not np.isfinite(top):
        return np.zeros(len(scores), np.float64)
    weights = np.exp(scores.astype(np.float64) - top)
    return np.asarray(weights / weights.sum(), np.float64)


def chances(scores: F32) -> F64:
    """Return the probability of each of several labels by its score, 0 where it is -inf."""
    known = scores.astype(np.float64)
    return np.asarray(np.exp(np.minimum(known, 0)) / (1 + np.exp(-np.abs(known))), np.float64)


def alternative(violation: Violation, classes: tuple[str, ...]) -> str:
    """Return in a sentence what the cheapest other answer would have been."""
    probable = shares(violation.scores)
    allowed = np.flatnonzero(np.isfinite(violation.scores))
    best = sorted(allowed.tolist(), key=lambda i: -violation.scores[i])
    if len(best) < 2:
        return "No other answer keeps the rules." if best else "No answer keeps the rules."
    dearer = float(violation.scores[best[0]] - violation.scores[best[1]])
    chance = percent(float(probable[best[1]]))
    return f"Cheapest alternative: {classes[best[1]]}, {chance}, {dearer:.2f} nats dearer."


def status_words(violation: Violation) -> str:
    """Return the status of an answer with what it means."""
    status, engine = violation.explained.status, violation.engine
    by = f", by {engine}" if engine else ""
    return f"Status: {status}{by}: {STATUSES.get(status, 'not explained')}."

"""The training panel: curves that grow, how fast it goes, how long it takes, how good it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.panels.durations import duration, percent
from app.panels.elided import Elided
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import line, note
from app.panels.run_figures import RunFigures
from app.panels.second_picture import SecondPicture
from app.plots.accuracy import AccuracyChart
from app.quantizing import GIVEN_UP, QuantizedRun
from app.theme.figures import plural, whole
from app.theme.fonts import BODY, font
from app.worker import Trainer
from engine.files.run import Checkpoint
from engine.runtime.program import guards_of
from engine.train.progress import BatchDone, EpochDone, Finished, StageStarted, Stopped

_PAINT = 50  # ms between the paintings of one picture and the next: each alone is short
_SIDE, _NARROW_SIDE = 248, 196  # px
_NARROW = 620  # px below which there is room for one chart beside the figures
_ROWS = {
    "validation": "Validation accuracy",
    "best": "Best epoch",
    "train": "Training accuracy",
    "loss": "Loss",
    "speed": "Records per second",
    "test": "Test accuracy",
    "raw": "Test, before the rules",
    "violations": "Broke a rule",
}
_KEPT = "Kept epoch"  # how a run begins to say that it went back to its best epoch
_SAID = 4  # lines of what quantizing cost
_LATE = ("test", "raw", "violations")  # known at the end alone


_ENDS = {
    "finished": "Finished",
    "asked": "Stopped",
    "restored": "The last run",
    "quantized": "Quantized",
    GIVEN_UP: "Stopped quantizing",
}
_WHOLE = ("finished", "restored", "quantized")


@dataclass(frozen=True)
class _Epoch:
    """What the panel shows of an epoch, live or from the history of a run file; see EpochDone."""

    stage: str
    epoch: int
    loss: float
    train: float
    accuracy: float
    own: float = nan
    part: str = ""

    @classmethod
    def of(cls, done: EpochDone) -> _Epoch:
        """Return what is shown of an epoch that is just over."""
        return cls(
            done.stage,
            done.epoch,
            done.loss,
            done.train_accuracy,
            done.accuracy,
            done.own_accuracy,
            done.part,
        )

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> _Epoch:
        """Return an epoch of a history, in which a number that is none is None."""
        loss, own = entry["loss"], entry.get("own_accuracy")
        return cls(
            entry["stage"],
            entry["epoch"],
            nan if loss is None else loss,
            entry["train_accuracy"],
            entry["accuracy"],
            nan if own is None else own,
            entry.get("part", ""),
        )


class TrainingPanel(Emptiable):
    """Shows the run under way, or the last one."""

    def __init__(self, document: Document, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(EmptyState("ph.chart-line", "", ""), parent)
        self._document, self._trainer = document, trainer
        self.accuracy, self.pictures = AccuracyChart(), SecondPicture()
        self.loss, self.classes, self.layers = self.pictures.loss, self.pictures.classes, self.pictures.layers
        self._base = 0.0  # epochs of the stages before
        self._at = 0.0
        self._part = ""  # what is quantized in the stage of binarization under way
        self._best = (0, nan)  # epoch and its validation accuracy
        self._paused_words = ""
        self._figures = RunFigures(_ROWS, _LATE)
        self._build()
        self._paint = QTimer(self, interval=_PAINT)
        self._paint.timeout.connect(self._show_next)
        self._turns = 0
        trainer.progress.connect(self._take)
        trainer.over.connect(self._end)
        trainer.state_changed.connect(self._show_state)
        trainer.restored.connect(self._restore)
        trainer.quantized.connect(self._say_quantized)
        trainer.looked.connect(self._show_look)
        document.changed.connect(self._say_empty)
        self._say_empty()
        self.show_empty(True)

    def figure(self, key: str) -> str:
        """Return one figure as it is shown."""
        return self._figures[key]

    @property
    def words(self) -> str:
        """Return the line that says what happens now."""
        return self._now.text()

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROW_SIDE + 160, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        self.pictures.setVisible(not narrow)
        self._give_side(_NARROW_SIDE if narrow else _SIDE)

    def _give_side(self, width: int) -> None:
        """Give the figures a width; lines of a fixed size lay nothing out anew when their words change."""
        self._side.setFixedWidth(width)
        for words in (self._now, self._left):
            words.setFixedSize(width, words.fontMetrics().lineSpacing())

    # Building

    def _build(self) -> None:
        across = QHBoxLayout(self.content)
        across.setContentsMargins(12, 8, 16, 8)
        across.setSpacing(16)
        across.addWidget(self.accuracy, 3)
        across.addWidget(self.pictures, 2)
        self._side = QWidget()
        self._side.setFixedWidth(_SIDE)
        across.addWidget(self._side)
        column = QVBoxLayout(self._side)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        self._now, self._left = Elided("hi"), Elided()
        self._now.setFont(font(BODY, 600))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Progress of the run")
        self._why, self._kept = note("", "error"), note("")
        self._why.hide()
        self._kept.hide()
        for widget in (self._now, self._bar, self._left, self._kept, self._why, line()):
            column.addWidget(widget)
        column.addWidget(self._figures)
        column.addStretch(1)
        self._give_side(_SIDE)

    def _show_look(self) -> None:
        seen = self._trainer.look
        if seen:
            self.classes.show_counts(seen.classes, seen.confusion, several=seen.several)
        elif not self._trainer.busy:
            self.show_empty(True)  # another project is open

    # What the run says

    def _take(self, records: list[Any]) -> None:
        for record in records:
            if isinstance(record, StageStarted):
                self._begin_stage(record)
            elif isinstance(record, BatchDone):
                self._batch(record)
            elif isinstance(record, EpochDone):
                self._epoch(record)
            elif isinstance(record, Finished):
                self._finish(record)
        last = next((r for r in reversed(records) if not isinstance(r, EpochDone)), None)
        if isinstance(last, BatchDone) and self._trainer.state == "running":
            self._show_batch(last)

    def _begin_stage(self, record: StageStarted) -> None:
        self._now.setText(record.words)
        self._left.setText("")
        if record.words.startswith(_KEPT):
            self._kept.setText(record.words)
            self._kept.show()
        if record.stage == "memory":
            self._base = self._at
            self._bar.setRange(0, 0)
            if self._at:
                self.accuracy.mark(self._at, record.words)

    def _batch(self, record: BatchDone) -> None:
        at = record.epoch - 1 + record.step / record.steps
        if record.stage == "teacher":
            return
        self._at = at
        self.loss.add("batch", at, record.loss)
        self.layers.take(at, record.metrics, of_step=True)

    def _show_batch(self, record: BatchDone) -> None:
        epochs = f"epoch {whole(record.epoch)} of {whole(record.epochs)}"
        words = f"Teacher: {epochs}" if record.stage == "teacher" else epochs.capitalize()
        self._bar.setRange(0, 1000)
        self._bar.setValue(round(1000 * record.share))
        self._now.setText(f"{words} · {percent(record.share, 0)}")
        self._left.setText(f"{duration(record.seconds_left)} left")
        self._figures.show_figure("speed", whole(round(record.records_per_second)))

    def _epoch(self, record: EpochDone) -> None:
        self._point(_Epoch.of(record))
        self.layers.take(self._at, record.metrics)
        if record.stage == "memory":
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(1000 * record.epoch / record.epochs))
            self._left.setText(f"Pass {whole(record.epoch)} of {whole(record.epochs)}")

    def _point(self, done: _Epoch) -> None:
        """Show an epoch: that of a teacher over its own epochs, that of a memory after all others."""
        if done.stage == "teacher":
            self.accuracy.add("teacher", done.epoch, 100 * done.accuracy)
            return
        self._enter(done)
        self._at = done.epoch + (self._base if done.stage == "memory" else 0.0)
        self.accuracy.add("train", self._at, 100 * done.train)
        self.accuracy.add("validation", self._at, 100 * done.accuracy)
        if isfinite(done.own):
            self.accuracy.add("own", self._at, 100 * done.own)
        self._figures.show_figure("train", percent(done.train))
        self._figures.show_figure("validation", percent(done.accuracy))
        if not done.accuracy <= self._best[1]:
            self._best = (round(self._at), done.accuracy)
            self._figures.show_figure("best", f"{whole(self._best[0])} · {percent(done.accuracy)}")
        if isfinite(done.loss):
            self.loss.add("epoch", self._at - 0.5, done.loss)
            self._figures.show_figure("loss", f"{done.loss:.4g}")

    def _enter(self, done: _Epoch) -> None:
        """Mark where a stage of binarization begins, on both curves."""
        if done.stage == "gradient" and done.part and done.part != self._part:
            self._part = done.part
            words = done.part[:1].upper() + done.part[1:]
            first = done.epoch == 1
            self.accuracy.mark(1 if first else done.epoch - 0.5, words)
            if not first:
                self.loss.mark(done.epoch - 1, "")

    def _finish(self, record: Finished) -> None:
        self._figures.show_figure("validation", percent(record.validation_accuracy))
        self._show_final(
            record.accuracy, record.accuracy_raw, record.violations_raw, record.violations, self._guarded()
        )
        self._left.setText(f"took {duration(record.seconds)}")

    def _say_quantized(self, made: QuantizedRun) -> None:
        """Say what quantizing cost, under what it cost at other widths before."""
        lines = [] if self._kept.isHidden() else self._kept.text().split("\n")
        change = f"{percent(made.found.before)} → {percent(made.found.after)}"
        self._kept.setText("\n".join([*lines, f"{made.title}: {change}"][-_SAID:]))
        self._kept.show()

    def _show_final(self, accuracy: float, raw: float, broken: int, left: int, guarded: bool) -> None:
        self._figures.show_figure("test", percent(accuracy))
        if guarded:
            self._figures.show_figure("raw", percent(raw))
            self._figures.show_figure("violations", f"{whole(broken)} → {whole(left)}")

    def _guarded(self) -> bool:
        project = self._trainer.project
        return bool(project and guards_of(project.graph, project.graph.order))

    # States

    def _show_state(self, state: str) -> None:
        if state == "preparing":
            self._start()
        elif state == "paused":
            self._paused_words = self._now.text()
            self._now.setText("Paused")
        elif state == "running" and self._now.text() == "Paused":
            self._now.setText(self._paused_words)
        elif state == "quantizing":
            self._now.setText("Quantizing")
            self._bar.setRange(0, 0)
            self._why.hide()
        elif state == "stopping":
            self._now.setText("Stopping after this step")
        if state == "idle":
            self._paint.stop()
            self._show_curves()
        elif not self._paint.isActive():
            self._paint.start()

    def _start(self) -> None:
        self._base = self._at = 0.0
        self._part, self._best = "", (0, nan)
        self.accuracy.clear()
        self.loss.clear()
        self.layers.clear()
        self._figures.clear()
        self._why.hide()
        self._kept.hide()
        self._now.setText("Preparing")
        self._left.setText("")
        self._bar.setRange(0, 0)
        self.show_empty(False)

    def _end(self, last: Stopped) -> None:
        self._bar.setRange(0, 1000)
        self._now.setText(_ENDS.get(last.why, "Could not go on"))
        self._bar.setValue(1000 if last.why in _WHOLE else self._bar.value())
        if last.why == "asked":
            self._left.setText(f"after {plural(last.epoch, 'whole epoch')}")
        if last.why not in _ENDS:
            self._why.setText(last.why)
            self._why.show()
            self._left.setText("")
        self._show_curves()
        if not self.accuracy.points("validation") and not self.loss.points("batch") and last.why in _ENDS:
            self.show_empty(True)

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Show the curves of a run that was read back."""
        for entry in checkpoint.history.get("epochs", []):
            if entry["stage"] == "memory" and not self._base:
                self._base = self._at
                if self._at:
                    self.accuracy.mark(self._at, "Memory")
            self._point(_Epoch.read(entry))
        final = checkpoint.history.get("final") or {}
        if final:
            self._show_final(
                final["test_accuracy"],
                final["test_accuracy_raw"],
                final["violations_raw"],
                final["violations"],
                bool(guards_of(checkpoint.project.graph, checkpoint.project.graph.order)),
            )

    def _show_next(self) -> None:
        """Draw one of the pictures that are seen, in turn: the window answers between two."""
        pictures = (self.accuracy, *self.pictures.live)
        seen = [one for one in pictures if one.isVisible()]
        if seen:
            self._turns += 1
            seen[self._turns % len(seen)].show_points()

    def _show_curves(self) -> None:
        """Draw all that came, after which nothing more will."""
        self.accuracy.show_points(over=True)
        self.loss.show_points(over=True)
        self.layers.show_points()

    # Words

    def _say_empty(self) -> None:
        errors = [p for p in self._document.problems() if p.level == "error"]
        if not self._document.graph.nodes:
            self.empty.say("Nothing to train yet", "Drag a data source and some layers onto the canvas.")
        elif errors:
            count = plural(len(errors), "problem")
            self.empty.say(f"{count} to mend before training", "The Problems tab lists what to do.")
        else:
            self.empty.say("Ready to train", "Press Train: loss and accuracy grow here while it runs.")

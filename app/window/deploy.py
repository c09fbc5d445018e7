"""Taking a trained model out of the window: export it, or let it answer a data file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.document import Document
from app.task import Task
from app.theme.figures import plural, size
from app.window.toast import Toasts
from app.worker import Trainer
from engine.data.dataset import override, read_all
from engine.files.model import write_model
from engine.files.predictions import WRITERS, write_predictions

_NOTHING = "There is no trained model yet. Press Train first."


class DeployCommands(QObject):
    """Export and predict, in a thread of their own."""

    def __init__(self, window: QWidget, document: Document, trainer: Trainer, toasts: Toasts) -> None:
        super().__init__(window)
        self._window, self._document, self._trainer, self._toasts = window, document, trainer, toasts
        self._task: Task | None = None

    def export(self) -> None:
        """Ask for a place and write the trained model there."""
        if self._trainer.program is None:
            self._toasts.say(_NOTHING, "warning")
            return
        start = str(self._document.project.folder / f"{self._document.title}.h5")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Export the model", start, "Model (*.h5)")
        if chosen:
            self.export_to(Path(chosen))

    def export_to(self, path: Path) -> None:
        """Write the trained model to `path`."""
        program = self._trainer.program
        if program is None:
            self._toasts.say(_NOTHING, "warning")
            return
        project = self._trainer.project or self._document.project
        path = path if path.suffix else path.with_suffix(".h5")

        def work(_task: Task) -> str:
            write_model(path, program, project)
            return f"Exported {path.name}, {size(path.stat().st_size)}. It predicts without the window."

        self._start(work)

    def predict(self) -> None:
        """Ask for a data file and a place, and write what the trained model says of it."""
        if self._trainer.program is None:
            self._toasts.say(_NOTHING, "warning")
            return
        folder = str(self._document.project.folder)
        data, _ = QFileDialog.getOpenFileName(self._window, "Data to answer", folder)
        if not data:
            return
        kinds = ";;".join(f"{title} (*{suffix})" for suffix, title in WRITERS.items())
        start = str(Path(data).with_suffix(".predictions.csv"))
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Where the answers go", start, kinds)
        if chosen:
            self.predict_to(Path(data), Path(chosen))

    def predict_to(self, data: Path, path: Path) -> None:
        """Write what the trained model says of the records in `data` to `path`."""
        program = self._trainer.program
        if program is None:
            self._toasts.say(_NOTHING, "warning")
            return

        def work(_task: Task) -> str:
            answer = program.answer(read_all(override(program.graph, data), Path.cwd()))
            write_predictions(path, answer)
            return f"Wrote the answers to {plural(len(answer.labels), 'record')} to {path.name}."

        self._start(work)

    def wait(self) -> None:
        """Wait for what is under way; the window calls it when it closes."""
        if self._task:
            self._task.wait()

    def _start(self, work: Callable[[Task], str]) -> None:
        self.wait()
        self._task = Task(work, self)
        self._task.done.connect(lambda words: self._toasts.say(words, "good"))
        self._task.failed.connect(lambda words: self._toasts.say(words, "error"))
        self._task.start()

"""Quantizing the trained run without gradients, into a project and a run beside those it came from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.panels.durations import percent
from app.quantizing import QuantizedRun, widths_title
from app.search import Entry, SearchPopup, matches
from app.theme.figures import size
from app.window.toast import Toasts
from app.worker import RUN_SUFFIX, Trainer
from engine.errors import PolybitError
from engine.estimate import estimate
from engine.files.project import SUFFIX
from engine.graph import Graph
from engine.train.quantizing import WIDTHS, Wanted, float_layers

_FIRST = (("8", "8"), ("4", "8"), ("4", "4"), ("3", "3"), ("2", "2"))
_FLOATS, _NUMBER = "32", re.compile(r"\d+")
_NOTHING = "There is no trained run yet. Press Train first, with layers of 32 bits."
_MODEL = "A model holds no float weights any more. Show the run it came from, then quantize that."
_BUSY = "A run is under way. Stop it, or wait for its end; then quantize what it learned."
_HOMELESS = "Save the project into a folder that can be written to: the quantized one goes beside it."


class QuantizeCommands(QObject):
    """Asks for widths, has the trainer quantize, and says what it costs."""

    def __init__(
        self,
        window: QWidget,
        document: Document,
        trainer: Trainer,
        toasts: Toasts,
        show: Callable[[Path], object],
    ) -> None:
        """Take what it works with, and what opens a project."""
        super().__init__(window)
        self._window, self._document, self._trainer, self._toasts = window, document, trainer, toasts
        self._show = show
        trainer.quantized.connect(self._say)

    def open(self, at: QPoint) -> SearchPopup | None:
        """Open the choice of widths at a point of the window; say why where there is nothing to quantize."""
        run = self._trainer.run_file
        wrong = ""
        if self._trainer.busy:
            wrong = _BUSY
        elif run is None or self._trainer.program is None:
            wrong = _NOTHING
        elif not run.name.endswith(RUN_SUFFIX):
            wrong = _MODEL
        elif not self._folder():
            wrong = _HOMELESS
        if wrong:
            self._toasts.say(wrong, "warning")
            return None
        find = partial(find_widths, graph=self._document.graph, choose=self.start)
        popup = SearchPopup(self._window, find, "Widths of weights and activations, like 4 8")
        popup.open_at(at)
        return popup

    def start(self, wanted: Wanted) -> None:
        """Quantize to widths, into a project and a run of names that are free."""
        folder = self._folder()
        if folder:
            stem = f"{self._document.title}-w{wanted.weights}a{wanted.activations or _FLOATS}"
            self._trainer.quantize(wanted, free_place(folder, stem))

    def _folder(self) -> Path | None:
        path = self._document.project.path
        return path.parent if path and os.access(path.parent, os.W_OK) else None

    def _say(self, made: QuantizedRun) -> None:
        found = (
            f"{percent(made.found.after)} of the validation records, {percent(made.found.before)} as floats"
        )
        words = f"{made.title}: {found}."
        toast = self._toasts.say(f"{words} Wrote {made.project.name} and its run.", "good", stays=True)
        toast.add_button("Open it").clicked.connect(partial(self._show, made.project))


def find_widths(words: str, graph: Graph, choose: Callable[[Wanted], object]) -> Sequence[Entry]:
    """Return the widths to choose among: a few at first, all that match what is typed."""
    if not float_layers(graph):
        return [Entry("No layer has float weights. Train with 32 bits first.", None)]
    typed = _NUMBER.findall(words)
    pairs = [(w, a) for w in reversed(WIDTHS) for a in (*reversed(WIDTHS), "")] if words else _FIRST
    if typed:
        pairs = [pair for pair in pairs if all(map(_is, pair, typed))]
    found = [_entry(graph, Wanted(w, a), choose) for w, a in pairs]
    if words and not typed:
        found = [one for one in found if matches(words, one.title)]
    return found or [Entry(f"Widths are {', '.join(WIDTHS)}; activations may stay floats (32).", None)]


def _is(width: str, typed: str) -> bool:
    return typed == (width or _FLOATS)


def free_place(folder: Path, stem: str) -> Path:
    """Return a path for a project, no file of which, or of whose run, is there."""
    number = 1
    while True:
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{SUFFIX}"
        if not path.exists() and not path.with_suffix(RUN_SUFFIX).exists():
            return path
        number += 1


def _entry(graph: Graph, wanted: Wanted, choose: Callable[[Wanted], object]) -> Entry:
    return Entry(
        widths_title(wanted),
        partial(choose, wanted),
        icon="ph.stack-simple",
        colour="bits",
        aside=_size(graph, wanted.weights),
    )


def _size(graph: Graph, width: str) -> str:
    try:
        for name in float_layers(graph):
            graph = graph.change(name, weight_bits=width)
        return size(estimate(graph).total.weight_bytes)
    except PolybitError:
        return ""

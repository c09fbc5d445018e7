"""The search among the projects that come with the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.examples import EXAMPLES, Example, listed
from app.search import Entry, SearchPopup, matches, rank
from app.theme.current import theme
from app.theme.figures import plural


def open_examples(
    window: QWidget, at: QPoint, choose: Callable[[Path], object], folder: Path = EXAMPLES
) -> SearchPopup:
    """Open the search with its corner at a point of the window; `choose` is told the file that is chosen."""
    popup = SearchPopup(window, partial(find_examples, choose=choose, folder=folder), "Search examples")
    popup.open_at(at)
    return popup


def find_examples(words: str, choose: Callable[[Path], object], folder: Path = EXAMPLES) -> Sequence[Entry]:
    """Return the examples that match by title or by what they are about, under their headings."""
    found = []
    for heading, there in listed(folder).items():
        fits = [e for e in there if matches(words, e.project.name, e.project.about, e.path.stem)]
        if words:
            fits.sort(key=lambda e: rank(words, e.project.name))
        found += [_entry(example, heading, choose) for example in fits]
    return found or [Entry("No example has that name.", None)]


def _entry(example: Example, heading: str, choose: Callable[[Path], object]) -> Entry:
    alone = len(example.paradigms) == 1
    return Entry(
        example.project.name,
        partial(choose, example.path),
        heading,
        icon="ph.flow-arrow",
        colour=theme().tokens.family(example.paradigms[0]) if alone else "mid",
        aside=plural(len(example.project.graph.nodes), "node"),
        below=example.project.about.partition(". ")[0],
    )

"""Widening every hidden layer at once: by how much is searched for, with what each factor would cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.search import Entry, SearchPopup
from app.theme.figures import plural, size
from engine.errors import PolybitError
from engine.estimate import estimate
from engine.templates.widen import widened

FACTORS = (0.5, 1.5, 2.0, 3.0, 4.0)
_TYPED = re.compile(r"(\d+(?:[.,]\d*)?|[.,]\d+)\s*(?:×|x|times)?")


def open_widening(window: QWidget, at: QPoint, document: Document) -> SearchPopup:
    """Open the search with its corner at a point of the window."""
    find = partial(find_factors, document=document)
    popup = SearchPopup(window, find, "How many times as wide, like 2 or 1.5")
    popup.open_at(at)
    return popup


def find_factors(words: str, document: Document) -> Sequence[Entry]:
    """Return the factors to choose among, or the one that is typed, each with the size it leads to."""
    typed = _TYPED.fullmatch(words)
    if words and not typed:
        return [Entry("Type a number, like 2 or 1.5.", None)]
    factors = (float(typed.group(1).replace(",", ".")),) if typed else FACTORS
    return [_entry(document, factor) for factor in factors]


def _entry(document: Document, factor: float) -> Entry:
    try:
        after = widened(document.graph, factor)
        total = estimate(after).total
    except PolybitError as error:
        return Entry(f"{factor:g} times as wide: {error}", None)
    changed = [n for n in after.nodes if after.node(n) != document.graph.node(n)]
    if not changed:
        return Entry(f"{factor:g} times as wide changes no layer", None)
    words = f"Make hidden layers {factor:g} times as wide"
    return Entry(
        f"{factor:g} times as wide",
        partial(document.edit, words, after),
        icon="ph.arrows-out-line-horizontal",
        colour="bits",
        aside=size(total.weight_bytes),
        below=f"{plural(len(changed), 'layer')}: {', '.join(changed[:4])}{' …' if len(changed) > 4 else ''}",
    )

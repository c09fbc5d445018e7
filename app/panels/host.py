"""Pieces of the page of this machine: its processor, its vectors, its kernels, the steps of a model."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.panels.cards import Card, Cards
from app.panels.labels import IconLabel, body, caption, line, note, strong
from app.plots.speeds import SpeedBars
from app.theme.figures import plural
from engine.hardware import FEATURES, Choice, Host, kernel_title


@dataclass(frozen=True)
class Step:
    """A step of a shipped model: its nodes, what it does, and the kernel that does it."""

    nodes: str
    words: str
    kernel: str


def host_cards(there: Host) -> Cards:
    """Return cards of cores and caches."""
    cores = Card("Cores")
    cores.show_figure(str(there.cores), "for this process")
    made = [cores]
    for level, stored in enumerate(there.caches, start=1):
        card = Card(f"Cache, level {level}")
        card.show_figure(_binary(stored), "data" if level == 1 else "data and code")
        made.append(card)
    return Cards(*made)


def _binary(stored: int) -> str:
    """Return a size as processors are sold: in steps of 1,024."""
    return f"{stored / 2**20:g} MiB" if stored >= 2**20 else f"{stored / 2**10:g} KiB"


def feature_row(there: Host) -> QWidget:
    """Return every feature that kernels ask for, and whether it is there."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(18)
    for words in FEATURES.values():
        has = words in there.features
        label = body(words, "hi" if has else "low")
        label.setToolTip("Kernels use it here." if has else "This processor does not have it.")
        one = QHBoxLayout()
        one.setSpacing(6)
        drawn = ("ph.check-circle-fill", "ok") if has else ("ph.minus-circle", "low")
        one.addWidget(IconLabel(*drawn, 15))
        one.addWidget(label)
        row.addLayout(one)
    row.addStretch(1)
    return holder


def choice_card(choice: Choice) -> QFrame:
    """Return which kernel serves a product from so many rows on, why, and the speeds of all."""
    card = QFrame()
    card.setProperty("surface", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(14, 10, 14, 12)
    column.setSpacing(4)
    column.addWidget(strong(f"{choice.title}, from {plural(choice.rows, 'row')} at once"))
    column.addWidget(note(f"{choice.why[:1].upper()}{choice.why[1:]}."))
    if choice.speeds:
        titled = {_title(key): speed for key, speed in choice.speeds.items()}
        column.addSpacing(4)
        column.addWidget(SpeedBars(titled, _title(choice.kernel), "op/s"))
    return card


def _title(kernel: str) -> str:
    words = kernel_title(kernel)
    return f"{words[:1].upper()}{words[1:]}"


def step_table(steps: tuple[Step, ...]) -> QFrame:
    """Return the steps of a shipped model, a row each."""
    card = QFrame()
    card.setProperty("surface", "card")
    grid = QGridLayout(card)
    grid.setContentsMargins(14, 10, 14, 12)
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    for column, (words, stretch) in enumerate((("Nodes", 2), ("What it does", 4), ("Kernel", 3))):
        grid.addWidget(caption(words), 0, column)
        grid.setColumnStretch(column, stretch)
    grid.addWidget(line(), 1, 0, 1, 3)
    for row, step in enumerate(steps, start=2):
        for column, words in enumerate((step.nodes, step.words, step.kernel)):
            label = note(words, "mid" if column else "hi")
            grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
    return card

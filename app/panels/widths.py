"""Bit widths: the segmented control of every width field, the cost of the layer, its size at each width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.panels.cards import Card, Cards
from app.panels.labels import caption, section_label
from app.panels.segments import Segments
from app.panels.sizes import SizeChart
from app.theme.figures import count, energy, size
from engine.errors import PolybitError
from engine.estimate import ENERGY_TABLE, Figures, figures
from engine.fields import label
from engine.graph import Graph
from engine.node import changed
from engine.precision import PRECISIONS

_WIDEST = "32"
_SHORTS = {key: row.short for key, row in PRECISIONS.items()}


@dataclass(frozen=True)
class Costs:
    """What some nodes cost together, now and at other widths.

    Attributes:
        now: as they are.
        widest: the same with every width field at 32 bits; None where that cannot be.
        sizes: bytes by width, with the main width field of every node at it.
    """

    now: Figures
    widest: Figures | None
    sizes: Mapping[str, int]


def costs(graph: Graph, names: tuple[str, ...]) -> Costs | None:
    """Return what the named nodes cost; None where the shapes that arrive are not known."""
    now = _sum(graph, names, {})
    if now is None:
        return None
    fields = {name: graph.node(name).bit_fields() for name in names}
    widest = _sum(graph, names, {n: dict.fromkeys(keys, _WIDEST) for n, keys in fields.items()})
    sizes = {}
    for width in PRECISIONS:
        tried = _sum(graph, names, {n: {keys[0]: width} for n, keys in fields.items() if keys})
        if tried is not None and any(fields.values()):
            sizes[width] = tried.weight_bytes
    return Costs(now, widest, sizes)


def _sum(graph: Graph, names: tuple[str, ...], values: Mapping[str, Mapping[str, str]]) -> Figures | None:
    total = Figures()
    for name in names:
        try:
            node = changed(graph.node(name), dict(values.get(name, {})))
            inputs = graph.input_specs(name)
            if any(p.required and not s for p, s in zip(node.inputs, inputs, strict=True)):
                return None
            node.specs(*inputs)
            total += figures(node.cost(*inputs))
        except PolybitError:
            return None
    return total


class WidthSection(QWidget):
    """The bit widths of one layer, or those that several layers share.

    Signals:
        chosen: field name and width.
    """

    chosen = Signal(str, str)

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Take the width fields, name -> help."""
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(section_label("Bit width"))
        tips = {key: _tip(key, None) for key in PRECISIONS}
        self.segments: dict[str, Segments] = {}
        for name, help_line in fields.items():
            made = Segments(_SHORTS, tips, label(name))
            made.chosen.connect(lambda width, name=name: self.chosen.emit(name, width))
            self.segments[name] = made
            if len(fields) > 1:
                words = caption(label(name.removesuffix("_bits")), "mid")
                words.setToolTip(help_line)
                layout.addWidget(words)
                layout.setSpacing(6)
            layout.addWidget(made)

    def show_sizes(self, sizes: Mapping[str, int]) -> None:
        """Say the size at each width while the pointer rests on the first control."""
        tips = {key: _tip(key, sizes.get(key)) for key in PRECISIONS}
        next(iter(self.segments.values())).show_tips(tips)

    def show_widths(self, widths: Mapping[str, str]) -> None:
        """Show the width of every field; "" where layers differ."""
        for name, width in widths.items():
            self.segments[name].show_value(width)


def _tip(width: str, stored: int | None) -> str:
    title = PRECISIONS[width].title
    return title if stored is None else f"{title}: {size(stored)}, counted"


class CostSection(QWidget):
    """Size, operations and energy of a layer, counted, and its size at every width."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        self.storage, self.operations, self.energy = Card("Size"), Card("Operations"), Card("Energy")
        layout.addWidget(Cards(self.storage, self.operations, self.energy))
        self._words = caption("Size at every bit width, counted", "mid")
        self.chart = SizeChart()
        layout.addWidget(self._words)
        layout.addWidget(self.chart)

    def show_costs(self, given: Costs | None, total: Figures, width: str) -> None:
        """Show what some nodes cost, beside the whole graph; `width` is the one they have in common."""
        self._words.setVisible(bool(given and len(given.sizes) > 1))
        self.chart.setVisible(bool(given and len(given.sizes) > 1))
        if given is None:
            for card in (self.storage, self.operations, self.energy):
                card.show_figure("–", "not known", tip="Known once the inputs are wired.")
            return
        now = given.now
        under, tone = _against(now.weight_bits, total.weight_bits, given.widest)
        self.storage.show_figure(
            size(now.weight_bytes), under, tone, _of_whole(now.weight_bits, total.weight_bits)
        )
        self.operations.show_figure(
            count(now.operations),
            _share(now.operations, total.operations),
            tip=f"Multiply-accumulates for one record; {count(now.steps)} steps of this computer\n"
            + _of_whole(now.operations, total.operations),
        )
        self.energy.show_figure(
            energy(now.energy_pj),
            _share(now.energy_pj, total.energy_pj),
            tip=f"For one record, by {ENERGY_TABLE}\n" + _of_whole(now.energy_pj, total.energy_pj),
        )
        if given.sizes:
            shown = {key: n for key, n in given.sizes.items() if n > 0}
            self.chart.show_sizes(shown, _SHORTS, width)


def show_totals(section: CostSection, total: Figures) -> None:
    """Show the figures of a whole graph."""
    section.show_costs(Costs(total, None, {}), Figures(), "")


def _against(bits: int, whole: int, widest: Figures | None) -> tuple[str, str]:
    if widest and bits and widest.weight_bits > bits:
        return f"÷ {_factor(widest.weight_bits / bits)} vs 32b", "ok"
    return _share(bits, whole), "low"


def _factor(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}"


def _share(part: float, whole: float) -> str:
    if not whole or part == whole:
        return "counted"
    share = 100 * part / whole
    return f"{share:.0f} % of all" if share >= 1 or share == 0 else "< 1 % of all"


def _of_whole(part: float, whole: float) -> str:
    return f"Counted; {100 * part / whole:.1f} % of the whole graph." if whole else "Counted."

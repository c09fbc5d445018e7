"""A readable drawing of a graph: columns in running order, few crossings, level wires, as wide as a screen.

A layered drawing: longest-path columns, a place-holder in every column that a wire passes, barycentre sweeps.
Heights are then the least-squares ones that keep the order. Long graphs are folded into bands that are read
left to right, top to bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.canvas.face import faces
from app.canvas.shape import Shape, shape_of
from engine.estimate import Estimate, Figures
from engine.graph import Graph

_GAP_X, _GAP_Y, _BAND = 64.0, 28.0, 72.0  # px between columns, nodes of a column, bands
_GRID = 12.0
_SWEEPS = 12
_WIDE = 2.0  # width over height that a drawing aims at
_PASSING = 14.0  # px that a wire takes in a column it passes


@dataclass
class _Cell:
    """A node, or the place-holder of a wire that passes a column."""

    name: str
    width: float
    height: float
    before: list[tuple[_Cell, float]] = field(default_factory=list)  # with the offset that makes wires level
    after: list[tuple[_Cell, float]] = field(default_factory=list)
    y: float = 0.0


def arrange(graph: Graph) -> Graph:
    """Return `graph` with every node at a good place; needs a running QGuiApplication to measure titles."""
    if not graph.nodes:
        return graph
    shapes = {name: shape_of(face) for name, face in faces(graph, Estimate(Figures())).items()}
    columns = _columns(graph, shapes)
    _uncross(columns)
    places: dict[str, tuple[float, float]] = {}
    top = 0.0
    for band in _bands(columns):
        _level(band)
        top = _place(band, top, places)
    return graph.move(places)


def _layers(graph: Graph) -> dict[str, int]:
    """Return the column of every node: right of all that feed it; sources stand just before their readers."""
    layer: dict[str, int] = {}
    for name in graph.order:
        feeds = [layer[w.source] + 1 for w in graph.wires if w.target == name]
        layer[name] = max(feeds, default=0)
    for name in reversed(graph.order):
        readers = [layer[w.target] for w in graph.wires if w.source == name]
        fed = any(w.target == name for w in graph.wires)
        if readers and not fed:
            layer[name] = min(readers) - 1
    return layer


def _columns(graph: Graph, shapes: dict[str, Shape]) -> list[list[_Cell]]:
    layer = _layers(graph)
    cells = {name: _Cell(name, shapes[name].width, shapes[name].height) for name in graph.order}
    columns: list[list[_Cell]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in graph.order:
        columns[layer[name]].append(cells[name])
    for wire in graph.wires:
        outs = [p.name for p in graph.node(wire.source).outputs]
        ins = [p.name for p in graph.node(wire.target).inputs]
        leaves = shapes[wire.source].outputs[outs.index(wire.output)].y()
        arrives = shapes[wire.target].inputs[ins.index(wire.input)].y()
        here, at = cells[wire.source], leaves
        for column in range(layer[wire.source] + 1, layer[wire.target]):
            passing = _Cell("", 0.0, _PASSING)
            columns[column].append(passing)
            _join(here, at, passing, _PASSING / 2)
            here, at = passing, _PASSING / 2
        _join(here, at, cells[wire.target], arrives)
    return columns


def _join(source: _Cell, leaves: float, target: _Cell, arrives: float) -> None:
    source.after.append((target, arrives - leaves))
    target.before.append((source, leaves - arrives))


def _uncross(columns: list[list[_Cell]]) -> None:
    """Order each column by the mean place of its neighbours, to and fro; keep the best order seen."""
    best, fewest = [list(c) for c in columns], _crossings(columns)
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        for i in range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1):
            _sort(columns[i], columns[i - 1 if forth else i + 1], forth=forth)
        crossings = _crossings(columns)
        if crossings < fewest:
            best, fewest = [list(c) for c in columns], crossings
    columns[:] = best


def _sort(column: list[_Cell], neighbour: list[_Cell], *, forth: bool) -> None:
    place = {id(c): float(i) for i, c in enumerate(neighbour)}
    keys = {}
    for i, cell in enumerate(column):
        beside = cell.before if forth else cell.after
        # The offset is a tie-break: of two wires of one node, the one from the lower port pulls lower.
        places = [place[id(c)] - off * 1e-3 for c, off in beside if id(c) in place]
        keys[id(cell)] = sum(places) / len(places) if places else float(i)
    column.sort(key=lambda cell: keys[id(cell)])


def _crossings(columns: list[list[_Cell]]) -> int:
    total = 0
    for left, right in pairwise(columns):
        place = {id(c): i for i, c in enumerate(right)}
        ends = [(i, place[id(c)]) for i, cell in enumerate(left) for c, _ in cell.after if id(c) in place]
        total += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


def _bands(columns: list[list[_Cell]]) -> list[list[list[_Cell]]]:
    """Fold the columns into bands of like width, as many as come nearest to the shape of a screen."""
    widths = [max(c.width for c in column) + _GAP_X for column in columns]
    tall = max(sum(c.height + _GAP_Y for c in column) for column in columns)
    best: tuple[float, list[int]] = (float("inf"), [])
    for count in range(1, len(columns) + 1):
        cuts = _cuts(widths, count)
        wide = max(sum(widths[a:b]) for a, b in zip([0, *cuts], [*cuts, len(widths)], strict=True))
        shape = wide / (count * (tall + _BAND))
        off = max(shape / _WIDE, _WIDE / shape)
        if off < best[0]:
            best = (off, cuts)
    cuts = best[1]
    return [columns[a:b] for a, b in zip([0, *cuts], [*cuts, len(columns)], strict=True)]


def _cuts(widths: Sequence[float], count: int) -> list[int]:
    share = sum(widths) / count
    cuts: list[int] = []
    run = 0.0
    for i, width in enumerate(widths):
        if len(cuts) < count - 1 and run + width / 2 > share * (len(cuts) + 1) and i:
            cuts.append(i)
        run += width
    return cuts


def _level(band: list[list[_Cell]]) -> None:
    """Find the heights in a band: as level with the neighbours as the order of each column allows."""
    inside = {id(c) for column in band for c in column}
    for column in band:
        _settle(column, [0.0] * len(column))
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        for column in band if forth else reversed(band):
            wishes = []
            for cell in column:
                beside = cell.before if forth else cell.after
                ys = [c.y + off for c, off in beside if id(c) in inside]
                wishes.append(sum(ys) / len(ys) if ys else cell.y)
            _settle(column, wishes)


def _settle(column: list[_Cell], wishes: list[float]) -> None:
    """Set heights nearest to the wishes, in order and apart: pool adjacent violators on what is left over."""
    taken, offsets = 0.0, []
    for cell in column:
        offsets.append(taken)
        taken += cell.height + (_GAP_Y if cell.name else _PASSING)
    pools: list[tuple[float, float]] = []  # mean and weight
    for wish, offset, cell in zip(wishes, offsets, column, strict=True):
        mean, weight = wish - offset, 1.0 if cell.name else 0.5
        while pools and pools[-1][0] > mean:
            other, heft = pools.pop()
            mean, weight = (mean * weight + other * heft) / (weight + heft), weight + heft
        pools.append((mean, weight))
    _spread(column, offsets, pools)


def _spread(column: list[_Cell], offsets: list[float], pools: list[tuple[float, float]]) -> None:
    at, left = 0, pools[0][1] if pools else 0.0
    for cell, offset in zip(column, offsets, strict=True):
        if left <= 1e-9:
            at += 1
            left = pools[at][1]
        cell.y = pools[at][0] + offset
        left -= 1.0 if cell.name else 0.5


def _place(band: list[list[_Cell]], top: float, places: dict[str, tuple[float, float]]) -> float:
    """Write the places of a band that begins at `top`; return where the next one begins."""
    named = [c for column in band for c in column if c.name]
    rise = top - min(c.y for c in named)
    x = 0.0
    for column in band:
        wide = max(c.width for c in column)
        for cell in column:
            if cell.name:
                places[cell.name] = (_snap(x + (wide - cell.width) / 2), _snap(cell.y + rise))
        x += wide + _GAP_X
    return max(c.y + rise + c.height for c in named) + _BAND


def _snap(value: float) -> float:
    return round(value / _GRID) * _GRID

"""A look inside a program: spikes, weights, broken rules and confusion, as frozen arrays ready to be drawn.

Taken in the thread that trains, so that the window only paints. Knows no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from .graph import Graph
from .label_sets import held
from .ports import F32, I32, I64, Array, Spec
from .precision import PRECISIONS
from .records import Records
from .runtime.answer import Answer
from .runtime.program import Program
from .violations import Shown, class_name, shown

RASTER_RECORDS = 8
BLOCK = 8  # weights along each side of one cell of a density
LABELLED = ("found", "missed", "wrongly said", "rightly left")  # what becomes of a label of a record
RIGHT = (0, 3)
_DENSE_FROM = 256  # maps with more rows or columns than this get a density
_WORD = 64


@dataclass(frozen=True)
class Raster:
    """When which neuron of a node spiked, for a few records.

    Attributes:
        node: the node's name.
        steps, neurons: time steps of one record, and neurons.
        records: which of the records that were looked at, by index.
        starts: int64 (records + 1,), where the spikes of each record begin in `times` and `indices`.
        times: int32 (spikes,), the step of each spike, 0 to steps - 1.
        indices: int32 (spikes,), the neuron of each spike.
        labels: the true class of each record by name, "" where it is not known.
        answers: what the program says of each record.
    """

    node: str
    steps: int
    neurons: int
    records: tuple[int, ...]
    starts: I64
    times: I32
    indices: I32
    labels: tuple[str, ...]
    answers: tuple[str, ...]

    def of(self, place: int) -> tuple[I32, I32]:
        """Return the times and neurons of the spikes of one record, by its place in `records`."""
        part = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.times[part], self.indices[part]


@dataclass(frozen=True)
class WeightMap:
    """The shipped weights of a node as a picture.

    Attributes:
        node: the node's name.
        precision: their width, a key of PRECISIONS.
        rows, columns: outputs and inputs.
        levels: uint8 (rows, ceil(columns / 8)) at 1 bit: packed, first weight in the highest bit, 1 is +1;
            else int8 (rows, columns).
        high: the level drawn in full colour.
        largest: the weight that `high` stands for where weights are floats, else 0.
        density: float32 (ceil(rows / BLOCK), ceil(columns / BLOCK)), mean of every block as a share of
            `high`, -1 to +1; None for small maps.
        shares: share of weights below, at and above zero.
        kernel: where a row is the kernel of a filter, its axes: taps first, channels last; else ().
    """

    node: str
    precision: str
    rows: int
    columns: int
    levels: Array
    high: int
    largest: float
    density: F32 | None
    shares: tuple[float, float, float]
    kernel: tuple[int, ...] = ()

    @property
    def packed(self) -> bool:
        """Whether `levels` holds eight weights a byte."""
        return PRECISIONS[self.precision].binary


@dataclass(frozen=True)
class Look:
    """Everything the panels show of a program.

    Attributes:
        program: the program.
        records: how many records were looked at.
        rasters: of every spiking node.
        weights: of every node that has weights to show.
        guard: what its guard made of them; None without one.
        classes: class names.
        confusion: int64 (classes, classes + 1): row, the true class; column, the answer; last column, none.
            Of several labels (classes, 4): row, the label; columns as LABELLED.
        several: whether each class is a label of its own, of which a record may have several.
    """

    program: Program
    records: int
    rasters: tuple[Raster, ...] = ()
    weights: tuple[WeightMap, ...] = ()
    guard: Shown | None = None
    classes: tuple[str, ...] = ()
    confusion: I64 = field(default_factory=lambda: np.zeros((0, 1), np.int64))
    several: bool = False

    def accuracy(self, label: int) -> float:
        """Return the share of a class's records that are answered rightly, NaN where there are none.

        Of several labels: the share of all records that have this one or not as they are answered.
        """
        row = self.confusion[label]
        right, total = int(row[list(RIGHT)].sum() if self.several else row[label]), int(row.sum())
        return right / total if total else float("nan")


def look(program: Program, records: Records, *, limit: int = 500, others: Records | None = None) -> Look:
    """Return a look into `program` as it answers `records`.

    Args:
        program: what to look into.
        records: what it answers, mostly the validation records.
        limit: most violations that are explained.
        others: records that its guard is looked at with where it decides none of `records`: a guard of boards
            finds no board among records of single digits.
    """
    answer = program.answer(records, guarded=True)
    guard = shown(program, records, answer, limit)
    if guard and not guard.total and others is not None and len(others):
        guard = shown(program, others, program.answer(others, guarded=True), limit)
    return Look(
        program=program,
        records=len(records),
        rasters=_rasters(program, records, answer),
        weights=weight_maps(program),
        guard=guard,
        classes=answer.classes,
        confusion=(_of_labels if answer.several else _confusion)(answer, records.labels),
        several=answer.several,
    )


def weight_maps(program: Program) -> tuple[WeightMap, ...]:
    """Return the weights of every node of `program` that has some to show, in running order."""
    found = []
    for name in program.graph.order:
        packed = program.packed.get(name)
        levels = program.graph.node(name).weight_levels(packed) if packed else None
        if levels is not None and levels.size:
            found.append(_weight_map(program.graph, name, levels))
    return tuple(found)


# Weights


def _weight_map(graph: Graph, name: str, levels: Array) -> WeightMap:
    levels = levels.reshape(len(levels), -1)
    inputs = graph.input_specs(name)
    kernel = graph.node(name).kernel_shape(*inputs)
    levels = levels[:, : prod(kernel) if kernel else _columns(inputs, levels.shape[1])]
    precision = _precision(graph, name, levels)
    largest = float(np.abs(levels).max())
    below, zero, above = (float(part.mean()) for part in (levels < 0, levels == 0, levels > 0))
    row = PRECISIONS[precision]
    if row.binary:
        drawn: Array = np.packbits(levels > 0, axis=1)
        high = 1
    elif row.is_float:
        drawn = np.rint(levels * (127 / (largest or 1.0))).astype(np.int8)
        high = 127
    else:
        drawn, high = levels.astype(np.int8), row.high
    density = _density(levels, largest if row.is_float else high) if max(levels.shape) > _DENSE_FROM else None
    shares = (below, zero, above)
    return WeightMap(
        node=name,
        precision=precision,
        rows=levels.shape[0],
        columns=levels.shape[1],
        levels=drawn,
        high=high,
        largest=largest if row.is_float else 0.0,
        density=density,
        shares=shares,
        kernel=kernel,
    )


def _columns(inputs: tuple[Spec | None, ...], columns: int) -> int:
    """Return how many columns are weights: what lies past the inputs is the padding of the last word."""
    spec = next((s for s in inputs if s), None)
    sizes = (spec.elements, spec.shape[-1] if spec.shape else 0) if spec else ()
    return next((n for n in sizes if columns - _WORD < n <= columns), columns)


def _precision(graph: Graph, name: str, levels: Array) -> str:
    """Return the width the weights have: what the node says, else the least that holds the levels."""
    node = graph.node(name)
    fields = node.bit_fields()
    whole = bool((levels == np.rint(levels)).all())
    top = float(np.abs(levels).max())
    if fields:
        row = PRECISIONS[getattr(node, fields[0])]
        # Entries of a book may be no levels of the width that their places are stored at.
        if row.is_float or (whole and row.low <= levels.min() and levels.max() <= row.high):
            return row.key
    if whole and top <= 1:
        return "1" if (levels != 0).all() else "ternary"
    return "8" if whole and top < PRECISIONS["8"].high else "32"


def _density(levels: Array, high: float) -> F32:
    rows, columns = levels.shape
    at = [np.arange(0, n, BLOCK) for n in (rows, columns)]
    sums = np.add.reduceat(np.add.reduceat(levels, at[0], axis=0, dtype=np.float32), at[1], axis=1)
    counts = np.outer(*(np.minimum(BLOCK, n - a) for n, a in zip((rows, columns), at, strict=True)))
    return np.asarray(sums / (counts * np.float32(high or 1.0)), np.float32)


# Spikes


def _rasters(program: Program, records: Records, answer: Answer) -> tuple[Raster, ...]:
    places = {
        (name, port.name): spec
        for name in program.graph.order
        for port, spec in zip(
            program.graph.node(name).outputs, program.graph.output_specs(name), strict=False
        )
        if spec.type == "spikes"
    }
    if not places:
        return ()
    chosen = _examples(records.labels)
    values = next(program.runs(records.take(chosen)))
    return tuple(
        _raster(place[0], spec, values[place], chosen, records, answer)
        for place, spec in places.items()
        if place in values
    )


def _examples(labels: I64) -> I64:
    """Return the rows of a few records, one of each class first."""
    firsts = np.unique(labels, return_index=True)[1]
    rest = np.setdiff1d(np.arange(min(len(labels), RASTER_RECORDS * 2)), firsts)
    return np.concatenate([firsts, rest])[:RASTER_RECORDS].astype(np.int64)


def _raster(node: str, spec: Spec, spikes: Array, chosen: I64, records: Records, answer: Answer) -> Raster:
    rows, times, indices = np.nonzero(spikes.reshape(len(chosen), spec.shape[0], -1))
    starts = np.searchsorted(rows, np.arange(len(chosen) + 1)).astype(np.int64)
    steps, neurons = spec.shape[0], spec.elements // max(1, spec.shape[0])
    return Raster(
        node=node,
        steps=steps,
        neurons=neurons,
        records=tuple(int(i) for i in chosen),
        starts=starts,
        times=times.astype(np.int32),
        indices=indices.astype(np.int32),
        labels=tuple(class_name(answer, int(records.labels[i])) for i in chosen),
        answers=tuple(answer.name(int(answer.labels[i])) for i in chosen),
    )


def _confusion(answer: Answer, labels: I64) -> I64:
    known = (labels >= 0) & (labels < len(answer.classes))
    size = len(answer.classes)
    said = np.where(answer.labels < 0, size, answer.labels)
    flat = labels[known] * (size + 1) + said[known]
    return np.bincount(flat, minlength=size * (size + 1)).reshape(size, size + 1).astype(np.int64)


def _of_labels(answer: Answer, labels: I64) -> I64:
    """Return how often each label was what of LABELLED, int64 (labels, 4)."""
    known = labels >= 0
    true, said = held(labels[known], len(answer.classes)), answer.held[known]
    cases = (true & said, true & ~said, ~true & said, ~true & ~said)
    return np.stack([case.sum(axis=0) for case in cases], axis=1).astype(np.int64)

"""One record alone: a compiled program laid out so that one call runs it whole (kernels/alone.py).

Every kind of step that can be run so has a function here that lays out what it holds and writes its
instruction. A program with any other step runs step by step, as records by the dozen do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..fusion import RowBytes
from ..kernels import alone as codes
from ..kernels.alone_maps import label_of_map
from ..kernels.jit import entry
from ..kernels.signs import PLAIN, aligned
from ..ports import I64, U8, Array, words_for
from .stack import LOOKUPS, PICKED, SignScores, Stack, kernel_for, stored
from .steps import Bytes, Compare, Step, Sums, in_bytes

_MOST = 2  # instructions of a step
_LINE = 64  # bytes of a cache line, at whose start everything begins
Label = Callable[[Array], "I64 | None"]
Writer = Callable[[Any, "Layout"], bool]
WRITERS: dict[type[Any], Writer] = {}


def writes(step: type[Any]) -> Callable[[Writer], Writer]:
    """Register a function that writes the instruction of a kind of step, or says that it cannot."""

    def kept(function: Writer) -> Writer:
        WRITERS[step] = function
        return function

    return kept


class Layout:
    """Instructions, and where in memory stands what they name.

    Attributes:
        dtype: of the samples.
        scores: the slot of the scores.
        store: the instructions and what they name, as `label_of_row` takes them; threads share it.
    """

    store: U8

    def __init__(self, fed: str, samples: int, steps: int, scores: int) -> None:
        """Begin a layout of so many steps, for samples of a dtype in a slot."""
        self.dtype, self.scores = np.dtype(fed), scores
        self._lines: list[tuple[int, ...]] = []
        self._held: list[tuple[int, U8]] = []
        self._begun: list[tuple[int, U8]] = []
        self._store = 8 * codes.WIDTH * (_MOST * steps + 1)
        self._work = 0
        self._slots = {samples: (codes.SAMPLES, self.dtype, 0)}

    @classmethod
    def of(cls, fed: str, samples: int | None, steps: Sequence[Step], scores: int) -> Layout | None:
        """Return the layout of a program, or None where it has a step that has none.

        Args:
            fed: dtype of the samples.
            samples: the slot in which they stand.
            steps: of the program.
            scores: the slot of its scores.
        """
        if samples is None:
            return None
        made = cls(fed, samples, len(steps), scores)
        for step in steps:
            writer = WRITERS.get(type(step))
            if writer is None or not writer(step, made):
                return None
        _, dtype, classes = made._slots[scores]
        if dtype != np.float32 or not classes:
            return None
        made.write(codes.LABEL, scores, None, classes, 0)
        made.store = made._stored()
        made._held.clear()
        return made

    def hold(self, array: Array) -> int:
        """Return where the bytes of an array will stand in the store."""
        self._store = -(-self._store // _LINE) * _LINE
        place = self._store
        self._held.append((place, _flat(array)))
        self._store += array.nbytes
        return place

    def room(self, count: int) -> int:
        """Return where `count` bytes to work in begin."""
        place = self._work
        self._work += -(-count // _LINE) * _LINE
        return place

    def held(self, array: Array) -> tuple[int, int, int]:
        """Return where an array will stand in the store, its rows and its columns, as sheets have them."""
        return (self.hold(array), *_rows(array))

    def scratch(self, array: Array) -> tuple[int, int, int]:
        """Return where an array that is worked in will stand, beginning as it is; see `held`."""
        place = self.room(array.nbytes)
        self._begun.append((place, _flat(array)))
        return (place, *_rows(array))

    def sheet(self, *arrays: tuple[int, int, int]) -> int:
        """Return where what `held` and `scratch` gave will stand in the store."""
        return self.hold(np.array(arrays, np.int64))

    def kind(self, slot: int) -> np.dtype[Any]:
        """Return the dtype of what stands in a slot."""
        return self._slots[slot][1]

    def write(
        self, code: int, read: int, write: tuple[int, type[Any]] | None, n: int, m: int, *more: int
    ) -> None:
        """Write an instruction.

        Args:
            code: what is done.
            read: the slot that is read.
            write: the slot that is filled, and the dtype of its elements; None for none.
            n: elements that are read.
            m: elements that are written.
            more: what else the code asks.
        """
        to = 0
        if write is not None:
            slot, dtype = write[0], np.dtype(write[1])
            to = self.room(m * dtype.itemsize)
            self._slots[slot] = to, dtype, m
        self._lines.append((code, self._slots[read][0], to, n, m, *more))

    def _stored(self) -> U8:
        store = aligned(-(-self._store // _LINE) * _LINE)
        store[:] = 0
        for i, line in enumerate(self._lines):
            at = 8 * codes.WIDTH * i
            store[at : at + 8 * len(line)] = np.array(line, np.int64).view(np.uint8)
        for place, data in self._held:
            store[place : place + len(data)] = data
        return store

    def room_to_work(self) -> U8:
        """Return what the steps of one thread write to and work in."""
        work = aligned(self._work)
        work[:] = 0
        for place, data in self._begun:
            work[place : place + len(data)] = data
        return work

    @property
    def call(self) -> Callable[..., bool]:
        """Return the kernel that runs it."""
        maps = any(line[0] >= codes.FLOAT_MAPS for line in self._lines)
        return label_of_map if maps else codes.label_of_row


def _flat(array: Array) -> U8:
    flat: U8 = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return flat


def _rows(array: Array) -> tuple[int, int]:
    return len(array), array.shape[1] if array.ndim > 1 else 1


def label_of(layout: Layout, shape: tuple[int, ...]) -> Label:
    """Return what gives the class of one record, for one thread.

    Args:
        layout: of a program.
        shape: of a record.

    Returns:
        a function of samples: the label, int64 (1,); None where they are not one record of that shape and of
        the layout's dtype, or thresholds do not speak for it.
    """
    store, work, one, dtype = layout.store, layout.room_to_work(), (1, *shape), layout.dtype
    call = entry(layout.call, np.empty(one, dtype), store, work, np.empty(1, np.int64))
    empty, whole = np.empty, np.dtype(np.int64)

    def label(samples: Array) -> I64 | None:
        # The call looks at nothing.
        if samples.shape != one or samples.dtype != dtype or not samples.flags.c_contiguous:
            return None
        out = empty(1, whole)
        return out if call(samples, store, work, out) else None

    return label


@writes(Compare)
def _compare(step: Compare, layout: Layout) -> bool:
    places: Array = step.places
    flips, kind = step.flips, layout.kind(step.read)
    code = codes.FLOAT_SIGNS
    if places.dtype == np.int16:
        places, flips = in_bytes(places, flips)
        code = codes.BYTE_SIGNS
    elif places.dtype == np.int32:
        code = codes.SUM_SIGNS
    if kind != places.dtype:
        return False
    held = layout.hold(places), layout.hold(flips)
    layout.write(code, step.read, (step.write, np.uint64), len(places), len(flips), *held)
    return True


@writes(Bytes)
def _bytes(step: Bytes, layout: Layout) -> bool:
    table, count = step.table, int(np.prod(step.shape))
    if table.dtype == np.int16:
        return False
    code = codes.BYTE_LEVELS if table.dtype == np.uint8 else codes.BYTE_FLOATS
    layout.write(code, step.read, (step.write, table.dtype.type), count, count, layout.hold(table))
    return True


@writes(Sums)
def _sums(step: Sums, layout: Layout) -> bool:
    product = step.product
    weights = product.byte_weights if isinstance(product, RowBytes) else None
    if weights is None or layout.kind(step.read) != np.uint8:
        return False
    held = (
        layout.hold(weights.nibbles),
        weights.nibbles.nbytes,
        layout.hold(weights.first),
        len(weights.first),
    )
    room = layout.room(weights.work), weights.work
    layout.write(
        codes.BYTE_SUMS, step.read, (step.write, np.int32), weights.inputs, product.shape[0], *held, *room
    )
    return True


@writes(Stack)
def _stack(step: Stack, layout: Layout) -> bool:
    key = kernel_for(1)
    if key not in _STACKS:
        return False
    picks = key == PICKED
    table, store = step.by_inputs if picks else stored(step.layers, key)
    held = layout.hold(table), len(table), layout.hold(store), step.most
    room = layout.room(step.picked_room(1) if picks else 16 * step.most)
    lookups = layout.hold(LOOKUPS) if picks else 0
    n, m = (words_for(count) for count in (step.layers[0].inputs, len(step.layers[-1].limits)))
    layout.write(_STACKS[key], step.read, (step.write, np.uint64), n, m, *held, room, lookups)
    return True


@writes(SignScores)
def _scores(step: SignScores, layout: Layout) -> bool:
    m, n = step.weights.shape
    held = layout.hold(step.weights), layout.hold(step.table), step.table.shape[1]
    layout.write(codes.SCORES, step.read, (step.write, np.float32), n, m, *held)
    return True


_STACKS = {PICKED: codes.PICKED, "wide": codes.WIDE, PLAIN: codes.PLAIN}

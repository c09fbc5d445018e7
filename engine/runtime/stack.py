"""Stacks of 1-bit layers: between two of them a sign is whether fewer places differ than a limit.

`joined` finds in a compiled program the sums of packed rows that go to one threshold each, and puts one step
in the place of each run of them. Outputs that fall as their sum grows get their weights turned round, so that
every sign is one comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..fusion import PlaceProduct
from ..hardware import choose
from ..kernels import lookup, picked, shuffle
from ..kernels.signs import PLAIN, SIGN_KERNELS, aligned, limits_by_block, limits_by_chunk
from ..kernels.stack import LISTED, count_scores, stack_picked, stack_plain, stack_shuffle, stack_wide
from ..kernels.turned import stack_turned
from ..kernels.vectors import AVX2
from ..ports import F32, I64, U8, U64, Array, words_for
from .steps import Bound, Compare, LookUp, Slots, Step, Sums, reads_of

_MOST_INPUTS = 32_000  # counts stand in signed 16 bits
_MOST_SCORES = 64  # outputs that are counted word by word, on their way to a table
_ROWS = 512  # patches whose counters stand in the second-level cache
PICKED = "picked"
_LIMITS: dict[str, Callable[[I64], Array]] = {
    PLAIN: lambda limits: limits.view(np.uint8),
    "wide": limits_by_chunk,
    "shuffle": limits_by_block,
}
_FEW = 32  # rows that are counted one at a time: more share tables
_LINE = 64  # bytes of a cache line
_TABLES, LOOKUPS = shuffle.tables(), picked.tables()


@dataclass(frozen=True)
class SignLayer:
    """One layer of a stack.

    Attributes:
        node: its name.
        weights: uint64 (outputs, words), packed.
        inputs: of a record.
        limits: int64 (outputs,), an output is +1 where fewer places differ.
    """

    node: str
    weights: U64
    inputs: int
    limits: I64

    @classmethod
    def of(cls, sums: Sums, compare: Compare, rows: U64) -> SignLayer:
        """Return the layer of whole sums that go to one threshold each."""
        inputs = sums.product.sums_range[-1]
        falls = np.unpackbits(compare.flips.view(np.uint8), bitorder="little", count=len(rows)).astype(bool)
        # inputs - 2 x differing >= place
        limits = (inputs - compare.places.astype(np.int64)) // 2 + 1
        used = np.full(8 * rows.shape[1], 255, np.uint8)
        used[-(-inputs // 8) :] = 0
        if inputs % 8:
            used[inputs // 8] = (1 << inputs % 8) - 1
        weights = np.where(falls[:, None], rows ^ used.view(np.uint64), rows)
        limits = np.where(falls, inputs + 1 - limits, limits)
        return cls(sums.nodes[0], np.ascontiguousarray(weights), inputs, limits)


@dataclass(frozen=True)
class Stack:
    """Packed signs through layers to packed signs."""

    nodes: tuple[str, ...]
    layers: tuple[SignLayer, ...]
    read: int
    write: int

    @property
    def words(self) -> str:
        few, many = (_title(kernel_for(n)) for n in (1, 1024))
        return f"Signs to signs, no sums written, by {few}" + ("" if few == many else f"; of many, by {many}")

    @property
    def kernel(self) -> str:
        few, many = kernel_for(1), kernel_for(1024)
        return f"signs: {few}" + ("" if few == many else f", {many}")

    @property
    def nbytes(self) -> tuple[int, int]:
        held = sum(one.weights.nbytes + 2 * len(one.limits) for one in self.layers)
        return held, 16 * max(words_for(len(one.limits)) for one in self.layers)

    def then(self, after: Stack) -> Stack:
        """Return this stack with the layers of the one that reads its signs."""
        nodes = tuple(dict.fromkeys((*self.nodes, *after.nodes)))
        return Stack(nodes, (*self.layers, *after.layers), self.read, after.write)

    def bind(self, batch: int) -> Bound:
        key = kernel_for(batch)
        if key == "lookup":
            return self._many(batch)
        return self._by_picking(batch) if key == PICKED else self._few(batch, key)

    @cached_property
    def by_inputs(self) -> tuple[I64, U8]:
        """Return `layers` and `store` as `stack_picked` takes them."""
        rows, parts, at = [], [], 0
        for one in self.layers:
            part, offset, planes = picked.lay(one.weights, one.inputs, one.limits)
            rows.append((one.inputs, len(one.limits), at, offset, planes))
            parts.append(part)
            at += len(part)
        store = aligned(at)
        store[:] = np.concatenate(parts)
        return np.array(rows, np.int64), store

    @property
    def most(self) -> int:
        """Return the most words of a layer's outputs."""
        return max(words_for(len(one.limits)) for one in self.layers)

    def picked_room(self, batch: int) -> int:
        """Return the bytes of `work` that `stack_picked` takes for so many records."""
        table, _ = self.by_inputs
        counters = int((32 * -(-table[:, 1] // picked.COLUMN) * table[:, 4]).max())
        return 16 * batch * self.most + LISTED + counters

    def _by_picking(self, batch: int) -> Bound:
        table, store = self.by_inputs
        most, work = self.most, aligned(self.picked_room(batch))
        buffer = np.zeros((batch, words_for(len(self.layers[-1].limits))), np.uint64)
        read, write = self.read, self.write

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            stack_picked(slots[read], LOOKUPS, table, store, most, work, out)
            slots[write] = out

        return run

    def _few(self, batch: int, key: str) -> Bound:
        table, store = stored(self.layers, key)
        most = self.most
        work = aligned(16 * batch * most + shuffle.WIDE * ((batch + 1) // 2))
        buffer = np.zeros((batch, words_for(len(self.layers[-1].limits))), np.uint64)
        read, write = self.read, self.write
        portable = stack_wide if key == "wide" else stack_plain

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            if key == "shuffle":
                stack_shuffle(slots[read], _TABLES, table, store, most, work, out)
            else:
                portable(slots[read], table, store, most, work, out)
            slots[write] = out

        return run

    @cached_property
    def _by_lanes(self) -> tuple[I64, U8, I64]:
        """Return `layers`, `indices` and `limits` as kernels/turned.py takes them."""
        (_, _, _, offset, planes), rows, place, at, digits = self.by_inputs[0][0], [], 0, 0, 0
        indices: list[U64] = []
        for one in self.layers:
            outputs, parts = len(one.limits), -(-one.inputs // lookup.PART)
            taken = np.empty((parts, outputs, 3), np.uint64)
            lookup.lay_indices(one.weights, one.inputs, taken)
            rows.append((one.inputs, outputs, at, place, digits, offset, planes))
            indices.append(taken.reshape(-1))
            place, at, digits = place + outputs, at + taken.nbytes, digits + 32 * lookup.PART * parts
        indices.append(np.zeros(lookup.PAST, np.uint64))
        limits = np.concatenate([one.limits for one in self.layers])
        return np.array(rows, np.int64), np.concatenate(indices).view(np.uint8), limits

    def _many(self, batch: int) -> Bound:
        first, (table, indices, limits) = self.layers[0], self._by_lanes
        parts = sum(-(-one.inputs // lookup.PART) for one in self.layers)
        work = aligned(lookup.ROOM + lookup.COUNTERS * max(len(one.limits) for one in self.layers))
        lanes, square = aligned(32 * lookup.PART * parts), np.empty(64, np.uint64)
        lanes[:] = 0
        signs = np.empty((lookup.BLOCK, words_for(len(first.limits))), np.uint64)
        held = table, indices, limits, LOOKUPS, self.by_inputs[1], aligned(LISTED), lanes, work
        few = self._by_picking(_FEW) if AVX2 else None
        buffer = np.zeros((batch, words_for(len(self.layers[-1].limits))), np.uint64)
        read, write = self.read, self.write

        def run(slots: Slots, n: int) -> None:
            left = n % lookup.BLOCK
            whole = n - left if few is not None and left <= _FEW else n
            given, out = slots[read], buffer[:n]
            stack_turned(given[:whole], *held, square, signs, out[:whole])
            if few is not None and whole < n:
                slots[read] = given[whole:]
                few(slots, n - whole)
                out[whole:] = slots[write]
            slots[read], slots[write] = given, out

        return run


@dataclass(frozen=True)
class PlaceSigns:
    """Packed maps through one convolution to packed maps: each place is a record of a layer.

    Attributes:
        layer: the layer.
        product: lays out the patches.
        shape: of the sums of one record; outputs, a multiple of 64, on the last axis.
    """

    nodes: tuple[str, ...]
    layer: SignLayer
    product: PlaceProduct
    shape: tuple[int, ...]
    read: int
    write: int
    words: str = "Patches to signs, no sums written, by tables in the first-level cache"
    kernel: str = "signs: lookup"

    @property
    def nbytes(self) -> tuple[int, int]:
        places = int(np.prod(self.shape[:-1]))
        each = 8 * places * self.layer.weights.shape[1] + int(np.prod(self.shape)) // 8
        return self.layer.weights.nbytes + 2 * len(self.layer.limits), each

    def bind(self, batch: int) -> Bound:
        one, places = self.layer, self.product.places
        count, words = int(np.prod(self.shape[:-1])), self.shape[-1] // 64
        digits, limits = SIGN_KERNELS["lookup"].lay(one.weights, one.inputs), limits_by_block(one.limits)
        parts, most = -(-one.inputs // lookup.PART), min(_ROWS, batch * count)
        work = aligned(lookup.ROOM + lookup.COUNTERS * most)
        indices = np.empty(3 * parts * most + lookup.PAST, np.uint64)
        buffer = np.empty((batch * count, words), np.uint64)
        read, write = self.read, self.write

        def run(slots: Slots, n: int) -> None:
            rows, out = places(slots[read]), buffer[: n * count]
            for at in range(0, len(rows), most):
                piece, target = rows[at : at + most], out[at : at + most]
                here = 3 * parts * len(piece)
                lookup.lay_indices(piece, one.inputs, indices[:here].reshape(parts, len(piece), 3))
                flat = indices[: here + lookup.PAST].view(np.uint8)
                lookup.signs_lookup(flat, len(piece), one.inputs, digits, limits, work, target)
            slots[write] = out.reshape(n, count * words)

        return run


@dataclass(frozen=True)
class SignScores:
    """Packed signs to scores: a table of every count of differing places.

    Attributes:
        weights: uint64 (classes, words).
        table: float32 (classes, inputs + 1).
    """

    nodes: tuple[str, ...]
    weights: U64
    table: F32
    read: int
    write: int
    words: str = "Signs to scores: differing places counted, then a table of every count there can be"
    kernel: str = "count, table"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.weights.nbytes + self.table.nbytes, 4 * len(self.weights)

    def bind(self, batch: int) -> Bound:
        weights, table, read, write = self.weights, self.table, self.read, self.write
        buffer = np.empty((batch, len(weights)), np.float32)

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            count_scores(slots[read], weights, table, out)
            slots[write] = out

        return run


def _places(sums: Sums, product: PlaceProduct, step: Compare) -> Step | None:
    """Return the step of a convolution whose outputs have one threshold each at all places."""
    rows, shape = product.place_rows, sums.product.shape
    if (
        rows is None
        or sums.write != step.read
        or shape[-1] % 64
        or sums.product.sums_range[-1] > _MOST_INPUTS
    ):
        return None
    places, flips = step.places.reshape(-1, shape[-1]), step.flips.reshape(-1, shape[-1] // 64)
    if (places != places[:1]).any() or (flips != flips[:1]).any():
        return None
    layer = SignLayer.of(sums, replace(step, places=places[0], flips=flips[0]), rows)
    names = tuple(dict.fromkeys((*sums.nodes, *step.nodes)))
    return PlaceSigns(names, layer, product, shape, sums.read, step.write)


def kernel_for(rows: int) -> str:
    """Return the key of the kernel that is fastest here for so many rows."""
    key = choose("signs", rows).kernel
    return PICKED if AVX2 and rows <= _FEW and key in {PLAIN, "shuffle"} else key


def _title(key: str) -> str:
    return "counts of the inputs that are on" if key == PICKED else SIGN_KERNELS[key].title


def joined(steps: list[Step], wanted: tuple[int, ...]) -> list[Step]:
    """Return the steps with every run of 1-bit layers in one."""
    reads = Counter(place for step in steps for place in reads_of(step)) + Counter(wanted)
    out: list[Step] = []
    for step in steps:
        made = _pair(out[-1], step, reads) if out else None
        if made is None:
            out.append(step)
            continue
        out[-1] = made
        before = out[-2] if len(out) > 1 else None
        if isinstance(before, Stack) and isinstance(made, Stack) and reads[before.write] == 1:
            out[-2:] = [before.then(made)] if before.write == made.read else out[-2:]
    return out


def _pair(sums: Step, step: Step, reads: Counter[int]) -> Step | None:
    """Return what does the work of sums and the step after them, or None."""
    if not isinstance(sums, Sums) or not isinstance(step, Compare | LookUp):
        return None
    if sums.write != step.read or reads[step.read] != 1 or sums.product.sums_range[-1] > _MOST_INPUTS:
        return None
    if isinstance(step, Compare) and isinstance(sums.product, PlaceProduct):
        return _places(sums, sums.product, step)
    rows = sums.product.rows
    if rows is None:
        return None
    return _scores(sums, step, rows) if isinstance(step, LookUp) else _layer(sums, step, rows)


def _scores(sums: Sums, step: LookUp, rows: U64) -> Step | None:
    if len(rows) > _MOST_SCORES or step.shape != (len(rows),):
        return None
    table = np.ascontiguousarray(step.table[:, ::-1])
    return SignScores(step.nodes, rows, table, sums.read, step.write)


def _layer(sums: Sums, step: Compare, rows: U64) -> Step:
    names = tuple(dict.fromkeys((*sums.nodes, *step.nodes)))
    return Stack(names, (SignLayer.of(sums, step, rows),), sums.read, step.write)


def _laid(one: SignLayer, key: str) -> U8:
    return SIGN_KERNELS[key].lay(one.weights, one.inputs).reshape(-1).view(np.uint8)


def stored(layers: tuple[SignLayer, ...], key: str) -> tuple[I64, U8]:
    """Return `layers` and `store` as kernels/stack.py takes them."""
    limits_of = _LIMITS[key]
    rows, parts, at = [], [], 0
    for one in layers:
        weights = _laid(one, key)
        row = [one.inputs, len(one.limits)]
        for part in (weights, limits_of(one.limits)):
            row.append(at)
            parts.append((at, part))
            at += -(-part.nbytes // _LINE) * _LINE
        rows.append(row)
    store = aligned(at)
    for begin, part in parts:
        store[begin : begin + part.nbytes] = part
    return np.array(rows, np.int64), store

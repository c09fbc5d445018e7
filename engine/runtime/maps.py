"""Convolutions straight to packed signs: sums, pooling and thresholds in one step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..fusion import Cut, FloatSums
from ..kernels import alone as codes
from ..kernels.floats import scale_shift
from ..kernels.lookup import PART, ROOM
from ..kernels.map_signs import PAST, map_signs, tables_of
from ..kernels.pooled_signs import LANES, SIXTEEN, pooled_signs
from ..kernels.signs import SIGN_KERNELS, aligned, limits_by_block
from ..kernels.vectors import COMPILED
from ..ports import F32, I64, U8, U64, Array, words_for
from .alone import Layout, writes
from .stack import PlaceSigns, SignLayer
from .steps import Bound, Call, Compare, PoolSigns, Slots, Step, reads_of, writes_of
from .thresholds import FINITE, find, float_at

_PATCHES = 768  # whose counters stand in the second-level cache
_MOST_DIGITS = 1 << 16  # bytes, whose tables, six times as many, stay in a second-level cache
_NONE = np.empty(0, np.uint8)
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class FloatSigns:
    """Maps of floats through a convolution, and a pooling where there is one, to packed maps.

    Attributes:
        layer: the convolution.
        windows: int64 (windows, patches), where the patches that are pooled begin in the padded map.
        weights: float32 (outputs / 32, inputs, 32); those of outputs that fall are turned round.
        limits: float32 (outputs,), which a sum reaches for +1.
        bound: the largest size of a sample for which no sum overflows.
        turned: uint64 (words,), the signs that are turned round after the pooling.
        plain: the steps it stands for, which serve samples past the bound.
    """

    nodes: tuple[str, ...]
    layer: FloatSums
    windows: I64
    weights: F32
    limits: F32
    bound: float
    turned: U64
    plain: tuple[Step, ...]
    read: int
    write: int
    words: str = "Maps to packed bits: float sums in fixed order, the largest of a window, one threshold each"
    kernel: str = "float sums, compare"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.weights.nbytes + self.limits.nbytes + self.turned.nbytes, self.turned.nbytes

    @property
    def nothing(self) -> Array:
        """Return which outputs 0 reaches the limit of, uint32 (outputs / 32,)."""
        return np.packbits(self.limits <= 0, bitorder="little").view(np.uint32)

    @cached_property
    def looks(self) -> tuple[I64, U64]:
        """Return which bits say whether windows hold anything but 0."""
        return _looks((self.windows[:, :, None] + self.layer.cut.steps).reshape(len(self.windows), -1))

    def work(self) -> tuple[F32, Array, I64]:
        """Return what one thread works in: a padded map, which of it is filled, and which windows are."""
        vectors = -(-self.layer.cut.elements // SIXTEEN)
        padded, filled = np.zeros(SIXTEEN * vectors, np.float32), np.zeros(vectors + 4, np.uint16)
        return padded, filled, np.empty(len(self.windows), np.int64)

    def bind(self, batch: int) -> Bound:
        cut, read, write = self.layer.cut, self.read, self.write
        padded, filled, listed = self.work()
        first = padded, filled, self.windows.astype(np.uint64), *self.looks, listed, self.nothing
        weights = cut.steps.astype(np.uint64), self.weights.reshape(-1), self.limits
        held = *first, *weights, float(self.bound), self.turned.view(np.uint32)
        buffer = np.zeros((batch, len(self.turned)), np.uint64)
        numbers = buffer.view(np.uint32)
        plain: list[Bound] = []

        def run(slots: Slots, n: int) -> None:
            out = numbers if n == batch else numbers[:n]
            maps = slots[read].reshape(n, -1)
            if pooled_signs(maps, cut.rows, cut.length, *held, out):
                slots[write] = buffer if n == batch else buffer[:n]
                return
            if not plain:
                plain.extend(step.bind(batch) for step in self.plain)
            for one in plain:
                one(slots, n)

        return run


@dataclass(frozen=True)
class MapSigns:
    """Packed maps through a convolution, and a pooling where there is one, to packed maps.

    Attributes:
        layer: the convolution; every place is a record of it.
        cut: its patches.
        places: int64 (windows, patches), the places that are pooled.
        turned: uint64 (words,), the signs that are turned round after the pooling.
    """

    nodes: tuple[str, ...]
    layer: SignLayer
    cut: Cut
    places: I64
    turned: U64
    read: int
    write: int
    words: str = "Maps to packed bits, no sums written, by tables in the first-level cache"
    kernel: str = "signs: lookup"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.layer.weights.nbytes + 2 * len(self.layer.limits), self.turned.nbytes

    @cached_property
    def lines(self) -> tuple[I64, I64]:
        """Return `begins` and `lines` as `map_signs` takes them."""
        cut = self.cut
        met = cut.origins[self.places.reshape(-1)] + cut.starts[:, None]
        begins, inverse = np.unique(met, return_inverse=True)
        return begins, np.ascontiguousarray(inverse.reshape(met.shape).astype(np.int64))

    @cached_property
    def digits(self) -> tuple[I64, U8]:
        """Return `cuts` and `digits` as `map_signs` takes them."""
        cut, parts = self.cut, -(-self.cut.run // PART)
        cuts = np.array([cut.run * i // parts for i in range(parts + 1)], np.int64)
        weights = _by_part(self.layer, len(cut.starts), cuts)
        return cuts, SIGN_KERNELS["lookup"].lay(weights, len(cut.starts) * parts * PART).reshape(-1)

    @property
    def rows(self) -> tuple[I64, int]:
        """Return `rows` and `length` as `map_signs` takes them."""
        return self.cut.rows // 8, self.cut.length // 8

    def work(self, batch: int) -> tuple[U8, U64, U8]:
        """Return what one thread works in: a padded map, indices, and room for so many records."""
        cut, (begins, lines), parts = self.cut, self.lines, len(self.digits[0]) - 1
        maps = max(1, min(batch, _PATCHES // lines.shape[1]))
        padded = np.full(-(-cut.elements // 8) + PAST, 255 if cut.pad > 0 else 0, np.uint8)
        indices = np.empty(3 * parts * maps * len(begins), np.uint64)
        return padded, indices, aligned(ROOM + 192 * maps * lines.shape[1])

    def bind(self, batch: int) -> Bound:
        (begins, lines), (cuts, digits) = self.lines, self.digits
        padded, indices, room = self.work(batch)
        limits, taps = limits_by_block(self.layer.limits), self.places.shape[1]
        buffer = np.empty((batch, len(self.turned)), np.uint64)
        read, write, turned = self.read, self.write, self.turned
        rows, length = self.rows
        held = padded, begins, cuts, lines, digits, limits, taps, turned, _NONE, indices, room

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            map_signs(slots[read].view(np.uint8), rows, length, *held, out)
            slots[write] = out

        return run


def _by_part(layer: SignLayer, runs: int, cuts: I64) -> U64:
    """Return packed weights, uint64 (outputs, words), with PART places for each part of a run."""
    parts, bits = len(cuts) - 1, layer.weights.view(np.uint8)
    signs = np.unpackbits(bits, axis=1, bitorder="little", count=layer.inputs)
    signs = signs.reshape(len(signs), runs, -1)
    placed = np.zeros((len(signs), runs, parts, PART), np.uint8)
    for part, (first, last) in enumerate(pairwise(cuts)):
        placed[:, :, part, : last - first] = signs[:, :, first:last]
    flat = placed.reshape(len(signs), -1)
    packed = np.zeros((len(signs), 8 * words_for(flat.shape[1])), np.uint8)
    packed[:, : -(-flat.shape[1] // 8)] = np.packbits(flat, axis=1, bitorder="little")
    return packed.view(np.uint64)


def mapped(steps: list[Step], wanted: tuple[int, ...]) -> list[Step]:
    """Return the steps with every convolution of packed maps, and the pooling behind it, in one."""
    reads = Counter(place for step in steps for place in reads_of(step)) + Counter(wanted)
    out: list[Step] = []
    for step in steps:
        before = out[-1] if out else None
        if isinstance(step, PlaceSigns):
            out.append(_mapped(step))
        elif isinstance(step, PoolSigns) and isinstance(before, MapSigns):
            alone = step.read == before.write and reads[step.read] == 1
            places = _windows(step.pool.members, len(before.layer.limits)) if alone else None
            if places is None:
                out.append(step)
                continue
            nodes = tuple(dict.fromkeys((*before.nodes, *step.nodes)))
            pooled = replace(before, nodes=nodes, places=places, turned=step.turned, write=step.write)
            out[-1] = pooled
        else:
            out.append(step)
    return out


def _mapped(step: PlaceSigns) -> Step:
    """Return a convolution of packed maps that lays its runs once, where rows of maps are whole bytes."""
    cut = step.product.cut
    if cut.length % 8 or (cut.rows % 8).any():
        return step
    places = np.arange(len(cut.origins))[:, None]
    turned = np.zeros(int(np.prod(step.shape)) // 64, np.uint64)
    return MapSigns(step.nodes, step.layer, cut, places, turned, step.read, step.write)


def straight(steps: list[Step], wanted: tuple[int, ...]) -> list[Step]:
    """Return the steps with every float convolution that goes to signs in one, where vectors serve."""
    reads = Counter(place for step in steps for place in reads_of(step)) + Counter(wanted)
    out: list[Step] = []
    at = 0
    while at < len(steps):
        tried = (_made(steps[at : at + count], reads) for count in (3, 2)) if COMPILED else iter(())
        made = next((one for one in tried if one is not None), None)
        out.append(steps[at] if made is None else made)
        at += 1 if made is None else len(made.plain)
    return out


def _made(steps: list[Step], reads: Counter[int]) -> FloatSigns | None:
    """Return what does the work of a convolution, a comparison and maybe a pooling, or None."""
    if not _in_a_row(steps, reads):
        return None
    call, compare, pool = steps[0], steps[1], steps[2] if len(steps) > 2 else None
    if not isinstance(call, Call) or not isinstance(compare, Compare) or call.reads[0] is None:
        return None
    layer = call.function
    if not isinstance(layer, FloatSums) or layer.values_t.shape[1] % LANES:
        return None
    places: I64 | None = np.arange(len(layer.cut.origins))[:, None]
    turned, write = np.zeros_like(compare.flips), compare.write
    if isinstance(pool, PoolSigns):
        places = _windows(pool.pool.members, layer.values_t.shape[1])
        turned, write = pool.turned, pool.write
    each = None if places is None else _each(layer, compare, places)
    bound = _bound(layer)
    if places is None or each is None or bound <= 0:
        return None
    windows = layer.cut.origins[places]
    nodes = tuple(dict.fromkeys(name for step in steps for name in step.nodes))
    return FloatSigns(nodes, layer, windows, *each, bound, turned, tuple(steps), call.reads[0], write)


def _in_a_row(steps: list[Step], reads: Counter[int]) -> bool:
    """Whether steps are a call, a comparison and maybe a pooling, each read by the next alone."""
    kinds = (Call, Compare, PoolSigns)[: max(2, len(steps))]
    if len(steps) != len(kinds) or not all(map(isinstance, steps, kinds)):
        return False
    read = [place for step in steps[1:] for place in reads_of(step)]
    writes = [place for step in steps[:-1] for place in writes_of(step)]
    return read == writes and all(reads[place] == 1 for place in read)


def _windows(members: I64 | None, channels: int) -> I64 | None:
    """Return which places a pooling takes the largest of, int64 (windows, patches), channel by channel."""
    if members is None or len(members) % channels:
        return None
    by_place = members.reshape(-1, channels, members.shape[1])
    places: I64 = by_place[:, 0, :] // channels
    fits = by_place == places[:, None, :] * channels + np.arange(channels)[:, None]
    return places if fits.all() else None


def _looks(elements: I64) -> tuple[I64, U64]:
    """Return which bits tell of elements, int64 (windows, elements): a bit each, in words that overlap.

    Returns:
        int64 (windows, words), the byte at which each word begins, and uint64, which of its bits do.
    """
    places, masks, left = [], [], np.ones(elements.shape, bool)
    while left.any():
        first = np.where(left, elements, elements.max()).min(1, keepdims=True) >> 3
        here = left & (elements < 8 * first + 64)
        bits = np.uint64(1) << (elements - 8 * first).clip(0, 63).astype(np.uint64)
        places.append(first[:, 0])
        masks.append(np.bitwise_or.reduce(np.where(here, bits, np.uint64(0)), axis=1))
        left &= ~here
    return np.stack(places, axis=1), np.stack(masks, axis=1)


def _each(layer: FloatSums, compare: Compare, used: I64) -> tuple[F32, F32] | None:
    """Return the weights and the limit of each output, or None where the places used differ in theirs."""
    inputs, channels = layer.values_t.shape
    bits = np.unpackbits(compare.flips.view(np.uint8), bitorder="little", count=compare.places.size)
    used = used.reshape(-1)
    flips = bits.reshape(-1, channels)[used].astype(bool)
    places = compare.places.reshape(-1, channels)[used]
    if (flips != flips[:1]).any() or (places != places[:1]).any():
        return None

    def levels(numbers: I64) -> I64:
        outputs = np.empty(numbers.shape, np.float32)
        with np.errstate(over="ignore"):
            scale_shift(float_at(numbers), layer.scale, layer.shift, outputs)
        reached: I64 = ((outputs >= places[0]) ^ flips[0]).astype(np.int64)
        return reached

    found = find(levels, FINITE, channels, bits=True)
    if found is None:
        return None
    limits = float_at(found.places[0])
    # A sum below its limit is a negated sum above the negated limit; negated weights give just that sum.
    above = float_at(-found.places[0])  # place p negated is -p - 1, and the next above that -p
    weights = np.where(found.falls, -layer.values_t, layer.values_t).astype(np.float32)
    blocks = weights.reshape(inputs, -1, LANES).transpose(1, 0, 2)
    return np.ascontiguousarray(blocks), np.where(found.falls, above, limits).astype(np.float32)


def _bound(layer: FloatSums) -> float:
    """Return the largest size of a sample for which no output overflows, half the range kept in reserve."""
    sums = np.abs(layer.values_t.astype(np.float64)).sum(0) * np.maximum(1, np.abs(layer.scale))
    most = (_LARGEST / 2 - np.abs(layer.shift)) / np.maximum(sums, 1)
    return float(most.min()) if np.isfinite(most).all() else 0.0


@writes(FloatSigns)
def _float_signs(step: FloatSigns, layout: Layout) -> bool:
    cut, (padded, filled, listed), (places, masks) = step.layer.cut, step.work(), step.looks
    if layout.kind(step.read) != np.float32:
        return False
    held, scratch = layout.held, layout.scratch
    sheet = layout.sheet(
        held(cut.rows),
        scratch(padded),
        scratch(filled),
        held(step.windows),
        held(places),
        held(masks),
        scratch(listed),
        held(step.nothing),
        held(cut.steps),
        held(step.weights.reshape(-1)),
        held(step.limits),
        held(np.array([step.bound], np.float32)),
        held(step.turned.view(np.uint32)),
    )
    n, m = len(cut.rows) * cut.length, 2 * len(step.turned)
    layout.write(codes.FLOAT_MAPS, step.read, (step.write, np.uint32), n, m, sheet, cut.length)
    return True


@writes(MapSigns)
def _map_signs(step: MapSigns, layout: Layout) -> bool:
    (begins, lines), (cuts, digits), (rows, length) = step.lines, step.digits, step.rows
    held, (padded, indices, room) = layout.held, [layout.scratch(array) for array in step.work(1)]
    sheet = layout.sheet(
        held(rows),
        padded,
        held(begins),
        held(cuts),
        held(lines),
        held(digits),
        held(limits_by_block(step.layer.limits)),
        held(step.turned),
        held(tables_of(digits, cuts) if len(digits) <= _MOST_DIGITS else _NONE),
        indices,
        room,
    )
    n, m, taps = len(rows) * length, len(step.turned), step.places.shape[1]
    layout.write(codes.MAPS, step.read, (step.write, np.uint64), n, m, sheet, length, taps)
    return True

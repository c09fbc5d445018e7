"""A part of a rule set as a decision diagram: one path from its root for every allowed assignment.

The variables are taken one after the other. After each, what the constraints in progress still need says all
that matters about the values so far, so prefixes with the same needs are one state. States are merged layer
by layer, then equal nodes bottom up. Counts and weighted sums need no helpers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..ports import I32, I64, U64
from .ordering import orders_of
from .parts import Part

MOST_WIDE = 50_000  # states of one layer
MOST_STATES = 600_000  # of all layers
MOST_BYTES = 24 << 20  # that the needs of all states may take: a second of work or so
NO, YES = 0, 1  # the ends; node i of `nodes` is number i + 2
_TRIED = 2  # orders that are tried where the first ones are too wide
_CONSTANTS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)

Ints = npt.NDArray[Any]  # signed, as narrow as the bounds allow


@dataclass(frozen=True)
class Diagram:
    """A reduced ordered decision diagram.

    Attributes:
        nodes: int32 (n, 3): variable (from 0, within the part), where it leads if false, where if true. A
            node stands after those it leads to.
        root: NO, YES or a node's number.
    """

    nodes: I32
    root: int


def diagram_of(part: Part, widest: int = MOST_WIDE) -> Diagram | None:
    """Return the smallest diagram found of `part`, or None where it would be too wide to keep."""
    best: Diagram | None = None
    for tried, order in enumerate(orders_of(part), 1):
        found = compiled(part, order, widest)
        if found is not None and (best is None or len(found.nodes) < len(best.nodes)):
            best = found
        if best is None and tried >= _TRIED:
            return None
    return best


def compiled(part: Part, order: I32, widest: int = MOST_WIDE) -> Diagram | None:
    """Return the diagram of `part` in the order int32 (k,) of its variables, or None where it is too wide."""
    frontier = _Frontier(part, order)
    layers: list[tuple[I64, I64]] = []
    states = size = 0
    for v in order.tolist() if len(frontier.needs) else ():
        layers.append(frontier.pass_variable(v))
        states += len(frontier.needs)
        size += frontier.needs.nbytes
        if not len(frontier.needs):
            break
        if len(frontier.needs) > widest or states > MOST_STATES or size > MOST_BYTES:
            return None
    if not len(frontier.needs):
        return Diagram(np.empty((0, 3), np.int32), NO)
    return _reduced(order, layers)


class _Frontier:
    """The states of the layer in hand: what each open constraint still needs, (states, open constraints)."""

    def __init__(self, part: Part, order: I32) -> None:
        offsets, literals, weights, bounds = part.packed
        self._bounds = bounds
        self._rest = np.array(
            [weights[a:b].sum() for a, b in pairwise(offsets)], np.int64
        )  # undecided weight
        dtypes = (np.int8, np.int16, np.int32, np.int64)
        most = int(bounds.max(initial=0))
        self._dtype = next(d for d in dtypes if most <= np.iinfo(d).max // 2)
        self._uses: list[list[tuple[int, bool, int]]] = [[] for _ in part.variables]
        for c in range(len(bounds)):
            for j in range(offsets[c], offsets[c + 1]):
                self._uses[abs(literals[j]) - 1].append((c, bool(literals[j] > 0), int(weights[j])))
        self._open: list[int] = []  # the constraint of each column
        begins = bool(np.all(self._rest >= bounds))  # no state where a constraint cannot be kept at all
        self.needs: Ints = np.empty((int(begins), 0), self._dtype)

    def pass_variable(self, v: int) -> tuple[I64, I64]:
        """Decide variable `v` both ways; return where each state leads, int64 (states,), -1 to nowhere."""
        fresh = [c for c, _, _ in self._uses[v] if c not in self._open]
        columns = np.broadcast_to(self._bounds[fresh].astype(self._dtype), (len(self.needs), len(fresh)))
        before = np.concatenate([self.needs, columns], axis=1)
        self._open += fresh
        after = [before, before.copy()]
        for c, positive, weight in self._uses[v]:
            column = after[positive][:, self._open.index(c)]
            np.maximum(column.astype(np.int64) - weight, 0, out=column, casting="unsafe")
            self._rest[c] -= weight
        both = np.concatenate(after)
        alive = np.flatnonzero((both <= self._rest[self._open]).all(1))
        kept = [i for i, c in enumerate(self._open) if self._rest[c] > 0]
        self._open = [self._open[i] for i in kept]
        first, inverse = _merged(np.ascontiguousarray(both[alive][:, kept]))
        leads = np.full(len(both), -1, np.int64)
        leads[alive] = inverse
        self.needs = both[alive[first]][:, kept]
        return leads[: len(before)], leads[len(before) :]


def _merged(rows: Ints) -> tuple[I64, I64]:
    """Return the first place of each distinct row, and for each row which of these it is."""
    if not rows.shape[1]:
        return np.arange(min(len(rows), 1)), np.zeros(len(rows), np.int64)
    _, first, inverse = np.unique(_hashed(rows), return_index=True, return_inverse=True)
    if not np.array_equal(rows, rows[first][inverse]):  # two rows with one hash: compare them whole
        whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
        _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return first, inverse


def _hashed(rows: Ints) -> U64:
    size = rows.itemsize * rows.shape[1]
    words = np.zeros((len(rows), -(-size // 8) * 8), np.uint8)
    words[:, :size] = rows.view(np.uint8).reshape(len(rows), size)
    found = np.zeros(len(rows), np.uint64)
    for column in words.view(np.uint64).T:
        found = (found ^ column) * np.uint64(_CONSTANTS[0])
        found ^= found >> np.uint64(29)
        found *= np.uint64(_CONSTANTS[1])
    return found


def _reduced(order: I32, layers: list[tuple[I64, I64]]) -> Diagram:
    """Return the layers without nodes that decide nothing, and with equal nodes made one, bottom up."""
    current = np.array([YES], np.int64)  # what each state of the layer below has become
    made: list[I64] = []
    count = 2
    for v, (low, high) in zip(order[::-1].tolist(), reversed(layers), strict=True):
        a = np.where(low < 0, NO, current[low])
        b = np.where(high < 0, NO, current[high])
        current = a.copy()
        differ = np.flatnonzero(a != b)
        keys, inverse = np.unique(a[differ] * (count + 1) + b[differ], return_inverse=True)
        current[differ] = count + inverse
        made.append(np.stack([np.full(len(keys), v), keys // (count + 1), keys % (count + 1)], axis=1))
        count += len(keys)
    nodes = np.concatenate(made) if made else np.empty((0, 3))
    return Diagram(np.ascontiguousarray(nodes, np.int32), int(current[0]))

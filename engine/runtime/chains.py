"""Chains of steps of single elements, and the thresholds that stand for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..fusion import LargestOf
from ..graph import Wire
from ..ports import F32, I64, Array
from .thresholds import Bools, find, unpacked_bits

_PROBES = 14


@dataclass(frozen=True)
class Chain:
    """Steps of single elements, with at most one pooling among them, and what they start from.

    Attributes:
        names: the nodes passed, first to last.
        functions: what they do, first to last.
        wire: where they start.
        layer: the layer whose sums they start from, or "" where they start from the array on `wire`.
        turns: whether one of them may turn, so that there are no thresholds.
        pool: the pooling, or None.
        before: how many functions stand before it.
    """

    names: tuple[str, ...]
    functions: tuple[Callable[[Array], Array], ...]
    wire: Wire
    layer: str = ""
    turns: bool = False
    pool: LargestOf | None = None
    before: int = 0

    def run(self, x: Array) -> Array:
        """Return what comes out for `x`, (n, *shape), by the predictors themselves."""
        return _run(self.functions, x)

    def run_before(self, x: Array) -> Array:
        """Return what the pooling is given for `x`."""
        return _run(self.functions[: self.before], x)


@dataclass(frozen=True)
class Signs:
    """A chain to packed signs as thresholds.

    Attributes:
        places: int64 (elements,), of what the chain starts from; a number that has reached its place is 1.
        falls: bool (elements,), where it is 0 instead.
        pool: what takes the OR of windows of those signs, or None.
        turned: bool (outputs,), which of its outputs are turned round after that.
    """

    places: I64
    falls: Bools
    pool: LargestOf | None = None
    turned: Bools | None = None


def levels_of(chain: Chain, shape: tuple[int, ...], read: Callable[[I64], Array]) -> Callable[[I64], I64]:
    """Return a chain as a function from numbers, int64 (n, elements), to levels; `read` makes its input."""

    def levels(numbers: I64) -> I64:
        made = chain.run(read(numbers).reshape(-1, *shape))
        if made.dtype == np.uint64:
            return unpacked_bits(made, numbers.shape[1])
        return made.reshape(len(numbers), -1).astype(np.int64)

    return levels


def signs_of(
    chain: Chain, shape: tuple[int, ...], numbers: range, read: Callable[[I64], Array]
) -> Signs | None:
    """Return a chain to packed signs as thresholds, or None where there are none.

    Args:
        chain: to packed signs.
        shape: of one record of what it starts from.
        numbers: what an element can be.
        read: makes that of numbers.
    """
    if chain.turns:
        return None
    elements = int(np.prod(shape))
    if chain.pool is not None:
        return _pooled_signs(chain, chain.pool, shape, numbers, read)
    found = find(levels_of(chain, shape, read), numbers, elements, bits=True)
    return None if found is None else Signs(found.places[0], found.falls)


def _pooled_signs(
    chain: Chain, pool: LargestOf, shape: tuple[int, ...], numbers: range, read: Callable[[I64], Array]
) -> Signs | None:
    """Return the thresholds of a chain with a pooling, where what stands before it is alike in each window.

    The largest of what rises is that of the largest number, and of what falls that of the least. A sign that
    rises with the pooled value is therefore the OR of its window's signs; one that falls is their AND, which
    is the OR turned round.
    """
    members, elements = pool.members, int(np.prod(shape))
    if members is None:
        return None
    count, taps = members.shape

    def spread(values: I64) -> I64:
        full = np.full((len(values), elements), numbers[0], np.int64)
        full[:, members.reshape(-1)] = np.repeat(values, taps, axis=1)
        return full

    def levels(values: I64) -> I64:
        return unpacked_bits(chain.run(read(spread(values)).reshape(-1, *shape)), count)

    found = find(levels, numbers, count, bits=True)
    rises = _direction(chain, members, shape, numbers, read)
    if found is None or rises is None:
        return None
    places, falls = np.full(elements, numbers[-1] + numbers.step, np.int64), np.zeros(elements, bool)
    places[members] = found.places[0][:, None]
    falls[members] = ~rises[:, None]
    met = np.isin(np.arange(elements), members)
    return Signs(_filled(places, met, shape), _filled(falls, met, shape), pool, found.falls ^ ~rises)


def _filled(values: Any, met: Bools, shape: tuple[int, ...]) -> Any:
    """Return values of elements, those that no window meets as the first of their channel that one meets.

    The pooling asks for none of them, and a map whose places are alike is multiplied place by place.
    """
    by_place, channels = met.reshape(-1, shape[-1]), np.arange(shape[-1])
    each = values.reshape(by_place.shape)
    return np.where(by_place, each, each[by_place.argmax(0), channels]).reshape(-1)


def _direction(
    chain: Chain, members: I64, shape: tuple[int, ...], numbers: range, read: Callable[[I64], Array]
) -> Bools | None:
    """Return whether what stands before the pooling rises, bool (outputs,); None unless windows are alike."""
    drawn = np.random.default_rng(0).integers(0, len(numbers), _PROBES)
    probes = numbers.start + numbers.step * np.array([0, len(numbers) - 1, *drawn])
    rows = np.repeat(probes[:, None], int(np.prod(shape)), axis=1)
    given: F32 = chain.run_before(read(rows).reshape(-1, *shape)).reshape(len(probes), -1)[:, members]
    if (given != given[:, :, :1]).any():
        return None
    first, last = given[0, :, 0], given[1, :, 0]
    rises: Bools = last >= first
    return rises


def _run(functions: tuple[Callable[[Array], Array], ...], x: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        for function in functions:
            x = function(x)
    return x

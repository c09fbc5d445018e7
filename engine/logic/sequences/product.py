"""Rules together: the product of their automata, with what it costs to end in each state, made minimal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...kernels.refine import ROOM, refine
from ...kernels.viterbi import AWAY, Chart
from ...ports import I32, I64
from .automaton import Automaton, Bools, alive

NEVER = AWAY  # the penalty of a state in which no sequence may end
MOST_STATES = 20_000
_MOST_PAIRS = 1 << 26  # of states of two automata, reached or not


@dataclass(frozen=True, eq=False)
class Product:
    """A complete automaton whose ends have a price.

    Attributes:
        moves: int32 (states, events).
        penalties: int64 (states,), the weights of the soft rules that a sequence ending there breaks; NEVER
            where it breaks a hard one.
    """

    moves: I32
    penalties: I64

    @cached_property
    def alive(self) -> Bools:
        """Return from which states a sequence can still come to an allowed end, bool (states,)."""
        return alive(self.moves, self.penalties < NEVER)

    @property
    def empty(self) -> bool:
        """Whether no sequence at all keeps the hard rules."""
        return not self.alive[0]


def product_of(
    automata: Sequence[Automaton], weights: Sequence[int | None], most: int = MOST_STATES
) -> Product | None:
    """Return the minimal product of some rules, or None where it, or what it is made of, is too large.

    Args:
        automata: one a rule, over the same events; at least one.
        weights: of each rule, None for a hard one.
        most: states that any product on the way may have.
    """
    found: Product | None = None
    parts = [priced(a, w) for a, w in zip(automata, weights, strict=True)]
    for part in (parts[i] for i in _order(automata)):
        found = part if found is None else summed(found, part, most)
        if found is None or len(found.moves) > most:
            return None
        found = minimal(found)
    return found


def priced(automaton: Automaton, weight: int | None) -> Product:
    """Return one rule by itself, hard where its weight is None."""
    penalty = NEVER if weight is None else weight
    return Product(automaton.moves, np.where(automaton.accepts, 0, penalty).astype(np.int64))


def summed(one: Product, other: Product, most: int) -> Product | None:
    """Return the product of two, its penalties added up, or None where it has more than `most` states."""
    return paired(one, other, _sums, most, prune=True)


def paired(
    one: Product, other: Product, price: Callable[[I64, I64], I64], most: int, *, prune: bool = False
) -> Product | None:
    """Return the reachable pairs of states, or None where there are more than `most`.

    Args:
        one: the first of each pair.
        other: the second.
        price: penalties of both -> those of the pairs.
        most: pairs.
        prune: whether a pair is beyond mending where one of its states is; all such are then one state.
    """
    wide, events = len(other.moves), one.moves.shape[1]
    if len(one.moves) * wide > _MOST_PAIRS:
        return None
    numbers = np.full(len(one.moves) * wide, -1, np.int32)
    numbers[0] = 0
    layers, frontier, count = [np.zeros(1, np.int64)], np.zeros(1, np.int64), 1
    rows: list[I64] = []
    while len(frontier):
        a, b = frontier // wide, frontier % wide
        after = one.moves[a].astype(np.int64) * wide + other.moves[b]
        if prune:
            after[~(one.alive[after // wide] & other.alive[after % wide])] = -1
        rows.append(after)
        fresh = np.unique(after)
        fresh = fresh[(fresh >= 0) & (numbers[fresh] < 0)]
        numbers[fresh] = count + np.arange(len(fresh))
        count += len(fresh)
        if count > most:
            return None
        layers.append(fresh)
        frontier = fresh
    keys, moves = np.concatenate(layers), np.concatenate(rows)
    prices = price(one.penalties[keys // wide], other.penalties[keys % wide])
    sink = moves < 0
    moves = np.where(sink, count, numbers[moves])
    if sink.any():
        moves = np.concatenate([moves, np.full((1, events), count)])
        prices = np.append(prices, NEVER)
    return Product(moves.astype(np.int32), prices)


def minimal(product: Product) -> Product:
    """Return the automaton with the fewest states that gives every sequence the same penalty."""
    n, events = product.moves.shape
    prices, which = np.unique(product.penalties, return_inverse=True)
    blocks = which.astype(np.int32)
    columns = np.ascontiguousarray(product.moves.T)
    sources = np.argsort(columns, axis=1, kind="stable").astype(np.int32)
    starts = np.zeros((events, n + 1), np.int32)
    for e in range(events):
        np.cumsum(np.bincount(columns[e], minlength=n), out=starts[e, 1:])
    refine(blocks, len(prices), starts, sources, np.empty((ROOM, n + 1), np.int32))
    return _quotient(product, blocks)


def chart_of(product: Product) -> Chart:
    """Return the living part of a product as the kernels take it."""
    order, reached = _reached(product.moves, 0, product.alive)
    order = _alike_together(product, order, reached)
    number = np.full(len(product.moves), -1, np.int64)
    number[order] = np.arange(len(order))
    arrows: dict[tuple[int, int], list[int]] = {}
    for s, row in enumerate(number[product.moves[order]].tolist()):
        for e, q in enumerate(row):
            if q >= 0:
                arrows.setdefault((q, s), []).append(e)
    sets: dict[tuple[int, ...], int] = {}
    first = product.moves.shape[1]
    letters = [
        arrows[key][0] if len(arrows[key]) == 1 else first + sets.setdefault(tuple(arrows[key]), len(sets))
        for key in sorted(arrows)
    ]
    into = np.bincount([q for q, _ in arrows], minlength=len(order)) if arrows else np.zeros(len(order))
    return Chart(
        np.array(reached, np.int32),
        np.concatenate([[0], np.cumsum(into)]).astype(np.int32),
        np.stack([[s for _, s in sorted(arrows)], letters], axis=1).astype(np.int32),
        np.cumsum([0, *map(len, sets)]).astype(np.int32),
        np.array([e for events in sets for e in events], np.int32),
        product.penalties[order],
    )


def told_apart(automaton: Automaton) -> frozenset[int]:
    """Return the events that have a column of their own, all but those of the commonest column."""
    _, which, counts = np.unique(automaton.moves, axis=1, return_inverse=True, return_counts=True)
    return frozenset(np.flatnonzero(which.ravel() != counts.argmax()).tolist())


# Inside


def _sums(one: I64, other: I64) -> I64:
    return np.where((one >= NEVER) | (other >= NEVER), NEVER, one + other)


def _order(automata: Sequence[Automaton]) -> list[int]:
    """Return the rules so that those which speak of the same events come together, small ones first."""
    told = [told_apart(a) for a in automata]
    left = sorted(range(len(automata)), key=lambda i: len(automata[i].moves))
    order = [left.pop(0)] if left else []
    seen = told[order[0]] if order else frozenset()
    while left:
        best = max(left, key=lambda i: (len(told[i] & seen) / max(len(told[i]), 1), -len(automata[i].moves)))
        left.remove(best)
        order.append(best)
        seen |= told[best]
    return order


def _quotient(product: Product, blocks: I32) -> Product:
    """Return one state a block, in the order in which a walk reaches them."""
    _, one_of = np.unique(blocks, return_index=True)
    small = Product(blocks[product.moves[one_of]], product.penalties[one_of])
    order = _reached(small.moves, int(blocks[0]))[0]
    number = np.full(len(one_of), -1, np.int32)
    number[order] = np.arange(len(order))
    return Product(number[small.moves[order]], small.penalties[order])


def _alike_together(product: Product, order: I64, reached: list[int]) -> I64:
    """Return the states with those of one layer by how many lead to each: loops over them then run alike."""
    here = product.moves[order]
    pairs = np.unique(np.stack([here.ravel(), np.repeat(order, here.shape[1])], axis=1), axis=0)
    into = np.bincount(pairs[:, 0], minlength=len(product.moves))[order]
    layer = np.searchsorted(reached, np.arange(len(order)), side="right")
    return order[np.lexsort((into, layer))]


def _reached(moves: I32, start: int, keep: Bools | None = None) -> tuple[I64, list[int]]:
    seen = np.zeros(len(moves), np.bool_) if keep is None else ~keep
    layer = np.array([start]) if not seen[start] else np.empty(0, np.int64)
    seen[start] = True
    order, counts = [layer], [len(layer)]
    while len(layer):
        after = np.unique(moves[layer])
        layer = after[~seen[after]].astype(np.int64)
        seen[layer] = True
        if len(layer):
            order.append(layer)
            counts.append(counts[-1] + len(layer))
    return np.concatenate(order), counts

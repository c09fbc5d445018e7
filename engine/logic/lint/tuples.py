"""A shortest sequence that several automata accept, where their product is too large: layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...ports import I64
from ..sequences.automaton import Automaton

MOST_TUPLES = 60_000  # of states that are reached in all


def shortest_together(automata: Sequence[Automaton], most: int = MOST_TUPLES) -> tuple[int, ...] | None:
    """Return a shortest sequence that all accept; None where there is none, or none was reached.

    Tuples are told apart by a hash of 64 bits: two that share one could hide a sequence, never make one up.

    Args:
        automata: over the same letters.
        most: tuples of states, one an automaton, that may be reached.
    """
    factors = np.random.default_rng(0).integers(1, 1 << 63, len(automata), dtype=np.uint64)
    layer = np.zeros((1, len(automata)), np.int32)
    seen = np.zeros(1, np.uint64)
    ways: list[tuple[I64, I64]] = []  # of each layer: the tuple of the one before, and the letter
    while len(layer):
        ends = np.logical_and.reduce([a.accepts[layer[:, g]] for g, a in enumerate(automata)])
        if ends.any():
            return _traced(ways, int(ends.argmax()))
        after = [a.moves[layer[:, g]] for g, a in enumerate(automata)]
        lives = np.logical_and.reduce([a.alive[moved] for a, moved in zip(automata, after, strict=True)])
        rows, letters = np.nonzero(lives)
        reached = np.stack([moved[rows, letters] for moved in after], axis=1)
        keys = (reached.astype(np.uint64) * factors).sum(1, dtype=np.uint64)
        keys, first = np.unique(keys, return_index=True)
        fresh = first[~np.isin(keys, seen, assume_unique=True)]
        seen = np.union1d(seen, keys)
        if len(seen) > most:
            return None
        ways.append((rows[fresh], letters[fresh]))
        layer = reached[fresh]
    return None


def _traced(ways: list[tuple[I64, I64]], at: int) -> tuple[int, ...]:
    found: list[int] = []
    for before, letter in reversed(ways):
        found.append(int(letter[at]))
        at = int(before[at])
    return tuple(reversed(found))

"""A shortest sequence that several automata accept, where their product is too large: layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...ports import I32, I64
from ..sequences.automaton import Automaton

MOST_TUPLES = 60_000  # of states that are reached in all


def shortest_together(automata: Sequence[Automaton], most: int = MOST_TUPLES) -> tuple[int, ...] | None:
    """Return a shortest sequence that all accept; None where there is none, or none was reached.

    Args:
        automata: over the same letters.
        most: tuples of states, one an automaton, that may be reached.
    """
    layer = np.zeros((1, len(automata)), np.int32)
    seen = {layer[0].tobytes()}
    ways: list[tuple[I64, I64]] = []  # of each layer: the tuple of the one before, and the letter
    letters = automata[0].moves.shape[1]
    while len(layer):
        ends = np.logical_and.reduce([a.accepts[layer[:, g]] for g, a in enumerate(automata)])
        if ends.any():
            return _traced(ways, int(ends.argmax()))
        after = np.stack([a.moves[layer[:, g]] for g, a in enumerate(automata)], axis=2)
        lives = np.logical_and.reduce([a.alive[after[:, :, g]] for g, a in enumerate(automata)])
        rows, letter = np.nonzero(lives)
        reached = after[rows, letter]
        if not len(reached):
            return None
        _, first = np.unique(_keys(reached), return_index=True)
        fresh = [i for i in np.sort(first).tolist() if reached[i].tobytes() not in seen]
        seen.update(reached[i].tobytes() for i in fresh)
        if len(seen) > most or len(ways) > most // letters:
            return None
        ways.append((rows[fresh].astype(np.int64), letter[fresh].astype(np.int64)))
        layer = reached[fresh]
    return None


def _keys(rows: I32) -> Any:
    """Return the rows of an array as single things that can be compared."""
    packed = np.ascontiguousarray(rows)
    return packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).ravel()


def _traced(ways: list[tuple[I64, I64]], at: int) -> tuple[int, ...]:
    found: list[int] = []
    for before, letter in reversed(ways):
        found.append(int(letter[at]))
        at = int(before[at])
    return tuple(reversed(found))

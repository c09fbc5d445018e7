"""One sequence after the other under rules whose product is too large: a search under a rising bound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...kernels.viterbi_search import Parts, Room, search
from ...ports import I32, I64
from .product import Product

MOST_TUPLES = 60_000  # of states in one step
_MOST_KEPT = 1 << 24  # of all steps


class Searcher:
    """Searches under the products of some groups of rules.

    Args:
        products: one a group.
        most: tuples of states in one step; beyond that a search is given up.
    """

    def __init__(self, products: Sequence[Product], most: int = MOST_TUPLES) -> None:
        sizes = [len(p.moves) for p in products]
        starts = np.cumsum([0, *sizes])[:-1]
        moves = [p.moves + start for p, start in zip(products, starts, strict=True)]
        self._parts = Parts(
            np.concatenate(moves).astype(np.int32),
            starts.astype(np.int32),
            np.concatenate([p.penalties for p in products]),
        )
        self._most = most

    def __call__(self, labels: I32, costs: I64, lengths: I64, rows: I64) -> I64:
        """Repair the sequences `rows` in place; return what each costs, NONE or OUT of viterbi_search.py.

        OUT depends on the sequence alone: so much room has every sequence of its length.

        Args:
            labels: int32 (n, steps), as they stand.
            costs: int64 (n, steps, events).
            lengths: int64 (n,).
            rows: int64 (m,).
        """
        reached = np.empty(len(rows), np.int64)
        room: Room | None = None
        for i in np.argsort(lengths[rows], kind="stable"):
            steps = int(lengths[rows[i]])
            if room is None or len(room.ahead) != steps + 1:
                room = self._made(steps)
            reached[i] = search(self._parts, costs[rows[i], :steps], labels[rows[i], :steps], room)
        return reached

    def _made(self, steps: int) -> Room:
        states, automata = len(self._parts.moves), len(self._parts.starts)
        most = min(self._most, max(_MOST_KEPT // max(steps, 1), 1))
        slots = 1 << (2 * most).bit_length()
        return Room(
            np.empty((steps + 1, states), np.int64),
            np.empty((2, most + 1, automata), np.int32),
            np.empty((2, most), np.int64),
            np.empty(slots, np.int32),
            np.zeros(slots, np.int64),
            np.empty((steps, most), np.int32),
            np.empty((steps, most), np.int32),
            np.zeros(1, np.int64),
        )

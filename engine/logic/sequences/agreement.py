"""Repaired sequences solved once more by RC2, step by step as clauses: whether it finds what they cost."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from ...guard import Agreement
from ...ports import I32, I64
from ..agreement import WITHIN
from ..pipeline import NONE, OPTIMAL, SECONDS
from ..solver import shared_solver
from .engine import CHECK, Repaired, SequenceEngine
from .unrolled import by_rc2


def agreement(
    engines: Sequence[SequenceEngine],
    labels: I32,
    costs: I64,
    lengths: I64,
    done: Repaired,
    within: float = WITHIN,
) -> Agreement:
    """Return on how many of n sequences RC2 agrees; those that broke nothing are not asked about.

    Args:
        engines: the rules of each sequence, none of them in time.
        labels: int32 (n, steps), as they stood.
        costs: int64 (n, steps, events).
        lengths: int64 (n,).
        done: what the engines gave.
        within: seconds for all; the sequences that are left then count as not solved.

    Raises:
        SolverError: python-sat is not there.
    """
    rows = np.flatnonzero((done.tool != CHECK) & np.isin(done.status, (OPTIMAL, NONE))).tolist()
    solved, agreed, began = 0, 0, time.monotonic()
    for r in rows:
        left = min(SECONDS, within - (time.monotonic() - began))
        if left <= 0:
            break
        engine, steps = engines[r], int(lengths[r])
        raw, paid = labels[r, :steps], costs[r, :steps]
        found = by_rc2(engine.automata, engine.weights, paid, raw, shared_solver(), left)
        if found.status in (OPTIMAL, NONE):
            solved += 1
            agreed += found.cost == int(done.costs[r])
    return Agreement(len(rows), solved, agreed, time.monotonic() - began)

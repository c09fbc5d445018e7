"""What a guard of one class does for every record: tests of facts, and the best class that is allowed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import kernel

Bools = npt.NDArray[np.bool_]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

KNOWN, AMONG, BELOW, AT_MOST = range(4)
NO, YES, UNKNOWN = range(3)


class Asked(NamedTuple):
    """Tests of one column each.

    Attributes:
        places: int32 (tests,), where the outcome of each goes.
        columns: int32 (tests,), which column each is about.
        kinds: int32 (tests,), KNOWN, AMONG, BELOW or AT_MOST.
        starts: int32 (tests + 1,), where the numbers of each begin.
        numbers: float64, what the fact is compared with.
    """

    places: I32
    columns: I32
    kinds: I32
    starts: I32
    numbers: F64


@kernel
def ask(asked: Asked, facts: F64, out: I8) -> None:
    """Write the outcome of every test of `asked`, NO, YES or UNKNOWN, into its place of `out`.

    Args:
        asked: the tests.
        facts: float64 (n, columns), NaN for a gap.
        out: int8 (n, all tests).
    """
    for i in range(facts.shape[0]):
        for t in range(asked.places.size):
            out[i, asked.places[t]] = _outcome(asked, t, facts[i, asked.columns[t]])


@kernel
def _outcome(asked: Asked, t: int, fact: float) -> Any:
    kind, first = asked.kinds[t], asked.starts[t]
    if np.isnan(fact):
        return NO if kind == KNOWN else UNKNOWN
    found = kind == KNOWN
    if kind == BELOW:
        found = fact < asked.numbers[first]
    elif kind == AT_MOST:
        found = fact <= asked.numbers[first]
    elif kind == AMONG:
        for j in range(first, asked.starts[t + 1]):
            found = found or fact == asked.numbers[j]
    return YES if found else NO


@kernel
def best_allowed(
    told: I64, allowed: Bools, lost: I64, scale: float, scores: F32, out: F32, labels: I64
) -> None:
    """Write the scores under the rules into `out`, and the best class, -1 for none, into `labels`.

    Args:
        told: int64 (n,), the row of each record in what follows.
        allowed: bool (rows, classes).
        lost: int64 (rows, classes), what a class loses by soft rules; (0, 0) where there are none.
        scale: how many of these are one unit of a score.
        scores: float32 (n, classes).
        out: float32 (n, classes).
        labels: int64 (n,).
    """
    soft = lost.size > 0
    for i in range(scores.shape[0]):
        row, best, label = told[i], np.float32(-np.inf), -1
        for c in range(scores.shape[1]):
            score = np.float32(-np.inf)
            if allowed[row, c]:
                score = scores[i, c]
                if soft:
                    score = np.float32(np.float64(score) - lost[row, c] / scale)
            out[i, c] = score
            if score > best:
                best, label = score, c
        labels[i] = label

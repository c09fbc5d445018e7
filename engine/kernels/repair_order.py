"""Hill climbing over orders of variables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


@kernel
def openness(offsets: I32, variables: I32, place: I32, power: int, opened: I64) -> np.int64:
    """Return the sum over all cuts of an order of (constraints that reach across it) ** power.

    Args:
        offsets: int32 (m + 1,), where the variables of each constraint begin.
        variables: int32, the variables of all constraints, from 0.
        place: int32 (k,), where each variable stands in the order.
        power: 1 or more.
        opened: int64 (k + 1,), room.
    """
    opened[:] = 0
    for c in range(offsets.size - 1):
        if offsets[c] == offsets[c + 1]:
            continue
        first = np.int64(place.size)
        last = np.int64(0)
        for j in range(offsets[c], offsets[c + 1]):
            first = min(first, np.int64(place[variables[j]]))
            last = max(last, np.int64(place[variables[j]]))
        opened[first] += 1
        opened[last] -= 1
    total, now = np.int64(0), np.int64(0)
    for i in range(place.size):
        now += opened[i]
        term = np.int64(1)
        for _ in range(power):
            term *= now
        total += term
    return total


@kernel
def move(order: I32, source: int, target: int, out: I32, place: I32) -> None:
    """Write `order` with the element at `source` moved to `target` into `out`, and its inverse to `place`."""
    at = 0
    for i in range(order.size):
        if at == source:
            at += 1
        if i == target:
            out[i] = order[source]
        else:
            out[i] = order[at]
            at += 1
        place[out[i]] = i


@kernel
def improve_order(
    offsets: I32, variables: I32, moves: I32, power: int, order: I32, room: I32, opened: I64
) -> np.int64:
    """Make each of `moves` that does not worsen the openness of `order`, int32 (k,); return what is reached.

    Args:
        offsets: int32 (m + 1,), where the variables of each constraint begin.
        variables: int32, the variables of all constraints, from 0.
        moves: int32 (moves, 2), from where to where.
        power: that of `openness`.
        order: int32 (k,), changed in place.
        room: int32 (2, k).
        opened: int64 (k + 1,), room.
    """
    for i in range(order.size):
        room[1, order[i]] = i
    best = openness(offsets, variables, room[1], power, opened)
    for i in range(moves.shape[0]):
        move(order, moves[i, 0], moves[i, 1], room[0], room[1])
        reached = openness(offsets, variables, room[1], power, opened)
        if reached <= best:
            best = reached
            order[:] = room[0]
    return best

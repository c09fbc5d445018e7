"""The cheapest sequence that several automata accept at once, where their product is too large to hold.

Step by step the tuples of states are kept that a sequence within a bound may pass: what a tuple has cost so
far, and the most of what each automaton by itself still needs, come to no more than the bound. The bound
rises until a sequence is found; nothing cheaper was left out then, so it is the cheapest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .viterbi import AWAY

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

NONE, OUT = -1, -2  # no sequence is accepted; the room was too small to find out
_MIX, _MASK = 0x9E3779B1, (1 << 30) - 1


class Parts(NamedTuple):
    """Automata, one after the other.

    Attributes:
        moves: int32 (states, events), numbers of states among those of all.
        starts: int32 (automata,).
        penalties: int64 (states,), what ending there costs; AWAY where a sequence must not end there.
    """

    moves: I32
    starts: I32
    penalties: I64


class Room(NamedTuple):
    """Where a search works; any content.

    Attributes:
        ahead: int64 (steps + 1, states), what each automaton still needs.
        tuples: int32 (2, most, automata), tuples of states of the step in hand and of the next.
        values: int64 (2, most), what each has cost.
        table: int32 (slots,), hash table of the next step's tuples; slots are a power of 2 above `most`.
        stamps: int64 (slots,), which step last wrote a slot; zeros before the first search.
        parents: int32 (steps, most), the tuple of the step before.
        events: int32 (steps, most), the event that led here.
        clock: int64 (1,), the last stamp; zeros before the first search.
    """

    ahead: I64
    tuples: I32
    values: I64
    table: I32
    stamps: I64
    parents: I32
    events: I32
    clock: I64


@kernel
def search(parts: Parts, costs: I64, labels: I32, room: Room) -> Any:
    """Replace one sequence by its cheapest that all automata accept.

    Args:
        parts: the automata.
        costs: int64 (steps, events), below 0 for an event that cannot be.
        labels: int32 (steps,), the events that stand, changed where a sequence is found; of two that cost
            the same the one that stands is tried first.
        room: where to work.

    Returns:
        What it costs, NONE or OUT.
    """
    _look_ahead(parts, costs, room.ahead)
    bound = np.int64(0)
    for g in range(parts.starts.size):
        bound = max(bound, room.ahead[0, parts.starts[g]])
    slack: Any = max(bound // 4, 1)
    while bound < AWAY:
        cost, beyond = _within(parts, costs, labels, bound, room)
        if cost != NONE:
            return cost
        if beyond >= AWAY:
            return NONE
        bound = max(beyond, bound + slack)
        slack *= 2
    return NONE


@kernel
def _look_ahead(parts: Parts, costs: I64, ahead: I64) -> None:
    """Write what each automaton needs from each of its states after each step to an end."""
    steps = costs.shape[0]
    ahead[steps, :] = parts.penalties
    for t in range(steps - 1, -1, -1):
        for s in range(parts.moves.shape[0]):
            low = np.int64(AWAY)
            for e in range(costs.shape[1]):
                if costs[t, e] >= 0:
                    low = min(low, costs[t, e] + ahead[t + 1, parts.moves[s, e]])
            ahead[t, s] = low


@kernel
def _within(parts: Parts, costs: I64, labels: I32, bound: Any, room: Room) -> Any:
    """Search under a bound; return the cost, NONE or OUT, and the least that lay beyond the bound."""
    steps, count = costs.shape[0], 1
    beyond = np.int64(AWAY)
    room.values[0, 0] = 0
    for g in range(parts.starts.size):
        room.tuples[0, 0, g] = parts.starts[g]
    for t in range(steps):
        here, there = t & 1, 1 - (t & 1)
        room.clock[0] += 1
        after = 0
        for i in range(count):
            for k in range(-1, costs.shape[1]):
                e = labels[t] if k < 0 else k
                if costs[t, e] < 0 or k == labels[t]:
                    continue
                value = room.values[here, i] + costs[t, e]
                if after == room.values.shape[1]:
                    return OUT, beyond
                needed = _moved(parts, room, t, i, e, after, value, bound)
                if needed > bound:
                    beyond = min(beyond, needed)
                    continue
                slot = _slot(room, there, after)
                found = room.table[slot] if room.stamps[slot] == room.clock[0] else -1
                if found < 0:
                    room.table[slot], room.stamps[slot] = after, room.clock[0]
                    found = after
                    after += 1
                elif room.values[there, found] <= value:
                    continue
                room.values[there, found] = value
                room.parents[t, found], room.events[t, found] = i, e
        count = after
    return _ended(parts, labels, count, bound, beyond, room)


@kernel
def _moved(parts: Parts, room: Room, t: int, i: int, e: int, to: int, value: Any, bound: Any) -> Any:
    """Write where event `e` leads tuple `i` to place `to` of the next step; return what it needs at least."""
    here, there = t & 1, 1 - (t & 1)
    needed = np.int64(value)
    for g in range(parts.starts.size):
        s = parts.moves[room.tuples[here, i, g], e]
        room.tuples[there, to, g] = s
        needed = max(needed, min(value + room.ahead[t + 1, s], np.int64(AWAY)))
        if needed > bound:
            break
    return needed


@kernel
def _slot(room: Room, side: int, place: int) -> Any:
    """Return the slot of the hash table that holds the tuple at `place`, or that may take it."""
    mixed = np.int64(0)
    for g in range(room.tuples.shape[2]):
        # Below 2^62, so that it neither wraps around nor warns where the JIT is off.
        mixed = (((mixed ^ room.tuples[side, place, g]) & _MASK) * _MIX) >> 11
    slot = mixed & (room.table.size - 1)
    while room.stamps[slot] == room.clock[0]:
        same = True
        for g in range(room.tuples.shape[2]):
            same &= room.tuples[side, room.table[slot], g] == room.tuples[side, place, g]
        if same:
            break
        slot = (slot + 1) & (room.table.size - 1)
    return slot


@kernel
def _ended(parts: Parts, labels: I32, count: int, bound: Any, beyond: Any, room: Room) -> Any:
    """Take the cheapest end, and write the sequence that leads there if it lies within the bound."""
    steps = labels.size
    side = steps & 1
    best: Any = np.int64(AWAY)
    at = -1
    for i in range(count):
        total: Any = room.values[side, i]
        for g in range(parts.starts.size):
            total += parts.penalties[room.tuples[side, i, g]]
            total = AWAY if total > AWAY else total  # one more penalty still fits
        if total < best:
            best, at = total, i
    if best > bound or at < 0:
        return NONE, min(beyond, best)
    for t in range(steps - 1, -1, -1):
        labels[t] = room.events[t, at]
        at = room.parents[t, at]
    return best, beyond

"""The cheapest sequence of events that an automaton accepts: Viterbi in the min-plus semiring.

least[t, q] is what the cheapest t events cost that lead from the start to state q. A batch is taken in blocks
of 16 sequences that lie side by side; a step is then a minimum of sums of vectors, over the arrows that lead
into a state. No backpointers are kept: the way back looks for the arrow whose sum is the cost that stands.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .viterbi_lanes import FAR, LANES, arrive, far, least_of, put

Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Costs = npt.NDArray[np.int32] | npt.NDArray[np.int64]

AWAY = 1 << 61  # more than any sequence costs in 64 bits, as FAR in 32


class Rules(NamedTuple):
    """The automata of all rules, rule after rule.

    Attributes:
        moves: int32 (states, events), numbers of states among those of all rules.
        starts: int32 (rules,).
        accepts: bool (states,).
        alive: bool (states,), whether an accepting state is reached from here.
    """

    moves: I32
    starts: I32
    accepts: Bools
    alive: Bools


@kernel
def broken_places(rules: Rules, labels: I32, lengths: I64, out: I32) -> None:
    """Write where each sequence breaks each rule.

    Args:
        rules: the automata.
        labels: int32 (n, steps), event types.
        lengths: int64 (n,), how many steps each sequence has.
        out: int32 (n, rules): the place of the event after which nothing mends it; the sequence's length
            where it ends too soon; -1 where the rule holds.
    """
    for i in range(labels.shape[0]):
        for r in range(rules.starts.size):
            state, place = rules.starts[r], -1
            for t in range(lengths[i]):
                state = rules.moves[state, labels[i, t]]
                if not rules.alive[state]:
                    place = t
                    break
            if place < 0 and not rules.accepts[state]:
                place = lengths[i]
            out[i, r] = place


class Chart(NamedTuple):
    """An automaton by the arrows that lead into each state; state 0 is the start.

    The states are in the order in which a walk may first reach them.

    Attributes:
        reached: int32 (depth + 1,), how many states are reached within so many steps; then all are.
        starts: int32 (states + 1,), where the arrows into each state begin.
        arrows: int32 (arrows, 2), the state that each comes from, and the event that it stands for, or
            events + the number of a set of them.
        sets: int32 (sets + 1,), where the events of each set begin.
        events: int32, the events of all sets.
        ends: int64 (states,), what ending there costs; AWAY where a sequence must not end there.
    """

    reached: I32
    starts: I32
    arrows: I32
    sets: I32
    events: I32
    ends: I64


class Batch(NamedTuple):
    """What is repaired.

    Attributes:
        costs: int64 (n, steps, events), what each event costs at each step; below 0 it is impossible.
        lengths: int64 (n,).
        rows: int64 (m,), which sequences.
        labels: int32 (n, steps), the events that stand; changed where a sequence is found.
        reached: int64 (m,), out: what the sequence costs, -1 where none is accepted.
    """

    costs: I64
    lengths: I64
    rows: I64
    labels: I32
    reached: I64


@kernel
def sweep(chart: Chart, batch: Batch, sides: I32, least: I32) -> None:
    """Replace each sequence of `batch.rows` by its cheapest that is accepted, exactly.

    Where two cost the same, the event that stands is kept. A sequence costs less than FAR.

    Args:
        chart: the automaton.
        batch: the sequences, and where the answers go.
        sides: int32 (steps, events + sets, LANES), room.
        least: int32 (steps + 1, states, LANES), room.
    """
    states, letters = least.shape[1], sides.shape[1]
    flat, costs, arrows = least.reshape(-1), sides.reshape(-1), chart.arrows.reshape(-1)
    for start in range(0, batch.rows.size, LANES):
        here = batch.rows[start : start + LANES]
        steps = 0
        for b in range(here.size):
            steps = max(steps, batch.lengths[here[b]])
            _load(batch, here[b], FAR, sides[:, :, b])
        least[0, :, :] = FAR
        least[0, 0, :] = 0
        for t in range(steps):
            first = t * letters
            _join(chart, costs, first, letters - chart.sets.size + 1)
            within = chart.reached[min(t + 1, chart.reached.size - 1)]
            for q in range(within):
                k, end = chart.starts[q], chart.starts[q + 1]
                put(flat, (t + 1) * states + q, arrive(arrows, k, end, flat, t * states, costs, first))
            least[t + 1, within:, :] = FAR
        for b in range(here.size):
            batch.reached[start + b] = _finish(chart, batch, here[b], FAR, sides[:, :, b], least[:, :, b])


@kernel
def sweep_wide(chart: Chart, batch: Batch, sides: I64, least: I64) -> None:
    """Do what `sweep` does for sequences of any cost, one by one.

    Args:
        chart: the automaton.
        batch: the sequences, and where the answers go.
        sides: int64 (steps, events + sets), room.
        least: int64 (steps + 1, states), room.
    """
    for i in range(batch.rows.size):
        r = batch.rows[i]
        _load(batch, r, AWAY, sides)
        least[0, :] = AWAY
        least[0, 0] = 0
        events = batch.costs.shape[2]
        for t in range(batch.lengths[r]):
            for d in range(chart.sets.size - 1):
                sides[t, events + d] = AWAY
                for j in range(chart.sets[d], chart.sets[d + 1]):
                    sides[t, events + d] = min(sides[t, events + d], sides[t, chart.events[j]])
            for q in range(least.shape[1]):
                value = np.int64(AWAY)
                for k in range(chart.starts[q], chart.starts[q + 1]):
                    value = min(value, least[t, chart.arrows[k, 0]] + sides[t, chart.arrows[k, 1]])
                least[t + 1, q] = value
        batch.reached[i] = _finish(chart, batch, r, AWAY, sides, least)


@kernel
def _load(batch: Batch, r: int, away: int, sides: Costs) -> None:
    """Write what each event costs at each step of a sequence into `sides`, (steps, events and sets)."""
    for t in range(batch.lengths[r]):
        for e in range(batch.costs.shape[2]):
            cost = batch.costs[r, t, e]
            sides[t, e] = cost if cost >= 0 else away


@kernel
def _join(chart: Chart, costs: I32, first: int, events: int) -> None:
    """Write what the cheapest event of each set costs at one step, whose rows begin at `first`."""
    for d in range(chart.sets.size - 1):
        value = far()
        for j in range(chart.sets[d], chart.sets[d + 1]):
            value = least_of(value, costs, first + chart.events[j])
        put(costs, first + events + d, value)


@kernel
def _finish(chart: Chart, batch: Batch, r: int, away: int, sides: Costs, least: Costs) -> Any:
    """Write the cheapest accepted sequence of one row, last event first; return its cost or -1."""
    steps = batch.lengths[r]
    best, state = np.int64(away), -1
    for q in range(chart.ends.size):
        value = np.int64(least[steps, q])
        if value < away and chart.ends[q] < away and value + chart.ends[q] < best:
            best, state = value + chart.ends[q], q
    if state < 0:
        return np.int64(-1)
    for t in range(steps - 1, -1, -1):
        found, stands = -1, batch.labels[r, t]
        free = sides[t, stands]
        for k in range(chart.starts[state], chart.starts[state + 1]):
            cost = sides[t, chart.arrows[k, 1]]
            if cost < away and least[t, chart.arrows[k, 0]] + cost == least[t + 1, state]:
                if found < 0:
                    found = k
                if cost == free and _event(chart, sides[t], k, stands) == stands:
                    found = k
                    break
        batch.labels[r, t] = _event(chart, sides[t], found, stands)
        state = chart.arrows[found, 0]
    return best


@kernel
def _event(chart: Chart, costs: Costs, arrow: int, stands: int) -> Any:
    """Return the cheapest event of an arrow: the one that stands where that is among them."""
    letter, first = chart.arrows[arrow, 1], -1
    d = letter - (costs.size - chart.sets.size + 1)
    if d < 0:
        return letter
    for j in range(chart.sets[d], chart.sets[d + 1]):
        event = chart.events[j]
        if costs[event] == costs[letter]:
            if event == stands:
                return event
            if first < 0:
                first = event
    return first

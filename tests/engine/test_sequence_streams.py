"""bench/sequences.py: the packs of the first tries, and that our side's costs are those of a plain sweep."""

import numpy as np
import pytest

from engine.bench import sequences
from engine.bench.pairs import Wanted
from engine.bench.sides.ours_sequences import make
from engine.bench.sides.sequence_streams import EVENTS, rules_of, stream
from engine.logic.sequences.rule import automaton_for


@pytest.mark.parametrize(("pack", "count"), [("protocol4", 4), ("protocol8", 8), ("protocol14", 14)])
def test_our_side_keeps_the_costs_that_a_plain_search_finds(pack, count, tmp_path):
    assert len(rules_of(pack)) == count
    job = {"pack": pack, "seed": 1, "records": 6, "name": "ours", "folder": str(tmp_path)}
    make(job)()
    rules, labels, costs = stream(job, 4)
    assert (np.take_along_axis(costs, labels[..., None], 2) == 0).all()
    automata = [automaton_for(rule.body, EVENTS) for rule in rules]
    found = np.load(tmp_path / "ours.npy")
    assert len(found) == 6
    searched = 0 if count > 8 else 2  # the plain search takes a minute for the largest
    assert found[:searched].tolist() == [_least(automata, one) for one in costs[:searched]]


def _least(automata, costs):
    """Dijkstra without the queue: the cheapest way to every tuple of states, step by step."""
    ways = {(0,) * len(automata): 0}
    for step in costs.tolist():
        after = {}
        for states, paid in ways.items():
            for event, cost in enumerate(step):
                to = tuple(int(a.moves[s, event]) for a, s in zip(automata, states, strict=True))
                if all(a.alive[s] for a, s in zip(automata, to, strict=True)):
                    after[to] = min(after.get(to, 1 << 60), paid + cost)
        ways = after
    return min(c for s, c in ways.items() if all(a.accepts[q] for a, q in zip(automata, s, strict=True)))


def test_a_longer_stream_begins_with_a_shorter_one():
    job = {"pack": "protocol4", "seed": 3}
    assert np.array_equal(stream(job, 9)[2][:5], stream(job, 5)[2])


def test_there_are_no_rows_without_peers():
    assert sequences.sequence_rows(Wanted(pairs=1), 0.0) == []

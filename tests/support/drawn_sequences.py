"""Random rules over sequences and random sequences to repair, by seed."""

from __future__ import annotations

import random

import numpy as np

from engine.errors import RuleError
from engine.logic.sequences.engine import IMPOSSIBLE
from engine.logic.sequences.rule import Call, SequenceRule, automaton_for
from engine.logic.sequences.templates import TEMPLATES

EVENTS = ("a", "b", "c", "d")


def drawn_call(rng: random.Random, events=EVENTS) -> Call:
    """A random call of a random template that fits it."""
    while True:
        template = rng.choice(list(TEMPLATES.values()))
        names = rng.sample(events, len(events))
        places, numbers = [], {}
        for slot in template.slots:
            if slot.kind == "events":
                count = min(rng.randint(2, 3) if slot.many else 1, len(names))
                places += [(names.pop(),) for _ in range(count)]
            elif slot.keyword:
                if slot.needed or rng.random() < 0.5:
                    numbers[slot.name] = rng.randint(1, 4)
            elif slot.needed or rng.random() < 0.5:
                places.append(rng.randint(1, 3))
        call = Call(template.key, tuple(places), tuple(numbers.items()))
        try:
            automaton_for(call, tuple(events))
        except RuleError:
            continue
        return call


def drawn_rules(rng: random.Random, count: int, events=EVENTS, soft: float = 0.4) -> list[SequenceRule]:
    return [
        SequenceRule(f"r{i}", drawn_call(rng, events), rng.randint(1, 60) if rng.random() < soft else None)
        for i in range(count)
    ]


def drawn_costs(rng: np.random.Generator, n: int, steps: int, events: int, impossible: float = 0.05):
    costs = rng.integers(1, 90, (n, steps, events))
    labels = rng.integers(0, events, (n, steps)).astype(np.int32)
    np.put_along_axis(costs, labels[..., None].astype(np.int64), 0, 2)
    costs[rng.random(costs.shape) < impossible] = IMPOSSIBLE
    return labels, costs.astype(np.int64)

"""Random rules in time, and random stamps and places."""

from __future__ import annotations

import numpy as np
from timed_oracle import PAIRS, PARTS

from engine.logic.durations import Duration
from engine.logic.sequences.rule import Call
from engine.logic.sequences.templates import TEMPLATES

EVENTS = ("a", "b", "c")
TWO = (*PAIRS, *PARTS, "gap")
TIMED = tuple(name for name, template in TEMPLATES.items() if template.windows or name == "speed")


def drawn(rng, name=None):
    """A random call in time, and how the oracle is asked about it."""
    name = name or rng.choice(TIMED)
    a, b = rng.sample(EVENTS, 2)
    other = (b,) if rng.random() < 0.7 else tuple(e for e in EVENTS if e != a)
    if name == "gap" and rng.random() < 0.3:
        other = (a,)
    d, times = rng.randint(1, 6), rng.randint(0 if name in ("limit", "quota") else 1, 2)
    window = Duration(d * 1_000_000)
    asked = {"a": {EVENTS.index(a)}, "d": d, "times": times}
    if name in TWO:
        asked["b"] = {EVENTS.index(e) for e in other}
        if name == "gap":
            return Call(name, ((a,), other, window)), name, asked
        return Call(name, ((a,), other), (("within", window),)), name, asked
    if name in ("limit", "quota"):
        return Call(name, ((a,), times), (("per", window),)), name, asked
    if name == "speed":
        asked["times"] = rng.choice([100, 400_000])
        return Call(name, ((a,), asked["times"])), name, asked
    return Call(name, ((a,), window)), name, asked


def stamps_of(rng, n, steps):
    """Seconds that never fall, with ties."""
    gaps = rng.choice([0, 0, 1, 1, 2, 3, 7], (n, steps))
    return 1.7e9 + np.cumsum(gaps, 1).astype(np.float64)


def places_of(rng, n, steps):
    return np.stack([rng.choice([0.0, 1.0, 60.0], (n, steps)), rng.choice([0.0, 100.0], (n, steps))], axis=2)

"""Packs of rules over event sequences and streams of classifier outputs, drawn by seed, for every side.

A classifier says of each of 30 steps how likely each of eight events is: the true event, any one, has a logit
of 3 above Gaussian noise of 1. Costs are thousandths of a nat below the likeliest event of the step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...logic.sequences.rule import Call, SequenceRule

EVENTS = tuple("ABCDFGHI")
STEPS = 30
_MARGIN = 3.0  # of the true event's logit
_SCALE = 1000


def _call(template: str, *names: str, count: int | None = None, within: int | None = None) -> Call:
    places = [(name,) for name in names]
    numbers = () if within is None else (("within", within),)
    return Call(template, (*places, *(() if count is None else (count,))), numbers)


_FOUR = (
    _call("before", "B", "C", "D"),
    _call("response", "A", "B"),
    _call("absence", "D", count=2),
    _call("precedence", "A", "D"),
)
_EIGHT = (
    *_FOUR,
    _call("not co-existence", "F", "G"),
    _call("response", "A", "C", within=6),
    _call("existence", "H"),
    _call("chain response", "F", "I"),
)
_FOURTEEN = (
    *(_call("absence", "D", count=3) if call.template == "absence" else call for call in _EIGHT),
    _call("response", "D", "H"),
    _call("precedence", "H", "I"),
    _call("absence", "H", count=6),
    _call("existence", "B"),
    _call("response", "D", "I", within=9),
    _call("absence", "F", count=4),
)
_PACKS = {"protocol4": _FOUR, "protocol8": _EIGHT, "protocol14": _FOURTEEN}


def rules_of(pack: str) -> list[SequenceRule]:
    """Return the rules of a pack: protocol4, protocol8 or protocol14."""
    return [SequenceRule(f"rule {i}", call) for i, call in enumerate(_PACKS[pack], 1)]


def stream(job: dict[str, Any], records: int) -> tuple[list[SequenceRule], Any, Any]:
    """Return the job's rules, the likeliest events, int32 (records, steps), and all costs, int64.

    A longer stream begins with the records of a shorter one.
    """
    rng = np.random.default_rng(int(job["seed"]))
    costs = np.empty((records, STEPS, len(EVENTS)), np.int64)
    for one in costs:
        logits = rng.normal(0, 1, one.shape)
        logits[np.arange(STEPS), rng.integers(0, len(EVENTS), STEPS)] += _MARGIN
        nats = np.log(np.exp(logits).sum(1, keepdims=True)) - logits
        one[:] = np.round(_SCALE * (nats - nats.min(1, keepdims=True)))
    return rules_of(job["pack"]), costs.argmin(2).astype(np.int32), costs

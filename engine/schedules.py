"""How the learning rate goes over a run. A new schedule is one decorated function.

It takes the share of the steps taken, 0 to 1, and gives the factor of the learning rate. A warm-up before it
and a floor under it are the settings' own (engine/settings.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .options import Family

Schedule = Callable[[float], float]

SCHEDULES: Family[Schedule] = Family("train.schedule", "Learning-rate schedules")

_RISE = 0.3  # share of a one-cycle run that rises


@SCHEDULES.option(
    "cosine",
    "Cosine",
    formula="(1 + cos(pi s)) / 2",
    citation="Loshchilov & Hutter 2017, arXiv:1608.03983",
)
def cosine(share: float) -> float:
    """Return the half cosine from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


@SCHEDULES.option("constant", "Constant", formula="1")
def constant(share: float) -> float:
    """Return 1."""
    return 1.0


@SCHEDULES.option("linear", "Linear", formula="1 - s")
def linear(share: float) -> float:
    """Return the straight line from 1 to 0."""
    return 1.0 - min(1.0, share)


@SCHEDULES.option(
    "step",
    "Step, by ten",
    formula="1, then 0.1 from s = 1/2, then 0.01 from s = 3/4",
)
def step(share: float) -> float:
    """Return 1, a tenth from half the steps on, a hundredth from three quarters on."""
    return 1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01


@SCHEDULES.option(
    "polynomial",
    "Polynomial, power 0.9",
    formula="(1 - s)^0.9",
)
def polynomial(share: float) -> float:
    """Return (1 - share) to the power 0.9."""
    return float((1.0 - min(1.0, share)) ** 0.9)


@SCHEDULES.option(
    "one_cycle",
    "One cycle",
    formula="cosine from 1/25 to 1 at s = 0.3, then cosine to 1/250000",
    citation="Smith & Topin 2017, arXiv:1708.07120",
)
def one_cycle(share: float) -> float:
    """Return a rise from 1/25 to 1 over the first 30 % of the steps, then a fall to 1/250000."""
    low, last = 1 / 25, 1 / 250_000
    if share < _RISE:
        return low + (1 - low) * (1 - cosine(share / _RISE))
    return last + (1 - last) * cosine((share - _RISE) / (1 - _RISE))


def factor(key: str, share: float, *, warm: float = 0.0, floor: float = 0.0) -> float:
    """Return the factor of the learning rate after `share` of the steps.

    Args:
        key: the schedule.
        share: steps taken over all steps, 0 to 1.
        warm: share of the steps over which the rate rises in a straight line first (Goyal et al. 2017,
            arXiv:1706.02677); the schedule has what is left.
        floor: the schedule goes down to this instead of 0.
    """
    if share < warm:
        return share / warm * factor(key, 0.0, floor=floor)
    rest = (share - warm) / (1 - warm) if warm < 1 else 1.0
    made = SCHEDULES.make(key)(rest)
    return floor + (1 - floor) * made if floor else made

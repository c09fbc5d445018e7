"""When and where the events of sequences happen.

Stamps and places are known, never decided. A step without a stamp happens somewhere between its neighbours; a
stamp that lies before one of an earlier step contradicts their order and counts as missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...ports import F64, I64
from ..functions import distance

ANY_TIME = 10**18  # microseconds: longer than any window and any sequence
_TOLERANCE = 1e-9  # of a distance, which is rounded
_HOUR = 3.6e9  # microseconds


@dataclass(frozen=True, eq=False)
class Clock:
    """The stamps and places of one sequence.

    Attributes:
        stamps: the earliest time of each step in microseconds, never falling.
        widths: for how much longer each may be.
        places: float64 (steps, 2), degrees north and east, NaN where unknown; None where all are.
    """

    stamps: tuple[int, ...]
    widths: tuple[int, ...]
    places: F64 | None = None

    @property
    def known(self) -> bool:
        """Whether every stamp is known."""
        return not any(self.widths)

    @property
    def placed(self) -> bool:
        """Whether every place is known."""
        return self.places is not None and not np.isnan(self.places).any()

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """Return the time from each step's predecessor to it; 0 for the first."""
        return (0, *(b - a for a, b in zip(self.stamps, self.stamps[1:], strict=False)))[: len(self.stamps)]

    def between(self, first: int, then: int) -> int:
        """Return the time from one step to a later one, at most."""
        return self.stamps[then] + self.widths[then] - self.stamps[first]

    def least(self, first: int, then: int) -> int:
        """Return the time from one step to a later one, at least."""
        return self.stamps[then] - self.stamps[first] - self.widths[first]

    @cached_property
    def kilometres(self) -> F64 | None:
        """Return how far apart the steps are, float64 (steps, steps), NaN where that is not known."""
        if self.places is None:
            return None
        north, east = self.places[:, 0], self.places[:, 1]
        return distance([north[:, None], east[:, None], north[None], east[None]])

    def too_fast(self, first: int, then: int, speed: int) -> bool:
        """Return whether it takes more than `speed` km/h to get from one step to a later one in time."""
        if self.kilometres is None:
            return False
        reach = speed * self.between(first, then) / _HOUR
        return bool(self.kilometres[first, then] > reach * (1 + _TOLERANCE) + _TOLERANCE)


@dataclass(frozen=True, eq=False)
class Times:
    """The stamps and places of n sequences.

    Attributes:
        seconds: float64 (n, steps), since any moment, NaN where unknown; past a sequence's end not looked at.
        places: float64 (n, steps, 2), degrees north and east, NaN where unknown; None where all are.
    """

    seconds: F64
    places: F64 | None = None

    def take(self, rows: I64) -> Times:
        """Return those of some sequences."""
        return Times(self.seconds[rows], None if self.places is None else self.places[rows])

    def clock(self, record: int, steps: int) -> Clock:
        """Return those of one sequence of so many steps."""
        seconds = self.seconds[record, :steps]
        known = np.isfinite(seconds)
        stamps = np.zeros(steps, np.int64)
        if known.any():
            first = seconds[known][0]
            since = np.clip((seconds[known] - first) * 1e6, -ANY_TIME, ANY_TIME)
            stamps[known] = np.rint(since).astype(np.int64)
        places = None if self.places is None else self.places[record, :steps]
        return _clock(stamps.tolist(), known.tolist(), places)


def _clock(stamps: list[int], known: list[bool], places: F64 | None) -> Clock:
    latest: int | None = None
    least: list[int | None] = []
    for i, stamp in enumerate(stamps):
        if known[i] and (latest is None or stamp >= latest):
            latest = stamp
        else:
            known[i] = False
        least.append(latest)
    earliest: int | None = None
    widths, low = [0] * len(stamps), [0] * len(stamps)
    for i in reversed(range(len(stamps))):
        earliest = stamps[i] if known[i] else earliest
        here = least[i]
        if here is None:
            here = (0 if earliest is None else earliest) - ANY_TIME
        low[i] = here
        widths[i] = ANY_TIME if earliest is None or least[i] is None else earliest - here
    return Clock(tuple(low), tuple(widths), places)

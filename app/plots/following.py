"""Ranges of axes that follow growing curves in steps: an axis paints its words and lines anew only then."""

from __future__ import annotations

from math import floor, log10

Range = tuple[float, float]

_ROUND = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # ends of an axis in a decade
_AIR = 0.08  # of what there is, left free on each side when a range is chosen
_FILLED = 0.6  # of a range that is kept
_END, _WHOLE = 0.03, 0.25  # of what there is, and of an epoch, that is free after the last point, at least
_LEAST = 1e-3  # span of what does not change


def ahead(first: float, last: float) -> Range:
    """Return a range from `first`, or from 0 where it is at most 1, to a round number from `last` on."""
    begin = 0.0 if first <= 1 else first
    gone = max((1 + _END) * (last - begin), 1 + _WHOLE)
    decade = 10.0 ** floor(log10(gone))
    end = next(step for step in _ROUND if step * decade >= gone * (1 - 1e-9))
    return begin, begin + end * decade


def fitted(first: float, last: float) -> Range:
    """Return the range of what will not grow any more, with a little air at its end."""
    begin = 0.0 if first <= 1 else first
    return begin, last + max(_END * (last - begin), _WHOLE)


def held(now: Range | None, low: float, high: float) -> Range:
    """Return `now` while what lies from `low` to `high` fits and fills it, else another range around that."""
    span = max(high - low, _LEAST)
    if now and now[0] <= low and high <= now[1] and span >= _FILLED * (now[1] - now[0]):
        return now
    return low - _AIR * span, high + _AIR * span

"""Stretches of time as people say them."""

from __future__ import annotations

from math import isfinite


def duration(seconds: float) -> str:
    """Return a duration in words: `8 s`, `1 min 12 s`, `2 h 5 min`."""
    if not isfinite(seconds):
        return "unknown time"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s" if seconds >= 1 or seconds == 0 else f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def percent(share: float, digits: int = 1) -> str:
    """Return a share of 0 to 1 in percent: `94.8 %`; an en dash where it is not a number."""
    return f"{100 * share:.{digits}f} %" if isfinite(share) else "–"

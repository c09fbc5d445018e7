"""Lengths of time as rules write them: 3 days, 2 h, 1.5 min; without a unit a number counts steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from .vocabulary import number_of

_SECOND = 1_000_000  # microseconds
UNITS: dict[str, int] = {
    "ms": _SECOND // 1_000,
    "s": _SECOND,
    "min": 60 * _SECOND,
    "h": 3_600 * _SECOND,
    "days": 86_400 * _SECOND,
    "weeks": 7 * 86_400 * _SECOND,
}
_ALIASES = {
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "minute": "min",
    "minutes": "min",
    "hour": "h",
    "hours": "h",
    "d": "days",
    "day": "days",
    "week": "weeks",
}
MOST_MICROS = 36_525 * UNITS["days"]  # a century


@dataclass(frozen=True)
class Duration:
    """A length of time.

    Attributes:
        micros: how many microseconds it is; two of the same length are equal however they are written.
        written: the number and the unit as a rule writes them.
    """

    micros: int
    written: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.written or spoken(self.micros)


Window = int | Duration  # so many steps, or so much time


def unit_of(word: str) -> str | None:
    """Return the unit that a word names, or None."""
    low = word.lower()
    low = _ALIASES.get(low, low)
    return low if low in UNITS else None


def duration_of(number: str, unit: str) -> Duration | None:
    """Return the length of time of a number and a unit; None where they are none, or too long or fine."""
    found, known = number_of(number), unit_of(unit)
    if found is None or known is None:
        return None
    micros = found * UNITS[known]
    if micros.denominator != 1 or not 0 <= micros <= MOST_MICROS:
        return None
    return Duration(int(micros), f"{number} {unit.lower()}")


def spoken(micros: int) -> str:
    """Return a length of time by its two greatest units: 1 day 4 h, 12 min, 3.5 s."""
    sign, left = ("-" if micros < 0 else ""), abs(micros)
    said: list[str] = []
    for unit in ("days", "h", "min"):
        count, left = divmod(left, UNITS[unit])
        if count:
            said.append(f"{count} {'day' if unit == 'days' and count == 1 else unit}")
    if left or not said:
        said.append(f"{left / _SECOND:.6g} s")
    return sign + " ".join(said[:2])

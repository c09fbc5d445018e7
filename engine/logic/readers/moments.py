"""Dates, times and durations of FEEL as numbers, which rules compare like any other.

The literals are those of DMN: date("2020-01-31"), time("08:30:00"), date and time("2020-01-31T08:30:00"),
duration("P1DT2H"), duration("P1Y6M"), and @ before any of these texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

# Kind -> what it is counted in.
UNITS = {
    "date": "days since 1970-01-01",
    "time": "seconds since midnight",
    "date and time": "seconds since 1970-01-01T00:00:00Z",
    "days and time duration": "seconds",
    "years and months duration": "months",
}
KINDS = {
    "date": "date",
    "time": "time",
    "datetime": "date and time",
    "dateandtime": "date and time",
    "date and time": "date and time",
    "daytimeduration": "days and time duration",
    "days and time duration": "days and time duration",
    "yearmonthduration": "years and months duration",
    "years and months duration": "years and months duration",
}
LITERAL = r"(?:date\s+and\s+time|date|time|duration)\s*\(\s*\"[^\"\n]*\"\s*\)|@\"[^\"\n]*\""
_PARTS = re.compile(r"(?:(date\s+and\s+time|date|time|duration)\s*\(\s*|(@))\"([^\"\n]*)\"\s*\)?")
_MONTHS = re.compile(r"(-?)P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?", re.ASCII)
_SECONDS = re.compile(
    r"(-?)P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?", re.ASCII
)
_EACH = (86_400, 3_600, 60, 1)
_FIRST = date(1970, 1, 1)


@dataclass(frozen=True)
class Moment:
    """A literal: its kind, a key of UNITS, and its number in that unit."""

    kind: str
    number: float

    @property
    def text(self) -> str:
        """Return the number as rules write it."""
        return f"{self.number:.15g}"


def moment(text: str) -> Moment | None:
    """Return what a literal says, None where it is none or says nothing that exists."""
    found = _PARTS.fullmatch(text.strip())
    if found is None:
        return None
    named, _, words = found.groups()
    readers = [_READERS[" ".join(named.split())]] if named else list(_READERS.values())
    for read in readers:
        try:
            made = read(words)
        except ValueError:
            continue
        if made:
            return made
    return None


def _date(words: str) -> Moment | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", words, re.ASCII):
        return None
    return Moment("date", float((date.fromisoformat(words) - _FIRST).days))


def _time(words: str) -> Moment | None:
    if not re.fullmatch(r"\d{2}:\d{2}:\d{2}(\.\d{1,6})?", words, re.ASCII):  # without a zone
        return None
    read = time.fromisoformat(words)
    return Moment("time", read.hour * 3_600 + read.minute * 60 + read.second + read.microsecond / 1e6)


def _date_and_time(words: str) -> Moment | None:
    if not re.fullmatch(
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})?", words, re.ASCII
    ):
        return None
    read = datetime.fromisoformat(words)
    return Moment("date and time", (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def _duration(words: str) -> Moment | None:
    months, seconds = _MONTHS.fullmatch(words), _SECONDS.fullmatch(words)
    if months and any(months.groups()[1:]):
        sign, years, rest = months.groups()
        number = 12 * int(years or 0) + int(rest or 0)
        return Moment("years and months duration", float(-number if sign else number))
    if seconds and any(seconds.groups()[1:]):
        sign, *parts = seconds.groups()
        total = sum(float(part or 0) * each for part, each in zip(parts, _EACH, strict=True))
        return Moment("days and time duration", -total if sign else total)
    return None


_READERS = {"date and time": _date_and_time, "date": _date, "time": _time, "duration": _duration}

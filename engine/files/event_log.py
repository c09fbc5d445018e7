"""Logs of events: a table with one row an event, the rows of a case in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..logic.durations import UNITS
from ..logic.sequences.clock import Times
from ..logic.vocabulary import Variable
from ..ports import F64, I64
from ..sources.classes import number
from ..sources.opening import located
from ..sources.table import GAPS, Table, read_table
from .repairs import CERTAIN

CASE, EVENT = "case", "event"
TIME, PLACE = ("time", "timestamp"), (("latitude", "longitude"), ("lat", "lon"))
KINDS = ("probabilities", "logits")
MOST_SCORES = 1 << 27  # of all events: 1 GiB


@dataclass(frozen=True)
class EventLog:
    """The events of some cases, one after the other.

    Attributes:
        cases: the name of each case, in the order in which they begin.
        rows: int64 (events,), where the rows of the cases stood in the file, case after case.
        starts: int64 (cases + 1,), where the events of each case begin in `rows` and `scores`.
        scores: float64 (events, event types), logits in nats.
        facts: float64 (cases, given variables), NaN for a gap.
        seconds: float64 (events,), when each event happened, NaN for a gap; None where the log does not say.
        places: float64 (events, 2), degrees north and east, NaN for a gap; None where it does not say.
    """

    cases: tuple[str, ...]
    rows: I64
    starts: I64
    scores: F64
    facts: F64
    seconds: F64 | None = None
    places: F64 | None = None

    @property
    def lengths(self) -> I64:
        """Return how many events each case has."""
        return np.diff(self.starts)

    def times(self, cases: I64) -> Times | None:
        """Return when and where the events of some cases happened, None where the log does not say."""
        if self.seconds is None:
            return None
        most = int(self.lengths[cases].max(initial=0))
        seconds = np.full((len(cases), most), np.nan)
        places = None if self.places is None else np.full((len(cases), most, 2), np.nan)
        for i, case in enumerate(cases.tolist()):
            here = slice(self.starts[case], self.starts[case + 1])
            seconds[i, : self.lengths[case]] = self.seconds[here]
            if places is not None and self.places is not None:
                places[i, : self.lengths[case]] = self.places[here]
        return Times(seconds, places)

    def batches(self, most: int) -> Iterator[tuple[I64, F64]]:
        """Yield cases and their scores, float32 (n, steps, types), NaN past the end; `most` numbers at once.

        Cases of like length come together.
        """
        lengths, width = self.lengths, self.scores.shape[1]
        order = np.argsort(lengths, kind="stable")
        at = 0
        while at < len(order):
            count = 1
            while at + count < len(order) and (count + 1) * int(lengths[order[at + count]]) * width <= most:
                count += 1
            here = order[at : at + count]
            scores = np.full((count, int(lengths[here].max()), width), np.nan)
            for i, case in enumerate(here):
                scores[i, : lengths[case]] = self.scores[self.starts[case] : self.starts[case + 1]]
            yield here, scores
            at += count


def read_log(
    path: Path,
    events: tuple[str, ...],
    given: tuple[Variable, ...],
    kind: str = KINDS[0],
    unit: str = "",
) -> EventLog:
    """Return the log of a table: a column `case`, a column `event` or one of scores for each event type.

    Without scores every other event is a nat less likely than the one that stands. Facts are columns named
    after given variables, the same in every row of a case. A column `time` says when an event happened
    (ISO 8601, or numbers in a unit that is declared), `latitude` and `longitude` where.

    Args:
        path: .csv or .tsv.
        events: the event types.
        given: the facts that rules speak of.
        kind: what scores are, one of KINDS.
        unit: the unit of stamps that are numbers, one of durations.py; "" where they are ISO 8601.

    Raises:
        DataError: the file is missing or malformed, or lacks a column, or holds what it must not.
    """
    table = read_table(located(Path(), str(path), what="log of events"))
    if len(table.lines) * len(events) > MOST_SCORES:
        words = f"It has {len(table.lines):,} events of {len(events):,} types; "
        words += f"their product may be {MOST_SCORES:,} at most."
        raise DataError(words, where=table.where, do="Split the log, or join rare events.")
    if CASE not in table.names:
        raise DataError(f"There is no column {CASE!r}.", where=table.where, do="Say of each row which case.")
    numbers: dict[str, list[int]] = {}
    for row, case in enumerate(table.column(CASE)):
        numbers.setdefault(case, []).append(row)
    rows = np.array([row for here in numbers.values() for row in here], np.int64)
    starts = np.cumsum([0, *map(len, numbers.values())])
    scored = [name for name in events if name in table.names]
    if not scored:
        scores = _from_events(table, events)
    elif len(scored) == len(events):
        scores = _from_scores(table, events, kind)
    else:
        missing = next(name for name in events if name not in scored)
        raise DataError(f"There is no column of scores for {missing!r}.", where=table.where)
    facts = np.full((len(numbers), len(given)), np.nan)
    for v, variable in enumerate(given):
        if variable.name in table.names:
            for i, here in enumerate(numbers.values()):
                facts[i, v] = _fact(table, variable, here)
    seconds = stamps_of(table, list(numbers.values()), unit)
    places = _places(table)
    return EventLog(
        tuple(numbers),
        rows,
        starts,
        scores[rows],
        facts,
        None if seconds is None else seconds[rows],
        None if places is None else places[rows],
    )


def event_types(path: Path) -> tuple[str, ...]:
    """Return the event types that a log names, in the order in which they first come.

    Raises:
        DataError: it cannot be read, or has no column of events.
    """
    table = read_table(located(Path(), str(path), what="log of events"))
    if EVENT not in table.names:
        raise DataError(f"There is no column {EVENT!r}.", where=table.where)
    return tuple(dict.fromkeys(table.column(EVENT)))


def _from_events(table: Table, events: tuple[str, ...]) -> F64:
    if EVENT not in table.names:
        do = "Give it, or a column of scores for each event type."
        raise DataError(f"There is no column {EVENT!r}.", where=table.where, do=do)
    places = {name: i for i, name in enumerate(events)}
    scores = np.full((len(table.lines), len(events)), -1.0)
    for row, name in enumerate(table.column(EVENT)):
        if name not in places:
            words = f"There is no event {name[:40]!r}."
            raise DataError(words, where=table.place(row, EVENT), do=f"There are {', '.join(events[:12])}.")
        scores[row, places[name]] = 0.0
    return scores


def _from_scores(table: Table, events: tuple[str, ...], kind: str) -> F64:
    scores = np.empty((len(table.lines), len(events)))
    for i, name in enumerate(events):
        for row, cell in enumerate(table.column(name)):
            scores[row, i] = value = number(cell)
            if np.isnan(value) or (kind == "probabilities" and not 0 <= value <= 1):
                words = f"{cell[:40]!r} is no {'probability' if kind == 'probabilities' else 'number'}."
                raise DataError(words, where=table.place(row, name))
    if kind == "probabilities":
        with np.errstate(divide="ignore"):
            scores = np.log(scores)
    return np.clip(scores, -CERTAIN, None) if kind == "probabilities" else scores


def _fact(table: Table, variable: Variable, rows: list[int]) -> float:
    cells = table.column(variable.name)
    text = cells[rows[0]]
    for row in rows:
        if cells[row] != text:
            words = f"The case has two values of {variable.name}: {text[:40]!r} and {cells[row][:40]!r}."
            raise DataError(words, where=table.place(row, variable.name))
    if text in GAPS:
        return np.nan
    if variable.column.categories:
        index = variable.index_of(text)
        value = np.nan if index is None else float(index)
    else:
        value = number(text)
    if np.isnan(value):
        words = f"{text[:40]!r} is no value of {variable.name}."
        raise DataError(words, where=table.place(rows[0], variable.name))
    return value


# When and where


def stamps_of(table: Table, cases: list[list[int]], unit: str) -> F64 | None:
    """Return the seconds of each row, float64 (rows,), NaN for a gap; None without a column of stamps.

    Args:
        table: the log.
        cases: the rows of each case in their order.
        unit: the unit of stamps that are numbers, "" where they are ISO 8601.

    Raises:
        DataError: a cell is no stamp, or the stamps of a case go back.
    """
    name = next((name for name in TIME if name in table.names), None)
    if name is None:
        return None
    cells = table.column(name)
    found = np.full(len(cells), np.nan)
    zoned: bool | None = None
    for row, cell in enumerate(cells):
        if cell in GAPS:
            continue
        if unit:
            found[row] = number(cell) * (UNITS[unit] / 1e6)
        else:
            found[row], zone = _iso(cell)
            if not np.isnan(found[row]) and zoned not in (None, zone):
                words = "Some stamps have a time zone and some have none."
                raise DataError(words, where=table.place(row, name), do="Write all of them alike.")
            zoned = zone
        if not np.isfinite(found[row]):
            raise _no_stamp(cell, table.place(row, name), unit)
    _check_order(found, cases, table, name)
    return found


def _iso(cell: str) -> tuple[float, bool]:
    """Return the seconds of a stamp since 1970, and whether it has a time zone; NaN where it is none."""
    try:
        stamp = datetime.fromisoformat(cell)
    except ValueError:
        return np.nan, False
    start = datetime(1970, 1, 1, tzinfo=UTC if stamp.tzinfo else None)
    return (stamp - start) / timedelta(seconds=1), stamp.tzinfo is not None


def _no_stamp(cell: str, where: str, unit: str) -> DataError:
    if unit:
        return DataError(f"{cell[:40]!r} is no number.", where=where, do=f"Write stamps in {unit}.")
    do = "Write it as 2025-03-14T09:26:53."
    if not np.isnan(number(cell)):
        do = "If the stamps are numbers, say in which unit: --time-unit s."
    return DataError(f"{cell[:40]!r} is no stamp in ISO 8601.", where=where, do=do)


def _check_order(seconds: F64, cases: list[list[int]], table: Table, name: str) -> None:
    for rows in cases:
        known = [row for row in rows if not np.isnan(seconds[row])]
        for before, row in pairwise(known):
            if seconds[row] < seconds[before]:
                words = "The stamps of the case go back here."
                raise DataError(words, where=table.place(row, name), do="Sort the log by time.")


def _places(table: Table) -> F64 | None:
    names = next((pair for pair in PLACE if set(pair) <= set(table.names)), None)
    if names is None:
        return None
    found = np.full((len(table.lines), 2), np.nan)
    for i, (name, most) in enumerate(zip(names, (90, 180), strict=True)):
        for row, cell in enumerate(table.column(name)):
            if cell in GAPS:
                continue
            found[row, i] = degrees = number(cell)
            if not abs(degrees) <= most:
                words = f"{cell[:40]!r} is no {names[i]}: -{most} to {most} degrees."
                raise DataError(words, where=table.place(row, name))
    return found

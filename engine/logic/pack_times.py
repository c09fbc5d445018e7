"""When and where the events of a judged record happen: the keys `stamps` and `places` of its table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, TypeVar

from .pack_fields import WrongError, is_number, shown, table_at
from .pack_lines import Key
from .vocabulary import nearest

Place = tuple[float, float]
T = TypeVar("T")

_STAMP = "seconds, times such as 08:30:00, or dates with a time; nan where it is not known"
_PLACE = "[north, east] in degrees, such as [52.5, 13.4]; [nan, nan] where it is not known"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_stamps(entry: dict[str, Any], place: Key, events: Mapping[str, int]) -> dict[str, tuple[float, ...]]:
    """Return the stamps of each sequence of a record, in seconds, NaN where one is not known.

    Args:
        entry: the table of the record.
        place: its key.
        events: how many events each of its sequences has.

    Raises:
        WrongError: they are no stamps, not as many as events, of several kinds, or go back.
    """
    return _each(entry, "stamps", place, events, _stamps)


def read_places(
    entry: dict[str, Any], place: Key, stamped: Mapping[str, int]
) -> dict[str, tuple[Place, ...]]:
    """Return the places of each sequence with stamps, degrees north and east, NaN where one is not known.

    Args:
        entry: the table of the record.
        place: its key.
        stamped: how many events each sequence with stamps has.

    Raises:
        WrongError: they are no places on Earth, or not as many as events.
    """
    return _each(entry, "places", place, stamped, lambda found, here: tuple(_place(p, here) for p in found))


def _each(
    entry: dict[str, Any],
    key: str,
    place: Key,
    events: Mapping[str, int],
    read: Callable[[list[Any], Key], T],
) -> dict[str, T]:
    out = {}
    for name, found in table_at(entry, key, place, default={}).items():
        here = (*place, key, name)
        if name not in events:
            what = "events" if key == "stamps" else "stamps"
            words = f"This sample has no {what} of {name[:60]!r}."
            raise WrongError(here, words, nearest(name, tuple(events)))
        if not isinstance(found, list) or len(found) != events[name]:
            got = f"{len(found)} {key}" if isinstance(found, list) else shown(found)
            raise WrongError(here, f"It takes a list, one for each of the {events[name]} events; got {got}.")
        out[name] = read(found, here)
    return out


def _stamps(found: list[Any], here: Key) -> tuple[float, ...]:
    read = [_seconds(stamp, here) for stamp in found]
    if len({kind for kind, _ in read if kind}) > 1:
        raise WrongError(
            here, "Stamps are all seconds, all times, or all dates with a time, with a zone or not."
        )
    latest = -math.inf
    for i, (_, seconds) in enumerate(read):
        if seconds < latest:
            raise WrongError(here, f"Stamps go back: event {i + 1} is before one ahead of it.")
        latest = latest if math.isnan(seconds) else seconds
    return tuple(seconds for _, seconds in read)


def _seconds(stamp: Any, here: Key) -> tuple[str, float]:
    """Return what kind of stamp it is, "" for a gap, and its seconds."""
    if isinstance(stamp, float) and math.isnan(stamp):
        return "", math.nan
    if is_number(stamp):
        return "seconds", float(stamp)
    if isinstance(stamp, time):
        return "time", stamp.hour * 3600 + stamp.minute * 60 + stamp.second + stamp.microsecond / 1e6
    if isinstance(stamp, datetime):
        zoned = stamp.tzinfo is not None
        since = (stamp if zoned else stamp.replace(tzinfo=UTC)) - _EPOCH
        return ("zoned" if zoned else "date"), since.total_seconds()
    raise WrongError(here, f"A stamp is {_STAMP}; got {shown(stamp)}.")


def _place(found: Any, here: Key) -> Place:
    if isinstance(found, list) and len(found) == 2 and all(type(part) in (int, float) for part in found):
        north, east = found
        if (abs(north) <= 90 and abs(east) <= 180) or (north != north and east != east):
            return float(north), float(east)
    raise WrongError(here, f"A place is {_PLACE}; got {shown(found)}.")

"""Reading the tables of a pack file: every value with its type, every mistake with its key."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .pack_lines import Key

MOST_TEXT = 8_000
MOST_NUMBER = 1e15

T = TypeVar("T")


class WrongError(Exception):
    """Something is wrong at a key; becomes a RuleError with its line."""

    def __init__(self, key: Key, what: str, do: str = "") -> None:
        super().__init__(key, what, do)
        self.key, self.what, self.do = key, what, do


def only(table: dict[str, Any], keys: tuple[str, ...], place: Key) -> None:
    """Check that `table` has no keys but `keys`."""
    for key in table:
        if key not in keys:
            raise WrongError(
                (*place, key), f"There is no key {key[:60]!r} here.", f"Keys are {', '.join(keys)}."
            )


def typed(
    table: dict[str, Any], key: str, place: Key, kind: type[T], words: str, default: T | None = None
) -> T:
    """Return the value at `key`, of type `kind`; `words` say what it takes; no default: it must be there."""
    value = table.get(key, default)
    if value is None:
        raise WrongError(place, f"The key {key!r} is missing; it takes {words}.")
    if not isinstance(value, kind):
        raise WrongError((*place, key), f"It takes {words}; got {shown(value)}.")
    return value


def table_at(
    table: dict[str, Any], key: str, place: Key, default: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the table at `key`."""
    return typed(table, key, place, dict, "a table of keys", default)


def tables_at(table: dict[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    """Return the tables at `key`, at most `most`; none where it is not there."""
    entries = typed(table, key, (), list, f"tables [[{key}]]", default=[])
    if len(entries) > most:
        raise WrongError((key,), f"There are {len(entries):,} {key}; {most} is the most.")
    if not all(isinstance(entry, dict) for entry in entries):
        raise WrongError((key,), f"It takes tables [[{key}]].")
    return entries


def text_at(
    table: dict[str, Any], key: str, place: Key, *, needed: bool = False, most: int = MOST_TEXT
) -> str:
    """Return the text at `key`; "" where it is not there and not needed."""
    value = typed(table, key, place, str, "a text in quotes", default=None if needed else "")
    if needed and not value.strip():
        raise WrongError((*place, key), "It is empty.")
    if len(value) > most:
        raise WrongError((*place, key), f"It has {len(value):,} characters; {most:,} is the most.")
    return value


def texts_at(table: dict[str, Any], key: str, place: Key, most: int) -> tuple[str, ...]:
    """Return the texts at `key`, at most `most`; none where it is not there."""
    values = typed(table, key, place, list, "a list of texts", default=[])
    if len(values) > most:
        raise WrongError((*place, key), f"It has {len(values):,} texts; {most} is the most.")
    if not all(isinstance(value, str) and len(value) <= MOST_TEXT for value in values):
        raise WrongError((*place, key), "It takes a list of texts.")
    return tuple(values)


def number_at(table: dict[str, Any], key: str, place: Key) -> float | None:
    """Return the number at `key`, None where it is not there."""
    value = table.get(key)
    if value is None:
        return None
    if not is_number(value):
        raise WrongError((*place, key), f"It takes a number; got {shown(value)}.")
    return float(value)


def is_number(value: object) -> bool:
    """Whether it is a number of a size that a person means."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER


def shown(value: object) -> str:
    """Return the beginning of a value in quotes, whatever a hostile file holds."""
    try:
        return repr(str(value)[:40])
    except (ValueError, RecursionError):  # a number of thousands of digits
        return "something very long"


def check_date(words: str, place: Key) -> None:
    """Check that `words` are a date, or ""."""
    if words and not re.fullmatch(r"\d{4}-[01]\d-[0-3]\d", words, re.ASCII):
        raise WrongError(place, f"A date is written YYYY-MM-DD; got {words[:40]!r}.")


def check_url(url: str, place: Key) -> None:
    """Check that `url` has the shape of an address on the web; it is not asked for."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and "." in parts.netloc and not re.search(r"\s", url)
    except ValueError:
        good = False
    if not good:
        raise WrongError(place, f"It takes an address like https://example.org/page; got {url[:60]!r}.")

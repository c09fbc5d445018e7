"""Class names: their order, and labels as indices into them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..errors import DataError
from ..ports import I64
from .opening import spaced

MOST_CLASSES = 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def number(text: str) -> float:
    """Return the number a text says in plain decimal notation, or NaN where it says none that is finite."""
    if not _NUMBER.fullmatch(text):
        return math.nan
    value = float(text)
    return value if math.isfinite(value) else math.nan


def class_name(text: str) -> str:
    """Return one name for every way to write a class: `1`, `1.0` and `+1` are the same class."""
    value = number(text)
    if math.isnan(value):
        return text
    return str(int(value)) if value == int(value) and abs(value) < 2**63 else repr(value)


def in_order(names: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the distinct class names: by value where all are numbers, by name otherwise.

    Raises:
        DataError: there is one class only, or more than a classifier takes.
    """
    found = set(names)
    if len(found) < 2:
        there = ", ".join(repr(n) for n in found) or "none"
        raise DataError(f"Classes must be at least two; the labels hold {there}.", where=where)
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"The labels hold {spaced(len(found))} different values; "
            f"at most {spaced(MOST_CLASSES)} classes are taken.",
            where=where,
            do="Choose labels that name a class.",
        )
    if all(not math.isnan(number(n)) for n in found):
        return tuple(sorted(found, key=number))
    return tuple(sorted(found))


def indices(names: Sequence[str | None], classes: tuple[str, ...], where: Callable[[int], str]) -> I64:
    """Return labels, int64 (n,), for names of classes; -1 where a name is None.

    Args:
        names: one name a record, written as `class_name` writes it.
        classes: the class names in label order.
        where: gives the place of a record, for the message.

    Raises:
        DataError: a name is none of the classes.
    """
    places = {class_name(name): i for i, name in enumerate(classes)}
    out = np.full(len(names), -1, np.int64)
    for i, name in enumerate(names):
        if name is None:
            continue
        if name not in places:
            there = ", ".join(classes[:20]) + (" ..." if len(classes) > 20 else "")
            raise DataError(f"The class {name[:80]!r} is not known; there are {there}.", where=where(i))
        out[i] = places[name]
    return out

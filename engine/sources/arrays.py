"""Records from named arrays: what NumPy archives and HDF5 files have in common.

Labels that are texts name their class. Labels that are whole numbers are indices where the file, or the data
the graph was built on, gives class names; otherwise each number is a class named after itself. One-axis
arrays with one entry a record are facts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError
from ..label_sets import joined
from ..ports import F64, I64, Array, Column
from ..records import Header, Records
from .classes import class_name, in_order, indices, number
from .opening import spaced

MOST_CATEGORIES = 1000
CLASSES = "classes"  # the array that names the classes, beside the labels
INDICES = "labels count the classes"  # kept in Header.encoding where whole numbers are indices, not names


@dataclass(frozen=True)
class Named:
    """Arrays read from one file.

    Attributes:
        where: the file.
        samples: (n, ...), any kind of number.
        labels: (n,), whole numbers or texts, or None.
        classes: (classes,), texts or numbers, or None.
        facts: (n,) each, by name.
    """

    where: str
    samples: Array
    labels: Array | None = None
    classes: Array | None = None
    facts: dict[str, Array] = field(default_factory=dict)


def records_of(named: Named, header: Header | None) -> tuple[Header, Records]:
    """Return header and records of arrays, encoded by `header` where there is one.

    Raises:
        DataError: shapes, kinds or classes do not fit together or do not fit the header.
    """
    samples = as_samples(named.samples, named.where)
    n = len(samples)
    if header and samples.shape[1:] != header.shape:
        words = f"Records have the shape {samples.shape[1:]}; the graph was built on {header.shape}."
        raise DataError(words, where=named.where)
    if header and header.several:
        facts, notes = _facts(named, header.columns, n)
        labels = _several(named, n, len(header.classes))
        return header, Records(samples, labels, facts, (*notes, *_label_notes(named, labels)))
    names, own = _label_names(named, n, header)
    if header:
        classes, columns = header.classes, header.columns
    else:
        known = [name for name in names if name is not None]
        classes = own or (in_order(known, named.where) if named.labels is not None else ())
        columns = tuple(_column(name, array, named.where) for name, array in named.facts.items())
    labels = indices(names, classes, lambda row: f"{named.where}, record {row + 1}")
    facts, notes = _facts(named, columns, n)
    found = header or Header(samples.shape[1:], classes, columns, n, INDICES if own else "")
    return found, Records(samples, labels, facts, (*notes, *_label_notes(named, labels)))


def as_samples(array: Array, where: str) -> Array:
    """Return an array of numbers as samples (n, *shape); a single axis becomes records of one number.

    Whole numbers of up to 16 bits and half floats stay what they are, for they take less room and are exact
    in float32; all others become float32.

    Raises:
        DataError: they are not numbers, not finite, or none.
    """
    if array.dtype.kind not in "buif":
        raise DataError(f"Samples must be numbers; they are {array.dtype.name}.", where=where)
    if array.ndim == 0 or array.size == 0:
        raise DataError(f"The samples are empty: their shape is {array.shape}.", where=where)
    small = array.dtype.itemsize <= 2
    kind = {"b": np.dtype(np.uint8)}.get(array.dtype.kind, array.dtype.newbyteorder("="))
    with np.errstate(over="ignore"):
        samples = np.ascontiguousarray(array, kind if small else np.float32)
    samples = samples.reshape(-1, 1) if array.ndim == 1 else samples
    if samples.dtype.kind in "ui":
        return samples
    whole = np.isfinite(samples).reshape(len(samples), -1).all(1)
    if not whole.all():
        row = int(np.argmin(whole)) + 1
        words = "A sample is not a finite number, or too large for 32 bits."
        raise DataError(words, where=f"{where}, record {row}", do="Fill gaps before the data is stored.")
    return samples


def texts(array: Array) -> list[str]:
    """Return the entries of an array of texts, bytes or numbers as texts."""
    if array.dtype.kind == "S":
        return [entry.decode("utf-8", "replace") for entry in array.tolist()]
    if array.dtype.kind == "f":
        return [class_name(repr(entry)) for entry in array.tolist()]
    whole = array.astype(np.int64) if array.dtype.kind == "b" else array
    return [str(entry) for entry in whole.tolist()]


def _label_names(named: Named, n: int, header: Header | None) -> tuple[list[str | None], tuple[str, ...]]:
    """Return the class name of each record (None: unknown), and the classes that the file itself names."""
    own = _class_names(named)
    if named.labels is None:
        return [None] * n, own
    labels = _one_axis(named.labels, n, named.where)
    if labels.dtype.kind in "SU":
        return [class_name(text) if text else None for text in texts(labels)], own
    if labels.dtype.kind == "f" and not (labels == np.floor(labels)).all():
        raise DataError("Labels must be whole numbers or texts; some are fractions.", where=named.where)
    listed = own or _listed(header)
    if not listed:
        known = header is None or "-1" in header.classes
        names = [class_name(text) for text in texts(labels)]
        return [name if known or name != "-1" else None for name in names], own
    return [_of_index(int(i), listed, row, named.where) for row, i in enumerate(labels.tolist())], own


def _several(named: Named, n: int, count: int) -> I64:
    """Return which of several labels hold, as label_sets.py has them; -1 where the file has none."""
    if named.labels is None:
        return np.full(n, -1, np.int64)
    if named.labels.shape != (n, count) or not np.isin(named.labels, (0, 1)).all():
        words = f"Labels must be 0 or 1 for each of {count} labels, shape {(n, count)}."
        raise DataError(words, where=named.where, why="The graph was built on several labels a record.")
    return joined(named.labels != 0)


def _of_index(index: int, listed: tuple[str, ...], row: int, where: str) -> str | None:
    if not -1 <= index < len(listed):
        words = f"The label {index} is none of the {len(listed)} classes, counted from 0."
        raise DataError(words, where=f"{where}, record {row + 1}")
    return class_name(listed[index]) if index >= 0 else None


def _listed(header: Header | None) -> tuple[str, ...]:
    """Return the header's class names where whole numbers count them: told so, or the names are words."""
    words = header is not None and any(math.isnan(number(name)) for name in header.classes)
    return header.classes if header and (words or header.encoding == INDICES) else ()


def _class_names(named: Named) -> tuple[str, ...]:
    if named.classes is None:
        return ()
    if named.classes.ndim != 1 or named.classes.dtype.kind not in "SUiu":
        raise DataError(f"The array {CLASSES!r} must hold one name a class.", where=named.where)
    names = tuple(texts(named.classes))
    in_order(map(class_name, names), named.where)
    if len({class_name(name) for name in names}) < len(names) or not all(names):
        raise DataError(f"The array {CLASSES!r} names a class twice, or not at all.", where=named.where)
    return names


def _one_axis(labels: Array, n: int, where: str) -> Array:
    if labels.shape not in ((n,), (n, 1)):
        raise DataError(f"There are {n} records, but labels of shape {labels.shape}.", where=where)
    if labels.dtype.kind not in "buifSU" or (labels.dtype.kind == "f" and not np.isfinite(labels).all()):
        raise DataError(f"Labels must be whole numbers or texts; they are {labels.dtype.name}.", where=where)
    return labels.reshape(n)


def _column(name: str, array: Array, where: str) -> Column:
    if array.dtype.kind not in "SU":
        return Column(name)
    found = sorted({text for text in texts(array) if text})
    if len(found) > MOST_CATEGORIES:
        words = f"The array {name!r} holds {spaced(len(found))} different texts; {MOST_CATEGORIES} are taken."
        raise DataError(words, where=where)
    return Column(name, tuple(found) or ("",))


def _facts(named: Named, columns: tuple[Column, ...], n: int) -> tuple[F64, tuple[str, ...]]:
    out = np.full((n, len(columns)), np.nan)
    notes = []
    for i, column in enumerate(columns):
        array = named.facts.get(column.name)
        if array is None:
            notes.append(f"The fact {column.name!r} is not in the file; taken for a gap.")
        elif (array.dtype.kind in "SU") != bool(column.categories):
            must = "texts" if column.categories else "numbers"
            words = f"The fact {column.name!r} must be {must}; it is {array.dtype.name}."
            raise DataError(words, where=named.where)
        elif column.categories:
            places = {category: float(at) for at, category in enumerate(column.categories)}
            out[:, i] = [places.get(text, np.nan) for text in texts(array)]
        else:
            out[:, i] = np.where(np.isfinite(array), array, np.nan) if array.dtype.kind == "f" else array
    return out, tuple(notes)


def _label_notes(named: Named, labels: I64) -> tuple[str, ...]:
    if named.labels is None:
        return ("The file holds no labels; its classes are unknown.",)
    unknown = int((labels < 0).sum())
    return (f"{spaced(unknown)} records have no label.",) if unknown else ()

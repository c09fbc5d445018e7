"""Scores of variables in, repaired values out, by suffix. A new format is one decorated function here."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, PolybitError
from ..logic.lowering import SCALE
from ..logic.pipeline import STATUS, TOOLS, Decided
from ..options import Family
from ..ports import F64
from ..sources.classes import number
from ..sources.npz import NumpyArchive
from ..sources.opening import located
from ..sources.table import read_table
from .atomic import replacing

CERTAIN = 40.0  # nats: a probability of 0 or 1 counts as this log-odds


@dataclass(frozen=True)
class Repairs:
    """What is written of n records.

    Attributes:
        names: the variables in order.
        decided: their values, costs in 1 / SCALE nats, status and engine; more variables may follow.
        predicted: bool (n, variables), the values before.
    """

    names: tuple[str, ...]
    decided: Decided
    predicted: np.ndarray[tuple[int, int], np.dtype[np.bool_]]


Writer = Callable[[Path, Repairs], None]
WRITERS: Family[Writer] = Family("files.repairs", "Files of repaired values")


def read_scores(path: Path, names: tuple[str, ...]) -> F64:
    """Return scores, float64 (n, names): columns of a table found by their names, or an array `scores`.

    Raises:
        DataError: the file is missing or malformed, lacks a variable, or holds something else than numbers.
    """
    place = located(Path(), str(path), what="file of scores")
    if path.suffix == ".npz":
        _, records = NumpyArchive(path=str(path), samples="scores", labels="").load(Path(), None)
        scores = records.samples.astype(np.float64)
        if scores.ndim != 2 or scores.shape[1] != len(names):
            words = f"The array `scores` has the shape {scores.shape}; the rules have {len(names)} variables."
            raise DataError(words, where=str(path), do="Give one row a record and one column a variable.")
    elif path.suffix in (".csv", ".tsv"):
        scores = _from_table(place, names)
    else:
        raise DataError(f"Scores are read from .csv, .tsv and .npz; got {path.name!r}.")
    gaps = np.argwhere(np.isnan(scores))
    if len(gaps):
        row, column = gaps[0]
        raise DataError(f"Record {row} has no score for {names[column]}.", where=str(path))
    return scores


def log_odds(scores: F64, kind: str, where: str = "") -> F64:
    """Return the log-odds in nats, at most CERTAIN away from 0, of scores: `probabilities` or `logits`.

    Args:
        scores: float64 (n, variables).
        kind: what they are.
        where: the file they are from, for messages.

    Raises:
        DataError: a probability is not between 0 and 1.
    """
    if kind == "probabilities":
        wrong = np.argwhere((scores < 0) | (scores > 1))
        if len(wrong):
            row, column = wrong[0]
            words = f"Record {row} has the score {scores[row, column]:g}; probabilities are 0 to 1."
            raise DataError(words, where=where, do="Say --kind logits if they are logits.")
        with np.errstate(divide="ignore"):
            scores = np.log(scores) - np.log1p(-scores)
    return np.clip(scores, -CERTAIN, CERTAIN)


@WRITERS.option(".csv", "CSV table", formula="one row a record, one column a variable")
def write_csv(path: Path, repairs: Repairs) -> None:
    """Write record, status, engine, cost, what any costs at least, changed variables, all as 0 or 1."""
    decided, count = repairs.decided, len(repairs.names)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["record", "status", "engine", "cost", "bound", "changed", *repairs.names])
        for i, values in enumerate(decided.values[:, :count]):
            changed = [repairs.names[v] for v in np.flatnonzero(values != repairs.predicted[i, :count])]
            costs = ["" if c < 0 else f"{c / SCALE:g}" for c in (decided.costs[i], decided.bounds[i])]
            status, engine = STATUS[decided.status[i]], TOOLS[decided.tool[i]]
            writer.writerow([i, status, engine, *costs, "; ".join(changed), *values.astype(int).tolist()])


@WRITERS.option(".npz", "NumPy archive", formula="arrays values, raw, cost, bound, status, engine, variables")
def write_npz(path: Path, repairs: Repairs) -> None:
    """Write bool values and raw values, (n, variables); cost and bound in nats, or NaN; status, engine."""
    decided, count = repairs.decided, len(repairs.names)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            values=decided.values[:, :count],
            raw=repairs.predicted[:, :count],
            cost=np.where(decided.costs < 0, np.nan, decided.costs / SCALE),
            bound=np.where(decided.bounds < 0, np.nan, decided.bounds / SCALE),
            status=np.array(STATUS)[decided.status],
            engine=np.array(TOOLS)[decided.tool],
            variables=np.array(repairs.names),
        )


def write_repairs(path: Path, repairs: Repairs) -> None:
    """Write `repairs` in the format that the suffix of `path` names, whole or not at all.

    Raises:
        PolybitError: the folder cannot be written to.
    """
    check_repairs_suffix(path)
    with replacing(path) as part:
        WRITERS.make(path.suffix)(part, repairs)


def check_repairs_suffix(path: Path) -> None:
    """Make sure that there is a writer for the suffix of `path`.

    Raises:
        PolybitError: there is none.
    """
    if path.suffix not in WRITERS:
        there = ", ".join(WRITERS)
        raise PolybitError(f"Repaired values are written as {there}; got {path.name!r}.")


def _from_table(place: Path, names: tuple[str, ...]) -> F64:
    table = read_table(place)
    missing = [name for name in names if name not in table.names]
    if missing:
        some = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        words = f"There is no column for {some}."
        raise DataError(words, where=str(place), do="Name the columns after the variables of the rules.")
    out = np.empty((len(table.lines), len(names)), np.float64)
    for i, name in enumerate(names):
        for row, cell in enumerate(table.column(name)):
            out[row, i] = value = number(cell)
            if np.isnan(value):
                words = f"{cell[:40]!r} is no number."
                raise DataError(words, where=table.place(row, name))
    return out

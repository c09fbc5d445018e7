"""Predictions on disk, by suffix: .csv, .npz, .h5. A new format is one decorated function here."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import hdf5
from ..errors import PolybitError
from ..options import Family
from ..runtime.answer import Answer
from .atomic import replacing

Writer = Callable[[Path, Answer], None]
WRITERS: Family[Writer] = Family("files.predictions", "Prediction files")


@WRITERS.option(".csv", "CSV table", formula="one row a record; scores as shortest decimals of float32")
def write_csv(path: Path, answer: Answer) -> None:
    """Write record, label, raw label, status, engine, broken rules and the score of every class.

    Of several labels a record, also a column for each, 1 where it holds, and one for each before the rules.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        scores = [f"score_{name}" for name in answer.classes]
        labels = [f"{word}_{name}" for word in ("label", "raw_label") for name in answer.classes]
        holds = np.concatenate([answer.held, answer.raw_held], axis=1).astype(int) if answer.several else ()
        several = labels if answer.several else ()
        head = ["record", "label", "raw_label", "status", "engine", "broken_rules", *several, *scores]
        writer.writerow(head)
        for i, row in enumerate(answer.scores):
            broken = "; ".join(name for name, hit in zip(answer.rules, answer.broken[i], strict=True) if hit)
            cells = [str(v) for v in (*(holds[i] if answer.several else ()), *row)]
            label, raw = answer.name(int(answer.labels[i])), answer.name(int(answer.raw_labels[i]))
            writer.writerow([i, label, raw, answer.status[i], answer.engine[i], broken, *cells])


@WRITERS.option(
    ".npz", "NumPy archive", formula="arrays label, raw_label, scores, status ..., classes, rules"
)
def write_npz(path: Path, answer: Answer) -> None:
    """Write the arrays of an answer; of several labels also `held` and `raw_held`, a column for each."""
    with path.open("wb") as file:
        np.savez_compressed(file, **_arrays(answer))


@WRITERS.option(
    ".h5",
    "HDF5",
    formula="datasets label, raw_label, scores, status ...; attributes classes, rules",
)
def write_h5(path: Path, answer: Answer) -> None:
    """Write the arrays of an answer; names as attributes, status and engine as places in their words."""
    with hdf5.writing(path) as file:
        for name, value in _arrays(answer).items():
            if name in ("status", "engine"):  # one word a record: as a number, with the words beside
                words, places = np.unique(value, return_inverse=True)
                file.create_dataset(name, data=places.astype(np.uint8))
                file.attrs[f"{name}_words"] = [str(v) for v in words]
            elif value.dtype.kind == "U":
                file.attrs[name] = [str(v) for v in value]
            else:
                file.create_dataset(name, data=value)


def write_predictions(path: Path, answer: Answer) -> None:
    """Write `answer` in the format that the suffix of `path` names, whole or not at all.

    Raises:
        PolybitError: there is no writer for that suffix, or the folder cannot be written to.
    """
    if path.suffix not in WRITERS:
        there = ", ".join(WRITERS)
        raise PolybitError(f"Predictions are written by suffix: {there}; got {path.suffix or 'none'!r}.")
    with replacing(path) as part:
        WRITERS.make(path.suffix)(part, answer)


def _arrays(answer: Answer) -> dict[str, Any]:
    several = {"held": answer.held, "raw_held": answer.raw_held} if answer.several else {}
    return {
        "label": answer.labels,
        "raw_label": answer.raw_labels,
        **several,
        "scores": answer.scores,
        "status": answer.status,
        "engine": answer.engine,
        "broken": answer.broken,
        "classes": np.array(answer.classes, str),
        "rules": np.array(answer.rules, str),
    }

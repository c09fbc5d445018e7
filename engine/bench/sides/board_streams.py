"""Sudoku boards shown in digits, and what each digit costs each cell: what every side of the suite works on.

The images are MNIST digits that the project's network has never seen. They are read by that network, as it is
shipped, or by ridge regression on the pixels of a few digits, a poor reader. Which cells are blank is given,
or read as a 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...files.model import load_model
from ...logic.proper import NEVER
from ...logic.sudoku import drawn
from ...sources.idx import read_idx

CLUES = 30
_PROJECTS = Path(__file__).parents[3] / "projects"
MODEL = _PROJECTS / "sudoku" / "sudoku.h5"
IMAGES = _PROJECTS / "zoo" / "train-images-idx3-ubyte.gz"
LABELS = _PROJECTS / "zoo" / "train-labels-idx1-ubyte.gz"
_SHOWN = 5_000  # the last of the 10,000 images that the network was never shown
_RIDGE = 10.0
_SCALE, _MOST = 10_000, 40.0  # costs are ten-thousandths of a nat, at most so many nats
_SHARPNESS = 8.0  # what turns the numbers of the regression into logits

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class Boards(NamedTuple):
    """n boards.

    Attributes:
        puzzles, solutions: int64 (n, 81).
        read: int64 (n, 81), the class with the highest score, 0 for a cell that is known to be blank.
        costs: int64 (n, 729), what each digit costs each cell.
        readings: int64 (n, 81, 10), what each reading costs each cell, blank first.
        accuracy: of the reader, over all images shown.
    """

    puzzles: I64
    solutions: I64
    read: I64
    costs: I64
    readings: I64
    accuracy: float


def boards(job: dict[str, Any], count: int) -> Boards:
    """Return the first `count` boards of a job, read from the job's folder where they were kept before.

    Args:
        job: `reader`, model or ridge; `digits`, how many the ridge learns from; `blank`, given or read;
            `records`, how many boards there are; `seed`; `folder`.
        count: at most `records`.
    """
    kept = Path(job["folder"]) / "boards.npz"
    if not kept.is_file():
        np.savez(kept, **_made(job)._asdict())
    with np.load(kept) as arrays:
        found = {name: arrays[name] for name in Boards._fields}
    accuracy = float(found.pop("accuracy"))
    return Boards(**{name: array[:count] for name, array in found.items()}, accuracy=accuracy)


def _made(job: dict[str, Any]) -> Boards:
    images, labels = read_idx(IMAGES), read_idx(LABELS).astype(np.int64)
    if job["reader"] == "model":
        scores = _model(images[-_SHOWN:])
    else:
        scores = _ridge(images, labels, int(job["digits"]))
    labels = labels[-_SHOWN:]
    puzzles, solutions = drawn(int(job["records"]), CLUES, int(job["seed"]))
    rng = np.random.default_rng(int(job["seed"]) + 1)
    chosen = np.empty(puzzles.shape, np.int64)
    for digit in range(10):
        here = puzzles == digit
        chosen[here] = rng.choice(np.flatnonzero(labels == digit), int(here.sum()))
    shown = scores[chosen]
    paid = np.rint(np.minimum(shown.max(2, keepdims=True) - shown, _MOST) * _SCALE).astype(np.int64)
    read = shown.argmax(2)
    if job["blank"] == "given":
        paid[:, :, 1:] -= paid[:, :, 1:].min(2, keepdims=True)
        paid[puzzles > 0, 0] = NEVER
        paid[puzzles == 0] = np.where(np.arange(10) == 0, 0, NEVER)
        read = np.where(puzzles == 0, 0, shown[:, :, 1:].argmax(2) + 1)
    costs = np.minimum(paid[:, :, 1:], paid[:, :, :1]).reshape(len(paid), -1)
    accuracy = float((scores.argmax(1) == labels).mean())
    return Boards(puzzles, solutions, read, costs, paid, accuracy)


def _model(images: npt.NDArray[np.uint8]) -> F64:
    program = load_model(MODEL)
    return program.answer(program.records(images)).raw_scores.astype(np.float64)


def _ridge(images: npt.NDArray[np.uint8], labels: I64, digits: int) -> F64:
    pixels = images.reshape(len(images), -1).astype(np.float64) / 255
    known, wanted = pixels[:digits], np.eye(10)[labels[:digits]] - 0.1
    weights = np.linalg.solve(known.T @ known + _RIDGE * np.eye(known.shape[1]), known.T @ wanted)
    return np.asarray(pixels[-_SHOWN:] @ weights * _SHARPNESS, np.float64)

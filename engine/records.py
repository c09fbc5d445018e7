"""Records of a data set in memory: what a source node reads and what the graph is run on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .ports import F32, F64, I64, Array, Column


@dataclass(frozen=True)
class Header:
    """What is known of a data set without its records: enough for every shape rule and estimate.

    Attributes:
        shape: elements of one record.
        classes: class names, in label order; () where the data has no labels.
        columns: the columns of facts.
        records: how many records there are.
        encoding: for tables, the state of the column encoder as JSON text ("" otherwise).
        several: whether each class is a label of its own, of which a record may have several.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    records: int = 0
    encoding: str = ""
    several: bool = False


@dataclass(frozen=True)
class Records:
    """Records read from a file.

    Attributes:
        samples: (n, *shape), float32, or the file's own whole numbers of up to 16 bits or half floats: a
            batch is turned into float32 when it is taken, so a large file is not held four times over.
        labels: int64 (n,), indices into the header's classes, or where the header says that there are
            several labels, a bit for each that holds; -1 is unknown.
        facts: float64 (n, columns); categories as indices, NaN for a gap or a category not seen before.
        notes: sentences about what was odd but harmless, for the user.
        places: int64 (n,), of a batch: where its records stand in what it was taken from; None elsewhere.
    """

    samples: Array
    labels: I64
    facts: F64
    notes: tuple[str, ...] = ()
    places: I64 | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: I64 | slice) -> Records:
        """Return the records at `rows`, in that order."""
        return replace(self, samples=self.samples[rows], labels=self.labels[rows], facts=self.facts[rows])


def as_floats(samples: Array, out: F32 | None = None) -> F32:
    """Return samples as float32, which is exact for every dtype that records hold.

    Args:
        samples: (n, *shape).
        out: float32 of that shape to write into; not used where the samples are float32 already.
    """
    if samples.dtype == np.float32:
        return samples
    if out is None:
        return samples.astype(np.float32)
    out[...] = samples
    return out


def no_facts(n: int) -> F64:
    """Return the facts of `n` records that have none."""
    return np.zeros((n, 0), np.float64)

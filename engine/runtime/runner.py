"""A compiled program with its buffers, for calls that come often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels.threads import share, workers
from ..label_sets import said
from ..ports import F32, I64, U64, Array
from ..records import Records, as_floats
from ..source import SAMPLES
from .alone import Label, label_of
from .compile import Compiled
from .steps import Compare, NotFiniteError, Slots


class Runner:
    """Runs a compiled program on up to `batch` records at a time. One thread's own.

    Attributes:
        batch: the most records of one call.
        fed: the dtype of the samples.
    """

    def __init__(self, compiled: Compiled, batch: int, *, several: bool = False) -> None:
        self._several = several
        self.batch, self.fed = batch, compiled.fed
        self._runs = [step.bind(batch) for step in compiled.steps]
        self._given = compiled.given
        self._wanted = compiled.wanted
        self._slots: Slots = [None] * compiled.slots
        self._samples = compiled.given[SAMPLES.name]
        first = compiled.steps[0] if compiled.steps else None
        packs = isinstance(first, Compare) and first.read == self._samples
        self._signs_at = first.write if packs and isinstance(first, Compare) else None

    def __call__(self, samples: Array) -> F32:
        """Return the scores, float32 (n, classes), of n records: a view of a buffer, until the next call.

        Args:
            samples: (n, *shape), of the dtype the runner was made for, contiguous; n at most `batch`. Nothing
                is checked here: `Program.predict` does that.
        """
        slots = self._slots
        slots[self._samples] = samples
        n = len(samples)
        for run in self._runs:
            run(slots, n)
        scores: F32 = slots[self._wanted[0]]
        return scores

    def of_signs(self, words: U64) -> F32:
        """Return the scores of n records whose samples were packed by the caller; see `__call__`.

        Args:
            words: uint64 (n, words), the signs that the first 1-bit layer takes (kernels/bits.py).

        Raises:
            DataError: the program does not begin with thresholds of its samples.
        """
        if self._signs_at is None:
            raise DataError("This model does not begin with one bit a sample.", do="Give it the samples.")
        slots = self._slots
        slots[self._signs_at] = words
        for run in self._runs[1:]:
            run(slots, len(words))
        scores: F32 = slots[self._wanted[0]]
        return scores

    def labels(self, samples: Array) -> I64:
        """Return the class indices, int64 (n,), of n records, or their labels; see `Program.predict`."""
        return said(self(samples), several=self._several)

    def arrays(self, n: int, given: dict[str, Array]) -> list[Any]:
        """Return the arrays that were asked for, of n records, for the source's outputs by port name."""
        for name, place in self._given.items():
            self._slots[place] = given[name]
        for run in self._runs:
            run(self._slots, n)
        return [self._slots[place] for place in self._wanted]


class Kept(threading.local):
    """What a thread keeps of a program, for calls that come often.

    Attributes:
        label: what gives the label of one record of the kind that was last asked for; None: nothing does.
    """

    label: Label | None = None

    def __init__(self) -> None:
        self._runners: dict[tuple[str, int], Runner] = {}
        self._labels: dict[str, Label | None] = {}

    def runner(self, compiled: Compiled, n: int) -> Runner:
        """Return a runner for n records or more."""
        key = (compiled.fed, 1 << (n - 1).bit_length())
        found = self._runners.get(key)
        if found is None:
            found = self._runners[key] = Runner(compiled, key[1])
        return found

    def meet(self, compiled: Compiled, shape: tuple[int, ...]) -> None:
        """Make ready for one record of a shape."""
        if compiled.fed not in self._labels:
            laid = compiled.alone
            self._labels[compiled.fed] = None if laid is None else label_of(laid, shape)
        self.label = self._labels[compiled.fed]


def run_all(
    compiled: Compiled, records: Records, plainly: Callable[[Records], list[Array]], threads: int = 1
) -> list[Array]:
    """Return the arrays that were asked for, of all records, chunk after chunk.

    Args:
        compiled: the program.
        records: any number, at least one.
        plainly: runs a chunk whose samples thresholds do not speak for.
        threads: how many share the records.
    """
    n = len(records)
    threads = max(1, min(threads, n))
    chunk = min(compiled.chunk, -(-n // threads))
    whole: list[Array] = []
    lock = threading.Lock()

    def work(begin: int, end: int) -> None:
        runner = Runner(compiled, chunk)
        for at in range(begin, end, chunk):
            part = slice(at, min(at + chunk, end))
            found = _chunk(runner, records.take(part), plainly)
            with lock:
                if not whole:
                    whole.extend(np.empty((n, *a.shape[1:]), a.dtype) for a in found)
            for array, piece in zip(whole, found, strict=True):
                array[part] = piece

    if threads == 1:
        work(0, n)
    else:
        with workers(threads):
            share(work, n, least=1)
    return whole


def _chunk(runner: Runner, part: Records, plainly: Callable[[Records], list[Array]]) -> list[Array]:
    samples = part.samples if runner.fed == "uint8" else as_floats(part.samples)
    given = {"samples": samples, "labels": part.labels, "facts": part.facts}
    try:
        return runner.arrays(len(part), given)
    except NotFiniteError:
        return plainly(part)

"""Records in shuffled batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..records import Records


def batches(records: Records, size: int, seed: int, epoch: int) -> Iterator[Records]:
    """Yield all records once, `size` at a time, in an order drawn from `seed` and `epoch` alone.

    A resumed run therefore sees what a whole one saw. The last batch may be smaller.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(records))
    for at in range(0, len(order), size):
        places = order[at : at + size]
        yield replace(records.take(places), places=places)

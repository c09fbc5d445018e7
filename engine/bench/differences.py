"""Paired runs: two ways of training that share a seed, and by how much one is the better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

from .pairs import Row, Wanted, host

# 97.5 % quantile of Student's t for 1 to 8 degrees of freedom
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306)


def difference_row(
    name: str, ours: Sequence[float], peer: Sequence[float], peer_name: str, wanted: Wanted
) -> Row:
    """Return the comparison; its name ends with mean and 95 % interval of the paired difference.

    Args:
        name: what was trained.
        ours: accuracy in percent of each of our runs, nine at most.
        peer: the same of the peer's; runs at one place share a seed.
        peer_name: what we are measured beside.
        wanted: what the verb was asked for.
    """
    differences = [a - b for a, b in zip(ours, peer, strict=True)]
    told = f"{mean(differences):+.2f}"
    if len(differences) > 1:
        wide = _STUDENT[len(differences) - 2] * stdev(differences) / math.sqrt(len(differences))
        told += f" ± {wide:.2f}"
    return Row(
        name=f"{name}: {told} points",
        ours=mean(ours),
        peer=mean(peer),
        peer_name=peer_name,
        unit="% right",
        ratio=mean(ours) / mean(peer),
        pairs=len(ours),
        cores=max(wanted.cores, default=1),
        host=host(),
    )

"""Sums over all allowed assignments of a decision diagram, record by record, each in one fixed order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@kernel
def sum_product(nodes: I32, root: int, chances: F64, against: F64, room: F64, total: F64, true: F64) -> None:
    """Write the weight of all allowed assignments, and of those with each variable true.

    An assignment weighs the product of `chances` of what is true in it and of `against` of what is false.
    These add up to 1, but for variables that every path to `yes` asks (those of which exactly one is true).

    Args:
        nodes: int32 (nodes, 3), a diagram's: variable, where to if false, where if true; 0 is `no`, 1 `yes`.
        root: where the diagram begins.
        chances: float64 (n, k), the weight of each variable where it is true.
        against: float64 (n, k), the weight of each variable where it is false.
        room: float64 (2, nodes + 2).
        total: float64 (n,), out.
        true: float64 (n, k), out.
    """
    below, above = room[0], room[1]  # of the assignments under a node, and of the paths from the root to it
    for r in range(chances.shape[0]):
        p, q = chances[r], against[r]
        below[0], below[1] = 0.0, 1.0
        for i in range(nodes.shape[0]):
            v = nodes[i, 0]
            below[i + 2] = q[v] * below[nodes[i, 1]] + p[v] * below[nodes[i, 2]]
        total[r] = below[root]
        above[:] = 0.0
        above[root] = 1.0
        true[r, :] = p * total[r]  # a path that does not ask a variable leaves it as likely as it was
        for i in range(nodes.shape[0] - 1, -1, -1):
            v, low, high = nodes[i, 0], nodes[i, 1], nodes[i, 2]
            here = above[i + 2]
            above[low] += here * q[v]
            above[high] += here * p[v]
            true[r, v] += here * p[v] * (below[high] - below[i + 2])

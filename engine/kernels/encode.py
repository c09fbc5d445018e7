"""Numbers to several bits each: thermometer codes and bit planes, packed as kernels/bits.py states."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
U64 = npt.NDArray[np.uint64]


@kernel
def pack_thresholds(x: F32, thresholds: F32, out: U64) -> None:
    """Write one bit for each threshold of each number, 1 where x >= threshold.

    Args:
        x: float32 (n, k).
        thresholds: float32 (k, levels), or (1, levels) for all numbers alike.
        out: uint64 (n, ceil(k levels / 64)); bit j levels + i is number j at threshold i.
    """
    levels = thresholds.shape[1]
    step = 1 if thresholds.shape[0] > 1 else 0
    for r in range(x.shape[0]):
        for w in range(out.shape[1]):
            out[r, w] = np.uint64(0)
        for j in range(x.shape[1]):
            for i in range(levels):
                at = j * levels + i
                bit = np.uint64(x[r, j] >= thresholds[j * step, i])
                out[r, at >> 6] |= bit << np.uint64(at & 63)


@kernel
def pack_planes_beside(levels: I16, bits: int, out: U64) -> None:
    """Write the bits of whole numbers beside one another, the lowest first.

    Args:
        levels: int16 (n, k), 0 to 2^bits - 1.
        bits: bits of each number.
        out: uint64 (n, ceil(k bits / 64)); bit j bits + i is bit i of number j.
    """
    for r in range(levels.shape[0]):
        for w in range(out.shape[1]):
            out[r, w] = np.uint64(0)
        for j in range(levels.shape[1]):
            for i in range(bits):
                at = j * bits + i
                bit = np.uint64((levels[r, j] >> i) & 1)
                out[r, at >> 6] |= bit << np.uint64(at & 63)

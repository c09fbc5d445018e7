"""Packed signs of the largest float32 sums of windows: a convolution, a pooling and a sign in one.

No map of floats is written. Every sum is that of floats.dot_floats: from 0, element k after element k - 1,
rounded after each product and each addition. The lanes of a vector hold 32 outputs of one patch, and two
patches of a window are summed side by side.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .vectors import add_multiple, larger_floats, load_floats, no_floats, reached_bits

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

LANES = 32  # outputs that are summed at once


@kernel
def _place_map(x: F32, rows: I64, length: int, padded: F32) -> np.float32:
    """Copy row i of a map, float32 (elements,), to rows[i] of `padded`, whose rest stays.

    Returns:
        The largest size of an element; infinity where one is not a number.
    """
    largest = np.float32(0.0)
    bad = False
    for i in range(len(rows)):
        source, target = x[i * length : (i + 1) * length], padded[rows[i] : rows[i] + length]
        for j in range(length):
            v = source[j]
            target[j] = v
            size = abs(v)
            bad |= size != size
            largest = size if size > largest else largest
    return np.float32(np.inf) if bad else largest


@kernel
def _map_signs(
    padded: F32, windows: U64, steps: U64, weights: F32, limits: F32, turned: U32, out: U32
) -> None:
    """Write the signs of one padded map; see `pooled_signs`."""
    k, blocks = len(steps), len(limits) // LANES
    taps = windows.shape[1]
    half = LANES // 2
    for w in range(len(windows)):
        for block in range(blocks):
            begin = block * k * LANES
            most_a, most_b = no_floats(), no_floats()
            for t in range(0, taps, 2):
                a0, b0, a1, b1 = no_floats(), no_floats(), no_floats(), no_floats()
                one, two = windows[w, t], windows[w, min(t + 1, taps - 1)]
                at = begin
                for i in range(k):
                    u, v = padded[one + steps[i]], padded[two + steps[i]]
                    wa, wb = load_floats(weights, at), load_floats(weights, at + half)
                    a0, b0 = add_multiple(a0, wa, u), add_multiple(b0, wb, u)
                    a1, b1 = add_multiple(a1, wa, v), add_multiple(b1, wb, v)
                    at += LANES
                a0, b0 = larger_floats(a0, a1), larger_floats(b0, b1)
                if t == 0:
                    most_a, most_b = a0, b0
                else:
                    most_a, most_b = larger_floats(most_a, a0), larger_floats(most_b, b0)
            low = reached_bits(most_a, load_floats(limits, block * LANES))
            high = reached_bits(most_b, load_floats(limits, block * LANES + half))
            to = w * blocks + block
            out[to] = np.uint32(low | (high << np.uint64(16))) ^ turned[to]


@kernel
def pooled_signs(  # noqa: PLR0913, PLR0917 - what is summed, where it lies, and what it must reach
    x: F32,
    rows: I64,
    length: int,
    padded: F32,
    windows: U64,
    steps: U64,
    weights: F32,
    limits: F32,
    bound: float,
    turned: U32,
    out: U32,
) -> bool:
    """Write which outputs reach their limit anywhere in each window of each map into `out`.

    Args:
        x: float32 (n, elements), maps without their padding.
        rows: int64, where their rows begin in `padded`.
        length: elements of a row.
        padded: float32, a padded map: scratch, whose border stays.
        windows: uint64 (windows, patches), where the patches of each begin in the padded map.
        steps: uint64 (k,), where each element of a patch lies from its beginning on.
        weights: float32 (m / 32, k, 32), flat.
        limits: float32 (m,).
        bound: the largest size of an element for which no sum overflows.
        turned: uint32 (numbers,), the bits that are turned round.
        out: uint32 (n, numbers): bit j of number window x m / 32 + block is output 32 block + j.

    Returns:
        Whether every element is a number within the bound; `out` is not filled where not.
    """
    for r in range(x.shape[0]):
        if not _place_map(x[r], rows, length, padded) <= bound:
            return False
        _map_signs(padded, windows, steps, weights, limits, turned, out[r])
    return True

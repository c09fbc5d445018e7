"""Float products and per-element steps whose result never depends on batch, threads or machine.

Every sum runs in one fixed order, with a rounding after each multiplication and each addition (no fused
multiply-add, no reassociation), so float32 in gives the same float32 out wherever it runs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]


@kernel
def dot_floats(x: F32, w_t: F32, out: F32) -> None:
    """Write x @ w_t into `out`, float32 (n, m), for `x`, float32 (n, k), and `w_t`, float32 (k, m).

    Element k is added after element k - 1; four of them per pass over a row of `out` save loads and stores
    without changing the order.
    """
    n, k = x.shape
    m = w_t.shape[1]
    for r in range(n):
        for j in range(m):
            out[r, j] = np.float32(0.0)
        c = 0
        while c + 4 <= k:
            x0 = x[r, c]
            x1 = x[r, c + 1]
            x2 = x[r, c + 2]
            x3 = x[r, c + 3]
            for j in range(m):
                acc = out[r, j] + x0 * w_t[c, j]
                acc = acc + x1 * w_t[c + 1, j]
                acc = acc + x2 * w_t[c + 2, j]
                out[r, j] = acc + x3 * w_t[c + 3, j]
            c += 4
        while c < k:
            x0 = x[r, c]
            for j in range(m):
                out[r, j] += x0 * w_t[c, j]
            c += 1


@kernel
def scale_shift(x: F32 | I32, scale: F32, shift: F32, out: F32) -> None:
    """Write x * scale + shift into `out`, float32 (n, m); x is float32 or int32 (n, m), the rest (m,)."""
    for r in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[r, j] = np.float32(x[r, j]) * scale[j] + shift[j]


@kernel
def scale_here(x: F32, scale: F32, shift: F32) -> None:
    """Do what `scale_shift` does, in place: float32 (n, m)."""
    for r in range(x.shape[0]):
        row = x[r]
        for j in range(len(row)):
            row[j] = row[j] * scale[j] + shift[j]


@kernel
def scale_sums(x: F32, scale: F32, shift: F32) -> None:
    """Do what `scale_shift` does, in place, for int32 sums that stand in the bytes of `x`, float32 (n, m)."""
    for r in range(x.shape[0]):
        row, whole = x[r], x[r].view(np.int32)
        for j in range(len(row)):
            row[j] = np.float32(whole[j]) * scale[j] + shift[j]


@kernel
def over_largest(x: F32, out: F32) -> None:
    """Write each row of `x`, float32 (n, k), over its largest size into `out`; 0 where that is 0 or NaN.

    Sizes are compared as whole numbers, which is their order, and in vectors.
    """
    held = np.empty(1, np.uint32)
    by = held.view(np.float32)
    for r in range(x.shape[0]):
        row, target = x[r], out[r]
        largest = np.uint32(0)
        for bits in row.view(np.uint32):
            size = bits & np.uint32(0x7FFFFFFF)
            largest = size if size > largest else largest
        if np.uint32(0) < largest <= np.uint32(0x7F800000):
            held[0] = largest
            size_of = by[0]
            for c in range(len(row)):
                target[c] = row[c] / size_of
        else:
            target[:] = np.float32(0.0)


@kernel
def bytes_over_largest(x: U8, out: F32) -> None:
    """Do what `over_largest` does for rows of numbers from 0 to 255, uint8 (n, k)."""
    for r in range(x.shape[0]):
        row, target = x[r], out[r]
        largest = np.uint8(0)
        for v in row:
            largest = v if v > largest else largest
        by = np.float32(largest) if largest else np.float32(1.0)
        for c in range(len(row)):
            target[c] = np.float32(row[c]) / by


@kernel
def row_sums(x: F32, out: F32) -> None:
    """Write the sums of the rows of `x`, float32 (n, k), into `out`, float32 (n,): added in float64."""
    for r in range(x.shape[0]):
        total = 0.0
        for c in range(x.shape[1]):
            total += np.float64(x[r, c])
        out[r] = np.float32(total)

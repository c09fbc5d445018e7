"""Binary hypervectors: record and projection encoding.

Vectors are packed as in bits.py. Bundling counts bits in carry-save planes: plane p of a counter holds bit p
of the count of all 64 elements of a word, so that a handful of word operations adds 512 bits at a time. A
tile of _T words has fixed places in one buffer, which is what lets the compiler see that its rows are apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_T = 64  # words that are bundled together
_OUTPUTS = 256  # outputs of a projection that are summed together


@kernel
def _bind_eight(items: U64, levels: U64, pairs: I32, at: int, m: int, work: U64) -> None:
    """Write item xor level of the next 8 (item, level) pairs, words at to at + m, into rows 0 to 7 of `work`.

    Rows past the last pair are 0, which counts nothing.
    """
    for i in range(8):
        if 2 * i < pairs.size:
            item = pairs[2 * i]
            level = pairs[2 * i + 1]
            for w in range(m):
                work[_T * i + w] = items[item, at + w] ^ levels[level, at + w]
        else:
            work[_T * i : _T * i + _T] = np.uint64(0)


@kernel
def _add_eight(work: U64) -> None:
    """Add rows 0 to 7 of `work` to counter rows 8 (ones), 9 (twos), 10 (fours); row 11 gets the eights."""
    for w in range(_T):
        x0 = work[w]
        x1 = work[_T + w]
        one = work[8 * _T + w]
        u = x0 ^ x1
        two_a = (x0 & x1) | (u & one)
        one = u ^ one
        x0 = work[2 * _T + w]
        x1 = work[3 * _T + w]
        u = x0 ^ x1
        two_b = (x0 & x1) | (u & one)
        one = u ^ one
        two = work[9 * _T + w]
        u = two_a ^ two_b
        four_a = (two_a & two_b) | (u & two)
        two = u ^ two
        x0 = work[4 * _T + w]
        x1 = work[5 * _T + w]
        u = x0 ^ x1
        two_a = (x0 & x1) | (u & one)
        one = u ^ one
        x0 = work[6 * _T + w]
        x1 = work[7 * _T + w]
        u = x0 ^ x1
        two_b = (x0 & x1) | (u & one)
        work[8 * _T + w] = u ^ one
        u = two_a ^ two_b
        four_b = (two_a & two_b) | (u & two)
        work[9 * _T + w] = u ^ two
        four = work[10 * _T + w]
        u = four_a ^ four_b
        work[11 * _T + w] = (four_a & four_b) | (u & four)
        work[10 * _T + w] = u ^ four


@kernel
def _carry(planes: U64, work: U64) -> None:
    """Add the eights, row 11 of `work`, to the counter planes of 8 and above."""
    for p in range(planes.shape[0]):
        for w in range(_T):
            carry = work[11 * _T + w]
            plane = planes[p, w]
            planes[p, w] = plane ^ carry
            work[11 * _T + w] = plane & carry


@kernel
def _majority(planes: U64, work: U64, count: int, tie: U64, out: U64) -> None:
    """Write the bits whose counter is above half of `count`, and `tie` where it is just half, into `out`."""
    half = count >> 1
    none = np.uint64(0)
    every = ~none
    even = none if count & 1 else every
    for w in range(out.size):
        above = none
        equal = every
        for i in range(planes.shape[0] + 3):
            p = planes.shape[0] + 2 - i
            plane = work[(8 + p) * _T + w] if p < 3 else planes[p - 3, w]
            bit = every if (half >> p) & 1 else none
            above |= equal & plane & ~bit
            equal &= ~(plane ^ bit)
        out[w] = above | (equal & even & tie[w])


@kernel
def level_of(x: np.float32, low: np.float32, high: np.float32, levels: int) -> int:
    """Return the level, 0 to levels - 1, nearest to `x` in low..high; NaN and an empty range give 0."""
    share = (x - low) / (high - low) if high > low else np.float32(0.0)
    if not share > np.float32(0.0):
        return 0
    return int(np.rint(min(share, np.float32(1.0)) * np.float32(levels - 1)))


@kernel
def encode_records(x: F32, span: F32, items: U64, levels: U64, tie: U64, first: int, out: U64) -> None:
    """Write the majority of item xor level over the features of each record into `out`, uint64 (n, words).

    Args:
        x: float32 (n, features).
        span: float32 (2, features), the lowest and highest value of each feature.
        items: uint64 (features, words), one code for each feature.
        levels: uint64 (levels, words), one code for each level.
        tie: uint64 (words,), the bits that a draw gives.
        first: features below this level are left out.
        out: a record with no feature left gives `tie`.
    """
    n, k = x.shape
    words = out.shape[1]
    top = 1
    while (8 << top) <= k:
        top += 1
    pairs = np.empty(2 * k + 2, np.int32)
    work = np.zeros(12 * _T, np.uint64)
    planes = np.zeros((top, _T), np.uint64)
    for r in range(n):
        count = 0
        for c in range(k):
            level = level_of(x[r, c], span[0, c], span[1, c], levels.shape[0])
            pairs[2 * count] = c
            pairs[2 * count + 1] = level
            count += level >= first
        for at in range(0, words, _T):
            m = min(_T, words - at)
            work[8 * _T :] = np.uint64(0)
            planes[:] = np.uint64(0)
            for done in range(0, count, 8):
                _bind_eight(items, levels, pairs[2 * done : 2 * count], at, m, work)
                _add_eight(work)
                _carry(planes, work)
            _majority(planes, work, count, tie[at : at + m], out[r, at : at + m])


@kernel
def project(x: F32, signs: I8, out: F32) -> None:
    """Write x @ signs into `out`, float32 (n, d), for `x`, float32 (n, k), and `signs`, int8 (k, d), of +-1.

    Each output adds or subtracts element 0, 1, 2 ... of its record in float32, so it is the same in every
    batch and on every machine. A tile of `signs` stays in the cache for all records, four records at a time.
    """
    n, k = x.shape
    d = signs.shape[1]
    sums = np.empty((4, _OUTPUTS), np.float32)
    for at in range(0, d, _OUTPUTS):
        m = min(_OUTPUTS, d - at)
        for r in range(0, n, 4):
            rows = min(4, n - r)
            sums[:] = np.float32(0.0)
            for c in range(k):
                x0 = x[r, c]
                x1 = x[min(r + 1, n - 1), c]
                x2 = x[min(r + 2, n - 1), c]
                x3 = x[min(r + 3, n - 1), c]
                if x0 == x1 == x2 == x3 == np.float32(0.0):
                    continue  # adding a zero of either sign changes no bit of a sum that starts at +0
                for j in range(m):
                    sign = np.float32(signs[c, at + j])
                    sums[0, j] += x0 * sign
                    sums[1, j] += x1 * sign
                    sums[2, j] += x2 * sign
                    sums[3, j] += x3 * sign
            for i in range(rows):
                for j in range(m):
                    out[r + i, at + j] = sums[i, j]

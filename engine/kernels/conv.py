"""Patches of maps as rows, and rows folded back into maps: the two halves of every convolution.

A map is flat here, one row a record: float32, int16, or packed bits (bits.py). A patch is `runs` of equal
length that lie somewhere in the map, one after the other: run i of the patch at `origin` begins at element
origin + starts[i]. One kernel of each sort therefore serves 1-D, 2-D and 3-D maps, strides, dilation and
groups; padding was put around the map before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@kernel
def gather_patches(maps: Any, origins: I64, starts: I64, length: int, out: Any) -> None:
    """Write the patches of `maps` (n, elements) into `out` (n * positions, runs * length), of one dtype."""
    positions = len(origins)
    for r in range(maps.shape[0]):
        for p in range(positions):
            source, target = maps[r], out[r * positions + p]
            for i in range(len(starts)):
                begin = origins[p] + starts[i]
                run, to = source[begin : begin + length], target[i * length : (i + 1) * length]
                for j in range(length):
                    to[j] = run[j]


@kernel
def fold_patches(rows: F32, origins: I64, starts: I64, length: int, maps: F32) -> None:
    """Add `rows`, float32 (n * positions, runs * length), to where the patches of `maps` (n, elements) lie.

    In order of record, position and run, so that the sums are the same on every machine.
    """
    positions = len(origins)
    for r in range(maps.shape[0]):
        for p in range(positions):
            source, target = rows[r * positions + p], maps[r]
            for i in range(len(starts)):
                begin = origins[p] + starts[i]
                run, to = source[i * length : (i + 1) * length], target[begin : begin + length]
                for j in range(length):
                    to[j] += run[j]


@kernel
def dot_patches(maps: F32, origins: I64, places: I64, w_t: F32, out: F32) -> None:
    """Write the products of the patches of `maps` and `w_t` into `out`, in the order of floats.dot_floats.

    For patches of few elements, which are not worth being laid out as rows.

    Args:
        maps: float32 (n, elements).
        origins: int64 (positions,).
        places: int64 (k,), where each element of a patch lies from its origin on.
        w_t: float32 (k, m).
        out: float32 (n * positions, m).
    """
    k, m = w_t.shape
    for r in range(maps.shape[0]):
        x = maps[r]
        for p in range(len(origins)):
            y, at = out[r * len(origins) + p], origins[p]
            for j in range(m):
                y[j] = np.float32(0.0)
            i = 0
            while i + 3 <= k:
                x0, x1, x2 = x[at + places[i]], x[at + places[i + 1]], x[at + places[i + 2]]
                w0, w1, w2 = w_t[i], w_t[i + 1], w_t[i + 2]
                for j in range(m):
                    acc = y[j] + x0 * w0[j]
                    acc = acc + x1 * w1[j]
                    y[j] = acc + x2 * w2[j]
                i += 3
            while i < k:
                x0, w0 = x[at + places[i]], w_t[i]
                for j in range(m):
                    y[j] += x0 * w0[j]
                i += 1


@kernel
def patch_gradients(maps: F32, origins: I64, places: I64, grad: F32, part: F32, out: F32) -> None:
    """Write the gradient of `w_t` in `dot_patches` into `out`, float32 (k, m).

    Args:
        maps: float32 (n, elements).
        origins: int64 (positions,).
        places: int64 (k,).
        grad: float32 (n * positions, m).
        part: float32 (k, m), scratch: the sum of one record, which keeps the whole sum exact enough.
        out: written.
    """
    k, m = out.shape
    out[:] = np.float32(0.0)
    for r in range(maps.shape[0]):
        x = maps[r]
        part[:] = np.float32(0.0)
        for p in range(len(origins)):
            g, at = grad[r * len(origins) + p], origins[p]
            for i in range(k):
                v, row = x[at + places[i]], part[i]
                for j in range(m):
                    row[j] += v * g[j]
        for i in range(k):
            for j in range(m):
                out[i, j] += part[i, j]


@kernel
def read_bits(words: U64, at: int, count: int) -> np.uint64:
    """Return `count` (1 to 64) bits of `words` from bit `at` on, as the low bits of a word."""
    word, shift = at >> 6, at & 63
    bits = words[word] >> np.uint64(shift)
    if shift + count > 64:
        bits |= words[word + 1] << np.uint64(64 - shift)
    return np.uint64(bits & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - count)))


@kernel
def write_bits(words: U64, at: int, count: int, bits: np.uint64) -> None:
    """Write the low `count` (1 to 64) bits of `bits`, the others being 0, over `words` from bit `at` on."""
    word, shift = at >> 6, at & 63
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - count)
    words[word] = (words[word] & ~(mask << np.uint64(shift))) | (bits << np.uint64(shift))
    if shift + count > 64:
        over = np.uint64(64 - shift)
        words[word + 1] = (words[word + 1] & ~(mask >> over)) | (bits >> over)


@kernel
def copy_bits(source: U64, begin: int, target: U64, at: int, count: int) -> None:
    """Copy `count` bits of `source` from bit `begin` on over those of `target` from bit `at` on."""
    done = 0
    while done < count:
        taken = min(64, count - done)
        write_bits(target, at + done, taken, read_bits(source, begin + done, taken))
        done += taken


@kernel
def pad_bits(maps: U64, starts: I64, length: int, out: U64) -> None:
    """Copy row i of each map, `length` bits at i * length, to bit starts[i] of `out`; the rest stays."""
    for r in range(maps.shape[0]):
        for i in range(len(starts)):
            copy_bits(maps[r], i * length, out[r], starts[i], length)


@kernel
def gather_bits(maps: U64, origins: I64, starts: I64, length: int, out: U64) -> None:
    """Write the patches of packed `maps` (n, words) tightly into `out`, uint64 (n * positions, words).

    The tail of a row's last word is 0.
    """
    positions = len(origins)
    for r in range(maps.shape[0]):
        for p in range(positions):
            _gather_row(maps[r], origins[p], starts, length, out[r * positions + p])


@kernel
def _gather_row(source: U64, origin: int, starts: I64, length: int, target: U64) -> None:
    word, filled, at = np.uint64(0), 0, 0
    for i in range(len(starts)):
        done = 0
        while done < length:
            taken = min(64, length - done)
            bits = read_bits(source, origin + starts[i] + done, taken)
            word |= bits << np.uint64(filled)
            done += taken
            filled += taken
            if filled >= 64:
                target[at] = word
                at += 1
                filled -= 64
                word = bits >> np.uint64(taken - filled) if filled else np.uint64(0)
    if filled:
        target[at] = word

"""Patches of maps as rows, and rows folded back into maps: the two halves of every convolution.

A map is flat here, one row a record: float32, int16, or packed bits (bits.py). A patch is `runs` of equal
length that lie somewhere in the map, one after the other: run i of the patch at `origin` begins at element
origin + starts[i]. One kernel of each sort therefore serves 1-D, 2-D and 3-D maps, strides, dilation and
groups; padding was put around the map before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@kernel
def gather_patches(maps: F32 | I16, origins: I64, starts: I64, length: int, out: F32 | I16) -> None:
    """Write the patches of `maps` (n, elements) into `out` (n * positions, runs * length), of one dtype."""
    positions, runs = len(origins), len(starts)
    for r in range(maps.shape[0]):
        for p in range(positions):
            row = r * positions + p
            at = 0
            for i in range(runs):
                begin = origins[p] + starts[i]
                for j in range(length):
                    out[row, at + j] = maps[r, begin + j]
                at += length


@kernel
def fold_patches(rows: F32, origins: I64, starts: I64, length: int, maps: F32) -> None:
    """Add `rows`, float32 (n * positions, runs * length), to where the patches of `maps` (n, elements) lie.

    In order of record, position and run, so that the sums are the same on every machine.
    """
    positions, runs = len(origins), len(starts)
    for r in range(maps.shape[0]):
        for p in range(positions):
            row = r * positions + p
            at = 0
            for i in range(runs):
                begin = origins[p] + starts[i]
                for j in range(length):
                    maps[r, begin + j] += rows[row, at + j]
                at += length


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

    The tail of a row's last word is 0. Runs that begin and end with a word are copied word by word.
    """
    positions, runs = len(origins), len(starts)
    whole = length & 63 == 0
    for i in range(runs):
        whole = whole and starts[i] & 63 == 0
    for p in range(positions):
        whole = whole and origins[p] & 63 == 0
    for r in range(maps.shape[0]):
        for p in range(positions):
            row = r * positions + p
            if whole:
                _copy_words(maps[r], origins[p] >> 6, starts, length >> 6, out[row])
            else:
                out[row, out.shape[1] - 1] = np.uint64(0)
                for i in range(runs):
                    copy_bits(maps[r], origins[p] + starts[i], out[row], i * length, length)


@kernel
def _copy_words(source: U64, origin: int, starts: I64, length: int, target: U64) -> None:
    at = 0
    for i in range(len(starts)):
        begin = origin + (starts[i] >> 6)
        for j in range(length):
            target[at + j] = source[begin + j]
        at += length

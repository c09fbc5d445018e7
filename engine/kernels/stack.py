"""A stack of 1-bit layers in one call, layer after layer, and a table at its end.

Between two layers a sign is whether fewer places differ than a limit; no sum is ever written. One call does
what a call a layer would, for the few records at a time where calls cost more than layers.

    layers   int64 (layers, 4): inputs, outputs, and where in `store` its weights and its limits begin
    store    uint8: the weights as `shuffle` or `wide` lays them out, or as they are packed, and the limits as
             they take them, or int64
    work     uint8: twice the packed signs of every record, then room for the counters
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel, popcount
from .picked import signs_picked
from .shuffle import CHUNK, WORD_BYTES, signs_shuffle
from .wide import CHUNK as WIDE_CHUNK
from .wide import signs_wide

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

LISTED = 4 * 32_768  # bytes of the list of a layer's inputs, of which there are less


@kernel
def count_scores(signs: U64, weights: U64, table: F32, out: F32) -> None:
    """Write table[j, places where a record differs from output j] into `out`, float32 (n, m).

    Args:
        signs: uint64 (n, words).
        weights: uint64 (m, words).
        table: float32 (m, inputs + 1).
        out: float32 (n, m).
    """
    for r in range(signs.shape[0]):
        for j in range(weights.shape[0]):
            count = 0
            for w in range(weights.shape[1]):
                count += popcount(signs[r, w] ^ weights[j, w])
            out[r, j] = table[j, count]


@kernel
def _signs_of(n: int, words: int, side: int, most: int, work: U8) -> U64:
    """Return one of the two places for packed signs in `work`, uint64 (n, words)."""
    begin = 8 * n * most * side
    return work[begin : begin + 8 * n * words].view(np.uint64).reshape(n, words)


@kernel
def stack_shuffle(x: U64, tables: U8, layers: I64, store: U8, most: int, work: U8, out: U64) -> None:
    """Write the packed signs after the last layer into `out`, uint64 (n, words), by byte shuffles (AVX2).

    Args:
        x: uint64 (n, words).
        tables: as `shuffle.tables` gives.
        layers: as above.
        store: as above.
        most: the most words of a layer's outputs.
        work: as above, 16 n most + shuffle.WIDE x ceil(n / 2) bytes.
        out: uint64 (n, words).
    """
    n = x.shape[0]
    room = work[16 * n * most :]
    for i in range(layers.shape[0]):
        inputs, outputs, at, limits = layers[i, 0], layers[i, 1], layers[i, 2], layers[i, 3]
        words = (outputs + 63) // 64
        made = out if i == layers.shape[0] - 1 else _signs_of(n, words, i % 2, most, work)
        size = (outputs + CHUNK - 1) // CHUNK * ((inputs + 63) // 64) * WORD_BYTES
        signs_shuffle(tables, x, store[at : at + size], store[limits : limits + 128 * words], room, made)
        x = made


@kernel
def stack_picked(x: U64, lookups: U8, layers: I64, store: U8, most: int, work: U8, out: U64) -> None:
    """Write the packed signs after the last layer into `out`, uint64 (n, words), by the inputs that are on.

    Args:
        x: uint64 (n, words).
        lookups: as `picked.tables` gives.
        layers: int64 (layers, 5): inputs, outputs, where in `store` the layer begins, offset and planes.
        store: as picked.py lays it out.
        most: the most words of a layer's outputs.
        work: uint8, 16 n most bytes, LISTED for the list of inputs, and room for the counters of a layer.
        out: uint64 (n, words).
    """
    n = x.shape[0]
    listed, room = work[16 * n * most : 16 * n * most + LISTED], work[16 * n * most + LISTED :]
    for i in range(layers.shape[0]):
        inputs, outputs, at, offset, planes = layers[i]
        words = (outputs + 63) // 64
        made = out if i == layers.shape[0] - 1 else _signs_of(n, words, i % 2, most, work)
        signs_picked(lookups, x, inputs, outputs, offset, planes, store[at:], listed, room, made)
        x = made


@kernel
def stack_wide(x: U64, layers: I64, store: U8, most: int, work: U8, out: U64) -> None:
    """Write the packed signs after the last layer into `out`, uint64 (n, words), by counts of eight words.

    As `stack_shuffle`, on any host.
    """
    n = x.shape[0]
    for i in range(layers.shape[0]):
        inputs, outputs, at, limits = layers[i, 0], layers[i, 1], layers[i, 2], layers[i, 3]
        words, chunks = (outputs + 63) // 64, (outputs + WIDE_CHUNK - 1) // WIDE_CHUNK
        made = out if i == layers.shape[0] - 1 else _signs_of(n, words, i % 2, most, work)
        made[:, words - 1] = np.uint64(0)
        size = 8 * WIDE_CHUNK * chunks * ((inputs + 63) // 64)
        signs = made.reshape(n * words).view(np.uint8)
        signs_wide(x, store[at : at + size], store[limits : limits + 8 * WIDE_CHUNK * chunks], signs)
        x = made


@kernel
def _signs_plain(x: U64, weights: U64, limits: I64, out: U64) -> None:
    """Write whether packed rows differ from each output in fewer places than its limit."""
    m, words = weights.shape
    for r in range(x.shape[0]):
        for block in range(out.shape[1]):
            signs = np.uint64(0)
            j, end = 64 * block, min(64 * block + 64, m)
            while j + 4 <= end:
                c0, c1, c2, c3 = 0, 0, 0, 0
                for w in range(words):
                    word = x[r, w]
                    c0 += popcount(word ^ weights[j, w])
                    c1 += popcount(word ^ weights[j + 1, w])
                    c2 += popcount(word ^ weights[j + 2, w])
                    c3 += popcount(word ^ weights[j + 3, w])
                four = np.uint64(c0 < limits[j]) | np.uint64(c1 < limits[j + 1]) << np.uint64(1)
                four |= np.uint64(c2 < limits[j + 2]) << np.uint64(2)
                four |= np.uint64(c3 < limits[j + 3]) << np.uint64(3)
                signs |= four << np.uint64(j & 63)
                j += 4
            while j < end:
                count = 0
                for w in range(words):
                    count += popcount(x[r, w] ^ weights[j, w])
                signs |= np.uint64(count < limits[j]) << np.uint64(j & 63)
                j += 1
            out[r, block] = signs


@kernel
def stack_plain(x: U64, layers: I64, store: U8, most: int, work: U8, out: U64) -> None:
    """Write the packed signs after the last layer into `out`, uint64 (n, words), word by word.

    As `stack_shuffle`, on any host; of a single record the fastest on many.
    """
    n = x.shape[0]
    for i in range(layers.shape[0]):
        inputs, outputs, at, limits = layers[i, 0], layers[i, 1], layers[i, 2], layers[i, 3]
        before, words = (inputs + 63) // 64, (outputs + 63) // 64
        made = out if i == layers.shape[0] - 1 else _signs_of(n, words, i % 2, most, work)
        weights = store[at : at + 8 * outputs * before].view(np.uint64).reshape(outputs, before)
        _signs_plain(x, weights, store[limits : limits + 8 * outputs].view(np.int64), made)
        x = made

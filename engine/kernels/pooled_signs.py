"""Packed signs of the largest float32 sums of windows: a convolution, a pooling and a sign in one.

No map of floats is written. Every sum is that of floats.dot_floats: element k after element k - 1, rounded
after each product and each addition; that the first is added to 0 there can only turn a -0 to a 0, which no
comparison tells apart. The lanes of a vector hold 32 outputs of one patch, and two patches of a window are
summed side by side. Windows of nothing but 0, the background of many images, are not summed: they give 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .lanes import load_word
from .vectors import add_multiple, filled_bits, larger_floats, load_floats, multiple, no_floats, reached_bits

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

LANES = 32  # outputs that are summed at once
SIXTEEN = 16  # elements of a vector


@kernel
def _place_map(x: F32, rows: I64, length: int, padded: F32, bound: float, filled: U16) -> bool:
    """Copy row i of a map, float32 (elements,), to rows[i] of `padded`, whose rest stays.

    Writes which elements of `padded` are not 0 into `filled`, a bit each.

    Returns:
        Whether all are numbers of a size within the bound.
    """
    for i in range(len(rows)):
        source, target = x[i * length : (i + 1) * length], padded[rows[i] : rows[i] + length]
        for j in range(length):
            target[j] = source[j]
    past = np.uint64(0)
    for i in range(0, len(padded), SIXTEEN):
        bits = filled_bits(load_floats(padded, i), np.float32(bound))
        filled[i >> 4] = np.uint16(bits & np.uint64(0xFFFF))
        past |= bits
    return bool(past >> np.uint64(SIXTEEN) == np.uint64(0))


@kernel
def _list_filled(filled: U16, places: I64, masks: U64, listed: I64) -> int:
    """Write into `listed`, int64 (windows,), which windows hold anything but 0; return how many.

    Without a jump for each window: which are empty is hard to foretell.
    """
    kept, bits = 0, filled.view(np.uint8)
    for w in range(places.shape[0]):
        found = np.uint64(0)
        for i in range(places.shape[1]):
            found |= load_word(bits, places[w, i]) & masks[w, i]
        listed[kept] = w
        kept += int(found != np.uint64(0))
    return kept


@kernel
def _window_signs(
    padded: F32, window: U64, steps: U64, weights: F32, at: int, limits: F32, block: int
) -> np.uint32:
    """Return which of 32 outputs, whose weights begin at `at`, reach their limit anywhere in a window."""
    taps, half = len(window), LANES // 2
    most_a, most_b = no_floats(), no_floats()
    for t in range(0, taps, 2):
        one, two, here = window[t], window[min(t + 1, taps - 1)], at
        u, v = padded[one + steps[0]], padded[two + steps[0]]
        wa, wb = load_floats(weights, here), load_floats(weights, here + half)
        a0, b0, a1, b1 = multiple(wa, u), multiple(wb, u), multiple(wa, v), multiple(wb, v)
        for i in range(1, len(steps)):
            here += LANES
            u, v = padded[one + steps[i]], padded[two + steps[i]]
            wa, wb = load_floats(weights, here), load_floats(weights, here + half)
            a0, b0 = add_multiple(a0, wa, u), add_multiple(b0, wb, u)
            a1, b1 = add_multiple(a1, wa, v), add_multiple(b1, wb, v)
        a0, b0 = larger_floats(a0, a1), larger_floats(b0, b1)
        if t == 0:
            most_a, most_b = a0, b0
        else:
            most_a, most_b = larger_floats(most_a, a0), larger_floats(most_b, b0)
    low = reached_bits(most_a, load_floats(limits, block * LANES))
    high = reached_bits(most_b, load_floats(limits, block * LANES + half))
    return np.uint32(low | (high << np.uint64(16)))


@kernel
def pooled_signs(  # noqa: PLR0913, PLR0917 - what is summed, where it lies, and what it must reach
    x: F32,
    rows: I64,
    length: int,
    padded: F32,
    filled: U16,
    windows: U64,
    places: I64,
    masks: U64,
    listed: I64,
    nothing: U32,
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
        padded: float32, a padded map, filled up with 0 to a multiple of 16: scratch, whose border stays.
        filled: uint16, scratch: elements of `padded` / 16, and four more.
        windows: uint64 (windows, patches), where the patches of each window begin in the padded map.
        places: int64 (windows, words), the bytes of `filled` at which words begin that tell of a window.
        masks: uint64 (windows, words), and the bits of them that do.
        listed: int64 (windows,), scratch.
        nothing: uint32 (m / 32,), which outputs 0 reaches the limit of.
        steps: uint64 (k,), where each element of a patch lies from its beginning on.
        weights: float32 (m / 32, k, 32), flat.
        limits: float32 (m,).
        bound: the largest size of an element for which no sum overflows.
        turned: uint32 (numbers,), the bits that are turned round.
        out: uint32 (n, numbers): bit j of number window x m / 32 + block is output 32 block + j.

    Returns:
        Whether every element is a number within the bound; `out` is not filled where not.
    """
    blocks = len(limits) // LANES
    for r in range(x.shape[0]):
        if not _place_map(x[r], rows, length, padded, bound, filled):
            return False
        kept = _list_filled(filled, places, masks, listed)
        signs = out[r]
        for block in range(blocks):
            for to in range(block, len(windows) * blocks, blocks):
                signs[to] = nothing[block] ^ turned[to]
            at = block * len(steps) * LANES
            for i in range(kept):
                to = listed[i] * blocks + block
                found = _window_signs(padded, windows[listed[i]], steps, weights, at, limits, block)
                signs[to] = found ^ turned[to]
    return True

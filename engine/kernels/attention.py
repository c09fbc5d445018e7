"""Attention between 1-bit tokens: scores by XNOR and popcount, a softmax, sums of the tokens that pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .curves import softmax
from .jit import kernel, popcount

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
U64 = npt.NDArray[np.uint64]


@kernel
def attend(queries: U64, keys: U64, values: U64, size: int, factor: F32, out: I32) -> None:
    """Write what each token takes of those it attends to: sum over t of a_t v_t, a_t 0 or 1, v_t -1 or 1.

    a_t = 1 where softmax over t of (factor[0] q . k_t) is above factor[1].

    Args:
        queries: uint64 (n, tokens, heads, words), packed signs of each head.
        keys: uint64, of the same shape.
        values: uint64 (n, heads, size, ceil(tokens / 64)), the signs of each number over all tokens.
        size: numbers of a head.
        factor: float32 (2,), what a product counts, and the threshold of a share.
        out: int32 (n, tokens, heads, size).
    """
    n, tokens, heads, words = queries.shape
    wide = values.shape[3]
    scores = np.empty((1, tokens), np.float32)
    shares = np.empty((1, tokens), np.float32)
    passing = np.empty(wide, np.uint64)
    for r in range(n):
        for h in range(heads):
            for t in range(tokens):
                for s in range(tokens):
                    apart = np.int64(0)
                    for w in range(words):
                        apart += popcount(queries[r, t, h, w] ^ keys[r, s, h, w])
                    scores[0, s] = np.float32(size - 2 * apart) * factor[0]
                softmax(scores, shares)
                passing[:] = np.uint64(0)
                count = np.int64(0)
                for s in range(tokens):
                    passes = shares[0, s] > factor[1]
                    passing[s >> 6] |= np.uint64(passes) << np.uint64(s & 63)
                    count += np.int64(passes)
                for j in range(size):
                    positive = np.int64(0)
                    for w in range(wide):
                        positive += popcount(passing[w] & values[r, h, j, w])
                    out[r, t, h, j] = 2 * positive - count

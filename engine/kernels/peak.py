"""How many bits this host compares and counts at most: the limit of products by population counts.

Words lie in the first-level cache and nothing else is done, so no product whose every bit goes through a
population count is faster. Products by tables or byte shuffles count no bits, and may be.
"""

from __future__ import annotations

import numpy as np

from .bits import U64
from .jit import kernel, popcount
from .lanes import U8, add_eight, differing, load_eight, put_eight, spread, zero_eight


@kernel
def count_words(words: U64, passes: int) -> np.int64:
    """Return how many bits of `words`, uint64 (w,), w a multiple of 4, differ from each pass's number."""
    d0, d1, d2, d3 = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for p in range(passes):
        key = np.uint64(p)
        for w in range(0, words.shape[0], 4):
            d0 += popcount(words[w] ^ key)
            d1 += popcount(words[w + 1] ^ key)
            d2 += popcount(words[w + 2] ^ key)
            d3 += popcount(words[w + 3] ^ key)
    return d0 + d1 + d2 + d3


@kernel
def count_eights(words: U8, passes: int, out: U8) -> None:
    """Write minus twice the same into `out`, int32 (8,) as bytes, one sum for each of eight words in turn.

    Args:
        words: bytes, a multiple of 256.
        passes: how often they are counted.
        out: 32 bytes.
    """
    c0, c1, c2, c3 = zero_eight(), zero_eight(), zero_eight(), zero_eight()
    for p in range(passes):
        key = spread(np.uint64(p))
        for at in range(0, words.shape[0], 256):
            c0 = add_eight(c0, differing(load_eight(words, at), key))
            c1 = add_eight(c1, differing(load_eight(words, at + 64), key))
            c2 = add_eight(c2, differing(load_eight(words, at + 128), key))
            c3 = add_eight(c3, differing(load_eight(words, at + 192), key))
    put_eight(out, 0, add_eight(add_eight(c0, c1), add_eight(c2, c3)), 0)

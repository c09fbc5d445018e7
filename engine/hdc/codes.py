"""Random codes: the vectors that an encoder gives to features and levels before it has seen any data."""

from __future__ import annotations

import numpy as np

from ..kernels.bits import pack_signs, unpack_signs
from ..ports import F32, U64, words_for


def random_codes(rng: np.random.Generator, count: int, dimension: int) -> U64:
    """Return `count` independent random vectors, uint64 (count, words); their tail bits are 0."""
    codes = rng.integers(0, 2**64, (count, words_for(dimension)), np.uint64, endpoint=False)
    if dimension % 64:
        codes[:, -1] &= np.uint64((1 << dimension % 64) - 1)
    return codes


def level_codes(rng: np.random.Generator, levels: int, dimension: int) -> U64:
    """Return codes of ordered levels, uint64 (levels, words), the nearer the more alike.

    Level i takes bit d from one random vector where u_d < 1 - i / (levels - 1), else from another: the first
    and the last level are unrelated (Nunes et al., arXiv:2205.07920).
    """
    first, last = signs_of(random_codes(rng, 2, dimension), dimension)
    share = np.arange(levels, dtype=np.float64) / (levels - 1)
    mixed = np.where(rng.random(dimension) < 1.0 - share[:, None], first, last)
    codes = np.zeros((levels, words_for(dimension)), np.uint64)
    pack_signs(np.ascontiguousarray(mixed, np.float32), codes)
    return codes


def signs_of(packed: U64, dimension: int) -> F32:
    """Return packed vectors, uint64 (n, words), as float32 (n, dimension) of -1 and +1."""
    out = np.empty((len(packed), dimension), np.float32)
    unpack_signs(np.ascontiguousarray(packed), out)
    return out

"""Unevenly spaced levels: what weights and activations share."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..ports import F32

# Exponents of the terms by the bits of a size, as in the code of APoT's authors: a size adds one of each.
_TERMS = {2: ((0, 1, 2),), 3: ((0, 1, 3), (2,)), 4: ((0, 2, 4), (1, 3, 5))}


def sums_of_powers(bits: int) -> F32:
    """Return the 2^bits sizes of APoT (arXiv:1909.13144) as whole numbers, float32, ascending from 0."""
    terms = [(0.0, *(2.0**-e for e in exponents)) for exponents in _TERMS[bits]]
    sizes = np.unique([sum(parts) for parts in product(*terms)])
    whole: F32 = (sizes / sizes[1]).astype(np.float32)
    return whole


def nearest(v: F32, book: F32) -> F32:
    """Return the entry of an ascending book nearest each number, the smaller one half-way; float32."""
    found: F32 = book[np.searchsorted((book[1:] + book[:-1]) / 2, v)]
    return found


def both_sides(sizes: F32) -> F32:
    """Return ascending sizes, the first of them 0, with those below 0."""
    return np.concatenate([-sizes[:0:-1], sizes]).astype(np.float32)

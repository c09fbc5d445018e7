"""Our kernels beside NumPy and its BLAS, one core each, and beside what the host can count at most."""

from __future__ import annotations

from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from ..hardware import sign_weights, whole_weights
from ..kernels.bits import pack_signs, unpack_signs
from ..kernels.floats import dot_floats
from ..kernels.fused import compare_pack
from ..kernels.peak import count_eights, count_words
from ..kernels.whole import SIGNS, TERNARY, Levels
from ..levels import planes_of
from ..ports import F32, I16, U64, words_for
from ..precision import PRECISIONS, Precision
from .pairs import SUITES, Row, Wanted, Work, compare, seconds

SIDE = 1024
_PEER = "NumPy float32 matmul"
_LIMIT = "limit of population counts"  # see kernels/peak.py; products by tables may pass it
_WORDS = 1024  # of the limit's example: 8 kB, in every first-level cache
_FEW = (1, 64)  # rows, beside 1024


@SUITES.option("kernels", "Kernels", formula="products of 1024 x 1024 x 1024, and packing, beside NumPy")
def kernels(wanted: Wanted) -> list[Row]:
    """Return the comparison of every product, and of packing, on one core."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(2))
    with threadpool_limits(1):
        return [*_products(a, b, wanted.pairs), *_packing(a, wanted.pairs)]


def _products(a: F32, b: F32, pairs: int) -> list[Row]:
    signs = _packed(a)
    weights = sign_weights(_packed(b), SIDE)
    whole = np.empty((SIDE, SIDE), np.int32)
    xnor = partial(weights.dot, signs, whole)
    works: dict[str, Work] = {
        "XNOR-popcount product, 1 bit": xnor,
        "1-bit weights, 8-bit inputs": _levels(a, b, "1", "8"),
        "Ternary product": _levels(a, b, "ternary", "ternary"),
        "Ternary weights, 8-bit inputs": _levels(a, b, "ternary", "8"),
        "2-bit product": _levels(a, b, "2", "2"),
        "4-bit product": _levels(a, b, "4", "4"),
        "8-bit product": _levels(a, b, "8", "8"),
        "Fixed-order float32 product": partial(dot_floats, a, b, np.empty_like(a)),
    }
    out = np.empty_like(a)
    against = partial(compare, unit="Gop/s", pairs=pairs)
    amount = 2 * SIDE**3 / 1e9
    rows = [
        against(name, work, partial(np.matmul, a, b, out=out), _PEER, amount=amount)
        for name, work in works.items()
    ]
    rows.insert(1, against("XNOR-popcount product, 1 bit", xnor, _limit(), _LIMIT, amount=amount))
    for few in _FEW:
        ours = partial(weights.dot, signs[:few], whole[:few])
        peer = partial(np.matmul, a[:few], b, out=out[:few])
        name = f"XNOR-popcount product, {few} row{'s' if few > 1 else ''}"
        rows.insert(2, against(name, ours, peer, _PEER, amount=amount * few / SIDE))
    return rows


def _packed(x: F32) -> U64:
    words = np.empty((len(x), words_for(x.shape[1])), np.uint64)
    pack_signs(x, words)
    return words


def _limit() -> Work:
    """Return what compares and counts as many bits as the product of 1024 cubed, the fastest way here."""
    words = np.random.default_rng(0).integers(0, 2**64, _WORDS, np.uint64)
    passes = SIDE**3 // (64 * _WORDS)
    works: list[Work] = [
        partial(count_words, words, passes),
        partial(count_eights, words.view(np.uint8), passes, np.empty(32, np.uint8)),
    ]
    for work in works:
        work()
    return min(works, key=lambda work: min(seconds(work) for _ in range(3)))


def _levels(a: F32, b: F32, weight: str, seen: str) -> Work:
    """Return the product of two matrices at two bit widths."""
    made = [_made_of(PRECISIONS[key]) for key in (weight, seen)]
    x = _rounded(a, seen)
    planes = _packed(b)[None] if weight == "1" else planes_of(_rounded(b, weight), PRECISIONS[weight])
    ready = whole_weights(planes, made[0], SIDE)
    return partial(ready.dot, x, made[1], np.empty((SIDE, SIDE), np.int32))


def _made_of(row: Precision) -> Levels:
    if row.binary:
        return SIGNS
    return TERNARY if row.coefficients == TERNARY.coefficients else Levels(row.coefficients)


def _rounded(x: F32, precision: str) -> I16:
    row = PRECISIONS[precision]
    levels: I16 = np.clip(np.rint(x * (row.high / 3 + 0.5)), row.low, row.high).astype(np.int16)
    return levels


def _packing(a: F32, pairs: int) -> list[Row]:
    words, back = _packed(a), np.empty_like(a)
    sums, places = (200 * a).astype(np.int32), np.zeros(SIDE, np.int32)
    flips = np.zeros(words_for(SIDE), np.uint64)
    against = partial(compare, amount=a.nbytes / 1e9, unit="GB/s", pairs=pairs)
    packed = np.packbits(a >= 0, axis=1, bitorder="little")
    return [
        against(
            "Packing signs",
            partial(pack_signs, a, words),
            lambda: np.packbits(a >= 0, axis=1, bitorder="little"),
            "NumPy packbits",
        ),
        against(
            "Thresholds of whole sums to packed bits",
            partial(compare_pack, sums, places, flips, np.empty_like(words)),
            lambda: np.packbits(sums >= places, axis=1, bitorder="little"),
            "NumPy packbits",
        ),
        against(
            "Unpacking signs",
            partial(unpack_signs, words, back),
            lambda: 2 * np.unpackbits(packed, axis=1, bitorder="little").astype(np.float32) - 1,
            "NumPy unpackbits",
        ),
    ]

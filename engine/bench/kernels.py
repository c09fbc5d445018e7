"""Our kernels beside NumPy and its BLAS, one core each."""

from __future__ import annotations

from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from ..kernels.bits import dot_signs, pack_signs
from ..kernels.floats import dot_floats
from ..kernels.levels import dot_levels, dot_planes
from ..levels import coefficients_of, planes_of
from ..ports import F32, words_for
from ..precision import PRECISIONS
from .pairs import SUITES, Row, Wanted, Work, compare

SIDE = 1024
_PEER = "NumPy float32 matmul"


@SUITES.option("kernels", "Kernels", formula="products of 1024 x 1024 x 1024, and packing, beside NumPy")
def kernels(wanted: Wanted) -> list[Row]:
    """Return the comparison of every product, and of packing, on one core."""
    pairs, rng = wanted.pairs, np.random.default_rng(0)
    a, b = (rng.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(2))
    works: dict[str, Work] = {
        "XNOR-popcount product, 1 bit": _signs(a, b),
        "Bit-plane product, ternary": _planes(a, b, "ternary"),
        "Bit-plane product, 2 bits": _planes(a, b, "2"),
        "Level product, 8 bits": _levels(a, b),
        "Fixed-order float32 product": partial(dot_floats, a, b, np.empty_like(a)),
    }
    peer = partial(np.matmul, a, b, out=np.empty_like(a))
    amount = 2 * SIDE**3 / 1e9
    with threadpool_limits(1):
        rows = [
            compare(name, work, peer, _PEER, amount=amount, unit="Gop/s", pairs=pairs)
            for name, work in works.items()
        ]
        return [*rows, _packing(a, pairs)]


def _signs(a: F32, b: F32) -> Work:
    words = [np.empty((SIDE, words_for(SIDE)), np.uint64) for _ in range(2)]
    for x, w in zip((a, b), words, strict=True):
        pack_signs(x, w)
    return partial(dot_signs, words[0], words[1], SIDE, np.empty((SIDE, SIDE), np.int32))


def _planes(a: F32, b: F32, precision: str) -> Work:
    row = PRECISIONS[precision]
    planes = [planes_of(np.clip(np.rint(x), row.low, row.high).astype(np.int16), row) for x in (a, b)]
    counts = coefficients_of(row)
    return partial(dot_planes, planes[0], counts, planes[1], counts, np.empty((SIDE, SIDE), np.int32))


def _levels(a: F32, b: F32) -> Work:
    levels = [np.clip(np.rint(40 * x), -128, 127).astype(np.int16) for x in (a, b)]
    return partial(dot_levels, levels[0], levels[1], np.empty((SIDE, SIDE), np.int32))


def _packing(a: F32, pairs: int) -> Row:
    ours = partial(pack_signs, a, np.empty((SIDE, words_for(SIDE)), np.uint64))
    amount = a.nbytes / 1e9
    return compare(
        "Packing signs",
        ours,
        lambda: np.packbits(a >= 0, axis=1, bitorder="little"),
        "NumPy packbits",
        amount=amount,
        unit="GB/s",
        pairs=pairs,
    )

"""Families of products, each with several kernels of the same answers: what hardware.py checks and measures.

A family's example multiplies numbers drawn once, with as many rows as stand for few, some or many. A kernel
that this host cannot use, or that hardly anyone should, has no trial, and so is not even compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from . import bfloats, cpu
from .bits import U64, dot_signs
from .signs import PLAIN, SIGN_KERNELS, Plan
from .whole import I16, SIGNS, WHOLE_KERNELS, Levels, WholeWeights, usual

F64 = npt.NDArray[np.float64]

_OUTPUTS, _INPUTS = 256, 1024  # of the example
BLAS, BFLOAT16 = "blas", "bfloat16"
_MOST_ROWS = 128  # of numbers
_SEEN = Levels((1, 2, 4, -8))  # of the rows that are timed
_BYTES = Levels(tuple(1 << i for i in range(8)))  # of those that could fill a kernel's sums
_PLANES = (1, 2, 3, 4, 8)  # of weights, with a family each


@dataclass(frozen=True)
class Trial:
    """A kernel and an example.

    Attributes:
        work: multiplies the example.
        right: multiplies, and returns whether the answers are those that they should be.
        operations: of the example; a product and a sum are two.
    """

    work: Callable[[], object]
    right: Callable[[], bool]
    operations: float


@dataclass(frozen=True)
class Family:
    """Products that several kernels can do.

    Attributes:
        key: of the family.
        title: the products in words.
        rows: from how many rows on a choice holds, and with how many it is measured.
        titles: the kernels in words, by their keys; the one that the others are compared with first.
        usual: the key of the kernel for so many rows, where nothing is measured.
        trial: of a kernel, so many rows and the plan for products of signs; None where it has none.
    """

    key: str
    title: str
    rows: dict[int, int]
    titles: dict[str, str]
    usual: Callable[[int], str]
    trial: Callable[[str, int, Plan], Trial | None]


def whole_family(planes: int) -> str:
    """Return the key of the family that measures weights of so many bit planes, or of the next more."""
    return f"whole-{next((count for count in _PLANES if count >= planes), _PLANES[-1])}"


@cache
def _words(rows: int, seed: int) -> U64:
    return np.random.default_rng(seed).integers(0, 2**64, (rows, _INPUTS // 64), np.uint64)


def _of_signs(key: str, rows: int, plan: Plan) -> Trial | None:
    kernel = SIGN_KERNELS[key]
    if kernel.feature and kernel.feature not in cpu.features():
        return None
    given, weights = _words(rows, 0), _words(_OUTPUTS, 1)
    out, layout = np.zeros((rows, _OUTPUTS), np.int32), kernel.lay(weights, _INPUTS)
    work = partial(kernel.dot, given, _INPUTS, layout, out)

    def right() -> bool:
        expected = np.empty_like(out)
        dot_signs(given, weights, _INPUTS, expected)
        work()
        return bool((out == expected).all())

    return Trial(work, right, 2.0 * out.size * _INPUTS)


def _levels(planes: int) -> Levels:
    return SIGNS if planes == 1 else Levels((*(1 << i for i in range(planes - 1)), -(1 << (planes - 1))))


def _packed(planes: int) -> U64:
    return _words(planes * _OUTPUTS, 2).reshape(planes, _OUTPUTS, -1)


@cache
def _numbers(planes: int) -> F64:
    """Return the weights of the example, counted by NumPy from their bits."""
    bits = np.unpackbits(_packed(planes).view(np.uint8), axis=2, bitorder="little")
    numbers = np.full(bits.shape[1:], float(_levels(planes).offset))
    for coefficient, plane in zip(_levels(planes).coefficients, bits, strict=True):
        numbers += coefficient * plane.astype(np.float64)
    return numbers


def _of_whole(planes: int, key: str, rows: int, plan: Plan) -> Trial | None:
    weights = WholeWeights(_packed(planes), _levels(planes), _INPUTS, plan, ((1, (key,)),))
    if not weights.can(key, _SEEN):
        return None
    out, given = np.zeros((rows, _OUTPUTS), np.int32), _drawn(_SEEN)[:rows]

    def right() -> bool:
        for seen in (_SEEN, _BYTES):
            if weights.can(key, seen):
                weights.dot(_drawn(seen)[:rows], seen, out)
                if (out != _expected(planes, seen)[:rows]).any():
                    return False
        return True

    return Trial(partial(weights.dot, given, _SEEN, out), right, 2.0 * out.size * _INPUTS)


@cache
def _drawn(seen: Levels) -> I16:
    """Return rows, a half of their numbers the least or the largest, so that sums become large."""
    rng = np.random.default_rng(3)
    x = rng.integers(seen.lowest, seen.highest + 1, (_MOST_ROWS, _INPUTS)).astype(np.int16)
    x[::2, ::2], x[1::2, ::2] = seen.highest, seen.lowest
    return x


@cache
def _expected(planes: int, seen: Levels) -> F64:
    return _drawn(seen).astype(np.float64) @ _numbers(planes).T


def _few_or_many(planes: int, rows: int) -> str:
    return next(keys[0] for least, keys in reversed(usual(planes)) if least <= rows)


def _whole(planes: int) -> Family:
    words = "Products of levels by weights of 1 bit" if planes == 1 else f"The same, weights of {planes} bits"
    return Family(
        whole_family(planes),
        words,
        {1: 1, 8: 16, 64: _MOST_ROWS},
        WHOLE_KERNELS,
        partial(_few_or_many, planes),
        partial(_of_whole, planes),
    )


def _of_floats(key: str, rows: int, plan: Plan) -> Trial | None:
    if key == BFLOAT16 and not bfloats.NATIVE:
        return None
    rng = np.random.default_rng(4)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((rows, _INPUTS), (_INPUTS, _OUTPUTS)))
    out = np.zeros((rows, _OUTPUTS), np.float32)
    work = partial(bfloats.matmul if key == BFLOAT16 else np.matmul, a, b, out)

    def right() -> bool:
        work()
        sizes = abs(a).astype(np.float64) @ abs(b)  # each factor may err by 2^-9 of its size
        return bool((abs(out - a.astype(np.float64) @ b) <= 2.0**-8 * 1.1 * sizes).all())

    return Trial(work, right, 2.0 * out.size * _INPUTS)


_FLOATS = Family(
    "floats",
    "Products of gradients that may be rounded",
    {1: _MOST_ROWS},
    {BLAS: "float32 by the BLAS of NumPy", BFLOAT16: "bfloat16 with sums in float32"},
    lambda rows: BLAS,
    _of_floats,
)
_SIGNS = Family(
    "signs",
    "Products of 1-bit rows",
    {1: 1, 4: 16, 64: 256},
    {key: kernel.title for key, kernel in SIGN_KERNELS.items()},
    lambda rows: PLAIN,
    _of_signs,
)
FAMILIES: dict[str, Family] = {family.key: family for family in (_SIGNS, *map(_whole, _PLANES), _FLOATS)}

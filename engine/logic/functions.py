"""Functions of numbers that rules may use; a new one is one decorated function.

Each computes from float64 arrays (n,) with plain sums, products and square roots in one fixed order, so that
every machine gets the same bits; NaN stands for a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from ..ports import F64

EARTH_KM = 6_371.0088  # mean radius of the earth, (2a + b) / 3 of WGS 84
_MANY = 256


@dataclass(frozen=True)
class Function:
    """One function.

    Attributes:
        key: its name.
        least: how few arguments it takes.
        most: how many.
        help: one sentence.
        example: a condition that uses it.
        compute: float64 arrays (n,) to one.
    """

    key: str
    least: int
    most: int
    help: str
    example: str
    compute: Callable[[list[F64]], F64]


FUNCTIONS: dict[str, Function] = {}


def function(
    key: str, help: str, *, example: str, least: int, most: int
) -> Callable[[Callable[[list[F64]], F64]], Callable[[list[F64]], F64]]:
    """Return the decorator that enters a function of `least` to `most` numbers."""

    def made(compute: Callable[[list[F64]], F64]) -> Callable[[list[F64]], F64]:
        FUNCTIONS[key] = Function(key, least, most, help, example, compute)
        return compute

    return made


@function("abs", "The size of a number, without its sign.", example="abs(a - b) <= 2", least=1, most=1)
def absolute(numbers: list[F64]) -> F64:
    """Return |x|."""
    return np.abs(numbers[0])


@function("min", "The smallest of several numbers.", example="min(a, b) >= 1", least=1, most=_MANY)
def smallest(numbers: list[F64]) -> F64:
    """Return the smallest, NaN where one is NaN."""
    return reduce(np.minimum, numbers)


@function("max", "The largest of several numbers.", example="max(a, b) <= 9", least=1, most=_MANY)
def largest(numbers: list[F64]) -> F64:
    """Return the largest, NaN where one is NaN."""
    return reduce(np.maximum, numbers)


@function("sqrt", "The square root; a negative number has none.", example="sqrt(area) <= 4", least=1, most=1)
def square_root(numbers: list[F64]) -> F64:
    """Return the square root, NaN below 0."""
    return np.sqrt(numbers[0])


@function(
    "distance",
    "Kilometres on the earth's surface between two places, each a latitude and a longitude in degrees.",
    example="distance(lat1, lon1, lat2, lon2) <= 900 * hours",
    least=4,
    most=4,
)
def distance(numbers: list[F64]) -> F64:
    """Return the great-circle distance by the haversine formula, in km; places off the globe give NaN.

    hav = sin^2(dlat / 2) + cos(lat1) cos(lat2) sin^2(dlon / 2); distance = 2 R arcsin(sqrt(hav))
    (Sinnott 1984, Virtues of the Haversine, Sky & Telescope 68).
    """
    lat1, lon1, lat2, lon2 = numbers
    there = (np.abs(lat1) <= 90) & (np.abs(lat2) <= 90) & (np.abs(lon1) <= 360) & (np.abs(lon2) <= 360)
    half = np.deg2rad((lat2 - lat1) / 2), np.deg2rad((lon2 - lon1) / 2)
    hav = _sine(half[0]) ** 2 + _cosine(np.deg2rad(lat1)) * _cosine(np.deg2rad(lat2)) * _sine(half[1]) ** 2
    return np.where(there, 2 * EARTH_KM * _arcsine(np.sqrt(np.clip(hav, 0, 1))), np.nan)


# NumPy's own sine differs in the last bit between processors; these do not.

_SINE = [(-1) ** k / float(np.prod(np.arange(1, 2 * k + 2, dtype=np.float64))) for k in range(13)]
_HALF_PI = float(np.pi / 2)


def _sine(x: F64) -> F64:
    # Brought into -pi/2 to pi/2, where thirteen terms of the Taylor series are exact to the last bits.
    turns = np.rint(x / np.pi)
    rest = x - turns * np.pi
    square, made = rest * rest, np.full_like(rest, _SINE[-1])
    for term in _SINE[-2::-1]:
        made = made * square + term
    return np.where(turns % 2 == 0, made * rest, -made * rest)


def _cosine(x: F64) -> F64:
    return _sine(x + _HALF_PI)


def _arcsine(x: F64) -> F64:
    # arcsin(x) = 2 arctan(x / (1 + sqrt(1 - x^2))).
    return 2 * _arctangent(x / (1 + np.sqrt((1 - x) * (1 + x))))


def _arctangent(x: F64) -> F64:
    # From 0 to 1; halved three times, then ten terms of the series are exact to the last bits.
    for _ in range(3):
        x = x / (1 + np.sqrt(1 + x * x))
    square, made = x * x, np.full_like(x, 1 / 25)
    for k in range(11, -1, -1):
        made = 1 / (2 * k + 1) - made * square
    return 8 * made * x

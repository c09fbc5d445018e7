"""The product of a layer with weights in an exported model."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..fusion import WholeSums
from ..kernels.floats import scale_shift
from ..node import Predictor
from ..ports import F32, Array, Arrays
from ..precision import PRECISIONS
from .product import Activation, Product, as_floats


class Taken(Protocol):
    """What arrives at a layer in an exported model (linear.LayerInput)."""

    @property
    def step(self) -> float:
        """Return what one level counts."""

    def shipped(self, x: Array) -> Array:
        """Return what arrives as the product takes it."""

    def predictor(self) -> Predictor | None:
        """Return what quantizes it, or None where it arrives quantized."""


class Shipped:
    """The product of one layer in an exported model: exact whole sums, then one scale and one shift."""

    def __init__(self, packed: Arrays, precision: str, activation: Activation, inputs: int) -> None:
        row = PRECISIONS[precision]
        self._parts: list[tuple[Product, F32, F32 | None]] = []
        for suffix in _suffixes(packed):
            product = Product(packed["weight" + suffix], precision, activation, inputs)
            outputs = packed["weight" + suffix].shape[0 if row.is_float or row.binary else 1]
            scale = packed.get("scale" + suffix, np.ones(outputs, np.float32))
            self._parts.append((product, scale, packed.get("offset" + suffix)))
        self._activation, self._inputs = activation, inputs
        self._shift: F32 | None = packed.get("shift")

    @property
    def how(self) -> str:
        """Return the kernel it takes."""
        return self._parts[0][0].how

    def predictor(self, taken: Taken, shift: F32) -> Predictor:
        """Return the predictor of a layer whose records are rows: in parts, where its sums are whole numbers.

        Args:
            taken: what arrives.
            shift: float32 (outputs,), added to every row.
        """
        product, scale, offset = self._parts[0]
        if len(self._parts) > 1 or offset is not None or self.how == "floats" or not _fits(product):
            return lambda x: (self(taken.shipped(x), taken.step, shift),)
        counts = (scale * np.float32(taken.step)).astype(np.float32)

        def finish(sums: Array) -> F32:
            return self._finished(sums, counts, shift)

        return WholeSums(product, finish, taken.predictor())

    def __call__(self, seen: Array, step: float, shift: F32) -> F32:
        """Return the products, float32 (n, outputs), of quantized rows.

        Args:
            seen: quantized rows.
            step: what one level of a row counts.
            shift: float32 (outputs,), added to every row: the layer's bias. What the input's offset adds
                (`shift` of the packed arrays) is added here.
        """
        product, scale, offset = self._parts[0]
        if len(self._parts) == 1 and offset is None:
            return self._finished(product.sums(seen), (scale * np.float32(step)).astype(np.float32), shift)
        total = self._summed(seen, step)
        if self._shift is not None:
            total += self._shift
        total += shift
        return total

    def _finished(self, sums: Array, counts: F32, shift: F32) -> F32:
        """Return the outputs, float32 (n, outputs), of one base's sums, rounded where training rounds."""
        out = np.empty(sums.shape, np.float32)
        scale_shift(sums, counts, shift if self._shift is None else self._shift, out)
        if self._shift is not None:
            out += shift
        return out

    def _summed(self, seen: Array, step: float) -> F32:
        """Return the sum of the bases, in the order that training adds them."""
        total: F32 | None = None
        for product, scale, offset in self._parts:
            sums = product.sums(seen)
            out = np.empty(sums.shape, np.float32)
            zero = np.zeros(sums.shape[1], np.float32)
            scale_shift(sums, (scale * np.float32(step)).astype(np.float32), zero, out)
            if offset is not None:
                floats = as_floats(seen, self._activation, self._inputs)
                # Levels are whole numbers, so their float64 sum is exact in any order.
                rows = floats.sum(axis=1, dtype=np.float64).astype(np.float32)
                out += rows[:, None] * (offset * np.float32(step))
            total = out if total is None else total + out
        if total is None:
            raise RuntimeError("a layer without weights")
        return total


def _fits(product: Product) -> bool:
    """Whether no sum leaves int32, in which it is held."""
    return max(-product.sums_range[0], product.sums_range[-1]) < 1 << 31


def _suffixes(packed: Arrays) -> list[str]:
    bases = sum(name == "weight" or name.startswith("weight_") for name in packed)
    return ["", *(f"_{i}" for i in range(2, bases + 1))]

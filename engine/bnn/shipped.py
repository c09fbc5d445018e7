"""The product of a layer with weights in an exported model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..fusion import Affine, FloatSums, PatchFloats, RowSigns, SignSums, WholeSums
from ..kernels.floats import scale_shift
from ..node import Predictor
from ..ports import F32, I32, U64, Array, Arrays
from .stored import multiplied


class Taken(Protocol):
    """What arrives at a layer in an exported model (linear.LayerInput)."""

    @property
    def step(self) -> float:
        """Return what one level counts."""

    @property
    def untouched(self) -> bool:
        """Whether the product takes floats as they arrive."""

    def shipped(self, x: Array) -> Array:
        """Return what arrives as the product takes it."""

    def predictor(self) -> Predictor | None:
        """Return what quantizes it, or None where it arrives quantized."""


class Multiplied(Protocol):
    """Packed weights ready to multiply (product.Product, or its like over patches of maps)."""

    @property
    def how(self) -> str:
        """Return the key of the kernel it takes."""

    @property
    def why(self) -> str:
        """Return which kernel it takes and why."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one record's sums; outputs on the last axis."""

    @property
    def sums_range(self) -> range:
        """Return what a sum of whole numbers can be."""

    @property
    def nbytes(self) -> int:
        """Return the bytes of the weights as they are multiplied."""

    @property
    def takes_bytes(self) -> bool:
        """Whether levels, all from 0 to 255, may come as uint8."""

    @property
    def rows(self) -> U64 | None:
        """Return the packed signs of each output, where a whole record meets them."""

    def into(self, seen: Array, out: I32) -> None:
        """Write the whole sums of quantized records into `out`, int32 (n, *shape)."""

    def sums(self, seen: Array) -> I32 | F32:
        """Return the sums, int32 or float32 (n, *shape), of quantized records."""

    def input_sums(self, seen: Array) -> F32:
        """Return the sum of what each output sees, float32, broadcast to (n, *shape)."""


class Shipped:
    """The product of one layer in an exported model: exact whole sums, then one scale and one shift."""

    def __init__(
        self,
        packed: Arrays,
        precision: str,
        inputs: int,
        make: Callable[[Array, str], Multiplied],
        outputs: int = 0,
    ) -> None:
        """Hold a layer's packed arrays.

        Args:
            packed: the arrays.
            precision: the width of its weights.
            inputs: columns of its weights.
            make: makes the product of the packed weights of one base, of a width.
            outputs: how many have a scale of their own; 0 for those of the last axis.
        """
        self._parts: list[tuple[Multiplied, F32, F32 | None]] = []
        for suffix in _suffixes(packed):
            product = make(*multiplied(packed, suffix, precision, inputs))
            scale = packed.get("scale" + suffix, np.ones(outputs or product.shape[-1], np.float32))
            self._parts.append((product, scale, packed.get("offset" + suffix)))
        self._shift: F32 | None = packed.get("shift")

    @property
    def how(self) -> str:
        """Return the kernel it takes."""
        return self._parts[0][0].how

    def predictor(self, taken: Taken, shift: F32) -> Predictor:
        """Return the predictor of a layer: in parts, where its sums are whole numbers.

        Args:
            taken: what arrives.
            shift: float32 (outputs,), added to every row or place.
        """
        product, scale, offset = self._parts[0]
        counts = (scale * np.float32(taken.step)).astype(np.float32)
        plain = len(self._parts) == 1 and offset is None
        if not plain or self.how == "floats" or not _fits(product):
            return self._floats(taken, shift, counts, plain=plain and self._shift is None)

        def finish(sums: Array) -> F32:
            return self._finished(sums, counts, shift)

        return WholeSums(product, finish, taken.predictor())

    def _floats(self, taken: Taken, shift: F32, counts: F32, *, plain: bool) -> Predictor:
        """Return the predictor of float sums, which says more of itself where they are `plain` ones."""
        product = self._parts[0][0]

        def outputs(x: Array) -> Array:
            return self(taken.shipped(x), taken.step, shift)

        if plain and isinstance(product, PatchFloats) and product.float_cut and taken.untouched:
            return FloatSums(outputs, product.float_cut, product.values_t, counts, shift)
        values_t = product.sign_values_t if isinstance(product, RowSigns) else None
        if plain and values_t is not None and taken.predictor() is None:
            return SignSums(outputs, values_t, Affine(counts, shift))
        return lambda x: (outputs(x),)

    def __call__(self, seen: Array, step: float, shift: F32) -> F32:
        """Return the products, float32 (n, *shape), of quantized rows or maps.

        Args:
            seen: quantized rows or maps.
            step: what one level of a row counts.
            shift: float32 (outputs,), added to every row or place: the layer's bias. What the input's offset
                adds (`shift` of the packed arrays) is added here.
        """
        product, scale, offset = self._parts[0]
        if len(self._parts) == 1 and offset is None:
            return self._finished(product.sums(seen), (scale * np.float32(step)).astype(np.float32), shift)
        total = self._summed(seen, step)
        flat = total.reshape(-1, len(shift))
        if self._shift is not None:
            flat += self._shift
        flat += shift
        return total

    def _finished(self, sums: Array, counts: F32, shift: F32) -> F32:
        """Return the outputs, float32 (n, *shape), of one base's sums, rounded where training rounds."""
        if sums.dtype == np.float32 and self._shift is None and not shift.any() and (counts == 1).all():
            return sums  # float sums start at +0, so none is -0, which alone + 0 would change
        out = sums if sums.dtype == np.float32 else np.empty(sums.shape, np.float32)
        flat = sums.reshape(-1, len(counts))
        scale_shift(flat, counts, shift if self._shift is None else self._shift, out.reshape(flat.shape))
        if self._shift is not None:
            out.reshape(flat.shape)[...] += shift
        return out

    def _summed(self, seen: Array, step: float) -> F32:
        """Return the sum of the bases, in the order that training adds them."""
        total: F32 | None = None
        for product, scale, offset in self._parts:
            sums = product.sums(seen)
            out = np.empty(sums.shape, np.float32)
            flat, zero = sums.reshape(-1, len(scale)), np.zeros_like(scale)
            scale_shift(flat, (scale * np.float32(step)).astype(np.float32), zero, out.reshape(flat.shape))
            if offset is not None:
                seen_sums = np.broadcast_to(product.input_sums(seen), sums.shape).reshape(flat.shape)
                out.reshape(flat.shape)[...] += seen_sums * (offset * np.float32(step))
            total = out if total is None else total + out
        if total is None:
            raise RuntimeError("a layer without weights")
        return total


def _fits(product: Multiplied) -> bool:
    """Whether no sum leaves int32, in which it is held."""
    return max(-product.sums_range[0], product.sums_range[-1]) < 1 << 31


def _suffixes(packed: Arrays) -> list[str]:
    bases = sum(name == "weight" or name.startswith("weight_") for name in packed)
    return ["", *(f"_{i}" for i in range(2, bases + 1))]

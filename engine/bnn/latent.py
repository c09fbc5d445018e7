"""Rows times the quantized weights of a layer in training: packed products forward, gradients backward."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..hardware import dot_signs, gradient_product
from ..kernels.floats import scale_here, scale_shift
from ..kernels.signed import signed_sums, transpose_bits
from ..kernels.threads import matmul
from ..levels import PackedSigns, Quantized
from ..ports import F32, U64, Array, Arrays, words_for
from .bytewise import ByteForward
from .flips import Scores, Units, counted, is_plain, loss_differences, row_differences
from .latent_weights import LatentWeights
from .linear import offset_shift
from .product import Activation, as_floats, way

_MANY = 64  # outputs from which on tables of signed sums pay


class _Rows:
    """The quantized rows of a batch; as floats when a product asks for them."""

    def __init__(self, seen: Array, activation: Activation, inputs: int) -> None:
        self.seen, self.activation, self._inputs = seen, activation, inputs

    @cached_property
    def floats(self) -> F32:
        return as_floats(self.seen, self.activation, self._inputs)


class Linear(LatentWeights):
    """Rows times the quantized weights of one layer, in training.

    Attributes:
        outputs, inputs: the shape of the weights.
    """

    def __init__(self, arrays: Arrays, precision: str, quantizer: str, estimator: str, rows: int) -> None:
        super().__init__(arrays, precision, quantizer, estimator)
        m, k = self.outputs, self.inputs = arrays["weight"].shape
        self._out = np.empty((rows, m), np.float32)
        self._whole = np.empty((rows, m), np.int32)
        self._scaled = np.empty((rows, m), np.float32)
        self._grad_in = np.empty((rows, k), np.float32)
        self._forward: ByteForward | None = None
        self._rows: _Rows | None = None

    def forward(self, seen: Array, activation: Activation, step: float, offset: float | None = None) -> F32:
        """Return the products, float32 (n, outputs), of quantized rows; a view of a buffer.

        Args:
            seen: (n, inputs) int16 or float32, or packed signs (n, words).
            activation: the width of the rows.
            step: what one level of a row counts.
            offset: what level 0 of a row counts, or None for nothing.
        """
        self._step, self._offset = step, offset
        rows = self._rows = _Rows(seen, activation, self.inputs)
        quantized = self._effective = self._quantized()
        out = self._out[: len(seen)]
        self._product(quantized, rows, out)
        part = quantized.more
        while part is not None:
            extra = np.empty_like(out)
            self._product(part, rows, extra)
            out += extra
            part = part.more
        if offset is not None:
            out += offset_shift(quantized, offset)
        return out

    def backward(self, grad: F32, *, rows_wanted: bool) -> F32 | None:
        """Return dL/d(step x level + offset of the rows), float32 (n, inputs), or None where not wanted.

        Fills the gradient of the weights for `grad`, dL/d(products), float32 (n, outputs).
        """
        if self._effective is None or self._rows is None:
            raise RuntimeError("backward before forward")
        self._weight_gradient(grad, self._rows)
        return self._row_gradient(grad, self._effective) if rows_wanted else None

    def differences(self, turned: Units | Scores) -> F32:
        """Return g of the signs of the last rows, float32 (n, inputs), for what they move (flips.py)."""
        quantized, rows = self._effective, self._rows
        if quantized is None or rows is None:
            raise RuntimeError("backward before forward")
        signs, d_rows = rows.floats, self._grad_in[: len(rows.seen)]
        if isinstance(turned, Scores):
            loss_differences(signs, counted(quantized), turned, d_rows)
        elif self._row.binary and self._levels(quantized) and is_plain(quantized):
            row_differences(signs, quantized.values, quantized.scale, turned, d_rows)
        else:
            row_differences(signs, counted(quantized), None, turned, d_rows)
        return d_rows

    def stop(self) -> None:
        """Zero every gradient: nothing comes back in this step."""
        self._grad.fill(0)
        for g in self.quantizer.grads.values():
            g.fill(0)

    def _product(self, quantized: Quantized, rows: _Rows, out: F32) -> None:
        scale = (quantized.scale * np.float32(self._step)).astype(np.float32)
        shift = np.zeros(self.outputs, np.float32)
        if self._levels(quantized) and way(self._row, rows.activation) == "xnor":
            whole = self._whole[: len(out)]
            dot_signs(rows.seen, self._packed_signs(quantized), self.inputs, whole)
            scale_shift(whole, scale, shift, out)
        elif self._levels(quantized) and ByteForward.meets(self._row, rows.activation):
            if self._forward is None:
                self._forward = ByteForward(self.outputs, self.inputs)
            whole = self._whole[: len(out)]
            self._forward.sums(rows.seen, self._packed_signs(quantized), rows.activation, whole)
            scale_shift(whole, scale, shift, out)
        else:
            self._float_product(quantized, rows, out)
            scale_here(out, scale, shift)
        if quantized.offset is not None:
            out += np.outer(rows.floats.sum(axis=1), quantized.offset * np.float32(self._step))

    def _float_product(self, quantized: Quantized, rows: _Rows, out: F32) -> None:
        """Write rows times the values of the weights; whole sums below 2^24 are exact in float32."""
        if isinstance(quantized, PackedSigns) and self.outputs >= _MANY:
            signed_sums(np.ascontiguousarray(rows.floats), quantized.signs, out, turned=True)
        elif rows.activation.row.binary:
            by_output = np.empty((self.outputs, len(out)), np.float32)
            signed_sums(np.ascontiguousarray(quantized.values), rows.seen, by_output, turned=True)
            out[...] = by_output.T
        else:
            matmul(rows.floats, quantized.values.T, out)

    def _levels(self, quantized: Quantized) -> bool:
        """Return whether the weights are levels in this step, neither latent nor still between levels."""
        return self.moment.weights and not quantized.soft

    @staticmethod
    def _turned(signs: U64, columns: int) -> U64:
        """Return packed signs (n, words) as (columns, words for n)."""
        out = np.empty((columns, words_for(len(signs))), np.uint64)
        transpose_bits(signs, columns, out)
        return out

    def _weight_gradient(self, grad: F32, rows: _Rows) -> None:
        if rows.activation.row.binary:
            turned = self._turned(rows.seen, self.inputs)
            signed_sums(np.ascontiguousarray(grad), turned, self._grad)
        else:
            gradient_product(grad.T, rows.floats, self._grad, bfloat16=self.moment.bfloat16)
        if self._step != 1:
            self._grad *= np.float32(self._step)
        if self._offset:
            self._grad += np.float32(self._offset) * grad.sum(axis=0)[:, None]
        self._to_latent()

    def _row_gradient(self, grad: F32, quantized: Quantized) -> F32:
        d_rows = self._grad_in[: len(grad)]
        scaled = np.multiply(grad, quantized.scale, out=self._scaled[: len(grad)])
        if self._row.binary and self._levels(quantized):
            turned = self._turned(self._packed_signs(quantized), self.inputs)
            signed_sums(scaled, turned, d_rows, turned=True)
        else:
            gradient_product(scaled, quantized.values, d_rows, bfloat16=self.moment.bfloat16)
        if quantized.offset is not None:
            d_rows += (grad @ quantized.offset)[:, None]
        part = quantized.more
        while part is not None:
            d_rows += (grad * part.scale) @ part.values
            part = part.more
        return d_rows

"""The core of every layer with weights: its input quantized, and rows times quantized weights, both ways.

A dense layer multiplies its records as rows; a convolution multiplies patches of its quantized input. Each
holds one `LayerInput` (what arrives, as the product takes it) and one `Linear` (the product). `ship` gives
the arrays and `Shipped` (shipped.py) the numbers of the same product in an exported model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..fusion import PerElement
from ..kernels.bits import dot_signs, pack_signs
from ..kernels.floats import scale_shift
from ..levels import Quantized, pack_weights, packed_shape
from ..node import Moment, Node, Parameter, Predictor, ShapeError
from ..options import Family
from ..ports import F32, Array, Arrays, Spec, words_for
from ..precision import PRECISIONS, Precision
from .activations import ACTIVATION_QUANTIZERS, ActivationQuantizer
from .product import Activation, as_floats, way
from .shipped import Shipped as Shipped
from .weights import WEIGHT_QUANTIZERS, WeightQuantizer


def check_quantizers(node: Node, spec: Spec) -> None:
    """Refuse quantizers that do not serve the bit widths chosen; a layer calls it where it checks its shapes.

    Args:
        node: a layer with fields `weight_bits` and `weight_quantizer`, or those of its activations, or both.
        spec: what arrives; levels on a bits wire meet no quantizer.

    Raises:
        ShapeError: names those that serve the width.
    """
    fields = node.values()
    families: dict[str, Family[Any]] = {"weight": WEIGHT_QUANTIZERS}
    if spec.type != "bits":
        families["activation"] = ACTIVATION_QUANTIZERS
    for what, family in families.items():
        width, key = fields.get(f"{what}_bits"), fields.get(f"{what}_quantizer")
        if width is None or key is None or key in family.serving(width):
            continue
        title, row = family[key], PRECISIONS[width]
        raise ShapeError(
            f"The {what} quantizer {title!r} does not serve {row.title}.",
            do=f"Choose one that does: {', '.join(family.serving(width).values())}.",
            parameter=f"{what}_quantizer",
        )


def input_arrays(spec: Spec, precision: str, quantizer: str) -> Arrays:
    """Return the fresh learned arrays of a layer's input: none on a bits wire."""
    if spec.type == "bits":
        return {}
    return ACTIVATION_QUANTIZERS.make(quantizer).start(PRECISIONS[precision], spec)


def weight_arrays(weight: F32, precision: str, quantizer: str) -> Arrays:
    """Return latent `weight`, float32 (outputs, inputs), with the fresh learned arrays of its quantizer."""
    return {"weight": weight, **WEIGHT_QUANTIZERS.make(quantizer).start(PRECISIONS[precision], weight)}


def weight_bits(precision: str, quantizer: str, outputs: int, inputs: int) -> int:
    """Return the bits of what `ship` stores of (outputs, inputs) weights, but for `shift`."""
    row, kind = PRECISIONS[precision], WEIGHT_QUANTIZERS.make(quantizer)
    floats = int(not row.is_float) + int(kind.offsets)
    return kind.bases * (stored_bits(row, packed_shape(precision, outputs, inputs)) + 32 * outputs * floats)


def input_bits(spec: Spec, precision: str, quantizer: str, outputs: int) -> int:
    """Return the bits of what is stored of a layer's input: learned arrays, and `shift` of its outputs."""
    if spec.type == "bits":
        return 0
    row, kind = PRECISIONS[precision], ACTIVATION_QUANTIZERS.make(quantizer)
    arrays = kind.start(row, spec)
    shift = 32 * outputs * int(kind(row, arrays, "clipped").offset is not None)
    return 8 * sum(array.nbytes for array in kind.pack(row, arrays).values()) + shift


class LayerInput:
    """What arrives at a layer, as its product takes it.

    Attributes:
        activation: its width, and whether levels are unsigned.
        quantizer: how a real input is quantized; None on a bits wire, which is taken as it comes.
        moment: where the training stands.
        rng: drawn from by stochastic quantizers in training.
    """

    def __init__(
        self, spec: Spec, precision: str, quantizer: str, arrays: Arrays, estimator: str, batch: int = 0
    ) -> None:
        kind = ACTIVATION_QUANTIZERS.make(quantizer)
        self.activation = Activation.of(spec, precision, unsigned=kind.unsigned)
        self._shape = spec.shape
        self.quantizer: ActivationQuantizer | None = (
            None if self.activation.given else kind(self.activation.row, arrays, estimator)
        )
        self.moment, self.rng = Moment(), np.random.default_rng(0)
        self._out = self._like(batch) if self.quantizer else np.empty(0, np.float32)
        self._x: F32 = np.empty((0, *spec.shape), np.float32)

    @property
    def step(self) -> float:
        """Return what one level counts."""
        if self._floats:
            return 1.0
        return self.quantizer.step if self.quantizer else self.activation.step

    @property
    def offset(self) -> float | None:
        """Return what level 0 counts, or None for nothing."""
        return self.quantizer.offset if self.quantizer and not self._floats else None

    @property
    def now(self) -> Activation:
        """Return the activations of this stage: floats where they are not quantized yet."""
        return Activation(PRECISIONS["32"]) if self._floats else self.activation

    def take(self, x: Array) -> Array:
        """Return a training batch, float32 (n, *shape) or a bits array, as the product takes it."""
        if self.quantizer is None:
            return x
        self._x = x
        if self._passes:
            # The float twin of the sign is the hard tanh: its gradient is the clipped estimator.
            return np.clip(x, -1, 1) if self.activation.row.binary else x
        self.quantizer.moment, self.quantizer.rng = self.moment, self.rng
        self.quantizer.observe(x)
        if self.quantizer.soft:
            return self.quantizer.relaxed(x)
        return self.quantizer.quantize(x, self._out[: len(x)])

    def gradient(self, grad: F32) -> F32:
        """Return dL/dx for `grad`, dL/d(step x level + offset), float32 (n, *shape)."""
        if self.quantizer is None:
            return grad
        if self._passes:
            for g in self.quantizer.grads.values():
                g.fill(0)
            return np.where(np.abs(self._x) <= 1, grad, np.float32(0)) if self.activation.row.binary else grad
        return self.quantizer.gradient(self._x, grad)

    def shipped(self, x: Array) -> Array:
        """Return what arrives in an exported model as the product takes it."""
        if self.quantizer is None:
            return np.ascontiguousarray(x)
        return self.quantizer.shipped(np.ascontiguousarray(x), self._like(len(x)))

    def predictor(self) -> Predictor | None:
        """Return what quantizes the input of an exported model, or None where it arrives quantized."""
        if self.quantizer is None:
            return None
        return PerElement(self.shipped) if self.quantizer.per_element else lambda x: (self.shipped(x),)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the learned arrays."""
        return self.quantizer.parameters() if self.quantizer else ()

    @property
    def learns(self) -> bool:
        """Whether anything is learned here, so that a gradient is wanted whatever stands before."""
        return bool(self.quantizer and self.quantizer.grads)

    @property
    def _passes(self) -> bool:
        return self.quantizer is not None and not self.moment.activations

    @property
    def _floats(self) -> bool:
        return self._passes or (self.quantizer is not None and self.quantizer.soft)

    def _like(self, n: int) -> Array:
        return Spec("bits", self._shape, self.activation.row.key).array(n)


class Linear:
    """Rows times the quantized weights of one layer, in training.

    Attributes:
        quantizer: how the weights are quantized.
        moment: where the training stands.
        rng: drawn from by stochastic quantizers.
        outputs, inputs: the shape of the weights.
    """

    def __init__(self, arrays: Arrays, precision: str, quantizer: str, estimator: str, rows: int) -> None:
        self._arrays, self._row = arrays, PRECISIONS[precision]
        self.outputs, self.inputs = arrays["weight"].shape
        self.quantizer: WeightQuantizer = WEIGHT_QUANTIZERS.make(quantizer)(self._row, arrays, estimator)
        self.moment, self.rng = Moment(), np.random.default_rng(0)
        m, k = self.outputs, self.inputs
        self._grad = np.zeros_like(arrays["weight"])
        self._out = np.empty((rows, m), np.float32)
        self._whole = np.empty((rows, m), np.int32)
        self._scaled = np.empty((rows, m), np.float32)
        self._grad_in = np.empty((rows, k), np.float32)
        self._seen = np.empty((rows, k), np.float32)
        self._signs = np.empty((m, words_for(k)), np.uint64)
        self._floats: F32 = self._seen[:0]
        self._effective: Quantized | None = None
        self._step = 1.0
        self._offset: float | None = None

    def forward(self, seen: Array, activation: Activation, step: float, offset: float | None = None) -> F32:
        """Return the products, float32 (n, outputs), of quantized rows; a view of a buffer.

        Args:
            seen: (n, inputs) int16 or float32, or packed signs (n, words).
            activation: the width of the rows.
            step: what one level of a row counts.
            offset: what level 0 of a row counts, or None for nothing.
        """
        n = len(seen)
        self._step, self._offset = step, offset
        self._floats = as_floats(seen, activation, self.inputs, self._seen[:n])
        quantized = self._effective = self._quantized()
        out = self._out[:n]
        self._product(quantized, seen, activation, out)
        part = quantized.more
        while part is not None:
            extra = np.empty_like(out)
            self._product(part, seen, activation, extra)
            out += extra
            part = part.more
        if offset is not None:
            out += _shift(quantized, offset)
        return out

    def backward(self, grad: F32, *, rows_wanted: bool) -> F32 | None:
        """Return dL/d(step x level + offset of the rows), float32 (n, inputs), or None where not wanted.

        Fills the gradient of the weights for `grad`, dL/d(products), float32 (n, outputs).
        """
        n, quantized = len(grad), self._effective
        if quantized is None:
            raise RuntimeError("backward before forward")
        np.matmul(grad.T, self._floats, out=self._grad)
        self._grad *= np.float32(self._step)
        if self._offset:
            self._grad += np.float32(self._offset) * grad.sum(axis=0)[:, None]
        if self.moment.weights:
            self._grad[...] = self.quantizer.gradient(self._arrays["weight"], self._grad)
        else:
            for g in self.quantizer.grads.values():
                g.fill(0)
        if not rows_wanted:
            return None
        scaled = np.multiply(grad, quantized.scale, out=self._scaled[:n])
        d_rows: F32 = np.matmul(scaled, quantized.values, out=self._grad_in[:n])
        if quantized.offset is not None:
            d_rows += (grad @ quantized.offset)[:, None]
        part = quantized.more
        while part is not None:
            d_rows += (grad * part.scale) @ part.values
            part = part.more
        return d_rows

    def stop(self) -> None:
        """Zero every gradient: nothing comes back in this step."""
        self._grad.fill(0)
        for g in self.quantizer.grads.values():
            g.fill(0)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the latent weights and what the quantizer learns."""
        limit, binary = self.quantizer.limit(), self._row.binary
        weight = Parameter("weight", self._arrays["weight"], self._grad, limit, binary=binary)
        return (weight, *self.quantizer.parameters())

    def _quantized(self) -> Quantized:
        w = self._arrays["weight"]
        if not self.moment.weights:
            return Quantized(w, np.ones(len(w), np.float32))
        self.quantizer.moment, self.quantizer.rng = self.moment, self.rng
        return self.quantizer.quantize(w)

    def _product(self, quantized: Quantized, seen: Array, activation: Activation, out: F32) -> None:
        scale = (quantized.scale * np.float32(self._step)).astype(np.float32)
        shift = np.zeros(self.outputs, np.float32)
        if self.moment.weights and not quantized.soft and way(self._row, activation) == "xnor":
            whole = self._whole[: len(out)]
            pack_signs(quantized.values, self._signs)
            dot_signs(seen, self._signs, self.inputs, whole)
            scale_shift(whole, scale, shift, out)
        else:
            # Whole sums below 2^24 are exact in float32: there BLAS gives what the packed product gives.
            np.matmul(self._floats, quantized.values.T, out=out)
            scale_shift(out, scale, shift, out)
        if quantized.offset is not None:
            out += np.outer(self._floats.sum(axis=1), quantized.offset * np.float32(self._step))


def ship(
    arrays: Arrays, precision: str, quantizer: str, estimator: str, offset: float | None = None
) -> Arrays:
    """Return what is stored of a layer's weights: `weight`, `scale`, `offset`, and `_2` ... of further bases.

    Args:
        arrays: the node's weights.
        precision: the bit width.
        quantizer: the key of its quantizer.
        estimator: the key of its estimator.
        offset: what level 0 of a row counts, or None for nothing; what it adds is stored as `shift`.
    """
    row = PRECISIONS[precision]
    made = WEIGHT_QUANTIZERS.make(quantizer)(row, arrays, estimator).shipped(arrays["weight"])
    packed: Arrays = {}
    part: Quantized | None = made
    place = 1
    while part is not None:
        suffix = "" if place == 1 else f"_{place}"
        packed["weight" + suffix] = pack_weights(part, precision)
        if not row.is_float:
            packed["scale" + suffix] = part.scale.copy()
        if part.offset is not None:
            packed["offset" + suffix] = part.offset.copy()
        part, place = part.more, place + 1
    if offset is not None:
        packed["shift"] = _shift(made, offset)
    return packed


def _shift(quantized: Quantized, offset: float) -> F32:
    """Return what an input offset adds to every output: offset x the sum of its weights."""
    total = np.zeros(len(quantized.scale), np.float64)
    part: Quantized | None = quantized
    while part is not None:
        total += part.values.sum(axis=1, dtype=np.float64) * part.scale
        if part.offset is not None:
            total += part.offset.astype(np.float64) * part.values.shape[1]
        part = part.more
    shift: F32 = (offset * total).astype(np.float32)
    return shift


def stored_bits(row: Precision, shape: tuple[int, ...]) -> int:
    """Return the bits of packed weights of `shape` (levels.packed_shape)."""
    return int(np.prod(shape, dtype=np.int64)) * (row.bits if row.is_float else 64)

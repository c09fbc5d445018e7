"""The dense layer at every bit width of weights and activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import bit_width, choice, flag, whole
from ..kernels.bits import dot_signs, pack_signs
from ..kernels.estimators import ESTIMATORS
from ..kernels.floats import scale_shift
from ..levels import (
    Quantized,
    latent_gradient,
    pack_weights,
    packed_shape,
    quantize_weights,
    unpack_weights,
)
from ..node import (
    Cost,
    Family,
    Learning,
    Node,
    Operator,
    Parameter,
    Predictor,
    ShapeError,
    Specs,
    Work,
    wired,
)
from ..ports import F32, Array, Arrays, Port, Spec, words_for
from ..precision import PRECISIONS
from .product import WHY, Activation, Product, as_floats, quantized_input, way


@dataclass(frozen=True)
class Dense(Node):
    """y = scale * (levels of w . levels of x) * step + bias.

    A weight counts scale * level, with a scale for each output: sign(w) * mean |w| at 1 bit (XNOR-Net,
    arXiv:1603.05279); -1, 0 or 1 with the threshold 0.7 mean |w| at ternary (TWN, arXiv:1605.04711);
    round(w / s) with s = 2 mean |w| / sqrt(highest level) at 2 to 8 bits; itself at 16 and 32. A real input
    is quantized to `activation_bits` first: by sign at 1 bit, to levels with a learned step at ternary to 8
    bits (LSQ: Esser et al. 2020, arXiv:1902.08153), to IEEE half at 16; a bits input keeps the width it has.
    Gradients pass the steps by the chosen straight-through estimator (1 bit) or clipped to the levels' range.

    Attributes:
        units: columns out.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every unit.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
    """

    kind: ClassVar[str] = "bnn.dense"
    title: ClassVar[str] = "Dense layer"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.squares-four"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = "Every output sees every input; weights and activations from 1 to 32 bits"
    citation: ClassVar[str] = "Hubara et al. 2016, arXiv:1602.02830"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real", "bits"), "The record, one flat row"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "One number for each unit"),)

    units: int = whole(128, 1, 65_536, "Outputs of the layer", unit="units")
    weight_bits: str = bit_width(
        "1", "Bits of each weight", citation="arXiv:1603.05279, 1605.04711, 1902.08153"
    )
    activation_bits: str = bit_width(
        "32", "Bits a real input is quantized to; a bits wire keeps its own width"
    )
    bias: bool = flag(True, "Add a trained number to every unit")
    estimator: str = choice("clipped", ESTIMATORS, "Gradient of the sign at 1 bit")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if len(spec.shape) != 1:
            words = f"It takes flat records; these are {spec.words()}."
            raise ShapeError(words, do="Insert a Flatten.", port="in")
        return (Spec("real", (self.units,)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        stored = np.prod(packed_shape(self.weight_bits, self.units, spec.elements), dtype=np.int64)
        row = PRECISIONS[self.weight_bits]
        bits = int(stored) * (row.bits if row.is_float else 64)
        bits += 32 * self.units * (int(not row.is_float) + int(self.bias))
        activation = Activation.of(spec, self.activation_bits).row.key
        return Cost(bits, (Work(spec.elements * self.units, self.weight_bits, activation),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        limit = np.sqrt(6.0 / (spec.elements + self.units))  # Glorot & Bengio 2010
        shape = (self.units, spec.elements)
        weights: Arrays = {
            "weight": rng.uniform(-limit, limit, shape).astype(np.float32),
            "bias": np.zeros(self.units, np.float32),
        }
        if Activation.of(spec, self.activation_bits).learns_step:
            weights["step"] = np.zeros(1, np.float32)  # found from the first batch
        return weights

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        quantized = quantize_weights(weights["weight"], self.weight_bits)
        packed: Arrays = {"weight": pack_weights(quantized, self.weight_bits)}
        if not PRECISIONS[self.weight_bits].is_float:
            packed["scale"] = quantized.scale
        if self.bias:
            packed["bias"] = weights["bias"].copy()
        if "step" in weights:
            packed["step"] = np.maximum(weights["step"], _LEAST_STEP)
        return packed

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        activation = Activation.of(spec, self.activation_bits)
        product = Product(packed["weight"], self.weight_bits, activation, spec.elements)
        step = float(packed["step"][0]) if "step" in packed else activation.step
        ones = np.ones(self.units, np.float32)
        scale = (packed.get("scale", ones) * np.float32(step)).astype(np.float32)
        shift = packed.get("bias", np.zeros(self.units, np.float32))

        def predict(x: Array) -> tuple[Array, ...]:
            sums = product.sums(quantized_input(np.ascontiguousarray(x), activation, step))
            out = np.empty(sums.shape, np.float32)
            scale_shift(sums, scale, shift, out)
            return (out,)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return DenseOperator(self, weights, batch, spec)

    def rows(self) -> tuple[tuple[str, str], ...]:
        row = PRECISIONS[self.activation_bits]
        return (("Units", f"{self.units:,}".replace(",", "\u202f")), ("Activations", row.chip))

    def weight_levels(self, packed: Arrays) -> Array | None:
        inputs = packed["weight"].shape[-1] * (1 if PRECISIONS[self.weight_bits].is_float else 64)
        return unpack_weights(packed["weight"], self.weight_bits, inputs)


_LEAST_STEP = np.float32(1e-6)


class DenseOperator(Operator):
    """The dense layer in training: packed products forward, float products backward."""

    def __init__(self, node: Dense, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._node, self._k, m = node, spec.elements, node.units
        self._row = PRECISIONS[node.weight_bits]
        self._activation = Activation.of(spec, node.activation_bits)
        self._way = way(self._row, self._activation)
        self._estimate = ESTIMATORS.make(node.estimator)
        k = self._k
        self._out = np.empty((batch, m), np.float32)
        self._grad_in = np.empty((batch, k), np.float32)
        self._scaled = np.empty((batch, m), np.float32)
        self._seen = np.empty((batch, k), np.float32)
        self._whole = np.empty((batch, m), np.int32)
        self._signs_in = np.empty((batch, words_for(k)), np.uint64)
        self._signs_weight = np.empty((m, words_for(k)), np.uint64)
        self._levels_in = np.empty((batch, k), np.int16)
        self._grads = {name: np.zeros_like(weights[name]) for name in weights}
        self._raw: Array = np.empty((0, k), np.float32)
        self._floats: F32 = self._raw
        self._quantized = Quantized(self._raw, np.empty(0, np.float32))

    def parameters(self) -> tuple[Parameter, ...]:
        limits = {"weight": 1.0 if self._row.binary else None}
        floors = {"step": float(_LEAST_STEP)}
        names = [n for n in self.weights if n != "bias" or self._node.bias]
        return tuple(
            Parameter(n, self.weights[n], self._grads[n], limits.get(n), floors.get(n)) for n in names
        )

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        n = len(x)
        self._raw = x
        self._start_step(x)
        quantized = self._quantized = quantize_weights(self.weights["weight"], self._node.weight_bits)
        buffer = self._signs_in if self._activation.row.binary else self._levels_in
        seen = quantized_input(x, self._activation, self._step, buffer[:n])
        out = self._out[:n]
        scale = (quantized.scale * np.float32(self._step)).astype(np.float32)
        self._floats = as_floats(seen, self._activation, self._k, self._seen[:n])
        if self._way == "xnor":
            pack_signs(quantized.values, self._signs_weight)
            dot_signs(seen, self._signs_weight, self._k, self._whole[:n])
            scale_shift(self._whole[:n], scale, self.weights["bias"], out)
        else:
            # Whole sums below 2^24 are exact in float32: there BLAS gives what the packed product gives.
            np.matmul(self._floats, quantized.values.T, out=out)
            scale_shift(out, scale, self.weights["bias"], out)
        return (out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        n, step = len(grad), np.float32(self._step)
        np.sum(grad, axis=0, out=self._grads["bias"])
        # dL/d(scale x level of w): the scale is a statistic that the estimator does not differentiate.
        np.matmul(grad.T, self._floats, out=self._grads["weight"])
        self._grads["weight"] *= step
        self._weight_gradient()
        if not self.input_wanted and not self._activation.learns_step:
            return (None,)
        scaled = np.multiply(grad, self._quantized.scale * step, out=self._scaled[:n])
        d_levels = np.matmul(scaled, self._quantized.values, out=self._grad_in[:n])  # dL/d(level of x)
        return (self._input_gradient(d_levels, step),)

    def hardware_profile(self) -> tuple[str, ...]:
        return (f"Products: {WHY[self._way]}.", "Gradients: float32 products by BLAS.")

    @property
    def _step(self) -> float:
        return (
            float(max(self.weights["step"][0], _LEAST_STEP))
            if "step" in self.weights
            else self._activation.step
        )

    def _start_step(self, x: Array) -> None:
        if self._activation.learns_step and self.weights["step"][0] <= 0:
            high = self._activation.row.high
            self.weights["step"][0] = max(2 * float(np.abs(x).mean()) / np.sqrt(high), _LEAST_STEP)

    def _weight_gradient(self) -> None:
        w, grad = self.weights["weight"], self._grads["weight"]
        if self._row.binary:
            self._estimate(w.ravel(), grad.ravel(), grad.ravel())
        elif not self._row.is_float:
            grad[...] = latent_gradient(w, grad, self._node.weight_bits)

    def _input_gradient(self, d_levels: F32, step: np.float32) -> F32:
        activation = self._activation
        if activation.given:
            # The wire carries step x level; dL/d(wire) is dL/d(level) / step.
            return np.divide(d_levels, step, out=d_levels) if step != 1 else d_levels
        if activation.row.binary:
            x = np.ascontiguousarray(self._raw, np.float32)
            self._estimate(x.ravel(), d_levels.ravel(), d_levels.ravel())
            return d_levels
        if activation.learns_step:
            return self._learned_step_gradient(d_levels, step)
        return d_levels

    def _learned_step_gradient(self, d_levels: F32, step: np.float32) -> F32:
        row, v = self._activation.row, self._raw / step
        d_values = d_levels / step  # dL/d(step x level)
        low, high = v <= row.low, v >= row.high
        slope = np.where(low, row.low, np.where(high, row.high, np.rint(v) - v)).astype(np.float32)
        grad_scale = 1.0 / np.sqrt(self._k * row.high)
        self._grads["step"][0] = np.float32((d_values * slope).sum(dtype=np.float64) * grad_scale)
        return np.where(low | high, np.float32(0), d_values)

"""The layer of leaky integrate-and-fire neurons, at every bit width of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import bit_width, choice, flag, real, whole
from ..kernels.bits import pack_signs
from ..kernels.spike import (
    add_rows,
    add_to_rows,
    dot_spikes,
    integrate,
    integrate_backward,
    pack_spikes,
)
from ..kernels.threads import matmul
from ..levels import (
    Quantized,
    latent_gradient,
    pack_weights,
    packed_shape,
    quantize_weights,
    unpack_weights,
)
from ..node import Cost, Family, Learning, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, U64, Array, Arrays, Port, Spec, words_for
from ..precision import PRECISIONS
from .surrogates import SURROGATES

RESETS = {"subtract": "Take the threshold away", "zero": "Empty the neuron"}


@dataclass(frozen=True)
class LifLayer(Node):
    """U[t] = beta U[t-1] + scale (levels of w . S_in[t]) + bias - reset; S[t] = 1 where U[t] >= threshold.

    A neuron that fired at t - 1 has its threshold taken away at t, or starts from 0. Training goes back
    through all steps with the surrogate in place of dS/dU; the reset counts as a constant. Weights are
    quantized as those of the dense layer are, the gradient passing straight through where it is not clipped.

    Attributes:
        units: neurons.
        weight_bits: width of the weights.
        beta: share of the potential left after a step; 1 is a neuron that does not leak.
        threshold: potential at which a neuron fires.
        reset: what firing does to the potential.
        surrogate: the derivative of a spike, for training.
        slope: sharpness of the surrogate, k in its formula.
        bias: whether a trained current is added at every step.
    """

    kind: ClassVar[str] = "snn.lif"
    title: ClassVar[str] = "LIF layer"
    family: ClassVar[Family] = "snn"
    icon: ClassVar[str] = "ph.lightning"
    order: ClassVar[int] = 30
    summary: ClassVar[str] = "Leaky integrate-and-fire neurons that see every input spike"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("spikes",), "Spikes over time"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("spikes",), "One neuron for each unit"),)

    units: int = whole(128, 1, 65_536, "Neurons of the layer", unit="units")
    weight_bits: str = bit_width(
        "32", "Bits of each weight", citation="arXiv:1603.05279, 1605.04711, 1902.08153"
    )
    beta: float = real(0.9, 0.0, 1.0, "Share of the potential left after a step")
    threshold: float = real(1.0, 1e-3, 1000.0, "Potential at which a neuron fires")
    reset: str = choice("subtract", RESETS, "What firing does to the potential, one step later")
    surrogate: str = choice("arctan", SURROGATES, "Derivative of a spike, for training")
    slope: float = real(2.0, 0.01, 1000.0, "Sharpness of the surrogate, k in its formula")
    bias: bool = flag(True, "Add a trained current at every step")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("spikes", (spec.shape[0], self.units)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        """Return the cost of a record whose every input fires at every step: the most there can be."""
        (spec,) = wired(inputs)
        row = PRECISIONS[self.weight_bits]
        stored = int(np.prod(packed_shape(self.weight_bits, self.units, spec.shape[1]), dtype=np.int64))
        bits = stored * (row.bits if row.is_float else 64)
        bits += 32 * self.units * (int(not row.is_float) + int(self.bias))
        return Cost(bits, (Work(spec.elements * self.units, self.weight_bits, "1"),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        limit = 1 / np.sqrt(spec.shape[1])
        return {
            "weight": rng.uniform(-limit, limit, (self.units, spec.shape[1])).astype(np.float32),
            "bias": np.zeros(self.units, np.float32),
        }

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        quantized = quantize_weights(weights["weight"], self.weight_bits)
        packed: Arrays = {"weight": pack_weights(quantized, self.weight_bits)}
        if not PRECISIONS[self.weight_bits].is_float:
            packed["scale"] = quantized.scale
        if self.bias:
            packed["bias"] = weights["bias"].copy()
        return packed

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        steps, k = spec.shape
        w: Array = packed["weight"]
        if not PRECISIONS[self.weight_bits].binary:
            w = np.ascontiguousarray(unpack_weights(w, self.weight_bits, k).T)
        scale = packed.get("scale", np.ones(self.units, np.float32))
        shift = packed.get("bias", np.zeros(self.units, np.float32))

        def predict(x: Array) -> tuple[Array, ...]:
            potential = np.empty((len(x), steps, self.units), np.float32)
            out = np.empty(potential.shape, np.uint8)
            flat = np.ascontiguousarray(x).reshape(-1, k)
            words = np.empty((len(flat), words_for(k)), np.uint64)
            _currents(flat, w, (scale, shift), words, _rows(potential))
            integrate(potential, *self.dynamics, out)
            return (out,)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return LifOperator(self, weights, batch, spec.shape)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Units", f"{self.units:,}".replace(",", "\u202f")), ("Beta", f"{self.beta:g}"))

    def weight_levels(self, packed: Arrays) -> Array | None:
        inputs = packed["weight"].shape[-1] * (1 if PRECISIONS[self.weight_bits].is_float else 64)
        return unpack_weights(packed["weight"], self.weight_bits, inputs)

    @property
    def dynamics(self) -> tuple[np.float32, np.float32, bool]:
        """Return beta, threshold and whether firing empties the neuron."""
        return np.float32(self.beta), np.float32(self.threshold), self.reset == "zero"


class LifOperator(Operator):
    """The layer in training: the same sums as in a shipped model, and back-propagation through time."""

    def __init__(self, node: LifLayer, weights: Arrays, batch: int, shape: tuple[int, ...]) -> None:
        super().__init__(weights)
        self._node, (steps, k), m = node, shape, node.units
        self._row = PRECISIONS[node.weight_bits]
        self._surrogate = SURROGATES.make(node.surrogate)
        self._potential = np.empty((batch, steps, m), np.float32)
        self._spikes = np.empty((batch, steps, m), np.uint8)
        self._slope = np.empty((batch, steps, m), np.float32)
        self._current_grad = np.empty((batch, steps, m), np.float32)
        self._grad_in = np.empty((batch, steps, k), np.float32)
        binary = self._row.binary
        self._weight: Array = (
            np.empty((m, words_for(k)), np.uint64) if binary else np.empty((k, m), np.float32)
        )
        self._words = np.empty((batch * steps if binary else 0, words_for(k)), np.uint64)
        self._grad_t = np.empty((k, m), np.float32)
        self._grads = {name: np.zeros_like(weights[name]) for name in weights}
        self._seen: Array = np.empty((0, steps, k), np.uint8)
        self._quantized = Quantized(np.empty((0, k), np.float32), np.empty(0, np.float32))

    def parameters(self) -> tuple[Parameter, ...]:
        binary = self._row.binary
        weight, bias = ((self.weights[n], self._grads[n]) for n in ("weight", "bias"))
        latent = Parameter("weight", *weight, limit=1.0 if binary else None, binary=binary)
        return (latent, Parameter("bias", *bias)) if self._node.bias else (latent,)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        self._seen = x = np.ascontiguousarray(inputs[0])
        n = len(x)
        quantized = self._quantized = quantize_weights(self.weights["weight"], self._node.weight_bits)
        if self._row.binary:
            pack_signs(quantized.values, self._weight)
        else:
            self._weight[...] = quantized.values.T
        potential, spikes = self._potential[:n], self._spikes[:n]
        affine = (quantized.scale, self.weights["bias"])  # a layer without a bias has one of 0
        _currents(_rows(x), self._weight, affine, self._words, _rows(potential))
        integrate(potential, *self._node.dynamics, spikes)
        return (spikes,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        n, current = len(grad), self._current_grad[: len(grad)]
        beta, threshold, to_zero = self._node.dynamics
        slope = self._slope[:n]
        np.subtract(self._potential[:n], threshold, out=current)
        self._surrogate(current.reshape(-1), np.float32(self._node.slope), slope.reshape(-1))
        current[...] = grad
        integrate_backward(self._spikes[:n], slope, beta, to_zero, current)
        flat = _rows(current)
        np.sum(flat, axis=0, out=self._grads["bias"])
        add_to_rows(_rows(self._seen), flat, self._grad_t)
        w = self.weights["weight"]
        self._grads["weight"][...] = latent_gradient(
            w, np.ascontiguousarray(self._grad_t.T), self._node.weight_bits
        )
        if not self.input_wanted:
            return (None,)
        flat *= self._quantized.scale
        matmul(flat, self._quantized.values, _rows(self._grad_in[:n]))
        return (self._grad_in[:n],)

    def metrics(self) -> dict[str, float]:
        n = len(self._seen)
        if not n:
            return {}
        fired = self._spikes[:n].any(axis=(0, 1))
        return {"spike rate": float(self._spikes[:n].mean()), "silent neurons": float(1 - fired.mean())}

    def hardware_profile(self) -> tuple[str, ...]:
        return (
            "Sums: AND and popcount on packed spikes: weights are 1 bit."
            if self._row.binary
            else "Sums: event-driven, one row of weights is added for each input spike.",
            "Weight gradient: event-driven; gradient to the input: float32 products by BLAS.",
        )


def _currents(spikes: Array, weight: Array, affine: tuple[F32, F32], words: U64, out: F32) -> None:
    """Write what spikes, uint8 (n, inputs), bring to each neuron into `out`, float32 (n, units).

    Args:
        spikes: one row for each record and step.
        weight: packed signs, uint64 (units, words), or levels or floats, float32 (inputs, units).
        affine: scale and bias, float32 (units,).
        words: uint64 (n or more, words) to pack spikes into, where weights are packed.
        out: overwritten.
    """
    if weight.dtype == np.uint64:
        pack_spikes(spikes, words[: len(spikes)])
        dot_spikes(words[: len(spikes)], weight, *affine, out)
    else:
        add_rows(spikes, weight, *affine, out)


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])

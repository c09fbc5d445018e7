"""The core of every layer with weights: its input quantized, and rows times quantized weights, both ways.

A dense layer multiplies its records as rows; a convolution multiplies patches of its quantized input. Each
holds one `LayerInput`: what arrives, as the product takes it. `ship` gives the arrays and `Shipped`
(shipped.py) the numbers of the product in an exported model; in training it is `latent.Linear`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..fusion import PerElement
from ..levels import Quantized, packed_shape
from ..node import Moment, Node, Parameter, Predictor, ShapeError
from ..options import Family
from ..ports import F32, Array, Arrays, Spec
from ..precision import PRECISIONS, Precision
from .activations import ACTIVATION_QUANTIZERS, ActivationQuantizer
from .product import Activation
from .shipped import Shipped as Shipped
from .stored import multiplied_width as multiplied_width
from .stored import stored
from .weights import WEIGHT_QUANTIZERS


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
        if width is None or key is None or family.get_option(key).fits(width):
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


def weight_arrays(weight: F32, precision: str, quantizer: str, axes: tuple[int, ...] = ()) -> Arrays:
    """Return latent `weight`, float32 (outputs, inputs), with the fresh learned arrays of its quantizer.

    Args:
        weight: fresh.
        precision: the bit width.
        quantizer: the key of its quantizer.
        axes: of the kernel that a row is, channels last; () for plain rows.
    """
    kind = WEIGHT_QUANTIZERS.make(quantizer)
    return {"weight": weight, **kind.start_kernels(PRECISIONS[precision], weight, axes)}


def weight_bits(precision: str, quantizer: str, outputs: int, inputs: int) -> int:
    """Return the bits of what `ship` stores of (outputs, inputs) weights, but for `shift`."""
    row, kind = PRECISIONS[precision], WEIGHT_QUANTIZERS.make(quantizer)
    floats = int(not row.is_float) + int(kind.offsets)
    each = stored_bits(row, packed_shape(precision, outputs, inputs)) + 32 * outputs * floats
    return kind.bases * (each + kind.beside(row, outputs, inputs))


def planes_vary(quantizer: str, name: str) -> bool:
    """Return whether a packed array of a layer is bit planes whose number is learned."""
    return name.endswith("weight") and WEIGHT_QUANTIZERS.make(quantizer).learns_width


def input_bits(spec: Spec, precision: str, quantizer: str, outputs: int) -> int:
    """Return the bits of what is stored of a layer's input: learned arrays, and `shift` of its outputs."""
    if spec.type == "bits":
        return 0
    row, kind = PRECISIONS[precision], ACTIVATION_QUANTIZERS.make(quantizer)
    arrays = kind.start(row, spec)
    shift = 32 * outputs * int(kind(row, arrays, "clipped").offset is not None)
    return 8 * sum(array.nbytes for array in kind.pack(row, arrays).values()) + shift


def activation_of(spec: Spec, precision: str, quantizer: str) -> Activation:
    """Return the activations that a layer multiplies where `spec` arrives."""
    kind = ACTIVATION_QUANTIZERS.make(quantizer)
    return Activation.of(spec, kind.multiplied_as or precision, unsigned=kind.unsigned)


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
        self.activation = activation_of(spec, precision, quantizer)
        self._shape = spec.shape
        self.quantizer: ActivationQuantizer | None = (
            None if self.activation.given else kind(PRECISIONS[precision], arrays, estimator)
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
    def untouched(self) -> bool:
        """Whether the product takes floats as they arrive."""
        return self.activation.row.store == "single" and not self.activation.given

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
        if self.moment.learning:
            self.quantizer.observe(x)
        if self.quantizer.soft:
            return self.quantizer.relaxed(x)
        out = self._out[: len(x)]
        return self.quantizer.quantize(x, out) if self.moment.learning else self.quantizer.shipped(x, out)

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
    def draws(self) -> bool:
        """Whether signs are drawn here whose way back is by what turning them does (flips.py)."""
        return self.quantizer is not None and self.quantizer.by_flips and not self._passes

    @property
    def drawn(self) -> tuple[F32, F32] | None:
        """Return what the signs of this step were drawn from, and g of each, float32 (n, *shape), or None."""
        if self.quantizer is None or not self.draws or self.quantizer.difference is None:
            return None
        return self._x, self.quantizer.difference

    @property
    def _passes(self) -> bool:
        return self.quantizer is not None and not self.moment.activations

    @property
    def _floats(self) -> bool:
        return self._passes or (self.quantizer is not None and self.quantizer.soft)

    def _like(self, n: int) -> Array:
        return Spec("bits", self._shape, self.activation.row.key).array(n)


def ship(
    arrays: Arrays, precision: str, quantizer: str, estimator: str, offset: float | None = None
) -> Arrays:
    """Return what is stored of a layer's weights (stored.py), with `_2` ... for further bases.

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
        packed |= {name + suffix: array for name, array in stored(part, precision).items()}
        part, place = part.more, place + 1
    if offset is not None:
        packed["shift"] = offset_shift(made, offset)
    return packed


def offset_shift(quantized: Quantized, offset: float) -> F32:
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

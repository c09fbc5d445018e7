"""The dense layer at every bit width of weights and activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ..fields import bit_width, choice, flag, whole
from ..kernels.estimators import ESTIMATORS
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
from ..ports import F32, Array, Arrays, Port, Spec
from ..precision import PRECISIONS
from .activations import ACTIVATION_QUANTIZERS
from .flips import DrawingOperator
from .latent import Linear
from .linear import (
    LayerInput,
    Shipped,
    activation_of,
    check_quantizers,
    input_arrays,
    input_bits,
    multiplied_width,
    planes_vary,
    ship,
    weight_arrays,
    weight_bits,
)
from .product import Product, reason
from .stored import numbers
from .weights import WEIGHT_QUANTIZERS


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
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
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
    weight_quantizer: str = choice(
        "standard",
        WEIGHT_QUANTIZERS,
        "How latent weights become levels",
        serving=lambda layer: WEIGHT_QUANTIZERS.serving(layer.weight_bits),
    )
    activation_quantizer: str = choice(
        "standard",
        ACTIVATION_QUANTIZERS,
        "How a real input becomes levels; a bits wire stays as it is",
        serving=lambda layer: ACTIVATION_QUANTIZERS.serving(layer.activation_bits),
    )

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if len(spec.shape) != 1:
            words = f"It takes flat records; these are {spec.words()}."
            raise ShapeError(words, do="Insert a Flatten.", port="in")
        check_quantizers(self, spec)
        return (Spec("real", (self.units,)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        bits = weight_bits(self.weight_bits, self.weight_quantizer, self.units, spec.elements)
        bits += input_bits(spec, self.activation_bits, self.activation_quantizer, self.units)
        bits += 32 * self.units * int(self.bias)
        activation = activation_of(spec, self.activation_bits, self.activation_quantizer).row.key
        products = WEIGHT_QUANTIZERS.make(self.weight_quantizer).bases * spec.elements * self.units
        width = multiplied_width(self.weight_bits, self.weight_quantizer)
        return Cost(bits, (Work(products, width, activation),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        limit = np.sqrt(6.0 / (spec.elements + self.units))  # Glorot & Bengio 2010
        shape = (self.units, spec.elements)
        weight = rng.uniform(-limit, limit, shape).astype(np.float32)
        weights: Arrays = {
            **weight_arrays(weight, self.weight_bits, self.weight_quantizer),
            "bias": np.zeros(self.units, np.float32),
            **input_arrays(spec, self.activation_bits, self.activation_quantizer),
        }
        return weights

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        taken = self._input(spec, weights)
        packed = ship(weights, self.weight_bits, self.weight_quantizer, self.estimator, taken.offset)
        if self.bias:
            packed["bias"] = weights["bias"].copy()
        if taken.quantizer:
            packed.update(taken.quantizer.pack(taken.quantizer.row, weights))
        return packed

    def may_be_shorter(self, name: str) -> bool:
        return planes_vary(self.weight_quantizer, name)

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        taken = self._input(spec, packed)
        product = Shipped(
            packed,
            self.weight_bits,
            spec.elements,
            lambda weight, width: Product(weight, width, taken.activation, spec.elements),
        )
        return product.predictor(taken, packed.get("bias", np.zeros(self.units, np.float32)))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return DenseOperator(self, weights, batch, spec, self._input(spec, weights, batch))

    def _input(self, spec: Spec, arrays: Arrays, batch: int = 0) -> LayerInput:
        return LayerInput(
            spec, self.activation_bits, self.activation_quantizer, arrays, self.estimator, batch
        )

    def rows(self) -> tuple[tuple[str, str], ...]:
        row = PRECISIONS[self.activation_bits]
        return (("Units", f"{self.units:,}".replace(",", "\u202f")), ("Activations", row.chip))

    def weight_levels(self, packed: Arrays) -> Array | None:
        return numbers(packed, "", self.weight_bits)


class DenseOperator(DrawingOperator):
    """The dense layer in training: packed products forward, float products backward."""

    output_spare: ClassVar[bool] = True
    back_spare: ClassVar[Literal["own", "arrives", ""]] = "own"

    def __init__(self, node: Dense, weights: Arrays, batch: int, spec: Spec, taken: LayerInput) -> None:
        super().__init__(weights)
        self._node, self.taken = node, taken
        self._linear = Linear(weights, node.weight_bits, node.weight_quantizer, node.estimator, batch)
        self._grad_bias = np.zeros_like(weights["bias"])
        width = multiplied_width(node.weight_bits, node.weight_quantizer)
        self._pair = PRECISIONS[width], taken.activation

    def parameters(self) -> tuple[Parameter, ...]:
        bias = (Parameter("bias", self.weights["bias"], self._grad_bias),) if self._node.bias else ()
        return (*self._linear.parameters(), *bias, *self.taken.parameters())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._linear.moment = self.taken.moment = self.moment
        self._linear.rng = self.taken.rng = self.rng
        seen = self.taken.take(x)
        out = self._linear.forward(seen, self.taken.now, self.taken.step, self.taken.offset)
        if self._node.bias:
            out += self.weights["bias"]
        return (out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for p in self.parameters():
                p.grad.fill(0)
            return (None,)
        if self._node.bias:
            np.sum(grad, axis=0, out=self._grad_bias)
        wanted = self.input_wanted or self.taken.learns
        turned = self.turned(grad) if wanted else None
        d_rows = self._linear.backward(grad, rows_wanted=wanted and turned is None)
        if turned is not None:
            d_rows = self._linear.differences(turned)
        return (None,) if d_rows is None else (self.taken.gradient(d_rows),)

    def metrics(self) -> dict[str, float]:
        return super().metrics() | self._linear.quantizer.metrics()

    def hardware_profile(self) -> tuple[str, ...]:
        return (f"Products: {reason(*self._pair)}.", "Gradients: float32 products by BLAS.")

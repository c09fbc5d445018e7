"""What every quantizer of activations is: floats in, levels out, and the way back."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...kernels.estimators import ESTIMATORS, Estimator
from ...node import Moment, Parameter
from ...options import Family
from ...ports import F32, Array, Arrays, Spec
from ...precision import Precision


class ActivationQuantizer:
    """How a real input counts in a layer: `step x level + offset`.

    One instance serves one layer, in training and in a shipped model (which never calls `gradient`). A new
    quantizer is one class, entered with `ACTIVATION_QUANTIZERS.option`.

    Class attributes:
        serves: the bit widths (keys of PRECISIONS) it is meant for.
        unsigned: whether levels start at 0 (0 to 2^bits - 1) rather than at the row's lowest.
        per_element: whether `shipped` treats every element on its own and never turns (fusion.PerElement).

    Attributes:
        row: the bit width.
        arrays: the node's weights, or packed arrays; learned arrays stand there under the names of `start`.
        estimate: gradient of the sign, for quantizers whose paper leaves it open.
        rng, moment: as in an operator; the layer hands over its own.
    """

    serves: ClassVar[tuple[str, ...]] = ("1",)
    unsigned: ClassVar[bool] = False
    per_element: ClassVar[bool] = False

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        self.row, self.arrays = row, arrays
        self.estimate: Estimator = ESTIMATORS.make(estimator)
        self.rng = np.random.default_rng(0)
        self.moment = Moment()
        self.grads: Arrays = {}

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        """Return fresh learned arrays, float32 by name (`step`, or names that begin with `input_`).

        Args:
            row: the bit width.
            spec: what arrives; its last axis holds the channels.
        """
        return {}

    @property
    def step(self) -> float:
        """Return what one level counts."""
        return 1.0

    @property
    def offset(self) -> float:
        """Return what level 0 counts (at 1 bit: the middle between the two values)."""
        return 0.0

    def quantize(self, x: F32, out: Array) -> Array:
        """Return what the product takes for `x`, float32 (n, *shape).

        Args:
            x: the real input.
            out: where to write: uint64 (n, words) packed signs at 1 bit, int16 (n, *shape) levels at 2 to 8
                bits and ternary, else float32 (n, *shape).
        """
        raise NotImplementedError

    def shipped(self, x: F32, out: Array) -> Array:
        """Return what `quantize` gives in an exported model, the same on every call for the same record."""
        return self.quantize(x, out)

    def observe(self, x: F32) -> None:
        """See a training batch before it is quantized: start learned steps, follow running statistics."""

    def gradient(self, x: F32, grad: F32) -> F32:
        """Return dL/dx, float32 (n, *shape), for `grad`, dL/d(step x level + offset); fills `grads`."""
        raise NotImplementedError

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the learned arrays."""
        return tuple(Parameter(n, self.arrays[n], g) for n, g in self.grads.items())

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        """Return the learned arrays as they are shipped."""
        return {}


ACTIVATION_QUANTIZERS: Family[type[ActivationQuantizer]] = Family(
    "bnn.activation_quantizer", "Quantizers of activations"
)

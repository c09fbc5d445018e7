"""What every quantizer of weights is: latent floats in, levels with scales out, and the way back."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...kernels.estimators import ESTIMATORS, Estimator
from ...levels import Quantized
from ...node import Moment, Parameter
from ...options import Family
from ...ports import F32, Arrays
from ...precision import Precision


class WeightQuantizer:
    """How the latent weights of one layer count in one training or export.

    A weight counts `scale of its output x level + offset of its output` (`levels.Quantized`). One instance
    serves one compiled layer. A new quantizer is one class, entered with `WEIGHT_QUANTIZERS.option`.

    Class attributes:
        serves: the bit widths (keys of PRECISIONS) it is meant for.

    Attributes:
        row: the bit width.
        arrays: the node's weights; learned arrays of the quantizer stand there under `names`.
        estimate: gradient of the sign, for quantizers whose paper leaves it open.
        rng: drawn from by stochastic quantizers in training; the layer hands over its own.
        moment: where the training stands; the layer hands over its own.
    """

    serves: ClassVar[tuple[str, ...]] = ("1",)

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        self.row, self.arrays = row, arrays
        self.estimate: Estimator = ESTIMATORS.make(estimator)
        self.rng = np.random.default_rng(0)
        self.moment = Moment()
        self.grads = {name: np.zeros_like(arrays[name]) for name in self.start(row, arrays["weight"])}

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        """Return fresh learned arrays, float32 by name (each name begins with `weight_`), for latent `w`."""
        return {}

    def quantize(self, w: F32) -> Quantized:
        """Return latent `w`, float32 (outputs, inputs), as it counts in this training step."""
        raise NotImplementedError

    def gradient(self, w: F32, grad: F32) -> F32:
        """Return dL/d(latent), float32 (outputs, inputs), for `grad`, dL/d(weight as it counts).

        Fills `grads` of the learned arrays. `grad` may be changed and returned.
        """
        raise NotImplementedError

    def shipped(self, w: F32) -> Quantized:
        """Return latent `w` as an exported model has it: the same on every call."""
        return self.quantize(w)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the learned arrays."""
        return tuple(Parameter(n, self.arrays[n], g) for n, g in self.grads.items())

    def limit(self) -> float | None:
        """Return what the latent weights are clipped to after every step, or None."""
        return 1.0 if self.row.binary else None


WEIGHT_QUANTIZERS: Family[type[WeightQuantizer]] = Family("bnn.weight_quantizer", "Quantizers of weights")

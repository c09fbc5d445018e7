"""The latent weights of a layer in training: how they count in a step, and what becomes of its gradient."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..kernels.bits import pack_signs
from ..levels import PackedSigns, Quantized
from ..node import Moment, Parameter
from ..ports import U64, Arrays, words_for
from ..precision import PRECISIONS
from .weights import WEIGHT_QUANTIZERS, WeightQuantizer


class LatentWeights:
    """What products of quantized weights share in training.

    Class attributes:
        packs: whether the product takes packed signs, where the quantizer has a short way to them.

    Attributes:
        quantizer: how the weights are quantized.
        moment: where the training stands.
        rng: drawn from by stochastic quantizers.
    """

    packs: ClassVar[bool] = True

    def __init__(self, arrays: Arrays, precision: str, quantizer: str, estimator: str) -> None:
        self._arrays, self._row = arrays, PRECISIONS[precision]
        self.quantizer: WeightQuantizer = WEIGHT_QUANTIZERS.make(quantizer)(self._row, arrays, estimator)
        self.moment, self.rng = Moment(), np.random.default_rng(0)
        m, k = arrays["weight"].shape
        self._grad = np.zeros_like(arrays["weight"])
        self._signs = np.empty((m, words_for(k) if self.packs else 0), np.uint64)
        self._effective: Quantized | None = None
        self._step = 1.0
        self._offset: float | None = None

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the latent weights and what the quantizer learns."""
        limit, binary = self.quantizer.limit(), self._row.binary
        weight = Parameter("weight", self._arrays["weight"], self._grad, limit, binary=binary)
        return (weight, *self.quantizer.parameters())

    def _quantized(self) -> Quantized:
        """Return the weights as they count in this step; the floats in a stage of floats."""
        w = self._arrays["weight"]
        if not self.moment.weights:
            return Quantized(w, np.ones(len(w), np.float32))
        self.quantizer.moment, self.quantizer.rng = self.moment, self.rng
        packed = self.quantizer.pack(w, self._signs) if self.packs and self._row.binary else None
        return packed if packed is not None else self.quantizer.at_this_moment(w)

    def _packed_signs(self, quantized: Quantized) -> U64:
        """Return the signs of 1-bit weights, packed: uint64 (outputs, words)."""
        if isinstance(quantized, PackedSigns):
            return quantized.signs
        pack_signs(np.ascontiguousarray(quantized.values), self._signs)
        return self._signs

    def _to_latent(self) -> None:
        """Turn the gradient of the weights as they count into that of the latent ones, in place."""
        if not self.moment.weights:
            for g in self.quantizer.grads.values():
                g.fill(0)
            return
        latent = self.quantizer.gradient(self._arrays["weight"], self._grad)
        if latent is not self._grad:
            self._grad[...] = latent

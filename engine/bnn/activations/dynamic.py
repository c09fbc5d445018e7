"""Signs whose thresholds each record sets for itself (DyBNN)."""

from __future__ import annotations

import numpy as np

from ...kernels.curves import channel_means
from ...kernels.floats import dot_floats
from ...kernels.jit import plain
from ...ports import F32, Array, Arrays, Spec
from ...precision import Precision
from .binary import GROUP
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

_RATIO = 8  # channels for each number between the two layers
_NAMES = ("input_squeeze", "input_squeeze_bias", "input_expand", "input_expand_bias")


@ACTIVATION_QUANTIZERS.option(
    "dynamic_threshold",
    "Threshold of each record (DyBNN)",
    formula="sign(x + b), b = W2 relu(W1 m + c1) + c2 for each channel, m the record's channel means; "
    "W2 and both c from 0",
    citation="Zhang et al. 2021, arXiv:2110.05185",
    group=GROUP,
)
class DynamicThreshold(ActivationQuantizer):
    """A shifted sign whose shift is what two small layers make of the record as a whole.

    The paper's thresholds come of global means by a small network; its sizes are those of a squeeze here. All
    sums run in one fixed order, in training too. A flat record is its own means.
    """

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self._means_of, self._dot = channel_means, dot_floats
        if all(name in arrays for name in _NAMES):
            self.grads.update({name: np.zeros_like(arrays[name]) for name in _NAMES})

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        channels = spec.shape[-1]
        hidden = max(1, channels // _RATIO)
        first = np.random.default_rng(0).standard_normal((hidden, channels)) * np.sqrt(2 / channels)
        arrays = (first, np.zeros(hidden), np.zeros((channels, hidden)), np.zeros(channels))
        return {name: a.astype(np.float32) for name, a in zip(_NAMES, arrays, strict=True)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {name: arrays[name].copy() for name in _NAMES}

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(x + self._shift(x)[2], out)

    def gradient(self, x: F32, grad: F32) -> F32:
        means, hidden, shift = self._shift(x)
        back = self.estimated(x + shift, grad)
        first, second = self.arrays["input_squeeze"], self.arrays["input_expand"]
        d_shift = back.reshape(len(x), -1, x.shape[-1]).sum(axis=1)
        d_hidden = (d_shift @ second) * (hidden > 0)
        self.grads["input_squeeze"][...] = d_hidden.T @ means
        self.grads["input_squeeze_bias"][...] = d_hidden.sum(axis=0)
        self.grads["input_expand"][...] = d_shift.T @ hidden
        self.grads["input_expand_bias"][...] = d_shift.sum(axis=0)
        places = max(1, x[0].size // x.shape[-1]) if len(x) else 1
        d_means = (d_hidden @ first) / np.float32(places)
        total: F32 = back + d_means.reshape(len(x), *(1,) * (x.ndim - 2), -1)
        return total

    def without_compiler(self) -> None:
        super().without_compiler()
        self._means_of, self._dot = plain(channel_means), plain(dot_floats)

    def _shift(self, x: F32) -> tuple[F32, F32, F32]:
        """Return means, what the first layer makes of them, and the shift, which spreads over `x`."""
        first, bias, second, last = (self.arrays[name] for name in _NAMES)
        maps = np.ascontiguousarray(x, np.float32).reshape(len(x), -1, x.shape[-1])
        means = np.empty((len(x), x.shape[-1]), np.float32)
        self._means_of(maps, means)
        hidden = np.empty((len(x), len(first)), np.float32)
        self._dot(means, np.ascontiguousarray(first.T), hidden)
        hidden = np.maximum(hidden + bias, np.float32(0))
        shift = np.empty_like(means)
        self._dot(hidden, np.ascontiguousarray(second.T), shift)
        shift += last
        return means, hidden, shift.reshape(len(x), *(1,) * (x.ndim - 2), -1)

"""The input scale of XNOR-Net: how large the numbers were whose signs a window holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..kernels.channels import mean_sizes
from ..kernels.pool import mean_pool, mean_pool_back
from ..node import Operator, Parameter
from ..ports import F32, Array, Arrays
from .conv_window import Window


class InputScale:
    """K, the mean over a window of the mean over channels of |x|, 0 past the edge (arXiv:1603.05279, 3.2)."""

    def __init__(self, window: Window) -> None:
        self._window, self._one = window, replace(window, channels=1)
        self._origins, self._taps = self._one.origins, self._one.tap_starts
        self._count = np.full(window.places, window.taps, np.float32)

    def forward(self, x: F32) -> F32:
        """Return K, float32 (n, places), of maps, float32 (n, ...)."""
        rows = np.ascontiguousarray(x).reshape(-1, self._window.channels)
        sizes = np.empty(len(rows), np.float32)
        mean_sizes(rows, sizes)
        maps = self._one.bordered(sizes.reshape(len(x), -1), 0)
        out = np.empty((len(x), self._window.places, 1), np.float32)
        mean_pool(maps, self._origins, self._taps, self._count, out)
        return out[:, :, 0]

    def backward(self, x: F32, grad: F32) -> F32:
        """Return dL/dx, float32 of x's shape, for `grad`, dL/dK, float32 (n, places)."""
        maps = np.zeros((len(x), self._one.elements), np.float32)
        rows = np.ascontiguousarray(grad)[:, :, None]
        mean_pool_back(rows, self._origins, self._taps, self._count, maps)
        sizes = self._one.cropped(maps).reshape(-1, 1) / np.float32(self._window.channels)
        back: F32 = np.multiply(np.sign(x).reshape(len(sizes), -1), sizes, dtype=np.float32)
        return back.reshape(x.shape)


class InputScaledOperator(Operator):
    """A convolution times its input scale, and then its bias, in training."""

    def __init__(self, weights: Arrays, inner: Operator, scale: InputScale, *, bias: bool) -> None:
        super().__init__(weights)
        self._inner, self._scale, self._bias = inner, scale, bias
        self._grad_bias = np.zeros_like(weights["bias"])
        self._x: F32 = np.empty(0, np.float32)
        self._raw: F32 = self._x
        self._factor: F32 | None = None

    def parameters(self) -> tuple[Parameter, ...]:
        bias = (Parameter("bias", self.weights["bias"], self._grad_bias),) if self._bias else ()
        return (*self._inner.parameters(), *bias)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._x,) = inputs
        self._inner.moment, self._inner.rng = self.moment, self.rng
        self._inner.input_wanted = self.input_wanted
        (self._raw,) = self._inner.execute(self._x)
        # Where activations are floats still, there are no signs whose size is lost.
        self._factor = None
        out = self._raw
        if self.moment.activations:
            self._factor = self._scale.forward(self._x).reshape(*self._raw.shape[:-1], 1)
            out = self._raw * self._factor
        return (out + self.weights["bias"] if self._bias else out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            self._grad_bias.fill(0)
            return self._inner.gradient(None)
        self._grad_bias[:] = grad.reshape(-1, len(self._grad_bias)).sum(axis=0)
        if self._factor is None:
            return self._inner.gradient(grad)
        by_place = (grad * self._raw).sum(axis=-1).reshape(len(grad), -1)
        (back,) = self._inner.gradient(grad * self._factor)
        return (None if back is None else back + self._scale.backward(self._x, by_place),)

    def hardware_profile(self) -> tuple[str, ...]:
        return (*self._inner.hardware_profile(), "Times one float for each position: the input scale.")

"""Activations whose range follows what the batches show: running statistics, nothing learned by gradient.

The first batch sets a range, each further one moves it a tenth of the way. The gradient passes within the
range of the levels and stops outside.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...ports import F32, Array, Arrays, Spec
from ...precision import Precision
from ..ranges import kl_range, mse_scale
from .fixed import WIDTHS
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

GROUP = "Ranges that follow the batches"
_LEAST = np.float32(1e-6)
_KEPT = np.float32(0.9)
_SAMPLE = 1 << 14  # numbers of a batch that a search looks at


class _Observer(ActivationQuantizer):
    """Base: signed levels, step = running range / high."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    per_element: ClassVar[bool] = True

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"step": np.zeros(1, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"step": np.maximum(arrays["step"], _LEAST)}

    @property
    def step(self) -> float:
        return float(max(self.arrays["step"][0], _LEAST))

    def reach(self, x: F32) -> float:
        """Return the largest size that is to have a level, for a batch."""
        raise NotImplementedError

    def observe(self, x: F32) -> None:
        self.follow("step", max(self.reach(x) / self.high, float(_LEAST)), fresh=self.arrays["step"][0] <= 0)

    def follow(self, name: str, now: float, *, fresh: bool) -> None:
        """Move a running figure towards `now`, or set it to that where it is `fresh`."""
        kept = np.float32(0) if fresh else _KEPT
        self.arrays[name][0] = kept * self.arrays[name][0] + (1 - kept) * np.float32(now)

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x, self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        v = x / np.float32(self.step)
        return np.where((v >= self.low - 0.5) & (v <= self.high + 0.5), grad, np.float32(0))


def _sample(x: F32) -> F32:
    """Return a batch's numbers, evenly thinned to what a search can afford, float32 (k,)."""
    flat: F32 = x.reshape(-1)
    return flat[:: max(1, flat.size // _SAMPLE)]


@ACTIVATION_QUANTIZERS.option(
    "largest",
    "Largest, symmetric",
    formula="s clip(round(x / s), low, high), s = running max|x| / high",
    group=GROUP,
)
class Largest(_Observer):
    """The batch's largest size fits the highest level."""

    # At 2 bits the highest level is 1: nearly everything would be rounded to 0.
    serves: ClassVar[tuple[str, ...]] = WIDTHS[1:]

    def reach(self, x: F32) -> float:
        return float(np.abs(x).max(initial=0))


@ACTIVATION_QUANTIZERS.option(
    "percentile",
    "99.9th percentile, symmetric",
    formula="s clip(round(x / s), low, high), s = running 99.9th percentile of |x| / high",
    group=GROUP,
)
class Percentile(_Observer):
    """One number in a thousand is clipped."""

    # At 2 bits the highest level is 1: nearly everything would be rounded to 0.
    serves: ClassVar[tuple[str, ...]] = WIDTHS[1:]

    def reach(self, x: F32) -> float:
        return float(np.percentile(np.abs(_sample(x)), 99.9))


@ACTIVATION_QUANTIZERS.option(
    "three_sigma",
    "Mean and three deviations, symmetric",
    formula="s clip(round(x / s), low, high), s = running (|mean(x)| + 3 std(x)) / high",
    group=GROUP,
)
class ThreeSigma(_Observer):
    """Clips what lies beyond three standard deviations."""

    def reach(self, x: F32) -> float:
        return abs(float(x.mean(dtype=np.float64))) + 3 * float(x.std(dtype=np.float64))


@ACTIVATION_QUANTIZERS.option(
    "least_error",
    "Step of least squared error, symmetric",
    formula="s clip(round(x / s), low, high), s running: of least squared error in 24 parts of max|x| / high",
    group=GROUP,
)
class LeastError(_Observer):
    """A search over steps at every batch, on up to 16,384 of its numbers."""

    def reach(self, x: F32) -> float:
        return float(mse_scale(_sample(x)[None], self.low, self.high)[0]) * self.high


@ACTIVATION_QUANTIZERS.option(
    "entropy",
    "Threshold of least divergence, symmetric",
    formula="s clip(round(x / s), low, high), s = running t / high; t of least KL divergence of the "
    "histogram of |x| from its levels",
    group=GROUP,
)
class Entropy(_Observer):
    """The calibration of post-training toolkits at every batch (`ranges.kl_range`)."""

    def reach(self, x: F32) -> float:
        return kl_range(_sample(x), self.high)


@ACTIVATION_QUANTIZERS.option(
    "power_of_two_step",
    "Power-of-two step, symmetric",
    formula="s clip(round(x / s), low, high), s = 2^ceil(log2(running max|x| / high))",
    group=GROUP,
)
class PowerOfTwoStep(Largest):
    """Steps that are shifts."""

    @property
    def step(self) -> float:
        return float(2.0 ** np.ceil(np.log2(super().step)))


@ACTIVATION_QUANTIZERS.option(
    "min_max",
    "Smallest to largest, with offset",
    formula="b + s clip(round((x - b) / s), 0, n), n = 2^bits - 1; running b = min, s = (max - min) / n",
    group=GROUP,
)
class MinMax(_Observer):
    """Unsigned levels above the smallest number: none is wasted where activations are lopsided."""

    unsigned: ClassVar[bool] = True

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"step": np.zeros(1, np.float32), "input_offset": np.zeros(1, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"step": np.maximum(arrays["step"], _LEAST), "input_offset": arrays["input_offset"].copy()}

    @property
    def offset(self) -> float | None:
        return float(self.arrays["input_offset"][0])

    def observe(self, x: F32) -> None:
        if not x.size:
            return
        low, high = float(x.min()), float(x.max())
        fresh = self.arrays["step"][0] <= 0
        self.follow("step", max((high - low) / self.high, float(_LEAST)), fresh=fresh)
        self.follow("input_offset", low, fresh=fresh)

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x - self.arrays["input_offset"], self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        return super().gradient(x - self.arrays["input_offset"], grad)

"""What every quantizer of activations is: floats in, levels out, and the way back."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...kernels.bits import pack_signs
from ...kernels.estimators import ESTIMATORS, Estimator
from ...kernels.jit import plain
from ...kernels.levels import quantize
from ...node import Moment, Parameter
from ...options import F64, Curve, Family
from ...ports import F32, Array, Arrays, Spec
from ...precision import PRECISIONS, Precision


class ActivationQuantizer:
    """How a real input counts in a layer: `step x level + offset`.

    One instance serves one layer, in training and in a shipped model (which never calls `gradient`). A new
    quantizer is one class, entered with `ACTIVATION_QUANTIZERS.option`.

    Class attributes:
        serves: the bit widths (keys of PRECISIONS) it is meant for.
        unsigned: whether levels start at 0 (0 to 2^bits - 1) rather than at the row's lowest.
        per_element: whether `shipped` treats every element on its own and never turns (fusion.PerElement).
        stochastic: whether it draws chance in training.
        by_flips: whether the loss is followed by what turning its signs does (bnn/flips.py), layer by layer,
            rather than by derivatives.
        multiplied_as: the width (a key of PRECISIONS) that its levels, or floats, are multiplied at; "" for
            its own.

    Attributes:
        row: the bit width.
        arrays: the node's weights, or packed arrays; learned arrays stand there under the names of `start`.
        estimate: gradient of the sign, for quantizers whose paper leaves it open.
        rng, moment: as in an operator; the layer hands over its own.
        difference: the last `grad` of `gradient`, float32 (n, *shape), where it is `by_flips`; or None.
    """

    serves: ClassVar[tuple[str, ...]] = ("1",)
    unsigned: ClassVar[bool] = False
    per_element: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    by_flips: ClassVar[bool] = False
    multiplied_as: ClassVar[str] = ""

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        self.row, self.arrays = row, arrays
        self.estimate: Estimator = ESTIMATORS.make(estimator)
        self.rng = np.random.default_rng(0)
        self.moment = Moment()
        self.grads: Arrays = {}
        self.difference: F32 | None = None
        self._pack, self._round = pack_signs, quantize

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
    def offset(self) -> float | None:
        """Return what level 0 counts (at 1 bit: the middle between the two values), or None for nothing."""
        return None

    @property
    def low(self) -> int:
        """Return the lowest level."""
        return 0 if self.unsigned else self.row.low

    @property
    def high(self) -> int:
        """Return the highest level."""
        return self.row.high - self.row.low if self.unsigned else self.row.high

    @property
    def soft(self) -> bool:
        """Whether this training step passes floats between the levels (`relaxed`) rather than levels."""
        return False

    def quantize(self, x: F32, out: Array) -> Array:
        """Return what the product takes for `x`, float32 (n, *shape).

        Args:
            x: the real input.
            out: where to write, by the width that is multiplied: uint64 (n, words) packed signs at 1 bit,
                int16 (n, *shape) levels at 2 to 8 bits and ternary, else float32 (n, *shape).
        """
        raise NotImplementedError

    def relaxed(self, x: F32) -> F32:
        """Return what counts for `x`, float32 (n, *shape), in a training step that is `soft`."""
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

    def signs(self, x: F32, out: Array) -> Array:
        """Write the packed signs of `x`, float32 (n, *shape), into `out` and return it."""
        self._pack(np.ascontiguousarray(x, np.float32).reshape(len(x), -1), out)
        return out

    def levels(self, x: F32, step: float, out: Array) -> Array:
        """Write round(x / step) within `low` to `high` into `out`, int16 of x's shape, and return it."""
        flat = np.ascontiguousarray(x, np.float32).reshape(len(x), -1)
        self._round(flat, np.float32(step), self.low, self.high, out.reshape(flat.shape))
        return out

    def estimated(self, x: F32, grad: F32) -> F32:
        """Return dL/dx, float32 of x's shape, for `grad`, dL/d(sign x), by the chosen estimator."""
        # Not in place: the compiler's vectors are for arrays that do not overlap.
        out = np.empty(x.shape, np.float32)
        flat = np.ascontiguousarray(x, np.float32).ravel()
        self.estimate(flat, np.ascontiguousarray(grad, np.float32).ravel(), self.moment.share, out.ravel())
        return out

    def without_compiler(self) -> None:
        """Do every kernel's work in plain Python from now on: a curve must wait for no compiler."""
        self._pack, self._round, self.estimate = plain(pack_signs), plain(quantize), plain(self.estimate)


def _curve_of(kind: type[ActivationQuantizer]) -> Curve:
    """Return what a quantizer makes of records of one number each, and the gradient there.

    At 1 bit where it serves that, else ternary or 3 bits; at a quarter of the training.
    """
    row = PRECISIONS[next((w for w in ("1", "ternary", "3") if w in kind.serves), kind.serves[0])]

    def curve(xs: F64) -> tuple[F64, F64]:
        x, spec = xs.astype(np.float32)[:, None], Spec("real", (1,))
        quantizer = kind(row, kind.start(row, spec), "clipped")
        quantizer.without_compiler()
        quantizer.moment = Moment(share=0.25)
        quantizer.observe(x)
        draws = [_counted(quantizer, x) for _ in range(32 if kind.stochastic else 1)]
        slope = quantizer.gradient(x, np.ones_like(x))
        return np.mean(draws, axis=0), slope[:, 0].astype(np.float64)

    return curve


def _counted(quantizer: ActivationQuantizer, x: F32) -> F64:
    """Return what (n, 1) numbers count once quantized."""
    if quantizer.soft:
        return quantizer.relaxed(x)[:, 0].astype(np.float64)
    binary = quantizer.row.binary
    width = quantizer.multiplied_as or quantizer.row.key
    seen = quantizer.quantize(x, Spec("bits", (1,), width).array(len(x)))[:, 0]
    levels: F64 = (seen & np.uint64(1)).astype(np.float64) * 2 - 1 if binary else seen.astype(np.float64)
    return quantizer.step * levels + (quantizer.offset or 0.0)


ACTIVATION_QUANTIZERS: Family[type[ActivationQuantizer]] = Family(
    "bnn.activation_quantizer", "Quantizers of activations", curve_of=_curve_of
)

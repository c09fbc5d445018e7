"""What every quantizer of weights is: latent floats in, levels with scales out, and the way back."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...kernels.estimators import ESTIMATORS, Estimator
from ...levels import PackedSigns, Quantized
from ...node import Moment, Parameter
from ...options import F64, Curve, Family
from ...ports import F32, U64, Arrays
from ...precision import PRECISIONS, Precision


class WeightQuantizer:
    """How the latent weights of one layer count in one training or export.

    A weight counts `scale of its output x level + offset of its output` (`levels.Quantized`), summed over its
    bases. One instance serves one compiled layer. A new quantizer is one class, entered with
    `WEIGHT_QUANTIZERS.option`.

    Class attributes:
        serves: the bit widths (keys of PRECISIONS) it is meant for.
        bases: how many bases a weight is the sum of (`Quantized.more`).
        offsets: whether its levels have an offset (`Quantized.offset`).
        stochastic: whether it draws chance in training.
        trained: names of those arrays of `start` that are trained by gradient.
        relative: those of them that are scales: an optimiser such as Adam moves them by shares of their size.
        learns_width: whether it may leave bit planes out of what is stored (`Quantized.bits`).
        multiplied_as: the width (a key of PRECISIONS) that what is stored is multiplied at; "" for its own.

    Attributes:
        row: the bit width.
        arrays: the node's weights; learned arrays of the quantizer stand there under the names of `start`.
        estimate: gradient of the sign, for quantizers whose paper leaves it open.
        rng: drawn from by stochastic quantizers in training; the layer hands over its own.
        moment: where the training stands; the layer hands over its own.
    """

    serves: ClassVar[tuple[str, ...]] = ("1",)
    bases: ClassVar[int] = 1
    offsets: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    trained: ClassVar[tuple[str, ...]] = ()
    relative: ClassVar[tuple[str, ...]] = ()
    learns_width: ClassVar[bool] = False
    multiplied_as: ClassVar[str] = ""

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        self.row, self.arrays = row, arrays
        self.estimate: Estimator = ESTIMATORS.make(estimator)
        self.rng = np.random.default_rng(0)
        self.moment = Moment()
        self.grads = {name: np.zeros_like(arrays[name]) for name in self.trained}

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        """Return fresh learned arrays, float32 by name (each name begins with `weight_`), for latent `w`."""
        return {}

    @classmethod
    def start_kernels(cls, row: Precision, w: F32, axes: tuple[int, ...]) -> Arrays:
        """Return what `start` does where each row is a kernel of `axes`, channels last; () for plain rows."""
        return cls.start(row, w)

    @classmethod
    def beside(cls, row: Precision, outputs: int, inputs: int) -> int:
        """Return the bits that each base stores beside its weights, scales and offsets: book and blocks."""
        return 0

    def quantize(self, w: F32) -> Quantized:
        """Return latent `w`, float32 (outputs, inputs), as it counts in this training step."""
        raise NotImplementedError

    def pack(self, w: F32, signs: U64) -> PackedSigns | None:
        """Return what `quantize` does with the signs written to `signs`, or None where it has no short way.

        A quantizer whose 1-bit weights are a scale times a sign may offer it: training then never makes the
        signs as numbers.
        """
        return None

    def gradient(self, w: F32, grad: F32) -> F32:
        """Return dL/d(latent), float32 (outputs, inputs), for `grad`, dL/d(weight as it counts).

        Called after `quantize` of the same step. Fills `grads` of the learned arrays. `grad` may be changed
        and returned.
        """
        raise NotImplementedError

    def shipped(self, w: F32) -> Quantized:
        """Return latent `w` as an exported model has it: the same on every call."""
        return self.quantize(w)

    def at_this_moment(self, w: F32) -> Quantized:
        """Return latent `w` as it counts now: quantized in a training step, else as shipped."""
        return self.quantize(w) if self.moment.learning else self.shipped(w)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the learned arrays."""
        return tuple(
            Parameter(n, self.arrays[n], g, relative=n in self.relative) for n, g in self.grads.items()
        )

    def metrics(self) -> dict[str, float]:
        """Return figures worth watching while it learns, by name."""
        return {}

    def limit(self) -> float | None:
        """Return what the latent weights are clipped to after every step, or None."""
        return 1.0 if self.row.binary else None

    def estimated(self, x: F32, grad: F32) -> F32:
        """Return dL/dx, float32 of x's shape, for `grad`, dL/d(sign x), by the chosen estimator."""
        # Not in place: the compiler's vectors are for arrays that do not overlap.
        out = np.empty(x.shape, np.float32)
        flat = np.ascontiguousarray(x, np.float32).ravel()
        self.estimate(flat, np.ascontiguousarray(grad, np.float32).ravel(), self.moment.share, out.ravel())
        return out


def _curve_of(kind: type[WeightQuantizer]) -> Curve:
    """Return what a quantizer makes of an output whose weights are the xs, and how far each moves itself.

    At 1 bit where it serves that, else ternary or 3 bits; at a quarter of the training.
    """
    row = PRECISIONS[next((w for w in ("1", "ternary", "3") if w in kind.serves), kind.serves[0])]

    def curve(xs: F64) -> tuple[F64, F64]:
        w = xs.astype(np.float32)[None]
        quantizer = kind(row, {"weight": w, **kind.start(row, w)}, "clipped")
        quantizer.estimate, quantizer.moment = _clipped, Moment(share=0.25)
        draws = [_total(quantizer.quantize(w)) for _ in range(32 if kind.stochastic else 1)]
        # One weight at a time: what one does to the others through their mean is no part of its curve.
        ones = np.eye(len(xs), dtype=np.float32)
        slopes = [quantizer.gradient(w, one[None].copy())[0, i] for i, one in enumerate(ones)]
        return np.mean(draws, axis=0), np.array(slopes, np.float64)

    return curve


def _total(quantized: Quantized) -> F64:
    """Return one output's weights as they count."""
    values: F64 = quantized.values[0].astype(np.float64) * quantized.scale[0]
    if quantized.offset is not None:
        values += quantized.offset[0]
    return values + _total(quantized.more) if quantized.more else values


def _clipped(x: F32, grad: F32, share: float, out: F32) -> None:
    """Do what the clipped estimator does, in NumPy: a curve must wait for no compiler."""
    np.multiply(grad, np.abs(x) <= 1, out=out)


WEIGHT_QUANTIZERS: Family[type[WeightQuantizer]] = Family(
    "bnn.weight_quantizer", "Quantizers of weights", curve_of=_curve_of
)

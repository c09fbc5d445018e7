"""Signs that a learned network gives to whole filters, taught by the signs of the weights as noisy labels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .binary import GROUP, mean_size, signs
from .mapping import LEARNED, Mapping, fresh_mapping
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

NOISE = 0.1  # rho, how often a sign is taken to be wrong, either way
PULL = np.float32(1e-5)  # alpha, the weight of the supervision beside the loss


@WEIGHT_QUANTIZERS.option(
    "lns",
    "Learned mapping of whole filters (LNS)",
    formula="m sign(q), q = v + f(v), v = w / m, m = mean|w| of the output, f three learned convolutions "
    "over its kernel, norms and ReLUs between; dL/dq = clip(m g, -1, 1) + a (2 (q - s) - 4 r s / (1 - 2 r)), "
    "s = sign(w), r = 0.1, a = 0.00001",
    citation="Han et al. 2020, arXiv:2010.04871; Natarajan et al. 2013, NIPS",
    group=GROUP,
)
class NoisySupervision(WeightQuantizer):
    """A network of each layer's own says the signs of a filter from all of its weights at once.

    Its supervision is the squared distance to the signs of the weights, taken for labels that were flipped
    with probability r: of both labels, ((1 - r) l(q, s) - r l(q, -s)) / (1 - 2 r) has the mean of the loss
    with the true one (Natarajan et al. 2013), and the slope of the formula. It is added to the loss, and
    network and weights learn together.

    From the paper, read in a restatement of it: the mapping of a whole filter, its three convolutions of
    3 x 3 from c to 2 c, 2 c and c channels with norms and ReLUs between, the corrected loss with one r for
    both signs, its slope, and the clipped gradient. Ours: r, a and the scale m, a constant backward; f is
    added to the weights and starts from 0, so that a training begins with the signs (the paper begins with a
    trained binary network, and its signs are the labels); at most 128 channels inside; a row of a dense
    layer, where the paper has none, is a kernel of one place. A model keeps signs and m, nothing of f.
    """

    trained: ClassVar[tuple[str, ...]] = LEARNED

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self._mapping = Mapping(arrays)
        self._mapped: F32 = np.empty((0, 0), np.float32)
        self._labels = self._mapped

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return cls.start_kernels(row, w, ())

    @classmethod
    def start_kernels(cls, row: Precision, w: F32, axes: tuple[int, ...]) -> Arrays:
        return fresh_mapping(w.shape[1], axes)

    def quantize(self, w: F32) -> Quantized:
        self._mapped, self._labels = self.mapped(w), signs(w)
        return Quantized(signs(self._mapped), mean_size(w))

    def shipped(self, w: F32) -> Quantized:
        return Quantized(signs(self.mapped(w)), mean_size(w))

    def mapped(self, w: F32) -> F32:
        """Return q, float32 (outputs, inputs): what the network makes of filters before the sign."""
        v = w / mean_size(w)[:, None]
        q: F32 = v + self._mapping.forward(v)
        return q

    def gradient(self, w: F32, grad: F32) -> F32:
        size = mean_size(w)[:, None]
        _, slope = supervision(self._mapped, self._labels, NOISE)
        passed = np.clip(grad * size, -1, 1) + PULL * slope
        of_v = passed + self._mapping.backward(passed, self.grads)
        along = (of_v * w).mean(axis=1, keepdims=True) / size
        back: F32 = (of_v - self._labels * along) / size
        return back

    def metrics(self) -> dict[str, float]:
        """Return the share of signs that the network turned, and its mean loss against the noisy labels."""
        if not self._mapped.size:
            return {}
        loss, _ = supervision(self._mapped, self._labels, NOISE)
        return {
            "turned": float((signs(self._mapped) != self._labels).mean()),
            "supervision": float(loss.mean()),
        }

    def limit(self) -> float | None:
        return None


def supervision(q: F32, label: F32, noise: float) -> tuple[F32, F32]:
    """Return the loss of each q against a label that is wrong with probability `noise`, and its slope.

    Without bias: over labels flipped so, its mean is the squared distance to the right one.
    """
    keep, turn = np.float32((1 - noise) / (1 - 2 * noise)), np.float32(noise / (1 - 2 * noise))
    loss: F32 = keep * (q - label) ** 2 - turn * (q + label) ** 2
    slope: F32 = 2 * (q - label) - 4 * turn * label
    return loss, slope

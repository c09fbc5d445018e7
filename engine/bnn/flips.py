"""The way back through a product whose inputs are signs that were drawn: what turning one of them would do.

Path Sample-Analytic estimator (PSA), Shekhovtsov, Yanush & Flach, NeurIPS 2020, arXiv:2006.03143. A unit is
x = +1 with the chance F(a), F the logistic function, else -1. One path of signs is drawn through the network;
what the loss would gain from turning a sign is then found for the signs before it, in one pass backward. With
g the half difference of the loss between a unit at +1 and at -1 (where the loss is linear: its derivative),

    dL/da_j = 2 F'(a_j) g_j
    g_i     = sum over the units j that read i of g_j (F(a_j where x_i = +1) - F(a_j where x_i = -1))

and before the loss itself g_i = (L(x_i = +1) - L(x_i = -1)) / 2, which is exact. The paper goes forward with
flip probabilities, of which this is the transpose. A straight-through estimator has 2 w_ij F'(a_j) in the
place of the difference: it is PSA made linear, and what a layer falls back to where its sums do not lead to
such units or to the loss.

A norm on the way counts by its slope: a turned sign moves its own unit's input by 2 w_ij gamma / deviation.
What it does to every record of the batch through their mean and deviation is small for each, and goes back by
derivatives, as `rest`: what arrives at the sums beyond the slopes times dL/da.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..kernels.flips import flip_rows, flip_secants
from ..kernels.threads import matmul, share
from ..levels import Quantized
from ..node import Operator
from ..ports import F32, F64, I64
from .activations.psa import mean_slopes
from .linear import LayerInput

_FAR = 350.0  # what inputs and moves are held within: the product of two exponentials stays finite
_LEAST = 1 << 16  # pairs of a sign and a unit that are worth a thread
_ROOM = 1 << 15  # scores with a turned sign at a time, which the caches of a core hold


class Labelled(NamedTuple):
    """The part of the loss that is of scores and labels.

    Attributes:
        scores: float32 (n, classes), as they are.
        grad: float32 (n, classes), dL/dscores of the mean over the records.
        losses: of scores (m, classes) of the records (m,): the loss of each, (m,).
    """

    scores: F32
    grad: F32
    losses: Callable[[F32, I64], F32]


class Units(NamedTuple):
    """The units that the sums of a layer lead to.

    Attributes:
        at: float32 (rows, outputs), what they were drawn from.
        grad: float32 (rows, outputs), g of each.
        slopes: float32 (1 or places, outputs), by what a sum is multiplied on its way there.
        rest: float32 (rows, outputs), what else arrives at the sums, as a derivative.
    """

    at: F32
    grad: F32
    slopes: F32
    rest: F32


class Scores(NamedTuple):
    """The scores that the sums of a layer become.

    Attributes:
        end: what the loss makes of them.
        slopes: float32 (1, outputs), by what a sum is multiplied on its way there.
        rest: float32 (n, outputs), what else arrives at the sums, as a derivative.
    """

    end: Labelled
    slopes: F32
    rest: F32


@dataclass
class Ahead:
    """What stands between the sums of a layer and what they lead to.

    Attributes:
        between: operators that give each element times a slope, and more that a turned sign hardly moves.
        units: the input of the layer that draws the units, or None where the sums become the scores.
        end: the loss of this step, or None where nobody told.
    """

    between: tuple[Operator, ...]
    units: LayerInput | None
    end: Labelled | None = None

    def find(self, grad: F32) -> Units | Scores | None:
        """Return what the sums lead to in this step, or None where nothing is known of turned signs.

        Args:
            grad: dL/dsums, float32 (rows, outputs).
        """
        slopes = self._slopes(grad.shape[1])
        if self.units is None:
            if self.end is None:
                return None
            return Scores(self.end, slopes, grad - self.end.grad * slopes)
        drawn = self.units.drawn
        if drawn is None:
            return None
        at, g = (np.ascontiguousarray(a, np.float32).reshape(grad.shape) for a in drawn)
        known = mean_slopes(at) * g
        return Units(at, g, slopes, grad - _times(known, slopes))

    def _slopes(self, outputs: int) -> F32:
        found = np.ones((1, outputs), np.float32)
        for operator in self.between:
            slopes = operator.slopes()
            if slopes is None:
                raise RuntimeError("a slope that was there is gone")
            found = found * (slopes if slopes.size == 1 else slopes.reshape(-1, outputs))
        return found


def _times(x: F32, slopes: F32) -> F32:
    """Return (rows, outputs) numbers times the slopes, (1 or places, outputs), of their places."""
    found: F32 = (x.reshape(-1, *slopes.shape) * slopes).reshape(x.shape)
    return found


class DrawingOperator(Operator):
    """A layer in training whose real input may be units that are drawn.

    Attributes:
        taken: its input.
        ahead: what its sums lead to, where its own input is such units; the plan says so.
    """

    taken: LayerInput
    ahead: Ahead | None = None

    def follows(self, ahead: Ahead) -> bool:
        """Return whether it can tell what turned signs of its input move there."""
        return True

    def metrics(self) -> dict[str, float]:
        """Return `followed`: 1 where turned signs of the input are followed, 0 where derivatives go back."""
        return {"followed": float(self.ahead is not None)} if self.taken.draws else {}

    def turned(self, grad: F32) -> Units | Scores | None:
        """Return what turned signs of the input move in this step, or None for the linear way back.

        Args:
            grad: dL/dsums, float32 (rows, outputs).
        """
        return self.ahead.find(grad) if self.ahead and self.taken.draws else None


def is_plain(quantized: Quantized) -> bool:
    """Return whether weights are one base without an offset: at 1 bit all of an output are of one size."""
    return quantized.more is None and quantized.offset is None and not quantized.soft


def counted(quantized: Quantized) -> F32:
    """Return weights as numbers, float32 (outputs, inputs): all bases with their scales and offsets."""
    found = quantized.values * quantized.scale[:, None]
    if quantized.offset is not None:
        found = found + quantized.offset[:, None]
    return found if quantized.more is None else found + counted(quantized.more)


def row_differences(rows: F32, weights: F32, sizes: F32 | None, units: Units, out: F32) -> None:
    """Write g of the signs in `rows` into `out`, float32 (n, inputs), for the units that read them.

    Args:
        rows: float32 (n, inputs), signs, or 0 where padding counts nothing.
        weights: float32 (outputs, inputs), as they count; their signs where `sizes` are given.
        sizes: float32 (outputs,), the size of all weights of an output, where it has one; else None.
        units: what they lead to; row r is of place r modulo the number of places.
        out: written.
    """
    odds = np.exp(-np.clip(units.at.astype(np.float64), -_FAR, _FAR))
    if sizes is not None:
        rises = _rises(units.slopes * sizes)
        odd, even = np.empty(units.at.shape, np.float32), np.empty(len(rows), np.float32)
        flip_secants(odds, rises, np.ascontiguousarray(units.grad), odd, even)
        matmul(odd + units.rest * sizes, weights, out)
        out += rows * even[:, None]
        return
    places = len(units.slopes)
    for place, slopes in enumerate(units.slopes):
        here, target = slice(place, None, places), np.empty((len(rows) // places, rows.shape[1]), np.float32)
        _by_pairs(rows[here], odds[here], _rises(weights * slopes[:, None]), units.grad[here], target)
        out[here] = target
    also = np.empty_like(out)
    matmul(units.rest, weights, also)
    out += also


def _by_pairs(rows: F32, odds: F64, rises: F64, grad: F32, out: F32) -> None:
    seen, slopes, falls = np.ascontiguousarray(rows), np.ascontiguousarray(grad), 1 / rises
    odds = np.ascontiguousarray(odds)

    def run(begin: int, end: int) -> None:
        at = slice(begin, end)
        flip_rows(seen[at], odds[at], rises, falls, slopes[at], np.empty(rows.shape[1]), out[at])

    share(run, len(rows), least=max(1, _LEAST // max(1, rises.size)))


def _rises(moves: F32) -> F64:
    """Return exp(2 w) of the weights `moves`."""
    found: F64 = np.exp(np.clip(2 * moves.astype(np.float64), -_FAR, _FAR))
    return found


def loss_differences(rows: F32, weights: F32, ahead: Scores, out: F32) -> None:
    """Write g of the signs in `rows` into `out`, float32 (n, inputs), where sums become the scores.

    Args:
        rows: float32 (n, inputs), signs.
        weights: float32 (outputs, inputs), as they count.
        ahead: what they become; the step makes the mean of the losses small.
        out: written.
    """
    n, k = rows.shape
    scores, moves = ahead.end.scores, np.float32(2) * weights.T * ahead.slopes[0]
    each = max(1, _ROOM // max(1, moves.size))
    for at in range(0, n, each):
        here, who = slice(at, at + each), np.arange(at, min(n, at + each))
        turned = scores[here, None, :] - rows[here, :, None] * moves
        lost = ahead.end.losses(turned.reshape(-1, len(weights)), np.repeat(who, k)).reshape(-1, k)
        out[here] = rows[here] * (ahead.end.losses(scores[here], who)[:, None] - lost) / np.float32(2 * n)
    out += ahead.rest @ weights

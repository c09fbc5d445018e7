"""How a trained array moves against its gradient. A new optimiser is one decorated class.

An optimiser knows arrays alone: which parameters it is asked to move, at what rate, is the trainer's to say
(engine/train/optimiser.py). Its state is one float32 array a parameter, which a checkpoint keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .kernels.optimise import adam_step, bop2_step, bop_step, sgd_step
from .options import Family, Part
from .ports import F32

Rows = Sequence[F32]
_BETAS = np.array([0.9, 0.999])


@dataclass(frozen=True)
class Knobs:
    """What an optimiser may be set by beside rate and decay.

    Attributes:
        momentum: share of the running gradient that gradient descent keeps.
        threshold: how much speaks against a sign before Bop flips it.
    """

    momentum: float = 0.9
    threshold: float = 1e-8


class Optimiser:
    """Base of the optimisers.

    Class attributes:
        rows: numbers of state for each number of the parameter.
        flips: whether it flips signs instead of moving numbers; it is then for 1-bit weights alone.
        rate: the learning rate it takes where none is named, or 0 for the run's own.
        adaptive: whether its moves are as large whatever the gradient is multiplied by.
    """

    rows: ClassVar[int] = 1
    flips: ClassVar[bool] = False
    rate: ClassVar[float] = 0.0
    adaptive: ClassVar[bool] = False

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs

    def begin(self, step: int) -> None:
        """Get ready for a step, counted from 1, of all parameters."""

    def move(self, value: F32, grad: F32, state: Rows, rate: float, decay: float, bounds: F32) -> None:
        """Move one parameter.

        Args:
            value: float32 (n,), changed in place and kept within `bounds`.
            grad: float32 (n,), dL/dvalue.
            state: float32 (n,) each, as many as `rows`, zeros at the first step, changed in place.
            rate: learning rate.
            decay: weight decay.
            bounds: float32 (2,), lowest and highest value.
        """
        raise NotImplementedError


OPTIMISERS: Family[type[Optimiser]] = Family("train.optimiser", "Optimisers")


@OPTIMISERS.option(
    "adamw",
    "AdamW",
    formula="w <- w - r m^ / (sqrt(v^) + eps) - r d w",
    citation="Loshchilov & Hutter 2019, arXiv:1711.05101",
)
class AdamW(Optimiser):
    """Adam with beta 0.9 and 0.999, its weight decay apart from the gradient."""

    rows: ClassVar[int] = 2
    adaptive: ClassVar[bool] = True
    apart: ClassVar[bool] = True

    def __init__(self, knobs: Knobs) -> None:
        super().__init__(knobs)
        self._correct, self._decays = np.ones(2, np.float32), np.zeros(2, np.float32)

    def begin(self, step: int) -> None:
        self._correct[:] = 1 / (1 - _BETAS**step)

    def move(self, value: F32, grad: F32, state: Rows, rate: float, decay: float, bounds: F32) -> None:
        self._decays[int(self.apart)] = decay
        first, second = state
        adam_step(value, grad, first, second, np.float32(rate), self._correct, self._decays, bounds)


@OPTIMISERS.option(
    "adam",
    "Adam",
    formula="g + d w in place of g; w <- w - r m^ / (sqrt(v^) + eps)",
    citation="Kingma & Ba 2015, arXiv:1412.6980",
)
class Adam(AdamW):
    """Adam with beta 0.9 and 0.999, its weight decay added to the gradient."""

    apart: ClassVar[bool] = False


@OPTIMISERS.option("sgd", "SGD with momentum", formula="m <- k m + g + d w; w <- w - r m")
class Sgd(Optimiser):
    """Gradient descent with momentum."""

    ahead: ClassVar[float] = 0.0

    def move(self, value: F32, grad: F32, state: Rows, rate: float, decay: float, bounds: F32) -> None:
        knobs = (np.float32(self.knobs.momentum), np.float32(self.ahead), np.float32(decay))
        sgd_step(value, grad, state[0], np.float32(rate), *knobs, bounds)


@OPTIMISERS.option(
    "nesterov", "SGD, Nesterov momentum", formula="m <- k m + g + d w; w <- w - r (g + d w + k m)"
)
class Nesterov(Sgd):
    """Gradient descent with momentum that looks one step ahead."""

    ahead: ClassVar[float] = 1.0


@OPTIMISERS.option(
    "bop",
    "Bop",
    formula="m <- m + r (g - m); w <- -w where |m| > t and sign m = sign w",
    citation="Helwegen et al. 2019, arXiv:1906.02107",
)
class Bop(Optimiser):
    """Flips signs by the mean gradient; the rate is its adaptivity rate. Nothing decays and nothing clips."""

    flips: ClassVar[bool] = True
    rate: ClassVar[float] = 1e-4

    def move(self, value: F32, grad: F32, state: Rows, rate: float, decay: float, bounds: F32) -> None:
        bop_step(value, grad, state[0], np.float32(rate), np.float32(self.knobs.threshold))


@OPTIMISERS.option(
    "bop2",
    "Bop, second order",
    formula="w <- -w where |m| / sqrt(v) > t and sign m = sign w; v <- v + 0.01 (g^2 - v)",
    citation="Suarez-Ramirez et al. 2021, arXiv:2104.05124",
)
class Bop2(Bop):
    """Bop whose mean gradient is divided by the root of the mean square (the biased form)."""

    rows: ClassVar[int] = 2

    def move(self, value: F32, grad: F32, state: Rows, rate: float, decay: float, bounds: F32) -> None:
        first, second = state
        bop2_step(value, grad, first, second, np.float32(rate), np.float32(self.knobs.threshold))


SAME = "same"
FOR_ANY = Part(OPTIMISERS, lambda made: not made.flips)
FOR_SIGNS = Part(OPTIMISERS, lambda made: True, {SAME: "Same as the rest"})

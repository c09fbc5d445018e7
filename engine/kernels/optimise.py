"""One optimiser step on one array, in place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]


@kernel
def adam_step(
    value: F32, grad: F32, moments: F32, rate: np.float32, correct: F32, decay: np.float32, bounds: F32
) -> None:
    """Move `value`, float32 (n,), one Adam step against `grad` (arXiv:1412.6980, algorithm 1).

    Args:
        value: changed in place, then clipped to `bounds`.
        grad: float32 (n,).
        moments: float32 (2, n), first and second moments, changed in place.
        rate: learning rate of this step.
        correct: float32 (2,), 1 / (1 - beta^t) for both moments.
        decay: decoupled weight decay (arXiv:1711.05101), times rate.
        bounds: float32 (2,), lowest and highest value.
    """
    b1, b2, eps = np.float32(0.9), np.float32(0.999), np.float32(1e-8)
    one = np.float32(1.0)
    for i in range(value.size):
        g = grad[i]
        m = b1 * moments[0, i] + (one - b1) * g
        v = b2 * moments[1, i] + (one - b2) * g * g
        moments[0, i] = m
        moments[1, i] = v
        step = rate * (m * correct[0]) / (np.sqrt(v * correct[1]) + eps)
        moved = value[i] - step - rate * decay * value[i]
        value[i] = min(max(moved, bounds[0]), bounds[1])

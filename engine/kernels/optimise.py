"""Optimiser steps: one pass over a parameter, its gradient and its state, each changed in place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]


@kernel
def sgd_step(
    value: F32,
    grad: F32,
    state: F32,
    rate: np.float32,
    momentum: np.float32,
    ahead: np.float32,
    decay: np.float32,
    bounds: F32,
) -> None:
    """Move `value`, float32 (n,), one step of gradient descent with momentum against `grad`.

    m <- momentum m + g + decay w, then w <- w - rate m; looking ahead (Nesterov, in the form of Sutskever
    et al. 2013 that every framework uses): w <- w - rate (g + decay w + momentum m).

    Args:
        value: changed in place, then clipped to `bounds`.
        grad: float32 (n,).
        state: float32 (n,), m, changed in place.
        rate: learning rate of this step.
        momentum: share of m that is kept.
        ahead: 1 to look ahead, else 0.
        decay: weight decay, added to the gradient.
        bounds: float32 (2,), lowest and highest value.
    """
    one, low, high = np.float32(1.0), bounds[0], bounds[1]
    for i in range(value.size):
        g = grad[i] + decay * value[i]
        m = momentum * state[i] + g
        state[i] = m
        move = ahead * (g + momentum * m) + (one - ahead) * m
        value[i] = min(max(value[i] - rate * move, low), high)


@kernel
def adam_step(
    value: F32,
    grad: F32,
    first: F32,
    second: F32,
    rate: np.float32,
    correct: F32,
    decays: F32,
    bounds: F32,
) -> None:
    """Move `value`, float32 (n,), one Adam step against `grad` (arXiv:1412.6980, algorithm 1).

    Args:
        value: changed in place, then clipped to `bounds`.
        grad: float32 (n,).
        first: float32 (n,), the mean gradient, changed in place.
        second: float32 (n,), the mean square, changed in place.
        rate: learning rate of this step.
        correct: float32 (2,), 1 / (1 - beta^t) for both moments.
        decays: float32 (2,), weight decay that is added to the gradient, and weight decay apart from it
            (arXiv:1711.05101), times rate.
        bounds: float32 (2,), lowest and highest value.
    """
    b1, b2, eps = np.float32(0.9), np.float32(0.999), np.float32(1e-8)
    one = np.float32(1.0)
    # What stands in arrays is read once: a store might change it, for all that the compiler knows.
    joined, low, high = decays[0], bounds[0], bounds[1]
    forward, root, apart = rate * correct[0], correct[1], rate * decays[1]
    for i in range(value.size):
        w = value[i]
        g = grad[i] + joined * w
        m = b1 * first[i] + (one - b1) * g
        v = b2 * second[i] + (one - b2) * g * g
        first[i] = m
        second[i] = v
        moved = w - forward * m / (np.sqrt(v * root) + eps) - apart * w
        value[i] = min(max(moved, low), high)


@kernel
def bop_step(value: F32, grad: F32, state: F32, gamma: np.float32, threshold: np.float32) -> None:
    """Flip the signs of `value`, float32 (n,), that the mean gradient speaks against (arXiv:1906.02107).

    m <- m + gamma (g - m); w <- -w where |m| > threshold and m has the sign of w. The size of w stays; a 0
    counts as +1.

    Args:
        value: changed in place.
        grad: float32 (n,).
        state: float32 (n,), m, changed in place.
        gamma: adaptivity rate.
        threshold: how large m must be.
    """
    for i in range(value.size):
        m = state[i] + gamma * (grad[i] - state[i])
        state[i] = m
        if abs(m) > threshold and (m > 0) == (value[i] >= 0):
            value[i] = _flipped(value[i])


@kernel
def bop2_step(
    value: F32, grad: F32, first: F32, second: F32, gamma: np.float32, threshold: np.float32
) -> None:
    """Flip signs by the mean gradient over the root of the mean square (arXiv:2104.05124, biased form).

    m <- m + gamma (g - m), v <- v + sigma (g^2 - v) with sigma 0.01; w <- -w where |m| / (sqrt(v) + 1e-10)
    is above the threshold and m has the sign of w.

    Args:
        value: changed in place.
        grad: float32 (n,).
        first: float32 (n,), m, changed in place.
        second: float32 (n,), v, changed in place.
        gamma: adaptivity rate.
        threshold: how large the quotient must be.
    """
    sigma, tiny = np.float32(0.01), np.float32(1e-10)
    for i in range(value.size):
        g = grad[i]
        m = first[i] + gamma * (g - first[i])
        v = second[i] + sigma * (g * g - second[i])
        first[i] = m
        second[i] = v
        if abs(m) > threshold * (np.sqrt(v) + tiny) and (m > 0) == (value[i] >= 0):
            value[i] = _flipped(value[i])


@kernel
def _flipped(w: np.float32) -> np.float32:
    """Return -w, and the smallest normal number below 0 for a 0, whose sign a minus would not change."""
    return np.float32(-w) if w != 0 else np.float32(-1.1754944e-38)


@kernel
def sum_of_squares(grad: F32) -> float:
    """Return the sum of the squares of `grad`, float32 (n,), in float64."""
    total = 0.0
    for i in range(grad.size):
        total += np.float64(grad[i]) * np.float64(grad[i])
    return total


@kernel
def average_step(average: F32, value: F32, keep: np.float32) -> None:
    """Move a running mean, float32 (n,), towards `value`: a <- a + (1 - keep) (w - a)."""
    share = np.float32(1.0) - keep
    for i in range(average.size):
        average[i] += share * (value[i] - average[i])

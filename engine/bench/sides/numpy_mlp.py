"""NumPy's side: the MLP in float32 on the host's BLAS, forward and backward, written out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .mnist import F32, images, labels
from .serving import Work, serve

_SIZES = (784, 1024, 1024, 10)
_BETAS = (0.9, 0.999)


class Mlp:
    """Products, batch norms and signs, 1-bit by float arithmetic; trained by Adam, clipped to -1 to +1."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.weights = [
            rng.uniform(-1, 1, (i, o)).astype(np.float32) * np.float32(np.sqrt(6 / (i + o)))
            for i, o in pairwise(_SIZES)
        ]
        self._scales = [np.ones(o, np.float32) for o in _SIZES[1:]]
        self._shifts = [np.zeros(o, np.float32) for o in _SIZES[1:]]
        self._arrays = [*self.weights, *self._scales, *self._shifts]
        self._moments = [np.zeros((2, *a.shape), np.float32) for a in self._arrays]
        self._steps = 0

    def predict(self, x: F32) -> Any:
        """Return the classes of float32 (n, 784), in float32 with its batch norms folded."""
        for i, w in enumerate(self.weights):
            x = x @ w * self._scales[i] + self._shifts[i]
            if i + 1 < len(self.weights):
                np.maximum(x, 0, out=x)
        return x.argmax(1)

    def step(self, x: F32, y: Any) -> float:
        """Take one step of the 1-bit recipe on float32 (n, 784) and its labels; return the loss before it."""
        kept: list[list[F32]] = [[], [], [], [], []]
        h = x
        for i, w in enumerate(self.weights):
            sign = np.where(w >= 0, np.float32(1), np.float32(-1))
            z = h @ sign
            deviation = np.sqrt(z.var(0) + np.float32(1e-5))
            n = (z - z.mean(0)) / deviation
            out = n * self._scales[i] + self._shifts[i]
            for row, value in zip(kept, (h, n, out, deviation, sign), strict=True):
                row.append(value)
            h = np.where(out >= 0, np.float32(1), np.float32(-1)) if i + 1 < len(self.weights) else out
        p = np.exp(h - h.max(1, keepdims=True))
        grad = p / p.sum(1, keepdims=True)
        loss = -np.log(grad[np.arange(len(y)), y]).mean()
        grad[np.arange(len(y)), y] -= 1
        grad /= np.float32(len(y))
        seen, normal, before, deviations, signs = kept
        grads: list[list[F32]] = [[], [], []]
        for i in reversed(range(len(self.weights))):
            if i + 1 < len(self.weights):
                grad = grad * (np.abs(before[i]) <= 1)
            d_scale, d_shift = (grad * normal[i]).sum(0), grad.sum(0)
            count = np.float32(len(y))
            d = (grad - d_shift / count - normal[i] * (d_scale / count)) * (self._scales[i] / deviations[i])
            for row, value in zip(grads, (seen[i].T @ d, d_scale, d_shift), strict=True):
                row.insert(0, value)
            grad = d @ signs[i].T if i else d
        self._adam([g for kind in grads for g in kind])
        for w in self.weights:
            np.clip(w, -1, 1, out=w)
        return float(loss)

    def _adam(self, grads: list[F32], rate: float = 0.005) -> None:
        self._steps += 1
        first, second = (1 - beta**self._steps for beta in _BETAS)
        for array, g, moments in zip(self._arrays, grads, self._moments, strict=True):
            moments[0] += np.float32(1 - _BETAS[0]) * (g - moments[0])
            moments[1] += np.float32(1 - _BETAS[1]) * (g * g - moments[1])
            move = np.float32(rate / first) * moments[0] / (np.sqrt(moments[1] / second) + 1e-8)
            np.subtract(array, move, out=array)


def make(job: dict[str, Any]) -> Work:
    """Return one training step, or the prediction of `job["batch"]` records."""
    network = Mlp()
    if job["task"] == "inference":
        x = images(job["folder"], job["batch"]).reshape(job["batch"], 784)
        return lambda: network.predict(x)
    x, y = images(job["folder"]).reshape(-1, 784), labels(job["folder"])
    rng = np.random.default_rng(0)

    def step() -> None:
        rows = rng.integers(0, len(x), job["batch"])
        network.step(x[rows], y[rows])

    return step


if __name__ == "__main__":
    serve(make)
